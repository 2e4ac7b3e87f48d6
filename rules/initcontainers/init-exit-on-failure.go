package initcontainers

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var initExitOnFailure = &rule.Rule{
	ID:       "init-exit-on-failure",
	Title:    "An init container tries once to reach what starts together with it",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, ctr := range w.Containers {
			reported := map[string]bool{}
			for _, a := range attemptsOf(p, ctr) {
				for _, c := range a.connections(p) {
					service, _ := p.Cluster.ServiceOf(w, c.Host)
					if a.retries || c.Waits || c.Lookup || retries(a.Command) || service == nil || reported[c.Host] || !startsWith(p, w, service) {
						continue
					}
					reported[c.Host] = true
					f := a.at(c.Word)
					f.Message = fmt.Sprintf("%s tries once to reach Service %q, whose pods start at the same time: it fails until they are ready, and each failure doubles the wait for the next try, up to 5 minutes",
						a.name(), service.Name)
					if w.RunsToCompletion() && w.RestartPolicy() == corev1.RestartPolicyNever {
						f.Message = fmt.Sprintf("%s tries once to reach Service %q, whose pods start at the same time: with restartPolicy Never each failure costs a pod, and the job gives up after backoffLimit of them",
							a.name(), service.Name)
					}
					f.Related = append(f.Related, rule.Related{Object: service, At: node.P("metadata", "name"), Message: "the Service"})
					f.Fixes = []rule.Fix{{Message: "try again in a loop: until ...; do sleep 2; done", Safety: diag.Display}}
					p.Report(f)
				}
			}
		}
	},
}

// startsWith reports a Service whose pods come from the same folder as the
// workload and are others than its own.
func startsWith(p *rule.Pass, w *manifest.Workload, service *manifest.Object) bool {
	selected := p.Cluster.Selected(service)
	return len(selected) > 0 && service.Dir() == w.Dir() && !slices.Contains(selected, w)
}

// retries reports a command that tries again by itself.
func retries(c cluster.Command) bool {
	return slices.ContainsFunc(c.Words[1:], func(w cluster.Word) bool {
		return strings.HasPrefix(w.Value, "--retry") || strings.HasPrefix(w.Value, "--wait") || strings.HasPrefix(w.Value, "--tries") ||
			w.Value == "-t" && c.Name() == "wget"
	})
}
