package loader

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/crashlint/crashlint/internal/source"
)

// split returns the documents of a file, in order. A document begins behind a
// line that starts with `---` (the rest of that line belongs to it) and ends at
// the next one or at a line `...`; JSON values that follow one another are
// documents too. Documents that hold nothing but comments are left out.
func split(f *source.File) []source.Span {
	var docs []source.Span
	text := f.Text
	start := 0
	emit := func(end int) {
		if blank(text[start:end]) {
			return
		}
		docs = append(docs, jsonValues(text, source.Span{Start: start, End: end})...)
	}
	for at := 0; at < len(text); {
		end, next := len(text), len(text)
		if nl := strings.IndexByte(text[at:], '\n'); nl >= 0 {
			end, next = at+nl, at+nl+1
		}
		switch line := text[at:end]; {
		case marker(line, "---"):
			emit(at)
			if start = at + len("---"); blank(text[start:end]) {
				start = next
			}
		case marker(line, "..."):
			emit(at)
			start = next
		}
		at = next
	}
	start = min(start, len(text))
	emit(len(text))
	return docs
}

// marker reports whether a line is a document marker: nothing but blanks, or a
// blank and more, may follow it (YAML 1.2, 9.1.4).
func marker(line, mark string) bool {
	rest, ok := strings.CutPrefix(line, mark)
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r')
}

// blank reports text without content: blank lines, comments and directives.
func blank(text string) bool {
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		if t := strings.TrimSpace(line); t != "" && t[0] != '#' && line[0] != '%' {
			return false
		}
	}
	return true
}

// jsonValues splits a document that is a sequence of JSON objects, as kubectl
// reads them; any other document is returned as it is.
func jsonValues(text string, doc source.Span) []source.Span {
	body := text[doc.Start:doc.End]
	if t := strings.TrimLeft(body, " \t\r\n"); t == "" || t[0] != '{' {
		return []source.Span{doc}
	}
	var values []source.Span
	dec := json.NewDecoder(strings.NewReader(body))
	for dec.More() {
		from := doc.Start + int(dec.InputOffset())
		var skip json.RawMessage
		if dec.Decode(&skip) != nil { // YAML's flow style, or broken
			if len(values) == 0 {
				return []source.Span{doc}
			}
			return append(values, source.Span{Start: from, End: doc.End})
		}
		values = append(values, source.Span{Start: from, End: doc.Start + int(dec.InputOffset())})
	}
	if len(values) < 2 {
		return []source.Span{doc}
	}
	return values
}

// header is what can be seen of a document without parsing it.
type header struct {
	apiVersion, kind string
	source           string // the "# Source:" comment that helm template writes
}

// sniff reads the top-level apiVersion and kind and the leading comments of a
// block-style document.
func sniff(text string) header {
	var h header
	leading := true
	for text != "" && (h.apiVersion == "" || h.kind == "" || leading) {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		if line == "" {
			continue
		}
		switch line[0] {
		case '#':
			if s, ok := strings.CutPrefix(line, "# Source: "); ok && leading {
				h.source = strings.TrimSpace(s)
			}
			continue
		case 'a':
			if v, ok := strings.CutPrefix(line, "apiVersion:"); ok && h.apiVersion == "" {
				h.apiVersion = sniffScalar(v)
			}
		case 'k':
			if v, ok := strings.CutPrefix(line, "kind:"); ok && h.kind == "" {
				h.kind = sniffScalar(v)
			}
		case ' ', '\t', '\r':
			if strings.TrimSpace(line) == "" {
				continue
			}
		}
		leading = false
	}
	return h
}

// quotedHeader is the apiVersion or kind of a document in JSON, in flow style, or
// with its keys in quotes.
var quotedHeader = regexp.MustCompile(`["'{,\s](apiVersion|kind)["']?\s*:\s*["']?([A-Za-z][A-Za-z0-9./-]*)`)

// sniffQuoted is sniff for such a document. It must begin with one of the two: a
// file that merely holds objects is not one.
func sniffQuoted(text string) header {
	var h header
	text = "\n" + text
	found := quotedHeader.FindAllStringSubmatchIndex(text, -1)
	if len(found) == 0 || strings.Trim(text[:found[0][2]], "{\"' \t\r\n") != "" {
		return h
	}
	for _, m := range found {
		value := text[m[4]:m[5]]
		if text[m[2]:m[3]] == "kind" {
			h.kind = cmp.Or(h.kind, value)
		} else {
			h.apiVersion = cmp.Or(h.apiVersion, value)
		}
	}
	return h
}

// sniffName returns metadata.name of a document that cannot be parsed, empty
// where the text does not show it.
func sniffName(text string) string {
	_, text, ok := strings.Cut("\n"+text, "\nmetadata:")
	if !ok {
		return ""
	}
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		content := strings.TrimLeft(line, " ")
		if i == 0 || strings.TrimSpace(content) == "" || content[0] == '#' {
			continue
		}
		here := line[:len(line)-len(content)]
		if indent == "" {
			indent = here
		}
		if here == "" {
			return ""
		}
		if name, ok := strings.CutPrefix(content, "name:"); ok && here == indent {
			return sniffScalar(name)
		}
	}
	return ""
}

func sniffScalar(s string) string {
	if i := strings.Index(s, " #"); i >= 0 {
		s = s[:i]
	}
	return strings.Trim(strings.TrimSpace(s), `"'`)
}
