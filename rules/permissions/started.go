package permissions

import (
	"cmp"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// complete reports whether what the container lacks is missing, and not left to
// somebody else: an operator, a patch. Windows knows no user numbers.
func complete(p *rule.Pass, ctr *manifest.Container) bool {
	w := ctr.Workload
	return !ctr.Partial && !w.Custom && !p.Cluster.Patched(w) && (w.Pod.OS == nil || w.Pod.OS.Name != corev1.Windows)
}

// sourceNote says where an image's fact comes from.
func sourceNote(what, source string) string {
	return what + ": " + cmp.Or(source, "images in the configuration")
}

// userPaths are the fields that say which user the container runs as, for
// Finding.Needs.
func userPaths(ctr *manifest.Container) []node.Path {
	return []node.Path{
		ctr.At("image"), ctr.At("securityContext", "runAsUser"), ctr.At("securityContext", "runAsNonRoot"),
		ctr.Workload.PodPath.Append("securityContext", "runAsUser"), ctr.Workload.PodPath.Append("securityContext", "runAsNonRoot"),
	}
}

// envPaths are the fields that the environment comes from.
func envPaths(ctr *manifest.Container) []node.Path {
	return []node.Path{ctr.At("env"), ctr.At("envFrom")}
}

// volumeOver returns the mount that a directory of the container lies in, and
// false when it lies in the image. /var/run is a link to /run in the images of
// Debian, Alpine and Red Hat, so that a mount at either counts.
func volumeOver(ctr *manifest.Container, dir string) (int, bool) {
	i := cluster.MountOver(ctr, dir)
	if linked, ok := otherName(dir); ok && i < 0 {
		i = cluster.MountOver(ctr, linked)
	}
	return i, i >= 0
}

// otherName returns the name that a directory has on the other side of the link
// from /var/run to /run.
func otherName(dir string) (string, bool) {
	if rest, ok := strings.CutPrefix(dir+"/", "/run/"); ok {
		return path.Clean("/var/run/" + rest), true
	}
	if rest, ok := strings.CutPrefix(dir+"/", "/var/run/"); ok {
		return path.Clean("/run/" + rest), true
	}
	return "", false
}

// writable reports whether something can be written to a directory of a
// container whose root file system is read-only: whether a volume that is not
// read-only lies over it, or the runtime puts a tmpfs there.
func writable(c *cluster.Cluster, ctr *manifest.Container, dir string) bool {
	if dir == "/dev/shm" || dir == "/dev" || dir == "/dev/mqueue" {
		return true
	}
	i, ok := volumeOver(ctr, dir)
	return ok && !readOnlyMount(c, ctr, i)
}

// readOnlyMount reports whether nothing can be written through the mount: it
// says so, or the volume is one of those that the kubelet mounts read-only
// (pkg/volume/configmap, secret, projected and downwardapi: GetAttributes).
func readOnlyMount(c *cluster.Cluster, ctr *manifest.Container, i int) bool {
	m := ctr.VolumeMounts[i]
	if m.ReadOnly {
		return true
	}
	v := c.Volume(ctr.Workload, m.Name).Source
	return v != nil && (v.ConfigMap != nil || v.Secret != nil || v.Projected != nil || v.DownwardAPI != nil)
}

// volumeKind names a volume for people.
func volumeKind(v *corev1.VolumeSource) string {
	switch {
	case v == nil:
		return "a volume"
	case v.ConfigMap != nil:
		return "a ConfigMap"
	case v.Secret != nil:
		return "a Secret"
	case v.Projected != nil:
		return "a projected volume"
	case v.DownwardAPI != nil:
		return "a downward API volume"
	case v.EmptyDir != nil:
		return "an emptyDir"
	}
	return "a volume"
}

// indexOfVolume returns the place of the volume in the pod, -1 for one of a
// claim template.
func indexOfVolume(w *manifest.Workload, name string) int {
	return slices.IndexFunc(w.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == name })
}
