package cluster

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/crashlint/crashlint/internal/manifest"
)

// A ServiceName is a host name read as that of a Service, or of a pod behind
// one (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/).
type ServiceName struct {
	// Pod is the host name of a pod, empty for the Service itself.
	Pod     string
	Service string
	// Namespace is empty where the name leaves it to the resolver's search list,
	// which begins with the pod's own.
	Namespace string
	// Qualified is true when the name ends in ".svc" or in ".svc" and a domain.
	Qualified bool
	// Complete is true when the domain stands behind ".svc": such a name is not
	// in need of the search list.
	Complete bool
}

// serviceNames returns the ways in which a host name can be read: "a.b" may be
// Service a of namespace b, pod a of Service b, or a host on the Internet.
func serviceNames(host string) []ServiceName {
	labels := strings.Split(host, ".")
	if slices.Contains(labels, "") {
		return nil
	}
	qualified, complete := false, false
	if i := slices.Index(labels, "svc"); i == 2 || i == 3 {
		qualified, complete = true, len(labels) > i+1
		labels = labels[:i]
	}
	switch {
	case len(labels) == 1 && !qualified:
		return []ServiceName{{Service: labels[0]}}
	case len(labels) == 2 && qualified:
		return []ServiceName{{Service: labels[0], Namespace: labels[1], Qualified: true, Complete: complete}}
	case len(labels) == 2:
		return []ServiceName{{Service: labels[0], Namespace: labels[1]}, {Pod: labels[0], Service: labels[1]}}
	case len(labels) == 3:
		return []ServiceName{{Pod: labels[0], Service: labels[1], Namespace: labels[2], Qualified: qualified, Complete: complete}}
	}
	return nil
}

// ServiceOf returns the Service of the files that a host name leads to from the
// workload's pods, and how the name says so; nil when none is in the files.
func (c *Cluster) ServiceOf(w *manifest.Workload, host string) (*manifest.Object, ServiceName) {
	own := c.NamespaceOf(w.Object)
	for _, name := range serviceNames(host) {
		for _, o := range c.Find(w.Object, "Service", name.Service) {
			if name.fits(own, c.NamespaceOf(o)) {
				return o, name
			}
		}
		// In another namespace than the workload's.
		for _, o := range c.index.objects[objectKey{"Service", name.Service}].meeting(name.Namespace) {
			if name.Namespace != "" && name.fits(own, c.NamespaceOf(o)) {
				return o, name
			}
		}
	}
	return nil, ServiceName{}
}

// fits reports whether the name leads to a Service of the namespace. "redis.io"
// is no Service of a namespace that is not known.
func (n ServiceName) fits(own, namespace string) bool {
	switch {
	case n.Namespace == "":
		return meet(own, namespace)
	case n.Qualified:
		return meet(n.Namespace, namespace)
	}
	return n.Namespace == namespace
}

// Selected returns the workloads to whose pods a Service leads: those near it
// that have the labels it asks for. A Service without a selector has none.
func (c *Cluster) Selected(service *manifest.Object) []*manifest.Workload {
	s, ok := service.Typed.(*corev1.Service)
	if !ok || len(s.Spec.Selector) == 0 {
		return nil
	}
	return Memo(c, selectedKey{service}, func() []*manifest.Workload {
		var found []*manifest.Workload
		for _, w := range c.labelled(s.Spec.Selector) {
			if Selects(s, w) && meet(c.NamespaceOf(service), c.NamespaceOf(w.Object)) && distanceOf(service, w.Object).near() {
				found = append(found, w)
			}
		}
		return found
	})
}

type (
	selectedKey struct{ *manifest.Object }
	labelledKey struct{}
	label       struct{ key, value string }
)

// labelled returns the workloads whose pods have one of the labels: the one that
// the fewest have, since a set of many Services must not hold each of them
// against every workload.
func (c *Cluster) labelled(selector map[string]string) []*manifest.Workload {
	byLabel := Memo(c, labelledKey{}, func() map[label][]*manifest.Workload {
		by := map[label][]*manifest.Workload{}
		for _, w := range c.Workloads {
			for k, v := range w.Meta.Labels {
				by[label{k, v}] = append(by[label{k, v}], w)
			}
		}
		return by
	})
	fewest := c.Workloads
	for k, v := range selector {
		if workloads := byLabel[label{k, v}]; len(workloads) < len(fewest) {
			fewest = workloads
		}
	}
	return fewest
}

// Selects reports whether the selector of a Service fits the workload's pods.
func Selects(s *corev1.Service, w *manifest.Workload) bool {
	if len(s.Spec.Selector) == 0 {
		return false
	}
	for k, v := range s.Spec.Selector {
		if value, ok := w.Meta.Labels[k]; !ok || value != v {
			return false
		}
	}
	return true
}

// Near reports objects that are written and applied together as a rule: their
// files stand in the same folder, or one directly above, below or beside it.
func Near(a, b *manifest.Object) bool { return distanceOf(a, b).near() }

// ServicesElsewhere returns the Services of the name in other namespaces than
// the object's, where both are known.
func (c *Cluster) ServicesElsewhere(from *manifest.Object, name string) []*manifest.Object {
	own := c.NamespaceOf(from)
	return slices.DeleteFunc(c.index.objects[objectKey{"Service", name}].meeting(""), func(o *manifest.Object) bool {
		return meet(own, c.NamespaceOf(o))
	})
}

// Alike returns the Services beside the object, in its folder, that bear nearly
// the name: a slip of the pen or two.
func (c *Cluster) Alike(from *manifest.Object, name string) []*manifest.Object {
	var found []*manifest.Object
	for _, o := range c.index.servicesIn[from.Dir()] {
		if meet(c.NamespaceOf(from), c.NamespaceOf(o)) && likeness(name, o.Name) == scoreTypo {
			found = append(found, o)
		}
	}
	return found
}

// ServicesNear returns the Services in the object's folder.
func (c *Cluster) ServicesNear(from *manifest.Object) []*manifest.Object {
	return c.index.servicesIn[from.Dir()]
}

// HasNamespace reports whether an object of the files goes to the namespace.
func (c *Cluster) HasNamespace(name string) bool {
	namespaces := Memo(c, namespacesKey{}, func() sets.Set[string] {
		found := sets.New[string]()
		for _, o := range c.Objects {
			found.Insert(c.NamespaceOf(o))
			if o.Kind == "Namespace" && o.Group() == "" {
				found.Insert(o.Name)
			}
		}
		return found
	})
	return name != "" && namespaces.Has(name)
}

type namespacesKey struct{}
