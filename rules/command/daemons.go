package command

import (
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
)

// A daemon is a program that goes into the background, from its manual page or
// its source: always, unless an option keeps it in the foreground, or only when
// an option asks for it.
type daemon struct {
	names []string
	// with are the words of which one must be there, in any place; nil: none.
	with []string
	// unless are the words, or beginnings of words that end in "*", with which it
	// stays in the foreground or does something else.
	unless []string
	// variable, when set, keeps it in the foreground.
	variable string
}

var daemons = []daemon{
	{names: []string{"service", "invoke-rc.d", "rc-service"}, with: []string{"start", "restart"}},
	{names: []string{"systemctl"}, with: []string{"start", "restart"}},
	{names: []string{"apachectl", "apache2ctl"}, with: []string{"start", "restart"}, unless: []string{"-DFOREGROUND", "FOREGROUND", "-X"}},
	{names: []string{"httpd", "apache2"}, unless: []string{"-DFOREGROUND", "FOREGROUND", "-DNO_DETACH", "NO_DETACH", "-X", "-t", "-v", "-V", "-M", "-S", "-l", "-L", "-f*", "-h", "-k", "-vv*"}},
	// BusyBox has a httpd too, with options of its own.
	{names: []string{"httpd"}, with: []string{"-p"}, unless: []string{"-f*"}},
	{names: []string{"redis-server", "valkey-server"}, with: []string{"yes"}, unless: []string{"no"}},
	{names: []string{"mongod", "mongos"}, with: []string{"--fork"}},
	{names: []string{"memcached"}, with: []string{"-d"}},
	{names: []string{"haproxy"}, with: []string{"-D"}, unless: []string{"-c"}},
	{names: []string{"cron"}, unless: []string{"-f", "-n", "-x*"}},
	{names: []string{"crond"}, unless: []string{"-f*", "-n", "-d*", "-s", "-x*"}},
	{names: []string{"sshd"}, unless: []string{"-D*", "-d*", "-e*", "-t", "-T", "-i", "-V"}},
	{names: []string{"rsyslogd"}, unless: []string{"-n*", "-N*", "-d*", "-v"}},
	{names: []string{"varnishd"}, unless: []string{"-F", "-d", "-C", "-V", "-x*"}},
	{names: []string{"squid"}, unless: []string{"-N*", "--foreground", "-z*", "-k", "-v", "-d*"}},
	{names: []string{"named"}, unless: []string{"-f", "-g", "-v", "-V"}},
	{names: []string{"dnsmasq"}, unless: []string{"-k", "-d", "--no-daemon", "--keep-in-foreground", "--test", "-v"}},
	{names: []string{"keepalived"}, unless: []string{"-n*", "--dont-fork", "-v", "--version", "-t*", "--config-test*"}},
	{names: []string{"cassandra"}, unless: []string{"-f", "-h", "-v"}},
	{names: []string{"elasticsearch"}, with: []string{"-d", "--daemonize"}},
	{names: []string{"rabbitmq-server"}, with: []string{"-detached"}},
	{names: []string{"catalina.sh"}, with: []string{"start"}},
	{names: []string{"zkServer.sh"}, with: []string{"start"}},
	{names: []string{"kafka-server-start.sh", "kafka-server-start", "zookeeper-server-start.sh", "zookeeper-server-start"}, with: []string{"-daemon"}},
	{names: []string{"pm2"}, with: []string{"start"}, unless: []string{"--no-daemon", "--attach"}},
	{names: []string{"gunicorn"}, with: []string{"-D", "--daemon"}},
	{names: []string{"uwsgi"}, with: []string{"-d", "--daemonize"}},
	{names: []string{"celery"}, with: []string{"multi"}},
	{names: []string{"pg_ctl"}, with: []string{"start", "restart"}},
	{names: []string{"pg_ctlcluster"}, with: []string{"start", "restart"}, unless: []string{"--foreground"}},
	{names: []string{"mysqld", "mariadbd"}, with: []string{"--daemonize"}},
	{names: []string{"postfix"}, with: []string{"start"}},
	// They start their daemons unless SPARK_NO_DAEMONIZE is set.
	{names: []string{"start-master.sh", "start-worker.sh", "start-slave.sh", "start-history-server.sh", "start-thriftserver.sh"}, variable: "SPARK_NO_DAEMONIZE"},
	{names: []string{"start-dfs.sh", "start-yarn.sh", "start-hbase.sh"}},
	{names: []string{"php-fpm*"}, with: []string{"-D", "--daemonize"}},
}

// daemonizes reports a command that ends and leaves its server in the
// background.
func (s subject) daemonizes(c cluster.Command) bool {
	name, args := c.Name(), c.Words[1:]
	if name == "nginx" {
		return s.nginxDaemonizes(args)
	}
	if strings.HasPrefix(c.Words[0].Value, "/etc/init.d/") {
		return given(args, "start") || given(args, "restart")
	}
	return slices.ContainsFunc(daemons, func(d daemon) bool {
		if !slices.ContainsFunc(d.names, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }) ||
			slices.ContainsFunc(args, func(w cluster.Word) bool { return !w.Known }) {
			return false
		}
		if d.variable != "" {
			env := s.Cluster.Environment(s.ctr)
			if _, set := env.Lookup(d.variable); set || env.Open || slices.ContainsFunc(c.Assignments, func(v cluster.Variable) bool { return v.Name == d.variable }) {
				return false
			}
		}
		has := func(option string) bool { return given(args, option) }
		return (len(d.with) == 0 || slices.ContainsFunc(d.with, has)) && !slices.ContainsFunc(d.unless, has) &&
			(name != "redis-server" && name != "valkey-server" || given(args, "--daemonize"))
	})
}

// given reports an argument; one that ends in "*" is the beginning of one.
func given(args []cluster.Word, option string) bool {
	return slices.ContainsFunc(args, func(w cluster.Word) bool {
		if start, ok := strings.CutSuffix(option, "*"); ok {
			return strings.HasPrefix(w.Value, start)
		}
		return w.Value == option || strings.HasPrefix(option, "--") && strings.HasPrefix(w.Value, option+"=")
	})
}

// nginxDaemonizes reports whether nginx goes into the background, as it does
// unless "daemon off" is given to it or stands in its configuration
// (https://nginx.org/en/docs/ngx_core_module.html#daemon). That of the official
// image does not hold it: its command does.
func (s subject) nginxDaemonizes(args []cluster.Word) bool {
	config := "/etc/nginx/nginx.conf"
	for i, w := range args {
		switch {
		case !w.Known, strings.Contains(w.Value, "daemon"), slices.Contains([]string{"-t", "-T", "-v", "-V", "-h", "-?", "-s", "-tq", "-p"}, w.Value):
			return false
		case w.Value == "-c" && i+1 < len(args):
			config = args[i+1].Value
		}
	}
	if file, ok := s.Cluster.MountedFile(s.ctr, config); ok {
		return !strings.Contains(file.Text, "daemon")
	}
	facts := s.Cluster.Image(s.ctr)
	official := facts.Runtime != nil && facts.Runtime.Name == "nginx" && (facts.Name == "nginx" || facts.Name == "nginxinc/nginx-unprivileged")
	return official && config == "/etc/nginx/nginx.conf" && !s.mounted(config)
}

// mounted reports a volume over the file or a folder above it.
func (s subject) mounted(file string) bool {
	for _, m := range s.ctr.VolumeMounts {
		if at := path.Clean(m.MountPath); at == file || at == "/" || strings.HasPrefix(file, at+"/") {
			return true
		}
	}
	return false
}
