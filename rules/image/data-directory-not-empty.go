package image

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var dataDirectoryNotEmpty = &rule.Rule{
	ID:       "data-directory-not-empty",
	Title:    "The data directory is the root of a volume, which holds a lost+found",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkDataDirectory,
}

func checkDataDirectory(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		facts := p.Cluster.Image(ctr)
		if facts.Data == nil || !facts.Data.RefusesLostFound || ctr.Partial || mayChange(p.Cluster, w) {
			continue
		}
		args, ok := p.Cluster.EntrypointArgs(ctr)
		if !ok || slices.ContainsFunc(args, func(w cluster.Word) bool { return facts.Data.Tolerates != "" && w.Value == facts.Data.Tolerates }) {
			continue
		}
		dir, ok := cluster.DataDirectory(p.Cluster.Environment(ctr), args, facts.Data)
		i := cluster.MountOver(ctr, dir)
		if !ok || i < 0 {
			continue
		}
		m := ctr.VolumeMounts[i]
		v := p.Cluster.Volume(w, m.Name)
		if path.Clean(m.MountPath) != dir || m.SubPath != "" || m.SubPathExpr != "" || cleaned(p.Cluster, w, m.Name) || !v.FreshDisk() {
			continue
		}
		at := ctr.At("volumeMounts", i)
		f := rule.Finding{
			Object: w.Object, At: at.Append("mountPath"),
			Message: fmt.Sprintf("container %q: the data directory %s is the root of a volume, and on a disk with ext4 that holds a lost+found: %s %s and exits with 1, again and again",
				ctr.Name, dir, path.Base(facts.Name), cmp.Or(facts.Data.Because, "does not initialise a directory that is not empty")),
			Needs:   []node.Path{ctr.At("image"), ctr.At("env"), ctr.At("envFrom")},
			Related: []rule.Related{{Object: v.Object, At: v.Path, Message: "a disk of its own, where the storage class is not one of a shared file system"}},
			Fixes: []rule.Fix{{
				Safety: diag.Unsafe, Message: "mount a folder of the volume: it begins empty; data that is there already must be moved into it",
				Ops: []node.Op{{Kind: node.Set, Path: at.Append("subPath"), Value: "data"}},
			}},
		}
		if facts.Data.Variable != "" {
			f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: fmt.Sprintf("or set %s to a folder below it: %s/%s", facts.Data.Variable, dir, path.Base(dir))})
		}
		if facts.Data.Tolerates != "" {
			f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: "or add the argument " + facts.Data.Tolerates})
		}
		if facts.Data.Source != "" {
			f.Notes = append(f.Notes, "what it checks: "+facts.Data.Source)
		}
		p.Report(f)
	}
}

// cleaned reports whether an init container that mounts the volume may remove
// what stands in it.
func cleaned(c *cluster.Cluster, w *manifest.Workload, volume string) bool {
	for _, ctr := range w.Containers {
		if ctr.Role != manifest.Init || !slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume }) {
			continue
		}
		p := c.Process(ctr)
		if p.Partial || slices.ContainsFunc(p.Commands, func(c cluster.Command) bool { return !slices.Contains(harmless, c.Name()) }) {
			return true
		}
	}
	return false
}

// harmless are programs of init containers that remove nothing.
var harmless = []string{"chown", "chmod", "chgrp", "mkdir", "ls", "echo", "id", "test", "[", "true"}
