package network

import (
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/runtimes/nginx"
)

// An upstream is a host that a proxy resolves when it starts, and without which
// it does not.
type upstream struct {
	cluster.File
	ctr *manifest.Container
	// host is in lower case and without a final dot.
	host string
	// start and end are the bytes of the file in which it stands.
	start, end int
	// program and message are the proxy and what it says at its exit.
	program, message string
}

// upstreamsOf returns the hosts that the proxy in the container resolves when it
// starts. Envoy, Traefik and Caddy start without theirs.
func upstreamsOf(c *cluster.Cluster, ctr *manifest.Container) []upstream {
	found := append(nginxUpstreams(c, ctr), haproxyUpstreams(c, ctr)...)
	for i := range found {
		found[i].ctr = ctr
	}
	return slices.DeleteFunc(found, func(u upstream) bool { return !hostname(u.host) })
}

// passes are the directives of nginx whose one argument names a server.
var passes = []string{"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"}

// nginxUpstreams reads upstream blocks and the directives that pass requests on.
// A name with a variable in it is resolved with each request, and one with the
// parameter resolve later as well (https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server);
// all others when the configuration is read: src/http/ngx_http_upstream.c and
// ngx_http_upstream_round_robin.c, "host not found in upstream".
func nginxUpstreams(c *cluster.Cluster, ctr *manifest.Container) []upstream {
	files := nginx.Files(c, ctr)
	var groups []string
	for _, f := range files {
		each(f.Directives, func(d, _ nginx.Directive) {
			if d.Name() == "upstream" && len(d.Args()) > 0 {
				groups = append(groups, strings.ToLower(d.Args()[0].Value))
			}
		})
		// A group may stand in a file that is not known.
		each(f.Directives, func(d, _ nginx.Directive) {
			if d.Name() == "include" && len(d.Args()) == 1 && !known(files, d.Args()[0].Value) {
				groups = append(groups, "*")
			}
		})
	}
	var out []upstream
	for _, f := range files {
		each(f.Directives, func(d, parent nginx.Directive) {
			var w nginx.Word
			switch {
			case d.Name() == "server" && len(parent.Words) > 0 && parent.Name() == "upstream" && len(d.Args()) > 0:
				if slices.ContainsFunc(d.Args()[1:], func(a nginx.Word) bool { return a.Value == "resolve" }) {
					return
				}
				w = d.Args()[0]
			case slices.Contains(passes, d.Name()) && len(d.Args()) == 1:
				w = d.Args()[0]
			default:
				return
			}
			host, at := serverHost(w.Value)
			if strings.Contains(w.Value, "$") || host == "" {
				return
			}
			if d.Name() != "server" && (slices.Contains(groups, host) || slices.Contains(groups, "*") && !strings.Contains(host, ".")) {
				return
			}
			start := w.Start + strings.Index(f.Text[w.Start:w.End], w.Value) + at
			if !strings.Contains(f.Text[w.Start:w.End], w.Value) {
				start = w.Start
			}
			out = append(out, upstream{File: f.File, host: host, start: start, end: min(start+len(host), len(f.Text)), program: "nginx", message: "host not found in upstream"})
		})
	}
	return out
}

// each calls the function for every directive and the one around it.
func each(directives []nginx.Directive, do func(d, parent nginx.Directive)) {
	var walk func([]nginx.Directive, nginx.Directive)
	walk = func(ds []nginx.Directive, parent nginx.Directive) {
		for _, d := range ds {
			do(d, parent)
			walk(d.Directives, d)
		}
	}
	walk(directives, nginx.Directive{})
}

// known reports whether what an include names is among the files, or is one of
// those of the image that hold no upstreams.
func known(files []nginx.File, pattern string) bool {
	base := path.Base(pattern)
	if base == "mime.types" || strings.HasSuffix(base, "_params") || strings.HasSuffix(base, "fastcgi.conf") || strings.Contains(pattern, "modules") {
		return true
	}
	return slices.ContainsFunc(files, func(f nginx.File) bool {
		full, _ := path.Match(pattern, f.Path)
		short, _ := path.Match(base, path.Base(f.Path))
		return full || short && !path.IsAbs(pattern)
	})
}

// serverHost takes the host out of an address with or without scheme and port,
// and says where in the text it begins.
func serverHost(text string) (host string, at int) {
	rest := text
	if i := strings.Index(rest, "://"); i >= 0 {
		at = i + len("://")
		rest = rest[at:]
	}
	if strings.HasPrefix(rest, "unix:") || strings.HasPrefix(rest, "[") {
		return "", 0
	}
	if end := strings.IndexAny(rest, ":/?"); end >= 0 {
		rest = rest[:end]
	}
	return strings.TrimSuffix(strings.ToLower(rest), "."), at
}

// hostname reports what is resolved as a name, and not an address or a placeholder.
func hostname(text string) bool {
	for _, r := range text {
		if r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
			return false
		}
	}
	_, err := netip.ParseAddr(text)
	return err != nil && text != "localhost" && strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' })
}

// haproxyFiles are where the images of HAProxy look for their configuration
// (docker-library/haproxy; haproxytech/haproxy-docker-alpine; bitnami/containers).
var haproxyFiles = []string{"/usr/local/etc/haproxy/haproxy.cfg", "/etc/haproxy/haproxy.cfg", "/bitnami/haproxy/conf/haproxy.cfg"}

var (
	// haproxySection matches a line that begins a section.
	haproxySection = regexp.MustCompile(`^(global|defaults|frontend|backend|listen|resolvers|peers|userlist|program|ring|cache|mailers|http-errors|fcgi-app|log-forward|crt-store)\b`)
	haproxyServer  = regexp.MustCompile(`^\s+server\s+\S+\s+(\S+)(.*)$`)
	haproxyDefault = regexp.MustCompile(`^\s+default-server\s(.*)$`)
)

// haproxyUpstreams reads the servers of backends. HAProxy does not start when one
// cannot be resolved, unless init-addr says none, or resolvers are named and
// init-addr is not ("could not resolve address", src/server.c; haproxy commit
// ac1c60fd9c63 for the latter).
func haproxyUpstreams(c *cluster.Cluster, ctr *manifest.Container) []upstream {
	if ctr.Partial || ctr.Role == manifest.Init {
		return nil
	}
	names := haproxyFiles
	for _, command := range c.Process(ctr).Commands {
		if command.Name() == "haproxy" {
			if named, ok := cluster.OptionValue(command.Words, "-f"); ok {
				names = []string{named}
			}
		}
	}
	for _, name := range names {
		f, ok := c.MountedFile(ctr, name)
		if !ok {
			continue
		}
		return haproxyServers(f)
	}
	return nil
}

func haproxyServers(f cluster.File) []upstream {
	var out []upstream
	var section, defaults, own string
	at := 0
	for line := range strings.Lines(f.Text) {
		start := at
		at += len(line)
		text, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "#")
		if m := haproxySection.FindStringSubmatch(text); m != nil {
			if section, own = m[1], ""; section == "defaults" {
				defaults = ""
			}
			continue
		}
		if m := haproxyDefault.FindStringSubmatch(text); m != nil {
			if section == "defaults" {
				defaults += " " + m[1]
			} else {
				own += " " + m[1]
			}
			continue
		}
		m := haproxyServer.FindStringSubmatchIndex(text)
		if m == nil || section != "backend" && section != "listen" {
			continue
		}
		address, options := text[m[2]:m[3]], strings.Fields(defaults+own+" "+text[m[4]:m[5]])
		if strings.ContainsAny(address, `$"{@`) || startsUnresolved(options) {
			continue
		}
		host, _ := serverHost(address)
		out = append(out, upstream{File: f, host: host, start: start + m[2], end: start + m[2] + len(host), program: "HAProxy", message: "could not resolve address"})
	}
	return out
}

// startsUnresolved reports whether HAProxy starts without the server's address.
func startsUnresolved(options []string) bool {
	methods, resolvers := "", false
	for i, o := range options {
		if o == "init-addr" && i+1 < len(options) {
			methods = options[i+1]
		}
		resolvers = resolvers || o == "resolvers"
	}
	if methods == "" {
		return resolvers
	}
	// Anything but last and libc is an address, or none.
	return slices.ContainsFunc(strings.Split(methods, ","), func(m string) bool { return m != "last" && m != "libc" })
}
