package permissions

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var volumeNotWritable = &rule.Rule{
	ID:       "volume-not-writable",
	Title:    "A program that is not root writes to a volume that belongs to root",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkWritable,
}

// checkWritable reports volumes whose root belongs to root, with the mode 0755,
// as mkfs and the kubelet make them: a new disk, and a directory of the node
// that is made when it is missing (pkg/volume/hostpath, DirectoryOrCreate). With
// an fsGroup the kubelet gives a disk to that group (pkg/volume/volume_linux.go,
// SetVolumeOwnership), but never a directory of the node.
func checkWritable(p *rule.Pass, w *manifest.Workload) {
	if onOpenShift(p.Cluster, w) {
		return
	}
	for _, ctr := range w.Containers {
		user, known := p.Cluster.User(ctr)
		if !known || user.V == 0 || !complete(p, ctr) || ctr.Role == manifest.Init {
			continue
		}
		for i, m := range ctr.VolumeMounts {
			if m.ReadOnly || preparedElsewhere(p.Cluster, ctr, m.Name) {
				continue
			}
			f, ok := diskFinding(p.Cluster, ctr, i, user.V)
			if !ok {
				f, ok = nodeFinding(p.Cluster, ctr, i, user.V)
			}
			if !ok {
				continue
			}
			if v := p.Cluster.Volume(w, m.Name); user.From.Object == nil && v.Source != nil && v.Claim != nil {
				f.Severity = diag.Info // whoever took the image as it is may have prepared the disk of a claim that stands by itself
			}
			f.Object, f.Needs = w.Object, append(f.Needs, userPaths(ctr)...)
			if user.From.Object != nil {
				f.Related = append(f.Related, rule.Related{Object: user.From.Object, At: user.From.Path, Message: fmt.Sprintf("user %d", user.V)})
			} else {
				f.Notes = append(f.Notes, sourceNote(fmt.Sprintf("the image runs as user %d", user.V), p.Cluster.Image(ctr).User.Source))
			}
			p.Report(f)
			break
		}
	}
}

func diskFinding(c *cluster.Cluster, ctr *manifest.Container, i int, user int64) (rule.Finding, bool) {
	w, m := ctr.Workload, ctr.VolumeMounts[i]
	pod := w.PodPath.Append("securityContext")
	v := c.Volume(w, m.Name)
	if w.Pod.SecurityContext != nil && w.Pod.SecurityContext.FSGroup != nil || !v.FreshDisk() || shared(c, w, v) {
		return rule.Finding{}, false
	}
	at := ctr.At("volumeMounts", i, "mountPath")
	f := rule.Finding{
		At: at,
		Message: fmt.Sprintf("container %q runs as user %d and mounts a new disk at %s, which belongs to root, and the pod has no fsGroup: \"permission denied\" when it writes there",
			ctr.Name, user, m.MountPath),
		Needs:   []node.Path{pod.Append("fsGroup")},
		Related: []rule.Related{{Object: v.Object, At: v.Path, Message: "a disk of its own, where the storage class is not one of a shared file system"}},
		Fixes: []rule.Fix{{
			Safety: diag.Unsafe, Message: fmt.Sprintf("give the pod's disks to a group of the program: fsGroup %d", user),
			Ops: []node.Op{{Kind: node.Set, Path: pod.Append("fsGroup"), Value: user}},
		}},
	}
	if w.Pod.SecurityContext != nil { // where the field belongs
		f.At = pod.Append("fsGroup")
		f.Related = append(f.Related, rule.Related{Object: w.Object, At: at, Message: "mounted here"})
	}
	return f, true
}

func nodeFinding(c *cluster.Cluster, ctr *manifest.Container, i int, user int64) (rule.Finding, bool) {
	w, m := ctr.Workload, ctr.VolumeMounts[i]
	source := c.Volume(w, m.Name).Source
	if source == nil || source.HostPath == nil || source.HostPath.Type == nil || *source.HostPath.Type != corev1.HostPathDirectoryOrCreate || !writesTo(c, ctr, m.MountPath) {
		return rule.Finding{}, false
	}
	return rule.Finding{
		At: ctr.At("volumeMounts", i, "mountPath"),
		Message: fmt.Sprintf("container %q runs as user %d and keeps its data at %s, a directory of the node that the kubelet makes for root where it is missing; fsGroup does not apply there: \"permission denied\" when it writes",
			ctr.Name, user, m.MountPath),
		Related: []rule.Related{{Object: w.Object, At: w.PodPath.Append("volumes", indexOfVolume(w, m.Name), "hostPath", "type"), Message: "made when it is missing"}},
		Fixes:   []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("hand it over in an init container that runs as root: chown %d %s", user, m.MountPath)}},
	}, true
}

// writesTo reports whether the program keeps its data in the directory, as the
// image's facts or its command line say.
func writesTo(c *cluster.Cluster, ctr *manifest.Container, dir string) bool {
	dir = path.Clean(dir)
	if data := c.Image(ctr).Data; data != nil && (data.Directory == dir || inside(data.Directory, dir)) {
		return true
	}
	return slices.ContainsFunc(c.Process(ctr).Words, func(w cluster.Word) bool {
		name, value, ok := strings.Cut(w.Value, "=")
		value = path.Clean(value)
		return ok && w.Known && slices.Contains(dataOptions, strings.TrimLeft(name, "-")) && (value == dir || inside(value, dir))
	})
}

// dataOptions are the options with which programs take the directory of their
// data.
var dataOptions = []string{"data-dir", "data", "datadir", "data-path", "storage.path", "storage.tsdb.path", "storage-path", "dbpath"}

// preparedElsewhere reports whether another container that mounts the volume may
// have made it writable: one that runs as root, or as nobody knows whom.
func preparedElsewhere(c *cluster.Cluster, ctr *manifest.Container, volume string) bool {
	return slices.ContainsFunc(ctr.Workload.Containers, func(other *manifest.Container) bool {
		if other == ctr || !slices.ContainsFunc(other.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume }) {
			return false
		}
		user, known := c.User(other)
		return !known || user.V == 0
	})
}

// shared reports whether another workload mounts the claim.
func shared(c *cluster.Cluster, w *manifest.Workload, v cluster.Volume) bool {
	if v.Source == nil || v.Source.PersistentVolumeClaim == nil {
		return false
	}
	return slices.ContainsFunc(c.Workloads, func(other *manifest.Workload) bool {
		return other != w && slices.ContainsFunc(other.Pod.Volumes, func(o corev1.Volume) bool {
			return o.PersistentVolumeClaim != nil && o.PersistentVolumeClaim.ClaimName == v.Source.PersistentVolumeClaim.ClaimName
		})
	})
}

// onOpenShift reports whether the workload is made for OpenShift, where the
// security context constraints of the namespace give each pod an fsGroup
// (https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/authentication_and_authorization/managing-pod-security-policies):
// whether files near it have objects of OpenShift.
func onOpenShift(c *cluster.Cluster, w *manifest.Workload) bool {
	openShift := cluster.Memo(c, openShiftKey{}, func() []*manifest.Object {
		var out []*manifest.Object
		for _, o := range c.Objects {
			if strings.HasSuffix(o.Group(), ".openshift.io") {
				out = append(out, o)
			}
		}
		return out
	})
	return slices.ContainsFunc(openShift, func(o *manifest.Object) bool { return cluster.Near(w.Object, o) })
}

type openShiftKey struct{}
