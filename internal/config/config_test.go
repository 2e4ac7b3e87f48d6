package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crashlint/crashlint/internal/source"
)

func parse(t *testing.T, text string) (*Config, []string) {
	t.Helper()
	c, err := Parse(source.NewFile(Name, text))
	var bad *Error
	if err != nil && !errors.As(err, &bad) {
		t.Fatalf("%T: %v", err, err)
	}
	var lines []string
	if bad != nil {
		lines = strings.Split(bad.Error(), "\n")
	}
	return c, lines
}

func TestParse(t *testing.T) {
	c, bad := parse(t, `exclude: ["charts/**"]
namespace: shop
kubernetesVersion: "1.31"
failOn: error
minSeverity: info
policies: [policies]
external: [Secret/*-tls]
rules:
  jvm-heap-over-limit:
    enabled: no
    severity: info
ignore:
  - {rule: a-b, reason: known, until: 2099-01-01}
`)
	if bad != nil {
		t.Fatal(bad)
	}
	if r := c.Rules["jvm-heap-over-limit"]; r.Enabled == nil || *r.Enabled || r.Severity != "info" {
		t.Errorf("rules: %+v", c.Rules)
	}
	if c.Namespace != "shop" || c.FailOn != "error" || c.Ignore[0].LastDay().Year() != 2099 {
		t.Errorf("%+v", c)
	}
	if _, bad := parse(t, "# nothing yet\n"); bad != nil {
		t.Errorf("an empty configuration: %v", bad)
	}
}

func TestMistakesHaveALine(t *testing.T) {
	for text, want := range map[string]string{
		"failon: error\n":                                  `.crashlint.yaml:1:1: there is no setting "failon": write failOn`,
		"a: 1\nfailOn: fatal\n":                            `.crashlint.yaml:1:1: there is no setting "a": crashlint schema describes them all|.crashlint.yaml:2:9: "fatal" is not one of error, warning, info, never`,
		"exclude: charts\n":                                `.crashlint.yaml:1:10: exclude: "charts" is a string, but the field takes a list`,
		"external: [db]\n":                                 `.crashlint.yaml:1:12: "db" is not a pattern of Kind/name or Kind/namespace/name`,
		"kubernetesVersion: 1.31\n":                        `.crashlint.yaml:1:20: kubernetesVersion: 1.31 is a number, but the field takes a string: put it in quotes`,
		"kubernetesVersion: latest\n":                      `.crashlint.yaml:1:20: "latest" is not a Kubernetes version: write 1.31`,
		"ignore:\n  - rule: a-b\n":                         `.crashlint.yaml:2:5: an ignore needs a reason`,
		"ignore:\n  - reason: x\n":                         `.crashlint.yaml:2:5: an ignore needs a rule, an object or a path`,
		"ignore:\n  - {path: a, reason: x, until: soon}":   `.crashlint.yaml:2:33: "soon" is not a date: write YYYY-MM-DD`,
		"rules:\n  a-b: {severity: off}\n":                 `.crashlint.yaml:2:19: rules.a-b.severity: off is a boolean, but the field takes a string: put it in quotes`,
		"failOn: error\nfailOn: info\n":                    `.crashlint.yaml:2:1: failOn is written twice`,
		"images:\n  - names: [app:1]\n":                    `.crashlint.yaml:2:5: app:1: a name has no tag`,
		"images:\n  - names: [app]\n  - names: [app]\n":    `.crashlint.yaml:3:12: two entries claim docker.io/library/app`,
		"images:\n  - {names: [app], heap: {sise: 1Gi}}\n": `.crashlint.yaml:2:27: there is no setting "images[0].heap.sise": write size|.crashlint.yaml:2:5: app: heap: want a size, such as 512Mi, a percent of the limit, or jvm: true`,
		"a: [b\n": `.crashlint.yaml:`,
	} {
		_, bad := parse(t, text)
		got := strings.Join(bad, "|")
		if got != want && (want != ".crashlint.yaml:" || !strings.HasPrefix(got, want)) {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestRulesAreKnown(t *testing.T) {
	c, _ := parse(t, "rules:\n  jvm-heap-over-limi: {}\nignore:\n  - {rule: nonsense-x, reason: because}\n  - {rule: memory, reason: because}\n  - {rule: 'jvm-*', reason: because}\n")
	err := c.CheckRules([]string{"jvm-heap-over-limit"}, []string{"memory"})
	want := `.crashlint.yaml:2:3: there is no rule "jvm-heap-over-limi": did you mean jvm-heap-over-limit?
.crashlint.yaml:4:12: there is no rule "nonsense-x"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

type options struct {
	MaxHeapPercent int `json:"maxHeapPercent" jsonschema_description:"The share."`
}

func TestOptions(t *testing.T) {
	c, _ := parse(t, "rules:\n  a-b:\n    options: {maxHeapPercent: 80}\n  c-d:\n    options: {maxHeapPercen: 80}\n")
	o := &options{MaxHeapPercent: 75}
	if err := c.DecodeOptions("a-b", o); err != nil || o.MaxHeapPercent != 80 {
		t.Errorf("%+v, %v", o, err)
	}
	if err := c.DecodeOptions("c-d", o); err == nil || !strings.Contains(err.Error(), ":5:15:") || !strings.Contains(err.Error(), "maxHeapPercent") {
		t.Errorf("a misspelt option: %v", err)
	}
	if err := c.DecodeOptions("c-d", nil); err == nil {
		t.Error("options for a rule that has none")
	}
	if err := c.DecodeOptions("e-f", nil); err != nil {
		t.Errorf("no options for a rule that has none: %v", err)
	}
}

func TestVersion(t *testing.T) {
	for s, want := range map[string]int{"": 0, "1.31": 31, "v1.29.4": 29, "1.28+": 28, "1.30.2-gke.1": 30} {
		if got, err := ParseVersion(s); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"31", "2.1", "1.", "1.x", "latest"} {
		if _, err := ParseVersion(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "repo", "a", "b")
	for _, dir := range []string{deep, filepath.Join(root, "repo", ".git")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(p string) string {
		t.Helper()
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write(filepath.Join(root, Name))
	if got := Find(deep); got != "" {
		t.Errorf("found %s beyond the work tree", got)
	}
	want := write(filepath.Join(root, "repo", Name))
	if got := Find(deep); got != want {
		t.Errorf("found %q, want %s", got, want)
	}
}

func TestSchema(t *testing.T) {
	b, err := Schema(map[string]any{"a-b": &options{}, "c-d": nil})
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	rules := s["properties"].(map[string]any)["rules"].(map[string]any)
	got := []any{rules["additionalProperties"]}
	for _, id := range []string{"a-b", "c-d"} {
		_, has := rules["properties"].(map[string]any)[id].(map[string]any)["properties"].(map[string]any)["options"]
		got = append(got, has)
	}
	if diff := cmp.Diff([]any{false, true, false}, got); diff != "" {
		t.Errorf("additionalProperties, options of a-b, options of c-d: %s\n%s", diff, b)
	}
}
