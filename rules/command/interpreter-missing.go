package command

import (
	"path"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var interpreterMissing = &rule.Rule{
	ID:       "interpreter-missing",
	Title:    "The first line of a script names an interpreter that the image does not have",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.interpreter),
}

// interpreter reports mounted scripts that are run by their names and whose
// interpreter the image lacks: execve(2) fails with ENOENT, as if the script
// were not there.
func (s subject) interpreter() {
	tools := s.Cluster.Image(s.ctr).Tools
	if tools == nil || s.bringsPrograms() {
		return
	}
	seen := map[string]bool{}
	for _, r := range s.runs() {
		file, ok := s.Cluster.MountedFile(s.ctr, r.word.Value)
		if !ok || seen[r.word.Value] || r.word.Secret {
			continue
		}
		seen[r.word.Value] = true
		name := interpreterOf(file)
		if name == "" || !tools.Missing(name, false) {
			continue
		}
		f := rule.Finding{Object: file.From.Object, At: file.From.Path, Within: firstLine(file.Text), Needs: []node.Path{file.From.Path}}
		f.Related = []rule.Related{{Object: s.ctr.Workload.Object, At: s.ctr.At("image"), Message: "the image does not have it"}}
		if !r.sure || !r.fatal {
			f.Severity = diag.Warning
		}
		s.report(f, "runs %s, whose first line asks for %s, which the image %s does not have: no such file or directory, and it ends with 127",
			r.word.Value, name, s.ctr.Image)
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimRight(line, "\r ")
}

// interpreterOf returns what the first line of a script names, empty when it
// names nothing. A line that ends in a carriage return is another fault.
func interpreterOf(file cluster.File) string {
	line, _, _ := strings.Cut(file.Text, "\n")
	if !strings.HasPrefix(line, "#!") || strings.HasSuffix(line, "\r") {
		return ""
	}
	fields := strings.Fields(line[2:])
	switch {
	case len(fields) == 0:
		return ""
	case path.Base(fields[0]) == "env" && len(fields) == 2:
		return fields[1]
	}
	return fields[0]
}
