package report

import (
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

func TestPositionInLongLines(t *testing.T) {
	text := "short: ü\r\n" + strings.Repeat("größe 名前 👩‍👩‍👧 \xff\x80", 2000) + "\r\n\n" + strings.Repeat("\x80", 3*stride) + "\nend"
	f := source.NewFile("f", text)
	v := newView(&diag.Result{}, Options{})
	for offset := range len(text) + 1 {
		if offset%97 != 0 && offset%stride > 5 {
			continue
		}
		if got, want := v.position(f, offset), f.Position(offset); got != want {
			t.Fatalf("offset %d: got %v, want %v", offset, got, want)
		}
	}
}
