package command

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
)

// An ending is how a process comes to its end by itself.
type ending struct {
	// last is the command after which it ends.
	last cluster.Command
	// left is a command that goes on in the background then, and is killed with
	// the container; nil for none.
	left *cluster.Command
	// seconds is how long it sleeps before.
	seconds int64
	// code is the exit code, as far as an exit says it.
	code int32
	// sure is true when every command is known to end, and soon.
	sure bool
}

// ending follows the process to its end; false when it stays, or nobody knows.
func (s subject) ending() (ending, bool) {
	p := s.process
	// A script may read what somebody types.
	if p.Partial || p.ScriptError != "" || p.Unfollowed || p.Shell && (s.ctr.Stdin || s.ctr.TTY) || len(p.Commands) == 0 || slices.ContainsFunc(p.Words, func(w cluster.Word) bool {
		return !w.Known || strings.Contains(w.Value, "timeout")
	}) {
		return ending{}, false
	}
	if _, _, split := s.split(); split || s.wantsShell() {
		return ending{}, false // it is not what is meant to be run
	}
	e := ending{sure: true}
	unknown := false // the end hangs on a program that nobody here knows
	for i := range p.Commands {
		c := &p.Commands[i]
		if c.Forever || c.Repeated {
			return ending{}, false
		}
		switch v := s.verdict(*c); {
		case c.Background && v < finite:
			e.left, unknown = c, false
		case v == stays, v == open && (c.Conditional || c.Exec), c.Name() == "wait" && e.left != nil:
			return ending{}, false
		case v == open:
			unknown = true
		case v == detached:
			e.left, unknown = c, false
		case c.Certain() && (c.Name() == "sleep" || c.Name() == "exit"):
			unknown = false
			if c.Name() == "sleep" {
				seconds, _ := sleepSeconds(c.Words[1:])
				e.seconds += seconds
			}
		}
		e.sure = e.sure && (s.verdict(*c) == finite || s.verdict(*c) == detached || c.Background)
		if !c.Conditional && !c.Background {
			e.last = *c
		}
		if c.Name() == "exit" && c.Certain() {
			e.code = exitCode(c.Words[1:])
			break
		}
	}
	if e.last.Words == nil && e.left != nil {
		e.last = *e.left
	}
	return e, !unknown && e.last.Words != nil && e.seconds < kubelet.DefaultBackOff.Max
}

// exitCode reads the operand of exit, 0 where there is none or it is not known.
func exitCode(words []cluster.Word) int32 {
	if len(words) != 1 || !words[0].Known {
		return 0
	}
	code, err := strconv.ParseUint(words[0].Value, 10, 8)
	if err != nil {
		return 0
	}
	return int32(code)
}

// A verdict says whether a command ends by itself.
type verdict uint8

const (
	// open: nobody here knows.
	open verdict = iota
	// stays: it does not.
	stays
	// likely: it ends when its work is done.
	likely
	// finite: it ends, and at once but for a sleep.
	finite
	// detached: it ends at once and leaves something in the background.
	detached
)

func (s subject) verdict(c cluster.Command) verdict {
	name := c.Name()
	if name == "" || c.Words[0].Secret || strings.HasPrefix(c.Words[0].Value, "./") {
		return open
	}
	// A program of the same name in a folder of its own may be anybody's.
	if dir := path.Dir(c.Words[0].Value); dir != "." && !slices.Contains(programFolders, dir) && !strings.HasPrefix(c.Words[0].Value, "/etc/init.d/") {
		return s.ownFolder(c)
	}
	args := c.Words[1:]
	switch {
	case len(args) == 1 && slices.Contains([]string{"--version", "--help"}, args[0].Value):
		return finite
	case s.daemonizes(c):
		return detached
	case name == "sleep":
		if _, ok := sleepSeconds(args); !ok {
			return stays
		}
		return finite
	case name == "tail":
		if follows(args) {
			return stays
		}
		return likely
	case s.reads(c):
		return finite
	case name == "ping" && given(args, "-c"), isShell(name) && len(args) == 1 && args[0].Value == "-c":
		return likely
	case name == "cat":
		// Without a file it reads what it is given, which may be a pipe that is
		// never closed.
		if len(args) == 0 && s.process.Shell {
			return open
		}
		return likely
	case slices.Contains(brief, name):
		return finite
	case ends(name, args):
		return likely
	}
	return open
}

// programFolders are where programs of the system are.
var programFolders = []string{"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"}

// ownFolder judges a program outside of the folders of the system.
func (s subject) ownFolder(c cluster.Command) verdict {
	if s.daemonizes(c) {
		return detached
	}
	return open
}

// brief are programs that end at once whatever they are given.
var brief = []string{
	"echo", "printf", "true", "false", ":", "test", "[", "pwd", "printenv", "date", "whoami", "id", "hostname", "uname", "uptime", "mkdir", "rmdir",
	"ln", "chmod", "chown", "chgrp", "touch", "stat", "readlink", "realpath", "basename", "dirname", "seq", "cd", "export", "set", "unset", "umask",
	"ulimit", "trap", "exit", "return", "which", "type", "expr", "mktemp", "arch", "nproc", "alias", "hash", "local", "readonly", "declare", "shopt", "wait", "shift",
	"kill", "env", "ls", "ps", "tty",
}

// tasks are programs that end when their work is done: copying, installing,
// asking a server once.
var tasks = []string{
	"cp", "mv", "rm", "tar", "gzip", "gunzip", "zip", "unzip", "install", "find", "sed", "grep", "awk", "sort", "uniq", "cut", "tr", "wc", "head", "tee",
	"base64", "md5sum", "sha256sum", "df", "du", "free", "sysctl", "getent", "nslookup", "dig", "curl", "wget", "apk", "apt-get", "apt", "yum", "dnf",
	"microdnf", "update-ca-certificates", "ldconfig", "jq", "yq", "envsubst", "xargs", "pg_isready", "createdb", "dropdb", "pg_dump", "mysqldump", "mongodump",
	"restic", "openssl", "keytool", "ssh-keygen", "iptables", "ip", "modprobe", "diff", "cmp",
}

// verbs are subcommands with which a program ends when its work is done.
var verbs = map[string][]string{
	"kubectl": {"apply", "create", "delete", "get", "describe", "patch", "label", "annotate", "scale", "replace", "config", "version", "cp", "cluster-info", "set", "taint", "cordon", "drain"},
	"helm":    {"install", "upgrade", "uninstall", "repo", "template", "list", "dependency"},
	"git":     {"clone", "pull", "fetch", "checkout", "config", "init", "status", "log"},
	"pip":     {"install"}, "pip3": {"install"}, "npm": {"install", "ci", "i", "--version"}, "yarn": {"install"}, "gem": {"install"},
	"aws": {"s3", "sts", "ecr", "configure"}, "gsutil": {"cp", "rsync", "ls"}, "mc": {"mb", "cp", "alias", "config", "ls", "policy"},
	"terraform": {"init", "plan", "apply"}, "openssl": {"req", "x509", "genrsa", "rand"}, "java": {"-version", "--version"}, "go": {"version", "build", "mod", "get"},
	"nginx": {"-t", "-v", "-V"}, "vault": {"status", "login", "write", "read", "kv"}, "docker": {"ps", "version", "pull", "push", "build"},
	"node": {"-v"}, "python": {"-V"}, "python3": {"-V"},
}

// ends reports a program that ends when its work is done.
func ends(name string, args []cluster.Word) bool {
	has := func(texts ...string) bool {
		return slices.ContainsFunc(args, func(w cluster.Word) bool { return slices.Contains(texts, w.Value) })
	}
	if name == "kubectl" && has("-w", "--watch", "--watch=true", "-f=true") || name == "openssl" && has("s_server") || name == "curl" && has("-N", "--no-buffer") {
		return false
	}
	if slices.Contains(tasks, name) {
		return true
	}
	return len(args) > 0 && slices.Contains(verbs[name], args[0].Value)
}

// interactive are programs that, without arguments, read what somebody types.
var interactive = []string{
	"sh", "bash", "ash", "dash", "ksh", "zsh", "python", "python2", "python3", "pypy", "pypy3", "node", "nodejs", "irb", "jshell", "iex", "ghci", "lua", "perl",
	"julia", "R", "pwsh", "sqlite3", "groovysh", "clojure", "scala", "erl",
}

// reads reports an interpreter without a program, which ends when nobody can
// type: without stdin and tty the kubelet gives it /dev/null.
func (s subject) reads(c cluster.Command) bool {
	name := c.Name()
	if s.ctr.Stdin || s.ctr.TTY || c.Background || c.Piped || s.process.Shell {
		return false
	}
	args := c.Words[1:]
	if name == "php" && len(args) == 1 && args[0].Value == "-a" {
		return true
	}
	return slices.Contains(interactive, name) && !slices.ContainsFunc(args, func(w cluster.Word) bool {
		return !w.Known || !slices.Contains([]string{"-i", "-l", "--login", "-e", "-x", "-u", "--interactive"}, w.Value)
	})
}

// follows reports the options of tail with which it does not end.
func follows(args []cluster.Word) bool {
	return slices.ContainsFunc(args, func(w cluster.Word) bool {
		option := w.Value
		return !w.Known || option == "--follow" || strings.HasPrefix(option, "--follow=") || option == "--retry" ||
			!strings.HasPrefix(option, "--") && strings.HasPrefix(option, "-") && strings.ContainsAny(option, "fF")
	})
}

// sleepSeconds reads the operands of sleep(1); false for a time that is not
// known or without an end.
func sleepSeconds(words []cluster.Word) (int64, bool) {
	units := map[byte]float64{'s': 1, 'm': 60, 'h': 3600, 'd': 24 * 3600}
	var total float64
	for _, w := range words {
		text, unit := w.Value, 1.0
		if n := len(text); n > 0 && units[text[n-1]] > 0 {
			text, unit = text[:n-1], units[text[n-1]]
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !w.Known || !(n >= 0 && n <= 1e9) {
			return 0, false
		}
		total += n * unit
	}
	return int64(total), len(words) > 0
}
