package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// framed renders one diagnostic and returns its frame: what stands between the
// arrow and the first remark.
func framed(t *testing.T, d *diag.Diagnostic, width int) string {
	t.Helper()
	d.Rule, d.Severity, d.Message = "r", diag.Error, "m"
	got := string(render(t, "text", &diag.Result{Diagnostics: []*diag.Diagnostic{d}}, Options{Width: width, Quiet: true}))
	lines := strings.Split(got, "\n")
	var frame []string
	for _, l := range lines[2:] {
		if strings.HasPrefix(strings.TrimSpace(l), "= ") {
			break
		}
		if strings.HasSuffix(l, " ") {
			t.Errorf("blanks at the end of %q", l)
		}
		frame = append(frame, l)
	}
	return "\n" + strings.Join(frame, "\n") + "\n"
}

func TestFrame(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		places     []string // the place, then the related ones; "@n:m" are offsets
		width      int
		want       string
	}{
		{
			name: "tabs", text: "a:\n\tb:\tc\n", places: []string{"c"}, want: `
  |
1 | a:
2 |     b:    c
  |           ^
  |
`,
		},
		{
			name: "wide runes", text: "name: 名前 x\n", places: []string{"x", "名前"}, want: `
  |
1 | name: 名前 x
  |       ---- related 1
  |            ^
  |
`,
		},
		{
			name: "combining marks and emoji", text: "e\u0301: 👩‍👩‍👧 🇩🇪 x\n", places: []string{"x"}, want: `
  |
1 | e` + "\u0301" + `: 👩‍👩‍👧 🇩🇪 x
  |          ^
  |
`,
		},
		{
			name: "CRLF", text: "a: 1\r\nb: 2\r\n", places: []string{"2"}, want: `
  |
1 | a: 1
2 | b: 2
  |    ^
  |
`,
		},
		{
			name: "CRLF in the span", text: "a: 1\r\nb: 2\r\n", places: []string{"1\r\n"}, want: `
  |
1 | a: 1
  |    ^
  |
`,
		},
		{
			name: "end of file", text: "a: 1", places: []string{"@4:4"}, want: `
  |
1 | a: 1
  |     ^
  |
`,
		},
		{
			name: "behind the last line break", text: "a: 1\n", places: []string{"@5:5"}, want: `
  |
1 | a: 1
2 |
  | ^
  |
`,
		},
		{
			name: "outside the file", text: "a: 1\n", places: []string{"@3:999"}, want: `
  |
1 | a: 1
  |    ^
  |
`,
		},
		{
			name: "reversed span", text: "a: 1\n", places: []string{"@3:1"}, want: `
  |
1 | a: 1
  |    ^
  |
`,
		},
		{
			name: "empty span", text: "a: b\n", places: []string{"@3:3"}, want: `
  |
1 | a: b
  |    ^
  |
`,
		},
		{
			name: "control characters", text: "a: x\x1b[31m\u00a0y\u200b\u202e \xff z\n", places: []string{"z"}, want: `
  |
1 | a: x\x1b[31m\u00a0y\u200b\u202e \xff z
  |                                      ^
  |
`,
		},
		{
			name: "one hidden line is shown", text: "a: 1\nb: 2\nc: 3\n", places: []string{"a", "c"}, want: `
  |
1 | a: 1
  | ^
2 | b: 2
3 | c: 3
  | - related 1
  |
`,
		},
		{
			name: "several hidden lines", text: "a: 1\nb: 2\nc: 3\nd: 4\n", places: []string{"d", "a"}, want: `
  |
1 | a: 1
  | - related 1
2 | b: 2
3 | c: 3
4 | d: 4
  | ^
  |
`,
		},
		{
			name: "two on one line", text: "limits: {memory: 2Gi, cpu: 1}\n", places: []string{"2Gi", "1}", "limits"}, want: `
  |
1 | limits: {memory: 2Gi, cpu: 1}
  | ------ related 2
  |                  ^^^       -- related 1
  |
`,
		},
		{
			name: "over several lines from the middle", text: "command: [sh,\n  -c,\n  exit 1]\n", places: []string{"[sh,\n  -c,\n  exit 1]"}, want: `
  |
1 |   command: [sh,
  |  __________^
2 | |   -c,
3 | |   exit 1]
  | |_________^
  |
`,
		},
		{
			name: "list item over several lines", text: "ports:\n- a: 1\n  b: 2\nx: y\n", places: []string{"a: 1\n  b: 2\n"}, want: `
  |
1 |   ports:
2 | / - a: 1
3 | |   b: 2
  | |______^
  |
`,
		},
		{
			name: "two over several lines, labelled", text: "a:\n  b: 1\n  c: 2\nd: 3\n", places: []string{"a:\n  b: 1\n  c: 2\n", "b: 1\n  c: 2\nd: 3"}, want: `
  |
1 | /  a:
2 | |/   b: 1
3 | ||   c: 2
  | ||______^
4 |  | d: 3
  |  |____- related 1
  |
`,
		},
		{
			name: "many lines, and one inside", text: "a:\n  b: 1\n  c: 2\n  d: 3\n  e: 4\n  f: 5\n  g: 6\n  h: 7\n", places: []string{"a:\n  b: 1\n  c: 2\n  d: 3\n  e: 4\n  f: 5\n  g: 6\n  h: 7", "2"}, want: `
  |
1 | / a:
2 | |   b: 1
3 | |   c: 2
  | |      - related 1
4 | |   d: 3
  : |
8 | |   h: 7
  | |______^
  |
`,
		},
		{
			name: "long line", width: 50, text: "a: " + strings.Repeat("x", 38000) + "HERE" + strings.Repeat("y", 38000) + "\n", places: []string{"HERE"}, want: `
  |
1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxHEREyyyyyyyyyyyyy…
  |                             ^^^^
  |
`,
		},
		{
			name: "long line, far apart", width: 40, text: "{a: 1, " + strings.Repeat("x", 300) + ", b: 2}\n", places: []string{"2", "1"}, want: `
  |
1 | {a: 1, xxxxxxxxxxxxxxxxxxxxxxxxxxx…
  |     - related 1
1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxx, b: 2}
  |                                  ^
  |
`,
		},
		{
			name: "long place", width: 40, text: "a: " + strings.Repeat("x", 300) + "\n", places: []string{strings.Repeat("x", 300)}, want: `
  |
1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
  |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
`,
		},
		{
			name: "label that does not fit", width: 50, text: "a: b\n" + strings.Repeat(" ", 30) + "c: d\n", places: []string{"a", "d"}, want: `
  |
1 | a: b
  | ^
2 |                               c: d
  |                                  - related 1
  |
`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := source.NewFile("f.yaml", tc.text)
			d := &diag.Diagnostic{}
			for i, p := range tc.places {
				var l diag.Location
				if strings.HasPrefix(p, "@") {
					l.File = f
					if _, err := fmt.Sscanf(p, "@%d:%d", &l.Span.Start, &l.Span.End); err != nil {
						t.Fatal(err)
					}
				} else {
					l = at(t, f, p, 0)
				}
				if i == 0 {
					d.Location = l
				} else {
					d.Related = append(d.Related, diag.Related{Location: l, Message: fmt.Sprintf("related %d", i)})
				}
			}
			if got := framed(t, d, tc.width); got != tc.want {
				t.Errorf("got:%s\nwant:%s", got, tc.want)
			}
		})
	}
}

// Whatever the width, no line of a frame is wider.
func TestFrameKeepsWidth(t *testing.T) {
	f := source.NewFile("f.yaml", "key: "+strings.Repeat("名x\t👩‍👩‍👧 ", 200)+"\nother: value\n")
	label := strings.Repeat("a long label ", 8)
	for width := 40; width < 200; width += 7 {
		for start := 0; start < 2000; start += 97 {
			d := &diag.Diagnostic{
				Location: diag.Location{File: f, Span: source.Span{Start: start, End: start + 60}},
				Related:  []diag.Related{{Location: at(t, f, "value", 0), Message: label}},
			}
			for line := range strings.SplitSeq(framed(t, d, width), "\n") {
				if w := displaywidth.String(line); w > width {
					t.Fatalf("width %d, place %d: %d columns: %s", width, start, w, line)
				}
			}
		}
	}
}

func TestHunks(t *testing.T) {
	text := "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n"
	f := source.NewFile("f.yaml", text)
	edit := func(part, with string) source.Edit {
		return source.Edit{Span: at(t, f, part, 0).Span, New: with}
	}
	show := func(hs []hunk) string {
		var b strings.Builder
		for _, h := range hs {
			fmt.Fprintf(&b, "@%d+%d", h.first, h.shift)
			for _, l := range h.old {
				b.WriteString(" -" + l)
			}
			for _, l := range h.new {
				b.WriteString(" +" + l)
			}
		}
		return b.String()
	}
	for _, tc := range []struct {
		name  string
		edits []source.Edit
		want  string
	}{
		{"replace", []source.Edit{edit("2", "22")}, "@2+0 -b: 2 +b: 22"},
		{"insert before", []source.Edit{{Span: source.Span{Start: 5, End: 5}, New: "x: 0\n"}}, "@2+0 +x: 0"},
		{"insert after", []source.Edit{{Span: source.Span{Start: 4, End: 4}, New: "\nx: 0"}}, "@2+0 +x: 0"},
		{"delete a line", []source.Edit{edit("b: 2\n", "")}, "@2+0 -b: 2"},
		{"apart", []source.Edit{edit("5", "6"), edit("a: 1\n", "a:\n  z: 1\n")}, "@1+0 -a: 1 +a: +  z: 1@5+1 -e: 5 +e: 6"},
		{"together", []source.Edit{edit("1", "0"), edit("2", "0")}, "@1+0 -a: 1 -b: 2 +a: 0 +b: 0"},
		{"nothing", []source.Edit{edit("1", "1")}, ""},
		{"contradiction", []source.Edit{edit("b: 2", "x"), edit("2", "y")}, ""},
		{"outside", []source.Edit{{Span: source.Span{Start: 100, End: 200}, New: "f: 6\n"}}, "@6+0 +f: 6"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := show(hunks(f, tc.edits)); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add("a: 1\r\n\tb: \x1b名\n", 3, 7, 0, 2, 40)
	f.Add("kind: Secret\ndata: {a: b}\n", 0, 30, 20, 22, 0)
	f.Fuzz(func(t *testing.T, text string, a, b, c, d, width int) {
		file := source.NewFile("f", text)
		r := &diag.Result{Diagnostics: []*diag.Diagnostic{{
			Rule: "r", Severity: diag.Error, Message: text,
			Location: diag.Location{File: file, Span: source.Span{Start: a, End: b}},
			Related:  []diag.Related{{Location: diag.Location{File: file, Span: source.Span{Start: c, End: d}}, Message: text}},
			Fixes:    []diag.Fix{{Message: "f", Safety: diag.Safe, Edits: []source.Edit{{Span: source.Span{Start: a, End: b}, New: text}}}},
		}}}
		for _, format := range Formats() {
			got := render(t, format, r, Options{Width: width % 300})
			if i := bytes.IndexFunc(got, func(r rune) bool { return r != '\n' && (r < ' ' || 0x7f <= r && r < 0xa0) }); i >= 0 {
				t.Errorf("%s: a control character in %q", format, got[i:])
			}
		}
	})
}
