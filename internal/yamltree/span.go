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
		place = t.grip(e)
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
// metadata.name for an object, or else the key it stands under, which for a
// document is its first.
func (t *Tree) grip(e entry) *yaml.Node {
	n := deref(e.value)
	if n == nil || n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return n
	}
	name, ok := t.lookup(n, "name")
	if !ok {
		if m, found := t.lookup(n, "metadata"); found && m.via == nil && m.value.Kind == yaml.MappingNode {
			name, ok = t.lookup(m.value, "name")
		}
	}
	if ok && name.via == nil && name.value.Kind == yaml.ScalarNode && !isEmptyNull(name.value) {
		return name.value
	}
	if e.key != nil && e.via == nil {
		return e.key
	}
	return n.Content[0]
}

// isEmptyNull reports a value that is not there: `key:` with nothing behind it
// but perhaps an anchor.
func isEmptyNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0
}

func (t *Tree) nodeSpan(n *yaml.Node) source.Span {
	start := t.start(n)
	end := t.end(n, start)
	if n != nil && isBlock(n) && len(n.Content) > 0 {
		start = t.content(n, start)
	}
	return source.Span{Start: start, End: max(start, end)}
}

// start returns the byte offset of a node, before any anchor or tag.
func (t *Tree) start(n *yaml.Node) int {
	if n == nil || n.Line == 0 {
		return t.span.Start
	}
	return t.offset(n.Line, n.Column)
}

// A scannerLine is a line of the document as the YAML scanner counts them.
type scannerLine struct {
	start int // byte offset in the document
	ascii bool
	// marks are the offsets of every markEvery-th character of a long line that
	// is not ASCII, relative to start.
	marks []int
}

const markEvery = 256

// offset turns the scanner's line and column, both counted from 1 within the
// document, into a byte offset in the file.
func (t *Tree) offset(line, column int) int {
	t.indexLines.Do(func() { t.lines = scannerLines(t.file.Text[t.span.Start:t.span.End]) })
	if line < 1 || line > len(t.lines) {
		return t.span.End
	}
	l := &t.lines[line-1]
	offset, skip := t.span.Start+l.start, max(column, 1)-1
	if l.ascii {
		return min(offset+skip, t.span.End)
	}
	if k := min(skip/markEvery, len(l.marks)); k > 0 {
		offset += l.marks[k-1]
		skip -= k * markEvery
	}
	for ; skip > 0 && offset < t.span.End; skip-- {
		_, size := utf8.DecodeRuneInString(t.file.Text[offset:])
		offset += size
	}
	return offset
}

// scannerLines indexes the lines of a document.
func scannerLines(text string) []scannerLine {
	lines := make([]scannerLine, 0, 1+strings.Count(text, "\n"))
	for at := 0; ; {
		l := scannerLine{start: at, ascii: true}
		runes := 0
		for at < len(text) && breakAt(text, at) == 0 {
			size := 1
			if text[at] >= utf8.RuneSelf {
				_, size = utf8.DecodeRuneInString(text[at:])
				l.ascii = false
			}
			at += size
			if runes++; runes%markEvery == 0 {
				l.marks = append(l.marks, at-l.start)
			}
		}
		if l.ascii {
			l.marks = nil
		}
		lines = append(lines, l)
		if at >= len(text) {
			return lines
		}
		at += breakAt(text, at)
	}
}

// breakAt returns the length of the line break at an offset, 0 when there is
// none: CR, LF, CRLF and, as in YAML 1.1, NEL, LS and PS.
func breakAt(text string, at int) int {
	switch text[at] {
	case '\n':
		return 1
	case '\r':
		if at+1 < len(text) && text[at+1] == '\n' {
			return 2
		}
		return 1
	case 0xC2:
		if strings.HasPrefix(text[at:], "\u0085") {
			return 2
		}
	case 0xE2:
		if strings.HasPrefix(text[at:], "\u2028") || strings.HasPrefix(text[at:], "\u2029") {
			return 3
		}
	}
	return 0
}

// spaceAt returns the length of the blank or line break at an offset, 0 when
// there is none.
func spaceAt(text string, at int) int {
	if text[at] == ' ' || text[at] == '\t' {
		return 1
	}
	return breakAt(text, at)
}

// end returns the byte offset behind a node that begins at start.
func (t *Tree) end(n *yaml.Node, start int) int {
	if n == nil {
		return start
	}
	text := t.file.Text[:t.span.End]
	switch n.Kind {
	case yaml.AliasNode:
		return min(start+1+len(n.Value), len(text))
	case yaml.MappingNode, yaml.SequenceNode:
		if isBlock(n) {
			return t.blockCollectionEnd(n, text, start)
		}
		return t.flowEnd(n, text, t.content(n, start))
	}
	at := t.content(n, start)
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return quotedEnd(text, at, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return quotedEnd(text, at, '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return blockEnd(text, at, n.Value)
	}
	return plainEnd(text, at, n.Value)
}

// isBlock reports a collection written without brackets.
func isBlock(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0
}

// blockCollectionEnd is the end of the last entry; where that has no value, the
// end of its colon or dash.
func (t *Tree) blockCollectionEnd(n *yaml.Node, text string, start int) int {
	if len(n.Content) == 0 {
		return t.content(n, start)
	}
	last := n.Content[len(n.Content)-1]
	if !isEmptyNull(last) || last.Anchor != "" {
		return t.end(last, t.start(last))
	}
	if n.Kind == yaml.SequenceNode {
		// The place of an empty item is behind its dash, or further down.
		return strings.LastIndexByte(text[:min(t.start(last)+1, len(text))], '-') + 1
	}
	key := n.Content[len(n.Content)-2]
	at := t.end(key, t.start(key))
	if i := skipSpaceAndComments(text, at); i < len(text) && text[i] == ':' {
		return i + 1
	}
	return at
}

// content returns the offset of a node's text behind its anchor and tag; behind
// those themselves when the node is empty.
func (t *Tree) content(n *yaml.Node, start int) int {
	if n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 && n.Tag != "!" {
		return start
	}
	text := t.file.Text[:t.span.End]
	at, end := start, start
	for at < len(text) && (text[at] == '&' || text[at] == '!') {
		verbatim := strings.HasPrefix(text[at:], "!<")
		for at < len(text) && spaceAt(text, at) == 0 && (verbatim || strings.IndexByte(",[]{}", text[at]) < 0) {
			verbatim = verbatim && text[at] != '>'
			at++
		}
		end = at
		at = skipSpaceAndComments(text, at)
	}
	if n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&^yaml.TaggedStyle == 0 {
		return end
	}
	return at
}

func skipSpaceAndComments(text string, at int) int {
	for at < len(text) {
		if size := spaceAt(text, at); size > 0 {
			at += size
			continue
		}
		if text[at] != '#' {
			return at
		}
		for at < len(text) && breakAt(text, at) == 0 {
			at++
		}
	}
	return at
}

// flowEnd returns the offset behind the bracket that closes a flow collection.
func (t *Tree) flowEnd(n *yaml.Node, text string, at int) int {
	if at >= len(text) {
		return len(text)
	}
	open := text[at] == '{' || text[at] == '['
	if open {
		at++
	}
	if len(n.Content) > 0 {
		last := n.Content[len(n.Content)-1]
		at = max(at, t.end(last, t.start(last)))
		if !open { // a single pair in a list: [a: b]
			if key := n.Content[0]; isEmptyNull(last) {
				at = t.end(key, t.start(key))
				if i := skipSpaceAndComments(text, at); i < len(text) && text[i] == ':' {
					at = i + 1
				}
			}
			return at
		}
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

// blockEnd returns the end of the last line of a block scalar that is more than
// a line break. Its indentation shows in its first line that is not blank: what
// the value does not have of the spaces there.
func blockEnd(text string, at int, value string) int {
	line := func(from int) int {
		for from < len(text) && breakAt(text, from) == 0 {
			from++
		}
		return from
	}
	header := line(at)
	end := at
	for end < header && spaceAt(text, end) == 0 {
		end++
	}
	lead := strings.TrimLeft(value, " \n\u2028\u2029")
	if lead == "" {
		return end
	}
	lead = value[:len(value)-len(lead)]
	lead = lead[strings.LastIndexAny(lead, "\n\u2028\u2029")+1:] // of a wider break, other bytes are no spaces
	first := true
	indent := 0
	for from := header; from < len(text); {
		from += breakAt(text, from)
		to := line(from)
		spaces := len(text[from:to]) - len(strings.TrimLeft(text[from:to], " "))
		blank := from+spaces == to
		switch {
		case first && blank:
			// More spaces than the indentation are content; that it is blank
			// hides how many.
		case first:
			indent, first = spaces-strings.Count(lead, " "), false
			end = to
		case spaces >= indent && to > from+indent:
			end = to
		case !blank:
			return end
		}
		from = to
	}
	return end
}

// plainEnd finds the end of a plain scalar by walking text and value together:
// a line break in the text is a space or line breaks in the value.
func plainEnd(text string, at int, value string) int {
	i := at
	for v := 0; v < len(value); {
		if i >= len(text) {
			return len(text)
		}
		inValue, inText := spaceAt(value, v), spaceAt(text, i)
		if inValue == 0 && inText == 0 && value[v] == text[i] {
			v, i = v+1, i+1
			continue
		}
		if inValue == 0 || inText == 0 {
			return i
		}
		for v < len(value) && spaceAt(value, v) > 0 {
			v += spaceAt(value, v)
		}
		for i < len(text) && spaceAt(text, i) > 0 {
			i += spaceAt(text, i)
		}
	}
	return i
}
