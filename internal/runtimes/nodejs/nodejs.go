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
	// Sure is false when something that the files do not show may set it again.
	Sure bool
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
	p := &Process{Sure: true}
	process := c.Process(ctr)
	command, launched := commandOf(process)
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
		// "docker-entrypoint.sh node app.js" runs it, "which node" does not.
		if at < 0 || at > 0 && (at == len(c.Words)-1 || !strings.HasSuffix(c.Name(), ".sh")) && !p.Partial || sure && c.Conditional {
			continue
		}
		sure = sure || !c.Conditional
		found, ok = c, true
		found.Words = c.Words[at:]
	}
	return found, ok
}

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
// InitializeNodeWithArgs): words between spaces, double quotes around a word.
func (p *Process) variable(v cluster.Variable) {
	if !v.Known {
		p.Sure = false
		return
	}
	for word := range strings.FieldsSeq(v.Value) {
		p.read(Option{Text: strings.Trim(word, `"`), Secret: v.Secret, Carrier: v.Name, From: v.From})
	}
}

// withValue are the options of node whose value is a word of its own.
var withValue = map[string]bool{
	"-r": true, "--require": true, "--import": true, "--loader": true, "--experimental-loader": true, "-C": true, "--conditions": true,
}

// commandLine reads the options in front of the program.
func (p *Process) commandLine(words []cluster.Word) {
	if name := path.Base(words[0].Value); name != "node" && name != "nodejs" {
		return
	}
	for i := 1; i < len(words); i++ {
		switch w := words[i]; {
		case !w.Known:
			p.Sure = false
		case withValue[w.Value]:
			i++
		case !strings.HasPrefix(w.Value, "-") || w.Value == "-" || w.Value == "--":
			return
		default:
			p.read(Option{Text: w.Value, Secret: w.Secret, From: w.From})
		}
	}
}

// maxOldSpace matches the option in MiB. V8 takes _ for - in the names of its
// flags (flags.cc, NormalizeChar), and 0 for its own default.
var maxOldSpace = regexp.MustCompile(`^--max[-_]old[-_]space[-_]size=([0-9]{1,12})$`)

// read takes an option; the last one of a name counts.
func (p *Process) read(o Option) {
	m := maxOldSpace.FindStringSubmatch(o.Text)
	if m == nil {
		return
	}
	n, _ := strconv.ParseUint(m[1], 10, 64) // the pattern holds digits
	if p.OldSpace, p.By = n*mega, &o; n == 0 {
		p.By = nil
	}
}
