package convention

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// NoPanic keeps any input from ending the program: panic stands only in
// functions whose doc comment says when they panic, and a Must function is
// given constants, never what a file holds. Ending the process is main's.
var NoPanic = &analysis.Analyzer{
	Name: "nopanic",
	Doc:  "report undocumented panics, Must functions on input, and os.Exit outside main",
	Run: func(pass *analysis.Pass) (any, error) {
		if _, ok := within(pass.Pkg.Path()); !ok {
			return nil, nil
		}
		for _, f := range pass.Files {
			if isTest(pass, f) {
				continue
			}
			for _, decl := range f.Decls {
				d, ok := decl.(*ast.FuncDecl)
				if !ok || d.Body == nil || strings.Contains(d.Doc.Text(), "panics") {
					continue
				}
				checkPanics(pass, d)
			}
		}
		return nil, nil
	},
}

func checkPanics(pass *analysis.Pass, d *ast.FuncDecl) {
	ast.Inspect(d.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
			if b, ok := pass.TypesInfo.Uses[id].(*types.Builtin); ok && b.Name() == "panic" {
				pass.Reportf(call.Pos(), "panic in %s, whose comment does not say that it panics", d.Name.Name)
			}
		}
		f := callee(pass.TypesInfo, call)
		if f == nil {
			return true
		}
		full := f.Pkg().Path() + "." + f.Name()
		switch {
		case pass.Pkg.Name() != "main" && (full == "os.Exit" || strings.HasPrefix(full, "log.Fatal")):
			pass.Reportf(call.Pos(), "%s ends the process: only main does", full)
		case strings.HasPrefix(full, "log.Panic"):
			pass.Reportf(call.Pos(), "%s panics", full)
		case strings.HasPrefix(f.Name(), "Must") && !constantArgs(pass, call):
			pass.Reportf(call.Pos(), "%s.%s panics on input that it does not like: use the form that returns an error", f.Pkg().Name(), f.Name())
		}
		return true
	})
}

func constantArgs(pass *analysis.Pass, call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		if pass.TypesInfo.Types[arg].Value == nil {
			return false
		}
	}
	return true
}
