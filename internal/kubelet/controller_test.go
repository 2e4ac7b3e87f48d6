package kubelet

import (
	"math"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestJobFailure(t *testing.T) {
	pods := func(policy corev1.RestartPolicy) corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{Spec: corev1.PodSpec{RestartPolicy: policy}}
	}
	rule := func(action batchv1.PodFailurePolicyAction, op batchv1.PodFailurePolicyOnExitCodesOperator, codes ...int32) batchv1.PodFailurePolicyRule {
		return batchv1.PodFailurePolicyRule{Action: action, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
			ContainerName: new("main"), Operator: op, Values: codes,
		}}
	}
	// The example of the documentation, "Pod failure policy".
	documented := &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
		rule(batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyOnExitCodesOpIn, 42),
		{Action: batchv1.PodFailurePolicyActionIgnore, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{
			{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue},
		}},
	}}
	policy := func(action batchv1.PodFailurePolicyAction) *batchv1.PodFailurePolicy {
		return &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{rule(action, batchv1.PodFailurePolicyOnExitCodesOpNotIn, 0, 9)}}
	}
	const never, onFailure = corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure
	for _, test := range []struct {
		name   string
		job    batchv1.JobSpec
		life   int64
		code   int32
		starts []int64
		failed int64
		reason string
	}{
		// The documentation, "Pod backoff failure policy": 10s, 20s, 40s … capped at
		// six minutes it says; the controller's MaxJobPodFailureBackOff is ten.
		{"default", batchv1.JobSpec{Template: pods(never)}, 0, 1,
			[]int64{0, 10, 30, 70, 150, 310, 630}, 630, batchv1.JobReasonBackoffLimitExceeded},
		{"no retry", batchv1.JobSpec{Template: pods(never), BackoffLimit: new(int32(0))}, 7, 1,
			[]int64{0}, 7, batchv1.JobReasonBackoffLimitExceeded},
		{"capped", batchv1.JobSpec{Template: pods(never), BackoffLimit: new(int32(9))}, 5, 1,
			[]int64{0, 15, 40, 85, 170, 335, 660, 1265, 1870, 2475}, 2480, batchv1.JobReasonBackoffLimitExceeded},
		{"deadline", batchv1.JobSpec{Template: pods(never), ActiveDeadlineSeconds: new(int64(70))}, 0, 1,
			[]int64{0, 10, 30}, 70, batchv1.JobReasonDeadlineExceeded},
		{"on failure", batchv1.JobSpec{Template: pods(onFailure)}, 5, 1,
			[]int64{0, 5, 20, 45, 90, 175, 340}, 340, batchv1.JobReasonBackoffLimitExceeded},
		{"on failure, no retry, which is one", batchv1.JobSpec{Template: pods(onFailure), BackoffLimit: new(int32(0))}, 5, 1,
			[]int64{0, 5}, 5, batchv1.JobReasonBackoffLimitExceeded},
		{"fails the Job", batchv1.JobSpec{Template: pods(never), PodFailurePolicy: documented}, 3, 42,
			[]int64{0}, 3, batchv1.JobReasonPodFailurePolicy},
		{"another code", batchv1.JobSpec{Template: pods(never), PodFailurePolicy: documented, BackoffLimit: new(int32(1))}, 3, 1,
			[]int64{0, 13}, 16, batchv1.JobReasonBackoffLimitExceeded},
		{"ignored until the deadline", batchv1.JobSpec{
			Template: pods(never), PodFailurePolicy: policy(batchv1.PodFailurePolicyActionIgnore),
			BackoffLimit: new(int32(0)), ActiveDeadlineSeconds: new(int64(100)),
		}, 1, 1, []int64{0, 11, 32, 73}, 100, batchv1.JobReasonDeadlineExceeded},
		{"an index", batchv1.JobSpec{Template: pods(never), BackoffLimitPerIndex: new(int32(1))}, 0, 1,
			[]int64{0, 10}, 10, batchv1.JobReasonFailedIndexes},
		{"fails the index", batchv1.JobSpec{
			Template: pods(never), PodFailurePolicy: policy(batchv1.PodFailurePolicyActionFailIndex), BackoffLimitPerIndex: new(int32(5)),
		}, 2, 1, []int64{0}, 2, batchv1.JobReasonFailedIndexes},
	} {
		got := Node{}.JobFailure(&test.job, "main", test.life, test.code)
		if !slices.Equal(got.Starts, test.starts) || got.Failed != test.failed || got.Reason != test.reason {
			t.Errorf("%s: JobFailure = %+v, want %v, failed at %d: %s", test.name, got, test.starts, test.failed, test.reason)
		}
	}

	ignored := batchv1.JobSpec{Template: pods(never), PodFailurePolicy: policy(batchv1.PodFailurePolicyActionIgnore)}
	if got := (Node{}).JobFailure(&ignored, "main", 1, 1); got.Failed != Never || got.Reason != "" {
		t.Errorf("ignored for ever: JobFailure = %+v", got)
	}
	if got := (Node{}).JobFailure(&ignored, "other", 1, 1); got.Reason != batchv1.JobReasonBackoffLimitExceeded {
		t.Errorf("a rule for another container: JobFailure = %+v", got)
	}
	many := batchv1.JobSpec{Template: pods(onFailure), BackoffLimit: new(int32(math.MaxInt32))}
	if got := (Node{}).JobFailure(&many, "main", 1, 1); got.Failed != Never || len(got.Starts) != attempts {
		t.Errorf("a limit nobody reaches: JobFailure = %+v", got)
	}
}

func TestProgressDeadline(t *testing.T) {
	for _, test := range []struct {
		written *int32
		seconds int64
		ok      bool
	}{{nil, 600, true}, {new(int32(30)), 30, true}, {new(int32(math.MaxInt32)), math.MaxInt32, false}} {
		seconds, ok := ProgressDeadline(&appsv1.DeploymentSpec{ProgressDeadlineSeconds: test.written})
		if seconds != test.seconds || ok != test.ok {
			t.Errorf("ProgressDeadline = %d, %v, want %d, %v", seconds, ok, test.seconds, test.ok)
		}
	}
}
