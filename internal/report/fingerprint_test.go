package report

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// hashByDefinition computes GitHub's hash of every line from its definition,
// with integers that do not overflow and each line on its own.
func hashByDefinition(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	var lines []string
	seen := map[string]int{}
	for start := 0; start <= len(text); {
		rest := strings.NewReplacer(" ", "", "\t", "").Replace(text[start:])
		units := append(utf16.Encode([]rune(rest)), 65535)
		units = append(units, make([]uint16, 100)...)[:100]
		sum := new(big.Int)
		for _, u := range units {
			sum.Mul(sum, big.NewInt(37))
			sum.Add(sum, big.NewInt(int64(u)))
		}
		hash := sum.Mod(sum, new(big.Int).Lsh(big.NewInt(1), 64)).Text(16)
		seen[hash]++
		lines = append(lines, fmt.Sprintf("%s:%d", hash, seen[hash]))
		next := strings.IndexByte(text[start:], '\n')
		if next < 0 {
			break
		}
		start += next + 1
	}
	return lines
}

func TestLineHashes(t *testing.T) {
	for _, text := range []string{
		"", "\n", "a", "a\n", "a\nb\n", strings.Repeat("x\n", 3), "  a:\t1\n",
		apiYAML, strings.ReplaceAll(apiYAML, "\n", "\r\n"), strings.ReplaceAll(apiYAML, "\n", "\r"),
		"größe: 名前\nemoji: 👩‍👩‍👧\n", strings.Repeat("y", 250) + "\n" + strings.Repeat("y", 99) + "\nz",
		strings.Repeat("same\n", 60), "a\r \nb\n",
	} {
		want := hashByDefinition(text)
		if text == "a\r \nb\n" {
			// A blank between the two makes them two line ends, the second of
			// a line that holds nothing that is hashed but its end.
			want = hashByDefinition("a\n\nb\n")
		}
		got := newLineHashes(source.NewFile("f", text))
		if len(got.hash) != len(want) {
			t.Fatalf("%.40q: %d lines, want %d", text, len(got.hash), len(want))
		}
		for i := range want {
			if got.of(i+1) != want[i] {
				t.Errorf("%.40q line %d: got %s, want %s", text, i+1, got.of(i+1), want[i])
			}
		}
	}
}

func TestLineHashesOutside(t *testing.T) {
	h := newLineHashes(source.NewFile("f", "a\nb"))
	if h.of(0) != h.of(1) || h.of(9) != h.of(2) {
		t.Error("a line that does not exist is not clamped")
	}
}

func TestFingerprint(t *testing.T) {
	base := func() *diag.Diagnostic {
		return &diag.Diagnostic{
			Rule: "r", Severity: diag.Error, Message: "m", Path: "spec.x",
			Object:   diag.Object{Kind: "Pod", Name: "p", Namespace: "n"},
			Location: diag.Location{File: source.NewFile("a.yaml", "x: 1\ny: 2\n"), Span: source.Span{Start: 0, End: 1}},
		}
	}
	want := fingerprint(base())
	same := map[string]func(*diag.Diagnostic){
		"place":    func(d *diag.Diagnostic) { d.Location.Span = source.Span{Start: 5, End: 6} },
		"file":     func(d *diag.Diagnostic) { d.Location.File = source.NewFile("b.yaml", "") },
		"message":  func(d *diag.Diagnostic) { d.Message = "other" },
		"severity": func(d *diag.Diagnostic) { d.Severity = diag.Info },
	}
	for name, change := range same {
		d := base()
		if change(d); fingerprint(d) != want {
			t.Errorf("another %s gives another fingerprint", name)
		}
	}
	other := map[string]func(*diag.Diagnostic){
		"rule":      func(d *diag.Diagnostic) { d.Rule = "s" },
		"path":      func(d *diag.Diagnostic) { d.Path = "spec.y" },
		"kind":      func(d *diag.Diagnostic) { d.Object.Kind = "Job" },
		"name":      func(d *diag.Diagnostic) { d.Object.Name = "q" },
		"namespace": func(d *diag.Diagnostic) { d.Object.Namespace = "o" },
		"border":    func(d *diag.Diagnostic) { d.Object.Name, d.Path = "pspec", ".x" },
		"no object": func(d *diag.Diagnostic) { d.Object = diag.Object{} },
	}
	for name, change := range other {
		d := base()
		if change(d); fingerprint(d) == want {
			t.Errorf("another %s gives the same fingerprint", name)
		}
	}
	a, b := base(), base()
	a.Object, b.Object = diag.Object{}, diag.Object{}
	b.Location.File = source.NewFile("b.yaml", "")
	if fingerprint(a) == fingerprint(b) {
		t.Error("findings about two files have the same fingerprint")
	}
}
