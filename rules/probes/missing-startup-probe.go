package probes

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

// startOptions are the options of missing-startup-probe.
type startOptions struct {
	StartCPUSeconds float64 `json:"startCPUSeconds" jsonschema_description:"the CPU time, in seconds, that a service on a JVM is taken to need before it answers"`
}

var missingStartupProbe = &rule.Rule{
	ID:       "missing-startup-probe",
	Title:    "The liveness probe kills a container that is still starting",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Options:  func() any { return &startOptions{StartCPUSeconds: jvm.StartCPUSeconds} },
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, ctr := range w.Containers {
			if probed(ctr) && ctr.StartupProbe == nil {
				start{p, ctr}.check()
			}
		}
	},
}

const (
	// granted is the budget that the fix grants: a container that has as much
	// already is in no danger.
	granted = startupPeriod * (startupFailures - 1)

	startupPeriod, startupFailures = 10, 30

	// crutch is the initialDelaySeconds above which it can only be meant to wait
	// for a slow start.
	crutch = 15

	// instant is how many seconds even a program that starts at once may take to
	// listen on a busy node.
	instant = 5

	// migration is how many seconds a change of a database's schema is taken to
	// last at most, when the tables are not empty.
	migration = 60
)

// start looks at what liveness does to one container's start.
type start struct {
	*rule.Pass
	ctr *manifest.Container
}

// A reason is why a container is taken to start slowly.
type reason struct {
	// seconds it takes to start.
	seconds int64
	// refused is true when refused connections alone kill it too early.
	refused bool
	// because says so for messages.
	because string
	// at is the field that says so, without an object when none does.
	at      cluster.Origin
	message string
	// note is what else is to be known of it.
	note string
}

func (s start) check() {
	ctr := s.ctr
	kills := kubelet.StartOf(ctr.Workload.Pod, ctr.Container)
	window := kills.Timing.Failure()
	if kills.Probe != liveness || window.Earliest >= granted || s.answersAtOnce() {
		return
	}
	f := rule.Finding{
		Object: ctr.Workload.Object, At: ctr.At(liveness), Target: node.KeyOf, Severity: diag.Info,
		Needs: []node.Path{ctr.At(startup)},
		Notes: []string{
			fmt.Sprintf("initialDelaySeconds %d + %d × periodSeconds %d + timeoutSeconds %d = %d s (failureThreshold %d)",
				kills.Timing.InitialDelay, kills.Timing.FailureThreshold-1, kills.Timing.Period, kills.Timing.Timeout,
				kills.Timing.Deadline(), kills.Timing.FailureThreshold),
			fmt.Sprintf("killed %s after its start, by when the first probe falls and whether it is refused or hangs; SIGKILL %d s later",
				span(window), kills.Grace),
		},
		Fixes: s.fix(),
	}
	for _, field := range []string{"initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"} {
		f.Needs = append(f.Needs, ctr.At(liveness, field))
	}
	after := kubelet.Window{Earliest: kills.Timing.Deadline(), Latest: kills.Timing.Deadline()}
	because, unless := "nothing says how long it may take to start", " unless it answers by then"
	if kills.Timing.InitialDelay > crutch {
		f.At, f.Target = ctr.At(liveness, "initialDelaySeconds"), node.Value
		because = fmt.Sprintf("a delay of %d s is all that waits for a slow start", kills.Timing.InitialDelay)
	}
	if why, ok := s.reason(kills.Timing); ok {
		f.Severity, because, unless = diag.Warning, why.because, ""
		f.At, f.Target = ctr.At(liveness), node.KeyOf
		if why.refused {
			after.Earliest = window.Earliest
		}
		if why.note != "" {
			f.Notes = append(f.Notes, why.note)
		}
		if why.at.Object != nil {
			f.Related = []rule.Related{{Object: why.at.Object, At: why.at.Path, Within: why.at.Within, Message: why.message}}
		}
	}
	f.Message = fmt.Sprintf("container %q: %s; liveness kills it %s after its start%s, and no startupProbe holds it back",
		ctr.Name, because, span(after), unless)
	s.Report(f)
}

// reason returns the weightiest reason to believe that the container starts
// later than liveness allows.
func (s start) reason(t kubelet.Timing) (reason, bool) {
	ctr := s.ctr
	slow := s.throttle()
	var reasons []reason
	if r, ok := s.program(slow, t); ok {
		reasons = append(reasons, r)
	}
	if r := ctr.ReadinessProbe; r != nil && reflect.DeepEqual(r.ProbeHandler, ctr.LivenessProbe.ProbeHandler) {
		delay := kubelet.TimingOf(r).InitialDelay
		reasons = append(reasons, reason{
			seconds: delay,
			because: fmt.Sprintf("readiness asks the same and is not even tried before second %d", delay),
			at:      cluster.Origin{Object: ctr.Workload.Object, Path: ctr.At(readiness, "initialDelaySeconds")},
			message: "readiness waits longer than liveness allows",
		})
	}
	if word, ok := s.migrates(); ok {
		reasons = append(reasons, reason{
			seconds: migration, at: word.From, message: "the migration",
			because: "it migrates a database before it serves, which takes the longer the larger the tables are",
		})
	}
	if t.InitialDelay > crutch && t.FailureThreshold == 1 {
		reasons = append(reasons, reason{
			seconds: t.Deadline() + 1,
			because: fmt.Sprintf("it gets %d s to start, and the first probe after that is the last (failureThreshold 1)", t.InitialDelay),
		})
	}
	reasons = slices.DeleteFunc(reasons, func(r reason) bool { return r.seconds <= t.Deadline() })
	if len(reasons) > 0 {
		return slices.MaxFunc(reasons, func(a, b reason) int { return cmp.Compare(a.seconds, b.seconds) }), true
	}
	// Before a program listens, connections are refused at once: the timeouts
	// give it nothing.
	if refused := t.Failure().Earliest; refused <= instant {
		r := slow.reason(instant, fmt.Sprintf("no program is sure to listen within %d s on a busy node", refused))
		r.refused = true
		return r, true
	}
	return reason{}, false
}

// program says how long the program itself is known to take.
func (s start) program(slow throttle, t kubelet.Timing) (reason, bool) {
	machine, onJVM := jvm.Of(s.Cluster, s.ctr)
	facts := s.Cluster.Image(s.ctr)
	const known, service = "this image is known to take about %d s to start", "a service on a JVM takes about %d s to start"
	switch {
	case facts.Startup != nil && onJVM:
		seconds := slow.seconds(int64(facts.Startup.Seconds))
		return slow.reason(seconds, fmt.Sprintf(known, seconds)), true
	case facts.Startup != nil:
		seconds := int64(facts.Startup.Seconds)
		return reason{seconds: seconds, because: fmt.Sprintf(known, seconds)}, true
	case onJVM:
		needed := int64(math.Ceil(s.Options.(*startOptions).StartCPUSeconds))
		if needed <= t.Deadline() { // a CPU limit may still be too low: cpu-limit-on-jvm
			return reason{}, false
		}
		seconds := slow.seconds(needed)
		r := slow.reason(seconds, fmt.Sprintf(service, seconds))
		r.note = "taken for a JVM: " + machine.Evidence[0]
		return r, true
	}
	return reason{}, false
}

// A throttle is a CPU limit below one CPU: a start that computes takes as much
// longer as it gets less.
type throttle struct {
	cpus  float64 // 0 without such a limit
	limit string
	at    cluster.Origin
}

func (s start) throttle() throttle {
	limit := s.Cluster.CPU(s.ctr).Limit
	if limit == nil {
		return throttle{}
	}
	cpus := limit.V.AsApproximateFloat64()
	if cpus <= 0 || cpus >= 1 {
		return throttle{}
	}
	return throttle{cpus: cpus, limit: limit.V.String(), at: limit.From}
}

// seconds turns seconds of CPU time into seconds of the clock.
func (t throttle) seconds(cpu int64) int64 {
	if t.cpus == 0 {
		return cpu
	}
	return int64(math.Ceil(float64(cpu) / t.cpus))
}

// reason makes a reason that names the CPU limit where there is one.
func (t throttle) reason(seconds int64, because string) reason {
	r := reason{seconds: seconds, because: because}
	if t.cpus != 0 {
		r.because += " with a CPU limit of " + t.limit
		r.at, r.message = t.at, "the CPU limit"
	}
	return r
}

// migrations are the words, one after the other, with which tools are told to
// change a database's schema.
var migrations = [][]string{
	{"migrate"}, {"db:migrate"}, {"migrate:latest"}, {"db", "upgrade"}, {"upgrade", "head"}, {"migrate", "deploy"},
	{"db", "push"}, {"ef", "database", "update"}, {"update-database"},
}

// migrates returns the word that tells a tool to migrate a database, when the
// container's script waits for that before it goes on to what it serves.
func (s start) migrates() (cluster.Word, bool) {
	commands := s.Cluster.Process(s.ctr).Commands
	for i, c := range commands {
		if i == len(commands)-1 || c.Background {
			continue
		}
		for at := range c.Words {
			for _, m := range migrations {
				if at > 0 && startWith(c.Words[at:], m) {
					return c.Words[at], true
				}
			}
		}
	}
	return cluster.Word{}, false
}

func startWith(words []cluster.Word, texts []string) bool {
	if len(words) < len(texts) {
		return false
	}
	for i, text := range texts {
		if words[i].Value != text {
			return false
		}
	}
	return true
}

// answersAtOnce reports whether the probe asks for no more than that a process
// runs, which holds from the first second.
func (s start) answersAtOnce() bool {
	exec := s.ctr.LivenessProbe.Exec
	if exec == nil {
		return false
	}
	commands := s.Cluster.ProbeProcess(s.ctr, exec.Command, s.ctr.At(liveness, "exec", "command")).Commands
	return len(commands) > 0 && !slices.ContainsFunc(commands, func(c cluster.Command) bool {
		return !slices.Contains([]string{"true", ":", "echo", "pgrep", "pidof", "ps", "kill", "grep", "exit", "ls"}, c.Name())
	})
}

// fix puts in a startup probe that asks what liveness asks.
func (s start) fix() []rule.Fix {
	fields := node.Fields{}
	for _, handler := range []string{"httpGet", "tcpSocket", "exec", "grpc"} {
		if v, ok := s.ctr.Workload.Value(s.ctr.At(liveness, handler)); ok {
			fields = append(fields, node.Field{Key: handler, Value: v})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	fields = append(fields, node.Field{Key: "periodSeconds", Value: int64(startupPeriod)},
		node.Field{Key: "failureThreshold", Value: int64(startupFailures)})
	if timeout := s.ctr.LivenessProbe.TimeoutSeconds; timeout > 1 {
		fields = append(fields, node.Field{Key: "timeoutSeconds", Value: int64(timeout)})
	}
	return []rule.Fix{{
		Message: fmt.Sprintf("add a startupProbe that asks what liveness asks: %d s to start, and liveness waits until then", startupPeriod*startupFailures),
		Safety:  diag.Unsafe,
		Ops:     []node.Op{{Kind: node.Set, Path: s.ctr.At(startup), Value: fields}},
	}}
}
