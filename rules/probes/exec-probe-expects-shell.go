package probes

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var execProbeExpectsShell = &rule.Rule{
	ID:       "exec-probe-expects-shell",
	Title:    "An exec probe is written for a shell that does not run it",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachProbe(p, w, subject.expectsShell) },
}

// operator matches the words that only a shell understands: pipes, lists and
// redirections.
var operator = regexp.MustCompile(`^(\|\|?|&&?|;|[012&]?(>>?|<)(&[12]|/.*)?)$`)

// reference matches a variable in the form of the shell, which neither the
// kubelet nor a program replaces: the kubelet knows $(NAME) alone.
var reference = regexp.MustCompile(`\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))`)

// operands are programs to which an operator is an argument of their own.
var operands = []string{"find", "expr", "test", "[", "[[", "grep", "egrep", "awk", "sed", "cut", "tr", "jq", "psql", "xargs", "echo", "printf", "true"}

// strict are programs that fail when they are given words that they cannot use (run
// with Debian 12, and their manuals). pidof is content with any of its names.
var strict = []string{"curl", "wget", "pgrep", "nc", "cat", "ls", "stat", "mysqladmin", "pg_isready", "test", "["}

// bare are programs that fail when they are run without arguments (likewise).
var bare = []string{"curl", "wget", "pgrep", "pidof", "nc", "grep", "stat", "mysqladmin", "test", "["}

func (s subject) expectsShell() {
	if s.probe.Exec == nil {
		return
	}
	process := s.process()
	if len(process.Words) == 0 || !process.Words[0].Known {
		return
	}
	if process.Shell {
		s.splitScript(process.Words)
		return
	}
	if len(process.Commands) != 1 || isShell(process.Commands[0].Name()) {
		return
	}
	command := process.Commands[0]
	for i, word := range command.Words {
		if i == 0 || !word.Known || word.From.Object == nil {
			continue
		}
		switch before := command.Words[i-1].Value; {
		case operator.MatchString(word.Value):
			if len(before) == 2 && before[0] == '-' || slices.Contains(operands, command.Name()) { // cut -d ;
				continue
			}
			f := rule.Finding{At: word.From.Path, Severity: diag.Warning, Fixes: s.shellFix()}
			fails := "which cannot use it"
			if slices.Contains(strict, command.Name()) {
				f.Severity = diag.Error
				fails = "and fails: " + s.fails()
			}
			s.report(f, "%s has %q among its words and no shell to run it: %s gets it as an argument, %s", s.asks(), word.Value, command.Name(), fails)
			return
		case glued(command.Name(), word.Value):
			s.report(rule.Finding{At: word.From.Path}, "%s gives %s %q as one word: no shell takes it apart, %s knows no such option or command and fails: %s",
				s.asks(), command.Name(), word.Value, command.Name(), s.fails())
			return
		case s.unexpanded(command, i):
			f := rule.Finding{At: word.From.Path, Severity: diag.Warning, Fixes: s.shellFix()}
			s.report(f, "%s gives %s the text %s as it stands: no shell replaces it, and the kubelet replaces $(NAME) alone; where that matters, %s",
				s.asks(), command.Name(), reference.FindString(word.Value), s.fails())
			return
		}
	}
}

// gluedWords match, by program, several words in one that the program refuses: an
// option and its URL, a command and its options.
var gluedWords = map[string]*regexp.Regexp{
	"curl":       regexp.MustCompile(`^--?[A-Za-z-]+ +https?://`),
	"wget":       regexp.MustCompile(`^--?[A-Za-z-]+ +https?://`),
	"mysqladmin": regexp.MustCompile(`^(ping|status) +-`),
}

func glued(program, word string) bool {
	pattern, ok := gluedWords[program]
	return ok && pattern.MatchString(word)
}

// splitScript reports `sh -c curl URL`: the shell runs the word behind -c, and
// the words behind that are its positional parameters
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html).
func (s subject) splitScript(words []cluster.Word) {
	for i := 1; i+2 < len(words) && words[i].Known; i++ {
		option := words[i].Value
		if !strings.HasPrefix(option, "-") {
			return
		}
		if !strings.HasSuffix(option, "c") || strings.HasPrefix(words[i+1].Value, "-") {
			continue
		}
		script := words[i+1]
		if !script.Known || script.From.Object == nil || !slices.Contains(bare, script.Value) {
			return
		}
		f := rule.Finding{At: script.From.Path}
		s.report(f, "%s gives the shell %q alone to run: the words behind it are the script's parameters, not its arguments; %s fails without them: %s",
			s.asks(), script.Value, script.Value, s.fails())
		return
	}
}

// unexpanded reports whether a word holds a variable of the container that the
// program needs replaced.
func (s subject) unexpanded(command cluster.Command, i int) bool {
	word := command.Words[i].Value
	found := reference.FindStringSubmatch(word)
	if found == nil || strings.ContainsAny(word, " \n(") { // a program of its own: of awk, of a database
		return false
	}
	name := found[1] + found[2]
	if _, ok := s.Cluster.Environment(s.ctr).Lookup(name); !ok {
		return false
	}
	switch command.Name() {
	case "pg_isready", "mysqladmin", "redis-cli", "valkey-cli", "echo", "true":
		// What is wrong about the user does not make them fail; a host does
		// (postgresql.org, pg_isready; dev.mysql.com, mysqladmin, "ping").
		return slices.Contains([]string{"-h", "--host", "-p", "--port"}, command.Words[i-1].Value)
	}
	return true
}

// shellFix gives the words to a shell.
func (s subject) shellFix() []rule.Fix {
	line := strings.Join(s.probe.Exec.Command, " ")
	return []rule.Fix{{Message: "run it by a shell, which the image must have", Safety: diag.Unsafe,
		Ops: []node.Op{{Kind: node.Set, Path: s.at("exec", "command"), Value: []any{"sh", "-c", line}}}}}
}

func isShell(name string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash", "ksh", "zsh", "cmd", "cmd.exe", "powershell", "pwsh"}, path.Base(name))
}
