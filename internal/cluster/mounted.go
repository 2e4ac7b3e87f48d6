package cluster

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/manifest"
)

// A File is a file that a ConfigMap of the set puts into a container.
type File struct {
	Path string
	Text string
	From Origin
}

// MountedFile returns the file that the container sees at the path, which may be
// relative to its workingDir; false when no ConfigMap of the set puts one there.
func (c *Cluster) MountedFile(ctr *manifest.Container, file string) (File, bool) {
	text, from, ok := c.mountedFile(ctr, file)
	return File{Path: file, Text: text, From: from}, ok
}

// MountedFiles returns the files that ConfigMaps of the set put into a directory
// of the container, in the order of their names.
func (c *Cluster) MountedFiles(ctr *manifest.Container, dir string) []File {
	dir = path.Clean(dir)
	var names []string
	for i := range ctr.VolumeMounts {
		m := &ctr.VolumeMounts[i]
		switch at := path.Clean(m.MountPath); {
		case path.Dir(at) == dir && m.SubPath != "":
			names = append(names, path.Base(at))
		case at == dir || strings.HasPrefix(dir, strings.TrimSuffix(at, "/")+"/"):
			below := path.Join(m.SubPath, strings.Trim(strings.TrimPrefix(dir, at), "/"))
			for _, name := range c.volumeFiles(ctr.Workload, m.Name) {
				if rest, ok := strings.CutPrefix(name, below); (ok || below == "") && !strings.Contains(strings.Trim(rest, "/"), "/") {
					names = append(names, strings.Trim(rest, "/"))
				}
			}
		}
	}
	slices.Sort(names)
	var files []File
	for _, name := range slices.Compact(names) {
		if f, ok := c.MountedFile(ctr, path.Join(dir, name)); ok {
			files = append(files, f)
		}
	}
	return files
}

// volumeFiles returns the paths of the files that ConfigMaps of the set put into
// the volume of that name.
func (c *Cluster) volumeFiles(w *manifest.Workload, volume string) []string {
	var out []string
	add := func(name string, items []corev1.KeyToPath) {
		for _, item := range items {
			out = append(out, path.Clean(item.Path))
		}
		if found := c.Find(w.Object, configMap, name); len(items) == 0 && len(found) > 0 {
			out = append(out, mapKeys(found[0], "data")...)
		}
	}
	for i := range w.Pod.Volumes {
		v := &w.Pod.Volumes[i]
		switch {
		case v.Name != volume:
		case v.ConfigMap != nil:
			add(v.ConfigMap.Name, v.ConfigMap.Items)
		case v.Projected != nil:
			for _, s := range v.Projected.Sources {
				if s.ConfigMap != nil {
					add(s.ConfigMap.Name, s.ConfigMap.Items)
				}
			}
		}
	}
	return out
}
