// Package fix makes edits in the text of files.
package fix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/source"
)

// Apply returns the text of the file with the edits made, which all refer to the
// text as it stands and may come in any order. Insertions at the same place are
// made in the order given. It fails when two edits overlap or one lies outside
// the file.
func Apply(file *source.File, edits []source.Edit) (string, error) {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b source.Edit) int {
		return cmp.Or(cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(a.Span.End, b.Span.End))
	})
	var out strings.Builder
	last := 0
	for _, e := range sorted {
		switch {
		case e.Span.Start < 0 || e.Span.End < e.Span.Start || e.Span.End > len(file.Text):
			return "", fmt.Errorf("%s: an edit of bytes %d to %d lies outside the file", file.Path, e.Span.Start, e.Span.End)
		case e.Span.Start < last:
			p := file.Position(e.Span.Start)
			return "", fmt.Errorf("%s:%d:%d: two edits overlap", file.Path, p.Line, p.Column)
		}
		out.WriteString(file.Text[last:e.Span.Start])
		out.WriteString(e.New)
		last = e.Span.End
	}
	out.WriteString(file.Text[last:])
	return out.String(), nil
}
