package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cli"
)

const root = "../.."

func run(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Main(append([]string{"crashlint"}, args...), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err})
	return code, out.String(), err.String()
}

// blocks returns the fenced code blocks of a page in the given language.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("%s has no block in %s", page, language)
	}
	return out
}

// TestReadmeOutput runs what README shows after "$ " and compares the output.
func TestReadmeOutput(t *testing.T) {
	for _, block := range blocks(t, "README.md", "console") {
		command, want, _ := strings.Cut(block, "\n")
		args, ok := strings.CutPrefix(command, "$ crashlint ")
		if !ok {
			t.Fatalf("%q does not run crashlint", command)
		}
		t.Run(args, func(t *testing.T) {
			t.Chdir(root)
			t.Setenv("FORCE_COLOR", "")
			if _, got, stderr := run(strings.Fields(args)...); got != want || stderr != "" {
				t.Errorf("README shows\n%s\nbut the output is\n%s%s", want, got, stderr)
			}
		})
	}
}

// TestReadmeExitCodes holds README's table of exit codes against --help.
func TestReadmeExitCodes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, help, _ := run("--help")
	for code, word := range map[string]string{"0": "clean", "1": "--fail-on", "2": "usage"} {
		row := regexp.MustCompile(`(?m)^\| ` + code + ` \|.*$`).FindString(string(text))
		if !strings.Contains(row, word) {
			t.Errorf("README's row for exit code %s says nothing of %q: %q", code, word, row)
		}
	}
	if !strings.Contains(help, "0 clean, 1 findings at or above --fail-on, 2 wrong usage") {
		t.Errorf("--help has other exit codes:\n%s", help)
	}
}

// TestGuide runs with the configuration that the guide shows, and the policy of
// the page on policies in the folder that it names.
func TestGuide(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, ".crashlint.yaml")
	if err := os.Mkdir(filepath.Join(dir, "policies"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "policies", "policy.rego"), blocks(t, "docs/policies.md", "rego")[0])
	for _, block := range blocks(t, "docs/guide.md", "yaml") {
		if strings.Contains(block, "failOn:") {
			write(t, config, block)
		}
	}
	if code, stdout, stderr := run("--config", config, filepath.Join(root, "testdata", "manifests", "go-api")); code != 0 || stderr != "" {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
