package report

import (
	"sort"
	"unicode/utf8"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// unknownFile stands for the file of a location that has none.
const unknownFile = "<unknown>"

// clamp returns the part of a span that lies in the file.
func clamp(f *source.File, s source.Span) source.Span {
	s.Start = max(0, min(s.Start, len(f.Text)))
	s.End = max(s.Start, min(s.End, len(f.Text)))
	return s
}

// lineOf returns the line, from 1, of an offset.
func lineOf(f *source.File, offset int) int {
	return sort.Search(f.Lines(), func(i int) bool { return f.LineStart(i+1) > offset })
}

// lineSpan returns the bytes of line n without its line break.
func lineSpan(f *source.File, n int) source.Span {
	start := f.LineStart(n)
	return source.Span{Start: start, End: start + len(f.Line(n))}
}

// place returns the path and the first and last position of a location: 1:1
// for a file as a whole, for readers that demand a position.
func (v *view) place(l diag.Location) (path string, start, end source.Position) {
	first := source.Position{Line: 1, Column: 1}
	if l.File == nil {
		return unknownFile, first, first
	}
	if l.Span == (source.Span{}) {
		return l.File.Path, first, first
	}
	span := clamp(l.File, l.Span)
	return l.File.Path, v.position(l.File, span.Start), v.position(l.File, span.End)
}

// stride is the distance in bytes at which the columns of a long line are kept.
const stride = 4096

type longLine struct {
	file *source.File
	line int
}

// A stop is a place in a long line whose column is known.
type stop struct{ offset, column int }

// position is File.Position for lines of any length: minified JSON is a single
// line of megabytes, in which counting from its start for every diagnostic
// takes minutes.
func (v *view) position(f *source.File, offset int) source.Position {
	n := lineOf(f, offset)
	from := stop{f.LineStart(n), 1}
	if offset-from.offset > stride {
		stops := v.stops(f, n)
		from = stops[sort.Search(len(stops), func(i int) bool { return stops[i].offset > offset })-1]
	}
	return source.Position{Line: n, Column: from.column + utf8.RuneCountInString(f.Text[from.offset:offset])}
}

// stops returns the known columns of a line, computed once.
func (v *view) stops(f *source.File, n int) []stop {
	key := longLine{f, n}
	if stops, ok := v.longLines[key]; ok {
		return stops
	}
	line := lineSpan(f, n)
	at := stop{line.Start, 1}
	stops := []stop{at}
	for line.End-at.offset > stride {
		next := at.offset + stride
		for next < line.End && !utf8.RuneStart(f.Text[next]) {
			next++
		}
		at = stop{next, at.column + utf8.RuneCountInString(f.Text[at.offset:next])}
		stops = append(stops, at)
	}
	v.longLines[key] = stops
	return stops
}
