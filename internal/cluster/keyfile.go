package cluster

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A KeyFile is a file that a volume makes of a key of a ConfigMap or Secret.
type KeyFile struct {
	// Object names the ConfigMap or Secret and the key, which is empty where the
	// volume has several sources and none is known to have it.
	Object Reference
	// Path is the file's path in the volume.
	Path string
	// Mode are the file's permissions: 0644 unless the files say otherwise
	// (pkg/apis/core/v1/defaults.go). fsGroup adds reading and writing to those of
	// files, never execution (pkg/volume/volume_linux.go, changeFilePermission).
	Mode int32
	// ModeAt is the field that sets Mode, or the one of the volume that would.
	ModeAt node.Path
	// Mount is the index of the container's volume mount, Source the path of what
	// the volume is made of.
	Mount  int
	Source node.Path
	// Absent is true when the volume surely has no such file, though it has others.
	Absent bool
	// Files are the paths of the files that the volume is known to have.
	Files []string
}

// KeyFile returns the file of a ConfigMap or Secret that the container sees at
// the path, which may be relative to its workingDir; false when no such volume
// is mounted there, or none that a file of that path can be in.
func (c *Cluster) KeyFile(ctr *manifest.Container, file string) (KeyFile, bool) {
	file, ok := absolute(ctr, file)
	if !ok {
		return KeyFile{}, false
	}
	mount, below := mountOf(ctr, file)
	if mount < 0 || ctr.VolumeMounts[mount].SubPathExpr != "" {
		return KeyFile{}, false
	}
	below = strings.TrimPrefix(path.Join(ctr.VolumeMounts[mount].SubPath, below), "..data/")
	w := ctr.Workload
	i := slices.IndexFunc(w.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == ctr.VolumeMounts[mount].Name })
	if i < 0 || below == "" {
		return KeyFile{}, false
	}
	at := w.PodPath.Append("volumes", i)
	v := &w.Pod.Volumes[i]
	switch {
	case v.ConfigMap != nil:
		s := keySource{
			kind: configMap, name: v.ConfigMap.Name, items: v.ConfigMap.Items, mode: v.ConfigMap.DefaultMode, optional: yes(v.ConfigMap.Optional),
			at: at.Append("configMap"), nameAt: at.Append("configMap", "name"), modeAt: at.Append("configMap", "defaultMode"),
		}
		return c.fileOf(w, s, mount, below)
	case v.Secret != nil:
		s := keySource{
			kind: secret, name: v.Secret.SecretName, items: v.Secret.Items, mode: v.Secret.DefaultMode, optional: yes(v.Secret.Optional),
			at: at.Append("secret"), nameAt: at.Append("secret", "secretName"), modeAt: at.Append("secret", "defaultMode"),
		}
		return c.fileOf(w, s, mount, below)
	case v.Projected != nil:
		return c.projectedFile(w, v.Projected, at.Append("projected"), mount, below)
	}
	return KeyFile{}, false
}

// A keySource is a ConfigMap or Secret as a volume, or as a part of one.
type keySource struct {
	kind, name string
	items      []corev1.KeyToPath
	mode       *int32
	optional   bool
	// at is the path of the source, nameAt and modeAt those of the object's name
	// and of the default mode.
	at, nameAt, modeAt node.Path
}

// fileOf returns the file at a path of the volume; false for a directory, or a
// path that no key can have.
func (c *Cluster) fileOf(w *manifest.Workload, s keySource, mount int, below string) (KeyFile, bool) {
	f := KeyFile{
		Object: Reference{Workload: w, Kind: s.kind, Name: s.name, At: s.nameAt, Optional: s.optional},
		Path:   below, Mode: 0o644, ModeAt: s.modeAt, Mount: mount, Source: s.at,
	}
	if s.mode != nil {
		f.Mode = *s.mode
	}
	if len(s.items) > 0 {
		for i, item := range s.items {
			switch p := path.Clean(item.Path); {
			case p == below:
				f.Object.Key, f.Object.KeyAt = item.Key, s.at.Append("items", i, "key")
				if item.Mode != nil {
					f.Mode, f.ModeAt = *item.Mode, s.at.Append("items", i, "mode")
				}
				return f, true
			case strings.HasPrefix(p, below+"/"):
				return KeyFile{}, false
			}
			f.Files = append(f.Files, path.Clean(item.Path))
		}
		f.Absent = w.Known(s.at.Append("items"))
		return f, true
	}
	if len(validation.IsConfigMapKey(below)) > 0 {
		return KeyFile{}, false
	}
	f.Object.Key = below
	found := c.Resolve(f.Object)
	f.Files = found.Keys
	f.Absent = found.Status == Defined && found.Key == KeyAbsent
	return f, true
}

// projectedFile returns the file of a projected volume: of the source that
// surely has it, else of all of them together.
func (c *Cluster) projectedFile(w *manifest.Workload, v *corev1.ProjectedVolumeSource, at node.Path, mount int, below string) (KeyFile, bool) {
	all := KeyFile{Path: below, Mode: 0o644, ModeAt: at.Append("defaultMode"), Mount: mount, Source: at, Absent: true}
	if v.DefaultMode != nil {
		all.Mode = *v.DefaultMode
	}
	for i, source := range v.Sources {
		s := keySource{mode: v.DefaultMode, modeAt: at.Append("defaultMode")}
		switch {
		case source.ConfigMap != nil:
			s.kind, s.name, s.items, s.optional, s.at = configMap, source.ConfigMap.Name, source.ConfigMap.Items, yes(source.ConfigMap.Optional), at.Append("sources", i, "configMap")
		case source.Secret != nil:
			s.kind, s.name, s.items, s.optional, s.at = secret, source.Secret.Name, source.Secret.Items, yes(source.Secret.Optional), at.Append("sources", i, "secret")
		default: // a token, fields of the pod, a trust bundle: they have paths of their own
			all.Absent = false
			continue
		}
		s.nameAt = s.at.Append("name")
		f, ok := c.fileOf(w, s, mount, below)
		if !ok {
			return KeyFile{}, false
		}
		if !f.Absent && (len(s.items) > 0 || c.Resolve(f.Object).Key == KeyPresent) {
			return f, true
		}
		all.Absent = all.Absent && f.Absent
		all.Files = append(all.Files, f.Files...)
	}
	return all, len(v.Sources) > 0
}

// absolute returns a path as the container sees it; false for one that is
// relative to the image's own working directory.
func absolute(ctr *manifest.Container, file string) (string, bool) {
	if !path.IsAbs(file) {
		if ctr.WorkingDir == "" || file == "" {
			return "", false
		}
		file = path.Join(ctr.WorkingDir, file)
	}
	return path.Clean(file), true
}

// mountOf returns the index of the innermost volume mount that a clean path lies
// in, -1 for none, and the rest of the path.
func mountOf(ctr *manifest.Container, file string) (mount int, below string) {
	mount = -1
	longest := -1
	for i := range ctr.VolumeMounts {
		at := path.Clean(ctr.VolumeMounts[i].MountPath)
		rest, ok := strings.CutPrefix(file, strings.TrimSuffix(at, "/")+"/")
		if file == at {
			rest, ok = "", true
		}
		if ok && len(at) > longest {
			mount, below, longest = i, rest, len(at)
		}
	}
	return mount, below
}
