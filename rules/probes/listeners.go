package probes

import (
	"fmt"
	"math"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

// A listener is a socket that a container's program listens on, as far as its
// command line, environment and files say.
type listener struct {
	// host is empty where it listens on every address.
	host string
	port int64
	// program is the server whose options say so; empty where only the name of an
	// option, or a line of a file, does.
	program string
	// byHost and byPort are what says so of each.
	byHost, byPort evidence
	// scheme is http or https where the address is a URL.
	scheme string
}

// An evidence is a place where something is said, and how it is written there:
// "--host 127.0.0.1", or a default.
type evidence struct {
	word  cluster.Word
	label string
}

// related shows the evidence beside a finding.
func (e evidence) related(message string) []rule.Related {
	from := e.word.From
	if from.Object == nil || e.word.Secret {
		return nil
	}
	return []rule.Related{{Object: from.Object, At: from.Path, Within: from.Within, Message: message}}
}

// loopback reports whether only the container's own network namespace reaches
// the listener.
func (l listener) loopback() bool {
	ip, err := netip.ParseAddr(l.host)
	return l.host == "localhost" || err == nil && ip.IsLoopback()
}

// A server is a program that listens on one socket, and how its command line
// says which.
type server struct {
	// names are those of the program.
	names []string
	// mode is the word that must be among its operands: "run" of "flask run".
	mode string
	// options says which of its options take a value.
	options cluster.Syntax
	// host and port are the options that name those, address those that take both,
	// with or without a scheme.
	host, port, address []string
	// operand is true when the operand behind mode is a port or an address.
	operand bool
	// elsewhere are options that make it listen on no port, or read a file that
	// may say anything.
	elsewhere []string
	// hostVariable, portVariable and addressVariable are read where no option is given.
	hostVariable, portVariable, addressVariable string
	// defaultHost and defaultPort are what it listens on otherwise; a port of 0:
	// not known.
	defaultHost string
	defaultPort int64
}

// servers are programs whose one socket is known from their own source: uvicorn
// (uvicorn/main.py), flask (src/flask/cli.py), Django (runserver.py), daphne
// (daphne/cli.py), gunicorn (gunicorn/config.py, whose default a file of the
// image may change), etcd (server/embed/config.go), Consul
// (developer.hashicorp.com, consul agent), redis-server, mongod, postgres and
// mysqld (their manuals), the controller manager and scheduler (their --help).
var servers = []server{
	{names: []string{"uvicorn"}, options: cluster.Syntax{Long: []string{"host", "port", "uds", "fd", "app-dir", "workers", "log-level", "log-config", "root-path", "loop", "http"}},
		host: []string{"host"}, port: []string{"port"}, elsewhere: []string{"uds", "fd"},
		hostVariable: "UVICORN_HOST", portVariable: "UVICORN_PORT", defaultHost: "127.0.0.1", defaultPort: 8000},
	{names: []string{"flask"}, mode: "run", options: cluster.Syntax{Short: "hpAe", Long: []string{"host", "port", "app", "env-file", "cert", "key"}},
		host: []string{"h", "host"}, port: []string{"p", "port"},
		hostVariable: "FLASK_RUN_HOST", portVariable: "FLASK_RUN_PORT", defaultHost: "127.0.0.1", defaultPort: 5000},
	{names: []string{"python", "python3", "manage.py", "django-admin"}, mode: "runserver", options: cluster.Syntax{Long: []string{"settings", "pythonpath", "verbosity"}},
		operand: true, defaultHost: "127.0.0.1", defaultPort: 8000},
	{names: []string{"daphne"}, options: cluster.Syntax{Short: "pbvte", Long: []string{"port", "bind", "verbosity", "unix-socket", "endpoint", "fd", "root-path"}},
		host: []string{"b", "bind"}, port: []string{"p", "port"}, elsewhere: []string{"u", "unix-socket", "e", "endpoint", "fd"},
		defaultHost: "127.0.0.1", defaultPort: 8000},
	{names: []string{"gunicorn"}, options: cluster.Syntax{Short: "bcwktne", Long: []string{"bind", "config", "workers", "worker-class", "threads", "timeout", "chdir", "log-level", "access-logfile", "error-logfile", "name", "env", "max-requests"}},
		address: []string{"b", "bind"}},
	{names: []string{"etcd"}, options: cluster.Syntax{Words: true},
		address: []string{"listen-client-urls"}, elsewhere: []string{"config-file", "listen-metrics-urls", "listen-client-http-urls"},
		addressVariable: "ETCD_LISTEN_CLIENT_URLS", defaultHost: "localhost", defaultPort: 2379},
	{names: []string{"consul"}, mode: "agent", options: cluster.Syntax{Words: true, Long: []string{"client", "http-port", "bind", "data-dir", "advertise", "node", "datacenter", "config-file", "config-dir", "retry-join", "join", "bootstrap-expect", "encrypt", "domain"}},
		host: []string{"client"}, port: []string{"http-port"}, elsewhere: []string{"config-file", "config-dir"},
		defaultHost: "127.0.0.1", defaultPort: 8500},
	{names: []string{"redis-server", "valkey-server"}, options: cluster.Syntax{Long: []string{"port", "bind", "dir", "requirepass", "maxmemory", "save", "appendonly", "loglevel"}},
		host: []string{"bind"}, port: []string{"port"}, defaultPort: 6379},
	{names: []string{"mongod"}, options: cluster.Syntax{Short: "f", Long: []string{"port", "bind_ip", "dbpath", "replSet", "config", "logpath", "keyFile"}},
		host: []string{"bind_ip"}, port: []string{"port"}, elsewhere: []string{"bind_ip_all", "f", "config"}, defaultHost: "localhost", defaultPort: 27017},
	{names: []string{"postgres"}, options: cluster.Syntax{Short: "pchDdkN"}, port: []string{"p"}, portVariable: "PGPORT", elsewhere: []string{"c"}, defaultPort: 5432},
	{names: []string{"mysqld", "mariadbd"}, options: cluster.Syntax{Short: "P", Long: []string{"port", "bind-address", "datadir"}},
		host: []string{"bind-address", "bind_address"}, port: []string{"P", "port"}, elsewhere: []string{"skip-networking", "skip_networking"}, defaultPort: 3306},
	{names: []string{"kube-controller-manager"}, options: cluster.Syntax{Words: true}, host: []string{"bind-address"}, port: []string{"secure-port"}, elsewhere: []string{"config"}, defaultPort: 10257},
	{names: []string{"kube-scheduler"}, options: cluster.Syntax{Words: true}, host: []string{"bind-address"}, port: []string{"secure-port"}, elsewhere: []string{"config"}, defaultPort: 10259},
}

// serverOf returns what a server's command line says that it listens on, nothing
// where it is none of those, or listens nowhere that is known.
func serverOf(command cluster.Command, env cluster.Environment) []listener {
	name := command.Name()
	for _, s := range servers {
		if !slices.Contains(s.names, name) {
			continue
		}
		if slices.ContainsFunc(command.Words, opaque) {
			return nil
		}
		options, operands := s.options.Parse(command.Words[1:])
		at := slices.IndexFunc(operands, func(w cluster.Word) bool { return w.Value == s.mode })
		if s.mode != "" && at < 0 {
			continue
		}
		return s.listens(name, command, options, operands[max(at, 0):], env)
	}
	return nil
}

// opaque reports a word that may hold any options: not -name=$VALUE.
func opaque(w cluster.Word) bool {
	return w.Secret || !w.Known && !(strings.HasPrefix(w.Value, "-") && strings.Contains(w.Value, "="))
}

func (s server) listens(name string, command cluster.Command, options []cluster.Option, operands []cluster.Word, env cluster.Environment) []listener {
	unset := evidence{command.Words[0], "the default of " + name}
	l := listener{host: s.defaultHost, port: s.defaultPort, program: name, byHost: unset, byPort: unset}
	setHost := func(host string, by evidence) { l.host, l.byHost = strings.Trim(host, "[]"), by }
	setPort := func(port string, by evidence) {
		l.port, _ = strconv.ParseInt(port, 10, 32) // 0, not known, when it is no number
		l.byPort = by
	}
	for _, variable := range []string{s.hostVariable, s.portVariable, s.addressVariable} {
		v, ok := env.Lookup(variable)
		by := evidence{wordOf(v), v.Name + "=" + v.Value}
		switch {
		case variable == "" || !ok:
		case !v.Known || v.Secret:
			return nil
		case variable == s.hostVariable:
			setHost(v.Value, by)
		case variable == s.portVariable:
			setPort(v.Value, by)
		default:
			return addressesOf(by, v.Value, name)
		}
	}
	var addresses []listener
	for _, o := range options {
		by := evidence{o.Value, "-" + o.Name + " " + o.Value.Value}
		if len(o.Name) > 1 {
			by.label = "-" + by.label
		}
		named := slices.Contains(slices.Concat(s.host, s.port, s.address), o.Name)
		switch {
		case slices.Contains(s.elsewhere, o.Name), named && !o.Value.Known:
			return nil
		case slices.Contains(s.host, o.Name):
			setHost(o.Value.Value, by)
		case slices.Contains(s.port, o.Name):
			setPort(o.Value.Value, by)
		case slices.Contains(s.address, o.Name):
			addresses = append(addresses, addressesOf(by, o.Value.Value, name)...)
		}
	}
	if s.operand && len(operands) > 1 {
		by := evidence{operands[1], s.mode + " " + operands[1].Value}
		host, port, both := strings.Cut(operands[1].Value, ":")
		if both {
			setHost(host, by)
		} else {
			port = operands[1].Value
		}
		setPort(port, by)
	}
	switch {
	case len(addresses) > 0:
		return addresses
	case l.port <= 0 || l.port > math.MaxUint16:
		return nil
	case strings.ContainsAny(l.host, ", ") || unspecified(l.host):
		l.host = "" // of several, one may be any
	}
	return []listener{l}
}

func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || host == "*" || err == nil && ip.IsUnspecified()
}

func wordOf(v cluster.Variable) cluster.Word {
	return cluster.Word{Value: v.Value, Known: v.Known, Secret: v.Secret, From: v.From}
}

// addressesOf reads a list of addresses, "host:port" or URLs.
func addressesOf(by evidence, text, program string) []listener {
	var found []listener
	for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
		host, port, scheme, ok := address(item)
		if ok && by.word.Known && !by.word.Secret {
			found = append(found, listener{host: host, port: port, scheme: scheme, program: program, byHost: by, byPort: by})
		}
	}
	return found
}

// address splits "127.0.0.1:80", ":80", "http://[::1]:80/": an unspecified host
// is empty.
func address(text string) (host string, port int64, scheme string, ok bool) {
	if before, rest, found := strings.Cut(text, "://"); found {
		scheme, text = before, rest
	}
	text, _, _ = strings.Cut(text, "/")
	text = strings.TrimSpace(text)
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return "", 0, "", false
	}
	host = text[:colon]
	if bracketed, found := strings.CutPrefix(host, "["); found {
		host = strings.TrimSuffix(bracketed, "]")
	} else if strings.Contains(host, ":") {
		return "", 0, "", false // an IPv6 address without a port
	}
	number, err := strconv.ParseUint(text[colon+1:], 10, 16)
	if err != nil || number == 0 {
		return "", 0, "", false
	}
	if unspecified(host) || host == "+" { // "+" of ASPNETCORE_URLS
		host = ""
	}
	return host, int64(number), scheme, true
}

// listening matches the names of options, variables and settings that hold the
// address of the program's own socket, and talking those of others.
var (
	listening = regexp.MustCompile(`(?i)(^|[-_.])(addr|address)([-_.]|$)|listen|bind`)
	talking   = regexp.MustCompile(`(?i)upstream|target|backend|remote|redis|database|postgres|mysql|mongo|proxy|master|kafka|nats|broker|advertise|join|` +
		`external|public|apiserver|client|smtp|otlp|collector|jaeger|zipkin|statsd|agent|store|query|receiver|forward|push|resolver|allow|trust|exporter`)
	// setting matches a line of a file that sets something: key = value, key: value
	// and, of nginx and Apache, "listen value".
	setting = regexp.MustCompile(`(?i)^\s*"?([A-Za-z][\w.-]*)"?\s*[:=]?\s*["']?((?:https?://|tcp://)?(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|\[[0-9a-f:]*\]|\*)?:\d{2,5})\b`)
)

// listenersOf returns the sockets that the container says its program listens
// on: what a known server does, and what an option, a variable or a mounted file
// calls an address to listen on.
func listenersOf(c *cluster.Cluster, ctr *manifest.Container) []listener {
	return cluster.Memo(c, listenersKey{ctr}, func() []listener { return findListeners(c, ctr) })
}

type listenersKey struct{ *manifest.Container }

func findListeners(c *cluster.Cluster, ctr *manifest.Container) []listener {
	env := c.Environment(ctr)
	var found []listener
	for _, command := range c.Process(ctr).Commands {
		if command.Conditional {
			continue
		}
		if known := serverOf(command, env); known != nil {
			found = append(found, known...)
			continue
		}
		found = append(found, optionListeners(command.Words)...)
	}
	if p := c.Process(ctr); p.Partial {
		found = append(found, optionListeners(append([]cluster.Word{{Known: true}}, p.Words...))...)
	}
	var halves []half
	for _, v := range env.Variables {
		if v.Known && !v.Secret {
			halves = append(halves, half{v.Name, v.Value, evidence{wordOf(v), v.Name + "=" + v.Value}})
		}
	}
	found = append(found, pairs(halves)...)
	for _, v := range env.Variables {
		if v.Known && !v.Secret && listening.MatchString(v.Name) && !talking.MatchString(v.Name) {
			found = append(found, addressesOf(evidence{wordOf(v), v.Name + "=" + v.Value}, v.Value, "")...)
		}
	}
	return append(found, fileListeners(c, ctr)...)
}

// optionListeners reads the options of a command line that are called like an
// address to listen on.
func optionListeners(words []cluster.Word) []listener {
	var found []listener
	var halves []half
	for i := 1; i < len(words); i++ {
		w := words[i]
		if !w.Known || w.Secret || !strings.HasPrefix(w.Value, "-") {
			continue
		}
		name, value, attached := strings.Cut(strings.TrimLeft(w.Value, "-"), "=")
		if attached {
			halves = append(halves, half{name, value, evidence{w, w.Value}})
		} else if i+1 < len(words) && words[i+1].Known && !words[i+1].Secret {
			halves = append(halves, half{name, words[i+1].Value, evidence{w, w.Value + " " + words[i+1].Value}})
		}
		if !listening.MatchString(name) || talking.MatchString(name) && !strings.Contains(name, "listen") {
			continue
		}
		label := w.Value
		if !attached && i+1 < len(words) && words[i+1].Known && !words[i+1].Secret {
			value = words[i+1].Value
			label += " " + value
		}
		found = append(found, addressesOf(evidence{w, label}, value, "")...)
	}
	return append(found, pairs(halves)...)
}

// A half is an option or a variable that may hold the host or the port of a
// socket.
type half struct {
	name, value string
	by          evidence
}

// hostHalf and portHalf match the names of the halves of an address, behind what
// they have in common: server.address and server.port, LISTEN_HOST and LISTEN_PORT.
var (
	hostHalf = regexp.MustCompile(`(?i)^(.*?)[-_.]?(bind[-_.]?address|listen[-_.]?address|listen[-_.]?host|bind[-_.]?host|address|host|bind|listen)$`)
	portHalf = regexp.MustCompile(`(?i)^(.*?)[-_.]?(listen[-_.]?port|bind[-_.]?port|port)$`)
)

// pairs joins the halves of addresses. A host that is not a loopback address may
// be another's, and is left out.
func pairs(halves []half) []listener {
	var found []listener
	for _, h := range halves {
		host := hostHalf.FindStringSubmatch(h.name)
		if host == nil || !loopback(h.value) || talking.MatchString(h.name) {
			continue
		}
		for _, p := range halves {
			port := portHalf.FindStringSubmatch(p.name)
			number, err := strconv.ParseUint(p.value, 10, 16)
			if port != nil && err == nil && number > 0 && strings.EqualFold(host[1], port[1]) {
				found = append(found, listener{host: h.value, port: int64(number), byHost: h.by, byPort: p.by})
			}
		}
	}
	return found
}

// fileListeners reads the lines of mounted files that set an address to listen
// on.
func fileListeners(c *cluster.Cluster, ctr *manifest.Container) []listener {
	var found []listener
	var files []cluster.File
	for _, m := range ctr.VolumeMounts {
		if f, ok := c.MountedFile(ctr, m.MountPath); ok {
			files = append(files, f)
		}
		files = append(files, c.MountedFiles(ctr, m.MountPath)...)
	}
	for _, f := range files {
		for line := range strings.Lines(f.Text) {
			m := setting.FindStringSubmatch(line)
			if m == nil || !listening.MatchString(m[1]) || talking.MatchString(m[1]) {
				continue
			}
			from := f.From
			from.Within = m[2]
			by := evidence{cluster.Word{Value: m[2], Known: true, From: from}, fmt.Sprintf("%s %s in %s", m[1], m[2], path.Base(f.Path))}
			found = append(found, addressesOf(by, m[2], "")...)
		}
	}
	return found
}
