package command

import (
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var argsReplaceSubcommand = &rule.Rule{
	ID:       "args-replace-subcommand",
	Title:    "args take the place of the image's program or of its subcommand",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.subcommand),
}

// subcommand reports arguments that begin with an option where a program, or a
// subcommand of it, belongs: args replace all of the image's CMD
// (https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/).
func (s subject) subcommand() {
	if s.Cluster.Patched(s.ctr.Workload) {
		return
	}
	if s.optionAsProgram() {
		return
	}
	facts := s.Cluster.Image(s.ctr)
	c := facts.Subcommands
	if c == nil {
		return
	}
	args, ok := s.argumentsOf(c.Program)
	if !ok {
		return
	}
	if c.Variable != "" {
		env := s.Cluster.Environment(s.ctr)
		if _, set := env.Lookup(c.Variable); set || env.Open {
			return
		}
	}
	for _, w := range args {
		if !w.Known || slices.Contains(c.Names, w.Value) || w.Value == "--help" || w.Value == "-h" || w.Value == "--version" {
			return
		}
	}
	if len(args) > 0 && !strings.HasPrefix(args[0].Value, "-") {
		return
	}
	f := rule.Finding{Object: s.ctr.Workload.Object, At: s.ctr.At("args"), Needs: []node.Path{s.ctr.At("image")}}
	if len(s.ctr.Args) == 0 {
		f.At = s.ctr.At("command")
		if len(s.ctr.Command) == 0 {
			f.At = s.ctr.At("image")
		}
	}
	if c.Source != "" {
		f.Notes = []string{"the image: " + c.Source}
	}
	if len(s.ctr.Args) > 0 {
		f.Fixes = []rule.Fix{{Message: "begin args with " + c.Names[0], Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: s.ctr.At("args"), Value: append([]any{c.Names[0]}, items(s.ctr.Args)...)}}}}
	}
	if len(args) == 0 {
		s.report(f, "runs %s without a subcommand such as %s: it prints what it can do, and ends", c.Program, c.Names[0])
		return
	}
	s.report(f, "gives %s the option %s and no subcommand such as %s, whose place args take: it does not know the option, or prints what it can do, and ends",
		c.Program, shortened(args[0].Value), c.Names[0])
}

func items(list []string) []any {
	out := make([]any, len(list))
	for i, item := range list {
		out[i] = item
	}
	return out
}

// argumentsOf returns the words that the program gets, false when something else
// runs or may.
func (s subject) argumentsOf(program string) ([]cluster.Word, bool) {
	words := s.process.Words
	switch {
	case s.process.Shell:
		return nil, false
	case s.process.Partial:
		return words, len(words) > 0
	case len(words) == 0:
		return nil, false
	}
	if words[0].From.Object != nil && path.Base(words[0].Value) != program {
		return nil, false
	}
	for _, w := range words[1:] {
		if !w.Known {
			return nil, false
		}
	}
	return words[1:], true
}

// programs are the extensions of what an interpreter runs, and the runtime does
// not find on its PATH.
var programs = []string{".py", ".js", ".mjs", ".rb", ".php", ".jar", ".ts", ".pl"}

// optionAsProgram reports an option, or a program for an interpreter, where the name of the program belongs.
func (s subject) optionAsProgram() bool {
	if s.process.Partial || s.process.Shell || len(s.process.Commands) != 1 || len(s.process.Commands[0].Words) == 0 {
		return false
	}
	word := s.process.Commands[0].Words[0]
	if !written(word) || !strings.HasPrefix(word.Value, "-") && (len(s.ctr.Command) > 0 || !slices.Contains(programs, path.Ext(word.Value)) || strings.Contains(word.Value, "/")) {
		return false
	}
	f := s.standing(word)
	if len(s.ctr.Command) > 0 {
		s.report(f, "has %s where the name of a program belongs: the runtime finds no such file, and the container does not start (127 or 128)", shortened(word.Value))
		return true
	}
	_, command := s.Cluster.Image(s.ctr).Entrypoint()
	f.Needs = []node.Path{s.ctr.At("image")}
	f.Fixes = []rule.Fix{{Message: "name the program in command", Safety: diag.Display}}
	s.report(f, "has %s as the first of its args, which take the place of the image's own command %q: the runtime looks for a program of that name, and the container does not start (127 or 128)",
		shortened(word.Value), strings.Join(command, " "))
	return true
}
