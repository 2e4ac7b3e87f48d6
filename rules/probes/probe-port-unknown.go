package probes

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var probePortUnknown = &rule.Rule{
	ID:       "probe-port-unknown",
	Title:    "A probe names a port that its container does not have",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		if w.Custom || cluster.IsPart(w) { // somebody may add ports
			return
		}
		eachProbe(p, w, subject.unknownPort)
	},
}

// unknownPort reports a port name that the kubelet cannot resolve: it looks for
// it in the probed container alone (pkg/probe/util.go, findPortByName).
func (s subject) unknownPort() {
	var port intstr.IntOrString
	switch {
	case s.ctr.Partial:
		return
	case s.probe.HTTPGet != nil:
		port = s.probe.HTTPGet.Port
	case s.probe.TCPSocket != nil:
		port = s.probe.TCPSocket.Port
	}
	name := port.StrVal
	// What is no name at all is refused (probe-rejected).
	if port.Type != intstr.String || len(validation.IsValidPortName(name)) > 0 || portNamed(s.ctr, name) != nil {
		return
	}
	at := s.at(s.handler(), "port")
	f := rule.Finding{At: at, Needs: []node.Path{s.ctr.At("ports")}}
	if s.field == liveness {
		f.Severity = diag.Warning // nothing is killed
	}
	var names []string
	for i, p := range s.ctr.Ports {
		f.Needs = append(f.Needs, s.ctr.At("ports", i, "name"))
		if p.Name != "" && len(validation.IsValidPortName(p.Name)) > 0 {
			return // to be replaced: ${PORT_NAME}
		}
		if p.Name != "" {
			names = append(names, fmt.Sprintf("%q", p.Name))
		}
	}
	if owner, i := s.portOfSibling(name); owner != nil {
		f.Related = []rule.Related{{Object: owner.Workload.Object, At: owner.At("ports", i, "name"),
			Message: fmt.Sprintf("a port of container %q: a probe knows those of its own container only", owner.Name)}}
		number := int64(owner.Ports[i].ContainerPort)
		f.Fixes = portFix(at, number, fmt.Sprintf("ask port %d by its number: containers of a pod share their ports", number))
	} else if len(s.ctr.Ports) == 1 {
		only := s.ctr.Ports[0]
		value, label := any(int64(only.ContainerPort)), strconv.Itoa(int(only.ContainerPort))
		if only.Name != "" {
			value, label = only.Name, fmt.Sprintf("%q", only.Name)
		}
		f.Fixes = portFix(at, value, "ask "+label+", the only port that the container declares")
	}
	has := "declares none"
	if len(names) > 0 {
		has = "has " + strings.Join(names, ", ")
	}
	s.report(f, "%s asks port %q, and the container %s: the kubelet cannot send the probe, so that %s", s.asks(), name, has, s.voids())
}

func portFix(at node.Path, value any, message string) []rule.Fix {
	return []rule.Fix{{Message: message, Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: at, Value: value}}}}
}

// portOfSibling returns another container of the pod that has a port of the
// name, and the port's index.
func (s subject) portOfSibling(name string) (*manifest.Container, int) {
	for _, other := range s.ctr.Workload.Containers {
		for i := range other.Ports {
			if other != s.ctr && other.Role != manifest.Init && other.Ports[i].Name == name && other.Ports[i].Protocol != corev1.ProtocolUDP {
				return other, i
			}
		}
	}
	return nil, 0
}
