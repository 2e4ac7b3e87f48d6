package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A finding is what the tests need of a diagnostic in the JSON report.
type finding struct {
	Rule, Severity, Message, File string
	Start                         struct{ Line, Column int }
}

func findings(t *testing.T, paths ...string) []finding {
	t.Helper()
	var report struct{ Diagnostics []finding }
	_, stdout, stderr := run(append([]string{"--format", "json", "--min-severity", "info"}, paths...)...)
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	return report.Diagnostics
}

// promise is a line of a README in testdata/manifests: - `rule`, severity
var promise = regexp.MustCompile("(?m)^- `([^`]+)`, (error|warning)")

// TestManifests holds the READMEs of testdata/manifests against what crashlint
// says: every finding that one promises is there, there is no other error, and
// where none is promised there is nothing at all. A folder gives the same
// findings alone and among the others.
func TestManifests(t *testing.T) {
	t.Chdir(filepath.Join(root, "testdata", "manifests"))
	folders, err := filepath.Glob("*/README.md")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	together := map[string][]finding{}
	for _, f := range findings(t, ".") {
		folder, _, _ := strings.Cut(f.File, "/")
		together[folder] = append(together[folder], f)
	}
	for _, readme := range folders {
		folder := filepath.Dir(readme)
		t.Run(folder, func(t *testing.T) {
			text, err := os.ReadFile(readme)
			if err != nil {
				t.Fatal(err)
			}
			found := findings(t, folder)
			if !slices.Equal(found, together[folder]) {
				t.Errorf("alone:\n%v\nwith its neighbours:\n%v", found, together[folder])
			}
			var promised []string
			for _, m := range promise.FindAllStringSubmatch(string(text), -1) {
				promised = append(promised, m[1]+", "+m[2])
			}
			for _, p := range promised {
				if !slices.ContainsFunc(found, func(f finding) bool { return f.Rule+", "+f.Severity == p }) {
					t.Errorf("not found: %s", p)
				}
			}
			for _, f := range found {
				switch p := f.Rule + ", " + f.Severity; {
				case len(promised) == 0:
					t.Errorf("this is healthy: %s:%d: %s: %s", f.File, f.Start.Line, p, f.Message)
				case f.Severity == "error" && !slices.Contains(promised, p):
					t.Errorf("not in the README: %s:%d: %s: %s", f.File, f.Start.Line, p, f.Message)
				}
			}
		})
	}
}
