package loader

import "testing"

func TestSniffName(t *testing.T) {
	for text, want := range map[string]string{
		"kind: X\nmetadata:\n  name: a\ndata: \"":                             "a",
		"metadata:\n    labels:\n      name: no\n    name: 'a' # b\n":         "a",
		"metadata:\n\n  # the name\n  namespace: x\n  name: \"a\"\r\nspec: [": "a",
		"metadata:\n  labels: {}\nspec:\n  name: no\n":                        "",
		"metadata: {name: a\n":                                                "",
		"spec:\n  metadata:\n    name: no\n":                                  "",
		"metadata:\n":                                                         "",
		"":                                                                    "",
	} {
		if got := sniffName(text); got != want {
			t.Errorf("sniffName(%q) = %q, want %q", text, got, want)
		}
	}
}
