package references

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// checkTargets reports the workload's required references of one kind whose
// object or key is not there: one finding for an object, one for a key.
func checkTargets(p *rule.Pass, w *manifest.Workload, kind string) {
	var names []string
	byName := map[string][]cluster.Reference{}
	for _, r := range p.Cluster.References(w) {
		// No object has a name like that: a placeholder of some tool's.
		if r.Kind != kind || r.Optional || len(validation.IsDNS1123Subdomain(r.Name)) > 0 {
			continue
		}
		if byName[r.Name] == nil {
			names = append(names, r.Name)
		}
		byName[r.Name] = append(byName[r.Name], r)
	}
	for _, name := range names {
		refs := byName[name]
		switch res := p.Cluster.Resolve(refs[0]); res.Status {
		case cluster.Defined:
			checkKeys(p, refs)
		case cluster.Elsewhere:
			reportElsewhere(p, refs, res)
		case cluster.Missing:
			reportMissing(p, refs)
		}
	}
}

// checkKeys reports keys that no definition of the object has.
func checkKeys(p *rule.Pass, refs []cluster.Reference) {
	reported := map[string]bool{}
	for i, r := range refs {
		res := p.Cluster.Resolve(r)
		if reported[r.Key] || res.Key != cluster.KeyAbsent && res.Key != cluster.KeyDistant && res.Key != cluster.KeyBinary {
			continue
		}
		reported[r.Key] = true
		by := res.By[0]
		has := listing(res.Keys)
		if res.Key == cluster.KeyBinary {
			has = "it under binaryData only, from which no variable is taken"
		}
		f := rule.Finding{
			Object: r.Workload.Object, At: r.KeyAt, Severity: diag.Error,
			Message: fmt.Sprintf("%s needs key %q of %s %s, which has %s: %s", subject(r), r.Key, r.Kind, r.Name, has, consequence(r)),
			Needs:   []node.Path{r.At},
			Related: append([]rule.Related{{Object: by, At: node.P("metadata", "name"), Message: fmt.Sprintf("%s %s comes from here", r.Kind, r.Name)}},
				others(refs[i+1:], func(o cluster.Reference) bool { return o.Key == r.Key }, func(o cluster.Reference) node.Path { return o.KeyAt })...),
		}
		if res.Key == cluster.KeyDistant {
			f.Severity = diag.Warning
			f.Notes = append(f.Notes, fmt.Sprintf("another %s %s, in a file farther away, has the key", r.Kind, r.Name))
		}
		if key := nearestKey(r.Key, res.Keys); key != "" {
			f.Fixes = append(f.Fixes, rule.Fix{
				Message: fmt.Sprintf("use key %s", key), Safety: diag.Unsafe,
				Ops: []node.Op{{Kind: node.Set, Path: r.KeyAt, Value: key}},
			})
		}
		if res.Key == cluster.KeyBinary {
			f.Notes = append(f.Notes, "text belongs under data; bytes reach a program in a volume")
		} else {
			f.Notes = append(f.Notes, fmt.Sprintf("if the pod can do without it, write optional: true beside the key; otherwise add the key to %s %s", r.Kind, r.Name))
		}
		p.Report(f)
	}
}

// reportElsewhere reports an object that the files define in other namespaces
// only: a pod reaches none but its own. Another file may belong to somebody else,
// who only has an object of the same name.
func reportElsewhere(p *rule.Pass, refs []cluster.Reference, res cluster.Resolution) {
	r := refs[0]
	by := res.By[0]
	f := missing(refs)
	switch {
	case res.Beside && !r.Pull:
		f.Severity = diag.Error
	case !res.Beside && p.Cluster.KeptElsewhere(r):
		f.Severity = diag.Info
	}
	f.Message = fmt.Sprintf("%s needs %s %s in namespace %s, but the files define it in namespace %s only: %s",
		subject(r), r.Kind, r.Name, p.Cluster.NamespaceOf(r.Workload.Object), namespaceOf(p, by), consequence(r))
	f.Related = append([]rule.Related{{Object: by, At: node.P("metadata", "namespace"), Message: fmt.Sprintf("%s %s goes to another namespace", r.Kind, r.Name)}}, f.Related...)
	p.Report(f)
}

func namespaceOf(p *rule.Pass, o *manifest.Object) string {
	if ns := p.Cluster.NamespaceOf(o); ns != "" {
		return ns
	}
	return "(unknown)"
}

// reportMissing reports an object that nothing in the files defines or makes.
func reportMissing(p *rule.Pass, refs []cluster.Reference) {
	r := refs[0]
	f := missing(refs)
	f.Severity = diag.Warning
	f.Message = fmt.Sprintf("%s needs %s %s, which nothing in the files defines: %s", subject(r), r.Kind, r.Name, consequence(r))
	if meant, ok := p.Cluster.Suggest(refs); ok {
		if meant.Certain && !r.Pull {
			f.Severity = diag.Error
		}
		what := fmt.Sprintf("%s %s", meant.Kind, meant.Name)
		f.Message = fmt.Sprintf("%s needs %s %s, which nothing in the files defines, but there is %s: %s", subject(r), r.Kind, r.Name, what, consequence(r))
		f.Related = append([]rule.Related{{Object: meant.By, At: node.P("metadata", "name"), Message: what + " comes from here"}}, f.Related...)
		if meant.Kind == r.Kind {
			fix := rule.Fix{Message: "use " + what, Safety: diag.Unsafe}
			for _, ref := range refs {
				op := node.Op{Kind: node.Set, Path: ref.At, Value: meant.Name}
				if !slices.ContainsFunc(fix.Ops, func(o node.Op) bool { return o.Path.String() == op.Path.String() }) {
					fix.Ops = append(fix.Ops, op)
				}
			}
			f.Fixes = append(f.Fixes, fix)
		}
	} else if r.Pull || p.Cluster.KeptElsewhere(r) {
		f.Severity = diag.Info
	}
	f.Notes = append(f.Notes, advice(p, refs)...)
	p.Report(f)
}

// missing is the finding for an object that is not there, at its first use.
func missing(refs []cluster.Reference) rule.Finding {
	return rule.Finding{
		Object: refs[0].Workload.Object, At: refs[0].At,
		Related: others(refs[1:], func(cluster.Reference) bool { return true }, func(r cluster.Reference) node.Path { return r.At }),
	}
}

// others names further uses, each place once.
func others(refs []cluster.Reference, same func(cluster.Reference) bool, at func(cluster.Reference) node.Path) []rule.Related {
	var out []rule.Related
	for _, r := range refs {
		if same(r) && !slices.ContainsFunc(out, func(o rule.Related) bool { return o.At.String() == at(r).String() }) {
			out = append(out, rule.Related{Object: r.Workload.Object, At: at(r), Message: "also needed by " + r.Use})
		}
	}
	return out
}

// advice says what to write when the object really has to be made.
func advice(p *rule.Pass, refs []cluster.Reference) []string {
	r := refs[0]
	kind, keys := "configmap", ""
	if r.Kind == "Secret" {
		kind = "secret generic"
	}
	external := fmt.Sprintf("if it is made elsewhere, list %q under external: in .crashlint.yaml", r.Kind+"/"+r.Name)
	if r.Kind != "Secret" && r.Kind != "ConfigMap" {
		return []string{external}
	}
	var seen []string
	for _, ref := range refs {
		if ref.Key != "" && !slices.Contains(seen, ref.Key) {
			seen = append(seen, ref.Key)
			keys += " --from-literal=" + ref.Key + "=..."
		}
	}
	create := fmt.Sprintf("kubectl create %s %s%s", kind, r.Name, keys)
	if r.Pull {
		create = "kubectl create secret docker-registry " + r.Name + " ..."
	}
	if ns := p.Cluster.NamespaceOf(r.Workload.Object); ns != "" {
		create += " -n " + ns
	}
	notes := []string{"to make it: " + create}
	if !r.Pull {
		notes = append(notes, "if the pod can do without it, write optional: true beside the name")
	}
	return append(notes, external)
}

// subject says who needs the object.
func subject(r cluster.Reference) string {
	if r.Container != nil {
		return fmt.Sprintf("container %q: %s", r.Container.Name, r.Use)
	}
	return r.Use
}

// consequence says what Kubernetes does without the object or key: the kubelet
// does not create the container (pkg/kubelet/kuberuntime, generateContainerConfig),
// or does not set up the volume, without which no container of the pod starts;
// the scheduler finds no node for a pod without its claim
// (pkg/scheduler/framework/plugins/volumebinding/volume_binding.go, podHasPVCs);
// admission refuses a pod whose account or class it does not find
// (plugin/pkg/admission: serviceaccount, priority and runtimeclass).
func consequence(r cluster.Reference) string {
	switch {
	case r.Kind == "PersistentVolumeClaim":
		return "the pod stays Pending"
	case r.Kind == "StorageClass":
		return "the claim is not provisioned, and the pod stays Pending"
	case r.Kind == "ServiceAccount" || r.Kind == "PriorityClass" || r.Kind == "RuntimeClass":
		return "no pod is created, FailedCreate"
	case r.Pull:
		return "the kubelet pulls without credentials, ImagePullBackOff where the registry wants them"
	case r.Container != nil:
		return "CreateContainerConfigError, the container does not start"
	}
	return "FailedMount, the pod stays in ContainerCreating"
}

// listing names the keys that there are.
func listing(keys []string) string {
	const most = 6
	if len(keys) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(keys[:most], ", "), len(keys)-most)
	}
	return strings.Join(keys, ", ")
}

// nearestKey returns the key that was probably meant, empty when none is like
// it.
func nearestKey(key string, keys []string) string {
	fold := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(s))
	}
	best, bestDistance := "", 4
	for _, k := range keys {
		distance := levenshtein.ComputeDistance(key, k)
		if fold(k) == fold(key) {
			distance = 0
		}
		if distance < bestDistance && 2*distance < len(key) {
			best, bestDistance = k, distance
		}
	}
	return best
}
