package image

import (
	"cmp"
	"fmt"
	"path"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var mountPathRefused = &rule.Rule{
	ID:       "mount-path-refused",
	Title:    "The image does not start with a volume mounted where this one is",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkMountPaths,
}

func checkMountPaths(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		facts := p.Cluster.Image(ctr)
		if len(facts.MountsRefused) == 0 || ctr.Partial || mayChange(p.Cluster, w) {
			continue
		}
		args, ok := p.Cluster.EntrypointArgs(ctr)
		if _, command := facts.Entrypoint(); !ok || !cluster.Starts(args, command) {
			continue
		}
		env := p.Cluster.Environment(ctr)
		for _, r := range facts.MountsRefused {
			if r.Unless != "" && env.Meets(r.Unless) {
				continue
			}
			for i, m := range ctr.VolumeMounts {
				if path.Clean(m.MountPath) != r.Path {
					continue
				}
				f := rule.Finding{
					Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath"),
					Message: fmt.Sprintf("container %q: the entrypoint of %s exits with 1 when a volume is mounted at %s, again and again", ctr.Name, ctr.Image, r.Path),
					Notes:   []string{"the entrypoint: " + cmp.Or(r.Source, "images in the configuration")},
					Needs:   []node.Path{ctr.At("image"), ctr.At("env"), ctr.At("envFrom")},
				}
				if r.Instead != "" {
					f.Fixes = []rule.Fix{{
						Safety: diag.Unsafe, Message: "mount it at " + r.Instead + "; data of an earlier release must be upgraded first",
						Ops: []node.Op{{Kind: node.Set, Path: ctr.At("volumeMounts", i, "mountPath"), Value: r.Instead}},
					}}
				}
				p.Report(f)
			}
		}
	}
}
