package cluster

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// A Quota is what a ResourceQuota allows the pods of its namespace together.
type Quota struct {
	Object *manifest.Object
	// Hard is spec.hard, in the order of the names.
	Hard []Hard
}

// A Hard is one entry of spec.hard that counts pods or their amounts.
type Hard struct {
	// Name is the entry's own: "limits.memory", or "memory", which is the same as
	// "requests.memory".
	Name corev1.ResourceName
	// Resource is what of the containers counts: the limit of it where Limit is
	// true, else the request; corev1.ResourcePods for the pods themselves.
	Resource corev1.ResourceName
	Limit    bool
	Value    *Value[resource.Quantity]
}

// Mandatory reports whether every container has to say what the entry counts.
// Kubernetes calls it a mistake that it keeps for CPU and memory
// (pkg/quota/v1/evaluator/core/pods.go, validationSet).
func (h Hard) Mandatory() bool {
	return h.Resource == corev1.ResourceCPU || h.Resource == corev1.ResourceMemory
}

// Field is the field of a container's resources that the entry counts:
// "limits.memory".
func (h Hard) Field() string {
	if h.Limit {
		return "limits." + string(h.Resource)
	}
	return "requests." + string(h.Resource)
}

// Of returns the amount of the resource that the entry counts, and whether it is
// open.
func (h Hard) Of(r Resource) (v *Value[resource.Quantity], open bool) {
	if h.Limit {
		return r.Limit, r.OpenLimit
	}
	return r.Request, r.OpenRequest
}

// Quotas returns the ResourceQuotas that are sure to count the pods of a
// workload: those that govern its namespace, like LimitRanges, and whose scopes
// the pods are in.
func (c *Cluster) Quotas(w *manifest.Workload) []Quota {
	all := Memo(c, quotasKey{w.File(), c.NamespaceOf(w.Object)}, func() []Quota {
		var out []Quota
		for _, o := range c.governing(w.Object, &c.index.resourceQuotas) {
			if typed, ok := o.Typed.(*corev1.ResourceQuota); ok {
				out = append(out, Quota{Object: o, Hard: hard(o, typed)})
			}
		}
		return out
	})
	var out []Quota
	for _, q := range all {
		if c.counts(q, w) {
			out = append(out, q)
		}
	}
	return out
}

type quotasKey struct {
	*source.File
	namespace string
}

// hard reads the entries that count pods, CPU, memory and ephemeral storage. The
// API server takes no negative ones (pkg/apis/core/validation/validation.go,
// ValidateResourceQuantityValue).
func hard(o *manifest.Object, typed *corev1.ResourceQuota) []Hard {
	var out []Hard
	for name, amount := range typed.Spec.Hard {
		if amount.Sign() < 0 {
			continue
		}
		h := Hard{Name: name, Resource: name, Value: at(typed.Spec.Hard, name, Origin{Object: o, Path: node.P("spec", "hard", string(name))})}
		if r, ok := strings.CutPrefix(string(name), "limits."); ok {
			h.Resource, h.Limit = corev1.ResourceName(r), true
		} else if r, ok := strings.CutPrefix(string(name), "requests."); ok {
			h.Resource = corev1.ResourceName(r)
		}
		switch h.Resource {
		case "count/pods":
			h.Resource = corev1.ResourcePods
			out = append(out, h)
		case corev1.ResourcePods, corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b Hard) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return out
}

// Unspecified returns the entries of the quotas which make the API server refuse
// the container, since it does not say what they count: "must specify
// limits.memory" (pkg/quota/v1/evaluator/core/pods.go, Constraints). With
// resources of the pod as a whole no container has to say anything.
func (c *Cluster) Unspecified(ctr *manifest.Container) []Hard {
	if pod := c.podLevel(ctr.Workload); pod != nil && len(pod.Limits)+len(pod.Requests) > 0 {
		return nil
	}
	var out []Hard
	for _, q := range c.Quotas(ctr.Workload) {
		for _, h := range q.Hard {
			if v, open := h.Of(c.Admitted(ctr, h.Resource)); h.Mandatory() && v == nil && !open {
				out = append(out, h)
			}
		}
	}
	return out
}

// Overhead returns what the pod's RuntimeClass adds to its requests and limits
// (plugin/pkg/admission/runtimeclass, setOverhead), nil where the files show none.
func (c *Cluster) Overhead(w *manifest.Workload, name corev1.ResourceName) *Value[resource.Quantity] {
	if v := at(w.Pod.Overhead, name, Origin{Object: w.Object, Path: w.PodPath.Append("overhead", string(name))}); v != nil {
		return v
	}
	if w.Pod.RuntimeClassName == nil {
		return nil
	}
	classes := slices.Clone(c.index.runtimeClasses[*w.Pod.RuntimeClassName])
	if len(classes) == 0 {
		return nil
	}
	sortNearest(w.Object, classes, func(o *manifest.Object) *manifest.Object { return o })
	return quantityAt(classes[0], node.P("overhead", "podFixed", string(name)))
}

// quantityAt reads a quantity of an object that is not decoded, nil where there
// is none.
func quantityAt(o *manifest.Object, p node.Path) *Value[resource.Quantity] {
	v, _ := o.Value(p)
	q, err := resource.ParseQuantity(fmt.Sprint(v))
	if err != nil {
		return nil
	}
	return &Value[resource.Quantity]{V: q, From: Origin{Object: o, Path: p}}
}

// counts reports whether the pods are sure to be in all scopes of the quota
// (staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go,
// getScopeSelectorsFromQuota; pkg/quota/v1/evaluator/core/pods.go,
// podMatchesScopeFunc).
func (c *Cluster) counts(q Quota, w *manifest.Workload) bool {
	typed := q.Object.Typed.(*corev1.ResourceQuota)
	for _, scope := range typed.Spec.Scopes {
		if !c.inScope(w, corev1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: corev1.ScopeSelectorOpExists}) {
			return false
		}
	}
	if typed.Spec.ScopeSelector == nil {
		return true
	}
	return !slices.ContainsFunc(typed.Spec.ScopeSelector.MatchExpressions, func(s corev1.ScopedResourceSelectorRequirement) bool {
		return !c.inScope(w, s)
	})
}

// inScope reports whether the pods are sure to be in the scope.
func (c *Cluster) inScope(w *manifest.Workload, s corev1.ScopedResourceSelectorRequirement) bool {
	switch s.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return w.Pod.ActiveDeadlineSeconds != nil
	case corev1.ResourceQuotaScopeNotTerminating:
		return w.Pod.ActiveDeadlineSeconds == nil && !w.Has(w.PodPath.Append("activeDeadlineSeconds")) && !w.Patch
	case corev1.ResourceQuotaScopeBestEffort:
		best, known := c.bestEffort(w)
		return best && known
	case corev1.ResourceQuotaScopeNotBestEffort:
		best, _ := c.bestEffort(w)
		return !best
	case corev1.ResourceQuotaScopePriorityClass:
		// Without a class the pod gets the cluster's default one, if there is one.
		class := w.Pod.PriorityClassName
		switch s.Operator {
		case corev1.ScopeSelectorOpExists:
			return class != ""
		case corev1.ScopeSelectorOpIn:
			return class != "" && slices.Contains(s.Values, class)
		case corev1.ScopeSelectorOpNotIn:
			return class != "" && !slices.Contains(s.Values, class)
		}
	}
	// VolumeAttributesClass quotas count claims; who crosses namespaces by affinity
	// is not asked here.
	return false
}

// bestEffort reports whether no container of the pods requests CPU or memory or
// limits them (pkg/apis/core/v1/helper/qos, ComputePodQOS), and whether that is
// known.
func (c *Cluster) bestEffort(w *manifest.Workload) (best, known bool) {
	known = true
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		total := c.AdmittedPod(w, name)
		if positive(total.Request) || positive(total.Limit) {
			return false, true
		}
		known = known && !total.OpenRequest && !total.OpenLimit
	}
	return true, known
}

func positive(q *resource.Quantity) bool { return q != nil && q.Sign() > 0 }
