package memory

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var requestOverLimit = &rule.Rule{
	ID:       "request-over-limit",
	Title:    "The container requests more than its limit allows",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkRequests,
}

func checkRequests(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		for name, request := range ctr.Resources.Requests {
			limit, limited := ctr.Resources.Limits[name]
			if name == corev1.ResourceMemory && limited && limit.Value() < meant {
				continue // memory-limit-in-millibytes, memory-limit-too-low
			}
			words := requestFault(name, request, limit, limited)
			if words == "" {
				continue
			}
			requestAt, limitAt := ctr.At("resources", "requests", string(name)), ctr.At("resources", "limits", string(name))
			f := rule.Finding{
				Object: w.Object, At: requestAt, Needs: []node.Path{limitAt},
				Message: fmt.Sprintf("container %q requests %s %s, %s: the API server refuses it, and no pod is made", ctr.Name, request.String(), name, words),
				Fixes: []rule.Fix{{
					Message: fmt.Sprintf("a %s limit of %s", name, request.String()), Safety: diag.Unsafe,
					Ops: []node.Op{{Kind: node.Set, Path: limitAt, Value: written(w.Object, requestAt)}},
				}},
			}
			if limited {
				f.Related = []rule.Related{{Object: w.Object, At: limitAt, Message: "limit " + limit.String()}}
				f.Fixes = append(f.Fixes, rule.Fix{
					Message: fmt.Sprintf("a %s request of %s", name, limit.String()), Safety: diag.Unsafe,
					Ops: []node.Op{{Kind: node.Set, Path: requestAt, Value: written(w.Object, limitAt)}},
				})
			}
			if w.Custom {
				f.Severity = diag.Warning // its controller may put it right
			}
			p.Report(f)
		}
	}
}

// requestFault says what the API server finds wrong with a request
// (pkg/apis/core/validation, ValidateResourceRequirements), empty for nothing:
// nodes do not share out more of an extended resource or of huge pages than they
// have, so that request and limit must be the same.
func requestFault(name corev1.ResourceName, request, limit resource.Quantity, limited bool) string {
	shared := overcommitted(name)
	switch {
	case !limited && !shared:
		return "which must have a limit of the same size"
	case !limited:
		return ""
	case !shared && request.Cmp(limit) != 0:
		return fmt.Sprintf("which must be the same as its limit of %s", limit.String())
	case request.Cmp(limit) > 0:
		return fmt.Sprintf("more than its limit of %s", limit.String())
	}
	return ""
}

// overcommitted reports whether limits may exceed requests: for the resources of
// Kubernetes itself but huge pages (pkg/apis/core/helper, IsOvercommitAllowed).
func overcommitted(name corev1.ResourceName) bool {
	native := !strings.Contains(string(name), "/") || strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix)
	return native && !strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}

// written returns the value as it stands in the text, a number as a number.
func written(o *manifest.Object, at node.Path) any {
	v, _ := o.Value(at)
	return v
}
