package cluster

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

var testObject = &manifest.Object{Kind: "Pod", Name: "p"}

// testProcess interprets an argument vector whose i-th word stands at args[i],
// in an environment of NAME=value, where NAME alone is not known.
func testProcess(argv []string, env []string, files map[string]string) Process {
	var p Process
	for i, a := range argv {
		p.Words = append(p.Words, Word{Value: a, Known: true, From: Origin{Object: testObject, Path: node.P("args", i)}})
	}
	var e Environment
	for _, kv := range env {
		name, value, known := strings.Cut(kv, "=")
		e.Variables = append(e.Variables, Variable{
			Name: name, Value: value, Known: known,
			From: Origin{Object: testObject, Path: node.P("env", name)},
		})
	}
	in := &interpreter{
		process: &p, functions: map[string]*function{}, awaited: map[*syntax.CallExpr]bool{}, steps: maxSteps, room: maxRoom,
		mounted: func(file string) (string, Origin, bool) {
			text, ok := files[file]
			return text, Origin{Object: testObject, Path: node.P("data", file)}, ok
		},
	}
	in.run(p.Words, nil, &scope{env: e, vars: map[string]shellVariable{}}, mode{last: true})
	return p
}

// render writes commands so that a table can hold them: words in brackets, "?"
// before one that is not known, flags behind.
func render(commands []Command) string {
	var out []string
	for _, c := range commands {
		var b strings.Builder
		for _, v := range c.Assignments {
			if v.Known {
				fmt.Fprintf(&b, "%s=%s ", v.Name, v.Value)
			} else {
				fmt.Fprintf(&b, "%s? ", v.Name)
			}
		}
		for _, w := range c.Words {
			if !w.Known {
				b.WriteByte('?')
			}
			fmt.Fprintf(&b, "[%s]", w.Value)
		}
		for _, flag := range []struct {
			name string
			on   bool
		}{{" &", c.Background}, {" exec", c.Exec}, {" cond", c.Conditional}} {
			if flag.on {
				b.WriteString(flag.name)
			}
		}
		out = append(out, b.String())
	}
	return strings.Join(out, "\n")
}

func TestCommands(t *testing.T) {
	env := []string{"OPTS=-Xmx1g -Xms1g", "HEAP=512m", "SECRET", "EMPTY="}
	for _, tt := range []struct {
		argv []string
		want string
	}{
		{[]string{"java", "-jar", "a b.jar"}, "[java][-jar][a b.jar]"},
		{[]string{"sh", "-c", "java $OPTS -jar app.jar"}, "[java][-Xmx1g][-Xms1g][-jar][app.jar]"},
		{[]string{"sh", "-c", `java "$OPTS" -jar app.jar`}, "[java][-Xmx1g -Xms1g][-jar][app.jar]"},
		{[]string{"/bin/bash", "-euxo", "pipefail", "-c", "exec java -Xmx${HEAP}"}, "[java][-Xmx512m] exec"},
		{[]string{"bash", "-lc", "java $EMPTY -version"}, "[java][-version]"},
		{[]string{"sh", "-c", "java $SECRET -Xmx$SECRET $NOWHERE"}, "[java]?[$SECRET]?[-Xmx$SECRET]?[$NOWHERE]"},
		{[]string{"sh", "-c", "java ${OPTIONS:--Xmx2g -Xss1m}"}, "[java][-Xmx2g][-Xss1m]"},
		{[]string{"sh", "-c", "java ${HEAP:+-Xmx$HEAP} ${DEBUG:+-Xdebug}"}, "[java][-Xmx512m]"},
		{[]string{"sh", "-c", `X=-Xmx3g; Y="$X -Xms3g"; java $Y`}, "[java][-Xmx3g][-Xms3g]"},
		{[]string{"sh", "-c", `export JAVA_TOOL_OPTIONS=-Xmx3g; A=b java`}, "JAVA_TOOL_OPTIONS=-Xmx3g A=b [java]"},
		{[]string{"sh", "-c", `HEAP=1g; java`}, "HEAP=1g [java]"},
		{[]string{"sh", "-c", `HEAP=$(compute --mem); java -Xmx$HEAP`}, "[compute][--mem]\nHEAP? [java]?[-Xmx$HEAP]"},
		{[]string{"sh", "-c", `HEAP=$((2 * 1024)); java -Xmx${HEAP}m`}, "HEAP=2048 [java][-Xmx2048m]"},
		{[]string{"sh", "-c", `if [ -n "$D" ]; then HEAP=2g; java -Xmx$HEAP; fi; java -Xmx$HEAP`},
			"[[][-n]?[\"$D\"][]]\nHEAP=2g [java][-Xmx2g] cond\nHEAP? [java]?[-Xmx$HEAP]"},
		{[]string{"sh", "-c", `cd /app && A=-Xmx2g && exec java $A`}, "[cd][/app]\n[java][-Xmx2g] exec cond"},
		{[]string{"sh", "-c", `serve & exec java`}, "[serve] &\n[java] exec"},
		{[]string{"sh", "-c", `exec java; never`}, "[java] exec"},
		{[]string{"sh", "-c", `exit 0; never`}, "[exit][0]"},
		{[]string{"sh", "-c", `exec >/log 2>&1; java`}, "[java]"},
		{[]string{"sh", "-c", `exec "$@"`, "--", "java", "-Xmx2g"}, "[java][-Xmx2g] exec"},
		{[]string{"sh", "-c", `echo $0 $1 $2`, "zero", "one"}, "[echo][zero][one]"},
		{[]string{"tini", "-g", "--", "sh", "-c", "java"}, "[java]"},
		{[]string{"/usr/bin/env", "-u", "X", "A=b", "java", "-Xmx1g"}, "A=b [java][-Xmx1g]"},
		{[]string{"timeout", "-s", "KILL", "5", "nice", "-n", "10", "java"}, "[java]"},
		{[]string{"timeout", "-t", "5", "java"}, "[java]"},
		{[]string{"su-exec", "app:app", "java"}, "[java]"},
		{[]string{"su", "-s", "/bin/sh", "app", "-c", "exec java -Xmx$HEAP"}, "[java][-Xmx512m] exec"},
		{[]string{"su", "-", "app", "-c", "java -Xmx$HEAP"}, "EMPTY? HEAP? OPTS? SECRET? [java]?[-Xmx$HEAP]"},
		{[]string{"su", "app"}, "[su][app]"},
		{[]string{"busybox", "sh", "-c", "sh -c 'bash -c \"java -Xmx1g\"'"}, "[java][-Xmx1g]"},
		{[]string{"sh", "-c", `[ "$(redis-cli -h db ping)" = PONG ] || exit 1`},
			"[redis-cli][-h][db][ping]\n[[]?[\"$(redis-cli -h db ping)\"][=][PONG][]]\n[exit][1] cond"},
		{[]string{"sh", "-c", `f() { java -Xmx$1; }; H=3g; f $H; f 4g`}, "[java][-Xmx3g]\n[java][-Xmx4g]"},
		{[]string{"sh", "-c", `f() { f; }; f; java`}, "[java]"},
		{[]string{"sh", "-c", `. /etc/profile; java $OPTS`}, "[.][/etc/profile]\nEMPTY? HEAP? OPTS? SECRET? [java]?[$OPTS]"},
		{[]string{"sh", "-c", `eval "exec java $OPTS"`}, "[java][-Xmx1g][-Xms1g] exec"},
		{[]string{"sh", "-c", `unset HEAP; java -Xmx$HEAP`}, "HEAP? [java]?[-Xmx$HEAP]"},
		{[]string{"sh", "-c", `for h in 1g 2g; do HEAP=$h; java -Xmx$HEAP; done; java -Xmx$HEAP`},
			"HEAP? [java]?[-Xmx$HEAP] cond\nHEAP? [java]?[-Xmx$HEAP]"},
		{[]string{"sh", "-c", "java ${HEAP%m} ${HEAP/512/1024}"}, "[java][512][1024m]"},
		{[]string{"sh", "-c", `: "${MAX:=2g}"; java -Xmx$MAX`}, "[:][2g]\n[java][-Xmx2g]"},
		{[]string{"sh", "-c", "java -cp 'lib/*' -cp lib/* ~/x"}, "[java][-cp][lib/*][-cp]?[lib/*]?[~/x]"},
		{[]string{"sh", "-c", "java \\\n  -Xmx1g \\\n  a\\ b"}, "[java][-Xmx1g][a b]"},
		{[]string{"sh", "-c", "a | b"}, "[a]\n[b]"},
		{[]string{"sh", "-c", "set -a; X=1; java"}, "X=1 [java]"},
		{[]string{"sh", "-c", "set -- x y; java $1"}, "[java][x]"},
		{[]string{"sh", "-c", "java -Xmx1g\nif then"}, "[java][-Xmx1g]"},
		{[]string{"sh", "-c", ""}, ""},
		{[]string{"sh", "-c"}, "[sh][-c]"},
		{[]string{"sh", "/mnt/run.sh", "arg"}, "[java][-Xmx512m][arg]"},
		{[]string{"/mnt/run.sh", "arg"}, "[java][-Xmx512m][arg]"},
		{[]string{"/mnt/run.py"}, "[/mnt/run.py]"},
		{[]string{"sh", "/elsewhere.sh"}, "[sh][/elsewhere.sh]"},
	} {
		p := testProcess(tt.argv, env, map[string]string{
			"/mnt/run.sh": "#!/bin/sh\nset -e\njava -Xmx$HEAP \"$@\"\n",
			"/mnt/run.py": "#!/usr/bin/env python3\nprint(1)\n",
		})
		if got := render(p.Commands); got != tt.want {
			t.Errorf("%q:\n%s\nwant\n%s", tt.argv, got, tt.want)
		}
	}
}

func TestScriptError(t *testing.T) {
	if p := testProcess([]string{"sh", "-c", "if then"}, nil, nil); p.ScriptError == "" || !p.Shell {
		t.Errorf("no error for a broken script: %+v", p)
	}
	if p := testProcess([]string{"sh", "-c", "true"}, nil, nil); p.ScriptError != "" {
		t.Errorf("error for a sound script: %s", p.ScriptError)
	}
}

func TestOrigins(t *testing.T) {
	p := testProcess([]string{"sh", "-c", `exec java $OPTS -Xss${S} "$ONE" /x`}, []string{"OPTS=-Xmx1g -Xms1g", "S=1m", "ONE=-Xmn1m"}, nil)
	var got []string
	for _, w := range p.Commands[0].Words {
		got = append(got, w.From.Path.String()+" "+w.From.Within)
	}
	want := []string{"args[2] java", "env.OPTS -Xmx1g", "env.OPTS -Xms1g", "args[2] -Xss${S}", "env.ONE ", "args[2] /x"}
	if !slices.Equal(got, want) {
		t.Errorf("origins\n%q\nwant\n%q", got, want)
	}
}

// TestAgainstShell compares the words that are said to be known with what a
// real shell makes of them.
func TestAgainstShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh on this machine")
	}
	env := []string{"A=one two", "B=three", "E=", "Q=it's \"x\"", "P= lead trail "}
	for _, script := range []string{
		`p $A $B`, `p "$A" '$B' $E "$E"`, `p x${A}y"$A"z`, `p ${A%two}x ${B#th}`, `p ${N:-a b} "${N:-a b}" ${E:-d} ${E-d}`,
		`p ${B:+$A} ${E:+no} ${B+yes}`, `X=$A; p $X "$X"`, `X="$A $B"; Y=$X; p $Y`, `p \$A \\ \" 'a\b' "a\b\$"`,
		`X=1; f() { p $X "$1"; X=2; }; f "$A"; p $X; X=3 ; f b`, `set -- $A c; p "$@" $1`, `p a"$@"`, `p $((1+2*3)) $B`,
		`p x$P y`, `p x"$P"y`, `p $P`, `X='a b'; X=$X$A; p $X`, `p "${Q}" $Q`, `if true; then p 1 $A; fi`,
		`true && X=$B && p $X`, `eval 'p $A "$A"'`, `eval "p $A"`, `p "a
b" c`, `p ''`, `p $E`, `(X=5; p $X); p ${X:-unset}`, `X=5 true; p ${X:-unset}`, `p ${X:=v w} $X`, `{ p a; }; p b`,
		`case $B in three) p yes;; esac`, `p ${A:-$B} ${N:-$B} ${N:-"$A"}`, "p a\\\nb", `p "x\
y"`, `export B=4; p $B`, `p ${#B}`, `exec printf '%s|' p "$A"`,
	} {
		cmd := exec.Command(sh, "-c", `p() { for w in "$@"; do printf '<%s>' "$w"; done; echo; }; `+script)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", script, err, out)
		}
		var got strings.Builder
		sure := true
		for _, c := range testProcess([]string{"sh", "-c", script}, env, nil).Commands {
			switch c.Name() {
			case "p":
				for _, w := range c.Words[1:] {
					sure = sure && w.Known
					fmt.Fprintf(&got, "<%s>", w.Value)
				}
				got.WriteByte('\n')
			case "printf":
				fmt.Fprintf(&got, "p|%s|", c.Words[3].Value)
			}
		}
		if !sure {
			t.Logf("%s: not known", script)
		} else if got.String() != string(out) {
			t.Errorf("%s\n%q\nsh says\n%q", script, got.String(), out)
		}
	}
}

// TestDeepScripts holds the parser's recursion to what the stack bears.
func TestDeepScripts(t *testing.T) {
	for _, open := range []string{"(", "{ ", "$(", "`", "\"$(", "if ", "while ", "${a:-", "$((", "<(", "! ", "a|", "a&&", "f()", "case x in x) ", "[["} {
		testProcess([]string{"sh", "-c", strings.Repeat(open, maxScript/len(open))}, nil, nil)
	}
	bomb := "f0() { true; };"
	for i := 1; i < 40; i++ {
		bomb += fmt.Sprintf("f%d() { f%d; f%d; };", i, i-1, i-1)
	}
	if n := len(testProcess([]string{"sh", "-c", bomb + "f39"}, nil, nil).Commands); n > maxSteps {
		t.Errorf("%d commands", n)
	}
}

func FuzzScript(f *testing.F) {
	for _, s := range []string{
		`exec java $OPTS -Xmx${HEAP:-1g} "$@"`, "a && b || c | d & e", `f() { f; }; f`, `X=$(a <(b)) Y+=c export Z; [[ -n $X ]]`,
		"cat <<EOF\n$(a)\nEOF\n", `for ((i=0;i<3;i++)); do a; done`, `case $a in b) c;; esac`, `${a[1]} ${!b*} ${#c} ${d/e/f} ${g:1:2} ${h^^} ${i@Q}`,
		"declare -A m=([a]=b); m[c]=d; let x=1; ((x++)); coproc a; select x in a; do b; done", "set --; shift; set -euo pipefail; set -- $A",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := testProcess([]string{"sh", "-c", s, "zero", "one"}, []string{"OPTS=a b", "HEAP", "A=1"}, map[string]string{"/x": s})
		for _, c := range p.Commands {
			if len(c.Words) == 0 {
				t.Errorf("a command without words in %q", s)
			}
		}
	})
}

// TestGrowth: a short script whose words grow without end is followed in bounds.
func TestGrowth(t *testing.T) {
	for name, script := range map[string]string{
		"value":    "A=xxxxxxxx; " + strings.Repeat("A=$A$A; ", 60) + "probe $A",
		"append":   "A=xxxxxxxx; " + strings.Repeat("A+=$A; ", 60) + "probe $A",
		"words":    "set -- a; " + strings.Repeat(`set -- "$@" "$@"; `, 60) + `probe "$1"`,
		"replaced": "A=xxxxxxxx; " + strings.Repeat("A=${A//x/$A}; ", 9) + "probe $A",
	} {
		p := testProcess([]string{"sh", "-c", script}, nil, nil)
		if len(p.Commands) == 0 {
			t.Errorf("%s: no commands", name)
		}
		for _, c := range p.Commands {
			size := 0
			for _, w := range c.Words {
				size += len(w.Value)
			}
			if len(c.Words) > maxWords || size > maxRoom {
				t.Errorf("%s: %d words of %d bytes", name, len(c.Words), size)
			}
		}
	}
}
