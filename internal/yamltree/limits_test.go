package yamltree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/internal/yamltree"
)

// tryParse returns the first thing that is wrong with a document.
func tryParse(text string) (*yamltree.Tree, error) {
	tree, err := yamltree.Parse(source.NewFile("x", text), source.Span{End: len(text)})
	if err != nil {
		return nil, err
	}
	if bad := tree.Check(); bad != nil {
		return nil, bad
	}
	return tree, nil
}

// laughs is the alias bomb of a billion laughs.
func laughs(open, item, closing string) string {
	var b strings.Builder
	b.WriteString("a0: &a0 " + open + strings.Repeat(item, 9) + "x" + closing + "\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	return b.String()
}

func mergeBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 {k: v}\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d {<<: [%s*a%d]}\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	return b.String()
}

func TestRefusesWhatWouldExhaustIt(t *testing.T) {
	var steps strings.Builder
	for i := range 2000 {
		steps.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for name, text := range map[string]string{
		"billion laughs":       laughs("[", "x, ", "]"),
		"merged laughs":        mergeBomb(),
		"anchor in itself":     "a: &a [b, *a]\n",
		"anchor in its key":    "a: &a {b: {<<: *a}}\n",
		"brackets":             strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"braces":               strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000),
		"unclosed brackets":    strings.Repeat("[", 100_000),
		"dashes":               strings.Repeat("- ", 100_000) + "x",
		"question marks":       strings.Repeat("? ", 100_000) + "x",
		"indentation":          steps.String(),
		"just beyond":          strings.Repeat("[", 502) + strings.Repeat("]", 502),
		"brackets in a string": `a: "` + strings.Repeat("[", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			if tree, err := tryParse(text); err == nil {
				v, _ := tree.Value(nil)
				t.Errorf("accepted: %.100v", v)
			}
		})
	}
	if _, err := tryParse(strings.Repeat("[", 500) + strings.Repeat("]", 500)); err != nil {
		t.Errorf("500 levels are refused: %v", err)
	}
}

// What is only large is read, and found in, without effort that grows with the
// square of its size: these tests would take minutes.
func TestLarge(t *testing.T) {
	const keys = 50_000
	var block, flow strings.Builder
	block.WriteString("data:\n")
	flow.WriteString(`{"data":{`)
	for i := range keys {
		fmt.Fprintf(&block, "  key-%d: \"%d\" # ö\n", i, i)
		if i > 0 {
			flow.WriteString(",")
		}
		fmt.Fprintf(&flow, `"key-%d":"%d ö"`, i, i)
	}
	flow.WriteString("}}")
	for name, text := range map[string]string{"keys": block.String(), "keys in one line": flow.String()} {
		t.Run(name, func(t *testing.T) {
			tree, err := tryParse(text)
			if err != nil {
				t.Fatal(err)
			}
			var into struct {
				Data map[string]string `json:"data"`
			}
			if problems := tree.Decode(nil, &into); len(problems) > 0 || len(into.Data) != keys {
				t.Fatalf("%d keys, problems %v", len(into.Data), problems)
			}
			for i := range keys {
				loc, ok := tree.Locate(node.P("data", fmt.Sprintf("key-%d", i)), node.Value)
				if got := loc.File.Text[loc.Span.Start:loc.Span.End]; !ok || !strings.HasPrefix(got, fmt.Sprintf(`"%d`, i)) {
					t.Fatalf("key-%d is at %q", i, got)
				}
			}
		})
	}
	t.Run("items with problems in one line", func(t *testing.T) {
		tree, err := tryParse("{a: [" + strings.Repeat("ö, ", keys) + "ö]}")
		if err != nil {
			t.Fatal(err)
		}
		var into struct {
			A []int `json:"a"`
		}
		if problems := tree.Decode(nil, &into); len(problems) != keys+1 {
			t.Errorf("%d problems", len(problems))
		}
	})
	t.Run("10 MB in one scalar", func(t *testing.T) {
		text := "a: |\n" + strings.Repeat("  0123456789abcdef\n", 10<<20/19) + "b: 1\n"
		tree, err := tryParse(text)
		if err != nil {
			t.Fatal(err)
		}
		loc, _ := tree.Locate(node.P("a"), node.Value)
		if want := len(text) - len("\nb: 1\n"); loc.Span.End != want {
			t.Errorf("ends at %d, want %d", loc.Span.End, want)
		}
	})
	t.Run("a line of 38,000 characters", func(t *testing.T) {
		long := strings.Repeat("é ", 19_000) + "é"
		tree, err := tryParse("a: {b: " + long + ", c: x}\n")
		if err != nil {
			t.Fatal(err)
		}
		loc, _ := tree.Locate(node.P("a", "c"), node.Value)
		if got := loc.File.Text[loc.Span.Start:loc.Span.End]; got != "x" {
			t.Errorf("found %q", got)
		}
	})
	t.Run("many merges", func(t *testing.T) {
		tree, err := tryParse("base: &b {x: 1, y: 2}\nlist:\n" + strings.Repeat("- {<<: *b, y: 3}\n", 2_000))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2_000 {
			if v, _ := tree.Value(node.P("list", i, "x")); v != int64(1) {
				t.Fatalf("item %d has x = %v", i, v)
			}
		}
	})
}

func manifests(n int) string {
	var b strings.Builder
	b.WriteString("kind: List\nitems:\n")
	item := strings.Join(strings.SplitAfter("  "+strings.TrimSuffix(deployment, "\n"), "\n"), "  ")
	for range n {
		b.WriteString("-\n" + item + "\n")
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	text := manifests(200)
	f := source.NewFile("x", text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		tree, err := yamltree.Parse(f, source.Span{End: len(text)})
		if err != nil {
			b.Fatal(err)
		}
		if bad := tree.Check(); bad != nil {
			b.Fatal(bad)
		}
	}
}

func BenchmarkLocate(b *testing.B) {
	text := manifests(200)
	tree := parse(b, text)
	paths := allPaths(func() any { v, _ := tree.Value(node.P("items", 100)); return v }(), node.P("items", 100))
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range paths {
			if _, ok := tree.Locate(p, node.Value); !ok {
				b.Fatal(p)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(paths)), "ns/path")
}

func BenchmarkEdit(b *testing.B) {
	tree := parse(b, deployment)
	for b.Loop() {
		if _, err := tree.Edit(set("1Gi", "spec", "template", "spec", "containers", 0, "resources", "limits", "memory")); err != nil {
			b.Fatal(err)
		}
	}
}
