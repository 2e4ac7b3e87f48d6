package convention

import (
	"go/ast"
	"go/constant"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
)

const rulePackage = Module + "/internal/rule"

// RuleFile keeps a rule where its newcomer looks for it: the rule x-y stands in
// x-y.go as the variable xY, alone, with x-y.md and testdata/x-y beside it, and
// in the list of its family.
var RuleFile = &analysis.Analyzer{
	Name: "rulefile",
	Doc:  "report rules that do not stand where their ID says",
	Run: func(pass *analysis.Pass) (any, error) {
		name, ok := family(pass.Pkg.Path())
		if !ok {
			return nil, nil
		}
		checkFamily(pass, name)
		return nil, nil
	},
}

// A ruleVar is a package-level variable that holds a rule.
type ruleVar struct {
	id   string
	name *ast.Ident
}

func checkFamily(pass *analysis.Pass, name string) {
	var rules []ruleVar
	var list *ast.CompositeLit
	dir := ""
	for _, f := range pass.Files {
		if isTest(pass, f) {
			continue
		}
		file := pass.Fset.Position(f.Package).Filename
		dir = filepath.Dir(file)
		found := rulesIn(pass, f)
		for i, r := range found {
			if i > 0 {
				pass.Reportf(r.name.Pos(), "a second rule in one file: each stands in a file of its own")
			}
			checkPlace(pass, r, file)
		}
		rules = append(rules, found...)
		if l := familyLiteral(pass, f); l != nil {
			if list != nil {
				pass.Reportf(l.Pos(), "a second family in one package")
			}
			list = l
		}
	}
	if list == nil {
		if len(pass.Files) > 0 {
			pass.Reportf(pass.Files[0].Package, "package %s has no rule.Family", name)
		}
		return
	}
	checkList(pass, list, name, rules)
	checkStrays(pass, list, dir, rules)
}

// rulesIn returns the rules of a file and reports the literals that are not the
// value of a variable of their own.
func rulesIn(pass *analysis.Pass, f *ast.File) []ruleVar {
	var out []ruleVar
	proper := map[*ast.CompositeLit]bool{}
	for _, decl := range f.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.VAR {
			continue
		}
		for _, spec := range d.Specs {
			v := spec.(*ast.ValueSpec)
			for i, value := range v.Values {
				lit := literal(pass, value, "Rule")
				if lit == nil || i >= len(v.Names) {
					continue
				}
				proper[lit] = true
				id, ok := stringField(pass, lit, "ID")
				if !ok {
					pass.Reportf(lit.Pos(), "the ID of a rule is a constant in its literal")
					continue
				}
				out = append(out, ruleVar{id, v.Names[i]})
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok && !proper[lit] {
			if t := pass.TypesInfo.TypeOf(lit); t != nil && isNamed(t, rulePackage, "Rule") {
				pass.Reportf(lit.Pos(), "a rule is the value of a package variable: var camelCase = &rule.Rule{...}")
			}
		}
		return true
	})
	return out
}

func checkPlace(pass *analysis.Pass, r ruleVar, file string) {
	dir, base := filepath.Split(file)
	if base != r.id+".go" {
		pass.Reportf(r.name.Pos(), "rule %s stands in %s, its place is %s.go", r.id, base, r.id)
	}
	// Initialisms are written as Go writes them: cpuLimitOnJVM.
	if !strings.EqualFold(r.name.Name, strings.ReplaceAll(r.id, "-", "")) {
		pass.Reportf(r.name.Pos(), "rule %s is the variable %s: name it after the ID", r.id, r.name.Name)
	}
	if r.name.IsExported() {
		pass.Reportf(r.name.Pos(), "rule %s is reached through its family: %s need not be exported", r.id, r.name.Name)
	}
	if _, err := os.Stat(filepath.Join(dir, r.id+".md")); err != nil {
		pass.Reportf(r.name.Pos(), "rule %s has no %s.md beside it", r.id, r.id)
	}
	fixtures, err := filepath.Glob(filepath.Join(dir, "testdata", r.id, "*.yaml"))
	if err != nil || len(fixtures) == 0 {
		pass.Reportf(r.name.Pos(), "rule %s has no fixture testdata/%s/*.yaml", r.id, r.id)
	}
}

// familyLiteral returns the rule.Family of a file.
func familyLiteral(pass *analysis.Pass, f *ast.File) *ast.CompositeLit {
	var found *ast.CompositeLit
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok && found == nil {
			if t := pass.TypesInfo.TypeOf(lit); t != nil && isNamed(t, rulePackage, "Family") {
				found = lit
			}
		}
		return found == nil
	})
	return found
}

// checkList compares the family with its package.
func checkList(pass *analysis.Pass, lit *ast.CompositeLit, name string, rules []ruleVar) {
	if got, ok := stringField(pass, lit, "Name"); !ok || got != name {
		pass.Reportf(lit.Pos(), "the family of folder %s is named %q", name, got)
	}
	listed := map[string]bool{}
	if value, ok := field(lit, "Rules").(*ast.CompositeLit); ok {
		for _, e := range value.Elts {
			id, ok := e.(*ast.Ident)
			if !ok {
				pass.Reportf(e.Pos(), "the family lists the variables of its rules")
				continue
			}
			if listed[id.Name] {
				pass.Reportf(e.Pos(), "%s is listed twice", id.Name)
			}
			listed[id.Name] = true
		}
	}
	for _, r := range rules {
		if !listed[r.name.Name] {
			pass.Reportf(r.name.Pos(), "rule %s is not in the list of family %s", r.id, name)
		}
	}
}

// checkStrays reports documentation and fixtures that belong to no rule.
func checkStrays(pass *analysis.Pass, at ast.Node, dir string, rules []ruleVar) {
	known := map[string]bool{}
	for _, r := range rules {
		known[r.id] = true
	}
	docs, _ := filepath.Glob(filepath.Join(dir, "*.md"))
	for _, doc := range docs {
		if id := strings.TrimSuffix(filepath.Base(doc), ".md"); !known[id] {
			pass.Reportf(at.Pos(), "%s.md documents no rule of this family", id)
		}
	}
	fixtures, _ := filepath.Glob(filepath.Join(dir, "testdata", "*"))
	for _, fixture := range fixtures {
		if id := filepath.Base(fixture); !known[id] {
			pass.Reportf(at.Pos(), "testdata/%s belongs to no rule of this family", id)
		}
	}
}

// literal returns e as a composite literal of the named type of package rule,
// with or without & before it.
func literal(pass *analysis.Pass, e ast.Expr, name string) *ast.CompositeLit {
	if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
		e = u.X
	}
	lit, ok := e.(*ast.CompositeLit)
	if !ok || !isNamed(pass.TypesInfo.TypeOf(lit), rulePackage, name) {
		return nil
	}
	return lit
}

// field returns the value of a field in a keyed literal, nil when it is not
// there.
func field(lit *ast.CompositeLit, name string) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok && id.Name == name {
				return kv.Value
			}
		}
	}
	return nil
}

// stringField returns a field that is a constant string.
func stringField(pass *analysis.Pass, lit *ast.CompositeLit, name string) (string, bool) {
	e := field(lit, name)
	if e == nil {
		return "", false
	}
	v := pass.TypesInfo.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}
