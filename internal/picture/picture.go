// Package picture draws timelines: for a terminal, as an SVG, as an HTML page and
// as JSON. The same timelines and options always give the same bytes.
package picture

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/timeline"
)

// Options say how timelines are drawn.
type Options struct {
	// Width is the number of columns of the text, 0 for 80.
	Width int
	// Color permits escape sequences in the text.
	Color bool
	// Version is crashlint's own.
	Version string
}

var formats = []struct {
	name  string
	write func(*bufio.Writer, []timeline.Timeline, Options) error
}{
	{"text", writeText},
	{"svg", writeSVG},
	{"html", writeHTML},
	{"json", writeJSON},
}

// Formats returns the names that Write knows.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// Write draws the timelines in the named format.
func Write(w io.Writer, format string, list []timeline.Timeline, o Options) error {
	for _, f := range formats {
		if f.name != format {
			continue
		}
		out := bufio.NewWriter(w)
		if err := f.write(out, cleaned(list), o); err != nil {
			return err
		}
		return out.Flush()
	}
	return fmt.Errorf("%q is not a format: use %s", format, strings.Join(Formats(), ", "))
}

// cleaned returns the timelines without what is invisible in the text of their
// manifests, steers a terminal or has no place in XML.
func cleaned(list []timeline.Timeline) []timeline.Timeline {
	list = slices.Clone(list)
	for i := range list {
		t := &list[i]
		clean(&t.Kind, &t.Name, &t.Namespace, &t.File)
		t.Notes = allClean(t.Notes)
		t.Containers = slices.Clone(t.Containers)
		for j := range t.Containers {
			c := &t.Containers[j]
			clean(&c.Name, &c.Image, &c.Verdict, &c.Assumed.Because, &c.Memory.LimitFrom, &c.Memory.Unknown)
			c.Notes, c.Events, c.Probes, c.Memory.Parts = allClean(c.Notes), slices.Clone(c.Events), slices.Clone(c.Probes), slices.Clone(c.Memory.Parts)
			for k := range c.Events {
				clean(&c.Events[k].What, &c.Events[k].Short)
			}
			for k := range c.Probes {
				clean(&c.Probes[k].Void)
			}
			for k := range c.Memory.Parts {
				clean(&c.Memory.Parts[k].Name, &c.Memory.Parts[k].By)
			}
		}
	}
	return list
}

func allClean(texts []string) []string {
	texts = slices.Clone(texts)
	for i := range texts {
		clean(&texts[i])
	}
	return texts
}

func clean(texts ...*string) {
	for _, text := range texts {
		*text = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return unicode.ReplacementChar
		}, *text)
	}
}

// title names the workload: "Deployment/shop".
func title(t timeline.Timeline) string { return t.Kind + "/" + t.Name }

// place says where the workload stands: "shop.yaml:2, namespace shop".
func place(t timeline.Timeline) string {
	where := fmt.Sprintf("%s:%d", t.File, t.Line)
	if t.Namespace != "" {
		where += ", namespace " + t.Namespace
	}
	return where
}

// A grade says how well a container, or its memory, fares; the highest is the
// worst.
type grade uint8

const (
	good grade = iota
	unsure
	bad
)

// String returns the grade in a word.
func (g grade) String() string { return [...]string{"good", "unsure", "bad"}[g] }

// Sign stands before what is said in the color of the grade.
func (g grade) Sign() string { return [...]string{"✓", "?", "✗"}[g] }

// fate grades the outcome of a container.
func fate(c timeline.Container) grade {
	switch {
	case c.Outcome.Bad():
		return bad
	case c.Outcome == timeline.Unknown:
		return unsure
	}
	return good
}

// room grades what the memory's parts leave of its limit.
func room(m timeline.Memory) grade {
	switch {
	case m.Bad():
		return bad
	case m.Headroom() < 0:
		return unsure
	}
	return good
}

// worst returns the workload's worst grade and what it is given for.
func worst(t timeline.Timeline) (grade, string) {
	var found grade
	var words string
	app := false
	for _, c := range t.Containers {
		g := fate(c)
		if g > found || words == "" || g == found && !app && role(c) == "" {
			found, words, app = g, c.Name+": "+c.Verdict, role(c) == ""
		}
	}
	for _, c := range t.Containers {
		if g := room(c.Memory); g > found {
			found, words = g, c.Name+": memory "+balance(c.Memory)
		}
	}
	return found, words
}

// worstFirst and worstLast return the timelines ordered by their grades, those of
// one grade as they came.
func worstFirst(list []timeline.Timeline) []timeline.Timeline { return byGrade(list, -1) }

func worstLast(list []timeline.Timeline) []timeline.Timeline { return byGrade(list, 1) }

func byGrade(list []timeline.Timeline, sign int) []timeline.Timeline {
	return slices.SortedStableFunc(slices.Values(list), func(a, b timeline.Timeline) int {
		x, _ := worst(a)
		y, _ := worst(b)
		return sign * cmp.Compare(x, y)
	})
}

// role says what a container is where that is not an app container.
func role(c timeline.Container) string {
	if s := c.Role.String(); s != "app" {
		return s
	}
	return ""
}

// clock writes seconds as an axis does: "90 s" is "1:30" on an axis of minutes.
func clock(second, step int64) string {
	switch {
	case step < 60 && second < 600:
		return fmt.Sprintf("%d s", second)
	case step < 60 || step%60 != 0:
		return fmt.Sprintf("%d:%02d", second/60, second%60)
	case step < 3600 && second < 7200:
		return fmt.Sprintf("%d min", second/60)
	}
	return fmt.Sprintf("%d:%02d h", second/3600, second/60%60)
}

// attempts returns when the probe is sent in the container's first run, each as
// early as it may, n at most, and when it kills it; kubelet.Never where it does
// not. They end with the first that is answered, or where the run does.
func attempts(c timeline.Container, p timeline.Probe, until int64, n int) (sent []int64, kills int64) {
	stop := until
	kills = kubelet.Never
	for _, s := range c.Spans {
		if s.Run == 0 && s.Probe != "" {
			stop = min(stop, s.To)
			if s.Probe == p.Field {
				kills = s.To
			}
		}
	}
	answered := int64(kubelet.Never)
	if c.Assumed.Answers < kubelet.Never && len(c.Starts) > 0 {
		answered = c.Starts[0] + c.Assumed.Answers
	}
	for at := p.First.Earliest; at <= stop && len(sent) < n; at += p.Timing.Period {
		// The ticker may be such that one comes as soon as it is answered.
		if at >= answered {
			return append(sent, max(answered, p.First.Earliest)), kills
		}
		sent = append(sent, at)
	}
	if answered > p.First.Earliest && answered <= stop && len(sent) < n {
		sent = append(sent, answered)
	}
	return sent, kills
}

// sum adds the parts of a memory up in words: "heap 1Gi + metaspace 128Mi =
// 1152Mi of 2Gi: 896Mi left". Each part has its mark in front if there are any.
func sum(m timeline.Memory, marks []rune) string {
	if len(m.Parts) == 0 {
		words := []string{}
		if m.Limit > 0 {
			words = append(words, "limit "+timeline.Size(m.Limit)+from(m))
		} else {
			words = append(words, "no limit")
		}
		if m.Request > 0 {
			words = append(words, "request "+timeline.Size(m.Request))
		}
		return strings.Join(append(words, m.Unknown), "; ")
	}
	words := make([]string, len(m.Parts))
	for i, p := range m.Parts {
		words[i] = p.Name + " " + timeline.Size(p.Bytes)
		if len(marks) > 0 {
			words[i] = string(marks[i%len(marks)]) + " " + words[i]
		}
	}
	out := strings.Join(words, " + ")
	if len(m.Parts) == 1 {
		return out + strings.TrimPrefix(balance(m), timeline.Size(m.Total()))
	}
	return out + " = " + balance(m)
}

// balance holds the sum of the parts against the limit: "2583Mi of 2Gi: 535Mi
// too much when all are full".
func balance(m timeline.Memory) string {
	total := timeline.Size(m.Total())
	switch room := m.Headroom(); {
	case m.Limit == 0:
		return total + ", without a limit"
	case room < 0:
		return fmt.Sprintf("%s of %s%s: %s too much when all is full", total, timeline.Size(m.Limit), from(m), mebibytes(uint64(-room)))
	default:
		return fmt.Sprintf("%s of %s%s: %s left", total, timeline.Size(m.Limit), from(m), mebibytes(uint64(room)))
	}
}

// from says which other object the limit comes from.
func from(m timeline.Memory) string {
	if m.LimitFrom == "" {
		return ""
	}
	return " from " + m.LimitFrom
}

func mebibytes(n uint64) string { return fmt.Sprintf("%dMi", n>>20) }
