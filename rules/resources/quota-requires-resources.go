package resources

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var quotaRequiresResources = &rule.Rule{
	ID:       "quota-requires-resources",
	Title:    "A ResourceQuota demands a request or limit that the container does not set",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkUnspecified,
}

func checkUnspecified(p *rule.Pass, w *manifest.Workload) {
	if !makesPods(w) {
		return
	}
	for _, ctr := range w.Containers {
		// One finding for each quota: the API server stops at the first.
		missing := map[*manifest.Object][]cluster.Hard{}
		var order []*manifest.Object
		for _, h := range p.Cluster.Unspecified(ctr) {
			quota := h.Value.From.Object
			if missing[quota] == nil {
				order = append(order, quota)
			}
			missing[quota] = append(missing[quota], h)
		}
		for _, quota := range order {
			p.Report(unspecifiedFinding(p, ctr, quota, missing[quota]))
		}
	}
}

func unspecifiedFinding(p *rule.Pass, ctr *manifest.Container, quota *manifest.Object, missing []cluster.Hard) rule.Finding {
	w := ctr.Workload
	var fields, names []string
	f := rule.Finding{Object: w.Object, At: ctr.Path, Target: node.Grip, Needs: []node.Path{ctr.At("resources")}}
	for _, h := range missing {
		fields = append(fields, h.Field())
		names = append(names, string(h.Name))
		f.Related = append(f.Related, rule.Related{Object: quota, At: h.Value.From.Path,
			Message: fmt.Sprintf("%s %s in ResourceQuota %s", h.Name, h.Value.V.String(), quota.Name)})
	}
	f.Message = fmt.Sprintf("container %q sets no %s, which ResourceQuota %s demands of every container: %s", ctr.Name,
		strings.Join(fields, ", no "), quota.Name, refusal)
	f.Notes = []string{fmt.Sprintf("the event says: failed quota: %s: must specify %s for: %s", quota.Name, strings.Join(names, " for: "+ctr.Name+"; "), ctr.Name)}
	f.Severity, f.Notes = certainty(p, w, quota, f.Notes)
	f.Fixes = unspecifiedFix(p, ctr, missing)
	return f
}

// unspecifiedFix sets what follows from what the container says: the limit that
// its request is.
func unspecifiedFix(p *rule.Pass, ctr *manifest.Container, missing []cluster.Hard) []rule.Fix {
	var ops []node.Op
	var set []string
	for _, h := range missing {
		request := p.Cluster.Admitted(ctr, h.Resource).Request
		if !h.Limit || request == nil || request.V.IsZero() {
			ops = nil
			break
		}
		ops = append(ops, node.Op{Kind: node.Set, Path: ctr.At("resources", "limits", string(h.Resource)), Value: request.V.String()})
		set = append(set, fmt.Sprintf("%s limit of %s", h.Resource, request.V.String()))
	}
	if len(ops) > 0 {
		return []rule.Fix{{Safety: diag.Unsafe, Message: "a " + strings.Join(set, " and a ") + ", as much as it requests", Ops: ops}}
	}
	return []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("set them under resources of the container, or give the namespace a LimitRange with a %s", defaultsFor(missing))}}
}

// defaultsFor names the fields of a LimitRange that fill in what is missing.
func defaultsFor(missing []cluster.Hard) string {
	field := "defaultRequest"
	for _, h := range missing {
		if h.Limit {
			field = "default"
		}
	}
	var resources []string
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		for _, h := range missing {
			if h.Resource == name {
				resources = append(resources, string(name))
				break
			}
		}
	}
	return field + " for " + strings.Join(resources, " and ")
}
