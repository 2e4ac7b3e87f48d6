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

var environmentRefused = &rule.Rule{
	ID:       "environment-refused",
	Title:    "The image does not start with a variable as it is set",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkRefusals,
}

func checkRefusals(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		facts := p.Cluster.Image(ctr)
		if len(facts.Refuses) == 0 || ctr.Partial || mayChange(p.Cluster, w) {
			continue
		}
		args, ok := p.Cluster.EntrypointArgs(ctr)
		if !ok {
			continue
		}
		env := p.Cluster.Environment(ctr)
		for _, r := range facts.Refuses {
			if asks(facts, args, r.Programs) && !slices.ContainsFunc(r.All, func(condition string) bool { return !env.Shows(condition) }) {
				p.Report(refusal(p.Cluster, ctr, facts, args, r))
			}
		}
	}
}

func refusal(c *cluster.Cluster, ctr *manifest.Container, facts images.Facts, args []cluster.Word, r images.Refusal) rule.Finding {
	w := ctr.Workload
	env := c.Environment(ctr)
	f := rule.Finding{
		Object: w.Object,
		Needs:  []node.Path{ctr.At("image"), ctr.At("env"), ctr.At("envFrom")},
	}
	var names []string
	for _, text := range r.All {
		cond, _ := images.ParseCondition(text) // Entry.Check refuses a bad one
		v, _ := env.Lookup(cond.Name)
		name := cond.Name
		if len(cond.Values) > 0 && !v.Secret {
			name += "=" + v.Value
		}
		names = append(names, name)
		if v.From.Object != nil {
			f.Related = append(f.Related, rule.Related{Object: v.From.Object, At: v.From.Path, Message: cond.Name + " is set here"})
		}
	}
	// The finding stands where the container says it, and elsewhere where
	// nothing in the container does.
	here := slices.IndexFunc(f.Related, func(r rule.Related) bool { return r.Object == w.Object })
	f.At, f.Target = ctr.Path, node.Grip
	if here >= 0 {
		f.At, f.Target = f.Related[here].At, node.Value
		f.Related = slices.Delete(f.Related, here, here+1)
	}
	f.Message = fmt.Sprintf("container %q sets %s, which %s: %s exits, again and again", ctr.Name, strings.Join(names, " and "), r.Because, facts.Name)
	if r.Source != "" {
		f.Notes = append(f.Notes, "what checks it: "+r.Source)
	}
	if i := dataMount(c, ctr, facts, args); r.First && i >= 0 {
		f.Severity = diag.Warning
		f.Related = append(f.Related, rule.Related{Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath"), Message: "on a volume with data it does not matter"})
	}
	return f
}
