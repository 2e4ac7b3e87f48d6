package initcontainers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var initRunsForever = &rule.Rule{
	ID:       "init-runs-forever",
	Title:    "An init container runs for ever, and the app containers never start",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, ctr := range w.Containers {
			if ctr.Role != manifest.Init || ctr.Partial {
				continue
			}
			restart := ctr.At("restartPolicy")
			f := rule.Finding{Object: w.Object, At: ctr.At("image"), Needs: []node.Path{restart}}
			what := serverImage(p, ctr)
			if what == "" {
				var ok bool
				if what, f, ok = endlessCommand(p, ctr); !ok {
					continue
				}
				f.Needs = []node.Path{restart}
			}
			f.Message = fmt.Sprintf("init container %q %s: the kubelet waits for its end, and the app containers never start", ctr.Name, what)
			f.Fixes = []rule.Fix{{
				Message: "let it run beside the app containers: restartPolicy Always makes it a sidecar (Kubernetes 1.29 and later)", Safety: diag.Unsafe,
				Ops: []node.Op{{Kind: node.Set, Path: restart, Value: "Always"}},
			}}
			p.Report(f)
		}
	},
}

// endlessCommand looks for a command that does not end among those that the
// container surely comes to.
func endlessCommand(p *rule.Pass, ctr *manifest.Container) (string, rule.Finding, bool) {
	process := p.Cluster.Process(ctr)
	// "timeout 60 tail -f log" ends.
	if process.ScriptError != "" || slices.ContainsFunc(process.Words, func(w cluster.Word) bool { return strings.Contains(w.Value, "timeout") }) {
		return "", rule.Finding{}, false
	}
	if slices.ContainsFunc(process.Commands, func(c cluster.Command) bool { return c.Name() == "trap" }) {
		return "", rule.Finding{}, false // a signal may end it
	}
	for _, command := range process.Commands {
		switch {
		case len(command.Words) == 0 || command.Words[0].Secret || command.Background || command.Piped:
		case command.Forever:
			return "runs a loop that nothing ends", standing(ctr, command.Words[0]), true
		case command.Conditional || command.Repeated:
		case forever(command):
			return "runs " + written(command), standing(ctr, command.Words[0]), true
		case command.Name() == "exit":
			return "", rule.Finding{}, false
		}
	}
	return "", rule.Finding{}, false
}

// written is a command for messages, at most its first words.
func written(c cluster.Command) string {
	words := []string{c.Name()}
	for _, w := range c.Words[1:min(len(c.Words), 3)] {
		if !w.Known || w.Secret {
			break
		}
		words = append(words, w.Value)
	}
	return strings.Join(words, " ")
}

// forever reports a command that does not end by itself.
func forever(c cluster.Command) bool {
	has := func(texts ...string) bool {
		return slices.ContainsFunc(c.Words[1:], func(w cluster.Word) bool { return slices.Contains(texts, w.Value) })
	}
	switch c.Name() {
	case "sleep":
		return len(c.Words) == 2 && c.Words[1].Known && longSleep(c.Words[1].Value)
	case "tail":
		return slices.ContainsFunc(c.Words[1:], func(w cluster.Word) bool {
			option := w.Value
			return option == "--follow" || strings.HasPrefix(option, "--follow=") || !strings.HasPrefix(option, "--") && strings.HasPrefix(option, "-") && strings.ContainsAny(option, "fF")
		}) && !slices.ContainsFunc(c.Words, func(w cluster.Word) bool { return strings.HasPrefix(w.Value, "--pid") })
	case "nginx":
		return slices.ContainsFunc(c.Words[1:], func(w cluster.Word) bool { return strings.Contains(w.Value, "daemon off") }) && !has("-t", "-T")
	case "redis-server", "valkey-server":
		return !has("--daemonize", "--version", "-v", "--test-memory") && !slices.ContainsFunc(c.Words, func(w cluster.Word) bool { return strings.HasSuffix(w.Value, ".conf") })
	case "mongod", "mongos":
		return !has("--fork", "--version", "--shutdown", "--repair") && !slices.ContainsFunc(c.Words, func(w cluster.Word) bool {
			return w.Value == "-f" || strings.HasPrefix(w.Value, "--config") || w.Value == "--dbpath" && has("--repair")
		})
	case "memcached":
		return !has("-d", "-h", "-V")
	case "cloud_sql_proxy", "cloud-sql-proxy":
		return !proxyEnds(c.Words[1:])
	}
	return false
}

// proxyEnds reports arguments with which a proxy to Google's databases does
// something else and ends: "wait" waits for another one
// (github.com/GoogleCloudPlatform/cloud-sql-proxy, pull request 2041).
func proxyEnds(args []cluster.Word) bool {
	return slices.ContainsFunc(args, func(w cluster.Word) bool {
		return !w.Known || slices.Contains([]string{"wait", "help", "completion", "--version", "-version", "-v", "--help", "-h"}, w.Value)
	})
}

// month is longer than anybody means a pod to start, in seconds.
const month = 30 * 24 * 3600

// longSleep reports a time of sleep(1) that is as good as for ever.
func longSleep(text string) bool {
	if text == "infinity" || text == "inf" {
		return true
	}
	unit := map[byte]int{'s': 1, 'm': 60, 'h': 3600, 'd': 24 * 3600}
	factor := 1
	if n := len(text); n > 0 && unit[text[n-1]] > 0 {
		factor, text = unit[text[n-1]], text[:n-1]
	}
	seconds, err := strconv.Atoi(text)
	return err == nil && seconds >= (month+factor-1)/factor
}

// servers are official images whose own command is a server in the foreground
// (the CMD of their Dockerfiles, github.com/docker-library).
var servers = []string{
	"nginx", "httpd", "redis", "valkey/valkey", "memcached", "postgres", "mysql", "mariadb", "mongo", "rabbitmq", "haproxy", "traefik",
	"caddy", "registry", "zookeeper", "tomcat", "elasticsearch", "influxdb",
}

// serverImage says what an image runs when the container runs the image's own
// command and that is a server, empty otherwise. The proxies to Google's
// databases run with nearly any arguments.
func serverImage(p *rule.Pass, ctr *manifest.Container) string {
	if len(ctr.Command) > 0 {
		return ""
	}
	name, _ := splitImage(ctr.Image)
	if name == "gce-proxy" || name == "cloud-sql-proxy" || name == "alloydb-auth-proxy" {
		if proxyEnds(p.Cluster.Process(ctr).Words) {
			return ""
		}
		return "is a proxy that runs until it is stopped"
	}
	if len(ctr.Args) > 0 {
		return ""
	}
	repository, _, _ := strings.Cut(ctr.Image, "@")
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		repository = repository[:i]
	}
	repository = strings.TrimPrefix(strings.TrimPrefix(repository, "docker.io/"), "library/")
	if slices.Contains(servers, repository) {
		return "runs the server that image " + repository + " starts by itself"
	}
	return ""
}
