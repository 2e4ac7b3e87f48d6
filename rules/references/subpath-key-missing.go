package references

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var subpathKeyMissing = &rule.Rule{
	ID:       "subpath-key-missing",
	Title:    "A subPath names a key that the ConfigMap or Secret does not have",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkSubPaths,
}

// checkSubPaths reports mounts with a subPath for which the volume has no file:
// the kubelet then makes a directory of that name in the volume and mounts it
// (pkg/kubelet/kubelet_pods.go, makeMounts: SafeMakeDir).
func checkSubPaths(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		for i, m := range ctr.VolumeMounts {
			v := slices.IndexFunc(w.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
			if v < 0 || m.SubPath == "" {
				continue
			}
			if s, ok := keyedSource(w, v); ok {
				checkSubPath(p, ctr, i, s)
			}
		}
	}
}

// A keyed is a volume whose files are the keys of one object.
type keyed struct {
	cluster.Reference
	items []corev1.KeyToPath
}

func keyedSource(w *manifest.Workload, i int) (keyed, bool) {
	at := w.PodPath.Append("volumes", i)
	switch v := &w.Pod.Volumes[i]; {
	case v.ConfigMap != nil:
		return keyed{cluster.Reference{Workload: w, Kind: "ConfigMap", Name: v.ConfigMap.Name, At: at.Append("configMap", "name")}, v.ConfigMap.Items}, true
	case v.Secret != nil:
		return keyed{cluster.Reference{Workload: w, Kind: "Secret", Name: v.Secret.SecretName, At: at.Append("secret", "secretName")}, v.Secret.Items}, true
	case v.Projected != nil && len(v.Projected.Sources) == 1:
		source, at := v.Projected.Sources[0], at.Append("projected", "sources", 0)
		switch {
		case source.ConfigMap != nil:
			return keyed{cluster.Reference{Workload: w, Kind: "ConfigMap", Name: source.ConfigMap.Name, At: at.Append("configMap", "name")}, source.ConfigMap.Items}, true
		case source.Secret != nil:
			return keyed{cluster.Reference{Workload: w, Kind: "Secret", Name: source.Secret.Name, At: at.Append("secret", "name")}, source.Secret.Items}, true
		}
	}
	return keyed{}, false
}

// checkSubPath holds one mount against the files of its volume: the paths of its
// items, or else the keys of the object.
func checkSubPath(p *rule.Pass, ctr *manifest.Container, i int, s keyed) {
	m := &ctr.VolumeMounts[i]
	at := ctr.At("volumeMounts", i, "subPath")
	// ..data is the link to the files as they are now (pkg/volume/util,
	// AtomicWriter).
	file := strings.TrimPrefix(path.Clean(m.SubPath), "..data/")
	if len(validation.IsConfigMapKey(path.Base(file))) > 0 { // the volume itself, or a placeholder
		return
	}
	f := rule.Finding{
		Object: ctr.Workload.Object, At: at, Needs: []node.Path{s.At},
		Related: []rule.Related{{Object: ctr.Workload.Object, At: s.At, Message: "the volume is made here"}},
	}
	if path.Ext(file) != "" && !strings.HasSuffix(m.MountPath, "/") { // meant as a file
		f.Severity = diag.Error
	}
	var files []string
	what := s.Kind + " " + s.Name
	switch {
	case len(s.items) > 0:
		for _, item := range s.items {
			if item.Path == file || strings.HasPrefix(item.Path, file+"/") {
				return
			}
			files = append(files, item.Path)
		}
		what = "volume " + m.Name
	default:
		r := s.Reference
		r.Key, r.KeyAt = file, at
		res := p.Cluster.Resolve(r)
		if res.Status != cluster.Defined || res.Key != cluster.KeyAbsent && res.Key != cluster.KeyDistant {
			return
		}
		if res.Key == cluster.KeyDistant {
			f.Severity = diag.Warning
			f.Notes = append(f.Notes, fmt.Sprintf("another %s, in a file farther away, has the key", what))
		}
		files = res.Keys
		f.Related = []rule.Related{{Object: res.By[0], At: node.P("metadata", "name"), Message: what + " comes from here"}}
	}
	f.Message = fmt.Sprintf("container %q mounts %s of %s at %s, but it has %s: the kubelet makes an empty directory of that name and mounts it where a file is expected",
		ctr.Name, file, what, m.MountPath, listing(files))
	if meant := nearestKey(file, files); meant != "" {
		f.Fixes = []rule.Fix{{Message: "mount " + meant, Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: at, Value: meant}}}}
	}
	p.Report(f)
}
