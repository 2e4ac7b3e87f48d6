package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// A fault is where a text breaks the syntax of its format, in bytes of the text.
type fault struct {
	message    string
	start, end int
}

// jsonFault returns what is wrong with a JSON text, nil where nothing is. lenient
// is true when comments and commas before a closing bracket are let pass, which
// many parsers do.
func jsonFault(text string, lenient bool) *fault {
	body := text
	if lenient {
		body = withoutComments(text)
	}
	if strings.TrimSpace(body) == "" {
		return nil // some programs take an empty file for {}
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	var value any
	err := decoder.Decode(&value)
	if err == nil {
		// A second value is what several programs read one by one.
		return nil
	}
	var bad *json.SyntaxError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		end := len(strings.TrimRight(text, " \t\r\n"))
		return &fault{"the file ends before the value does: a bracket or quote is never closed", max(end-1, 0), end}
	case errors.As(err, &bad):
		at := min(max(int(bad.Offset)-1, 0), len(text)-1)
		return &fault{bad.Error(), at, at + 1}
	}
	return nil // a number beyond float64, say: well-formed
}

// withoutComments overwrites comments, and commas before a closing bracket, with
// blanks, so that everything else stays in its place.
func withoutComments(text string) string {
	out := []byte(text)
	blank := func(from, to int) {
		for i := from; i < to; i++ {
			if out[i] != '\n' && out[i] != '\r' {
				out[i] = ' '
			}
		}
	}
	comma := -1
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case ch == '"':
			for i++; i < len(text) && text[i] != '"' && text[i] != '\n'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			comma = -1
		case strings.HasPrefix(text[i:], "//") || ch == '#':
			end := i + strings.IndexByte(text[i:]+"\n", '\n')
			blank(i, end)
			i = end - 1
		case strings.HasPrefix(text[i:], "/*"):
			end := len(text)
			if j := strings.Index(text[i:], "*/"); j >= 0 {
				end = i + j + len("*/")
			}
			blank(i, end)
			i = end - 1
		case ch == ',':
			comma = i
		case ch == '}' || ch == ']':
			if comma >= 0 {
				out[comma] = ' '
			}
			comma = -1
		case !strings.ContainsRune(" \t\r\n", rune(ch)):
			comma = -1
		}
	}
	return string(out)
}

// tomlFault returns what is wrong with a TOML text, nil where nothing is.
func tomlFault(text string) (found *fault) {
	defer func() {
		if recover() != nil {
			found = nil // the parser's own fault
		}
	}()
	var value any
	_, err := toml.Decode(text, &value)
	var bad toml.ParseError
	if !errors.As(err, &bad) {
		return nil
	}
	start := min(max(bad.Position.Start, 0), len(text))
	return &fault{bad.Message, start, min(start+max(bad.Position.Len, 1), len(text))}
}

// group matches a line of an option file that begins a group.
var group = regexp.MustCompile(`^\s*\[.*\]`)

// optionsFault returns what is wrong with an option file of MySQL's: an option
// before any group, or a group that is not closed (mysys/my_default.cc,
// search_default_file_with_ext).
func optionsFault(text string) *fault {
	at := 0
	for line := range strings.Lines(text) {
		start := at
		at += len(line)
		content := strings.TrimSpace(line)
		start += strings.Index(line, content)
		switch {
		case content == "" || content[0] == '#' || content[0] == ';' || content[0] == '!':
			continue
		case group.MatchString(line):
			return nil
		case content[0] == '[':
			return &fault{"the group definition lacks its \"]\"", start, start + len(content)}
		}
		return &fault{fmt.Sprintf("option %q stands before any [group]", strings.TrimSpace(strings.SplitN(content, "=", 2)[0])), start, start + len(content)}
	}
	return nil
}
