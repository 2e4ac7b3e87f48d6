package cluster

import (
	"path"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// MountOver returns the index of the volume mount that a directory of the
// container lies in, -1 when it lies in the image.
func MountOver(ctr *manifest.Container, dir string) int {
	found, longest := -1, -1
	for i, m := range ctr.VolumeMounts {
		at := path.Clean(m.MountPath)
		if (dir == at || at == "/" || strings.HasPrefix(dir, at+"/")) && len(at) > longest {
			found, longest = i, len(at)
		}
	}
	return found
}

// A Volume is what a container mounts. Where Claim is nil, Source is what the
// pod says; both are nil for a volume that the files do not define.
type Volume struct {
	Source *corev1.VolumeSource
	Claim  *corev1.PersistentVolumeClaimSpec
	// Object and Path are where the claim is written.
	Object *manifest.Object
	Path   node.Path

	cluster *Cluster
}

// Volume returns the workload's volume of that name.
func (c *Cluster) Volume(w *manifest.Workload, name string) Volume {
	if set, ok := w.Typed.(*appsv1.StatefulSet); ok {
		for i := range set.Spec.VolumeClaimTemplates {
			if t := &set.Spec.VolumeClaimTemplates[i]; t.Name == name {
				return Volume{cluster: c, Claim: &t.Spec, Object: w.Object, Path: node.P("spec", "volumeClaimTemplates", i, "spec")}
			}
		}
	}
	for i := range w.Pod.Volumes {
		v := &w.Pod.Volumes[i]
		if v.Name != name {
			continue
		}
		found := Volume{cluster: c, Source: &v.VolumeSource}
		switch {
		case v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil:
			found.Claim, found.Object = &v.Ephemeral.VolumeClaimTemplate.Spec, w.Object
			found.Path = w.PodPath.Append("volumes", i, "ephemeral", "volumeClaimTemplate", "spec")
		case v.PersistentVolumeClaim != nil:
			for _, o := range c.Find(w.Object, "PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName) {
				if typed, ok := o.Typed.(*corev1.PersistentVolumeClaim); ok {
					found.Claim, found.Object, found.Path = &typed.Spec, o, node.P("spec")
					break
				}
			}
		}
		return found
	}
	return Volume{cluster: c}
}

// MayHoldData reports whether the volume may hold what an earlier container
// wrote, so that it is not the first start.
func (v Volume) MayHoldData() bool {
	return v.Source == nil || v.Source.EmptyDir == nil && v.Source.ConfigMap == nil && v.Source.Secret == nil
}

// sharedFiles matches what people call storage classes, and provisioners are
// called, that hand out directories: of a network file system, or of a node.
var sharedFiles = regexp.MustCompile(`(?i)nfs|efs|azure-?file|file\.csi|filestore|cephfs|gluster|smb|cifs|lustre|juicefs|sharedfs|host-?path|local|manual|rwx|weka|beegfs|zfs|btrfs|xfs`)

// FreshDisk reports whether the claim is one for a new disk of its own, which is
// formatted with ext4 unless somebody asks for something else
// (kubernetes/kubernetes pkg/volume/util, kubernetes-csi/external-provisioner
// --default-fstype): not a shared file system, a directory of a node, or a copy
// of data.
func (v Volume) FreshDisk() bool {
	if v.Claim == nil || v.Claim.DataSource != nil || v.Claim.DataSourceRef != nil || v.Claim.VolumeName != "" || v.Claim.Selector != nil ||
		v.Claim.VolumeMode != nil && *v.Claim.VolumeMode == corev1.PersistentVolumeBlock || !v.Object.Known(v.Path.Append("storageClassName")) {
		return false
	}
	for _, mode := range v.Claim.AccessModes {
		if mode == corev1.ReadWriteMany || mode == corev1.ReadOnlyMany {
			return false
		}
	}
	if v.Claim.StorageClassName == nil {
		return !v.cluster.hasNodeStorage()
	}
	name := *v.Claim.StorageClassName
	if name == "" || sharedFiles.MatchString(name) {
		return false
	}
	handMade := slices.ContainsFunc(v.cluster.OfKind("PersistentVolume"), func(o *manifest.Object) bool {
		return o.StringAt(node.P("spec", "storageClassName")) == name
	})
	return !handMade && !slices.ContainsFunc(v.cluster.OfKind("StorageClass"), func(o *manifest.Object) bool {
		return o.Name == name && (sharedFiles.MatchString(o.StringAt(node.P("provisioner"))) || slices.ContainsFunc(fileSystem, func(parameter string) bool {
			fs := o.StringAt(node.P("parameters", parameter))
			return fs != "" && !strings.HasPrefix(fs, "ext")
		}))
	})
}

// fileSystem are the parameters of storage classes that name a file system.
var fileSystem = []string{"csi.storage.k8s.io/fstype", "fsType", "fstype"}

// hasNodeStorage reports whether the files bring volumes of their own for claims
// that name no class.
func (c *Cluster) hasNodeStorage() bool {
	return len(c.OfKind("PersistentVolume")) > 0 || slices.ContainsFunc(c.OfKind("StorageClass"), func(o *manifest.Object) bool {
		return sharedFiles.MatchString(o.StringAt(node.P("provisioner")))
	})
}
