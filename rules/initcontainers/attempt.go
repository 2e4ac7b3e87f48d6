package initcontainers

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// An attempt is a command without whose success an init container does not
// come to a good end.
type attempt struct {
	ctr *manifest.Container
	cluster.Command
	// retries is true when the command is run until it succeeds, false when the
	// container fails with it.
	retries bool
	// served is true when the container may itself have started what it talks to.
	served bool
}

// attemptsOf returns the attempts of a container that runs before the app
// containers. A script that could not be read to its end has none: what decides
// may stand behind.
func attemptsOf(p *rule.Pass, ctr *manifest.Container) []attempt {
	if ctr.Role != manifest.Init {
		return nil
	}
	process := p.Cluster.Process(ctr)
	if process.ScriptError != "" {
		return nil
	}
	env := p.Cluster.Environment(ctr)
	var found []attempt
	served := false
	for _, command := range process.Commands {
		once := command.Fatal && command.Certain()
		if command.Awaited || once {
			found = append(found, attempt{ctr, command, command.Awaited, served})
		}
		served = served || mayServe(command, env)
	}
	return found
}

// mayServe reports a command that may have started a server: one in the
// background, or one that is not known to be over when it ends.
func mayServe(c cluster.Command, env cluster.Environment) bool {
	if c.Background {
		return true
	}
	return !slices.Contains(passing, c.Name()) && !c.Home(env) && len(c.Connections(env)) == 0
}

// passing are programs of scripts that leave nothing running.
var passing = []string{
	"echo", "printf", "cat", "date", "sleep", "true", "false", ":", "test", "[", "cd", "export", "trap", "umask", "id", "whoami", "hostname",
	"cp", "mv", "rm", "ln", "ls", "mkdir", "touch", "chmod", "chown", "grep", "sed", "awk", "cut", "tr", "head", "wc", "seq", "expr", "env",
	"apk", "apt", "apt-get", "yum", "dnf", "pip", "pip3",
}

// connections returns the servers of the network that the attempt goes to. dig
// ends well for names that do not exist, too (dig(1), RETURN CODES).
func (a attempt) connections(p *rule.Pass) []cluster.Connection {
	return slices.DeleteFunc(a.Connections(p.Cluster.Environment(a.ctr)), func(c cluster.Connection) bool {
		return c.Word.Secret || loopback(c.Host) || c.Program == "dig"
	})
}

// name is how messages name the container.
func (a attempt) name() string { return "init container \"" + a.ctr.Name + "\"" }

// verb is what the container does until the attempt succeeds.
func (a attempt) verb(waits bool) string {
	if a.retries || waits {
		return "waits for"
	}
	return "needs"
}

// at is a finding where a word of the attempt stands.
func (a attempt) at(word cluster.Word) rule.Finding {
	return standing(a.ctr, word)
}

// standing is a finding where a word of the container's command stands; one that
// came from elsewhere is related.
func standing(ctr *manifest.Container, word cluster.Word) rule.Finding {
	f := rule.Finding{Object: ctr.Workload.Object, At: commandPath(ctr)}
	switch from := word.From; {
	case from.Object == ctr.Workload.Object && from.Path.HasPrefix(ctr.Path):
		f.At, f.Within = from.Path, from.Within
	case from.Object != nil && !word.Secret:
		f.Related = []rule.Related{{Object: from.Object, At: from.Path, Within: from.Within, Message: "from here"}}
	}
	return f
}

// commandPath is the path of what the container runs.
func commandPath(ctr *manifest.Container) node.Path {
	if len(ctr.Command) == 0 && len(ctr.Args) > 0 {
		return ctr.At("args")
	}
	return ctr.At("command")
}

// loopback reports a host that is the pod itself.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasPrefix(host, "localhost.") || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// hostname reports whether text can be a DNS name that is not an address: what
// a variable or a template left behind cannot.
func hostname(text string) bool {
	for _, r := range text {
		if r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' })
}

// aliased reports a host of the pod's own /etc/hosts.
func aliased(w *manifest.Workload, host string) bool {
	return slices.ContainsFunc(w.Pod.HostAliases, func(a corev1.HostAlias) bool { return slices.Contains(a.Hostnames, host) })
}

// nodeResolver reports a pod that asks the node's DNS servers, which know no
// Services (pkg/kubelet/network/dns/dns.go, getPodDNSType).
func nodeResolver(pod *corev1.PodSpec) bool {
	switch pod.DNSPolicy {
	case corev1.DNSDefault:
		return true
	case corev1.DNSClusterFirst, "":
		return pod.HostNetwork
	}
	return false
}
