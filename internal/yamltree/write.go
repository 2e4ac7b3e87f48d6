package yamltree

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"github.com/crashlint/crashlint/internal/node"
)

// canonical turns the value of an operation into nil, bool, int64, uint64,
// float64, string, node.Fields and []any.
func canonical(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, uint64, float64:
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, errors.New("a string that is not UTF-8 cannot be written")
		}
		return v, nil
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			x, err := canonical(v[i])
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	case node.Fields:
		out := make(node.Fields, len(v))
		for i, f := range v {
			x, err := canonical(f.Value)
			if err != nil {
				return nil, err
			}
			out[i] = node.Field{Key: f.Key, Value: x}
		}
		return out, nil
	case map[string]any:
		var out node.Fields
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, node.Field{Key: k, Value: v[k]})
		}
		return canonical(out)
	}
	return nil, fmt.Errorf("a value of type %T cannot be written", v)
}

// jsonValue is a canonical value as Tree.Value would return it.
func jsonValue(v any) any {
	switch v := v.(type) {
	case node.Fields:
		m := make(map[string]any, len(v))
		for _, f := range v {
			m[f.Key] = jsonValue(f.Value)
		}
		return m
	case []any:
		s := make([]any, len(v))
		for i := range v {
			s[i] = jsonValue(v[i])
		}
		return s
	}
	return v
}

func isScalar(v any) bool {
	switch v.(type) {
	case node.Fields, []any:
		return false
	}
	return true
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case node.Fields:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// A writer writes values as the document around them is written.
type writer struct {
	flow    bool // within brackets
	json    bool
	oneLine bool // no block scalars
	newline string
	// step is the indentation of a mapping below its key, listOffset that of a
	// list's dashes.
	step, listOffset int
}

func (t *Tree) writer(flow bool) writer {
	w := writer{flow: flow, newline: "\n", step: 2, listOffset: 2}
	text := t.file.Text
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		w.newline = "\r\n"
	}
	w.json = flow && json.Valid([]byte(text))
	var step, list bool
	var rec func(n *yaml.Node)
	rec = func(n *yaml.Node) {
		if step && list {
			return
		}
		if n.Kind == yaml.MappingNode && isBlock(n) {
			for i := 0; i+1 < len(n.Content); i += 2 {
				k, v := n.Content[i], n.Content[i+1]
				if !isBlock(v) || len(v.Content) == 0 {
					continue
				}
				deeper := t.column(t.nodeSpan(v).Start) - t.column(t.start(k))
				if v.Kind == yaml.SequenceNode && !list && deeper >= 0 {
					list, w.listOffset = true, deeper
				}
				if v.Kind == yaml.MappingNode && !step && deeper > 0 {
					step, w.step = true, deeper
				}
			}
		}
		for _, c := range n.Content {
			rec(c)
		}
	}
	rec(t.root)
	return w
}

// block writes a collection that is not empty, in lines indented to the column,
// without a line break at the end.
func (w writer) block(v any, column int) string {
	return strings.Join(w.lines(v, column), w.newline)
}

func (w writer) lines(v any, column int) []string {
	indent := strings.Repeat(" ", column)
	var out []string
	switch v := v.(type) {
	case node.Fields:
		for _, f := range v {
			key := indent + w.key(f.Key, false) + ":"
			if isScalar(f.Value) || isEmpty(f.Value) {
				out = append(out, key+" "+w.inline(f.Value, column))
				continue
			}
			below := column + w.step
			if _, list := f.Value.([]any); list {
				below = column + w.listOffset
			}
			out = append(append(out, key), w.lines(f.Value, below)...)
		}
	case []any:
		for _, e := range v {
			if isScalar(e) || isEmpty(e) {
				out = append(out, indent+"- "+w.inline(e, column))
				continue
			}
			item := w.lines(e, column+2)
			item[0] = indent + "- " + item[0][column+2:]
			out = append(out, item...)
		}
	}
	return out
}

// inline writes a value behind a colon or dash that stands in the column.
func (w writer) inline(v any, column int) string {
	switch v := v.(type) {
	case node.Fields:
		var parts []string
		for _, f := range v {
			parts = append(parts, w.key(f.Key, false)+": "+w.inline(f.Value, column))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, w.inline(e, column))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return w.scalar(v, column)
}

func (w writer) scalar(v any, column int) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return jsonNumber(v)
	case string:
		return w.styled(v, 0, column)
	}
	return fmt.Sprint(v)
}

func (w writer) key(k string, quoted bool) string {
	if w.json || quoted || strings.Contains(k, "\n") {
		return doubleQuoted(k)
	}
	w.flow = true // what is safe there is safe everywhere
	return w.styled(k, 0, 0)
}

// styled writes a string in the style wanted, or in the plainest that can hold
// it.
func (w writer) styled(s string, style yaml.Style, column int) string {
	switch {
	case w.json || style&yaml.DoubleQuotedStyle != 0:
		return doubleQuoted(s)
	case style&yaml.SingleQuotedStyle != 0 && printable(s):
		return singleQuoted(s)
	case !w.flow && !w.oneLine && (style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(s, "\n")) && literalHolds(s):
		return w.literal(s, column)
	case isPlain(s, w.flow):
		return s
	case strings.ContainsAny(s, `"\`) && printable(s):
		return singleQuoted(s)
	}
	return doubleQuoted(s)
}

// literal writes a literal block scalar below what stands in the column.
func (w writer) literal(s string, column int) string {
	header := "|"
	body := s
	switch {
	case strings.HasSuffix(s, "\n\n"):
		header, body = "|+", s[:len(s)-1]
	case strings.HasSuffix(s, "\n"):
		body = s[:len(s)-1]
	default:
		header = "|-"
	}
	indent := strings.Repeat(" ", column+w.step)
	var b strings.Builder
	b.WriteString(header)
	for line := range strings.SplitSeq(body, "\n") {
		b.WriteString(w.newline)
		if line != "" {
			b.WriteString(indent + line)
		}
	}
	return b.String()
}

// literalHolds reports whether a literal block without an indentation indicator
// can hold the string.
func literalHolds(s string) bool {
	if strings.Trim(s, "\n") == "" || s[0] == ' ' || s[0] == '\n' || s[0] == '\t' {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if !printable(strings.ReplaceAll(line, "\t", "")) || strings.TrimLeft(line, " \t") == "" && line != "" {
			return false
		}
	}
	return true
}

// printable reports a string of one line that needs no escapes.
func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// isPlain reports whether a string can be written without quotes and is a string
// then to every reader: YAML 1.1, in which yes, 0777, 1:30 and 2001-01-01 are
// something else, and YAML 1.2.
func isPlain(s string, flow bool) bool {
	if s == "" || !printable(s) || strings.TrimSpace(s) != s {
		return false
	}
	if v, ok := plain(s, true).(string); !ok || v != s || isTimestamp(s) {
		return false
	}
	if strings.IndexByte("-?:,[]{}#&*!|>'\"%@`=<~.+0123456789", s[0]) >= 0 && !plainStart(s) {
		return false
	}
	if strings.Contains(s, ": ") || strings.Contains(s, " #") || s[len(s)-1] == ':' {
		return false
	}
	return !flow || !strings.ContainsAny(s, ",[]{}?:") || strings.ContainsRune(s, ':') && !strings.ContainsAny(s, ",[]{}?") && !strings.Contains(s, "::")
}

// plainStart reports a string that may go unquoted though it begins like an
// indicator or a number: -Xmx1g, 512Mi, 10s, 1.2.3, /path.
func plainStart(s string) bool {
	switch c := s[0]; {
	case c == '-' && len(s) > 1:
		return s[1] != ' ' && (s[1] == '-' && !strings.HasPrefix(s, "---") || unicode.IsLetter(rune(s[1])))
	case c >= '0' && c <= '9':
		// Base 60 and numbers with underscores are numbers to other readers.
		return !strings.ContainsAny(s, ":_") && (strings.HasSuffix(s, "%") || strings.IndexFunc(s, unicode.IsLetter) >= 0) || strings.Count(s, ".") > 1
	case c == '.' && len(s) > 1:
		return s[1] == '/' || unicode.IsLetter(rune(s[1]))
	}
	return false
}

func singleQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// doubleQuoted writes a JSON string, which YAML takes, too.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r > 0xFFFF || unicode.IsPrint(r): // YAML knows no surrogates
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
