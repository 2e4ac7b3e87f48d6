package image

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var requiredEnvMissing = &rule.Rule{
	ID:       "required-env-missing",
	Title:    "The image does not start without a variable that nobody sets",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkRequired,
}

func checkRequired(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		facts := p.Cluster.Image(ctr)
		if len(facts.Requires) == 0 || ctr.Partial || p.Cluster.Patched(w) {
			continue
		}
		args, ok := p.Cluster.EntrypointArgs(ctr)
		if !ok {
			continue
		}
		env := p.Cluster.Environment(ctr)
		for _, r := range facts.Requires {
			if cluster.Starts(args, r.Programs) && !slices.ContainsFunc(r.Any, env.Meets) {
				p.Report(requiredFinding(p.Cluster, ctr, facts, args, r))
				break
			}
		}
	}
}

func requiredFinding(c *cluster.Cluster, ctr *manifest.Container, facts images.Facts, args []cluster.Word, r images.Requirement) rule.Finding {
	w := ctr.Workload
	f := rule.Finding{
		Object: w.Object, At: ctr.Path, Target: node.Grip,
		Message: fmt.Sprintf("container %q sets no %s, without which the entrypoint of %s exits with 1, again and again",
			ctr.Name, strings.Join(r.Any, " or "), facts.Name),
		Needs:   []node.Path{ctr.At("image"), ctr.At("env"), ctr.At("envFrom")},
		Related: []rule.Related{{Object: w.Object, At: ctr.At("image"), Message: "its entrypoint asks for it"}},
		Fixes:   []rule.Fix{{Safety: diag.Display, Message: "take " + first(r.Any[0]) + " from a Secret: env, valueFrom, secretKeyRef"}},
	}
	if r.Source != "" {
		f.Notes = append(f.Notes, "the entrypoint: "+r.Source)
	}
	env := c.Environment(ctr)
	for _, condition := range r.Any {
		if v, ok := env.Lookup(first(condition)); ok && v.Known && v.From.Object != nil {
			f.Related = append(f.Related, rule.Related{Object: v.From.Object, At: v.From.Path, Message: first(condition) + " is not what it asks for"})
		}
	}
	if dir, ok := cluster.DataDirectory(env, args, facts.Data); r.First && ok {
		if i := cluster.MountOver(ctr, dir); i >= 0 && c.Volume(w, ctr.VolumeMounts[i].Name).MayHoldData() {
			f.Severity = diag.Warning
			f.Related = append(f.Related, rule.Related{Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath"), Message: "on a volume with data it does not ask"})
		}
	}
	return f
}

// first returns the name in a condition NAME=value.
func first(condition string) string {
	name, _, _ := strings.Cut(condition, "=")
	return name
}
