package probes

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var probePortNotExposed = &rule.Rule{
	ID:       "probe-port-not-exposed",
	Title:    "A probe asks another port than its program listens on",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachProbe(p, w, subject.portNotExposed) },
}

// portNotExposed compares the port that is asked for with the one socket of a
// server whose options say where it listens. What ports declare is
// documentation and decides nothing.
func (s subject) portNotExposed() {
	sockets := s.sockets()
	switch port, at, ok := s.port(); {
	case s.host() != "" && !loopback(s.host()):
	case s.probe.Exec != nil && len(sockets) > 0:
		s.clientPort(sockets)
	case !ok:
	case len(sockets) > 0:
		s.compare(port, at, evidence{label: fmt.Sprintf("port %d", port)}, sockets)
	default:
		s.compareStated(port, at)
	}
}

// stating matches the names of variables and options whose number is the port of
// a program's own server. Of options it is Spring Boot's alone: many programs have
// a second port beside --port.
var stating = regexp.MustCompile(`(?i)^((server|http|app|listen|web)?_?port|server\.port)$`)

// compareStated reports a port that nothing mentions but the probe, where a
// setting of the program and a declared port agree on another one.
func (s subject) compareStated(port int64, at node.Path) {
	declares := func(number string) bool {
		return slices.ContainsFunc(s.ctr.Ports, func(p corev1.ContainerPort) bool { return strconv.Itoa(int(p.ContainerPort)) == number })
	}
	asked := strconv.FormatInt(port, 10)
	if declares(asked) || s.servedBySibling(port) || s.mentioned(asked) {
		return
	}
	for _, by := range s.stated() {
		number := by.word.Value[strings.LastIndexByte(by.word.Value, '=')+1:]
		if !declares(number) {
			continue
		}
		value, _ := strconv.ParseInt(number, 10, 32)
		s.report(rule.Finding{At: at, Related: by.related("the program's own port"), Fixes: portFix(at, value, "ask port "+number)},
			"%s asks port %d, and the program is told to listen on port %s (%s), which the container declares: where nothing else listens, the connection is refused, and %s",
			s.asks(), port, number, by.label, s.fails())
		return
	}
}

// stated are the settings that give the program its port.
func (s subject) stated() []evidence {
	var found []evidence
	for _, v := range s.Cluster.Environment(s.ctr).Variables {
		if v.Known && !v.Secret && stating.MatchString(v.Name) {
			found = append(found, evidence{wordOf(v), v.Name + "=" + v.Value})
		}
	}
	for _, w := range s.Cluster.Process(s.ctr).Words {
		name, _, ok := strings.Cut(strings.TrimLeft(w.Value, "-"), "=")
		if ok && w.Known && !w.Secret && strings.Contains(name, ".") && stating.MatchString(strings.TrimPrefix(name, "D")) {
			found = append(found, evidence{w, w.Value})
		}
	}
	return found
}

// mentioned reports whether a number stands anywhere in what configures the
// program, where it may be a port, or whether not all of that is known.
func (s subject) mentioned(number string) bool {
	env := s.Cluster.Environment(s.ctr)
	says := func(known, secret bool, text string) bool { return !known || secret || strings.Contains(text, number) }
	if env.Open || slices.ContainsFunc(env.Variables, func(v cluster.Variable) bool { return says(v.Known, v.Secret, v.Value) }) ||
		slices.ContainsFunc(s.Cluster.Process(s.ctr).Words, func(w cluster.Word) bool { return says(w.Known, w.Secret, w.Value) }) {
		return true
	}
	for _, m := range s.ctr.VolumeMounts {
		files := s.Cluster.MountedFiles(s.ctr, m.MountPath)
		if f, ok := s.Cluster.MountedFile(s.ctr, m.MountPath); ok {
			files = append(files, f)
		}
		blank := slices.ContainsFunc(s.ctr.Workload.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name && v.EmptyDir != nil })
		if len(files) == 0 && !blank || slices.ContainsFunc(files, func(f cluster.File) bool { return strings.Contains(f.Text, number) }) {
			return true
		}
	}
	return false
}

// sockets are the sockets of the servers that the container's process runs, none
// where it may run something else beside them.
func (s subject) sockets() []listener {
	process := s.Cluster.Process(s.ctr)
	env := s.Cluster.Environment(s.ctr)
	if urls, ok := env.Lookup("ASPNETCORE_URLS"); ok {
		if !urls.Known || urls.Secret || slices.ContainsFunc(env.Variables, kestrel) {
			return nil
		}
		return addressesOf(evidence{wordOf(urls), "ASPNETCORE_URLS=" + urls.Value}, urls.Value, "ASP.NET Core")
	}
	if process.Partial {
		return nil
	}
	var found []listener
	for i, command := range process.Commands {
		known := serverOf(command, env)
		if known == nil && (command.Background || i == len(process.Commands)-1) {
			return nil // the last command, which stays, is none of them
		}
		found = append(found, known...)
	}
	return found
}

// kestrel reports a variable that sets an endpoint of ASP.NET Core's server,
// which then leaves ASPNETCORE_URLS unread (learn.microsoft.com, Configure
// endpoints for the ASP.NET Core Kestrel web server).
func kestrel(v cluster.Variable) bool {
	return strings.HasPrefix(strings.ToLower(v.Name), "kestrel__") || v.Name == "ASPNETCORE_PREFERHOSTINGURLS"
}

// compare reports a port on which none of the sockets listens.
func (s subject) compare(port int64, at node.Path, asked evidence, sockets []listener) {
	if slices.ContainsFunc(sockets, func(l listener) bool { return l.port == port }) || s.servedBySibling(port) {
		return
	}
	listens := sockets[0]
	f := rule.Finding{At: at, Related: listens.byPort.related("listens here")}
	if asked.word.From.Object != nil {
		f = standing(s.ctr, at, asked.word)
		f.Related = append(f.Related, listens.byPort.related("listens here")...)
	} else if s.probe.Exec == nil && len(sockets) == 1 {
		f.Fixes = portFix(at, listens.port, fmt.Sprintf("ask port %d", listens.port))
	}
	s.report(f, "%s asks %s, and %s listens on port %d (%s): the connection is refused, and %s",
		s.asks(), asked.label, listens.program, listens.port, listens.byPort.label, s.fails())
}

// own are the servers that the clients talk to which are asked for one.
var own = map[string][]string{
	"consul": {"consul"}, "redis-cli": {"redis-server", "valkey-server"}, "valkey-cli": {"redis-server", "valkey-server"},
	"mongosh": {"mongod"}, "mongo": {"mongod"}, "pg_isready": {"postgres"}, "psql": {"postgres"},
	"mysqladmin": {"mysqld", "mariadbd"}, "mysql": {"mysqld", "mariadbd"}, "etcdctl": {"etcd"},
}

// clientPort compares the port that the server's own client, or one for any
// server, goes to.
func (s subject) clientPort(sockets []listener) {
	env := s.Cluster.Environment(s.ctr)
	at := s.at("exec", "command")
	for _, command := range s.process().Commands {
		name := command.Name()
		fetches := name == "curl" || name == "wget"
		if !fetches && !slices.Contains(own[name], sockets[0].program) || command.Conditional || !overTCP(command) {
			continue
		}
		if port, by, ok := dials(command, env); ok {
			s.compare(port, at, by, sockets)
			return
		}
	}
}

// dials returns the port of the container's own that a client goes to, false when
// it goes elsewhere, or that is not sure.
func dials(command cluster.Command, env cluster.Environment) (int64, evidence, bool) {
	call, ok := command.Call(env)
	if !ok || len(call.Servers) > 1 || slices.ContainsFunc(command.Words, func(w cluster.Word) bool { return !w.Known || w.Secret }) {
		return 0, evidence{}, false
	}
	port := call.Port
	by := evidence{command.Words[0], fmt.Sprintf("port %d, where %s goes unless told otherwise", port, call.Program)}
	if call.PortWord != nil {
		by = evidence{*call.PortWord, fmt.Sprintf("port %d", port)}
	}
	if len(call.Servers) == 1 {
		to := command.Connections(env)
		if len(to) != 1 || to[0].Word.Secret || !loopback(to[0].Host) {
			return 0, evidence{}, false
		}
		if to[0].Port != port {
			port = to[0].Port
			by = evidence{to[0].Word, fmt.Sprintf("port %d", port)}
		}
	} else if !command.Home(env) {
		return 0, evidence{}, false
	}
	return int64(port), by, port > 0
}

// overTCP reports whether a client goes to its server over TCP: those of
// PostgreSQL and MySQL take the Unix socket without a host, whose path or name
// the port may be part of.
func overTCP(command cluster.Command) bool {
	switch command.Name() {
	case "mysqladmin", "mysql":
		return slices.ContainsFunc(command.Words, func(w cluster.Word) bool {
			return w.Value == "127.0.0.1" || w.Value == "-h127.0.0.1" || w.Value == "--host=127.0.0.1"
		})
	}
	return true
}
