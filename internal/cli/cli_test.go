package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFlagsAfterPaths(t *testing.T) {
	app := newApp(Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
	for in, want := range map[string]string{
		"k8s --format sarif":                 "--format sarif k8s",
		"k8s -q --only a,b more":             "-q --only a,b k8s more",
		"--format=json k8s --quiet":          "--format=json --quiet k8s",
		"lint k8s --fail-on error":           "lint --fail-on error k8s",
		"rules new memory/a-b":               "rules new memory/a-b",
		"explain jvm-heap --policy dir":      "explain --policy dir jvm-heap",
		"- --format json":                    "--format json -",
		"k8s -- --odd-name --format":         "k8s -- --odd-name --format",
		"k8s --format":                       "--format k8s",
		"k8s --unknown value":                "--unknown k8s value",
		"k8s --policy a --policy b --color=": "--policy a --policy b --color= k8s",
	} {
		got := strings.Join(reorder(app, append([]string{"crashlint"}, strings.Fields(in)...))[1:], " ")
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestCompletion(t *testing.T) {
	for in, want := range map[string][]string{
		"":                     {"completion", "explain", "images", "init", "lint", "rules", "schema", "test", "timeline", "version"},
		"exp":                  {"explain"},
		"--fo":                 {"--format"},
		"k8s --fail":           {"--fail-on"},
		"--fail-on ":           {"error", "info", "never", "warning"},
		"--color a":            {"always", "auto"},
		"lint --format s":      {"sarif"},
		"rules --format ":      {"json", "text"},
		"completion ":          {"bash", "fish", "zsh"},
		"timeline --format s":  {"svg"},
		"timeline --start":     {"--start-seconds"},
		"explain jvm-heap-ov":  {"jvm-heap-over-limit"},
		"--skip missing-secr":  {"missing-secret-target"},
		"--output ":            nil,
		"rules n":              {"new"},
		"k8s/does-not-complet": nil,
		// bash takes a word apart at =; other shells do not.
		"--format = sa":          {"sarif"},
		"--fail-on =":            {"error", "info", "never", "warning"},
		"--format sarif = x":     nil,
		"--fail-on=e":            {"--fail-on=error"},
		"--fail-on=error --fail": {"--fail-on"},
		"k8s ":                   nil,
		"k8s/ ex":                nil,
		"--only test ":           {"completion", "explain", "images", "init", "lint", "rules", "schema", "test", "timeline", "version"},
		"-- --f":                 nil,
		"-- ":                    nil,
		"lint explain ":          nil,
	} {
		var out bytes.Buffer
		words := strings.Split(in, " ")
		args := append(append([]string{"crashlint"}, words...), completionFlag)
		if code := Main(args, Streams{Out: &out, Err: &out}); code != 0 {
			t.Errorf("%q: exit code %d", in, code)
		}
		if got := strings.Fields(out.String()); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestBash runs the completion of a real bash, with a crashlint that says what it
// is called with.
func TestBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	script := bashCompletion + `
crashlint() { printf '<%s>\n' "$@"; }
COMP_WORDS=(crashlint "a b" --format = "") COMP_CWORD=4
_crashlint
printf '%s\n' "${COMPREPLY[@]}"`
	out, err := exec.Command(bash, "--norc", "-c", script).CombinedOutput()
	if want := "<a b>\n<--format>\n<=>\n<>\n<--generate-completion>\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v; want %q", out, err, want)
	}
}

func TestOneConfigurationARun(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"a/sub", "b", "out"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, configName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for paths, want := range map[string]string{
		"a a/sub": "a", "a/sub -": "error", "a b": "error", "b a": "error", "a out": "error", "out -": "", "b b": "b", "out missing": "",
	} {
		got, err := governing(strings.Fields(paths))
		dir := filepath.Base(filepath.Dir(got))
		switch {
		case err != nil:
			dir = "error"
		case got == "":
			dir = ""
		}
		if dir != want {
			t.Errorf("%s: %q, want %q", paths, dir, want)
		}
	}
	// What no configuration governs takes that of the working directory.
	t.Chdir("a")
	if got, err := governing([]string{"sub", "../out", "-"}); err != nil || got == "" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Interrupted while it waits for standard input, crashlint ends.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	never := make(chan struct{})
	defer close(never)
	err := interruptible(ctx, func() error { cancel(); <-never; return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := interruptible(context.Background(), func() error { return errFindings }); !errors.Is(err, errFindings) {
		t.Errorf("got %v", err)
	}
}

// A link, such as /dev/stdout, stays one.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{file, link, file} {
		content := strings.Repeat("x", 9-i)
		if err := writeFile(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != content {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left over: %v, %v", entries, err)
	}
	missing := filepath.Join(dir, "missing", "file")
	if err := writeFile(missing, nil); err == nil || err.Error() != "cannot write "+missing+": no such file or directory" {
		t.Errorf("got %v", err)
	}
}

func TestColour(t *testing.T) {
	for _, test := range []struct {
		when, noColor, force string
		want                 bool
	}{
		{"always", "1", "", true},
		{"never", "", "1", false},
		{"auto", "", "", false}, // not a terminal
		{"auto", "", "1", true},
		{"auto", "1", "1", false},
		{"auto", "", "0", false},
	} {
		t.Setenv("NO_COLOR", test.noColor)
		t.Setenv("FORCE_COLOR", test.force)
		if got, err := colour(test.when, Streams{Out: &bytes.Buffer{}}); err != nil || got != test.want {
			t.Errorf("%+v: %v, %v", test, got, err)
		}
	}
	if _, err := colour("sometimes", Streams{}); err == nil {
		t.Error("no error for --color=sometimes")
	}
}
