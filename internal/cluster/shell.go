package cluster

import (
	"maps"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/crashlint/crashlint/internal/manifest"
)

const (
	// maxScript bounds the scripts that are parsed: the parser recurses.
	maxScript = 64 << 10
	// maxSteps bounds what one script may unfold to through functions, eval and
	// nested shells.
	maxSteps = 5000
	// maxWords bounds the words of a command, and maxRoom the bytes of all words:
	// both double with each "$@" "$@" and A=$A$A.
	maxWords = 1000
	maxRoom  = 16 << 20
	// maxPattern bounds the bytes of a value of which parts are replaced, which may
	// square it.
	maxPattern = 4 << 10
	// maxNesting bounds functions calling functions and shells starting shells.
	maxNesting = 16
)

// interpret fills in Shell, ScriptError and Commands from Words.
func (c *Cluster) interpret(p *Process, ctr *manifest.Container, env Environment) {
	in := &interpreter{
		process: p, functions: map[string]*function{}, awaited: map[*syntax.CallExpr]bool{}, steps: maxSteps, room: maxRoom,
		mounted: func(file string) (string, Origin, bool) { return c.mountedFile(ctr, file) },
	}
	in.run(p.Words, nil, &scope{env: env, vars: map[string]shellVariable{}}, mode{last: true})
}

// An interpreter follows a shell script without running anything: it keeps
// track of the variables whose values are constant and collects the commands.
type interpreter struct {
	process   *Process
	mounted   func(file string) (string, Origin, bool)
	functions map[string]*function
	// awaited are the commands that a loop waits for, see awaitedBy.
	awaited map[*syntax.CallExpr]bool
	// steps and room are what is left of maxSteps and maxRoom.
	steps, room int
	nesting     int
}

// A script is a text under interpretation.
type script struct {
	text string
	from Origin
	// secret is true when a Secret's value went into the text: then one goes
	// into every word of it.
	secret bool
	// errexit is true for a script that the shell runs with -e.
	errexit bool
}

// at returns where a piece of the script is written. A piece that spans lines
// is not spelt out as one in YAML, so only its scalar is named.
func (s script) at(n syntax.Node) Origin {
	return within(s.from, s.slice(n))
}

// slice returns the text of a node.
func (s script) slice(n syntax.Node) string {
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	if from > to || to > len(s.text) {
		return ""
	}
	return s.text[from:to]
}

func within(o Origin, part string) Origin {
	if part == "" || strings.ContainsAny(part, "\r\n") {
		return o
	}
	o.Within = part
	return o
}

type function struct {
	body   *syntax.Stmt
	script script
	active bool
}

// A mode is what is known of the way a command is come to.
type mode struct {
	background, exec, conditional, repeated, awaited, forever, piped bool
	// last is true where the shell ends with the status of what is run, exempt
	// where -e does not heed it.
	last, exempt bool
}

func (m mode) branch() mode { m.conditional = true; return m }

// guard is the mode of a command in front of &&: -e does not heed it, but
// where it fails and nothing else is run, its status is the list's.
func (m mode) guard() mode { m.exempt = true; return m }

// read is the mode of a command whose output another one reads.
func (m mode) read() mode { m = m.ignored(); m.piped = true; return m }

// ignored is the mode of a command whose failure the shell does not mind: in a
// condition, in front of || and |, behind !, in the background
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html, set -e).
func (m mode) ignored() mode { m.last, m.exempt = false, true; return m }

type shellVariable struct {
	Variable
	exported bool
}

// A scope is the state of a shell at one point of its script.
type scope struct {
	// env is what the shell was started with.
	env Environment
	// vars are the variables that the script has touched.
	vars map[string]shellVariable
	// args are $0 and the positional parameters; nil when they are not known.
	args []Word
	// open is true once something that the files do not show may have set any
	// variable.
	open bool
	// allExport is set -a, errexit set -e.
	allExport, errexit bool
	// ended is true behind an unconditional exit, exec or return, failed too where
	// that was an exit with an error, and returned where it was a return.
	ended, failed, returned bool
	// doubtful is true behind a branch that may have ended all well: what
	// follows may not be come to.
	doubtful bool
}

func (sc *scope) clone() *scope {
	out := *sc
	out.vars = maps.Clone(sc.vars)
	return &out
}

// merge takes in the state behind a branch that may have been run: what it
// changed is no longer known.
func (sc *scope) merge(branch *scope) {
	sc.open = sc.open || branch.open
	sc.doubtful = sc.doubtful || branch.doubtful || branch.ended && !branch.failed
	for name, after := range branch.vars {
		before, ok := sc.vars[name]
		if ok && before.Known == after.Known && before.Value == after.Value && before.exported == after.exported {
			continue
		}
		after.Known, after.Value = false, ""
		sc.vars[name] = after
	}
}

// goOn takes back a return.
func (sc *scope) goOn() {
	sc.ended, sc.returned = sc.ended && !sc.returned, false
}

// forget declares that the variables may hold anything now.
func (sc *scope) forget(names ...string) {
	for _, name := range names {
		v := sc.vars[name]
		_, inherited := sc.env.Lookup(name)
		v.Name, v.Known, v.Value = name, false, ""
		v.exported = v.exported || inherited
		sc.vars[name] = v
	}
}

// forgetAll declares that any variable may hold anything now.
func (sc *scope) forgetAll() {
	sc.open = true
	for name := range sc.vars {
		sc.forget(name)
	}
	for _, v := range sc.env.Variables {
		sc.forget(v.Name)
	}
}

// lookup returns a variable; the second result is false when nothing that the
// files show sets it.
func (sc *scope) lookup(name string) (Variable, bool) {
	if v, ok := sc.vars[name]; ok {
		return v.Variable, true
	}
	if sc.open {
		return Variable{Name: name}, true
	}
	if v, ok := sc.env.Lookup(name); ok {
		return v, true
	}
	return Variable{Name: name}, sc.env.Open
}

func (sc *scope) assign(v Variable, export bool) {
	old, ok := sc.vars[v.Name]
	_, inherited := sc.env.Lookup(v.Name)
	// A variable that came with the environment stays exported.
	sc.vars[v.Name] = shellVariable{v, export || sc.allExport || ok && old.exported || inherited}
}

// exported returns the variables that the script has put into the environment
// of what it starts, in the order of their names, and then those of the command.
func (sc *scope) exported(own []Variable) []Variable {
	var out []Variable
	for _, name := range slices.Sorted(maps.Keys(sc.vars)) {
		if v := sc.vars[name]; v.exported {
			out = append(out, v.Variable)
		}
	}
	return append(out, own...)
}

// run takes wrappers off an argument vector and follows the shell or notes the
// command that is left.
func (in *interpreter) run(words []Word, own []Variable, sc *scope, m mode) {
	in.nesting++
	defer func() { in.nesting-- }()
	for in.nesting <= maxNesting && len(words) > 0 && words[0].Known {
		name := path.Base(words[0].Value)
		if shells[name] && in.shell(words, own, sc, m) || (name == "su" || name == "runuser") && in.su(words, own, sc, m) {
			return
		}
		if len(words) > 1 && entrypoints[name] && words[1].Known && shells[path.Base(words[1].Value)] {
			words = words[1:]
			continue
		}
		if w, ok := wrappers[name]; ok {
			rest, assigned, ok := w.unwrap(words)
			if !ok || len(rest) == 0 {
				break
			}
			words, own = rest, append(own, assigned...)
			continue
		}
		if in.scriptFile("", words, own, sc, m, false) {
			return
		}
		break
	}
	if len(words) == 0 {
		return
	}
	in.process.Commands = append(in.process.Commands, Command{
		Assignments: sc.exported(own), Words: words,
		Background: m.background, Exec: m.exec, Conditional: m.conditional,
		Repeated: m.repeated, Awaited: m.awaited, Forever: m.forever, Piped: m.piped, Fatal: m.last || sc.errexit && !m.exempt,
	})
}

var shells = map[string]bool{"sh": true, "bash": true, "ash": true, "dash": true, "ksh": true, "mksh": true}

// entrypoints are the usual names of start scripts of images. Given a shell they
// run it in their place, with exec "$@", whatever else they do
// (https://github.com/docker-library/official-images#consistency).
var entrypoints = map[string]bool{"docker-entrypoint.sh": true, "docker-entrypoint": true, "entrypoint.sh": true, "entrypoint": true}

// shell follows `sh [options] -c script [name [args]]` and `sh file [args]`; it
// returns false for a shell whose script the files do not show.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html
func (in *interpreter) shell(words []Word, own []Variable, sc *scope, m mode) bool {
	command, errexit := false, false
	i := 1
options:
	for ; i < len(words) && words[i].Known; i++ {
		o := words[i].Value
		switch {
		case o == "--" || o == "-":
			i++
			break options
		case len(o) < 2 || o[0] != '-' && o[0] != '+':
			break options
		case strings.HasPrefix(o, "--"):
			if o == "--rcfile" || o == "--init-file" {
				i++
			}
		default:
			command = command || o[0] == '-' && strings.Contains(o, "c")
			errexit = errexit || o[0] == '-' && strings.Contains(o, "e")
			if strings.ContainsAny(o, "oO") {
				i++ // the option's name
			}
		}
	}
	if i >= len(words) {
		return false
	}
	if !command {
		return in.scriptFile(path.Base(words[0].Value), words[i:], own, sc, m, errexit)
	}
	s := script{text: words[i].Value, from: words[i].From, secret: words[i].Secret, errexit: errexit}
	args := words[i+1:]
	if len(args) == 0 {
		args = words[:1] // $0 is the shell then
	}
	in.subshell(s, args, own, sc, m)
	return true
}

// su follows `su [-] [user] -c script`; it returns false without a script. A
// login shell starts with an environment of its own (su(1)).
func (in *interpreter) su(words []Word, own []Variable, sc *scope, m mode) bool {
	var s script
	given := false
	for i := 1; i < len(words); i++ {
		switch o := words[i].Value; {
		case !words[i].Known:
			return false
		case (o == "-c" || o == "--command") && i+1 < len(words) && words[i+1].Known:
			i++
			s, given = script{text: words[i].Value, from: words[i].From, secret: words[i].Secret}, true
		case o == "-" || o == "-l" || o == "--login":
			sc = sc.clone()
			sc.forgetAll()
		}
	}
	if given {
		in.subshell(s, nil, own, sc, m)
	}
	return given
}

// scriptFile follows a shell script that a ConfigMap puts into the container.
// shell is what is given it to read, empty when it is run by its own name;
// errexit is true when it is run with -e.
func (in *interpreter) scriptFile(shell string, words []Word, own []Variable, sc *scope, m mode, errexit bool) bool {
	if len(words) == 0 || !words[0].Known || !strings.Contains(words[0].Value, "/") {
		return false
	}
	text, from, ok := in.mounted(words[0].Value)
	if !ok {
		return false
	}
	if line, _, _ := strings.Cut(text, "\n"); strings.HasPrefix(line, "#!") {
		fields := strings.Fields(strings.TrimPrefix(line, "#!"))
		if len(fields) > 1 && path.Base(fields[0]) == "env" {
			fields = fields[1:]
		}
		if len(fields) == 0 || !shells[path.Base(fields[0])] {
			return false
		}
	}
	in.process.Scripts = append(in.process.Scripts, Script{
		Word: words[0], Text: text, From: from, Shell: shell,
		Conditional: m.conditional || m.repeated, Fatal: m.last || sc.errexit && !m.exempt,
	})
	in.subshell(script{text: text, from: from, errexit: errexit}, words, own, sc, m)
	return true
}

// subshell follows a script in a shell of its own, which inherits the exported
// variables.
func (in *interpreter) subshell(s script, args []Word, own []Variable, sc *scope, m mode) {
	in.process.Shell = true
	inner := &scope{env: sc.env, vars: map[string]shellVariable{}, open: sc.open, args: args, errexit: s.errexit}
	for _, v := range sc.exported(own) {
		inner.vars[v.Name] = shellVariable{v, true}
	}
	outer := in.functions
	in.functions = map[string]*function{}
	heeded := m.last || sc.errexit && !m.exempt
	in.text(s, inner, mode{
		background: m.background, conditional: m.conditional, repeated: m.repeated, forever: m.forever, last: heeded, exempt: !heeded,
	})
	in.functions = outer
}

// text parses a script and follows its statements up to the first that the
// parser refuses, as a shell would.
func (in *interpreter) text(s script, sc *scope, m mode) {
	if len(s.text) > maxScript {
		in.process.ScriptError = "the script is too long to be read"
		sc.forgetAll()
		return
	}
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	failed := false
	var list []*syntax.Stmt
	for stmt, err := range parser.StmtsSeq(strings.NewReader(s.text)) {
		// No return in this loop: v3.14.1 may go on behind an error and panics
		// when nobody listens any more (0&0\x9e).
		failed = failed || err != nil
		if err != nil && in.process.ScriptError == "" {
			in.process.ScriptError = err.Error()
			if s.secret {
				in.process.ScriptError = "the script cannot be parsed"
			}
		}
		if !failed {
			list = append(list, stmt)
		}
	}
	in.stmts(s, list, sc, m)
}

func (in *interpreter) stmts(s script, list []*syntax.Stmt, sc *scope, m mode) {
	for i, stmt := range list {
		m := m
		m.last = m.last && i == len(list)-1
		in.stmt(s, stmt, sc, m)
	}
}

func (in *interpreter) stmt(s script, stmt *syntax.Stmt, sc *scope, m mode) {
	if stmt == nil || sc.ended {
		return
	}
	if in.steps--; in.steps < 0 || in.nesting > maxNesting {
		in.process.Unfollowed = true
		sc.forgetAll()
		return
	}
	m.conditional = m.conditional || sc.doubtful
	if stmt.Background || stmt.Coprocess {
		m = m.ignored()
		m.background = true
		sc = sc.clone()
	}
	if stmt.Negated {
		m = m.ignored()
	}
	for _, r := range stmt.Redirs {
		in.substitutions(s, r, sc, m)
	}
	branch := func(list []*syntax.Stmt) {
		b := sc.clone()
		in.stmts(s, list, b, m.branch())
		sc.merge(b)
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		in.call(s, cmd, sc, m)
	case *syntax.DeclClause:
		in.declare(s, cmd, sc, m)
	case *syntax.BinaryCmd:
		switch cmd.Op {
		case syntax.AndStmt:
			in.andChain(s, cmd, sc, m)
		case syntax.OrStmt:
			in.stmt(s, cmd.X, sc, m.ignored())
			branch([]*syntax.Stmt{cmd.Y})
		default: // both ends of a pipe run in shells of their own
			in.stmt(s, cmd.X, sc.clone(), m.read())
			in.stmt(s, cmd.Y, sc.clone(), m)
		}
	case *syntax.Block:
		in.stmts(s, cmd.Stmts, sc, m)
	case *syntax.Subshell:
		in.stmts(s, cmd.Stmts, sc.clone(), m)
	case *syntax.TimeClause:
		in.stmt(s, cmd.Stmt, sc, m)
	case *syntax.CoprocClause:
		m = m.ignored()
		m.background = true
		in.stmt(s, cmd.Stmt, sc.clone(), m)
	case *syntax.IfClause:
		in.ifClause(s, cmd, sc, m)
	case *syntax.WhileClause:
		sc.forget(assignedIn(cmd)...)
		m.repeated = true
		certain := !m.conditional && !m.background
		// A file that was read in may have defined a function that leaves.
		m.forever = m.forever || certain && endless(cmd) && !sc.open && !in.leaves(cmd.Do)
		if certain {
			for _, call := range in.awaitedBy(cmd) {
				in.awaited[call] = true
			}
		}
		in.stmts(s, cmd.Cond, sc, m.ignored())
		branch(cmd.Do)
	case *syntax.ForClause:
		in.substitutions(s, cmd.Loop, sc, m.ignored())
		sc.forget(assignedIn(cmd)...)
		m.repeated = true
		branch(cmd.Do)
	case *syntax.CaseClause:
		in.substitutions(s, cmd.Word, sc, m)
		start := sc.clone()
		for _, item := range cmd.Items {
			b := start.clone()
			in.stmts(s, item.Stmts, b, m.branch())
			sc.merge(b)
		}
	case *syntax.FuncDecl:
		if cmd.Name != nil {
			in.functions[cmd.Name.Value] = &function{body: cmd.Body, script: s}
		}
	case nil:
	default: // tests and arithmetic
		in.substitutions(s, cmd, sc, m)
		sc.forget(assignedIn(cmd)...)
	}
}

// andChain follows a && b && c: each runs in the state that the ones before it
// left, and none but the first is sure to run.
func (in *interpreter) andChain(s script, cmd *syntax.BinaryCmd, sc *scope, m mode) {
	var chain []*syntax.Stmt
	for {
		chain = append(chain, cmd.Y)
		left, ok := cmd.X.Cmd.(*syntax.BinaryCmd)
		if !ok || left.Op != syntax.AndStmt || len(cmd.X.Redirs) > 0 || cmd.X.Negated {
			in.stmt(s, cmd.X, sc, m.guard())
			break
		}
		cmd = left
	}
	b := sc.clone()
	for i, stmt := range slices.Backward(chain) {
		m := m
		if i > 0 {
			m = m.guard()
		}
		in.stmt(s, stmt, b, m.branch())
	}
	sc.merge(b)
}

func (in *interpreter) ifClause(s script, cmd *syntax.IfClause, sc *scope, m mode) {
	in.stmts(s, cmd.Cond, sc, m.ignored())
	start := sc.clone()
	m = m.branch()
	for {
		b := start.clone()
		in.stmts(s, cmd.Then, b, m)
		sc.merge(b)
		if cmd = cmd.Else; cmd == nil {
			return
		}
		in.stmts(s, cmd.Cond, start, m.ignored())
		sc.merge(start)
	}
}

// assignedIn returns the variables that a node may set.
func assignedIn(n syntax.Node) []string {
	var names []string
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			if n.Name != nil {
				names = append(names, n.Name.Value)
			}
		case *syntax.WordIter:
			names = append(names, n.Name.Value)
		case *syntax.ParamExp:
			if n.Param != nil && n.Exp != nil {
				names = append(names, n.Param.Value)
			}
		case *syntax.CallExpr: // read, getopts, printf -v, unset
			for i, w := range n.Args {
				if lit := w.Lit(); i > 0 && syntax.ValidName(lit) {
					names = append(names, lit)
				}
			}
		case *syntax.BinaryArithm:
			if w, ok := n.X.(*syntax.Word); ok && syntax.ValidName(w.Lit()) {
				names = append(names, w.Lit())
			}
		case *syntax.UnaryArithm:
			if w, ok := n.X.(*syntax.Word); ok && syntax.ValidName(w.Lit()) {
				names = append(names, w.Lit())
			}
		}
		return true
	})
	return names
}

// substitutions follows the commands substituted below a node that is not
// expanded itself.
func (in *interpreter) substitutions(s script, n syntax.Node, sc *scope, m mode) {
	m.piped = true
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			in.stmts(s, n.Stmts, sc.clone(), m)
			return false
		case *syntax.ProcSubst:
			in.stmts(s, n.Stmts, sc.clone(), m)
			return false
		}
		return true
	})
}

func (in *interpreter) declare(s script, cmd *syntax.DeclClause, sc *scope, m mode) {
	export := cmd.Variant.Value == "export"
	for _, a := range cmd.Args {
		if a.Naked && a.Name == nil {
			if a.Value != nil && strings.HasPrefix(a.Value.Lit(), "-") {
				export = export || strings.Contains(a.Value.Lit(), "x")
			} else if a.Value != nil {
				in.substitutions(s, a.Value, sc, m)
			}
			continue
		}
		if a.Name == nil {
			continue
		}
		if a.Naked {
			v, ok := sc.lookup(a.Name.Value)
			if ok && export {
				sc.assign(v, true)
			}
			continue
		}
		sc.assign(in.assignment(s, a, sc, m), export)
	}
}

func (in *interpreter) assignment(s script, a *syntax.Assign, sc *scope, m mode) Variable {
	v := Variable{Name: a.Name.Value, From: s.at(a)}
	if a.Array != nil || a.Index != nil {
		in.substitutions(s, a, sc, m)
		return v
	}
	w := Word{Known: true}
	if a.Value != nil {
		w = in.literal(s, a.Value, sc, m)
		v.From = w.From
	}
	v.Value, v.Known, v.Secret = w.Value, w.Known, w.Secret
	if a.Append {
		old, ok := sc.lookup(v.Name)
		v.Known = v.Known && ok && old.Known && in.fits(len(old.Value)+len(v.Value))
		v.Secret = v.Secret || old.Secret
		v.Value = old.Value + v.Value
		v.From = s.at(a)
	}
	if !v.Known {
		v.Value = ""
	}
	return v
}

func (in *interpreter) call(s script, cmd *syntax.CallExpr, sc *scope, m mode) {
	own := make([]Variable, 0, len(cmd.Assigns))
	// The status of a substitution counts where there is no command to have one.
	substituted := m
	if len(cmd.Args) > 0 {
		substituted = m.ignored()
	}
	for _, a := range cmd.Assigns {
		if a.Name == nil {
			continue
		}
		v := in.assignment(s, a, sc, substituted)
		if len(cmd.Args) == 0 {
			sc.assign(v, false)
		} else {
			own = append(own, v)
		}
	}
	var words []Word
	for _, w := range cmd.Args {
		words = append(words, in.fields(s, w, sc, substituted)...)
		if len(words) > maxWords {
			sc.forgetAll()
			return
		}
	}
	if len(words) == 0 {
		return
	}
	m.awaited = in.awaited[cmd]
	if !words[0].Known {
		in.run(words, own, sc, m)
		return
	}
	switch name := words[0].Value; name {
	case "exec":
		words, _, _ = wrappers["exec"].unwrap(words)
		if len(words) == 0 {
			return // redirections of the shell itself
		}
		m.exec = true
		in.run(words, own, sc, m)
		sc.ended = true
		return
	case "eval":
		in.eval(words[1:], sc, m)
		return
	case ".", "source":
		in.run(words, own, sc, m)
		in.source(words[1:], sc, m)
		return
	case "exit", "return":
		in.run(words, own, sc, m)
		sc.ended, sc.returned = true, name == "return"
		sc.failed = name == "exit" && len(words) > 1 && words[1].Known && words[1].Value != "0"
		return
	case "set":
		in.set(words[1:], sc)
		return
	case "shift":
		sc.args = nil
		return
	case "read", "getopts", "mapfile", "readarray", "unset":
		for _, w := range words[1:] {
			if syntax.ValidName(w.Value) {
				sc.forget(w.Value)
			}
		}
		return
	case "printf":
		if len(words) > 2 && words[1].Value == "-v" {
			sc.forget(words[2].Value)
		}
	default:
		if f, ok := in.functions[name]; ok {
			in.function(f, words, sc, m)
			return
		}
	}
	in.run(words, own, sc, m)
}

func (in *interpreter) function(f *function, words []Word, sc *scope, m mode) {
	if f.active || in.nesting >= maxNesting {
		in.process.Unfollowed = true
		sc.forget(assignedIn(f.body)...)
		return
	}
	f.active = true
	in.nesting++
	args, doubtful := sc.args, sc.doubtful
	sc.args = words
	m.awaited = false
	in.stmt(f.script, f.body, sc, m)
	sc.args = args
	sc.goOn() // a return ends the function only
	sc.doubtful = doubtful || sc.doubtful && in.exits([]*syntax.Stmt{f.body})
	in.nesting--
	f.active = false
}

func (in *interpreter) eval(words []Word, sc *scope, m mode) {
	var parts []string
	secret := false
	for _, w := range words {
		if !w.Known {
			in.process.Unfollowed = true
			sc.forgetAll()
			return
		}
		parts = append(parts, w.Value)
		secret = secret || w.Secret
	}
	if len(words) == 0 || in.nesting >= maxNesting {
		in.process.Unfollowed = in.process.Unfollowed || len(words) > 0
		return
	}
	in.nesting++
	in.text(script{text: strings.Join(parts, " "), from: words[0].From, secret: secret}, sc, m)
	in.nesting--
}

// source follows a file read with "." when a ConfigMap holds it; any other file
// may set anything.
func (in *interpreter) source(words []Word, sc *scope, m mode) {
	if len(words) == 0 {
		return
	}
	if words[0].Known && in.nesting < maxNesting {
		if text, from, ok := in.mounted(words[0].Value); ok {
			in.nesting++
			in.text(script{text: text, from: from}, sc, m)
			sc.goOn()
			in.nesting--
			return
		}
	}
	sc.forgetAll()
}

func (in *interpreter) set(words []Word, sc *scope) {
	for i, w := range words {
		switch {
		case !w.Known:
			sc.args = nil
			return
		case w.Value == "--":
			name := Word{Value: "$0"}
			if len(sc.args) > 0 {
				name = sc.args[0]
			}
			sc.args = append([]Word{name}, words[i+1:]...)
			return
		case w.Value == "-o" || w.Value == "+o":
		case strings.HasPrefix(w.Value, "-"):
			sc.allExport = sc.allExport || strings.Contains(w.Value, "a")
			sc.errexit = sc.errexit || strings.Contains(w.Value, "e")
		case strings.HasPrefix(w.Value, "+"):
			sc.allExport = sc.allExport && !strings.Contains(w.Value, "a")
			sc.errexit = sc.errexit && !strings.Contains(w.Value, "e")
		case w.Value == "allexport":
			sc.allExport = i > 0 && words[i-1].Value == "-o"
		case w.Value == "errexit":
			sc.errexit = i > 0 && words[i-1].Value == "-o"
		case i > 0 && strings.HasSuffix(words[i-1].Value, "o"): // set -euo pipefail
		default:
			sc.args = nil
			return
		}
	}
}
