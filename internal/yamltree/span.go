package yamltree

import (
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// The parser gives a node's first line and column, counted in runes from the
// document's start; it gives no end. Ends are recovered from the text, by the
// style in which the node is written.

// Locate implements node.Locator.
func (t *Tree) Locate(p node.Path, target node.Target) (node.Location, bool) {
	e, ok := t.find(p)
	if !ok {
		return node.Location{}, false
	}
	var place *yaml.Node
	switch target {
	case node.KeyOf:
		place = e.key
	case node.Grip:
		place = grip(e.value)
	}
	if place == nil {
		place = e.value
	}
	if isEmptyNull(place) && e.key != nil {
		place = e.key
	}
	loc := node.Location{File: t.file, Span: t.nodeSpan(place)}
	if e.via == nil && e.value.Kind == yaml.AliasNode && place != e.key {
		e.via = e.value
	}
	if e.via != nil && e.via != place {
		defined := loc.Span
		loc.Span, loc.Defined = t.nodeSpan(e.via), &defined
	} else if place.Kind == yaml.AliasNode && place.Alias != nil {
		defined := t.nodeSpan(place.Alias)
		loc.Defined = &defined
	}
	return loc, true
}

// grip is what to point at when something is absent from a mapping: its name,
// metadata.name for an object, or else its first key.
func grip(n *yaml.Node) *yaml.Node {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return n
	}
	es := entries(n)
	for _, e := range es {
		if e.name == "name" && deref(e.value).Kind == yaml.ScalarNode && e.via == nil {
			return e.value
		}
	}
	for _, e := range es {
		if e.name == "metadata" {
			for _, m := range entries(e.value) {
				if m.name == "name" && m.via == nil {
					return m.value
				}
			}
		}
	}
	return n.Content[0]
}

// isEmptyNull reports a value that is not there: `key:` with nothing behind it.
func isEmptyNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0
}

func (t *Tree) nodeSpan(n *yaml.Node) source.Span {
	start := t.start(n)
	return source.Span{Start: start, End: max(start, t.end(n, start))}
}

// start returns the byte offset of a node, before any anchor or tag.
func (t *Tree) start(n *yaml.Node) int {
	if n == nil || n.Line == 0 {
		return t.span.Start
	}
	return t.offset(n.Line, n.Column)
}

// offset turns the scanner's line and column, both counted from 1 within the
// document, into a byte offset in the file.
func (t *Tree) offset(line, column int) int {
	t.indexLines.Do(func() { t.lines = scannerLines(t.file.Text[t.span.Start:t.span.End]) })
	if line > len(t.lines) {
		return t.span.End
	}
	text := t.file.Text
	offset := t.span.Start + t.lines[line-1]
	for c := 1; c < column && offset < t.span.End; c++ {
		_, size := utf8.DecodeRuneInString(text[offset:])
		offset += size
	}
	return offset
}

// scannerLines returns the offsets at which the YAML scanner begins lines. It
// breaks lines at CR, LF, CRLF and, as YAML 1.1 does, at NEL, LS and PS.
func scannerLines(text string) []int {
	lines := []int{0}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\n':
			lines = append(lines, i+1)
		case '\r':
			if i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
			lines = append(lines, i+1)
		case 0xC2:
			if strings.HasPrefix(text[i:], "\u0085") {
				i++
				lines = append(lines, i+1)
			}
		case 0xE2:
			if strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029") {
				i += 2
				lines = append(lines, i+1)
			}
		}
	}
	return lines
}

// end returns the byte offset behind a node that begins at start.
func (t *Tree) end(n *yaml.Node, start int) int {
	if n == nil {
		return start
	}
	text := t.file.Text[:t.span.End]
	at := start
	if n.Kind != yaml.AliasNode {
		at = skipProperties(text, start)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return min(start+1+len(n.Value), len(text))
	case yaml.MappingNode, yaml.SequenceNode:
		if n.Style&yaml.FlowStyle != 0 {
			return t.flowEnd(n, text, at)
		}
		if len(n.Content) == 0 {
			return at
		}
		last := n.Content[len(n.Content)-1]
		end := t.end(last, t.start(last))
		if n.Kind == yaml.MappingNode {
			key := n.Content[len(n.Content)-2]
			if isEmptyNull(last) || isEmptyFlowless(last) {
				end = t.end(key, t.start(key)) + 1 // its colon
			}
		}
		return end
	}
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return quotedEnd(text, at, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return quotedEnd(text, at, '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return t.blockEnd(text, at)
	}
	return plainEnd(text, at, n.Value)
}

// isEmptyFlowless reports a block collection without items, which has no text.
func isEmptyFlowless(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0 && len(n.Content) == 0
}

// skipProperties moves past an anchor and a tag to the content.
func skipProperties(text string, at int) int {
	for at < len(text) && (text[at] == '&' || text[at] == '!') {
		for at < len(text) && !isSpace(text[at]) {
			at++
		}
		at = skipSpaceAndComments(text, at)
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func skipSpaceAndComments(text string, at int) int {
	for at < len(text) {
		switch {
		case isSpace(text[at]):
			at++
		case text[at] == '#' && (at == 0 || isSpace(text[at-1])):
			for at < len(text) && text[at] != '\n' {
				at++
			}
		default:
			return at
		}
	}
	return at
}

// flowEnd returns the offset behind the bracket that closes a flow collection.
func (t *Tree) flowEnd(n *yaml.Node, text string, at int) int {
	at++ // the opening bracket
	if len(n.Content) > 0 {
		last := n.Content[len(n.Content)-1]
		at = max(at, t.end(last, t.start(last)))
	}
	for at < len(text) {
		at = skipSpaceAndComments(text, at)
		if at < len(text) && (text[at] == '}' || text[at] == ']') {
			return at + 1
		}
		at++ // a comma, or the colon of an empty value
	}
	return len(text)
}

func quotedEnd(text string, at int, quote byte) int {
	for i := at + 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] == quote:
			if quote == '\'' && i+1 < len(text) && text[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(text)
}

// blockEnd returns the end of a block scalar's last line that is not blank. The
// scalar goes on as long as lines are blank or indented like its first.
func (t *Tree) blockEnd(text string, at int) int {
	header := strings.IndexByte(text[at:], '\n')
	if header < 0 {
		return len(text)
	}
	end := at + len(strings.TrimRight(text[at:at+header], " \t\r"))
	lineStart := at + header + 1
	indent := -1
	for _, c := range strings.TrimLeft(text[at:at+header], "|>+-") {
		if c < '1' || c > '9' {
			break
		}
		// An indentation indicator counts from the parent's indentation, which
		// is at most that of the line the header stands on.
		indent = 1
	}
	for lineStart < len(text) {
		next := strings.IndexByte(text[lineStart:], '\n')
		lineEnd := len(text)
		if next >= 0 {
			lineEnd = lineStart + next
		}
		line := strings.TrimSuffix(text[lineStart:lineEnd], "\r")
		spaces := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimLeft(line, " ") != "" {
			if indent < 0 {
				if spaces == 0 && !t.blockMayStartAtMargin(at) {
					break
				}
				indent = spaces
			}
			if spaces < indent {
				break
			}
			end = lineStart + len(line)
		}
		if next < 0 {
			break
		}
		lineStart = lineEnd + 1
	}
	return end
}

// blockMayStartAtMargin reports a block scalar that is the whole document,
// whose lines need no indentation.
func (t *Tree) blockMayStartAtMargin(at int) bool {
	return t.root != nil && t.root.Kind == yaml.ScalarNode && t.start(t.root) <= at
}

// plainEnd finds the end of a plain scalar by walking text and value together:
// a line break in the text is a space or line breaks in the value.
func plainEnd(text string, at int, value string) int {
	i := at
	for v := 0; v < len(value); {
		if i >= len(text) {
			return len(text)
		}
		if value[v] == text[i] && !isSpace(value[v]) {
			v, i = v+1, i+1
			continue
		}
		if isSpace(value[v]) {
			for v < len(value) && isSpace(value[v]) {
				v++
			}
			from := i
			for i < len(text) && isSpace(text[i]) {
				i++
			}
			if i == from {
				return i
			}
			continue
		}
		return i
	}
	return i
}
