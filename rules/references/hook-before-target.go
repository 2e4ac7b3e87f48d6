package references

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var hookBeforeTarget = &rule.Rule{
	ID:       "hook-before-target",
	Title:    "A Helm hook runs before the object that its pod needs is made",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkHookOrder,
}

// checkHookOrder reports a pre-install hook that needs an object of the release
// proper, or a hook of a later weight: Helm applies these when the hook is done
// (https://helm.sh/docs/topics/charts_hooks/). On an upgrade the object is there
// from the installation.
func checkHookOrder(p *rule.Pass, w *manifest.Workload) {
	if !runsOn(w.Object, "pre-install") || w.Kind != "Job" && w.Kind != "Pod" {
		return
	}
	seen := map[string]bool{}
	for _, r := range p.Cluster.References(w) {
		if r.Optional || r.Pull || seen[r.Kind+r.Name] {
			continue
		}
		seen[r.Kind+r.Name] = true
		res := p.Cluster.Resolve(r)
		if res.Status != cluster.Defined || slices.ContainsFunc(res.By, func(o *manifest.Object) bool { return earlier(o, w.Object) }) {
			continue
		}
		target := res.By[0]
		if target.Kind != r.Kind || !sameRelease(target, w.Object) {
			continue
		}
		when := "is made only after the hook has run"
		if runsOn(target, "pre-install") {
			when = "is a hook of a later weight"
		}
		p.Report(rule.Finding{
			Object: w.Object, At: hookPath,
			Message: fmt.Sprintf("%s needs %s %s, which %s: %s, and the installation fails", subject(r), r.Kind, r.Name, when, strings.TrimSuffix(consequence(r), ", the container does not start")),
			Related: []rule.Related{
				{Object: target, At: node.P("metadata", "name"), Message: fmt.Sprintf("%s %s is no earlier hook", r.Kind, r.Name)},
				{Object: w.Object, At: r.At, Message: "needed here"},
			},
			Notes: []string{fmt.Sprintf("make the hook post-install, or make %s %s a pre-install hook of a lower helm.sh/hook-weight", r.Kind, r.Name)},
		})
	}
}

var hookPath = node.P("metadata", "annotations", "helm.sh/hook")

// sameRelease reports whether two objects belong to one chart: they stand in one
// file and, where their templates are known, come from the same chart.
func sameRelease(a, b *manifest.Object) bool {
	chartA, _, _ := strings.Cut(a.Template, "/")
	chartB, _, _ := strings.Cut(b.Template, "/")
	return a.File() == b.File() && chartA == chartB
}

func runsOn(o *manifest.Object, event string) bool {
	for e := range strings.SplitSeq(o.Annotations["helm.sh/hook"], ",") {
		if strings.TrimSpace(e) == event {
			return true
		}
	}
	return false
}

// earlier reports whether Helm has made a before the hook b: both are
// pre-install hooks, ordered by weight, then kind, then name
// (helm.sh/helm pkg/action/hooks.go, hookByWeight, and pkg/release/util
// kind_sorter.go: ConfigMaps and Secrets come before Jobs).
func earlier(a, b *manifest.Object) bool {
	return runsOn(a, "pre-install") && cmp.Compare(weight(a), weight(b)) <= 0
}

func weight(o *manifest.Object) int {
	n, _ := strconv.Atoi(strings.TrimSpace(o.Annotations["helm.sh/hook-weight"]))
	return n
}
