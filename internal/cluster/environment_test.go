package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

const sources = `---
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data: {A: from-config, B: config-b, 1x: digit, "with space": odd, REF: $(A)}
binaryData: {BIN: aGk=}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials}
data: {A: ZnJvbS1zZWNyZXQ=, C: bG9zdA==}
stringData: {C: wins}
`

func TestEnvironment(t *testing.T) {
	for _, c := range []struct {
		name, ctr string
		options   cluster.Options
		want      string // NAME=value, ? for an unknown value, ! for a secret one
		open      bool
	}{
		{"env in order, expanded with what came before", `
env:
  - {name: A, value: a}
  - {name: B, value: "$(A)-$(LATER)-$$(A)"}
  - {name: LATER, value: z}
  - {name: A, value: "$(A)2"}`,
			cluster.Options{}, "A=a2 B=a-$(LATER)-$(A) LATER=z", false},
		{"envFrom in order, then env, values of envFrom not expanded", `
envFrom: [{configMapRef: {name: config}}, {secretRef: {name: credentials}}]
env: [{name: B, value: "mine $(C) $(REF)"}]`,
			cluster.Options{}, "1x=digit A=!from-secret B=!mine wins $(A) REF=$(A) with space=odd C=!wins", false},
		{"names that Kubernetes before 1.30 skips", `
envFrom: [{configMapRef: {name: config}}]`,
			cluster.Options{Version: 29}, "A=from-config B=config-b REF=$(A)", false},
		{"a prefix", `
envFrom: [{prefix: P_, configMapRef: {name: config}}]`,
			cluster.Options{Version: 29}, "P_1x=digit P_A=from-config P_B=config-b P_REF=$(A)", false},
		{"a source that is not there", `
envFrom: [{configMapRef: {name: other}}]
env: [{name: X, value: "$(SOMETHING)"}]`,
			cluster.Options{}, "X=?", true},
		{"keys", `
env:
  - {name: X, valueFrom: {configMapKeyRef: {name: config, key: A}}}
  - {name: S, valueFrom: {secretKeyRef: {name: credentials, key: C}}}
  - {name: BIN, valueFrom: {configMapKeyRef: {name: config, key: BIN, optional: true}}}
  - {name: GONE, valueFrom: {configMapKeyRef: {name: config, key: NO, optional: true}}}
  - {name: FAR, valueFrom: {secretKeyRef: {name: far, key: k}}}
  - {name: Z, value: "$(X)$(S)"}`,
			cluster.Options{}, "X=from-config S=!wins FAR=!? Z=!from-configwins", false},
		{"fields", `
env:
  - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
  - {name: TEAM, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['team']"}}}
  - {name: SA, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
  - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
  - {name: URL, value: "http://$(IP)"}`,
			cluster.Options{Namespace: "shop"}, "NAME=? NS=shop TEAM=x SA=default IP=? URL=?", false},
		{"resources, divided and rounded up", `
resources: {limits: {memory: 1000Mi, cpu: 1500m}, requests: {cpu: 100m}}
env:
  - {name: BYTES, valueFrom: {resourceFieldRef: {resource: limits.memory}}}
  - {name: MEG, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 3Mi}}}
  - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
  - {name: MILLI, valueFrom: {resourceFieldRef: {containerName: api, resource: requests.cpu, divisor: 1m}}}
  - {name: ASKED, valueFrom: {resourceFieldRef: {resource: requests.memory}}}
  - {name: DISK, valueFrom: {resourceFieldRef: {resource: limits.ephemeral-storage}}}`,
			cluster.Options{}, "BYTES=1048576000 MEG=334 CPU=2 MILLI=100 ASKED=1048576000 DISK=?", false},
		{"no limit is the node's", `
env: [{name: BYTES, valueFrom: {resourceFieldRef: {resource: limits.memory}}}]`,
			cluster.Options{}, "BYTES=?", false},
		{"a placeholder", `
env: [{name: X, value: <PUT-IT-HERE>}]`,
			cluster.Options{}, "X=?", false},
		{"a Service that no file shows", `
env: [{name: X, value: "$(DB_SERVICE_HOST)"}, {name: Z, value: "$(NOBODY)"}]`,
			cluster.Options{}, "X=? Z=$(NOBODY)", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := load(t, deployment("", strings.TrimPrefix(c.ctr, "\n"))+sources, c.options)
			env := cl.Environment(container(t, cl, "api"))
			var got []string
			for _, v := range env.Variables {
				s := v.Name + "="
				if v.Secret {
					s += "!"
				}
				if v.Known {
					s += v.Value
				} else {
					s += "?"
				}
				got = append(got, s)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
			if env.Open != c.open {
				t.Errorf("Open = %v", env.Open)
			}
		})
	}
}

func TestEnvironmentLinks(t *testing.T) {
	services := `---
apiVersion: v1
kind: Service
metadata: {name: my-db.x}
spec: {clusterIP: 10.0.0.1, ports: [{name: sql, port: 5432}, {name: stats, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, ports: [{port: 1}]}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: elsewhere}
spec: {ports: [{port: 1}]}
`
	list := func(cl *cluster.Cluster) []string {
		var got []string
		for _, v := range cl.Environment(container(t, cl, "api")).Links {
			if !strings.HasPrefix(v.Name, "KUBERNETES_") {
				got = append(got, fmt.Sprintf("%s=%s", v.Name, v.Value))
			}
		}
		return got
	}
	cl := load(t, deployment(", namespace: shop", "env: [{name: MY_DB_X_PORT, value: '1'}, {name: U, value: $(MY_DB_X_SERVICE_PORT)}]")+services, cluster.Options{Namespace: "shop"})
	want := []string{
		"MY_DB_X_SERVICE_HOST=10.0.0.1", "MY_DB_X_SERVICE_PORT=5432", "MY_DB_X_SERVICE_PORT_SQL=5432", "MY_DB_X_SERVICE_PORT_STATS=53",
		"MY_DB_X_PORT=tcp://10.0.0.1:5432",
		"MY_DB_X_PORT_5432_TCP=tcp://10.0.0.1:5432", "MY_DB_X_PORT_5432_TCP_PROTO=tcp", "MY_DB_X_PORT_5432_TCP_PORT=5432", "MY_DB_X_PORT_5432_TCP_ADDR=10.0.0.1",
		"MY_DB_X_PORT_53_UDP=udp://10.0.0.1:53", "MY_DB_X_PORT_53_UDP_PROTO=udp", "MY_DB_X_PORT_53_UDP_PORT=53", "MY_DB_X_PORT_53_UDP_ADDR=10.0.0.1",
	}
	if got := list(cl); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	env := cl.Environment(container(t, cl, "api"))
	if v, _ := env.Lookup("MY_DB_X_PORT"); v.Value != "1" {
		t.Errorf("env does not win over a Service: %q", v.Value)
	}
	if v, _ := env.Lookup("U"); v.Value != "5432" || !v.Known {
		t.Errorf("a Service's port is not expanded: %+v", v)
	}
	if v, ok := env.Lookup("KUBERNETES_SERVICE_PORT"); !ok || v.Value != "443" {
		t.Errorf("the Service kubernetes is missing")
	}
	if v, ok := env.Lookup("KUBERNETES_SERVICE_HOST"); !ok || v.Known {
		t.Errorf("the API server's address cannot be known: %+v", v)
	}

	off := strings.Replace(deployment("", "env: []"), "      containers:", "      enableServiceLinks: false\n      containers:", 1)
	cl = load(t, off+services, cluster.Options{})
	if got := list(cl); got != nil {
		t.Errorf("enableServiceLinks false: got %q", got)
	}
	if _, ok := cl.Environment(container(t, cl, "api")).Lookup("KUBERNETES_PORT"); !ok {
		t.Error("enableServiceLinks false: the Service kubernetes stays")
	}
}

// A generator of kustomize beside the workload is meant, and not an object of the
// same name that another application has; nor is that one where nothing else is.
func TestEnvironmentOfOthers(t *testing.T) {
	app := "## a/b/app.yaml\n" + deployment("", "envFrom: [{configMapRef: {name: config}}]")
	object := func(file string) string {
		return "## " + file + "\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {A: x}\n"
	}
	const generator = "## a/b/kustomization.yaml\nresources: [app.yaml]\nconfigMapGenerator: [{name: config, envs: [.env]}]\n"
	for _, c := range []struct {
		files string
		known bool
	}{
		{object("a/b/c.yaml"), true},
		{object("a/d/c.yaml"), true},
		{object("a/d/c.yaml") + generator, false},
		{object("x/y/c.yaml"), false},
	} {
		cl := load(t, app+c.files, cluster.Options{})
		if env := cl.Environment(container(t, cl, "")); len(env.Variables) > 0 != c.known || env.Open == c.known {
			t.Errorf("%s: %v, open %t", c.files, env.Variables, env.Open)
		}
	}
}
