package cluster

import (
	"cmp"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Call is what a command asks of a server on the network.
type Call struct {
	// Program is the name of the program.
	Program string
	// Servers are the words of the command line, or the value of a variable, that
	// name the server; none where the program goes for itself: to its own host, or
	// nowhere. Those that are not known are as they are written.
	Servers []Word
	// Port is where a server listens whose word names no port, 0 where that is not
	// known, and PortWord what says so, nil for the program's default.
	Port     int
	PortWord *Word

	client client
}

// Hosts returns the hosts that one of the Servers names, as they are written: of
// several one is enough.
func (c Call) Hosts(server Word) []string {
	var hosts []string
	for _, address := range c.client.addresses(server.Value) {
		if _, host, _ := splitAddress(address); host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// ServedBy reports an image whose name says that it holds the server that the
// program is made for.
func (c Call) ServedBy(image string) bool {
	return slices.ContainsFunc(c.client.images, func(word string) bool { return strings.Contains(image, word) })
}

// A Connection is a server that a command talks to, or whose name it looks up.
type Connection struct {
	// Program is the name of the program.
	Program string
	// Word is the word of the command line, or the value of a variable, that
	// names the server.
	Word Word
	// Host is the server's host, in lower case and without a final dot. Port is
	// 0 where it is not known.
	Host string
	Port int
	// Lookup is true for a program that only looks the name up.
	Lookup bool
	// Waits is true for a program that tries again by itself.
	Waits bool
}

// A client is a program that talks to a server, and how its command line names
// that server. Options and defaults are those of its manual page.
type client struct {
	Syntax
	// names are patterns of path.Match for the program's name.
	names []string
	// images are words in the names of images that hold the server itself.
	images []string
	// host are the options whose value names the server, source those whose value
	// may, as an operand may, port those whose value is its port, and local those
	// with which the network is not used.
	host, source, port, local []string
	// operands takes the servers, and the port, from the words that are neither
	// options nor their values; nil: the program takes none.
	operands func([]Word) (servers []Word, port *Word)
	// list takes a word that names the server apart into addresses, of which one is
	// enough; nil: commas do.
	list func(string) []string
	// standard is the port where none is given.
	standard int
	// hostVariable and portVariable name the server where no option does.
	hostVariable, portVariable string
	lookup, waits              bool
	// home: without a host it talks to the one it runs on.
	home bool
}

var clients = []client{
	{names: []string{"pg_isready"}, images: postgresImages, home: true,
		Syntax: Syntax{Short: "dhptU", Long: []string{"dbname", "host", "port", "timeout", "username"}},
		host:   []string{"h", "host"}, source: []string{"d", "dbname"}, port: []string{"p", "port"}, operands: sources, list: postgresList,
		standard: 5432, hostVariable: "PGHOST", portVariable: "PGPORT"},
	{names: []string{"psql", "createdb", "pg_dump"}, images: postgresImages, home: true,
		Syntax: Syntax{Short: "cdfFhLoPpRTUv", Long: []string{"command", "dbname", "file", "host", "port", "pset", "set", "username", "variable"}},
		host:   []string{"h", "host"}, source: []string{"d", "dbname"}, port: []string{"p", "port"}, operands: sources, list: postgresList,
		standard: 5432, hostVariable: "PGHOST", portVariable: "PGPORT"},
	{names: []string{"mysql", "mysqladmin", "mysqlcheck", "mysqlshow", "mariadb", "mariadb-admin", "mariadb-check"},
		images: []string{"mysql", "mariadb", "percona"}, home: true,
		Syntax: Syntax{Short: "hPuDSe", Attached: "pw", Long: []string{"host", "port", "user", "database", "execute", "socket", "protocol",
			"defaults-file", "defaults-extra-file"}},
		host: []string{"h", "host"}, port: []string{"P", "port"}, local: []string{"S", "socket"}, standard: 3306, portVariable: "MYSQL_TCP_PORT"},
	{names: []string{"redis-cli", "valkey-cli", "keydb-cli"}, images: []string{"redis", "valkey", "keydb"}, home: true,
		Syntax: Syntax{Short: "hpsauridDXtn", Long: []string{"user", "pass", "cacert", "cert", "key", "sni", "tls-ciphers"}},
		host:   []string{"h", "u"}, port: []string{"p"}, local: []string{"s"}, standard: 6379},
	{names: []string{"mongosh", "mongo"}, images: []string{"mongo"}, home: true,
		Syntax: Syntax{Short: "up", Long: []string{"host", "port", "eval", "username", "password", "authenticationDatabase", "tlsCAFile",
			"tlsCertificateKeyFile"}},
		host: []string{"host"}, port: []string{"port"}, operands: addressed, list: mongoList, standard: 27017},
	{names: []string{"nc", "ncat", "netcat", "nmap-ncat", "telnet"}, Syntax: Syntax{Short: "wpsiqxXIOTeGcmgMP", Long: []string{"wait", "source-port"}},
		local: []string{"U", "unixsock", "l", "listen"}, operands: hostAndPort},
	{names: []string{"curl"}, Syntax: Syntax{Short: "AbcCdDeEFHKmoPQrtTuUwxXyYz", Long: []string{"abstract-unix-socket", "cacert", "capath", "cert",
		"cert-type", "ciphers", "config", "connect-timeout", "connect-to", "cookie", "cookie-jar", "data", "data-ascii", "data-binary", "data-raw",
		"data-urlencode", "dump-header", "form", "header", "interface", "json", "key", "key-type", "limit-rate", "max-filesize", "max-redirs",
		"max-time", "noproxy", "oauth2-bearer", "output", "pass", "preproxy", "proto", "proxy", "range", "referer", "request", "resolve", "retry",
		"retry-delay", "retry-max-time", "tls-max", "unix-socket", "upload-file", "url", "user", "user-agent", "write-out"}},
		host: []string{"url"}, local: []string{"unix-socket", "abstract-unix-socket", "resolve", "connect-to", "x", "proxy", "preproxy"},
		operands: urls, standard: 80},
	{names: []string{"wget"}, Syntax: Syntax{Short: "aeioABDIlOPQRTtUwXY", Long: []string{"body-data", "ca-certificate", "connect-timeout", "header",
		"method", "output-document", "output-file", "password", "post-data", "post-file", "read-timeout", "timeout", "tries", "user", "user-agent",
		"wait"}},
		operands: urls, standard: 80},
	{names: []string{"nslookup", "host"}, Syntax: Syntax{Short: "cRtWN", Words: true}, operands: one, lookup: true},
	{names: []string{"dig"}, Syntax: Syntax{Short: "bcfkmpqtxy"}, operands: asked, lookup: true},
	{names: []string{"getent"}, operands: entry, lookup: true},
	{names: []string{"ping", "ping6"}, Syntax: Syntax{Short: "cwWiIstTpmMQl"}, operands: one},
	{names: []string{"kafka-*"}, images: []string{"kafka"},
		Syntax: Syntax{Long: []string{"bootstrap-server", "bootstrap-controller", "broker-list", "zookeeper", "command-config", "topic", "group"}},
		host:   []string{"bootstrap-server", "bootstrap-controller", "broker-list", "zookeeper"}, standard: 9092},
	{names: []string{"zookeeper-shell*"}, images: []string{"kafka", "zookeeper"}, operands: addressed, standard: 2181},
	{names: []string{"zkCli.sh"}, images: []string{"zookeeper"}, home: true, Syntax: Syntax{Words: true, Long: []string{"server", "timeout"}},
		host: []string{"server"}, standard: 2181},
	{names: []string{"rabbitmqadmin"}, images: []string{"rabbit"}, home: true,
		Syntax: Syntax{Short: "HPupV", Long: []string{"host", "port", "username", "password", "vhost"}},
		host:   []string{"H", "host"}, port: []string{"P", "port"}, standard: 15672},
	{names: []string{"rabbitmqctl", "rabbitmq-diagnostics"}, images: []string{"rabbit"}, home: true,
		Syntax: Syntax{Short: "nt", Long: []string{"node", "timeout", "formatter"}}, host: []string{"n", "node"}, list: erlangNode},
	{names: []string{"vault"}, images: []string{"vault"}, home: true, Syntax: Syntax{Words: true, Long: []string{"address"}}, host: []string{"address"},
		standard: 8200, hostVariable: "VAULT_ADDR"},
	{names: []string{"consul"}, images: []string{"consul"}, home: true, Syntax: Syntax{Words: true, Long: []string{"http-addr"}}, host: []string{"http-addr"},
		standard: 8500, hostVariable: "CONSUL_HTTP_ADDR"},
	{names: []string{"nodetool"}, images: cassandraImages, home: true,
		Syntax: Syntax{Short: "hpu", Long: []string{"host", "port", "username", "password"}}, host: []string{"h", "host"}, port: []string{"p", "port"}},
	{names: []string{"cqlsh"}, images: cassandraImages, home: true,
		Syntax: Syntax{Short: "upkef", Long: []string{"username", "password", "keyspace", "execute", "file"}}, operands: hostAndPort, standard: 9042},
	{names: []string{"clickhouse-client"}, images: []string{"clickhouse"}, home: true,
		Syntax: Syntax{Short: "hudq", Long: []string{"host", "port", "user", "password", "database", "query", "format"}},
		host:   []string{"h", "host"}, port: []string{"port"}, standard: 9000},
	{names: []string{"etcdctl"}, images: []string{"etcd"}, home: true,
		Syntax: Syntax{Long: []string{"endpoints", "cacert", "cert", "key", "command-timeout", "dial-timeout", "user"}},
		host:   []string{"endpoints"}, standard: 2379, hostVariable: "ETCDCTL_ENDPOINTS"},
	{names: []string{"grpc_health_probe*", "grpc-health-probe*"},
		Syntax: Syntax{Words: true, Long: []string{"addr", "service", "connect-timeout", "rpc-timeout", "tls-ca-cert"}}, host: []string{"addr"}},
	{names: []string{"influx"}, images: []string{"influx"}, home: true, Syntax: Syntax{Short: "notrb", Long: []string{"host", "token", "org", "bucket", "name"}},
		host: []string{"host"}, standard: 8086, hostVariable: "INFLUX_HOST"},
	{names: []string{"ollama"}, images: []string{"ollama"}, home: true, standard: 11434, hostVariable: "OLLAMA_HOST"},
	// https://github.com/jwilder/dockerize, https://github.com/vishnubob/wait-for-it,
	// https://github.com/eficode/wait-for, https://github.com/wait4x/wait4x
	{names: []string{"dockerize"}, Syntax: Syntax{Words: true, Long: []string{"wait", "timeout", "wait-retry-interval", "template", "stdout", "stderr",
		"wait-http-header"}},
		host: []string{"wait"}, waits: true},
	{names: []string{"wait-for-it", "wait-for-it.sh", "wait-for", "wait-for.sh"}, Syntax: Syntax{Short: "tph", Long: []string{"timeout", "host", "port"}},
		host: []string{"h", "host"}, port: []string{"p", "port"}, operands: addressed, waits: true},
	{names: []string{"wait4x"}, Syntax: Syntax{Words: true, Long: []string{"timeout", "interval"}}, operands: addressed, waits: true},
}

var (
	postgresImages  = []string{"postgres", "postgis", "pgsql", "timescale"}
	cassandraImages = []string{"cassandra", "scylla"}
)

// Call returns what the command asks of a server, false for a program that is not
// known or does not use the network. env is the environment of the container.
func (command Command) Call(env Environment) (Call, bool) {
	c, ok := clientOf(command)
	if !ok {
		return Call{}, false
	}
	return c.call(command, env)
}

// Connections returns the servers that a command talks to, in the order of its
// words; nothing for a program that is not known, or one that names none: it
// talks to its own host then, or to nobody. A list of servers of which one is
// enough is left out. env is the environment of the container.
func (command Command) Connections(env Environment) []Connection {
	call, ok := command.Call(env)
	if !ok {
		return nil
	}
	var found []Connection
	for _, server := range call.Servers {
		addresses := call.client.addresses(server.Value)
		if !server.Known || len(addresses) != 1 {
			continue
		}
		host, own := hostPort(addresses[0])
		if host == "" {
			continue
		}
		found = append(found, Connection{
			Program: call.Program, Word: server, Host: host, Port: cmp.Or(own, call.Port), Lookup: call.client.lookup, Waits: call.client.waits,
		})
	}
	return found
}

// Home reports whether the command is a client of a server that runs on its own
// host, for all that the command line and the environment say.
func (command Command) Home(env Environment) bool {
	c, ok := clientOf(command)
	if !ok || c.lookup {
		return false
	}
	call, ok := c.call(command, env)
	if !ok {
		return c.home
	}
	for _, server := range call.Servers {
		if !server.Known || slices.ContainsFunc(c.addresses(server.Value), func(address string) bool { return !home(address) }) {
			return false
		}
	}
	return len(call.Servers) > 0 || c.home
}

// home reports an address of the host itself.
func home(address string) bool {
	host, _ := hostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}

func clientOf(command Command) (client, bool) {
	name := command.Name()
	i := slices.IndexFunc(clients, func(c client) bool {
		return slices.ContainsFunc(c.names, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok })
	})
	if i < 0 {
		return client{}, false
	}
	return clients[i], true
}

// call reads the command line of the client, false where the network is not used.
func (c client) call(command Command, env Environment) (Call, bool) {
	words := command.Words[1:]
	if i := slices.IndexFunc(words, func(w Word) bool { return w.Value == "--" }); c.waits && i >= 0 {
		words = words[:i] // behind it stands what is run then
	}
	options, operands := c.Parse(words)
	call := Call{Program: command.Name(), Port: c.standard, client: c}
	for _, o := range options {
		switch {
		case slices.Contains(c.local, o.Name):
			return Call{}, false
		case slices.Contains(c.host, o.Name):
			call.Servers = append(call.Servers, o.Value)
		case slices.Contains(c.source, o.Name):
			operands = append(operands, o.Value)
		case slices.Contains(c.port, o.Name):
			call.PortWord = &o.Value
		}
	}
	if c.operands != nil {
		found, port := c.operands(operands)
		call.Servers = append(call.Servers, found...)
		if port != nil {
			call.PortWord = port
		}
	}
	if v, ok := command.variable(c.hostVariable, env); ok && len(call.Servers) == 0 {
		call.Servers = append(call.Servers, v.word())
	}
	if v, ok := command.variable(c.portVariable, env); ok && call.PortWord == nil {
		word := v.word()
		call.PortWord = &word
	}
	switch by := call.PortWord; {
	case by == nil:
	case by.Secret:
		call.Port = 0 // it would be printed
	default:
		call.Port, _ = strconv.Atoi(by.Value) // 0: not known
	}
	return call, true
}

// variable returns a variable that the script or else the container sets for
// the command.
func (command Command) variable(name string, env Environment) (Variable, bool) {
	for _, a := range slices.Backward(command.Assignments) {
		if a.Name == name {
			return a, true
		}
	}
	return env.Lookup(name)
}

// word returns the value of a variable as a word.
func (v Variable) word() Word {
	return Word{Value: v.Value, Known: v.Known, Secret: v.Secret, From: v.From}
}

// one picks the first operand.
func one(words []Word) ([]Word, *Word) { return words[:min(len(words), 1)], nil }

// hostAndPort picks the host and, if it is there, the port behind it.
func hostAndPort(words []Word) ([]Word, *Word) {
	if len(words) > 1 {
		return words[:1], &words[1]
	}
	return words, nil
}

// addressed picks the first word that is a URL or an address with a port, so
// that the name of a database or a subcommand is not taken for a host.
func addressed(words []Word) ([]Word, *Word) {
	return those(words, func(text string) bool { return strings.Contains(text, ":") && !strings.HasPrefix(text, "/") }), nil
}

// sources picks the first word that is a URI or a "key=value" string with a host: a
// bare word is the name of a database.
func sources(words []Word) ([]Word, *Word) {
	return those(words, func(text string) bool { return strings.Contains(text, "://") || strings.Contains(text, "host=") }), nil
}

// urls picks the first operand that is a URL, or can be one; curl and wget take a
// bare host as well.
func urls(words []Word) ([]Word, *Word) {
	for _, fits := range []func(string) bool{
		func(text string) bool { return strings.Contains(text, "://") },
		func(text string) bool {
			return strings.ContainsAny(text, ".:/") && !strings.HasPrefix(text, "/") || text == "localhost"
		},
		func(string) bool { return len(words) == 1 },
	} {
		if found := those(words, fits); len(found) > 0 {
			return found, nil
		}
	}
	return nil, nil
}

// those picks the first word that fits, or is not known.
func those(words []Word, fits func(string) bool) []Word {
	i := slices.IndexFunc(words, func(w Word) bool { return !w.Known || fits(w.Value) })
	if i < 0 {
		return nil
	}
	return words[i : i+1]
}

// asked picks the name that dig asks for: not the server, the type or a "+option".
func asked(words []Word) ([]Word, *Word) {
	return those(words, func(text string) bool { return !strings.HasPrefix(text, "@") && !strings.HasPrefix(text, "+") }), nil
}

// entry picks NAME of "getent hosts NAME".
func entry(words []Word) ([]Word, *Word) {
	if len(words) == 2 && (words[0].Value == "hosts" || strings.HasPrefix(words[0].Value, "ahosts")) {
		return words[1:], nil
	}
	return nil, nil
}

// addresses takes a word that names the server apart: hosts, addresses with a
// port, or URLs, of which one is enough.
func (c client) addresses(text string) []string {
	if c.list != nil {
		return c.list(text)
	}
	return strings.Split(text, ",")
}

// postgresList reads a host, the folder of a Unix socket, a URI or a "key=value"
// string, all of which libpq takes
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).
func postgresList(text string) []string {
	switch {
	case text == "" || strings.HasPrefix(text, "/"):
		return nil
	case strings.Contains(text, "://") || !strings.Contains(text, "="):
		return strings.Split(text, ",")
	}
	host, port := "", ""
	for field := range strings.FieldsSeq(text) {
		switch key, value, _ := strings.Cut(field, "="); key {
		case "host":
			host = value
		case "port":
			port = ":" + value
		}
	}
	if found := postgresList(host); len(found) != 1 {
		return found
	}
	return []string{host + port}
}

// mongoList also knows the "replicaset/host,host" of --host and the
// "host:port/database" of the operand.
func mongoList(text string) []string {
	if set, hosts, ok := strings.Cut(text, "/"); ok && !strings.Contains(text, "://") && !strings.Contains(set, ":") && hosts != "" {
		text = hosts
	}
	return strings.Split(text, ",")
}

// erlangNode takes the host out of the name of an Erlang node.
func erlangNode(text string) []string {
	if _, host, ok := strings.Cut(text, "@"); ok {
		return []string{host}
	}
	return nil
}

// splitAddress takes a host, an address with a port or a URL apart. What it does
// not have is empty.
func splitAddress(address string) (scheme, host, port string) {
	if before, rest, ok := strings.Cut(address, "://"); ok {
		scheme, address = before, rest
	}
	if end := strings.IndexAny(address, "/?#"); end >= 0 {
		address = address[:end]
	}
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		address = address[at+1:]
	}
	if bracketed, ok := strings.CutPrefix(address, "["); ok { // an IPv6 address
		host, rest, _ := strings.Cut(bracketed, "]")
		return scheme, host, strings.TrimPrefix(rest, ":")
	}
	host, port, ok := strings.Cut(address, ":")
	if ok && strings.Contains(port, ":") { // an IPv6 address without a port
		return scheme, address, ""
	}
	return scheme, host, port
}

// hostPort returns the host, in lower case and without a final dot, and the port
// of a host, an address or a URL, 0 where it names none. The host is empty where
// the text is none of them.
func hostPort(address string) (string, int) {
	scheme, host, number := splitAddress(address)
	port := 0
	switch scheme {
	case "http", "ws":
		port = 80
	case "https", "wss":
		port = 443
	case "file", "unix":
		return "", 0
	}
	if number != "" {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 65535 {
			return "", 0
		}
		port = n
	}
	return strings.TrimSuffix(strings.ToLower(host), "."), port
}
