package report

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

const secretKind = "Secret"

// Masking works on the text and not on the parsed document, because frames also
// show lines of documents that no parser understood. Where the text leaves a
// doubt, more is masked.
var (
	kindSecret = regexp.MustCompile(`(?m)kind["'\\]*\s*:[ \t]*(?:[!&]\S+[ \t]+)*["'\\]*Secret["'\\]*[ \t]*(?:[,}#\r]|$)`)
	// holders are the keys below which a Secret's values stand: its own, the
	// generator of kustomize, and the copy that kubectl apply leaves behind.
	holders = regexp.MustCompile(`(?m)(?:^|[\s{,?"'\\-])(data|stringData|secretGenerator|kubectl\.kubernetes\.io/last-applied-configuration)(["'\\]*)[ \t]*:`)
	// topSecret is the kind of a document that is a Secret itself, topKey a key at
	// its top. What a Secret has no field for may be a misspelt stringData.
	topSecret = regexp.MustCompile(`(?m)^(?:\? *)?["']?` + kindSecret.String()[len("(?m)"):])
	topKey    = regexp.MustCompile(`(?m)^(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#"'{}\[\],?:&*!|>%@-][^:\n]*?)|)[ \t]*(:)(?:[ \t\r\n]|$)`)
	plainKeys = []string{"apiVersion", "kind", "metadata", "type", "immutable"}
	// colon is what stands behind a key.
	colon = regexp.MustCompile(`^["']?[ \t]*:`)
	// entry is a line that begins with a mapping key, behind list dashes.
	entry = regexp.MustCompile(`^[ \t]*(?:- +)*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'{}\[\],#&*!|>%@][^:#{}\[\],"']*?)[ \t]*:(?:[ \t]+|$)`)
)

// secrets knows which parts of a file must not be shown, and computes them once
// a file.
type secrets struct {
	known  map[*source.File][]source.Span
	within map[*source.File][]source.Span // places that are known to lie in a Secret
}

func newSecrets(ds []*diag.Diagnostic) *secrets {
	s := &secrets{known: map[*source.File][]source.Span{}, within: map[*source.File][]source.Span{}}
	for _, d := range ds {
		if d.Object.Kind == secretKind {
			s.within[d.Location.File] = append(s.within[d.Location.File], d.Location.Span)
		}
	}
	return s
}

// of returns the masked spans of a file, in order and apart from each other.
func (s *secrets) of(f *source.File) []source.Span {
	masked, ok := s.known[f]
	if !ok {
		masked = maskedSpans(f.Text, s.within[f])
		s.known[f] = masked
	}
	return masked
}

// maskedSpans returns the values of Secrets in the text. Documents that hold a
// place of within are Secrets, whatever they look like, and so is the value of a
// key that is such a place: the finding may be that the key is none of a Secret's.
func maskedSpans(text string, within []source.Span) []source.Span {
	if len(within) == 0 && !strings.Contains(text, secretKind) && !strings.Contains(text, "secretGenerator") {
		return nil
	}
	var spans []source.Span
	for start := 0; start < len(text); {
		end := documentEnd(text, start)
		doc := text[start:end]
		m := masker{text: text, end: end}
		known := false
		for _, w := range within {
			if start <= w.Start && w.Start < end {
				known = true
				m.key(w)
			}
		}
		if known || kindSecret.MatchString(doc) || strings.Contains(doc, "secretGenerator") {
			m.document(start)
			spans = append(spans, m.spans...)
		}
		start = end
	}
	return merge(spans)
}

// documentEnd returns where the next line of three dashes behind start begins.
func documentEnd(text string, start int) int {
	for i := start; ; {
		nl := strings.Index(text[i:], "\n---")
		if nl < 0 {
			return len(text)
		}
		i += nl + len("\n---")
		if i == len(text) || strings.IndexByte(" \t\r\n", text[i]) >= 0 {
			return i - len("---")
		}
	}
}

// merge sorts spans and joins those that touch.
func merge(spans []source.Span) []source.Span {
	slices.SortFunc(spans, func(a, b source.Span) int { return a.Start - b.Start })
	var out []source.Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

// A masker collects the spans to mask in one document, which ends at end.
type masker struct {
	text  string
	end   int
	spans []source.Span
}

func (m *masker) mask(start, end int) {
	if start < end {
		m.spans = append(m.spans, source.Span{Start: start, End: end})
	}
}

func (m *masker) document(start int) {
	if topSecret.MatchString(m.text[start:m.end]) {
		m.top(start)
	}
	// done keeps a large value full of keys from being scanned for each.
	done := start
	for _, match := range holders.FindAllStringSubmatchIndex(m.text[start:m.end], -1) {
		key, at := start+match[2], start+match[1]
		if key < done {
			continue
		}
		indent := key - m.lineStart(key)
		if quote := m.text[key-min(key, 1)]; quote == '"' || quote == '\'' {
			indent--
		}
		if strings.Contains(m.text[start+match[4]:start+match[5]], `\`) {
			// JSON inside a string: where it ends is not to be told from here.
			done = m.scalar(at, indent)
			continue
		}
		done = m.value(at, indent)
	}
}

// top masks the values of the keys at the top of a Secret but for those that
// hold none of its data.
func (m *masker) top(start int) {
	for _, match := range topKey.FindAllStringSubmatchIndex(m.text[start:m.end], -1) {
		key := ""
		for group := 2; group < 8; group += 2 {
			if match[group] >= 0 {
				key = m.text[start+match[group] : start+match[group+1]]
			}
		}
		if !slices.Contains(plainKeys, key) {
			m.value(start+match[9], 0)
		}
	}
}

// key masks the value of a key that stands at a place.
func (m *masker) key(at source.Span) {
	if at.End > m.end {
		return
	}
	if behind := colon.FindString(m.text[at.End:m.end]); behind != "" {
		indent := at.Start - m.lineStart(at.Start)
		m.value(at.End+len(behind), indent)
	}
}

// value masks what belongs to a key at the given indent whose colon ends at i,
// and returns where that ends.
func (m *masker) value(i, indent int) int {
	i = m.skipProperties(i)
	switch {
	case i == m.end:
		return i
	case strings.IndexByte("\r\n#", m.text[i]) >= 0:
		return m.block(i, indent)
	case m.text[i] == '{' || m.text[i] == '[':
		return m.flow(i)
	case m.text[i] == '"' || m.text[i] == '\'':
		end := m.quoted(i)
		m.mask(i, end)
		return end
	}
	return m.scalar(i, indent)
}

// skipProperties skips blanks, tags and anchors.
func (m *masker) skipProperties(i int) int {
	for i < m.end {
		switch m.text[i] {
		case ' ', '\t':
			i++
		case '!', '&':
			for i < m.end && strings.IndexByte(" \t\r\n", m.text[i]) < 0 {
				i++
			}
		default:
			return i
		}
	}
	return i
}

// block masks the values of a block mapping or sequence that begins behind i,
// below a key at the given indent; its own keys stay readable.
func (m *masker) block(i, indent int) int {
	child := -1
	i = m.lineEnd(i)
	for i < m.end {
		line := m.text[i:m.lineEnd(i)]
		text := strings.TrimLeft(line, " \t")
		at := len(line) - len(text)
		switch {
		case strings.TrimSpace(text) == "":
		case text[0] == '#':
			m.mask(i+at, i+len(line))
		case child < 0 && text[0] == '{':
			return m.flow(i + at)
		case child < 0 && (at > indent || at == indent && text[0] == '-'):
			child = at
			m.entry(i, line)
		case child < 0 || m.leaves(text, at, indent, child):
			return i
		case at == child:
			m.entry(i, line)
		default:
			m.mask(i+at, i+len(line))
		}
		i += len(line)
	}
	return i
}

// leaves reports whether a line stands outside a block whose entries stand at
// child below a key at indent. The continuation of a quoted scalar may be
// indented less than YAML allows, so only what looks like an entry leaves.
func (*masker) leaves(text string, at, indent, child int) bool {
	if at > indent {
		return false
	}
	if child == indent && at == indent && text[0] == '-' {
		return false
	}
	return text[0] == '-' || text[0] == '}' || text[0] == ']' || entry.MatchString(strings.TrimRight(text, "\r\n"))
}

// entry masks a line of a block but for its key.
func (m *masker) entry(start int, line string) {
	key := entry.FindString(strings.TrimRight(line, "\r\n"))
	if key == "" {
		key = line[:len(line)-len(strings.TrimLeft(line, " \t-"))]
	}
	m.mask(start+len(key), start+len(line))
}

// scalar masks the rest of the line and the lines that belong to it.
func (m *masker) scalar(i, indent int) int {
	end := m.lineEnd(i)
	for end < m.end {
		line := m.text[end:m.lineEnd(end)]
		text := strings.TrimLeft(line, " \t")
		if strings.TrimSpace(text) != "" && m.leaves(text, len(line)-len(text), indent, -1) {
			break
		}
		end += len(line)
	}
	m.mask(i, end)
	return end
}

// flow masks the values of the flow mapping or sequence that opens at i, which
// may go over many lines, and returns where it ends.
func (m *masker) flow(i int) int {
	depth, value := 0, -1
	if m.text[i] == '[' {
		value = i + 1
	}
	for i < m.end {
		c := m.text[i]
		switch {
		case (c == '"' || c == '\'') && strings.IndexByte("{[,: \t\r\n", m.text[max(i-1, 0)]) >= 0:
			i = m.quoted(i)
			continue
		case c == '#' && strings.IndexByte(" \t\r\n", m.text[max(i-1, 0)]) >= 0:
			end := m.lineEnd(i)
			m.mask(i, end)
			i = end
			continue
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
			if depth <= 0 {
				m.flowValue(value, i)
				return i + 1
			}
		case c == ':' && depth == 1 && value < 0:
			value = i + 1
		case c == ',' && depth == 1 && value >= 0 && m.text[value-1] == ':':
			m.flowValue(value, i)
			value = -1
		}
		i++
	}
	m.flowValue(value, m.end)
	return m.end
}

func (m *masker) flowValue(start, end int) {
	if start < 0 {
		return
	}
	text := m.text[start:end]
	m.mask(start+len(text)-len(strings.TrimLeft(text, " \t\r\n")), start+len(strings.TrimRight(text, " \t\r\n")))
}

// quoted returns where the quoted scalar that opens at i ends.
func (m *masker) quoted(i int) int {
	quote := m.text[i]
	for i++; i < m.end; i++ {
		switch {
		case quote == '"' && m.text[i] == '\\':
			i++
		case m.text[i] == quote && quote == '\'' && i+1 < m.end && m.text[i+1] == quote:
			i++
		case m.text[i] == quote:
			return i + 1
		}
	}
	return m.end
}

func (m *masker) lineStart(i int) int { return strings.LastIndexByte(m.text[:i], '\n') + 1 }

// lineEnd returns where the line behind the one of i begins.
func (m *masker) lineEnd(i int) int {
	if nl := strings.IndexByte(m.text[i:m.end], '\n'); nl >= 0 {
		return i + nl + 1
	}
	return m.end
}
