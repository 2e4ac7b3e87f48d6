package kubelet

import (
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
// seconds (pkg/kubelet/status/status_manager.go, normalizeStatus).
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

// Failure returns when the probe has failed often enough, for a container that
// never answers. Earliest: the first tick comes as soon as it may and every
// connection is refused at once. Latest, which is never quite reached: a tick has just
// been missed and every probe hangs until its timeout.
//
// It holds for the first start of a container. One that exits by itself leaves
// its count of failures to the next (doProbe resets resultRun only when it
// kills), which may then be killed at its first failure.
func (t Timing) Failure() Window {
	further := t.FailureThreshold - 1
	return Window{
		Earliest: t.InitialDelay + further*t.Period,
		Latest:   t.InitialDelay + t.Period + further*max(t.Period, t.Timeout) + t.Timeout,
	}
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
// pkg/probe/util.go, ResolveContainerPort).
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
	field, probe := "livenessProbe", c.LivenessProbe
	if c.StartupProbe != nil {
		field, probe = "startupProbe", c.StartupProbe
	}
	if probe == nil || Unanswerable(probe, c) != "" {
		return Start{}
	}
	return Start{Probe: field, Timing: TimingOf(probe), Grace: Grace(pod, probe)}
}

// Grace returns how many seconds a container has from the decision of the probe
// to kill it until SIGKILL: the probe's own terminationGracePeriodSeconds before
// the pod's, 30 without either, and at least 2
// (pkg/kubelet/kuberuntime/kuberuntime_container.go, setTerminationGracePeriod
// and killContainer).
func Grace(pod *corev1.PodSpec, p *corev1.Probe) int64 {
	const unset, least = corev1.DefaultTerminationGracePeriodSeconds, 2
	for _, seconds := range []*int64{p.TerminationGracePeriodSeconds, pod.TerminationGracePeriodSeconds} {
		if seconds != nil {
			return max(*seconds, least)
		}
	}
	return unset
}
