package cluster

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

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
	// names are patterns of path.Match for the program's name.
	names []string
	// value are the short options that take a value, attached or in the next
	// word, and attached those that take it only attached.
	value, attached string
	// long are the long options that take their value in the next word where
	// there is no "=".
	long []string
	// words: options are whole words behind one dash or two.
	words bool
	// host are the options whose value names the server, port those whose value
	// is its port, local those with which the network is not used.
	host, port, local []string
	// operands takes the server, and the port, from the words that are neither
	// options nor their values; nil: the program takes none.
	operands func([]Word) []Word
	// standard is the port where none is given.
	standard int
	// hostVariable and portVariable name the server where no option does.
	hostVariable, portVariable string
	lookup, waits              bool
	// home: without a host it talks to the one it runs on.
	home bool
}

var clients = []client{
	{names: []string{"pg_isready"}, home: true, value: "dhptU", long: []string{"dbname", "host", "port", "timeout", "username"},
		host: []string{"h", "host"}, port: []string{"p", "port"}, standard: 5432, hostVariable: "PGHOST", portVariable: "PGPORT"},
	{names: []string{"psql", "createdb", "pg_dump"}, home: true, value: "cdfFhLoPpRTUv",
		long: []string{"command", "dbname", "file", "host", "port", "pset", "set", "username", "variable"},
		host: []string{"h", "host"}, port: []string{"p", "port"}, operands: addresses, standard: 5432, hostVariable: "PGHOST", portVariable: "PGPORT"},
	{names: []string{"mysql", "mysqladmin", "mariadb", "mariadb-admin"}, home: true, value: "hPuDSe", attached: "pw",
		long: []string{"host", "port", "user", "database", "execute", "socket", "protocol", "defaults-file", "defaults-extra-file"},
		host: []string{"h", "host"}, port: []string{"P", "port"}, local: []string{"S", "socket"}, standard: 3306},
	{names: []string{"redis-cli", "valkey-cli"}, home: true, value: "hpsauridDXtn", long: []string{"user", "pass", "cacert", "cert", "key", "sni"},
		host: []string{"h", "u"}, port: []string{"p"}, local: []string{"s"}, standard: 6379},
	{names: []string{"mongosh", "mongo"}, home: true, value: "up",
		long: []string{"host", "port", "eval", "username", "password", "authenticationDatabase", "tlsCAFile", "tlsCertificateKeyFile"},
		host: []string{"host"}, port: []string{"port"}, operands: addresses, standard: 27017},
	{names: []string{"nc", "ncat", "netcat", "nmap-ncat", "telnet"}, value: "wpsiqxXIOTeGcmgMP", long: []string{"wait", "source-port"},
		local: []string{"U", "unixsock", "l", "listen"}, operands: hostAndPort},
	{names: []string{"curl"}, value: "AbcCdDeEFHKmoPQrtTuUwxXyYz", long: []string{"cacert", "capath", "cert", "connect-timeout", "cookie",
		"cookie-jar", "data", "data-binary", "data-raw", "data-urlencode", "form", "header", "json", "key", "max-time", "oauth2-bearer",
		"output", "proxy", "range", "referer", "request", "retry", "retry-delay", "retry-max-time", "url", "user", "user-agent", "write-out",
		"resolve", "connect-to", "unix-socket", "abstract-unix-socket"},
		host: []string{"url"}, local: []string{"unix-socket", "abstract-unix-socket", "resolve", "connect-to", "x", "proxy", "preproxy"},
		operands: urls, standard: 80},
	{names: []string{"wget"}, value: "aeioABDIlOPQRTtUwXY", long: []string{"body-data", "ca-certificate", "connect-timeout", "header",
		"method", "output-document", "output-file", "password", "post-data", "post-file", "read-timeout", "timeout", "tries", "user", "user-agent", "wait"},
		operands: urls, standard: 80},
	{names: []string{"nslookup", "host"}, value: "cRtWN", words: true, operands: one, lookup: true},
	{names: []string{"getent"}, operands: entry, lookup: true},
	{names: []string{"ping", "ping6"}, value: "cwWiIstTpmMQl", operands: one},
	{names: []string{"kafka-topics*", "kafka-broker-api-versions*"}, long: []string{"bootstrap-server", "command-config", "topic"},
		host: []string{"bootstrap-server"}, standard: 9092},
	{names: []string{"rabbitmqadmin"}, home: true, value: "HPupV", long: []string{"host", "port", "username", "password", "vhost"},
		host: []string{"H", "host"}, port: []string{"P", "port"}, standard: 15672},
	{names: []string{"rabbitmqctl", "rabbitmq-diagnostics"}, home: true, value: "nt", long: []string{"node", "timeout", "formatter"},
		host: []string{"n", "node"}},
	{names: []string{"vault", "consul"}, home: true, words: true, long: []string{"address", "http-addr"}, host: []string{"address", "http-addr"},
		hostVariable: "VAULT_ADDR"},
	{names: []string{"nodetool"}, home: true, value: "hpu", long: []string{"host", "port"}, host: []string{"h", "host"}, port: []string{"p", "port"}},
	{names: []string{"cqlsh"}, home: true, value: "upkef", long: []string{"username", "password", "keyspace", "execute", "file"}, operands: hostAndPort, standard: 9042},
	{names: []string{"clickhouse-client"}, home: true, value: "hudq", long: []string{"host", "port", "user", "password", "database", "query", "format"},
		host: []string{"h", "host"}, port: []string{"port"}, standard: 9000},
	{names: []string{"etcdctl"}, home: true, long: []string{"endpoints", "cacert", "cert", "key", "command-timeout", "dial-timeout", "user"},
		host: []string{"endpoints"}, standard: 2379, hostVariable: "ETCDCTL_ENDPOINTS"},
	{names: []string{"grpc_health_probe*", "grpc-health-probe*"}, words: true,
		long: []string{"addr", "service", "connect-timeout", "rpc-timeout", "tls-ca-cert"}, host: []string{"addr"}},
	{names: []string{"influx"}, home: true, long: []string{"host", "token", "org", "bucket", "name"}, value: "notrb", host: []string{"host"}, standard: 8086,
		hostVariable: "INFLUX_HOST"},
	{names: []string{"ollama"}, home: true, standard: 11434, hostVariable: "OLLAMA_HOST"},
	// https://github.com/jwilder/dockerize, https://github.com/vishnubob/wait-for-it,
	// https://github.com/eficode/wait-for, https://github.com/wait4x/wait4x
	{names: []string{"dockerize"}, words: true, long: []string{"wait", "timeout", "wait-retry-interval", "template", "stdout", "stderr", "wait-http-header"},
		host: []string{"wait"}, waits: true},
	{names: []string{"wait-for-it", "wait-for-it.sh", "wait-for", "wait-for.sh"}, value: "tph", long: []string{"timeout", "host", "port"},
		host: []string{"h", "host"}, port: []string{"p", "port"}, operands: addresses, waits: true},
	{names: []string{"wait4x"}, words: true, long: []string{"timeout", "interval"}, operands: addresses, waits: true},
}

// Connections returns the servers that a command talks to, in the order of its
// words; nothing for a program that is not known, or one that names none: it
// talks to its own host then, or to nobody. A list of servers of which one is
// enough is left out. env is the environment of the container.
func (command Command) Connections(env Environment) []Connection {
	c, ok := clientOf(command)
	if !ok {
		return nil
	}
	servers, port := c.servers(command, env)
	var found []Connection
	for _, server := range servers {
		if !server.Known || server.Value == "" || strings.Contains(server.Value, ",") {
			continue
		}
		host, own := hostPort(server.Value)
		if host == "" {
			continue
		}
		found = append(found, Connection{Program: command.Name(), Word: server, Host: host, Port: own.or(port), Lookup: c.lookup, Waits: c.waits})
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
	servers, _ := c.servers(command, env)
	for _, server := range servers {
		host, _ := hostPort(server.Value)
		ip, err := netip.ParseAddr(host)
		if !server.Known || host != "localhost" && (err != nil || !ip.IsLoopback() && !ip.IsUnspecified()) {
			return false
		}
	}
	return len(servers) > 0 || c.home
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

// servers returns the words that name servers, and the port of those that name
// none, 0 when it is not known; nothing where the network is not used.
func (c client) servers(command Command, env Environment) (servers []Word, port int) {
	options, operands := c.parse(command.Words[1:])
	port, portWord := c.standard, Word{Known: true}
	for _, o := range options {
		switch {
		case slices.Contains(c.local, o.name):
			return nil, 0
		case slices.Contains(c.host, o.name):
			servers = append(servers, o.value)
		case slices.Contains(c.port, o.name):
			portWord = o.value
		}
	}
	if c.operands != nil {
		found := c.operands(operands)
		if len(found) > 1 { // the port
			portWord, found = found[1], found[:1]
		}
		servers = append(servers, found...)
	}
	if len(servers) == 0 && c.hostVariable != "" {
		if v, ok := command.variable(c.hostVariable, env); ok {
			servers = append(servers, Word{Value: v.Value, Known: v.Known, Secret: v.Secret, From: v.From})
		}
	}
	if portWord.Value == "" && c.portVariable != "" {
		if v, ok := command.variable(c.portVariable, env); ok {
			portWord = Word{Value: v.Value, Known: v.Known, Secret: v.Secret}
		}
	}
	switch {
	case portWord.Secret:
		port = 0 // it would be printed
	case portWord.Value != "" || !portWord.Known:
		port, _ = strconv.Atoi(portWord.Value) // 0: not known
	}
	return servers, port
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

// A commandOption is an option of a command line with its value, empty without
// one.
type commandOption struct {
	name  string
	value Word
}

// parse splits a command line as getopt_long does, or as Go's flag package.
func (c client) parse(words []Word) (options []commandOption, operands []Word) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		next := func() Word {
			if i+1 < len(words) {
				i++
				return words[i]
			}
			return Word{Known: true}
		}
		part := func(text string) Word { w := word; w.Value = text; return w }
		text := word.Value
		switch {
		case text == "--":
			// Behind it stand further operands, or what wait-for-it runs then.
			if c.waits {
				return options, operands
			}
			return options, append(operands, words[i+1:]...)
		case strings.HasPrefix(text, "--"), c.words && len(text) > 1 && text[0] == '-':
			name, value, ok := strings.Cut(strings.TrimLeft(text, "-"), "=")
			o := commandOption{name: name}
			if ok {
				o.value = part(value)
			} else if slices.Contains(c.long, name) {
				o.value = next()
			}
			options = append(options, o)
		case len(text) > 1 && text[0] == '-':
			for j := 1; j < len(text); j++ {
				o := commandOption{name: text[j : j+1]}
				rest, takes := text[j+1:], strings.Contains(c.value, text[j:j+1])
				switch {
				case rest != "" && (takes || strings.Contains(c.attached, o.name)):
					o.value = part(rest)
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

// one picks the first operand.
func one(words []Word) []Word { return words[:min(len(words), 1)] }

// hostAndPort picks the host and, if it is there, the port behind it.
func hostAndPort(words []Word) []Word { return words[:min(len(words), 2)] }

// addresses picks the first word that is a URL or an address with a port, so
// that the name of a database or a subcommand is not taken for a host.
func addresses(words []Word) []Word {
	for _, w := range words {
		if strings.Contains(w.Value, ":") && !strings.HasPrefix(w.Value, "/") || !w.Known {
			return []Word{w}
		}
	}
	return nil
}

// urls picks the first operand that can be a URL; curl and wget take a bare host
// as well.
func urls(words []Word) []Word {
	for _, w := range words {
		if strings.ContainsAny(w.Value, ".:/") || w.Value == "localhost" || !w.Known {
			return []Word{w}
		}
	}
	if len(words) == 1 {
		return words
	}
	return nil
}

// entry picks NAME of "getent hosts NAME".
func entry(words []Word) []Word {
	if len(words) == 2 && (words[0].Value == "hosts" || strings.HasPrefix(words[0].Value, "ahosts")) {
		return words[1:]
	}
	return nil
}

// A portNumber is a port that an address names, 0 where it names none.
type portNumber int

func (p portNumber) or(other int) int {
	if p != 0 {
		return int(p)
	}
	return other
}

// hostPort takes host and port out of a host, an address with a port or a URL.
// The host is empty where the text is none of them.
func hostPort(address string) (string, portNumber) {
	var port portNumber
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		switch address = rest; scheme {
		case "http", "ws":
			port = 80
		case "https", "wss":
			port = 443
		case "file", "unix":
			return "", 0
		}
	}
	if end := strings.IndexAny(address, "/?#"); end >= 0 {
		address = address[:end]
	}
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		address = address[at+1:]
	}
	host, number, ok := strings.Cut(address, ":")
	if bracketed, isIPv6 := strings.CutPrefix(address, "["); isIPv6 {
		host, number, ok = strings.Cut(bracketed, "]:")
		host = strings.TrimSuffix(host, "]")
	} else if strings.Contains(number, ":") { // an IPv6 address without a port
		return strings.ToLower(address), port
	}
	if ok {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 65535 {
			return "", 0
		}
		port = portNumber(n)
	}
	return strings.TrimSuffix(strings.ToLower(host), "."), port
}
