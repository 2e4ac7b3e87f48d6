package command

import (
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var mountedFileMissing = &rule.Rule{
	ID:       "mounted-file-missing",
	Title:    "The command names a file that its ConfigMap or Secret does not have",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: eachContainer(subject.missingFile),
}

// missingFile reports files that the command names below the mount of a
// ConfigMap or Secret that does not have them.
func (s subject) missingFile() {
	if s.Cluster.Patched(s.ctr.Workload) {
		return
	}
	seen := map[string]bool{}
	check := func(w cluster.Word, file string, program, sure bool) {
		if seen[file] || !written(w) || !path.IsAbs(file) || strings.ContainsAny(file, "*?$ {}") {
			return
		}
		seen[file] = true
		s.checkFile(w, file, program, sure)
	}
	for i, w := range s.process.Words {
		switch {
		case i == 0 && !s.process.Partial:
			check(w, w.Value, true, true)
		case i == 1 && isShell(s.process.Words[0].Value):
			check(w, w.Value, true, true)
		default:
			check(w, fileOf(w.Value), false, true)
		}
	}
	for _, c := range s.process.Commands {
		for i, w := range c.Words {
			switch {
			case i == 0, i == 1 && (isShell(c.Name()) || c.Name() == "." || c.Name() == "source"):
				check(w, w.Value, true, c.Certain() && c.Fatal)
			case c.Certain() && c.Fatal && slices.Contains(interpretersOfFiles, c.Name()):
				check(w, fileOf(w.Value), false, true)
			}
		}
	}
}

// interpretersOfFiles are programs, run by a script, whose operands are files to
// read.
var interpretersOfFiles = []string{"python", "python3", "node", "ruby", "perl", "java", "cat", "cp", "envsubst"}

// fileOf returns the path in an argument, /etc/x or --config=/etc/x, empty when
// there is none.
func fileOf(text string) string {
	if strings.HasPrefix(text, "-") {
		_, value, _ := strings.Cut(text, "=")
		text = value
	}
	if strings.ContainsAny(text, ":,=") {
		return ""
	}
	return text
}

func (s subject) checkFile(w cluster.Word, file string, program, sure bool) {
	found, ok := s.Cluster.KeyFile(s.ctr, file)
	// A directory may be meant, and a file that the program writes cannot be.
	if !ok || !found.Absent || found.Object.Optional || path.Ext(file) == "" && !program {
		return
	}
	f := s.standing(w)
	f.Needs = []node.Path{found.Source}
	f.Related = append(f.Related, rule.Related{Object: s.ctr.Workload.Object, At: found.Source, Target: node.KeyOf, Message: "the volume is made here"})
	what := "the volume"
	if found.Object.Name != "" {
		what = found.Object.Kind + " " + found.Object.Name
	}
	has := "no file"
	if len(found.Files) > 0 {
		has = strings.Join(found.Files[:min(len(found.Files), 5)], ", ")
	}
	consequence := "a program that reads it at its start fails there"
	if program {
		consequence = "there is no such file, and the container ends with 127"
		if sure {
			f.Severity = diag.Error
		}
	}
	if meant := nearest(path.Base(file), found.Files); meant != "" {
		f.Fixes = []rule.Fix{{Message: "it is called " + meant + " there", Safety: diag.Display}}
	}
	s.report(f, "is given %s, and %s, which is mounted at %s, has %s: %s", file, what, s.ctr.VolumeMounts[found.Mount].MountPath, has, consequence)
}

// nearest returns the file whose name is that but for its case, its extension or
// the kind of its dashes; empty for none.
func nearest(name string, files []string) string {
	plain := func(name string) string {
		name = strings.TrimSuffix(name, path.Ext(name))
		return strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(name))
	}
	for _, file := range files {
		if plain(path.Base(file)) == plain(name) {
			return file
		}
	}
	return ""
}
