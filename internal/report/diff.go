package report

import (
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/crashlint/crashlint/internal/source"
)

// shownDiff lines of what a fix writes are shown of each place it changes.
const shownDiff = 14

// A hunk is a run of lines that edits change.
type hunk struct {
	first    int // line in the old file, from 1
	old, new []string
	shift    int // lines that earlier hunks added
}

// hunks returns what edits change, line by line and in order, or nothing when
// they contradict each other.
func hunks(f *source.File, edits []source.Edit) []hunk {
	edits = slices.Clone(edits)
	for i := range edits {
		edits[i].Span = clamp(f, edits[i].Span)
	}
	slices.SortStableFunc(edits, func(a, b source.Edit) int { return a.Span.Start - b.Span.Start })
	for i := 1; i < len(edits); i++ {
		if edits[i].Span.Start < edits[i-1].Span.End {
			return nil
		}
	}
	var out []hunk
	shift := 0
	for len(edits) > 0 {
		n := 1
		first, last := lineOf(f, edits[0].Span.Start), lineOf(f, edits[0].Span.End)
		for n < len(edits) && lineOf(f, edits[n].Span.Start) <= last+1 {
			last = lineOf(f, edits[n].Span.End)
			n++
		}
		h := newHunk(f, first, last, edits[:n])
		h.shift = shift
		shift += len(h.new) - len(h.old)
		if len(h.old)+len(h.new) > 0 {
			out = append(out, h)
		}
		edits = edits[n:]
	}
	return out
}

// newHunk applies edits to the lines first to last and leaves out what they
// share at both ends.
func newHunk(f *source.File, first, last int, edits []source.Edit) hunk {
	start, end := f.LineStart(first), lineSpan(f, last).End
	var b strings.Builder
	at := start
	for _, e := range edits {
		b.WriteString(f.Text[at:e.Span.Start])
		b.WriteString(e.New)
		at = e.Span.End
	}
	if at < end {
		b.WriteString(f.Text[at:end])
	}
	h := hunk{first: first, old: splitLines(f.Text[start:end]), new: splitLines(b.String())}
	for len(h.old) > 0 && len(h.new) > 0 && h.old[0] == h.new[0] {
		h.old, h.new = h.old[1:], h.new[1:]
		h.first++
	}
	for len(h.old) > 0 && len(h.new) > 0 && h.old[len(h.old)-1] == h.new[len(h.new)-1] {
		h.old, h.new = h.old[:len(h.old)-1], h.new[:len(h.new)-1]
	}
	return h
}

func splitLines(s string) []string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	return lines
}

// diff shows what a fix would change.
func (t *text) diff(f *source.File, edits []source.Edit) {
	hs := hunks(f, edits)
	if len(hs) == 0 {
		return
	}
	fr := &frame{text: t, file: f}
	masked := t.secrets.of(f)
	t.row("", "")
	for i, h := range hs {
		if i > 0 {
			t.elision("")
		}
		if len(h.old) == 0 && strings.TrimSpace(f.Line(h.first-1)) != "" {
			span := lineSpan(f, h.first-1)
			focus := source.Span{Start: span.Start, End: span.Start}
			t.change(h.first-1, "  ", nil, layout(f.Text, span, focus, masked, fr.width()-2))
		}
		t.changes(fr, h.first, "- ", t.removed, h.old)
		t.changes(fr, h.first+h.shift, "+ ", t.added, h.new)
	}
	t.row("", "")
}

func (t *text) changes(fr *frame, first int, sign string, style *color.Color, lines []string) {
	for i, line := range lines {
		if i == shownDiff && len(lines) > shownDiff+1 {
			t.row("", style.Sprint(sign+ellipsis+" "+plural(len(lines)-i, "more line")))
			return
		}
		span := source.Span{End: len(line)}
		t.change(first+i, sign, style, layout(line, span, source.Span{}, nil, fr.width()-2))
	}
}

func (t *text) change(n int, sign string, style *color.Color, r row) {
	content := sign + r.String()
	if style != nil {
		content = style.Sprint(strings.TrimRight(content, " "))
	}
	t.row(lineNumber(n), content)
}
