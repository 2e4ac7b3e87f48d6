package diag

import (
	"slices"
	"testing"

	"github.com/crashlint/crashlint/internal/source"
)

func TestParseSeverity(t *testing.T) {
	for _, s := range []Severity{Info, Warning, Error} {
		if got, err := ParseSeverity(s.String()); err != nil || got != s {
			t.Errorf("%v: got %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "Error", "fatal", "severity(0)"} {
		if _, err := ParseSeverity(s); err == nil {
			t.Errorf("%q is taken for a severity", s)
		}
	}
}

func TestFullyQualifiedName(t *testing.T) {
	for want, d := range map[string]Diagnostic{
		"":                   {Path: "spec"},
		"Pod/app":            {Object: Object{Kind: "Pod", Name: "app", Namespace: "shop"}},
		"Pod/app:spec.nodes": {Object: Object{Kind: "Pod", Name: "app"}, Path: "spec.nodes"},
		"Pod":                {Object: Object{Kind: "Pod"}},
	} {
		if got := d.FullyQualifiedName(); got != want {
			t.Errorf("%+v: got %q, want %q", d, got, want)
		}
	}
}

// The order does not depend on that of the findings, and the worse comes first
// where two stand at one place.
func TestSort(t *testing.T) {
	a, b := source.NewFile("a.yaml", "0123456789"), source.NewFile("b.yaml", "0123456789")
	at := func(f *source.File, start, end int, s Severity, rule string) *Diagnostic {
		return &Diagnostic{Rule: rule, Severity: s, Location: Location{File: f, Span: source.Span{Start: start, End: end}}}
	}
	want := []*Diagnostic{at(a, 1, 2, Info, "z"), at(a, 3, 4, Error, "z"), at(a, 3, 4, Warning, "a"), at(a, 3, 4, Warning, "b"), at(a, 3, 5, Error, "a"), at(b, 0, 1, Error, "a")}
	mixed := slices.Concat(want, want)
	slices.Reverse(mixed)
	got := Sort(mixed)
	if !slices.EqualFunc(got, want, func(x, y *Diagnostic) bool { return Compare(x, y) == 0 }) {
		t.Errorf("%d diagnostics, in another order or not once each", len(got))
	}
}

func TestProblem(t *testing.T) {
	f := source.NewFile("a.yaml", "a: b\nc: d\n")
	for want, p := range map[string]Problem{
		"no":             {Message: "no"},
		"dir: no":        {Message: "no", Path: "dir"},
		"a.yaml:2:4: no": {Message: "no", Path: "dir", Location: &Location{File: f, Span: source.Span{Start: 8, End: 9}}},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
