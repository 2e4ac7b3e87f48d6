package kubelet

import (
	"math"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// A JobRun is how a Job ends one of whose containers fails each time.
type JobRun struct {
	// Starts are the seconds after the Job's start at which the container starts.
	Starts []int64
	// Failed is the second at which the Job fails, Never if it goes on for ever or
	// for more than 100 starts.
	Failed int64
	// Reason is that of its Failed condition; empty if it goes on.
	Reason string
}

// attempts is the most starts that a JobRun lists.
const attempts = 100

// JobFailure returns how the Job ends when the container of one of its pods (of
// one index, where backoffLimitPerIndex counts) ends each time after life seconds
// with the exit code, which is not 0, and its other pods do not fail
// (pkg/controller/job/job_controller.go, syncJob).
//
// With restartPolicy Never each failure is a new pod, which comes 10 seconds
// after the first failure and twice as long after each further one, 600 at most
// (backoff_utils.go, getRemainingTimeForFailuresCount); the Job fails at the
// failure after backoffLimit many, 6 by default. A podFailurePolicy goes before:
// FailJob and FailIndex end it at once, what it ignores is not counted, so that
// only activeDeadlineSeconds ends it (pod_failure_policy.go).
//
// With OnFailure the kubelet starts the container again in its pod, with its own
// back-off, and the Job fails as soon as the container has been restarted
// backoffLimit times, once at least; that last start is cut short
// (pastBackoffLimitOnFailure).
func (n Node) JobFailure(job *batchv1.JobSpec, container string, life int64, code int32) JobRun {
	life = max(life, 0)
	limit, reason := int64(6), batchv1.JobReasonBackoffLimitExceeded // pkg/apis/batch/v1/defaults.go
	switch {
	case job.BackoffLimitPerIndex != nil:
		limit, reason = int64(*job.BackoffLimitPerIndex), batchv1.JobReasonFailedIndexes
	case job.BackoffLimit != nil:
		limit = int64(*job.BackoffLimit)
	}
	run := JobRun{Failed: Never}
	if job.Template.Spec.RestartPolicy == corev1.RestartPolicyOnFailure {
		restarts := max(limit, 1)
		run.Starts = n.Starts(life, false, int(min(restarts+1, attempts)))
		if restarts < attempts {
			run.Failed, run.Reason = run.Starts[restarts], reason
		}
	} else {
		run = jobPods(podFailure(job.PodFailurePolicy, container, code), limit, reason, life)
	}
	if d := job.ActiveDeadlineSeconds; d != nil && *d < run.Failed {
		run.Failed, run.Reason = *d, batchv1.JobReasonDeadlineExceeded
		run.Starts = slices.DeleteFunc(run.Starts, func(start int64) bool { return start >= *d })
	}
	return run
}

// jobPods returns the run of a Job each of whose pods fails after life seconds.
func jobPods(action batchv1.PodFailurePolicyAction, limit int64, reason string, life int64) JobRun {
	run := JobRun{Failed: Never}
	for start, delay := int64(0), int64(10); len(run.Starts) < attempts; start, delay = plus(start, delay), min(2*delay, 600) {
		run.Starts = append(run.Starts, start)
		start = plus(start, life)
		switch {
		case action == batchv1.PodFailurePolicyActionFailJob:
			run.Failed, run.Reason = start, batchv1.JobReasonPodFailurePolicy
			return run
		case action == batchv1.PodFailurePolicyActionFailIndex:
			run.Failed, run.Reason = start, batchv1.JobReasonFailedIndexes
			return run
		case action != batchv1.PodFailurePolicyActionIgnore && int64(len(run.Starts)) > limit:
			run.Failed, run.Reason = start, reason
			return run
		}
	}
	return run
}

// podFailure returns the action of the first rule that matches a container which
// failed with the exit code, Count without one. What matches on conditions of the
// pod is about disruptions, which this is not (pod_failure_policy.go,
// matchPodFailurePolicy and matchOnExitCodes).
func podFailure(policy *batchv1.PodFailurePolicy, container string, code int32) batchv1.PodFailurePolicyAction {
	if policy == nil {
		return batchv1.PodFailurePolicyActionCount
	}
	for _, r := range policy.Rules {
		on := r.OnExitCodes
		if on == nil || on.ContainerName != nil && *on.ContainerName != container {
			continue
		}
		listed := slices.Contains(on.Values, code)
		if on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn && listed ||
			on.Operator == batchv1.PodFailurePolicyOnExitCodesOpNotIn && !listed {
			return r.Action
		}
	}
	return batchv1.PodFailurePolicyActionCount
}

// ProgressDeadline returns how many seconds a rollout of the Deployment may go
// without progress before it counts as failed; false when that never happens, with
// the largest number (pkg/apis/apps/v1/defaults.go;
// pkg/controller/deployment/util/deployment_util.go, HasProgressDeadline).
// Progress is that a new pod is made, becomes ready or has been so for
// minReadySeconds, or that an old one is gone (DeploymentProgressing,
// DeploymentTimedOut). Nothing is rolled back: the Progressing condition turns
// False and what waits for the rollout, such as kubectl rollout status, fails.
func ProgressDeadline(d *appsv1.DeploymentSpec) (seconds int64, ok bool) {
	if d.ProgressDeadlineSeconds == nil {
		return 600, true
	}
	return int64(*d.ProgressDeadlineSeconds), *d.ProgressDeadlineSeconds != math.MaxInt32
}
