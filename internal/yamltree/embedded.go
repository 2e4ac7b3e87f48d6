package yamltree

import (
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
	sigs "sigs.k8s.io/yaml"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// Embedded reads the string at the path as a YAML document of its own, as a
// program does that finds it in a file of a ConfigMap. Places in it are bytes of
// the string; Inside says where these stand. Of several documents it is the
// first. The problem is a string that no YAML parser takes; both are nil where
// there is no string, or where parsers differ.
func (t *Tree) Embedded(p node.Path) (node.Embedded, *node.Problem) {
	text, ok := t.String(p)
	if !ok {
		return nil, nil
	}
	file := source.NewFile(t.file.Path, text)
	span := firstDocument(text)
	tree, err := Parse(file, span)
	if err == nil {
		return tree, nil
	}
	bad, ok := err.(*SyntaxError) //nolint:errorlint // Parse says that it is one
	if _, second := sigs.YAMLToJSON([]byte(text[span.Start:span.End])); second == nil || !ok {
		return nil, nil
	}
	return nil, &node.Problem{Kind: node.Malformed, Path: p, Message: bad.Message, Here: node.Location{
		File: file, Span: source.Span{Start: min(bad.Offset, len(text)), End: min(bad.Offset, len(text))},
	}}
}

// firstDocument returns the span of the first document of a stream that holds
// something.
func firstDocument(text string) source.Span {
	start := 0
	for at := 0; at < len(text); {
		line, _, _ := strings.Cut(text[at:], "\n")
		if line = strings.TrimRight(line, " \t\r"); line == "---" || line == "..." || strings.HasPrefix(line, "--- ") {
			if doc := strings.TrimSpace(text[start:at]); doc != "" && !onlyComments(doc) {
				return source.Span{Start: start, End: at}
			}
			start = at + min(len("---"), len(line))
		}
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return source.Span{Start: start, End: len(text)}
}

func onlyComments(doc string) bool {
	for line := range strings.Lines(doc) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != '%' {
			return false
		}
	}
	return true
}

// Inside returns the place of a part of the string at the path, which is given
// in bytes of the string. Where the text does not spell the part out, it is the
// place of the whole; false when there is no string.
func (t *Tree) Inside(p node.Path, part source.Span) (node.Location, bool) {
	e, ok := t.find(p)
	n := deref(e.value)
	if !ok || n == nil || n.Kind != yaml.ScalarNode {
		return node.Location{}, false
	}
	whole := t.nodeSpan(n)
	start, ok := t.inside(n, whole, part.Start)
	end, ok2 := t.inside(n, whole, part.End)
	if !ok || !ok2 || start > end {
		start, end = whole.Start, whole.End
	}
	return node.Location{File: t.file, Span: source.Span{Start: start, End: end}}, true
}

// inside returns the offset in the file of a byte of the scalar's value.
func (t *Tree) inside(n *yaml.Node, whole source.Span, at int) (int, bool) {
	if at < 0 || at > len(n.Value) {
		return 0, false
	}
	from := t.content(n, t.start(n))
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		return literalOffset(t.file.Text[:t.span.End], from, n.Value, at)
	case n.Style&yaml.FoldedStyle != 0:
		return 0, false
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return quotedOffset(t.file.Text, from+1, whole.End-1, n.Value, at, n.Style)
	}
	return quotedOffset(t.file.Text, from, whole.End, n.Value, at, 0)
}

// literalOffset finds a byte of a literal block, whose lines are those of its
// value behind the indentation. from is the offset of the block's header.
func literalOffset(text string, from int, value string, at int) (int, bool) {
	newline := func(i int) int {
		if end := strings.IndexByte(text[i:], '\n'); end >= 0 {
			return i + end + 1
		}
		return len(text)
	}
	// The first line that is not blank shows how far the block is indented: what
	// its value does not have of the spaces there.
	lines := strings.Split(value, "\n")
	indent, start := -1, newline(from)
	for line, i := 0, start; line < len(lines) && i < len(text); line, i = line+1, newline(i) {
		if content := strings.TrimLeft(lines[line], " "); content != "" {
			spaces := len(text[i:]) - len(strings.TrimLeft(text[i:], " "))
			indent = spaces - (len(lines[line]) - len(content))
			break
		}
	}
	if indent < 0 {
		return 0, false
	}
	line := strings.Count(value[:at], "\n")
	column := at - (strings.LastIndexByte(value[:at], '\n') + 1)
	i := start
	for range line {
		i = newline(i)
	}
	end := newline(i)
	offset := min(i+indent+column, max(i, len(strings.TrimRight(text[:end], "\r\n"))))
	// The text must say there what the value does.
	if rest := lines[line][column:]; rest != "" && !strings.HasPrefix(text[min(offset, len(text)):], rest) {
		return 0, false
	}
	return offset, true
}

// quotedOffset finds a byte of the value of a scalar that is no block by walking
// text, which lies in [i, end), and value together.
func quotedOffset(text string, i, end int, value string, at int, style yaml.Style) (int, bool) {
	for v := 0; v < at; {
		if i >= end {
			return 0, false
		}
		size, meant := 1, text[i:i+1]
		switch {
		case style&yaml.DoubleQuotedStyle != 0 && text[i] == '\\':
			var ok bool
			if meant, size, ok = unescape(text[i:end]); !ok {
				return 0, false
			}
		case style&yaml.SingleQuotedStyle != 0 && strings.HasPrefix(text[i:end], "''"):
			size = 2
		case text[i] == '\n' || text[i] == '\r':
			return 0, false // folded
		}
		if !strings.HasPrefix(value[v:], meant) {
			return 0, false
		}
		v += len(meant)
		i += size
	}
	return i, i <= end
}

// unescape reads the escape sequence that the text begins with (YAML 1.2, 5.7).
func unescape(text string) (meant string, size int, ok bool) {
	if len(text) < 2 {
		return "", 0, false
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[text[1]]
	if digits == 0 {
		plain, ok := map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '"': `"`, '\\': `\`, '/': "/", 'b': "\b", 'f': "\f", ' ': " ", '0': "\x00", 'e': "\x1b", 'a': "\a", 'v': "\v"}[text[1]]
		return plain, 2, ok
	}
	if len(text) < 2+digits {
		return "", 0, false
	}
	r, err := strconv.ParseUint(text[2:2+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(r)) {
		return "", 0, false // half of a pair, in JSON
	}
	return string(rune(r)), 2 + digits, true
}
