package memory

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

var jvmHeapUnset = &rule.Rule{
	ID:       "jvm-heap-unset",
	Title:    "Nothing sets the JVM's heap, and it takes a quarter of the limit",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: checkHeapUnset,
}

func checkHeapUnset(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit, ok := usableLimit(p.Cluster, ctr)
		if !ok || ctr.Role == manifest.Init || !jvm.HotSpot(ctr.Image) {
			continue
		}
		j, ok := jvm.Of(p.Cluster, ctr)
		if !ok || !j.OwnHeap() || p.Cluster.Environment(ctr).Open {
			continue
		}
		h := heapCheck{Pass: p, ctr: ctr, jvm: j, limit: limit}
		if j.Release.Blindness() == jvm.Blind {
			continue // jvm-not-container-aware says what its heap is
		}
		if heap := j.Flags.Heap(h.machine()); heap.By == nil {
			p.Report(heapUnsetFinding(ctr, j, heap, limit))
		}
	}
}

func heapUnsetFinding(ctr *manifest.Container, j *jvm.JVM, heap jvm.Heap, limit *cluster.Value[resource.Quantity]) rule.Finding {
	f := rule.Finding{
		Object: ctr.Workload.Object, At: ctr.At("resources", "limits", "memory"),
		Message: fmt.Sprintf("container %q: no option sets the JVM's heap, so that it ends at %s of the %s memory limit: OutOfMemoryError there, with the rest unused",
			ctr.Name, size(heap.Max), limit.V.String()),
		Notes: []string{
			"a JVM, since " + strings.Join(j.Evidence, ", "),
			"Java 8 before 8u191 does not see the limit and takes a quarter of the node's memory instead: OOMKilled (137)",
		},
	}
	if limit.From.Object != f.Object || !slices.Equal(limit.From.Path, f.At) {
		f.At, f.Target, f.Related = ctr.Path, node.Grip, limitRelated(ctr, limit)
	}
	fix := rule.Fix{Safety: diag.Display, Message: "JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75.0, or the -Xmx that the program needs"}
	if !slices.ContainsFunc(j.Options, func(o jvm.Option) bool { return o.Carrier == "JAVA_TOOL_OPTIONS" }) {
		fix.Ops = []node.Op{{Kind: node.Append, Path: ctr.At("env"), Value: node.Fields{
			{Key: "name", Value: "JAVA_TOOL_OPTIONS"}, {Key: "value", Value: "-XX:MaxRAMPercentage=75.0"},
		}}}
	}
	f.Fixes = []rule.Fix{fix}
	return f
}
