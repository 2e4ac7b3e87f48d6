package command

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/rule"
)

var daemonizedProcess = &rule.Rule{
	ID:       "daemonized-process",
	Title:    "The server goes into the background, and the container ends",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.daemonized),
}

// daemonized reports a process that starts a server in the background and ends:
// with the first process of a container all others are killed
// (pid_namespaces(7)).
func (s subject) daemonized() {
	e, ok := s.ending()
	if !ok || e.left == nil || !s.restarts(e.code) || s.Cluster.Patched(s.ctr.Workload) {
		return
	}
	f := s.standing(e.left.Words[0])
	f.Needs = s.needs()
	if !e.sure {
		f.Severity = diag.Warning
	}
	how := fmt.Sprintf("starts %s, which goes into the background", text(*e.left))
	fix := "keep it in the foreground"
	switch {
	case e.left.Background:
		how = fmt.Sprintf("starts %s in the background (&)", text(*e.left))
		fix = "run it in the foreground, with exec, or end the script with wait"
	case e.left.Name() == "nginx":
		fix = "nginx -g 'daemon off;'"
	case e.left.Name() == "apachectl" || e.left.Name() == "apache2ctl" || e.left.Name() == "httpd" || e.left.Name() == "apache2":
		fix = e.left.Name() + " -DFOREGROUND"
	}
	f.Fixes = []rule.Fix{{Message: fix, Safety: diag.Display}}
	then := "ends"
	if e.seconds > 0 {
		then = fmt.Sprintf("ends after a sleep of %d s", e.seconds)
	}
	s.report(f, "%s, and %s: what is left is killed with it, and %s", how, then, again(s.ctr, e.code))
}
