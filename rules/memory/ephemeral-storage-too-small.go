package memory

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var ephemeralStorageTooSmall = &rule.Rule{
	ID:       "ephemeral-storage-too-small",
	Title:    "The container's own log fills its ephemeral-storage limit",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkEphemeralStorage,
}

// twoLogs is what the kubelet lets a container's log take before it compresses
// anything: it starts a new file at containerLogMaxSize, 10Mi by default, and
// compresses the old one when the next is full (pkg/kubelet/logs,
// container_log_manager.go, rotateLog; KubeletConfiguration).
const twoLogs = 20 << 20

func checkEphemeralStorage(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		// Only app containers are held to a limit of their own, and one of 0 is none
		// (eviction_manager.go, containerEphemeralStorageLimitEviction). A Job's
		// container ends before its log is long.
		if ctr.Role != manifest.App || w.RunsToCompletion() {
			continue
		}
		limit := p.Cluster.Admitted(ctr, corev1.ResourceEphemeralStorage).Limit
		if limit == nil || limit.V.Value() < meant || limit.V.Value() >= twoLogs {
			continue
		}
		f := rule.Finding{
			Object: w.Object, At: ctr.At("resources", "limits", string(corev1.ResourceEphemeralStorage)),
			Message: fmt.Sprintf("container %q: its log counts against the %s of ephemeral storage and may take 20Mi before the kubelet compresses it: Evicted, again and again",
				ctr.Name, limit.V.String()),
			Notes: []string{"the log grows to containerLogMaxSize, 10Mi by default, and stays beside the next one until that is full; files in the container come on top"},
		}
		fix := rule.Fix{Safety: diag.Display, Message: "a limit of 128Mi, or a request alone"}
		if limit.From.Object == w.Object && slices.Equal(limit.From.Path, f.At) {
			fix.Ops = []node.Op{{Kind: node.Set, Path: f.At, Value: "128Mi"}}
		} else {
			f.At, f.Target = ctr.Path, node.Grip
			f.Related = []rule.Related{{Object: limit.From.Object, At: limit.From.Path,
				Message: fmt.Sprintf("ephemeral-storage limit %s from %s", limit.V.String(), limit.From.Object)}}
		}
		f.Fixes = []rule.Fix{fix}
		p.Report(f)
	}
}
