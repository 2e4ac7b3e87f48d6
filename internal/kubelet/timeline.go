package kubelet

import corev1 "k8s.io/api/core/v1"

// A Behaviour is what a manifest does not say of a container. Times are in
// seconds, Never where it does not happen.
type Behaviour struct {
	// Answers is from when on after its start the program answers its probes.
	Answers int64
	// Lasts is when after its start it ends by itself, with the exit code Code.
	Lasts int64
	Code  int32
	// Stops is how long it takes to end after SIGTERM; a program that takes
	// longer than it has, or Never, is killed.
	Stops int64
	// PostStart and PreStop are how long its hooks take that are not sleeps.
	PostStart, PreStop int64
}

// A Phase is what a container goes through.
type Phase uint8

const (
	// Waiting is for init containers and sidecars that come first.
	Waiting Phase = iota
	// Initializing is the run of an init container that has to end.
	Initializing
	// Hooked is the time from the start until the kubelet sees the container
	// run: while postStart hooks run, its own and those of the containers that
	// are started with it. No probe is sent.
	Hooked
	// Starting is the time until the startup probe has succeeded.
	Starting
	// Started is the time until the readiness probe has succeeded.
	Started
	// Ready is the time after that.
	Ready
	// PreStop is the run of the preStop hook before SIGTERM.
	PreStop
	// Stopping is the time from SIGTERM until the container has ended.
	Stopping
	// BackingOff is the wait before the next start: CrashLoopBackOff.
	BackingOff
	// Ended is the time after which the container is not started again.
	Ended
)

var phases = [...]string{
	"waiting", "initializing", "hooked", "starting", "started", "ready", "preStop", "stopping", "backing off", "ended",
}

// String returns the phase in words.
func (p Phase) String() string { return phases[p] }

// A Span is one phase of one container, in seconds after the start of the pod's
// first container. The spans of a container follow one another without a gap; a
// run that ends as it starts has one with no length.
type Span struct {
	Container string
	// Run counts the container's restarts: 0 is its first start.
	Run      int
	Phase    Phase
	From, To int64
	// Probe is the field of the probe that fails at To, and Kills the window
	// around To in which that may be; empty where no probe ends the phase.
	Probe string
	Kills Window
	// Exit is the exit code with which the container ends at To, nil where it
	// does not end.
	Exit *int32
}

// longest is the longest timeline, in seconds: a day.
const longest = 24 * 60 * 60

// Timeline returns what becomes of the pod's containers from the start of the
// first to the second until, a day at most, in the pod's order: init containers
// one after the other; a sidecar lets the next one start when its postStart hook
// is done and its startup probe has succeeded; then the app containers, one after
// the other's postStart hook; nothing waits for readiness
// (kuberuntime_container.go, computeInitContainerActions; kuberuntime_manager.go,
// computePodActions and SyncPod). When every app container has ended for good,
// the sidecars are stopped.
//
// Images are there at once and every probe comes as early as it may. A container
// that answers later than any phase of the ticker forgives is killed
// (Timing.Deadline). Kills and hooks of one container do not hold up the others,
// and the rule action RestartAllContainers restarts its own alone.
func (n Node) Timeline(pod *corev1.PodSpec, behave func(c *corev1.Container) Behaviour, until int64) []Span {
	end := min(max(until, 0), longest)
	var (
		spans    []Span
		sidecars []func(until int64) []Span
		insert   []int // where in spans the sidecars belong
		now      int64 // when the next container starts
	)
	for i := range pod.InitContainers {
		c := &pod.InitContainers[i]
		l := life{node: n, pod: pod, c: c, Behaviour: behave(c)}
		if !n.Sidecar(c) {
			l.plain = true
			list, done := l.lives(now, now, end)
			spans, now = append(spans, list...), done
			if done == Never && len(list) > 0 && list[len(list)-1].Phase == Ended {
				end = list[len(list)-1].From // the pod has failed
			}
			continue
		}
		start := now
		seen := plus(start, l.hook())
		insert = append(insert, len(spans))
		sidecars = append(sidecars, func(until int64) []Span {
			list, _ := l.lives(start, seen, until)
			return list
		})
		now = Never
		if started, stop := l.started(start, seen), l.stop(start, seen); started <= stop.at {
			now = started
		}
	}

	apps := make([]life, len(pod.Containers))
	starts := make([]int64, len(pod.Containers))
	for i := range pod.Containers {
		c := &pod.Containers[i]
		apps[i] = life{node: n, pod: pod, c: c, Behaviour: behave(c)}
		starts[i] = now
		now = plus(now, apps[i].hook())
	}
	var over int64 // when all of them have ended for good
	var tail []Span
	for i, l := range apps {
		list, done := l.lives(starts[i], now, end)
		tail, over = append(tail, list...), max(over, done)
	}
	if len(apps) > 0 && over < end {
		end = over
	}

	var all []Span
	from := 0
	for i, sidecar := range sidecars {
		all = append(append(all, spans[from:insert[i]]...), sidecar(end)...)
		from = insert[i]
	}
	return append(append(all, spans[from:]...), tail...)
}

// A life is one container with what it does, whenever it is started.
type life struct {
	node  Node
	pod   *corev1.PodSpec
	c     *corev1.Container
	plain bool // an init container that has to end
	Behaviour
}

// hook returns how long the postStart hook takes.
func (l life) hook() int64 {
	if l.c.Lifecycle == nil {
		return 0
	}
	return hookSeconds(l.c.Lifecycle.PostStart, l.PostStart)
}

// started returns when the container counts as started that the kubelet sees
// running from the second on.
func (l life) started(start, seen int64) int64 {
	checks := checksFrom(l.c, seen-start)
	if checks.Startup == nil {
		return seen
	}
	if checks.Startup.Void != "" {
		return Never
	}
	return plus(start, max(checks.Startup.Passes.Earliest, l.Answers))
}

// ready returns when the container becomes ready that is started at the second.
func (l life) ready(start, seen, started int64) int64 {
	r := checksFrom(l.c, seen-start).Readiness
	switch {
	case r == nil:
		return started
	case r.Void != "":
		return Never
	}
	return max(started, plus(start, max(r.First.Earliest, l.Answers)))
}

// A stop is how a run of a container comes to its end.
type stop struct {
	at    int64 // when it ends by itself or a probe decides to kill it
	probe string
	check *Check // nil when it ends by itself
}

func (l life) stop(start, seen int64) stop {
	own := stop{at: plus(start, max(l.Lasts, 0))}
	if l.plain {
		return own
	}
	check, field := checksFrom(l.c, seen-start).Killer(l.Answers)
	if check == nil {
		return own
	}
	if kill := plus(start, check.Fails.Earliest); kill < own.at {
		return stop{kill, field, check}
	}
	return own
}

// lives returns the spans of the container that starts first at the second, and
// when it has ended for good: Never for an init container that does so in vain.
func (l life) lives(start, seen, until int64) (spans []Span, done int64) {
	run := 0
	add := func(phase Phase, from, to int64) {
		if from < until {
			spans = append(spans, Span{Container: l.c.Name, Run: run, Phase: phase, From: from, To: min(to, until)})
		}
	}
	if start > 0 {
		add(Waiting, 0, start)
	}
	r := restarts{BackOff: l.node.backOff()}
	for ; start < until; run++ {
		s := l.stop(start, seen)
		l.phases(add, start, seen, s.at)
		if s.at >= until {
			return spans, Never
		}
		end, code := s.at, l.Code
		if s.check != nil {
			last := &spans[len(spans)-1]
			last.Probe, last.Kills = s.probe, Window{plus(start, s.check.Fails.Earliest), plus(start, s.check.Fails.Latest)}
			stop := StopOf(l.pod, l.c, s.check.Probe, l.PreStop)
			end, code = plus(s.at, stop.Kill), ExitKilled
			if l.Stops < stop.Kill-stop.Term {
				end, code = plus(s.at, stop.Term+max(l.Stops, 0)), ExitTerminated
			}
			term := plus(s.at, stop.Term)
			if s.at < term {
				add(PreStop, s.at, term)
			}
			add(Stopping, term, end)
		}
		if end >= until {
			return spans, Never
		}
		spans[len(spans)-1].Exit = &code
		if !l.node.Restarts(l.pod, l.c, code) {
			add(Ended, end, until)
			if l.plain && code != 0 {
				return spans, Never
			}
			return spans, end
		}
		next := r.next(end, s.check != nil)
		if end < next {
			add(BackingOff, end, next)
		}
		start, seen = next, plus(next, l.hook())
	}
	return spans, Never
}

// phases adds the phases of a run up to its end: one at least, if it is empty.
func (l life) phases(add func(Phase, int64, int64), start, seen, end int64) {
	if l.plain {
		add(Initializing, start, end)
		return
	}
	started := l.started(start, seen)
	from := start
	for _, p := range []struct {
		phase Phase
		until int64
	}{{Hooked, seen}, {Starting, started}, {Started, l.ready(start, seen, started)}, {Ready, Never}} {
		to := min(max(p.until, from), end)
		if from < to || p.until > end {
			add(p.phase, from, to)
			if to == end {
				return
			}
		}
		from = to
	}
}
