package network

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var portConflictInPod = &rule.Rule{
	ID:       "port-conflict-in-pod",
	Title:    "Two containers of a pod listen on one port",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkPodPorts,
}

// checkPodPorts compares what the containers listen on that run beside each
// other: all but init containers, which end before. They share the pod's network
// namespace, in which a port can be listened on once.
func checkPodPorts(p *rule.Pass, w *manifest.Workload) {
	if len(w.Containers) < 2 {
		return
	}
	var all []socket
	for _, ctr := range w.Containers {
		if ctr.Partial || ctr.Role == manifest.Init {
			continue
		}
		own := socketsOf(p.Cluster, ctr)
		seen := map[string]bool{}
		for _, s := range own {
			if seen[s.String()] {
				continue
			}
			for _, o := range all {
				if s.ctr != o.ctr && s.meets(o) {
					seen[s.String()] = true
					reportPodPort(p, o, s)
					break
				}
			}
		}
		all = append(all, own...)
	}
}

// reportPodPort reports two sockets of one port. A containerPort is only what
// somebody wrote down; what the program is told, or known to do, is what it does.
func reportPodPort(p *rule.Pass, first, second socket) {
	f := rule.Finding{
		Needs:  []node.Path{second.from.Path},
		Object: second.from.Object, At: second.from.Path, Within: second.from.Within, Place: second.place,
		Message: fmt.Sprintf("containers %q and %q both listen on port %s (%s; %s), and the containers of a pod share one network: the one that comes second exits with \"address already in use\", each time",
			first.ctr.Name, second.ctr.Name, second, first.what, second.what),
		Related: []rule.Related{first.related(fmt.Sprintf("container %q has the port here", first.ctr.Name))},
		Fixes:   []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("let container %q listen on another port", second.ctr.Name)}},
	}
	if !first.declared && !second.declared {
		f.Severity = diag.Error
	} else {
		f.Notes = append(f.Notes, "a containerPort opens nothing by itself: where the program listens elsewhere, correct the port that is declared")
	}
	p.Report(f)
}
