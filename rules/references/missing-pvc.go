package references

import (
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingPVC = &rule.Rule{
	ID:       "missing-pvc",
	Title:    "A PersistentVolumeClaim of the pod is not there",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkClaims,
}

// checkClaims reports claims that are not in the files: the scheduler places no
// pod whose claim it does not find
// (pkg/scheduler/framework/plugins/volumebinding/volume_binding.go,
// podHasPVCs).
func checkClaims(p *rule.Pass, w *manifest.Workload) {
	var templates []string // they take the place of volumes of their name
	if w.Kind == "StatefulSet" {
		templates = namesOf(w.Object, claimTemplates)
	}
	for i, v := range w.Pod.Volumes {
		claim := v.PersistentVolumeClaim
		if claim == nil || slices.Contains(templates, v.Name) || ofStatefulSet(p, claim.ClaimName) {
			continue
		}
		checkNamed(p, cluster.Reference{
			Workload: w, Kind: "PersistentVolumeClaim", Name: claim.ClaimName,
			At: w.PodPath.Append("volumes", i, "persistentVolumeClaim", "claimName"),
		}, "volume "+v.Name+" needs", "the pod stays Pending")
	}
}

// ofStatefulSet reports whether a claim is one that a StatefulSet makes for its
// pods, called TEMPLATE-SET-ORDINAL.
func ofStatefulSet(p *rule.Pass, claim string) bool {
	made := cluster.Memo(p.Cluster, madeClaimsKey{}, func() map[string]bool {
		made := map[string]bool{}
		for _, o := range p.Cluster.Objects {
			if o.Kind == "StatefulSet" {
				for _, template := range namesOf(o, claimTemplates) {
					made[template+"-"+o.Name] = true
				}
			}
		}
		return made
	})
	set := strings.TrimRight(claim, "0123456789")
	return set != claim && made[strings.TrimSuffix(set, "-")]
}

type madeClaimsKey struct{}
