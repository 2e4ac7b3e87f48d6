package report

import (
	"bufio"
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// writeConcise writes "path:line:column: severity: message [rule]", a line
// each: for grep and for editors.
func writeConcise(out *bufio.Writer, v *view) error {
	for _, d := range v.shown {
		suppressed := ""
		if d.Suppressed != nil {
			suppressed = "suppressed "
		}
		path, start, _ := place(d.Location)
		_, _ = fmt.Fprintf(out, "%s:%d:%d: %s%s: %s [%s]\n",
			printable(path), start.Line, start.Column, suppressed, d.Severity, printable(d.Message), printable(d.Rule))
	}
	for _, p := range v.Problems {
		// Its own String has the place in front.
		_, _ = out.WriteString(printable(p.String()) + "\n")
	}
	return nil
}

// place returns the path and the first and last position of a location: 1:1
// for a file as a whole, for readers that demand a position.
func place(l diag.Location) (path string, start, end source.Position) {
	first := source.Position{Line: 1, Column: 1}
	if l.File == nil {
		return "<unknown>", first, first
	}
	if l.Span == (source.Span{}) {
		return l.File.Path, first, first
	}
	span := clamp(l.File, l.Span)
	return l.File.Path, l.File.Position(span.Start), l.File.Position(span.End)
}
