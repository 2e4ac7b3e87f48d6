package permissions

import (
	"path"
	"regexp"
	"strconv"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
)

// nginxDirectories are where the images of nginx read their configuration: the
// official ones and those built on them, and Bitnami's.
var nginxDirectories = []string{
	"/etc/nginx", "/etc/nginx/conf.d", "/etc/nginx/http.d", "/etc/nginx/sites-enabled",
	"/opt/bitnami/nginx/conf", "/opt/bitnami/nginx/conf/server_blocks", "/bitnami/nginx/conf", "/bitnami/nginx/conf/vhosts",
}

// listenDirective matches the directive listen with a port: listen 80,
// listen [::]:80 default_server, listen 0.0.0.0:80; one in a comment has a # in
// front (https://nginx.org/en/docs/http/ngx_http_core_module.html#listen).
var listenDirective = regexp.MustCompile(`(?m)^[^#\n]*?\blisten\s+(?:\[[0-9a-fA-F:]*\]:|[0-9A-Za-z.*-]+:)?([0-9]+)\b[^;:.\n]*;`)

// A listener is a port that a configuration file of the container names.
type listener struct {
	port int32
	// text is the directive, and from the file that it stands in.
	text string
	from cluster.Origin
}

// nginxListeners returns the ports that ConfigMaps of the set make nginx listen
// on, in files whose name nginx takes (*.conf).
func nginxListeners(c *cluster.Cluster, ctr *manifest.Container) []listener {
	var out []listener
	for _, dir := range nginxDirectories {
		for _, file := range c.MountedFiles(ctr, dir) {
			if path.Ext(file.Path) != ".conf" {
				continue
			}
			for _, m := range listenDirective.FindAllStringSubmatchIndex(file.Text, -1) {
				if port, err := strconv.ParseInt(file.Text[m[2]:m[3]], 10, 32); err == nil {
					text := listenDirective.FindString(file.Text[m[0]:m[1]])
					out = append(out, listener{int32(port), directive.FindString(text), file.From})
				}
			}
		}
	}
	return out
}

// directive is the directive itself in a matched line.
var directive = regexp.MustCompile(`\blisten\s[^;]*`)

// runsNginx reports whether nginx is what runs in the container.
func runsNginx(c *cluster.Cluster, ctr *manifest.Container) bool {
	if r := c.Image(ctr).Runtime; r != nil && r.Name == "nginx" && len(ctr.Command) == 0 {
		return true
	}
	for _, command := range c.Process(ctr).Commands {
		if command.Name() == "nginx" {
			return true
		}
	}
	return false
}
