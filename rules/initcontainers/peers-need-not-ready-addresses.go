package initcontainers

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var peersNeedNotReadyAddresses = &rule.Rule{
	ID:       "peers-need-not-ready-addresses",
	Title:    "Pods of a cluster find each other by names that exist for ready pods only",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		set, ok := w.Typed.(*appsv1.StatefulSet)
		if !ok || set.Spec.ServiceName == "" {
			return
		}
		service := governing(p, w, set.Spec.ServiceName)
		if service == nil {
			return
		}
		for _, ctr := range w.Containers {
			program, ok := clusteringProgramOf(ctr.Image)
			if !ok || ctr.Role != manifest.App {
				continue
			}
			gate := program.gate(ctr)
			if gate == nil {
				continue
			}
			word, ok := named(p, ctr, set.Spec.ServiceName, program)
			if !ok {
				continue
			}
			at := node.P("spec", "publishNotReadyAddresses")
			here := standing(ctr, word)
			related := []rule.Related{
				{Object: here.Object, At: here.At, Within: here.Within, Message: "the pod is named here"},
				{Object: w.Object, At: gate, Message: "no name before this has succeeded"},
			}
			p.Report(rule.Finding{
				Object: service, At: node.P("spec", "clusterIP"), Needs: []node.Path{at}, Related: related,
				Message: fmt.Sprintf("the pods of %s are named in DNS by Service %q only while they are ready, and %s needs the names to become ready: it does not find itself or its peers and exits, or waits for ever",
					w, service.Name, program.name),
				Fixes: []rule.Fix{{
					Message: "give pods their names from the start: publishNotReadyAddresses true", Safety: diag.Unsafe,
					Ops: []node.Op{{Kind: node.Set, Path: at, Value: true}},
				}},
			})
			return
		}
	},
}

// governing returns the headless Service after which the StatefulSet's pods are
// named, nil when it is not in the files or names them from the start. CoreDNS and kube-dns answer from the endpoints;
// a pod that is not ready is none (pkg/controller/endpoint/endpoints_controller.go,
// addEndpointSubset).
func governing(p *rule.Pass, w *manifest.Workload, name string) *manifest.Object {
	found := p.Cluster.Find(w.Object, "Service", name)
	if len(found) == 0 || found[0].Patch || !cluster.Near(found[0], w.Object) {
		return nil
	}
	s, ok := found[0].Typed.(*corev1.Service)
	if !ok || s.Spec.ClusterIP != corev1.ClusterIPNone || s.Spec.PublishNotReadyAddresses || tolerant(s) || !cluster.Selects(s, w) {
		return nil
	}
	return found[0]
}

// A clusteringProgram needs names of its own cluster's pods before it answers a
// readiness probe.
type clusteringProgram struct {
	// word of the image's name.
	word, name string
	// quorum reports a probe that a pod answers only when it has found a majority
	// of its peers. Without it the program looks up the name of its own pod before
	// it answers any.
	quorum func(*corev1.Probe) bool
	// mark stands in front of a peer's name where it is one of the quorum's;
	// empty: anything may.
	mark string
}

var clusteringPrograms = []clusteringProgram{
	// Exits where its advertised host has no address
	// (github.com/cloudamqp/lavinmq-operator issue 80).
	{word: "lavinmq", name: "LavinMQ"},
	// The host part of a node's name must resolve before the node starts
	// (https://www.rabbitmq.com/docs/clustering#hostname-resolution-requirement);
	// https://www.rabbitmq.com/docs/cluster-formation#peer-discovery-k8s.
	{word: "rabbitmq", name: "RabbitMQ"},
	// Listens from the start, and answers nobody before there is a leader
	// (github.com/etcd-io/etcd, server/embed/serve.go, serve, waits for ReadyNotify),
	// but for what its listener of metrics says of the member alone
	// (server/etcdserver/api/etcdhttp/health.go).
	{word: "etcd", name: "etcd", quorum: func(p *corev1.Probe) bool {
		return p.Exec != nil || p.HTTPGet != nil && !strings.Contains(p.HTTPGet.Path, "livez") && !strings.Contains(p.HTTPGet.Path, "serializable")
	}},
	// With JetStream /healthz waits for a quorum (github.com/nats-io/k8s issue 441),
	// unless js-server-only or js-enabled-only is asked for
	// (https://docs.nats.io/running-a-nats-service/nats_admin/monitoring).
	{word: "nats", name: "NATS", quorum: func(p *corev1.Probe) bool {
		return p.HTTPGet != nil && strings.Contains(p.HTTPGet.Path, "/healthz") && !strings.Contains(p.HTTPGet.Path, "only=")
	}},
	// A broker opens its port when it has caught up with the controllers of
	// controller.quorum.voters, id@host:port (github.com/apache/kafka,
	// core/src/main/scala/kafka/server/BrokerServer.scala, startup).
	{word: "kafka", name: "Kafka", quorum: func(*corev1.Probe) bool { return true }, mark: "@"},
	// Its own manifests publish the names "even before they're ready, since they
	// have to be able to talk to each other in order to become ready"
	// (github.com/helm/charts, stable/cockroachdb, templates/service.discovery.yaml).
	// Without ready=1 /health answers as soon as the process runs
	// (https://www.cockroachlabs.com/docs/stable/monitoring-and-alerting).
	{word: "cockroach", name: "CockroachDB", quorum: func(p *corev1.Probe) bool {
		return p.HTTPGet != nil && strings.Contains(p.HTTPGet.Path, "ready=1")
	}},
}

// gate returns the path of the probe that the program does not answer before it
// has the names, nil without one.
func (c clusteringProgram) gate(ctr *manifest.Container) node.Path {
	switch r, s := ctr.ReadinessProbe, ctr.StartupProbe; {
	case r != nil && (c.quorum == nil || c.quorum(r)):
		return ctr.At("readinessProbe")
	case s != nil && (c.quorum == nil || c.quorum(s)):
		return ctr.At("startupProbe")
	}
	return nil
}

func clusteringProgramOf(image string) (clusteringProgram, bool) {
	name, _ := splitImage(image)
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	i := slices.IndexFunc(clusteringPrograms, func(c clusteringProgram) bool { return slices.Contains(parts, c.word) })
	if i < 0 {
		return clusteringProgram{}, false
	}
	return clusteringPrograms[i], true
}

// podVariable matches text that ends in a reference to a variable that holds
// the name of the pod, and a dot.
var podVariable = regexp.MustCompile(`(\$\([A-Z_]*(NAME|HOSTNAME|POD)\)|\$\{?[A-Z_]*(NAME|HOSTNAME|POD)\}?|\$\(hostname( -s)?\))\.$`)

// named looks for the word of the command line, or the value of a variable, that
// names pods of the StatefulSet by the governing Service in a way that needs DNS.
// The pod's own full name, with the domain of the cluster, does not: it stands
// in /etc/hosts (pkg/kubelet/kubelet_pods.go, managedHostsFileContent).
func named(p *rule.Pass, ctr *manifest.Container, service string, program clusteringProgram) (cluster.Word, bool) {
	words := slices.Clone(p.Cluster.Process(ctr).Words)
	for i, v := range ctr.Env {
		words = append(words, cluster.Word{Value: v.Value, From: cluster.Origin{Object: ctr.Workload.Object, Path: ctr.At("env", i, "value")}})
	}
	for _, word := range words {
		if word.Secret {
			continue
		}
		peers := 0
		for rest := word.Value; ; {
			before, tail, ok := strings.Cut(rest, "."+service)
			if !ok {
				break
			}
			rest = tail
			if tail != "" && nameByte(tail[0]) {
				continue
			}
			host := tail[:strings.IndexFunc(tail+" ", func(r rune) bool { return strings.ContainsRune(" ,:/;\"'", r) })]
			if program.quorum == nil && podVariable.MatchString(before+".") && !strings.Contains(host, ".svc.") {
				return word, true
			}
			if stem := strings.TrimRight(before, "0123456789"); stem != before && strings.HasSuffix(stem, program.mark+ctr.Workload.Name+"-") {
				peers++
			}
		}
		if program.quorum != nil && ctr.Workload.Replicas() > 1 && peers > 1 {
			return word, true
		}
	}
	return cluster.Word{}, false
}

// nameByte reports a character that goes on with a DNS label.
func nameByte(b byte) bool {
	return b == '-' || b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
