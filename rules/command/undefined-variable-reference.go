package command

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var undefinedVariableReference = &rule.Rule{
	ID:       "undefined-variable-reference",
	Title:    "A reference to a variable that nobody replaces",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: eachContainer(subject.references),
}

var (
	// variable matches the names that people give to variables: a shell's own
	// commands, which $(...) runs in a script, are in lower case.
	variable = regexp.MustCompile(`^_?[A-Z][A-Z0-9_]+$`)
	// serviceVariable matches the variables of Services that people refer to; the
	// Service may be in the cluster and in no file (pkg/kubelet/envvars/envvars.go).
	serviceVariable = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	// exacting matches the names of variables whose values must be right for a
	// program to start: addresses, ports, files.
	exacting = regexp.MustCompile(`(URL|URI|HOST|HOSTS|PORT|ADDR|ADDRESS|ENDPOINT|ENDPOINTS|DSN|SERVERS|BROKERS|DATABASE|CONNECTION|PATH|DIR|FILE|HOME)$`)
	// shellVariable matches a variable in the form of the shell.
	shellVariable = regexp.MustCompile(`\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))`)
)

func (s subject) references() {
	if template(s.ctr.Workload) || s.Cluster.Patched(s.ctr.Workload) {
		return
	}
	env := s.Cluster.Environment(s.ctr)
	for i := range s.ctr.Env {
		s.inVariable(i, env)
	}
	for _, list := range []string{"command", "args"} {
		items := s.ctr.Command
		if list == "args" {
			items = s.ctr.Args
		}
		for i, item := range items {
			at := s.ctr.At(list, i)
			if name := s.unresolved(item, at, env); name != "" && !refusedByJVM(item, "$("+name+")") {
				s.undefined(rule.Finding{At: at, Within: "$(" + name + ")"}, name,
					fmt.Sprintf("refers to $(%s) in %s, and no variable %s is set", name, list, name), s.reader(at))
			}
		}
	}
	if !s.process.Shell {
		s.shellVariables(env)
	}
}

// unresolved returns the first variable that the kubelet would put into the text
// and that the container does not have: it leaves the reference as it is
// (third_party/forked/golang/expansion, MappingFuncFor). The image's own
// variables do not count.
func (s subject) unresolved(text string, at node.Path, env cluster.Environment) string {
	if env.Open || !s.ctr.Workload.Known(at) {
		return ""
	}
	return s.firstMissing(text, env)
}

// firstMissing returns the first variable that the text refers to and that is
// not in the environment, nor put there by somebody else.
func (s subject) firstMissing(text string, env cluster.Environment) string {
	missing := ""
	kubelet.Expand(text, func(name string) (string, bool) {
		_, ok := env.Lookup(name)
		if !ok && missing == "" && variable.MatchString(name) && !serviceVariable.MatchString(name) && !s.kustomized(name) {
			missing = name
		}
		return "", ok
	})
	return missing
}

// kustomized reports a variable of a kustomization, which puts its value in the
// place of $(NAME) before anything is applied
// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/vars/).
func (s subject) kustomized(name string) bool {
	return slices.ContainsFunc(s.Cluster.Objects, func(o *manifest.Object) bool {
		if o.Kind != "Kustomization" && o.Kind != "Component" {
			return false
		}
		v, _ := o.Value(node.P("vars"))
		vars, _ := v.([]any)
		return slices.ContainsFunc(vars, func(v any) bool {
			m, _ := v.(map[string]any)
			return m["name"] == name
		})
	})
}

// reader says who gets a word of the command as it stands.
func (s subject) reader(at node.Path) string {
	for _, c := range s.process.Commands {
		if s.process.Shell {
			return "the shell takes it for a command of that name, and finds none"
		}
		for _, w := range c.Words[min(len(c.Words), 1):] {
			if len(w.From.Path) == len(at) && w.From.Path.HasPrefix(at) {
				return c.Name() + " gets that text as it stands"
			}
		}
	}
	return "the program gets that text as it stands"
}

// undefined reports a reference to a variable that nothing sets.
func (s subject) undefined(f rule.Finding, name, fact, consequence string) {
	f.Notes = []string{"the kubelet replaces $(NAME) by variables of env and envFrom only, not by those of the image, and leaves a name that it does not know as it is"}
	if meant := s.similar(name); meant != "" {
		f.Fixes = []rule.Fix{{Message: "the variable is called " + meant, Safety: diag.Display}}
	}
	s.report(f, "%s: %s", fact, consequence)
}

// similar returns a variable of the container whose name differs in its case or
// its underscores only.
func (s subject) similar(name string) string {
	plain := func(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "_", "")) }
	for _, v := range s.Cluster.Environment(s.ctr).Variables {
		if plain(v.Name) == plain(name) {
			return v.Name
		}
	}
	return ""
}

// inVariable looks at the value of the i-th variable. The kubelet puts the ones
// above it into it, and those of envFrom and of Services
// (pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables).
func (s subject) inVariable(i int, env cluster.Environment) {
	e := &s.ctr.Env[i]
	at := s.ctr.At("env", i, "value")
	if !strings.Contains(e.Value, "$(") || e.ValueFrom != nil || env.Open || !s.ctr.Workload.Known(at) {
		return
	}
	name := s.unsetAbove(e.Value, i)
	if name == "" || refusedByJVM(e.Value, "$("+name+")") {
		return
	}
	f := rule.Finding{At: at, Within: "$(" + name + ")"}
	if !exacting.MatchString(strings.ToUpper(e.Name)) && !strings.Contains(e.Value, "://") {
		f.Severity = diag.Info // a text with these characters may do
	}
	called := func(v corev1.EnvVar) bool { return v.Name == name }
	if below := slices.IndexFunc(s.ctr.Env[i+1:], called); below >= 0 {
		f.Related = []rule.Related{{Object: s.ctr.Workload.Object, At: s.ctr.At("env", i+1+below, "name"), Message: "set only here"}}
		f.Fixes = []rule.Fix{{Message: "write " + name + " above " + e.Name, Safety: diag.Display}}
		s.report(f, "uses $(%s) in %s, and %s is set below it: the kubelet goes through env from top to bottom and leaves the text $(%s) in the value",
			name, e.Name, name, name)
		return
	}
	consequence := "the value holds that text as it stands"
	if name == "PATH" && e.Name == "PATH" {
		consequence = "the image's PATH is not put there, the value holds that text, and programs of the image are no longer found"
	}
	s.undefined(f, name, fmt.Sprintf("refers to $(%s) in the value of %s, and no variable %s is set", name, e.Name, name), consequence)
}

// unsetAbove returns the first variable that a value refers to and that nothing
// sets before the i-th variable is.
func (s subject) unsetAbove(value string, i int) string {
	before := *s.ctr
	container := *s.ctr.Container
	container.Env = s.ctr.Env[:i]
	before.Container = &container
	return s.firstMissing(value, s.Cluster.Environment(&before))
}

// expanders are programs that replace $NAME in what they are given, by
// themselves or by a shell, or to which it means something else.
var expanders = []string{
	"envsubst", "npm", "npx", "yarn", "pnpm", "make", "find", "grep", "egrep", "awk", "sed", "perl", "jq", "yq", "xargs", "mongo", "mongosh", "echo",
	"printf", "python", "python3", "node", "ruby", "php", "psql", "mysql", "nginx", "fluent-bit", "otelcol", "otelcol-contrib", "logstash", "ansible",
	"dockerize", "confd", "su", "ssh", "watch", "supervisord", "pwsh", "powershell", "cmd", "cmd.exe", "R", "Rscript", "traefik", "vector", "docker-entrypoint.sh",
}

// shellVariables looks for $NAME and ${NAME} in the words of a program that no
// shell starts.
func (s subject) shellVariables(env cluster.Environment) {
	words := s.process.Words
	if !s.process.Partial {
		if len(s.process.Commands) != 1 {
			return
		}
		words = s.process.Commands[0].Words
	}
	if len(words) == 0 {
		return
	}
	name := path.Base(words[0].Value)
	if !s.process.Partial && (isShell(name) || slices.Contains(expanders, name) || strings.HasSuffix(name, ".sh")) {
		return
	}
	for i, word := range words {
		found := shellVariable.FindStringSubmatch(word.Value)
		if found == nil || !written(word) || strings.ContainsAny(word.Value, " \n") || refusedByJVM(word.Value, found[0]) {
			continue
		}
		_, set := env.Lookup(found[1] + found[2])
		if certain := name == "java" && !s.process.Partial && s.javaRefuses(words, i, found[0]); certain {
			f := s.standing(word)
			f.Severity, f.Fixes = diag.Error, s.referenceFix(found[0], set)
			s.report(f, "gives java the text %s as it stands, for no shell replaces it and the kubelet knows $(NAME) alone: java takes it for an option or a class of that name, and ends with 1", found[0])
			return
		}
		// Spring and others replace ${NAME} in properties by themselves.
		if name == "java" || !set || s.process.Partial && !strings.Contains(word.Value, "=") && !strings.HasPrefix(words[max(i-1, 0)].Value, "-") {
			continue
		}
		f := s.standing(word)
		f.Fixes = s.referenceFix(found[0], set)
		who := name
		if s.process.Partial {
			who = "its program"
		}
		s.report(f, "gives %s the text %s as it stands: no shell replaces it, and the kubelet knows $(NAME) alone", who, found[0])
		return
	}
}

// refusedByJVM reports a reference in an option for the size of something, of
// which jvm-flag-refused speaks.
func refusedByJVM(text, reference string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(option string) bool {
		return strings.Contains(option, reference) && (strings.HasPrefix(option, "-Xm") || strings.HasPrefix(option, "-Xss") || strings.HasPrefix(option, "-XX:"))
	})
}

// javaRefuses reports a word that java itself reads: an option for its memory,
// or what stands before the name of the class or archive (tested with Java 17).
func (s subject) javaRefuses(words []cluster.Word, i int, reference string) bool {
	for _, w := range words[1:i] {
		if w.Value == "-jar" || !strings.HasPrefix(w.Value, "-") {
			return w.Value == "-jar" && words[i-1].Value == "-jar"
		}
	}
	text := words[i].Value
	return i > 0 && (strings.HasPrefix(text, "-X") || strings.HasPrefix(text, "-agent") || strings.HasPrefix(text, reference) && !takesValue(words[i-1].Value))
}

// takesValue reports an option of java whose value is the next word.
func takesValue(option string) bool {
	return slices.Contains([]string{"-cp", "-classpath", "--class-path", "-p", "--module-path", "-m", "--module", "--add-modules", "--add-opens", "--add-exports", "--add-reads"}, option)
}

// referenceFix writes a variable of the container the way the kubelet knows.
func (s subject) referenceFix(reference string, set bool) []rule.Fix {
	if !set {
		return []rule.Fix{{Message: "let a shell run the command: sh -c", Safety: diag.Display}}
	}
	return []rule.Fix{{Message: "write $(" + strings.Trim(reference, "${}") + "), which the kubelet replaces", Safety: diag.Display}}
}
