package references

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
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
		seen := map[string]bool{}
		for _, r := range readings(p, ctr, env) {
			link, ok := env.Lookup(r.name)
			if !ok || seen[r.name] || link.From.Object == nil || link.From.Object.Kind != "Service" || !isURL(r.name) {
				continue
			}
			seen[r.name] = true
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

// isURL reports whether the variable of a Service with that name holds a URL.
// X_SERVICE_PORT and X_PORT_80_TCP_PORT hold numbers.
func isURL(name string) bool {
	return strings.HasSuffix(name, "_PORT") && !strings.HasSuffix(name, "_SERVICE_PORT") && !numbered.MatchString(name)
}

var numbered = regexp.MustCompile(`_PORT_[0-9]+_(TCP|UDP|SCTP)_PORT$`)

// A reading is evidence that a container takes a variable for a number.
type reading struct {
	name   string
	at     node.Path
	within string
	why    string
	// weak: many programs keep a port of their own for an address of others.
	weak bool
}

// readings lists the variables that the container reads, the best evidence
// first.
func readings(p *rule.Pass, ctr *manifest.Container, env cluster.Environment) []reading {
	shell := p.Cluster.Process(ctr).Shell
	var out []reading
	for _, field := range []string{"command", "args"} {
		items := ctr.Command
		if field == "args" {
			items = ctr.Args
		}
		for i, item := range items {
			for _, name := range expanded(item) {
				out = append(out, reading{name: name, at: ctr.At(field, i), within: "$(" + name + ")", why: field + " takes a value from " + name})
			}
			if shell {
				for _, t := range scriptReads(item) {
					out = append(out, reading{name: t.name, at: ctr.At(field, i), within: t.text, why: "the script reads " + t.name})
				}
			}
		}
	}
	for i := range ctr.Env {
		for _, name := range expanded(ctr.Env[i].Value) {
			out = append(out, reading{name: name, at: ctr.At("env", i, "value"), within: "$(" + name + ")", why: ctr.Env[i].Name + " takes a value from " + name})
		}
	}
	if !shell { // a script may unset the variable before it starts the program
		for _, port := range p.Cluster.Image(ctr).Ports {
			out = append(out, reading{name: port.Name, at: ctr.At("image"), why: "this image takes a port from " + port.Name})
		}
		out = append(out, declaredElsewhere(p, ctr)...)
	}
	out = append(out, mountedReads(p, ctr)...)
	return append(out, addressed(ctr, env)...)
}

// mountedReads lists the variables that files of mounted ConfigMaps take a value
// from: scripts, and configurations whose program fills in ${NAME}, as Spring
// does.
func mountedReads(p *rule.Pass, ctr *manifest.Container) []reading {
	w := ctr.Workload
	var out []reading
	for i, m := range ctr.VolumeMounts {
		v := slices.IndexFunc(w.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		if v < 0 || w.Pod.Volumes[v].ConfigMap == nil {
			continue
		}
		source := w.Pod.Volumes[v].ConfigMap
		found := p.Cluster.Find(w.Object, "ConfigMap", source.Name)
		if len(found) == 0 {
			continue
		}
		config, ok := found[0].Typed.(*corev1.ConfigMap)
		if !ok {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(config.Data)) {
			file, mounted := fileOf(key, source.Items)
			if !mounted || m.SubPath != "" && m.SubPath != file {
				continue
			}
			for _, t := range scriptReads(config.Data[key]) {
				out = append(out, reading{
					name: t.name, at: ctr.At("volumeMounts", i, "name"),
					why: fmt.Sprintf("file %s of ConfigMap %s reads %s", file, source.Name, t.name),
				})
			}
		}
	}
	return out
}

// fileOf returns the path that the key has in its volume, false when it is not
// in it.
func fileOf(key string, items []corev1.KeyToPath) (string, bool) {
	if len(items) == 0 {
		return key, true
	}
	i := slices.IndexFunc(items, func(item corev1.KeyToPath) bool { return item.Key == key })
	if i < 0 {
		return "", false
	}
	return items[i].Path, true
}

// declaredElsewhere lists the variables that another container of the same image
// and command is given a port number in: the program takes one from them.
func declaredElsewhere(p *rule.Pass, ctr *manifest.Container) []reading {
	declared := cluster.Memo(p.Cluster, declaredKey{}, func() map[string][]declaration {
		declared := map[string][]declaration{}
		for _, w := range p.Cluster.Workloads {
			for _, c := range w.Containers {
				for i, e := range c.Env {
					if port, err := strconv.Atoi(e.Value); err == nil && port > 0 && isURL(e.Name) && w.Known(c.At("env", i, "value")) {
						declared[c.Image] = append(declared[c.Image], declaration{e.Name, c})
					}
				}
			}
		}
		return declared
	})
	var out []reading
	for _, d := range declared[ctr.Image] {
		if ctr.Image != "" && d.in != ctr && slices.Equal(d.in.Command, ctr.Command) {
			out = append(out, reading{
				name: d.name, at: ctr.At("image"),
				why: fmt.Sprintf("this image gets a port number in %s elsewhere (container %q of %s)", d.name, d.in.Name, d.in.Workload),
			})
		}
	}
	return out
}

// A declaration is a variable that a container is given a port number in.
type declaration struct {
	name string
	in   *manifest.Container
}

type declaredKey struct{}

// addressed finds variables X_ADDRESS and the like, without a port in their
// value and without a variable X_..._PORT beside them: X_PORT is read as a rule.
func addressed(ctr *manifest.Container, env cluster.Environment) []reading {
	var out []reading
	for _, v := range env.Variables {
		if !v.Known || v.Secret {
			continue
		}
		for _, word := range addresses {
			prefix, ok := strings.CutSuffix(v.Name, word)
			if !ok || !strings.HasSuffix(prefix, "_") {
				continue
			}
			ip, err := netip.ParseAddr(v.Value)
			listens := err == nil && (ip.IsUnspecified() || ip.IsLoopback())
			if !listens && (err == nil || !hostname.MatchString(v.Value)) {
				continue
			}
			if slices.ContainsFunc(env.Variables, func(o cluster.Variable) bool {
				return strings.HasPrefix(o.Name, prefix) && strings.Contains(o.Name[len(prefix):], "PORT")
			}) {
				continue
			}
			r := reading{
				name: prefix + "PORT", at: v.From.Path, weak: !listens,
				why: fmt.Sprintf("a program that takes an address from %s takes the port from %sPORT as a rule", v.Name, prefix),
			}
			if v.From.Object != ctr.Workload.Object {
				r.at = ctr.At("envFrom")
			}
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b reading) int {
		switch {
		case a.weak == b.weak:
			return 0
		case b.weak:
			return -1
		}
		return 1
	})
	return out
}

// addresses are the names beside which a program has one for its port.
var addresses = []string{"ADDRESS", "ADDR", "BIND", "BIND_ADDRESS", "BIND_HOST", "HOST", "HOSTNAME", "INTERFACE", "IP", "LISTEN", "LISTEN_ADDRESS", "LISTEN_HOST"}

var hostname = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$`)

// expanded returns the names that the kubelet expands in the text, $(NAME).
func expanded(text string) []string {
	var names []string
	kubelet.Expand(text, func(name string) (string, bool) {
		names = append(names, name)
		return "", true
	})
	return names
}

// A take is a variable as a script writes it.
type take struct{ name, text string }

// scriptReads returns the variables whose value a script takes as it is: not
// those that it assigns or unsets, or takes apart (${X_PORT##*:}).
func scriptReads(script string) []take {
	var own []string
	for _, m := range handled.FindAllStringSubmatch(script, -1) {
		own = append(append(own, m[1:3]...), strings.Fields(m[3])...)
	}
	var out []take
	for _, m := range taken.FindAllStringSubmatch(script, -1) {
		if name := m[1] + m[2]; !slices.Contains(own, name) {
			out = append(out, take{name, m[0]})
		}
	}
	return out
}

var (
	// handled matches NAME=, ${NAME=...} and ${NAME#...} with their like, and unset
	// and read with their words.
	handled = regexp.MustCompile(`(?:^|[\s;&|(])(\w+)=|\$\{(\w+)(?::?=|[#%/])|\b(?:unset|read)\b([^;&|\n]*)`)
	// taken matches $NAME, ${NAME}, ${NAME:-default} and Spring's ${NAME:default}.
	taken = regexp.MustCompile(`\$(\w+)|\$\{(\w+)(?:-[^}]*|:[^=+?}][^}]*)?\}`)
)
