package references

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var serviceLinkCollision = &rule.Rule{
	ID:       "service-link-collision",
	Title:    "A Service's variable stands where the program expects a setting",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkServiceLinks,
}

// checkServiceLinks reports variables X_PORT that the kubelet makes of a Service
// x (pkg/kubelet/envvars/envvars.go, makeLinkVariables: "tcp://10.0.0.1:80"),
// that nothing the container declares replaces, and that are read as a number.
func checkServiceLinks(p *rule.Pass, w *manifest.Workload) {
	if links := w.Pod.EnableServiceLinks; links != nil && !*links {
		return
	}
	for _, ctr := range w.Containers {
		env := p.Cluster.Environment(ctr)
		for _, link := range env.Links {
			if link.From.Object == nil || !strings.HasSuffix(link.Name, "_PORT") || strings.HasSuffix(link.Name, "_SERVICE_PORT") || numbered.MatchString(link.Name) {
				continue
			}
			if slices.ContainsFunc(env.Variables, func(v cluster.Variable) bool { return v.Name == link.Name }) {
				continue
			}
			r, ok := reader(p, ctr, env, link.Name)
			if !ok {
				continue
			}
			service := link.From.Object
			f := rule.Finding{
				Object: w.Object, At: r.at, Within: r.within,
				Message: fmt.Sprintf("container %q: %s, but Service %s sets %s to a URL, tcp://... with its address: no port number",
					ctr.Name, r.why, service.Name, link.Name),
				Needs:   []node.Path{w.PodPath.Append("enableServiceLinks")},
				Related: []rule.Related{{Object: service, At: link.From.Path, Message: fmt.Sprintf("this name makes %s", link.Name)}},
				Notes: []string{
					fmt.Sprintf("%s under env wins over the Service's: set it there, or give the Service another name", link.Name),
					"the kubelet sets the variables of the Services that are there when the container starts: the first start may pass, the next one fails",
				},
				Fixes: []rule.Fix{{
					Message: "keep the variables of Services out of the pod", Safety: diag.Unsafe,
					Ops: []node.Op{{Kind: node.Set, Path: w.PodPath.Append("enableServiceLinks"), Value: false}},
				}},
			}
			if env.Open || r.weak { // Open: a source that the files do not show may set it
				f.Severity = diag.Info
			}
			p.Report(f)
		}
	}
}

// numbered matches the names of a port's own variables: X_PORT_80_TCP_PORT. Docker's
// links had them too, and programs that read them know what they hold.
var numbered = regexp.MustCompile(`_PORT_[0-9]+_(TCP|UDP|SCTP)_PORT$`)

// A reading is the evidence that a container takes a variable for a number.
type reading struct {
	at     node.Path
	within string
	why    string
	// weak: many programs keep a port of their own for an address of others.
	weak bool
}

// reader returns the best evidence that the container reads the variable.
func reader(p *rule.Pass, ctr *manifest.Container, env cluster.Environment, name string) (reading, bool) {
	if r, ok := expanded(p, ctr, name); ok {
		return r, true
	}
	// A script may unset the variable before it starts the program.
	facts, _ := images.Lookup(ctr.Image)
	if slices.ContainsFunc(facts.Ports, func(port images.Port) bool { return port.Name == name }) && !p.Cluster.Process(ctr).Shell {
		return reading{at: ctr.At("image"), why: "this image takes a port from " + name}, true
	}
	return addressed(ctr, env, name)
}

// addressed finds a declared X_ADDRESS or the like, without a port in it and
// without a variable of another name for the port.
func addressed(ctr *manifest.Container, env cluster.Environment, name string) (reading, bool) {
	prefix := strings.TrimSuffix(name, "PORT")
	var r reading
	for _, v := range env.Variables {
		rest, ok := strings.CutPrefix(v.Name, prefix)
		if ok && strings.Contains(rest, "PORT") {
			return reading{}, false
		}
		if !ok || r.why != "" || !v.Known || v.Secret || !slices.Contains(addresses, rest) {
			continue
		}
		ip, err := netip.ParseAddr(v.Value)
		listens := err == nil && (ip.IsUnspecified() || ip.IsLoopback())
		if !listens && (err == nil || !hostname.MatchString(v.Value)) {
			continue
		}
		r = reading{at: v.From.Path, why: fmt.Sprintf("a program that takes an address from %s takes the port from %s as a rule", v.Name, name), weak: !listens}
		if v.From.Object != ctr.Workload.Object {
			r.at = ctr.At("envFrom")
		}
	}
	return r, r.why != ""
}

// addresses are the names beside which a program has one for its port.
var addresses = []string{"ADDRESS", "ADDR", "BIND", "BIND_ADDRESS", "BIND_HOST", "HOST", "HOSTNAME", "INTERFACE", "IP", "LISTEN", "LISTEN_ADDRESS", "LISTEN_HOST"}

var hostname = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$`)

// expanded finds $(NAME) in command, args and env, which the kubelet replaces,
// and $NAME in a script.
func expanded(p *rule.Pass, ctr *manifest.Container, name string) (reading, bool) {
	for _, field := range []string{"command", "args"} {
		items := ctr.Command
		if field == "args" {
			items = ctr.Args
		}
		for i, item := range items {
			if refersTo(item, name) {
				return reading{at: ctr.At(field, i), within: "$(" + name + ")", why: field + " takes a value from " + name}, true
			}
			if within, ok := scriptReads(item, name); ok && p.Cluster.Process(ctr).Shell {
				return reading{at: ctr.At(field, i), within: within, why: "the script reads " + name}, true
			}
		}
	}
	for i := range ctr.Env {
		if e := &ctr.Env[i]; refersTo(e.Value, name) {
			return reading{at: ctr.At("env", i, "value"), within: "$(" + name + ")", why: e.Name + " takes a value from " + name}, true
		}
	}
	return reading{}, false
}

// refersTo reports whether the kubelet expands $(name) in the text.
func refersTo(text, name string) bool {
	found := false
	kubelet.Expand(text, func(n string) (string, bool) {
		found = found || n == name
		return "", true
	})
	return found
}

// scriptReads reports whether a script takes the value of the variable as it is:
// one that assigns or unsets it, or takes the URL apart (${X_PORT##*:}), does
// not.
func scriptReads(script, name string) (string, bool) {
	if !strings.Contains(script, name) {
		return "", false
	}
	if regexp.MustCompile(`(^|[\s;&|(])((export|local|declare|readonly|typeset)\s+)?` + name + `=|\$\{` + name + `(:?=|[#%/])|\b(unset|read)\b[^;&|\n]*\b` + name + `\b`).MatchString(script) {
		return "", false
	}
	found := regexp.MustCompile(`\$` + name + `\b|\$\{` + name + `(:?-[^}]*)?\}`).FindString(script)
	return found, found != ""
}
