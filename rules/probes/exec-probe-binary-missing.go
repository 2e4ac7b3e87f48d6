package probes

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var execProbeBinaryMissing = &rule.Rule{
	ID:       "exec-probe-binary-missing",
	Title:    "An exec probe runs a program that its image does not have",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachProbe(p, w, subject.binaryMissing) },
}

// everyday are programs of a usual Linux system, which an image without any
// other program than its own does not have.
var everyday = []string{
	"sh", "bash", "ash", "dash", "cat", "ls", "echo", "test", "[", "stat", "grep", "pgrep", "pidof", "ps", "kill", "true", "find",
	"awk", "sed", "head", "tail", "touch", "date", "expr", "timeout", "env", "nc", "curl", "wget",
}

// builtins are programs that every shell has in itself.
var builtins = []string{"echo", "test", "[", "kill", "true"}

// missing reports whether the image has no program of the name. A file that
// stands at a path of its own may be anybody's.
func missing(tools *images.Tools, name string, inShell bool) bool {
	if dir, base := path.Split(name); dir != "" {
		if !slices.Contains([]string{"/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"}, dir) {
			return false
		}
		name = base
	}
	if inShell && slices.Contains(builtins, name) {
		return false
	}
	return slices.Contains(tools.Lacks, name) || tools.None && slices.Contains(everyday, name)
}

// binaryMissing reports a program that the probe needs and the image lacks: the
// first word, which the runtime looks for, or what a shell comes to run.
func (s subject) binaryMissing() {
	tools := s.Cluster.Image(s.ctr).Tools
	if s.probe.Exec == nil || tools == nil || s.bringsPrograms() {
		return
	}
	process := s.process()
	if len(process.Words) == 0 || !process.Words[0].Known {
		return
	}
	if first := process.Words[0]; missing(tools, first.Value, false) {
		f := rule.Finding{At: s.at("exec", "command", 0)}
		if s.field == liveness {
			f.Severity = diag.Warning
		}
		s.reportMissing(f, first.Value, s.unfound())
		return
	}
	if !process.Shell {
		return
	}
	for i, command := range process.Commands {
		if command.Conditional || command.Background || len(command.Words) == 0 || !command.Words[0].Known || command.Words[0].Secret {
			continue
		}
		name := command.Words[0].Value
		if missing(tools, name, true) && !slices.ContainsFunc(process.Commands[i+1:], otherwise) {
			s.reportMissing(standing(s.ctr, s.at("exec", "command"), command.Words[0]), name, "the shell exits with 127, and "+s.fails())
			return
		}
	}
}

// otherwise reports whether a command may take the place of one that failed, or
// hide its failure.
func otherwise(c cluster.Command) bool {
	return succeeds(c) || c.Conditional && !slices.Contains([]string{"exit", "echo", "false", "printf", "grep", "kill"}, c.Name())
}

func (s subject) reportMissing(f rule.Finding, name, consequence string) {
	has := "lacks it"
	if s.Cluster.Image(s.ctr).Tools.None {
		has = "has no program but its own"
	}
	s.report(f, "%s runs %s, and the image %s %s: %s", s.asks(), path.Base(name), s.ctr.Image, has, consequence)
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
