package network

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/nginx"
)

// A socket is a port that a container's program listens on, and what says so.
type socket struct {
	ctr      *manifest.Container
	port     int32
	protocol corev1.Protocol
	// host is empty where it listens on every address.
	host string
	// declared is true when only a containerPort says so, which nothing checks:
	// the program may listen elsewhere.
	declared bool
	// hostPort is the port of the node that the declaration asks for, 0 for none.
	hostPort int32
	// from is where that is said, place where exactly for what stands in a file,
	// and what says it to people.
	from  cluster.Origin
	place *node.Location
	what  string
}

// meets reports sockets that cannot be open at once in one network namespace: of
// one port, on addresses of which one is the other's or is any (bind(2):
// EADDRINUSE).
func (s socket) meets(o socket) bool {
	return s.port == o.port && s.protocol == o.protocol && (s.host == "" || o.host == "" || s.host == o.host)
}

// String names the socket's port: "80/TCP".
func (s socket) String() string { return fmt.Sprintf("%d/%s", s.port, s.protocol) }

// socketsOf returns what the container listens on: what is known of its image or
// its nginx, what its options say, and what it declares. Of one port the surest
// evidence comes first.
func socketsOf(c *cluster.Cluster, ctr *manifest.Container) []socket {
	found := slices.Concat(imageSockets(c, ctr), nginxSockets(c, ctr), optionSockets(c, ctr), fluentdSockets(c, ctr))
	for i := range found {
		found[i].ctr = ctr
		found[i].protocol = cmp.Or(found[i].protocol, corev1.ProtocolTCP)
	}
	for i, p := range ctr.Ports {
		s := socket{
			ctr: ctr, port: p.ContainerPort, protocol: cmp.Or(p.Protocol, corev1.ProtocolTCP), hostPort: p.HostPort, declared: true,
			from: cluster.Origin{Object: ctr.Workload.Object, Path: ctr.At("ports", i, "containerPort")}, what: fmt.Sprintf("containerPort %d", p.ContainerPort),
		}
		if ctr.Workload.Pod.HostNetwork && s.hostPort == 0 {
			s.hostPort = s.port // pkg/apis/core/v1/defaults.go, defaultHostNetworkPorts
		}
		if s.port > 0 && s.port <= math.MaxUint16 && ctr.Workload.Known(s.from.Path) {
			found = append(found, s)
		}
	}
	return found
}

// elsewhere matches an argument that may make a program listen elsewhere.
var elsewhere = regexp.MustCompile(`(?i)port|listen|bind|addr|conf|^-[pcf]`)

// imageSockets returns the ports that the image's program listens on when nobody
// says otherwise, and nobody does.
func imageSockets(c *cluster.Cluster, ctr *manifest.Container) []socket {
	facts := c.Image(ctr)
	l := facts.Listens
	if l == nil || len(ctr.Command) > 0 || ctr.Partial {
		return nil
	}
	for i, arg := range ctr.Args {
		known := ctr.Workload.Known(ctr.At("args", i))
		if !known || elsewhere.MatchString(arg) || i == 0 && !strings.HasPrefix(arg, "-") && !slices.Contains(l.Programs, arg) {
			return nil
		}
	}
	env := c.Environment(ctr)
	for _, name := range l.Variables {
		if _, ok := env.Lookup(name); ok || env.Open {
			return nil
		}
	}
	for _, file := range l.Config {
		if cluster.MountOver(ctr, file) >= 0 || slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(m.MountPath, file+"/") }) {
			return nil
		}
	}
	var out []socket
	for _, port := range l.Ports {
		out = append(out, socket{port: port, from: cluster.Origin{Object: ctr.Workload.Object, Path: ctr.At("image")}, what: facts.Name + " listens there unless told otherwise"})
	}
	return out
}

// nginxSockets returns what the listen directives of an nginx say.
func nginxSockets(c *cluster.Cluster, ctr *manifest.Container) []socket {
	var out []socket
	for _, f := range nginx.Files(c, ctr) {
		var walk func([]nginx.Directive)
		walk = func(directives []nginx.Directive) {
			for _, d := range directives {
				if d.Name() == "listen" && len(d.Args()) > 0 {
					if s, ok := listenDirective(f, d); ok {
						out = append(out, s)
					}
				}
				walk(d.Directives)
			}
		}
		walk(f.Directives)
	}
	return out
}

// listenDirective reads listen with a port, an address or both
// (src/http/ngx_http_core_module.c, ngx_http_core_listen). With reuseport several
// sockets may be open at once.
func listenDirective(f nginx.File, d nginx.Directive) (socket, bool) {
	where := d.Args()[0].Value
	s := socket{protocol: corev1.ProtocolTCP, from: f.From, what: fmt.Sprintf("listen %s in %s", where, path.Base(f.Path))}
	s.within(d.Words[0].Start, d.Args()[0].End)
	for _, parameter := range d.Args()[1:] {
		switch parameter.Value {
		case "udp", "quic":
			s.protocol = corev1.ProtocolUDP
		case "reuseport":
			return s, false
		}
	}
	if !strings.Contains(where, ":") {
		where = ":" + where
	}
	return s, s.address(where)
}

// within narrows the place down to a part of the file that it is in.
func (s *socket) within(start, end int) {
	if place, ok := s.from.Object.Inside(s.from.Path, start, end); ok {
		s.place = &place
	}
}

// related shows the evidence beside a finding.
func (s socket) related(message string) rule.Related {
	return rule.Related{Object: s.from.Object, At: s.from.Path, Within: s.from.Within, Place: s.place, Message: message}
}

// address reads an address to listen on, "host:port" or ":port".
func (s *socket) address(text string) bool {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return false
	}
	host := strings.Trim(text[:colon], "[]")
	port, err := strconv.ParseUint(text[colon+1:], 10, 16)
	if err != nil || port == 0 {
		return false
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "" || host == "*" || err == nil && ip.IsUnspecified():
		host = ""
	case host == "localhost":
		host = "127.0.0.1"
	case err != nil:
		return false // another host
	}
	s.host, s.port = host, int32(port)
	return true
}

// The names of options that hold the program's own address or port, and of those
// that hold another's.
var (
	addressOption = regexp.MustCompile(`(?i)(^|[-_.])(addr|address)$|listen|bind`)
	portOption    = regexp.MustCompile(`(?i)^(http|https|grpc|metrics|web|secure|admin|health|healthz|server|listen|listening|bind|telemetry|prometheus|api|insecure)?[-_.]?port$`)
	another       = regexp.MustCompile(`(?i)upstream|target|backend|remote|redis|database|postgres|mysql|mongo|proxy|master|kafka|nats|broker|advertise|join|` +
		`external|public|apiserver|client|smtp|otlp|collector|jaeger|zipkin|statsd|agent|store|query|receiver|forward|push|resolver|allow|trust|exporter`)
)

// optionSockets reads the options of the command line that are called like the
// program's own address or port.
func optionSockets(c *cluster.Cluster, ctr *manifest.Container) []socket {
	process, env := c.Process(ctr), c.Environment(ctr)
	var lines [][]cluster.Word
	if process.Partial {
		lines = append(lines, append([]cluster.Word{{Known: true}}, process.Words...))
	}
	for _, command := range process.Commands {
		if !command.Conditional && len(command.Connections(env)) == 0 && !command.Home(env) {
			lines = append(lines, command.Words)
		}
	}
	var out []socket
	for _, words := range lines {
		for i := 1; i < len(words); i++ {
			if s, ok := optionSocket(words[i:]); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// optionSocket reads the option at the head of the words.
func optionSocket(words []cluster.Word) (socket, bool) {
	w := words[0]
	if !w.Known || w.Secret || !strings.HasPrefix(w.Value, "-") {
		return socket{}, false
	}
	name, value, attached := strings.Cut(strings.TrimLeft(w.Value, "-"), "=")
	what := w.Value
	if !attached {
		if len(words) < 2 || !words[1].Known || words[1].Secret {
			return socket{}, false
		}
		value = words[1].Value
		what += " " + value
	}
	if !strings.ContainsAny(value, "0123456789") || another.MatchString(name) && !strings.Contains(name, "listen") {
		return socket{}, false
	}
	s := socket{from: w.From, what: what}
	s.from.Within = cmp.Or(w.From.Within, w.Value)
	if strings.Contains(strings.ToLower(name), "udp") {
		s.protocol = corev1.ProtocolUDP
	}
	switch {
	case addressOption.MatchString(name):
		_, rest, ok := strings.Cut(value, "://")
		if !ok {
			rest = value
		}
		return s, s.address(rest)
	case portOption.MatchString(name):
		return s, s.address(":" + value)
	}
	return socket{}, false
}

// sourceBlock matches a block of a fluentd configuration that takes logs in, and
// sourcePort the port in it (fluentd's in_* plugins all call it port).
var (
	sourceBlock = regexp.MustCompile(`(?ms)^\s*<source>(.*?\n)\s*</source>`)
	sourcePort  = regexp.MustCompile(`(?m)^[ \t]*(port\s+"?(\d{2,5}))"?\s*$`)
)

// fluentdSockets reads the sources of the fluentd files that the container has.
func fluentdSockets(c *cluster.Cluster, ctr *manifest.Container) []socket {
	var out []socket
	for _, m := range ctr.VolumeMounts {
		files := c.MountedFiles(ctr, m.MountPath)
		if f, ok := c.MountedFile(ctr, m.MountPath); ok {
			files = append(files, f)
		}
		for _, f := range files {
			for _, block := range sourceBlock.FindAllStringSubmatchIndex(f.Text, -1) {
				at := sourcePort.FindStringSubmatchIndex(f.Text[block[2]:block[3]])
				if at == nil {
					continue
				}
				start, end := block[2]+at[2], block[2]+at[5]
				s := socket{from: f.From, what: fmt.Sprintf("%s in %s", f.Text[start:end], path.Base(f.Path))}
				s.within(start, end)
				if s.address(":" + f.Text[block[2]+at[4]:end]) {
					out = append(out, s)
				}
			}
		}
	}
	return out
}
