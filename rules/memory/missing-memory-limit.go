package memory

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

var missingMemoryLimit = &rule.Rule{
	ID:       "missing-memory-limit",
	Title:    "No memory limit stands between the container and the node",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: checkMissingLimit,
}

func checkMissingLimit(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		r := p.Cluster.Memory(ctr)
		// What runs to its end before the others start is gone when they grow.
		if ctr.Role == manifest.Init || r.OpenLimit || r.Limit != nil && !r.Limit.V.IsZero() {
			continue
		}
		if slices.ContainsFunc(p.Cluster.Unspecified(ctr), func(h cluster.Hard) bool { return h.Field() == "limits.memory" }) {
			continue // quota-requires-resources: no pod is made
		}
		p.Report(missingLimitFinding(p, ctr, r))
	}
}

func missingLimitFinding(p *rule.Pass, ctr *manifest.Container, r cluster.Resource) rule.Finding {
	f := rule.Finding{
		Object: ctr.Workload.Object, At: ctr.Path, Target: node.Grip,
		Needs: []node.Path{ctr.At("resources", "limits", string(corev1.ResourceMemory))},
		Fixes: []rule.Fix{{Safety: diag.Display, Message: "a memory limit above the most that the program has been seen to take"}},
	}
	what := "neither a memory request nor a limit"
	if r.Request != nil && !r.Request.V.IsZero() {
		what = fmt.Sprintf("a memory request of %s and no limit", r.Request.V.String())
		f.Related = []rule.Related{{Object: r.Request.From.Object, At: r.Request.From.Path, Message: "memory request " + r.Request.V.String()}}
	}
	f.Message = fmt.Sprintf("container %q has %s: a leak takes the memory of the node and of the pods beside it, and when the node has none left the kernel kills what is furthest above its request",
		ctr.Name, what)
	if r.Limit != nil {
		f.Notes = append(f.Notes, "a limit of 0 is none")
	}
	if j, ok := jvm.Of(p.Cluster, ctr); ok && j.OwnHeap() && jvm.HotSpot(ctr.Image) && j.Flags.Heap(jvm.Machine{}).By == nil {
		f.Notes = append(f.Notes, "a JVM without heap settings takes up to a quarter of the node's memory for its heap")
	}
	return f
}
