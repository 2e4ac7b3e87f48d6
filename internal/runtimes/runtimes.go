// Package runtimes says which runtime a container's main process runs on: the one
// place that weighs its command, its image and its environment. What a runtime
// then does is told by the packages below.
package runtimes

import (
	"path"
	"regexp"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
	"github.com/crashlint/crashlint/internal/runtimes/nodejs"
)

// A Runtime is what a main process runs on.
type Runtime struct {
	// Name is that of a language's runtime, "jvm", "node", "python", "go", "dotnet",
	// "ruby" or "php", or of a server: "nginx", "postgres", "redis".
	Name string
	// Evidence says why, the strongest first: "its command runs gunicorn".
	Evidence []string
	// Certain is true when the command or the image says so, false when only names
	// and variables do.
	Certain bool
}

// Of returns the runtime of the container's main process, false when nothing says
// what it is.
func Of(c *cluster.Cluster, ctr *manifest.Container) (Runtime, bool) {
	r := cluster.Memo(c, runtimeOf{ctr}, func() Runtime { return find(c, ctr) })
	return r, r.Name != ""
}

type runtimeOf struct{ *manifest.Container }

func find(c *cluster.Cluster, ctr *manifest.Container) Runtime {
	if ctr.Partial {
		return Runtime{}
	}
	j, isJVM := jvm.Of(c, ctr)
	n, isNode := nodejs.Of(c, ctr)
	switch {
	case isJVM && j.Certain:
		return Runtime{"jvm", j.Evidence, true}
	case isNode && n.Certain:
		return Runtime{"node", n.Evidence, true}
	}
	process := c.Process(ctr)
	if name, program := started(process); name != "" {
		return Runtime{name, []string{"its command runs " + program}, true}
	}
	facts := c.Image(ctr)
	if facts.Runtime != nil && (len(ctr.Command) == 0 || startsScript(process)) {
		return Runtime{facts.Runtime.Name, []string{"the image " + path.Base(facts.Name) + " runs on " + facts.Runtime.Name}, true}
	}
	switch {
	case isJVM:
		return Runtime{"jvm", j.Evidence, false}
	case isNode:
		return Runtime{"node", n.Evidence, false}
	}
	for _, v := range c.Environment(ctr).Variables {
		if name := configured(v.Name); name != "" && v.From.Object == ctr.Workload.Object {
			return Runtime{name, []string{v.Name + " is set"}, false}
		}
	}
	return Runtime{}
}

// programs are the programs that are a runtime, or run on one, by what they match.
var programs = []struct {
	name    string
	program *regexp.Regexp
}{
	{"python", regexp.MustCompile(`^(python[0-9.]*|pypy[0-9.]*|gunicorn|uvicorn|hypercorn|daphne|waitress-serve|uwsgi|celery|flask|django-admin|fastapi|streamlit|airflow|superset|jupyter(-[a-z]+)?)$`)},
	{"ruby", regexp.MustCompile(`^(ruby[0-9.]*|bundle|bundler|rails|rake|puma|unicorn|passenger|sidekiq|rackup|resque)$`)},
	{"php", regexp.MustCompile(`^(php[0-9.]*|php-fpm[0-9.]*|artisan|composer)$`)},
	{"dotnet", regexp.MustCompile(`^dotnet$`)},
	{"nginx", regexp.MustCompile(`^(nginx|openresty|angie)$`)},
	{"apache", regexp.MustCompile(`^(httpd|httpd-foreground|apache2|apache2-foreground|apachectl)$`)},
	{"postgres", regexp.MustCompile(`^(postgres|postmaster)$`)},
	{"mysql", regexp.MustCompile(`^(mysqld|mysqld_safe|mariadbd|mariadbd-safe)$`)},
	{"redis", regexp.MustCompile(`^(redis|valkey)-(server|sentinel)$`)},
	{"mongodb", regexp.MustCompile(`^mongo(d|s)$`)},
	{"rabbitmq", regexp.MustCompile(`^rabbitmq-server$`)},
}

// started returns the runtime that the process's command starts, and the program
// that says so: of several commands the last that is sure to be run, or else the
// last. Entrypoint scripts run the program that they are handed.
func started(p cluster.Process) (name, program string) {
	commands := p.Commands
	if p.Partial && len(p.Words) > 0 {
		commands = []cluster.Command{{Words: p.Words[:1]}}
	}
	sure := false
	for _, command := range commands {
		words := command.Words
		if strings.HasSuffix(command.Name(), ".sh") && len(words) > 1 {
			words = words[1:]
		}
		if len(words) == 0 || !words[0].Known || words[0].Secret || sure && command.Conditional {
			continue
		}
		base := path.Base(words[0].Value)
		for _, known := range programs {
			if known.program.MatchString(base) {
				name, program, sure = known.name, base, sure || !command.Conditional
			}
		}
	}
	return name, program
}

// startsScript reports whether a command may be a start script of the image.
func startsScript(p cluster.Process) bool {
	for _, c := range p.Commands {
		if strings.HasSuffix(c.Name(), ".sh") || strings.Contains(c.Name(), "start") || strings.Contains(c.Name(), "run") {
			return true
		}
	}
	return false
}

// settings begin the names of variables that only one runtime reads.
var settings = []struct{ name, prefix string }{
	{"python", "PYTHON"}, {"python", "GUNICORN_"}, {"python", "UVICORN_"}, {"python", "DJANGO_"},
	{"dotnet", "DOTNET_"}, {"dotnet", "ASPNETCORE_"}, {"dotnet", "COMPlus_"},
	{"go", "GOMEMLIMIT"}, {"go", "GOGC"}, {"go", "GOMAXPROCS"}, {"go", "GODEBUG"},
	{"ruby", "RAILS_"}, {"ruby", "RACK_"}, {"ruby", "RUBY"}, {"ruby", "BUNDLE_"}, {"ruby", "PUMA_"},
	{"php", "PHP_"},
}

// configured returns the runtime that a variable is a setting of, empty when none
// or any may read it.
func configured(variable string) string {
	for _, s := range settings {
		if strings.HasPrefix(variable, s.prefix) {
			return s.name
		}
	}
	return ""
}
