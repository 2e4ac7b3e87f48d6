package command

import (
	"regexp"
	"slices"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var scriptSyntaxError = &rule.Rule{
	ID:       "script-syntax-error",
	Title:    "A shell script that no shell can read to its end",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.syntaxError),
}

// refused matches what the parser says of scripts that dash, bash and BusyBox
// refuse as well, as a test of this package asks them.
var refused = regexp.MustCompile(`(reached EOF without (closing quote|matching)|statement must end with|must be followed by|can only be used (to end|in)|must be preceded by)`)

// syntaxError reports a script that all shells refuse. They read it line by
// line, so that what stands above the fault has been run.
func (s subject) syntaxError() {
	p := s.process
	if p.ScriptError == "" || !refused.MatchString(p.ScriptError) || len(p.Words) == 0 {
		return
	}
	// Nothing may come between: another program in the shell's place, or an end.
	if slices.ContainsFunc(p.Commands, func(c cluster.Command) bool {
		return c.Exec || c.Name() == "exit" || c.Name() == "return" || c.Forever || c.Name() == "eval"
	}) ||
		slices.ContainsFunc(p.Words, func(w cluster.Word) bool { return !w.Known || w.Secret }) {
		return
	}
	word, ok := s.script()
	if !ok {
		return
	}
	f := s.standing(word)
	if word.From.Object != s.ctr.Workload.Object {
		f = rule.Finding{Object: word.From.Object, At: word.From.Path}
	}
	f.Needs = []node.Path{f.At}
	s.report(f, "runs a script that is a syntax error (%s): the shell ends with 2 where it comes to it", p.ScriptError)
}

// script returns the word that holds or names the script, when there is one
// only: then the error is in it.
func (s subject) script() (cluster.Word, bool) {
	p := s.process
	switch len(p.Scripts) {
	case 0:
		for i, w := range p.Words {
			if i > 0 && isShell(p.Words[0].Value) && (p.Words[i-1].Value == "-c" || len(p.Words[i-1].Value) > 2 && p.Words[i-1].Value[0] == '-' && p.Words[i-1].Value[len(p.Words[i-1].Value)-1] == 'c') {
				return w, written(w)
			}
		}
	case 1:
		w := p.Scripts[0].Word
		w.From = p.Scripts[0].From
		return w, len(p.Words) <= 2 && written(w)
	}
	return cluster.Word{}, false
}
