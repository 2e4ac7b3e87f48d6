package command

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/rule"
)

var quotesReachProgram = &rule.Rule{
	ID:       "quotes-reach-program",
	Title:    "Quotes meant for YAML or a shell become a part of an argument",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: eachContainer(subject.quotes),
}

var (
	// quotedOption matches an argument that is an option in quotes.
	quotedOption = regexp.MustCompile(`^(?:"(--?[A-Za-z][^"]*)"|'(--?[A-Za-z][^']*)')$`)
	// quotedValue matches an option, or the whole argument, whose value is in quotes.
	quotedValue = regexp.MustCompile(`^(--?[A-Za-z][A-Za-z0-9_.-]*=)?(?:"([^"]*)"|'([^']*)')$`)
	// exact matches values that a program cannot use with quotes around them:
	// numbers, times, truth values, addresses, URLs and files.
	exact = regexp.MustCompile(`^(:?\d+|\d+(\.\d+)?(ns|us|ms|s|m|h|[KMGT]i?B?|%)|true|false|[a-z][a-z0-9+]*://\S+|/\S+|[A-Za-z0-9.-]+:\d+)$`)
)

// quotes reports quotes that no shell takes away.
func (s subject) quotes() {
	words := s.process.Words
	if !s.process.Partial {
		if s.process.Shell || len(s.process.Commands) != 1 {
			return
		}
		words = s.process.Commands[0].Words
	}
	if len(words) == 0 {
		return
	}
	if name := path.Base(words[0].Value); !s.process.Partial && (isShell(name) || slices.Contains(interpreters, name) || homemade(words[0])) {
		return
	}
	for i, word := range words {
		if !written(word) || !s.literal(word) || i == 0 && !s.process.Partial {
			continue
		}
		f := s.standing(word)
		if found := quotedOption.FindStringSubmatch(word.Value); found != nil && (i == 0 || !strings.HasPrefix(words[i-1].Value, "-")) {
			f.Fixes = s.replaceWord(word, found[1]+found[2])
			s.report(f, "has the argument %s with the quotes in it, which no shell takes away: the program does not see an option there", shortened(word.Value))
			return
		}
		found := quotedValue.FindStringSubmatch(word.Value)
		if found == nil || found[1] == "" && (i == 0 || !strings.HasPrefix(words[i-1].Value, "-")) {
			continue
		}
		value := found[2] + found[3]
		if !exact.MatchString(value) {
			continue
		}
		f.Fixes = s.replaceWord(word, found[1]+value)
		s.report(f, "has quotes in the value of the argument %s, which no shell takes away: the program gets %s, quotes included, where it wants %s",
			shortened(word.Value), strings.TrimPrefix(shortened(word.Value), found[1]), value)
		return
	}
}
