package probes

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var probeOnLoopbackListener = &rule.Rule{
	ID:       "probe-on-loopback-listener",
	Title:    "A probe and its program do not meet: one of them is on a loopback address",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		if !rewritten(w) {
			eachProbe(p, w, subject.loopbackListener)
		}
	},
}

// loopbackListener reports a port that the program opens on a loopback address,
// where the kubelet, which connects to the pod's IP from the node, does not
// reach it (pkg/kubelet/prober/prober.go, runProbe), and a probe that goes to
// the node's own loopback address.
func (s subject) loopbackListener() {
	port, at, ok := s.port()
	if !ok {
		return
	}
	w := s.ctr.Workload
	switch host := s.host(); {
	case loopback(host):
		if w.Pod.HostNetwork || w.Custom || slices.ContainsFunc(s.ctr.Ports, func(p corev1.ContainerPort) bool { return p.HostPort > 0 }) {
			return
		}
		at := s.at(s.handler(), "host")
		s.report(rule.Finding{At: at, Needs: []node.Path{w.PodPath.Append("hostNetwork")}, Fixes: []rule.Fix{{
			Message: "remove host: the kubelet then connects to the pod", Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Remove, Path: at}},
		}}}, "%s connects to %s, which for the kubelet is the node and not the pod: nothing of this pod answers there, and %s", s.asks(), host, s.fails())
		return
	case host != "":
		return
	}
	var found *listener
	for _, l := range listenersOf(s.Cluster, s.ctr) {
		switch {
		case l.port != port:
		case !l.loopback():
			return
		case found == nil:
			found = &l
		}
	}
	if found == nil || s.servedBySibling(port) {
		return
	}
	s.report(rule.Finding{At: s.at(s.handler()), Target: node.KeyOf, Needs: []node.Path{at},
		Related: found.byHost.related("listens on " + found.host + " alone"),
		Notes:   []string{fmt.Sprintf("listen on 0.0.0.0:%d, or ask by an exec probe, which runs inside the container", port)},
	}, "%s connects to port %d of the pod's IP, and the program listens on %s alone (%s): the connection is refused, and %s",
		s.asks(), port, found.host, found.byHost.label, s.fails())
}

// loopback reports whether a host is a loopback address.
func loopback(host string) bool { return listener{host: host}.loopback() }

// servedBySibling reports whether another container of the pod may serve the
// port: containers of a pod share their network.
func (s subject) servedBySibling(port int64) bool {
	return slices.ContainsFunc(s.ctr.Workload.Containers, func(other *manifest.Container) bool {
		return other != s.ctr && other.Role != manifest.Init &&
			(slices.ContainsFunc(other.Ports, func(p corev1.ContainerPort) bool { return int64(p.ContainerPort) == port }) ||
				slices.ContainsFunc(listenersOf(s.Cluster, other), func(l listener) bool { return l.port == port }))
	})
}

// rewritten reports whether a mesh changes the pod's probes so that its proxy
// sends them, from within the pod (istio.io, Health Checking of Istio Services).
func rewritten(w *manifest.Workload) bool {
	return w.Meta.Labels["sidecar.istio.io/inject"] == "true" || w.Meta.Annotations["sidecar.istio.io/inject"] == "true" ||
		w.Meta.Annotations["sidecar.istio.io/rewriteAppHTTPProbers"] == "true"
}
