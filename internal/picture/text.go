package picture

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/clipperhouse/displaywidth"
	"github.com/fatih/color"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/timeline"
)

// The text is no narrower and no wider than that, in columns: a picture of half a
// metre is hard to follow.
const narrowest, usualWidth, widest = 48, 80, 132

// marks are the characters of the phases, and the words of the legend.
var marks = map[kubelet.Phase]struct {
	mark  rune
	words string
	color []color.Attribute
}{
	kubelet.Waiting:      {'·', "waits", []color.Attribute{color.Faint}},
	kubelet.Initializing: {'▓', "init", []color.Attribute{color.FgBlue}},
	kubelet.Hooked:       {'~', "postStart", []color.Attribute{color.FgMagenta}},
	kubelet.Starting:     {'░', "starting", []color.Attribute{color.FgYellow}},
	kubelet.Started:      {'▒', "started, not ready", []color.Attribute{color.FgYellow}},
	kubelet.Ready:        {'█', "ready", []color.Attribute{color.FgGreen}},
	kubelet.PreStop:      {'<', "preStop", []color.Attribute{color.FgMagenta}},
	kubelet.Stopping:     {'×', "SIGTERM to SIGKILL", []color.Attribute{color.FgRed}},
	kubelet.BackingOff:   {'╌', "back-off", []color.Attribute{color.Faint}},
	kubelet.Ended:        {' ', "", nil},
}

// fills are the characters of the parts of a memory, one after the other.
var fills = []rune("█▓▒░▚▞")

type text struct {
	out          *bufio.Writer
	width, label int
	bold, dim    *color.Color
	grades       [bad + 1]*color.Color
	colored      bool
	used         [kubelet.Ended + 1]bool
	probed, held bool // probes and memories were drawn
}

func writeText(out *bufio.Writer, list []timeline.Timeline, o Options) error {
	t := &text{out: out, width: usualWidth, label: len("readiness") + 3, colored: o.Color}
	if o.Width > 0 {
		t.width = min(max(o.Width, narrowest), widest)
	}
	t.bold, t.dim = t.style(color.Bold), t.style(color.Faint)
	t.grades = [...]*color.Color{t.style(color.FgGreen), t.style(color.FgYellow), t.style(color.FgRed, color.Bold)}
	// The worst comes last, where the eye is.
	for _, w := range worstLast(list) {
		t.workload(w)
		fmt.Fprintln(out)
	}
	t.legend()
	return nil
}

func (t *text) style(attributes ...color.Attribute) *color.Color {
	c := color.New(attributes...)
	if t.colored {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return c
}

// unbroken is a blank at which wrapped does not break a line.
const unbroken = "\u00a0"

// columns is how many columns the axis has.
func (t *text) columns() int { return t.width - t.label }

func (t *text) workload(w timeline.Timeline) {
	t.wrapped("", t.bold, title(w))
	t.wrapped("", t.dim, place(w))
	t.axis(w.Until)
	for _, c := range w.Containers {
		t.container(w, c)
	}
	for _, n := range w.Notes {
		t.wrapped("", t.dim, n)
	}
}

// axis draws the ticks and their seconds.
func (t *text) axis(until int64) {
	cols := t.columns()
	step := timeline.Step(until, cols/9)
	numbers, line := []rune(strings.Repeat(" ", cols+12)), []rune(strings.Repeat("─", cols))
	for at := int64(0); at <= until; at += step {
		col := t.column(at, until)
		if col >= cols {
			break
		}
		line[col] = '┬'
		if word := []rune(clock(at, step)); col+len(word) <= cols {
			copy(numbers[col:], word)
		}
	}
	line[0] = '├'
	t.row("", strings.TrimRight(string(numbers), " "))
	t.row("", string(line))
}

// column returns the column of the second.
func (t *text) column(at, until int64) int {
	return int(at * int64(t.columns()) / max(until, 1))
}

func (t *text) row(label, content string) {
	fmt.Fprintf(t.out, "%-*s%s\n", t.label, label, content)
}

// wrapped prints the text in lines no wider than the picture, indented by two
// behind the first, which begins with the lead.
func (t *text) wrapped(lead string, style *color.Color, content string) {
	line := lead
	begun := false
	flush := func() {
		fmt.Fprintln(t.out, style.Sprint(strings.TrimRight(strings.ReplaceAll(line, unbroken, " "), " ")))
		line, begun = strings.Repeat(" ", max(len(lead), 2)), false
	}
	for word := range strings.SplitSeq(content, " ") {
		if begun && displaywidth.String(line)+1+displaywidth.String(word) > t.width {
			flush()
		}
		if begun {
			line += " "
		}
		line, begun = line+word, true
	}
	flush()
}

func (t *text) container(w timeline.Timeline, c timeline.Container) {
	fmt.Fprintln(t.out)
	name := c.Name
	if r := role(c); r != "" {
		name += " (" + r + ")"
	}
	t.wrapped("", t.grades[fate(c)], name+": "+c.Verdict)
	t.wrapped("  ", t.dim, c.Assumed.Because)
	t.row("  runs", t.phases(c.Spans, w.Until))
	for _, p := range c.Probes {
		t.probe(c, p, w.Until)
	}
	t.memory(c.Memory)
	t.wrapped("  ", t.style(), strings.ReplaceAll(c.Line(), " s ", unbroken+"s"+unbroken))
	for _, n := range c.Notes {
		t.wrapped("  ", t.dim, n)
	}
}

// phases draws the spans of a container: each column the phase that has most of
// it, and what is shorter than a column but matters one column all the same.
func (t *text) phases(spans []kubelet.Span, until int64) string {
	cols := t.columns()
	most := make([]int64, cols)
	cells := make([]kubelet.Phase, cols)
	for i := range cells {
		cells[i] = kubelet.Ended
	}
	for _, s := range spans {
		for col := t.column(s.From, until); col < cols; col++ {
			from, to := int64(col)*until, int64(col+1)*until // in parts of a second
			part := min(to, s.To*int64(cols)) - max(from, s.From*int64(cols))
			if part <= 0 {
				break
			}
			if part > most[col] {
				most[col], cells[col] = part, s.Phase
			}
		}
	}
	for _, s := range spans {
		if s.Phase == kubelet.PreStop || s.Phase == kubelet.Stopping || s.Phase == kubelet.Initializing {
			if col := t.column(s.From, until); col < cols && t.column(s.To, until) <= col+1 {
				cells[col] = s.Phase
			}
		}
	}
	var b strings.Builder
	for from := 0; from < cols; {
		to := from
		for to < cols && cells[to] == cells[from] {
			to++
		}
		m := marks[cells[from]]
		t.used[cells[from]] = true
		if run := strings.Repeat(string(m.mark), to-from); m.mark == ' ' {
			b.WriteString(run)
		} else {
			b.WriteString(t.style(m.color...).Sprint(run))
		}
		from = to
	}
	return strings.TrimRight(b.String(), " ")
}

// short is the label of a probe's row.
var short = map[string]string{"startupProbe": "  startup", "livenessProbe": "  liveness", "readinessProbe": "  readiness"}

// probe draws when the probe is sent in the first run, and the window in which it
// has failed often enough.
func (t *text) probe(c timeline.Container, p timeline.Probe, until int64) {
	cols := t.columns()
	if p.Void != "" {
		t.wrapped(fmt.Sprintf("%-*s", t.label, short[p.Field]), t.grades[bad], "cannot be tried: "+p.Void)
		return
	}
	cells := []rune(strings.Repeat(" ", cols))
	sent, kills := attempts(c, p, until, cols*64)
	if len(sent) == 0 || t.column(sent[0], until) >= cols {
		return
	}
	if p.Kills() && p.Fails.Earliest < until {
		for col := t.column(p.Fails.Earliest, until); col <= t.column(min(p.Fails.Latest, until), until) && col < cols; col++ {
			cells[col] = '▿'
		}
	}
	for _, at := range sent {
		if col := t.column(at, until); col < cols {
			cells[col] = '╵'
		}
	}
	t.probed = true
	if kills < kubelet.Never {
		cells[min(t.column(kills, until), cols-1)] = '✗'
	}
	t.row(short[p.Field], strings.TrimRight(string(cells), " "))
}

// memory draws the parts of the memory against its limit.
func (t *text) memory(m timeline.Memory) {
	if len(m.Parts) > 0 {
		t.held = true
		cols := uint64(t.columns())
		scale := max(m.Total(), m.Limit, 1)
		at := func(n uint64) int { return int(float64(n) / float64(scale) * float64(cols-1)) }
		cells := []rune(strings.Repeat(" ", int(cols)))
		var from uint64
		for i, p := range m.Parts {
			for col := at(from); col < at(from+p.Bytes); col++ {
				cells[col] = fills[i%len(fills)]
			}
			from += p.Bytes
		}
		for col := at(from); col < at(m.Limit); col++ {
			cells[col] = '·'
		}
		if m.Limit > 0 {
			cells[at(m.Limit)] = '┃'
		}
		row := strings.TrimRight(string(cells), " ")
		if m.Limit > 0 && m.Total() > m.Limit {
			limit := len(string(cells[:at(m.Limit)]))
			row = row[:limit] + t.grades[room(m)].Sprint(row[limit:])
		}
		t.row("  memory", row)
	}
	style := t.style()
	if g := room(m); g > good {
		style = t.grades[g]
	}
	lead := strings.Repeat(" ", t.label)
	if len(m.Parts) == 0 {
		lead = fmt.Sprintf("%-*s", t.label, "  memory")
	}
	t.wrapped(lead, style, sum(m, fills))
}

// legend explains the characters that were used.
func (t *text) legend() {
	words := []string{}
	for p, used := range t.used {
		if m := marks[kubelet.Phase(p)]; used && m.words != "" {
			words = append(words, string(m.mark)+" "+m.words)
		}
	}
	if t.probed {
		words = append(words, "╵ a probe is sent", "✗ the last one: killed", "▿ kills what has not answered by then")
	}
	if t.held {
		words = append(words, "┃ memory limit", "· headroom")
	}
	for i, w := range words {
		words[i] = strings.ReplaceAll(w, " ", unbroken)
	}
	t.wrapped("", t.dim, strings.Join(words, unbroken+unbroken+" "))
}
