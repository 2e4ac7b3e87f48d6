package cluster

import (
	"path"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A Word is one word of a command line, after the kubelet's expansion of
// $(VAR) and, in a script, the shell's of $VAR.
type Word struct {
	Value string
	// Known is false when the word depends on something that the files do not
	// show; Value then holds the text as written, and the word may stand for
	// none or several.
	Known bool
	// Secret is true when a Secret's value went into the word: it must never be
	// printed.
	Secret bool
	From   Origin
}

// A Command is one simple command that a process runs: its own argument vector,
// or a command of the shell script it interprets. Wrappers that only run
// another program (tini, env, timeout, exec and the like) are taken off.
type Command struct {
	// Assignments are the variables set for this command, or exported before
	// it, by the script.
	Assignments []Variable
	Words       []Word
	// Background is true for a command that the script does not wait for.
	Background bool
	// Exec is true when the command replaces the shell.
	Exec bool
	// Conditional is true when the script may not come to run the command: it
	// stands in a branch or a loop, behind && and ||, or behind a branch that may
	// have ended the script.
	Conditional bool
	// Repeated is true for a command in a loop or in the condition of one.
	Repeated bool
	// Awaited is true when the script surely comes to a loop that does not end
	// before the command has succeeded, or has written something.
	Awaited bool
	// Forever is true for a command in a loop that nothing ends.
	Forever bool
	// Piped is true for a command whose output goes to another one, or into a
	// word.
	Piped bool
	// Fatal is true when the process fails where the command does, as far as the
	// text says: it is the last one, or stands under set -e.
	Fatal bool
}

// Name returns the base name of the program, empty when it is not known.
func (c Command) Name() string {
	if len(c.Words) == 0 || !c.Words[0].Known {
		return ""
	}
	return path.Base(c.Words[0].Value)
}

// A Process is what runs in a container, or in an exec probe or hook.
type Process struct {
	// Words is the argument vector, empty when it is the image's and the image
	// is not known.
	Words []Word
	// Partial is true when the entrypoint of an image that is not known comes
	// before Words, which then holds the args alone and may be empty.
	Partial bool
	// Shell is true when the process is a shell that runs a script which the
	// files show: on its command line, or mounted from a ConfigMap.
	Shell bool
	// ScriptError is what is wrong with the script when it cannot be parsed;
	// Commands then holds what stands before the error. Shells differ: some run
	// what this parser refuses, "$((a) | b)" for one.
	ScriptError string
	// Unfollowed is true when the script does more than Commands says: it calls
	// itself, evaluates a text that the files do not show, or unfolds to too much.
	Unfollowed bool
	// Scripts are the shell scripts that ConfigMaps of the set hold and that are
	// run, in the order in which the process comes to them.
	Scripts []Script
	// Commands are the simple commands run, in the order of the text: one for a
	// process that is no shell, those of the script for a shell. It is empty
	// when Partial.
	Commands []Command
}

// A Script is a shell script in a ConfigMap that a process runs.
type Script struct {
	// Word is the word that names the file.
	Word Word
	Text string
	From Origin
	// Shell is the shell that is given the file to read, empty for a file that is
	// run by its own name: then the kernel wants it executable, and starts what
	// its first line names.
	Shell string
	// Conditional and Fatal are those of the command that runs it.
	Conditional, Fatal bool
}

// Process returns the main process of the container: the image's entrypoint
// where command does not replace it, and args or, without command and args, the
// image's own arguments.
// https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/#running-a-command-in-a-shell
func (c *Cluster) Process(ctr *manifest.Container) Process {
	return Memo(c, processOf{ctr}, func() Process { return c.process(ctr) })
}

type processOf struct{ *manifest.Container }

func (c *Cluster) process(ctr *manifest.Container) Process {
	env := c.Environment(ctr)
	words := func(items []string, field string) []Word {
		out := make([]Word, len(items))
		for i, item := range items {
			// The kubelet expands both (kuberuntime_container.go,
			// generateContainerConfig: ExpandContainerCommandAndArgs).
			out[i] = expandWord(item, env, Origin{Object: ctr.Workload.Object, Path: ctr.At(field, i)})
		}
		return out
	}
	var p Process
	switch args := words(ctr.Args, "args"); {
	case len(ctr.Command) > 0:
		p.Words = append(words(ctr.Command, "command"), args...)
	default:
		entrypoint, command := c.Image(ctr).Entrypoint()
		if len(entrypoint) == 0 && len(command) == 0 {
			p.Words, p.Partial = args, true
			return p
		}
		p.Words = imageWords(entrypoint)
		if len(args) == 0 {
			args = imageWords(command)
		}
		p.Words = append(p.Words, args...)
	}
	c.interpret(&p, ctr, env)
	return p
}

// ProbeProcess returns the process of an exec probe of the container whose
// command stands at the path. In it the kubelet expands $(VAR) with what stands
// under env literally: a variable that comes from somewhere else is empty there,
// one of envFrom stays as it is written (pkg/kubelet/prober/prober.go, runProbe;
// pkg/kubelet/container/helpers.go, ExpandContainerCommandOnlyStatic). The
// process itself has the container's whole environment.
func (c *Cluster) ProbeProcess(ctr *manifest.Container, command []string, at node.Path) Process {
	static := map[string]string{}
	for _, v := range ctr.Env {
		static[v.Name] = v.Value
	}
	p := Process{Words: make([]Word, len(command))}
	for i, item := range command {
		from := Origin{Object: ctr.Workload.Object, Path: at.Append(i)}
		p.Words[i] = Word{Known: from.Object.Known(from.Path), From: from, Value: kubelet.Expand(item, func(name string) (string, bool) {
			v, ok := static[name]
			return v, ok
		})}
	}
	c.interpret(&p, ctr, c.Environment(ctr))
	return p
}

// expandWord expands $(VAR) in an item of command or args.
func expandWord(item string, env Environment, from Origin) Word {
	w := Word{Known: from.Object.Known(from.Path), From: from}
	w.Value = kubelet.Expand(item, func(name string) (string, bool) {
		v, ok := env.Lookup(name)
		if ok && !v.Known || !ok && env.Open {
			w.Known = false
		}
		w.Secret = w.Secret || ok && v.Secret
		return v.Value, ok && v.Known
	})
	if !w.Known {
		w.Value = item
	}
	return w
}

func imageWords(items []string) []Word {
	out := make([]Word, len(items))
	for i, item := range items {
		out[i] = Word{Value: item, Known: true, From: Origin{Default: "image default"}}
	}
	return out
}

// mountedFile returns the text of a file that a ConfigMap of the set puts into
// the container, and where that text stands.
func (c *Cluster) mountedFile(ctr *manifest.Container, file string) (string, Origin, bool) {
	file, ok := absolute(ctr, file)
	if !ok {
		return "", Origin{}, false
	}
	i, below := mountOf(ctr, file)
	if i < 0 || ctr.VolumeMounts[i].SubPathExpr != "" {
		return "", Origin{}, false
	}
	mount := &ctr.VolumeMounts[i]
	below = path.Join(mount.SubPath, below)
	for i := range ctr.Workload.Pod.Volumes {
		v := &ctr.Workload.Pod.Volumes[i]
		if v.Name != mount.Name {
			continue
		}
		if v.ConfigMap != nil {
			return c.configMapFile(ctr.Workload, v.ConfigMap.Name, v.ConfigMap.Items, below)
		}
		if v.Projected != nil {
			for _, s := range v.Projected.Sources {
				if s.ConfigMap == nil {
					continue
				}
				if text, from, ok := c.configMapFile(ctr.Workload, s.ConfigMap.Name, s.ConfigMap.Items, below); ok {
					return text, from, true
				}
			}
		}
	}
	return "", Origin{}, false
}

func (c *Cluster) configMapFile(w *manifest.Workload, name string, items []corev1.KeyToPath, file string) (string, Origin, bool) {
	key := file
	if len(items) > 0 {
		key = ""
		for _, item := range items {
			if path.Clean(item.Path) == file {
				key = item.Key
			}
		}
	}
	found := c.Find(w.Object, "ConfigMap", name)
	if len(found) == 0 || key == "" {
		return "", Origin{}, false
	}
	at := node.P("data", key)
	v, _ := found[0].Value(at)
	text, ok := v.(string)
	return text, Origin{Object: found[0], Path: at}, ok && found[0].Known(at)
}
