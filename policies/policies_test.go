package policies

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/ruletest"
)

func TestRules(t *testing.T) { ruletest.Run(t, Family()) }

func TestPolicyTests(t *testing.T) {
	var out strings.Builder
	ok, err := Test(&out, ".")
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Error(out.String())
	}
}

// TestExamplesOfTheDocumentation runs the policy and the test that
// docs/policies.md shows.
func TestExamplesOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../docs/policies.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	blocks := regexp.MustCompile("(?s)`policies/([a-z_-]+\\.rego)`:\n\n```rego\n(.*?)```").FindAllSubmatch(page, -1)
	for _, b := range blocks {
		if err := os.WriteFile(filepath.Join(dir, string(b[1])), b[2], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if ok, err := Test(&out, dir); err != nil || !ok || !strings.Contains(string(page), "# "+out.String()) {
		t.Errorf("the page shows other results than %q, error %v", out.String(), err)
	}
	family, problems := Load(dir)
	if len(problems) > 0 || len(family.Rules) != 1 || family.Rules[0].ID != "image-without-version" {
		t.Errorf("rules %v, problems %v", family.Rules, problems)
	}
}

func TestFoldersThatAreNotThere(t *testing.T) {
	empty, missing := t.TempDir(), filepath.Join(t.TempDir(), "missing")
	_, problems := Load(empty, missing)
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	want := missing + ": cannot read policies: no such file or directory\n" +
		filepath.ToSlash(empty) + ": there is no policy (*.rego) in this folder"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("problems\n%s\nwant\n%s", s, want)
	}
}
