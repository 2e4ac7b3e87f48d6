package command

import (
	"regexp"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var crlfInScript = &rule.Rule{
	ID:       "crlf-in-script",
	Title:    "The lines of a script end in a carriage return",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: eachContainer(subject.carriageReturns),
}

// compound matches a word of the shell's grammar before a carriage return, with
// which it is another word: dash, bash and BusyBox then refuse the script, as a
// test of this package asks them.
var compound = regexp.MustCompile(`(?m)(^|;)\s*(then|do|done|fi|esac|else)\r$`)

// carriageReturns reports scripts from Windows. A shell takes the carriage
// return for a part of the line's last word, the kernel for a part of the
// interpreter's name (execve(2)).
func (s subject) carriageReturns() {
	seen := map[string]bool{}
	for _, script := range s.process.Scripts {
		if !strings.Contains(script.Text, "\r\n") || seen[script.Word.Value] || script.Word.Secret {
			continue
		}
		seen[script.Word.Value] = true
		f := rule.Finding{Object: script.From.Object, At: script.From.Path, Needs: []node.Path{script.From.Path}}
		if script.Word.From.Object != nil {
			f.Related = []rule.Related{{Object: script.Word.From.Object, At: script.Word.From.Path, Within: script.Word.From.Within, Message: "run here"}}
		}
		f.Fixes = []rule.Fix{{Message: "line ends of Unix: dos2unix, then make the ConfigMap again", Safety: diag.Display}}
		if script.Conditional || !script.Fatal {
			f.Severity = diag.Warning
		}
		shebang := strings.HasPrefix(script.Text, "#!") && strings.HasSuffix(lineOf(script), "\r")
		switch {
		case script.Shell == "" && shebang:
			s.report(f, "runs %s, whose lines end in a carriage return: the kernel looks for an interpreter %q, there is none, and it ends with 127 (no such file or directory)",
				script.Word.Value, strings.TrimPrefix(lineOf(script), "#!"))
		case compound.MatchString(script.Text):
			s.report(f, "runs %s, whose lines end in a carriage return: to the shell %q is no word of its own, the script is a syntax error, and it ends with 2",
				script.Word.Value, compound.FindStringSubmatch(script.Text)[2]+"\r")
		default:
			f.Severity = diag.Warning
			s.report(f, "runs %s, whose lines end in a carriage return: the shell takes it for a part of the last word of each line, of options, file names and commands alike", script.Word.Value)
		}
	}
}

// lineOf returns the first line of a script.
func lineOf(script cluster.Script) string {
	line, _, _ := strings.Cut(script.Text, "\n")
	return line
}
