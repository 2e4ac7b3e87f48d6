package convention

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"
)

// A layer says what one package of ours may import.
type layer struct {
	// pkg is the package below the module's root; rules/* stands for every
	// family.
	pkg string
	// ours are the packages of the module that it may import.
	ours []string
	// libraries are those of others that it may import beside the standard
	// library; nil allows all that belong to nobody.
	libraries []string
	// pure forbids what reads the world: files, network, environment, clocks.
	pure bool
}

// law is the import law of DESIGN.md: arrows run one way, nothing imports
// upward. A package that is not in the table has no place in the house yet.
var law = []layer{
	{pkg: "internal/source", pure: true},
	{pkg: "internal/node", ours: []string{"internal/source"}, pure: true},
	{pkg: "internal/diag", ours: []string{"internal/source"}, pure: true},
	{pkg: "internal/images", pure: true},
	{pkg: "internal/kubelet", pure: true},
	{pkg: "internal/yamltree", ours: []string{"internal/source", "internal/node"}, pure: true},
	{pkg: "internal/manifest", ours: []string{"internal/source", "internal/node"}, pure: true},
	{pkg: "internal/cluster", pure: true, ours: []string{
		"internal/source", "internal/node", "internal/manifest", "internal/images", "internal/kubelet",
	}},
	{pkg: "internal/runtimes/*", pure: true, ours: []string{
		"internal/node", "internal/manifest", "internal/images", "internal/cluster",
	}},
	{pkg: "internal/runtimes", pure: true, ours: []string{"internal/manifest", "internal/cluster", "internal/runtimes/*"}},
	{pkg: "internal/rule", pure: true, ours: []string{
		"internal/diag", "internal/node", "internal/manifest", "internal/cluster",
	}},
	{pkg: "internal/timeline", pure: true, ours: []string{
		"internal/node", "internal/manifest", "internal/cluster", "internal/kubelet", "internal/runtimes", "internal/runtimes/*",
	}},
	{pkg: "internal/picture", pure: true, ours: []string{"internal/kubelet", "internal/timeline"}},
	{
		pkg: "rules/*", pure: true,
		ours: []string{
			"internal/node", "internal/manifest", "internal/images", "internal/cluster", "internal/kubelet",
			"internal/runtimes", "internal/runtimes/*", "internal/timeline", "internal/diag", "internal/rule",
		},
		libraries: []string{"k8s.io/api", "k8s.io/apimachinery", "github.com/BurntSushi/toml", "github.com/agnivade/levenshtein", "github.com/distribution/reference"},
	},
	{pkg: "rules", pure: true, ours: []string{"internal/rule", "rules/*"}},
	{pkg: "internal/loader", ours: []string{
		"internal/source", "internal/node", "internal/diag", "internal/yamltree", "internal/manifest",
	}},
	{pkg: "internal/config", ours: []string{
		"internal/source", "internal/node", "internal/diag", "internal/images", "internal/yamltree", "internal/rule",
	}},
	{pkg: "internal/engine", ours: []string{
		"internal/source", "internal/node", "internal/diag", "internal/manifest", "internal/cluster", "internal/rule",
	}},
	{pkg: "internal/rego", ours: []string{
		"internal/source", "internal/node", "internal/diag", "internal/manifest", "internal/images", "internal/cluster",
		"internal/kubelet", "internal/runtimes", "internal/runtimes/*", "internal/rule",
	}},
	{pkg: "policies", ours: []string{"internal/diag", "internal/rule", "internal/rego"}},
	{pkg: "internal/fix", ours: []string{"internal/source", "internal/diag"}},
	{pkg: "internal/report", ours: []string{"internal/source", "internal/diag"}},
	{pkg: "internal/ruletest", ours: []string{
		"internal/source", "internal/node", "internal/diag", "internal/yamltree", "internal/manifest", "internal/images",
		"internal/cluster", "internal/rule", "internal/loader", "internal/engine", "internal/fix",
	}},
	{pkg: "internal/cli", ours: []string{
		"internal/source", "internal/node", "internal/diag", "internal/yamltree", "internal/manifest", "internal/images", "internal/cluster",
		"internal/kubelet", "internal/timeline", "internal/picture", "internal/rule", "internal/loader", "internal/config",
		"internal/engine", "internal/rego", "internal/fix", "internal/report", "rules", "policies",
	}},
	{pkg: "internal/convention"},
	{pkg: "cmd/crashlint", ours: []string{"internal/cli"}},
}

// owners are the libraries that only one package may import.
var owners = []struct{ library, owner string }{
	{"go.yaml.in/yaml", "internal/yamltree"},
	{"gopkg.in/yaml", "internal/yamltree"},
	{"github.com/open-policy-agent/opa", "internal/rego"},
	{"github.com/urfave/cli", "internal/cli"},
	{"golang.org/x/tools", "internal/convention"},
}

// worldly are the packages that read the world. The path of a folder's package
// stands for those below it unless it ends in "$".
var worldly = []string{
	"os", "net$", "net/http", "net/rpc", "net/smtp", "syscall", "log", "io/ioutil", "path/filepath", "plugin",
	"math/rand", "crypto/rand", "testing$", "unsafe",
}

// unreachable is what must not be linked even indirectly: the packages and what
// they must never come to depend on.
var unreachable = []struct {
	from, to []string
	reason   string
}{
	{
		from:   []string{"rules", "internal/rule", "internal/cluster", "internal/manifest", "internal/report", "internal/engine"},
		to:     []string{"github.com/open-policy-agent/opa", "go.yaml.in/yaml/v4", Module + "/internal/loader"},
		reason: "the model stands below what reads files and policies",
	},
	{
		from:   []string{"cmd/crashlint"},
		to:     []string{"k8s.io/client-go", "k8s.io/kubernetes", Module + "/internal/ruletest", Module + "/internal/convention"},
		reason: "the program starts in a few milliseconds and carries no test code",
	},
}

// Imports holds the import law: which package of ours may import which, which
// library belongs to whom, and who may read the world.
var Imports = &analysis.Analyzer{
	Name: "imports",
	Doc:  "report imports that run against the arrows of DESIGN.md",
	Run: func(pass *analysis.Pass) (any, error) {
		from, ok := within(pass.Pkg.Path())
		if !ok || len(pass.Files) == 0 {
			return nil, nil
		}
		i := slices.IndexFunc(law, func(l layer) bool { return covers(l.pkg, from) })
		if i < 0 {
			pass.Reportf(pass.Files[0].Package, "package %s has no row in the import law of internal/convention", from)
			return nil, nil
		}
		for _, f := range pass.Files {
			if isTest(pass, f) {
				continue
			}
			for _, spec := range f.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					continue
				}
				if reason := law[i].forbids(from, path); reason != "" {
					pass.Reportf(spec.Pos(), "%s must not import %s: %s", from, path, reason)
				}
			}
		}
		return nil, nil
	},
}

// forbids returns why the package of ours, which is of this layer, must not
// import the path, empty when it may.
func (l layer) forbids(from, path string) string {
	if to, ok := within(path); ok {
		if !slices.ContainsFunc(l.ours, func(p string) bool { return covers(p, to) }) {
			return "the import law does not allow it"
		}
		return ""
	}
	for _, o := range owners {
		if below(path, o.library) && from != o.owner {
			return "only " + o.owner + " may"
		}
	}
	if third := strings.Contains(strings.Split(path, "/")[0], "."); third && l.libraries != nil &&
		!slices.ContainsFunc(l.libraries, func(library string) bool { return below(path, library) }) {
		return "it is not one of the libraries of " + l.pkg
	}
	if l.pure && slices.ContainsFunc(worldly, func(w string) bool { return below(path, w) }) {
		return "it reads the world, and " + from + " computes from what it is given"
	}
	return ""
}

// covers reports whether a row's name means the package.
func covers(row, pkg string) bool {
	if dir, ok := strings.CutSuffix(row, "/*"); ok {
		name, ok := strings.CutPrefix(pkg, dir+"/")
		return ok && !strings.Contains(name, "/")
	}
	return row == pkg
}

// below reports whether the path is the root's or lies below it; a root that
// ends in "$" stands for itself only.
func below(path, root string) bool {
	if exact, ok := strings.CutSuffix(root, "$"); ok {
		return path == exact
	}
	return path == root || strings.HasPrefix(path, root+"/")
}

// Reach returns what the packages come to depend on though they must not, a
// line each with one chain that leads there.
func Reach(pkgs []*packages.Package) []string {
	var problems []string
	for _, p := range pkgs {
		from, _ := within(p.PkgPath)
		for _, u := range unreachable {
			if !slices.Contains(u.from, from) {
				continue
			}
			if chain := reach(p, u.to, map[*packages.Package]bool{}); chain != nil {
				problems = append(problems, fmt.Sprintf("%s reaches %s by way of %s: %s",
					from, chain[len(chain)-1], strings.Join(chain[:len(chain)-1], ", "), u.reason))
			}
		}
	}
	return problems
}

// reach returns the packages on the way from p to one of those named, without
// p itself.
func reach(p *packages.Package, to []string, seen map[*packages.Package]bool) []string {
	for _, path := range slices.Sorted(maps.Keys(p.Imports)) {
		next := p.Imports[path]
		if seen[next] {
			continue
		}
		seen[next] = true
		if slices.ContainsFunc(to, func(root string) bool { return below(next.PkgPath, root) }) {
			return []string{next.PkgPath}
		}
		if rest := reach(next, to, seen); rest != nil {
			return append([]string{next.PkgPath}, rest...)
		}
	}
	return nil
}
