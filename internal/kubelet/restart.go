package kubelet

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// A Node is the kubelet that runs a pod, as far as its version and its
// configuration matter. The zero Node is a current one with its defaults.
type Node struct {
	// Minor is the minor version of Kubernetes 1.x; 0 stands for a current one.
	Minor int
	// BackOff is the node's crash loop back-off; zero is DefaultBackOff.
	BackOff BackOff
}

// since reports whether the node has what came with the minor version.
func (n Node) since(minor int) bool { return n.Minor == 0 || n.Minor >= minor }

// Sidecar reports whether the init container keeps running beside what follows
// it: with restartPolicy Always, by default from 1.29 on (pkg/features,
// SidecarContainers). Before, the API server drops the field and the container
// has to end like any other init container.
func (n Node) Sidecar(c *corev1.Container) bool {
	return n.since(29) && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// Restarts reports whether the container is started again in its pod after it
// has ended with the exit code: an init container until it ends with 0, a
// sidecar always. From 1.35 on (pkg/features, ContainerRestartRules; alpha and
// off in 1.34) the container's own rules and policy go before the pod's policy
// (pkg/api/v1/pod/util.go, ContainerShouldRestart;
// kuberuntime_container.go, computeInitContainerActions). What a probe kills is
// started again under OnFailure even if it then ends with 0, unless it has to
// wait for its back-off (kuberuntime_manager.go, computePodActions).
func (n Node) Restarts(pod *corev1.PodSpec, c *corev1.Container, code int32) bool {
	if initial := slices.ContainsFunc(pod.InitContainers, func(i corev1.Container) bool { return i.Name == c.Name }); initial {
		if n.Sidecar(c) {
			return true
		}
		if code == 0 {
			return false
		}
	}
	if n.since(35) && c.RestartPolicy != nil {
		if slices.ContainsFunc(c.RestartPolicyRules, func(r corev1.ContainerRestartRule) bool { return n.restarts(r, code) }) {
			return true
		}
		return follows(string(*c.RestartPolicy), code)
	}
	return follows(string(pod.RestartPolicy), code)
}

// restarts reports whether the rule starts a container again that has ended with
// the exit code. RestartAllContainers, which starts all of the pod from its first
// init container on, is there by default from 1.36 on (pkg/features,
// RestartAllContainersOnContainerExits).
func (n Node) restarts(r corev1.ContainerRestartRule, code int32) bool {
	known := r.Action == corev1.ContainerRestartRuleActionRestart ||
		n.since(36) && r.Action == corev1.ContainerRestartRuleActionRestartAllContainers
	if !known || r.ExitCodes == nil {
		return false
	}
	listed := slices.Contains(r.ExitCodes.Values, code)
	switch r.ExitCodes.Operator {
	case corev1.ContainerRestartRuleOnExitCodesOpIn:
		return listed
	case corev1.ContainerRestartRuleOnExitCodesOpNotIn:
		return !listed
	}
	return false
}

// follows reports what a restart policy does about the exit code; without one
// it is Always.
func follows(policy string, code int32) bool {
	switch corev1.RestartPolicy(policy) {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return code != 0
	}
	return true
}

// BackOff is how long the kubelet waits before it starts a container again, in
// seconds: nothing the first time, then Initial, doubled at each further restart
// up to Max (client-go/util/flowcontrol/backoff.go, Next). No version up to 1.37
// changes the default; what can be set are the node's own maximum of 1 to 300
// seconds (KubeletConfiguration, crashLoopBackOff.maxContainerRestartPeriod; from
// 1.35 on by default, with 300) and ReducedBackOff (pkg/kubelet/kubelet.go,
// newCrashLoopBackOff).
type BackOff struct{ Initial, Max int64 }

var (
	// DefaultBackOff is what every kubelet does unless it is told otherwise.
	DefaultBackOff = BackOff{Initial: 10, Max: 300}
	// ReducedBackOff comes with the feature gate
	// ReduceDefaultCrashLoopBackOffDecay, alpha and off from 1.33 to 1.37.
	ReducedBackOff = BackOff{Initial: 1, Max: 60}
)

// backOff returns the node's back-off; a maximum below the initial delay takes
// its place, as in newCrashLoopBackOff.
func (n Node) backOff() BackOff {
	b := n.BackOff
	if b == (BackOff{}) {
		return DefaultBackOff
	}
	b.Max = max(b.Max, 1)
	b.Initial = min(max(b.Initial, 1), b.Max)
	return b
}

// stable is how many seconds after a start the back-off forgets it, whether the
// container runs or waits (kubelet.go, HasExpiredFunc; in 1.29 twice the maximum,
// which is as much by default).
const stable = 600

// Starts returns the first n seconds at which a container starts that ends each
// time after life seconds, counted from its first start. They are the earliest
// ones: the kubelet looks at a waiting container again up to half of the wait
// late, 30 seconds at most (pod_workers.go, completeWork; in 1.32 every 10 to 15
// seconds).
//
// killed says that a probe ends it. Such a container is started again in the
// sync that kills it, whose picture of the pod still has it running: the delay is
// measured from the end of the one before (kuberuntime_manager.go, SyncPod and
// doBackOff; kubernetes issues 22240 and 99697). So the first restarts come at
// once while the delay is less than a life, and at the maximum about every
// second one does.
//
// Ten minutes after a start a delay is over, whatever is left of it, and the next
// is Initial again: the entry is collected (backoff.go, GC; kubelet_pods.go,
// HandlePodCleanups).
func (n Node) Starts(life int64, killed bool, count int) []int64 {
	r := restarts{BackOff: n.backOff()}
	starts := make([]int64, 0, max(count, 0))
	for start := int64(0); len(starts) < count; {
		starts = append(starts, start)
		start = r.next(plus(start, max(life, 0)), killed)
	}
	return starts
}

// restarts is what the kubelet remembers of a container's restarts.
type restarts struct {
	BackOff
	delay   int64 // 0 while there is no entry
	updated int64 // the start that the entry was made or doubled for
	ended   int64 // when the instance before ended
	again   bool  // there was one
}

// next returns when the container starts again that has ended.
func (r *restarts) next(end int64, killed bool) int64 {
	since, known := end, true
	if killed {
		since, known = r.ended, r.again
	}
	r.ended, r.again = end, true
	if !known {
		return end
	}
	start := end
	if end-since < r.delay {
		start = min(plus(end, r.delay), max(end, plus(r.updated, stable)))
		if start < plus(end, r.delay) {
			r.delay = 0
		}
	}
	if r.delay == 0 {
		r.delay = r.Initial
	} else {
		r.delay = min(2*r.delay, r.Max)
	}
	r.updated = start
	return start
}
