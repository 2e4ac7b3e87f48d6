package yamltree_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	sigs "sigs.k8s.io/yaml"

	"github.com/crashlint/crashlint/internal/fix"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/internal/yamltree"
)

func set(value any, path ...any) node.Op {
	return node.Op{Kind: node.Set, Path: node.P(path...), Value: value}
}
func remove(path ...any) node.Op { return node.Op{Kind: node.Remove, Path: node.P(path...)} }
func add(value any, path ...any) node.Op {
	return node.Op{Kind: node.Append, Path: node.P(path...), Value: value}
}

func parse(t testing.TB, text string) *yamltree.Tree {
	t.Helper()
	tree, err := yamltree.Parse(source.NewFile("x.yaml", text), source.Span{End: len(text)})
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return tree
}

func TestEdit(t *testing.T) {
	probe := node.Fields{
		{Key: "httpGet", Value: node.Fields{{Key: "path", Value: "/ready"}, {Key: "port", Value: int64(8080)}}},
		{Key: "failureThreshold", Value: 30},
	}
	type ops []node.Op
	for _, c := range []struct {
		name string
		text string
		ops  ops
		want string
	}{
		// Scalars.
		{"number", "a: 1 # why\nb: 2\n", ops{set(3, "a")}, "a: 3 # why\nb: 2\n"},
		{"string stays plain", "a: x\n", ops{set("512Mi", "a")}, "a: 512Mi\n"},
		{"double quotes stay", `a: "x" # c` + "\n", ops{set("512Mi", "a")}, `a: "512Mi" # c` + "\n"},
		{"single quotes stay", "a: 'x'\n", ops{set("it's", "a")}, "a: 'it''s'\n"},
		{"single quotes cannot hold it", "a: 'x'\n", ops{set("a\x01", "a")}, `a: "a\u0001"` + "\n"},
		{"quotes go with a number", "a: \"1\"\n", ops{set(5, "a")}, "a: 5\n"},
		{"bool", "a: 'no'\n", ops{set(false, "a")}, "a: false\n"},
		{"float", "a: 1\n", ops{set(0.5, "a")}, "a: 0.5\n"},
		{"null", "a: 1\n", ops{set(nil, "a")}, "a: null\n"},
		{"tag goes", "a: !!str 5\n", ops{set(6, "a")}, "a: 6\n"},
		{"anchor stays", "a: &x 5\n", ops{set(6, "a")}, "a: &x 6\n"},
		{"alias replaced", "a: &x 5\nb: *x\n", ops{set(6, "b")}, "a: &x 5\nb: 6\n"},
		{"empty value", "a:\nb: 1\n", ops{set("x", "a")}, "a: x\nb: 1\n"},
		{"empty value with comment", "a: # why\nb: 1\n", ops{set("x", "a")}, "a: x # why\nb: 1\n"},
		{"item", "- a\n- b # c\n", ops{set("x", 1)}, "- a\n- x # c\n"},
		{"empty item", "-\n- b\n", ops{set("x", 0)}, "- x\n- b\n"},
		{"in flow", "a: {b: 1, c: [x, y]}\n", ops{set("p, q", "a", "c", 0)}, "a: {b: 1, c: [\"p, q\", y]}\n"},
		{"multi-line plain", "a: x\n  y\n  z\nb: 1\n", ops{set("w", "a")}, "a: w\nb: 1\n"},
		{"literal", "a:\n  b: |\n    x\n    y\n  c: 1\n", ops{set("p\n\nq\n", "a", "b")}, "a:\n  b: |\n    p\n\n    q\n  c: 1\n"},
		{"literal without break", "a: |\n  x\nb: 1\n", ops{set("p\nq", "a")}, "a: |-\n  p\n  q\nb: 1\n"},
		{"plain becomes literal", "a: x\nb: 1\n", ops{set("p\nq\n", "a")}, "a: |\n  p\n  q\nb: 1\n"},
		{"comment behind it", "a: x # c\nb: 1\n", ops{set("p\nq\n", "a")}, "a: \"p\\nq\\n\" # c\nb: 1\n"},
		{"literal cannot hold it", "a: |\n  x\nb: 1\n", ops{set(" x \n", "a")}, "a: \" x \\n\"\nb: 1\n"},
		{"nothing to do", "a: 0x10\n", ops{}, "a: 0x10\n"},
		{"CRLF literal", "a: x\r\nb: 1\r\n", ops{set("p\nq\n", "a")}, "a: |\r\n  p\r\n  q\r\nb: 1\r\n"},

		// Keys.
		{"new key", "a:\n  b: 1\n", ops{set("x", "a", "c")}, "a:\n  b: 1\n  c: x\n"},
		{"new key at the root", "a: 1\n", ops{set(2, "b")}, "a: 1\nb: 2\n"},
		{"new key without last line break", "a: 1", ops{set(2, "b")}, "a: 1\nb: 2"},
		{"new key before the next section", "a:\n  b: 1 # one\n\n# about d\nd: 2\n", ops{set(2, "a", "c")}, "a:\n  b: 1 # one\n  c: 2\n\n# about d\nd: 2\n"},
		{"new key in an item", "- a: 1\n- b: 1\n", ops{set(2, 0, "c")}, "- a: 1\n  c: 2\n- b: 1\n"},
		{"new key after a literal", "a:\n  b: |\n    x\nc: 1\n", ops{set(2, "a", "d")}, "a:\n  b: |\n    x\n  d: 2\nc: 1\n"},
		{"new key after a kept literal", "a:\n  b: |+\n    x\n\n\nc: 1\n", ops{set(2, "a", "d")}, "a:\n  b: |+\n    x\n\n\n  d: 2\nc: 1\n"},
		{"new key after nested", "a:\n  b:\n  - x\n  # of d\n  d:\n    e: 1\nf: 1\n", ops{set(2, "a", "g")}, "a:\n  b:\n  - x\n  # of d\n  d:\n    e: 1\n  g: 2\nf: 1\n"},
		{"new key CRLF", "a:\r\n  b: 1\r\nc: 2\r\n", ops{set(probe, "a", "p")},
			"a:\r\n  b: 1\r\n  p:\r\n    httpGet:\r\n      path: /ready\r\n      port: 8080\r\n    failureThreshold: 30\r\nc: 2\r\n"},
		{"key that needs quotes", "a: 1\n", ops{set(2, "on"), set(3, "x: y")}, "a: 1\n\"on\": 2\n\"x: y\": 3\n"},
		{"mapping in the step of the text", "a:\n    b: 1\n", ops{set(probe, "a", "p")},
			"a:\n    b: 1\n    p:\n        httpGet:\n            path: /ready\n            port: 8080\n        failureThreshold: 30\n"},
		{"list as lists are", "a:\n- x\n", ops{set([]any{"p", "q"}, "b")}, "a:\n- x\nb:\n- p\n- q\n"},
		{"list as lists are, indented", "a:\n  - x\n", ops{set([]any{"p", []any{"q"}}, "b")}, "a:\n  - x\nb:\n  - p\n  - - q\n"},
		{"map is sorted", "a: 1\n", ops{set(map[string]any{"z": 1, "b": []any{}, "c": map[string]any{}}, "m")}, "a: 1\nm:\n  b: []\n  c: {}\n  z: 1\n"},
		{"list of mappings", "a:\n- x\n", ops{set([]any{node.Fields{{Key: "k", Value: 1}, {Key: "m", Value: "t"}}}, "b")}, "a:\n- x\nb:\n- k: 1\n  m: t\n"},
		{"missing parents", "a:\n  b: 1\n", ops{set("1Gi", "a", "resources", "limits", "memory")}, "a:\n  b: 1\n  resources:\n    limits:\n      memory: 1Gi\n"},
		{"missing parents shared", "a:\n  b: 1\n", ops{set("1Gi", "a", "r", "limits", "memory"), set("1", "a", "r", "limits", "cpu"), set("1Gi", "a", "r", "requests", "memory")},
			"a:\n  b: 1\n  r:\n    limits:\n      memory: 1Gi\n      cpu: \"1\"\n    requests:\n      memory: 1Gi\n"},
		{"missing parents with a list", "a:\n  b: 1\n", ops{set(8080, "a", "ports", 0, "port")}, "a:\n  b: 1\n  ports:\n    - port: 8080\n"},
		{"parent is null", "a:\n  r:\n  b: 1\n", ops{set(2, "a", "r", "c")}, "a:\n  r:\n    c: 2\n  b: 1\n"},
		{"parent is null with comment", "a:\n  r: ~ # none\n  b: 1\n", ops{set(2, "a", "r", "c")}, "a:\n  r: # none\n    c: 2\n  b: 1\n"},
		{"parent is empty", "a:\n  r: {} # none\n  b: 1\n", ops{set(2, "a", "r", "c")}, "a:\n  r: # none\n    c: 2\n  b: 1\n"},
		{"parent is empty in an item", "- {}\n- b\n", ops{set(2, 0, "c"), set(3, 0, "d")}, "- c: 2\n  d: 3\n- b\n"},
		{"flow", "a: {b: 1}\n", ops{set("x", "a", "c")}, "a: {b: 1, c: x}\n"},
		{"flow with quoted keys", `a: {"b": 1}` + "\n", ops{set("x", "a", "c")}, `a: {"b": 1, "c": x}` + "\n"},
		{"flow nested", "a: {b: {}}\n", ops{set("x", "a", "b", "c", "d")}, "a: {b: {c: {d: x}}}\n"},
		{"flow in lines", "a: {\n  b: 1\n}\n", ops{set("x", "a", "c")}, "a: {\n  b: 1,\n  c: x\n}\n"},
		{"flow with an empty value", "a: {b: }\n", ops{set("x", "a", "c")}, "a: {b: , c: x}\n"},
		{"second document keeps its place", " # c\na: 1\n", ops{set(2, "b")}, " # c\na: 1\nb: 2\n"},

		// JSON.
		{"JSON scalar", `{"a": "x", "b": 1}`, ops{set("y", "a"), set("on", "b")}, `{"a": "y", "b": "on"}`},
		{"JSON key", `{"a": {"b": 1}}`, ops{set(probe, "a", "p")}, `{"a": {"b": 1, "p": {"httpGet": {"path": "/ready", "port": 8080}, "failureThreshold": 30}}}`},
		{"JSON in lines", "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n", ops{set("x", "a", "c")}, "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": \"x\"\n  }\n}\n"},
		{"JSON empty", `{"a": {}, "l": []}`, ops{set(true, "a", "b"), add("x", "l")}, `{"a": {"b": true}, "l": ["x"]}`},
		{"JSON append", "{\"l\": [\n  \"a\"\n]}", ops{add("b", "l")}, "{\"l\": [\n  \"a\",\n  \"b\"\n]}"},
		{"JSON remove", "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n", ops{remove("c"), remove("a")}, "{\n  \"b\": 2\n}\n"},

		// Values of another kind.
		{"scalar becomes a mapping", "a: 5 # c\nb: 1\n", ops{set(node.Fields{{Key: "x", Value: 1}}, "a")}, "a: # c\n  x: 1\nb: 1\n"},
		{"mapping becomes a scalar", "a:\n  x: 1\n  y: 2\nb: 1\n", ops{set("z", "a")}, "a: z\nb: 1\n"},
		{"mapping becomes a mapping", "a: # c\n  x: 1\n  y: 2\nb: 1\n", ops{set(node.Fields{{Key: "z", Value: 1}}, "a")}, "a: # c\n  z: 1\nb: 1\n"},
		{"list becomes a mapping", "a:\n  - x\nb: 1\n", ops{set(node.Fields{{Key: "z", Value: 1}}, "a")}, "a:\n  z: 1\nb: 1\n"},
		{"literal becomes a list", "a: |\n  x\n  y\nb: 1\n", ops{set([]any{1, 2}, "a")}, "a:\n  - 1\n  - 2\nb: 1\n"},
		{"item becomes a mapping", "- x\n- y\n", ops{set(node.Fields{{Key: "p", Value: 1}, {Key: "q", Value: 2}}, 1)}, "- x\n- p: 1\n  q: 2\n"},
		{"alias becomes a mapping", "a: &x {p: 1}\nb: *x\n", ops{set(node.Fields{{Key: "q", Value: 2}}, "b")}, "a: &x {p: 1}\nb:\n  q: 2\n"},
		{"list becomes empty", "a:\n- x\n- y\nb: 1\n", ops{set([]any{}, "a")}, "a: []\nb: 1\n"},

		// Remove.
		{"remove a key", "a: 1\nb: 2 # two\nc: 3\n", ops{remove("b")}, "a: 1\nc: 3\n"},
		{"remove the first of an item", "- a: 1\n  b: 2\n", ops{remove(0, "a")}, "- b: 2\n"},
		{"remove the last without line break", "a: 1\nb: 2", ops{remove("b")}, "a: 1"},
		{"remove a mapping", "a:\n  b:\n    c: 1\n    d: |\n      x\n\n  e: 1\n", ops{remove("a", "b")}, "a:\n\n  e: 1\n"},
		{"remove the only key", "a:\n  b: 1\nc: 2\n", ops{remove("a", "b")}, "a: {}\nc: 2\n"},
		{"remove the only key of an item", "- a: 1\n- b\n", ops{remove(0, "a")}, "- {}\n- b\n"},
		{"remove the only key of all", "a: 1\n", ops{remove("a")}, "{}\n"},
		{"remove the only item", "a:\n  - b: 1\n    c: 2\nd: 1\n", ops{remove("a", 0)}, "a: []\nd: 1\n"},
		{"remove the only item below a comment", "a:\n# of x\n- x\nb: 1\n", ops{remove("a", 0)}, "a:\n# of x\n  []\nb: 1\n"},
		{"remove an item", "a:\n- x\n- y # c\n- z\n", ops{remove("a", 1)}, "a:\n- x\n- z\n"},
		{"remove an item of mappings", "a:\n  - n: x\n    v: 1\n  # of y\n  - n: y\n    v: 2\n", ops{remove("a", 0)}, "a:\n  # of y\n  - n: y\n    v: 2\n"},
		{"remove an empty item", "- a\n-\n- b\n", ops{remove(1)}, "- a\n- b\n"},
		{"remove the first nested item", "- - a\n  - b\n", ops{remove(0, 0)}, "- - b\n"},
		{"remove in flow", "a: {b: 1, c: 2, d: 3}\n", ops{remove("a", "b"), remove("a", "d")}, "a: {c: 2}\n"},
		{"remove the only one in flow", "a: {b: 1}\nl: [x]\n", ops{remove("a", "b"), remove("l", 0)}, "a: {}\nl: []\n"},
		{"remove an empty value", "a:\nb:\nc: 1\n", ops{remove("b")}, "a:\nc: 1\n"},
		{"remove CRLF", "a: 1\r\nb: 2\r\nc: 3\r\n", ops{remove("b")}, "a: 1\r\nc: 3\r\n"},
		{"remove an alias", "a: &x 1\nb: *x\nc: 2\n", ops{remove("b")}, "a: &x 1\nc: 2\n"},

		// Append.
		{"append", "a:\n- x # c\n# d\nb: 1\n", ops{add("w", "a")}, "a:\n- x # c\n- w\n# d\nb: 1\n"},
		{"append indented", "a:\n  - x\nb: 1\n", ops{add(node.Fields{{Key: "k", Value: "p"}, {Key: "v", Value: "1"}}, "a")}, "a:\n  - x\n  - k: p\n    v: \"1\"\nb: 1\n"},
		{"append to mappings", "a:\n- n: x\n  v: |\n    t\nb: 1\n", ops{add(node.Fields{{Key: "k", Value: "w"}}, "a")}, "a:\n- n: x\n  v: |\n    t\n- k: w\nb: 1\n"},
		{"append in flow", "a: [x, y]\n", ops{add("z", "a")}, "a: [x, y, z]\n"},
		{"append to empty", "a: []\nb: 1\n", ops{add("z", "a")}, "a:\n  - z\nb: 1\n"},
		{"append to nothing", "a:\n  c: 1\nb: 1\n", ops{add("z", "a", "l")}, "a:\n  c: 1\n  l:\n    - z\nb: 1\n"},
		{"append twice", "a:\n- x\n", ops{add("w", "a"), add("z", "a")}, "a:\n- x\n- w\n- z\n"},
		{"set the item behind the last", "a:\n- x\n", ops{set("w", "a", 1)}, "a:\n- x\n- w\n"},
		{"append to a nested list", "- - a\n- b\n", ops{add("c", 0)}, "- - a\n  - c\n- b\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Behind another document, so that offsets in document and file differ.
			const lead = "x: 1\n---\n"
			f := source.NewFile("x.yaml", lead+c.text)
			tree, err := yamltree.Parse(f, source.Span{Start: len(lead), End: len(f.Text)})
			if err != nil {
				t.Fatal(err)
			}
			edits, err := tree.Edit(c.ops...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := fix.Apply(f, edits)
			if err != nil {
				t.Fatal(err)
			}
			if want := lead + c.want; got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// Strings that are something else without quotes, to kubectl or to others.
func TestEditQuotes(t *testing.T) {
	for s, want := range map[string]string{
		"yes": `"yes"`, "no": `"no"`, "on": `"on"`, "y": `"y"`, "true": `"true"`, "null": `"null"`, "~": `"~"`, "": `""`,
		"443": `"443"`, "1e3": `"1e3"`, "0x1F": `"0x1F"`, "0777": `"0777"`, "08": `"08"`, "1_000": `"1_000"`, "1:30": `"1:30"`, ".5": `".5"`, ".inf": `".inf"`,
		"1.10": `"1.10"`, "2001-01-01": `"2001-01-01"`, "-1": `"-1"`, "+1": `"+1"`, "-": `"-"`, "---": `"---"`, "- x": `"- x"`, "<<": `"<<"`, "=": `"="`,
		"a: b": `"a: b"`, "a #b": `"a #b"`, "#a": `"#a"`, "a:": `"a:"`, ":8080": `":8080"`, "@a": `"@a"`, "`a`": "\"`a`\"", "%a": `"%a"`, "*a": `"*a"`, "&a": `"&a"`,
		"!a": `"!a"`, "{a": `"{a"`, "[a]": `"[a]"`, " a": `" a"`, "a ": `"a "`, "{{ x }}": `"{{ x }}"`, `"a"`: `'"a"'`, `a\b`: `a\b`, `'a"`: `'''a"'`,
		"a\tb": `"a\tb"`, "é": "é", "a\u0085b": `"a\u0085b"`, "\u2028": `"\u2028"`, "\ufeffa": `"\ufeffa"`, "😀": "😀",
		"-Xmx1g": "-Xmx1g", "--flag=x": "--flag=x", "512Mi": "512Mi", "10s": "10s", "1.2.3": "1.2.3", "/ready": "/ready", "$(VAR)": "$(VAR)", "nginx:1.25": "nginx:1.25",
		"http://x/y?z#w": "http://x/y?z#w", "a,b": "a,b", "nonsense": "nonsense", "./run.sh": "./run.sh", "25%": "25%", "it's": "it's",
	} {
		tree := parse(t, "a: x\n")
		edits, err := tree.Edit(set(s, "a"))
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		got, _ := fix.Apply(tree.File(), edits)
		got = strings.TrimSuffix(strings.TrimPrefix(got, "a: "), "\n")
		if got != want {
			t.Errorf("%q is written %s, want %s", s, got, want)
		}
	}
}

func TestEditRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text string
		op         node.Op
		fault      string
	}{
		{"behind an alias", "a: &x {b: 1}\nc: *x\n", set(2, "c", "b"), "c stands behind the alias *x"},
		{"from a merge key", "a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n", set(2, "c", "b"), "c.b comes from a merge key"},
		{"within a merged mapping", "a: &x {b: {e: 1}}\nc:\n  <<: *x\n", set(2, "c", "b", "e"), "comes from a merge key"},
		{"anchored value used elsewhere", "a: &x 1\nb: *x\n", set(2, "a"), "would alter something else"},
		{"anchored mapping used elsewhere", "a: &x\n  b: 1\nc: *x\n", set(2, "a", "d"), "would alter something else"},
		{"anchor removed", "a: &x 1\nb: *x\n", remove("a"), "cannot be made in the text"},
		{"hidden duplicate", "a: 1\na: 2\n", remove("a"), "would alter something else"},
		{"nothing to remove", "a: 1\n", remove("b"), "nothing to remove"},
		{"no such item", "a: [1]\n", remove("a", 1), "nothing to remove"},
		{"item too far", "a: [1]\n", set(1, "a", 2), "there is no item 2"},
		{"item of nothing", "a: 1\n", set(1, "b", 2), "there is no item 2"},
		{"key of a list", "a:\n- 1\n", set(1, "a", "b"), "not a mapping"},
		{"key of a scalar", "a: 1\n", set(1, "a", "b"), "not a mapping"},
		{"item of a mapping", "a: {b: 1}\n", set(1, "a", 0), "not a list"},
		{"append to a mapping", "a: {b: 1}\n", add(1, "a"), "not a list"},
		{"everything", "a: 1\n", remove(), "whole document"},
		{"question marks", "? a\n: 1\n", set(1, "b"), "question marks"},
		{"comma at the end", "a: [b, ]\n", add("c", "a"), "ends in a comma"},
		{"comment of the next entry", "- a: 1\n  # of b\n  b: 2\n", remove(0, "a"), "a comment stands between"},
		{"not a value", "a: 1\n", set(struct{}{}, "a"), "cannot be written"},
		{"not a number", "a: 1\n", set(nan(), "a"), "unsupported value"},
		{"not UTF-8", "a: 1\n", set("\xff", "a"), "not UTF-8"},
		{"empty document", "# nothing\n", set(1, "a"), "empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			edits, err := parse(t, c.text).Edit(c.op)
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %v, %v; want an error about %q", edits, err, c.fault)
			}
		})
	}
}

func nan() float64 { var zero float64; return zero / zero }

// change makes the operation on a JSON value: a model of Edit that knows no
// text.
func change(v any, op node.Op) any {
	if len(op.Path) == 0 {
		if op.Kind == node.Append {
			list, _ := v.([]any)
			return append(append([]any{}, list...), op.Value)
		}
		return op.Value
	}
	inner := op
	inner.Path = op.Path[1:]
	last := op.Kind == node.Remove && len(op.Path) == 1
	if i, ok := op.Path[0].Index(); ok {
		list := append([]any{}, v.([]any)...)
		if last {
			return append(list[:i], list[i+1:]...)
		}
		list[i] = change(list[i], inner)
		return list
	}
	key, _ := op.Path[0].Key()
	m := map[string]any{}
	old, _ := v.(map[string]any)
	maps.Copy(m, old)
	if last {
		delete(m, key)
		return m
	}
	m[key] = change(m[key], inner)
	return m
}

// TestEditProperty makes random changes in documents of every style: the text
// then means, to kubectl's parser, what it meant before with the change made,
// and no line is touched that the edits do not name.
func TestEditProperty(t *testing.T) {
	const want = 0.97 // of the changes have to be possible
	docs := []string{
		deployment, strings.ReplaceAll(deployment, "\n", "\r\n"), strings.TrimRight(deployment, "\n"), flowDeployment, asJSON(t, deployment, "  "), asJSON(t, deployment, ""),
	}
	values := []any{"x", "yes", "a: b", "p\nq\n", " lead\n\n", int64(7), true, nil, 0.25, []any{}, []any{"a", int64(1)}, map[string]any{}, map[string]any{"k": "v", "l": []any{map[string]any{"n": "1", "m": int64(2)}}}}
	r := rand.New(rand.NewSource(1))
	tried, made := 0, 0
	for _, doc := range docs {
		tree := parse(t, doc)
		root, _ := tree.Value(nil)
		paths := allPaths(root, nil)
		for range 400 {
			p := paths[r.Intn(len(paths))]
			op := node.Op{Kind: node.OpKind(r.Intn(3)), Path: p, Value: values[r.Intn(len(values))]}
			at, _ := tree.Value(p)
			switch _, isMap := at.(map[string]any); {
			case op.Kind == node.Append:
				if _, ok := at.([]any); !ok {
					continue
				}
			case op.Kind == node.Remove:
				op.Value = nil
				if len(p) == 0 {
					continue
				}
			case isMap && r.Intn(2) == 0:
				op.Path = p.Append("newKey")
			case len(p) == 0:
				continue
			}
			tried++
			if checkEdit(t, tree, root, op) {
				made++
			}
		}
	}
	if float64(made) < want*float64(tried) {
		t.Errorf("only %d of %d changes were possible", made, tried)
	}
}

// checkEdit reports whether the change was possible, and fails when it was made
// wrongly.
func checkEdit(t *testing.T, tree *yamltree.Tree, root any, op node.Op) bool {
	t.Helper()
	edits, err := tree.Edit(op)
	if err != nil {
		t.Logf("%d %s = %q: %v", op.Kind, op.Path, op.Value, err)
		return false
	}
	text, err := fix.Apply(tree.File(), edits)
	if err != nil {
		t.Fatalf("%d %s = %v: %v", op.Kind, op.Path, op.Value, err)
	}
	b, err := sigs.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%d %s = %v: %v\n%s", op.Kind, op.Path, op.Value, err, text)
	}
	want, _ := json.Marshal(change(root, op))
	if !reflect.DeepEqual(decodeJSON(t, b), decodeJSON(t, want)) {
		t.Fatalf("%d %s = %v gives\n%s", op.Kind, op.Path, op.Value, text)
	}
	return true
}

func allPaths(v any, p node.Path) []node.Path {
	out := []node.Path{p}
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			out = append(out, allPaths(x, p.Append(k))...)
		}
	case []any:
		for i, x := range v {
			out = append(out, allPaths(x, p.Append(i))...)
		}
	}
	if len(p) == 0 { // maps have no order: the test has to
		sortPaths(out)
	}
	return out
}

func asJSON(t testing.TB, text, indent string) string {
	t.Helper()
	b, err := sigs.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if indent == "" {
		return string(b)
	}
	out, err := json.MarshalIndent(decodeJSON(t, b), "", indent)
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

func FuzzEdit(f *testing.F) {
	f.Add(deployment, "spec", "replicas", 0, "yes", uint8(0))
	f.Add(flowDeployment, "metadata", "labels", -1, "x\ny\n", uint8(0))
	f.Add("a:\n- b\n- c: |+\n    x\n\n", "a", "", 1, "q", uint8(1))
	f.Add("a: &x [1]\nb: *x\n", "b", "", -1, "q", uint8(2))
	f.Fuzz(func(t *testing.T, text, a, b string, index int, value string, kind uint8) {
		tree, err := yamltree.Parse(source.NewFile("x", text), source.Span{End: len(text)})
		if err != nil || tree.Check() != nil {
			return
		}
		p := node.P(a)
		if b != "" {
			p = p.Append(b)
		}
		if index >= 0 {
			p = p.Append(index % 100)
		}
		edits, err := tree.Edit(node.Op{Kind: node.OpKind(kind % 3), Path: p, Value: value})
		if err != nil {
			return
		}
		got, err := fix.Apply(tree.File(), edits)
		if err != nil {
			t.Fatal(err)
		}
		after, err := yamltree.Parse(source.NewFile("x", got), source.Span{End: len(got)})
		if err != nil {
			t.Fatalf("%v after the edit:\n%q", err, got)
		}
		if kind%3 == 0 {
			if v, _ := after.Value(p); v != value {
				t.Fatalf("%s is %v after setting it to %q", p, v, value)
			}
		}
	})
}

const deployment = `# the API
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api # its name
  labels: {app: api, tier: "web"}
  annotations:
    note: |
      two
      lines

    folded: >-
      one
      line
spec:
  replicas: 3

  # how it is found
  selector:
    matchLabels:
      app: api
  template:
    spec:
      containers:
      - name: api
        image: 'example/api:1'
        args: [serve, "--port", "8080"]
        env:
        - name: A
          value: "1"
        - # of B
          name: B
          value: ""
        - name: C
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        resources:
          limits:
            memory: 512Mi   # measured

          requests: {}
      # the last container
      - name: proxy
        image: proxy
        command:
          - sh
          - -c
          - |
            exec proxy
      volumes: []
      nodeSelector:
      tolerations: ~
`

const flowDeployment = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: api, labels: {}}, spec: {
  replicas: 3, # three
  template: {spec: {containers: [
    {name: api, image: "example/api:1", args: [-c, 'x y']},
    {name: b, env: [], resources: {limits: {memory: 1Gi}}}
  ]}}
}}
`

func sortPaths(ps []node.Path) {
	key := func(p node.Path) string { return fmt.Sprint(p) }
	for i := range ps {
		for j := i; j > 0 && key(ps[j]) < key(ps[j-1]); j-- {
			ps[j], ps[j-1] = ps[j-1], ps[j]
		}
	}
}
