package rego

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/engine"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

// folder makes a source of files given as name, text, name, text.
func folder(files ...string) Source {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return Source{FS: m, Dir: "policy"}
}

func inputSchemaFile(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.FromSlash("../../policies/schema/input.json"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func clusterOf(texts ...string) *cluster.Cluster {
	var files []*source.File
	for i, text := range texts {
		files = append(files, source.NewFile(fmt.Sprintf("m%d.yaml", i), text))
	}
	return cluster.New(loader.LoadText(files...).Set, cluster.Options{})
}

// run loads the policies, runs them over the manifests and returns what they
// say, a line each, and all problems.
func run(t *testing.T, s Source, manifests ...string) (findings, problems []string) {
	t.Helper()
	family, bad := Load(Options{Name: "custom", Schema: inputSchemaFile(t)}, s)
	ds, more := judge(family, clusterOf(manifests...))
	for _, d := range ds {
		pos := d.Location.Start()
		findings = append(findings, fmt.Sprintf("%d:%d: %s: %s: %s", pos.Line, pos.Column, d.Rule, d.Severity, d.Message))
	}
	for _, p := range append(bad, more...) {
		problems = append(problems, p.String())
	}
	return findings, problems
}

func judge(family *rule.Family, c *cluster.Cluster) ([]*diag.Diagnostic, []diag.Problem) {
	var rules []engine.Rule
	for _, r := range family.Rules {
		rules = append(rules, engine.Rule{Rule: r, Family: family.Name})
	}
	return engine.Run(c, engine.Options{Rules: rules})
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  revisionHistoryLimit: 0
  template:
    spec:
      containers:
        - name: api
          image: api:1
          env:
            - {name: MODE, value: fast}
`

const service = `apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  ports: [{port: 80}]
`

func TestMetadataMakesTheRule(t *testing.T) {
	family, problems := Load(Options{Name: "custom", Title: "Own"}, folder("a.rego", `# METADATA
# title: No revision is kept.
# description: It says why.
# related_resources:
# - ref: https://example.com/why
#   description: Why
# custom:
#   id: no-history
#   severity: info
#   since: 1.2.0
package team.history

findings contains {"message": "x"} if input.kind == "Deployment"
`, "b.rego", `package team.camelCase_name

findings contains {"message": "x"} if input.kind == "Deployment"
`, "c.rego", `package main

deny_no_probe contains "x" if input.kind == "Pod"

# METADATA
# title: Tags
# custom: {id: own-tags, severity: info}
warn_tags contains "x" if input.kind == "Pod"
`, "no-history_test.rego", "broken"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, r := range family.Rules {
		got = append(got, fmt.Sprintf("%s|%s|%s|%s|%t", r.ID, r.Title, r.Severity, r.Since, r.Workload != nil))
	}
	equal(t, "rules", got, []string{
		"main-no-probe|Policy main of policy/c.rego|error||false",
		"no-history|No revision is kept|info|1.2.0|true",
		"own-tags|Tags|info||false",
		"team-camel-case-name|Policy team.camelCase_name of policy/b.rego|warning||true",
	})
	page, err := fs.ReadFile(family.Docs, "no-history.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"No revision is kept.", "It says why.", "[Why](https://example.com/why)", "policy/a.rego"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestPageBesideThePolicyIsItsDoc(t *testing.T) {
	family, _ := Load(Options{}, folder("sub/a.rego", "package a\n\nfindings contains {\"message\": \"x\"} if input.kind\n", "sub/a.md", "own page"))
	if page, err := fs.ReadFile(family.Docs, "a.md"); string(page) != "own page" {
		t.Errorf("page %q, %v", page, err)
	}
}

func TestWrongMetadataIsAProblem(t *testing.T) {
	_, problems := run(t, folder("a.rego", `# METADATA
# custom: {id: Not An Id, severity: fatal}
package a

findings contains {"message": "x"} if input.kind
`, "b.rego", `# METADATA
# custom: {id: same}
package b

findings contains {"message": "x"} if input.kind
`, "c.rego", `# METADATA
# custom: {id: same}
package c

findings contains {"message": "x"} if input.kind
`))
	equal(t, "problems", problems, []string{
		"policy/a.rego:1:1: custom.id: Not An Id is not a rule id: use lower-case words joined by hyphens",
		`policy/a.rego:1:1: custom.severity: "fatal" is not a severity: use info, warning or error`,
		`policy/c.rego:5:1: policy is not run: policy/b.rego has the rule id "same", too; set custom.id in its METADATA`,
	})
}

func TestFindings(t *testing.T) {
	family, problems := Load(Options{Name: "custom", Schema: inputSchemaFile(t)}, folder("a.rego", `package a

findings contains {
	"message": sprintf("mode is %s in %s", [c.env.MODE.value, c.name]),
	"path": array.concat(c.path, ["env", 0, "value"]),
	"within": "as",
	"severity": "error",
	"notes": ["a number"],
	"needs": [["spec", "replicas"]],
	"related": [{"path": array.concat(c.path, ["image"]), "message": "the image"}],
	"fix": {"message": "go slow", "safety": "safe", "ops": [{"op": "set", "path": array.concat(c.path, ["env", 0, "value"]), "value": "slow"}]},
} if {
	some c in input.containers
	c.role == "app"
}
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	ds, problems := judge(family, clusterOf(deployment))
	if len(ds) != 1 || len(problems) > 0 {
		t.Fatal(ds, problems)
	}
	d := ds[0]
	at := d.Location.File.Text[d.Location.Span.Start:d.Location.Span.End]
	if d.Message != "mode is fast in api" || d.Severity != diag.Error || at != "as" || d.Location.Start().Line != 13 ||
		d.Path != "spec.template.spec.containers[0].env[0].value" || len(d.Notes) != 1 || len(d.Related) != 1 || d.Related[0].Location.Start().Line != 11 {
		t.Errorf("%+v at %q", d, at)
	}
	if len(d.Fixes) != 1 || d.Fixes[0].Safety != diag.Safe || len(d.Fixes[0].Edits) != 1 || d.Fixes[0].Edits[0].New != "slow" {
		t.Errorf("fixes %+v", d.Fixes)
	}
}

func TestFindingOfWhatATemplateDecidesIsDropped(t *testing.T) {
	findings, problems := run(t, folder("a.rego", `package a

findings contains {"message": "image", "path": ["spec", "containers", 0, "image"]} if input.kind == "Pod"

findings contains {"message": "needs it", "path": ["spec"], "needs": [["spec", "containers", 0, "image"]]} if input.kind == "Pod"
`), "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: a\n      image: <IMAGE>\n")
	equal(t, "findings", findings, nil)
	equal(t, "problems", problems, nil)
}

func TestConftest(t *testing.T) {
	for version, text := range map[string]string{
		"v1": `package main

import data.kubernetes

name := input.metadata.name

deny contains msg if {
	kubernetes.is_deployment
	not input.spec.template.spec.securityContext.runAsNonRoot
	msg := sprintf("containers must not run as root in Deployment %s", [name])
}

warn contains msg if {
	input.kind == "Service"
	msg := sprintf("found service %s", [name])
}

violation := [{"msg": msg, "details": {"a": 1}, "severity": "HIGH"}] if {
	kubernetes.is_deployment
	msg := "replicas are not set"
}

deny contains {"msg": "line", "_loc": {"file": "m0.yaml", "line": 6}} if kubernetes.is_deployment

deny contains {"message": "path", "path": ["spec", "template"]} if kubernetes.is_deployment
`,
		"v0": `package main

import data.kubernetes

name = input.metadata.name

deny[msg] {
	kubernetes.is_deployment
	not input.spec.template.spec.securityContext.runAsNonRoot
	msg = sprintf("containers must not run as root in Deployment %s", [name])
}

warn[msg] {
	input.kind == "Service"
	msg = sprintf("found service %s", [name])
}

violation[{"msg": msg, "details": {"a": 1}}] {
	kubernetes.is_deployment
	msg := "replicas are not set"
}

deny[{"msg": "line", "_loc": {"file": "m0.yaml", "line": 6}}] {
	kubernetes.is_deployment
}

deny[{"message": "path", "path": ["spec", "template"]}] {
	kubernetes.is_deployment
}
`,
	} {
		t.Run(version, func(t *testing.T) {
			findings, problems := run(t, folder("policy.rego", text,
				"lib/kubernetes.rego", "package kubernetes\n\nis_deployment {\n\tinput.kind == \"Deployment\"\n}\n"), deployment, service)
			equal(t, "problems", problems, nil)
			equal(t, "findings", findings, []string{
				"4:9: main: error: containers must not run as root in Deployment api",
				"4:9: main: error: replicas are not set",
				"6:3: main: error: line",
				"7:3: main: error: path",
				"4:9: main: warning: found service api",
			})
		})
	}
}

func TestConftestExceptions(t *testing.T) {
	findings, problems := run(t, folder("policy.rego", `package main

deny_root contains "root" if input.kind == "Deployment"

deny_replicas contains "replicas" if input.kind == "Deployment"

exception contains rules if {
	input.metadata.name == "api"
	rules := ["root"]
}
`), deployment, strings.ReplaceAll(deployment, "name: api\nspec", "name: other\nspec"))
	equal(t, "problems", problems, nil)
	equal(t, "findings", findings, []string{
		"4:9: main-replicas: error: replicas",
		"4:9: main-replicas: error: replicas",
		"4:9: main-root: error: root",
	})
}

func TestItemsOfAListAreJudgedOneByOne(t *testing.T) {
	list := "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Service\n    metadata:\n      name: a\n"
	findings, _ := run(t, folder("p.rego", "package main\n\ndeny contains input.metadata.name if input.kind == \"Service\"\n"), list)
	equal(t, "findings", findings, []string{"7:13: main: error: a"})
}

func TestBrokenPoliciesLeaveTheOthersAlone(t *testing.T) {
	good := "package good\n\nfindings contains {\"message\": \"good\"} if input.kind == \"Deployment\"\n"
	for name, c := range map[string]struct {
		text    string
		problem string
	}{
		"syntax":    {"package bad\n\nfindings contains x if {\n", "policy/bad.rego:4:1: policy does not compile: unexpected eof token"},
		"network":   {"package bad\n\nfindings contains {\"message\": \"x\"} if http.send({\"method\": \"get\", \"url\": \"http://x\"}).status_code == 200\n", "policy/bad.rego:3:39: policy does not compile: http.send is not available: policies have no network"},
		"clock":     {"package bad\n\ndeny contains \"x\" if time.now_ns() > 0\n", "policy/bad.rego:3:22: policy does not compile: time.now_ns is not available: policies have no clock, so that the same files give the same result"},
		"endless":   {"package bad\n\nf(x) := f(x)\n\ndeny contains \"x\" if f(1)\n", "policy/bad.rego:3:1: policy does not compile: rule data.bad.f is recursive: data.bad.f -> data.bad.f"},
		"typo":      {"package bad\n\nfindings contains {\"message\": \"x\"} if input.contaners[_].role == \"app\"\n", "policy/bad.rego:3:39: policy does not compile: undefined ref: input.contaners[_].role; there is containers, custom, kind, name"},
		"boolean":   {"package bad\n\ndeny if input.kind == \"Deployment\"\n", "policy/bad.rego:3:1: deny is only true or false here and says nothing: write `deny contains message if …`"},
		"empty":     {"", "policy/bad.rego:1:1: policy does not compile: empty module"},
		"v0 syntax": {"package bad\n\ndeny[msg] {\n\tinput.kind == \"Pod\"\n\tmsg = \"x\"\n}\n\nwarn[msg] {\n\tmsg = )\n}\n", "policy/bad.rego:9:8:"},
	} {
		t.Run(name, func(t *testing.T) {
			findings, problems := run(t, folder("bad.rego", c.text, "good.rego", good), deployment)
			equal(t, "findings", findings, []string{"4:9: good: warning: good"})
			if len(problems) != 1 || !strings.HasPrefix(problems[0], c.problem) {
				t.Errorf("problems %q, want %q", problems, c.problem)
			}
		})
	}
}

func TestEveryForbiddenFunctionIsMissing(t *testing.T) {
	allowed := map[string]bool{}
	for _, b := range capabilities().Builtins {
		allowed[b.Name] = true
	}
	for name := range forbidden {
		if allowed[name] {
			t.Errorf("%s is available", name)
		}
	}
	for _, name := range []string{"sprintf", "regex.match", "net.cidr_contains", "time.parse_duration_ns", "json.patch", "print"} {
		if !allowed[name] {
			t.Errorf("%s is not available", name)
		}
	}
}

func TestPolicyWithoutItsHelpersIsNotRun(t *testing.T) {
	findings, problems := run(t, folder(
		"lib.rego", "package lib\n\nallowed if nonsense.call(1)\n",
		"a.rego", "package main\n\nimport data.middle\n\ndeny contains \"not allowed\" if not middle.allowed\n",
		"middle.rego", "package middle\n\nimport data.lib\n\nallowed if lib.allowed\n",
		"b.rego", "package b\n\ndeny contains \"b\" if input.kind == \"Deployment\"\n"), deployment)
	equal(t, "findings", findings, []string{"4:9: b: error: b"})
	equal(t, "problems", problems, []string{
		"policy/lib.rego:3:12: policy does not compile: undefined function nonsense.call",
		"policy/middle.rego:1:1: policy is not run: it imports from policy/lib.rego, which cannot run",
		"policy/a.rego:1:1: policy is not run: it imports from policy/middle.rego, which cannot run",
	})
}

func TestRunawayPolicyIsStopped(t *testing.T) {
	defer func(d time.Duration) { deadline = d }(deadline)
	deadline = 200 * time.Millisecond
	findings, problems := run(t, folder(
		"loop.rego", "package loop\n\ndeny contains \"x\" if {\n\tsome a in numbers.range(1, 1000000)\n\tsome b in numbers.range(1, 1000000)\n\ta * b == -1\n}\n",
		"good.rego", "package good\n\ndeny contains \"good\" if input.kind == \"Deployment\"\n"), deployment, deployment, service)
	equal(t, "findings", findings, []string{"4:9: good: error: good", "4:9: good: error: good"})
	equal(t, "problems", problems, []string{
		"policy/loop.rego:3:1: policy loop was stopped: it did not come to an end within 200ms; look for loops over large ranges",
	})
}

func TestFailingPolicyIsSaidOnce(t *testing.T) {
	findings, problems := run(t, folder(
		"bad.rego", "package bad\n\nx := 1 if input.kind == \"Deployment\"\n\nx := 2 if input.kind == \"Deployment\"\n\ndeny contains \"x\" if x == 1\n",
		"odd.rego", "package odd\n\nfindings contains {\"mesage\": \"x\"} if input.kind == \"Deployment\"\n\nfindings contains {\"message\": \"x\", \"path\": [1.5]} if input.kind == \"Deployment\"\n",
		"good.rego", "package good\n\ndeny contains \"good\" if input.kind == \"Deployment\"\n"), deployment, deployment)
	equal(t, "findings", findings, []string{"4:9: good: error: good", "4:9: good: error: good"})
	equal(t, "problems", problems, []string{
		"policy/bad.rego:5:1: policy bad failed: rule data.bad.x produced conflicting values: 1 at policy/bad.rego:3 2 at policy/bad.rego:5",
		`policy/odd.rego:3:1: policy odd: a result of findings is not understood: a path is a list of keys and indices, and 1.5 is neither`,
		`policy/odd.rego:3:1: policy odd: a result of findings is not understood: json: unknown field "mesage"`,
	})
}

func TestSecretsStayOut(t *testing.T) {
	manifests := `apiVersion: v1
kind: Secret
metadata:
  name: s
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"PASSWORD":"hunter2"}}'
stringData: {PASSWORD: hunter2}
data: {TOKEN: aHVudGVyMg==}
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
    - name: a
      image: a:1
      command: [run, --password=$(PASSWORD), --mode=$(MODE), --url=$(URL)]
      env:
        - {name: MODE, value: fast}
        - name: PASSWORD
          valueFrom: {secretKeyRef: {name: s, key: PASSWORD}}
        - {name: URL, value: "http://$(PASSWORD)@db"}
      envFrom:
        - secretRef: {name: s}
`
	c := clusterOf(manifests)
	var all []string
	for _, o := range c.Objects {
		v, err := objectInput(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v.String())
	}
	v, err := workloadInput(c, c.Workloads[0])
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, v.String())
	text := strings.Join(all, "\n")
	for _, secret := range []string{"hunter2", "aHVudGVyMg"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret value is in the input: %s", text)
		}
	}
	for _, want := range []string{`"PASSWORD": "REDACTED"`, `"TOKEN": "UkVEQUNURUQ="`, `"--mode=fast"`, `"value": "fast"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the input lacks %s: %s", want, text)
		}
	}
}

func TestPatchesAreNoBusinessOfConftest(t *testing.T) {
	c := clusterOf(deployment)
	for _, o := range c.Objects {
		o.Patch = true
	}
	family, _ := Load(Options{}, folder("p.rego", "package main\n\ndeny contains \"x\" if not input.spec.replicas\n"))
	if ds, problems := judge(family, c); len(ds)+len(problems) > 0 {
		t.Error(ds, problems)
	}
}

func TestTest(t *testing.T) {
	var out strings.Builder
	ok, err := Test(context.Background(), &out, Options{Schema: inputSchemaFile(t)}, folder(
		"a.rego", "package a\n\nfindings contains {\"message\": \"x\"} if input.kind == \"Pod\"\n",
		"a_test.rego", `package a_test

import data.a

test_pod if count(a.findings) == 1 with input as {"kind": "Pod"}

test_wrong if {
	print("kind is", "Job")
	count(a.findings) == 1 with input as {"kind": "Job"}
}

todo_test_later if false
`))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "output", strings.Split(strings.TrimSpace(out.String()), "\n"), []string{
		"policy/a_test.rego:7: failed: a_test.test_wrong",
		`  policy/a_test.rego:9: this is not so: count(a.findings) == 1 with input as {"kind": "Job"}`,
		"  printed: kind is Job",
		"policy/a_test.rego:12: skipped: a_test.todo_test_later",
		"1 passed, 1 failed, 1 skipped",
	})
	if ok {
		t.Error("a failed test passes")
	}
}

func TestTestingNothingIsNoSuccess(t *testing.T) {
	for _, s := range []Source{folder(), folder("a.rego", "package a\n\nx := 1\n"), folder("a.rego", "package a\n", "b_test.rego", "nonsense")} {
		var out strings.Builder
		if ok, err := Test(context.Background(), &out, Options{}, s); ok || err != nil || out.Len() == 0 {
			t.Errorf("ok %t, error %v, output %q", ok, err, out.String())
		}
	}
}

func TestSameInputSameOutput(t *testing.T) {
	s := folder("a.rego", "package a\n\nfindings contains {\"message\": sprintf(\"%d\", [i])} if some i in numbers.range(1, 20)\n",
		"b.rego", "package b\n\ndeny contains sprintf(\"%d\", [i]) if some i in numbers.range(1, 20)\n")
	manifests := slices.Repeat([]string{deployment, service}, 10)
	first, _ := run(t, s, manifests...)
	if len(first) != 600 {
		t.Fatalf("%d findings, want 20 for each of 20 objects and 10 workloads", len(first))
	}
	for range 3 {
		again, _ := run(t, s, manifests...)
		equal(t, "findings", again, first)
	}
}

func FuzzResult(f *testing.F) {
	f.Add(`{"message": "x", "path": ["a", 0], "fix": {"message": "y", "ops": [{"op": "set", "path": ["a"], "value": {"b": 1.5}}]}}`)
	f.Add(`{"msg": "x", "_loc": {"file": "m0.yaml", "line": 99999999999}, "path": [-1]}`)
	f.Add(`[1, null, "text", {"message": 1}]`)
	o := clusterOf(deployment).Objects[0]
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return
		}
		for _, workload := range []bool{true, false} {
			p := &policy{workload: workload, severity: diag.Error}
			if finding, err := p.finding(entry{name: "deny"}, o, v); err == nil && finding.Message == "" {
				t.Errorf("a finding without message from %s", text)
			}
		}
	})
}
