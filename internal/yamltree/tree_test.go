package yamltree_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	sigs "sigs.k8s.io/yaml"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/internal/yamltree"
)

func decodeJSON(t testing.TB, b []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// compareWithSigs holds a document against what kubectl's parser makes of it and
// says how they differ, empty when they do not.
func compareWithSigs(t testing.TB, text string) string {
	t.Helper()
	want, sigsErr := sigs.YAMLToJSON([]byte(text))
	tree, err := tryParse(text)
	switch {
	case err != nil && sigsErr != nil:
		return ""
	case err != nil:
		return "refused, but sigs reads " + string(want) + ": " + err.Error()
	case sigsErr != nil:
		return "read, but sigs refuses it: " + sigsErr.Error()
	}
	v, ok := tree.Value(nil)
	if !ok {
		v = nil
	}
	got, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if !reflect.DeepEqual(decodeJSON(t, got), decodeJSON(t, want)) {
		return "reads " + string(got) + ", sigs " + string(want)
	}
	return ""
}

func TestMeansWhatKubectlReads(t *testing.T) {
	texts := append([]string{
		// Scalars of YAML 1.1.
		"[y, Y, yes, Yes, YES, n, N, no, No, NO, on, On, ON, off, Off, OFF, true, True, TRUE, false, False, FALSE, yEs, tRue, oN]",
		"[~, null, Null, NULL, nUll, '', \"\", '~', \"null\"]\n",
		"- 0\n- -0\n- +1\n- 007\n- 08\n- 0o17\n- 0x1F\n- 0b101\n- -0b11\n- 1_000\n- 0x_1\n- 1__0\n- _1\n- 9223372036854775807\n- 9223372036854775808\n- 18446744073709551615\n- 18446744073709551616\n- -9223372036854775809",
		"- 1.\n- .5\n- +.5\n- 1.5e3\n- 1e3\n- 1E-3\n- 1e400\n- 1.2.3\n- 1e\n- e1\n- -.5\n- 0.1_2\n- 0.0\n- -0.0\n- 1e21\n- 123456789012345678901234567890",
		"- 1:30\n- 190:20:30\n- 1:30.5\n- 2001-01-01\n- 2001-1-1\n- 2001-12-14t21:59:43.10-05:00\n- 2001-12-14 21:59:43\n- 2001-13-01\n- 20010101\n- 12-12-2001",
		"- =\n- <<\n- '<<'\n- .\n- ..\n- -\n- '-'\n- a:b\n- a#b\n- 'a'#c",
		"yes: 1\non: 2\nn: 3\n~x: 4\n1: 5\n0x10: 6\n1.5: 7\n1e3: 8\n2001-01-01: 9\n.inf: 10\n-.inf: 11\n.nan: 12\n'on ': 13\n\"yes \": 14\n1e39: 15\n",
		// Tags.
		"- !!str 5\n- !!str yes\n- !!str\n- !!int 5\n- !!int \"5\"\n- !!float 5\n- !!float 5.5\n- !!bool yes\n- !!bool \"on\"\n- !!null ~\n- !!null ''\n- !!binary aGVsbG8=\n- !!timestamp 2001-01-01\n- !local 5\n- ! 5\n- !\n- ! ~\n- !<tag:yaml.org,2002:str> 5\n- !<tag:yaml.org,2002:int> \"5\"",
		"- !!map {a: b}\n- !!seq [a]\n- !x {a: b}\n- !!set {a, b}\n- !!omap [a: b]\n- !!str |\n  5\n- !!binary |\n  aGVs\n  bG8=\n- !!int |-\n  5\n",
		"!!str a: !!int 5\n!!int 1: x\n!!bool yes: y\n", "a: !!int x\n", "a: !!bool maybe\n", "a: !!null x\n", "a: !!float x\n", "a: !!binary =\n", "a: !!timestamp x\n", "!!int x: 1\n", "a: !!int 1.5\n", "a: !!float 18446744073709551615\n",
		"a: .inf\n", "a: -.INF\n", "a: .NaN\n", "a: '.inf'\n", "a: !!str .inf\n", "- ! .inf\n",
		// Keys.
		"? [a]\n: b\n", "? {a: b}\n: c\n", "{[a]: b}", "~: 1\n", "? \n: 1\n", "null: 1\n", "18446744073709551615: x\n", "'': 1\n", "a: &x b\n*x : c\n", "&x a: b\nc: *x\n", "{a, b: c}\n", "[a: b, c]\n", "[? a : b]\n", "{{ a }}: b\n", "a: {{ b }}\n", "a: {{ b }}{{ c }}\n",
		"a: 1\na: 2\nb: 1\n\"a\": 3\n",
		// Merge keys.
		"a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {y: 3, <<: *a}\nd: {<<: [*a, {y: 4, z: 5}]}\ne: {<<: {q: 1}}\nf: {'<<': *a}\ng: {!!merge <<: *a}\nh: {<<: *a, <<: {x: 9}}\n",
		"a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, z: 3}\nd: {<<: [*b, *a]}\n! <<: *a\n", "a: {\"<<\": 1}\n", "a: {<<: 1}\n", "a: {<<: [1]}\n", "a: {<<: [[{x: 1}]]}\n", "a: &a [1]\nb: {<<: *a}\n", "a: &a [{x: 1}]\nb: {<<: *a}\n", "a: {<<: []}\n", "a: {<<: }\n", "? |-\n  <<\n: {a: b}\n",
		// Aliases.
		"a: &a [1, &b {c: d}]\ne: *a\nf: *b\na2: &a x\ng: *a\n", "a: *x\n", "a: &a [*a]\n", "a: &a\nb: *a\n", "a: &a\n  b: c\nd: *a\n",
		// Blocks.
		"a: |\n x\n  y\n\n z\n\nb: >\n x\n y\n\n  z\n\n w\nc: |+\n x\n\nd: >-\n x\n\n\ne: |2\n   x\n  y\nf: |\n\n\n x\ng: >+\n\n x\n\n\n",
		"a: |\nb: >\nc: |-\n\n\nd: |+\n\n\ne: 1\n", "a: |\n  # x\n # y\nb: 1\n", "a: |1\n x\n", "a: |0\n x\n", "a:\n|\n x\n",
		"a: x\n  y\n\n  z\nb: \"x\n  y\n\n\n  z \\\n  w\\t\\x41\\u00e9\\U0001F600\\/\"\nc: 'x\n\n  y'\n", "a: \"\\x41\\u00e9\\N\\_\\L\\P\\e\\0\\a\\b\\f\\v\\r\\ \"\n", "a: \"\\q\"\n", "a: \"it\\'s \\\\'q\\\"\\'\"\nb: \"\\'\"\nc: '\\'\nd: \\'\n", "a: \"\\/\"\n", "a: x: y\n", "a: 'x\n", "a: [x\n", "a: x]\n", "a: [x]]\n", "a: @x\n", "a: `x`\n", "a: %x\n", "%x: y\n", "a: -x\n-b: c\n",
		// Tabs.
		"a:\tx\n", "a: x\t# y\n", "\ta: x\n", "a:\n\tb: c\n", "a:\n  b: c\n\td: e\n", "a: [\n\tb,\n\tc\n]\n", "a: \"x\n\ty\"\n", "a: x\n\ty\n", "- a\n-\tb\n", "a: |\n\tx\n", "a: |\n  x\n\t\n  y\n", "a:\n  - b\n\t- c\n", "a: 1\n\t\nb: 2\n", "a: 1\n\t# x\nb: 2\n", "a: 1\n  \t# x\nb: 2\n", "- \ta: b\n", "?\ta\n:\tb\n", "{\n\t\"a\": \"b\\/c\"\n}",
		// Brackets.
		"[fe80::, ::1, a:b, a::b, 1::]\n", "{a: fe80::1, b: c:d}\n", "{a:, b: 1}\n", "{a:}\n", "{\"a\":1, 'b':2}\n", "{a:1}\n", "[a, ]\n", "[, a]\n", "[a,, b]\n", "{a: b, }\n", "[a b, c\n d]\n", "[-, a, -b, - c]\n", "[tee, -]\n", "{a: -}\n", "[a?b, c]\n", "[?a]\n", "{a: http://x/?y=z}\n", "{url: 'http://x/?y=z'}\n", "[a #b\n, c]\n", "[a#b]\n", "\"a\": b#c\n'd':e\n", "a: []#x\nb: 1\n", "a: \"x\"#y\nb: 'z'#\n", "a: {b: c}#y\n", "[!!str, a]\n", "{!!str : a}\n", "[!x]\n", "[&x a, *x]\n", "[&x , *x]\n", "{a: \"b\"c}\n", "[\"a\"\n\"b\"]\n", "[a\n---\nb]\n",
		// Documents.
		"", " \n", "# x\n", "---\n", "--- # x\na: b\n", "---\na: b\n...\n", "a: b\n---\nc: d\n", "%YAML 1.1\n---\na: b\n", "%YAML 1.2\n---\na: b\n", "%TAG ! tag:x,2000:\n---\na: !y b\n", "a: b\n...\n# x\n", "\ufeffa: b\n", "a\n", "a b c\n", "- a\n- b\n", "5\n", "a: b\r\nc: |\r\n  d\r\n  e\r\n", "a: b\rc: d\r", "a: \"x\u0085y\u2028z\"\nb: x\u0085c: d\u2028e: f\u2029", "a: \x00\n", "a: \x07\n", "a: \x7f\n", "a: \u0091\n", "a: \u00a0b\u00a0\n", "a: \ufffd\ufeff\n", "é: ü\n",
		"a:\n  b: 1\n c: 2\n", "a:\n b: 1\n  c: 2\n", "a: 1\n b: 2\n", "a:\n- b\n - c\n", "- a\nb: c\n", "a: - b\n", "a: b: c\n", "a:\n  - b: 1\n    c: 2\n  -\n    d: 3\n  - - e\n", "a: &x\n", "a: !!str\nb: &y\nc: !!null\n", "- &x\n- *x\n", "a: 'b' c\n", "? a\n? b\n: c\n", "? - a\n  - b\n: c\n", "? |\n  a\n: b\n",
		laughs("[", "x, ", "]"), mergeBomb(), manifests(2),
	}, oddities...)
	for _, text := range texts {
		if d := compareWithSigs(t, text); d != "" {
			if why := known(text, d); why == "" {
				t.Errorf("%q: %s", text, d)
			}
		}
	}
}

// known says why a difference from kubectl's parser is meant, or of no matter;
// empty when it is neither.
func known(text, difference string) string {
	for _, k := range []struct {
		why        string
		text       *regexp.Regexp
		difference string
	}{
		{"what stands behind the end of the document is lost to kubectl without a word: better refused", nil, "refused, but sigs reads"},
		{"a document that is one scalar is no object", regexp.MustCompile(`(?s)^[\s\x{85}\x{2028}\x{2029}\x{feff}]*(?:---\s|#[^\n]*\n|\.\.\.\s|[!&]\S*\s*)*[|>]`), ""},
		{"YAML 1.2 takes less in a tag", regexp.MustCompile(`![^ \n]*[],[{}]`), "re"},
		{"kubectl reads what is JSON as JSON first, which has the escape \\/", regexp.MustCompile(`(?s)^\s*\{.*\\/`), "read, but"},
		{"blanks in the last line of a block, at the end of a file without a line break, get one", regexp.MustCompile(`(?s)[|>].*[\n\r\x{85}\x{2028}\x{2029}][ \t]+$`), "reads"},
		{"a plain scalar that begins with ? in brackets is a key to kubectl", regexp.MustCompile(`[[{,]\s*\?`), "reads"},
		{"a colon before a bracket at the end of a value in braces", regexp.MustCompile(`(?s)\{.*:[]},]`), "refused, but"},
		{"a key in braces whose colon stands in the next line: kubectl makes the colon part of it", regexp.MustCompile(`(?s)\{.*\n\s*:`), "reads"},
		{"# behind a block's header is a comment to kubectl without a blank, too", regexp.MustCompile(`[|>][-+0-9]*#`), "refused, but"},
		{"a document without content is empty, not broken", regexp.MustCompile(`^(?:[\s\x{85}\x{2028}\x{2029}\x{feff}]|#[^\n]*\n)*(?:\.\.\.|\t|$)`), "read, but"},
		{"two keys that are the same only as JSON: kubectl keeps either", regexp.MustCompile(`(?s)["'0-9.]`), ""},
	} {
		switch {
		case k.text != nil && !k.text.MatchString(text), !strings.HasPrefix(difference, k.difference):
		case k.text == nil && !firstOfMany(text):
		case strings.HasPrefix(k.why, "two keys") && !ambiguousKeys(text):
		default:
			return k.why
		}
	}
	return ""
}

// firstOfMany reports whether kubectl's parser, which stops at the end of the
// first document, reads the text the same when it is cut somewhere.
func firstOfMany(text string) bool {
	want, err := sigs.YAMLToJSON([]byte(text))
	if err != nil {
		return false
	}
	for i := len(text) - 1; i > 0; i-- {
		if !utf8.RuneStart(text[i]) {
			continue
		}
		got, err := sigs.YAMLToJSON([]byte(text[:i]))
		if err == nil && bytes.Equal(got, want) {
			if _, err := tryParse(text[:i]); err == nil {
				return true
			}
		}
	}
	return false
}

// ambiguousKeys reports whether kubectl's parser reads the text in different
// ways at different times: two keys of one mapping that differ for YAML and are
// the same in JSON come in the random order of a Go map.
func ambiguousKeys(text string) bool {
	first, err := sigs.YAMLToJSON([]byte(text))
	for range 50 {
		again, againErr := sigs.YAMLToJSON([]byte(text))
		if (err == nil) != (againErr == nil) || !bytes.Equal(first, again) {
			return true
		}
	}
	return false
}

func FuzzMeansWhatKubectlReads(f *testing.F) {
	for _, text := range oddities {
		f.Add(text)
	}
	f.Add("a: &a {x: 1}\nb: {<<: [*a, {y: yes}]}\n")
	f.Add("- !!int 5\n- 0x1F\n- ! x\n- [fe80::, -]#c\n")
	f.Add("a:\n\tb: \"\\/\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // the loader reads UTF-8 only
		}
		if d := compareWithSigs(t, text); d != "" && known(text, d) == "" {
			t.Errorf("%q: %s", text, d)
		}
	})
}

func TestSyntaxErrorOffset(t *testing.T) {
	for _, c := range []struct{ text, at, message string }{
		{"a: b\nc: [d\n", "[d", ""},
		{"a: b\nc: \"d\n", "\"d", ""},
		{"a: 1\n  b: 2\n", ": 2", ""},
		{"a: 1\nb:\n\tc: 2\n", "\tc", "a tab stands where kubectl takes only spaces"},
		{"a: 1\nb:\n  - c\n\t- d\n", "\t- d", "a tab stands where kubectl takes only spaces"},
		{"a: ö\nb: {{ .Values.x }}\n", "{ .Values", "a template in braces has to be rendered or quoted"},
		{"a: 1\nb: *c\n", "*c", "unknown anchor 'c'"},
		{"a: 1\nb: !!int c\n", "!!int", "the value is not what its tag !!int says"},
		{"a: 1\nb: .inf\n", ".inf", "JSON does not have"},
		{"a: 1\n~: c\n", "~: c", "a mapping key must not be null"},
		{"a: 1\nb: {<<: c}\n", "c}", "takes a mapping"},
		{"a: &a [*a]\n", "*a]", "contains itself"},
		{"a: 1\nb: \"x\\/y\"\n", "b: ", "unknown escape"},
	} {
		const lead = "first: 1\n---\n"
		f := source.NewFile("x", lead+c.text)
		var bad *yamltree.SyntaxError
		tree, err := yamltree.Parse(f, source.Span{Start: len(lead), End: len(f.Text)})
		if err != nil {
			bad, _ = errors.AsType[*yamltree.SyntaxError](err)
		} else {
			bad = tree.Check()
		}
		if bad == nil {
			t.Errorf("%q is accepted", c.text)
			continue
		}
		if got := f.Text[bad.Offset:]; !strings.HasPrefix(got, c.at) || !strings.Contains(bad.Error(), c.message) {
			t.Errorf("%q: %s at %q, want %q", c.text, bad.Message, got, c.at)
		}
	}
}

func TestEmpty(t *testing.T) {
	for text, want := range map[string]bool{"": true, " \n# x\n": true, "---\n": true, "~\n": true, "null": true, "a: 1": false, "[]": false, "''": false} {
		if got := parse(t, text).Empty(); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestAccess(t *testing.T) {
	tree := parse(t, "s: x\nn: 5\nl: [a, {b: c}]\nx: ~\na: &a {k: v}\nm: {<<: *a}\n")
	if v, ok := tree.String(node.P("l", 1, "b")); v != "c" || !ok {
		t.Errorf("l[1].b is %q, %v", v, ok)
	}
	for _, p := range []node.Path{node.P("n"), node.P("x"), node.P("l"), node.P("none"), node.P("l", 5)} {
		if v, ok := tree.String(p); ok {
			t.Errorf("%s is the string %q", p, v)
		}
	}
	for _, c := range []struct {
		path node.Path
		want int
	}{{node.P("l"), 2}, {node.P("s"), 0}, {node.P("none"), 0}} {
		if got := tree.Len(c.path); got != c.want {
			t.Errorf("%s has %d items", c.path, got)
		}
	}
	if !tree.Has(node.P("x")) || !tree.Has(node.P("m", "k")) || tree.Has(node.P("m", "j")) {
		t.Error("Has does not tell what is written")
	}
	if tree.File().Path != "x.yaml" || tree.Span().Start != 0 || tree.Span().End != len(tree.File().Text) {
		t.Error("the tree does not know its document")
	}
}

func TestConstant(t *testing.T) {
	tree := parse(t, `
s: plain
kubelet: $(VAR)
shell: ${VAR}
helm: "{{ .Values.x }}"
jinja: "{% if x %}"
hand: <IMAGE>
compare: a < b > c
sed: "@NAME@"
mail: x@y@z
nested: {a: [b, "{{ c }}"]}
use: &u "{{ x }}"
alias: [*u]
`)
	for key, want := range map[string]bool{
		"s": true, "kubelet": true, "shell": true, "helm": false, "jinja": false, "hand": false, "compare": true, "sed": false, "mail": true,
		"nested": false, "alias": false, "none": true,
	} {
		if got := tree.Constant(node.P(key)); got != want {
			t.Errorf("%s: constant is %v", key, got)
		}
	}
}
