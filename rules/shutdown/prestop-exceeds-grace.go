package shutdown

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var prestopExceedsGrace = &rule.Rule{
	ID:       "prestop-exceeds-grace",
	Title:    "The preStop hook takes all of the time that the process has to stop",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		graceAt := w.PodPath.Append("terminationGracePeriodSeconds")
		grace, written := graceOf(w.Pod), "the default of 30 s"
		if w.Pod.TerminationGracePeriodSeconds != nil {
			written = fmt.Sprintf("%d s", grace)
		}
		for _, ctr := range w.Containers {
			if !hooked(ctr) || ctr.Lifecycle.PreStop == nil || grace <= 0 {
				continue // with a period of 0 the hook does not run (killContainer)
			}
			hook, at := ctr.Lifecycle.PreStop, ctr.At("lifecycle", preStop)
			f := rule.Finding{Object: w.Object, Needs: []node.Path{graceAt}}
			var sleeps int64
			switch {
			case hook.Sleep != nil:
				f.At, sleeps = at.Append("sleep", "seconds"), hook.Sleep.Seconds
			case hook.Exec != nil:
				f.At = at.Append("exec", "command")
				sleeps = cluster.Slept(p.Cluster.HookProcess(ctr, hook.Exec.Command, f.At).Commands)
			}
			if sleeps < grace {
				continue
			}
			f.Message = fmt.Sprintf("container %q: preStop sleeps %d s, and the grace period is %s: SIGTERM comes when it is over, and SIGKILL 2 s later, whatever the process is doing",
				ctr.Name, sleeps, written)
			if hook.Sleep != nil && sleeps > grace {
				f.Severity = diag.Error
				f.Message = fmt.Sprintf("container %q: preStop sleeps %d s, and the grace period is %s: the API server refuses a sleep that is longer", ctr.Name, sleeps, written)
			}
			if w.Pod.TerminationGracePeriodSeconds != nil {
				f.Related = []rule.Related{{Object: w.Object, At: graceAt, Message: "the grace period"}}
			}
			if sleeps < maxGrace {
				f.Fixes = []rule.Fix{{
					Message: fmt.Sprintf("leave the process %d s of its own: terminationGracePeriodSeconds %d", defaultGrace, sleeps+defaultGrace), Safety: diag.Unsafe,
					Ops: []node.Op{{Kind: node.Set, Path: graceAt, Value: sleeps + defaultGrace}},
				}}
			}
			p.Report(f)
		}
	},
}

// maxGrace is the longest grace period that is proposed, a day.
const maxGrace = 24 * 3600
