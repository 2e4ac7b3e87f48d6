package cluster

import (
	"slices"
	"strings"
)

// A Syntax says which options of a program take a value, as its manual page does.
type Syntax struct {
	// Short are the letters of options that take a value, attached or in the next
	// word, and Attached those that take it only attached.
	Short, Attached string
	// Long are the long options that take their value in the next word where there
	// is no "=".
	Long []string
	// Words: options are whole words behind one dash or two, as Go's flag package
	// has them.
	Words bool
}

// An Option is an option of a command line without its dashes, and its value,
// empty without one.
type Option struct {
	Name  string
	Value Word
}

// Parse splits the words behind a program's name as getopt_long does, or as Go's
// flag package. Behind "--" all are operands.
func (s Syntax) Parse(words []Word) (options []Option, operands []Word) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		next := func() Word {
			if i+1 < len(words) {
				i++
				return words[i]
			}
			return Word{Known: true}
		}
		part := func(text string) Word { w := word; w.Value = text; return w }
		text := word.Value
		switch {
		case text == "--":
			return options, append(operands, words[i+1:]...)
		case strings.HasPrefix(text, "--"), s.Words && len(text) > 1 && text[0] == '-':
			name, value, ok := strings.Cut(strings.TrimLeft(text, "-"), "=")
			o := Option{Name: name}
			if ok {
				o.Value = part(value)
			} else if slices.Contains(s.Long, name) {
				o.Value = next()
			}
			options = append(options, o)
		case len(text) > 1 && text[0] == '-':
			for j := 1; j < len(text); j++ {
				o := Option{Name: text[j : j+1]}
				rest, takes := text[j+1:], strings.Contains(s.Short, o.Name)
				switch {
				case rest != "" && (takes || strings.Contains(s.Attached, o.Name)):
					o.Value = part(rest)
					j = len(text)
				case takes:
					o.Value = next()
				}
				options = append(options, o)
			}
		default:
			operands = append(operands, word)
		}
	}
	return options, operands
}
