package engine

import (
	"cmp"
	"embed"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

// Annotation is the annotation on an object, or on its pod template, that
// ignores rules for the object. Entries stand on lines of their own or are
// separated by semicolons.
const Annotation = "crashlint.dev/ignore"

// An Ignore silences findings from the configuration. Empty fields match all.
type Ignore struct {
	Rule   string // id or family, * as wildcard
	Object string // Kind/name, * as wildcard
	File   func(path string) bool
	Reason string
	Until  time.Time
}

//go:embed *.md
var docs embed.FS

// Family holds the rules that the engine itself speaks for.
var Family = &rule.Family{
	Name: "ignores", Title: "Ignore comments and annotations that do not do what they say", Docs: docs,
	Rules: []*rule.Rule{invalidIgnore, unusedIgnore},
}

var (
	unusedIgnore = &rule.Rule{
		ID: "unused-ignore", Title: "An ignore comment or annotation that silences nothing", Since: "0.1.0", Severity: diag.Warning,
	}
	invalidIgnore = &rule.Rule{
		ID: "invalid-ignore", Title: "An ignore comment or annotation without effect: no reason, an unknown rule, or run out", Since: "0.1.0", Severity: diag.Warning,
	}
)

// directive is one ignore comment or annotation entry.
type directive struct {
	rules  []string
	reason string
	until  time.Time
	at     diag.Location
	object diag.Object
	fault  string // why it has no effect

	covers func(*diag.Diagnostic) bool
	used   bool
}

var untilPattern = regexp.MustCompile(`\[?\buntil=(\S+?)\]?(\s|$)`)

// parseDirective reads what follows "crashlint:ignore".
func (r *run) parseDirective(text string) directive {
	var d directive
	rules, reason, found := strings.Cut(text, "--")
	d.rules = strings.FieldsFunc(rules, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
	if m := untilPattern.FindStringSubmatchIndex(reason); m != nil {
		date := reason[m[2]:m[3]]
		reason = reason[:m[0]] + " " + reason[m[1]:]
		t, err := time.Parse(time.DateOnly, date)
		switch {
		case err != nil:
			d.fault = fmt.Sprintf("until=%s is not a date: write until=YYYY-MM-DD", date)
		case r.options.Today.After(t.AddDate(0, 0, 1)):
			d.fault = fmt.Sprintf("this ignore ran out on %s: mend the finding or give a new date", date)
		}
		d.until = t
	}
	d.reason = strings.TrimSpace(reason)
	switch {
	case d.fault != "":
	case len(d.rules) == 0:
		d.fault = "an ignore names the rules it silences: crashlint:ignore RULE -- reason"
	case !found || d.reason == "":
		d.fault = fmt.Sprintf("an ignore gives its reason: crashlint:ignore %s -- reason", strings.Join(d.rules, ","))
	default:
		for _, name := range d.rules {
			if !r.knownRule(name) {
				d.fault = fmt.Sprintf("there is no rule %q: %s", name, r.similarRule(name))
			}
		}
	}
	return d
}

func (r *run) knownRule(pattern string) bool {
	return slices.ContainsFunc(r.options.Known, func(k KnownRule) bool { return Matches(pattern, k.ID, k.Family) })
}

func (r *run) similarRule(name string) string {
	ids := make([]string, len(r.options.Known))
	for i, k := range r.options.Known {
		ids[i] = k.ID
	}
	return cmp.Or(diag.DidYouMean(name, ids), "crashlint rules lists them")
}

// ran reports whether every rule that the directive may be about took part.
func (r *run) ran(d *directive) bool {
	for _, k := range r.options.Known {
		for _, pattern := range d.rules {
			if Matches(pattern, k.ID, k.Family) && !slices.ContainsFunc(r.options.Rules, func(a Rule) bool { return a.ID == k.ID }) {
				return false
			}
		}
	}
	return true
}

// suppress marks the diagnostics that somebody chose to ignore and adds those
// about ignores that have no effect.
func (r *run) suppress(ds []*diag.Diagnostic) []*diag.Diagnostic {
	families := map[string]string{}
	for _, k := range r.options.Known {
		families[k.ID] = k.Family
	}
	for _, d := range ds {
		for _, ig := range r.options.Ignores {
			if ig.covers(d, families[d.Rule], r.options.Today) {
				d.Suppressed = &diag.Suppression{Kind: "external", Reason: ig.Reason}
				break
			}
		}
	}
	directives := r.directives()
	if len(directives) == 0 {
		return ds
	}
	for _, d := range ds {
		for _, dir := range directives {
			if dir.fault == "" && dir.covers(d) && slices.ContainsFunc(dir.rules, func(p string) bool { return Matches(p, d.Rule, families[d.Rule]) }) {
				dir.used = true
				if d.Suppressed == nil {
					d.Suppressed = &diag.Suppression{Kind: "inSource", Reason: dir.reason}
				}
			}
		}
	}
	for _, dir := range directives {
		about, message := invalidIgnore, dir.fault
		if dir.fault == "" {
			if dir.used || !r.ran(dir) {
				continue
			}
			about, message = unusedIgnore, fmt.Sprintf("nothing here is found by %s: the ignore can go", strings.Join(dir.rules, ", "))
		}
		if i := slices.IndexFunc(r.options.Rules, func(a Rule) bool { return a.ID == about.ID }); i >= 0 {
			severity := about.Severity
			if s := r.options.Rules[i].Severity; s != 0 {
				severity = s
			}
			ds = append(ds, &diag.Diagnostic{Rule: about.ID, Severity: severity, Message: message, Location: dir.at, Object: dir.object})
		}
	}
	return diag.Sort(ds)
}

func (ig Ignore) covers(d *diag.Diagnostic, family string, today time.Time) bool {
	if !ig.Until.IsZero() && today.After(ig.Until.AddDate(0, 0, 1)) {
		return false
	}
	if ig.Rule != "" && !Matches(ig.Rule, d.Rule, family) {
		return false
	}
	if ig.Object != "" && !wildcard(ig.Object, d.Object.String()) {
		return false
	}
	return ig.File == nil || ig.File(d.Location.File.Path)
}

// directives collects the ignore comments and annotations of the files that are
// reported.
func (r *run) directives() []*directive {
	var out []*directive
	byFile := map[*source.File][]source.Span{}
	var files []*source.File
	for _, o := range slices.Concat(r.cluster.Objects, r.cluster.Broken) {
		f := o.File()
		if !r.reported(f.Path) {
			continue
		}
		if _, seen := byFile[f]; !seen {
			files = append(files, f)
		}
		byFile[f] = append(byFile[f], o.DocumentSpan())
		out = append(out, r.annotation(o, node.P("metadata", "annotations", Annotation), o.Annotations[Annotation])...)
	}
	for _, w := range r.cluster.Workloads {
		if r.reported(w.File().Path) && w.MetaPath.String() != "metadata" {
			out = append(out, r.annotation(w.Object, w.MetaPath.Append("annotations", Annotation), w.Meta.Annotations[Annotation])...)
		}
	}
	for _, f := range files {
		slices.SortFunc(byFile[f], func(a, b source.Span) int { return cmp.Compare(a.Start, b.Start) })
		out = append(out, r.comments(f, byFile[f])...)
	}
	return out
}

func (r *run) annotation(o *manifest.Object, at node.Path, text string) []*directive {
	if text == "" {
		return nil
	}
	var out []*directive
	place, _ := locate(o, at, node.Value, "", nil)
	object := diag.Object{Kind: o.Kind, Name: o.Name, Namespace: o.Namespace}
	for _, entry := range strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == ';' }) {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		d := r.parseDirective(entry)
		d.at, d.object = place, object
		doc := o.DocumentSpan()
		d.covers = func(x *diag.Diagnostic) bool {
			return x.Location.File == o.File() && x.Object == object && doc.Start <= x.Location.Span.Start && x.Location.Span.Start <= doc.End
		}
		out = append(out, &d)
	}
	return out
}

const marker = "crashlint:ignore"

// comments finds the ignore comments of a file, whose documents are given in
// order. A comment on a line of its own covers the entry below it with all that
// is nested in it, before the first entry of a document the whole document; a
// comment behind an entry covers that entry with all that is nested in it.
func (r *run) comments(f *source.File, documents []source.Span) []*directive {
	if !strings.Contains(f.Text, marker) {
		return nil
	}
	var out []*directive
	block := -1 // what the lines of the block scalar that we are in are indented deeper than
	for n := 1; n <= f.Lines(); n++ {
		line := f.Line(n)
		if strings.TrimSpace(line) == "" {
			continue
		}
		if block >= 0 {
			if indentation(line) > block {
				continue
			}
			block = -1
		}
		hash, code := commentStart(line), line
		if hash >= 0 {
			code = line[:hash]
		}
		if blockScalar.MatchString(code) {
			block = keyColumn(code)
		}
		if hash < 0 {
			continue
		}
		rest, ok := strings.CutPrefix(strings.TrimLeft(line[hash+1:], " \t"), marker)
		if !ok {
			continue
		}
		d := r.parseDirective(rest)
		start := f.LineStart(n) + hash
		d.at = diag.Location{File: f, Span: source.Span{Start: start, End: f.LineStart(n) + len(strings.TrimRight(line, " \t"))}}
		before := strings.TrimSpace(code)
		first, last := extent(f, documents, n, before == "" || before == "---")
		d.covers = func(x *diag.Diagnostic) bool {
			if x.Location.File != f {
				return false
			}
			at := x.Location.Start().Line
			return first <= at && at <= last
		}
		out = append(out, &d)
	}
	return out
}

// blockScalar is a line, without its comment, behind which a block scalar begins.
var blockScalar = regexp.MustCompile(`(^|[:\-]|[!&]\S+)\s+[|>][-+0-9]*\s*$`)

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// keyColumn is the column of the key in a line, behind the dashes of the items
// that begin in it; for an item without a key it is that of the last dash.
func keyColumn(line string) int {
	at := indentation(line)
	for strings.HasPrefix(line[at:], "- ") {
		next := at + 1 + indentation(line[at+1:])
		if next == len(line) || strings.IndexByte("|>!&", line[next]) >= 0 {
			break
		}
		at = next
	}
	return at
}

// commentStart returns the index of the # that begins a comment, -1 when there
// is none.
func commentStart(line string) int {
	for i, c := range unquoted(line) {
		if c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return i
		}
	}
	return -1
}

// unquoted returns the bytes of a line that stand outside quotes, as far as one
// line shows it.
func unquoted(line string) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		var quote byte
		for i := 0; i < len(line); i++ {
			switch c := line[i]; {
			case quote != 0:
				if c == '\\' && quote == '"' || quote == '\'' && strings.HasPrefix(line[i:], "''") {
					i++
				} else if c == quote {
					quote = 0
				}
			case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(" \t:[{,-", line[i-1]) >= 0):
				quote = c
			default:
				if !yield(i, c) {
					return
				}
			}
		}
	}
}

// extent returns the lines that an ignore comment in line n covers. ownLine is
// true where it stands behind nothing but, perhaps, a document marker.
func extent(f *source.File, documents []source.Span, n int, ownLine bool) (first, last int) {
	target := n
	if ownLine {
		for target++; target <= f.Lines(); target++ {
			if t := strings.TrimSpace(f.Line(target)); t != "" && t[0] != '#' {
				break
			}
		}
		if doc, ok := headed(f, documents, n); ok {
			return f.Position(doc.Start).Line, f.Position(max(doc.Start, doc.End-1)).Line
		}
	}
	line := f.Line(target)
	indent := indentation(line)
	item := strings.HasPrefix(strings.TrimLeft(line, " "), "-")
	last = closed(f, target)
	for k := last + 1; k <= f.Lines(); k++ {
		l := f.Line(k)
		t := strings.TrimSpace(l)
		if t == "" || t[0] == '#' {
			continue
		}
		if in := indentation(l); in > indent || in == indent && !item && strings.HasPrefix(t+" ", "- ") {
			last = k
			continue
		}
		break
	}
	return target, last
}

// headed returns the document at whose head line n stands: only comments lie
// between its beginning and the line, or, where the line is in no document, the
// other way around.
func headed(f *source.File, documents []source.Span, n int) (source.Span, bool) {
	start, end := f.LineStart(n), f.LineStart(n)+len(f.Line(n))
	for _, doc := range documents {
		switch {
		case doc.End <= start:
		case doc.Start <= end:
			return doc, onlyComments(f.Text[min(doc.Start, start):start])
		default:
			return doc, onlyComments(f.Text[end:doc.Start])
		}
	}
	return source.Span{}, false
}

// closed returns the line in which the brackets that are opened in line n are
// closed again, n where that is not to be seen.
func closed(f *source.File, n int) int {
	depth := 0
	for k := n; k <= f.Lines(); k++ {
		line := f.Line(k)
		if hash := commentStart(line); hash >= 0 {
			line = line[:hash]
		}
		for i, c := range unquoted(line) {
			switch c {
			case '{', '[':
				if depth > 0 || strings.Trim(line[max(0, i-2):i], ":- \t") == "" { // not within a plain scalar
					depth++
				}
			case '}', ']':
				depth = max(0, depth-1)
			}
		}
		if depth == 0 {
			return k
		}
	}
	return n
}

func onlyComments(text string) bool {
	for line := range strings.Lines(text) {
		if t := strings.TrimSpace(line); t != "" && t[0] != '#' && !strings.HasPrefix(t, "---") {
			return false
		}
	}
	return true
}
