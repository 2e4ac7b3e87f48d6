package initcontainers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var initWaitNeverEnds = &rule.Rule{
	ID:       "init-wait-never-ends",
	Title:    "An init container waits for something that never comes",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, ctr := range w.Containers {
			reported := map[string]bool{}
			for _, a := range attemptsOf(p, ctr) {
				for _, c := range a.connections(p) {
					if reported[c.Host] || !hostname(c.Host) || aliased(w, c.Host) {
						continue
					}
					if f, ok := futile(p, a, c); ok {
						reported[c.Host] = true
						f.Message = fmt.Sprintf("%s %s %s: %s", a.name(), a.verb(c.Waits), f.Message, ending(a, c.Waits))
						p.Report(f)
					}
				}
				if f, ok := goneJob(p, a); ok {
					p.Report(f)
				}
			}
		}
	},
}

// ending says what becomes of the pod. Tools that wait by themselves give up at
// some time, most of them.
func ending(a attempt, waits bool) string {
	switch {
	case a.retries:
		return "it never ends, and the app containers never start"
	case waits:
		return "it waits in vain, and the app containers never start"
	}
	return "it fails each time, and the app containers never start"
}

// futile returns a finding for a connection that never comes about; its message
// says what is wrong with the target.
func futile(p *rule.Pass, a attempt, c cluster.Connection) (rule.Finding, bool) {
	w := a.ctr.Workload
	f := a.at(c.Word)
	service, name := p.Cluster.ServiceOf(w, c.Host)
	if service != nil && nodeResolver(w.Pod) {
		at := w.PodPath.Append("dnsPolicy")
		f.Message = fmt.Sprintf("Service %q, but the pod asks the node's DNS servers, which do not know it", service.Name)
		f.Needs = []node.Path{at}
		f.Related = append(f.Related, rule.Related{Object: service, At: node.P("metadata", "name"), Message: "the Service"})
		f.Fixes = []rule.Fix{{
			Message: "ask the cluster's DNS servers: dnsPolicy ClusterFirstWithHostNet", Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: at, Value: string(corev1.DNSClusterFirstWithHostNet)}},
		}}
		return f, true
	}
	if c.Program == "nslookup" && unresolved(p, a, c, service, &f) {
		return f, true
	}
	if service != nil {
		return closedPort(p, a, c, service, name)
	}
	return absent(p, a, c)
}

// unresolved reports a name that the image's nslookup does not resolve. service
// is the one that the name means, nil when it is not in the files.
func unresolved(p *rule.Pass, a attempt, c cluster.Connection, service *manifest.Object, f *rule.Finding) bool {
	pod := a.ctr.Workload.Pod
	r, ok := resolverOf(a.ctr.Image)
	if !ok || a.Piped || pod.DNSPolicy == corev1.DNSNone || nodeResolver(pod) || pod.DNSConfig != nil || operands(a.Command) != 1 {
		return false
	}
	name, _, whole := strings.Cut(c.Host, ".svc.")
	labels := strings.Split(strings.TrimSuffix(name, ".svc"), ".")
	switch {
	case strings.HasSuffix(c.Word.Value, "."), whole:
		return false
	case len(labels) == 1 && !strings.HasSuffix(c.Host, ".svc"):
		f.Severity = r.short
		f.Message = fmt.Sprintf("%q with nslookup, which in %s ends with 1 although it finds the name: it tries all domains of the search list, and the name is in one only",
			c.Host, r.name)
	case strings.HasSuffix(c.Host, ".svc") || len(labels) == 2 && !slices.Contains(topLevel, labels[1]):
		f.Severity = r.partial
		if service == nil && !strings.HasSuffix(c.Host, ".svc") && !p.Cluster.HasNamespace(labels[1]) {
			f.Severity = min(f.Severity, diag.Warning)
		}
		f.Message = fmt.Sprintf("%q with nslookup, which in %s does not try the search list for a name with a dot in it, and there is no such name", c.Host, r.name)
	default:
		return false
	}
	f.Fixes = []rule.Fix{{Message: "write the whole name, NAME.NAMESPACE.svc.cluster.local, or wait for the port with nc -z", Safety: diag.Display}}
	return f.Severity != 0
}

// operands counts the words of a command that are no options.
func operands(c cluster.Command) int {
	n := 0
	for _, w := range c.Words[1:] {
		if !strings.HasPrefix(w.Value, "-") {
			n++
		}
	}
	return n
}

// topLevel are the ends of names outside the cluster that are met most.
var topLevel = []string{
	"com", "org", "net", "io", "dev", "app", "cloud", "local", "internal", "localdomain", "lan", "home", "corp", "intranet", "consul", "example",
	"test", "de", "uk", "fr", "eu", "cn", "ru", "us", "co", "ai", "gov", "edu", "info",
}

// closedPort reports a port that a Service does not have. What is sent to the
// address of a Service arrives at its own ports only
// (https://kubernetes.io/docs/reference/networking/virtual-ips/); a headless
// Service has no address, and the pods behind it take what they listen on.
func closedPort(p *rule.Pass, a attempt, c cluster.Connection, service *manifest.Object, name cluster.ServiceName) (rule.Finding, bool) {
	s, ok := service.Typed.(*corev1.Service)
	ports := node.P("spec", "ports")
	if !ok || c.Port == 0 || c.Lookup || c.Program == "ping" || name.Pod != "" || service.Patch || !service.Known(ports) || len(s.Spec.Ports) == 0 ||
		s.Spec.Type == corev1.ServiceTypeExternalName || s.Spec.ClusterIP == corev1.ClusterIPNone || !cluster.Near(a.ctr.Workload.Object, service) {
		return rule.Finding{}, false
	}
	// An overlay may give it further ports.
	for _, o := range append(p.Cluster.Find(a.ctr.Workload.Object, "Service", service.Name), service) {
		other, ok := o.Typed.(*corev1.Service)
		if !ok || o.Patch || slices.ContainsFunc(other.Spec.Ports, func(port corev1.ServicePort) bool { return int(port.Port) == c.Port }) {
			return rule.Finding{}, false
		}
	}
	var has []string
	for i, port := range s.Spec.Ports {
		if !service.Known(ports.Append(i, "port")) {
			return rule.Finding{}, false
		}
		has = append(has, strconv.Itoa(int(port.Port)))
	}
	f := a.at(c.Word)
	f.Message = fmt.Sprintf("port %d of Service %q, which has %s", c.Port, service.Name, listed("port", has))
	f.Related = append(f.Related, rule.Related{Object: service, At: ports, Message: "the ports of the Service"})
	for i, port := range s.Spec.Ports {
		if port.TargetPort.IntValue() == c.Port {
			f.Notes = append(f.Notes, fmt.Sprintf("%d is the port of the pods behind port %d of the Service", c.Port, port.Port))
			f.Related[len(f.Related)-1].At = ports.Append(i)
		}
	}
	return f, true
}

func listed(noun string, items []string) string {
	if len(items) == 1 {
		return noun + " " + items[0] + " only"
	}
	return noun + "s " + strings.Join(items[:len(items)-1], ", ") + " and " + items[len(items)-1] + " only"
}

// absent reports a Service that is not in the files. It may still be in the
// cluster, unless the files have it under nearly the same name or in another
// namespace.
func absent(p *rule.Pass, a attempt, c cluster.Connection) (rule.Finding, bool) {
	w := a.ctr.Workload
	label, rest, dotted := strings.Cut(c.Host, ".")
	namespace, _, _ := strings.Cut(rest, ".")
	if dotted && !strings.HasPrefix(rest, namespace+".svc") && namespace != p.Cluster.NamespaceOf(w.Object) || cluster.IsPart(w) {
		return rule.Finding{}, false
	}
	f := a.at(c.Word)
	related := func(o *manifest.Object, at node.Path, message string) {
		f.Related = append(f.Related, rule.Related{Object: o, At: at, Message: message})
	}
	if elsewhere := p.Cluster.ServicesElsewhere(w.Object, label); !dotted && len(elsewhere) > 0 && elsewhere[0].Dir() == w.Dir() {
		other := p.Cluster.NamespaceOf(elsewhere[0])
		f.Message = fmt.Sprintf("Service %q of its own namespace %s, but the files have it in namespace %s", label, p.Cluster.NamespaceOf(w.Object), other)
		related(elsewhere[0], node.P("metadata", "namespace"), "the Service goes to another namespace")
		f.Fixes = []rule.Fix{{Message: fmt.Sprintf("write %s.%s.svc.cluster.local", label, other), Safety: diag.Display}}
		return f, true
	}
	if alike := p.Cluster.Alike(w.Object, label); len(alike) == 1 {
		f.Message = fmt.Sprintf("Service %q, which nothing in the files defines, but there is %q", label, alike[0].Name)
		related(alike[0], node.P("metadata", "name"), fmt.Sprintf("Service %s is defined here", alike[0].Name))
		f.Fixes = []rule.Fix{{Message: "write " + alike[0].Name, Safety: diag.Display}}
		return f, true
	}
	return f, false
}

// goneJob reports a Job of the files that is deleted once it is done, so that
// whoever asks for it later finds none (pkg/controller/ttlafterfinished;
// https://helm.sh/docs/topics/charts_hooks/#hook-deletion-policies).
func goneJob(p *rule.Pass, a attempt) (rule.Finding, bool) {
	word, name, ok := jobOf(a.Command)
	if !ok {
		return rule.Finding{}, false
	}
	i := slices.IndexFunc(p.Cluster.Workloads, func(w *manifest.Workload) bool {
		return w.Kind == "Job" && w.Name == name && cluster.Near(w.Object, a.ctr.Workload.Object)
	})
	if i < 0 {
		return rule.Finding{}, false
	}
	job := p.Cluster.Workloads[i]
	f := a.at(word)
	f.Severity = diag.Warning
	var because string
	var at node.Path
	typed, _ := job.Typed.(*batchv1.Job)
	switch policy := job.Annotations["helm.sh/hook-delete-policy"]; {
	case strings.Contains(policy, "hook-succeeded"):
		because, at = "Helm deletes as soon as it has succeeded", node.P("metadata", "annotations", "helm.sh/hook-delete-policy")
	case typed != nil && typed.Spec.TTLSecondsAfterFinished != nil:
		because, at = fmt.Sprintf("is deleted %d s after it is done", *typed.Spec.TTLSecondsAfterFinished), node.P("spec", "ttlSecondsAfterFinished")
	default:
		return rule.Finding{}, false
	}
	f.Message = fmt.Sprintf("%s %s Job %q, which %s: a pod that starts later finds no Job, and its app containers never start", a.name(), a.verb(true), name, because)
	f.Related = append(f.Related, rule.Related{Object: job.Object, At: at, Message: "the Job is deleted"})
	return f, true
}

// jobOf returns the Job that a command waits for: kubectl wait, kubectl get and
// k8s-wait-for (https://github.com/groundnuty/k8s-wait-for).
func jobOf(c cluster.Command) (word cluster.Word, name string, ok bool) {
	words := c.Words
	switch c.Name() {
	case "kubectl", "oc":
		if !slices.ContainsFunc(words, func(w cluster.Word) bool { return w.Value == "wait" || w.Value == "get" }) {
			return word, "", false
		}
	case "wait_for.sh", "k8s-wait-for":
	default:
		return word, "", false
	}
	for i, w := range words[1:] {
		if !w.Known || w.Secret {
			continue
		}
		for _, kind := range []string{"job", "jobs", "job.batch", "jobs.batch"} {
			if name, ok := strings.CutPrefix(w.Value, kind+"/"); ok {
				return w, name, true
			}
			if w.Value == kind && i+2 < len(words) {
				next := words[i+2]
				return next, next.Value, next.Known && !next.Secret && !strings.HasPrefix(next.Value, "-")
			}
		}
	}
	return word, "", false
}
