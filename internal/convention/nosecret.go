package convention

import (
	"go/ast"
	"go/token"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
)

// secretReaders may look at the values of a Secret: cluster makes environments
// of them, and marks every variable that holds one.
var secretReaders = []string{"internal/cluster"}

// NoSecret keeps the values of Secrets out of every output by keeping them out
// of the code that writes it: data and stringData may be asked for their keys
// only.
var NoSecret = &analysis.Analyzer{
	Name: "nosecret",
	Doc:  "report code that reads the values of a Secret instead of its keys",
	Run: func(pass *analysis.Pass) (any, error) {
		from, ok := within(pass.Pkg.Path())
		if !ok || slices.Contains(secretReaders, from) {
			return nil, nil
		}
		for c := range inspector.New(pass.Files).Root().Preorder((*ast.SelectorExpr)(nil)) {
			sel := c.Node().(*ast.SelectorExpr)
			if sel.Sel.Name != "Data" && sel.Sel.Name != "StringData" {
				continue
			}
			t := pass.TypesInfo.TypeOf(sel.X)
			if t == nil || !isNamed(t, "k8s.io/api/core/v1", "Secret") || isTestPos(pass, sel.Pos()) {
				continue
			}
			if !keysOnly(pass, c) {
				pass.Reportf(sel.Sel.Pos(), "the values of a Secret are read: only its keys may be")
			}
		}
		return nil, nil
	},
}

func isTestPos(pass *analysis.Pass, pos token.Pos) bool {
	for _, f := range pass.Files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return isTest(pass, f)
		}
	}
	return false
}

// keysOnly reports whether the map at c is asked for no value: len(m), for k :=
// range m, _, ok := m[k], maps.Keys(m), m == nil.
func keysOnly(pass *analysis.Pass, c inspector.Cursor) bool {
	self := c.Node().(*ast.SelectorExpr)
	switch parent := c.Parent().Node().(type) {
	case *ast.BinaryExpr:
		return parent.Op == token.EQL || parent.Op == token.NEQ
	case *ast.RangeStmt:
		return parent.X == self && (parent.Value == nil || isBlank(parent.Value))
	case *ast.CallExpr:
		if id, ok := parent.Fun.(*ast.Ident); ok {
			return id.Name == "len"
		}
		f := callee(pass.TypesInfo, parent)
		return f != nil && f.Pkg().Path() == "maps" && f.Name() == "Keys"
	case *ast.IndexExpr:
		assign, ok := c.Parent().Parent().Node().(*ast.AssignStmt)
		return ok && parent.X == self && len(assign.Lhs) == 2 && len(assign.Rhs) == 1 && isBlank(assign.Lhs[0])
	}
	return false
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}
