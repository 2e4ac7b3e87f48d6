// Package source holds the text of an input and translates between byte
// offsets, which the program computes with, and lines and columns, which people
// and tools read.
package source

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// A File is one input: a file on disk, or standard input.
type File struct {
	// Path names the file in every output: slash-separated, relative to the
	// working directory where the file lies below it, "<stdin>" for standard
	// input.
	Path string
	// Text is the content as UTF-8 without a byte order mark. UTF-16 input is
	// transcoded before it gets here, so offsets always refer to this text.
	Text string

	lineStarts []int // byte offset of the first byte of each line
	ascii      bool  // columns are bytes
}

// NewFile indexes text, which must be UTF-8 without a byte order mark.
func NewFile(path, text string) *File {
	f := &File{Path: path, Text: text, lineStarts: []int{0}, ascii: true}
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			f.ascii = false
			break
		}
	}
	for i := 0; ; {
		nl := strings.IndexByte(text[i:], '\n')
		if nl < 0 {
			break
		}
		i += nl + 1
		f.lineStarts = append(f.lineStarts, i)
	}
	return f
}

// A Span is the half-open range [Start, End) of byte offsets in a File.
type Span struct{ Start, End int }

// Contains reports whether o lies within s.
func (s Span) Contains(o Span) bool { return s.Start <= o.Start && o.End <= s.End }

// A Position is a place as people count: line and column start at 1, columns
// count Unicode code points.
type Position struct{ Line, Column int }

// Position returns the line and column of a byte offset. Offsets outside the
// file are clamped to it.
func (f *File) Position(offset int) Position {
	offset = max(0, min(offset, len(f.Text)))
	line := sort.SearchInts(f.lineStarts, offset+1)
	start := f.lineStarts[line-1]
	if f.ascii {
		return Position{Line: line, Column: offset - start + 1}
	}
	return Position{Line: line, Column: utf8.RuneCountInString(f.Text[start:offset]) + 1}
}

// Offset returns the byte offset of a position, clamped to the line it names.
func (f *File) Offset(p Position) int {
	if p.Line < 1 {
		return 0
	}
	if p.Line > len(f.lineStarts) {
		return len(f.Text)
	}
	offset := f.lineStarts[p.Line-1]
	end := len(f.Text)
	if p.Line < len(f.lineStarts) {
		end = f.lineStarts[p.Line]
	}
	if f.ascii {
		return min(offset+max(p.Column, 1)-1, end)
	}
	for c := 1; c < p.Column && offset < end; c++ {
		_, size := utf8.DecodeRuneInString(f.Text[offset:])
		offset += size
	}
	return offset
}

// Lines returns the number of lines; text after the last line break counts as
// one, even when it is empty.
func (f *File) Lines() int { return len(f.lineStarts) }

// LineStart returns the byte offset at which the 1-based line n begins.
func (f *File) LineStart(n int) int {
	if n > len(f.lineStarts) {
		return len(f.Text)
	}
	return f.lineStarts[max(n, 1)-1]
}

// Line returns the 1-based line n without its line break.
func (f *File) Line(n int) string {
	if n < 1 || n > len(f.lineStarts) {
		return ""
	}
	end := len(f.Text)
	if n < len(f.lineStarts) {
		end = f.lineStarts[n] - 1
	}
	return strings.TrimSuffix(f.Text[f.lineStarts[n-1]:end], "\r")
}

// Within narrows a span to the first occurrence of part in its text, or returns
// it unchanged when part is not spelt out there.
func (f *File) Within(span Span, part string) Span {
	i := strings.Index(f.Text[span.Start:span.End], part)
	if part == "" || i < 0 {
		return span
	}
	return Span{Start: span.Start + i, End: span.Start + i + len(part)}
}

// An Edit replaces the text in Span by New.
type Edit struct {
	Span Span
	New  string
}
