package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

const pod = `apiVersion: v1
kind: Pod
metadata:
  name: app
spec:
  containers:
    - name: one
      image: example.com/one:1
    - name: two
      image: example.com/two:1
`

// imageRule reports every container's image, or its absent probe.
var imageRule = &rule.Rule{
	ID: "image-named", Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, c := range w.Containers {
			p.Report(rule.Finding{Object: w.Object, At: c.At("image"), Message: "image of " + c.Name})
		}
	},
}

func runRules(t *testing.T, o Options, texts ...string) ([]*diag.Diagnostic, []diag.Problem) {
	t.Helper()
	var files []*source.File
	for i, text := range texts {
		files = append(files, source.NewFile(fmt.Sprintf("%c.yaml", 'a'+i), text))
	}
	for _, r := range append(o.Rules, Rule{Rule: unusedIgnore}, Rule{Rule: invalidIgnore}) {
		o.Known = append(o.Known, KnownRule{ID: r.ID, Family: r.Family})
	}
	o.Rules = append(o.Rules, Rule{Rule: unusedIgnore}, Rule{Rule: invalidIgnore})
	if o.Today.IsZero() {
		o.Today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	}
	return Run(cluster.New(loader.LoadText(files...).Set, cluster.Options{}), o)
}

// lines renders diagnostics as file:line rule message, with what suppressed
// them.
func lines(ds []*diag.Diagnostic) []string {
	out := []string{}
	for _, d := range ds {
		s := fmt.Sprintf("%s:%d %s %s", d.Location.File.Path, d.Location.Start().Line, d.Rule, d.Message)
		if d.Suppressed != nil {
			s += " (" + d.Suppressed.Kind + ": " + d.Suppressed.Reason + ")"
		}
		out = append(out, s)
	}
	return out
}

func TestOrderIsTheTexts(t *testing.T) {
	want := []string{"a.yaml:8 image-named image of one", "a.yaml:10 image-named image of two", "b.yaml:8 image-named image of one", "b.yaml:10 image-named image of two"}
	for range 20 {
		ds, _ := runRules(t, Options{Rules: []Rule{{Rule: imageRule}}}, pod, pod)
		if diff := cmp.Diff(want, lines(ds)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestAbsentFieldIsHeldAtTheName(t *testing.T) {
	r := &rule.Rule{ID: "absent", Severity: diag.Error, Workload: func(p *rule.Pass, w *manifest.Workload) {
		p.Report(rule.Finding{Object: w.Object, At: w.Containers[1].At("resources", "limits", "memory"), Message: "m"})
	}}
	ds, _ := runRules(t, Options{Rules: []Rule{{Rule: r}}}, pod)
	if len(ds) != 1 {
		t.Fatalf("diagnostics: %v", lines(ds))
	}
	d := ds[0]
	if got := d.Location.File.Text[d.Location.Span.Start:d.Location.Span.End]; got != "two" {
		t.Errorf("held at %q, want the name", got)
	}
	if d.FullyQualifiedName() != "Pod/app:spec.containers[1].resources.limits.memory" {
		t.Errorf("name %s", d.FullyQualifiedName())
	}
}

func TestFindingsOnWhatIsUnknownAreDropped(t *testing.T) {
	r := &rule.Rule{ID: "x-y", Severity: diag.Error, Workload: func(p *rule.Pass, w *manifest.Workload) {
		c := w.Containers[0]
		p.Report(rule.Finding{Object: w.Object, At: c.At("livenessProbe"), Message: "absent"})
		p.Report(rule.Finding{Object: w.Object, At: c.At("name"), Needs: []node.Path{c.At("image")}, Message: "needs the image"})
		p.Report(rule.Finding{Object: w.Object, At: c.Path, Message: "the container"})
	}}
	for text, want := range map[string]int{
		pod: 3,
		strings.Replace(pod, "example.com/one:1", "<IMAGE>", 1):                                              2,
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: partial}]}\n":            1,
		"apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: p}\nspec: {containers: [{name: a, image: b}]}\n": 2,
	} {
		if ds, _ := runRules(t, Options{Rules: []Rule{{Rule: r}}}, text); len(ds) != want {
			t.Errorf("%d findings, want %d: %v on\n%s", len(ds), want, lines(ds), text)
		}
	}
}

func TestSeverity(t *testing.T) {
	r := &rule.Rule{ID: "x-y", Severity: diag.Warning, Object: func(p *rule.Pass, o *manifest.Object) {
		p.Report(rule.Finding{Object: o, Message: "usual"})
		p.Report(rule.Finding{Object: o, Message: "raised", Severity: diag.Error})
	}}
	for configured, want := range map[diag.Severity]string{0: "error warning", diag.Info: "info info"} {
		ds, _ := runRules(t, Options{Rules: []Rule{{Rule: r, Severity: configured}}}, pod)
		got := ""
		for _, d := range ds {
			got += " " + d.Severity.String()
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("configured %v: %s, want %s", configured, got, want)
		}
	}
}

func TestPanicIsAProblem(t *testing.T) {
	bad := &rule.Rule{ID: "bad-rule", Severity: diag.Error, Workload: func(*rule.Pass, *manifest.Workload) { panic("oops") }}
	ds, problems := runRules(t, Options{Rules: []Rule{{Rule: bad}, {Rule: imageRule}}}, pod)
	if len(ds) != 2 {
		t.Errorf("the other rule found %v", lines(ds))
	}
	if len(problems) != 1 || !strings.Contains(problems[0].String(), "a.yaml:4:9: rule bad-rule failed on Pod/app: oops") {
		t.Errorf("problems: %v", problems)
	}
}

func TestProblemIsSaidOnce(t *testing.T) {
	twice := &rule.Rule{ID: "x-y", Severity: diag.Error, Object: func(p *rule.Pass, o *manifest.Object) {
		for range 2 {
			p.Problem(diag.Problem{Message: "oops", Location: &diag.Location{File: o.File()}})
		}
	}}
	_, problems := runRules(t, Options{Rules: []Rule{{Rule: twice}}}, pod, pod)
	if len(problems) != 2 || problems[0].String() != "a.yaml:1:1: oops" || problems[1].String() != "b.yaml:1:1: oops" {
		t.Errorf("problems: %v, want one a file", problems)
	}
}

func TestOnlyReportedFiles(t *testing.T) {
	ds, _ := runRules(t, Options{Rules: []Rule{{Rule: imageRule}}, Reported: func(p string) bool { return p == "b.yaml" }}, pod, pod)
	if len(ds) != 2 || ds[0].Location.File.Path != "b.yaml" {
		t.Errorf("got %v", lines(ds))
	}
}

func TestIgnores(t *testing.T) {
	one, two := "a.yaml:8 image-named image of one", "a.yaml:10 image-named image of two"
	shift := func(s string, n int) string {
		var line int
		var rest string
		_, _ = fmt.Sscanf(s, "a.yaml:%d", &line)
		_, rest, _ = strings.Cut(s, " ")
		return fmt.Sprintf("a.yaml:%d %s", line+n, rest)
	}
	const because = " (inSource: because)"
	edit := func(old, replacement string) string { return strings.Replace(pod, old, replacement, 1) }
	const other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {}\n"
	flow := func(above, behind string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers: [\n    " + above +
			"\n    {name: one, " + behind + "\n    image: example.com/one:1\n    },\n    {name: two, image: \"example.com/two:1\"},\n  ]\n"
	}
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"behind the line":            {edit("one:1", "one:1 # crashlint:ignore image-named -- because"), []string{one + because, two}},
		"above the line":             {edit("      image: example.com/one", "      # crashlint:ignore image-named -- because\n      image: example.com/one"), []string{shift(one, 1) + because, shift(two, 1)}},
		"above the container":        {edit("    - name: one", "    # crashlint:ignore image-named -- because\n    - name: one"), []string{shift(one, 1) + because, shift(two, 1)}},
		"above the list":             {edit("  containers:", "  # crashlint:ignore image-named -- because\n  containers:"), []string{shift(one, 1) + because, shift(two, 1) + because}},
		"above the document":         {"# crashlint:ignore image-named -- because\n" + pod, []string{shift(one, 1) + because, shift(two, 1) + because}},
		"by wildcard":                {edit("one:1", "one:1 # crashlint:ignore image-* -- because"), []string{one + because, two}},
		"by family":                  {edit("one:1", "one:1 # crashlint:ignore images -- because"), []string{one + because, two}},
		"with a day to come":         {edit("one:1", "one:1 # crashlint:ignore image-named -- because until=2026-06-01"), []string{one + because, two}},
		"annotation":                 {edit("  name: app", "  name: app\n  annotations: {crashlint.dev/ignore: image-named -- because}"), []string{shift(one, 1) + because, shift(two, 1) + because}},
		"in a string":                {edit("example.com/one:1", "'# crashlint:ignore image-named -- because'"), []string{one, two}},
		"in a block scalar":          {pod + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  x: |\n    # crashlint:ignore image-named\n", []string{one, two}},
		"behind the marker":          {"--- # crashlint:ignore image-named -- because\n" + pod, []string{shift(one, 1) + because, shift(two, 1) + because}},
		"above the marker":           {"# crashlint:ignore image-named -- because\n---\n" + pod, []string{shift(one, 2) + because, shift(two, 2) + because}},
		"at the end of another":      {other + "# crashlint:ignore image-named -- because\n---\n" + pod, []string{"a.yaml:5 unused-ignore nothing here is found by image-named: the ignore can go", shift(one, 6), shift(two, 6)}},
		"above the second document":  {other + "---\n# crashlint:ignore image-named -- because\n" + pod, []string{shift(one, 6) + because, shift(two, 6) + because}},
		"after a block in the item":  {edit("    - name: one", "    - workingDir: |\n        /\n      name: one # crashlint:ignore image-named -- because"), []string{"a.yaml:9 unused-ignore nothing here is found by image-named: the ignore can go", shift(one, 2), shift(two, 2)}},
		"behind the head of a block": {edit("    - name: one", "    - workingDir: | # crashlint:ignore image-named -- because\n        /\n      name: one"), []string{shift(one, 2) + because, shift(two, 2)}},
		"above a flow mapping":       {flow("# crashlint:ignore image-named -- because", ""), []string{"a.yaml:8 image-named image of one" + because, "a.yaml:10 image-named image of two"}},
		"behind a flow mapping":      {flow("#", "# crashlint:ignore image-named -- because"), []string{"a.yaml:8 image-named image of one" + because, "a.yaml:10 image-named image of two"}},
		"above a flow sequence":      {strings.Replace(flow("#", ""), "  containers: [", "  # crashlint:ignore image-named -- because\n  containers: [", 1), []string{"a.yaml:9 image-named image of one" + because, "a.yaml:11 image-named image of two" + because}},
		"above a lone bracket":       {edit("    - name: one", "    # crashlint:ignore image-named -- because\n    - name: one\n      workingDir: a [b"), []string{shift(one, 2) + because, shift(two, 2)}},
		"in a doubled quote":         {edit("example.com/one:1", "'a''s # crashlint:ignore image-named -- because'"), []string{one, two}},
		"unused":                     {edit("name: app", "name: app # crashlint:ignore image-named -- because"), []string{"a.yaml:4 unused-ignore nothing here is found by image-named: the ignore can go", one, two}},
		"no reason":                  {edit("one:1", "one:1 # crashlint:ignore image-named"), []string{one, "a.yaml:8 invalid-ignore an ignore gives its reason: crashlint:ignore image-named -- reason", two}},
		"no rule":                    {edit("one:1", "one:1 # crashlint:ignore -- because"), []string{one, "a.yaml:8 invalid-ignore an ignore names the rules it silences: crashlint:ignore RULE -- reason", two}},
		"misspelt":                   {edit("one:1", "one:1 # crashlint:ignore image-name -- because"), []string{one, `a.yaml:8 invalid-ignore there is no rule "image-name": did you mean image-named?`, two}},
		"run out":                    {edit("one:1", "one:1 # crashlint:ignore image-named -- because until=2026-05-30"), []string{one, "a.yaml:8 invalid-ignore this ignore ran out on 2026-05-30: mend the finding or give a new date", two}},
		"not a date":                 {edit("one:1", "one:1 # crashlint:ignore image-named -- because until=tomorrow"), []string{one, "a.yaml:8 invalid-ignore until=tomorrow is not a date: write until=YYYY-MM-DD", two}},
		"of a rule that did not run": {edit("name: app", "name: app # crashlint:ignore other-rule -- because"), []string{one, two}},
	} {
		t.Run(name, func(t *testing.T) {
			ds, _ := runRules(t, Options{Rules: []Rule{{Rule: imageRule, Family: "images"}}, Known: []KnownRule{{ID: "other-rule"}}}, test.text)
			if diff := cmp.Diff(test.want, lines(ds)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIgnoresOfTheConfiguration(t *testing.T) {
	for name, test := range map[string]struct {
		ignore Ignore
		want   int
	}{
		"by rule":   {Ignore{Rule: "image-*"}, 2},
		"by object": {Ignore{Object: "Pod/*"}, 2},
		"other":     {Ignore{Object: "Deployment/*"}, 0},
		"by file":   {Ignore{File: func(p string) bool { return p == "a.yaml" }}, 2},
		"run out":   {Ignore{Rule: "image-named", Until: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ds, _ := runRules(t, Options{Rules: []Rule{{Rule: imageRule}}, Ignores: []Ignore{test.ignore}}, pod)
			suppressed := 0
			for _, d := range ds {
				if d.Suppressed != nil {
					suppressed++
				}
			}
			if suppressed != test.want {
				t.Errorf("suppressed %d, want %d", suppressed, test.want)
			}
		})
	}
}

func TestAliasIsRelated(t *testing.T) {
	ds, _ := runRules(t, Options{Rules: []Rule{{Rule: imageRule}}}, `apiVersion: v1
kind: Pod
metadata: {name: app, labels: {x: &image example.com/one:1}}
spec:
  containers:
    - name: one
      image: *image
`)
	if len(ds) != 1 || len(ds[0].Related) != 1 {
		t.Fatalf("got %v", lines(ds))
	}
	if use, text := ds[0].Location.Start().Line, ds[0].Related[0].Location.Start().Line; use != 7 || text != 3 {
		t.Errorf("use in line %d, anchor in line %d; want 7 and 3", use, text)
	}
}
