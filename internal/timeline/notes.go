package timeline

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
)

// notes say what the workload's controller does.
func (t Timeline) notes(n kubelet.Node, w *manifest.Workload) []string {
	switch o := w.Typed.(type) {
	case *appsv1.Deployment:
		if deadline, ok := kubelet.ProgressDeadline(&o.Spec); ok && t.Bad() {
			return []string{fmt.Sprintf("the rollout counts as failed when nothing has become ready for %d s (progressDeadlineSeconds); nothing rolls it back", deadline)}
		}
	case *batchv1.Job:
		return job(n, w, &o.Spec)
	case *batchv1.CronJob:
		return job(n, w, &o.Spec.JobTemplate.Spec)
	}
	return nil
}

// job says how the Job ends where its containers fail at once, each time.
func job(n kubelet.Node, w *manifest.Workload, spec *batchv1.JobSpec) []string {
	ctr := &w.Pod.Containers[0]
	run := n.JobFailure(spec, ctr.Name, 0, 1)
	out := fmt.Sprintf("if %s fails at once each time, it starts at %s", ctr.Name, seconds(run.Starts, 8))
	if run.Failed == kubelet.Never {
		return []string{out + ", and the Job goes on"}
	}
	return []string{fmt.Sprintf("%s, and the Job has failed at %d s (%s)", out, run.Failed, run.Reason)}
}
