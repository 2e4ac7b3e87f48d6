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
	"github.com/crashlint/crashlint/internal/runtimes/nodejs"
)

var nodeHeapUnset = &rule.Rule{
	ID:       "node-heap-unset",
	Title:    "Nothing sets the heap of Node.js, and its default does not go with the limit",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: checkNodeHeapUnset,
}

func checkNodeHeapUnset(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit, ok := usableLimit(p.Cluster, ctr)
		if !ok || ctr.Role == manifest.Init {
			continue
		}
		n, ok := nodejs.Of(p.Cluster, ctr)
		if !ok || n.By != nil || !n.Sure || len(n.Refused) > 0 || p.Cluster.Environment(ctr).Open {
			continue
		}
		p.Report(nodeUnsetFinding(p.Cluster, ctr, n, limit))
	}
}

func nodeUnsetFinding(c *cluster.Cluster, ctr *manifest.Container, n *nodejs.Process, limit *cluster.Value[resource.Quantity]) rule.Finding {
	most := uint64(limit.V.Value())
	said := limit.V.String()
	f := rule.Finding{
		Object: ctr.Workload.Object, At: ctr.At("resources", "limits", "memory"),
		Message: fmt.Sprintf("container %q: no option sets the heap of Node.js, %s", ctr.Name, nodeDefault(n.Release, most, said)),
		Notes: []string{
			"Node.js, since " + strings.Join(n.Evidence, ", "),
			"Node.js takes half of the memory that it sees for its old space, at least 256 MiB and at most 2 GiB, or 4 GiB from 15 GiB on",
		},
	}
	if n.Release.Sight() == nodejs.BlindOnV2 {
		f.Needs = []node.Path{ctr.At("image")}
	}
	if n.Release.Major == 0 {
		f.Notes = append(f.Notes, "before 20.3 it does not see the limit on a node with cgroup v2")
	}
	if limit.From.Object != f.Object || !slices.Equal(limit.From.Path, f.At) {
		f.At, f.Target, f.Related = ctr.Path, node.Grip, limitRelated(ctr, limit)
	}
	fits := oldSpaceFor(most)
	if fits == 0 {
		f.Fixes = []rule.Fix{{Safety: diag.Display, Message: "a limit that holds Node.js, which takes some 90Mi with an empty heap"}}
		return f
	}
	fix := rule.Fix{Safety: diag.Display, Message: fmt.Sprintf("NODE_OPTIONS=--max-old-space-size=%d", fits)}
	if _, set := c.Environment(ctr).Lookup("NODE_OPTIONS"); !set {
		fix.Ops = []node.Op{{Kind: node.Append, Path: ctr.At("env"), Value: node.Fields{
			{Key: "name", Value: "NODE_OPTIONS"}, {Key: "value", Value: fmt.Sprintf("--max-old-space-size=%d", fits)},
		}}}
	}
	f.Fixes = []rule.Fix{fix}
	return f
}

// nodeDefault says what V8 does of its own accord under the limit.
func nodeDefault(r nodejs.Release, limit uint64, said string) string {
	seen := nodejs.DefaultHeap(limit)
	switch sight := r.Sight(); {
	case sight == nodejs.Fixed && nodejs.FixedHeap+nodejs.Young+nodejs.Base > limit:
		return fmt.Sprintf("whose release %s lets its old space grow to 1400 MiB whatever the %s memory limit is: OOMKilled (137)", r, said)
	case sight == nodejs.Fixed:
		return fmt.Sprintf("whose release %s ends at 1400 MiB of the %s memory limit: \"JavaScript heap out of memory\" (134) there, with the rest unused", r, said)
	case sight == nodejs.BlindOnV2 && limit < 2<<30:
		return fmt.Sprintf("whose release %s does not see the %s memory limit on a node with cgroup v2: its old space grows to half of the node's memory, up to 2 GiB and more: OOMKilled (137)",
			r, said)
	case seen+nodejs.Base > limit:
		return fmt.Sprintf("whose old space grows to %s at the least, more than the %s memory limit holds: OOMKilled (137)", size(seen), said)
	}
	return fmt.Sprintf("whose old space ends at %s of the %s memory limit: \"JavaScript heap out of memory\" (134) there, with the rest unused", size(seen), said)
}
