package yamltree_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/internal/yamltree"
)

func TestLocate(t *testing.T) {
	for _, c := range []struct {
		name   string
		text   string // the place between « and »
		path   node.Path
		target node.Target
	}{
		{"plain", "a: «x y» # c\n", node.P("a"), node.Value},
		{"double quoted", "a: «\"x \\\" # \\\\\"» # c\n", node.P("a"), node.Value},
		{"single quoted", "a: «'it''s # it'» # c\n", node.P("a"), node.Value},
		{"quoted over lines", "a: «\"x\n  y\\\n  z\"»\n", node.P("a"), node.Value},
		{"plain over lines", "a: «x\n  y\n\n  z»\nb: 1\n", node.P("a"), node.Value},
		{"plain behind its key", "a:\n  «x»\n", node.P("a"), node.Value},
		{"colon and hash inside", "a: «http://x#y:z»\n", node.P("a"), node.Value},
		{"tag", "a: «!!str 5»\n", node.P("a"), node.Value},
		{"anchor", "a: «&x 5»\nb: 1\n", node.P("a"), node.Value},
		{"anchor and tag, and a comment", "a: «&x !!str # c\n  5»\n", node.P("a"), node.Value},
		{"literal", "a: «|\n  x\n\n   y»\n\nb: 1\n", node.P("a"), node.Value},
		{"literal with header", "a: «|2-  # c\n    x\n   y»\nb: 1\n", node.P("a"), node.Value},
		{"literal kept", "a: «|+\n  x»\n\n\nb: 1\n", node.P("a"), node.Value},
		{"literal without content", "a:\n  b: «|-»\n\n  c: 1\n", node.P("a", "b"), node.Value},
		{"literal of one blank line", "a:\n  - b: «|-»\n      \n    c: 1\n", node.P("a", 0, "b"), node.Value},
		{"folded without content", "a:\n    b: «>»\n  \nc: 1\n", node.P("a", "b"), node.Value},
		{"literal that ends in more spaces", "a: «|\n  x\n    »\nb: 1\n", node.P("a"), node.Value},
		{"literal, CRLF", "a: «|\r\n  x\r\n  y»\r\nb: 1\r\n", node.P("a"), node.Value},
		{"folded", "a: «>-\n  x\n  y»\nb: 1\n", node.P("a"), node.Value},
		{"literal at the margin of its list", "- «|\n x»\n- y\n", node.P(0), node.Value},
		{"behind UTF-8", "a: {é: 1, 😀ö: «x»}\n", node.P("a", "😀ö"), node.Value},
		{"behind NEL, LS and PS", "a: \"x\u0085y\u2028z\u2029\"\nb: «v»\n", node.P("b"), node.Value},
		{"behind CR alone", "a: 1\rb: «v»\rc: 1\r", node.P("b"), node.Value},
		{"behind tabs", "a:\t\t«x\ty»\t# c\n", node.P("a"), node.Value},
		{"flow", "a: [ x, «y z» , {b: c} ]\n", node.P("a", 1), node.Value},
		{"flow over lines", "a: {\n  b: «c», # d\n  e: f\n}\n", node.P("a", "b"), node.Value},
		{"pair in a list", "a: [«b: c», d]\n", node.P("a", 0), node.Value},
		{"address", "a: [x, «fe80::»]\n", node.P("a", 1), node.Value},
		{"dash in a list", "a: [tee, «-»]\n", node.P("a", 1), node.Value},
		{"comment that touches", "a: «\"x\"»#c\nb: 1\n", node.P("a"), node.Value},
		{"JSON", "{\"a\": {\"b\": «\"c\"»}}", node.P("a", "b"), node.Value},
		{"null", "a: «~»\n", node.P("a"), node.Value},
		{"last of two keys", "a: 1\na: «2»\n", node.P("a"), node.Value},
		{"key like a bool", "«on»: 1\n", node.P("true"), node.KeyOf},

		{"nothing: the key", "«a»:\nb: 1\n", node.P("a"), node.Value},
		{"nothing in flow: the key", "a: {«b»: , c: 1}\n", node.P("a", "b"), node.Value},
		{"mapping", "a:\n  «b: 1\n  c:\n    - x\n    - y: z» # c\n# d\ne: 1\n", node.P("a"), node.Value},
		{"mapping with an anchor", "a: &x\n  «b: 1\n  c: 2»\nd: 1\n", node.P("a"), node.Value},
		{"mapping that ends in nothing", "a:\n  «b: 1\n  c:» # c\nd: 1\n", node.P("a"), node.Value},
		{"mapping that ends in a literal", "a:\n  «b: |\n    x»\n\nd: 1\n", node.P("a"), node.Value},
		{"mapping that ends in an alias", "x: &x 1\na:\n  «b: *x»\nd: 1\n", node.P("a"), node.Value},
		{"list", "a:\n«- x\n- y» # c\nb: 1\n", node.P("a"), node.Value},
		{"list that ends in nothing", "a:\n«- x\n-» # c\nb: 1\n", node.P("a"), node.Value},
		{"list in a list", "-  «- a\n   - b»\n- c\n", node.P(0), node.Value},
		{"item", "a:\n  - «b: 1\n    c: 2»\n  - d\n", node.P("a", 0), node.Value},
		{"empty braces", "a: «{}» # c\n", node.P("a"), node.Value},
		{"empty braces over lines", "a: «{ # c\n}»\n", node.P("a"), node.Value},
		{"empty brackets", "a: «[ ]»\n", node.P("a"), node.Value},
		{"braces", "a: «{b: '}', c: [d, ], e: }» # c\n", node.P("a"), node.Value},
		{"everything", "# c\n«a: 1\nb: 2»\n# d\n", nil, node.Value},

		{"key", "a:\n  «'b c'»: 1\n", node.P("a", "b c"), node.KeyOf},
		{"key with a tag", "«!!str a»: 1\n", node.P("a"), node.KeyOf},
		{"key of an item is the item", "a: [b, «c»]\n", node.P("a", 1), node.KeyOf},
		{"key behind a question mark", "? «a»\n: 1\n", node.P("a"), node.KeyOf},
		{"key that is an alias", "a: &x b\n«*x» : 1\n", node.P("b"), node.KeyOf},

		{"grip: the name", "- image: x\n  name: «y»\n", node.P(0), node.Grip},
		{"grip: metadata.name", "kind: Pod\nmetadata:\n  labels: {}\n  name: «y»\n", nil, node.Grip},
		{"grip: the key it stands under", "«a»:\n  b: 1\n  c: 2\n", node.P("a"), node.Grip},
		{"grip: the first key", "«b»: 1\nc: 2\n", nil, node.Grip},
		{"grip: a name that is no scalar", "«a»:\n  b: 1\n  name: {}\n", node.P("a"), node.Grip},
		{"grip: a name without a value", "«a»:\n  b: 1\n  name:\n", node.P("a"), node.Grip},
		{"grip of nothing: the key", "«a»:\n", node.P("a"), node.Grip},
		{"grip of a scalar", "a: «x»\n", node.P("a"), node.Grip},
		{"grip of braces", "a: «{}»\n", node.P("a"), node.Grip},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := strings.Index(c.text, "«")
			end := strings.Index(c.text, "»") - len("«")
			text := strings.NewReplacer("«", "", "»", "").Replace(c.text)
			const lead = "first: é\n---\n"
			f := source.NewFile("x", lead+text)
			tree, err := yamltree.Parse(f, source.Span{Start: len(lead) - 1, End: len(f.Text)})
			if err != nil {
				t.Fatal(err)
			}
			loc, ok := tree.Locate(c.path, c.target)
			if !ok {
				t.Fatal("not found")
			}
			if want := (source.Span{Start: len(lead) + start, End: len(lead) + end}); loc.Span != want {
				t.Errorf("got %q, want %q", f.Text[loc.Span.Start:loc.Span.End], f.Text[want.Start:want.End])
			}
		})
	}
}

// Behind an alias or merge key the place is where it is used, Defined where the
// text stands.
func TestLocateDefined(t *testing.T) {
	text := "base: &b\n  limits: &l\n    memory: 1Gi\n  name: n\nuse: *b\nmerged:\n  <<: *b\n  own: 1\nmany:\n  <<: [{x: y}, *b]\nshort: {<<: {k: v}}\nlist: [*l]\n"
	tree := parse(t, text)
	for _, c := range []struct {
		path          node.Path
		target        node.Target
		span, defined string
	}{
		{node.P("use"), node.Value, "*b", "limits: &l\n    memory: 1Gi\n  name: n"},
		{node.P("use"), node.KeyOf, "use", ""},
		{node.P("use"), node.Grip, "*b", "n"},
		{node.P("use", "limits", "memory"), node.Value, "*b", "1Gi"},
		{node.P("use", "limits", "memory"), node.KeyOf, "*b", "memory"},
		{node.P("merged", "limits", "memory"), node.Value, "*b", "1Gi"},
		{node.P("merged", "name"), node.Value, "*b", "n"},
		{node.P("merged", "own"), node.Value, "1", ""},
		{node.P("merged"), node.Grip, "merged", ""},
		{node.P("many", "name"), node.Value, "[{x: y}, *b]", "n"},
		{node.P("many", "x"), node.Value, "[{x: y}, *b]", "y"},
		{node.P("short", "k"), node.Value, "{k: v}", "v"},
		{node.P("list", 0, "memory"), node.Value, "*l", "1Gi"},
		{node.P("base", "limits", "memory"), node.Value, "1Gi", ""},
	} {
		loc, ok := tree.Locate(c.path, c.target)
		if !ok {
			t.Errorf("%s is not found", c.path)
			continue
		}
		defined := ""
		if loc.Defined != nil {
			defined = text[loc.Defined.Start:loc.Defined.End]
		}
		if span := text[loc.Span.Start:loc.Span.End]; span != c.span || defined != c.defined {
			t.Errorf("%s, target %d: at %q, defined at %q; want %q and %q", c.path, c.target, span, defined, c.span, c.defined)
		}
	}
	for _, p := range []node.Path{node.P("none"), node.P("use", "none"), node.P("list", 1), node.P("list", "x"), node.P("base", 0), node.P("merged", "own", "x")} {
		if loc, ok := tree.Locate(p, node.Value); ok {
			t.Errorf("%s is found at %v", p, loc.Span)
		}
		if tree.Has(p) {
			t.Errorf("there is something at %s", p)
		}
	}
}

// roundTrip checks for every scalar below v that its span, read alone, gives its
// value back, and the same for keys.
func roundTrip(t *testing.T, tree *yamltree.Tree) {
	t.Helper()
	root, _ := tree.Value(nil)
	for _, p := range allPaths(root, nil) {
		v, _ := tree.Value(p)
		loc, ok := tree.Locate(p, node.Value)
		if !ok {
			t.Fatalf("%s is not found", p)
		}
		text := loc.File.Text
		if s := loc.Span; s.Start < 0 || s.End < s.Start || s.End > len(text) {
			t.Fatalf("%s is at %v", p, s)
		}
		key, hasKey := loc, false
		if len(p) > 0 {
			if name, isKey := p[len(p)-1].Key(); isKey {
				key, hasKey = tree.Locate(p, node.KeyOf)
				if key.Defined == nil {
					end := key.Span.End
					if text[key.Span.Start] == '|' {
						end += len("\n")
					}
					if got := alone(t, text[key.Span.Start:end]); got != name {
						t.Errorf("the key of %s reads %q alone", p, got)
					}
				}
			}
		}
		span := loc.Span
		if loc.Defined != nil {
			span = *loc.Defined
		}
		if hasKey && v == nil && (span == key.Span || key.Defined != nil && span == *key.Defined) {
			continue // nothing is written
		}
		switch v.(type) {
		case map[string]any, []any:
			continue
		}
		// A block scalar may say how it is indented below its parent, and may
		// keep the blank lines behind it.
		lead := ""
		if c := text[min(span.Start, len(text)-1)]; c == '|' || c == '>' || c == '&' || c == '!' {
			if hasKey && key.Defined == nil {
				lead = indentOf(loc.File, key.Span.Start) + "k: "
			}
			for span.End < len(text) && strings.IndexByte(" \r\n", text[span.End]) >= 0 {
				span.End++
			}
			span.End = min(span.End, tree.Span().End)
		}
		again, err := yamltree.Parse(source.NewFile("alone", lead+text[span.Start:span.End]), source.Span{End: len(lead) + span.End - span.Start})
		if err != nil {
			t.Errorf("%s reads %q alone: %v", p, text[span.Start:span.End], err)
			continue
		}
		at := node.Path(nil)
		if lead != "" {
			at = node.P("k")
		}
		got, _ := again.Value(at)
		if !same(got, v) { // what only stands within brackets
			in := "[" + text[span.Start:span.End] + "]"
			if flow, err := yamltree.Parse(source.NewFile("alone", in), source.Span{End: len(in)}); err == nil {
				got, _ = flow.Value(node.P(0))
			}
		}
		if !same(got, v) {
			t.Errorf("%s is %q; %q alone is %q", p, v, text[span.Start:span.End], got)
		}
	}
}

func same(a, b any) bool {
	if x, ok := a.(float64); ok && x != x {
		y, ok := b.(float64)
		return ok && y != y
	}
	return reflect.DeepEqual(a, b)
}

func alone(t *testing.T, text string) string {
	t.Helper()
	tree, err := yamltree.Parse(source.NewFile("alone", "? "+text), source.Span{End: 2 + len(text)})
	if err != nil {
		return err.Error()
	}
	v, _ := tree.Value(nil)
	for k := range v.(map[string]any) {
		return k
	}
	return ""
}

// indentOf is as many spaces as there are characters before an offset in its
// line.
func indentOf(f *source.File, at int) string {
	line := strings.LastIndexAny(f.Text[:at], "\r\n") + 1
	return strings.Repeat(" ", utf8.RuneCountInString(f.Text[line:at]))
}

// oddities are documents with everything that makes positions hard.
var oddities = []string{
	deployment, flowDeployment, strings.ReplaceAll(deployment, "\n", "\r\n"),
	"a: x y\nb: \"x\\\"y\\u00e9\\n\"\nc: 'it''s'\nd: x\n  y\n\n  z\ne: \"x\n\n  y\\\n  z\"\n",
	"a: |\n  x\n   y\n\n  z\nb: >-\n  x\n  y\n\n  z\nc: |+\n  x\n\n\nd: |2-\n    x\n   y\ne: |\n\n  x\nf: |-\n  x\n    \ng: 1\n",
	"a:\n- |\n  x\n- >1\n   y\n  z\n- - |\n    q\n  - r\n- k: |-\n    s\n  l: >\n    t\n",
	"a: &x !!str 5\nb: *x\nc: &y # c\n  - 1\n  - &z q\nd: *y\ne: {<<: {f: 1}, g: 2}\nh: !local i\nj: !!binary aGk=\nk: !!float 1\n",
	"a: {b: 1, c: [x, 'y, z', {d: e}, f: g], \"h\": }\ni: [ ]\nj: [a, ]\nk: {\n  l: m # n\n  , o: p\n}\n",
	"é: 😀 ö\nö: {ß: ä, 日本: \"語\"}\nz: |\n  日本\n  語\n",
	"a: \"x\u0085 y\u2028 z\u2029 w\"\nb: v\nc: [\"\u2028\", w]\n",
	"a: 1\rb: x\r  y\rc: |\r  z\r  w\rd: 1\r",
	"a:\tx\ty\t# c\nb: [\t1,\t2 ]\nc: |\n  \tx\n  \t\nd: 1\n",
	"? a\n: b\n? |\n  c\n: - d\n  - e\n? 'f'\n: g: h\n",
	"a:\nb: ~\nc: null\nd:\n  e:\n  f:\ng: \"\"\nh: ''\ni: !!str\nj: &n\n",
	"yes: no\non: off\n1: 2\n0x10: 0b11\n1.5: .5\n~x: 1_000\n2001-01-01: 2001-01-01\n.inf: .nan\n",
	"{\"a\": [1, -2, 3.5e10, true, null, \"\\u00e9\\\"\"], \"b\": {}, \"c\": [[]]}",
	"- - - a\n    - b\n  - c\n-\n  - d\n- e: f\n  g:\n  - h\n-\n",
	"a: [fe80::, x:y, -, 'z']\nb: {c: -, d: x:y}\ne: \"q\"#c\n",
	" \n# c\na: b # c\n# c\n\nc:   d   \n",
	"a: |\n\n\n\nb: >\n\nc: |-\nd: 1\n",
	"--- # behind dashes\na: 1\n",
	"a: !<tag:yaml.org,2002:str> 5\nb: ! 6\n",
}

func TestPositionRoundTrip(t *testing.T) {
	for _, text := range oddities {
		t.Run("", func(t *testing.T) {
			tree := parse(t, text)
			roundTrip(t, tree)
			if t.Failed() {
				t.Logf("in:\n%s", text)
			}
		})
	}
}

func FuzzPositions(f *testing.F) {
	for _, text := range oddities {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		tree, err := yamltree.Parse(source.NewFile("x", text), source.Span{End: len(text)})
		if err != nil || tree.Check() != nil || tree.Empty() {
			return
		}
		v, _ := tree.Value(nil)
		for _, p := range allPaths(v, nil) {
			for _, target := range []node.Target{node.Value, node.KeyOf, node.Grip} {
				loc, ok := tree.Locate(p, target)
				if !ok {
					t.Fatalf("%s is not found in %q", p, text)
				}
				for _, s := range []*source.Span{&loc.Span, loc.Defined} {
					if s != nil && (s.Start < 0 || s.End < s.Start || s.End > len(text)) {
						t.Fatalf("%s is at %v in %q", p, *s, text)
					}
				}
			}
			oneLineRoundTrip(t, tree, p, text)
		}
	})
}

// oneLineRoundTrip holds the text of a scalar that stands in one line against
// its value: a plain string is its value, any other reads as it alone.
func oneLineRoundTrip(t *testing.T, tree *yamltree.Tree, p node.Path, text string) {
	loc, _ := tree.Locate(p, node.Value)
	written := text[loc.Span.Start:loc.Span.End]
	want, _ := tree.Value(p)
	switch want.(type) {
	case map[string]any, []any, nil:
		return
	}
	if key, ok := tree.Locate(p, node.KeyOf); ok && key.Span == loc.Span && want == "" {
		return // nothing is written: the key stands for it
	}
	if loc.Defined != nil || strings.ContainsAny(written, "\n\r\u0085\u2028\u2029") || strings.ContainsAny(written[:min(1, len(written))], "|>&!") {
		return
	}
	if plain, ok := want.(string); ok && !strings.HasPrefix(written, `"`) && !strings.HasPrefix(written, "'") {
		if written != plain { // what it means alone may depend on the brackets around it
			t.Fatalf("%s: %q of %q is not its value %q", p, written, text, plain)
		}
		return
	}
	alone := "- " + written
	again, err := yamltree.Parse(source.NewFile("x", alone), source.Span{End: len(alone)})
	if err != nil {
		t.Fatalf("%s: %q of %q cannot be read alone: %v", p, written, text, err)
	}
	if got, _ := again.Value(node.P(0)); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: %q of %q reads as %#v alone, want %#v", p, written, text, got, want)
	}
}
