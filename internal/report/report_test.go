package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name, or writes it there.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update rewrites it); got:\n%s", file, got)
	}
}

// at returns the place of the n-th occurrence, from 0, of part in the file.
func at(tb testing.TB, f *source.File, part string, n int) diag.Location {
	tb.Helper()
	start := -1
	for range n + 1 {
		i := strings.Index(f.Text[start+1:], part)
		if i < 0 {
			tb.Fatalf("%q is not %d times in %s", part, n+1, f.Path)
		}
		start += 1 + i
	}
	return diag.Location{File: f, Span: source.Span{Start: start, End: start + len(part)}}
}

func render(tb testing.TB, format string, r *diag.Result, o Options) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, r, o); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

const apiYAML = `# Source: shop/templates/api.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  template:
    spec:
      containers:
        - name: api
          image: shop/api:1.4
          env:
            - name: JAVA_TOOL_OPTIONS
              value: "-XX:+UseG1GC -Xmx2g"
            - name: DB_PASSWORD
              valueFrom:
                secretKeyRef: {name: shop-db, key: pasword}
          livenessProbe:
            httpGet:
              path: /actuator/health
              port: 8080
            periodSeconds: 10
            failureThreshold: 3
          resources:
            limits: {memory: 2Gi}
`

const secretYAML = `apiVersion: v1
kind: Secret
metadata:
  name: shop-db
type: Opaque
stringData:
  user: shop
  password: correct-horse
  ca.crt: |
    -----BEGIN CERTIFICATE-----
    battery-staple
    -----END CERTIFICATE-----
`

// sample is a result with everything that a report can say.
func sample(tb testing.TB) *diag.Result {
	tb.Helper()
	api := source.NewFile("k8s/api.yaml", apiYAML)
	secret := source.NewFile("k8s/größe und mehr/secret.yaml", secretYAML)
	broken := source.NewFile("policies/broken.rego", "package broken\n\nfindings contains x if {\n\tx :=\n}\n")
	object := diag.Object{Kind: "Deployment", Name: "api", Namespace: "shop"}
	container := "spec.template.spec.containers[0]"
	probe := at(tb, api, "livenessProbe:\n", 0)
	whole := at(tb, api, apiYAML[strings.Index(apiYAML, "livenessProbe:"):strings.Index(apiYAML, "          resources:")], 0)
	ds := []*diag.Diagnostic{
		{
			Rule: "liveness-hits-dependency", Severity: diag.Warning,
			Message:  `container "api": the liveness probe asks the aggregate endpoint /actuator/health; when a dependency is down, every replica is killed`,
			Location: whole, Object: object, Path: container + ".livenessProbe",
			Template: "shop/templates/api.yaml",
			Notes:    []string{"Spring Boot has /actuator/health/liveness for this"},
			Fixes: []diag.Fix{{
				Message: "ask /actuator/health/liveness", Safety: diag.Unsafe,
				Edits: []source.Edit{{Span: at(tb, api, "/actuator/health", 0).Span, New: "/actuator/health/liveness"}},
			}},
		},
		{
			Rule: "jvm-heap-over-limit", Severity: diag.Error,
			Message:  `container "api" gives its heap all of its 2Gi memory limit: OOMKilled (137)`,
			Location: at(tb, api, "-Xmx2g", 0), Object: object, Path: container + ".env[0].value",
			Template: "shop/templates/api.yaml",
			Related:  []diag.Related{{Location: at(tb, api, "2Gi", 0), Message: "limit 2048 MiB [here]"}},
			Notes:    []string{"heap 2048 + metaspace 128 + code cache 240 + threads 50 MiB is 120% of the limit: OOMKilled (137), then back-off 10s, 20s, 40s ... 300s"},
			Fixes: []diag.Fix{
				{Message: "-Xmx1536m fits", Safety: diag.Display, Edits: []source.Edit{{Span: at(tb, api, "-Xmx2g", 0).Span, New: "-Xmx1536m"}}},
				{Message: "a limit of 2731Mi", Safety: diag.Display},
			},
		},
		{
			Rule: "missing-secret-target", Severity: diag.Error,
			Message:  `container "api": Secret shop-db has no key pasword (did you mean password?): CreateContainerConfigError`,
			Location: at(tb, api, "pasword", 0), Object: object, Path: container + ".env[1].valueFrom.secretKeyRef.key",
			Related: []diag.Related{{Location: at(tb, secret, "shop-db", 0), Message: "has the keys ca.crt, password, user"}},
			Fixes: []diag.Fix{{
				Message: "write password", Safety: diag.Safe,
				Edits: []source.Edit{{Span: at(tb, api, "pasword", 0).Span, New: "password"}},
			}},
		},
		{
			Rule: "missing-startup-probe", Severity: diag.Info,
			Message:  `container "api" has no startupProbe; the liveness probe kills it 31s after its start`,
			Location: probe, Object: object, Path: container + ".livenessProbe",
			Fixes: []diag.Fix{{
				Message: "insert a startupProbe", Safety: diag.Unsafe,
				Edits: []source.Edit{{
					Span: source.Span{Start: probe.Span.Start, End: probe.Span.Start},
					New:  "startupProbe:\n            httpGet: {path: /actuator/health, port: 8080}\n            periodSeconds: 10\n            failureThreshold: 30\n          ",
				}},
			}},
		},
		{
			Rule: "single-replica", Severity: diag.Warning, Message: "one replica: every restart is an outage",
			Location: at(tb, api, "spec:", 0), Object: object, Path: "spec",
			Suppressed: &diag.Suppression{Kind: "inSource", Reason: "a batch service"},
		},
		{
			Rule: "invalid-field", Severity: diag.Error,
			Message:  `stringData.password: the value is not a string`,
			Location: at(tb, secret, "correct-horse", 0), Object: diag.Object{Kind: "Secret", Name: "shop-db"}, Path: "stringData.password",
			Related: []diag.Related{{Location: at(tb, secret, "battery-staple", 0), Message: "and this"}},
			Fixes: []diag.Fix{{
				Message: "quote it", Safety: diag.Safe,
				Edits: []source.Edit{{Span: at(tb, secret, "correct-horse", 0).Span, New: `"correct-horse"`}},
			}},
		},
		{
			Rule: "empty-file", Severity: diag.Warning, Message: "nothing in here is applied",
			Location: diag.Location{File: source.NewFile("<stdin>", "")},
		},
	}
	problem := at(tb, broken, "x :=", 0)
	return &diag.Result{
		Diagnostics: diag.Sort(ds),
		Problems: []diag.Problem{
			{Message: "does not compile: unexpected } token", Location: &problem},
			{Message: "permission denied", Path: "k8s/locked.yaml"},
		},
		Notes: []diag.Note{
			{Message: "a Helm template; crashlint --helm renders it", Path: "chart/templates/a.yaml"},
			{Message: "a Helm template; crashlint --helm renders it", Path: "chart/templates/b.yaml"},
		},
		Rules: []*diag.Rule{
			{
				ID: "jvm-heap-over-limit", Family: "memory", Title: "the heap of a JVM does not fit the memory limit", Severity: diag.Error,
				Help:    "The JVM is allowed a heap\nthat its container's limit cannot hold.\n\n## What it finds\n\n`-Xmx` at or above the limit.\n",
				HelpURI: "https://github.com/crashlint/crashlint/blob/main/rules/memory/jvm-heap-over-limit.md",
			},
			{ID: "missing-startup-probe", Family: "probes", Title: "a slow starter has no startupProbe", Severity: diag.Info},
		},
		Files: 3, Objects: 4, Workloads: 1, Skipped: 2,
	}
}

func TestGolden(t *testing.T) {
	r := sample(t)
	for _, tc := range []struct {
		name, format string
		o            Options
	}{
		{"text.golden", "text", Options{MinSeverity: diag.Warning}},
		{"text-all.golden", "text", Options{ShowSuppressed: true, Width: 72, Elapsed: 38 * time.Millisecond}},
		{"text-color.golden", "text", Options{MinSeverity: diag.Error, Color: true, Width: 100}},
		{"concise.golden", "concise", Options{ShowSuppressed: true}},
		{"json.golden", "json", Options{MinSeverity: diag.Warning, ShowSuppressed: true, Version: "0.1.0"}},
		{"sarif.golden", "sarif", Options{ShowSuppressed: true, Version: "0.1.0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			golden(t, tc.name, render(t, tc.format, r, tc.o))
		})
	}
}

func TestWriteIsRepeatable(t *testing.T) {
	for _, format := range Formats() {
		first := render(t, format, sample(t), Options{})
		for range 3 {
			if !bytes.Equal(first, render(t, format, sample(t), Options{})) {
				t.Errorf("%s: the same input gives other bytes", format)
			}
		}
	}
}

func TestWriteUnknownFormat(t *testing.T) {
	err := Write(&bytes.Buffer{}, "xml", &diag.Result{}, Options{})
	if err == nil || !strings.Contains(err.Error(), "text, concise, json, sarif") {
		t.Errorf("got %v", err)
	}
}

// Values of Secrets and escape codes reach no format.
func TestNothingLeaks(t *testing.T) {
	r := sample(t)
	evil := source.NewFile("evil\x1b[2J.yaml", "kind: Pod\nmetadata: {name: \"a\x1b[31m\u009b31m\u202eb\"}\n")
	r.Diagnostics = append(r.Diagnostics, &diag.Diagnostic{
		Rule: "x", Severity: diag.Error, Message: "name \"a\x1b[31m\u009b31m\u202eb\x7f\" is bad\nerror: forged",
		Location: at(t, evil, "a\x1b", 0), Object: diag.Object{Kind: "Pod", Name: "a\x1b[31m"},
		Notes: []string{"\x1b]0;title\x07"},
		Fixes: []diag.Fix{{Message: "\x1b", Safety: diag.Safe, Edits: []source.Edit{{New: "\x1b[31m\n"}}}},
	})
	for _, format := range Formats() {
		got := string(render(t, format, r, Options{ShowSuppressed: true}))
		for _, bad := range []string{"correct-horse", "battery-staple", "\x1b", "\u009b", "\x7f"} {
			if strings.Contains(got, bad) {
				t.Errorf("%s: output has %q", format, bad)
			}
		}
		if strings.Contains(got, "\nerror: forged") {
			t.Errorf("%s: a message forges a line", format)
		}
	}
}

func TestSummary(t *testing.T) {
	f := source.NewFile("a.yaml", "a: b\n")
	d := func(s diag.Severity) *diag.Diagnostic {
		return &diag.Diagnostic{Rule: "r", Severity: s, Message: "m", Location: diag.Location{File: f}}
	}
	for _, tc := range []struct {
		name string
		r    diag.Result
		o    Options
		want string
	}{
		{
			"clean", diag.Result{Files: 3, Objects: 9, Workloads: 7}, Options{},
			"3 files, 7 workloads: no reason to crash found",
		},
		{
			"one of each", diag.Result{Files: 1, Objects: 1, Workloads: 1, Diagnostics: []*diag.Diagnostic{d(diag.Error), d(diag.Warning), d(diag.Info)}}, Options{},
			"1 file, 1 workload: 1 error, 1 warning, 1 info",
		},
		{
			"hidden", diag.Result{
				Files: 3, Objects: 7, Workloads: 7, Skipped: 2,
				Diagnostics: []*diag.Diagnostic{d(diag.Error), d(diag.Info), d(diag.Info), {Rule: "r", Severity: diag.Error, Location: diag.Location{File: f}, Suppressed: &diag.Suppression{}}},
			}, Options{MinSeverity: diag.Warning},
			"3 files, 7 workloads: 1 error (2 infos hidden, --min-severity info shows them; 1 suppressed; 2 files skipped: not Kubernetes)",
		},
		{
			"only hidden", diag.Result{Files: 1, Objects: 1, Workloads: 1, Diagnostics: []*diag.Diagnostic{d(diag.Warning), d(diag.Info)}}, Options{MinSeverity: diag.Error},
			"1 file, 1 workload: no errors (1 warning and 1 info hidden, --min-severity info shows them)",
		},
		{
			"only infos hidden", diag.Result{Files: 1, Objects: 1, Workloads: 1, Diagnostics: []*diag.Diagnostic{d(diag.Info)}}, Options{MinSeverity: diag.Warning},
			"1 file, 1 workload: no errors or warnings (1 info hidden, --min-severity info shows it)",
		},
		{
			"unread", diag.Result{Files: 1, Objects: 1, Workloads: 1, Problems: []diag.Problem{{Message: "m"}}}, Options{},
			"1 file, 1 workload: nothing found in what could be checked; 1 problem kept crashlint from checking everything",
		},
		{
			"nothing", diag.Result{Skipped: 1}, Options{},
			"0 files, 0 workloads: nothing was checked (1 file skipped: not Kubernetes)",
		},
		{
			"no workload", diag.Result{Files: 2, Objects: 3}, Options{Elapsed: 1234 * time.Millisecond},
			"2 files, 3 objects, no workload: no reason to crash found in 1.2 s",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lines := strings.Split(strings.TrimSpace(string(render(t, "text", &tc.r, tc.o))), "\n")
			if got := lines[len(lines)-1]; got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestQuiet(t *testing.T) {
	if got := render(t, "text", &diag.Result{Files: 1, Notes: []diag.Note{{Message: "n"}}}, Options{Quiet: true}); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestWorstComesLast(t *testing.T) {
	got := string(render(t, "text", sample(t), Options{}))
	info, warning := strings.LastIndex(got, "\ninfo["), strings.LastIndex(got, "\nwarning[")
	if firstError := strings.Index(got, "\nerror["); firstError < warning || strings.Index(got, "\nwarning[") < info {
		t.Errorf("not in order of severity:\n%s", got)
	}
}
