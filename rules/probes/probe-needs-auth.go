package probes

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var probeNeedsAuth = &rule.Rule{
	ID:       "probe-needs-auth",
	Title:    "A probe without credentials asks an endpoint that wants them",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachProbe(p, w, subject.needsAuth) },
}

// A guard is a setting with which a program asks everybody for credentials.
type guard struct {
	by evidence
	// answers is what a request without any gets.
	answers string
	// sure is true where no other setting can let the probe in.
	sure bool
}

// needsAuth reports an HTTP probe that the program turns away for want of
// credentials: what is not 200 to 399 is a failure (pkg/probe/http/http.go,
// DoHTTPProbe).
func (s subject) needsAuth() {
	get := s.probe.HTTPGet
	if get == nil || get.Host != "" && !loopback(get.Host) {
		return
	}
	for _, h := range get.HTTPHeaders {
		// Passcodes and tokens come under many names; a host is none.
		if !slices.Contains([]string{"host", "accept", "user-agent", "x-forwarded-proto"}, strings.ToLower(h.Name)) {
			return
		}
	}
	port, _, ok := s.port()
	if !ok {
		return
	}
	g := s.guard(port, get.Path)
	if g == nil {
		return
	}
	f := rule.Finding{At: s.at("httpGet"), Target: node.KeyOf, Related: g.by.related("asks for credentials"), Needs: []node.Path{s.at("httpGet", "httpHeaders")}}
	if g.sure {
		f.Severity = diag.Error
	}
	s.report(f, "%s asks %s without credentials, and %s asks everybody for them: it answers %s, which is a failure, and %s",
		s.asks(), get.Path, g.by.label, g.answers, s.fails())
}

// basicAuth matches the part of a web configuration of Prometheus and its family
// that sets users (github.com/prometheus/exporter-toolkit, docs/web-configuration.md).
var basicAuth = regexp.MustCompile(`(?m)^basic_auth_users:[ \t]*(\{.*\S.*\})?[ \t]*\r?\n?[ \t]+\S`)

func (s subject) guard(port int64, target string) *guard {
	env := s.Cluster.Environment(s.ctr)
	for _, command := range s.Cluster.Process(s.ctr).Commands {
		if command.Conditional || len(command.Words) == 0 {
			continue
		}
		options := flagsOf(command)
		flag := func(name string) (evidence, string, bool) {
			w, ok := options[name]
			_, value, _ := strings.Cut(w.Value, "=")
			return evidence{w, w.Value}, value, ok
		}
		switch name := command.Name(); {
		case strings.HasPrefix(name, "kube-") && s.probe.HTTPGet.Scheme != corev1.URISchemeHTTPS:
			// The insecure port of old releases asks nobody.
		case name == "kube-apiserver":
			// Also its health checks (pkg/kubeapiserver/options/authentication.go).
			if by, value, ok := flag("anonymous-auth"); ok && value == "false" {
				return &guard{by, "401", true}
			}
		case name == "kube-controller-manager", name == "kube-scheduler":
			// staging/src/k8s.io/apiserver/pkg/server/options/authorization.go: /healthz,
			// /readyz and /livez unless told otherwise.
			if by, value, ok := flag("authorization-always-allow-paths"); ok && !slices.ContainsFunc(strings.Split(value, ","), func(allowed string) bool {
				prefix, all := strings.CutSuffix(allowed, "*")
				return allowed == target || all && strings.HasPrefix(target, prefix)
			}) {
				return &guard{by, "403", true}
			}
		case name == "etcd":
			by, value, ok := flag("client-cert-auth")
			sockets := optionListeners(command.Words)
			if ok && (value == "true" || value == "") && slices.ContainsFunc(sockets, func(l listener) bool {
				return l.port == port && strings.HasPrefix(l.byPort.label, "--listen-client-urls")
			}) {
				by.label = "etcd with " + by.label
				return &guard{by, "no request without a client certificate", true}
			}
		}
		if by, value, ok := flag("web.config.file"); ok {
			if f, found := s.Cluster.MountedFile(s.ctr, value); found && basicAuth.MatchString(f.Text) {
				from := f.From
				from.Within = "basic_auth_users"
				return &guard{evidence{cluster.Word{From: from}, fmt.Sprintf("basic_auth_users in %s (%s)", path.Base(value), by.label)}, "401", true}
			}
		}
	}
	for _, k := range keys {
		v, ok := env.Lookup(k.variable)
		if !ok || k.value != "" && (!v.Known || v.Secret || v.Value != k.value) || slices.ContainsFunc(k.open, func(p string) bool { return strings.HasSuffix(target, p) }) ||
			k.below != "" && !strings.HasPrefix(target+"/", k.below) {
			continue
		}
		return &guard{by: evidence{wordOf(v), k.variable}, answers: "401"}
	}
	return s.guardOfImage(port, target, env)
}

// A key is a variable that makes a program ask for credentials; its value, which
// may be a secret, is not shown.
type key struct {
	variable string
	// value is what it must be, empty for any.
	value string
	// open are the ends of paths that stay open; below, where not empty, is the path
	// below which all others are guarded.
	open  []string
	below string
}

// keys are from the programs' own sources: the registry answers 401 below /v2/
// (distribution/distribution, registry/handlers/app.go), Flower but for its health
// check and metrics (mher/flower, docs/auth.rst), mongo-express but for its health
// check (mongo-express/mongo-express, config.default.js).
var keys = []key{
	{variable: "REGISTRY_AUTH", below: "/v2/"},
	{variable: "FLOWER_BASIC_AUTH", open: []string{"/healthcheck", "/metrics"}},
	{variable: "ME_CONFIG_BASICAUTH_ENABLED", value: "true", open: []string{"/status"}},
	{variable: "ME_CONFIG_BASICAUTH", value: "true", open: []string{"/status"}},
}

// guardOfImage knows programs by their runtime's name in the image facts.
func (s subject) guardOfImage(port int64, target string, env cluster.Environment) *guard {
	facts := s.Cluster.Image(s.ctr)
	switch {
	case port == 15672 && strings.HasPrefix(target, "/api/") && facts.Runtime != nil && facts.Runtime.Name == "rabbitmq":
		// https://www.rabbitmq.com/docs/management#http-api
		return &guard{evidence{label: "RabbitMQ's HTTP API"}, "401", true}
	case port == 9200:
		// https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/security-settings
		on, ok := env.Lookup("xpack.security.enabled")
		if !ok || !on.Known || on.Secret || on.Value != "true" ||
			slices.ContainsFunc(env.Variables, func(v cluster.Variable) bool { return strings.HasPrefix(v.Name, "xpack.security.authc.anonymous.") }) ||
			slices.ContainsFunc(s.Cluster.MountedFiles(s.ctr, "/usr/share/elasticsearch/config"), func(f cluster.File) bool { return strings.Contains(f.Text, "anonymous") }) {
			return nil
		}
		return &guard{by: evidence{wordOf(on), "xpack.security.enabled=true"}, answers: "401"}
	}
	return nil
}

// flagsOf are the options of a command line that hold their value after "=", by
// name.
func flagsOf(command cluster.Command) map[string]cluster.Word {
	found := map[string]cluster.Word{}
	for _, w := range command.Words[1:] {
		name, _, _ := strings.Cut(w.Value, "=")
		if w.Known && !w.Secret && strings.HasPrefix(name, "-") {
			found[strings.TrimLeft(name, "-")] = w
		}
	}
	return found
}
