// Package nodejs says how large a heap Node.js would let V8 grow.
package nodejs

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
)

const mega = 1 << 20

// Young is the most that the young generation takes beside the old one: three
// semi-spaces of 16 MiB (V8's heap.cc, YoungGenerationSizeFromSemiSpaceSize; Node
// 20 reports --max-old-space-size and 48 MiB as its heap_size_limit).
const Young = 48 * mega

// Base is what an idle Node.js has resident beside its heap: code, stacks, the
// binary's own data. Node 20 that only waits has about 40 MiB.
const Base = 40 * mega

// An Option is an option that reaches Node.js.
type Option struct {
	// Text is the option as written.
	Text string
	// Secret is true when it comes from a Secret and may not be printed.
	Secret bool
	// Carrier is the variable that carries the option, empty for the command
	// line.
	Carrier string
	From    cluster.Origin
}

// String returns the option as a person would find it in the files. What comes
// from a Secret is only named.
func (o Option) String() string {
	if o.Secret {
		return "an option from a Secret"
	}
	return o.Text
}

// A Process is the Node.js that a container runs.
type Process struct {
	// Evidence says why the container is taken to run Node.js.
	Evidence []string
	// Certain is true when the command, the image or a variable of this container
	// says so.
	Certain bool
	// OldSpace is what --max-old-space-size sets, in bytes, and By the option; nil
	// when nothing does.
	OldSpace uint64
	By       *Option
	// Sure is false when something that the files do not show may set it again, or
	// when the script may not come to run this command.
	Sure bool
	// Refused are the options that it does not start with, in the order in which it
	// comes upon them: it stops at the first.
	Refused []Refusal
	// Release is the release of Node.js in the image, zero when it is not known.
	Release Release
}

// Of returns the Node.js that the container's main process is, false when nothing
// says that it is one.
func Of(c *cluster.Cluster, ctr *manifest.Container) (*Process, bool) {
	p := cluster.Memo(c, processOf{ctr}, func() *Process { return find(c, ctr) })
	return p, p != nil
}

type processOf struct{ *manifest.Container }

// launchers are the programs that run Node.js, itself or in a child that has the
// same environment.
var launchers = regexp.MustCompile(`^(node|nodejs|npm|npx|yarn|yarnpkg|pnpm|next|nest|nuxt|pm2|pm2-runtime|ts-node|tsx|nodemon)$`)

func find(c *cluster.Cluster, ctr *manifest.Container) *Process {
	if ctr.Partial {
		return nil
	}
	process := c.Process(ctr)
	command, launched := commandOf(process)
	p := &Process{Sure: !command.Conditional, Release: ReleaseOf(ctr.Image, c.Image(ctr))}
	if launched {
		p.because("its command runs Node.js", true)
	}
	if facts := c.Image(ctr); facts.Runtime != nil {
		switch {
		case facts.Runtime.Name == "node" && len(process.Commands) == 0:
			p.because("the image "+path.Base(facts.Name)+" runs Node.js", true)
		case facts.Runtime.Name != "node" && !launched:
			return nil
		}
	}
	if !launched && len(process.Commands) > 0 && !slices.ContainsFunc(process.Commands, startsScript) {
		return nil // something else is run
	}
	options, ok := lookup(c.Environment(ctr), command, "NODE_OPTIONS")
	if ok {
		// A shared ConfigMap gives it to the database as well.
		p.because("NODE_OPTIONS is set", options.From.Object == ctr.Workload.Object)
		p.variable(options)
	}
	if launched {
		p.commandLine(command.Words)
	}
	// Programs on Node.js read it, and so do build tools of others.
	if v, ok := c.Environment(ctr).Lookup("NODE_ENV"); ok && v.From.Object == ctr.Workload.Object && len(p.Evidence) == 0 {
		p.because("NODE_ENV is set", false)
	}
	if len(p.Evidence) == 0 {
		return nil
	}
	return p
}

func (p *Process) because(evidence string, certain bool) {
	p.Evidence = append(p.Evidence, evidence)
	p.Certain = p.Certain || certain
}

// commandOf returns the command of the process that runs Node.js: the last that
// is sure to be run, or else the last.
func commandOf(p cluster.Process) (found cluster.Command, ok bool) {
	commands := p.Commands
	if p.Partial && len(p.Words) > 0 {
		commands = []cluster.Command{{Words: p.Words}}
	}
	sure := false
	for _, c := range commands {
		at := slices.IndexFunc(c.Words, func(w cluster.Word) bool { return w.Known && launchers.MatchString(path.Base(w.Value)) })
		if at < 0 || sure && c.Conditional {
			continue
		}
		// "docker-entrypoint.sh node app.js" runs it; "which node" does not, nor does a
		// driver of storage whose args begin with its subcommand "node".
		if handed := at > 0 || p.Partial; handed && !runsHere(c.Words[at:]) || at > 0 && !p.Partial && !strings.HasSuffix(c.Name(), ".sh") {
			continue
		}
		sure = sure || !c.Conditional
		found, ok = c, true
		found.Words = c.Words[at:]
	}
	return found, ok
}

// runsHere reports whether words that are handed to a program nobody here can see
// are a command line of Node.js: node with a script or an option of its own, or
// another launcher with anything.
func runsHere(words []cluster.Word) bool {
	if name := path.Base(words[0].Value); name != "node" && name != "nodejs" {
		return len(words) > 1
	}
	return slices.ContainsFunc(words[1:], func(w cluster.Word) bool {
		name, _, _ := nameOf(w.Value)
		_, option := specs[name] // "-v" is everybody's
		return option && (strings.HasPrefix(name, "--") || name == "-r") || scripts.MatchString(w.Value)
	})
}

var scripts = regexp.MustCompile(`\.[cm]?[jt]s$`)

// startsScript reports whether the command may be a start script of the image.
func startsScript(c cluster.Command) bool {
	return strings.HasSuffix(c.Name(), ".sh") || strings.Contains(c.Name(), "start") || strings.Contains(c.Name(), "run")
}

// lookup returns a variable as the process has it: what the script sets replaces
// what the kubelet set.
func lookup(env cluster.Environment, c cluster.Command, name string) (cluster.Variable, bool) {
	for _, v := range slices.Backward(c.Assignments) {
		if v.Name == name {
			return v, true
		}
	}
	return env.Lookup(name)
}

// variable reads NODE_OPTIONS, which comes before the command line (node.cc,
// InitializeNodeWithArgs).
func (p *Process) variable(v cluster.Variable) {
	if !v.Known {
		p.Sure = false
		return
	}
	words, fault := split(v.Value)
	option := func(w word) Option {
		o := Option{Text: w.text, Secret: v.Secret, Carrier: v.Name, From: v.From}
		if w.raw != v.Value {
			o.From.Within = w.raw
		}
		return o
	}
	if fault != "" {
		p.refuse(option(word{v.Value, v.Value}), v.Value, "", "NODE_OPTIONS as a whole is an %s", fault)
		return
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		// What follows a word that is no option is passed over.
		if len(w.text) < 2 || w.text[0] != '-' {
			return
		}
		t := taken{Option: option(w), written: w.raw, env: true}
		if i+1 < len(words) {
			t.next = words[i+1].text
		}
		if p.take(t) {
			i++
		}
	}
}

// take takes an option apart, and reports whether the next word is its value.
func (p *Process) take(t taken) (two bool) {
	t.name, t.value, t.assigned = nameOf(t.Text)
	t.spec, t.known = specs[t.name]
	if t.spec.value && !t.assigned && t.next != "" && t.next[0] != '-' {
		t.value, two = t.next, true
		t.written = "" // to take it away is to take its value away
	}
	p.judge(t)
	p.read(t)
	return two
}

// commandLine reads the options in front of the program.
func (p *Process) commandLine(words []cluster.Word) {
	if name := path.Base(words[0].Value); name != "node" && name != "nodejs" {
		return
	}
	for i := 1; i < len(words); i++ {
		w := words[i]
		t := taken{Option: Option{Text: w.Value, Secret: w.Secret, From: w.From}, written: w.Value}
		switch {
		case !w.Known:
			p.Sure = false
			continue
		case len(w.Value) > 2 && (w.Value[0] == '"' || w.Value[0] == '\'') && w.Value[1] == '-':
			p.refuse(t.Option, w.Value, strings.Trim(w.Value, `"'`), "the quotes are part of it, so that it is taken for the program")
			p.exitsWith(1)
			return
		case len(w.Value) < 2 || w.Value[0] != '-' || w.Value == "--" || stops[w.Value]:
			return
		case w.Value[1] != '-' && len(w.Value) > 3:
			t.Text = "-" + w.Value // V8 takes a single dash as well
		}
		if i+1 < len(words) {
			if t.next = words[i+1].Value; !words[i+1].Known {
				t.next = "unknown"
			}
		}
		if p.take(t) {
			i++
		}
	}
}

// stops are the options behind which a word is not sure to be an option.
var stops = map[string]bool{"-p": true, "--print": true, "--run": true}

// read takes over what the option says of the heap; the last one of a name counts,
// and 0 stands for V8's own default.
func (p *Process) read(t taken) {
	switch t.name {
	case "--max-heap-size", "--max-old-space-size-percentage":
		p.Sure = false // older releases refuse them
	case "--max-old-space-size":
		n, err := strconv.ParseUint(strings.TrimLeft(t.value, " +"), 10, 40)
		if err != nil {
			return
		}
		by := t.Option
		if p.OldSpace, p.By = n*mega, &by; n == 0 {
			p.By = nil
		}
	}
}
