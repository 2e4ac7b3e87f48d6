package cluster

import (
	"cmp"

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
	// OpenRequest and OpenLimit are true when something is written, or left to
	// others, that the files do not decide: the nil says nothing then.
	OpenRequest, OpenLimit bool
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
// (https://kubernetes.io/docs/tasks/configure-pod-container/assign-pod-level-resources/;
// pkg/kubelet/kuberuntime/kuberuntime_container_linux.go, getMemoryLimit).
func (c *Cluster) Resource(ctr *manifest.Container, name corev1.ResourceName) Resource {
	r := c.Admitted(ctr, name)
	if pod := c.podLevel(ctr.Workload); pod != nil && (r.Limit == nil || r.Limit.V.IsZero()) {
		if limit := at(pod.Limits, name, Origin{Object: ctr.Workload.Object, Path: ctr.Workload.PodPath.Append("resources", "limits", string(name))}); limit != nil {
			r.Limit = limit
		}
	}
	return r
}

// podLevelSince is the minor version of Kubernetes from which on the API server
// keeps spec.resources of a pod (pkg/features/kube_features.go,
// PodLevelResources).
const podLevelSince = 34

// podLevel returns the resources of the pod as a whole, nil for none. It is
// written by people whose cluster has it, unless the version says otherwise.
func (c *Cluster) podLevel(w *manifest.Workload) *corev1.ResourceRequirements {
	if v := c.Options.Version; v != 0 && v < podLevelSince {
		return nil
	}
	return w.Pod.Resources
}

// Admitted returns the request and limit that stand in the container once the
// pod is admitted: what is written; a request that is not, from the written
// limit (pkg/apis/core/v1/defaults.go, SetDefaults_Pod); then the defaults of
// the namespace's LimitRanges, for init containers too
// (plugin/pkg/admission/limitranger, mergeContainerResources).
func (c *Cluster) Admitted(ctr *manifest.Container, name corev1.ResourceName) Resource {
	return Memo(c, admittedKey{ctr, name}, func() Resource { return c.admitted(ctr, name) })
}

type admittedKey struct {
	*manifest.Container
	corev1.ResourceName
}

func (c *Cluster) admitted(ctr *manifest.Container, name corev1.ResourceName) Resource {
	r := written(ctr, name)
	for _, l := range c.LimitRanges(ctr.Workload) {
		d := l.Default(name)
		if r.Limit == nil && !r.OpenLimit {
			r.Limit = d.Limit
		}
		if r.Request == nil && !r.OpenRequest {
			r.Request = d.Request
		}
	}
	return r
}

// A PodTotal is what a pod asks for and may use as a whole; nil where none of
// its containers sets it.
type PodTotal struct {
	Request, Limit *resource.Quantity
	// OpenRequest and OpenLimit are true when the files do not decide them.
	OpenRequest, OpenLimit bool
}

// AdmittedPod returns the request and limit of the pod as a whole, as the
// admission plugins add them up: the containers and sidecars together, or an
// init container with the sidecars started before it where that is more, and
// over all that the pod's own (plugin/pkg/admission/limitranger, podRequests and
// podLimits; pkg/quota/v1/evaluator/core/pods.go, PodUsageFunc, which adds the
// Overhead). A container that sets nothing adds nothing. A pod with limits of its
// own and no requests anywhere requests as much (PodLevelResources,
// pkg/apis/core/v1/defaults.go, defaultPodRequests).
func (c *Cluster) AdmittedPod(w *manifest.Workload, name corev1.ResourceName) PodTotal {
	var all, sidecars, most Resource
	for _, ctr := range w.Containers {
		r := c.Admitted(ctr, name)
		alone := r
		switch ctr.Role {
		case manifest.App:
			all = all.plus(r)
			continue
		case manifest.Sidecar:
			sidecars = sidecars.plus(r)
			all = all.plus(r)
			alone = sidecars
		case manifest.Init:
			alone = sidecars.plus(r)
		}
		most = most.or(alone)
	}
	all = all.or(most)
	if own := c.podLevel(w); own != nil && (name == corev1.ResourceMemory || name == corev1.ResourceCPU) {
		set := func(field string, list corev1.ResourceList, v **Value[resource.Quantity], open *bool) {
			o := openAt(w, w.PodPath.Append("resources"), field, name)
			if q := at(list, name, Origin{}); q != nil || o {
				*v, *open = q, q == nil
			}
		}
		set("limits", own.Limits, &all.Limit, &all.OpenLimit)
		set("requests", own.Requests, &all.Request, &all.OpenRequest)
		if _, limited := own.Limits[name]; limited && all.Request == nil && !all.OpenRequest {
			all.Request = all.Limit
		}
	}
	total := PodTotal{OpenRequest: all.OpenRequest, OpenLimit: all.OpenLimit}
	if all.Request != nil {
		total.Request = &all.Request.V
	}
	if all.Limit != nil {
		total.Limit = &all.Limit.V
	}
	return total
}

// plus adds up two resources.
func (r Resource) plus(s Resource) Resource {
	add := func(a, b *Value[resource.Quantity]) *Value[resource.Quantity] {
		if a == nil || b == nil {
			return cmp.Or(a, b)
		}
		sum := a.V.DeepCopy()
		sum.Add(b.V)
		return &Value[resource.Quantity]{V: sum}
	}
	return r.join(s, add)
}

// or takes the larger of two resources.
func (r Resource) or(s Resource) Resource {
	return r.join(s, func(a, b *Value[resource.Quantity]) *Value[resource.Quantity] {
		if a == nil || b != nil && b.V.Cmp(a.V) > 0 {
			return b
		}
		return a
	})
}

func (r Resource) join(s Resource, f func(a, b *Value[resource.Quantity]) *Value[resource.Quantity]) Resource {
	return Resource{
		Request: f(r.Request, s.Request), Limit: f(r.Limit, s.Limit),
		OpenRequest: r.OpenRequest || s.OpenRequest, OpenLimit: r.OpenLimit || s.OpenLimit,
	}
}

// written returns what the container says itself, with the request that the API
// server makes of a limit.
func written(ctr *manifest.Container, name corev1.ResourceName) Resource {
	own := func(list corev1.ResourceList, field string) (*Value[resource.Quantity], bool) {
		v := at(list, name, Origin{Object: ctr.Workload.Object, Path: ctr.At("resources", field, string(name))})
		return v, v == nil && openAt(ctr.Workload, ctr.At("resources"), field, name)
	}
	var r Resource
	r.Request, r.OpenRequest = own(ctr.Resources.Requests, "requests")
	r.Limit, r.OpenLimit = own(ctr.Resources.Limits, "limits")
	if r.Request == nil && !r.OpenRequest {
		r.Request, r.OpenRequest = r.Limit, r.OpenLimit
	}
	return r
}

// openAt reports whether the resources at the path may have an amount that was
// not decoded: somebody else fills in what is absent, or what stands there is no
// mapping or quantity, and a template will replace it.
func openAt(w *manifest.Workload, resources node.Path, field string, name corev1.ResourceName) bool {
	if amount := resources.Append(field, string(name)); w.Has(amount) || !w.Known(amount) {
		return true
	}
	for _, p := range []node.Path{resources, resources.Append(field)} {
		v, _ := w.Value(p)
		if _, mapping := v.(map[string]any); v != nil && !mapping {
			return true
		}
	}
	return false
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
func (c *Cluster) LimitRanges(w *manifest.Workload) []LimitRange {
	return Memo(c, limitRangesKey{w.File(), c.NamespaceOf(w.Object)}, func() []LimitRange {
		var out []LimitRange
		for _, o := range c.governing(w.Object, &c.index.limitRanges) {
			if typed, ok := o.Typed.(*corev1.LimitRange); ok {
				out = append(out, limitRange(o, typed))
			}
		}
		return out
	})
}

type limitRangesKey struct {
	*source.File
	namespace string
}

// governing returns those of the objects that govern what happens to an object
// in its namespace. Where both namespaces are written they must be the same; where
// one is not, the governing object must stand in the folder of the other or one
// above it, as files that are applied together do. Of several such groups the
// nearest counts.
func (c *Cluster) governing(o *manifest.Object, candidates *homonyms[*manifest.Object]) []*manifest.Object {
	namespace := c.NamespaceOf(o)
	var found []*manifest.Object
	for _, g := range candidates.meeting(namespace) {
		if g.Patch {
			continue
		}
		if d := distanceOf(o, g); (namespace == "" || c.NamespaceOf(g) == "") && (d.down > 0 || d.up > 2) {
			continue
		}
		found = append(found, g)
	}
	sortNearest(o, found, func(g *manifest.Object) *manifest.Object { return g })
	for i, g := range found {
		if g.Dir() != found[0].Dir() {
			return found[:i]
		}
	}
	return found
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
