package references

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var hookBeforeTarget = &rule.Rule{
	ID:       "hook-before-target",
	Title:    "A hook or sync wave comes before the object that its pod needs",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkOrder,
}

// checkOrder reports a pod that Helm or Argo CD waits for before it makes an
// object that the pod needs. On an upgrade the object is there from the
// installation.
func checkOrder(p *rule.Pass, w *manifest.Workload) {
	seen := map[string]bool{}
	for _, r := range p.Cluster.References(w) {
		if r.Optional || r.Pull || seen[r.Kind+r.Name] || r.Kind == "ServiceAccount" && r.Name == "default" {
			continue
		}
		seen[r.Kind+r.Name] = true
		res := p.Cluster.Resolve(r)
		if res.Status != cluster.Defined || slices.ContainsFunc(res.By, func(o *manifest.Object) bool { return o.Kind != r.Kind }) {
			continue
		}
		for _, o := range orders {
			targets := slices.DeleteFunc(slices.Clone(res.By), func(t *manifest.Object) bool { return !o.together(w.Object, t) })
			if len(targets) > 0 && !slices.ContainsFunc(targets, func(t *manifest.Object) bool { return o.late(w.Object, t) == "" }) {
				reportOrder(p, r, targets[0], o.late(w.Object, targets[0]))
				break
			}
		}
	}
}

func reportOrder(p *rule.Pass, r cluster.Reference, target *manifest.Object, how string) {
	w := r.Workload
	what := r.Kind + " " + r.Name
	f := rule.Finding{
		Object: w.Object, At: r.At,
		Message: fmt.Sprintf("%s needs %s, which %s: %s, and the installation fails", subject(r), what, how, strings.TrimSuffix(consequence(r), ", the container does not start")),
		Related: []rule.Related{
			{Object: target, At: node.P("metadata", "name"), Message: what + " comes later"},
			{Object: w.Object, At: r.At, Message: "needed here"},
		},
	}
	for _, name := range []string{argoHook, argoWave, helmHook} {
		if w.Annotations[name] != "" {
			f.At = annotation(name)
			break
		}
	}
	if target.File() != w.File() {
		f.Severity = diag.Warning // the folder may be of several applications
	}
	if helm := helmLate(w.Object, target); helm != "" {
		event := "pre-install"
		if !runsOn(w.Object, event) {
			event = "post-install"
		}
		f.Notes = append(f.Notes, fmt.Sprintf("make the hook run later, or make %s a %s hook of a helm.sh/hook-weight below %d", what, event, number(w.Object, helmWeight)))
	} else {
		here, _ := argoTurn(w.Object)
		f.Notes = append(f.Notes, fmt.Sprintf("give %s %s or a lower %s in the same phase", what, here, argoWave))
	}
	p.Report(f)
}
