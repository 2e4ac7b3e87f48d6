package command

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

// shells are the shells that images have: Debian's sh, bash and Alpine's.
func shells(t *testing.T) [][]string {
	t.Helper()
	found := make([][]string, 0, 3)
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"bash"}, {"busybox", "sh"}} {
		if _, err := exec.LookPath(shell[0]); err == nil {
			found = append(found, shell)
		}
	}
	if len(found) == 0 {
		t.Skip("no shell is installed")
	}
	return found
}

// runShell runs a shell without an environment in an empty folder and returns its
// exit code; false when it does not end.
func runShell(t *testing.T, shell []string, dir string, args ...string) (int, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, shell[0], append(shell[1:len(shell):len(shell)], args...)...)
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "HOME=" + dir}
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return 0, false
	}
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), true
}

// lint returns what a rule says of a pod that runs the script.
func lint(t *testing.T, r *rule.Rule, script string) []rule.Finding {
	t.Helper()
	text, err := json.Marshal(script)
	if err != nil {
		t.Fatal(err)
	}
	return findings(t, r, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: registry.example/a, command: [sh, -c, %s]}]}}`, text))
}

func findings(t *testing.T, r *rule.Rule, manifest string) []rule.Finding {
	t.Helper()
	c := cluster.New(loader.LoadText(source.NewFile("a.yaml", manifest)).Set, cluster.Options{})
	if len(c.Workloads) != 1 {
		t.Fatalf("%d workloads in %s", len(c.Workloads), manifest)
	}
	var out []rule.Finding
	r.Workload(&rule.Pass{Cluster: c, Report: func(f rule.Finding) { out = append(out, f) }}, c.Workloads[0])
	return out
}

// statements are the pieces that generated scripts are made of.
var statements = []string{
	"echo one", "x=1", "cd /", "if true; then\n  echo yes\nelse\n  echo no\nfi", "for i in 1 2; do echo $i; done", "case $x in\n  1) echo one ;;\n  *) echo other ;;\nesac",
	"while false; do\n  :\ndone", "f() {\n  echo f\n}", "f", "(echo sub; true)", "{ echo group; }", "true && echo and || echo or", "echo \"quoted $x $(echo inner)\"",
	"cat <<EOF\nhere\nEOF", "y=$((1 + 2))", "! false", "echo a | cat", "until true; do :; done", "# a comment", "[ \"$x\" = 1 ] && echo equal", "echo 'it'\\''s'",
}

// What the rule calls a syntax error all shells refuse; and what no shell takes,
// the parser does not take either.
func TestSyntaxErrorsAgreeWithShells(t *testing.T) {
	all := shells(t)
	random := rand.New(rand.NewSource(1))
	dir := t.TempDir()
	said := 0
	for range 400 {
		var lines []string
		for range 1 + random.Intn(4) {
			lines = append(lines, statements[random.Intn(len(statements))])
		}
		script := strings.Join(lines, "\n")
		// Most of them lose, or get twice, a word or a character.
		if cut := random.Intn(len(script)); random.Intn(8) > 0 {
			script = script[:cut] + script[min(len(script), cut+1+random.Intn(6)):]
		}
		refusing := 0
		for _, shell := range all {
			if code, ended := runShell(t, shell, dir, "-n", "-c", script); ended && code != 0 {
				refusing++
			}
		}
		findings := lint(t, scriptSyntaxError, script)
		if len(findings) > 0 {
			said++
			if refusing != len(all) {
				t.Errorf("the rule says %q, and %d of %d shells take\n%s", findings[0].Message, len(all)-refusing, len(all), script)
			}
		}
	}
	if said < 20 {
		t.Errorf("the rule spoke %d times", said)
	}
}

// A script that is said to end does end, and one that stays is not said to end.
func TestEndsAgreesWithShells(t *testing.T) {
	all := shells(t)
	dir := t.TempDir()
	pieces := append([]string{"sleep 0", "mkdir -p a/b", "touch a/c", "ls -l", "exit 0", "sleep 0 & wait", "printf x", "export A=1", "test -f a/c && echo there", "set -e", "true; false; true"}, statements...)
	random := rand.New(rand.NewSource(2))
	said := 0
	for range 150 {
		var lines []string
		for range 1 + random.Intn(5) {
			lines = append(lines, pieces[random.Intn(len(pieces))])
		}
		script := strings.Join(lines, "\n")
		if len(lint(t, shortLivedCommand, script)) == 0 {
			continue
		}
		said++
		for _, shell := range all {
			if _, ended := runShell(t, shell, dir, "-c", script); !ended {
				t.Errorf("%v goes on after 5 s, though the rule says that it ends\n%s", shell, script)
			}
		}
	}
	if said < 40 {
		t.Errorf("the rule spoke %d times", said)
	}
	for _, script := range []string{
		"while true; do sleep 1; done", "echo start; tail -f /dev/null", "sleep infinity", "sleep 1d", "echo a; exec sleep inf", "while :; do :; done", "until false; do sleep 9; done",
		"sleep infinity & wait", "trap : TERM; sleep infinity & wait $!", "f() { sleep infinity; }; f", "if true; then sleep infinity; fi", "sh -c 'sleep infinity'",
	} {
		if found := lint(t, shortLivedCommand, script); len(found) > 0 {
			t.Errorf("%q: %s", script, found[0].Message)
		}
		if code, ended := runShell(t, all[0], dir, "-c", "timeout 0.1 "+all[0][0]+" -c \"$0\"; test $? = 124", script); !ended || code != 0 {
			t.Errorf("%q ends by itself: %d", script, code)
		}
	}
}

// What crlf-in-script says of scripts from Windows.
func TestCarriageReturnsAgreeWithShells(t *testing.T) {
	dir := t.TempDir()
	for script, fails := range map[string]bool{
		"echo hi\r\n":                                       false,
		"#!/bin/sh\r\necho hi\r\n":                          false,
		"if true; then\r\n  echo hi\r\nfi\r\n":              true,
		"if true; then echo hi; fi\r\necho x\r\n":           true,
		"for i in a b; do\r\n  echo $i\r\ndone\r\n":         true,
		"while false\r\ndo\r\n  :\r\ndone\r\n":              true,
		"case a in\r\n  a) echo a ;;\r\nesac\r\n":           true,
		"if false; then\r\n :\r\nelse\r\n echo n\r\nfi\r\n": true,
		"echo done\r\n":                                     false,
		"x=$(printf 'a b'); echo \"$x\"\r\n":                false,
		"until true; do :; done\r\n":                        true,
	} {
		if compound.MatchString(script) != fails {
			t.Errorf("%q: the rule says %v", script, !fails)
		}
		file := filepath.Join(dir, "x.sh")
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, shell := range shells(t) {
			code, ended := runShell(t, shell, dir, file)
			if !ended || (code == 2) != fails {
				t.Errorf("%v %q ends with %d", shell, script, code)
			}
		}
	}
	file := filepath.Join(dir, "direct.sh")
	if err := os.WriteFile(file, []byte("#!/bin/sh\r\necho hi\r\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, shell := range shells(t) {
		if code, ended := runShell(t, shell, dir, "-c", file); !ended || code != 127 {
			t.Errorf("%v: a script with the interpreter /bin/sh\\r ends with %d", shell, code)
		}
	}
}
