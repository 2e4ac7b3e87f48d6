package volumes

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

var startNotRepeatable = &rule.Rule{
	ID:       "start-not-repeatable",
	Title:    "The start makes what an earlier start has left in a volume, and fails",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkRepeatable,
}

// checkRepeatable reports starts that work once: a volume keeps what they made,
// an emptyDir as long as the pod lives, others for longer
// (https://kubernetes.io/docs/concepts/storage/volumes/#emptydir).
func checkRepeatable(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		if ctr.Partial || w.Kind == "Job" {
			continue
		}
		if f, ok := scriptOnce(p.Cluster, ctr); ok {
			p.Report(f)
		} else if f, ok := imageOnce(p, ctr); ok {
			p.Report(f)
		}
	}
}

// keptFrom returns the mount in which a file outlives the container's start, and
// until when.
func keptFrom(c *cluster.Cluster, ctr *manifest.Container, file string) (i int, until string, ok bool) {
	i = cluster.MountOver(ctr, file)
	if i < 0 || ctr.VolumeMounts[i].SubPathExpr != "" {
		return i, "", false
	}
	switch v := c.Volume(ctr.Workload, ctr.VolumeMounts[i].Name); {
	case v.Claim != nil && (v.Source == nil || v.Source.Ephemeral == nil), v.Source != nil && (v.Source.PersistentVolumeClaim != nil || v.Source.HostPath != nil || v.Source.NFS != nil):
		return i, "for the next pod as well", true
	case v.Source != nil && (v.Source.EmptyDir != nil || v.Source.Ephemeral != nil) && ctr.Role != manifest.Init:
		return i, "as long as the pod lives", ctr.Workload.RestartPolicy() != "Never"
	}
	return i, "", false
}

// scriptOnce returns the first command of the container's script that fails where
// what it makes is there already, and takes the start with it.
func scriptOnce(c *cluster.Cluster, ctr *manifest.Container) (rule.Finding, bool) {
	process := c.Process(ctr)
	if process.ScriptError != "" {
		return rule.Finding{}, false
	}
	for k, command := range process.Commands {
		if command.Conditional || command.Background || !command.Fatal {
			continue
		}
		target, ok := makes(command)
		file := target.Value
		if !ok || !target.Known || target.Secret || !path.IsAbs(file) || strings.ContainsAny(file, "*?$`") || removed(process.Commands[:k], path.Clean(file)) {
			continue
		}
		file = path.Clean(file)
		i, until, ok := keptFrom(c, ctr, file)
		if !ok || !inside(file, path.Clean(ctr.VolumeMounts[i].MountPath)) {
			continue
		}
		f := onceFinding(c, ctr, i, file, until)
		f.Message = fmt.Sprintf("container %q: %s makes %s and fails when it is there, and the volume keeps it %s: the first start works, and every one after it exits",
			ctr.Name, command.Name(), file, until)
		if target.From.Object == ctr.Workload.Object {
			f.At, f.Within = target.From.Path, target.From.Within
			f.Related = append(f.Related, rule.Related{Object: ctr.Workload.Object, At: ctr.At("volumeMounts", i), Message: "kept in this volume"})
		}
		f.Fixes = []rule.Fix{{Safety: diag.Display, Message: repeatable[command.Name()]}}
		return f, true
	}
	return rule.Finding{}, false
}

// repeatable says how a program is used so that it can run again.
var repeatable = map[string]string{
	"mkdir":  "mkdir -p",
	"ln":     "ln -sfn",
	"mkfifo": "remove it first: rm -f",
	"git":    "clone only where there is nothing yet: [ -d DIR/.git ] || git clone ...; or into an emptyDir of an init container",
}

// makes returns what a command makes and does not accept when it is there: a
// directory without -p, a link without -f, a clone of git's (git-clone(1): only
// an empty directory).
func makes(command cluster.Command) (cluster.Word, bool) {
	var operands []cluster.Word
	var options []string
	for _, w := range command.Words[min(1, len(command.Words)):] {
		if strings.HasPrefix(w.Value, "-") && w.Known {
			options = append(options, w.Value)
			continue
		}
		operands = append(operands, w)
	}
	has := func(letter, long string) bool {
		return slices.ContainsFunc(options, func(o string) bool {
			return o == long || !strings.HasPrefix(o, "--") && strings.Contains(o, letter)
		})
	}
	switch command.Name() {
	case "mkdir":
		if len(operands) > 0 && !has("p", "--parents") && !has("m", "--mode") {
			return operands[0], true
		}
	case "mkfifo":
		if len(operands) > 0 && len(options) == 0 {
			return operands[0], true
		}
	case "ln":
		if len(operands) == 2 && !has("f", "--force") && has("s", "--symbolic") && path.Ext(operands[1].Value) != "" {
			return operands[1], true // a file: where a directory is, ln makes the link inside
		}
	case "git":
		if len(operands) > 2 && operands[0].Value == "clone" {
			return operands[len(operands)-1], true
		}
	}
	return cluster.Word{}, false
}

// removed reports whether one of the commands may remove the file.
func removed(before []cluster.Command, file string) bool {
	return slices.ContainsFunc(before, func(c cluster.Command) bool {
		if name := c.Name(); name != "rm" && name != "find" && name != "mv" && name != "rmdir" && name != "unlink" && name != "" {
			return false
		}
		return slices.ContainsFunc(c.Words, func(w cluster.Word) bool {
			p := path.Clean(strings.TrimRight(w.Value, "*"))
			return !w.Known || p == file || inside(file, p) || strings.Contains(w.Value, "*")
		})
	})
}

// imageOnce returns what the image's own start script is known to make.
func imageOnce(p *rule.Pass, ctr *manifest.Container) (rule.Finding, bool) {
	once := p.Cluster.Image(ctr).Once
	if once == nil || ctr.Workload.Custom || p.Cluster.Patched(ctr.Workload) || !p.Cluster.RunsEntrypoint(ctr, nil) {
		return rule.Finding{}, false
	}
	if v, ok := p.Cluster.Environment(ctr).Lookup(once.If); once.If != "" && (!ok || v.Known && v.Value == "") {
		return rule.Finding{}, false
	}
	for _, file := range once.Paths {
		i, until, ok := keptFrom(p.Cluster, ctr, file)
		if !ok {
			continue
		}
		f := onceFinding(p.Cluster, ctr, i, file, until)
		f.Message = fmt.Sprintf("container %q: the start script of %s makes %s and fails when it is there, and the volume keeps it %s: the first start works, and every one after it exits",
			ctr.Name, ctr.Image, file, until)
		f.Needs = []node.Path{ctr.At("image"), ctr.At("command"), ctr.At("env"), ctr.At("envFrom")}
		if once.Source != "" {
			f.Notes = []string{"the start script: " + once.Source}
		}
		f.Fixes = []rule.Fix{{Safety: diag.Display, Message: "take a later release, or remove it first: command sh -c 'rm -rf " + file + " && exec ...'"}}
		return f, true
	}
	return rule.Finding{}, false
}

func onceFinding(c *cluster.Cluster, ctr *manifest.Container, i int, file, until string) rule.Finding {
	w := ctr.Workload
	v := c.Volume(w, ctr.VolumeMounts[i].Name)
	f := rule.Finding{Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath")}
	if v.Source != nil {
		for k := range w.Pod.Volumes {
			if w.Pod.Volumes[k].Name == ctr.VolumeMounts[i].Name {
				f.Related = []rule.Related{{Object: w.Object, At: w.PodPath.Append("volumes", k), Message: kind(v) + " keeps " + file + " " + until}}
			}
		}
	}
	return f
}
