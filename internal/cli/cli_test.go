package cli

import (
	"bytes"
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
		"":                     {"completion", "explain", "init", "lint", "rules", "schema", "test", "version"},
		"exp":                  {"explain"},
		"--fo":                 {"--format"},
		"k8s --fail":           {"--fail-on"},
		"--fail-on ":           {"error", "info", "never", "warning"},
		"--color a":            {"always", "auto"},
		"lint --format s":      {"sarif"},
		"rules --format ":      {"json", "text"},
		"completion ":          {"bash", "fish", "zsh"},
		"explain jvm-heap-ov":  {"jvm-heap-over-limit"},
		"--skip missing-secr":  {"missing-secret-target"},
		"--output ":            nil,
		"rules n":              {"new"},
		"k8s/does-not-complet": nil,
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
