package probes

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var livenessHitsDependency = &rule.Rule{
	ID:       "liveness-hits-dependency",
	Title:    "The liveness probe fails when something else is down, and restarts what is healthy",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, ctr := range w.Containers {
			probe := ctr.LivenessProbe
			if probe == nil || !probed(ctr) || kubelet.Unanswerable(probe, ctr.Container) != "" {
				continue
			}
			d := dependency{Pass: p, ctr: ctr, probe: probe}
			switch {
			case probe.HTTPGet != nil && d.host(probe.HTTPGet.Host, probe.HTTPGet.Port, "httpGet"):
			case probe.HTTPGet != nil:
				d.path()
			case probe.TCPSocket != nil:
				d.host(probe.TCPSocket.Host, probe.TCPSocket.Port, "tcpSocket")
			case probe.Exec != nil:
				d.exec()
			}
		}
	},
}

// dependency looks at one liveness probe for what else it depends on.
type dependency struct {
	*rule.Pass
	ctr   *manifest.Container
	probe *corev1.Probe
}

// outage is how long the container lives on when the dependency is down.
func (d dependency) outage() string {
	t := kubelet.TimingOf(d.probe)
	t.InitialDelay = 0
	return span(t.Failure())
}

func (d dependency) report(f rule.Finding, format string, args ...any) {
	f.Object = d.ctr.Workload.Object
	f.Message = fmt.Sprintf("container %q: ", d.ctr.Name) + fmt.Sprintf(format, args...)
	f.Needs = append(f.Needs, d.ctr.At(liveness))
	d.Report(f)
}

// path looks at the path of an HTTP probe.
func (d dependency) path() {
	path := d.probe.HTTPGet.Path
	at := d.ctr.At(liveness, "httpGet", "path")
	e, ok := endpointOf(path)
	if known, is := d.endpoint(path); is {
		e, ok = known, true
	}
	if !ok {
		d.livenessGroup(path, at)
		return
	}
	if e.spring && d.tamed() {
		return
	}
	f := rule.Finding{At: at}
	if e.alive != "" {
		f.Fixes = []rule.Fix{{
			Message: "ask " + e.alive + ", which answers for the process alone",
			Safety:  diag.Unsafe,
			Ops:     []node.Op{{Kind: node.Set, Path: at, Value: e.alive}},
		}}
	}
	d.report(f, "liveness asks %s, which answers %s; the container is killed %s after the answer turns bad, healthy as it is",
		path, e.answers, d.outage())
}

// endpoint returns what is known of the path from the program that serves it:
// of its image, or of etcd, whose /health asks for the agreement of a majority
// (etcd.io, Monitoring etcd, "Health Check"; server/etcdserver/api/etcdhttp/health.go).
func (d dependency) endpoint(raw string) (endpoint, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return endpoint{}, false
	}
	target := strings.TrimRight(u.Path, "/")
	for _, known := range d.Cluster.Image(d.ctr).Endpoints {
		if known.Path == target {
			return endpoint{answers: "for " + known.DependsOn + " too"}, true
		}
	}
	runsEtcd := slices.ContainsFunc(d.Cluster.Process(d.ctr).Commands, func(c cluster.Command) bool { return c.Name() == "etcd" })
	if runsEtcd && target == "/health" && u.Query().Get("serializable") != "true" {
		return endpoint{answers: "for a majority of the members together"}, true
	}
	return endpoint{}, false
}

// relaxed is a setting's name as Spring Boot compares it: without case,
// underscores, dashes and dots (docs.spring.io, Relaxed Binding).
func relaxed(name string) string {
	return strings.ToLower(withoutMarks.Replace(name))
}

var withoutMarks = strings.NewReplacer("_", "", "-", "", ".", "")

// tamed reports whether a setting takes an indicator out of Spring Boot's
// aggregate: whoever did that has chosen what is left.
func (d dependency) tamed() bool {
	tames := func(name, value string) bool {
		name = relaxed(name)
		return strings.HasPrefix(name, "managementhealth") && strings.HasSuffix(name, "enabled") && strings.EqualFold(value, "false")
	}
	for _, v := range d.Cluster.Environment(d.ctr).Variables {
		if tames(v.Name, v.Value) {
			return true
		}
	}
	for _, word := range d.Cluster.Process(d.ctr).Words {
		name, value, _ := strings.Cut(word.Value, "=")
		if tames(strings.TrimPrefix(strings.TrimLeft(name, "-"), "D"), value) {
			return true
		}
	}
	return false
}

// livenessGroup finds settings that put a dependency into the group that Spring
// Boot's liveness endpoint answers for.
func (d dependency) livenessGroup(path string, at node.Path) {
	if !strings.HasSuffix(strings.TrimRight(path, "/"), "/health/liveness") {
		return
	}
	for _, v := range d.Cluster.Environment(d.ctr).Variables {
		if !v.Known || v.Secret || relaxed(v.Name) != "managementendpointhealthgrouplivenessinclude" {
			continue
		}
		var others []string
		for name := range strings.SplitSeq(v.Value, ",") {
			name = strings.TrimSpace(name)
			if name != "" && !slices.Contains([]string{"livenessstate", "ping"}, strings.ToLower(name)) {
				others = append(others, name)
			}
		}
		if len(others) == 0 {
			continue
		}
		f := rule.Finding{At: at}
		if v.From.Object != nil {
			f.Related = []rule.Related{{Object: v.From.Object, At: v.From.Path, Message: "the liveness group"}}
		}
		d.report(f, "liveness asks %s, whose group includes %s; the container is killed %s after the answer turns bad, healthy as it is",
			path, strings.Join(others, ", "), d.outage())
	}
}

// host looks at the host that the kubelet is told to connect to, and reports
// whether it had something to say.
func (d dependency) host(host string, port intstr.IntOrString, handler string) bool {
	at := d.ctr.At(liveness, handler, "host")
	if host == "" {
		return false
	}
	peer := d.peer(host)
	if peer.kind != other && peer.kind != ownService {
		return false
	}
	f := rule.Finding{At: at, Related: peer.related()}
	if declares(d.ctr, port) {
		f.Fixes = []rule.Fix{{
			Message: "remove host: the kubelet then connects to the pod",
			Safety:  diag.Unsafe,
			Ops:     []node.Op{{Kind: node.Remove, Path: at}},
		}}
	}
	// The kubelet connects from the node, whose resolver does not know the
	// cluster's Services (kubernetes.io, Configure Liveness, Readiness and Startup
	// Probes, "TCP probes").
	if peer.service != nil || strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".cluster.local") {
		f.Severity = diag.Error
		d.report(f, "liveness connects to the Service name %q, which the kubelet on the node cannot resolve: every probe fails and the container is killed %s after each start",
			host, span(kubelet.TimingOf(d.probe).Failure()))
		return true
	}
	d.report(f, "liveness connects to %[1]s instead of the container; the container is killed %[2]s after %[1]s stops answering, and lives on when it hangs itself",
		peer.label, d.outage())
	return true
}

// declares reports whether the container says that it listens on the port.
func declares(ctr *manifest.Container, port intstr.IntOrString) bool {
	return slices.ContainsFunc(ctr.Ports, func(p corev1.ContainerPort) bool {
		if port.Type == intstr.String {
			return p.Name == port.StrVal
		}
		return p.ContainerPort == port.IntVal
	})
}

// exec looks at the commands of an exec probe.
func (d dependency) exec() {
	at := d.ctr.At(liveness, "exec", "command")
	process := d.Cluster.ProbeProcess(d.ctr, d.probe.Exec.Command, at)
	if n := len(process.Commands); n > 0 && succeeds(process.Commands[n-1]) {
		return
	}
	for i, command := range process.Commands {
		if about := assertionOf(command, process.Commands[i+1:]); about != "" {
			d.report(d.standing(at, command.Words[0]), "liveness runs %s, which asks %s; the container is killed %s after the answer turns bad, healthy as it is",
				command.Name(), about, d.outage())
			return
		}
		if d.command(command, at) {
			return
		}
	}
}

// succeeds reports whether a command cannot fail: as the last of a script, it
// makes the probe succeed whatever came before.
func succeeds(c cluster.Command) bool {
	switch c.Name() {
	case "true", ":":
		return true
	case "exit":
		return len(c.Words) == 2 && c.Words[1].Known && c.Words[1].Value == "0"
	}
	return false
}

// command looks at one simple command and reports whether it had something to
// say.
func (d dependency) command(command cluster.Command, at node.Path) bool {
	if len(command.Words) > 0 && command.Words[0].Secret {
		return false // a message would name the program
	}
	if party := partyOf(command); party != "" {
		d.report(d.standing(at, command.Words[0]),
			"liveness runs %s, which talks to %s; the container is killed %s after that stops answering, healthy as it is",
			command.Name(), party, d.outage())
		return true
	}
	call, ok := command.Call(d.Cluster.Environment(d.ctr))
	if !ok {
		return false
	}
	own := call.ServedBy(d.ctr.Image)
	for _, word := range call.Servers {
		var found peer
		for _, host := range call.Hosts(word) {
			switch peer := d.peer(host); {
			case peer.kind == self:
				return false // one of a list is enough
			case found.kind == unknown && (peer.kind == ownService || peer.kind == other && (!peer.guess || !own)):
				found = peer
			}
		}
		if word.Secret && found.kind != unknown {
			found = peer{kind: other, label: "the host that a Secret names"}
		}
		f := d.standing(at, word)
		f.Related = append(f.Related, found.related()...)
		switch found.kind {
		case other:
			d.report(f, "liveness runs %s against %s; the container is killed %s after that stops answering, healthy as it is",
				call.Program, found.label, d.outage())
			return true
		case ownService:
			d.report(f, "liveness runs %s against the container's own Service %q, which leads to any ready pod and to none before this one is ready; "+
				"the container is killed %s after that stops answering", call.Program, found.service.Name, d.outage())
			return true
		}
	}
	return false
}

// standing is a finding where a word of the probe's command stands; one that
// came from elsewhere is related.
func (d dependency) standing(command node.Path, w cluster.Word) rule.Finding {
	return standing(d.ctr, command, w)
}

func standing(ctr *manifest.Container, command node.Path, w cluster.Word) rule.Finding {
	from := w.From
	switch {
	case from.Object == ctr.Workload.Object && from.Path.HasPrefix(command):
		return rule.Finding{At: from.Path, Within: from.Within}
	case from.Object != nil && !w.Secret:
		return rule.Finding{At: command, Related: []rule.Related{
			{Object: from.Object, At: from.Path, Within: from.Within, Message: "from here"},
		}}
	}
	return rule.Finding{At: command}
}

// partyOf names what a program talks to that is never in its own container,
// whatever its arguments.
func partyOf(command cluster.Command) string {
	has := func(texts ...string) bool {
		return slices.ContainsFunc(command.Words[1:], func(w cluster.Word) bool { return slices.Contains(texts, w.Value) })
	}
	switch command.Name() {
	case "kubectl":
		if has("get", "describe", "version", "cluster-info", "wait") {
			return "the API server"
		}
	case "celery":
		// Both ask the workers by way of the broker (docs.celeryq.dev, Monitoring
		// and Management Guide).
		if has("inspect", "status") {
			return "the message broker"
		}
	case "airflow":
		// Both read the metadata database (airflow.apache.org, Checking Airflow
		// Health Status).
		if has("jobs", "db") && has("check") {
			return "the metadata database"
		}
	}
	return ""
}
