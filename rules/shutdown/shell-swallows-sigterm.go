package shutdown

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var shellSwallowsSigterm = &rule.Rule{
	ID:       "shell-swallows-sigterm",
	Title:    "The main process is a shell, which does not pass SIGTERM on",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		if w.RunsToCompletion() || w.Pod.ShareProcessNamespace != nil && *w.Pod.ShareProcessNamespace || w.Pod.HostPID {
			return // the shell is not process 1, or nobody stops it
		}
		for _, ctr := range w.Containers {
			if ctr.Role == manifest.Init {
				continue
			}
			process := p.Cluster.Process(ctr)
			if !process.Shell || process.Partial || process.ScriptError != "" || len(process.Words) == 0 || !isShell(process.Words[0]) {
				continue
			}
			c, ok := child(process)
			if !ok {
				continue
			}
			f := rule.Finding{Object: w.Object, At: ctr.At("command")}
			if from := c.Words[0].From; from.Object == w.Object && from.Path.HasPrefix(ctr.Path) {
				f.At, f.Within = from.Path, from.Within
			} else if from.Object != nil {
				f.Related = []rule.Related{{Object: from.Object, At: from.Path, Within: from.Within, Message: "started here"}}
			}
			f.Message = fmt.Sprintf("container %q runs %s as a child of a shell, which as process 1 ignores SIGTERM and does not pass it on: every stop takes the whole grace period of %d s and ends in SIGKILL (137)",
				ctr.Name, c.Name(), graceOf(w.Pod))
			f.Fixes = []rule.Fix{{Message: "write exec in front of " + c.Name(), Safety: diag.Display}}
			p.Report(f)
		}
	},
}

func isShell(w cluster.Word) bool {
	return w.Known && slices.Contains([]string{"sh", "bash", "ash", "dash"}, path.Base(w.Value))
}

// child returns the program that the script ends with and that remains its
// child. Nothing is said where some shell takes the program's place by itself,
// as a test of this package asks those that are here: bash 5.1 and BusyBox 1.28
// do so for the last command of a -c script; nor where the script handles
// signals, or ends with something short.
func child(process cluster.Process) (cluster.Command, bool) {
	if slices.ContainsFunc(process.Commands, func(c cluster.Command) bool { return c.Name() == "trap" || c.Name() == "wait" || c.Exec }) || len(process.Commands) == 0 {
		return cluster.Command{}, false
	}
	last := process.Commands[len(process.Commands)-1]
	inline := len(process.Words) > 1 && strings.HasPrefix(process.Words[1].Value, "-") && slices.ContainsFunc(process.Words[1:], func(w cluster.Word) bool {
		return strings.HasPrefix(w.Value, "-") && !strings.HasPrefix(w.Value, "--") && strings.Contains(w.Value, "c")
	})
	if inline || !last.Certain() || last.Piped || last.Name() == "" || short[last.Name()] {
		return cluster.Command{}, false
	}
	return last, true
}

// short are commands that a script does not run for long: its own, and those
// that end by themselves.
var short = map[string]bool{
	"exit": true, "return": true, "echo": true, "printf": true, "true": true, "false": true, ":": true, "cd": true, "export": true, "set": true,
	"cp": true, "mv": true, "rm": true, "mkdir": true, "chmod": true, "chown": true, "ln": true, "cat": true, "sed": true, "test": true, "[": true,
	"curl": true, "wget": true, "kubectl": true, "kill": true, "date": true,
}
