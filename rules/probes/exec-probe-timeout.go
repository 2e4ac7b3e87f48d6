package probes

import (
	"fmt"
	"math"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var execProbeTimeout = &rule.Rule{
	ID:       "exec-probe-timeout",
	Title:    "An exec probe has less time than its program takes to start",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		// Before 1.20 an exec probe could take as long as it liked (KEP-1972).
		if v := p.Cluster.Options.Version; v == 0 || v >= 20 {
			eachProbe(p, w, subject.execTimeout)
		}
	},
}

// A slow is a program that takes long before it says anything.
type slow struct {
	// names are patterns of path.Match for the program's name.
	names []string
	// cpu is the CPU time in seconds that a run takes, and seconds the timeout
	// that those who run it in probes have come to.
	cpu     float64
	seconds int64
	because string
}

// slows are the programs, with the sources of their numbers:
// rabbitmq: 1.5 s of a whole CPU (github.com/GoogleCloudPlatform/click-to-deploy,
// issue 522); 10 and 15 s in RabbitMQ's own examples (rabbitmq/diy-kubernetes-examples,
// gke/statefulset.yaml).
// Kafka: never ready with 1 s (kudobuilder/operators, pull request 12). Cassandra:
// bitnami/charts, issue 14162. ZooKeeper and Pulsar: apache/pulsar-helm-chart,
// pull request 179. A JVM tool is taken to need as much as rabbitmqctl.
// mongosh: 14 to 19 s where CPU is short (portworx/helm, pull request 950).
var slows = []slow{
	{names: []string{"rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-queues"}, cpu: 1.5, seconds: 10,
		because: "starts an Erlang VM for each probe"},
	{names: []string{"kafka-*.sh", "kafka-topics", "kafka-broker-api-versions", "kafka-consumer-groups", "nodetool", "zkCli.sh", "zookeeper-shell*", "java"},
		cpu: 1.5, seconds: 5, because: "starts a JVM for each probe"},
	{names: []string{"mongosh"}, cpu: 1, seconds: 5, because: "starts a Node.js program for each probe"},
	{names: []string{"cqlsh", "celery", "airflow"}, cpu: 1, seconds: 5, because: "loads a large Python program for each probe"},
}

func (s subject) execTimeout() {
	if s.probe.Exec == nil {
		return
	}
	timeout := kubelet.TimingOf(s.probe).Timeout
	for _, command := range s.process().Commands {
		if s.field == liveness && len(command.Words) > 0 && partyOf(command) != "" {
			continue // liveness-hits-dependency
		}
		for _, program := range slows {
			if !program.runs(command.Name()) || command.Name() == "java" && !runs(command) {
				continue
			}
			if s.field == startup {
				// One run in time is enough, of many.
				program.seconds = int64(math.Ceil(program.cpu))
			}
			wants, limit := program.wants(s.Cluster.CPU(s.ctr).Limit)
			if timeout >= wants {
				continue
			}
			s.reportTimeout(timeout, wants, command.Name(), program.because, limit)
			return
		}
	}
}

// runs reports whether the name is the program's.
func (p slow) runs(name string) bool {
	return slices.ContainsFunc(p.names, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok })
}

// runs reports whether java is given a program to run.
func runs(java cluster.Command) bool {
	return slices.ContainsFunc(java.Words[1:], func(w cluster.Word) bool { return slices.Contains([]string{"-jar", "-cp", "-classpath"}, w.Value) })
}

// wants returns the timeout that the program needs under a CPU limit, nil for
// none, and the limit where it is what decides.
func (p slow) wants(limit *cluster.Value[resource.Quantity]) (int64, *cluster.Value[resource.Quantity]) {
	if limit == nil {
		return p.seconds, nil
	}
	cpus := limit.V.AsApproximateFloat64()
	if cpus <= 0 || p.cpu/cpus <= float64(p.seconds) {
		return p.seconds, nil
	}
	return int64(math.Ceil(p.cpu / cpus)), limit
}

func (s subject) reportTimeout(timeout, wants int64, program, because string, limit *cluster.Value[resource.Quantity]) {
	at := s.at("timeoutSeconds")
	f := rule.Finding{At: at, Fixes: []rule.Fix{{
		Message: fmt.Sprintf("timeoutSeconds: %d", wants), Safety: diag.Unsafe,
		Ops: []node.Op{{Kind: node.Set, Path: at, Value: wants}},
	}}}
	if period := kubelet.TimingOf(s.probe).Period; period < wants {
		f.Fixes[0].Message += fmt.Sprintf(", and ask less often than every %d s: each run takes CPU from the program itself", period)
	}
	slower := ""
	if limit != nil {
		slower = fmt.Sprintf(", with a CPU limit of %s,", limit.V.String())
		if limit.From.Object != nil {
			f.Related = []rule.Related{{Object: limit.From.Object, At: limit.From.Path, Message: "the CPU limit"}}
		}
	}
	s.report(f, "%s gives %s %d s, and that %s, which%s may take %d s on a busy node: a run that is cut off counts as failed, and %s",
		s.asks(), program, timeout, because, slower, wants, s.cutOff())
}

// cutOff says what runs do that are cut off one after the other.
func (s subject) cutOff() string {
	t := kubelet.TimingOf(s.probe)
	if s.field == readiness {
		return fmt.Sprintf("%d in a row take the pod out of its Services", t.FailureThreshold)
	}
	return fmt.Sprintf("%d in a row kill the container", t.FailureThreshold)
}
