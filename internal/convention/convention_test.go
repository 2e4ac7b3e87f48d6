package convention_test

import (
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/crashlint/crashlint/internal/convention"
)

func TestAnalyzers(t *testing.T) {
	for analyzer, pkgs := range map[*analysis.Analyzer][]string{
		convention.Imports:  {"internal/node", "internal/strange", "rules/network"},
		convention.RuleFile: {"rules/memory", "rules/empty", "rules/messy"},
		convention.Pure:     {"rules/pure"},
		convention.NoPanic:  {"internal/images", "cmd/crashlint"},
		convention.NoSecret: {"internal/report"},
	} {
		t.Run(analyzer.Name, func(t *testing.T) {
			for i, p := range pkgs {
				pkgs[i] = convention.Module + "/" + p
			}
			analysistest.Run(t, analysistest.TestData(), analyzer, pkgs...)
		})
	}
}

// load reads the packages of the whole module.
func load(t *testing.T, mode packages.LoadMode) []*packages.Package {
	t.Helper()
	pkgs, err := packages.Load(&packages.Config{Mode: mode, Dir: "../.."}, convention.Module+"/...")
	if err != nil {
		t.Fatal(err)
	}
	if packages.PrintErrors(pkgs) > 0 {
		t.Fatal("the module does not load")
	}
	if len(pkgs) < 5 {
		t.Fatalf("only %d packages were loaded", len(pkgs))
	}
	return pkgs
}

// TestModule runs the analyzers over crashlint itself.
func TestModule(t *testing.T) {
	graph, err := checker.Analyze(convention.Analyzers(), load(t, packages.LoadSyntax), nil)
	if err != nil {
		t.Fatal(err)
	}
	for act := range graph.All() {
		if act.Err != nil {
			t.Errorf("%s: %v", act, act.Err)
		}
		if !act.IsRoot {
			continue
		}
		for _, d := range act.Diagnostics {
			t.Errorf("%s: %s: %s", act.Package.Fset.Position(d.Pos), act.Analyzer.Name, d.Message)
		}
	}
}

// TestReach holds what no single import shows.
func TestReach(t *testing.T) {
	roots := load(t, packages.NeedName|packages.NeedImports|packages.NeedDeps)
	for _, problem := range convention.Reach(roots) {
		t.Error(problem)
	}
}

// TestReachFinds shows that Reach follows chains.
func TestReachFinds(t *testing.T) {
	opa := &packages.Package{PkgPath: "github.com/open-policy-agent/opa/v1/rego"}
	between := &packages.Package{PkgPath: "example.org/x", Imports: map[string]*packages.Package{opa.PkgPath: opa}}
	rules := &packages.Package{PkgPath: convention.Module + "/rules", Imports: map[string]*packages.Package{between.PkgPath: between}}
	got := convention.Reach([]*packages.Package{rules, between})
	want := "rules reaches github.com/open-policy-agent/opa/v1/rego by way of example.org/x"
	if len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
