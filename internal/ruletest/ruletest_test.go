package ruletest

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// toyOptions are the options of the toy rule.
type toyOptions struct {
	Tag string `json:"tag"`
}

// toy finds images with a tag, "bad" if not told otherwise, and knows a fix.
func toy() *rule.Rule {
	return &rule.Rule{
		ID: "image-is-bad", Title: "image is bad", Since: "0.1.0", Severity: diag.Error,
		Workload: func(p *rule.Pass, w *manifest.Workload) {
			tag := "bad"
			if o, ok := p.Options.(*toyOptions); ok {
				tag = o.Tag
			}
			for _, c := range w.Containers {
				name, ok := strings.CutSuffix(c.Image, ":"+tag)
				if !ok {
					continue
				}
				p.Report(rule.Finding{
					Object: w.Object, At: c.At("image"), Message: fmt.Sprintf("container %q has a bad image", c.Name),
					Fixes: []rule.Fix{{Safety: diag.Safe, Ops: []node.Op{{Kind: node.Set, Path: c.At("image"), Value: name + ":good"}}}},
				})
			}
		},
	}
}

const (
	firing = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  selector: {}
  template:
    spec:
      containers:
        - name: a
          image: x:bad # want error "^container \"a\" has a bad image$"
        # want +2 "\bb\b"
        - name: b
          image: y:bad
        - name: c
          image: z:good
`
	silent = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - {name: a, image: \"x:good\"}\n"
	page   = "Images are bad.\n\n## What it finds\n\nx\n\n## Why it crashes\n\nx\n\n## Bad\n\n```yaml\nBAD```\n\n## Good\n\n```yaml\nGOOD```\n\n## Sources\n\n- https://example.com/\n"
)

func withTag(tag string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n    - name: a\n      image: x:" + tag + "\n"
}

// A toyFamily can be broken in any way.
type toyFamily struct {
	family *rule.Family
	data   fstest.MapFS
	docs   fstest.MapFS
}

func newToy() *toyFamily {
	f := &toyFamily{data: fstest.MapFS{}, docs: fstest.MapFS{}}
	f.family = &rule.Family{Name: "toy", Title: "Toys", Docs: f.docs, Rules: []*rule.Rule{toy()}}
	f.put("image-is-bad/firing.yaml", firing)
	f.put("image-is-bad/silent.yaml", silent)
	f.put("image-is-bad/firing.yaml.fixed", strings.ReplaceAll(firing, ":bad", ":good"))
	f.page(strings.NewReplacer("BAD", withTag("bad"), "GOOD", withTag("good")).Replace(page))
	return f
}

func (f *toyFamily) put(name, text string) {
	f.data["testdata/"+name] = &fstest.MapFile{Data: []byte(text)}
}
func (f *toyFamily) page(text string) {
	f.docs["image-is-bad.md"] = &fstest.MapFile{Data: []byte(text)}
}
func (f *toyFamily) text(name string) string { return string(f.data["testdata/"+name].Data) }
func (f *toyFamily) change(name, old, new string) {
	f.put(name, strings.Replace(f.text(name), old, new, 1))
}
func (f *toyFamily) changePage(old, new string) {
	f.page(strings.Replace(string(f.docs["image-is-bad.md"].Data), old, new, 1))
}

func (f *toyFamily) drop(name string) { delete(f.data, "testdata/"+name) }

func (f *toyFamily) run() []string {
	out := strays(f.family, f.data)
	for _, r := range f.family.Rules {
		out = append(out, check(f.family, r, f.data)...)
	}
	return out
}

func TestRunOfASoundFamily(t *testing.T) {
	for _, fault := range newToy().run() {
		t.Error(fault)
	}
}

func TestHarnessFindsFaults(t *testing.T) {
	const fire = "image-is-bad/firing.yaml"
	// onlyFor breaks the rule for what the condition says.
	onlyFor := func(ok func(w *manifest.Workload) bool) func(*toyFamily) {
		return func(f *toyFamily) {
			sound := f.family.Rules[0].Workload
			f.family.Rules[0].Workload = func(p *rule.Pass, w *manifest.Workload) {
				if ok(w) {
					sound(p, w)
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		damage func(*toyFamily)
		want   string // regular expression; empty: no fault
	}{
		{"a finding that is not wanted", func(f *toyFamily) { f.change(fire, "# want error \"", "# \"") }, `firing.yaml:11: not wanted: error: container "a"`},
		{"a want that is not met", func(f *toyFamily) { f.change("image-is-bad/silent.yaml", "spec:", "spec: # want \"x\"") }, `silent.yaml:4: wanted and not found: x`},
		{"the wrong line", func(f *toyFamily) { f.change(fire, "# want +2", "# want +1") }, `firing.yaml:13: wanted and not found: \\bb\\b`},
		{"the wrong severity", func(f *toyFamily) { f.change(fire, "want error", "want warning") }, `firing.yaml:11: wanted and not found: warning: \^container`},
		{"one want for two findings", func(f *toyFamily) {
			f.change(fire, `# want +2 "\bb\b"`, "#")
			f.change(fire, `# want error "^container \"a\" has a bad image$"`, `# want "."`)
		}, `firing.yaml:14: not wanted`},
		{"two wants in a line", func(f *toyFamily) { f.change(fire, `# want error "`, `# want "nothing" "`) }, `firing.yaml:11: wanted and not found: nothing`},
		{"a want in backquotes", func(f *toyFamily) { f.drop(fire + ".fixed"); f.change(fire, `"\bb\b"`, "`\\bb\\b`") }, ``},
		{"a want without quotes", func(f *toyFamily) { f.change(fire, `$"`, `$" x`) }, `firing.yaml:11: a want reads`},
		{"a want that does not compile", func(f *toyFamily) { f.change(fire, `\bb`, `(`) }, `firing.yaml:12: .*missing closing`},
		{"an offset that is none", func(f *toyFamily) { f.change(fire, `+2`, `two`) }, `firing.yaml:12: a want reads`},
		{"no firing fixture", func(f *toyFamily) { f.drop(fire); f.drop(fire + ".fixed") }, `no fixture in testdata/image-is-bad wants a finding`},
		{"no fixtures", func(f *toyFamily) { clear(f.data) }, `there is no folder testdata/image-is-bad`},
		{"not a fixture", func(f *toyFamily) { f.put("image-is-bad/x.txt", "") }, `x.txt is neither a manifest nor a folder`},
		{"an empty scenario", func(f *toyFamily) { f.put("image-is-bad/set/x.txt", "") }, `set/x.txt is not a manifest`},
		{"a scenario", func(f *toyFamily) {
			f.put("image-is-bad/set/one.yaml", firing)
			f.put("image-is-bad/set/sub/two.yaml", strings.ReplaceAll(firing, "name: app", "name: other"))
		}, ``},
		{"a folder of no rule", func(f *toyFamily) { f.put("other-rule/x.yaml", silent) }, `testdata/other-rule belongs to no rule`},
		{"no object", func(f *toyFamily) { f.put("image-is-bad/none.yaml", "a: b\n") }, `no Kubernetes object was read`},
		{"a misspelt field", func(f *toyFamily) { f.change(fire, "spec:\n  sel", "spec:\n  replcas: 1\n  sel") }, `firing.yaml:6: spec.replcas: .* does not fit the type of Deployment.* misfits`},
		{"a misspelt field that is meant", func(f *toyFamily) {
			f.drop(fire + ".fixed")
			f.change(fire, "spec:\n  sel", "# ruletest: misfits -- for a test\nspec:\n  replcas: 1\n  sel")
		}, ``},
		{"a broken document", func(f *toyFamily) { f.put("image-is-bad/b.yaml", "apiVersion: v1\nkind: Pod\na: [\n") }, `b.yaml:\d+: .*does not fit the type of Pod`},
		{"a template", func(f *toyFamily) { f.change(fire, "name: app", "name: {{ .Values.x }}") }, `is a template, not a manifest`},
		{"an unknown directive", func(f *toyFamily) { f.change(fire, "spec:", "spec: # ruletest: fast") }, `there is no setting "fast"`},
		{"an unknown variant", func(f *toyFamily) { f.change(fire, "spec:", "spec: # ruletest: skip=xml -- no") }, `there is no variant "xml"`},
		{"a skip without a reason", func(f *toyFamily) { f.change(fire, "spec:", "spec: # ruletest: skip=json") }, `skip needs a reason`},
		{"a bad version", func(f *toyFamily) { f.change(fire, "spec:", "spec: # ruletest: version=new") }, `version=new`},
		{"options of a rule without", func(f *toyFamily) { f.change(fire, "spec:", "spec: # ruletest: options={}") }, `the rule has no options`},
		{"a rule of no family", func(f *toyFamily) { f.change(fire, "spec:", "spec: # ruletest: rules=image-is-bad,other") }, `the family has no rule other`},
		{"a stale .fixed", func(f *toyFamily) { f.change(fire+".fixed", "kind:", "kinds:") }, `firing.yaml: the fixes do not give the .fixed file: line 2 is`},
		{"a .fixed without a fix", func(f *toyFamily) { f.put("image-is-bad/silent.yaml.fixed", silent) }, `silent.yaml: there is a .fixed file, but no finding has a fix`},
		{"a .fixed of nothing", func(f *toyFamily) { f.put("image-is-bad/x.yaml.fixed", silent) }, `there is no x.yaml`},
		{"a fix that does not mend", func(f *toyFamily) {
			sound := f.family.Rules[0].Workload
			f.family.Rules[0].Workload = func(p *rule.Pass, w *manifest.Workload) {
				report := p.Report
				sound(&rule.Pass{Options: p.Options, Report: func(x rule.Finding) {
					x.Fixes[0].Ops[0] = node.Op{Path: node.P("metadata", "labels", "x"), Value: "y"}
					report(x)
				}}, w)
			}
		}, `after its fix the finding is still there`},
		{"a rule that panics", func(f *toyFamily) {
			f.family.Rules[0].Workload = func(*rule.Pass, *manifest.Workload) { panic("oh") }
		}, `rule image-is-bad failed on Deployment/app: oh`},

		{"lost in CRLF", onlyFor(func(w *manifest.Workload) bool { return !strings.Contains(w.File().Text, "\r") }), `variant crlf: .*Deployment/app`},
		{"lost in JSON", onlyFor(func(w *manifest.Workload) bool { return w.File().Text[0] != '{' }), `variant json: `},
		{"lost in the second document", onlyFor(func(w *manifest.Workload) bool { return w.DocumentSpan().Start == 0 }), `variant second: `},
		{"lost in a List", onlyFor(func(w *manifest.Workload) bool { return !strings.Contains(w.File().Text, "kind: List") }), `variant list: `},
		{"lost in a StatefulSet", onlyFor(func(w *manifest.Workload) bool { return w.Kind != "StatefulSet" }), `variant statefulset: .*image-is-bad error StatefulSet/app:spec.template.spec.containers\[0\].image`},
		{"lost in a CronJob", onlyFor(func(w *manifest.Workload) bool { return w.Kind != "CronJob" }), `variant cronjob: .*image-is-bad error CronJob/app:spec.jobTemplate.spec.template.spec.containers\[0\].image`},
		{"lost in a Pod", onlyFor(func(w *manifest.Workload) bool { return w.Kind != "Pod" }), `variant pod: .*image-is-bad error Pod/app:spec.containers\[0\].image`},
		{"lost in a StatefulSet, as it should", func(f *toyFamily) {
			onlyFor(func(w *manifest.Workload) bool { return w.Kind != "StatefulSet" })(f)
			f.drop(fire + ".fixed")
			f.change(fire, "spec:", "spec: # ruletest: skip=statefulset -- for a test")
		}, ``},

		{"no page", func(f *toyFamily) { clear(f.docs) }, `there is no page image-is-bad.md`},
		{"a page of no rule", func(f *toyFamily) { f.docs["x.md"] = &fstest.MapFile{} }, `x.md is the page of no rule`},
		{"no summary", func(f *toyFamily) { f.changePage("Images are bad.\n", "") }, `does not begin with a summary`},
		{"another title", func(f *toyFamily) { f.changePage("Images", "# Images") }, `does not begin with a summary`},
		{"a title", func(f *toyFamily) { f.changePage("Images", "# image-is-bad\n\nImages") }, ``},
		{"a missing section", func(f *toyFamily) { f.changePage("## Why it crashes", "Why it crashes") }, `the sections of the page are`},
		{"an empty section", func(f *toyFamily) { f.changePage("## Why it crashes\n\nx", "## Why it crashes\n") }, `the section ## Why it crashes is missing or empty`},
		{"no options, but a section", func(f *toyFamily) { f.changePage("## Sources", "## Options\n\n## Sources") }, `the sections of the page are`},
		{"options, but no section", func(f *toyFamily) {
			f.family.Rules[0].Options = func() any { return &toyOptions{Tag: "bad"} }
		}, `the sections of the page are`},
		{"options", func(f *toyFamily) {
			f.family.Rules[0].Options = func() any { return &toyOptions{Tag: "bad"} }
			f.changePage("## Sources", "## Options\n\n`tag`\n\n## Sources")
			f.put("image-is-bad/option.yaml", strings.Replace(strings.ReplaceAll(firing, ":bad", ":ugly"), "spec:", "spec: # ruletest: options={\"tag\":\"ugly\"}", 1))
		}, ``},
		{"an unknown option", func(f *toyFamily) {
			f.family.Rules[0].Options = func() any { return &toyOptions{Tag: "bad"} }
			f.change(fire, "spec:", "spec: # ruletest: options={\"tags\":\"ugly\"}")
		}, `options={"tags":"ugly"}: .*unknown field`},
		{"no links", func(f *toyFamily) { f.changePage("https://", "") }, `## Sources has no link`},
		{"no example", func(f *toyFamily) { f.changePage("```yaml", "```text") }, `## Bad holds 0 yaml blocks`},
		{"Bad is not found", func(f *toyFamily) { f.changePage("x:bad", "x:fine") }, `## Bad: the rule finds nothing`},
		{"Good is found", func(f *toyFamily) { f.changePage("x:good", "x:bad") }, `## Good: image-is-bad in line 8`},
		{"Good has a misspelt field", func(f *toyFamily) { f.changePage("x:good", "x:good\n      imag: y") }, `## Good: Good.yaml:9: .*imag`},
		{"the safe fix of Bad is not Good", func(f *toyFamily) { f.changePage("x:good", "y:good") }, `the safe fix of ## Bad does not make ## Good: line 8 is`},

		{"an ID that is not kebab-case", func(f *toyFamily) { f.family.Rules[0].ID = "Image_Bad" }, `is not kebab-case`},
		{"no title", func(f *toyFamily) { f.family.Rules[0].Title = "" }, `the title is not one line`},
		{"a full stop", func(f *toyFamily) { f.family.Rules[0].Title = "x." }, `the title is not one line without a full stop`},
		{"no version", func(f *toyFamily) { f.family.Rules[0].Since = "now" }, `is not a version`},
		{"no severity", func(f *toyFamily) { f.family.Rules[0].Severity = 0 }, `the severity is not set`},
		{"two functions", func(f *toyFamily) { f.family.Rules[0].Set = func(*rule.Pass) {} }, `exactly one of Workload, Object and Set is to be set, not 2`},
		{"two rules of one name", func(f *toyFamily) { f.family.Rules = append(f.family.Rules, toy()) }, `two rules are called image-is-bad`},
		{"no name", func(f *toyFamily) { f.family.Name = "" }, `the family has no name or title`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newToy()
			c.damage(f)
			faults := f.run()
			if c.want == "" {
				for _, fault := range faults {
					t.Error(fault)
				}
				return
			}
			re := regexp.MustCompile("(?s)" + c.want)
			if !slices.ContainsFunc(faults, re.MatchString) {
				t.Errorf("no fault matches %s, got:\n%s", c.want, strings.Join(faults, "\n"))
			}
		})
	}
}

// Only the variant bom is read from disk.
func TestBOM(t *testing.T) {
	f := newToy()
	texts := map[string]string{"a.yaml": "\ufeff" + withTag("bad"), "sub/b.yaml": "\ufeff" + withTag("good")}
	var files []fixtureFile
	for name, text := range texts {
		files = append(files, fixtureFile{path: name, text: text})
	}
	loaded, err := fromDisk(files)
	if err != nil {
		t.Fatal(err)
	}
	got := execute(f.family, f.family.Rules, defaults, cluster.Options{}, loaded)
	if len(got.set.Workloads) != 2 || len(got.diagnostics) != 1 || got.diagnostics[0].Location.File.Path != "a.yaml" || len(got.problems) > 0 {
		t.Errorf("got %d workloads, %v, %v", len(got.set.Workloads), got.diagnostics, got.problems)
	}
}

// A finding that moves to another text of the same field is found out.
func TestSameText(t *testing.T) {
	f := newToy()
	sound := f.family.Rules[0].Workload
	f.family.Rules[0].Workload = func(p *rule.Pass, w *manifest.Workload) {
		report := p.Report
		sound(&rule.Pass{Options: p.Options, Report: func(x rule.Finding) {
			if strings.Contains(w.File().Text, "\r") {
				x.Target = node.KeyOf
			}
			report(x)
		}}, w)
	}
	re := regexp.MustCompile(`(?s)variant crlf: the findings point at.*"x:bad".*"image"`)
	if faults := f.run(); !slices.ContainsFunc(faults, re.MatchString) {
		t.Errorf("got %q", faults)
	}
}

func TestUpdate(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("CRASHLINT_UPDATE", "1")
	f := newToy()
	f.put("image-is-bad/firing.yaml.fixed", "old\n")
	if err := os.MkdirAll("testdata/image-is-bad", 0o700); err != nil {
		t.Fatal(err)
	}
	faults := f.run()
	got, err := os.ReadFile("testdata/image-is-bad/firing.yaml.fixed")
	if want := strings.ReplaceAll(firing, ":bad", ":good"); err != nil || string(got) != want || len(faults) > 0 {
		t.Errorf("written %q, %v; faults %q", got, err, faults)
	}
}

// Documents keep their meaning in a List, blocks of text included.
func TestToList(t *testing.T) {
	text := "# lead\napiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    x\n\n    # y\n--- # next\nkind: B\n---\n# nothing\n"
	want := "apiVersion: v1\nkind: List\nitems:\n    # lead\n  - apiVersion: v1\n    kind: ConfigMap\n    data:\n      a: |\n        x\n\n        # y\n  - kind: B\n"
	if got := toList(text); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
