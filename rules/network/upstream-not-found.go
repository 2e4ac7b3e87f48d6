package network

import (
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

var upstreamNotFound = &rule.Rule{
	ID:       "upstream-not-found",
	Title:    "A proxy names a server that is not there when it starts",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Set:      checkUpstreams,
}

// checkUpstreams reports hosts in the configuration of a proxy that no Service of
// the files answers to, each host of a file once.
func checkUpstreams(p *rule.Pass) {
	done := map[*manifest.Object]map[string]bool{}
	for _, w := range p.Cluster.Workloads {
		mounted := slices.ContainsFunc(w.Containers, func(c *manifest.Container) bool { return len(c.VolumeMounts) > 0 })
		if !mounted || w.Custom || p.Cluster.Patched(w) {
			continue
		}
		for _, ctr := range w.Containers {
			for _, u := range upstreamsOf(p.Cluster, ctr) {
				o, key := u.From.Object, u.From.Path.String()+" "+u.host
				if done[o] == nil {
					done[o] = map[string]bool{}
				}
				if done[o][key] || aliased(w, u.host) {
					continue
				}
				done[o][key] = u.check(p)
			}
		}
	}
}

// check reports the host if it is not there, true when it does. A Service that is
// not in the files may be in the cluster, unless the files have it under nearly
// the same name or in another namespace.
func (u upstream) check(p *rule.Pass) bool {
	w := u.ctr.Workload
	if service, _ := p.Cluster.ServiceOf(w, u.host); service != nil {
		if !nodeResolver(w.Pod) {
			return false
		}
		at := w.PodPath.Append("dnsPolicy")
		u.report(p, diag.Error, fmt.Sprintf("is Service %s, but the pod asks the node's DNS servers, which know no Services", service.Name),
			nil, rule.Related{Object: service, At: node.P("metadata", "name"), Message: "the Service"},
			rule.Related{Object: w.Object, At: at, Target: node.Grip, Message: "hostNetwork goes with dnsPolicy ClusterFirstWithHostNet"})
		return true
	}
	label, rest, dotted := strings.Cut(u.host, ".")
	namespace, suffix, _ := strings.Cut(rest, ".")
	if label == "kubernetes" && namespace == "default" {
		return false // the API server's own, in every cluster
	}
	own := p.Cluster.NamespaceOf(w.Object)
	if dotted && !(suffix == "svc" || strings.HasPrefix(suffix, "svc.")) && (namespace == "" || suffix != "" || namespace != own) {
		return false // a host on the Internet, or a pod's
	}
	if dotted && namespace != own && !p.Cluster.HasNamespace(namespace) {
		return false // another party's namespace
	}
	if res := p.Cluster.Resolve(cluster.Reference{Workload: w, Kind: "Service", Name: label}); !dotted && res.Status != cluster.Missing && res.Status != cluster.Elsewhere {
		return false
	}
	related := func(o *manifest.Object, field, message string) rule.Related {
		return rule.Related{Object: o, At: node.P("metadata", field), Message: message}
	}
	if elsewhere := p.Cluster.ServicesElsewhere(w.Object, label); !dotted && len(elsewhere) > 0 && elsewhere[0].Dir() == w.Dir() {
		other := p.Cluster.NamespaceOf(elsewhere[0])
		u.report(p, diag.Error, fmt.Sprintf("is no Service of the pod's namespace %s: the files have it in namespace %s", own, other),
			[]string{fmt.Sprintf("write %s.%s.svc.cluster.local", label, other)}, related(elsewhere[0], "namespace", "the Service goes to another namespace"))
		return true
	}
	if alike := p.Cluster.Alike(w.Object, label); len(alike) == 1 && (!dotted || p.Cluster.NamespaceOf(alike[0]) == namespace) {
		u.report(p, diag.Error, fmt.Sprintf("is no Service of the files, but there is %s", alike[0].Name),
			[]string{"write " + alike[0].Name}, related(alike[0], "name", "Service "+alike[0].Name+" is here"))
		return true
	}
	var advice []string
	if slices.ContainsFunc(w.Containers, func(c *manifest.Container) bool { return c.Name == label }) {
		advice = append(advice, fmt.Sprintf("container %q of the same pod is reached at 127.0.0.1", label))
	} else if len(p.Cluster.ServicesNear(w.Object)) == 0 {
		return false // the files do not bring Services
	}
	advice = append(advice, fmt.Sprintf("if it is made elsewhere, list %q under external: in .crashlint.yaml", "Service/"+label))
	u.report(p, diag.Warning, "is no Service of the files", advice)
	return true
}

// report reports the host at its place in the file.
func (u upstream) report(p *rule.Pass, severity diag.Severity, what string, notes []string, related ...rule.Related) {
	o, at := u.From.Object, u.From.Path
	place, ok := o.Inside(at, u.start, u.end)
	if !ok {
		return
	}
	p.Report(rule.Finding{
		Object: o, At: at, Place: &place, Severity: severity, Needs: []node.Path{at}, Notes: notes,
		Message: fmt.Sprintf("%s in %s %s: %s in container %q of %s resolves it when it starts and exits with %q, each time",
			u.host, path.Base(u.Path), what, u.program, u.ctr.Name, u.ctr.Workload, u.message),
		Related: append(related, rule.Related{Object: u.ctr.Workload.Object, At: u.ctr.Path, Target: node.Grip, Message: "this container reads the file as " + u.Path}),
	})
}

// aliased reports a host of the pod's own /etc/hosts.
func aliased(w *manifest.Workload, host string) bool {
	return w.Pod.Hostname == host || slices.ContainsFunc(w.Pod.HostAliases, func(a corev1.HostAlias) bool { return slices.Contains(a.Hostnames, host) })
}

// nodeResolver reports a pod that asks the node's DNS servers
// (pkg/kubelet/network/dns/dns.go, getPodDNSType).
func nodeResolver(pod *corev1.PodSpec) bool {
	switch pod.DNSPolicy {
	case corev1.DNSDefault:
		return true
	case corev1.DNSClusterFirst, "":
		return pod.HostNetwork
	}
	return false
}
