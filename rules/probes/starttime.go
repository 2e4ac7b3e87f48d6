package probes

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

// A startTime is how long a container takes to start, and who says so.
type startTime struct {
	seconds int64
	// certain is true when it cannot answer before.
	certain bool
	// refused is true when refused connections alone kill it too early.
	refused bool
	// because says so for messages.
	because string
	// from is the field that says so, without an object when none does.
	from    cluster.Origin
	message string
	// note is what else is to be known of it.
	note string
}

// longest returns the longest of the times that are past the deadline.
func (s start) longest(times []startTime) (startTime, bool) {
	times = slices.DeleteFunc(times, func(t startTime) bool { return t.seconds <= s.deadline })
	if len(times) == 0 {
		return startTime{}, false
	}
	return slices.MaxFunc(times, func(a, b startTime) int { return cmp.Compare(a.seconds, b.seconds) }), true
}

// stated returns the times that stand somewhere as a number: in another probe,
// in the command, in a variable, in what the image's makers say.
func (s start) stated() []startTime {
	var times []startTime
	for _, of := range []func() (startTime, bool){s.readinessDelay, s.livenessDelay, s.image, s.model, s.granted} {
		if t, ok := of(); ok {
			times = append(times, t)
		}
	}
	if s.asksServer() {
		times = append(times, s.command()...)
	}
	return times
}

// readinessDelay is for how long readiness is not even tried, where it asks
// what the probe asks.
func (s start) readinessDelay() (startTime, bool) {
	r := s.ctr.ReadinessProbe
	if r == nil || !sameQuestion(s.ctr, r.ProbeHandler, s.check.Probe.ProbeHandler) {
		return startTime{}, false
	}
	delay := kubelet.TimingOf(r).InitialDelay
	return startTime{
		seconds: delay,
		because: fmt.Sprintf("readiness asks the same and is not even tried before second %d", delay),
		from:    cluster.Origin{Object: s.ctr.Workload.Object, Path: s.ctr.At(readiness, "initialDelaySeconds")},
		message: "readiness waits longer",
	}, true
}

// sameQuestion reports whether two probes of a container ask the same: a port's
// name is its number.
func sameQuestion(ctr *manifest.Container, a, b corev1.ProbeHandler) bool {
	return reflect.DeepEqual(numbered(ctr, a), numbered(ctr, b))
}

// numbered returns the handler with the number of the port that it names.
func numbered(ctr *manifest.Container, h corev1.ProbeHandler) corev1.ProbeHandler {
	number := func(port intstr.IntOrString) intstr.IntOrString {
		if declared := portNamed(ctr, port.StrVal); port.Type == intstr.String && declared != nil {
			return intstr.FromInt32(declared.ContainerPort)
		}
		return port
	}
	switch {
	case h.HTTPGet != nil:
		get := *h.HTTPGet
		get.Port, get.Scheme = number(get.Port), cmp.Or(get.Scheme, corev1.URISchemeHTTP)
		h.HTTPGet = &get
	case h.TCPSocket != nil:
		socket := *h.TCPSocket
		socket.Port = number(socket.Port)
		h.TCPSocket = &socket
	}
	return h
}

// livenessDelay is for how long liveness is not to be asked, where a startup
// probe goes before it: what granted the start until there was one.
func (s start) livenessDelay() (startTime, bool) {
	if s.field != startup || s.ctr.LivenessProbe == nil {
		return startTime{}, false
	}
	delay := kubelet.TimingOf(s.ctr.LivenessProbe).InitialDelay
	return startTime{
		seconds: delay,
		because: fmt.Sprintf("liveness leaves it alone for its first %d s", delay),
		from:    cluster.Origin{Object: s.ctr.Workload.Object, Path: s.ctr.At(liveness, "initialDelaySeconds")},
		message: "liveness waits longer, but begins only when the startupProbe has succeeded",
	}, true
}

// image is what the image's makers reckon with.
func (s start) image() (startTime, bool) {
	facts := s.Cluster.Image(s.ctr)
	if facts.Startup == nil || s.ctr.Command != nil {
		return startTime{}, false
	}
	seconds := int64(facts.Startup.Seconds)
	because := "the makers of " + facts.Name + " reckon with %d s until it answers"
	t := startTime{seconds: seconds, because: fmt.Sprintf(because, seconds), note: "said at " + facts.Startup.Source}
	slow := s.throttle()
	switch _, ok := jvm.Of(s.Cluster, s.ctr); {
	case !ok || slow.cpus == 0:
		return t, true
	case s.deadline >= int64(jvm.StartCPUSeconds) && slow.seconds(int64(jvm.StartCPUSeconds)) > s.deadline:
		return startTime{}, false // cpu-limit-on-jvm
	}
	seconds = slow.seconds(seconds)
	t.because = fmt.Sprintf(because, seconds)
	return slow.startTime(seconds, t), true
}

// models are the programs that load a model into memory before they answer,
// and how long that takes: the liveness probe of vLLM's own example waits 60 s for
// a small model, and its troubleshooting names killed starts
// (docs.vllm.ai, Deployment, Using Kubernetes).
var models = map[string]int64{"vllm": 60}

func (s start) model() (startTime, bool) {
	for _, c := range s.Cluster.Process(s.ctr).Commands {
		if seconds, ok := models[c.Name()]; ok && !c.Background {
			return startTime{
				seconds: seconds, from: c.Words[0].From, message: "loads the model",
				because: fmt.Sprintf("%s loads a model before it answers, %d s for a small one", c.Name(), seconds),
			}, true
		}
	}
	return startTime{}, false
}

// granted is how long a variable lets the program take to start.
func (s start) granted() (startTime, bool) {
	for _, v := range s.Cluster.Environment(s.ctr).Variables {
		if !v.Known || v.Secret || !grants(v.Name, s.ctr) {
			continue
		}
		seconds, ok := duration(v.Value)
		if ok && seconds > 0 {
			return startTime{
				seconds: seconds, from: v.From, message: "grants a longer start",
				because: fmt.Sprintf("%s lets it take %d s to start", v.Name, seconds),
			}, true
		}
	}
	return startTime{}, false
}

// grants reports a variable whose name says that its seconds are those that the
// program itself may take to start: STARTUP_TIMEOUT, with the container's or
// the image's name before it or not, but not SESSION_STARTUP_TIMEOUT, which is
// about something that the program starts.
func grants(name string, ctr *manifest.Container) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(name, "_SECONDS"), "_SECS")
	own := []string{ctr.Name, ctr.Workload.Name, repository(ctr.Image), "app", "server", "service"}
	return slices.Contains(grantNames, name) || slices.ContainsFunc(own, func(own string) bool {
		rest, ok := strings.CutPrefix(name, strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(own))+"_")
		return ok && slices.Contains(grantNames, rest)
	})
}

var grantNames = []string{"STARTUP_TIMEOUT", "BOOT_TIMEOUT", "STARTUP_WAIT", "STARTUP_GRACE_PERIOD", "STARTUP_DELAY"}

// repository returns the last part of an image's name.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name, _, _ := strings.Cut(path.Base(image), ":")
	return name
}

// duration reads a number of seconds or a duration of Go, which is how the tools
// that wait write theirs, one day at most: a larger number is none of seconds.
func duration(text string) (int64, bool) {
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return int64(f), f >= 0 && f <= 24*3600
	}
	d, err := time.ParseDuration(text)
	return int64(d / time.Second), err == nil && d >= 0 && d <= 24*time.Hour
}

// quick are commands that are over at once and leave nothing running.
var quick = []string{
	"echo", "printf", "mkdir", "cp", "mv", "ln", "rm", "chmod", "chown", "touch", "cat", "sed", "envsubst", "cd", "export", "test", "[", "[[", "date",
	"id", "whoami", "hostname", "env", "ls", "true", ":", "umask", "ulimit", "sleep",
}

// ending are commands that serve nothing: what does was started before.
var ending = []string{"tail", "wait", "cat", "exit", "return", "echo", "true", ":", "read", "sleep", "kill", "trap"}

// command returns what the container's command waits for before it comes to the
// server: what it sleeps, and how long its waiting tools and loops may take.
func (s start) command() []startTime {
	process := s.Cluster.Process(s.ctr)
	if process.ScriptError != "" || len(process.Commands) == 0 {
		return nil
	}
	last := process.Commands[len(process.Commands)-1]
	if last.Repeated || last.Piped || last.Name() == "" || last.Words[0].Secret || slices.Contains(ending, last.Name()) {
		return nil
	}
	var times []startTime
	var sleeps, waits startTime
	idle := true // nothing before may have started the server
	for i, c := range process.Commands {
		if c.Background {
			return nil // it may be the server
		}
		if seconds := cluster.Slept(process.Commands[i : i+1]); seconds > 0 {
			sleeps.seconds += seconds
			sleeps.certain = idle
			sleeps.from, sleeps.message = c.Words[0].From, "sleeps first"
		}
		idle = idle && slices.Contains(quick, c.Name())
		if wait, ok := s.waits(c); ok {
			wait.seconds += waits.seconds
			waits = wait
		}
	}
	if sleeps.seconds > 0 {
		sleeps.because = fmt.Sprintf("its command sleeps %d s before it starts %s", sleeps.seconds, last.Name())
		times = append(times, sleeps)
	}
	if waits.seconds > 0 {
		waits.seconds += sleeps.seconds
		times = append(times, waits)
	}
	return times
}

// A waiter is a program that waits for a server, up to a time that an option
// says, and for how long where none does.
type waiter struct {
	names   []string
	options []string
	seconds int64
	// first is the word that it has to begin with.
	first []string
}

// waiters are those programs, from their manuals:
// https://github.com/vishnubob/wait-for-it, https://github.com/eficode/wait-for,
// https://github.com/jwilder/dockerize, https://github.com/wait4x/wait4x,
// https://kubernetes.io/docs/reference/kubectl/generated/kubectl_wait/
var waiters = []waiter{
	{names: []string{"wait-for-it", "wait-for-it.sh", "wait-for", "wait-for.sh"}, options: []string{"-t", "--timeout"}, seconds: 15},
	{names: []string{"dockerize"}, options: []string{"-timeout", "--timeout"}, seconds: 10},
	{names: []string{"wait4x"}, options: []string{"-t", "--timeout"}, seconds: 10},
	{names: []string{"kubectl"}, options: []string{"--timeout"}, seconds: 30, first: []string{"wait"}},
}

// waits returns how long the command may wait for a server of somebody else's;
// a loop without an end may wait past any deadline.
func (s start) waits(c cluster.Command) (startTime, bool) {
	t := startTime{message: "waits here"}
	if c.Awaited {
		for _, to := range c.Connections(s.Cluster.Environment(s.ctr)) {
			if !to.Word.Secret && !loopback(to.Host) {
				t.seconds, t.from = s.deadline+1, to.Word.From
				t.because = fmt.Sprintf("before it serves, its command waits for %s as long as that takes", to.Host)
				return t, true
			}
		}
		return t, false
	}
	if !c.Certain() || c.Piped {
		return t, false
	}
	for _, w := range waiters {
		words := c.Words[1:]
		if !slices.Contains(w.names, c.Name()) || !startWith(words, w.first) || c.Name() == "dockerize" && !slices.ContainsFunc(words, func(w cluster.Word) bool {
			return strings.HasPrefix(strings.TrimLeft(w.Value, "-"), "wait")
		}) {
			continue
		}
		t.seconds, t.from = w.seconds, c.Words[0].From
		for i, word := range words {
			name, value, joined := strings.Cut(word.Value, "=")
			if !slices.Contains(w.options, name) {
				continue
			}
			if !joined && i+1 < len(words) {
				word, value = words[i+1], words[i+1].Value
			}
			seconds, ok := duration(value)
			if !ok || !word.Known || word.Secret || seconds == 0 {
				return t, false
			}
			t.seconds, t.from = seconds, word.From
		}
		t.because = fmt.Sprintf("before it serves, its command waits up to %d s (%s)", t.seconds, c.Name())
		return t, true
	}
	return t, false
}

// reckoned returns the times that are taken from what the container runs.
func (s start) reckoned(startCPUSeconds float64) []startTime {
	var times []startTime
	if t, ok := s.virtualMachine(int64(math.Ceil(startCPUSeconds))); ok {
		times = append(times, t)
	}
	if t, ok := s.chores(); ok {
		times = append(times, t)
	}
	if t := s.check.Timing; s.field == liveness && t.InitialDelay > crutch && t.FailureThreshold == 1 {
		times = append(times, startTime{
			seconds: s.deadline + 1,
			because: fmt.Sprintf("it gets %d s to start, and the first probe after that is the last (failureThreshold 1)", t.InitialDelay),
		})
	}
	return times
}

// crutch is the initialDelaySeconds above which it can only be meant to wait
// for a slow start.
const crutch = 15

// virtualMachine says how long a service on a JVM takes, where one CPU would not
// be enough for it: else it is for cpu-limit-on-jvm to say.
func (s start) virtualMachine(needed int64) (startTime, bool) {
	machine, ok := jvm.Of(s.Cluster, s.ctr)
	if !ok || needed <= s.deadline {
		return startTime{}, false
	}
	slow := s.throttle()
	seconds := slow.seconds(needed)
	return slow.startTime(seconds, startTime{
		because: fmt.Sprintf("a service on a JVM takes about %d s to start", seconds),
		note:    "taken for a JVM: " + machine.Evidence[0],
	}), true
}

// A throttle is a CPU limit below one CPU: a start that computes takes as much
// longer as it gets less.
type throttle struct {
	cpus  float64 // 0 without such a limit
	limit string
	from  cluster.Origin
}

func (s start) throttle() throttle {
	limit := s.Cluster.CPU(s.ctr).Limit
	if limit == nil {
		return throttle{}
	}
	cpus := limit.V.AsApproximateFloat64()
	if cpus <= 0 || cpus >= 1 {
		return throttle{}
	}
	return throttle{cpus: cpus, limit: limit.V.String(), from: limit.From}
}

// seconds turns seconds of CPU time into seconds of the clock.
func (t throttle) seconds(cpu int64) int64 {
	if t.cpus == 0 {
		return cpu
	}
	return int64(math.Ceil(float64(cpu) / t.cpus))
}

// startTime makes a time of so many seconds that names the CPU limit where
// there is one.
func (t throttle) startTime(seconds int64, of startTime) startTime {
	of.seconds = seconds
	if t.cpus != 0 {
		of.because += " with a CPU limit of " + t.limit
		of.from, of.message = t.from, "the CPU limit"
	}
	return of
}

// instant is how many seconds even a program that starts at once may take to
// listen on a busy node.
const instant = 5

// listening says that the probe gives up before any program is sure to listen:
// until then connections are refused at once, so that timeouts give it nothing.
func (s start) listening() (startTime, bool) {
	refused := s.check.Fails.Earliest
	if refused > instant {
		return startTime{}, false
	}
	t := s.throttle().startTime(instant, startTime{because: fmt.Sprintf("no program is sure to listen within %d s on a busy node", refused)})
	t.refused = true
	return t, true
}

// A chore is what a container does at each start before it serves, or, as a
// server, before it listens.
type chore struct {
	// programs are patterns of path.Match, and words what stands behind, one
	// after the other, any of them.
	programs []string
	words    [][]string
	// serves is true for a command that ends as the server.
	serves bool
	// seconds it is taken to last.
	seconds int64
	because string
}

const (
	migrates = "it migrates a database before it serves, which takes the longer the larger the tables are"
	installs = "it installs packages at each start before it serves, which takes as long as the network likes"
	compiles = "it compiles its program at each start before it serves"
)

// chores are those commands. The seconds are a judgement: what they commonly
// take in a container of one or two CPUs.
var chores = []chore{
	{seconds: 60, because: migrates, words: [][]string{
		{"migrate"}, {"db:migrate"}, {"db:prepare"}, {"db:setup"}, {"migrate:latest"}, {"migration:run"}, {"doctrine:migrations:migrate"},
		{"db", "upgrade"}, {"upgrade", "head"}, {"migrate", "deploy"}, {"db", "push"}, {"ef", "database", "update"}, {"update-database"},
	}},
	{programs: []string{"liquibase"}, words: [][]string{{"update"}}, seconds: 60, because: migrates},
	{programs: []string{"migrate", "goose", "dbmate"}, words: [][]string{{"up"}}, seconds: 60, because: migrates},
	{words: [][]string{{"collectstatic"}, {"assets:precompile"}}, seconds: 30, because: "it gathers its static files at each start before it serves"},
	{programs: []string{"npm", "yarn", "pnpm", "bundle", "composer"}, words: [][]string{{"install"}, {"ci"}}, seconds: 60, because: installs},
	{programs: []string{"pip", "pip3", "pipenv", "poetry", "conda", "mamba", "gem", "apt-get", "apt", "yum", "dnf", "microdnf"},
		words: [][]string{{"install"}}, seconds: 30, because: installs},
	{programs: []string{"python*"}, words: [][]string{{"-m", "pip", "install"}}, seconds: 30, because: installs},
	{programs: []string{"npm", "yarn", "pnpm"}, words: [][]string{{"run", "build"}, {"build"}}, seconds: 60, because: compiles},
	{programs: []string{"mvn", "mvnw", "gradle", "gradlew", "cargo"}, seconds: 60, because: compiles,
		words: [][]string{{"package"}, {"install"}, {"verify"}, {"build"}, {"assemble"}}},
	{programs: []string{"go", "dotnet"}, words: [][]string{{"build"}, {"publish"}, {"restore"}}, seconds: 30, because: compiles},
	{programs: []string{"mvn", "mvnw", "gradle", "gradlew", "sbt", "cargo"}, serves: true, seconds: 60, because: compiles,
		words: [][]string{{"spring-boot:run"}, {"quarkus:dev"}, {"jetty:run"}, {"bootRun"}, {"run"}}},
	{programs: []string{"go"}, words: [][]string{{"run"}}, serves: true, seconds: 30, because: compiles},
	{programs: []string{"dotnet"}, words: [][]string{{"run"}, {"watch"}}, serves: true, seconds: 30, because: compiles},
	{programs: []string{"ng"}, words: [][]string{{"serve"}}, serves: true, seconds: 30, because: compiles},
}

// chores returns the longest of what the container's command does before it
// serves.
func (s start) chores() (startTime, bool) {
	commands := s.Cluster.Process(s.ctr).Commands
	var longest startTime
	for i, c := range commands {
		if c.Background {
			continue
		}
		for _, what := range chores {
			word, ok := what.done(c)
			if ok && what.serves == (i == len(commands)-1) && what.seconds > longest.seconds {
				longest = startTime{seconds: what.seconds, because: what.because, from: word.From, message: "at each start"}
			}
		}
	}
	return longest, longest.seconds > 0
}

// done returns the word with which the command does the chore.
func (what chore) done(c cluster.Command) (cluster.Word, bool) {
	if what.programs != nil && !slices.ContainsFunc(what.programs, func(p string) bool { ok, _ := path.Match(p, c.Name()); return ok }) {
		return cluster.Word{}, false
	}
	for at := 1; at < len(c.Words); at++ {
		for _, words := range what.words {
			if startWith(c.Words[at:], words) {
				return c.Words[at], true
			}
		}
	}
	return cluster.Word{}, false
}

// startWith reports whether the words begin with the texts.
func startWith(words []cluster.Word, texts []string) bool {
	if len(words) < len(texts) {
		return false
	}
	for i, text := range texts {
		if words[i].Value != text {
			return false
		}
	}
	return true
}
