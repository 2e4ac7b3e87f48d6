package manifest

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crashlint/crashlint/internal/node"
)

// A Workload is an object that makes pods. An object with several pod templates
// (a custom resource may have them) gives one Workload for each.
type Workload struct {
	*Object
	// Pod is the pod's specification as written, without defaults.
	Pod *corev1.PodSpec
	// PodPath is the path of Pod in the object.
	PodPath node.Path
	// Meta is the metadata of the pods: the template's, or a Pod's own.
	Meta metav1.ObjectMeta
	// MetaPath is the path of Meta in the object.
	MetaPath node.Path
	// Custom marks a pod template inside a custom resource, whose controller
	// may fill in and change what it likes.
	Custom bool
	// Containers are all containers in the order in which they start: init
	// containers and sidecars first.
	Containers []*Container
}

// A Role is the part a container plays in its pod.
type Role uint8

const (
	// App is a container of spec.containers.
	App Role = iota
	// Init runs to its end before what follows it starts.
	Init
	// Sidecar is an init container with restartPolicy Always, which runs
	// beside the app containers (Kubernetes 1.29 and later by default).
	Sidecar
)

// String returns "app", "init" or "sidecar".
func (r Role) String() string {
	switch r {
	case Init:
		return "init"
	case Sidecar:
		return "sidecar"
	}
	return "app"
}

// A Container is a container of a workload's pods.
type Container struct {
	*corev1.Container
	Workload *Workload
	Role     Role
	// Path is the container's path in the workload's object.
	Path node.Path
	// Partial marks a container without an image: a patch, or one that a
	// controller completes. What is absent from it is unknown.
	Partial bool
}

// At returns a path below the container.
func (c *Container) At(steps ...any) node.Path { return c.Path.Append(steps...) }

// Probe returns the probe of the named kind, one of livenessProbe,
// readinessProbe and startupProbe.
func (c *Container) Probe(kind string) *corev1.Probe {
	switch kind {
	case "livenessProbe":
		return c.LivenessProbe
	case "readinessProbe":
		return c.ReadinessProbe
	case "startupProbe":
		return c.StartupProbe
	}
	return nil
}

// NewWorkload makes the workload whose pod specification stands at podPath.
func NewWorkload(o *Object, pod *corev1.PodSpec, podPath node.Path, meta metav1.ObjectMeta, metaPath node.Path) *Workload {
	w := &Workload{Object: o, Pod: pod, PodPath: podPath, Meta: meta, MetaPath: metaPath}
	add := func(list []corev1.Container, field string, init bool) {
		for i := range list {
			c := &Container{Container: &list[i], Workload: w, Path: podPath.Append(field, i)}
			if init {
				c.Role = Init
				if p := c.RestartPolicy; p != nil && *p == corev1.ContainerRestartPolicyAlways {
					c.Role = Sidecar
				}
			}
			if c.Image == "" {
				c.Partial = true
				o.Open(c.Path)
			}
			w.Containers = append(w.Containers, c)
		}
	}
	add(pod.InitContainers, "initContainers", true)
	add(pod.Containers, "containers", false)
	if len(pod.Containers) == 0 || w.allPartial() {
		o.Open(podPath)
	}
	return w
}

func (w *Workload) allPartial() bool {
	for _, c := range w.Containers {
		if !c.Partial {
			return false
		}
	}
	return true
}

// RestartPolicy returns the pods' restart policy with the default filled in.
func (w *Workload) RestartPolicy() corev1.RestartPolicy {
	if w.Pod.RestartPolicy == "" {
		return corev1.RestartPolicyAlways
	}
	return w.Pod.RestartPolicy
}

// RunsToCompletion reports whether the pods are meant to end: those of Jobs and
// CronJobs.
func (w *Workload) RunsToCompletion() bool { return w.Kind == "Job" || w.Kind == "CronJob" }

// Replicas returns how many pods the object asks for at once, 1 where it does
// not say. A DaemonSet counts as one: it is one on each node.
func (w *Workload) Replicas() int32 {
	if v, ok := w.Value(node.P("spec", "replicas")); ok {
		if n, ok := v.(int64); ok {
			return int32(n)
		}
	}
	return 1
}

// A Set is everything that was read.
type Set struct {
	Objects   []*Object
	Workloads []*Workload
	// Broken are the documents that say they are Kubernetes objects and could
	// not be read. Of such an object only the kind may be known.
	Broken []*Object
}
