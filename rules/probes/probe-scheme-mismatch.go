package probes

import (
	"fmt"
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

var probeSchemeMismatch = &rule.Rule{
	ID:       "probe-scheme-mismatch",
	Title:    "A probe speaks HTTP to a port that speaks TLS, or the reverse",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		if !rewritten(w) {
			eachProbe(p, w, subject.schemeMismatch)
		}
	},
}

// A wire is what a port speaks.
type wire uint8

const (
	unsaid wire = iota
	plain
	encrypted
)

func (s subject) schemeMismatch() {
	get := s.probe.HTTPGet
	port, at, ok := s.port()
	if get == nil || !ok || get.Host != "" && !loopback(get.Host) {
		return
	}
	speaks, by := s.speaks(port)
	asks := plain
	if get.Scheme == corev1.URISchemeHTTPS {
		asks = encrypted
	}
	if speaks == unsaid || speaks == asks || get.Scheme != "" && get.Scheme != corev1.URISchemeHTTP && asks != encrypted {
		return
	}
	scheme := s.at("httpGet", "scheme")
	f := rule.Finding{At: s.at("httpGet"), Target: node.KeyOf, Needs: []node.Path{scheme, at}, Related: by.related("says what the port speaks")}
	if get.Scheme != "" {
		f.At, f.Target = scheme, node.Value
	}
	if asks == encrypted {
		f.Fixes = []rule.Fix{{Message: "scheme: HTTP", Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: scheme, Value: "HTTP"}}}}
		s.report(f, "%s speaks HTTPS to port %d, which speaks plain HTTP (%s): the handshake fails, and %s", s.asks(), port, by.label, s.fails())
		return
	}
	f.Fixes = []rule.Fix{{Message: "scheme: HTTPS; the kubelet does not check the certificate", Safety: diag.Unsafe,
		Ops: []node.Op{{Kind: node.Set, Path: scheme, Value: "HTTPS"}}}}
	s.report(f, "%s speaks plain HTTP to port %d, which speaks TLS (%s): the answer is 400 or none, and %s", s.asks(), port, by.label, s.fails())
}

// speaks says what the port speaks, by the strongest evidence: the program's own
// options and variables, what is known of its image, the port's name.
func (s subject) speaks(port int64) (wire, evidence) {
	for _, find := range []func(int64) (wire, evidence){s.byAddress, s.byOption, s.byVariable, s.byKeycloak, s.byImage, s.byOtherProbe, s.byName} {
		if speaks, by := find(port); speaks != unsaid {
			return speaks, by
		}
	}
	return unsaid, evidence{}
}

// byAddress reads the scheme of an address to listen on: https://0.0.0.0:2379.
func (s subject) byAddress(port int64) (wire, evidence) {
	for _, l := range append(s.sockets(), listenersOf(s.Cluster, s.ctr)...) {
		switch {
		case l.port != port:
		case l.scheme == "https":
			return encrypted, l.byPort
		case l.scheme == "http":
			return plain, l.byPort
		}
	}
	// A URL of the container's own: VAULT_ADDR=https://127.0.0.1:8200.
	for _, v := range s.Cluster.Environment(s.ctr).Variables {
		for _, l := range addressesOf(evidence{wordOf(v), v.Name + "=" + v.Value}, v.Value, "") {
			if l.port == port && l.loopback() && l.scheme == "https" && !s.servedBySibling(port) {
				return encrypted, l.byPort
			}
		}
	}
	return unsaid, evidence{}
}

// byOtherProbe finds another probe that speaks TLS to the same port: one of the
// two fails.
func (s subject) byOtherProbe(port int64) (wire, evidence) {
	for _, field := range []string{startup, liveness, readiness} {
		other := subject{s.Pass, s.ctr, field, s.ctr.Probe(field)}
		if field == s.field || other.probe == nil || other.probe.HTTPGet == nil || other.probe.HTTPGet.Scheme != corev1.URISchemeHTTPS {
			continue
		}
		if same, _, ok := other.port(); ok && same == port {
			at := cluster.Origin{Object: s.ctr.Workload.Object, Path: other.at("httpGet", "scheme")}
			return encrypted, evidence{cluster.Word{From: at}, "as " + other.asks() + " speaks to it"}
		}
	}
	return unsaid, evidence{}
}

// byOption reads options that say in their names what their port speaks, and the
// certificates of servers with a single socket.
func (s subject) byOption(port int64) (wire, evidence) {
	number := strconv.FormatInt(port, 10)
	for _, command := range s.Cluster.Process(s.ctr).Commands {
		if command.Conditional || len(command.Words) == 0 {
			continue
		}
		flags := flagsOf(command)
		switch command.Name() {
		case "uvicorn", "gunicorn", "flask":
			for _, name := range []string{"ssl-certfile", "certfile", "cert"} {
				i := slices.IndexFunc(command.Words, func(w cluster.Word) bool { return w.Value == "--"+name || strings.HasPrefix(w.Value, "--"+name+"=") })
				if i > 0 && slices.ContainsFunc(serverOf(command, s.Cluster.Environment(s.ctr)), func(l listener) bool { return l.port == port }) {
					return encrypted, evidence{command.Words[i], command.Name() + " " + command.Words[i].Value}
				}
			}
		case "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-rbac-proxy", "metrics-server":
			for name, w := range flags {
				if _, value, _ := strings.Cut(w.Value, "="); value != number && !strings.HasSuffix(value, ":"+number) {
					continue
				}
				switch {
				case strings.HasPrefix(name, "insecure-"):
					return plain, evidence{w, w.Value}
				case strings.HasPrefix(name, "secure-"):
					return encrypted, evidence{w, w.Value}
				}
			}
		}
	}
	return unsaid, evidence{}
}

// byVariable reads the variables of Spring Boot, whose server speaks TLS on its
// one port once it has a key store (docs.spring.io, Configure SSL).
func (s subject) byVariable(port int64) (wire, evidence) {
	env := s.Cluster.Environment(s.ctr)
	var ssl *evidence
	own := int64(8080)
	for _, v := range env.Variables {
		if !v.Known || v.Secret {
			continue
		}
		switch name := relaxed(v.Name); name {
		case "serversslenabled":
			if v.Value != "true" {
				return unsaid, evidence{}
			}
			fallthrough
		case "serversslkeystore", "serversslcertificate", "serversslbundle":
			ssl = &evidence{wordOf(v), v.Name}
		case "serverport":
			own, _ = strconv.ParseInt(v.Value, 10, 32)
		case "managementserverport":
			if v.Value == strconv.FormatInt(port, 10) {
				return unsaid, evidence{}
			}
		}
	}
	if ssl != nil && own == port {
		return encrypted, *ssl
	}
	return unsaid, evidence{}
}

// byKeycloak knows that Keycloak's management port speaks TLS as soon as its main
// port can (keycloak.org, Configuring the Management Interface, "TLS support").
func (s subject) byKeycloak(port int64) (wire, evidence) {
	health := s.Cluster.Image(s.ctr).HealthPort
	if health == nil || health.Number != 9000 || port != 9000 {
		return unsaid, evidence{}
	}
	set := settingsOf(s.Cluster, s.ctr)
	for _, prefix := range []string{"kc.", ""} {
		if _, _, ok := set.of(prefix + "http-management-scheme"); ok {
			return unsaid, evidence{}
		}
	}
	for _, name := range []string{"kc.https-certificate-file", "https-certificate-file", "kc.https-key-store-file", "https-key-store-file"} {
		if _, by, ok := set.of(name); ok && by.label != "" && !set.open {
			return encrypted, evidence{by.word, "as Keycloak's management port does with " + by.label}
		}
	}
	return unsaid, evidence{}
}

// byImage knows images that speak TLS on their ports unless told otherwise.
func (s subject) byImage(port int64) (wire, evidence) {
	tls := s.Cluster.Image(s.ctr).TLS
	process := s.Cluster.Process(s.ctr)
	env := s.Cluster.Environment(s.ctr)
	if tls == nil || !slices.Contains(tls.Ports, int(port)) || env.Open || len(s.ctr.VolumeMounts) > 0 {
		return unsaid, evidence{} // a file or a variable may say otherwise
	}
	for _, w := range process.Words {
		if !w.Known || slices.ContainsFunc(tls.Unless, func(text string) bool { return w.Value == text || strings.HasPrefix(w.Value, text+"=") }) {
			return unsaid, evidence{}
		}
	}
	for _, name := range tls.Unless {
		if _, ok := env.Lookup(name); ok {
			return unsaid, evidence{}
		}
	}
	return encrypted, evidence{label: fmt.Sprintf("%s does unless %s", s.Cluster.Image(s.ctr).Name, tls.Unless[0])}
}

// byName reads the name of the declared port, and the numbers that nobody gives
// to plain HTTP: no healthy manifest of those crashlint is measured with does.
// The reverse says nothing: a port called "http" may well speak TLS.
func (s subject) byName(port int64) (wire, evidence) {
	for i, p := range s.ctr.Ports {
		if int64(p.ContainerPort) != port || p.Name == "" {
			continue
		}
		if strings.Contains(strings.ToLower(p.Name), "https") {
			at := cluster.Origin{Object: s.ctr.Workload.Object, Path: s.ctr.At("ports", i, "name")}
			return encrypted, evidence{cluster.Word{From: at}, fmt.Sprintf("it is named %q", p.Name)}
		}
		return unsaid, evidence{}
	}
	if port == 443 || port == 8443 {
		return encrypted, evidence{label: "by convention"}
	}
	return unsaid, evidence{}
}
