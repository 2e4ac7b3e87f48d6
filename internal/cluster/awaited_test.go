package cluster

import (
	"os/exec"
	"testing"
)

// probeIn returns the command "probe" of a script, which must be there once.
func probeIn(t *testing.T, argv ...string) Command {
	t.Helper()
	var found []Command
	for _, c := range testProcess(argv, nil, nil).Commands {
		if c.Name() == "probe" {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%q: %d commands named probe", argv, len(found))
	}
	return found[0]
}

func TestAwaited(t *testing.T) {
	for script, want := range map[string]bool{
		"until probe; do sleep 1; done":                                              true,
		"while ! probe; do sleep 1; done":                                            true,
		"until probe && true; do sleep 1; done":                                      true,
		"until true && probe; do sleep 1; done":                                      true,
		"while ! probe || ! true; do sleep 1; done":                                  true,
		"until echo try; probe; do sleep 1; done":                                    true,
		"until (probe); do sleep 1; done":                                            true,
		"until { true; probe; }; do sleep 1; done":                                   true,
		"until probe | grep -q ok; do sleep 1; done":                                 true,
		"until [ \"$(probe)\" = 200 ]; do sleep 1; done":                             true,
		"while [ -z \"$(probe)\" ]; do sleep 1; done":                                true,
		"while [[ $(probe) != ok ]]; do sleep 1; done":                               true,
		"until [[ -n $(probe) ]]; do sleep 1; done":                                  true,
		"while true; do probe && break; sleep 1; done":                               true,
		"while :; do if probe; then echo ok; exit 0; fi; sleep 1; done":              true,
		"while [ 1 ]; do probe && { echo ok; break; }; sleep 1; done":                true,
		"wait() { until $1; do sleep 1; done; }; wait probe":                         true,
		"until timeout 5 probe; do sleep 1; done":                                    true,
		"while probe; do sleep 1; done":                                              false,
		"until ! probe; do sleep 1; done":                                            false,
		"until probe || true; do sleep 1; done":                                      false,
		"while ! probe && [ $n -lt 9 ]; do sleep 1; done":                            false,
		"until probe; true; do sleep 1; done":                                        false,
		"until probe; do sleep 1; [ $n -gt 9 ] && break; done":                       false,
		"until probe; do exit 1; done":                                               false,
		"while true; do probe; sleep 1; done":                                        false,
		"while true; do probe && break; test -f x && break; done":                    false,
		"while true; do if probe; then break; else exit 1; fi; done":                 false,
		"while true; do probe || break; sleep 1; done":                               false,
		"while true; do until probe; do break; done; done":                           false,
		"while [ -n \"$(probe)\" ]; do sleep 1; done":                                false,
		"until [ \"$(probe)\" != old ]; do sleep 1; done":                            false,
		"for i in 1 2 3; do probe && break; done":                                    false,
		"if true; then until probe; do sleep 1; done; fi":                            false,
		"until probe; do sleep 1; done & true":                                       false,
		"probe":                                                                      false,
		"until [ -f x ]; do probe; done":                                             false,
		"until test -f x; do sleep 1; done; probe":                                   false,
		"while getopts ab o; do probe; done":                                         false,
		"test -f x && until probe; do sleep 1; done":                                 false,
		"until false; do probe; done":                                                false,
		"while kill -0 $pid; do probe; done":                                         false,
		"until check() { probe; }; do sleep 1; done; check":                          false,
		"while read -r line; do probe; done < file":                                  false,
		"while true; do test -f x && break; probe; done":                             false,
		"until [ $(date +%s) -gt 5 ] || probe; do sleep 1; done":                     false,
		"while [[ ! $(probe) == old ]]; do sleep 1; done":                            true,
		"until [[ ! ( -z $(probe) ) ]]; do sleep 1; done":                            true,
		"((n=1)); while ((1)); do probe && break; done":                              true,
		"skip() { exit 0; }; until probe; do skip; done":                             false,
		"log() { echo $1; return 0; }; until probe; do log a; done":                  true,
		"until probe; do . /lib.sh; done":                                            false,
		"[ $n = 0 ] && exit 0; until probe; do sleep 1; done":                        false,
		"if test -f x; then exit; fi; until probe; do sleep 1; done":                 false,
		"skip() { exit; }; test -f x && skip; until probe; do sleep 1; done":         false,
		"[ $n = 0 ] || exit 1; until probe; do sleep 1; done":                        true,
		"(test -f x && exit); until probe; do sleep 1; done":                         true,
		"f() { test -f x && return; true; }; f; until probe; do sleep 1; done":       true,
		"f() { test -f x && return; until probe; do sleep 1; done; }; f":             false,
		"until probe > /dev/null 2>&1; do echo waiting; sleep 2; done; echo started": true,
	} {
		if got := probeIn(t, "sh", "-c", script).Awaited; got != want {
			t.Errorf("%s: awaited is %v", script, got)
		}
	}
}

func TestForever(t *testing.T) {
	for script, want := range map[string]bool{
		"while true; do probe; done":                                         true,
		"until false; do probe; done":                                        true,
		"while true; do if test -f x; then probe; fi; done":                  true,
		"while true; do probe; exit; done":                                   false,
		"leave() { exit; }; while true; do probe; done":                      true,
		"leave() { exit; }; go() { leave; }; while true; do probe; go; done": false,
		". /lib.sh; while true; do probe; done":                              false,
		"while true; do probe; eval $x; done":                                false,
		"test -f x && exit 0; while true; do probe; done":                    false,
		"while true; do probe & done & wait":                                 false,
		"while test -f x; do probe; done":                                    false,
		"if true; then while true; do probe; done; fi":                       false,
		"while true; do sleep 1; done; probe":                                false,
	} {
		if got := probeIn(t, "sh", "-c", script).Forever; got != want {
			t.Errorf("%s: forever is %v", script, got)
		}
	}
}

// TestFatal holds Fatal against real shells: a command that fails makes the
// script fail, or not.
func TestFatal(t *testing.T) {
	for _, script := range []string{
		"probe", "true; probe", "probe; true", "probe && true", "true && probe", "probe || true",
		"probe | cat", "true | probe", "set -e; probe; true", "set -e; probe && true; true", "set -e; true && probe; true",
		"set -e; probe || true; true", "set -e; ! probe; true", "set -e; if probe; then true; fi; true", "set -e; probe | cat; true",
		"set -o errexit; probe; true", "set -e; set +e; probe; true", "set -eu; { probe; }; true", "set -e; (probe); true", "(probe)",
		"{ true; probe; }", "{ probe; true; }", "x=$(probe)", "x=$(probe); true", "set -e; x=$(probe); true", "echo $(probe)",
		"set -e; echo $(probe); true", "probe & true", "if true; then probe; fi", "if true; then probe; true; fi", "f() { probe; }; f",
		"f() { probe; }; f; true", "for i in 1; do probe; done", "exit 0; probe", "f() { exit 0; }; f; probe", "f() { return 0; }; f; probe", "sh -c true; probe", "until probe; do break; done",
		"true || probe", "set -e; true || probe; true", "probe && true && true", "set -e; true && probe && true; true",
	} {
		c := testProcess([]string{"sh", "-c", script}, nil, nil).Commands
		fatal := false
		for _, c := range c {
			fatal = fatal || c.Name() == "probe" && c.Fatal
		}
		for _, shell := range []string{"dash", "bash"} {
			if _, err := exec.LookPath(shell); err != nil {
				t.Logf("%s is not installed", shell)
				continue
			}
			failed := exec.Command(shell, "-c", "probe() { return 3; }\n"+script).Run() != nil
			// What may not be run at all is fatal where it is, and not else.
			if skipped := script == "true || probe" || script == "set -e; true || probe; true"; failed != fatal && !skipped {
				t.Errorf("%s in %s: the script fails: %v, fatal: %v", script, shell, failed, fatal)
			}
		}
	}
	for _, argv := range [][]string{{"probe"}, {"sh", "-e", "-c", "probe; true"}, {"bash", "-ec", "probe; true"}, {"env", "A=b", "probe"}} {
		if !probeIn(t, argv...).Fatal {
			t.Errorf("%q: not fatal", argv)
		}
	}
}
