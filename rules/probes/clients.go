package probes

import (
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
)

// A client is a program that talks to a server, and how its command line names
// that server.
type client struct {
	// names are patterns of path.Match for the program's name.
	names []string
	// server are words in the names of images that hold the server itself.
	server []string
	// value are the short options that take a value, attached or in the next
	// word, and attached those that take it only attached.
	value, attached string
	// long are the long options that take their value in the next word where
	// there is no "=".
	long []string
	// goFlags: options are whole words behind one dash or two.
	goFlags bool
	// host are the options whose value names the server, local those that say
	// that it is reached without the network.
	host, local []string
	// source are the options whose value may name the server, as an operand may.
	source []string
	// operands picks the words that name the server among those that are no
	// options and no values of options.
	operands func([]cluster.Word) []cluster.Word
	// hosts takes the names of hosts out of a word that names the server; nil:
	// hostList.
	hosts func(string) []string
	// variable is the environment variable that names the server where no
	// option does.
	variable string
}

// clients are the programs found in probes. Their options are those of their
// manuals.
var clients = []client{
	{names: []string{"pg_isready"}, server: postgresServer, value: "dhptU",
		long: []string{"dbname", "host", "port", "timeout", "username"},
		host: []string{"h", "host"}, source: []string{"d", "dbname"}, operands: sources, hosts: postgresHosts, variable: "PGHOST"},
	{names: []string{"psql"}, server: postgresServer, value: "cdfFhLoPpRTUv",
		long: []string{"command", "dbname", "file", "host", "port", "pset", "set", "username", "variable"},
		host: []string{"h", "host"}, source: []string{"d", "dbname"}, operands: sources, hosts: postgresHosts, variable: "PGHOST"},
	{names: []string{"mysql", "mysqladmin", "mysqlcheck", "mysqlshow", "mariadb", "mariadb-admin", "mariadb-check"},
		server: []string{"mysql", "mariadb", "percona"}, value: "hPuDSe", attached: "pw",
		long: []string{"host", "port", "user", "database", "execute", "socket", "protocol", "defaults-file", "defaults-extra-file"},
		host: []string{"h", "host"}, local: []string{"S", "socket"}},
	{names: []string{"redis-cli", "valkey-cli", "keydb-cli"}, server: []string{"redis", "valkey", "keydb"}, value: "hpsauridDXtn",
		long: []string{"user", "pass", "cacert", "cert", "key", "sni", "tls-ciphers"},
		host: []string{"h", "u"}, local: []string{"s"}},
	{names: []string{"mongosh", "mongo"}, server: []string{"mongo"}, value: "up",
		long: []string{"host", "port", "eval", "username", "password", "authenticationDatabase", "tlsCAFile", "tlsCertificateKeyFile"},
		host: []string{"host"}, operands: addressed, hosts: mongoHosts},
	{names: []string{"nc", "ncat", "netcat", "telnet"}, value: "wpsiqxXIOTeGcmgMP", long: []string{"wait", "source-port"},
		local: []string{"U", "unixsock", "l", "listen"}, operands: first},
	{names: []string{"curl"}, value: "AbcCdDeEFHKmoPQrtTuUwxXyYz",
		long: []string{"abstract-unix-socket", "cacert", "capath", "cert", "cert-type", "ciphers", "config", "connect-timeout",
			"connect-to", "cookie", "cookie-jar", "data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "dump-header",
			"form", "header", "interface", "json", "key", "key-type", "limit-rate", "max-filesize", "max-redirs", "max-time",
			"noproxy", "oauth2-bearer", "output", "pass", "preproxy", "proto", "proxy", "range", "referer", "request", "resolve",
			"retry", "retry-delay", "retry-max-time", "tls-max", "unix-socket", "upload-file", "url", "user", "user-agent",
			"write-out"},
		host: []string{"url"}, local: []string{"unix-socket", "abstract-unix-socket", "resolve", "connect-to"}, operands: addressed},
	{names: []string{"wget"}, value: "aeioABDIlOPQRTtUwXY",
		long: []string{"body-data", "ca-certificate", "connect-timeout", "header", "method", "output-document", "output-file",
			"password", "post-data", "post-file", "read-timeout", "timeout", "tries", "user", "user-agent", "wait"},
		operands: addressed},
	{names: []string{"nslookup", "host", "ping", "ping6"}, value: "cwWiIstTpmMQl", operands: first},
	{names: []string{"dig"}, value: "bcfkmpqtxy", operands: digName},
	{names: []string{"getent"}, operands: hostsEntry},
	{names: []string{"kafka-*", "zookeeper-shell*"}, server: []string{"kafka"},
		long: []string{"bootstrap-server", "bootstrap-controller", "broker-list", "zookeeper", "command-config", "topic", "group"},
		host: []string{"bootstrap-server", "bootstrap-controller", "broker-list", "zookeeper"}},
	{names: []string{"zkCli.sh"}, server: []string{"zookeeper"}, goFlags: true, long: []string{"server", "timeout"}, host: []string{"server"}},
	{names: []string{"rabbitmq-diagnostics", "rabbitmqctl"}, server: []string{"rabbit"}, value: "nt",
		long: []string{"node", "timeout", "formatter"}, host: []string{"n", "node"}, hosts: nodeHosts},
	{names: []string{"rabbitmqadmin"}, server: []string{"rabbit"}, value: "HPupV",
		long: []string{"host", "port", "username", "password", "vhost"}, host: []string{"H", "host"}},
	{names: []string{"cqlsh"}, server: []string{"cassandra", "scylla"}, value: "upkef",
		long: []string{"username", "password", "keyspace", "execute", "file"}, operands: first},
	{names: []string{"nodetool"}, server: []string{"cassandra", "scylla"}, value: "hpu",
		long: []string{"host", "port", "username", "password"}, host: []string{"h", "host"}},
	{names: []string{"clickhouse-client"}, server: []string{"clickhouse"}, value: "hudq",
		long: []string{"host", "port", "user", "password", "database", "query", "format"}, host: []string{"h", "host"}},
	{names: []string{"etcdctl"}, server: []string{"etcd"}, long: []string{"endpoints", "cacert", "cert", "key", "command-timeout", "dial-timeout"},
		host: []string{"endpoints"}},
	{names: []string{"grpc_health_probe*", "grpc-health-probe*"}, goFlags: true,
		long: []string{"addr", "service", "connect-timeout", "rpc-timeout", "tls-ca-cert"}, host: []string{"addr"}},
	{names: []string{"consul", "vault"}, goFlags: true, long: []string{"http-addr", "address"}, host: []string{"http-addr", "address"}},
}

var postgresServer = []string{"postgres", "postgis", "pgsql", "timescale"}

// A call is one simple command that talks to a server.
type call struct {
	client client
	// program is its name, without the folder.
	program string
	// peers are the words that name the server, none where the program goes for
	// itself: that is where it runs.
	peers []cluster.Word
}

// callOf returns what a simple command talks to, false when it is none of the
// clients or does not use the network.
func callOf(command cluster.Command, env cluster.Environment) (call, bool) {
	name := command.Name()
	c, ok := clientNamed(name)
	if !ok {
		return call{}, false
	}
	options, operands := c.parse(command.Words[1:])
	found := call{client: c, program: name}
	for _, o := range options {
		if slices.Contains(c.local, o.name) {
			return call{}, false
		}
		if slices.Contains(c.host, o.name) {
			found.peers = append(found.peers, o.value)
		}
		if slices.Contains(c.source, o.name) {
			operands = append(operands, o.value)
		}
	}
	if c.operands != nil {
		found.peers = append(found.peers, c.operands(operands)...)
	}
	if len(found.peers) == 0 && c.variable != "" {
		found.peers = variableOf(command, c.variable, env)
	}
	return found, true
}

// clientNamed returns the client whose program is called so.
func clientNamed(program string) (client, bool) {
	i := slices.IndexFunc(clients, func(c client) bool { return named(c.names, program) })
	if i < 0 {
		return client{}, false
	}
	return clients[i], true
}

// named reports whether a program's name matches one of the patterns of path.Match.
func named(patterns []string, program string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { ok, _ := path.Match(pattern, program); return ok })
}

// variableOf returns the value of a variable that the script or else the
// container sets for a command, nothing when it is not set or not known.
func variableOf(command cluster.Command, name string, env cluster.Environment) []cluster.Word {
	v, ok := env.Lookup(name)
	for _, a := range command.Assignments {
		if a.Name == name {
			v, ok = a, true
		}
	}
	if !ok || !v.Known {
		return nil
	}
	return []cluster.Word{{Value: v.Value, Known: true, Secret: v.Secret, From: v.From}}
}

// An option is an option of a command line with its value, empty without one.
type option struct {
	name  string
	value cluster.Word
}

// parse splits a command line as getopt_long does, or as Go's flag package.
func (c client) parse(words []cluster.Word) (options []option, operands []cluster.Word) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		next := func() cluster.Word {
			if i+1 < len(words) {
				i++
				return words[i]
			}
			return cluster.Word{Known: true}
		}
		text := word.Value
		switch {
		case text == "--":
			return options, append(operands, words[i+1:]...)
		case strings.HasPrefix(text, "--"), c.goFlags && len(text) > 1 && text[0] == '-':
			name, value, ok := strings.Cut(strings.TrimLeft(text, "-"), "=")
			o := option{name: name}
			if ok {
				o.value = part(word, value)
			} else if slices.Contains(c.long, name) {
				o.value = next()
			}
			options = append(options, o)
		case len(text) > 1 && text[0] == '-':
			for j := 1; j < len(text); j++ {
				o := option{name: text[j : j+1]}
				rest := text[j+1:]
				takes := strings.Contains(c.value, o.name)
				switch {
				case rest != "" && (takes || strings.Contains(c.attached, o.name)):
					o.value = part(word, rest)
					j = len(text)
				case takes:
					o.value = next()
				}
				options = append(options, o)
			}
		default:
			operands = append(operands, word)
		}
	}
	return options, operands
}

// part is a part of a word, which came from where the word came from.
func part(w cluster.Word, text string) cluster.Word {
	w.Value = text
	return w
}

func first(words []cluster.Word) []cluster.Word { return words[:min(len(words), 1)] }

// addressed picks the words that are URLs or addresses, so that the value of
// an option that is not known is not taken for a host.
func addressed(words []cluster.Word) []cluster.Word {
	var found []cluster.Word
	for _, w := range words {
		if strings.ContainsAny(w.Value, ":/") && !strings.HasPrefix(w.Value, "/") {
			found = append(found, w)
		}
	}
	return found
}

// sources picks the words that are URIs or "key=value" strings with a host: a
// bare word is the name of a database.
func sources(words []cluster.Word) []cluster.Word {
	return slices.DeleteFunc(slices.Clone(words), func(w cluster.Word) bool {
		return !strings.Contains(w.Value, "://") && !strings.Contains(w.Value, "host=")
	})
}

// digName picks the name asked for: not the server, the type or a "+option".
func digName(words []cluster.Word) []cluster.Word {
	for _, w := range words {
		if !strings.HasPrefix(w.Value, "@") && !strings.HasPrefix(w.Value, "+") {
			return []cluster.Word{w}
		}
	}
	return nil
}

// hostsEntry picks NAME of "getent hosts NAME".
func hostsEntry(words []cluster.Word) []cluster.Word {
	if len(words) == 2 && (words[0].Value == "hosts" || strings.HasPrefix(words[0].Value, "ahosts")) {
		return words[1:]
	}
	return nil
}

// hostList takes the hosts out of a list of hosts, addresses or URLs.
func hostList(text string) []string {
	var hosts []string
	for item := range strings.SplitSeq(text, ",") {
		hosts = append(hosts, hostOf(item))
	}
	return hosts
}

// hostOf takes the host out of a host, host:port or URL.
func hostOf(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	if end := strings.IndexAny(address, "/?#"); end >= 0 {
		address = address[:end]
	}
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		address = address[at+1:]
	}
	if bracketed, ok := strings.CutPrefix(address, "["); ok { // an IPv6 address
		host, _, _ := strings.Cut(bracketed, "]")
		return host
	}
	if host, port, ok := strings.Cut(address, ":"); ok && !strings.Contains(port, ":") {
		return host
	}
	return address
}

// postgresHosts takes the hosts out of a host, a socket's folder, a URI or a
// "key=value" string, all of which libpq takes
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).
func postgresHosts(text string) []string {
	switch {
	case strings.HasPrefix(text, "/"): // the folder of a Unix socket
		return nil
	case strings.Contains(text, "://"):
		return hostList(text)
	case strings.Contains(text, "="):
		for field := range strings.FieldsSeq(text) {
			if host, ok := strings.CutPrefix(field, "host="); ok {
				return postgresHosts(host)
			}
		}
		return nil
	}
	return hostList(text)
}

// mongoHosts also knows the "replicaset/host,host" of --host and the
// "host:port/database" of the operand.
func mongoHosts(text string) []string {
	if set, hosts, ok := strings.Cut(text, "/"); ok && !strings.Contains(text, "://") && !strings.Contains(set, ":") && hosts != "" {
		return hostList(hosts)
	}
	return hostList(text)
}

// nodeHosts takes the host out of the name of an Erlang node.
func nodeHosts(text string) []string {
	if _, host, ok := strings.Cut(text, "@"); ok {
		return []string{host}
	}
	return nil
}
