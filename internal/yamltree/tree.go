// Package yamltree reads one YAML document into a tree that knows where
// everything stands and that means what kubectl would make of the text: YAML
// 1.1 scalars, merge keys, the last of two equal keys. It is the only importer
// of the YAML node parser.
package yamltree

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	yaml "go.yaml.in/yaml/v4"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// maxDepth bounds nesting, aliases followed, so that no walk over a tree can
// exhaust the stack. The deepest of 13,000 public files has 40 levels.
const maxDepth = 500

// A Tree is one parsed YAML document.
type Tree struct {
	file *source.File
	span source.Span
	root *yaml.Node // nil for an empty document
	// lines holds the offsets of the document's lines as the YAML scanner
	// counts them, built when a position is first asked for.
	lines      []scannerLine
	indexLines sync.Once
	dashes     []int // offsets of the dashes, and
	quotes     bool  // whether there are quotes, that restore gives back
	// mappings caches the entries of mappings that are large or have merge
	// keys: *yaml.Node → *mapping.
	mappings sync.Map
	// substituted holds the scalars that Decode found to be placeholders
	// because they stand where the type takes no string: *yaml.Node → true.
	substituted sync.Map
}

// A SyntaxError is a document that is not YAML.
type SyntaxError struct {
	Message string
	Offset  int // byte offset in the file
}

func (e *SyntaxError) Error() string { return e.Message }

// Parse reads the one document in span of file. The error is a *SyntaxError:
// the text is not YAML, or is nested or multiplied by aliases beyond reason.
func Parse(file *source.File, span source.Span) (*Tree, error) {
	t := &Tree{file: file, span: span}
	text := []byte(file.Text[span.Start:span.End])
	var doc yaml.Node
	err := unmarshal(text, &doc)
	for range maxMends {
		if err == nil || !t.mend(text, err) {
			break
		}
		doc = yaml.Node{}
		err = unmarshal(text, &doc)
	}
	if err != nil {
		return nil, t.syntaxError(err)
	}
	if len(doc.Content) > 0 {
		t.root = doc.Content[0]
	}
	if err := t.bounded(); err != nil {
		return nil, err
	}
	if t.root != nil && (t.quotes || len(t.dashes) > 0) {
		t.restore(t.root)
	}
	t.mendColons()
	return t, nil
}

// maxMends bounds how often a document is parsed again.
const maxMends = 20

// mend overwrites in text what this parser refuses and kubectl's takes, without
// moving anything: a comment that follows a bracket or a quote without a space,
// a dash alone in a list in brackets ([tee, -]), and the escape \'. It reports
// whether there was one.
func (t *Tree) mend(text []byte, err error) bool {
	var load *yaml.LoadError
	if !errors.As(err, &load) || load.Mark.Line < 1 {
		return false
	}
	at := t.offset(load.Mark.Line, load.Mark.Column) - t.span.Start
	switch {
	case at+1 > len(text):
		return false
	case text[at] == '#' && strings.Contains(load.Message, "a comment without preceding whitespace"):
		for ; at < len(text) && breakAt(t.file.Text, t.span.Start+at) == 0; at++ {
			text[at] = ' '
		}
		return true
	case text[at] == '-' && at+1 < len(text) && strings.IndexByte(",]}", text[at+1]) >= 0 && strings.Contains(load.Message, "cannot start any token"):
		text[at] = 'x'
		t.dashes = append(t.dashes, t.span.Start+at)
		return true
	case strings.Contains(load.Message, "unknown escape character") && load.ContextMark.Line > 0:
		return t.mendEscapes(text, t.offset(load.ContextMark.Line, load.ContextMark.Column)-t.span.Start)
	}
	return false
}

// mendEscapes overwrites \' in the string in double quotes at an offset by the
// escape of a character that the document does not have.
func (t *Tree) mendEscapes(text []byte, at int) bool {
	doc := t.file.Text[t.span.Start:t.span.End]
	if at >= len(text) || text[at] != '"' || strings.ContainsRune(doc, stand) || strings.Contains(doc, `\P`) || strings.Contains(doc, `\u2029`) {
		return false
	}
	mended := false
	for i, end := at, quotedEnd(doc, at, '"'); i+1 < end; i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; text[i] == '\'' {
			text[i] = 'P'
			mended = true
		}
	}
	t.quotes = t.quotes || mended
	return mended
}

// stand stands for the single quote in what mendEscapes has overwritten.
const stand = '\u2029'

// restore gives the scalars back that mend overwrote.
func (t *Tree) restore(n *yaml.Node) {
	switch {
	case n.Kind != yaml.ScalarNode:
	case n.Style&yaml.DoubleQuotedStyle != 0:
		if t.quotes {
			n.Value = strings.ReplaceAll(n.Value, string(stand), "'")
		}
	case n.Value == "x" && n.Style&^yaml.TaggedStyle == 0 && slices.Contains(t.dashes, t.content(n, t.start(n))):
		n.Value = "-"
	}
	for _, c := range n.Content {
		t.restore(c)
	}
}

// mendColons gives a plain scalar in a flow collection the colon back that it
// ends in: kubectl's parser takes [fe80::] for a list of one string, where this
// one sees a key without a value (YAML 1.2).
func (t *Tree) mendColons() {
	text := t.file.Text[t.span.Start:t.span.End]
	if !strings.Contains(text, ":]") && !strings.Contains(text, ":}") && !strings.Contains(text, ":,") {
		return
	}
	var rec func(n *yaml.Node)
	rec = func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 {
			for i := 0; i+1 < len(n.Content); i += 2 {
				k, v := n.Content[i], n.Content[i+1]
				if k.Kind != yaml.ScalarNode || k.Style&^yaml.TaggedStyle != 0 || !isEmptyNull(v) || v.Anchor != "" {
					continue
				}
				end := t.end(k, t.start(k))
				colon := end
				for colon < t.span.End && (t.file.Text[colon] == ' ' || t.file.Text[colon] == '\t') {
					colon++
				}
				if colon+1 >= t.span.End || t.file.Text[colon] != ':' || strings.IndexByte(",]}", t.file.Text[colon+1]) < 0 {
					continue
				}
				k.Value += t.file.Text[end : colon+1]
				if len(n.Content) == 2 && t.start(n) == t.start(k) { // no braces: an item of a list
					*n = *k
				}
			}
		}
		for _, c := range n.Content {
			rec(c)
		}
	}
	if t.root != nil {
		rec(t.root)
	}
}

// bounded refuses what kubectl's parser refuses for its size, by the same count
// (go.yaml.in/yaml/v2 decode.go: unmarshal, alias, allowedAliasRatio), and
// nesting deeper than maxDepth. What passes can be walked, aliases expanded.
func (t *Tree) bounded() error {
	const low, high = 400_000, 4_000_000
	nodes, aliased, through := 1, 0, 0
	open := map[*yaml.Node]bool{}
	var bad *SyntaxError
	refuse := func(n *yaml.Node, format string, args ...any) {
		bad = &SyntaxError{Message: fmt.Sprintf(format, args...), Offset: t.start(n)}
	}
	var rec func(n *yaml.Node, depth int)
	rec = func(n *yaml.Node, depth int) {
		if bad != nil || n == nil {
			return
		}
		if depth > maxDepth {
			refuse(n, "nested deeper than %d levels", maxDepth)
			return
		}
		nodes++
		if through > 0 {
			aliased++
			if aliased > 100 && nodes > 1000 {
				ratio := 0.99 - 0.89*(float64(nodes-low)/(high-low))
				if float64(aliased)/float64(nodes) > min(max(ratio, 0.10), 0.99) {
					refuse(n, "aliases multiply this document beyond reason")
					return
				}
			}
		}
		if n.Kind == yaml.AliasNode {
			if open[n] {
				refuse(n, "the anchor %q contains itself", n.Value)
				return
			}
			open[n] = true
			through++
			rec(n.Alias, depth+1)
			through--
			delete(open, n)
			return
		}
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				k, v := n.Content[i], n.Content[i+1]
				switch {
				case !isMerge(k):
					rec(k, depth+1)
					rec(v, depth+1)
				case v.Kind == yaml.SequenceNode:
					for j := len(v.Content) - 1; j >= 0; j-- {
						rec(v.Content[j], depth+1)
					}
				default:
					rec(v, depth+1)
				}
			}
			return
		}
		for _, c := range n.Content {
			rec(c, depth+1)
		}
	}
	rec(t.root, 0)
	if bad != nil {
		return bad
	}
	return nil
}

// unmarshal turns a panic of the parser, which untrusted input must not be able
// to cause but has caused before, into an error.
func unmarshal(text []byte, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser failed: %v", r)
		}
	}()
	return yaml.Unmarshal(text, doc)
}

func (t *Tree) syntaxError(err error) *SyntaxError {
	out := &SyntaxError{Message: err.Error(), Offset: t.span.Start}
	if load, ok := errors.AsType[*yaml.LoadError](err); ok {
		out.Message = load.Message
		if load.ContextMsg != "" {
			out.Message = load.ContextMsg + ": " + load.Message
		}
		if load.Mark.Line > 0 {
			out.Offset = t.offset(load.Mark.Line, load.Mark.Column)
		}
		if atEnd := out.Offset >= t.span.End || strings.Contains(load.Message, "end of stream"); atEnd && load.ContextMark.Line > 0 {
			// What was opened and never closed.
			out.Offset = t.offset(load.ContextMark.Line, load.ContextMark.Column)
		}
		if out.Offset < t.span.End && t.file.Text[out.Offset] == '\t' {
			out.Message = strayTab
		}
	}
	out.Message = strings.TrimPrefix(out.Message, "yaml: ")
	return out
}

// Empty reports whether the document holds nothing, or only null.
func (t *Tree) Empty() bool { return t.root == nil || isNull(t.root) }

// File returns the file that the document stands in.
func (t *Tree) File() *source.File { return t.file }

// Span returns the document's place in its file.
func (t *Tree) Span() source.Span { return t.span }

// An entry is one key of a mapping with its effective value.
type entry struct {
	name  string
	key   *yaml.Node
	value *yaml.Node
	// via is the alias or merge value through which the entry came into the
	// mapping, nil for one that is written there.
	via *yaml.Node
}

// deref follows an alias.
func deref(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// A mapping is the entries of a mapping node, for quick lookups.
type mapping struct {
	list  []entry
	index map[string]int
}

// smallMapping is the number of keys up to which a scan beats an index.
const smallMapping = 24

// entries lists what kubectl's parser makes of a mapping: keys in the order
// read, merge keys expanded where they stand, a later key replacing an earlier
// one of the same name, even one written out before a merge key
// (go.yaml.in/yaml/v2 decode.go, mapping and merge).
func (t *Tree) entries(n *yaml.Node) []entry {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	if len(n.Content) > 2*smallMapping || hasMerge(n) {
		return t.mapping(n).list
	}
	out := make([]entry, 0, len(n.Content)/2)
pairs:
	for i := 0; i+1 < len(n.Content); i += 2 {
		e := entry{name: keyName(n.Content[i]), key: n.Content[i], value: n.Content[i+1]}
		for j := range out {
			if out[j].name == e.name {
				out[j] = e
				continue pairs
			}
		}
		out = append(out, e)
	}
	return out
}

// lookup returns the entry of a mapping that has the name.
func (t *Tree) lookup(n *yaml.Node, name string) (entry, bool) {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return entry{}, false
	}
	if len(n.Content) > 2*smallMapping || hasMerge(n) {
		m := t.mapping(n)
		i, ok := m.index[name]
		if !ok {
			return entry{}, false
		}
		return m.list[i], true
	}
	for i := len(n.Content) - 2; i >= 0; i -= 2 { // the last one counts
		if k := n.Content[i]; keyName(k) == name {
			return entry{name: name, key: k, value: n.Content[i+1]}, true
		}
	}
	return entry{}, false
}

func hasMerge(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			return true
		}
	}
	return false
}

// mapping returns the entries of n from the cache.
func (t *Tree) mapping(n *yaml.Node) *mapping {
	if m, ok := t.mappings.Load(n); ok {
		return m.(*mapping)
	}
	m := &mapping{index: make(map[string]int, len(n.Content)/2)}
	m.collect(n, nil)
	t.mappings.Store(n, m)
	return m
}

func (m *mapping) collect(n, via *yaml.Node) {
	if n = deref(n); n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !isMerge(k) {
			m.put(entry{name: keyName(k), key: k, value: v, via: via})
			continue
		}
		through := via
		if through == nil {
			through = v
		}
		if v.Kind == yaml.SequenceNode {
			for j := len(v.Content) - 1; j >= 0; j-- { // earlier ones win
				m.collect(v.Content[j], through)
			}
			continue
		}
		m.collect(v, through)
	}
}

func (m *mapping) put(e entry) {
	if i, ok := m.index[e.name]; ok {
		m.list[i] = e
		return
	}
	m.index[e.name] = len(m.list)
	m.list = append(m.list, e)
}

// isMerge reports a merge key: << written plain, or tagged as one
// (go.yaml.in/yaml/v2 decode.go, isMerge).
func isMerge(k *yaml.Node) bool {
	if k.Kind != yaml.ScalarNode || k.Value != "<<" {
		return false
	}
	if k.Style&yaml.TaggedStyle != 0 {
		return k.Tag == "!!merge"
	}
	return k.Tag == "!" || k.Style == 0
}

// find walks the path and returns the entry it ends in, with the first alias or
// merge value passed on the way.
func (t *Tree) find(p node.Path) (entry, bool) {
	e := entry{value: t.root}
	var via *yaml.Node
	for _, step := range p {
		if e.value != nil && e.value.Kind == yaml.AliasNode && via == nil {
			via = e.value
		}
		v := deref(e.value)
		if v == nil {
			return entry{}, false
		}
		if i, ok := step.Index(); ok {
			if v.Kind != yaml.SequenceNode || i >= len(v.Content) {
				return entry{}, false
			}
			e = entry{value: v.Content[i]}
			continue
		}
		name, _ := step.Key()
		c, ok := t.lookup(v, name)
		if !ok {
			return entry{}, false
		}
		e = c
		if via == nil {
			via = e.via
		}
	}
	e.via = via
	return e, e.value != nil
}

// Has reports whether something is written at the path, null included.
func (t *Tree) Has(p node.Path) bool {
	_, ok := t.find(p)
	return ok
}

// Constant implements node.Locator: false when the scalar at the path, or one
// below it, still holds a template action or a placeholder.
func (t *Tree) Constant(p node.Path) bool {
	e, ok := t.find(p)
	if !ok {
		return true
	}
	return t.constant(e.value)
}

func (t *Tree) constant(n *yaml.Node) bool {
	n = deref(n)
	if n.Kind == yaml.ScalarNode {
		_, substituted := t.substituted.Load(n)
		return !substituted && !Placeholder(n.Value)
	}
	for _, c := range n.Content {
		if !t.constant(c) {
			return false
		}
	}
	return true
}

// Placeholder reports whether a scalar is made to be replaced before it reaches
// a cluster: a template action ({{ .Values.x }}, {% if %}), a value to be filled
// in by hand (<IMAGE>) or by sed (@NAME@, $(placeholder) is not one: the kubelet
// expands that).
func Placeholder(s string) bool {
	if strings.Contains(s, "{{") && strings.Contains(s, "}}") || strings.Contains(s, "{%") && strings.Contains(s, "%}") {
		return true
	}
	if len(s) > 2 && s[0] == '<' && s[len(s)-1] == '>' && !strings.ContainsAny(s[1:len(s)-1], "<>\n") {
		return true
	}
	return len(s) > 2 && s[0] == '@' && s[len(s)-1] == '@' && strings.IndexFunc(s[1:len(s)-1], func(r rune) bool {
		return r != '_' && r != '-' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) < 0
}

// substitution reports a scalar that stands for another value, in a place where
// the type takes no string: what envsubst, Flux's postBuild, Octopus, Concourse
// and the like replace before the cluster sees it. In a string the same text
// may be meant as it is: the kubelet expands $(VAR), a shell ${VAR}.
func substitution(s string) bool { return Placeholder(s) || substitutionPattern.MatchString(s) }

var substitutionPattern = regexp.MustCompile(`\$\{[^}]*\}|\$\([^)]*\)|#\{[^}]*\}|^\$[A-Za-z_]\w*$|^\(\(.*\)\)$|^__\w+__$|^%\w+%$|^\[\[.*\]\]$`)
