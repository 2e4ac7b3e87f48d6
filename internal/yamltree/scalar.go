package yamltree

import (
	"encoding/base64"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"github.com/crashlint/crashlint/internal/node"
)

var yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// words are the plain scalars with a meaning of their own in YAML 1.1 as
// go.yaml.in/yaml/v2, and so sigs.k8s.io/yaml and kubectl, resolve them.
var words = func() map[string]any {
	m := map[string]any{}
	put := func(v any, list ...string) {
		for _, s := range list {
			m[s] = v
		}
	}
	put(true, "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
	put(false, "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
	put(nil, "", "~", "null", "Null", "NULL")
	put(math.NaN(), ".nan", ".NaN", ".NAN")
	put(math.Inf(1), ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF")
	put(math.Inf(-1), "-.inf", "-.Inf", "-.INF")
	return m
}()

// cannotResolve reports a tagged scalar whose text is not what its tag says:
// kubectl's parser refuses the document (go.yaml.in/yaml/v2 resolve.go).
func cannotResolve(n *yaml.Node) bool {
	if n.Style&yaml.TaggedStyle == 0 {
		return false
	}
	ok := true
	switch v := scalar(n); n.Tag {
	case "!!binary":
		_, err := base64.StdEncoding.DecodeString(n.Value)
		return err != nil
	case "!!bool":
		_, ok = v.(bool)
	case "!!int":
		switch v.(type) {
		case int64, uint64:
		default:
			ok = false
		}
	case "!!float":
		_, ok = v.(float64)
	case "!!null":
		ok = v == nil
	case "!!timestamp":
		ok = isTimestamp(n.Value)
	}
	return !ok
}

// scalar returns the value of a scalar node: nil, bool, int64, uint64 (beyond
// int64), float64 or string.
func scalar(n *yaml.Node) any {
	if n.Tag == "!" { // the non-specific tag: a string
		return n.Value
	}
	tag := ""
	if n.Style&yaml.TaggedStyle != 0 {
		tag = n.Tag
	}
	switch tag {
	case "":
		if n.Style != 0 { // quoted
			return n.Value
		}
		return plain(n.Value, true)
	case "!!binary":
		if b, err := base64.StdEncoding.DecodeString(n.Value); err == nil {
			return string(b)
		}
		return n.Value
	case "!!bool", "!!int", "!!float", "!!null", "!!timestamp":
		v := plain(n.Value, tag == "!!timestamp")
		if i, ok := v.(int64); ok && tag == "!!float" {
			return float64(i)
		}
		return v
	}
	return n.Value
}

// special reports whether a plain scalar may be something else than a string.
func special(s string) bool {
	return s == "" || strings.IndexByte("yYnNtTfFoO~.+-0123456789", s[0]) >= 0
}

// plain resolves an untagged plain scalar.
func plain(s string, timestamps bool) any {
	if s == "" {
		return nil
	}
	switch c := s[0]; {
	case strings.IndexByte("yYnNtTfFoO~", c) >= 0:
		if v, ok := words[s]; ok {
			return v
		}
		return s
	case c == '.':
		if v, ok := words[s]; ok {
			return v
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
		return s
	case c == '+' || c == '-' || '0' <= c && c <= '9':
		if v, ok := words[s]; ok {
			return v
		}
		if timestamps && isTimestamp(s) {
			return s
		}
		return number(s)
	}
	return s
}

func number(s string) any {
	digits := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(digits, 0, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(digits, 0, 64); err == nil {
		return u
	}
	if yamlFloat.MatchString(digits) {
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return f
		}
	}
	if rest, ok := strings.CutPrefix(digits, "0b"); ok {
		if i, err := strconv.ParseInt(rest, 2, 64); err == nil {
			return i
		}
		if u, err := strconv.ParseUint(rest, 2, 64); err == nil {
			return u
		}
	} else if rest, ok := strings.CutPrefix(digits, "-0b"); ok {
		if i, err := strconv.ParseInt("-"+rest, 2, 64); err == nil {
			return i
		}
	}
	return s
}

// isTimestamp reports whether the scalar is a YAML timestamp, which decodes to
// its own text.
func isTimestamp(s string) bool {
	if len(s) < 8 || s[4] != '-' || strings.IndexFunc(s[:4], func(r rune) bool { return r < '0' || r > '9' }) >= 0 {
		return false
	}
	for _, layout := range []string{"2006-1-2T15:4:5.999999999Z07:00", "2006-1-2t15:4:5.999999999Z07:00", "2006-1-2 15:4:5.999999999", "2006-1-2"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

func isNull(n *yaml.Node) bool {
	n = deref(n)
	return n == nil || n.Kind == 0 || n.Kind == yaml.ScalarNode && scalar(n) == nil
}

// keyName is the JSON key that sigs.k8s.io/yaml makes of a mapping key: `on`
// becomes "true", 8080 becomes "8080".
func keyName(k *yaml.Node) string {
	k = deref(k)
	if k == nil || k.Kind != yaml.ScalarNode {
		return ""
	}
	if k.Style&yaml.TaggedStyle == 0 && k.Tag != "!" && (k.Style != 0 || !special(k.Value)) {
		return k.Value
	}
	switch v := scalar(k).(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		switch s := strconv.FormatFloat(v, 'g', -1, 32); s {
		case "+Inf":
			return ".inf"
		case "-Inf":
			return "-.inf"
		case "NaN":
			return ".nan"
		default:
			return s
		}
	case string:
		return v
	}
	return k.Value
}

// Value returns what stands at the path as JSON would hold it: map[string]any,
// []any, string, bool, int64, uint64, float64 or nil. False when nothing is
// written there. Callers own the result.
func (t *Tree) Value(p node.Path) (any, bool) {
	e, ok := t.find(p)
	if !ok {
		return nil, false
	}
	return t.toJSON(e.value), true
}

func (t *Tree) toJSON(n *yaml.Node) any {
	n = deref(n)
	if n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		es := t.entries(n)
		m := make(map[string]any, len(es))
		for _, e := range es {
			m[e.name] = t.toJSON(e.value)
		}
		return m
	case yaml.SequenceNode:
		s := make([]any, len(n.Content))
		for i, c := range n.Content {
			s[i] = t.toJSON(c)
		}
		return s
	case yaml.ScalarNode:
		return scalar(n)
	}
	return nil
}

// String returns the string at the path, false when there is none or it is
// something else.
func (t *Tree) String(p node.Path) (string, bool) {
	e, ok := t.find(p)
	if n := deref(e.value); ok && n != nil && n.Kind == yaml.ScalarNode {
		s, ok := scalar(n).(string)
		return s, ok
	}
	return "", false
}

// Len returns the number of items of the sequence at the path, 0 when there is
// none.
func (t *Tree) Len(p node.Path) int {
	if e, ok := t.find(p); ok {
		if n := deref(e.value); n != nil && n.Kind == yaml.SequenceNode {
			return len(n.Content)
		}
	}
	return 0
}
