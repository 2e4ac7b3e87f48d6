// Package convention keeps DESIGN.md true: analyzers for what the compiler does
// not know about this project. Its own test runs them over the whole module, so
// that go test enforces them.
package convention

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Module is the path of the module that the conventions are about.
const Module = "github.com/crashlint/crashlint"

// Analyzers returns all of them.
func Analyzers() []*analysis.Analyzer {
	return []*analysis.Analyzer{Imports, RuleFile, Pure, NoPanic, NoSecret}
}

// within returns the path of a package below the module's root, false for the
// packages of others and for the main packages that go test writes.
func within(path string) (string, bool) {
	if strings.HasSuffix(path, ".test") {
		return "", false
	}
	if path == Module {
		return "", true
	}
	return strings.CutPrefix(path, Module+"/")
}

// family returns the name of the rule family that a package holds.
func family(path string) (string, bool) {
	below, ok := within(path)
	if !ok {
		return "", false
	}
	name, ok := strings.CutPrefix(below, "rules/")
	return name, ok && !strings.Contains(name, "/")
}

// isTest reports whether the file of a pass is a test.
func isTest(pass *analysis.Pass, f *ast.File) bool {
	return strings.HasSuffix(pass.Fset.Position(f.Package).Filename, "_test.go")
}

// isNamed reports whether t, or what it points to, is the named type.
func isNamed(t types.Type, pkg, name string) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return false
	}
	return n.Obj().Pkg().Path() == pkg && n.Obj().Name() == name
}

// callee returns the package-level function that a call names, nil for
// anything else.
func callee(info *types.Info, call *ast.CallExpr) *types.Func {
	var id *ast.Ident
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return nil
	}
	f, ok := info.Uses[id].(*types.Func)
	if !ok || f.Signature().Recv() != nil || f.Pkg() == nil {
		return nil
	}
	return f
}
