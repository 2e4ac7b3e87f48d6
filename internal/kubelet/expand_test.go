package kubelet

import (
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	vars := map[string]string{
		"A": "a", "B": "b", "EMPTY": "", "REF": "$(A)", "DOLLAR": "$", "my.name-x": "dotted", "A(": "paren", "": "no name",
	}
	lookup := func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"$(A)", "a"},
		{"$(A)$(B)", "ab"},
		{"x$(A)y", "xay"},
		{"$(EMPTY)", ""},
		{"$(UNKNOWN)", "$(UNKNOWN)"},
		{"$(UNKNOWN)$(A)", "$(UNKNOWN)a"},
		{"$(my.name-x)", "dotted"},
		{"$(REF)", "$(A)"}, // once only
		{"$(DOLLAR)(A)", "$(A)"},
		{"$$(A)", "$(A)"},
		{"$$$(A)", "$a"},
		{"$$$$(A)", "$$(A)"},
		{"$$", "$"},
		{"$", "$"},
		{"end$", "end$"},
		{"$A", "$A"},
		{"${A}", "${A}"},
		{"$(A", "$(A"},
		{"$(", "$("},
		{"$(A $(B)", "$(A $(B)"},
		{"$(A($(B)", "$(A($(B)"},
		{"$(A()", "paren"},
		{"$()", "no name"},
		{"$(A))", "a)"},
		{"a$b$(A)", "a$ba"},
		{"$\u00e9", "$\u00c3\xa9"}, // the kubelet splits the character
		{"\u00e9$(A)\u00e9", "\u00e9a\u00e9"},
	} {
		if got := Expand(c.in, lookup); got != c.want {
			t.Errorf("Expand(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"$(A)", "$$(A)", "$(A", "x$y$$", "$(UNKNOWN)", "$\u00e9$(A)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		asked := 0
		got := Expand(text, func(name string) (string, bool) {
			asked++
			if strings.Contains(name, ")") {
				t.Errorf("%q: a name ends at the first parenthesis, got %q", text, name)
			}
			return "", false
		})
		if asked > strings.Count(text, "$(") {
			t.Errorf("%q: looked up %d names", text, asked)
		}
		if !strings.Contains(text, "$") && got != text {
			t.Errorf("Expand(%q) = %q, though it has no reference", text, got)
		}
		// Doubling every dollar sign is how to write a text that means itself.
		escaped := strings.ReplaceAll(text, "$", "$$")
		if back := Expand(escaped, func(string) (string, bool) { return "x", true }); back != text {
			t.Errorf("Expand(%q) = %q, want %q", escaped, back, text)
		}
	})
}
