package rego

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Test runs the tests (test_… in *_test.rego, as `opa test` does) of the
// sources, writes what failed and a summary, and reports whether there was a
// test and all of them passed.
func Test(ctx context.Context, w io.Writer, o Options, sources ...Source) (bool, error) {
	modules, problems := parse(o, sources, true)
	c := compile(o, modules)
	problems = append(problems, c.problems...)
	_, bad := policiesOf(c.modules)
	var out strings.Builder
	for _, p := range append(problems, bad...) {
		fmt.Fprintln(&out, p)
	}
	results, err := runTests(ctx, o, c.modules)
	if err != nil {
		return false, err
	}
	var passed, failed, skipped int
	for _, r := range results {
		at := fmt.Sprintf("%s:%d", r.Location.File, r.Location.Row)
		name := strings.TrimPrefix(r.Package, "data.") + "." + r.Name
		switch {
		case r.Skip:
			skipped++
			fmt.Fprintf(&out, "%s: skipped: %s\n", at, name)
		case r.Error != nil:
			failed++
			fmt.Fprintf(&out, "%s: failed: %s: %v\n", at, name, r.Error)
		case r.Fail:
			failed++
			fmt.Fprintf(&out, "%s: failed: %s\n", at, name)
			if at := failedAt(r); at != nil {
				fmt.Fprintf(&out, "  %s:%d: this is not so: %s\n", at.File, at.Row, oneLine(string(at.Text)))
			}
			for names, sub := range r.SubResults.Iter {
				if sub.Fail && len(sub.SubResults) == 0 {
					fmt.Fprintf(&out, "  case %s\n", strings.Join(names, "/"))
				}
			}
		default:
			passed++
		}
		if text := strings.TrimSpace(string(r.Output)); text != "" && !r.Pass() {
			fmt.Fprintf(&out, "  printed: %s\n", strings.ReplaceAll(text, "\n", "\n  "))
		}
	}
	if len(results) == 0 {
		fmt.Fprintln(&out, "there is no test: write rules named test_… in files named *_test.rego")
	} else {
		fmt.Fprintf(&out, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	}
	_, err = io.WriteString(w, out.String())
	return err == nil && len(problems)+len(bad) == 0 && failed == 0 && passed > 0, err
}

// failedAt returns the place of the last expression that failed.
func failedAt(r *tester.Result) *ast.Location {
	for _, e := range slices.Backward(r.Trace) {
		if expr, ok := e.Node.(*ast.Expr); ok && e.Op == topdown.FailOp && e.Location != nil && e.QueryID != 0 {
			if _, every := expr.Terms.(*ast.Every); !every { // the expression inside says more
				return e.Location
			}
		}
	}
	return nil
}

// runTests runs the tests in the modules, in the order of the text.
func runTests(ctx context.Context, o Options, modules []*module) (results []*tester.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("OPA failed: %v", v)
		}
	}()
	if len(modules) == 0 {
		return nil, nil
	}
	compiler := newCompiler(o).WithEnablePrintStatements(true)
	ch, err := tester.NewRunner().SetCompiler(compiler).CapturePrintOutput(true).SetParallel(1).EnableTracing(true).
		SetModules(withSchema(o, modules)).RunTests(ctx, nil)
	if err != nil {
		return nil, err
	}
	for r := range ch {
		results = append(results, r)
	}
	slices.SortStableFunc(results, func(a, b *tester.Result) int { return a.Location.Compare(b.Location) })
	return results, nil
}
