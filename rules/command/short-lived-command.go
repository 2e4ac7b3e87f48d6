package command

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var shortLivedCommand = &rule.Rule{
	ID:       "short-lived-command",
	Title:    "The command ends by itself, and the container is started again and again",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.shortLived),
}

// shortLived reports a process that ends, with success, in a container that is
// started again each time (pkg/api/v1/pod/util.go, ContainerShouldRestart).
func (s subject) shortLived() {
	if s.idle() {
		return
	}
	e, ok := s.ending()
	if !ok || e.left != nil || !s.restarts(e.code) || s.Cluster.Patched(s.ctr.Workload) {
		return
	}
	f := s.standing(e.last.Words[0])
	f.Needs = s.needs()
	if !e.sure {
		f.Severity = diag.Warning
	}
	if at := s.ctr.At("command"); len(s.ctr.Command) > 0 && !f.At.HasPrefix(at) {
		f.Related = append(f.Related, rule.Related{Object: s.ctr.Workload.Object, At: at, Target: node.KeyOf, Message: "run by this"})
	}
	f.Fixes = []rule.Fix{{Message: "a Job or CronJob for what is to run once, a loop that does not end for what is to run again and again", Safety: diag.Display}}
	if s.ctr.Workload.Kind == "Pod" {
		f.Fixes = []rule.Fix{{Message: "restartPolicy: Never, or OnFailure, for what is to run once", Safety: diag.Display}}
	}
	s.report(f, "%s: %s", s.endingWith(e), again(s.ctr, e.code))
}

// idle reports an image that runs nothing lasting by itself, and whose container
// says nothing else.
func (s subject) idle() bool {
	idle := s.Cluster.Image(s.ctr).Idle
	if idle == nil || len(s.ctr.Command)+len(s.ctr.Args) > 0 || idle.Waits && (s.ctr.Stdin || s.ctr.TTY) || !s.restarts(0) || s.Cluster.Patched(s.ctr.Workload) {
		return false
	}
	f := rule.Finding{Object: s.ctr.Workload.Object, At: s.ctr.At("image"), Needs: s.needs()}
	f.Fixes = []rule.Fix{{Message: "say in command what it is to run", Safety: diag.Display}}
	why := ""
	if idle.Waits {
		why = " at once since nobody can type into it (stdin and tty are not set)"
	}
	s.report(f, "runs what its image runs by itself, %s, which ends%s: %s", idle.Runs, why, again(s.ctr, 0))
	return true
}

// needs are the fields that decide what the container runs and whether it is
// started again.
func (s subject) needs() []node.Path {
	return []node.Path{s.ctr.Workload.PodPath.Append("restartPolicy"), s.ctr.At("command"), s.ctr.At("args"), s.ctr.At("image"), s.ctr.At("stdin"), s.ctr.At("tty")}
}

// endingWith says what the process does and how it ends.
func (s subject) endingWith(e ending) string {
	from := e.last.Words[0].From
	switch {
	case from.Object == nil && s.reads(e.last):
		return fmt.Sprintf("runs what its image runs by itself, %s, which ends at once since nobody can type into it (stdin and tty are not set)", e.last.Name())
	case from.Object == nil:
		return fmt.Sprintf("runs what its image runs by itself, %s, and ends", text(e.last))
	case s.reads(e.last):
		return fmt.Sprintf("runs %s without a script, which ends at once since nobody can type into it (stdin and tty are not set)", text(e.last))
	case e.seconds > 0:
		return fmt.Sprintf("sleeps %d s and ends after %s", e.seconds, text(e.last))
	case s.process.Shell:
		return "runs a script that ends after " + text(e.last)
	}
	return fmt.Sprintf("runs %s and ends", text(e.last))
}

// again says why the container is started again, and what that looks like.
func again(ctr *manifest.Container, code int32) string {
	why := "its pod has restartPolicy " + string(ctr.Workload.RestartPolicy())
	if ctr.Role == manifest.Sidecar {
		why = "it is a sidecar"
	}
	state := "Completed"
	if code != 0 {
		state = fmt.Sprintf("Error, exit code %d", code)
	}
	return why + ", so that the kubelet starts it again, after 10 s, 20 s, 40 s ... 300 s (CrashLoopBackOff, last state " + state + ")"
}
