package jvm

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
)

// StartCPUSeconds is the CPU time, in seconds, that a service on a JVM is taken
// to need until it answers, unless something better is known of it. It is a
// judgement from incidents: 3.5 minutes at 200m are 42 seconds of CPU time
// (egovernments/DIGIT-DevOps#4893); more than 20 and less than 30 without a
// limit (redhat-scholars/istio-tutorial#71).
const StartCPUSeconds = 25

// A JVM is the Java virtual machine that a container runs.
type JVM struct {
	// Evidence says why the container is taken to run a JVM, the strongest
	// first: "its command runs java".
	Evidence []string
	// Certain is true when the command or the image says so, false when only
	// names and variables do.
	Certain bool
	// Options are the options that reach the JVM, in the order in which it reads
	// them, and Flags what they set.
	Options []Option
	Flags   Flags
	// Image is what is known of the container's image, and Release the Java in it,
	// zero when it is not known.
	Image   images.Facts
	Release Release
	// Entrypoint is true when the image's own entrypoint starts the JVM, so that
	// the image's default heap is in force.
	Entrypoint bool

	alternative bool // another branch of the script starts another JVM
	// graal is true for an image of GraalVM, a HotSpot that has the flags of its
	// compiler unlocked (jvmci_globals.cpp, EnableJVMCIProduct).
	graal  bool
	absent []Refusal // options whose file is not where they say
}

// Sure reports whether the setting is what the JVM will use: the container runs
// a JVM, the option is sure to reach it, and nothing unknown stands behind it
// that could set it again.
func (j *JVM) Sure(by Option) bool {
	if !j.Certain || by.Convention || j.alternative {
		return false
	}
	return !slices.ContainsFunc(j.Flags.Opaque, func(o Option) bool { return o.position > by.position })
}

// OwnHeap reports whether the JVM is sure to choose its heap itself, as far as no
// option says it: nothing unknown reaches it, and no start script of a known
// program chooses for it.
func (j *JVM) OwnHeap() bool {
	heap := j.Image.Heap
	program := j.Entrypoint && j.Image.IsJVM() && !j.Image.Runtime.JDK && heap == nil
	conventional := slices.ContainsFunc(j.Options, func(o Option) bool { return o.Convention })
	return j.Certain && !program && !conventional && len(j.Flags.Opaque) == 0 && (heap == nil || heap.JVM)
}

// Of returns the JVM that the container's main process is, false when nothing
// says that it is one.
func Of(c *cluster.Cluster, ctr *manifest.Container) (*JVM, bool) {
	j := cluster.Memo(c, jvmOf{ctr}, func() *JVM { return find(c, ctr) })
	return j, j != nil
}

type jvmOf struct{ *manifest.Container }

func find(c *cluster.Cluster, ctr *manifest.Container) *JVM {
	if ctr.Partial {
		return nil
	}
	process := c.Process(ctr)
	d := &detector{ctr: ctr, env: c.Environment(ctr), jvm: &JVM{}}
	d.jvm.Image = c.Image(ctr)
	d.jvm.graal = strings.Contains(ctr.Image, "graal")
	d.jvm.Release, _ = ReleaseOf(ctr.Image, d.jvm.Image)
	launch, launched := launchOf(process)
	if launched {
		d.because("its command runs java", true)
	}
	d.assigned, d.jvm.alternative = launch.assigned, launch.alternative
	d.jvm.Entrypoint = len(ctr.Command) == 0
	if d.jvm.Image.IsJVM() && (d.jvm.Entrypoint || launched || runsProgram(process, d.jvm.Image)) {
		d.because("the image "+path.Base(d.jvm.Image.Name)+" runs on a JVM", true)
	}
	if !launched && other(process, d.jvm.Image) {
		return nil
	}
	d.collect(process, launch, launched)
	d.guess()
	if len(d.jvm.Evidence) == 0 {
		return nil
	}
	d.jvm.Flags = Parse(d.jvm.Options)
	d.jvm.absent = absentFiles(c, ctr, d.jvm.Options, launched && len(process.Commands) <= 1)
	return d.jvm
}

type detector struct {
	ctr      *manifest.Container
	env      cluster.Environment
	assigned []cluster.Variable
	jvm      *JVM
}

func (d *detector) because(evidence string, certain bool) {
	if !slices.Contains(d.jvm.Evidence, evidence) {
		d.jvm.Evidence = append(d.jvm.Evidence, evidence)
	}
	d.jvm.Certain = d.jvm.Certain || certain
}

// A launch is the command line of a JVM.
type launch struct {
	words    []cluster.Word // behind the program
	assigned []cluster.Variable
	// alternative is true when a branch of the script starts another JVM instead.
	alternative bool
}

// launchOf finds the java command of a process: the last one that is sure to be
// run, or else the last. A program that is handed a java command to run it, such
// as an entrypoint script, counts.
func launchOf(p cluster.Process) (launch, bool) {
	commands := p.Commands
	if p.Partial && len(p.Words) > 0 {
		commands = []cluster.Command{{Words: p.Words}}
	}
	var found *launch
	sure := false
	for _, command := range commands {
		at := javaIn(command.Words)
		if at < 0 || slices.ContainsFunc(command.Words[at+1:], asksVersion) {
			continue
		}
		if sure && command.Conditional {
			found.alternative = true
			continue
		}
		sure = sure || !command.Conditional
		found = &launch{words: command.Words[at+1:], assigned: command.Assignments, alternative: found != nil && !sure}
	}
	if found == nil {
		return launch{}, false
	}
	return *found, true
}

// asksVersion reports an option with which the launcher runs no program.
func asksVersion(w cluster.Word) bool {
	return w.Value == "-version" || w.Value == "--version" || w.Value == "-fullversion"
}

// javaIn returns the index of the java launcher in a command, -1 when it runs
// none. Behind another program the word counts only when what follows it is
// shaped like the launcher's arguments ("which java" is not), and the program is
// not one that only speaks of it ("echo java -jar a.jar").
func javaIn(words []cluster.Word) int {
	for i, w := range words {
		if !w.Known || path.Base(w.Value) != "java" {
			continue
		}
		if i == 0 {
			return 0
		}
		if words[0].Known && utilities.MatchString(path.Base(words[0].Value)) {
			return -1
		}
		for _, next := range words[i+1:] {
			if v := next.Value; strings.HasPrefix(v, "-X") || strings.HasPrefix(v, "-D") || v == "-jar" || v == "-cp" || v == "-classpath" || strings.HasSuffix(v, ".jar") {
				return i
			}
		}
	}
	return -1
}

// runsProgram reports whether a command that replaces the image's entrypoint runs
// the image's program rather than a tool in it: what is named as the image is
// ("bin/pulsar bookie"), or looks like a start script.
func runsProgram(p cluster.Process, image images.Facts) bool {
	named := path.Base(image.Name)
	return slices.ContainsFunc(p.Commands, func(c cluster.Command) bool {
		name := c.Name()
		return strings.HasSuffix(name, ".sh") || strings.Contains(name, "start") || strings.Contains(name, "run") ||
			!image.Runtime.JDK && name == named
	})
}

// others are programs that show a container to be something else than a JVM.
var others = regexp.MustCompile(`^(node|npm|npx|yarn|pnpm|python[0-9.]*|gunicorn|uvicorn|celery|flask|ruby|bundle|rails|puma|php|php-fpm|apache2.*|httpd.*|nginx|redis-server|postgres|mysqld|mariadbd|mongod|dotnet|envoy|haproxy|sleep|tail|cat)$`)

// utilities are programs of every image and small clients: a container that
// runs nothing but these waits for something or prepares it.
var utilities = regexp.MustCompile(`^(\[|test|true|false|:|exit|trap|wait|cd|umask|ulimit|echo|printf|printenv|` +
	`cat|cp|mv|rm|ln|ls|mkdir|rmdir|touch|chmod|chown|chgrp|install|rsync|find|grep|egrep|sed|awk|cut|tr|sort|head|tail|wc|tee|jq|yq|envsubst|` +
	`sleep|date|id|whoami|hostname|kill|pgrep|pidof|ps|sysctl|mount|tar|gzip|gunzip|unzip|zip|openssl|keytool|update-ca-certificates|` +
	`nc|ncat|netcat|telnet|curl|wget|nslookup|dig|getent|host|ping|git|kubectl|helm|aws|gsutil|az|` +
	`psql|pg_isready|pg_dump|pg_restore|mysql|mysqladmin|mysqldump|redis-cli|mongo|mongosh)$`)

// other reports whether the container is known to run something else.
func other(p cluster.Process, facts images.Facts) bool {
	if facts.Runtime != nil && !facts.IsJVM() {
		return true
	}
	if len(p.Commands) > 0 && !slices.ContainsFunc(p.Commands, func(c cluster.Command) bool { return !utilities.MatchString(c.Name()) }) {
		return true
	}
	for _, c := range slices.Backward(p.Commands) {
		if !c.Conditional && !c.Background {
			return others.MatchString(c.Name())
		}
	}
	return false
}

// collect gathers the options in the JVM's order of reading: JAVA_TOOL_OPTIONS,
// JDK_JAVA_OPTIONS (by the launcher of Java 9 and later, in front of its command
// line), the command line, _JAVA_OPTIONS (arguments.cpp, Arguments::parse;
// libjli/args.c).
func (d *detector) collect(p cluster.Process, l launch, launched bool) {
	d.variable("JAVA_TOOL_OPTIONS")
	d.variable("JDK_JAVA_OPTIONS")
	if launched {
		d.commandLine(l.words)
	} else {
		switch {
		case len(d.jvm.Image.Options) > 0:
			for _, o := range d.jvm.Image.Options {
				d.imageOption(o)
			}
		case !d.jvm.Image.IsJVM() || d.jvm.Image.Runtime.JDK:
			d.convention()
		}
		d.arguments(p)
	}
	d.variable("_JAVA_OPTIONS")
}

// lookup returns a variable as the JVM's process has it: what the script exports
// replaces what the kubelet set.
func (d *detector) lookup(name string) (cluster.Variable, bool) {
	for _, v := range slices.Backward(d.assigned) {
		if v.Name == name {
			return v, true
		}
	}
	return d.env.Lookup(name)
}

// variable adds the options of a variable that the JVM itself reads. Written for
// this container it says that there is a JVM; a shared ConfigMap may give it to
// all containers.
func (d *detector) variable(name string) {
	v, ok := d.lookup(name)
	if !ok {
		return
	}
	d.because(name+" is set", v.From.Object == d.ctr.Workload.Object)
	d.add(v, false)
}

func (d *detector) add(v cluster.Variable, convention bool) {
	if !v.Known {
		d.jvm.Options = append(d.jvm.Options, Option{Carrier: v.Name, Convention: convention, Secret: v.Secret, From: v.From})
		return
	}
	for _, text := range split(v.Value) {
		from := v.From
		if text != v.Value {
			from.Within = text
		}
		d.jvm.Options = append(d.jvm.Options, Option{
			Text: unquote(text), Known: true, Secret: v.Secret, Carrier: v.Name, Convention: convention, From: from,
		})
	}
}

// imageOption adds what a variable that the image's start script reads makes of
// the JVM's command line.
func (d *detector) imageOption(o images.Option) {
	v, ok := d.lookup(o.Name)
	if !ok {
		return
	}
	d.because(o.Name+" is set", false)
	switch {
	case o.Form == images.Flags || !v.Known:
		d.add(v, false)
	default:
		text := "-Xmx" + strings.TrimSpace(v.Value)
		if o.Form == images.Megabytes {
			text += "m"
		}
		d.jvm.Options = append(d.jvm.Options, Option{
			Text: text, Known: true, Secret: v.Secret, Carrier: v.Name, From: v.From, Bare: strings.TrimSpace(v.Value),
		})
	}
}

// heapFlag matches the options that only a JVM, or a native image made of Java,
// takes.
var heapFlag = regexp.MustCompile(`^(-Xm[xsn][0-9]+[kKmMgGtT]?|-Xss[0-9]+[kKmMgG]?|-XX:[+-]?[A-Z][A-Za-z0-9]+(=.*)?)$`)

// carrier matches the names by which start scripts take options for their JVM.
// Those of build tools and clients run no server.
var (
	carrier = regexp.MustCompile(`(JAVA|JVM|JDK|HEAP|CATALINA)|_OPTS$|_OPTIONS$|_ARGS$`)
	tools   = regexp.MustCompile(`^(MAVEN|MVN|GRADLE|SBT|ANT|LEIN|SCALA|KOTLIN)_|CLIENT_|_CLI_|^(JAVA_TOOL|JDK_JAVA|_JAVA)_OPTIONS$`)
)

// convention adds the options of the one variable that, by its name and value,
// is meant for the JVM of a start script nobody here can read. JAVA_OPTS comes
// before all others; where several others say different things it is unknown
// which of them counts, and none does.
func (d *detector) convention() {
	var found []cluster.Variable
	for _, v := range d.env.Variables {
		if v.Known && carrier.MatchString(v.Name) && !tools.MatchString(v.Name) && slices.ContainsFunc(split(v.Value), heapFlag.MatchString) {
			d.because(v.Name+" holds JVM options", false)
			found = append(found, v)
		}
	}
	heaps := map[string]bool{}
	for _, v := range found {
		for _, text := range split(v.Value) {
			if strings.HasPrefix(text, "-Xmx") || strings.HasPrefix(text, "-XX:Max") {
				heaps[text] = true
			}
		}
	}
	for _, name := range []string{"JAVA_OPTS", "JAVA_OPTIONS", "JVM_OPTS", "JAVA_OPTS_APPEND"} {
		for _, v := range found {
			if v.Name == name {
				d.add(v, true)
				return
			}
		}
	}
	if len(found) == 1 || len(heaps) == 1 {
		for _, v := range found {
			d.add(v, true)
		}
	}
}

// commandLine adds the launcher's options, which end at the main class, -jar or
// a module.
func (d *detector) commandLine(words []cluster.Word) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case !w.Known:
			d.word(w)
		case w.Value == "-jar" || w.Value == "-m" || w.Value == "--module" || w.Value == "--source":
			return
		case w.Value == "-cp" || w.Value == "-classpath" || w.Value == "--class-path" || w.Value == "-p" || w.Value == "--module-path" ||
			w.Value == "--add-modules" || w.Value == "--add-opens" || w.Value == "--add-exports" || w.Value == "--add-reads" ||
			w.Value == "--limit-modules" || w.Value == "--upgrade-module-path" || w.Value == "--patch-module":
			i++
		case strings.HasPrefix(w.Value, "-") || strings.HasPrefix(w.Value, "@"):
			d.word(w)
		default:
			return
		}
	}
}

// arguments adds the JVM options among the words of a program that is not the
// java launcher: native images take -Xmx too, and so do many start scripts.
func (d *detector) arguments(p cluster.Process) {
	commands := p.Commands
	if p.Partial {
		commands = []cluster.Command{{Words: p.Words}}
	}
	for _, c := range commands {
		if !p.Partial && utilities.MatchString(c.Name()) {
			continue
		}
		for i, w := range c.Words {
			if (i > 0 || p.Partial) && w.Known && heapFlag.MatchString(w.Value) {
				d.because("it is started with "+d.show(w), true)
				d.word(w)
			}
		}
	}
}

func (d *detector) show(w cluster.Word) string {
	if w.Secret {
		return "a JVM option"
	}
	return w.Value
}

func (d *detector) word(w cluster.Word) {
	d.jvm.Options = append(d.jvm.Options, Option{Text: w.Value, Known: w.Known, Secret: w.Secret, From: w.From})
}

// named matches images whose names say Java.
var named = regexp.MustCompile(`(^|[/._-])(java|openjdk|jdk|jre|spring|springboot|tomcat|quarkus|wildfly)[0-9]*([/._:-]|$)`)

// guess adds what names suggest.
func (d *detector) guess() {
	ctr := d.ctr
	for _, v := range d.env.Variables {
		// A shared ConfigMap gives it to the database as well.
		if strings.HasPrefix(v.Name, "SPRING_") && v.From.Object == ctr.Workload.Object {
			d.because("it is configured by "+v.Name, false)
			break
		}
	}
	if named.MatchString(ctr.Image) && !d.jvm.Image.IsJVM() {
		d.because("its image is "+ctr.Image, false)
	}
	if _, ok := d.env.Lookup("JAVA_OPTS"); ok && len(d.jvm.Evidence) == 0 {
		d.because("JAVA_OPTS is set", false)
	}
}

// split cuts a variable into options at blanks outside quotes, as the JVM does
// with JAVA_TOOL_OPTIONS (arguments.cpp, parse_options_buffer). The quotes stay,
// so that the parts can be found in the text.
func split(s string) []string {
	var out []string
	start, quote := -1, byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f':
			if start >= 0 {
				out = append(out, s[start:i])
				start = -1
			}
			continue
		case c == '"' || c == '\'':
			quote = c
		}
		if start < 0 {
			start = i
		}
	}
	if start >= 0 {
		out = append(out, s[start:])
	}
	return out
}

func unquote(s string) string {
	if !strings.ContainsAny(s, `"'`) {
		return s
	}
	var b strings.Builder
	quote := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
