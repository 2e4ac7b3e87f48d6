package command

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var scriptSplitIntoWords = &rule.Rule{
	ID:       "script-split-into-words",
	Title:    "sh -c is given the words of its script one by one, and runs the first alone",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: eachContainer(subject.splitScript),
}

var (
	// positional matches a script that uses the words behind it.
	positional = regexp.MustCompile(`\$[{!#]?[0-9@*#]|\bshift\b`)
	// continued matches a word that goes on with a command line.
	continued = regexp.MustCompile(`^(&&|\|\|?|;|&|>>?|<|2>)`)
)

// bare are programs that fail, or end at once, when they are run without
// arguments.
var bare = []string{
	"java", "node", "python", "python2", "python3", "ruby", "perl", "php", "sh", "bash", "npm", "npx", "go", "dotnet", "curl", "wget", "sleep", "tail",
	"cat", "echo", "cd", "exec", "mkdir", "cp", "mv", "chmod", "chown", "export", "source", "kubectl", "helm", "nc", "test", "[", "printf", "tar", "sed",
	"grep", "ls", "date", "env", "uvicorn", "flask", "apt-get", "apk", "pip", "git", "touch", "rm",
}

// splitScript reports words behind the script of `sh -c`: they are its
// positional parameters, not its arguments
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html).
func (s subject) splitScript() {
	if script, rest, ok := s.split(); ok {
		s.reportSplit(script, rest)
	}
}

// split returns a script that is but the first word of what is meant, and the
// words behind it.
func (s subject) split() (script cluster.Word, rest []cluster.Word, ok bool) {
	words := s.process.Words
	i := slices.IndexFunc(words, func(w cluster.Word) bool { return w.Known && isShell(w.Value) })
	if i < 0 || !s.process.Shell || slices.ContainsFunc(words, func(w cluster.Word) bool { return !w.Known }) {
		return cluster.Word{}, nil, false
	}
	for i++; i+2 < len(words) && strings.HasPrefix(words[i].Value, "-"); i++ {
		if strings.HasPrefix(words[i].Value, "--") || !strings.HasSuffix(words[i].Value, "c") {
			continue
		}
		script, rest = words[i+1], words[i+2:]
		if !written(script) || !written(rest[0]) || positional.MatchString(script.Value) || strings.HasPrefix(script.Value, "-") {
			return cluster.Word{}, nil, false
		}
		return script, rest, alone(script) || continued.MatchString(rest[0].Value) || continued.MatchString(rest[len(rest)-1].Value)
	}
	return cluster.Word{}, nil, false
}

// alone reports a script that is the name of a program and nothing else.
func alone(script cluster.Word) bool { return slices.Contains(bare, path.Base(script.Value)) }

func (s subject) reportSplit(script cluster.Word, rest []cluster.Word) {
	f := s.standing(script)
	f.Related = append(f.Related, rule.Related{Object: rest[0].From.Object, At: rest[0].From.Path, Message: "a parameter of the script, and no part of it"})
	consequence := "what stands there is not run"
	if alone(script) {
		f.Severity = diag.Error
		consequence = fmt.Sprintf("%s is run without arguments, and ends", path.Base(script.Value))
	}
	if list := script.From.Path[:max(len(script.From.Path)-1, 0)]; s.literal(script) && s.behind(script, rest) {
		all, _ := s.ctr.Workload.Value(list)
		items, _ := all.([]any)
		at, _ := script.From.Path[len(list)].Index()
		line := strings.Join(append([]string{script.Value}, values(rest)...), " ")
		f.Fixes = []rule.Fix{{Message: "the script in one string", Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: list, Value: append(slices.Clone(items[:at]), line)}}}}
	}
	s.report(f, "gives the shell %q alone as its script: %s is the first of the script's parameters, and %s", shortened(script.Value), shortened(rest[0].Value), consequence)
}

// behind reports whether the words stand behind the script, in the same list and
// as they are written.
func (s subject) behind(script cluster.Word, rest []cluster.Word) bool {
	return !slices.ContainsFunc(rest, func(w cluster.Word) bool {
		return !s.literal(w) || len(w.From.Path) != len(script.From.Path) || !w.From.Path.HasPrefix(script.From.Path[:len(script.From.Path)-1])
	})
}

func values(words []cluster.Word) []string {
	var out []string
	for _, w := range words {
		out = append(out, w.Value)
	}
	return out
}
