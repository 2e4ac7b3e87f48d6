package jvm

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
)

// fileOf returns the file without which the JVM does not start with the option: an
// agent, a file of options.
func (o Option) fileOf() (file string, ok bool) {
	for _, agent := range []string{"-javaagent:", "-agentpath:"} {
		if rest, ok := strings.CutPrefix(o.Text, agent); ok {
			file, _, _ = strings.Cut(rest, "=")
			return file, path.IsAbs(file)
		}
	}
	for _, options := range []string{"-XX:VMOptionsFile=", "-XX:Flags="} {
		if file, ok := strings.CutPrefix(o.Text, options); ok {
			return file, path.IsAbs(file)
		}
	}
	if o.argumentFile() {
		return o.Text[1:], path.IsAbs(o.Text[1:])
	}
	return "", false
}

// absentFiles returns the options whose file lies on a volume that does not hold
// it. What the image holds is not known, nor what a volume holds that keeps its
// data. direct is true when the container runs nothing before its JVM.
func absentFiles(c *cluster.Cluster, ctr *manifest.Container, options []Option, direct bool) []Refusal {
	var out []Refusal
	for i, o := range options {
		file, ok := o.fileOf()
		if !ok || !o.Known || cluster.IsPart(ctr.Workload) {
			continue
		}
		mount, below := mountOf(ctr, path.Clean(file))
		if mount == nil || mount.SubPath != "" || mount.SubPathExpr != "" {
			continue
		}
		r := Refusal{Option: o, From: Oldest, To: Newest}
		r.Option.position = i
		if o.argumentFile() {
			r.From = 9
		}
		r.Reason, r.Likely = absence(c, ctr, mount, below)
		r.Likely = r.Likely && !direct
		if r.Reason != "" {
			out = append(out, r)
		}
	}
	return out
}

// mountOf returns the mount that the file lies on, and its path in the volume.
func mountOf(ctr *manifest.Container, file string) (mount *corev1.VolumeMount, below string) {
	for i := range ctr.VolumeMounts {
		m := &ctr.VolumeMounts[i]
		at := path.Clean(m.MountPath)
		rest, ok := strings.CutPrefix(file, strings.TrimSuffix(at, "/")+"/")
		if ok && (mount == nil || len(at) > len(path.Clean(mount.MountPath))) {
			mount, below = m, rest
		}
	}
	return mount, below
}

// absence says why the mounted volume does not hold the file, "" when it may. maybe
// is true where the container itself could have put it there.
func absence(c *cluster.Cluster, ctr *manifest.Container, mount *corev1.VolumeMount, file string) (why string, maybe bool) {
	w := ctr.Workload
	i := slices.IndexFunc(w.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
	if i < 0 {
		return "", false
	}
	switch v := w.Pod.Volumes[i]; {
	case v.ConfigMap != nil:
		return keyless(c, w, "ConfigMap", v.ConfigMap.Name, v.ConfigMap.Items, mount, file), false
	case v.Secret != nil:
		return keyless(c, w, "Secret", v.Secret.SecretName, v.Secret.Items, mount, file), false
	case v.EmptyDir != nil:
		for _, other := range w.Containers {
			if other != ctr && (other.Partial || slices.ContainsFunc(other.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == mount.Name })) {
				return "", false
			}
		}
		return fmt.Sprintf("%s is on the emptyDir %s, which is empty: no init container mounts it", path.Base(file), mount.Name), true
	}
	return "", false
}

func keyless(c *cluster.Cluster, w *manifest.Workload, kind, name string, items []corev1.KeyToPath, mount *corev1.VolumeMount, file string) string {
	if len(items) > 0 {
		if slices.ContainsFunc(items, func(item corev1.KeyToPath) bool { return path.Clean(item.Path) == file }) {
			return "" // whether the key is there is another rule's question
		}
		return fmt.Sprintf("%s is not among the items of the %s %s that are mounted at %s", file, kind, name, mount.MountPath)
	}
	resolved := c.Resolve(cluster.Reference{Workload: w, Kind: kind, Name: name, Key: file})
	if resolved.Status != cluster.Defined || resolved.Key != cluster.KeyAbsent {
		return ""
	}
	return fmt.Sprintf("the %s %s, which is mounted at %s, has no key %s", kind, name, mount.MountPath, file)
}
