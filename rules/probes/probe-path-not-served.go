package probes

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var probePathNotServed = &rule.Rule{
	ID:       "probe-path-not-served",
	Title:    "A probe asks for a path that its program's settings have moved or switched off",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachProbe(p, w, subject.pathNotServed) },
}

// pathNotServed reports an HTTP probe that is answered with 404, or not at all,
// by what the manifest itself sets.
func (s subject) pathNotServed() {
	get := s.probe.HTTPGet
	port, _, ok := s.port()
	if get == nil || !ok || get.Host != "" && !loopback(get.Host) {
		return
	}
	u, err := url.Parse(get.Path)
	set := settingsOf(s.Cluster, s.ctr)
	if err != nil || set.open {
		return
	}
	for _, look := range []func(settings, string, int64) *displaced{s.keycloak, s.prometheus, s.springBoot} {
		if d := look(set, u.Path, port); d != nil {
			f := rule.Finding{At: s.at("httpGet", "path"), Needs: []node.Path{s.at("httpGet")}, Related: d.by.related("says so")}
			f.Fixes = d.fix(s)
			s.report(f, "%s asks port %d for %s, and %s: the answer is 404 or none, and %s", s.asks(), port, get.Path, d.because, s.fails())
			return
		}
	}
}

// A displaced is a path that is not where the probe asks for it.
type displaced struct {
	because string
	by      evidence
	// path and port are where it is; empty and 0 when it is nowhere, or there.
	path string
	port int64
}

func (d displaced) fix(s subject) []rule.Fix {
	switch {
	case d.path != "":
		return []rule.Fix{{Message: "ask for " + d.path, Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: s.at("httpGet", "path"), Value: d.path}}}}
	case d.port != 0:
		return portFix(s.at("httpGet", "port"), d.port, fmt.Sprintf("ask port %d", d.port))
	}
	return nil
}

// settings are what a container's variables and command line set, by names in
// lower case without separators (relaxed).
type settings struct {
	values map[string]evidence
	texts  map[string]string
	// open is true when there may be settings that the files do not show.
	open bool
}

// unseen is the text of a setting whose value the files do not show.
const unseen = "\x00"

func settingsOf(c *cluster.Cluster, ctr *manifest.Container) settings {
	set := settings{map[string]evidence{}, map[string]string{}, false}
	put := func(name, value string, by evidence) { set.values[relaxed(name)], set.texts[relaxed(name)] = by, value }
	env := c.Environment(ctr)
	set.open = env.Open
	for _, v := range env.Variables {
		if v.Known && !v.Secret {
			put(v.Name, v.Value, evidence{wordOf(v), v.Name + "=" + v.Value})
		} else {
			put(v.Name, unseen, evidence{})
		}
	}
	for _, w := range c.Process(ctr).Words {
		if !w.Known {
			set.open = true
		}
		name, value, ok := strings.Cut(w.Value, "=")
		if dashed := strings.TrimLeft(name, "-"); ok && !w.Secret && dashed != name {
			put(strings.TrimPrefix(dashed, "D"), value, evidence{w, w.Value})
		}
	}
	return set
}

// of returns a setting and what says it, false when it is not set.
func (s settings) of(name string) (string, evidence, bool) {
	by, ok := s.values[relaxed(name)]
	return s.texts[relaxed(name)], by, ok
}

// below returns the path below a prefix, and whether it is there already.
func below(prefix, target string) (string, bool) {
	prefix = path.Join("/", prefix)
	return path.Join(prefix, target), prefix == "/" || target == prefix || strings.HasPrefix(target, prefix+"/")
}

// keycloak knows where Keycloak serves its health endpoints: nowhere unless
// health-enabled, since 25 on the management port, below a relative path
// (keycloak.org, Tracking instance status with health checks; Configuring the
// Management Interface).
func (s subject) keycloak(set settings, target string, port int64) *displaced {
	health := s.Cluster.Image(s.ctr).HealthPort
	process := s.Cluster.Process(s.ctr)
	has := func(text string) bool {
		return slices.ContainsFunc(process.Words, func(w cluster.Word) bool { return w.Value == text })
	}
	at := strings.Index(target+"/", "/health/")
	// A file may set anything, and --optimized what the image was built with.
	if health == nil || at < 0 || !has("start") && !has("start-dev") || has("--optimized") || len(s.ctr.VolumeMounts) > 0 {
		return nil
	}
	on, by, ok := set.of("kc.health-enabled")
	if !ok {
		on, by, ok = set.of("health-enabled")
	}
	if on != "true" && on != unseen && !has("--health-enabled") {
		because := "Keycloak serves that only with health-enabled=true, which nothing sets"
		if ok {
			because = "Keycloak serves that only with health-enabled=true: " + by.label
		}
		return &displaced{because: because, by: by}
	}
	option := func(name string) (string, evidence, bool) {
		if text, by, ok := set.of("kc." + name); ok {
			return text, by, true
		}
		return set.of(name)
	}
	prefix, by, ok := option("http-management-relative-path")
	if !ok || health.Number == 8080 {
		prefix, by, ok = option("http-relative-path")
	}
	if moved, there := below(prefix, target[at:]); ok && prefix != unseen && !there && target != moved {
		return &displaced{because: fmt.Sprintf("Keycloak serves it below %s (%s)", prefix, by.label), by: by, path: moved}
	}
	if health.Number != 9000 {
		return nil
	}
	for _, legacy := range []string{"http-management-health-enabled", "legacy-observability-interface", "http-management-port"} {
		if _, _, ok := option(legacy); ok {
			return nil
		}
	}
	main, by, ok := option("http-port")
	if !ok {
		main = "8080"
	}
	if main == strconv.FormatInt(port, 10) || port == 8443 {
		return &displaced{because: "Keycloak serves it on its management port 9000 since release 25", by: by, port: 9000}
	}
	return nil
}

// prometheus knows that Prometheus puts every route below --web.route-prefix,
// which is the path of --web.external-url unless set (cmd/prometheus/main.go,
// web/web.go).
func (s subject) prometheus(set settings, target string, _ int64) *displaced {
	process := s.Cluster.Process(s.ctr)
	if s.Cluster.Image(s.ctr).Name != "prom/prometheus" && !slices.ContainsFunc(process.Commands, func(c cluster.Command) bool { return c.Name() == "prometheus" }) ||
		!strings.HasPrefix(target, "/-/") {
		return nil
	}
	prefix, by, ok := set.of("web.route-prefix")
	if !ok { // both are options, whose values are all seen
		var external string
		if external, by, ok = set.of("web.external-url"); ok {
			u, err := url.Parse(external)
			if err != nil {
				return nil
			}
			prefix = u.Path
		}
	}
	if moved, there := below(prefix, target); ok && !there {
		return &displaced{because: fmt.Sprintf("Prometheus serves all paths below %s (%s)", path.Join("/", prefix), by.label), by: by, path: moved}
	}
	return nil
}

// springBoot knows where Spring Boot serves the actuator: on the management
// server's port when that has one of its own, else below the context path, and
// in both cases below the base path (docs.spring.io, Monitoring and Management
// Over HTTP).
func (s subject) springBoot(set settings, target string, port int64) *displaced {
	if !strings.HasPrefix(target+"/", "/actuator/") {
		return nil
	}
	main, _, ok := set.of("server.port")
	if !ok {
		main = "8080"
	}
	if main != strconv.FormatInt(port, 10) {
		return nil
	}
	base, by, ok := set.of("management.endpoints.web.base-path")
	if moved := path.Join("/", base, strings.TrimPrefix(target, "/actuator")); ok && base != unseen && path.Join("/", base) != "/actuator" {
		return &displaced{because: fmt.Sprintf("Spring Boot serves it below %s (%s)", base, by.label), by: by, path: moved}
	}
	own, by, ok := set.of("management.server.port")
	if number, err := strconv.ParseUint(own, 10, 16); ok && own != main {
		if err != nil {
			return nil // -1 switches it off, and a value that nobody knows says nothing
		}
		return &displaced{because: fmt.Sprintf("Spring Boot serves it on port %s alone (%s)", own, by.label), by: by, port: int64(number)}
	}
	prefix, by, ok := set.of("server.servlet.context-path")
	if moved, there := below(prefix, target); ok && prefix != unseen && !there {
		return &displaced{because: fmt.Sprintf("Spring Boot serves all paths below %s (%s)", prefix, by.label), by: by, path: moved}
	}
	if on, by, ok := set.of("management.endpoint.health.probes.enabled"); ok && on == "false" && (path.Base(target) == "liveness" || path.Base(target) == "readiness") {
		return &displaced{because: "Spring Boot serves that only with the probes enabled: " + by.label, by: by}
	}
	return nil
}
