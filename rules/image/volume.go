package image

import (
	"path"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// mountOver returns the index of the volume mount that a directory of the
// container lies in, -1 when it lies in the image.
func mountOver(ctr *manifest.Container, dir string) int {
	found, longest := -1, -1
	for i, m := range ctr.VolumeMounts {
		at := path.Clean(m.MountPath)
		if (dir == at || at == "/" || strings.HasPrefix(dir, at+"/")) && len(at) > longest {
			found, longest = i, len(at)
		}
	}
	return found
}

// A volume is what a container mounts. Where claim is nil, source is what the
// pod says; both are nil for a volume that the files do not define.
type volume struct {
	source *corev1.VolumeSource
	claim  *corev1.PersistentVolumeClaimSpec
	// object and path are where the claim is written.
	object *manifest.Object
	path   node.Path
}

func volumeOf(c *cluster.Cluster, w *manifest.Workload, name string) volume {
	if set, ok := w.Typed.(*appsv1.StatefulSet); ok {
		for i := range set.Spec.VolumeClaimTemplates {
			if t := &set.Spec.VolumeClaimTemplates[i]; t.Name == name {
				return volume{claim: &t.Spec, object: w.Object, path: node.P("spec", "volumeClaimTemplates", i, "spec")}
			}
		}
	}
	for i := range w.Pod.Volumes {
		v := &w.Pod.Volumes[i]
		if v.Name != name {
			continue
		}
		found := volume{source: &v.VolumeSource}
		switch {
		case v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil:
			found.claim, found.object = &v.Ephemeral.VolumeClaimTemplate.Spec, w.Object
			found.path = w.PodPath.Append("volumes", i, "ephemeral", "volumeClaimTemplate", "spec")
		case v.PersistentVolumeClaim != nil:
			for _, o := range c.Find(w.Object, "PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName) {
				if typed, ok := o.Typed.(*corev1.PersistentVolumeClaim); ok {
					found.claim, found.object, found.path = &typed.Spec, o, node.P("spec")
					break
				}
			}
		}
		return found
	}
	return volume{}
}

// mayHoldData reports whether the volume may hold what an earlier container
// wrote, so that it is not the first start.
func (v volume) mayHoldData() bool {
	return v.source == nil || v.source.EmptyDir == nil && v.source.ConfigMap == nil && v.source.Secret == nil
}

// sharedFiles matches what people call storage classes, and provisioners are
// called, that hand out directories: of a network file system, or of a node.
var sharedFiles = regexp.MustCompile(`(?i)nfs|efs|azure-?file|file\.csi|filestore|cephfs|gluster|smb|cifs|lustre|juicefs|sharedfs|host-?path|local|manual|rwx|weka|beegfs|zfs|btrfs|xfs`)

// freshDisk reports whether the claim is one for a new disk of its own, which is
// formatted with ext4 unless somebody asks for something else
// (kubernetes/kubernetes pkg/volume/util, kubernetes-csi/external-provisioner
// --default-fstype): not a shared file system, a directory of a node, or a copy
// of data.
func (v volume) freshDisk(c *cluster.Cluster) bool {
	if v.claim == nil || v.claim.DataSource != nil || v.claim.DataSourceRef != nil || v.claim.VolumeName != "" || v.claim.Selector != nil ||
		v.claim.VolumeMode != nil && *v.claim.VolumeMode == corev1.PersistentVolumeBlock || !v.object.Known(v.path.Append("storageClassName")) {
		return false
	}
	for _, mode := range v.claim.AccessModes {
		if mode == corev1.ReadWriteMany || mode == corev1.ReadOnlyMany {
			return false
		}
	}
	if v.claim.StorageClassName == nil {
		return !hasNodeStorage(c)
	}
	name := *v.claim.StorageClassName
	if name == "" || sharedFiles.MatchString(name) {
		return false
	}
	for _, o := range c.Objects {
		switch {
		case o.Kind == "StorageClass" && o.Name == name:
			if sharedFiles.MatchString(o.StringAt(node.P("provisioner"))) || slices.ContainsFunc(fileSystem, func(parameter string) bool {
				fs := o.StringAt(node.P("parameters", parameter))
				return fs != "" && !strings.HasPrefix(fs, "ext")
			}) {
				return false
			}
		case o.Kind == "PersistentVolume" && o.StringAt(node.P("spec", "storageClassName")) == name:
			return false // made by hand
		}
	}
	return true
}

// fileSystem are the parameters of storage classes that name a file system.
var fileSystem = []string{"csi.storage.k8s.io/fstype", "fsType", "fstype"}

// hasNodeStorage reports whether the files bring volumes of their own for claims
// that name no class.
func hasNodeStorage(c *cluster.Cluster) bool {
	for _, o := range c.Objects {
		if o.Kind == "PersistentVolume" || o.Kind == "StorageClass" && sharedFiles.MatchString(o.StringAt(node.P("provisioner"))) {
			return true
		}
	}
	return false
}

// mounts returns a function that finds the mounts of a volume.
func mounts(volume string) func(corev1.VolumeMount) bool {
	return func(m corev1.VolumeMount) bool { return m.Name == volume }
}
