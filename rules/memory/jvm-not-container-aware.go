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

var jvmNotContainerAware = &rule.Rule{
	ID:       "jvm-not-container-aware",
	Title:    "The JVM does not see the memory limit and sizes its heap by the node",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkContainerAware,
}

func checkContainerAware(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit, ok := usableLimit(p.Cluster, ctr)
		if !ok || ctr.Role == manifest.Init || !jvm.HotSpot(ctr.Image) {
			continue
		}
		j, ok := jvm.Of(p.Cluster, ctr)
		if !ok || j.Release.Blindness() == jvm.Sees || !j.OwnHeap() || p.Cluster.Environment(ctr).Open || toldToLook(j) {
			continue
		}
		if share, ok := shareOfNode(j); ok {
			p.Report(blindFinding(ctr, j, limit, share))
		}
	}
}

// toldToLook reports -XX:+UseCGroupMemoryLimitForHeap, with which 8u131 to 8u190
// and 9 do see the limit, where it is the memory limit of cgroup v1.
func toldToLook(j *jvm.JVM) bool {
	return slices.ContainsFunc(j.Options, func(o jvm.Option) bool { return o.Text == "-XX:+UseCGroupMemoryLimitForHeap" })
}

// shareOfNode returns how much of the memory that it sees the JVM takes for its
// heap, in percent, false when an option says how large the heap is, or one of a
// Secret the share.
func shareOfNode(j *jvm.JVM) (percent float64, ok bool) {
	const gib = 1 << 30
	small, large := j.Flags.Heap(jvm.Machine{Memory: 16 * gib}), j.Flags.Heap(jvm.Machine{Memory: 64 * gib})
	secret := large.By != nil && large.By.Secret
	return large.Percent, large.Max != small.Max && large.Percent > 0 && !secret
}

func blindFinding(ctr *manifest.Container, j *jvm.JVM, limit *cluster.Value[resource.Quantity], share float64) rule.Finding {
	where, nodes := "", "any node"
	if j.Release.Blindness() == jvm.BlindOnV2 {
		where, nodes = " on a node with cgroup v2", "a node with cgroup v2"
	}
	f := rule.Finding{
		Object: ctr.Workload.Object, At: ctr.At("resources", "limits", "memory"),
		Message: fmt.Sprintf("container %q: Java %s does not see the %s memory limit%s and lets its heap grow to %s%% of the node's memory: OOMKilled (137) where the node has more than %s",
			ctr.Name, j.Release, limit.V.String(), where, trim(share), size(uint64(float64(limit.V.Value())*100/share))),
		Notes: []string{
			"a JVM, since " + strings.Join(j.Evidence, ", "),
			fmt.Sprintf("Java sees the limit from 8u191 and 10 on, with cgroup v2 from 8u372, 11.0.16 and 15 on; %s is blind on %s", j.Release, nodes),
		},
		Needs: []node.Path{ctr.At("image")},
		Related: []rule.Related{{
			Object: ctr.Workload.Object, At: ctr.At("image"), Message: "the image has Java " + j.Release.String(),
		}},
		Fixes: []rule.Fix{
			{Safety: diag.Display, Message: "take an image with a later update of the same Java"},
			{Safety: diag.Display, Message: fmt.Sprintf("set the heap: -Xmx%dm is three quarters of the limit", limit.V.Value()*3/4>>20)},
		},
	}
	if limit.From.Object != f.Object || !slices.Equal(limit.From.Path, f.At) {
		f.At, f.Target = ctr.Path, node.Grip
		f.Related = append(f.Related, limitRelated(ctr, limit)...)
	}
	return f
}
