package volumes

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
)

// A content is what a container finds in a volume when it starts for the first
// time.
type content uint8

const (
	// unknown may hold anything.
	unknown content = iota
	// keys are those of a ConfigMap or Secret, and nothing else.
	keys
	// fresh is a new disk, which nobody else of the files fills.
	fresh
	// empty is an emptyDir that nobody fills before the container starts.
	empty
)

// contentOf returns what the i-th mount of the container shows.
func contentOf(c *cluster.Cluster, ctr *manifest.Container, i int) content {
	m := ctr.VolumeMounts[i]
	v := c.Volume(ctr.Workload, m.Name)
	switch {
	case v.Source != nil && (v.Source.ConfigMap != nil || v.Source.Secret != nil):
		if m.SubPath != "" || m.SubPathExpr != "" { // a file
			return unknown
		}
		return keys
	case filledElsewhere(c, ctr, m.Name, v):
		return unknown
	case v.Source != nil && v.Source.EmptyDir != nil:
		return empty
	case v.FreshDisk():
		return fresh
	}
	return unknown
}

// filledElsewhere reports whether somebody may write to the volume before the
// container starts: an init container or a sidecar of the pod, or another
// workload that mounts the claim.
func filledElsewhere(c *cluster.Cluster, ctr *manifest.Container, name string, v cluster.Volume) bool {
	if slices.ContainsFunc(ctr.Workload.Containers, func(other *manifest.Container) bool {
		return other != ctr && other.Role != manifest.App && mounts(other, name)
	}) {
		return true
	}
	if v.Source == nil || v.Source.PersistentVolumeClaim == nil {
		return false
	}
	return slices.ContainsFunc(c.Workloads, func(w *manifest.Workload) bool {
		return w != ctr.Workload && slices.ContainsFunc(w.Pod.Volumes, func(o corev1.Volume) bool {
			return o.PersistentVolumeClaim != nil && o.PersistentVolumeClaim.ClaimName == v.Source.PersistentVolumeClaim.ClaimName
		})
	})
}

// besideOthers reports whether another container that starts together with this
// one mounts the volume.
func besideOthers(ctr *manifest.Container, volume string) bool {
	return slices.ContainsFunc(ctr.Workload.Containers, func(other *manifest.Container) bool {
		return other != ctr && other.Role == manifest.App && mounts(other, volume)
	})
}

func mounts(ctr *manifest.Container, volume string) bool {
	return slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume })
}

// inside reports whether the file lies below the directory.
func inside(file, dir string) bool {
	return file != dir && strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/")
}

// kind names what a volume is made of.
func kind(v cluster.Volume) string {
	switch {
	case v.Source != nil && v.Source.ConfigMap != nil:
		return "a ConfigMap"
	case v.Source != nil && v.Source.Secret != nil:
		return "a Secret"
	case v.Source != nil && v.Source.EmptyDir != nil:
		return "an emptyDir"
	case v.Source != nil && v.Source.HostPath != nil:
		return "a directory of the node"
	}
	return "a persistent volume"
}

// absolute returns the path that a word of the container's command line names,
// empty when that is not known.
func absolute(ctr *manifest.Container, w cluster.Word) string {
	switch {
	case !w.Known || w.Secret || w.Value == "" || strings.ContainsAny(w.Value, "*?[{~"):
		return ""
	case path.IsAbs(w.Value):
		return path.Clean(w.Value)
	case ctr.WorkingDir != "" && path.IsAbs(ctr.WorkingDir):
		return path.Join(ctr.WorkingDir, w.Value)
	}
	return ""
}
