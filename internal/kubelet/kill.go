package kubelet

import corev1 "k8s.io/api/core/v1"

// The exit codes of a container that a signal ends: 128 and the signal's number
// (containerd, pkg/sys/reaper, exitStatus). SIGTERM comes first and SIGKILL when
// the grace period is over (containerd, internal/cri/server/container_stop.go,
// stopContainer). A process that is number 1 of its container and has installed
// no handler is not sent SIGTERM at all (pid_namespaces(7)), so that it always
// ends with ExitKilled; so does one that needs more memory than its limit. A
// program that handles SIGTERM ends with what code it likes.
const (
	ExitTerminated = 143
	ExitKilled     = 137
)

// leastGrace is how many seconds lie at least between SIGTERM and SIGKILL
// (pkg/kubelet/kuberuntime/kuberuntime_manager.go, minimumGracePeriodInSeconds).
const leastGrace = 2

// Grace returns how many seconds a container has from the decision of the probe
// to kill it until SIGKILL: the probe's own terminationGracePeriodSeconds before
// the pod's, 30 without either, and at least 2
// (pkg/kubelet/kuberuntime/kuberuntime_container.go, setTerminationGracePeriod
// and killContainer). Without a probe, from the deletion of the pod.
func Grace(pod *corev1.PodSpec, p *corev1.Probe) int64 { return max(granted(pod, p), leastGrace) }

// granted returns the grace period as written, or its default.
func granted(pod *corev1.PodSpec, p *corev1.Probe) int64 {
	if p != nil && p.TerminationGracePeriodSeconds != nil {
		return max(*p.TerminationGracePeriodSeconds, 0)
	}
	if pod.TerminationGracePeriodSeconds != nil {
		return max(*pod.TerminationGracePeriodSeconds, 0)
	}
	return corev1.DefaultTerminationGracePeriodSeconds
}

// Stop is how the kubelet stops a container, in seconds after the decision.
type Stop struct {
	// Term is when SIGTERM is sent (or the image's STOPSIGNAL): when the preStop
	// hook is done, or its time is up.
	Term int64
	// Kill is when SIGKILL is sent to what still runs.
	Kill int64
}

// StopOf returns how the container is stopped when the probe fails, or when its
// pod is deleted where the probe is nil. The preStop hook takes its time out of
// the grace period, all of it if it likes, and 2 seconds are left to the program
// then; a grace period of 0 lets no hook run (kuberuntime_container.go,
// killContainer and executePreStopHook). When the pod is deleted the least grace
// period is 1 (pkg/kubelet/pod_workers.go, calculateEffectiveGracePeriod).
//
// preStop is how many seconds the container's preStop hook takes, Never if it
// hangs; it counts only where there is such a hook and that is not a sleep, which
// says it itself.
func StopOf(pod *corev1.PodSpec, c *corev1.Container, p *corev1.Probe, preStop int64) Stop {
	grace := granted(pod, p)
	if p == nil {
		grace = max(grace, 1)
	}
	var stop Stop
	if c.Lifecycle != nil {
		stop.Term = min(hookSeconds(c.Lifecycle.PreStop, preStop), grace)
	}
	stop.Kill = plus(stop.Term, max(grace-stop.Term, leastGrace))
	return stop
}

// hookSeconds returns how long the hook takes: what a sleep says, and else what is
// reckoned (pkg/kubelet/lifecycle/handlers.go, Run). Hooks have no timeout of their own.
func hookSeconds(h *corev1.LifecycleHandler, reckoned int64) int64 {
	switch {
	case h == nil:
		return 0
	case h.Sleep != nil:
		return max(h.Sleep.Seconds, 0)
	}
	return max(reckoned, 0)
}
