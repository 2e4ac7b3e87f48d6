package kubelet

import (
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// The simulation knows time in quarters of a second: a phase of a ticker, the
// duration of a probe and the end of a delay fall on one.
const quarter = 4

// A worker is the kubelet's worker of one probe, written after worker.go: a
// ticker that keeps one tick waiting, doProbe, and the triggers of UpdatePodStatus.
type worker struct {
	Timing
	phase int64 // of the ticker at the container's start, below a period
	// ask sends a probe at a time and returns how long it takes and what comes of it.
	ask func(now int64) (takes int64, success bool)
	// triggers are the times at which the manager sets the worker going, ascending.
	triggers []int64
	// held reports whether something else holds the probe back at a time.
	held func(now int64) bool
}

// run lives until the worker has set a result, and returns when and which.
func (w worker) run() (now int64, success bool) {
	var (
		tick      = w.phase
		period    = w.Period * quarter
		last      bool
		resultRun int64
	)
	for {
		// The ticker's channel holds one tick: of those that were missed while the
		// probe ran, one is received at once.
		if len(w.triggers) > 0 && w.triggers[0] <= max(now, tick) {
			now = max(now, w.triggers[0])
			w.triggers = w.triggers[1:]
			tick = now + period
		} else {
			now = max(now, tick)
			for tick <= now {
				tick += period
			}
		}
		if now < w.InitialDelay*quarter || w.held(now) {
			continue
		}
		takes, ok := w.ask(now)
		now += takes
		if ok == last && resultRun > 0 {
			resultRun++
		} else {
			last, resultRun = ok, 1
		}
		if ok && resultRun < w.SuccessThreshold || !ok && resultRun < w.FailureThreshold {
			continue
		}
		return now, ok
	}
}

func free(int64) bool { return false }

// refused, hangs and answers are the extremes of what a probe can meet.
func refused(int64) (int64, bool) { return 0, false }
func answers(int64) (int64, bool) { return 0, true }
func hangs(t Timing) func(int64) (int64, bool) {
	return func(int64) (int64, bool) { return t.Timeout * quarter, false }
}

// latest answers the last probe of the threshold, as late as that may be answered.
func latest(t Timing) func(int64) (int64, bool) {
	var sent int64
	return func(int64) (int64, bool) {
		if sent++; sent < t.FailureThreshold {
			return t.Timeout * quarter, false
		}
		return t.Timeout*quarter - 1, true
	}
}

func randomTiming(r *rand.Rand) Timing {
	return Timing{
		InitialDelay: r.Int64N(2) * r.Int64N(30), Period: 1 + r.Int64N(12), Timeout: 1 + r.Int64N(15),
		SuccessThreshold: 1, FailureThreshold: 1 + r.Int64N(6),
	}
}

// extremes are the first and the last time that something gave.
type extremes struct{ first, last int64 }

func (e *extremes) add(now int64) { e.first, e.last = min(e.first, now), max(e.last, now) }

// each calls f for each phase of the probe's ticker.
func each(t Timing, f func(phase int64)) {
	for phase := range t.Period * quarter {
		f(phase)
	}
}

// meets fails unless the times lie within the window, the first at its earliest
// second and the last short of its latest by no more than the resolution of
// what had to be just missed, so many times.
func (e extremes) meets(t *testing.T, what string, w Window, missed int64) {
	t.Helper()
	if e.first != w.Earliest*quarter || e.last >= w.Latest*quarter || e.last < w.Latest*quarter-missed {
		t.Fatalf("%s: from %d to %d quarters of a second, the window is %v s", what, e.first, e.last, w)
	}
}

func TestChecksAgainstSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	handler := corev1.ProbeHandler{Exec: &corev1.ExecAction{}}
	probe := func(t Timing) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler: handler, InitialDelaySeconds: int32(t.InitialDelay), PeriodSeconds: int32(t.Period),
			TimeoutSeconds: int32(t.Timeout), SuccessThreshold: int32(t.SuccessThreshold), FailureThreshold: int32(t.FailureThreshold),
		}
	}
	for range 10000 {
		startup, liveness := randomTiming(random), randomTiming(random)
		c := &corev1.Container{StartupProbe: probe(startup), LivenessProbe: probe(liveness)}
		checks := ChecksOf(c)

		// The startup probe stands for any that nothing holds back.
		kill, started := extremes{Never, 0}, extremes{Never, 0}
		var due int64 // the last end of a last probe that began as early as it can
		each(startup, func(phase int64) {
			w := worker{Timing: startup, phase: phase, held: free}
			for _, w.ask = range []func(int64) (int64, bool){refused, hangs(startup)} {
				now, _ := w.run()
				kill.add(now)
			}
			for _, w.ask = range []func(int64) (int64, bool){answers, latest(startup)} {
				now, ok := w.run()
				if !ok {
					t.Fatalf("%+v: a probe that is answered at last fails", startup)
				}
				started.add(now)
			}
			var sent int64
			w.ask = func(int64) (int64, bool) {
				if sent++; sent < startup.FailureThreshold {
					return 0, false
				}
				return startup.Timeout * quarter, false
			}
			now, _ := w.run()
			if due == 0 || now < due {
				due = now
			}
		})
		kill.meets(t, "startup fails", checks.Startup.Fails, 1)
		if due != startup.Deadline()*quarter {
			t.Fatalf("%+v: the last probe ends at %d quarters of a second, the deadline is %d s", startup, due, startup.Deadline())
		}

		// What it holds back: liveness, from its first success to its last.
		kill = extremes{Never, 0}
		first := extremes{Never, 0}
		for _, gate := range []int64{started.first, started.last} {
			each(liveness, func(phase int64) {
				w := worker{Timing: liveness, phase: phase, held: func(now int64) bool { return now < gate }}
				sent := false
				w.ask = func(now int64) (int64, bool) {
					if !sent {
						sent = true
						first.add(now)
					}
					return 0, false
				}
				now, _ := w.run()
				kill.add(now)
				w.ask = hangs(liveness)
				now, _ = w.run()
				kill.add(now)
			})
		}
		kill.meets(t, "liveness fails", checks.Liveness.Fails, 3)
		first.meets(t, "liveness begins", checks.Liveness.First, 3)

		// Readiness: more successes, and the syncs that set the worker going.
		readiness := randomTiming(random)
		readiness.SuccessThreshold = 1 + random.Int64N(3)
		passes := ChecksOf(&corev1.Container{ReadinessProbe: probe(readiness)}).Readiness.Passes
		ready := extremes{Never, 0}
		each(readiness, func(phase int64) {
			w := worker{Timing: readiness, phase: phase, held: free}
			w.ask = func(int64) (int64, bool) { return readiness.Timeout*quarter - 1, true }
			now, _ := w.run()
			ready.add(now)
			w.ask = func(int64) (int64, bool) { return random.Int64N(readiness.Timeout * quarter), true }
			for at := random.Int64N(40); at < 200; at += random.Int64N(60) {
				w.triggers = append(w.triggers, at)
			}
			now, _ = w.run()
			ready.add(now)
			due := readiness.InitialDelay * quarter
			w.triggers, w.ask = []int64{due, due, due}, answers
			now, _ = w.run()
			ready.add(now)
		})
		ready.meets(t, "readiness passes", passes, 1+readiness.SuccessThreshold)
	}
}
