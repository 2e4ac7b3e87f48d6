package references

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// checkNamed reports a reference to an object of a kind that is defined by being
// in the files and by nothing else. The object may be in the cluster, so that a
// name that is merely absent is no more than information; what makes it a
// warning is one that is there under a name like it, in another namespace, or
// beside objects of its kind.
func checkNamed(p *rule.Pass, r cluster.Reference, use, consequence string) {
	w := r.Workload
	if w.Custom || isPart(w) || len(validation.IsDNS1123Subdomain(r.Name)) > 0 || len(p.Cluster.Find(w.Object, r.Kind, r.Name)) > 0 {
		return
	}
	if p.Cluster.Resolve(r).Status == cluster.Expected {
		return
	}
	f := rule.Finding{Object: w.Object, At: r.At, Severity: diag.Info, Notes: []string{
		fmt.Sprintf("if it is made elsewhere, list %q under external: in .crashlint.yaml", r.Kind+"/"+r.Name),
	}}
	namespace := p.Cluster.NamespaceOf(w.Object)
	said := ", which nothing in the files defines"
	var beside []string
	by := map[string]*manifest.Object{}
	known := neighboursOf(p, r.Kind)
	for _, o := range known.byFile[w.File().Path] {
		if o.Name == r.Name {
			said = fmt.Sprintf(" in namespace %s, but the files define it in namespace %s only", namespace, namespaceOf(p, o))
			f.Severity = diag.Warning
			f.Related = []rule.Related{{Object: o, At: node.P("metadata", "namespace"), Message: "it goes to another namespace"}}
		}
	}
	for _, o := range known.byDir[w.Dir()] {
		if (o.File() == w.File() || p.Cluster.NamespaceOf(o) == namespace) && !known.users[o.Name] {
			beside = append(beside, o.Name)
			by[o.Name] = o
		}
	}
	if f.Severity == diag.Info {
		if meant := likeName(r.Name, beside); meant != "" {
			said = fmt.Sprintf(", which nothing in the files defines, but there is %s", meant)
			f.Severity = diag.Warning
			f.Related = []rule.Related{{Object: by[meant], At: node.P("metadata", "name"), Message: fmt.Sprintf("%s %s is here", r.Kind, meant)}}
			f.Fixes = []rule.Fix{{Message: fmt.Sprintf("use %s %s", r.Kind, meant), Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: r.At, Value: meant}}}}
		}
	}
	f.Message = fmt.Sprintf("%s %s %s%s: %s", use, r.Kind, r.Name, said, consequence)
	p.Report(f)
}

// neighbours are the objects of a kind by their file and folder, and the names
// that workloads use: one that is used is hardly the one that another workload
// misspells.
type neighbours struct {
	byFile, byDir map[string][]*manifest.Object
	users         map[string]bool
}

type neighboursKey struct{ kind string }

func neighboursOf(p *rule.Pass, kind string) neighbours {
	return cluster.Memo(p.Cluster, neighboursKey{kind}, func() neighbours {
		n := neighbours{map[string][]*manifest.Object{}, map[string][]*manifest.Object{}, map[string]bool{}}
		for _, o := range p.Cluster.Objects {
			if o.Kind == kind && o.Group() == "" {
				n.byFile[o.File().Path] = append(n.byFile[o.File().Path], o)
				n.byDir[o.Dir()] = append(n.byDir[o.Dir()], o)
			}
		}
		for _, w := range p.Cluster.Workloads {
			if kind == "ServiceAccount" {
				name := cmp.Or(w.Pod.ServiceAccountName, w.Pod.DeprecatedServiceAccount)
				n.users[name] = true
				continue
			}
			for _, v := range w.Pod.Volumes {
				if claim := v.PersistentVolumeClaim; claim != nil {
					n.users[claim.ClaimName] = true
				}
			}
		}
		return n
	})
}

// likeName returns the name that was probably meant: a letter or two off, or
// with another word before it. data-1 and data-2 are two of a kind.
func likeName(name string, names []string) string {
	letters := func(s string) string { return strings.TrimRight(s, "0123456789") }
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return letters(n) == letters(name) })
	if meant := nearestKey(name, names); meant != "" {
		return meant
	}
	const enough = 5 // a short word is a suffix of many
	for _, n := range names {
		if min(len(n), len(name)) >= enough && (strings.HasSuffix(n, "-"+name) || strings.HasSuffix(name, "-"+n)) {
			return n
		}
	}
	return ""
}
