package probes

import (
	"regexp"
	"slices"

	"github.com/crashlint/crashlint/internal/cluster"
)

// An assertion is what a client asks of its own server that the server alone
// cannot answer for.
type assertion struct {
	// programs are the names of the client.
	programs []string
	// asks matches the words of its command line.
	asks *regexp.Regexp
	// judged matches what else must be there for the answer to decide the probe:
	// in the same words, or a later command that reads the output.
	judged *regexp.Regexp
	// about says what is asked, after "asks".
	about string
}

// assertions are known from the manuals of the servers: a member of a MongoDB
// replica set is neither primary nor secondary during an election; wsrep_* is
// the state of a Galera cluster, of which a donor is not Synced; a replica of Redis
// or PostgreSQL is no fault of its own, and a cluster of Redis is down with a part
// of its slots; etcdctl endpoint health reads with the agreement of a majority
// (etcdctl/ctlv3/command/ep_command.go); the checks of RabbitMQ that tell whether a
// node may be stopped fail on a node that must not be.
var assertions = []assertion{
	{[]string{"mongosh", "mongo"}, regexp.MustCompile(`(?i)isWritablePrimary|\.ismaster\b|\.secondary\b|\.myState\b|rs\.status`),
		regexp.MustCompile(`\b(quit|exit|throw|grep|test)\b`), "whether this member is primary or secondary, which none is during an election"},
	{[]string{"mysql", "mariadb"}, regexp.MustCompile(`(?i)wsrep_`), nil, "for the state of the whole Galera cluster"},
	{[]string{"redis-cli", "valkey-cli", "keydb-cli"}, regexp.MustCompile(`(?i)^(info|role|cluster)\b`),
		regexp.MustCompile(`role:master|master_link_status|cluster_state`), "for its role or its peers"},
	{[]string{"psql"}, regexp.MustCompile(`(?i)pg_is_in_recovery`), regexp.MustCompile(`\b(grep|test)\b|\[`), "whether this server is the primary"},
	{[]string{"etcdctl"}, regexp.MustCompile(`^health$`), nil, "for a read that a majority of the members agrees to"},
	{[]string{"rabbitmq-diagnostics"}, regexp.MustCompile(`^check_if_node_is_(quorum|mirror_sync)_critical$`), nil, "whether its peers could do without it"},
}

// assertionOf returns what the command asks beyond its own server, given the
// commands behind it; empty when it asks nothing of the kind.
func assertionOf(command cluster.Command, later []cluster.Command) string {
	if len(command.Words) == 0 {
		return ""
	}
	matches := func(pattern *regexp.Regexp, words []cluster.Word) bool {
		return slices.ContainsFunc(words, func(w cluster.Word) bool { return !w.Secret && pattern.MatchString(w.Value) })
	}
	for _, a := range assertions {
		if !slices.Contains(a.programs, command.Name()) || !matches(a.asks, command.Words[1:]) {
			continue
		}
		if a.judged == nil || matches(a.judged, command.Words[1:]) ||
			slices.ContainsFunc(later, func(c cluster.Command) bool { return matches(a.judged, c.Words) }) {
			return a.about
		}
	}
	return ""
}
