package cluster

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// A Resource is what a container asks for and may use at most, in effect; nil
// where nothing sets it.
type Resource struct {
	Request, Limit *Value[resource.Quantity]
}

// Memory returns the container's effective memory request and limit, in bytes.
func (c *Cluster) Memory(ctr *manifest.Container) Resource {
	return c.Resource(ctr, corev1.ResourceMemory)
}

// CPU returns the container's effective CPU request and limit.
func (c *Cluster) CPU(ctr *manifest.Container) Resource { return c.Resource(ctr, corev1.ResourceCPU) }

// Resource returns the container's effective request and limit of the named
// resource: what admission leaves in it, and where that is no limit, the limit
// of the pod as a whole, spec.resources, which all its containers share
// (https://kubernetes.io/docs/tasks/configure-pod-container/assign-pod-level-resources/).
func (c *Cluster) Resource(ctr *manifest.Container, name corev1.ResourceName) Resource {
	r := c.Admitted(ctr, name)
	if pod := ctr.Workload.Pod.Resources; pod != nil && r.Limit == nil {
		r.Limit = at(pod.Limits, name, Origin{Object: ctr.Workload.Object, Path: ctr.Workload.PodPath.Append("resources", "limits", string(name))})
	}
	return r
}

// Admitted returns the request and limit that stand in the container once the
// pod is admitted: what is written; a request that is not, from the written
// limit (pkg/apis/core/v1/defaults.go, SetDefaults_Pod); then the defaults of
// the namespace's LimitRanges, for init containers too
// (plugin/pkg/admission/limitranger, mergeContainerResources).
func (c *Cluster) Admitted(ctr *manifest.Container, name corev1.ResourceName) Resource {
	r := c.written(ctr, name)
	if ctr.Partial || r.Limit == nil && ctr.Workload.Has(ctr.At("resources", "limits", string(name))) {
		return r // what is not decoded, or left to others, is not to be filled in
	}
	for _, l := range c.LimitRanges(ctr.Workload) {
		d := l.Default(name)
		if r.Limit == nil {
			r.Limit = d.Limit
		}
		if r.Request == nil {
			r.Request = d.Request
		}
	}
	return r
}

// AdmittedPod returns the request and limit of the pod as a whole, as the
// admission plugin adds them up: the containers and sidecars together, or an
// init container with the sidecars started before it where that is more, and
// over all that the pod's own (plugin/pkg/admission/limitranger, podRequests and
// podLimits). A container that sets nothing adds nothing.
func (c *Cluster) AdmittedPod(w *manifest.Workload, name corev1.ResourceName) (request, limit *resource.Quantity) {
	total := func(pick func(Resource) *Value[resource.Quantity], pod corev1.ResourceList) *resource.Quantity {
		if q, ok := pod[name]; ok {
			return &q
		}
		var all, sidecars, most resource.Quantity
		set := false
		for _, ctr := range w.Containers {
			v := pick(c.Admitted(ctr, name))
			if v == nil {
				continue
			}
			set = true
			alone := sidecars.DeepCopy()
			alone.Add(v.V)
			switch ctr.Role {
			case manifest.Sidecar:
				sidecars.Add(v.V)
				all.Add(v.V)
			case manifest.App:
				all.Add(v.V)
				continue
			}
			if alone.Cmp(most) > 0 {
				most = alone
			}
		}
		if !set {
			return nil
		}
		if most.Cmp(all) > 0 {
			return &most
		}
		return &all
	}
	var own corev1.ResourceRequirements
	if w.Pod.Resources != nil {
		own = *w.Pod.Resources
	}
	return total(func(r Resource) *Value[resource.Quantity] { return r.Request }, own.Requests),
		total(func(r Resource) *Value[resource.Quantity] { return r.Limit }, own.Limits)
}

// written returns what the container says itself, with the request that the API
// server makes of a limit.
func (c *Cluster) written(ctr *manifest.Container, name corev1.ResourceName) Resource {
	own := func(list corev1.ResourceList, field string) *Value[resource.Quantity] {
		return at(list, name, Origin{Object: ctr.Workload.Object, Path: ctr.At("resources", field, string(name))})
	}
	r := Resource{Request: own(ctr.Resources.Requests, "requests"), Limit: own(ctr.Resources.Limits, "limits")}
	// A request that is written and does not decode is none of the limit's.
	if r.Request == nil && !ctr.Workload.Has(ctr.At("resources", "requests", string(name))) {
		r.Request = r.Limit
	}
	return r
}

func at(list corev1.ResourceList, name corev1.ResourceName, from Origin) *Value[resource.Quantity] {
	q, ok := list[name]
	if !ok {
		return nil
	}
	return &Value[resource.Quantity]{V: q, From: from}
}

// A LimitRange is the constraints that the admission plugin LimitRanger puts on
// the pods of a namespace.
type LimitRange struct {
	Object *manifest.Object
	// Items are the entries of spec.limits, with the defaults that the API
	// server fills in.
	Items []LimitRangeItem
}

// A LimitRangeItem is one entry of spec.limits.
type LimitRangeItem struct {
	Type corev1.LimitType
	Min, Max, MaxLimitRequestRatio,
	Default, DefaultRequest map[corev1.ResourceName]*Value[resource.Quantity]
}

// Default returns the request and limit that containers without their own get.
// Of several entries the last one counts (plugin/pkg/admission/limitranger,
// defaultContainerResourceRequirements).
func (l LimitRange) Default(name corev1.ResourceName) Resource {
	var r Resource
	for _, item := range l.Items {
		if item.Type != corev1.LimitTypeContainer {
			continue
		}
		if v := item.Default[name]; v != nil {
			r.Limit = v
		}
		if v := item.DefaultRequest[name]; v != nil {
			r.Request = v
		}
	}
	return r
}

// LimitRanges returns the LimitRanges that apply to the pods of a workload.
// Where both namespaces are written they must be the same; where one is not,
// the LimitRange must stand in the workload's folder or one above it, as files
// that are applied together do. Of several such groups the nearest counts.
func (c *Cluster) LimitRanges(w *manifest.Workload) []LimitRange {
	namespace := c.NamespaceOf(w.Object)
	return Memo(c, limitRangesKey{w.File(), namespace}, func() []LimitRange { return c.limitRanges(w, namespace) })
}

type limitRangesKey struct {
	*source.File
	namespace string
}

func (c *Cluster) limitRanges(w *manifest.Workload, namespace string) []LimitRange {
	var found []*manifest.Object
	for _, o := range c.index.limitRanges.meeting(namespace) {
		ns := c.NamespaceOf(o)
		if o.Patch {
			continue
		}
		if d := distanceOf(w.Object, o); namespace == "" || ns == "" {
			if d.down > 0 || d.up > 2 {
				continue
			}
		}
		found = append(found, o)
	}
	sortNearest(w.Object, found, func(o *manifest.Object) *manifest.Object { return o })
	var out []LimitRange
	for _, o := range found {
		if o.Dir() != found[0].Dir() {
			break
		}
		if typed, ok := o.Typed.(*corev1.LimitRange); ok {
			out = append(out, limitRange(o, typed))
		}
	}
	return out
}

// limitRange reads a LimitRange as the API server completes it
// (pkg/apis/core/v1/defaults.go, SetDefaults_LimitRangeItem): for containers a
// default limit that is not written is the max, a default request the default
// limit, or else the min.
func limitRange(o *manifest.Object, typed *corev1.LimitRange) LimitRange {
	l := LimitRange{Object: o}
	for i, written := range typed.Spec.Limits {
		values := func(list corev1.ResourceList, field string) map[corev1.ResourceName]*Value[resource.Quantity] {
			out := map[corev1.ResourceName]*Value[resource.Quantity]{}
			for name := range list {
				out[name] = at(list, name, Origin{Object: o, Path: node.P("spec", "limits", i, field, string(name))})
			}
			return out
		}
		item := LimitRangeItem{
			Type:                 written.Type,
			Min:                  values(written.Min, "min"),
			Max:                  values(written.Max, "max"),
			MaxLimitRequestRatio: values(written.MaxLimitRequestRatio, "maxLimitRequestRatio"),
			Default:              values(written.Default, "default"),
			DefaultRequest:       values(written.DefaultRequest, "defaultRequest"),
		}
		if item.Type == corev1.LimitTypeContainer {
			fill(item.Default, item.Max)
			fill(item.DefaultRequest, item.Default)
			fill(item.DefaultRequest, item.Min)
		}
		l.Items = append(l.Items, item)
	}
	return l
}

func fill(into, from map[corev1.ResourceName]*Value[resource.Quantity]) {
	for name, v := range from {
		if into[name] == nil {
			into[name] = v
		}
	}
}
