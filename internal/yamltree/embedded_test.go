package yamltree_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// Every byte of a string is found where the text spells it, in every style that
// keeps the bytes together.
func TestInside(t *testing.T) {
	for name, text := range map[string]string{
		"literal":            "data:\n  k: |\n    one: é\n      two: 2\n\n    three\n",
		"literal, crlf":      "data:\r\n  k: |-\r\n    one: é\r\n      two: 2\r\n\r\n    three\r\n",
		"literal, digit":     "data:\n  k: |2 # c\n      one: é\n     two\n",
		"literal, commented": "data:\n  k: |+ # c\n\n\n    three\n    four\n\n",
		"literal, in a list": "data: {}\nk:\n- |\n  three\n  four\n",
		"double":             `data: {k: "one: é\n  \"two\"\tthree\u0021\\"}`,
		"json":               `{"data": {"k": "{\n  \"three\": 1,\n}\/"}}`,
		"single":             "data: {k: 'it''s three'}\n",
		"plain":              "data:\n  k: three and four\n",
		"anchored":           "data:\n  k: &a !!str three and four\n",
	} {
		tree, err := tryParse(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		at := node.P("data", "k")
		if strings.HasPrefix(text, "data: {}") {
			at = node.P("k", 0)
		}
		value, ok := tree.String(at)
		if !ok {
			t.Fatalf("%s: no string", name)
		}
		for i := range len(value) {
			if value[i] == '\n' {
				continue
			}
			loc, ok := tree.Inside(at, source.Span{Start: i, End: i + 1})
			got := loc.File.Text[loc.Span.Start:loc.Span.End]
			if !ok || got != value[i:i+1] && !(got == `\`+value[i:i+1] || got == `\t` || got == `\u0021` || got == "''") {
				t.Errorf("%s: byte %d %q is found at %q", name, i, value[i], got)
			}
		}
	}
}

// Where the text does not spell a part out, it is the whole.
func TestInsideFolded(t *testing.T) {
	tree, err := tryParse("data:\n  k: >\n    one\n    two\n")
	if err != nil {
		t.Fatal(err)
	}
	loc, ok := tree.Inside(node.P("data", "k"), source.Span{Start: 4, End: 7})
	if got := loc.File.Text[loc.Span.Start:loc.Span.End]; !ok || !strings.HasPrefix(got, ">") {
		t.Errorf("got %q, %v", got, ok)
	}
	if _, ok := tree.Inside(node.P("data"), source.Span{}); ok {
		t.Error("a mapping has an inside")
	}
	for _, part := range []source.Span{{Start: -1, End: 2}, {Start: 0, End: 99}, {Start: 3, End: 1}} {
		if loc, ok := tree.Inside(node.P("data", "k"), part); !ok || loc.Span.Start > loc.Span.End {
			t.Errorf("%v: %v, %v", part, loc.Span, ok)
		}
	}
}

func TestEmbedded(t *testing.T) {
	tree, err := tryParse("a: |\n  # comment\n  ---\n  x: 1\n  why: 2\n  ---\n  z: [\nb: |\n  x: 1\n   y: 2\nc: 3\nd: |\n  x: 1\n  x: 2\n")
	if err != nil {
		t.Fatal(err)
	}
	doc, bad := tree.Embedded(node.P("a"))
	if doc == nil || bad != nil {
		t.Fatalf("a: %v, %v", doc, bad)
	}
	loc, ok := doc.Locate(node.P("why"), node.KeyOf)
	here, _ := tree.Inside(node.P("a"), loc.Span)
	if got := here.File.Text[here.Span.Start:here.Span.End]; !ok || got != "why" || here.File.Position(here.Span.Start).Line != 5 {
		t.Errorf("why stands at %q in line %d", got, here.File.Position(here.Span.Start).Line)
	}
	doc, bad = tree.Embedded(node.P("b"))
	if doc != nil || bad == nil || bad.Message == "" {
		t.Fatalf("b: %v, %v", doc, bad)
	}
	here, _ = tree.Inside(node.P("b"), bad.Here.Span)
	if line := here.File.Position(here.Span.Start).Line; line != 10 {
		t.Errorf("the fault of b is in line %d", line)
	}
	if doc, bad := tree.Embedded(node.P("c")); doc != nil || bad != nil {
		t.Errorf("c: %v, %v", doc, bad)
	}
	if doc, _ := tree.Embedded(node.P("d")); doc == nil || len(doc.Duplicates(nil)) != 1 {
		t.Errorf("d: %v", doc)
	}
}

// No string makes Inside or Embedded panic, or leave the file; in JSON every byte
// of a character that is not escaped is found where it stands.
func FuzzEmbedded(f *testing.F) {
	for _, s := range []string{"a: 1\nb: [", "\t x\n\n y", "é \u2028 \\ \" '", "- |\n  a\n---\nb", "\r\n", "# c\n...\n"} {
		f.Add(s, 0, 1)
	}
	f.Fuzz(func(t *testing.T, s string, from, to int) {
		quoted, err := json.Marshal(map[string]string{"k": s})
		if err != nil {
			t.Fatal(err) // a string can always be written as JSON
		}
		block := "k: |2-\n  " + strings.ReplaceAll(s, "\n", "\n  ") + "\n"
		for _, text := range []string{string(quoted), block} {
			tree, err := tryParse(text)
			if err != nil {
				continue
			}
			at := node.P("k")
			loc, ok := tree.Inside(at, source.Span{Start: from, End: to})
			if ok && (loc.Span.Start < 0 || loc.Span.Start > loc.Span.End || loc.Span.End > len(text)) {
				t.Fatalf("%q: %d to %d", text, loc.Span.Start, loc.Span.End)
			}
			doc, bad := tree.Embedded(at)
			if doc != nil {
				doc.Value(nil)
				doc.Duplicates(nil)
			}
			if value, _ := tree.String(at); bad != nil && (bad.Here.Span.Start < 0 || bad.Here.Span.Start > len(value)) {
				t.Fatalf("%q: fault at %d of %d", value, bad.Here.Span.Start, len(value))
			}
		}
	})
}
