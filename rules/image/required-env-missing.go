package image

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

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
		if len(facts.Requires) == 0 || ctr.Partial || mayChange(p.Cluster, w) {
			continue
		}
		args, ok := p.Cluster.EntrypointArgs(ctr)
		if !ok {
			continue
		}
		env := p.Cluster.Environment(ctr)
		var missing []images.Requirement
		for _, r := range facts.Requires {
			if asks(facts, args, r.Programs) && !lifted(env, r) && !said(ctr, env, args, r) {
				missing = append(missing, r)
			}
		}
		if len(missing) > 0 {
			p.Report(requiredFinding(p.Cluster, ctr, facts, args, missing))
		}
	}
}

// asks reports whether the entrypoint with these arguments starts one of the
// programs. A program that does nothing without a subcommand gets no default one.
func asks(facts images.Facts, args []cluster.Word, programs []string) bool {
	if facts.Subcommands != nil && len(programs) > 0 {
		return len(args) > 0 && slices.Contains(programs, args[0].Value)
	}
	return cluster.Starts(args, programs)
}

// lifted reports whether the requirement is not made in this environment, or may
// not be.
func lifted(env cluster.Environment, r images.Requirement) bool {
	return slices.ContainsFunc(r.When, func(condition string) bool { return !env.Shows(condition) }) || slices.ContainsFunc(r.Unless, env.Meets)
}

// said reports whether the container says what is asked for, or may.
func said(ctr *manifest.Container, env cluster.Environment, args []cluster.Word, r images.Requirement) bool {
	return slices.ContainsFunc(r.Any, env.Meets) ||
		slices.ContainsFunc(r.Options, func(option string) bool { return hasOption(args, option) }) ||
		slices.ContainsFunc(r.Config, func(file string) bool { return brings(ctr, file) })
}

// brings reports whether a volume stands at a path of the image, above or below
// it.
func brings(ctr *manifest.Container, file string) bool {
	return cluster.MountOver(ctr, file) >= 0 ||
		slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(path.Clean(m.MountPath), file+"/") })
}

// hasOption reports whether the arguments hold an option, with the value that is
// asked for.
func hasOption(args []cluster.Word, option string) bool {
	cond, err := images.ParseCondition(option)
	if err != nil {
		return false // Entry.Check refuses it
	}
	if value, ok := cluster.OptionValue(args, cond.Name); ok {
		return cond.Holds(value)
	}
	return len(cond.Values) == 0 && slices.ContainsFunc(args, func(w cluster.Word) bool { return w.Value == cond.Name })
}

func requiredFinding(c *cluster.Cluster, ctr *manifest.Container, facts images.Facts, args []cluster.Word, missing []images.Requirement) rule.Finding {
	w := ctr.Workload
	var sets []string
	for _, r := range missing {
		sets = append(sets, alternatives(slices.Concat(r.Any, r.Options), " or "))
	}
	f := rule.Finding{
		Object: w.Object, At: ctr.Path, Target: node.Grip,
		Message: fmt.Sprintf("container %q sets no %s, without which the entrypoint of %s exits, again and again",
			ctr.Name, strings.Join(sets, ", and no "), facts.Name),
		Needs:   []node.Path{ctr.At("image"), ctr.At("env"), ctr.At("envFrom")},
		Related: []rule.Related{{Object: w.Object, At: ctr.At("image"), Message: "its entrypoint asks for it"}},
		Fixes:   []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("set %s under env; a secret from a Secret: valueFrom, secretKeyRef", condition(missing[0].Any[0]))}},
	}
	env := c.Environment(ctr)
	first := true
	for _, r := range missing {
		first = first && r.First
		if note := "the entrypoint: " + r.Source; r.Source != "" && !slices.Contains(f.Notes, note) {
			f.Notes = append(f.Notes, note)
		}
		if len(r.Unless) > 0 {
			f.Notes = append(f.Notes, "it does not ask with "+alternatives(r.Unless, " or "))
		}
		for _, text := range r.Any {
			cond, _ := images.ParseCondition(text)
			if v, ok := env.Lookup(cond.Name); ok && v.Known && v.From.Object != nil {
				f.Related = append(f.Related, rule.Related{Object: v.From.Object, At: v.From.Path, Message: cond.Name + " is not what it asks for"})
			}
		}
	}
	if i := dataMount(c, ctr, facts, args); first && i >= 0 {
		f.Severity = diag.Warning
		f.Related = append(f.Related, rule.Related{Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath"), Message: "on a volume with data it does not ask"})
	}
	return f
}

// dataMount returns the index of the volume mount below which the program keeps
// its data, where the volume may hold some of an earlier start; -1 when there is
// none.
func dataMount(c *cluster.Cluster, ctr *manifest.Container, facts images.Facts, args []cluster.Word) int {
	dir, ok := cluster.DataDirectory(c.Environment(ctr), args, facts.Data)
	if !ok {
		// Nobody knows where: any volume may hold it.
		return slices.IndexFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool { return c.Volume(ctr.Workload, m.Name).MayHoldData() })
	}
	if i := cluster.MountOver(ctr, dir); i >= 0 && c.Volume(ctr.Workload, ctr.VolumeMounts[i].Name).MayHoldData() {
		return i
	}
	return -1
}

// condition writes what a condition wants.
func condition(text string) string {
	c, _ := images.ParseCondition(text) // Entry.Check refuses a bad one
	return c.String()
}

// alternatives writes several conditions.
func alternatives(conditions []string, between string) string {
	words := make([]string, len(conditions))
	for i, text := range conditions {
		words[i] = condition(text)
	}
	return strings.Join(words, between)
}
