package report

import (
	"bufio"
	"fmt"
)

// writeConcise writes "path:line:column: severity: message [rule]", a line
// each: for grep and for editors.
func writeConcise(out *bufio.Writer, v *view) error {
	for _, d := range v.shown {
		suppressed := ""
		if d.Suppressed != nil {
			suppressed = "suppressed "
		}
		path, start, _ := v.place(d.Location)
		_, _ = fmt.Fprintf(out, "%s:%d:%d: %s%s: %s [%s]\n",
			printable(path), start.Line, start.Column, suppressed, d.Severity, printable(d.Message), printable(d.Rule))
	}
	for _, p := range v.Problems {
		// Its own String has the place in front.
		_, _ = out.WriteString(printable(p.String()) + "\n")
	}
	return nil
}
