package command

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var shellSyntaxWithoutShell = &rule.Rule{
	ID:       "shell-syntax-without-shell",
	Title:    "The command is written for a shell that does not run it",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: eachContainer(subject.shellSyntax),
}

var (
	// operator matches the words that only a shell understands.
	operator = regexp.MustCompile(`^(\|\|?|&&?|;|[012&]?(>>?|<)(&[12]|/\S*)?)$`)
	// redirection matches those of them that a program can do without.
	redirection = regexp.MustCompile(`^[012&]?>>?(&[12]|/\S*)?$`)
	// assignment matches a variable that a shell would set.
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	// substitution matches a command whose output a shell would put there.
	substitution = regexp.MustCompile("`[^`]+`|\\$\\([a-z][^)]* [^)]*\\)")
)

// builtins are commands of the shell itself, of which no image has a program.
var builtins = []string{"source", ".", "export", "set", "unset", "eval", "exec", "exit", "return", "shift", "trap", "local", "declare", "if", "while", "for", "until", "case"}

// changers are commands of the shell itself that change its state. Some images
// have programs of these names, as POSIX asks for
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap01.html, 1.7):
// they change their own state and end.
var changers = []string{"cd", "umask", "ulimit", "alias", "wait", "read"}

// operands are programs to which an operator is an argument of their own.
var operands = []string{
	"find", "expr", "test", "[", "[[", "grep", "egrep", "awk", "gawk", "sed", "cut", "tr", "jq", "yq", "psql", "mysql", "xargs", "sort", "column", "paste", "perl", "parallel",
}

// strict are programs that fail when they are given words that they cannot use.
var strict = []string{"mkdir", "chmod", "chown", "cp", "mv", "ls", "cat", "tar", "sleep", "touch", "apt-get", "apk", "yum", "pip", "npm", "nginx", "git", "kubectl"}

func (s subject) shellSyntax() {
	words := s.process.Words
	if len(words) == 0 || !words[0].Known || !s.process.Partial && s.builtin(words[0]) || s.process.Shell {
		return
	}
	if !s.process.Partial {
		if len(s.process.Commands) != 1 {
			return
		}
		words = s.process.Commands[0].Words
	}
	name := path.Base(words[0].Value)
	if isShell(name) || slices.Contains(operands, name) {
		return
	}
	for i := 1; i < len(words); i++ {
		if word := words[i]; written(word) && (s.operator(words, i, name) || s.pattern(words, i, name)) {
			return
		}
	}
}

// builtin reports a program that is a command of the shell.
func (s subject) builtin(word cluster.Word) bool {
	if !written(word) {
		return false
	}
	f := s.standing(word)
	f.Severity = diag.Error
	f.Fixes = s.shellFix()
	switch {
	case slices.Contains(builtins, word.Value):
		s.report(f, "runs %q, which is a command of the shell and no program, and no shell runs it: the runtime finds no such file, and the container does not start (127 or 128)", word.Value)
	case slices.Contains(changers, word.Value):
		s.report(f, "runs %q without a shell: it is a command of the shell, no image has a program of that name that does more than end, and what stands behind it never runs", word.Value)
	case assignment.MatchString(word.Value) && !strings.Contains(word.Value, "/bin/"):
		s.report(f, "begins its command with %q, which only a shell takes for a variable: the runtime looks for a program of that name, and the container does not start (127 or 128)",
			shortened(word.Value))
	default:
		return false
	}
	return true
}

// wantsShell reports a command with operators among its words that no shell runs.
func (s subject) wantsShell() bool {
	if s.process.Shell || s.process.Partial || len(s.process.Words) == 0 || slices.Contains(operands, path.Base(s.process.Words[0].Value)) {
		return false
	}
	first := s.process.Words[0].Value
	return slices.Contains(builtins, first) || slices.Contains(changers, first) || assignment.MatchString(first) ||
		slices.ContainsFunc(s.process.Words[1:], func(w cluster.Word) bool { return operator.MatchString(w.Value) && !redirection.MatchString(w.Value) })
}

// operator reports a pipe, list or redirection.
func (s subject) operator(words []cluster.Word, i int, name string) bool {
	word := words[i]
	// cut -d ; and --separator |
	if before := words[i-1].Value; !operator.MatchString(word.Value) || strings.HasPrefix(before, "-") && (len(before) == 2 || len(word.Value) == 1 && !strings.Contains(before, "=")) {
		return false
	}
	f := s.standing(word)
	f.Fixes = s.shellFix()
	who := name
	if s.process.Partial {
		who = "the program"
	}
	switch {
	case slices.Contains(strict, name) && !s.process.Partial:
		f.Severity = diag.Error
		s.report(f, "has %q among its words and no shell to run it: %s gets it as an argument that it cannot use, and fails", word.Value, name)
	case redirection.MatchString(word.Value):
		f.Severity = diag.Info
		s.report(f, "has %q among its words and no shell to run it: %s gets it as an argument, and nothing is redirected", word.Value, who)
	default:
		s.report(f, "has %q among its words and no shell to run it: %s gets it and all that stands behind it as arguments, which are not run", word.Value, who)
	}
	return true
}

// pattern reports file names and substitutions that nobody expands.
func (s subject) pattern(words []cluster.Word, i int, name string) bool {
	word := words[i]
	f := s.standing(word)
	f.Fixes = s.shellFix()
	switch {
	// A class path has patterns of its own; the name of an archive has none
	// (https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html).
	case name == "java" && words[i-1].Value == "-jar" && (strings.ContainsAny(word.Value, "*?") || strings.HasPrefix(word.Value, "~/")):
		f.Severity = diag.Error
		s.report(f, "starts java with -jar %s, which no shell expands: there is no file of that very name, and java ends with 1 (Unable to access jarfile)", word.Value)
	case substitution.MatchString(word.Value) && !s.process.Partial && !strings.ContainsAny(word.Value, "\n"):
		s.report(f, "gives %s the text %q as it stands: only a shell runs a command there, and none does", name, shortened(word.Value))
	default:
		return false
	}
	return true
}

// shellFix gives the words to a shell.
func (s subject) shellFix() []rule.Fix {
	if len(s.ctr.Command) == 0 {
		return nil
	}
	line := strings.Join(slices.Concat(s.ctr.Command, s.ctr.Args), " ")
	ops := []node.Op{{Kind: node.Set, Path: s.ctr.At("command"), Value: []any{"sh", "-c", line}}}
	if len(s.ctr.Args) > 0 {
		ops = append(ops, node.Op{Kind: node.Remove, Path: s.ctr.At("args")})
	}
	return []rule.Fix{{Message: "run it by a shell, which the image must have", Safety: diag.Unsafe, Ops: ops}}
}
