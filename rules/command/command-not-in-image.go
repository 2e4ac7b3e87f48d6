package command

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var commandNotInImage = &rule.Rule{
	ID:       "command-not-in-image",
	Title:    "The command is a program that its image does not have",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.notInImage),
}

// installers are programs with which a script may bring what the image lacks.
var installers = []string{"apk", "apt-get", "apt", "yum", "dnf", "microdnf", "tdnf", "zypper", "opkg", "pip", "pip3", "npm", "go", "install", "cp", "mv", "ln", "tar", "curl", "wget", "unzip", "export"}

// notInImage reports a program that the image lacks: the first word, which the
// runtime looks for, or what a script surely comes to.
func (s subject) notInImage() {
	tools := s.Cluster.Image(s.ctr).Tools
	if tools == nil || s.bringsPrograms() || len(s.process.Words) == 0 || s.process.Partial {
		return
	}
	why := "does not have"
	if tools.None {
		why = "does not have: it holds its own program and no other"
	}
	if first := s.process.Words[0]; written(first) && tools.Missing(first.Value, false) {
		f := s.finding(first)
		if name := path.Base(first.Value); name == "bash" && !tools.Missing("sh", false) {
			f.Fixes = []rule.Fix{{Message: "sh, which the image has, if the script is written for it", Safety: diag.Unsafe,
				Ops: []node.Op{{Kind: node.Set, Path: first.From.Path, Value: strings.TrimSuffix(first.Value, "bash") + "sh"}}}}
			if first.Value != "bash" && first.Value != "/bin/bash" || !s.literal(first) {
				f.Fixes = nil
			}
		}
		s.report(f, "runs %s, which the image %s %s: the runtime finds no such file, and the container does not start (127 or 128)", first.Value, s.ctr.Image, why)
		return
	}
	if !s.process.Shell || s.process.ScriptError != "" {
		return
	}
	for _, c := range s.process.Commands {
		if len(c.Words) == 0 || slices.Contains(installers, c.Name()) && !tools.Missing(c.Words[0].Value, true) {
			return
		}
		if !c.Certain() || !c.Fatal || c.Piped || !written(c.Words[0]) || !tools.Missing(c.Words[0].Value, true) {
			continue
		}
		f := s.finding(c.Words[0])
		s.report(f, "runs %s in its script, which the image %s %s: the shell ends with 127 (not found)", c.Name(), s.ctr.Image, why)
		return
	}
}

func (s subject) finding(w cluster.Word) rule.Finding {
	f := s.standing(w)
	image := s.ctr.At("image")
	f.Needs = append(f.Needs, image)
	f.Related = append(f.Related, rule.Related{Object: s.ctr.Workload.Object, At: image, Message: "the image"})
	return f
}

// bringsPrograms reports whether the container may get programs from elsewhere:
// its own PATH, or a volume over a folder of programs.
func (s subject) bringsPrograms() bool {
	if _, ok := s.Cluster.Environment(s.ctr).Lookup("PATH"); ok {
		return true
	}
	return slices.ContainsFunc(s.ctr.VolumeMounts, func(m corev1.VolumeMount) bool {
		return slices.ContainsFunc([]string{"/bin", "/usr", "/sbin"}, func(dir string) bool {
			return m.MountPath == "/" || m.MountPath == dir || strings.HasPrefix(m.MountPath, dir+"/")
		})
	})
}
