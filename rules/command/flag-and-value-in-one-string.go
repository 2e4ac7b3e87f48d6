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

var flagAndValueInOneString = &rule.Rule{
	ID:       "flag-and-value-in-one-string",
	Title:    "An option and its value, or a blank, in one argument",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: eachContainer(subject.joinedFlags),
}

var (
	// longFlag matches an option and its value in one argument; the option has no
	// "=", behind which blanks are a part of the value.
	longFlag = regexp.MustCompile(`^(--?[A-Za-z][A-Za-z0-9_.-]+)[ \t]+(\S.*)$`)
	// blankFlag matches an option without a value and with blanks behind it.
	blankFlag = regexp.MustCompile(`^--?[A-Za-z][A-Za-z0-9_.-]*\s+$`)
	// blankBefore matches an option with blanks before it.
	blankBefore = regexp.MustCompile(`^\s+--?[A-Za-z][A-Za-z0-9_.-]*(=\S*)?\s*$`)
	// scalarWithBlank matches an option whose value is a number or a truth value
	// and has a blank behind it.
	scalarWithBlank = regexp.MustCompile(`^--?[A-Za-z][A-Za-z0-9_.-]*=(\d+|true|false|\d+(ms|s|m|h))\s+$`)
	// carrier matches options, and programs, whose value is a command line for
	// somebody else.
	carrier = regexp.MustCompile(`(?i)(arg|opt|flag|param|cmd|command|exec|conf|set|define|run|script|jvm|java|extra|cli)`)
)

// interpreters take a program of their own as an argument, in which blanks are
// nothing special.
var interpreters = []string{"python", "python3", "node", "ruby", "perl", "php", "awk", "sed", "jq", "find", "xargs", "echo", "printf", "su", "ssh", "watch"}

// homemade reports a start script, which may take its arguments apart. Those of
// images that are known do not.
func homemade(program cluster.Word) bool {
	return strings.HasSuffix(program.Value, ".sh") && program.From.Object != nil
}

// joinedFlags reports arguments that no parser of options takes for one: each
// of them, getopt_long(3), Go's flag and github.com/spf13/pflag, takes the whole
// argument, up to a "=", for the option's name.
func (s subject) joinedFlags() {
	words := s.process.Words
	// Envoy's parser, TCLAP, splits an argument at its first blank itself
	// (tclap/Arg.h, delimiterRef).
	if strings.Contains(s.ctr.Image, "envoy") || len(words) > 0 && strings.HasPrefix(path.Base(words[0].Value), "envoy") {
		return
	}
	if !s.process.Partial {
		if s.process.Shell || len(s.process.Commands) != 1 {
			return
		}
		words = s.process.Commands[0].Words
		if len(words) == 0 {
			return
		}
		if name := path.Base(words[0].Value); isShell(name) || slices.Contains(interpreters, name) || homemade(words[0]) {
			return
		}
		words = words[1:]
	}
	for i, word := range words {
		if !written(word) || word.From.Within != "" || !word.From.Path.HasPrefix(s.ctr.Path) {
			continue
		}
		f := s.standing(word)
		switch text := word.Value; {
		case blankFlag.MatchString(text), blankBefore.MatchString(text), scalarWithBlank.MatchString(text):
			f.Fixes = s.replaceWord(word, strings.TrimSpace(text))
			s.report(f, "has the argument %q with a blank or line end in it: no shell takes it away, and the program does not know an option or a value of that name", text)
			return
		case s.joined(words, i):
			option := longFlag.FindStringSubmatch(text)
			if s.literal(word) {
				f.Fixes = []rule.Fix{{Message: "an item each", Safety: diag.Safe, Ops: []node.Op{{Kind: node.Set, Path: f.At[:len(f.At)-1], Value: s.takenApart(f.At, option)}}}}
			}
			name, _, _ := strings.Cut(text, "=")
			s.report(f, "has the option %s and its value in one argument, %q: no shell takes it apart, and the program does not know an option of that name (%q)",
				option[1], shortened(text), "unknown flag: "+shortened(name))
			return
		}
	}
}

// joined reports an argument of an option and its value.
func (s subject) joined(words []cluster.Word, i int) bool {
	option := longFlag.FindStringSubmatch(words[i].Value)
	if option == nil || strings.ContainsAny(words[i].Value, "\n\"'") && strings.Count(option[2], " ") > 0 {
		return false
	}
	// A short option takes the rest of its argument as its value.
	if !strings.HasPrefix(option[1], "--") && len(option[1]) > 2 && s.process.Partial {
		return false
	}
	// A value of the option before it, and one with a text of several options.
	before := ""
	if i > 0 {
		before = words[i-1].Value
	}
	several := strings.HasPrefix(option[2], "-") || strings.Contains(option[2], " -")
	return !several && (!strings.HasPrefix(before, "-") || strings.Contains(before, "=") || !carrier.MatchString(before))
}

// takenApart returns the list that the item stands in, with the option and its value
// as items of their own.
func (s subject) takenApart(at node.Path, option []string) []any {
	items := s.ctr.Args
	if at.HasPrefix(s.ctr.At("command")) {
		items = s.ctr.Command
	}
	var out []any
	index, _ := at[len(at)-1].Index()
	for i, item := range items {
		if i == index {
			out = append(out, option[1], strings.Trim(option[2], `"'`))
			continue
		}
		out = append(out, item)
	}
	return out
}
