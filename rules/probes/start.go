package probes

import (
	"fmt"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/timeline"
)

// A start is the start of a container that a probe kills unless it answers.
type start struct {
	*rule.Pass
	ctr *manifest.Container
	// field is the probe that kills, and check what it decides.
	field string
	check *kubelet.Check
	// deadline is the second after the start by which an answer is in time,
	// whatever the phase of the prober's ticker.
	deadline int64
}

// eachStart calls the function for every container of the workload that the
// probe of the field kills when it does not answer. Of two probes that is the
// startup probe: it holds liveness back. Left out are probes that the kubelet
// cannot try, those that ask no more than that a process runs, and containers
// whose postStart hook waits for something: no probe is sent before it ends.
func eachStart(p *rule.Pass, w *manifest.Workload, field string, do func(start)) {
	for _, ctr := range w.Containers {
		if !probed(ctr) {
			continue
		}
		c := *ctr.Container
		seconds, waits := hooked(p, ctr)
		if seconds > 0 {
			c.Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: seconds}}}
		}
		check, kills := kubelet.ChecksOf(&c).Killer(kubelet.Never)
		if kills != field || waits {
			continue
		}
		s := start{Pass: p, ctr: ctr, field: field, check: check, deadline: check.Fails.Earliest + check.Timing.Timeout}
		if !s.answersAtOnce() {
			do(s)
		}
	}
}

// hooked returns how many seconds the container's postStart hook sleeps, and
// whether it waits for something for as long as that takes.
func hooked(p *rule.Pass, ctr *manifest.Container) (seconds int64, waits bool) {
	if ctr.Lifecycle == nil || ctr.Lifecycle.PostStart == nil {
		return 0, false
	}
	hook := ctr.Lifecycle.PostStart
	switch {
	case hook.Sleep != nil:
		return hook.Sleep.Seconds, false
	case hook.Exec != nil:
		commands := p.Cluster.HookProcess(ctr, hook.Exec.Command, ctr.At("lifecycle", "postStart", "exec", "command")).Commands
		return cluster.Slept(commands), slices.ContainsFunc(commands, func(c cluster.Command) bool { return c.Repeated && !c.Background })
	}
	return 0, false
}

// answersAtOnce reports whether the probe asks for no more than that a process
// runs, which holds from the first second.
func (s start) answersAtOnce() bool {
	if s.check.Probe.Exec == nil {
		return false
	}
	commands := s.probe().Commands
	return len(commands) > 0 && !slices.ContainsFunc(commands, func(c cluster.Command) bool {
		return !slices.Contains([]string{"true", ":", "echo", "pgrep", "pidof", "ps", "kill", "grep", "exit", "ls"}, c.Name())
	})
}

// probe returns what the exec probe runs.
func (s start) probe() cluster.Process {
	return s.Cluster.ProbeProcess(s.ctr, s.check.Probe.Exec.Command, s.ctr.At(s.field, "exec", "command"))
}

// asksServer reports whether the probe can only be answered by the server that
// the container's command comes to in the end.
func (s start) asksServer() bool {
	q := subject{s.Pass, s.ctr, s.field, s.check.Probe}
	if s.check.Probe.Exec != nil {
		env := s.Cluster.Environment(s.ctr)
		return slices.ContainsFunc(s.probe().Commands, func(c cluster.Command) bool { return !c.Conditional && c.Home(env) })
	}
	number, _, ok := q.port()
	return ok && q.host() == "" && !q.servedBySibling(number)
}

// finding is what the rules about starts have in common.
func (s start) finding() rule.Finding {
	t, w := s.check.Timing, s.ctr.Workload
	stop := kubelet.StopOf(w.Pod, s.ctr.Container, s.check.Probe, 0)
	f := rule.Finding{
		Object: w.Object, At: s.ctr.At(s.field), Target: node.KeyOf,
		Notes: []string{
			fmt.Sprintf("initialDelaySeconds %d + %d × periodSeconds %d + timeoutSeconds %d = %d s (failureThreshold %d)",
				t.InitialDelay, t.FailureThreshold-1, t.Period, t.Timeout, t.Deadline(), t.FailureThreshold),
			fmt.Sprintf("killed %s after its start, by when the first probe falls and whether it is refused or hangs; SIGKILL %d s later",
				span(s.check.Fails), stop.Kill),
		},
	}
	if t.Deadline() != s.deadline {
		f.Notes[0] += ", and later by what the postStart hook sleeps, for no probe is sent meanwhile"
	}
	for _, field := range []string{"initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"} {
		f.Needs = append(f.Needs, s.ctr.At(s.field, field))
	}
	if s.field == liveness {
		f.Needs = append(f.Needs, s.ctr.At(startup))
	}
	return f
}

// about puts a reason into a finding.
func (s start) about(f *rule.Finding, t startTime) {
	f.Severity = diag.Warning
	if t.certain && t.seconds >= s.check.Fails.Latest {
		f.Severity = diag.Error
	}
	if t.note != "" {
		f.Notes = append(f.Notes, t.note)
	}
	never := int64(kubelet.Never)
	if line := timeline.LineOf(s.Cluster, s.ctr, timeline.Assumptions{Start: &never}); line != "" {
		f.Notes = append(f.Notes, "if it never answers in time: "+line)
	}
	if from := t.from; from.Object != nil {
		f.Related = append(f.Related, rule.Related{Object: from.Object, At: from.Path, Within: from.Within, Message: t.message})
		if from.Object == s.ctr.Workload.Object {
			f.Needs = append(f.Needs, from.Path)
		}
	}
}

const startupPeriod, startupFailures = 10, 30

// patience returns the failureThreshold with which a probe of the period waits
// for half as long again as the container takes, in steps of ten.
func patience(seconds, period int64) int64 {
	failures := int64(math.Ceil(1.5*float64(seconds)/float64(period))) + 1
	return max((failures+9)/10*10, startupFailures)
}

// startupFix puts in a startup probe that asks what liveness asks and waits for
// a container that takes so many seconds.
func (s start) startupFix(seconds int64) []rule.Fix {
	fields := node.Fields{}
	for _, handler := range []string{"httpGet", "tcpSocket", "exec", "grpc"} {
		if v, ok := s.ctr.Workload.Value(s.ctr.At(liveness, handler)); ok {
			fields = append(fields, node.Field{Key: handler, Value: v})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	failures := patience(seconds, startupPeriod)
	fields = append(fields, node.Field{Key: "periodSeconds", Value: int64(startupPeriod)},
		node.Field{Key: "failureThreshold", Value: failures})
	if timeout := s.ctr.LivenessProbe.TimeoutSeconds; timeout > 1 {
		fields = append(fields, node.Field{Key: "timeoutSeconds", Value: int64(timeout)})
	}
	return []rule.Fix{{
		Message: fmt.Sprintf("add a startupProbe that asks what liveness asks: %d s to start, and liveness waits until then", startupPeriod*failures),
		Safety:  diag.Unsafe,
		Ops:     []node.Op{{Kind: node.Set, Path: s.ctr.At(startup), Value: fields}},
	}}
}
