package rego

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/crashlint/crashlint/internal/engine"
)

// builtin is the folder of the built-in policies, read from disk: package
// policies imports this one.
func builtin() Source {
	return Source{FS: os.DirFS(filepath.FromSlash("../../policies")), Dir: "policies"}
}

// TestBuiltinPoliciesAreFormatted is opa fmt --fail.
func TestBuiltinPoliciesAreFormatted(t *testing.T) {
	modules, problems := read(builtin(), true)
	if len(problems) > 0 || len(modules) < 10 {
		t.Fatal(len(modules), problems)
	}
	for _, m := range modules {
		want, err := format.SourceWithOpts(m.file.Path, []byte(m.file.Text), format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Error(err)
			continue
		}
		if string(want) != m.file.Text {
			t.Errorf("%s is not as opa fmt writes it; it should be:\n%s", m.file.Path, want)
		}
	}
}

// TestBuiltinPoliciesAreStrict is opa check --strict --schema, in the sandbox.
func TestBuiltinPoliciesAreStrict(t *testing.T) {
	o := Options{Schema: inputSchemaFile(t)}
	modules, problems := parse(o, []Source{builtin()}, true)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	compiler := newCompiler(o).WithStrict(true)
	if compiler.Compile(withSchema(o, modules)); compiler.Failed() {
		t.Error(compiler.Errors)
	}
}

func TestBuiltinPoliciesSayAllTheyMust(t *testing.T) {
	family, problems := Load(Options{Trusted: true}, builtin())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, r := range family.Rules {
		if r.Since == "" || strings.HasPrefix(r.Title, "Policy ") {
			t.Errorf("%s lacks METADATA", r.ID)
		}
		for _, name := range []string{r.ID + ".rego", r.ID + "_test.rego", r.ID + ".md"} {
			if _, err := fs.Stat(builtin().FS, name); err != nil {
				t.Error(err)
			}
		}
	}
}

const rich = `apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec:
  limits:
    - type: Container
      default: {memory: 512Mi, cpu: 500m}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {LEVEL: debug}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: jobs}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          initContainers:
            - name: wait
              image: busybox:1
              command: [sh, -c, "until nc -z db 5432; do sleep 1; done; echo $LEVEL"]
              envFrom: [{configMapRef: {name: settings}}]
          containers:
            - name: work
              image: work:1
              args: ["--level=$(LEVEL)", "--token=$(TOKEN)"]
              env:
                - name: LEVEL
                  valueFrom: {configMapKeyRef: {name: settings, key: LEVEL}}
                - name: TOKEN
                  valueFrom: {secretKeyRef: {name: token, key: token, optional: true}}
              resources: {requests: {memory: 64Mi, cpu: 100m}, limits: {memory: 128Mi}}
              livenessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 5}
            - name: partial
---
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec:
  containers: [{name: a, image: a}]
`

// TestInputFitsItsSchema holds the schema to be complete, too: what it does not
// know, type checking would refuse to policies.
func TestInputFitsItsSchema(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(inputSchemaFile(t), &schema); err != nil {
		t.Fatal(err)
	}
	closed(schema)
	strict, err := ast.InterfaceToValue(schema)
	if err != nil {
		t.Fatal(err)
	}
	c := clusterOf(rich, deployment)
	if len(c.Workloads) != 3 {
		t.Fatalf("%d workloads", len(c.Workloads))
	}
	for _, w := range c.Workloads {
		input, err := workloadInput(c, w)
		if err != nil {
			t.Fatal(err)
		}
		both := ast.NewObject([2]*ast.Term{ast.StringTerm("input"), ast.NewTerm(input)}, [2]*ast.Term{ast.StringTerm("schema"), ast.NewTerm(strict)})
		rs, err := rego.New(rego.Query("json.match_schema(input.input, input.schema)"), rego.ParsedInput(both)).Eval(context.Background())
		if err != nil || len(rs) != 1 {
			t.Fatal(rs, err)
		}
		if result := rs[0].Expressions[0].Value.([]any); result[0] != true {
			t.Errorf("%s: %v", w, result[1])
		}
	}
}

// closed lets the objects in a schema have no property that it does not name.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["properties"] != nil && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		for _, child := range v {
			closed(child)
		}
	case []any:
		for _, child := range v {
			closed(child)
		}
	}
}

func BenchmarkLoadBuiltin(b *testing.B) {
	for b.Loop() {
		Load(Options{Trusted: true}, builtin())
	}
}

func BenchmarkCompileBuiltin(b *testing.B) {
	modules, _ := parse(Options{}, []Source{builtin()}, false)
	for b.Loop() {
		if c := compile(Options{Trusted: true}, modules); len(c.problems) > 0 {
			b.Fatal(c.problems)
		}
	}
}

func BenchmarkLoadCustom(b *testing.B) {
	schema := inputSchemaFile(b)
	for b.Loop() {
		if _, problems := Load(Options{Schema: schema}, builtin()); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkInput(b *testing.B) {
	c := clusterOf(rich)
	for b.Loop() {
		if _, err := workloadInput(c, c.Workloads[0]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWorkload is all that a workload costs: its input and the one query
// over all built-in policies.
func BenchmarkWorkload(b *testing.B) {
	family, _ := Load(Options{Trusted: true}, builtin())
	var rules []engine.Rule
	for _, r := range family.Rules {
		rules = append(rules, engine.Rule{Rule: r})
	}
	c := clusterOf(strings.Repeat(strings.ReplaceAll(deployment, "Limit: 0", "Limit: 3")+"---\n", 1000))
	engine.Run(clusterOf(deployment), engine.Options{Rules: rules}) // compiles
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		fresh := clusterOf()
		fresh.Set = c.Set
		b.StartTimer()
		engine.Run(fresh, engine.Options{Rules: rules})
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/workload")
}
