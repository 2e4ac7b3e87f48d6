package references

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

var missingSubpath = &rule.Rule{
	ID:       "missing-subpath",
	Title:    "A volume is mounted at the path of a file that it holds",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkDirectories,
}

// checkDirectories reports mounts without a subPath at a path whose last element
// is a file of the volume: a volume is a directory, so that the file comes to
// stand one level lower.
func checkDirectories(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		for i, m := range ctr.VolumeMounts {
			v := slices.IndexFunc(w.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
			file := path.Base(m.MountPath)
			if v < 0 || m.SubPath != "" || m.SubPathExpr != "" || path.Ext(file) == "" || strings.HasSuffix(m.MountPath, "/") {
				continue
			}
			s, ok := keyedSource(w, v)
			if !ok || !holds(p, s, file) || mentions(ctr, path.Join(m.MountPath, file)) {
				continue
			}
			at := ctr.At("volumeMounts", i, "mountPath")
			p.Report(rule.Finding{
				Object: w.Object, At: at,
				Message: fmt.Sprintf("container %q mounts all of volume %s at %s, which makes it a directory with %s in it: what reads it as a file fails, and where the image has the file the container does not start",
					ctr.Name, m.Name, m.MountPath, file),
				Needs:   []node.Path{s.At, ctr.At("volumeMounts", i, "subPath")},
				Related: []rule.Related{{Object: w.Object, At: s.At, Message: "the volume is made here"}},
				Fixes: []rule.Fix{
					{Message: "mount the file alone", Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: ctr.At("volumeMounts", i, "subPath"), Value: file}}},
					{Message: "mount the volume one level higher", Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: at, Value: path.Dir(m.MountPath)}}},
				},
			})
		}
	}
}

// holds reports whether the volume has a file of the name.
func holds(p *rule.Pass, s keyed, file string) bool {
	if len(s.items) > 0 {
		return slices.ContainsFunc(s.items, func(item corev1.KeyToPath) bool { return item.Path == file })
	}
	r := s.Reference
	r.Key = file
	res := p.Cluster.Resolve(r)
	return res.Status == cluster.Defined && res.Key == cluster.KeyPresent
}

// mentions reports whether the container's command or environment has the path,
// which then is meant.
func mentions(ctr *manifest.Container, file string) bool {
	has := func(s string) bool { return strings.Contains(s, file) }
	return slices.ContainsFunc(ctr.Command, has) || slices.ContainsFunc(ctr.Args, has) ||
		slices.ContainsFunc(ctr.Env, func(e corev1.EnvVar) bool { return has(e.Value) })
}
