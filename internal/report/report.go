// Package report turns the result of a run into bytes: for a person, for an
// editor, for a program, for a code-scanning service. The same result and
// options always give the same bytes.
package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/crashlint/crashlint/internal/diag"
)

// informationURI is where crashlint is explained.
const informationURI = "https://github.com/crashlint/crashlint"

// Options say what is shown, and how. The zero value shows every diagnostic
// that is not suppressed, without color or line limit.
type Options struct {
	// MinSeverity is the lowest severity that is shown; diagnostics below it
	// are only counted.
	MinSeverity diag.Severity
	// ShowSuppressed shows suppressed diagnostics too, marked as such.
	ShowSuppressed bool
	// Version is crashlint's own.
	Version string

	// Color, Width, Quiet and Elapsed concern the formats that people read.

	// Color permits escape sequences.
	Color bool
	// Width is the number of terminal columns. With 0 nothing is wrapped, and
	// only source lines that nobody could read are cut.
	Width int
	// Quiet leaves out notes and the summary.
	Quiet bool
	// Elapsed is how long the run took; 0 leaves it out.
	Elapsed time.Duration
}

type format struct {
	name  string
	write func(*bufio.Writer, *view) error
}

func formats() []format {
	return []format{
		{"text", writeText},
		{"concise", writeConcise},
		{"json", writeJSON},
		{"sarif", writeSARIF},
	}
}

// Formats returns the names that Write knows.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// Write writes the result in the named format. The result is not changed.
func Write(w io.Writer, format string, r *diag.Result, o Options) error {
	for _, f := range formats() {
		if f.name != format {
			continue
		}
		out := bufio.NewWriterSize(w, 1<<16)
		if err := f.write(out, newView(r, o)); err != nil {
			return err
		}
		return out.Flush()
	}
	return fmt.Errorf("%q is not a format: use %s", format, strings.Join(Formats(), ", "))
}

// A tally counts diagnostics by severity.
type tally [diag.Error + 1]int

func (t tally) total() int { return t[diag.Info] + t[diag.Warning] + t[diag.Error] }

// A view is a result as the options let it be seen.
type view struct {
	*diag.Result
	Options
	shown      []*diag.Diagnostic
	count      tally // shown and not suppressed
	hidden     tally // below MinSeverity
	suppressed int   // shown or not

	longLines map[longLine][]stop
}

func newView(r *diag.Result, o Options) *view {
	v := &view{Result: r, Options: o, longLines: map[longLine][]stop{}}
	for _, d := range r.Diagnostics {
		severity := min(d.Severity, diag.Error)
		switch {
		case d.Suppressed != nil:
			v.suppressed++
			if !o.ShowSuppressed || severity < o.MinSeverity {
				continue
			}
		case severity < o.MinSeverity:
			v.hidden[severity]++
			continue
		default:
			v.count[severity]++
		}
		v.shown = append(v.shown, d)
	}
	return v
}

// spelled reports whether the edits of a fix may be shown: there are some, and
// they do not spell out a Secret.
func spelled(d *diag.Diagnostic, fix diag.Fix) bool {
	return len(fix.Edits) > 0 && d.Object.Kind != secretKind
}
