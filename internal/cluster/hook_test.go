package cluster_test

import (
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestHookProcess(t *testing.T) {
	cl := load(t, deployment("", "env: [{name: PORT, value: \"80\"}]\nlifecycle: {postStart: {exec: {command: [probe, $(PORT)]}}}\n"), cluster.Options{})
	ctr := container(t, cl, "")
	p := cl.HookProcess(ctr, ctr.Lifecycle.PostStart.Exec.Command, ctr.At("lifecycle", "postStart", "exec", "command"))
	if len(p.Commands) != 1 || len(p.Words) != 2 || p.Words[1].Value != "$(PORT)" {
		t.Fatalf("%+v", p)
	}
	if at := p.Words[1].From.Path.String(); at != ctr.At("lifecycle", "postStart", "exec", "command", 1).String() {
		t.Errorf("from %s", at)
	}
	if !p.Commands[0].Fatal || !p.Commands[0].Certain() {
		t.Errorf("%+v", p.Commands[0])
	}
}
