package probes

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var execProbeNotACommand = &rule.Rule{
	ID:       "exec-probe-not-a-command",
	Title:    "The first word of an exec probe is no program",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachProbe(p, w, subject.notACommand) },
}

// notACommand reports an exec probe whose first word cannot be the name of a
// program: a URL, or a whole command line.
func (s subject) notACommand() {
	if s.probe.Exec == nil || len(s.probe.Exec.Command) == 0 {
		return
	}
	words := s.process().Words
	at := s.at("exec", "command")
	word := words[0]
	if !word.Known {
		return
	}
	f := rule.Finding{At: at.Append(0)}
	if s.field == liveness {
		f.Severity = diag.Warning
	}
	switch fields := strings.Fields(word.Value); {
	case scheme.MatchString(word.Value):
		s.report(f, "%s runs %q, which is a URL and no program: the runtime finds none of that name, and %s", s.asks(), word.Value, s.unfound())
	case len(fields) > 1 && program.MatchString(fields[0]):
		if len(words) == 1 {
			f.Fixes = []rule.Fix{commandFix(at, word.Value)}
		}
		s.report(f, "%s has a whole command line in one word, %q: no shell takes it apart, the runtime finds no program of that name, and %s",
			s.asks(), shortened(word.Value), s.unfound())
	case len(words) == 1 && s.isHTTPPath(word.Value):
		f.Severity = diag.Warning
		f.Fixes = s.httpFix(word.Value)
		s.report(f, "%s runs %s, which is a path of a URL and hardly a program: the runtime finds none of that name, and %s", s.asks(), word.Value, s.unfound())
	}
}

var (
	scheme  = regexp.MustCompile(`^[a-z]+://`)
	program = regexp.MustCompile(`^[A-Za-z0-9_./+-]+$`)
	version = regexp.MustCompile(`^v[0-9]+$`)
)

// unfound says what happens when the runtime finds no such program. containerd
// and CRI-O answer with an error (internal/cri/server/container_execsync.go;
// internal/oci/runtime_oci.go, ExecSyncContainer), which the kubelet throws away
// (pkg/probe/exec/exec.go); Docker Engine answers with exit code 126 or 127,
// which is a failure.
func (s subject) unfound() string {
	if s.field == liveness {
		return "with containerd and CRI-O " + s.voids() + ", with Docker Engine " + s.fails()
	}
	return s.voids()
}

// isHTTPPath reports whether a word is the path of an HTTP endpoint: one that
// another probe of the container asks for, or that has a part no folder of
// programs has.
func (s subject) isHTTPPath(word string) bool {
	if !strings.HasPrefix(word, "/") || path.Ext(word) != "" && !strings.Contains(word, "?") {
		return false
	}
	for _, field := range []string{startup, liveness, readiness} {
		if other := s.ctr.Probe(field); other != nil && other.HTTPGet != nil && other.HTTPGet.Path == word {
			return true
		}
	}
	segments := strings.Split(strings.Trim(word, "/"), "/")
	return len(segments) > 1 && (strings.Contains(word, "?") || slices.ContainsFunc(segments, version.MatchString) ||
		slices.Contains([]string{"api", "actuator", "rest"}, segments[0]))
}

// httpFix asks for the path over HTTP, where the container has one port to ask.
func (s subject) httpFix(path string) []rule.Fix {
	if len(s.ctr.Ports) != 1 {
		return nil
	}
	get := node.Fields{{Key: "path", Value: path}, {Key: "port", Value: int64(s.ctr.Ports[0].ContainerPort)}}
	return []rule.Fix{{
		Message: fmt.Sprintf("ask for %s over HTTP, at the container's only port", path), Safety: diag.Unsafe,
		Ops: []node.Op{{Kind: node.Remove, Path: s.at("exec")}, {Kind: node.Set, Path: s.at("httpGet"), Value: get}},
	}}
}

// commandFix takes a command line apart, or gives it to a shell where it needs
// one.
func commandFix(at node.Path, line string) rule.Fix {
	if strings.ContainsAny(line, "\"'`$|&;<>()*?[]\\~#\n") {
		return rule.Fix{Message: "run it by a shell, which the image must have", Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: at, Value: []any{"sh", "-c", line}}}}
	}
	var words []any
	for word := range strings.FieldsSeq(line) {
		words = append(words, word)
	}
	return rule.Fix{Message: "one word an item", Safety: diag.Safe, Ops: []node.Op{{Kind: node.Set, Path: at, Value: words}}}
}

// shortened cuts a text for messages.
func shortened(text string) string {
	const most = 60
	if line, _, more := strings.Cut(text, "\n"); more || len(line) > most {
		runes := []rune(line)
		return string(runes[:min(len(runes), most)]) + "..."
	}
	return text
}
