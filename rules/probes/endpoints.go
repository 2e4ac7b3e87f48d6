package probes

import (
	"net/url"
	"slices"
	"strings"
)

// An endpoint is an HTTP path that, by the convention of the framework that
// serves it, answers for more than the process itself.
type endpoint struct {
	// answers says for what, after "which answers": "for the database too".
	answers string
	// alive is the path that answers for the process alone, empty when the
	// framework is not known well enough to name one.
	alive string
	// spring marks the aggregate of Spring Boot, which settings may tame.
	spring bool
}

// Segments that name the readiness of a program: of the Kubernetes API
// conventions, MicroProfile Health, Spring Boot, Prometheus and those who follow them.
var readySegments = []string{"ready", "readyz", "readiness", "isready", "is-ready", "is_ready"}

// Segments that, below a health endpoint, name what the program depends on.
var dependencySegments = []string{
	"db", "database", "datasource", "postgres", "postgresql", "mysql", "mariadb", "mongo", "mongodb", "redis", "valkey",
	"cassandra", "elasticsearch", "opensearch", "kafka", "rabbit", "rabbitmq", "amqp", "nats", "zookeeper", "ldap",
	"dependencies", "dependency", "deps", "downstream", "upstream", "deep",
}

// endpointOf returns what a path of an HTTP probe is known to answer for, false
// when it answers for the process or nothing is known. Bare paths such as
// /health and /healthz say nothing: nearly everybody serves them from the
// process alone.
func endpointOf(raw string) (endpoint, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return endpoint{}, false
	}
	clean := strings.TrimRight(u.Path, "/")
	segments := strings.Split(strings.TrimLeft(clean, "/"), "/")
	last := strings.ToLower(segments[len(segments)-1])
	parent, grandparent := "", ""
	if n := len(segments); n > 1 {
		parent = segments[n-2]
		if n > 2 {
			grandparent = segments[n-3]
		}
	}
	// sibling is the path with its last segment replaced.
	sibling := func(name string) string { return clean[:strings.LastIndexByte(clean, '/')+1] + name }

	const everyIndicator = "for every health indicator together: databases, brokers, disk space and remote services"
	switch {
	case parent == "actuator" && last == "health":
		return endpoint{answers: everyIndicator, alive: clean + "/liveness", spring: true}, true
	case grandparent == "actuator" && parent == "health" && last == "readiness":
		return endpoint{answers: "for readiness", alive: sibling("liveness")}, true
	case parent == "q" && last == "health":
		return endpoint{answers: "for every check together, those of readiness included", alive: clean + "/live"}, true
	case parent == "_cluster" && last == "health" && u.Query().Get("local") != "true":
		return endpoint{answers: "for the whole cluster, its other nodes included"}, true
	case clean == "/v1/sys/health" && (u.Query().Get("standbyok") != "true" || u.Query().Get("sealedcode") == ""):
		// developer.hashicorp.com, Vault's /sys/health: 429 of a standby, 503 of a
		// sealed server, unless the query asks for other codes.
		return endpoint{answers: "429 on a standby and 503 while sealed"}, true
	case slices.Contains(readySegments, last):
		e := endpoint{answers: "for readiness"}
		switch {
		case parent == "health" && last == "ready": // MicroProfile Health 2 and later
			e.alive = sibling("live")
		case parent == "-" && last == "ready": // Prometheus and its family
			e.alive = sibling("healthy")
		}
		return e, true
	case slices.Contains(dependencySegments, last) && slices.ContainsFunc(segments[:len(segments)-1], healthSegment):
		return endpoint{answers: "for " + last}, true
	}
	return endpoint{}, false
}

// healthSegment reports whether a segment of a path names a health endpoint.
func healthSegment(s string) bool {
	s = strings.ToLower(s)
	for _, prefix := range []string{"health", "status", "live", "check", "ping"} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
