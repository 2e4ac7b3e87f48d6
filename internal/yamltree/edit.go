package yamltree

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// Edit implements node.Editor. Several changes may build on one another. After
// each of them the text is read again and must mean exactly what it meant
// before with the change made; otherwise Edit fails.
func (t *Tree) Edit(ops ...node.Op) ([]source.Edit, error) {
	text := t.file.Text[t.span.Start:t.span.End]
	at, err := parseText(text)
	if err != nil {
		return nil, err
	}
	table := pieces{{span: t.span}}
	for _, op := range ops {
		value, err := canonical(op.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.Path, err)
		}
		op.Value = value
		edits, err := at.edit(op)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.Path, err)
		}
		slices.SortStableFunc(edits, func(a, b source.Edit) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
		next, err := at.changed(edits, op)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.Path, err)
		}
		table = table.apply(edits)
		at = next
	}
	return table.edits(t.span), nil
}

func parseText(text string) (*Tree, error) {
	t, err := Parse(source.NewFile("", text), source.Span{End: len(text)})
	if err != nil {
		return nil, err
	}
	if bad := t.Check(); bad != nil {
		return nil, bad
	}
	if t.root == nil {
		return nil, errors.New("the document is empty")
	}
	return t, nil
}

// changed makes the edits and checks that the text then says what it should.
func (t *Tree) changed(edits []source.Edit, op node.Op) (*Tree, error) {
	var b strings.Builder
	last := 0
	for _, e := range edits {
		if e.Span.Start < last {
			return nil, errors.New("the change cannot be made in the text")
		}
		b.WriteString(t.file.Text[last:e.Span.Start] + e.New)
		last = e.Span.End
	}
	b.WriteString(t.file.Text[last:])
	next, err := parseText(b.String())
	if err != nil {
		return nil, fmt.Errorf("the change cannot be made in the text: %w", err)
	}
	before, _ := t.Value(nil)
	want, err := change(before, op.Path, op)
	if err != nil {
		return nil, err
	}
	got, _ := next.Value(nil)
	w, err := json.Marshal(want)
	if err != nil {
		return nil, err
	}
	if g, err := json.Marshal(got); err != nil || !bytes.Equal(g, w) {
		return nil, errors.New("the change would alter something else as well")
	}
	return next, nil
}

// change returns v with the operation made at the path p below it.
func change(v any, p node.Path, op node.Op) (any, error) {
	if len(p) == 0 {
		switch op.Kind {
		case node.Append:
			list, ok := v.([]any)
			if !ok && v != nil {
				return nil, errors.New("this is not a list")
			}
			return append(slices.Clone(list), jsonValue(op.Value)), nil
		case node.Set:
			return jsonValue(op.Value), nil
		}
		return nil, errors.New("the whole document cannot be removed")
	}
	remove := op.Kind == node.Remove && len(p) == 1
	if i, ok := p[0].Index(); ok {
		list, _ := v.([]any)
		list = slices.Clone(list)
		switch {
		case i < len(list) && remove:
			return slices.Delete(list, i, i+1), nil
		case i == len(list) && op.Kind != node.Remove:
			list = append(list, nil)
		case i >= len(list):
			return nil, fmt.Errorf("there is no item %d", i)
		}
		x, err := change(list[i], p[1:], op)
		list[i] = x
		return list, err
	}
	key, _ := p[0].Key()
	old, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, errors.New("this is not a mapping")
	}
	m := make(map[string]any, len(old)+1)
	maps.Copy(m, old)
	if remove {
		delete(m, key)
		return m, nil
	}
	x, err := change(m[key], p[1:], op)
	m[key] = x
	return m, err
}

// A piece is a stretch of the original text, or new text.
type piece struct {
	span source.Span
	text string
	new  bool
}

// pieces are a text made of pieces, so that edits made one after another can be
// told as edits of the original.
type pieces []piece

// apply makes edits, sorted, whose offsets count from the start of the pieces.
func (ps pieces) apply(edits []source.Edit) pieces {
	var out pieces
	at := 0 // offset of the current piece
	add := func(p piece) {
		if p.new && p.text != "" || !p.new && p.span.Start < p.span.End {
			out = append(out, p)
		}
	}
	cut := func(p piece, from, to int) piece {
		if p.new {
			return piece{text: p.text[from:to], new: true}
		}
		return piece{span: source.Span{Start: p.span.Start + from, End: p.span.Start + to}}
	}
	for i, p := range ps {
		size := len(p.text)
		if !p.new {
			size = p.span.End - p.span.Start
		}
		from := 0
		for len(edits) > 0 {
			e := edits[0]
			start, end := e.Span.Start-at, e.Span.End-at
			if start > size || start == size && i+1 < len(ps) {
				break
			}
			if start >= from {
				add(cut(p, from, start))
				add(piece{text: e.New, new: true})
			}
			from = min(end, size)
			if end > size { // goes on in the next piece
				edits[0] = source.Edit{Span: source.Span{Start: at + size, End: e.Span.End}}
				break
			}
			edits = edits[1:]
		}
		add(cut(p, from, size))
		at += size
	}
	return out
}

// edits tells how the pieces differ from the original text in span.
func (ps pieces) edits(span source.Span) []source.Edit {
	var out []source.Edit
	at, text := span.Start, ""
	emit := func(to int) {
		if to > at || text != "" {
			out = append(out, source.Edit{Span: source.Span{Start: at, End: to}, New: text})
		}
		text = ""
	}
	for _, p := range ps {
		if p.new {
			text += p.text
			continue
		}
		emit(p.span.Start)
		at = p.span.End
	}
	emit(span.End)
	return out
}

// A slot is where a value stands: behind a key, behind a dash, or at the root.
type slot struct {
	parent *yaml.Node // nil at the root
	index  int        // of the key or item in parent.Content
	value  *yaml.Node
}

func (s slot) key() *yaml.Node {
	if s.parent != nil && s.parent.Kind == yaml.MappingNode {
		return s.parent.Content[s.index]
	}
	return nil
}

func isFlow(n *yaml.Node) bool { return n != nil && n.Style&yaml.FlowStyle != 0 }

// edit turns one change into edits of the text.
func (t *Tree) edit(op node.Op) ([]source.Edit, error) {
	s, rest, err := t.slot(op.Path)
	if err != nil {
		return nil, err
	}
	switch op.Kind {
	case node.Remove:
		if len(rest) > 0 {
			return nil, errors.New("there is nothing to remove")
		}
		return t.remove(s)
	case node.Append:
		if len(rest) == 0 && s.value.Kind == yaml.SequenceNode && len(s.value.Content) > 0 {
			return t.add(s.value, nil, op.Value)
		}
		if len(rest) == 0 && s.value.Kind != yaml.SequenceNode && !isNull(s.value) {
			return nil, errors.New("this is not a list")
		}
		op.Value = []any{op.Value}
	case node.Set:
		if len(rest) == 0 && s.value.Kind == yaml.ScalarNode && isScalar(op.Value) {
			return t.setScalar(s, op.Value)
		}
	default:
		return nil, errors.New("unknown kind of change")
	}
	if len(rest) == 0 {
		return t.replace(s, op.Value)
	}
	// The last step of rest is the innermost.
	value := op.Value
	for i := len(rest) - 1; i > 0; i-- {
		if k, ok := rest[i].Key(); ok {
			value = node.Fields{{Key: k, Value: value}}
			continue
		}
		if n, _ := rest[i].Index(); n > 0 {
			return nil, fmt.Errorf("there is no item %d", n)
		}
		value = []any{value}
	}
	return t.grow(s, rest[0], value)
}

// grow adds, to the collection in s, what the step leads to.
func (t *Tree) grow(s slot, step node.Elem, value any) ([]source.Edit, error) {
	key, isKey := step.Key()
	index, _ := step.Index()
	switch v := s.value; {
	case isKey && v.Kind == yaml.MappingNode && len(v.Content) > 0:
		return t.add(v, &key, value)
	case !isKey && v.Kind == yaml.SequenceNode && len(v.Content) > 0:
		if index != len(v.Content) {
			return nil, fmt.Errorf("there is no item %d", index)
		}
		return t.add(v, nil, value)
	case isKey && (v.Kind == yaml.MappingNode || isNull(v)):
		return t.replace(s, node.Fields{{Key: key, Value: value}})
	case !isKey && index == 0 && (v.Kind == yaml.SequenceNode || isNull(v)):
		return t.replace(s, []any{value})
	case isKey:
		return nil, errors.New("the parent is not a mapping")
	}
	return nil, errors.New("the parent is not a list")
}

// slot follows the path as far as it exists and returns what is left of it.
func (t *Tree) slot(p node.Path) (slot, node.Path, error) {
	s := slot{value: t.root}
	for i, step := range p {
		v := s.value
		if v.Kind == yaml.AliasNode {
			return s, nil, fmt.Errorf("%s stands behind the alias *%s", p[:i], v.Value)
		}
		if n, ok := step.Index(); ok {
			if v.Kind != yaml.SequenceNode || n >= len(v.Content) {
				return s, p[i:], nil
			}
			s = slot{parent: v, index: n, value: v.Content[n]}
			continue
		}
		name, _ := step.Key()
		e, ok := t.lookup(v, name)
		if !ok {
			return s, p[i:], nil
		}
		if e.via != nil {
			return s, nil, fmt.Errorf("%s comes from a merge key", p[:i+1])
		}
		s = slot{parent: v, index: slices.Index(v.Content, e.key), value: e.value}
	}
	return s, nil, nil
}

// setScalar replaces a scalar by another, in the same style where that can hold
// it.
func (t *Tree) setScalar(s slot, value any) ([]source.Edit, error) {
	n := s.value
	start := t.start(n)
	end := t.end(n, start)
	if n.Anchor != "" {
		if n.Style&yaml.TaggedStyle != 0 {
			return nil, errors.New("the value has an anchor and a tag")
		}
		start = t.content(n, start)
	}
	w := t.writer(isFlow(s.parent))
	w.oneLine = t.followed(end)
	var text string
	if str, ok := value.(string); ok {
		text = w.styled(str, n.Style, t.parentColumn(s))
	} else {
		text = w.scalar(value, 0)
	}
	if isEmptyNull(n) {
		return t.fill(s, text)
	}
	return []source.Edit{{Span: source.Span{Start: start, End: end}, New: text}}, nil
}

// followed reports whether something stands in the line behind an offset, which
// a block scalar would swallow.
func (t *Tree) followed(at int) bool {
	return strings.TrimRight(t.file.Text[at:t.lineEnd(at)], " \t") != ""
}

// fill writes a one-line value where there was none.
func (t *Tree) fill(s slot, text string) ([]source.Edit, error) {
	at, err := t.behind(s)
	if err != nil {
		return nil, err
	}
	if s.value.Anchor != "" || s.value.Style != 0 {
		at = t.end(s.value, t.start(s.value))
	}
	return []source.Edit{{Span: source.Span{Start: at, End: at}, New: " " + text}}, nil
}

// behind returns the offset behind the colon or dash that a value follows.
func (t *Tree) behind(s slot) (int, error) {
	if k := s.key(); k != nil {
		at := skipSpaceAndComments(t.file.Text, t.end(k, t.start(k)))
		if at < len(t.file.Text) && t.file.Text[at] == ':' {
			return at + 1, nil
		}
	} else if s.parent != nil && isBlock(s.parent) {
		if at := strings.LastIndexByte(t.file.Text[:min(t.start(s.value)+1, len(t.file.Text))], '-'); at >= 0 {
			return at + 1, nil
		}
	}
	return 0, errors.New("the value has no place of its own in the text")
}

// replace puts a new value of any kind in the place of another.
func (t *Tree) replace(s slot, value any) ([]source.Edit, error) {
	n := s.value
	if n.Anchor != "" || n.Kind != yaml.AliasNode && n.Style&yaml.TaggedStyle != 0 {
		return nil, errors.New("the value has an anchor or a tag")
	}
	span := t.nodeSpan(n)
	w := t.writer(isFlow(s.parent) || s.parent == nil && isFlow(n))
	if isScalar(value) || isEmpty(value) || w.flow {
		w.oneLine = t.followed(span.End)
		text := w.inline(value, t.parentColumn(s))
		switch {
		case isEmptyNull(n):
			return t.fill(s, text)
		case s.parent != nil && isBlock(n): // move up behind the colon or dash
			at, err := t.behind(s)
			if err != nil {
				return nil, err
			}
			return []source.Edit{{Span: source.Span{Start: at, End: span.End}, New: " " + text}}, nil
		}
		return []source.Edit{{Span: span, New: text}}, nil
	}
	if isBlock(n) { // in the column in which the old one stands
		column, lead := t.column(span.Start), ""
		if _, list := value.([]any); !list && s.parent != nil && column <= t.parentColumn(s) {
			// Only a list may stand right below its key.
			lead = strings.Repeat(" ", w.step)
			column += w.step
		}
		return []source.Edit{{Span: span, New: lead + strings.TrimLeft(w.block(value, column), " ")}}, nil
	}
	column := t.parentColumn(s)
	switch {
	case s.parent == nil:
		return []source.Edit{{Span: span, New: w.block(value, 0)}}, nil
	case s.key() == nil: // an item: behind its dash
		text := strings.TrimLeft(w.block(value, column+2), " ")
		if isEmptyNull(n) {
			return t.fill(s, text)
		}
		return []source.Edit{{Span: span, New: text}}, nil
	}
	if _, list := value.([]any); list {
		column += w.listOffset
	} else {
		column += w.step
	}
	at, err := t.behind(s)
	if err != nil {
		return nil, err
	}
	if isEmptyNull(n) {
		span.End = at
	}
	eol := t.lineEnd(span.End)
	edits := []source.Edit{{Span: source.Span{Start: eol, End: eol}, New: w.newline + w.block(value, column)}}
	if at < span.End { // a comment behind the old value stays
		edits = append(edits, source.Edit{Span: source.Span{Start: at, End: span.End}})
	}
	return edits, nil
}

// add puts a new entry at the end of a collection that has some: a key with its
// value, or an item.
func (t *Tree) add(n *yaml.Node, key *string, value any) ([]source.Edit, error) {
	w := t.writer(isFlow(n))
	if w.flow {
		return t.addFlow(n, key, value)
	}
	column := t.column(t.nodeSpan(n).Start)
	var entry any = []any{value}
	if key != nil {
		if t.file.Text[t.nodeSpan(n).Start] == '?' {
			return nil, errors.New("the mapping is written with question marks")
		}
		entry = node.Fields{{Key: *key, Value: value}}
	}
	at := t.lineEnd(t.lastLine(n))
	return []source.Edit{{Span: source.Span{Start: at, End: at}, New: w.newline + w.block(entry, column)}}, nil
}

func (t *Tree) addFlow(n *yaml.Node, key *string, value any) ([]source.Edit, error) {
	w := t.writer(true)
	text := w.inline(value, 0)
	if key != nil {
		first := n.Content[0]
		text = w.key(*key, first.Style&yaml.DoubleQuotedStyle != 0) + ": " + text
	}
	last := n.Content[len(n.Content)-1]
	at := t.end(last, t.start(last))
	lead := n.Content[len(n.Content)-1]
	if key != nil {
		lead = n.Content[len(n.Content)-2]
		if isEmptyNull(last) {
			at = max(at, t.end(lead, t.start(lead)))
			if i := skipSpaceAndComments(t.file.Text, at); i < len(t.file.Text) && t.file.Text[i] == ':' {
				at = i + 1
			}
		}
	}
	// On a line of its own where the last entry has one.
	separator := ", "
	start := t.start(lead)
	if line := t.lineStart(start); strings.TrimLeft(t.file.Text[line:start], " \t") == "" {
		separator = "," + w.newline + t.file.Text[line:start]
	}
	if i := skipSpaceAndComments(t.file.Text, at); i < len(t.file.Text) && t.file.Text[i] == ',' {
		return nil, errors.New("the list in brackets ends in a comma") // and may have a comment behind it
	}
	return []source.Edit{{Span: source.Span{Start: at, End: at}, New: separator + text}}, nil
}

// remove deletes an entry with its lines and the comment behind it. What becomes
// empty is written {} or [].
func (t *Tree) remove(s slot) ([]source.Edit, error) {
	if s.parent == nil {
		return nil, errors.New("the whole document cannot be removed")
	}
	width := 1
	if s.parent.Kind == yaml.MappingNode {
		width = 2
	}
	if len(s.parent.Content) == width {
		return t.empty(s.parent)
	}
	first := s.parent.Content[s.index]
	start := t.start(first)
	end := t.end(s.value, t.start(s.value))
	if isEmptyNull(s.value) && s.value.Anchor == "" {
		at, err := t.behind(s)
		if err != nil && s.parent.Kind == yaml.MappingNode {
			return nil, err
		}
		end = max(at, t.end(first, start))
	}
	hasNext := s.index+width < len(s.parent.Content)
	if isFlow(s.parent) {
		if hasNext {
			return []source.Edit{{Span: source.Span{Start: start, End: t.start(s.parent.Content[s.index+width])}}}, nil
		}
		previous := s.parent.Content[s.index-1]
		from := t.end(previous, t.start(previous))
		if comma := strings.IndexByte(t.file.Text[from:start], ','); comma >= 0 {
			from += comma
		}
		return []source.Edit{{Span: source.Span{Start: from, End: end}}}, nil
	}
	if s.parent.Kind == yaml.SequenceNode {
		dash, err := t.dash(s)
		if err != nil {
			return nil, err
		}
		start = dash
		end = max(end, dash+1)
	}
	line := t.lineStart(start)
	if strings.TrimLeft(t.file.Text[line:start], " ") == "" {
		eol := t.lineEnd(end)
		if s.value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			eol = t.lineEnd(t.lastLine(s.value))
		}
		if eol < len(t.file.Text) {
			return []source.Edit{{Span: source.Span{Start: line, End: eol + breakAt(t.file.Text, eol)}}}, nil
		}
		before := strings.TrimSuffix(strings.TrimSuffix(t.file.Text[:line], "\n"), "\r")
		return []source.Edit{{Span: source.Span{Start: len(before), End: eol}}}, nil
	}
	// The first entry behind a dash: the next one takes its place.
	if !hasNext {
		return nil, errors.New("the entry shares its line with another")
	}
	next := t.start(s.parent.Content[s.index+width])
	if s.parent.Kind == yaml.SequenceNode {
		var err error
		if next, err = t.dash(slot{parent: s.parent, index: s.index + 1, value: s.parent.Content[s.index+1]}); err != nil {
			return nil, err
		}
	}
	if strings.Contains(t.file.Text[t.lineEnd(end):next], "#") {
		return nil, errors.New("a comment stands between the entry and the next one")
	}
	return []source.Edit{{Span: source.Span{Start: start, End: next}}}, nil
}

// dash returns the offset of an item's dash.
func (t *Tree) dash(s slot) (int, error) {
	at := t.column(t.nodeSpan(s.parent).Start)
	// Back from the item to the dash in the column of the list.
	for line := t.lineStart(t.start(s.value)); ; line = t.lineStart(line - 1) {
		if i := line + at; i < len(t.file.Text) && i <= t.lineEnd(line) && t.file.Text[i] == '-' {
			return i, nil
		}
		if line == 0 {
			return 0, errors.New("the item has no dash")
		}
	}
}

// empty writes {} or [] for a collection.
func (t *Tree) empty(n *yaml.Node) ([]source.Edit, error) {
	text := "[]"
	if n.Kind == yaml.MappingNode {
		text = "{}"
	}
	span := t.nodeSpan(n)
	if isFlow(n) || t.root == n {
		return []source.Edit{{Span: span, New: text}}, nil
	}
	// Up behind the colon, unless a comment stands between.
	s, ok := t.slotOf(t.root, n)
	if !ok {
		return nil, errors.New("the collection has no place of its own in the text")
	}
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || s.key() == nil {
		return []source.Edit{{Span: span, New: text}}, nil
	}
	at, err := t.behind(s)
	if err != nil {
		return nil, err
	}
	if strings.Contains(t.file.Text[at:span.Start], "#") { // the comment stays where it is
		if t.column(span.Start) <= t.parentColumn(s) {
			text = "  " + text
		}
		return []source.Edit{{Span: span, New: text}}, nil
	}
	return []source.Edit{{Span: source.Span{Start: at, End: span.End}, New: " " + text}}, nil
}

// slotOf finds the slot that a node stands in.
func (t *Tree) slotOf(root, n *yaml.Node) (slot, bool) {
	for i, c := range root.Content {
		if c == n {
			if root.Kind == yaml.MappingNode {
				i--
			}
			return slot{parent: root, index: i, value: n}, i >= 0
		}
		if s, ok := t.slotOf(c, n); ok {
			return s, true
		}
	}
	return slot{}, false
}

// lastLine returns an offset in the last line that belongs to a node: further
// down than its end where it ends in a block scalar that keeps its blank lines.
func (t *Tree) lastLine(n *yaml.Node) int {
	end := t.end(n, t.start(n))
	leaf := n
	for isBlock(leaf) && len(leaf.Content) > 0 {
		leaf = leaf.Content[len(leaf.Content)-1]
	}
	if leaf.Kind != yaml.ScalarNode || leaf.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 || !strings.HasSuffix(leaf.Value, "\n\n") && leaf.Value != "\n" {
		return end
	}
	for {
		eol := t.lineEnd(end)
		if eol == len(t.file.Text) {
			return end
		}
		next := eol + breakAt(t.file.Text, eol)
		if after := t.lineEnd(next); strings.TrimLeft(t.file.Text[next:after], " ") != "" || next == len(t.file.Text) {
			return end
		}
		end = next
	}
}

// lineStart and lineEnd return where the line of an offset begins, and where it
// ends without its line break.
func (t *Tree) lineStart(at int) int {
	return strings.LastIndexAny(t.file.Text[:max(at, 0)], "\r\n") + 1
}

func (t *Tree) lineEnd(at int) int {
	for at < len(t.file.Text) && breakAt(t.file.Text, at) == 0 {
		at++
	}
	return at
}

// column counts the characters before an offset in its line: the number of
// spaces that another line needs to stand under it.
func (t *Tree) column(at int) int { return len([]rune(t.file.Text[t.lineStart(at):at])) }

// parentColumn is the column of the key or dash that a value follows.
func (t *Tree) parentColumn(s slot) int {
	switch {
	case s.parent == nil:
		return 0
	case s.key() != nil:
		return t.column(t.start(s.key()))
	}
	return t.column(t.nodeSpan(s.parent).Start)
}
