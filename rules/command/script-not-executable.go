package command

import (
	"fmt"
	"path"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var scriptNotExecutable = &rule.Rule{
	ID:       "script-not-executable",
	Title:    "A mounted script is run by its name and is not executable",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.notExecutable),
}

// executable are the bits of a mode of which execve(2) wants one even from root.
const executable = 0o111

// A run is a file that the process runs by its own name.
type run struct {
	word cluster.Word
	// sure is true when the process surely comes to it, fatal when it fails where
	// the file cannot be run.
	sure, fatal bool
}

// runs returns the files that the process runs by their own names: what the
// runtime starts, and what a script comes to.
func (s subject) runs() []run {
	var out []run
	p := s.process
	if len(p.Words) > 0 && !p.Partial && p.Words[0].Known {
		out = append(out, run{p.Words[0], true, true})
	}
	for _, script := range p.Scripts {
		if script.Shell == "" {
			out = append(out, run{script.Word, !script.Conditional, script.Fatal})
		}
	}
	for _, c := range p.Commands {
		if len(c.Words) > 0 && c.Words[0].Known {
			out = append(out, run{c.Words[0], c.Certain(), c.Fatal})
		}
	}
	return out
}

// notExecutable reports files of ConfigMaps and Secrets that are run without a
// bit that allows it.
func (s subject) notExecutable() {
	if s.Cluster.Patched(s.ctr.Workload) {
		return
	}
	seen := map[string]bool{}
	for _, r := range s.runs() {
		if !path.IsAbs(r.word.Value) || seen[r.word.Value] || r.word.Secret {
			continue
		}
		seen[r.word.Value] = true
		f, ok := s.Cluster.KeyFile(s.ctr, r.word.Value)
		if !ok || f.Absent || f.Mode&executable != 0 || !s.ctr.Workload.Known(f.ModeAt) {
			continue
		}
		finding := rule.Finding{
			Object: s.ctr.Workload.Object, At: f.ModeAt,
			Related: []rule.Related{{Object: r.word.From.Object, At: r.word.From.Path, Within: r.word.From.Within, Message: "run by its name here"}},
			Fixes: []rule.Fix{{Message: "mode 0755 for its files", Safety: diag.Safe,
				Ops: []node.Op{{Kind: node.Set, Path: f.ModeAt, Value: int64(0o755)}}}},
		}
		if r.word.From.Object == nil {
			finding.Related = nil
		}
		consequence := "permission denied, and the container ends with 126"
		if !r.sure || !r.fatal {
			finding.Severity = diag.Warning
			consequence = "permission denied (126), where it comes to that"
		}
		name, _ := f.ModeAt[len(f.ModeAt)-1].Key()
		mode := fmt.Sprintf("%s %#o", name, f.Mode)
		if !s.ctr.Workload.Has(f.ModeAt) {
			mode = "no " + name + ", which makes it 0644"
			finding.At, finding.Target = f.ModeAt[:len(f.ModeAt)-1], node.KeyOf
		}
		s.report(finding, "runs %s by its name, and the volume that holds it has %s, without a bit for execution: %s", r.word.Value, mode, consequence)
	}
}
