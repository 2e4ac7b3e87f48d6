package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// printable returns text, which may come from a manifest, as it may be written
// to a terminal: what is invisible or would steer the terminal is spelt out.
// That shows the no-break space that breaks an indentation, and keeps escape
// codes and bidirectional overrides from being obeyed.
func printable(text string) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	for g := displaywidth.StringGraphemes(text); g.Next(); {
		b.WriteString(escape(g.Value()))
	}
	return b.String()
}

// plain reports text of nothing but visible ASCII and spaces.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// escape spells out the runes of one grapheme cluster that cannot be seen.
// Format characters that join other runes (the zero-width joiner of an emoji)
// stay.
func escape(cluster string) string {
	joins := utf8.RuneCountInString(cluster) > 1
	var b strings.Builder
	for i := 0; i < len(cluster); {
		r, size := utf8.DecodeRuneInString(cluster[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, cluster[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r), joins && unicode.Is(unicode.Cf, r):
			b.WriteString(cluster[i : i+size])
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

// escapeJSON spells out the control characters that encoding/json leaves as
// they are: DEL and the C1 range, which some terminals obey. They can stand in
// strings only.
func escapeJSON(text []byte) []byte {
	if !bytes.ContainsRune(text, 0x7f) && bytes.IndexByte(text, 0xc2) < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == 0x7f:
			out = append(out, `\u007f`...)
		case text[i] == 0xc2 && i+1 < len(text) && text[i+1] < 0xa0:
			i++
			out = fmt.Appendf(out, `\u%04x`, text[i])
		default:
			out = append(out, text[i])
		}
	}
	return out
}

// wrap breaks text at spaces so that no line is wider than width columns, as
// far as its words allow. With width 0 it is one line.
func wrap(text string, width int) []string {
	if width <= 0 || displaywidth.String(text) <= width {
		return []string{text}
	}
	var lines []string
	var line strings.Builder
	used := 0
	for word := range strings.SplitSeq(text, " ") {
		w := displaywidth.String(word)
		if line.Len() > 0 && used+1+w > width {
			lines = append(lines, line.String())
			line.Reset()
			used = 0
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
			used++
		}
		line.WriteString(word)
		used += w
	}
	return append(lines, line.String())
}
