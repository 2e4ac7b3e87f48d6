package timeline

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
)

// An Event is something that happens to a container.
type Event struct {
	// At is the second, and Latest the last one at which it may happen, with the
	// phase of the probe's ticker; the same where that does not matter.
	At, Latest int64
	// What happens, in words, and Short in as few as a line needs; empty for what
	// it leaves out.
	What, Short string

	rank int // among those of one second
}

// short is what a line calls the probes.
var short = map[string]string{"startupProbe": "startup probe", "livenessProbe": "liveness", "readinessProbe": "readiness"}

// events returns what happens up to the container's second start.
func (c Container) events(spans []kubelet.Span) []Event {
	var out []Event
	add := func(rank int, at int64, short, format string, args ...any) {
		out = append(out, Event{at, at, fmt.Sprintf(format, args...), short, rank})
	}
	for i, s := range spans {
		if s.Run > 0 {
			break
		}
		switch s.Phase {
		case kubelet.Waiting:
			add(0, s.From, "", "waits for the containers before it")
		case kubelet.Hooked:
			add(2, s.From, "", "postStart hooks run; nothing is probed")
		case kubelet.Ready:
			add(5, s.From, "ready", "ready")
		case kubelet.PreStop:
			add(8, s.From, "", "the preStop hook runs")
		case kubelet.Stopping:
			brief := ""
			if i > 0 && spans[i-1].Phase == kubelet.PreStop {
				brief = "SIGTERM"
			}
			add(9, s.From, brief, "SIGTERM")
		}
		if s.Probe != "" {
			failures := c.killer().Timing.FailureThreshold
			out = append(out, Event{s.To, s.Kills.Latest, fmt.Sprintf("the %s has failed often enough (failureThreshold %d): the container is killed", s.Probe, failures), "killed", 7})
		}
		if s.Exit != nil {
			c.ended(s, spans[i+1:], add)
		}
	}
	start, _, started := firstRun(spans)
	if start < kubelet.Never {
		add(1, start, "", "starts")
	}
	if c.has("startupProbe") && started < kubelet.Never {
		add(3, started, "", "the startupProbe has succeeded: started")
	}
	killed := killed(spans)
	for _, p := range c.Probes {
		if p.First.Earliest <= killed && p.First.Earliest < kubelet.Never {
			rank := 4
			if p.Field == "startupProbe" {
				rank = 2
			}
			out = append(out, Event{p.First.Earliest, p.First.Latest, "first " + p.Field, "first " + short[p.Field], rank})
		}
	}
	if killed < kubelet.Never && c.Assumed.Answers < kubelet.Never {
		add(6, start+c.Assumed.Answers, "would have answered", "it would have answered")
	}
	slices.SortStableFunc(out, func(a, b Event) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.rank, b.rank)) })
	return out
}

// ended adds the end of a run, and what follows.
func (c Container) ended(s kubelet.Span, next []kubelet.Span, add func(rank int, at int64, short, format string, args ...any)) {
	switch {
	case s.Phase == kubelet.Stopping && *s.Exit == kubelet.ExitKilled:
		add(10, s.To, "SIGKILL", "SIGKILL: exit code %d", *s.Exit)
	case s.Phase == kubelet.Stopping:
		add(10, s.To, "stopped", "has stopped: exit code %d", *s.Exit)
	default:
		add(10, s.To, "done", "done: exit code %d", *s.Exit)
	}
	if len(next) == 0 {
		return
	}
	switch n := next[0]; n.Phase {
	case kubelet.BackingOff:
		add(11, n.From, "", "CrashLoopBackOff for %d s", n.To-n.From)
	case kubelet.Ended:
		if c.Role != manifest.Init {
			add(11, n.From, "", "not started again")
		}
	default:
		add(11, n.From, "", "starts again at once: the back-off counts from the end of the run before")
	}
}

// has reports whether the container has the probe.
func (c Container) has(field string) bool {
	return slices.ContainsFunc(c.Probes, func(p Probe) bool { return p.Field == field })
}
