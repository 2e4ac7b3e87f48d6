package source_test

import (
	"testing"
	"unicode/utf8"

	"github.com/crashlint/crashlint/internal/source"
)

func TestPositions(t *testing.T) {
	for _, text := range []string{"", "a", "a\n", "a\nbc\n\nd", "é\n日本x\r\n😀", "\r\n\r\n", "\n"} {
		f := source.NewFile("x", text)
		line, column := 1, 1
		for offset, r := range text + "$" {
			p := f.Position(offset)
			if p != (source.Position{Line: line, Column: column}) {
				t.Errorf("%q: offset %d is at %v, want %d:%d", text, offset, p, line, column)
			}
			if got := f.Offset(p); got != offset {
				t.Errorf("%q: %v is at offset %d, want %d", text, p, got, offset)
			}
			if column++; r == '\n' {
				line, column = line+1, 1
			}
		}
		if f.Position(-1) != f.Position(0) || f.Position(len(text)+5) != f.Position(len(text)) {
			t.Errorf("%q: offsets outside are not clamped", text)
		}
	}
}

func TestOffsetIsClamped(t *testing.T) {
	f := source.NewFile("x", "ab\ncd")
	for p, want := range map[source.Position]int{
		{Line: 0, Column: 1}: 0, {Line: 1, Column: 0}: 0, {Line: 1, Column: 99}: 3, {Line: 2, Column: 2}: 4, {Line: 2, Column: 99}: 5, {Line: 9, Column: 1}: 5,
	} {
		if got := f.Offset(p); got != want {
			t.Errorf("%v is at %d, want %d", p, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	f := source.NewFile("x", "a\r\n\nc\rd\n")
	if f.Lines() != 4 {
		t.Errorf("%d lines", f.Lines())
	}
	for n, want := range map[int]string{-1: "", 0: "", 1: "a", 2: "", 3: "c\rd", 4: "", 5: ""} {
		if got := f.Line(n); got != want {
			t.Errorf("line %d is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]int{-1: 0, 0: 0, 1: 0, 2: 3, 3: 4, 4: 8, 5: 8} {
		if got := f.LineStart(n); got != want {
			t.Errorf("line %d starts at %d, want %d", n, got, want)
		}
	}
}

func TestWithin(t *testing.T) {
	f := source.NewFile("x", "java -Xmx1g -Xmx1g")
	all := source.Span{Start: 0, End: len(f.Text)}
	if got := f.Within(all, "-Xmx1g"); got != (source.Span{Start: 5, End: 11}) {
		t.Errorf("got %v", got)
	}
	for _, part := range []string{"", "-Xms"} {
		if got := f.Within(all, part); got != all {
			t.Errorf("%q is at %v", part, got)
		}
	}
	if got := f.Within(source.Span{Start: 6, End: len(f.Text)}, "-Xmx1g"); got != (source.Span{Start: 12, End: 18}) {
		t.Errorf("got %v", got)
	}
}

func TestContains(t *testing.T) {
	s := source.Span{Start: 2, End: 5}
	for o, want := range map[source.Span]bool{{Start: 2, End: 5}: true, {Start: 3, End: 3}: true, {Start: 1, End: 3}: false, {Start: 4, End: 6}: false} {
		if s.Contains(o) != want {
			t.Errorf("%v contains %v is not %v", s, o, want)
		}
	}
}

func FuzzPositions(f *testing.F) {
	f.Add("a\r\né\n", 3)
	f.Add("\xff\n\xc3", 1)
	f.Fuzz(func(t *testing.T, text string, offset int) {
		file := source.NewFile("x", text)
		p := file.Position(offset)
		back := file.Offset(p)
		if back < 0 || back > len(text) || p.Line < 1 || p.Line > file.Lines() || p.Column < 1 {
			t.Fatalf("%q: offset %d is at %v, which is at %d", text, offset, p, back)
		}
		if utf8.ValidString(text) && offset >= 0 && offset <= len(text) && (offset == len(text) || utf8.RuneStart(text[offset])) && back != offset {
			t.Fatalf("%q: offset %d is at %v, which is at %d", text, offset, p, back)
		}
		file.Line(offset)
		file.LineStart(offset)
	})
}
