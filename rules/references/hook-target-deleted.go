package references

import (
	"fmt"
	"slices"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var hookTargetDeleted = &rule.Rule{
	ID:       "hook-target-deleted",
	Title:    "Helm deletes a hook that a pod of the release needs",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkDeletedHooks,
}

// checkDeletedHooks reports pods of the release proper that need a hook of
// before the installation which its delete policy has removed by then: Helm
// deletes hooks of every kind but CustomResourceDefinitions, once all of the
// event have succeeded (helm.sh/helm pkg/action/hooks.go,
// execHookWithDelayedShutdown and deleteHookByPolicy).
func checkDeletedHooks(p *rule.Pass, w *manifest.Workload) {
	if len(listed(w.Object, helmHook)) > 0 {
		return
	}
	seen := map[string]bool{}
	for _, r := range p.Cluster.References(w) {
		if r.Optional || r.Pull || seen[r.Kind+r.Name] {
			continue
		}
		seen[r.Kind+r.Name] = true
		res := p.Cluster.Resolve(r)
		gone := func(o *manifest.Object) bool {
			return o.Kind == r.Kind && sameChart(o, w.Object) && runsOn(o, "pre-install") && !runsOn(o, "post-install") &&
				slices.Contains(listed(o, helmPolicy), "hook-succeeded")
		}
		if res.Status != cluster.Defined || slices.ContainsFunc(res.By, func(o *manifest.Object) bool { return !gone(o) }) {
			continue
		}
		p.Report(rule.Finding{
			Object: w.Object, At: r.At,
			Message: fmt.Sprintf("%s needs %s %s, a pre-install hook that Helm deletes when the hooks have succeeded, before it makes this %s: %s",
				subject(r), r.Kind, r.Name, w.Kind, consequence(r)),
			Related: []rule.Related{{Object: res.By[0], At: annotation(helmPolicy), Message: "this policy deletes it"}},
			Notes:   []string{fmt.Sprintf("take hook-succeeded off %s %s, so that it stays until the next before-hook-creation; or make it no hook, and a copy of another name for the hooks", r.Kind, r.Name)},
		})
	}
}
