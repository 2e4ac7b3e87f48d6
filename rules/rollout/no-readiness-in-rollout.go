package rollout

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var noReadinessInRollout = &rule.Rule{
	ID:       "no-readiness-in-rollout",
	Title:    "A release that crashes replaces pods that run well",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		d := deploymentOf(w)
		if d == nil || !rolling(d) || d.Spec.MinReadySeconds > 0 || replicas(d) == 0 {
			return
		}
		for _, ctr := range w.Containers {
			if ctr.Role != manifest.Init && (ctr.ReadinessProbe != nil || ctr.StartupProbe != nil) {
				return
			}
		}
		service := frontOf(p, w)
		if service == nil {
			return
		}
		needs := []node.Path{node.P("spec", "minReadySeconds")}
		var app *manifest.Container
		for _, ctr := range w.Containers {
			needs = append(needs, ctr.At("readinessProbe"))
			if app == nil && ctr.Role == manifest.App {
				app = ctr
			}
		}
		if app == nil {
			return
		}
		p.Report(rule.Finding{
			Object: w.Object, At: app.Path, Target: node.Grip, Needs: needs,
			Message: fmt.Sprintf("no container has a readinessProbe and minReadySeconds is 0: a new pod counts as available the moment it runs, so that a release which crashes after a second replaces all pods behind Service %q",
				service.Name),
			Related: []rule.Related{{Object: service, At: node.P("metadata", "name"), Message: "the Service"}},
		})
	},
}

// frontOf returns a Service that leads to the workload, nil without one.
func frontOf(p *rule.Pass, w *manifest.Workload) *manifest.Object {
	for _, service := range p.Cluster.ServicesNear(w.Object) {
		s, ok := service.Typed.(*corev1.Service)
		if !ok {
			continue
		}
		for _, selected := range p.Cluster.Selected(service) {
			if selected == w && s.Spec.Type != corev1.ServiceTypeExternalName {
				return service
			}
		}
	}
	return nil
}
