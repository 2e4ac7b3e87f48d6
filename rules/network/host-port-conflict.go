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

var hostPortConflict = &rule.Rule{
	ID:       "host-port-conflict",
	Title:    "Two pods take one port of their node",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Set:      checkHostPorts,
}

// A claim is a port of the node that the pods of a workload take.
type claim struct {
	socket
	w *manifest.Workload
	// port is that of the node.
	port int32
	// bound is true when a process of the pod listens on it; otherwise the
	// container runtime only sends what arrives there to the pod.
	bound bool
	// scheduled is true when the scheduler knows of it and keeps the pod off nodes
	// where the port is taken (pkg/scheduler/framework/plugins/nodeports).
	scheduled bool
}

// claims returns the ports that the workload's pods take on their nodes, each
// once. With hostNetwork that is all that their programs listen on; every port
// that is declared is a hostPort then (pkg/apis/core/v1/defaults.go,
// defaultHostNetworkPorts).
func claims(p *rule.Pass, w *manifest.Workload) []claim {
	var out []claim
	for _, ctr := range w.Containers {
		onHost := w.Pod.HostNetwork || slices.ContainsFunc(ctr.Ports, func(p corev1.ContainerPort) bool { return p.HostPort > 0 })
		if ctr.Role == manifest.Init || !onHost {
			continue
		}
		for _, s := range socketsOf(p.Cluster, ctr) {
			c := claim{socket: s, w: w, port: s.port, bound: w.Pod.HostNetwork, scheduled: s.hostPort > 0}
			if s.hostPort > 0 {
				c.port = s.hostPort
			}
			if !c.bound && !c.scheduled {
				continue
			}
			same := slices.IndexFunc(out, func(o claim) bool { return o.port == c.port && o.protocol == c.protocol })
			if same < 0 {
				out = append(out, c)
			} else {
				out[same].scheduled = out[same].scheduled || c.scheduled
			}
		}
	}
	return out
}

// component is a part of every node that listens on a port of its own.
type component struct {
	name string
	// sure is false for one that a cluster may do without.
	sure bool
}

// components are by port (pkg/cluster/ports/ports.go). Those that listen on
// 127.0.0.1 only keep other programs from listening on all addresses as well.
var components = map[int32]component{
	10248: {"the kubelet's health check", true},
	10249: {"kube-proxy's metrics", false},
	10250: {"the kubelet", true},
	10256: {"kube-proxy's health check", false},
}

// The default of the API server's --service-node-port-range.
const firstNodePort, lastNodePort = 30000, 32767

func checkHostPorts(p *rule.Pass) {
	type key struct {
		port     int32
		protocol corev1.Protocol
	}
	taken := map[key][]claim{}
	for _, w := range p.Cluster.Workloads {
		if w.Custom || w.RunsToCompletion() || cluster.IsPart(w) {
			continue
		}
		for _, c := range claims(p, w) {
			if c.bound {
				againstNode(p, c)
			}
			k := key{c.port, c.protocol}
			for _, o := range taken[k] {
				if c.meets(o.socket) && mayMeet(p, o.w, w) {
					reportPair(p, o, c)
					break
				}
			}
			taken[k] = append(taken[k], c)
		}
	}
}

// againstNode reports a port of a pod on the host network that a part of the node
// has, or may come to have.
func againstNode(p *rule.Pass, c claim) {
	if part, ok := components[c.port]; ok && c.protocol == corev1.ProtocolTCP && !isComponent(c.w) {
		severity := diag.Warning
		if part.sure && !c.declared {
			severity = diag.Error
		}
		c.report(p, severity, fmt.Sprintf("container %q of %s listens on port %s of its node (%s), which is %s: \"address already in use\", it exits each time",
			c.ctr.Name, c.w, c.name(), c.what, part.name))
		return
	}
	if c.port >= firstNodePort && c.port <= lastNodePort {
		c.report(p, diag.Warning, fmt.Sprintf("container %q of %s listens on port %s of its node (%s), from the range %d-%d that NodePorts are given out of: a Service that gets the port takes what is sent there, and with kube-proxy before 1.24 \"address already in use\" keeps the container from starting",
			c.ctr.Name, c.w, c.name(), c.what, firstNodePort, lastNodePort))
	}
}

func (c claim) name() string { return fmt.Sprintf("%d/%s", c.port, c.protocol) }

// isComponent reports a workload that is a part of the node or the control plane
// itself.
func isComponent(w *manifest.Workload) bool {
	return slices.ContainsFunc(w.Containers, func(c *manifest.Container) bool {
		base := path.Base(c.Image)
		return strings.Contains(base, "kube-proxy") || strings.Contains(base, "hyperkube") || strings.Contains(base, "kubelet") || strings.Contains(base, "kube-router") || strings.Contains(base, "cilium")
	})
}

// mayMeet reports whether pods of the two workloads are to run in one cluster and
// may come to one node.
func mayMeet(p *rule.Pass, a, b *manifest.Workload) bool {
	if a.Object == b.Object || !cluster.Near(a.Object, b.Object) || a.Dir() != b.Dir() || alternatives(p, a, b) {
		return false
	}
	for key, value := range a.Pod.NodeSelector {
		if other, ok := b.Pod.NodeSelector[key]; ok && other != value {
			return false
		}
	}
	// An affinity may keep them apart.
	return !constrained(a) && !constrained(b)
}

// constrained reports a workload whose pods an affinity keeps from some nodes.
func constrained(w *manifest.Workload) bool {
	a := w.Pod.Affinity
	return a != nil && (a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil ||
		a.PodAntiAffinity != nil && len(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution) > 0) || w.Pod.NodeName != ""
}

// alternatives reports two ways to run one thing, of which a cluster has one: of
// the same name, the same labels or the same image.
func alternatives(p *rule.Pass, a, b *manifest.Workload) bool {
	if a.Name == b.Name || p.Cluster.NamespaceOf(a.Object) == p.Cluster.NamespaceOf(b.Object) && len(a.Meta.Labels) > 0 && sameLabels(a.Meta.Labels, b.Meta.Labels) {
		return true
	}
	for _, x := range a.Containers {
		for _, y := range b.Containers {
			if repository(x.Image) == repository(y.Image) {
				return true
			}
		}
	}
	return false
}

func sameLabels(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// repository returns an image without tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	return image
}

// reportPair reports two workloads that take one port of a node. The scheduler
// keeps pods apart whose ports are declared; where one is not, they meet, and the
// process that comes second cannot listen.
func reportPair(p *rule.Pass, first, second claim) {
	everywhere := first.w.Kind == "DaemonSet" || second.w.Kind == "DaemonSet"
	// What is not declared for the scheduler is the fault.
	if !first.scheduled && second.scheduled {
		first, second = second, first
	}
	f := second
	what := fmt.Sprintf("%s and %s both take port %s of their node (%s; %s)", first.w, second.w, second.name(), first.what, second.what)
	severity := diag.Warning
	switch {
	case first.scheduled && second.scheduled && everywhere:
		what += ": the scheduler puts only one of them on a node, and a DaemonSet is to be on all: the pods of the other stay Pending"
	case first.scheduled && second.scheduled:
		what += ": the scheduler puts only one of them on a node; where they have no node each, a pod stays Pending, and one that gets past it exits with \"address already in use\""
	case !first.bound || !second.bound:
		return // the runtime takes the port from the process, which listens all the same
	case everywhere:
		what += ": they meet on a node, and the one that comes second exits with \"address already in use\", each time"
		if !first.declared && !second.declared {
			severity = diag.Error
		}
	default:
		what += ", and the scheduler does not know of it: on one node the one that comes second exits with \"address already in use\", each time"
	}
	f.report(p, severity, what, first.related(first.w.String()+" has the port here"))
}

// report reports at what says that the port is taken.
func (c claim) report(p *rule.Pass, severity diag.Severity, message string, related ...rule.Related) {
	f := rule.Finding{
		Object: c.from.Object, At: c.from.Path, Within: c.from.Within, Place: c.place, Message: message, Severity: severity, Related: related,
		Needs: []node.Path{c.from.Path},
		Fixes: []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("let container %q listen on another port", c.ctr.Name)}},
	}
	if c.bound {
		host := c.w.PodPath.Append("hostNetwork")
		f.Related = append(f.Related, rule.Related{Object: c.w.Object, At: host, Message: "the pod uses the network of its node"})
		if c.from.Object == c.w.Object {
			f.Needs = append(f.Needs, host)
		}
		if c.declared {
			f.Notes = append(f.Notes, "a containerPort opens nothing by itself: where the program listens elsewhere, correct the port that is declared")
		} else if !c.scheduled {
			f.Notes = append(f.Notes, "declare the port under ports:, so that the scheduler knows of it")
		}
	}
	p.Report(f)
}
