// Package yamltree reads one YAML document into a tree that knows where
// everything stands and that means what kubectl would make of the text: YAML
// 1.1 scalars, merge keys, the last of two equal keys. It is the only importer
// of the YAML node parser.
package yamltree

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	yaml "go.yaml.in/yaml/v4"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// Limits on untrusted input. Real manifests stay far below them: the largest
// of 13,000 public files has some 400,000 nodes and a depth of 40.
const (
	// maxDepth bounds nesting, aliases followed.
	maxDepth = 500
	// maxVisits bounds the nodes seen by one walk over a document, aliases
	// expanded, so that an alias bomb costs no more than a large file.
	maxVisits = 5_000_000
)

// A Tree is one parsed YAML document.
type Tree struct {
	file *source.File
	span source.Span
	root *yaml.Node // nil for an empty document
	// lines holds the offsets of the document's lines as the YAML scanner
	// counts them, built when a position is first asked for.
	lines      []int
	indexLines sync.Once
}

// A SyntaxError is a document that is not YAML.
type SyntaxError struct {
	Message string
	Offset  int // byte offset in the file
}

func (e *SyntaxError) Error() string { return e.Message }

// Parse reads the one document in span of file. The error is a *SyntaxError.
func Parse(file *source.File, span source.Span) (*Tree, error) {
	t := &Tree{file: file, span: span}
	var doc yaml.Node
	if err := unmarshal(file.Text[span.Start:span.End], &doc); err != nil {
		return nil, t.syntaxError(err)
	}
	if len(doc.Content) > 0 {
		t.root = doc.Content[0]
	}
	return t, nil
}

// unmarshal turns a panic of the parser, which untrusted input must not be able
// to cause but has caused before, into an error.
func unmarshal(text string, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser failed: %v", r)
		}
	}()
	return yaml.Unmarshal([]byte(text), doc)
}

func (t *Tree) syntaxError(err error) *SyntaxError {
	out := &SyntaxError{Message: err.Error(), Offset: t.span.Start}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		out.Message = load.Message
		if load.ContextMsg != "" {
			out.Message = load.ContextMsg + ": " + load.Message
		}
		if load.Mark.Line > 0 {
			out.Offset = t.offset(load.Mark.Line, max(load.Mark.Column, 1))
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

// entries lists what kubectl's parser makes of a mapping: keys in the order
// read, merge keys expanded where they stand, a later key replacing an earlier
// one of the same name, even one written out before a merge key
// (go.yaml.in/yaml/v2 decode.go, mappingSlice and merge).
func entries(n *yaml.Node) []entry {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	if plainMapping(n) {
		out := make([]entry, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			out = append(out, entry{name: keyName(n.Content[i]), key: n.Content[i], value: n.Content[i+1]})
		}
		return out
	}
	var out []entry
	index := map[string]int{}
	add := func(e entry) {
		if i, ok := index[e.name]; ok {
			out[i] = e
			return
		}
		index[e.name] = len(out)
		out = append(out, e)
	}
	collect(n, nil, 0, add)
	return out
}

// plainMapping reports whether a mapping has neither merge keys nor repeated
// keys, as nearly all do.
func plainMapping(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if isMerge(k) || k.Kind != yaml.ScalarNode {
			return false
		}
		if len(n.Content) > 80 {
			continue
		}
		for j := 0; j < i; j += 2 {
			if n.Content[j].Value == k.Value {
				return false
			}
		}
	}
	return len(n.Content) <= 80
}

func collect(n, via *yaml.Node, depth int, add func(entry)) {
	if n = deref(n); n == nil || n.Kind != yaml.MappingNode || depth > 50 {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if isMerge(k) {
			through := via
			if through == nil {
				through = v
			}
			if s := deref(v); s != nil && s.Kind == yaml.SequenceNode {
				for j := len(s.Content) - 1; j >= 0; j-- { // earlier ones win
					collect(s.Content[j], through, depth+1, add)
				}
				continue
			}
			collect(v, through, depth+1, add)
			continue
		}
		add(entry{name: keyName(k), key: k, value: v, via: via})
	}
}

func isMerge(k *yaml.Node) bool {
	return k.Kind == yaml.ScalarNode && k.Value == "<<" &&
		k.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.TaggedStyle) == 0
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
		found := false
		for _, c := range entries(v) {
			if c.name == name {
				e, found = c, true
				break
			}
		}
		if !found {
			return entry{}, false
		}
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
	constant := true
	walk(e.value, func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && Placeholder(n.Value) {
			constant = false
		}
	})
	return constant
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

// walk visits n and all below it, aliases followed, within the limits.
func walk(n *yaml.Node, visit func(*yaml.Node)) {
	visits := 0
	var rec func(*yaml.Node, int)
	rec = func(n *yaml.Node, depth int) {
		if n = deref(n); n == nil || depth > maxDepth {
			return
		}
		if visits++; visits > maxVisits {
			return
		}
		visit(n)
		for _, c := range n.Content {
			rec(c, depth+1)
		}
	}
	rec(n, 0)
}

// Check returns what makes the document unacceptable to kubectl's parser though
// it is YAML: keys that are mappings or null, merge keys without a mapping,
// aliases that multiply beyond all reason, nesting beyond it.
func (t *Tree) Check() *SyntaxError {
	var bad *SyntaxError
	report := func(n *yaml.Node, format string, args ...any) {
		if bad == nil {
			bad = &SyntaxError{Message: fmt.Sprintf(format, args...), Offset: t.start(n)}
		}
	}
	visits := 0
	var rec func(n *yaml.Node, depth int)
	rec = func(n *yaml.Node, depth int) {
		if bad != nil || n == nil {
			return
		}
		if visits++; visits > maxVisits {
			report(n, "the document's aliases expand to more than %d nodes", maxVisits)
			return
		}
		if depth > maxDepth {
			report(n, "nested deeper than %d levels", maxDepth)
			return
		}
		if n.Kind == yaml.AliasNode {
			rec(n.Alias, depth+1)
			return
		}
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				k := n.Content[i]
				if isMerge(k) {
					if m := deref(n.Content[i+1]); m.Kind == yaml.ScalarNode {
						report(n.Content[i+1], "a merge key (<<) takes a mapping or a list of mappings")
					}
				} else if kk := deref(k); kk.Kind != yaml.ScalarNode {
					report(k, "a mapping key must be a plain value; a template in braces has to be rendered or quoted")
				} else if isNull(kk) {
					report(k, "a mapping key must not be null")
				}
			}
		}
		for _, c := range n.Content {
			rec(c, depth+1)
		}
	}
	rec(t.root, 0)
	return bad
}
