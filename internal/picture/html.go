package picture

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/timeline"
)

// A page is what the HTML page shows.
type page struct {
	Version   string
	Summary   string
	Workloads []section
}

// A section is one workload of the page.
type section struct {
	ID, Title, Namespace, Place string
	// Grade is its worst, and Verdict what that is given for.
	Grade        grade
	Verdict      string
	Wide, Narrow figure
	Containers   []numbers
	Notes        []string
}

// numbers are the tables of a container.
type numbers struct {
	Name, Image, Assumed string
	Events               [][2]string
	Probes               []string // the head of Settings
	Settings             [][]string
	Parts                [][4]string
	Memory               string
	Notes                []string
}

func writeHTML(out *bufio.Writer, list []timeline.Timeline, o Options) error {
	p := page{Version: o.Version}
	var tally [bad + 1]int
	for i, t := range worstFirst(list) {
		id := "w" + strconv.Itoa(i+1)
		s := section{ID: id, Title: title(t), Namespace: t.Namespace, Place: place(t), Notes: t.Notes}
		one := []timeline.Timeline{t}
		s.Wide, s.Narrow = draw(id+"-wide", one, wide, false), draw(id+"-narrow", one, narrow, false)
		s.Grade, s.Verdict = worst(t)
		tally[s.Grade]++
		for _, c := range t.Containers {
			s.Containers = append(s.Containers, numbersOf(c))
		}
		p.Workloads = append(p.Workloads, s)
	}
	p.Summary = fmt.Sprintf("%s: %d in trouble, %d depend on what no file says, %d fine", count(len(list), "workload"), tally[bad], tally[unsure], tally[good])
	return templates().ExecuteTemplate(out, "page", p)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func numbersOf(c timeline.Container) numbers {
	n := numbers{Name: c.Name, Image: c.Image, Assumed: c.Assumed.Because, Memory: sum(c.Memory, nil)}
	if r := role(c); r != "" {
		n.Name += " (" + r + ")"
	}
	for _, e := range c.Events {
		n.Events = append(n.Events, [2]string{timeline.Span(kubelet.Window{Earliest: e.At, Latest: e.Latest}), e.What})
	}
	if again := c.Again(); again != "" {
		n.Notes = append(n.Notes, again)
	}
	n.Notes = append(n.Notes, c.Notes...)
	for _, p := range c.Probes {
		n.Probes = append(n.Probes, strings.TrimSuffix(p.Field, "Probe"))
	}
	for _, s := range settings {
		row := []string{s.name}
		for _, p := range c.Probes {
			row = append(row, s.value(p))
		}
		n.Settings = append(n.Settings, row)
	}
	for _, p := range c.Memory.Parts {
		n.Parts = append(n.Parts, [4]string{p.Name, timeline.Size(p.Bytes), p.Basis.String(), p.By})
	}
	return n
}

// settings are the rows of the table of probes.
var settings = []struct {
	name  string
	value func(timeline.Probe) string
}{
	{"initialDelaySeconds", func(p timeline.Probe) string { return strconv.FormatInt(p.Timing.InitialDelay, 10) }},
	{"periodSeconds", func(p timeline.Probe) string { return strconv.FormatInt(p.Timing.Period, 10) }},
	{"timeoutSeconds", func(p timeline.Probe) string { return strconv.FormatInt(p.Timing.Timeout, 10) }},
	{"failureThreshold", func(p timeline.Probe) string { return strconv.FormatInt(p.Timing.FailureThreshold, 10) }},
	{"sent first, at second", func(p timeline.Probe) string { return moment(p.First) }},
	{"has failed by second", func(p timeline.Probe) string { return moment(p.Fails) }},
	{"patience with a hang, s", func(p timeline.Probe) string { return timeline.Span(p.Patience) }},
}

// moment writes a window, a dash for what does not come.
func moment(w kubelet.Window) string {
	if w.Earliest == kubelet.Never {
		return "–"
	}
	return timeline.Span(w)
}
