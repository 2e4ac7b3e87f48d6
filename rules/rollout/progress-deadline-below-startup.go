package rollout

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var progressDeadlineBelowStartup = &rule.Rule{
	ID:       "progress-deadline-below-startup",
	Title:    "The rollout is given up before a pod can be available",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		d := deploymentOf(w)
		if d == nil {
			return
		}
		at, ready := node.P("spec", "progressDeadlineSeconds"), node.P("spec", "minReadySeconds")
		deadline, written := int64(defaultDeadline), "is 600 by default"
		if d.Spec.ProgressDeadlineSeconds != nil {
			deadline = int64(*d.Spec.ProgressDeadlineSeconds)
			written = fmt.Sprintf("is %d", deadline)
		}
		f := rule.Finding{Object: w.Object, At: at, Needs: []node.Path{ready}}
		// pkg/apis/apps/validation/validation.go, ValidateDeploymentSpec
		if deadline <= int64(d.Spec.MinReadySeconds) {
			f.Severity = diag.Error
			f.Message = fmt.Sprintf("progressDeadlineSeconds %s and minReadySeconds %d: the API server refuses a deadline that is not greater", written, d.Spec.MinReadySeconds)
			p.Report(f)
			return
		}
		least, most, slowest := startup(w)
		least += int64(d.Spec.MinReadySeconds)
		most = min(most+int64(d.Spec.MinReadySeconds), kubelet.Never)
		switch {
		case slowest == nil || most <= deadline || most >= kubelet.Never:
			return
		case least >= deadline:
			f.Message = fmt.Sprintf("progressDeadlineSeconds %s, but no pod can be available before %d s: every rollout is reported as failed (ProgressDeadlineExceeded)", written, least)
		default:
			f.Severity = diag.Info
			f.Message = fmt.Sprintf("progressDeadlineSeconds %s, but the probes of container %q let a pod take up to %d s until it is available: a rollout of a slow start is reported as failed (ProgressDeadlineExceeded)",
				written, slowest.Name, most)
		}
		f.Related = []rule.Related{{Object: w.Object, At: slowest.Path, Target: node.Grip, Message: "the time comes from the probes of this container"}}
		f.Fixes = []rule.Fix{{
			Message: fmt.Sprintf("allow for it: progressDeadlineSeconds %d", most+60), Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: at, Value: most + 60}},
		}}
		p.Report(f)
	},
}

// defaultDeadline is progressDeadlineSeconds where it is not written
// (pkg/apis/apps/v1/defaults.go, SetDefaults_Deployment).
const defaultDeadline = 600

// startup returns how many seconds after its start a pod is ready at the
// earliest, and at the latest as far as startup probes let it start, and the
// container that takes longest. Progress is counted from the last pod that came
// up (pkg/controller/deployment/util/deployment_util.go, DeploymentTimedOut and
// DeploymentProgressing).
func startup(w *manifest.Workload) (least, most int64, slowest *manifest.Container) {
	for _, ctr := range w.Containers {
		if ctr.Role == manifest.Init {
			continue
		}
		checks := kubelet.ChecksOf(ctr.Container)
		var early, late int64
		if c := checks.Startup; c != nil && c.Void == "" {
			early, late = c.Passes.Earliest, c.Fails.Latest
		}
		if c := checks.Readiness; c != nil && c.Void == "" {
			early, late = max(early, c.Passes.Earliest), max(late, c.Passes.Earliest)
		}
		least = max(least, early)
		if late > most {
			most, slowest = late, ctr
		}
	}
	return least, most, slowest
}
