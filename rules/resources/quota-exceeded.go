package resources

import (
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var quotaExceeded = &rule.Rule{
	ID:       "quota-exceeded",
	Title:    "The pods ask for more than the ResourceQuota of their namespace holds",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkQuotas,
}

func checkQuotas(p *rule.Pass, w *manifest.Workload) {
	if !makesPods(w) || len(w.Containers) == 0 {
		return
	}
	for _, q := range p.Cluster.Quotas(w) {
		// The entries of a quota go together, memory is the same as requests.memory:
		// the worst is enough.
		var worst rule.Finding
		for _, h := range q.Hard {
			if inFractions(h) {
				continue
			}
			if f, ok := exceeds(p, w, q.Object, h); ok && f.Severity > worst.Severity {
				worst = f
			}
		}
		if worst.Object != nil {
			p.Report(worst)
		}
	}
}

// inFractions reports an amount of memory or storage in thousandths of a byte, of
// which memory-limit-in-millibytes speaks.
func inFractions(h cluster.Hard) bool {
	written, _ := h.Value.From.Object.Value(h.Value.From.Path)
	return h.Resource != corev1.ResourceCPU && strings.HasSuffix(fmt.Sprint(written), "m")
}

// exceeds reports pods that do not fit into an entry of the quota: a single one
// (pkg/quota/v1/evaluator/core/pods.go, PodUsageFunc, which adds the pod's
// overhead), or all replicas together.
func exceeds(p *rule.Pass, w *manifest.Workload, quota *manifest.Object, h cluster.Hard) (rule.Finding, bool) {
	if h.Resource == corev1.ResourcePods {
		return tooManyPods(p, w, quota, h)
	}
	total := p.Cluster.AdmittedPod(w, h.Resource)
	pod, open := total.Request, total.OpenRequest
	if h.Limit {
		pod, open = total.Limit, total.OpenLimit
	}
	if open || pod == nil || pod.IsZero() {
		return rule.Finding{}, false
	}
	charged := pod.DeepCopy()
	overhead := p.Cluster.Overhead(w, h.Resource)
	if overhead != nil {
		charged.Add(overhead.V)
	}
	limit := h.Value.V.String()
	f := rule.Finding{
		Object: w.Object, At: w.PodPath, Target: node.Grip,
		Related: append([]rule.Related{{Object: quota, At: h.Value.From.Path, Message: fmt.Sprintf("%s %s in ResourceQuota %s", h.Name, limit, quota.Name)}}, shares(p, w, h)...),
	}
	if overhead != nil {
		f.Related = append(f.Related, rule.Related{Object: overhead.From.Object, At: overhead.From.Path, Message: "overhead " + overhead.V.String()})
		f.Notes = append(f.Notes, fmt.Sprintf("containers %s + overhead %s = %s %s", pod.String(), overhead.V.String(), charged.String(), h.Field()))
	}
	all, replicas := times(charged, w.Replicas()), w.Replicas()
	switch {
	case charged.Cmp(h.Value.V) > 0:
		f.Message = fmt.Sprintf("a pod of %s has %s %s, more than the %s of ResourceQuota %s: %s", w.Object, h.Field(), charged.String(), limit, quota.Name, refusal)
		f.Notes = append(f.Notes, fmt.Sprintf("the event says: exceeded quota: %s, requested: %s=%s, limited: %s=%s", quota.Name, h.Name, charged.String(), h.Name, limit))
		f.Severity, f.Notes = certainty(p, w, quota, f.Notes)
		f.Fixes = []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("a %s of %s or more in the quota, or less in the pod", h.Name, charged.String())}}
	case replicas > 1 && all.Cmp(h.Value.V) > 0:
		fit := fitting(charged, h.Value.V, replicas)
		f.Severity = diag.Warning
		f.At, f.Target = node.P("spec", "replicas"), node.Value
		f.Message = fmt.Sprintf("%d pods with %s %s each make %s, more than the %s of ResourceQuota %s: at most %d of them are ever made",
			replicas, h.Field(), charged.String(), all.String(), limit, quota.Name, fit)
		f.Fixes = []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("a %s of %s or more in the quota, %d replicas, or less in each pod", h.Name, all.String(), fit)}}
	default:
		return rule.Finding{}, false
	}
	return f, true
}

// tooManyPods reports more pods than the quota counts.
func tooManyPods(p *rule.Pass, w *manifest.Workload, quota *manifest.Object, h cluster.Hard) (rule.Finding, bool) {
	most, replicas := h.Value.V.Value(), int64(w.Replicas())
	if replicas <= most {
		return rule.Finding{}, false
	}
	limit := h.Value.V.String()
	f := rule.Finding{
		Object: w.Object, At: node.P("spec", "replicas"), Severity: diag.Warning,
		Related: []rule.Related{{Object: quota, At: h.Value.From.Path, Message: fmt.Sprintf("%s %s in ResourceQuota %s", h.Name, limit, quota.Name)}},
		Message: fmt.Sprintf("%d replicas are more than the %s pods of ResourceQuota %s: at most %d of them are ever made", replicas, limit, quota.Name, most),
		Fixes:   []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("%s of %d or more in the quota, or %d replicas", h.Name, replicas, most)}},
	}
	if most == 0 {
		f.At, f.Target = w.PodPath, node.Grip
		f.Message = fmt.Sprintf("ResourceQuota %s allows no pods: %s", quota.Name, refusal)
		f.Severity, f.Notes = certainty(p, w, quota, f.Notes)
		f.Fixes = nil
	}
	return f, true
}

// shares points to what the containers add to the sum.
func shares(p *rule.Pass, w *manifest.Workload, h cluster.Hard) []rule.Related {
	var out []rule.Related
	for _, ctr := range w.Containers {
		if v, _ := h.Of(p.Cluster.Admitted(ctr, h.Resource)); v != nil && v.From.Object != nil {
			message := fmt.Sprintf("%s of container %q", v.V.String(), ctr.Name)
			if v.From.Object != w.Object {
				message += " from " + v.From.Object.String()
			}
			out = append(out, rule.Related{Object: v.From.Object, At: v.From.Path, Message: message})
		}
	}
	return out
}

// times multiplies an amount.
func times(q resource.Quantity, n int32) resource.Quantity {
	product := q.DeepCopy()
	product.Mul(int64(n))
	return product
}

// fitting returns how many pods of all fit into the quota.
func fitting(pod, quota resource.Quantity, all int32) int32 {
	return int32(sort.Search(int(all), func(n int) bool {
		sum := times(pod, int32(n)+1)
		return sum.Cmp(quota) > 0
	}))
}
