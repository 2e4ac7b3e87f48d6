package memory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/nodejs"
)

var nodeHeapOverLimit = &rule.Rule{
	ID:       "node-heap-over-limit",
	Title:    "The heap of Node.js does not fit into the memory limit",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkNodeHeap,
}

func checkNodeHeap(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit, ok := usableLimit(p.Cluster, ctr)
		if !ok {
			continue
		}
		if n, ok := nodejs.Of(p.Cluster, ctr); ok && n.By != nil && n.OldSpace+nodejs.Young+nodejs.Base > uint64(limit.V.Value()) {
			p.Report(nodeHeapFinding(ctr, n, limit))
		}
	}
}

func nodeHeapFinding(ctr *manifest.Container, n *nodejs.Process, limit *cluster.Value[resource.Quantity]) rule.Finding {
	by := *n.By
	most := uint64(limit.V.Value())
	percent := float64(n.OldSpace) / float64(most) * 100
	f := rule.Finding{
		Object: by.From.Object, At: by.From.Path, Within: cmp.Or(by.From.Within, by.Text),
		Related: limitRelated(ctr, limit),
		Notes: []string{
			fmt.Sprintf("old space %d + young generation %d + code, stacks and Node.js itself about %d = %d MiB of %d MiB; Buffers come on top",
				n.OldSpace>>20, nodejs.Young>>20, nodejs.Base>>20, (n.OldSpace+nodejs.Young+nodejs.Base)>>20, most>>20),
			"Node.js, since " + strings.Join(n.Evidence, ", "),
		},
	}
	switch {
	case by.Secret:
		f.Message = fmt.Sprintf("container %q: an option from a Secret lets the heap of Node.js fill the %s memory limit: OOMKilled (137)", ctr.Name, limit.V.String())
		f.Notes = f.Notes[1:]
	case percent >= 100:
		f.Message = fmt.Sprintf("container %q: %s is %s%% of the %s memory limit; V8 collects in earnest only near its own limit, which it never reaches: OOMKilled (137)",
			ctr.Name, by, trim(percent), limit.V.String())
	default:
		f.Message = fmt.Sprintf("container %q: %s is %s%% of the %s memory limit and leaves %s for the young generation, code, stacks and Buffers: OOMKilled (137) under load",
			ctr.Name, by, trim(percent), limit.V.String(), size(most-n.OldSpace))
	}
	if percent < 100 || !n.Certain || !n.Sure {
		f.Severity = diag.Warning
	}
	if limit.From.Object == f.Object {
		f.Needs = []node.Path{limit.From.Path}
	}
	if by.Secret || by.From.Object == nil {
		f.Object, f.At, f.Within, f.Target = ctr.Workload.Object, ctr.Path, "", node.Grip
		return f
	}
	f.Fixes = []rule.Fix{largerNodeLimit(ctr, n, limit, f.Object)}
	if oldSpaceFor(most) > 0 {
		f.Fixes = slices.Insert(f.Fixes, 0, smallerOldSpace(by, most))
	}
	return f
}

// nodeShare is the part of the limit that the old space is advised to take: what
// Node.js' own documentation of --max-old-space-size shows (1536 of 2048 MiB).
const nodeShare = 0.75

// oldSpaceFor returns the old space in MiB that is advised under a memory limit: its
// share of it, or less where the rest of Node.js would not fit beside; 0 where
// nothing does.
func oldSpaceFor(limit uint64) uint64 {
	if limit <= nodejs.Young+nodejs.Base {
		return 0
	}
	return min(uint64(float64(limit)*nodeShare), limit-nodejs.Young-nodejs.Base) >> 20
}

func smallerOldSpace(by nodejs.Option, most uint64) rule.Fix {
	name, _, _ := strings.Cut(by.Text, "=")
	replacement := fmt.Sprintf("%s=%d", name, oldSpaceFor(most))
	fix := rule.Fix{Safety: diag.Display, Message: replacement + " fits"}
	if old := by.From.Object.StringAt(by.From.Path); strings.Count(old, by.Text) == 1 && !strings.ContainsAny(old, "\n\r") {
		fix.Ops = []node.Op{{Kind: node.Set, Path: by.From.Path, Value: strings.Replace(old, by.Text, replacement, 1)}}
	}
	return fix
}

func largerNodeLimit(ctr *manifest.Container, n *nodejs.Process, limit *cluster.Value[resource.Quantity], o *manifest.Object) rule.Fix {
	quantity := fmt.Sprintf("%dMi", uint64(float64(n.OldSpace)/nodeShare)>>20)
	fix := rule.Fix{Safety: diag.Display, Message: "a memory limit of " + quantity}
	path := ctr.At("resources", "limits", string(corev1.ResourceMemory))
	if limit.From.Object == o && slices.Equal(limit.From.Path, path) {
		fix.Ops = []node.Op{{Kind: node.Set, Path: path, Value: quantity}}
	}
	return fix
}
