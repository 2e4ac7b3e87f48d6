// Package diag is the common form of everything crashlint has to say, whichever
// part of it speaks: concrete places, ready to be printed.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/source"
)

// Severity is a promise about what will happen.
type Severity uint8

const (
	// Info: it makes a crash worse or harder to undo.
	Info Severity = iota + 1
	// Warning: it will crash under a condition that commonly holds.
	Warning
	// Error: as written it will not start, or will be killed again and again.
	Error
)

// String returns "info", "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// ParseSeverity is the inverse of String.
func ParseSeverity(s string) (Severity, error) {
	for _, v := range []Severity{Info, Warning, Error} {
		if s == v.String() {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%q is not a severity: use info, warning or error", s)
}

// A Location is a place in a file. A zero Span with File set means the file as
// a whole.
type Location struct {
	File *source.File
	Span source.Span
}

// Start returns the position of the first character.
func (l Location) Start() source.Position { return l.File.Position(l.Span.Start) }

// End returns the position just behind the last character.
func (l Location) End() source.Position { return l.File.Position(l.Span.End) }

// Related is a second place that the diagnostic is about: where a limit comes
// from, which other container holds the port.
type Related struct {
	Location Location
	Message  string
}

// Safety says what may be done with a fix.
type Safety uint8

const (
	// Safe: applying it cannot change what works today.
	Safe Safety = iota + 1
	// Unsafe: right as far as crashlint can see, to be looked at by a person.
	Unsafe
	// Display: an example of what to write, never applied by a machine.
	Display
)

// String returns "safe", "unsafe" or "display".
func (s Safety) String() string {
	switch s {
	case Safe:
		return "safe"
	case Unsafe:
		return "unsafe"
	case Display:
		return "display"
	}
	return fmt.Sprintf("safety(%d)", uint8(s))
}

// A Fix is one way to mend the fault. Several fixes of a diagnostic are
// alternatives. Edits apply to the file of the diagnostic and may be empty when
// the fix is only words.
type Fix struct {
	Message string
	Safety  Safety
	Edits   []source.Edit
}

// An Object names the Kubernetes object a diagnostic is about.
type Object struct {
	Kind, Name, Namespace string
}

// String returns Kind/name, the kind alone where the name is not to be read.
func (o Object) String() string {
	if o.Name == "" {
		return o.Kind
	}
	return o.Kind + "/" + o.Name
}

// A Suppression says who silenced a diagnostic, and why.
type Suppression struct {
	// Kind is "inSource" for a comment or annotation, "external" for the
	// configuration: SARIF's words.
	Kind   string
	Reason string
}

// A Diagnostic is one finding at one place.
type Diagnostic struct {
	Rule     string
	Severity Severity
	Message  string // fact, then consequence; lower case, no full stop
	Location Location
	Object   Object // zero when it is about a file
	Path     string // the field within the object, as node.Path prints it
	Related  []Related
	Notes    []string // the numbers and the chain behind the verdict
	Fixes    []Fix
	Template string // the Helm template that rendered the object, when known

	Suppressed *Suppression // nil: reported
}

// FullyQualifiedName is Kind/name:field.path, the name of the place that
// survives reformatting.
func (d *Diagnostic) FullyQualifiedName() string {
	if d.Object == (Object{}) {
		return ""
	}
	if d.Path == "" {
		return d.Object.String()
	}
	return d.Object.String() + ":" + d.Path
}

// Compare orders diagnostics by file, place, rule and message, which makes the
// order of every output independent of scheduling.
func Compare(a, b *Diagnostic) int {
	return cmp.Or(
		cmp.Compare(a.Location.File.Path, b.Location.File.Path),
		cmp.Compare(a.Location.Span.Start, b.Location.Span.Start),
		cmp.Compare(a.Location.Span.End, b.Location.Span.End),
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Object.String(), b.Object.String()),
		cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Message, b.Message),
	)
}

// Sort puts diagnostics in the order of Compare and drops exact repetitions.
func Sort(ds []*Diagnostic) []*Diagnostic {
	slices.SortStableFunc(ds, Compare)
	return slices.CompactFunc(ds, func(a, b *Diagnostic) bool { return Compare(a, b) == 0 })
}

// A Rule is what a report needs to know of the rule behind a diagnostic.
type Rule struct {
	ID       string
	Family   string
	Title    string
	Severity Severity // the usual one
	Help     string   // markdown: what, why it crashes, bad, good
	HelpURI  string
}

// A Problem is something that kept crashlint from reading all of its input: an
// unreadable file, a policy that does not compile. It is not a finding about
// the manifests, and it makes the run fail whatever --fail-on says.
type Problem struct {
	Message  string
	Location *Location // nil when there is no file, or none was read
	Path     string    // the file or folder, when there is no Location
}

// String renders the problem in one line, with file and line where known.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.Location != nil:
		pos := p.Location.Start()
		fmt.Fprintf(&b, "%s:%d:%d: ", p.Location.File.Path, pos.Line, pos.Column)
	case p.Path != "":
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// A Note is something worth knowing that is neither a finding nor a failure: a
// file skipped because it is a template, say.
type Note = Problem

// A Result is all that a run has to report.
type Result struct {
	Diagnostics []*Diagnostic // sorted; suppressed ones included and marked
	Problems    []Problem
	Notes       []Note
	Rules       []*Rule // every rule that could have spoken, sorted by ID
	Files       int     // files in which Kubernetes objects were read
	Objects     int
	Workloads   int
	Skipped     int // files that hold no Kubernetes object
}
