package initcontainers

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var initNeedsSidecar = &rule.Rule{
	ID:       "init-needs-sidecar",
	Title:    "An init container talks to a container of its pod that starts only after it",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		if w.Pod.HostNetwork {
			return // localhost is the node
		}
		sidecars := false // that run already and may listen on anything
		for i, ctr := range w.Containers {
			sidecars = sidecars || ctr.Role == manifest.Sidecar
			if sidecars || ctr.Role != manifest.Init {
				continue
			}
			checkLocal(p, ctr, w.Containers[i+1:])
		}
	},
}

// checkLocal reports the first connection of the container to a port of its own
// pod that a later container declares.
func checkLocal(p *rule.Pass, ctr *manifest.Container, later []*manifest.Container) {
	env := p.Cluster.Environment(ctr)
	for _, a := range attemptsOf(p, ctr) {
		if a.served {
			return
		}
		for _, c := range a.Connections(env) {
			if !loopback(c.Host) || c.Port == 0 || c.Word.Secret {
				continue
			}
			for _, listener := range later {
				port := slices.IndexFunc(listener.Ports, func(port corev1.ContainerPort) bool { return int(port.ContainerPort) == c.Port })
				if port < 0 || listener.Role == manifest.Init {
					continue
				}
				f := a.at(c.Word)
				f.Message = fmt.Sprintf("%s %s port %d of its own pod, on which container %q listens, but that starts only after it: %s",
					a.name(), a.verb(c.Waits), c.Port, listener.Name, ending(a, c.Waits))
				f.Related = append(f.Related, rule.Related{Object: ctr.Workload.Object, At: listener.At("ports", port), Message: "the port is opened here"})
				f.Fixes = []rule.Fix{{Message: fmt.Sprintf("make %q an init container with restartPolicy Always in front of %q, or do this in the app container", listener.Name, ctr.Name), Safety: diag.Display}}
				p.Report(f)
				return
			}
		}
	}
}
