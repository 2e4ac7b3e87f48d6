package picture

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/timeline"
)

// A number is a coordinate in pixels.
type number float64

// String writes a tenth of a pixel.
func (n number) String() string {
	return strings.TrimSuffix(strconv.FormatFloat(float64(n), 'f', 1, 64), ".0")
}

// A shape is one element of a figure: a rect, a line, a cross or a text.
type shape struct {
	Kind, Class string
	X, Y, W, H  number // of a line: W and H lead to its end
	Anchor      string
	Text        string
}

// A figure is a drawing of fixed width; its class says for which screens.
type figure struct {
	ID, Class     string
	Width, Height number
	Margin        number
	Title, Desc   string
	Alone         bool // it stands in a file of its own
	Shapes        []shape
}

// Box is the part of the plane that the figure shows.
func (f figure) Box() string {
	return fmt.Sprintf("%s %s %s %s", 0-f.Margin, 0-f.Margin, f.Across(), f.Down())
}

// Across and Down are its size, the margin included.
func (f figure) Across() number { return f.Width + 2*f.Margin }

func (f figure) Down() number { return f.Height + 2*f.Margin }

// A layout is where the parts of a figure stand, in pixels.
type layout struct {
	class string
	width number
	// label is where the axis begins, axis where it ends.
	label, axis number
	// memory is where the memory bar begins; it ends at width. Where it does not
	// stand beside the axis it stands below.
	memory number
	beside bool
	ticks  int
}

// pad keeps strokes and the last tick's number inside of the figure.
const pad = 2

var (
	wide   = layout{class: "wide", width: 1000, label: 84, axis: 690, memory: 740, beside: true, ticks: 9}
	narrow = layout{class: "narrow", width: 328, label: 62, axis: 326, memory: 0, ticks: 4}
)

// Sizes of text and lanes, in pixels.
const (
	big, normal, small = 15, 13, 11
	lane, rail         = 24, 15
	spacing            = 18 // of lines of text
)

// draw draws the timelines one below the other; titled with their names.
func draw(id string, list []timeline.Timeline, l layout, titled bool) figure {
	d := &drawing{layout: l}
	var titles, desc []string
	for i, t := range list {
		if i > 0 {
			d.y += 36
		}
		if titled {
			d.y += big
			d.text(pad, d.y, "title", "", title(t))
			d.y += spacing
			d.paragraph(pad, l.width, "muted", place(t))
			d.y += 8
		}
		d.workload(t)
		titles = append(titles, title(t))
		for _, c := range t.Containers {
			desc = append(desc, c.Name+": "+c.Verdict+". "+c.Line()+". Memory: "+sum(c.Memory, nil)+".")
		}
	}
	d.legend()
	return figure{
		ID: id, Class: l.class, Width: l.width, Height: d.y + 4, Shapes: d.shapes,
		Title: "Timeline of " + strings.Join(titles, ", "), Desc: strings.Join(desc, " "),
	}
}

type drawing struct {
	layout
	y      number
	until  int64
	grid   []number // where the axis has ticks
	shapes []shape
	used   [kubelet.Ended + 1]bool
	// probed, killed and windows say that such marks were drawn.
	probed, killed, windows bool
}

func (d *drawing) rect(class string, x, y, w, h number) {
	d.shapes = append(d.shapes, shape{Kind: "rect", Class: class, X: x, Y: y, W: w, H: h})
}

func (d *drawing) line(class string, x, y, w, h number) {
	d.shapes = append(d.shapes, shape{Kind: "line", Class: class, X: x, Y: y, W: w, H: h})
}

func (d *drawing) cross(x, y number) {
	d.shapes = append(d.shapes, shape{Kind: "cross", Class: "cross", X: x, Y: y, W: 4})
}

// text writes the text with its baseline at y.
func (d *drawing) text(x, y number, class, anchor, content string) {
	d.shapes = append(d.shapes, shape{Kind: "text", Class: class, X: x, Y: y, Anchor: anchor, Text: content})
}

// measure returns about how wide a text is: nobody knows the reader's font, so that
// it is rather too much.
func measure(content string, size number) number {
	return number(displaywidth.String(content)) * size * 0.57
}

// paragraph writes lines between x and right, and moves on below them.
func (d *drawing) paragraph(x, right number, class, content string) {
	line := ""
	for word := range strings.SplitSeq(content, " ") {
		if line != "" && x+measure(line+" "+word, normal) > right {
			d.text(x, d.y, class, "", line)
			d.y += spacing
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	d.text(x, d.y, class, "", line)
	d.y += spacing
}

// at returns where the second stands on the axis.
func (d *drawing) at(second int64) number {
	share := float64(min(second, d.until)) / float64(max(d.until, 1))
	return d.label + number(share)*(d.axis-d.label)
}

func (d *drawing) workload(t timeline.Timeline) {
	d.until = t.Until
	top := d.y
	step := timeline.Step(t.Until, d.ticks)
	d.grid = d.grid[:0]
	for at := int64(0); at <= t.Until; at += step {
		anchor := "middle"
		if d.at(at)+20 > d.axis+pad {
			anchor = "end"
		}
		d.text(d.at(at), top+small, "tick", anchor, clock(at, step))
		d.grid = append(d.grid, d.at(at))
	}
	if d.beside {
		d.text(d.memory, top+small, "tick", "", "memory")
	}
	d.y = top + small + 8
	for _, c := range t.Containers {
		d.container(c)
	}
}

// lined puts the grid under what has been drawn since the mark.
func (d *drawing) lined(mark int, top number) {
	over := slices.Clone(d.shapes[mark:])
	d.shapes = d.shapes[:mark]
	for _, x := range d.grid {
		d.line("grid", x, top, 0, d.y-top)
	}
	d.shapes = append(d.shapes, over...)
}

func (d *drawing) container(c timeline.Container) {
	right := d.axis
	if !d.beside {
		right = d.width
	}
	d.rect("band", 0, d.y, d.width, 1)
	d.y += 24
	top := d.y - 4
	name := c.Name
	if r := role(c); r != "" {
		name += " (" + r + ")"
	}
	d.text(pad, d.y, "name", "", name)
	d.y += spacing + 2
	d.paragraph(pad, right, "verdict "+fate(c).String(), fate(c).Sign()+" "+c.Verdict)
	d.paragraph(pad, right, "muted", c.Assumed.Because)
	d.y -= 4
	mark, lanes := len(d.shapes), d.y-4
	d.phases(c)
	for _, p := range c.Probes {
		d.probe(c, p)
	}
	d.lined(mark, lanes)
	d.labels(c)
	if !d.beside {
		d.y += spacing
		d.text(pad, d.y, "label", "", "memory")
		d.y += 6
		d.memoryBar(c.Memory, d.memory+pad, d.width-pad)
		d.y += 12
		return
	}
	below := d.y
	d.y = top + 6
	d.memoryBar(c.Memory, d.memory, d.width-pad)
	d.y = max(below, d.y) + 14
}

// classes are those of the phases, and the words of the legend.
var classes = map[kubelet.Phase]struct{ class, words, inside string }{
	kubelet.Waiting:      {"waiting", "waits for the containers before it", ""},
	kubelet.Initializing: {"init", "init container", "init"},
	kubelet.Hooked:       {"hook", "postStart or preStop hook", "postStart"},
	kubelet.Starting:     {"starting", "starting: the startup probe holds the others back", "starting"},
	kubelet.Started:      {"started", "runs, not ready", "not ready"},
	kubelet.Ready:        {"ready", "ready", "ready"},
	kubelet.PreStop:      {"hook", "postStart or preStop hook", "preStop"},
	kubelet.Stopping:     {"stopping", "SIGTERM to SIGKILL", "stopping"},
	kubelet.BackingOff:   {"backoff", "CrashLoopBackOff", "back-off"},
}

func (d *drawing) phases(c timeline.Container) {
	d.text(pad, d.y+16, "label", "", "runs")
	for _, s := range c.Spans {
		look, ok := classes[s.Phase]
		if !ok {
			continue
		}
		d.used[s.Phase] = true
		x, w := d.at(s.From), d.at(s.To)-d.at(s.From)
		if s.Phase == kubelet.Waiting {
			d.line(look.class, x, d.y+lane/2, w, 0)
			continue
		}
		w = max(w, 2)
		d.rect(look.class, x, d.y, w, lane)
		if word := look.inside; measure(word, small)+8 <= w {
			d.text(x+w/2, d.y+16, look.class+" inside", "middle", word)
		}
	}
	d.y += lane + 4
}

// probe draws when the probe is sent in the first run, and when it has failed
// often enough.
func (d *drawing) probe(c timeline.Container, p timeline.Probe) {
	label := strings.TrimSpace(short[p.Field])
	if p.Void != "" {
		d.text(pad, d.y+12, "label", "", label)
		d.text(d.label, d.y+12, "small bad", "", "cannot be tried")
		d.y += rail
		return
	}
	const most = 20000
	sent, kills := attempts(c, p, d.until, most)
	if len(sent) == 0 || sent[0] > d.until {
		return
	}
	d.probed = true
	d.text(pad, d.y+12, "label", "", label)
	if p.Kills() && p.Fails.Earliest < d.until {
		x := d.at(p.Fails.Earliest)
		d.windows = true
		d.rect("window", x, d.y+2, max(d.at(p.Fails.Latest)-x, 1), rail-4)
	}
	last := number(-1)
	for _, at := range sent {
		if x := d.at(at); at <= d.until && x-last >= 3 {
			d.line("attempt", x, d.y+3, 0, rail-6)
			last = x
		}
	}
	if kills < d.until {
		d.killed = true
		d.cross(d.at(kills), d.y+rail/2)
	}
	d.y += rail
}

// labels writes what happens below the second at which it does, in as many rows
// as keep them apart. An earlier label never stands above a later one, whose
// leader would run through it.
func (d *drawing) labels(c timeline.Container) {
	const rows = 5
	var begins [rows]number
	for row := range begins {
		begins[row] = d.width
	}
	used := -1
	for _, e := range slices.Backward(c.Events) {
		if e.Short == "" || strings.HasPrefix(e.Short, "first ") || e.At > d.until {
			continue
		}
		when := strconv.FormatInt(e.At, 10)
		if e.Latest != e.At {
			when += "–" + strconv.FormatInt(e.Latest, 10)
		}
		word := when + " s " + e.Short
		w := measure(word, small)
		x := max(min(d.at(e.At)+4, d.axis-w), pad)
		for row := range rows {
			if x+w+8 > begins[row] {
				continue
			}
			base := d.y + 13 + number(row)*15
			d.line("leader", d.at(e.At), d.y, 0, base-d.y)
			d.text(x, base, "small", "", word)
			begins[row], used = x, max(used, row)
			break
		}
	}
	d.y += number(used+1) * 15
	if again := c.Again(); again != "" {
		d.y += 16
		right := d.axis
		if !d.beside {
			right = d.width
		}
		d.paragraph(pad, right, "muted", again)
		d.y -= spacing - 4
	}
	d.y += 6
}

// memoryBar draws the parts of the memory against its limit from x to right, and
// says below what they are.
func (d *drawing) memoryBar(m timeline.Memory, x, right number) {
	if len(m.Parts) == 0 {
		d.y += 14
		d.paragraph(x, right, "muted", sum(m, nil))
		return
	}
	scale := number(max(m.Total(), m.Limit, 1))
	at := func(n uint64) number { return x + number(n)/scale*(right-x) }
	if m.Limit > 0 {
		d.rect("headroom", x, d.y, at(m.Limit)-x, lane)
	}
	var below uint64
	for i, p := range m.Parts {
		d.rect(part(i), at(below), d.y, max(at(below+p.Bytes)-at(below), 1), lane)
		below += p.Bytes
	}
	if m.Limit > 0 {
		end := at(m.Limit)
		d.line("limit", end, d.y-4, 0, lane+8)
		if words := "limit " + timeline.Size(m.Limit); end-x > 130 {
			d.text(end, d.y-8, "tick", "end", words)
		} else if d.beside {
			d.text(end, d.y-8, "tick", "", words)
		}
	}
	d.y += lane + 6
	for i, p := range m.Parts {
		d.rect(part(i), x, d.y+3, 10, 10)
		d.text(x+16, d.y+12, "small", "", p.Name+" "+timeline.Size(p.Bytes))
		d.y += 16
	}
	d.y += 13
	d.paragraph(x, right, "verdict "+room(m).String(), room(m).Sign()+" "+balance(m))
}

// part is the class of a part of the memory.
func part(i int) string { return "part" + strconv.Itoa(i%6) }

// legend says what the looks of the phases mean.
func (d *drawing) legend() {
	d.rect("band", 0, d.y, d.width, 1)
	d.y += 20
	x := number(pad)
	add := func(words string, draw func(x, y number)) {
		w := measure(words, small) + 40
		if x+w > d.width && x > pad {
			x = pad
			d.y += 18
		}
		draw(x, d.y-9)
		d.text(x+22, d.y, "small", "", words)
		x += w
	}
	said := map[string]bool{}
	for p, used := range d.used {
		look := classes[kubelet.Phase(p)]
		if !used || said[look.words] {
			continue
		}
		said[look.words] = true
		add(look.words, func(x, y number) {
			if kubelet.Phase(p) == kubelet.Waiting {
				d.line(look.class, x, y+5, 16, 0)
				return
			}
			d.rect(look.class, x, y, 16, 10)
		})
	}
	if d.probed {
		add("a probe is sent", func(x, y number) { d.line("attempt", x+8, y, 0, 10) })
	}
	if d.killed {
		add("the last one: killed", func(x, y number) { d.cross(x+8, y+5) })
	}
	if d.windows {
		add("kills what has not answered by then", func(x, y number) { d.rect("window", x, y, 16, 10) })
	}
	d.y += 8
}
