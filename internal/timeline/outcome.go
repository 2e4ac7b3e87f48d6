package timeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
)

// outcome says where the container ends.
func outcome(ctr *manifest.Container, a Assumption, out Container, spans []kubelet.Span) (Outcome, string) {
	if len(out.Starts) == 0 {
		return Blocked, "never starts: a container before it does not let it"
	}
	if out.Role == manifest.Init {
		last := spans[len(spans)-1]
		if last.Phase == kubelet.Ended {
			return Done, fmt.Sprintf("done at %d s", last.From)
		}
		return Done, fmt.Sprintf("done after %d s", a.Lasts)
	}
	if killed(spans) < kubelet.Never {
		killer := out.killer()
		switch {
		case !a.Known:
			return Unknown, fmt.Sprintf("must answer within %d s of its start, or the %s kills it", killer.deadline(out.Starts[0]), killer.Field)
		case spans[len(spans)-1].Phase == kubelet.Ended:
			return Killed, fmt.Sprintf("killed by the %s at %s s, and restartPolicy %s leaves it there", killer.Field, Span(killer.Fails), ctr.Workload.RestartPolicy())
		}
		return Killed, fmt.Sprintf("killed by the %s at %s s, again and again", killer.Field, Span(killer.Fails))
	}
	for _, p := range out.Probes {
		switch {
		case p.Void != "" && p.Field == "startupProbe":
			return NeverReady, "never started and never ready: the startupProbe cannot be tried, " + p.Void
		case p.Void != "" && p.Field == "readinessProbe":
			return NeverReady, "never ready: the readinessProbe cannot be tried, " + p.Void
		}
	}
	for _, s := range spans {
		switch {
		case s.Phase == kubelet.Ready && ctr.Workload.RunsToCompletion() && ctr.Role == manifest.App:
			return Ready, fmt.Sprintf("runs from %d s on until it is done, and nothing says when that is", out.Starts[0])
		case s.Phase == kubelet.Ready:
			return Ready, ready(s.From, out)
		}
	}
	if !a.Known {
		return Unknown, "ready when it answers, and no probe kills it before"
	}
	return NeverReady, "never ready: it does not answer"
}

// ready says when the container becomes ready, and on what grounds.
func ready(at int64, out Container) string {
	probed := slices.ContainsFunc(out.Probes, func(p Probe) bool { return p.Field == "readinessProbe" })
	switch {
	case len(out.Probes) == 0:
		return fmt.Sprintf("counts as ready at %d s: it has no probes", at)
	case !probed:
		return fmt.Sprintf("counts as ready at %d s: it has no readinessProbe", at)
	}
	return fmt.Sprintf("ready at %d s", at)
}

// killed returns when a probe decides for the first time to kill the container,
// kubelet.Never where none does.
func killed(spans []kubelet.Span) int64 {
	for _, s := range spans {
		if s.Probe != "" {
			return s.To
		}
	}
	return kubelet.Never
}

// killer returns the probe that kills the container in its first run.
func (c Container) killer() Probe {
	for _, p := range c.Probes {
		if p.Kills() && p.Void == "" {
			return p // a startup probe comes before liveness
		}
	}
	return Probe{}
}

// deadline is how many seconds after its start a container has to answer the
// probe at the latest (kubelet.Checks.Killer).
func (p Probe) deadline(start int64) int64 { return later(p.Fails.Earliest-start, p.Timing.Timeout) }

// Span writes a window for people: "20 to 31".
func Span(w kubelet.Window) string {
	if w.Earliest == w.Latest {
		return strconv.FormatInt(w.Earliest, 10)
	}
	return fmt.Sprintf("%d to %d", w.Earliest, w.Latest)
}

// LineOf returns what becomes of the container in one line, as the note of a
// finding has it; empty where somebody else completes its workload.
func LineOf(c *cluster.Cluster, ctr *manifest.Container, a Assumptions) string {
	t, ok := Of(c, ctr.Workload, a)
	if !ok {
		return ""
	}
	return t.Containers[slices.Index(ctr.Workload.Containers, ctr)].Line()
}

// Line returns what becomes of the container in one line: "0 s start · 10 s first
// liveness · 30 s killed · 60 s SIGKILL · starts again at 60, 120, 180 s …".
func (c Container) Line() string {
	if len(c.Starts) == 0 {
		return c.Verdict
	}
	words := []string{fmt.Sprintf("%d s start", c.Starts[0])}
	for _, e := range c.Events {
		if e.Short != "" {
			words = append(words, fmt.Sprintf("%d s %s", e.At, e.Short))
		}
	}
	if again := c.Again(); again != "" {
		words = append(words, again)
	}
	line := strings.Join(words, " · ")
	if c.Outcome == Unknown {
		return "if it never answers: " + line
	}
	return line
}

// Again says when the container starts again, and what it waits before; empty
// when it does not.
func (c Container) Again() string {
	if len(c.Starts) < 2 {
		return ""
	}
	out := "starts again at " + seconds(c.Starts[1:], 5)
	if len(c.Waits) > 0 {
		out += " · back-off " + seconds(c.Waits, 3)
	}
	return out
}

// seconds lists the first n of the seconds.
func seconds(list []int64, n int) string {
	words := make([]string, 0, n)
	for _, s := range list[:min(n, len(list))] {
		words = append(words, strconv.FormatInt(s, 10))
	}
	out := strings.Join(words, ", ") + " s"
	if len(list) > n {
		out += " …"
	}
	return out
}
