package images

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestFactsAreSound(t *testing.T) {
	entries, err := readAll(factFiles)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&Catalogue{}).With(entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		sourced(t, e.Names[0], reflect.ValueOf(e))
		for i, r := range e.Releases {
			for _, other := range e.Releases[:i] {
				if field, ok := overlap(r, other); ok {
					t.Errorf("%s: two releases say the %s of one tag", e.Names[0], field)
				}
			}
		}
	}
}

// sourced holds every fact below v to name its source.
func sourced(t *testing.T, at string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			sourced(t, at, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			sourced(t, at, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.Name != "Source" {
				sourced(t, at+" "+field.Name, v.Field(i))
				continue
			}
			if u, err := url.Parse(v.Field(i).String()); err != nil || u.Scheme != "https" || u.Host == "" {
				t.Errorf("%s: %q is no source", at, v.Field(i).String())
			}
		}
	}
}

// overlap returns a fact that both releases say of some version.
func overlap(a, b Release) (string, bool) {
	from, _ := bound(a.Since)
	until, bounded := bound(a.Until)
	otherFrom, _ := bound(b.Since)
	otherUntil, otherBounded := bound(b.Until)
	if bounded && slices.Compare(until, otherFrom) <= 0 || otherBounded && slices.Compare(otherUntil, from) <= 0 {
		return "", false
	}
	for _, pattern := range a.Tags {
		opposite, not := strings.CutPrefix(pattern, "!")
		if !not {
			opposite = "!" + pattern
		}
		if slices.Contains(b.Tags, opposite) {
			return "", false
		}
	}
	x, y := reflect.ValueOf(a.Facts), reflect.ValueOf(b.Facts)
	for i := range x.NumField() {
		if !x.Field(i).IsZero() && !y.Field(i).IsZero() {
			return x.Type().Field(i).Name, true
		}
	}
	return "", false
}

func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"images: [{names: [kafka]}, {names: [docker.io/library/kafka]}]":                  "two entries claim docker.io/library/kafka",
		"images: [{names: [bitnami/kafka]}, {names: [bitnamilegacy/kafka]}]":              "two entries claim docker.io/bitnamilegacy/kafka",
		"images: [{names: ['kafka:3']}]":                                                  "has no tag",
		"images: [{names: [Kafka]}]":                                                      "Kafka",
		"images: [{names: [kafka], heaps: {}}]":                                           "heaps",
		"images: [{}]":                                                                    "needs the names",
		"images: [{names: [kafka], options: [{name: A, form: kilobytes}]}]":               "kilobytes",
		"images: [{names: [kafka], memory: {required: 1GB}}]":                             "memory: want",
		"images: [{names: [kafka], memory: {required: 1Gi, tooLow: 1Gi}}]":                "memory: want",
		"images: [{names: [kafka], sysctls: [{name: vm.max_map_count}]}]":                 "sysctls: want",
		"images: [{names: [kafka], sharedMemory: {}}]":                                    "sharedMemory: want",
		"images: [{names: [kafka], heap: {size: 1GB}}]":                                   "want a size",
		"images: [{names: [kafka], heap: {size: 1Gi, percent: 50}}]":                      "want a size",
		"images: [{names: [kafka], releases: [{heap: {percent: 50}}]}]":                   "want versions",
		"images: [{names: [kafka], releases: [{tags: ['[']}]}]":                           "no pattern",
		"images: [{names: [kafka], tools: {none: true, lacks: [sh]}}]":                    "tools: want",
		"images: [{names: [kafka], tls: {ports: [443]}}]":                                 "tls: want",
		"images: [{names: [kafka], healthPort: {number: 0}}]":                             "no port",
		"images: [{names: [kafka], endpoints: [{path: health, dependsOn: its storage}]}]": "want a path",
		"images: [{names: [kafka], tools: {}}]":                                           "tools: want",
		"images: [{names: [kafka], requires: [{any: []}]}]":                               "want the variables",
		"images: [{names: [kafka], requires: [{any: ['=x']}]}]":                           "names no variable",
		"images: [{names: [kafka], refuses: [{all: [A]}]}]":                               "what is wrong with them",
		"images: [{names: [kafka], releases: [{since: new}]}]":                            "want versions",
		"images: [{names: [kafka], releases: [{since: '3', until: '2.9'}]}]":              "want versions",
		"images: [{names: [kafka], releases: [{since: '3', heap: {size: large}}]}]":       "want a size",
	} {
		entries, err := read([]byte(text))
		if err == nil {
			_, err = (&Catalogue{}).With(entries)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}

func TestReleases(t *testing.T) {
	c, err := (&Catalogue{}).With([]Entry{{Names: []string{"app"}, Facts: Facts{Heap: &Heap{Percent: 25}}, Releases: []Release{
		{Until: "2.9", Facts: Facts{Heap: &Heap{Size: "1Gi"}}},
		{Since: "3.0", Until: "4", Facts: Facts{Heap: &Heap{Size: "3Gi"}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]string{
		"2.8": "1Gi", "2.8.9-alpine": "1Gi", "v1": "1Gi", "2": "", "2.9": "", "2.10": "",
		"3": "3Gi", "3.0.0": "3Gi", "3-jdk8": "3Gi", "4": "", "latest": "", "lts-2": "",
	} {
		f, _ := c.Lookup("app:" + tag)
		if f.Heap == nil || f.Heap.Size != want {
			t.Errorf("%s: heap %+v, want %q", tag, f.Heap, want)
		}
	}
}

func TestTags(t *testing.T) {
	c, err := (&Catalogue{}).With([]Entry{{Names: []string{"app"}, Releases: []Release{
		{Tags: []string{"*alpine*", "*musl*", "!*glibc*"}, Facts: Facts{Tools: &Tools{Lacks: []string{"alpine"}}}},
		{Tags: []string{"!*alpine*", "!*musl*"}, Until: "9", Facts: Facts{Tools: &Tools{Lacks: []string{"other"}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{
		"app:8-alpine": "alpine", "app:alpine3.20": "alpine", "app:8-musl": "alpine", "app:8-alpine-glibc": "",
		"app:8": "other", "app:8-slim": "other", "app:9": "", "app": "", "app:slim": "",
		"app@sha256:0123456789012345678901234567890123456789012345678901234567890123": "",
	} {
		got := ""
		if f, _ := c.Lookup(ref); f.Tools != nil {
			got = f.Tools.Lacks[0]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
}

func TestWith(t *testing.T) {
	c, err := Builtin().With([]Entry{
		{Names: []string{"registry.example/shop/api"}, Facts: Facts{Runtime: &Runtime{Name: "jvm"}}},
		{Names: []string{"tomcat"}, Facts: Facts{Startup: &Startup{Seconds: 90}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := c.Lookup("registry.example/shop/api:1.0"); !ok || !f.IsJVM() {
		t.Errorf("an image of the user's: %+v", f)
	}
	if f, _ := c.Lookup("tomcat:10"); f.Startup == nil || f.Startup.Seconds != 90 || !f.IsJVM() {
		t.Errorf("an image that the user adds to: %+v", f)
	}
	if f, _ := Builtin().Lookup("tomcat:10"); f.Startup != nil && f.Startup.Seconds == 90 {
		t.Error("the built-in catalogue was changed")
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
		f, ok := Builtin().Lookup(ref)
		if got := f.Name; ok != (want != "") || got != want {
			t.Errorf("Lookup(%q) = %q, %v, want %q", ref, got, ok, want)
		}
	}
}

func TestHeapBytes(t *testing.T) {
	if f, _ := Builtin().Lookup("apache/kafka"); f.Heap.Bytes() != 1<<30 || !f.IsJVM() {
		t.Errorf("Kafka's heap: %+v", f.Heap)
	}
	if f, _ := Builtin().Lookup("trinodb/trino"); f.Heap.Bytes() != 0 || f.Heap.Percent != 80 {
		t.Errorf("Trino's heap: %+v", f.Heap)
	}
}
