package probes

import (
	"fmt"
	"net/netip"
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

// relaxed is a setting's name as Spring Boot compares it: without case,
// underscores, dashes and dots (docs.spring.io, Relaxed Binding).
func relaxed(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
}

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
	process := d.Cluster.ExecProcess(d.ctr, d.probe.Exec.Command, at)
	if n := len(process.Commands); n > 0 && succeeds(process.Commands[n-1]) {
		return
	}
	for _, command := range process.Commands {
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
	if party := partyOf(command); party != "" {
		d.report(d.standing(at, command.Words[0]),
			"liveness runs %s, which talks to %s; the container is killed %s after that stops answering, healthy as it is",
			command.Name(), party, d.outage())
		return true
	}
	c, ok := callOf(command, d.Cluster.Environment(d.ctr))
	if !ok {
		return false
	}
	hosts := c.client.hosts
	if hosts == nil {
		hosts = hostList
	}
	own := slices.ContainsFunc(c.client.server, func(s string) bool { return strings.Contains(d.ctr.Image, s) })
	for _, word := range c.peers {
		var found peer
		for _, host := range hosts(word.Value) {
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
				c.program, found.label, d.outage())
			return true
		case ownService:
			d.report(f, "liveness runs %s against the container's own Service %q, which leads to any ready pod and to none before this one is ready; "+
				"the container is killed %s after that stops answering", c.program, found.service.Name, d.outage())
			return true
		}
	}
	return false
}

// standing is a finding where a word of the probe's command stands; one that
// came from elsewhere is related.
func (d dependency) standing(command node.Path, w cluster.Word) rule.Finding {
	from := w.From
	switch {
	case from.Object == d.ctr.Workload.Object && from.Path.HasPrefix(command):
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

// A kind says whose a host is.
type kind uint8

const (
	unknown kind = iota
	self
	ownService
	other
)

// A peer is what a host in a probe stands for.
type peer struct {
	kind kind
	// label names it in messages.
	label string
	// service is the Service of that name, nil when none is in the files.
	service *manifest.Object
	// guess: only the name of a variable says that it is another host.
	guess bool
}

func (p peer) related() []rule.Related {
	if p.service == nil {
		return nil
	}
	return []rule.Related{{Object: p.service, At: node.P("metadata", "name"), Message: "the Service"}}
}

// peer says what a host means to the container. Host is as written: it may hold
// references to variables.
func (d dependency) peer(host string) peer {
	name, rest, reference := variable(host)
	switch {
	case reference && name == "HOSTNAME":
		return peer{kind: self}
	case reference:
		return d.variable(name, rest)
	}
	if before, _, ok := strings.Cut(host, "$"); ok {
		// "redis-master.$NAMESPACE.svc": the part that is written decides.
		if !strings.HasSuffix(before, ".") {
			return peer{}
		}
		host = before
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", strings.HasPrefix(host, "localhost"), strings.HasPrefix(host, "ip6-"), ip.IsLoopback(), ip.IsValid() && ip.IsUnspecified():
		return peer{kind: self}
	case err == nil:
		return peer{kind: other, label: host}
	case !hostname(host), d.podName(host):
		return peer{}
	}
	p := peer{kind: other, label: fmt.Sprintf("host %q", host)}
	if p.service = d.service(host); p.service != nil {
		p.label = fmt.Sprintf("Service %q", p.service.Name)
		if s, ok := p.service.Typed.(*corev1.Service); ok && selects(s, d.ctr.Workload) {
			p.kind = ownService
		}
	}
	return p
}

// variable splits a host that begins with a reference to a variable in the form
// of the shell, $NAME or ${NAME}.
func variable(host string) (name, rest string, ok bool) {
	after, ok := strings.CutPrefix(host, "$")
	if !ok {
		return "", "", false
	}
	if braced, ok := strings.CutPrefix(after, "{"); ok {
		name, rest, ok = strings.Cut(braced, "}")
		return name, rest, ok && identifier(name) == len(name) && name != ""
	}
	n := identifier(after)
	return after[:n], after[n:], n > 0
}

// identifier returns how many bytes of text can be the name of a variable.
func identifier(text string) int {
	for i, r := range text {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return i
		}
	}
	return len(text)
}

// variable says what a host in an environment variable means whose value the
// files do not show.
func (d dependency) variable(name, rest string) peer {
	for _, e := range d.ctr.Env {
		if e.Name != name || e.ValueFrom == nil {
			continue
		}
		if e.ValueFrom.FieldRef != nil {
			switch e.ValueFrom.FieldRef.FieldPath {
			case "status.podIP", "status.podIPs", "metadata.name":
				return peer{kind: self}
			}
			return peer{}
		}
	}
	v, ok := d.Cluster.Environment(d.ctr).Lookup(name)
	if !ok || v.Known || rest != "" || !namesAnother(name) {
		return peer{}
	}
	return peer{kind: other, guess: true, label: "the host in variable " + name}
}

// namesAnother reports whether the name of a variable says that it holds the
// host of something else: DB_HOST, REDIS_URL, but not POD_HOST or LISTEN_ADDRESS.
func namesAnother(name string) bool {
	parts := strings.Split(strings.ToUpper(name), "_")
	if len(parts) < 2 || !slices.Contains([]string{"HOST", "HOSTNAME", "URL", "URI", "ENDPOINT", "SERVER", "SERVERS"}, parts[len(parts)-1]) {
		return false
	}
	return slices.ContainsFunc(parts[:len(parts)-1], func(s string) bool {
		return slices.Contains([]string{"DB", "DATABASE", "PG", "POSTGRES", "POSTGRESQL", "MYSQL", "MARIADB", "MONGO", "MONGODB",
			"REDIS", "VALKEY", "KAFKA", "RABBITMQ", "RABBIT", "AMQP", "BROKER", "ELASTICSEARCH", "OPENSEARCH", "CASSANDRA",
			"ZOOKEEPER", "LDAP", "SMTP", "S3"}, s)
	})
}

// hostname reports whether text can be a DNS name: what a template left behind
// cannot.
func hostname(text string) bool {
	for _, r := range text {
		if r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' })
}

// podName reports whether the first label of a host is the pod's own name, or
// may be: a workload and its Service commonly bear the same name, and when the
// Service is not in the files, nothing says whose it is.
func (d dependency) podName(host string) bool {
	w := d.ctr.Workload
	label, _, _ := strings.Cut(host, ".")
	if label == w.Pod.Hostname {
		return true
	}
	for _, alias := range w.Pod.HostAliases {
		if ip, err := netip.ParseAddr(alias.IP); err == nil && ip.IsLoopback() && slices.Contains(alias.Hostnames, host) {
			return true
		}
	}
	if label == w.Name {
		return d.service(host) == nil
	}
	ordinal, ok := strings.CutPrefix(label, w.Name+"-")
	return ok && w.Kind == "StatefulSet" && ordinal != "" && strings.Trim(ordinal, "0123456789") == ""
}

// service returns the Service that a host names, nil when none is in the files.
func (d dependency) service(host string) *manifest.Object {
	labels := strings.Split(host, ".")
	for _, o := range d.Cluster.Find(d.ctr.Workload.Object, "Service", labels[0]) {
		switch {
		case len(labels) == 1,
			len(labels) == 2 && o.Namespace == labels[1], // "redis.io" is no Service of an unknown namespace
			len(labels) > 2 && labels[2] == "svc" && (o.Namespace == "" || o.Namespace == labels[1]):
			return o
		}
	}
	return nil
}

// selects reports whether the Service leads to the workload's pods.
func selects(s *corev1.Service, w *manifest.Workload) bool {
	if len(s.Spec.Selector) == 0 {
		return false
	}
	for k, v := range s.Spec.Selector {
		if w.Meta.Labels[k] != v {
			return false
		}
	}
	return true
}
