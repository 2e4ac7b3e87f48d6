package permissions

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var apiAccessWithoutRBAC = &rule.Rule{
	ID:       "api-access-without-rbac",
	Title:    "A service account's rights go to one of the same name in another namespace",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkRights,
}

// checkRights reports workloads whose service account is bound in another
// namespace only: a subject is a name and a namespace, and the API server gives
// the rights to exactly that account (pkg/registry/rbac/validation/rule.go,
// appliesToUser).
func checkRights(p *rule.Pass, w *manifest.Workload) {
	name, own := cmp.Or(w.Pod.ServiceAccountName, w.Pod.DeprecatedServiceAccount), p.Cluster.NamespaceOf(w.Object)
	if name == "" || name == "default" || own == "" || w.Custom || p.Cluster.Patched(w) || accountIn(p.Cluster, name, own) == nil {
		return
	}
	var elsewhere *subject
	for _, s := range subjectsNamed(p.Cluster, w.Object, name) {
		switch {
		case s.namespace == own, s.namespace == "", !s.by.Known(s.at.Append("namespace")):
			return
		case accountIn(p.Cluster, name, s.namespace) == nil && elsewhere == nil:
			elsewhere = &s
		}
	}
	if elsewhere == nil || onlyServers(p.Cluster, w) || kustomized(p.Cluster, w) {
		return
	}
	at := w.PodPath.Append("serviceAccountName")
	p.Report(rule.Finding{
		Object: w.Object, At: at,
		Message: fmt.Sprintf("ServiceAccount %s of namespace %s has no rights: %s binds the one of namespace %s, which does not exist here; a client of the API server gets \"forbidden\", and most controllers exit",
			name, own, elsewhere.by, elsewhere.namespace),
		Related: []rule.Related{
			{Object: elsewhere.by, At: elsewhere.at.Append("namespace"), Message: "another namespace"},
			{Object: accountIn(p.Cluster, name, own), At: node.P("metadata", "name"), Message: "the account that the pod runs as"},
		},
		Fixes: []rule.Fix{{Safety: diag.Display, Message: "name namespace " + own + " in the subject of " + elsewhere.by.String()}},
	})
}

// kustomized reports whether a kustomization near the workload may set the
// namespace of its objects, and with it that of their subjects
// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/namespace/).
func kustomized(c *cluster.Cluster, w *manifest.Workload) bool {
	return slices.ContainsFunc(c.Objects, func(o *manifest.Object) bool {
		return (o.Kind == "Kustomization" || o.Kind == "Component") && cluster.Near(w.Object, o)
	})
}

// A subject is a service account in a binding.
type subject struct {
	by        *manifest.Object
	at        node.Path
	namespace string
}

// subjectsNamed returns the service accounts of that name which bindings in the
// files near the object give rights.
func subjectsNamed(c *cluster.Cluster, from *manifest.Object, name string) []subject {
	byName := cluster.Memo(c, subjectsKey{}, func() map[string][]subject {
		by := map[string][]subject{}
		for _, o := range slices.Concat(c.OfKind("RoleBinding"), c.OfKind("ClusterRoleBinding")) {
			v, _ := o.Value(node.P("subjects"))
			list, _ := v.([]any)
			for i := range list {
				at := node.P("subjects", i)
				if o.StringAt(at.Append("kind")) == "ServiceAccount" {
					name := o.StringAt(at.Append("name"))
					by[name] = append(by[name], subject{o, at, o.StringAt(at.Append("namespace"))})
				}
			}
		}
		return by
	})
	return slices.DeleteFunc(slices.Clone(byName[name]), func(s subject) bool { return !cluster.Near(from, s.by) })
}

type subjectsKey struct{}

// accountIn returns the service account of the files that stands in exactly that
// namespace.
func accountIn(c *cluster.Cluster, name, namespace string) *manifest.Object {
	for _, o := range c.OfKind("ServiceAccount") {
		if o.Name == name && c.NamespaceOf(o) == namespace {
			return o
		}
	}
	return nil
}
