// Package timeline says what becomes of a workload's pod in time: when each
// container starts, is probed, becomes ready or is killed, and starts again; and
// how its memory is divided. It joins what package kubelet computes with what is
// known of the images and runtimes. Drawing it is package picture's business.
package timeline

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A Timeline is what becomes of one pod of a workload. Seconds count from the
// start of the pod's first container, with all images there.
type Timeline struct {
	Kind, Name string
	// Namespace is the one that the workload goes to, empty when nothing says it.
	Namespace string
	// File and Line are where the workload stands.
	File string
	Line int
	// Until is the second that Spans go to.
	Until int64
	// Containers are the pod's, in the order in which they start.
	Containers []Container
	// Notes say what else is to be known of the workload.
	Notes []string
}

// A Container is what becomes of one container.
type Container struct {
	Name, Image string
	// Role is what it is to the cluster, which may be too old for sidecars.
	Role manifest.Role
	// Assumed is what is taken for true of the program, though no file says it.
	Assumed Assumption
	// Outcome is where it ends, and Verdict the same in words with its seconds.
	Outcome Outcome
	Verdict string
	// Spans are its phases, one after the other.
	Spans []kubelet.Span
	// Starts are the first seconds at which it starts, ten at most, and Waits the
	// first of its waits in CrashLoopBackOff, in seconds; what is killed by a probe
	// is often started again without one.
	Starts, Waits []int64
	// Probes are its probes: startup, liveness, readiness.
	Probes []Probe
	// Events are what happens to it up to its second start, in order.
	Events []Event
	Memory Memory
	// Notes say what else is to be known of the container.
	Notes []string
}

// An Outcome is where a container ends.
type Outcome uint8

const (
	// Ready: it becomes ready and stays so.
	Ready Outcome = iota
	// Unknown: nobody knows when it answers; Verdict says by when it must.
	Unknown
	// Killed: a probe kills it again and again.
	Killed
	// NeverReady: nothing kills it, and it does not become ready.
	NeverReady
	// Blocked: it waits for another container that does not let it start.
	Blocked
	// Done: it ends, as it should.
	Done
)

var outcomes = [...]string{"ready", "unknown", "killed", "neverReady", "blocked", "done"}

// String returns the outcome in a word.
func (o Outcome) String() string { return outcomes[o] }

// Bad reports whether the outcome is a fault of the manifest.
func (o Outcome) Bad() bool { return o == Killed || o == NeverReady || o == Blocked }

// A Probe is what one probe of a container decides in its first run.
type Probe struct {
	// Field is startupProbe, livenessProbe or readinessProbe.
	Field  string
	Timing kubelet.Timing
	// Void says why the kubelet cannot even try it, empty when it can.
	Void string
	// First is when it is sent first; at kubelet.Never if it is not.
	First kubelet.Window
	// Fails is when it has failed often enough for a program that has never
	// answered it; at kubelet.Never for one that is not asked before it answers.
	Fails kubelet.Window
	// Patience is how many seconds a program that hangs has once it ran, until the
	// probe has failed often enough.
	Patience kubelet.Window
}

// Kills reports whether the failure of the probe kills the container.
func (p Probe) Kills() bool { return p.Field != "readinessProbe" }

// fields are the probes' fields, in the order in which they take part.
var fields = [...]string{"startupProbe", "livenessProbe", "readinessProbe"}

// horizon is how many seconds are looked ahead for what is worth drawing.
const horizon = 6 * 3600

// listed is how many of a container's starts are listed.
const listed = 10

// Of returns the timeline of the workload, false for one whose containers
// somebody else completes: a patch.
func Of(c *cluster.Cluster, w *manifest.Workload, a Assumptions) (Timeline, bool) {
	partial := func(ctr *manifest.Container) bool { return ctr.Partial }
	if w.Patch || len(w.Pod.Containers) == 0 || !slices.ContainsFunc(w.Containers, func(ctr *manifest.Container) bool { return !partial(ctr) }) {
		return Timeline{}, false
	}
	kubelets := kubelet.Node{Minor: c.Options.Version}
	assumed := map[string]Assumption{}
	for _, ctr := range w.Containers {
		assumed[ctr.Name] = a.of(c, ctr, kubelets)
	}
	spans := func(until int64) map[string][]kubelet.Span {
		found := map[string][]kubelet.Span{}
		behave := func(ctr *corev1.Container) kubelet.Behaviour { return assumed[ctr.Name].Behaviour }
		for _, s := range kubelets.Timeline(w.Pod, behave, until) {
			found[s.Container] = append(found[s.Container], s)
		}
		return found
	}
	t := Timeline{Kind: w.Kind, Name: w.Name, Namespace: c.NamespaceOf(w.Object), File: w.File().Path}
	if at, ok := w.Locate(node.P("kind"), node.KeyOf); ok {
		t.Line = at.File.Position(at.Span.Start).Line
	}
	long := spans(horizon)
	t.Until = a.Until
	if t.Until <= 0 {
		t.Until = worthSeeing(w, assumed, long)
	}
	short := spans(t.Until)
	for _, ctr := range w.Containers {
		t.Containers = append(t.Containers, container(c, ctr, assumed[ctr.Name], short[ctr.Name], long[ctr.Name]))
	}
	t.Notes = t.notes(kubelets, w)
	return t, true
}

// Bad reports whether a container of it ends badly.
func (t Timeline) Bad() bool {
	return slices.ContainsFunc(t.Containers, func(c Container) bool { return c.Outcome.Bad() })
}

func container(c *cluster.Cluster, ctr *manifest.Container, a Assumption, short, long []kubelet.Span) Container {
	out := Container{
		Name: ctr.Name, Image: ctr.Image, Role: ctr.Role, Assumed: a, Spans: short, Memory: memoryOf(c, ctr),
	}
	if a.Lasts < kubelet.Never {
		out.Role = manifest.Init // a sidecar of a cluster that knows none too
	}
	for i, s := range long {
		switch {
		case s.Phase == kubelet.BackingOff && len(out.Waits) < listed:
			out.Waits = append(out.Waits, s.To-s.From)
		case ran(s.Phase) && (i == 0 || long[i-1].Run != s.Run || !ran(long[i-1].Phase)) && len(out.Starts) < listed:
			out.Starts = append(out.Starts, s.From)
		}
	}
	if len(out.Starts) > 0 && out.Role != manifest.Init {
		out.Probes = probes(ctr, a, long)
	}
	out.Outcome, out.Verdict = outcome(ctr, a, out, long)
	out.Events = out.events(long)
	out.Notes = append(unsettled(ctr), a.hooks...)
	return out
}

// ran reports the phases in which a container's process is there.
func ran(p kubelet.Phase) bool {
	return p != kubelet.Waiting && p != kubelet.BackingOff && p != kubelet.Ended
}

// probes returns the container's probes in its first run.
func probes(ctr *manifest.Container, a Assumption, spans []kubelet.Span) []Probe {
	start, seen, started := firstRun(spans)
	var out []Probe
	for _, field := range fields {
		p := ctr.Probe(field)
		if p == nil {
			continue
		}
		t := kubelet.TimingOf(p)
		never := kubelet.Window{Earliest: kubelet.Never, Latest: kubelet.Never}
		probe := Probe{Field: field, Timing: t, Void: kubelet.Unanswerable(p, ctr.Container), First: never, Fails: never}
		patient := t
		patient.InitialDelay = 0
		probe.Patience = patient.Failure()
		held := seen
		if field != "startupProbe" && ctr.StartupProbe != nil {
			held = started
		}
		if probe.Void == "" && held < kubelet.Never {
			first := max(held, start+t.InitialDelay)
			probe.First = kubelet.Window{Earliest: first, Latest: first + t.Period}
			if a.Answers == kubelet.Never || first < start+a.Answers {
				fails := t.FailureFrom(kubelet.Window{Earliest: held - start, Latest: held - start})
				probe.Fails = kubelet.Window{Earliest: later(start, fails.Earliest), Latest: later(start, fails.Latest)}
			}
		}
		out = append(out, probe)
	}
	return out
}

// later adds seconds and stays at kubelet.Never.
func later(start, seconds int64) int64 {
	if seconds > kubelet.Never-start {
		return kubelet.Never
	}
	return start + seconds
}

// firstRun returns when the first run of a container starts, when the kubelet
// sees it running and when it counts as started.
func firstRun(spans []kubelet.Span) (start, seen, started int64) {
	start, seen, started = kubelet.Never, kubelet.Never, kubelet.Never
	for _, s := range spans {
		if s.Run > 0 || !ran(s.Phase) {
			continue
		}
		start = min(start, s.From)
		switch s.Phase {
		case kubelet.Initializing, kubelet.PreStop, kubelet.Stopping:
		case kubelet.Hooked:
			if s.Probe != "" {
				seen = s.To // and killed at once
			}
		case kubelet.Starting:
			seen = min(seen, s.From)
		default:
			seen, started = min(seen, s.From), min(started, s.From)
		}
	}
	return start, seen, started
}

// unsettled says which numbers of the probes a template or placeholder fills in.
func unsettled(ctr *manifest.Container) []string {
	var out []string
	for _, field := range fields {
		if ctr.Probe(field) == nil {
			continue
		}
		for _, number := range []string{"initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold"} {
			if at := ctr.At(field, number); ctr.Workload.Has(at) && !ctr.Workload.Known(at) {
				out = append(out, field+"."+number+" is filled in by somebody else: its default is drawn")
			}
		}
	}
	return out
}
