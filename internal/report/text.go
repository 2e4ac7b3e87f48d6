package report

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// A palette is the colors of the text output, all on or all off.
type palette struct {
	severity          [diag.Error + 1]*color.Color
	title, frame, dim *color.Color
	added, removed    *color.Color
	good, problem     *color.Color
}

func newPalette(on bool) palette {
	c := func(attributes ...color.Attribute) *color.Color {
		c := color.New(attributes...)
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c
	}
	red := c(color.FgRed, color.Bold)
	cyan := c(color.FgCyan, color.Bold)
	return palette{
		severity: [...]*color.Color{0: cyan, diag.Info: cyan, diag.Warning: c(color.FgYellow, color.Bold), diag.Error: red},
		title:    c(color.Bold),
		frame:    c(color.FgBlue, color.Bold),
		dim:      c(color.Faint),
		added:    c(color.FgGreen),
		removed:  c(color.FgRed),
		good:     c(color.FgGreen, color.Bold),
		problem:  red,
	}
}

// text writes for a person at a terminal.
type text struct {
	*view
	palette
	out     *bufio.Writer
	secrets *secrets
	gutter  int // columns of the line numbers in the diagnostic at hand
}

func writeText(out *bufio.Writer, v *view) error {
	t := &text{view: v, palette: newPalette(v.Color), out: out, secrets: newSecrets(v.shown)}
	// The worst comes last, where the eye is.
	ds := slices.Clone(v.shown)
	slices.SortStableFunc(ds, func(a, b *diag.Diagnostic) int { return int(a.Severity) - int(b.Severity) })
	for _, d := range ds {
		t.diagnostic(d)
	}
	if !v.Quiet {
		t.notes()
	}
	for _, p := range v.Problems {
		t.problems(p)
	}
	if !v.Quiet {
		t.line(t.summary())
	}
	return nil
}

// line writes one line of output.
func (t *text) line(s string) {
	// Errors stay in the writer until it is flushed.
	_, _ = t.out.WriteString(s)
	_ = t.out.WriteByte('\n')
}

// row writes a line of a frame: a number, a bar and what stands right of it.
func (t *text) row(number, content string) {
	bar := t.palette.frame.Sprint(fmt.Sprintf("%*s |", t.gutter, number))
	if content = strings.TrimRight(content, " "); content != "" {
		content = " " + content
	}
	t.line(bar + content)
}

// elision stands for lines that are left out.
func (t *text) elision(lane string) {
	line := strings.TrimRight(strings.Repeat(" ", t.gutter+1)+t.palette.frame.Sprint(":")+" "+lane, " ")
	t.line(line)
}

func lineNumber(n int) string { return strconv.Itoa(n) }

// remark writes "= kind: message" below a frame.
func (t *text) remark(kind, message string) {
	lead := strings.Repeat(" ", t.gutter+1)
	head := "= " + kind + ": "
	width := 0
	if t.Width > 0 {
		width = max(t.Width-len(lead)-len(head), narrowest)
	}
	for i, line := range wrap(printable(message), width) {
		if i == 0 {
			t.line(lead + t.palette.frame.Sprint("=") + " " + t.title.Sprint(kind) + ": " + line)
			continue
		}
		t.line(lead + strings.Repeat(" ", len(head)) + line)
	}
}

// header writes "kind: message", the first line of everything that is said.
func (t *text) header(style *color.Color, kind, message string) {
	width := 0
	if t.Width > 0 {
		width = max(t.Width-len("  "), narrowest)
	}
	for i, line := range wrap(kind+": "+printable(message), width) {
		switch {
		case i > 0:
			t.line("  " + t.title.Sprint(line))
		case strings.HasPrefix(line, kind+":"):
			t.line(style.Sprint(kind) + t.title.Sprint(line[len(kind):]))
		default: // a kind that is wider than the terminal
			t.line(style.Sprint(line))
		}
	}
}

func (t *text) diagnostic(d *diag.Diagnostic) {
	style := t.severity[min(d.Severity, diag.Error)]
	kind := fmt.Sprintf("%s[%s]", d.Severity, printable(d.Rule))
	if d.Suppressed != nil {
		style = t.dim
		kind = "suppressed " + kind
	}
	t.header(style, kind, d.Message)

	here, elsewhere, loose := t.places(d, style)
	t.gutter = gutterWidth(d, here, elsewhere)
	t.arrow("-->", d.Location, origin(d))
	if len(here) > 0 {
		t.row("", "")
		t.frame(d.Location.File, here)
	}
	for _, e := range elsewhere {
		if len(here) > 0 {
			t.row("", "")
		}
		t.arrow(":::", diag.Location{File: e.file, Span: e.marks[0].span}, "")
		t.row("", "")
		t.frame(e.file, e.marks)
	}
	if len(here) > 0 || len(elsewhere) > 0 {
		t.row("", "")
	}
	for _, note := range loose {
		t.remark("note", note)
	}
	for _, note := range d.Notes {
		t.remark("note", note)
	}
	for i, fix := range d.Fixes {
		t.fix(d, fix, i > 0)
	}
	if s := d.Suppressed; s != nil {
		t.remark("suppressed", suppression(s))
	}
	t.remark("why", "crashlint explain "+d.Rule)
	t.line("")
}

// suppression says who silenced a diagnostic and why.
func suppression(s *diag.Suppression) string {
	where := "in the manifest"
	if s.Kind == "external" {
		where = "by the configuration"
	}
	if s.Reason == "" {
		return where
	}
	return where + ": " + s.Reason
}

// origin says which object a diagnostic is about, and what rendered it.
func origin(d *diag.Diagnostic) string {
	var parts []string
	if d.Object != (diag.Object{}) {
		parts = append(parts, "in "+d.Object.String())
	}
	if d.Template != "" {
		parts = append(parts, "rendered from "+d.Template)
	}
	return strings.Join(parts, ", ")
}

// arrow writes where a frame is: "--> path:line:column".
func (t *text) arrow(head string, l diag.Location, more string) {
	path, start, _ := t.place(l)
	where := printable(path)
	if l.File != nil && l.Span != (source.Span{}) {
		where += fmt.Sprintf(":%d:%d", start.Line, start.Column)
	}
	if more != "" {
		where += " " + t.dim.Sprint(printable(more))
	}
	t.line(strings.Repeat(" ", t.gutter) + t.palette.frame.Sprint(head) + " " + where)
}

// marksOf is the marks of a diagnostic in one other file.
type marksOf struct {
	file  *source.File
	marks []*mark
}

// places sorts what a diagnostic points at: into its own file, into others, and
// into related places that no frame can show.
func (t *text) places(d *diag.Diagnostic, style *color.Color) (here []*mark, elsewhere []marksOf, loose []string) {
	if d.Location.File != nil && d.Location.Span != (source.Span{}) {
		m := newMark(d.Location.File, d.Location.Span)
		m.primary, m.style = true, style
		here = append(here, m)
	}
	for _, r := range d.Related {
		f := r.Location.File
		if f == nil {
			loose = append(loose, r.Message)
			continue
		}
		if r.Location.Span == (source.Span{}) {
			loose = append(loose, f.Path+": "+r.Message)
			continue
		}
		m := newMark(f, r.Location.Span)
		m.label, m.style = printable(r.Message), t.palette.frame
		if f == d.Location.File {
			here = append(here, m)
			continue
		}
		i := slices.IndexFunc(elsewhere, func(e marksOf) bool { return e.file == f })
		if i < 0 {
			i = len(elsewhere)
			elsewhere = append(elsewhere, marksOf{file: f})
		}
		elsewhere[i].marks = append(elsewhere[i].marks, m)
	}
	return here, elsewhere, loose
}

// gutterWidth is the width of the largest line number that a diagnostic shows.
func gutterWidth(d *diag.Diagnostic, here []*mark, elsewhere []marksOf) int {
	last := 1
	for _, m := range here {
		last = max(last, m.last)
	}
	for _, e := range elsewhere {
		for _, m := range e.marks {
			last = max(last, m.last)
		}
	}
	for _, fix := range d.Fixes {
		if d.Location.File == nil || !spelled(d, fix) {
			continue
		}
		for _, e := range fix.Edits {
			last = max(last, lineOf(d.Location.File, e.Span.End)+strings.Count(e.New, "\n"))
		}
	}
	return len(strconv.Itoa(last))
}

func (t *text) fix(d *diag.Diagnostic, fix diag.Fix, alternative bool) {
	kind := "fix"
	if alternative {
		kind = "or"
	}
	switch fix.Safety {
	case diag.Display:
		kind += " (example)"
	default:
		kind += " (" + fix.Safety.String() + ")"
	}
	t.remark(kind, fix.Message)
	if d.Location.File != nil && spelled(d, fix) {
		t.diff(d.Location.File, fix.Edits)
	}
}

func (t *text) problems(p diag.Problem) {
	t.header(t.problem, "problem", problemMessage(p))
	if p.Location != nil && p.Location.File != nil {
		m := newMark(p.Location.File, p.Location.Span)
		m.primary, m.style = true, t.problem
		t.gutter = len(strconv.Itoa(m.last))
		t.arrow("-->", *p.Location, "")
		if p.Location.Span != (source.Span{}) {
			t.row("", "")
			t.frame(p.Location.File, []*mark{m})
		}
	}
	t.line("")
}

// problemMessage is the problem without a place that is shown apart.
func problemMessage(p diag.Problem) string {
	if p.Location != nil && p.Location.File != nil {
		return p.Message
	}
	return diag.Problem{Message: p.Message, Path: p.Path}.String()
}

// notes writes each kind of note once, however many files it concerns.
func (t *text) notes() {
	count := map[string]int{}
	for _, n := range t.Notes {
		count[n.Message]++
	}
	said := map[string]bool{}
	for _, n := range t.Notes {
		if said[n.Message] {
			continue
		}
		said[n.Message] = true
		message := n.String()
		if more := count[n.Message] - 1; more > 0 {
			message += fmt.Sprintf(" (and %s)", plural(more, "more file"))
		}
		t.header(t.title, "note", message)
	}
	if len(t.Notes) > 0 {
		t.line("")
	}
}

// summary is the last line.
func (t *text) summary() string {
	subject := plural(t.Files, "file") + ", " + plural(t.Workloads, "workload")
	if t.Workloads == 0 && t.Objects > 0 {
		subject = plural(t.Files, "file") + ", " + plural(t.Objects, "object") + ", no workload"
	}
	line := subject + ": " + t.verdict()
	if t.Elapsed > 0 {
		line += " in " + elapsed(t.Elapsed)
	}
	if n := len(t.Problems); n > 0 {
		line += "; " + t.problem.Sprint(plural(n, "problem")) + " kept crashlint from checking everything"
	}
	if asides := t.asides(); len(asides) > 0 {
		line += " (" + strings.Join(asides, "; ") + ")"
	}
	return line
}

// verdict counts what was found, and never calls clean what was not read.
func (t *text) verdict() string {
	var found []string
	for _, s := range []diag.Severity{diag.Error, diag.Warning, diag.Info} {
		if n := t.count[s]; n > 0 {
			found = append(found, t.severity[s].Sprint(plural(n, s.String())))
		}
	}
	switch {
	case len(found) > 0:
		return strings.Join(found, ", ")
	case len(t.Problems) > 0:
		return "nothing found in what could be checked"
	case t.Objects == 0 && t.Workloads == 0:
		return "nothing was checked"
	case t.hidden[diag.Warning] > 0:
		return t.good.Sprint("no errors")
	case t.hidden[diag.Info] > 0:
		return t.good.Sprint("no errors or warnings")
	}
	return t.good.Sprint("no reason to crash found")
}

// asides are what the counts leave out.
func (t *text) asides() []string {
	var out []string
	var hidden []string
	lowest := diag.Error
	for _, s := range []diag.Severity{diag.Error, diag.Warning, diag.Info} {
		if n := t.hidden[s]; n > 0 {
			hidden = append(hidden, plural(n, s.String()))
			lowest = s
		}
	}
	if len(hidden) > 0 {
		shows := "them"
		if t.hidden.total() == 1 {
			shows = "it"
		}
		out = append(out, fmt.Sprintf("%s hidden, --min-severity %s shows %s", strings.Join(hidden, " and "), lowest, shows))
	}
	if t.suppressed > 0 {
		out = append(out, fmt.Sprintf("%d suppressed", t.suppressed))
	}
	if t.Skipped > 0 {
		out = append(out, plural(t.Skipped, "file")+" skipped: not Kubernetes")
	}
	return out
}

// plural counts things.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// elapsed rounds a duration to what a person cares for.
func elapsed(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}
