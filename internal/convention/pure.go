package convention

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// clocks are the functions of package time that look at the clock.
var clocks = map[string]bool{
	"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "AfterFunc": true, "Tick": true,
	"NewTicker": true, "NewTimer": true,
}

// caches are the packages that keep what they computed from Go types, which
// cannot change while the program runs.
var caches = []string{"internal/yamltree"}

// Pure keeps what computes a verdict a function of the manifests: no clock, no
// output, and no package-level variable that is written to once the program
// runs, because rules run at the same time and in any order.
var Pure = &analysis.Analyzer{
	Name: "pure",
	Doc:  "report clocks, output and mutable package state in the packages that compute verdicts",
	Run: func(pass *analysis.Pass) (any, error) {
		from, ok := within(pass.Pkg.Path())
		if !ok {
			return nil, nil
		}
		for _, l := range law {
			if !l.pure || !covers(l.pkg, from) {
				continue
			}
			for _, f := range pass.Files {
				if !isTest(pass, f) {
					checkPure(pass, from, f)
				}
			}
		}
		return nil, nil
	},
}

func checkPure(pass *analysis.Pass, from string, f *ast.File) {
	written := func(e ast.Expr) {
		if v := packageVar(pass, e); v != nil {
			pass.Reportf(e.Pos(), "package variable %s is written to: what one call does must not be seen by another", v.Name())
		}
	}
	for _, decl := range f.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.VAR && !slices.Contains(caches, from) {
			checkVars(pass, d)
		}
		if d, ok := decl.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
			pass.Reportf(d.Pos(), "init runs at every start and in an order nobody reads: use a literal or sync.OnceValue")
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, lhs := range n.Lhs {
					written(lhs)
				}
			}
		case *ast.IncDecStmt:
			written(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				written(n.Key)
				if n.Value != nil {
					written(n.Value)
				}
			}
		case *ast.CallExpr:
			checkCall(pass, n, written)
		}
		return true
	})
}

func checkCall(pass *analysis.Pass, call *ast.CallExpr, written func(ast.Expr)) {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := pass.TypesInfo.Uses[id].(*types.Builtin); ok {
			switch b.Name() {
			case "delete", "clear", "copy":
				written(call.Args[0])
			case "print", "println":
				pass.Reportf(call.Pos(), "%s writes to standard error", b.Name())
			}
		}
	}
	f := callee(pass.TypesInfo, call)
	if f == nil {
		return
	}
	switch {
	case f.Pkg().Path() == "time" && clocks[f.Name()]:
		pass.Reportf(call.Pos(), "time.%s looks at the clock: the same input gives the same bytes", f.Name())
	case f.Pkg().Path() == "fmt" && (f.Name() == "Print" || f.Name() == "Printf" || f.Name() == "Println"):
		pass.Reportf(call.Pos(), "fmt.%s writes to standard output", f.Name())
	}
}

// checkVars reports variables whose type is there to be changed.
func checkVars(pass *analysis.Pass, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			v := pass.TypesInfo.Defs[name]
			if v == nil {
				continue
			}
			n, ok := types.Unalias(v.Type()).(*types.Named)
			if !ok || n.Obj().Pkg() == nil {
				continue
			}
			switch p := n.Obj().Pkg().Path(); p {
			case "sync", "sync/atomic":
				pass.Reportf(name.Pos(), "package variable %s is a %s.%s: state that outlives a call", name.Name, n.Obj().Pkg().Name(), n.Obj().Name())
			}
		}
	}
}

// packageVar returns the package-level variable that an assignment to e
// changes: v = x, v.f = x, v[i] = x, *v = x.
func packageVar(pass *analysis.Pass, e ast.Expr) *types.Var {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.Ident:
			return global(pass.TypesInfo.Uses[x])
		case *ast.SelectorExpr:
			if v := global(pass.TypesInfo.Uses[x.Sel]); v != nil {
				return v
			}
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func global(o types.Object) *types.Var {
	v, ok := o.(*types.Var)
	if !ok || v.IsField() || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
		return nil
	}
	return v
}
