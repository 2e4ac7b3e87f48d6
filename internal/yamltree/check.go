package yamltree

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
	sigs "sigs.k8s.io/yaml"
)

// Check returns what makes the document unacceptable to kubectl's parser
// (sigs.k8s.io/yaml, which reads YAML 1.1) though it is YAML: keys that are
// mappings or null, merge keys without a mapping, tags that do not fit, numbers
// that JSON does not have, tabs for indentation.
func (t *Tree) Check() *SyntaxError {
	if t.root == nil {
		return nil
	}
	c := checker{tree: t}
	c.node(t.root, false)
	if c.bad == nil && (c.doubtful || t.doubtful()) {
		c.bad = t.secondOpinion()
	}
	return c.bad
}

type checker struct {
	tree *Tree
	bad  *SyntaxError
	// doubtful is set by what the two parsers may read differently.
	doubtful bool
}

func (c *checker) refuse(n *yaml.Node, message string) {
	if c.bad == nil {
		c.bad = &SyntaxError{Message: message, Offset: c.tree.start(n)}
	}
}

// node checks n and all below it; aliases are checked where they are defined.
func (c *checker) node(n *yaml.Node, flow bool) {
	if c.bad != nil {
		return
	}
	flow = flow || n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle != 0
	c.doubt(n, flow)
	switch n.Kind {
	case yaml.ScalarNode:
		c.scalar(n)
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			c.key(n.Content[i], n.Content[i+1], flow)
			c.node(n.Content[i+1], flow)
		}
	case yaml.SequenceNode:
		for _, e := range n.Content {
			c.node(e, flow)
		}
	}
}

// doubt notes what YAML 1.2 takes inside brackets and 1.1 does not: a question
// mark in a plain scalar, a colon at its beginning, a tag right before a
// bracket. Anchors, which are rare, may be of characters that 1.1 does not take.
func (c *checker) doubt(n *yaml.Node, flow bool) {
	if n.Anchor != "" || flow && (n.Tag == "!" || n.Style&yaml.TaggedStyle != 0 || n.Style == 0 && (strings.Contains(n.Value, "?") || strings.HasPrefix(n.Value, ":"))) {
		c.doubtful = true
	}
}

func (c *checker) scalar(n *yaml.Node) {
	if cannotResolve(n) {
		c.refuse(n, "the value is not what its tag "+n.Tag+" says")
		return
	}
	if n.Style&^yaml.TaggedStyle == 0 && special(n.Value) {
		if f, ok := scalar(n).(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
			c.refuse(n, n.Value+" is a number that JSON does not have: put it in quotes")
		}
	}
}

func (c *checker) key(k, v *yaml.Node, flow bool) {
	if isMerge(k) {
		c.merge(v)
		return
	}
	name := deref(k)
	if name.Kind != yaml.ScalarNode {
		c.refuse(k, "a mapping key must be a plain value; a template in braces has to be rendered or quoted")
		return
	}
	c.doubt(name, flow)
	if cannotResolve(name) {
		c.refuse(k, "the key is not what its tag "+name.Tag+" says")
		return
	}
	switch scalar(name).(type) {
	case nil:
		c.refuse(k, "a mapping key must not be null")
	case uint64:
		c.refuse(k, "a mapping key must not be a number as large as that: put it in quotes")
	}
}

// merge checks the value of a merge key (go.yaml.in/yaml/v2 decode.go, merge).
func (c *checker) merge(v *yaml.Node) {
	parts := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		parts = v.Content
	}
	for _, p := range parts {
		if m := deref(p); m == nil || m.Kind != yaml.MappingNode {
			c.refuse(v, "a merge key (<<) takes a mapping or a list of mappings")
		}
	}
}

// tabbed is a tab in the indentation of a line, or behind what opens a block in
// it.
var tabbed = regexp.MustCompile(`(?:^|[\n\r\x{85}\x{2028}\x{2029}])[ ?:-]*\t`)

// doubtful reports text on which the YAML 1.2 parser of this package is laxer
// than kubectl's.
func (t *Tree) doubtful() bool {
	text := t.file.Text[t.span.Start:t.span.End]
	if strings.ContainsFunc(text, isControl) {
		return true
	}
	if !strings.Contains(text, `\/`) && !(strings.Contains(text, "\t") && tabbed.MatchString(text)) {
		return false
	}
	// kubectl reads what is JSON as JSON, which has tabs and \/ (apimachinery
	// util/yaml decoder.go, YAMLOrJSONDecoder).
	return !strings.HasPrefix(strings.TrimSpace(text), "{") || !json.Valid([]byte(text))
}

// isControl reports DEL and the C1 control characters but NEL, which YAML 1.1
// does not allow.
func isControl(r rune) bool { return r >= 0x7F && r < 0xA0 && r != 0x85 }

const strayTab = "a tab stands where kubectl takes only spaces"

var sigsLine = regexp.MustCompile(`^yaml: line (\d+): `)

// secondOpinion asks kubectl's parser itself. It costs as much as parsing the
// document once more, and few documents need it.
func (t *Tree) secondOpinion() *SyntaxError {
	text := t.file.Text[t.span.Start:t.span.End]
	_, err := sigs.YAMLToJSON([]byte(text))
	if err == nil {
		return nil
	}
	bad := &SyntaxError{Message: strings.TrimPrefix(err.Error(), "yaml: "), Offset: t.span.Start}
	if m := sigsLine.FindStringSubmatch(err.Error()); m != nil {
		bad.Message = err.Error()[len(m[0]):]
		if line, err := strconv.Atoi(m[1]); err == nil {
			bad.Offset = t.offset(line, 1)
		}
	}
	// The parser names the line of the tab or the one before.
	rest := text[bad.Offset-t.span.Start:]
	if tab := tabbed.FindStringIndex(rest); tab != nil && strings.Count(rest[:tab[1]], "\n") <= 1 {
		bad.Offset += tab[1] - 1
		bad.Message = strayTab
	}
	return bad
}
