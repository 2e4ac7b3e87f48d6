package images

import (
	"net/url"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

func TestFactsAreSound(t *testing.T) {
	if _, err := parse(data); err != nil {
		t.Fatal(err)
	}
	var f file
	if err := yaml.UnmarshalStrict(data, &f); err != nil {
		t.Fatal(err)
	}
	for _, facts := range f.Images {
		if len(facts.Names) == 0 {
			t.Fatalf("an entry without a name: %+v", facts)
		}
		name := facts.Names[0]
		sources := []string{}
		switch r := facts.Runtime; {
		case r != nil && r.Name != "":
			sources = append(sources, r.Source)
		case r != nil || len(facts.Ports) == 0:
			t.Errorf("%s: no runtime", name)
		}
		for _, p := range facts.Ports {
			sources = append(sources, p.Source)
			if p.Name == "" {
				t.Errorf("%s: a port without a name", name)
			}
		}
		if p := facts.Process; p != nil {
			sources = append(sources, p.Source)
			if len(p.Entrypoint)+len(p.Command) == 0 {
				t.Errorf("%s: a process without words", name)
			}
		}
		for _, o := range facts.Options {
			sources = append(sources, o.Source)
			if o.Name == "" || o.Form != Flags && o.Form != Size && o.Form != Megabytes {
				t.Errorf("%s: option %+v", name, o)
			}
		}
		if h := facts.Heap; h != nil {
			sources = append(sources, h.Source)
			if _, err := resource.ParseQuantity(h.Size); (h.Size != "" && err != nil) || (h.Size == "") != (h.Percent > 0) {
				t.Errorf("%s: heap %+v: want a size or a percentage", name, h)
			}
		}
		if s := facts.Startup; s != nil {
			sources = append(sources, s.Source)
			if s.Seconds <= 0 {
				t.Errorf("%s: start-up of %d s", name, s.Seconds)
			}
		}
		for _, s := range sources {
			if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
				t.Errorf("%s: %q is no source", name, s)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"images: [{names: [kafka]}, {names: [docker.io/library/kafka]}]":     "two entries claim docker.io/library/kafka",
		"images: [{names: [bitnami/kafka]}, {names: [bitnamilegacy/kafka]}]": "two entries claim docker.io/bitnamilegacy/kafka",
		"images: [{names: ['kafka:3']}]":                                     "has no tag",
		"images: [{names: [Kafka]}]":                                         "Kafka",
		"images: [{names: [kafka], heaps: {}}]":                              "heaps",
	} {
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}

func TestLookup(t *testing.T) {
	for ref, want := range map[string]string{
		"tomcat":         "tomcat",
		"tomcat:9-jdk17": "tomcat",
		"docker.io/library/tomcat@sha256:0123456789012345678901234567890123456789012345678901234567890123": "tomcat",
		"docker.io/bitnami/kafka:3.6.0-debian-11-r0":                                                       "bitnami/kafka",
		"bitnamilegacy/kafka:3.6.0":                                                                        "bitnami/kafka",
		"harbor.example/proxy/bitnamilegacy/kafka:3":                                                       "bitnami/kafka",
		"public.ecr.aws/docker/library/tomcat:9":                                                           "tomcat",
		"localhost:5000/library/tomcat":                                                                    "tomcat",
		"quay.io/keycloak/keycloak:26.0":                                                                   "quay.io/keycloak/keycloak",
		"registry.example/tomcat":                                                                          "",
		"mycompany/tomcat":                                                                                 "",
		"":                                                                                                 "",
		"{{ .Values.image }}":                                                                              "",
		"UPPER/case":                                                                                       "",
	} {
		f, ok := Lookup(ref)
		if got := append(f.Names, "")[0]; ok != (want != "") || got != want {
			t.Errorf("Lookup(%q) = %q, %v, want %q", ref, got, ok, want)
		}
	}
}

func TestHeapBytes(t *testing.T) {
	if f, _ := Lookup("apache/kafka"); f.Heap.Bytes() != 1<<30 || !f.IsJVM() {
		t.Errorf("Kafka's heap: %+v", f.Heap)
	}
	if f, _ := Lookup("trinodb/trino"); f.Heap.Bytes() != 0 || f.Heap.Percent != 80 {
		t.Errorf("Trino's heap: %+v", f.Heap)
	}
}
