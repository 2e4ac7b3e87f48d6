package kubelet

import (
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Timing is the numbers of a probe with Kubernetes' defaults filled in
// (pkg/apis/core/v1/defaults.go, SetDefaults_Probe). Times are in seconds.
//
// The kubelet runs one worker for each probe (pkg/kubelet/prober/worker.go, run
// and doProbe). Its ticker starts with the pod, not with the container, so that
// at the container's start the next tick is anything up to a period away. A tick
// in the first InitialDelay seconds does nothing. A probe that outlasts the period is
// followed by the next at once: the ticker keeps one tick waiting. Seconds
// count from the startedAt of the container's status, which is cut to whole
// seconds (pkg/kubelet/status/status_manager.go, normalizeStatus). The second
// or so that the kubelet takes to see that the container runs
// (pkg/kubelet/kubelet.go, genericPlegRelistPeriod) is left out.
type Timing struct {
	InitialDelay, Period, Timeout      int64
	SuccessThreshold, FailureThreshold int64
}

// TimingOf returns the timing of the probe. Values that the API server refuses
// count as unset.
func TimingOf(p *corev1.Probe) Timing {
	or := func(v int32, unset int64) int64 {
		if v <= 0 {
			return unset
		}
		return int64(v)
	}
	return Timing{
		InitialDelay:     or(p.InitialDelaySeconds, 0),
		Period:           or(p.PeriodSeconds, 10),
		Timeout:          or(p.TimeoutSeconds, 1),
		SuccessThreshold: or(p.SuccessThreshold, 1),
		FailureThreshold: or(p.FailureThreshold, 3),
	}
}

// Window is a span of time after a container's start, in seconds.
type Window struct{ Earliest, Latest int64 }

// Never is the second of what does not happen.
const Never = math.MaxInt64

// never is the window of what does not happen.
var never = Window{Never, Never}

// Failure returns when the probe has failed often enough, for a container that
// never answers. Earliest: the first tick comes as soon as it may and every
// connection is refused at once. Latest, which is never quite reached: a tick has just
// been missed and every probe hangs until its timeout.
//
// It holds for the first start of a container. One that exits by itself leaves
// its count of failures to the next (doProbe resets resultRun only when it
// kills; kubernetes issue 53530), which may then be killed at its first failure.
func (t Timing) Failure() Window { return t.FailureFrom(Window{}) }

// FailureFrom is Failure where something holds the probe back until a second
// within held: a startup probe that has not succeeded, a postStart hook. The
// initial delay runs meanwhile.
func (t Timing) FailureFrom(held Window) Window {
	further := t.FailureThreshold - 1
	first := t.first(held)
	return Window{
		Earliest: plus(first.Earliest, further*t.Period),
		Latest:   plus(first.Latest, further*max(t.Period, t.Timeout)+t.Timeout),
	}
}

// first returns when the first probe is sent. Latest is never quite reached.
func (t Timing) first(held Window) Window {
	return Window{
		Earliest: max(held.Earliest, t.InitialDelay),
		Latest:   plus(max(held.Latest, t.InitialDelay), t.Period),
	}
}

// passes returns when the probe has succeeded often enough, for a container
// that answers it all the time. Earliest holds for a readiness probe too, whose
// worker is also set going by each sync of a pod that is started and not ready
// (prober_manager.go, UpdatePodStatus): its successes need not lie a period apart.
func (t Timing) passes(held Window) Window {
	first := t.first(held)
	return Window{
		Earliest: first.Earliest,
		Latest:   plus(first.Latest, (t.SuccessThreshold-1)*max(t.Period, t.Timeout)+t.Timeout),
	}
}

// plus adds seconds, none of them negative, and stays at Never.
func plus(a, b int64) int64 {
	if a > Never-b {
		return Never
	}
	return a + b
}

// Deadline is the second by which a container must answer to be safe, whatever
// the phase of the ticker: where it refused the probes before, the last one
// starts at Failure().Earliest or later and waits for Timeout.
func (t Timing) Deadline() int64 { return t.Failure().Earliest + t.Timeout }

// Unanswerable says why the kubelet cannot even try the probe, empty when it
// can. The worker throws away the result of such a probe: it never fails and
// never succeeds, so that a liveness probe kills nothing, a readiness probe
// never lets traffic in and a startup probe holds both back for ever
// (pkg/kubelet/prober/worker.go, doProbe; prober.go, runProbe;
// pkg/probe/util.go, ResolveContainerPort). A number in quotes is no name that
// the API server takes (IsValidPortName); the kubelet of 1.35 reads it as a
// number, that of 1.37 no longer does.
func Unanswerable(p *corev1.Probe, c *corev1.Container) string {
	var port intstr.IntOrString
	switch {
	case p.Exec != nil:
		return ""
	case p.HTTPGet != nil:
		port = p.HTTPGet.Port
	case p.TCPSocket != nil:
		port = p.TCPSocket.Port
	case p.GRPC != nil:
		port = intstr.FromInt32(p.GRPC.Port)
	default:
		return "no handler"
	}
	number := int64(port.IntVal)
	if port.Type == intstr.String {
		for _, have := range c.Ports {
			if have.Name == port.StrVal {
				return ""
			}
		}
		var err error
		if number, err = strconv.ParseInt(port.StrVal, 10, 32); err != nil {
			return "no container port is named " + strconv.Quote(port.StrVal)
		}
	}
	if number < 1 || number > 65535 {
		return "port " + strconv.FormatInt(number, 10) + " is not within 1 to 65535"
	}
	return ""
}

// A Check is what one probe of a container decides, and when, in seconds after
// the container's start.
type Check struct {
	Probe  *corev1.Probe
	Timing Timing
	// Void says why the kubelet cannot even try the probe (Unanswerable), empty
	// when it can. The windows of such a probe, and of those that it holds back,
	// are at Never.
	Void string
	// First is when the first probe is sent.
	First Window
	// Passes is when the probe has succeeded often enough for a container that
	// answers from its start on: it is started, or ready.
	Passes Window
	// Fails is when the probe has failed often enough for a container that does
	// not answer it: it is killed, or not ready. Where a startup probe holds it
	// back, the container answers until that has succeeded, as late as it may.
	Fails Window
}

// Checks are the probes of a container; nil where it has none of the kind.
type Checks struct{ Startup, Liveness, Readiness *Check }

// ChecksOf returns what the container's probes decide. Nothing is probed before
// the startup probe has succeeded but that itself (doProbe), and nothing at all
// while the postStart hook runs: the kubelet starts containers in the pod's
// sync and learns that they run in the next one (pkg/kubelet/kubelet.go,
// SyncPod; kuberuntime_container.go, startContainer). The seconds of a postStart
// hook count where it is a sleep; nobody knows those of others.
//
// In Kubernetes 1.35 to 1.37 a startup probe holds nothing back for a while
// after a restart, because the new container passes for started as the old one
// was (kubernetes issue 141155, mended by pull request 141342).
func ChecksOf(c *corev1.Container) Checks {
	var hook int64
	if c.Lifecycle != nil {
		hook = hookSeconds(c.Lifecycle.PostStart, 0)
	}
	return checksFrom(c, hook)
}

// checksFrom is ChecksOf for a container that the kubelet sees running from the
// second on.
func checksFrom(c *corev1.Container, seen int64) Checks {
	var checks Checks
	begin := Window{seen, seen}
	passed, failed := begin, begin
	if c.StartupProbe != nil {
		checks.Startup = check(c, c.StartupProbe, begin, begin)
		passed = checks.Startup.Passes
		failed = Window{checks.Startup.Passes.Earliest, checks.Startup.Fails.Latest}
	}
	if c.LivenessProbe != nil {
		checks.Liveness = check(c, c.LivenessProbe, passed, failed)
	}
	if c.ReadinessProbe != nil {
		checks.Readiness = check(c, c.ReadinessProbe, passed, failed)
	}
	return checks
}

// check returns what the probe decides: passed and failed are when it is let go
// for a container that answers from the start, and for any that starts at all.
func check(c *corev1.Container, p *corev1.Probe, passed, failed Window) *Check {
	t := TimingOf(p)
	if void := Unanswerable(p, c); void != "" || failed.Latest == Never {
		return &Check{p, t, void, never, never, never}
	}
	return &Check{Probe: p, Timing: t, First: t.first(failed), Passes: t.passes(passed), Fails: t.FailureFrom(failed)}
}

// Killer returns the probe that kills a container which answers its probes from
// the second on, and its field, nil when it answers in time. It is in time where
// no phase of the ticker kills it (Deadline).
func (c Checks) Killer(answers int64) (*Check, string) {
	check, field := c.Liveness, "livenessProbe"
	if c.Startup != nil {
		check, field = c.Startup, "startupProbe"
	}
	if check == nil || answers <= plus(check.Fails.Earliest, check.Timing.Timeout) {
		return nil, ""
	}
	return check, field
}

// Start is what the probes do to a container that starts and never answers.
type Start struct {
	// Probe is the field of the probe that kills: startupProbe or
	// livenessProbe; empty when none does, and what follows means nothing then.
	Probe  string
	Timing Timing
	// Grace is how many seconds lie between the decision to kill and SIGKILL.
	// A preStop hook takes its time out of them before SIGTERM is sent.
	Grace int64
}

// StartOf returns what the probes do to the container if it starts and never
// answers: a startup probe holds liveness back until it has succeeded (doProbe),
// so that where there is one, nothing else can kill.
func StartOf(pod *corev1.PodSpec, c *corev1.Container) Start {
	check, field := ChecksOf(c).Killer(Never)
	if check == nil {
		return Start{}
	}
	return Start{Probe: field, Timing: check.Timing, Grace: Grace(pod, check.Probe)}
}
