package report

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"

	"github.com/crashlint/crashlint/internal/source"
)

const (
	mask     = "•••"
	ellipsis = "…"
	tabWidth = 4
)

// A cell is what one grapheme cluster of the source becomes on the screen, or
// what a masked stretch becomes as a whole.
type cell struct {
	start, end int // byte offsets
	text       string
	width      int // columns
}

// A row is a line of source as it is shown: all of it, or a part.
type row struct {
	cells               []cell
	cutBefore, cutAfter bool
}

// cells lays out text, whose first byte has the given offset in masked's
// numbering.
func cells(text string, offset int, masked []source.Span) []cell {
	out := make([]cell, 0, len(text))
	next := sort.Search(len(masked), func(i int) bool { return masked[i].End > offset })
	for at := 0; at < len(text); {
		stop := len(text)
		if next < len(masked) {
			m := masked[next]
			if m.Start <= offset+at {
				end := min(m.End-offset, len(text))
				out = append(out, cell{offset + at, offset + end, mask, displaywidth.String(mask)})
				at = end
				next++
				continue
			}
			stop = min(stop, m.Start-offset)
		}
		for g := displaywidth.StringGraphemes(text[at:stop]); g.Next(); {
			v := g.Value()
			c := cell{start: offset + at, end: offset + at + len(v), text: v, width: g.Width()}
			switch {
			case v == "\t":
				c.text, c.width = strings.Repeat(" ", tabWidth), tabWidth
			case !plain(v):
				if e := escape(v); e != v {
					c.text, c.width = e, displaywidth.String(e)
				}
			}
			out = append(out, c)
			at += len(v)
		}
	}
	return out
}

// layout lays out the bytes [line.Start, line.End) of text in at most limit
// columns so that focus, or as much of it as fits, is to be seen.
func layout(text string, line, focus source.Span, masked []source.Span, limit int) row {
	// Enough bytes for a row of the widest encodings; a line of a megabyte is not
	// laid out to show a hundred columns of it.
	reach := 4 * limit
	part := line
	if line.End-line.Start > 2*reach {
		part.Start = max(line.Start, focus.Start-reach)
		part.End = min(line.End, focus.Start+reach)
		for part.Start > line.Start && !utf8.RuneStart(text[part.Start]) {
			part.Start--
		}
		for part.End < line.End && !utf8.RuneStart(text[part.End]) {
			part.End++
		}
	}
	r := row{
		cells:     cells(text[part.Start:part.End], part.Start, masked),
		cutBefore: part.Start > line.Start, cutAfter: part.End < line.End,
	}
	return r.cut(focus, limit)
}

// cut narrows the row to limit columns around focus. More of what stands before
// is kept than of what follows: that is where the key is.
func (r row) cut(focus source.Span, limit int) row {
	total := 0
	for _, c := range r.cells {
		total += c.width
	}
	if total <= limit && !r.cutBefore && !r.cutAfter {
		return r
	}
	limit = max(limit-2, 1) // for the two ellipses
	n := len(r.cells)
	first := min(sort.Search(n, func(i int) bool { return r.cells[i].end > focus.Start }), max(n-1, 0))
	last, used := first, 0
	for last < n && (last == first || r.cells[last].start < focus.End) && used+r.cells[last].width <= limit {
		used += r.cells[last].width
		last++
	}
	behind := (limit - used) / 3
	for last < n && r.cells[last].width <= behind {
		behind -= r.cells[last].width
		used += r.cells[last].width
		last++
	}
	for first > 0 && used+r.cells[first-1].width <= limit {
		first--
		used += r.cells[first].width
	}
	for last < n && used+r.cells[last].width <= limit {
		used += r.cells[last].width
		last++
	}
	return row{
		cells:     r.cells[first:last],
		cutBefore: r.cutBefore || first > 0, cutAfter: r.cutAfter || last < n,
	}
}

// String renders the row, without blanks at its end.
func (r row) String() string {
	var b strings.Builder
	if r.cutBefore {
		b.WriteString(ellipsis)
	}
	for _, c := range r.cells {
		b.WriteString(c.text)
	}
	if r.cutAfter {
		return b.String() + ellipsis
	}
	return strings.TrimRight(b.String(), " ")
}

// column returns the column, from 0, at which the byte of the given offset is
// shown, and the one behind the cell that holds it.
func (r row) column(offset int) (from, to int) {
	if r.cutBefore {
		from = 1
	}
	for _, c := range r.cells {
		if c.end > offset {
			return from, from + c.width
		}
		from += c.width
	}
	return from, from + 1
}

// columns returns the columns that a span takes: at least one.
func (r row) columns(s source.Span) (from, to int) {
	from, to = r.column(s.Start)
	if s.End > s.Start {
		_, to = r.column(s.End - 1)
		if n := len(r.cells); n > 0 && s.End > r.cells[n-1].end {
			to, _ = r.column(r.cells[n-1].end)
		}
	}
	return from, max(to, from+1)
}
