package probes

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

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
	if p.service, _ = d.Cluster.ServiceOf(d.ctr.Workload, host); p.service != nil {
		p.label = fmt.Sprintf("Service %q", p.service.Name)
		if s, ok := p.service.Typed.(*corev1.Service); ok && cluster.Selects(s, d.ctr.Workload) {
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
		service, _ := d.Cluster.ServiceOf(w, host)
		return service == nil
	}
	ordinal, ok := strings.CutPrefix(label, w.Name+"-")
	return ok && w.Kind == "StatefulSet" && ordinal != "" && strings.Trim(ordinal, "0123456789") == ""
}
