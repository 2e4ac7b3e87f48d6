package report

import (
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"
	"github.com/fatih/color"

	"github.com/crashlint/crashlint/internal/source"
)

const (
	// shownHead lines of a place that spans many are shown, and its last.
	shownHead = 4
	// readable is the number of columns of a source line that is cut although
	// the terminal sets no limit.
	readable = 160
	// narrowest is the number of columns below which cutting a line leaves
	// nothing to read.
	narrowest = 32
	// labelRoom is the number of columns that a label gets at least where it is
	// wrapped.
	labelRoom = 40
)

// A mark is a place to be pointed at in a frame.
type mark struct {
	span        source.Span
	first, last int // lines, from 1
	label       string
	primary     bool
	style       *color.Color
}

// pointer is what the place is underlined with.
func (m *mark) pointer() string {
	if m.primary {
		return "^"
	}
	return "-"
}

// newMark clamps a span to its file and trims the blanks at its end, which
// would make a block reach into the line of its successor.
func newMark(f *source.File, span source.Span) *mark {
	span = clamp(f, span)
	text := strings.TrimRight(f.Text[span.Start:span.End], " \t\r\n")
	if text != "" {
		span.End = span.Start + len(text)
	}
	m := &mark{span: span, first: lineOf(f, span.Start)}
	m.last = m.first
	if text != "" {
		m.last = lineOf(f, span.End-1)
	}
	return m
}

// atIndent reports whether nothing but blanks and dashes of a list stand before
// the offset in its line.
func atIndent(f *source.File, offset int) bool {
	return strings.Trim(f.Text[f.LineStart(lineOf(f, offset)):offset], " \t-") == ""
}

// An edge is what a frame draws at one line for one mark.
type edge struct {
	mark *mark
	lane int
	kind edgeKind
	span source.Span // the part of the mark on this line
}

type edgeKind uint8

const (
	underline edgeKind = iota // all of a mark
	opening                   // the first line of a mark over several lines
	closing                   // its last
)

// A frame shows the lines of one file that marks point at.
type frame struct {
	*text
	file  *source.File
	marks []*mark
	lanes []*mark // the marks over several lines, each with its own lane
	open  []bool  // by lane: the mark has begun and not ended
}

// frame writes the lines that the marks point at.
func (t *text) frame(f *source.File, marks []*mark) {
	fr := &frame{text: t, file: f, marks: marks}
	for _, m := range marks {
		if m.last > m.first {
			fr.lanes = append(fr.lanes, m)
		}
	}
	fr.open = make([]bool, len(fr.lanes))
	previous := 0
	for _, n := range fr.lines() {
		if previous != 0 && n > previous+1 {
			fr.elision(fr.lane(nil))
		}
		fr.line(n)
		previous = n
	}
}

// lines returns the lines to show: those of the marks, the one before the
// place itself, and single lines between.
func (fr *frame) lines() []int {
	var ns []int
	for _, m := range fr.marks {
		for n := m.first; n <= m.last; n++ {
			if n == m.first+shownHead && n < m.last-1 {
				n = m.last
			}
			ns = append(ns, n)
		}
		if before := strings.TrimSpace(fr.file.Line(m.first - 1)); m.primary && before != "" && before != "---" {
			ns = append(ns, m.first-1)
		}
	}
	slices.Sort(ns)
	ns = slices.Compact(ns)
	var out []int
	for i, n := range ns {
		if i > 0 && n == ns[i-1]+2 {
			out = append(out, n-1)
		}
		out = append(out, n)
	}
	return out
}

// width is the number of columns that the source gets.
func (fr *frame) width() int {
	if fr.Width <= 0 {
		return readable
	}
	used := fr.gutter + len(" | ")
	if len(fr.lanes) > 0 {
		used += len(fr.lanes) + 1
	}
	return max(fr.Width-used, narrowest)
}

// line writes one line of source, more than once when its marks are too far
// apart for one row, and what points at it.
func (fr *frame) line(n int) {
	span := lineSpan(fr.file, n)
	masked := fr.secrets.of(fr.file)
	for i, group := range fr.group(n, span) {
		focus := source.Span{Start: span.Start, End: span.Start}
		if len(group) > 0 {
			focus.Start = group[0].span.Start
			for _, e := range group {
				focus.End = max(focus.End, e.span.End)
			}
		}
		r := layout(fr.file.Text, span, focus, masked, fr.width())
		if i == 0 {
			fr.source(n, r)
		} else {
			fr.row(lineNumber(n), fr.lane(nil)+r.String())
		}
		fr.underlines(r, group)
		for _, e := range group {
			switch e.kind {
			case opening:
				if !atIndent(fr.file, e.span.Start) {
					fr.corner(r, e)
				}
			case closing:
				fr.corner(r, e)
			}
		}
	}
}

// group returns the edges on line n, in order, in groups that fit in a row;
// there is always a group, if an empty one.
func (fr *frame) group(n int, line source.Span) [][]edge {
	var edges []edge
	lane := -1
	for _, m := range fr.marks {
		if m.last > m.first {
			lane++
		}
		switch {
		case m.first != n && m.last != n:
		case m.first == m.last:
			edges = append(edges, edge{mark: m, kind: underline, span: m.span})
		case m.first == n:
			edges = append(edges, edge{m, lane, opening, source.Span{Start: m.span.Start, End: m.span.Start + 1}})
		default:
			edges = append(edges, edge{m, lane, closing, source.Span{Start: m.span.End - 1, End: m.span.End}})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return a.span.Start - b.span.Start })
	groups := [][]edge{nil}
	fits := line.End-line.Start <= fr.width()
	for _, e := range edges {
		g := &groups[len(groups)-1]
		if len(*g) > 0 && !fits && e.span.End-(*g)[0].span.Start > fr.width()-2 {
			groups = append(groups, nil)
			g = &groups[len(groups)-1]
		}
		*g = append(*g, e)
	}
	return groups
}

// source writes a line of source, and opens the lanes that begin there.
func (fr *frame) source(n int, r row) {
	begins := map[int]bool{}
	for i, m := range fr.lanes {
		if m.first == n && atIndent(fr.file, m.span.Start) {
			begins[i] = true
		}
	}
	fr.row(lineNumber(n), fr.lane(begins)+r.String())
	for i := range begins {
		fr.open[i] = true
	}
}

// lane draws the lanes left of the source.
func (fr *frame) lane(begins map[int]bool) string {
	if len(fr.lanes) == 0 {
		return ""
	}
	var b strings.Builder
	for i, m := range fr.lanes {
		switch {
		case begins[i]:
			b.WriteString(m.style.Sprint("/"))
		case fr.open[i]:
			b.WriteString(m.style.Sprint("|"))
		default:
			b.WriteByte(' ')
		}
	}
	return b.String() + " "
}

// underlines writes the rows below a line that underline the marks of a group.
// Marks share a row as long as no label stands between them.
func (fr *frame) underlines(r row, group []edge) {
	var b strings.Builder
	at, labelled := 0, false
	flush := func() {
		if b.Len() > 0 {
			fr.row("", fr.lane(nil)+b.String())
		}
		b.Reset()
		at, labelled = 0, false
	}
	for _, e := range group {
		if e.kind != underline {
			continue
		}
		from, to := r.columns(e.span)
		if labelled || from < at {
			flush()
		}
		b.WriteString(strings.Repeat(" ", from-at))
		b.WriteString(e.mark.style.Sprint(strings.Repeat(e.mark.pointer(), to-from)))
		at = to
		if e.mark.label == "" {
			continue
		}
		labelled = true
		if fr.Width <= 0 || at+1+displaywidth.String(e.mark.label) <= fr.width() {
			b.WriteString(" " + e.mark.style.Sprint(e.mark.label))
			continue
		}
		flush()
		fr.label(e.mark, min(from, max(fr.width()-labelRoom, 0)))
	}
	flush()
}

// label writes a mark's label in rows of its own.
func (fr *frame) label(m *mark, indent int) {
	for _, line := range wrap(m.label, fr.width()-indent) {
		fr.row("", fr.lane(nil)+strings.Repeat(" ", indent)+m.style.Sprint(line))
	}
}

// corner leads the lane of a mark over several lines to where the mark begins
// or ends.
func (fr *frame) corner(r row, e edge) {
	from, _ := r.columns(e.span)
	var b strings.Builder
	for i, m := range fr.lanes[:e.lane] {
		if fr.open[i] {
			b.WriteString(m.style.Sprint("|"))
		} else {
			b.WriteByte(' ')
		}
	}
	corner := "|"
	if e.kind == opening {
		corner = " "
	}
	var path strings.Builder
	path.WriteString(corner)
	for _, crossed := range fr.open[e.lane+1:] {
		if crossed {
			path.WriteByte('|')
		} else {
			path.WriteByte('_')
		}
	}
	path.WriteString(strings.Repeat("_", 1+from) + e.mark.pointer())
	b.WriteString(e.mark.style.Sprint(path.String()))
	fr.open[e.lane] = e.kind == opening
	label := e.mark.label
	if e.kind == opening {
		label = ""
	}
	apart := fr.Width > 0 && from+2+displaywidth.String(label) > fr.width()
	if label != "" && !apart {
		b.WriteString(" " + e.mark.style.Sprint(label))
	}
	fr.row("", b.String())
	if label != "" && apart {
		fr.label(e.mark, min(from, max(fr.width()-labelRoom, 0)))
	}
}
