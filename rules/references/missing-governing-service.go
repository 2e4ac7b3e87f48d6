package references

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingGoverningService = &rule.Rule{
	ID:       "missing-governing-service",
	Title:    "The Service that gives a StatefulSet's pods their names is not there",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkGoverningService,
}

// checkGoverningService reports a serviceName for which there is no Service. The
// controller puts it into the pods as their subdomain and looks for no such
// object (pkg/controller/statefulset/stateful_set_utils.go, initIdentity); the
// names POD.SERVICE.NAMESPACE.svc are then those of no Service, and resolve to
// nothing
// (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-hostname-and-subdomain-fields).
// The pods themselves start; what ends them is a program that asks for its
// peers.
func checkGoverningService(p *rule.Pass, w *manifest.Workload) {
	r, ok := cluster.GoverningService(w)
	if !ok || cluster.IsPart(w) || len(validation.IsDNS1123Subdomain(r.Name)) > 0 {
		return
	}
	f := rule.Finding{
		Object: w.Object, At: r.At, Severity: diag.Info,
		Message: fmt.Sprintf("the pods take their DNS names from Service %s, which nothing in the files defines: %s-0.%s resolves to nothing", r.Name, w.Name, r.Name),
		Notes:   []string{fmt.Sprintf("if it is made elsewhere, list %q under external: in .crashlint.yaml", r.Kind+"/"+r.Name)},
	}
	switch res := p.Cluster.Resolve(r); res.Status {
	case cluster.Defined, cluster.Expected:
		return
	case cluster.Elsewhere:
		if res.Beside {
			f.Message = fmt.Sprintf("the pods take their DNS names from Service %s in namespace %s, but the files define it in namespace %s only: %s-0.%s resolves to nothing",
				r.Name, p.Cluster.NamespaceOf(w.Object), namespaceOf(p, res.By[0]), w.Name, r.Name)
			f.Related = []rule.Related{{Object: res.By[0], At: node.P("metadata", "namespace"), Message: "it goes to another namespace"}}
		}
	}
	reader, related := asksForPeers(p, w, r.Name)
	if reader != "" {
		f.Severity = diag.Warning
		f.Message += fmt.Sprintf(", and %s has that name: what asks for it fails, and starts again for as long as it gives up", reader)
		f.Related = append(f.Related, related)
	}
	if meant, ok := p.Cluster.Suggest([]cluster.Reference{r}); ok {
		f.Notes = slices.Insert(f.Notes, 0, "there is Service "+meant.Name)
		f.Related = append(f.Related, rule.Related{Object: meant.By, At: node.P("metadata", "name"), Message: "Service " + meant.Name + " is here"})
		f.Fixes = []rule.Fix{{Message: "use Service " + meant.Name, Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: r.At, Value: meant.Name}}}}
	} else if reader == "" {
		return // nobody is known to ask for the names
	}
	p.Report(f)
}

// asksForPeers finds where the workload has the DNS name of one of its pods:
// POD.SERVICE in a command, an argument, a variable or a file of a ConfigMap that
// it mounts.
func asksForPeers(p *rule.Pass, w *manifest.Workload, service string) (string, rule.Related) {
	has := func(text string) bool { return namesPod(text, w.Name, service) }
	for _, ctr := range w.Containers {
		for _, field := range []string{"command", "args"} {
			items := map[string][]string{"command": ctr.Command, "args": ctr.Args}[field]
			if i := slices.IndexFunc(items, has); i >= 0 {
				return fmt.Sprintf("container %q", ctr.Name), rule.Related{Object: w.Object, At: ctr.At(field, i), Message: "has the name of a pod"}
			}
		}
		if i := slices.IndexFunc(ctr.Env, func(e corev1.EnvVar) bool { return has(e.Value) }); i >= 0 {
			return "variable " + ctr.Env[i].Name, rule.Related{Object: w.Object, At: ctr.At("env", i, "value"), Message: "has the name of a pod"}
		}
	}
	for _, r := range p.Cluster.References(w) {
		if r.Kind != "ConfigMap" {
			continue
		}
		for _, o := range p.Cluster.Find(w.Object, "ConfigMap", r.Name) {
			config, ok := o.Typed.(*corev1.ConfigMap)
			if !ok {
				continue
			}
			for _, key := range slices.Sorted(maps.Keys(config.Data)) {
				if has(config.Data[key]) {
					return fmt.Sprintf("ConfigMap %s", r.Name), rule.Related{Object: o, At: node.P("data", key), Target: node.KeyOf, Message: "has the name of a pod"}
				}
			}
			break // the nearest is the one meant
		}
	}
	return "", rule.Related{}
}

// namesPod reports whether the text has SET-0.SERVICE, or a variable or command
// before the dot: $(POD_NAME).SERVICE, ${HOSTNAME}.SERVICE.
func namesPod(text, set, service string) bool {
	for at := 0; ; at++ {
		next := strings.Index(text[at:], "."+service)
		if next < 0 {
			return false
		}
		at += next
		before, after := text[:at], text[at+1+len(service):]
		if before == "" || after != "" && isNameByte(after[0]) {
			continue
		}
		stem := strings.TrimRight(before, "0123456789")
		variable := strings.TrimRightFunc(before, func(r rune) bool { return r == '_' || r < utf8.RuneSelf && isNameByte(byte(r)) && r != '-' })
		if stem != before && strings.HasSuffix(stem, set+"-") || strings.ContainsRune(")}`", rune(before[len(before)-1])) || strings.HasSuffix(variable, "$") {
			return true
		}
	}
}

// isNameByte reports a byte that a name in DNS goes on with.
func isNameByte(b byte) bool {
	return b == '-' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
