package diag_test

import (
	"testing"

	"github.com/crashlint/crashlint/internal/diag"
)

func TestDidYouMean(t *testing.T) {
	rules := []string{"jvm-heap-over-limit", "missing-secret-target", "k8s"}
	for name, want := range map[string]string{
		"jvm-heap-over-limi": "did you mean jvm-heap-over-limit?",
		"jvm-heap":           "did you mean jvm-heap-over-limit?",
		"secret":             "did you mean missing-secret-target?",
		"k8":                 "did you mean k8s?",
		"nonsense":           "",
		"":                   "",
	} {
		if got := diag.DidYouMean(name, rules); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := diag.DidYouMean("x", nil); got != "" {
		t.Errorf("no candidates: %q", got)
	}
}
