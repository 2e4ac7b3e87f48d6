// Package nginx says what configuration an nginx in a container reads, as far as
// the files show it.
package nginx

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
)

// A File is a configuration file that nginx reads at its start.
type File struct {
	cluster.File
	Directives []Directive
	// Fault is what keeps nginx from reading the file, nil when nothing does.
	Fault *Fault
}

// layouts are where builds of nginx keep their configuration: the main file, and
// the folders from which it includes all files of a pattern when it is the
// build's own (nginx/docker-nginx stable/debian, bitnami/containers
// bitnami/nginx, openresty/docker-openresty).
var layouts = []struct{ main, include string }{
	{"/etc/nginx/nginx.conf", "/etc/nginx/conf.d/*.conf"},
	{"/etc/nginx/nginx.conf", "/etc/nginx/sites-enabled/*"},
	{"/opt/bitnami/nginx/conf/nginx.conf", "/opt/bitnami/nginx/conf/server_blocks/*.conf"},
	{"/usr/local/openresty/nginx/conf/nginx.conf", "/etc/nginx/conf.d/*.conf"},
	{"/usr/local/nginx/conf/nginx.conf", ""},
}

// programs are the names of nginx's executable.
var programs = []string{"nginx", "nginx-debug", "openresty"}

// Files returns the files of ConfigMaps that the nginx in the container reads,
// nothing for another program. A file that something still fills in is left out.
func Files(c *cluster.Cluster, ctr *manifest.Container) []File {
	if ctr.Partial || ctr.Role == manifest.Init || len(ctr.VolumeMounts) == 0 {
		return nil
	}
	main, isNginx := command(c, ctr)
	if !isNginx {
		return nil
	}
	var out []File
	add := func(name string) (File, bool) {
		f, ok := c.MountedFile(ctr, name)
		if !ok || slices.ContainsFunc(out, func(o File) bool { return o.Path == f.Path }) || template.MatchString(f.Text) {
			return File{}, false
		}
		directives, fault := Parse(f.Text)
		read := File{File: f, Directives: directives, Fault: fault}
		out = append(out, read)
		return read, true
	}
	include := func(pattern string) {
		dir, base := path.Split(pattern)
		if !strings.ContainsAny(base, "*?[") {
			add(pattern)
			return
		}
		for _, f := range c.MountedFiles(ctr, dir) {
			if ok, _ := path.Match(base, path.Base(f.Path)); ok {
				add(f.Path)
			}
		}
	}
	mains := map[string]bool{}
	for _, l := range layouts {
		if main != "" && l.main != main {
			continue
		}
		if _, ours := c.MountedFile(ctr, l.main); !ours {
			if l.include != "" {
				include(l.include) // by the image's own file
			}
			continue
		}
		if f, ok := add(l.main); ok && !mains[l.main] {
			for _, pattern := range included(f.Directives, path.Dir(l.main)) {
				include(pattern)
			}
		}
		mains[l.main] = true
	}
	if main != "" && !mains[main] {
		if f, ok := add(main); ok {
			for _, pattern := range included(f.Directives, "/etc/nginx") {
				include(pattern)
			}
		}
	}
	return out
}

// included returns the patterns of the include directives.
func included(directives []Directive, dir string) []string {
	var out []string
	for _, d := range directives {
		if d.Name() == "include" && len(d.Args()) == 1 {
			pattern := d.Args()[0].Value
			if !path.IsAbs(pattern) {
				pattern = path.Join(dir, pattern)
			}
			out = append(out, pattern)
		}
		out = append(out, included(d.Directives, dir)...)
	}
	return out
}

// template matches what some tool puts something else for: {{ }} and {% %}, <%,
// and the ${NAME} of envsubst, nginx's own variables being in lower case.
var template = regexp.MustCompile(`\{\{|\{%|<%|\$\{?[A-Z][A-Z0-9_]+\b|\$\(|@[A-Z][A-Z0-9_]+@|__[A-Z][A-Z0-9_]+__|%[A-Z][A-Z0-9_]{2,}%`)

// command returns the main file that the command line names, empty for the
// build's own, and whether the container runs nginx: by its command, its image,
// or the place of its files.
func command(c *cluster.Cluster, ctr *manifest.Container) (main string, ok bool) {
	process := c.Process(ctr)
	lines := [][]cluster.Word{process.Words}
	for _, command := range process.Commands {
		lines = append(lines, command.Words)
	}
	for _, words := range lines {
		at := slices.IndexFunc(words, func(w cluster.Word) bool { return w.Known && slices.Contains(programs, path.Base(w.Value)) })
		if at < 0 {
			continue
		}
		if main, ok = mainFile(words[at+1:]); ok {
			return main, true
		}
	}
	image := c.Image(ctr)
	switch {
	case len(ctr.Command)+len(ctr.Args) > 0:
		return "", false
	case image.Runtime != nil:
		return "", image.Runtime.Name == "nginx"
	}
	return "", image.Name == "" && mountsMain(c, ctr)
}

// mainFile returns the file that -c names among nginx's options, empty without
// one; false where nginx only looks at its configuration.
func mainFile(options []cluster.Word) (string, bool) {
	main := ""
	for i, w := range options {
		switch {
		case !w.Known:
			return "", false
		case slices.Contains([]string{"-t", "-T", "-v", "-V", "-s", "-h", "-?"}, w.Value):
			return "", false
		case w.Value == "-c" && i+1 < len(options):
			if main = options[i+1].Value; !path.IsAbs(main) {
				main = path.Join("/etc/nginx", main)
			}
		}
	}
	return main, true
}

// mountsMain reports whether ConfigMaps hold the main file of a build, or those
// that it includes.
func mountsMain(c *cluster.Cluster, ctr *manifest.Container) bool {
	for _, l := range layouts {
		if _, ok := c.MountedFile(ctr, l.main); ok {
			return true
		}
	}
	return len(c.MountedFiles(ctr, "/etc/nginx/conf.d")) > 0
}
