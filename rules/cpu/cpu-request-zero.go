package cpu

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var cpuRequestZero = &rule.Rule{
	ID:       "cpu-request-zero",
	Title:    "A container without a share of the CPU has to answer its liveness probe in a second",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: checkRequest,
}

// impatient is the timeout, in seconds, up to which a probe kills a process that
// only waits for its turn.
const impatient = 1

func checkRequest(p *rule.Pass, w *manifest.Workload) {
	if w.Pod.Resources != nil {
		return // the pod's own share counts, which its containers have together
	}
	for _, ctr := range w.Containers {
		probe := ctr.LivenessProbe
		if probe == nil || kubelet.Unanswerable(probe, ctr.Container) != "" {
			continue
		}
		cpu := p.Cluster.CPU(ctr)
		if cpu.OpenRequest || cpu.Request != nil && !cpu.Request.V.IsZero() {
			continue
		}
		timing := kubelet.TimingOf(probe)
		if timing.Timeout > impatient {
			continue
		}
		p.Report(rule.Finding{
			Object: w.Object, At: ctr.Path, Target: node.Grip,
			Message: fmt.Sprintf("container %q requests no CPU, a share of 2 where a request of one CPU is 1024: on a busy node the livenessProbe kills it when it gets no turn to answer within %d s, %d times in a row",
				ctr.Name, timing.Timeout, timing.FailureThreshold),
			Related: []rule.Related{{Object: w.Object, At: ctr.At("livenessProbe"), Target: node.KeyOf,
				Message: fmt.Sprintf("timeoutSeconds %d, failureThreshold %d", timing.Timeout, timing.FailureThreshold)}},
			Needs: []node.Path{
				ctr.At("resources", "requests", string(corev1.ResourceCPU)), ctr.At("resources", "limits", string(corev1.ResourceCPU)),
				ctr.At("livenessProbe", "timeoutSeconds"), ctr.At("livenessProbe", "failureThreshold"),
			},
			Fixes: []rule.Fix{{Safety: diag.Display, Message: "a CPU request of what the container uses on an ordinary day, and a longer timeoutSeconds"}},
		})
	}
}
