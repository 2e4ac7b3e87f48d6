package permissions

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var readOnlyMountEdited = &rule.Rule{
	ID:       "read-only-mount-edited",
	Title:    "The container's start changes files in a volume that is read-only",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkEdits,
}

func checkEdits(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		if ctr.Partial {
			continue
		}
		f, ok := imageEdits(p, ctr)
		if !ok {
			f, ok = scriptEdits(p.Cluster, ctr)
		}
		if ok {
			p.Report(f)
		}
	}
}

// imageEdits reports a read-only volume over files that the image's own start
// script changes in place.
func imageEdits(p *rule.Pass, ctr *manifest.Container) (rule.Finding, bool) {
	edits := p.Cluster.Image(ctr).Edits
	if edits == nil || !complete(p, ctr) || !p.Cluster.RunsEntrypoint(ctr, nil) {
		return rule.Finding{}, false
	}
	env := p.Cluster.Environment(ctr)
	if len(edits.Unless) > 0 && !slices.ContainsFunc(edits.Unless, func(name string) bool { return !env.Meets(name) }) {
		return rule.Finding{}, false
	}
	for i, m := range ctr.VolumeMounts {
		at := path.Clean(m.MountPath)
		if !readOnlyMount(p.Cluster, ctr, i) || !slices.ContainsFunc(edits.Paths, func(file string) bool { return at == file || inside(at, file) || inside(file, at) }) {
			continue
		}
		f := editFinding(p.Cluster, ctr, i)
		f.Message = fmt.Sprintf("container %q: the start script of %s changes its files in %s, where %s is mounted read-only: \"Read-only file system\", at every start",
			ctr.Name, ctr.Image, m.MountPath, f.Related[0].Message)
		f.Related[0].Message = "mounted read-only"
		f.Notes = []string{sourceNote("the start script", edits.Source)}
		f.Needs = append([]node.Path{ctr.At("image"), ctr.At("command")}, envPaths(ctr)...)
		for _, name := range edits.Unless {
			f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: "or keep it from doing so: set " + name})
		}
		return f, true
	}
	return rule.Finding{}, false
}

// scriptEdits reports a command of the container's own script that writes to a
// read-only volume and takes the process with it.
func scriptEdits(c *cluster.Cluster, ctr *manifest.Container) (rule.Finding, bool) {
	process := c.Process(ctr)
	if process.ScriptError != "" {
		return rule.Finding{}, false
	}
	commands := process.Commands
	if process.Partial { // behind an entrypoint that hands on what it does not know
		commands = []cluster.Command{{Words: process.Words}}
	}
	for _, command := range commands {
		if command.Conditional || command.Background {
			continue
		}
		sentinel, ok := sentinelConfig(command)
		targets := []cluster.Word{sentinel}
		if !ok {
			if targets = written(command); !command.Fatal {
				continue
			}
		}
		for _, t := range targets {
			if !t.Known || t.Secret || !path.IsAbs(t.Value) {
				continue
			}
			file := path.Clean(t.Value)
			i := cluster.MountOver(ctr, file)
			if i < 0 || !readOnlyMount(c, ctr, i) {
				continue
			}
			f := editFinding(c, ctr, i)
			kind := f.Related[0].Message
			f.Related[0].Message = "mounted read-only"
			if t.From.Object == ctr.Workload.Object {
				f.At, f.Within = t.From.Path, t.From.Within
				f.Related = append(f.Related, rule.Related{Object: ctr.Workload.Object, At: ctr.At("volumeMounts", i), Message: "the mount"})
			}
			f.Message = fmt.Sprintf("container %q: %s writes to %s, in %s that is mounted read-only: it fails at every start", ctr.Name, command.Name(), file, kind)
			if ok {
				f.Message = fmt.Sprintf("container %q: the sentinel keeps its state in %s, in %s that is mounted read-only: \"Sentinel config file is not writable\", and it exits at every start", ctr.Name, file, kind)
			}
			return f, true
		}
	}
	return rule.Finding{}, false
}

// editFinding returns a finding at the i-th mount, whose first Related is where
// the volume is made and what it is called.
func editFinding(c *cluster.Cluster, ctr *manifest.Container, i int) rule.Finding {
	w, m := ctr.Workload, ctr.VolumeMounts[i]
	v := c.Volume(w, m.Name)
	made := rule.Related{Object: w.Object, At: ctr.At("volumeMounts", i, "name"), Message: volumeKind(v.Source)}
	if at := indexOfVolume(w, m.Name); at >= 0 {
		made.At = w.PodPath.Append("volumes", at)
	}
	return rule.Finding{
		Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath"), Related: []rule.Related{made},
		Fixes: []rule.Fix{{Safety: diag.Display, Message: "copy the files to an emptyDir in an init container, and mount that one here"}},
	}
}

// inside reports whether the file lies below the directory.
func inside(file, dir string) bool { return strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/") }

// sentinelConfig returns the configuration file of a Redis or Valkey sentinel,
// which it rewrites and must be able to (src/sentinel.c, sentinelCheckConfigFile).
func sentinelConfig(command cluster.Command) (cluster.Word, bool) {
	name := command.Name()
	sentinel := name == "redis-sentinel" || name == "valkey-sentinel"
	server := name == "redis-server" || name == "valkey-server"
	if !sentinel && (!server || !slices.ContainsFunc(command.Words, func(w cluster.Word) bool { return w.Value == "--sentinel" })) {
		return cluster.Word{}, false
	}
	if len(command.Words) < 2 || strings.HasPrefix(command.Words[1].Value, "-") {
		return cluster.Word{}, false
	}
	return command.Words[1], true
}

// written returns the files that a command changes, as far as they stand on its
// command line: for those that copy the target, for those that change files all
// of them.
func written(command cluster.Command) []cluster.Word {
	var operands []cluster.Word
	inPlace := false
	for _, w := range command.Words[min(1, len(command.Words)):] {
		switch {
		case strings.HasPrefix(w.Value, "-") && w.Known:
			inPlace = inPlace || strings.HasPrefix(w.Value, "-i") || strings.HasPrefix(w.Value, "--in-place") || w.Value == "-Ei" || w.Value == "-ri"
		default:
			operands = append(operands, w)
		}
	}
	switch command.Name() {
	case "sed":
		if inPlace && len(operands) > 1 {
			return operands[1:]
		}
	case "chown", "chmod", "chgrp":
		if len(operands) > 1 {
			return operands[1:]
		}
	case "touch", "tee", "truncate":
		return operands
	case "cp", "mv", "ln", "install":
		if len(operands) > 1 {
			return operands[len(operands)-1:]
		}
	}
	return nil
}
