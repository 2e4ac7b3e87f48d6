package fix_test

import (
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/fix"
	"github.com/crashlint/crashlint/internal/source"
)

func edit(start, end int, text string) source.Edit {
	return source.Edit{Span: source.Span{Start: start, End: end}, New: text}
}

func TestApply(t *testing.T) {
	file := source.NewFile("x.yaml", "0123456789")
	for name, c := range map[string]struct {
		edits []source.Edit
		want  string
		fault string
	}{
		"none":                   {nil, "0123456789", ""},
		"any order":              {[]source.Edit{edit(8, 9, "H"), edit(0, 1, "A")}, "A1234567H9", ""},
		"insertions keep order":  {[]source.Edit{edit(5, 5, "a"), edit(5, 5, "b")}, "01234ab56789", ""},
		"insertion before span":  {[]source.Edit{edit(5, 7, "X"), edit(5, 5, "a")}, "01234aX789", ""},
		"touching":               {[]source.Edit{edit(2, 4, "X"), edit(4, 6, "Y")}, "01XY6789", ""},
		"at the ends":            {[]source.Edit{edit(10, 10, "!"), edit(0, 0, "?")}, "?0123456789!", ""},
		"overlapping":            {[]source.Edit{edit(2, 5, ""), edit(4, 6, "")}, "", "x.yaml:1:5: two edits overlap"},
		"the same twice":         {[]source.Edit{edit(2, 5, "a"), edit(2, 5, "a")}, "", "overlap"},
		"behind the end":         {[]source.Edit{edit(9, 11, "")}, "", "outside"},
		"before the start":       {[]source.Edit{edit(-1, 1, "")}, "", "outside"},
		"ends before it starts":  {[]source.Edit{edit(3, 2, "")}, "", "outside"},
		"inserts within another": {[]source.Edit{edit(2, 6, ""), edit(4, 4, "x")}, "", "overlap"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := fix.Apply(file, c.edits)
			if c.fault == "" {
				if err != nil || got != c.want {
					t.Errorf("got %q, %v; want %q", got, err, c.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %q, %v; want an error about %q", got, err, c.fault)
			}
		})
	}
}
