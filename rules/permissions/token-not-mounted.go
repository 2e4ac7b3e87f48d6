package permissions

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var tokenNotMounted = &rule.Rule{
	ID:       "token-not-mounted",
	Title:    "A program talks to the API server, and its pod has no token for it",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkToken,
}

// checkToken reports pods that decline the token (plugin/pkg/admission/
// serviceaccount/admission.go: the pod's automountServiceAccountToken, or else
// the service account's) though they run a client of the API server: an image
// that is known to be one, or one whose service account has been given rights.
// client-go reads the token when it sets itself up and fails without
// (rest/config.go, InClusterConfig).
func checkToken(p *rule.Pass, w *manifest.Workload) {
	if w.Custom || p.Cluster.Patched(w) || hasToken(w) {
		return
	}
	name := cmp.Or(w.Pod.ServiceAccountName, w.Pod.DeprecatedServiceAccount, "default")
	declined, ok := declinesToken(p.Cluster, w, name)
	if !ok {
		return
	}
	for _, ctr := range w.Containers {
		api := p.Cluster.Image(ctr).API
		if api == nil || ctr.Partial || len(ctr.Command) > 0 || hasOption(p.Cluster, ctr, append([]string{"--kubeconfig"}, api.Unless...)) || named(ctr, "KUBECONFIG") {
			continue
		}
		f := tokenFinding(w, declined, name)
		f.Severity = diag.Error
		f.Message = fmt.Sprintf("container %q: %s talks to the API server, and automountServiceAccountToken: false leaves the pod without a token: it exits, at every start", ctr.Name, ctr.Image)
		f.Notes = []string{sourceNote("what it needs", api.Source)}
		f.Related = append(f.Related, rule.Related{Object: w.Object, At: ctr.At("image"), Message: "a client of the API server"})
		f.Needs = append(f.Needs, ctr.At("image"), ctr.At("args"))
		p.Report(f)
		return
	}
	binding := grantedTo(p.Cluster, w, name)
	if binding == nil || name == "default" || slices.ContainsFunc(w.Containers, func(ctr *manifest.Container) bool {
		return hasOption(p.Cluster, ctr, []string{"--kubeconfig"}) || named(ctr, "KUBECONFIG")
	}) || onlyServers(p.Cluster, w) {
		return
	}
	f := tokenFinding(w, declined, name)
	f.Message = fmt.Sprintf("ServiceAccount %s is given rights on the API server, and automountServiceAccountToken: false leaves the pod without a token to use them: an in-cluster client exits, at every start", name)
	f.Related = append(f.Related, rule.Related{Object: binding, At: node.P("subjects"), Message: "rights for " + name})
	p.Report(f)
}

// languages are the runtimes whose programs may do anything; an image that runs on
// another is a server that is no client of the API server.
var languages = []string{"jvm", "node", "python", "go", "dotnet", "ruby", "php"}

// onlyServers reports whether the pod runs nothing but such servers: some charts
// give Redis rights that none of its programs use.
func onlyServers(c *cluster.Cluster, w *manifest.Workload) bool {
	return !slices.ContainsFunc(w.Containers, func(ctr *manifest.Container) bool {
		runtime := c.Image(ctr).Runtime
		return ctr.Role != manifest.Init && (runtime == nil || slices.Contains(languages, runtime.Name))
	})
}

// declinesToken returns where the token is declined.
func declinesToken(c *cluster.Cluster, w *manifest.Workload, account string) (cluster.Origin, bool) {
	field := "automountServiceAccountToken"
	if auto := w.Pod.AutomountServiceAccountToken; auto != nil {
		return cluster.Origin{Object: w.Object, Path: w.PodPath.Append(field)}, !*auto
	}
	for _, o := range c.Find(w.Object, "ServiceAccount", account) {
		if typed, ok := o.Typed.(*corev1.ServiceAccount); ok {
			auto := typed.AutomountServiceAccountToken
			return cluster.Origin{Object: o, Path: node.P(field)}, auto != nil && !*auto && !o.Patch
		}
	}
	return cluster.Origin{}, false
}

func tokenFinding(w *manifest.Workload, declined cluster.Origin, account string) rule.Finding {
	at := w.PodPath.Append("automountServiceAccountToken")
	f := rule.Finding{
		Object: w.Object, At: declined.Path,
		Fixes: []rule.Fix{
			{Safety: diag.Unsafe, Message: "mount the token in this pod", Ops: []node.Op{{Kind: node.Set, Path: at, Value: true}}},
			{Safety: diag.Display, Message: "or mount a projected volume with a serviceAccountToken at " + accountDirectory},
		},
	}
	if declined.Object != w.Object {
		f.At = w.PodPath.Append("serviceAccountName")
		f.Related = []rule.Related{{Object: declined.Object, At: declined.Path, Message: "ServiceAccount " + account + " declines it"}}
	}
	return f
}

// accountDirectory is where clients look for the token.
const accountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

// hasToken reports whether the pod brings a token of its own: a projected one,
// or something mounted where clients look for it.
func hasToken(w *manifest.Workload) bool {
	for _, v := range w.Pod.Volumes {
		if v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool { return s.ServiceAccountToken != nil }) {
			return true
		}
	}
	return slices.ContainsFunc(w.Containers, func(ctr *manifest.Container) bool {
		return slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool {
			return strings.HasSuffix(path.Clean(m.MountPath), "/kubernetes.io/serviceaccount")
		})
	})
}

// hasOption reports whether a container's command line has one of the options,
// or may have.
func hasOption(c *cluster.Cluster, ctr *manifest.Container, options []string) bool {
	for _, w := range c.Process(ctr).Words {
		if !w.Known {
			return true
		}
		for _, o := range options {
			if w.Value == o || strings.HasPrefix(w.Value, o+"=") {
				return true
			}
		}
	}
	return false
}

func named(ctr *manifest.Container, variable string) bool {
	return slices.ContainsFunc(ctr.Env, func(e corev1.EnvVar) bool { return e.Name == variable })
}

// grantedTo returns a binding that gives the service account rights to be used
// by a client. Roles that are only there for admission (the verb use of a
// policy) and for others who ask about it are none.
func grantedTo(c *cluster.Cluster, w *manifest.Workload, account string) *manifest.Object {
	own := c.NamespaceOf(w.Object)
	for _, s := range subjectsNamed(c, w.Object, account) {
		if (s.namespace == "" || own == "" || s.namespace == own) && usedByClient(c, s.by) {
			return s.by
		}
	}
	return nil
}

// usedByClient reports whether the role of the binding is in the files and holds
// a rule for a client.
func usedByClient(c *cluster.Cluster, binding *manifest.Object) bool {
	kind, name := binding.StringAt(node.P("roleRef", "kind")), binding.StringAt(node.P("roleRef", "name"))
	for _, role := range c.OfKind(kind) {
		if role.Name != name || !cluster.Near(binding, role) {
			continue
		}
		v, _ := role.Value(node.P("rules"))
		rules, _ := v.([]any)
		for _, r := range rules {
			entry, _ := r.(map[string]any)
			verbs, _ := entry["verbs"].([]any)
			if slices.ContainsFunc(verbs, func(verb any) bool { return verb != "use" }) {
				return true
			}
		}
	}
	return false
}
