package network

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var nodePortRefused = &rule.Rule{
	ID:       "node-port-refused",
	Title:    "The API server does not give a Service its nodePort",
	Since:    "0.1.0",
	Severity: diag.Error,
	Set:      checkNodePorts,
}

// A nodePort is one that a Service asks for.
type nodePort struct {
	o      *manifest.Object
	at     node.Path
	number int32
}

func checkNodePorts(p *rule.Pass) {
	asked := map[int32][]nodePort{}
	for _, o := range p.Cluster.Objects {
		s, ok := o.Typed.(*corev1.Service)
		if !ok || o.Patch || o.Has(node.P("metadata", "uid")) {
			continue
		}
		own := map[int32]bool{}
		for i, port := range s.Spec.Ports {
			n := nodePort{o, node.P("spec", "ports", i, "nodePort"), port.NodePort}
			if n.number == 0 || !o.Known(n.at) {
				continue
			}
			switch s.Spec.Type {
			case "", corev1.ServiceTypeClusterIP:
				n.typeHasNone(p)
				continue
			case corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer:
			default:
				continue
			}
			if n.number < firstNodePort || n.number > lastNodePort {
				n.outOfRange(p)
			}
			for _, other := range asked[n.number] {
				if other.o != o && other.o.Dir() == o.Dir() && p.Cluster.NamespaceOf(other.o)+"/"+other.o.Name != p.Cluster.NamespaceOf(o)+"/"+o.Name && !own[n.number] {
					n.twice(p, other)
					break
				}
			}
			own[n.number] = true
			asked[n.number] = append(asked[n.number], n)
		}
	}
}

// typeHasNone reports a node port of a Service whose type has none
// (pkg/apis/core/validation/validation.go, ValidateService).
func (n nodePort) typeHasNone(p *rule.Pass) {
	p.Report(rule.Finding{
		Object: n.o, At: n.at, Needs: []node.Path{node.P("spec", "type")},
		Message: fmt.Sprintf("Service %s has nodePort %d and the type ClusterIP, which has none: the API server refuses the Service, and its name leads nowhere", n.o.Name, n.number),
		Fixes: []rule.Fix{{
			Message: "make it a NodePort Service", Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: node.P("spec", "type"), Value: string(corev1.ServiceTypeNodePort)}},
		}, {
			Message: "leave the nodePort out", Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Remove, Path: n.at}},
		}},
	})
}

// outOfRange reports a node port that only an API server with another range
// gives out (cmd/kube-apiserver, --service-node-port-range).
func (n nodePort) outOfRange(p *rule.Pass) {
	p.Report(rule.Finding{
		Object: n.o, At: n.at, Severity: diag.Warning,
		Message: fmt.Sprintf("nodePort %d of Service %s is outside of %d-%d, the range that API servers give node ports out of unless told otherwise: the Service is refused, and its name leads nowhere",
			n.number, n.o.Name, firstNodePort, lastNodePort),
		Fixes: []rule.Fix{{Message: "leave the nodePort out, so that a free one is given", Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Remove, Path: n.at}}}},
	})
}

// twice reports a node port that another Service has: they are one pool for the
// whole cluster (pkg/registry/core/service/portallocator/allocator.go).
func (n nodePort) twice(p *rule.Pass, other nodePort) {
	p.Report(rule.Finding{
		Object: n.o, At: n.at, Needs: []node.Path{node.P("spec", "type")},
		Message: fmt.Sprintf("Services %s and %s both ask for nodePort %d, of which a cluster has one: the API server refuses the second, \"provided port is already allocated\", and its name leads nowhere",
			other.o.Name, n.o.Name, n.number),
		Related: []rule.Related{{Object: other.o, At: other.at, Message: "Service " + other.o.Name + " has it here"}},
		Fixes:   []rule.Fix{{Message: "leave the nodePort out, so that a free one is given", Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Remove, Path: n.at}}}},
	})
}
