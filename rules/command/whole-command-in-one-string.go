package command

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var wholeCommandInOneString = &rule.Rule{
	ID:       "whole-command-in-one-string",
	Title:    "A whole command line stands where the name of a program belongs",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.oneString),
}

// oneString reports a program whose name is a command line: the runtime looks
// for a file of that very name (opencontainers/runc
// libcontainer/standard_init_linux.go, Init: exec.LookPath(Args[0])).
func (s subject) oneString() {
	words := s.process.Words
	if len(words) == 0 {
		return
	}
	at, handed := 0, false
	switch {
	case s.process.Partial:
		// What an unknown entrypoint makes of its arguments nobody knows, but only
		// a shell takes a string apart.
		handed = true
	case s.process.Shell:
		return
	case words[0].From.Object == nil && path.Base(words[0].Value) == "docker-entrypoint.sh":
		// The scripts of that name in docker-library's images end with exec "$@".
		at = 1
	case words[0].From.Object == nil && len(s.ctr.Args) == 1:
		handed, words = true, words[len(words)-1:]
	case len(s.process.Commands) == 1 && len(s.process.Commands[0].Words) > 0:
		// A wrapper such as tini looks for the program by itself.
		words = s.process.Commands[0].Words
	}
	if at >= len(words) || handed && (len(words) > 1 || !launches(words[0].Value)) || at > 0 && strings.HasPrefix(words[at].Value, "-") {
		return
	}
	word := words[at]
	if !written(word) || !commandLine(word.Value) {
		return
	}
	f := s.standing(word)
	if strings.TrimSpace(word.Value) == strings.Fields(word.Value)[0] {
		f.Fixes = s.replaceWord(word, strings.TrimSpace(word.Value))
		s.report(f, "runs a program of the name %q, a blank or line end included: there is no such file, and the container does not start (127 or 128)", word.Value)
		return
	}
	if list := word.From.Path[:max(len(word.From.Path)-1, 0)]; s.onlyItem(list) && s.literal(word) {
		f.Fixes = []rule.Fix{splitFix(list, word.Value)}
	}
	if handed {
		f.Severity = diag.Warning
		s.report(f, "hands its image the whole command line %q as one argument, which no shell takes apart: an entrypoint that runs it looks for a program of that name and ends with 127",
			shortened(word.Value))
		return
	}
	s.report(f, "has a whole command line in one string, %q, which no shell takes apart: the runtime looks for a program of that name, and the container does not start (127 or 128)",
		shortened(word.Value))
}

// onlyItem reports a list of the container, command or args, that has one item.
func (s subject) onlyItem(list node.Path) bool {
	items, _ := s.ctr.Workload.Value(list)
	l, ok := items.([]any)
	return ok && len(l) == 1
}

// programName matches what can be the name of a program, with its path.
var programName = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./+@:-]*$`)

// commandLine reports a text that is a command line and not the name of a file
// in which there happens to be a blank.
func commandLine(text string) bool {
	fields := strings.Fields(text)
	switch {
	case len(fields) == 0 || !programName.MatchString(fields[0]):
		return false
	case len(fields) == 1:
		return text != fields[0]
	case strings.HasPrefix(fields[0], "/") && strings.Contains(fields[1], "/") && !strings.ContainsAny(fields[1][:1], "/.-"):
		return false // /opt/My App/run
	}
	return true
}

// launchers are programs that people begin a command line with.
var launchers = []string{
	"java", "node", "npm", "npx", "yarn", "pnpm", "python", "python2", "python3", "ruby", "bundle", "rails", "php", "perl", "dotnet",
	"gunicorn", "uvicorn", "celery", "flask", "sh", "bash", "exec", "nginx", "mysqld", "postgres", "redis-server", "mongod", "sleep", "tail", "go", "cargo",
}

// launches reports a command line that begins with such a program.
func launches(text string) bool {
	fields := strings.Fields(text)
	return len(fields) > 1 && slices.Contains(launchers, path.Base(fields[0]))
}

// splitFix makes a list of a command line: of its words, or a shell's script
// where it needs one.
func splitFix(at node.Path, line string) rule.Fix {
	if strings.ContainsAny(line, "\"'`$|&;<>()*?[]{}\\~#\n") {
		return rule.Fix{Message: "run it by a shell, which the image must have", Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: at, Value: []any{"sh", "-c", line}}}}
	}
	var words []any
	for word := range strings.FieldsSeq(line) {
		words = append(words, word)
	}
	return rule.Fix{Message: "one word an item", Safety: diag.Safe, Ops: []node.Op{{Kind: node.Set, Path: at, Value: words}}}
}
