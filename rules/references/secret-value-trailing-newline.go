package references

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var secretValueTrailingNewline = &rule.Rule{
	ID:       "secret-value-trailing-newline",
	Title:    "A Secret's value in an environment variable ends in a newline",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Set:      checkTrailingNewlines,
}

// checkTrailingNewlines reports single-line values of Secrets that end in a
// newline and become environment variables: neither the API server nor the
// kubelet takes it off. A text of several lines, a key or certificate, ends in
// one as a rule.
func checkTrailingNewlines(p *rule.Pass) {
	for _, v := range secretVariables(p, endsInNewline) {
		f := rule.Finding{
			Object: v.From.Object, At: v.From.Path, Target: node.KeyOf,
			Message: fmt.Sprintf("the value of %s ends in a newline, which is a part of environment variable %s in container %q: no host, user or password is spelt so, and a configuration written from it breaks in two",
				v.key(), v.Name, v.container.Name),
			Related: v.uses,
		}
		if field, _ := v.From.Path[0].Key(); field == "data" {
			f.Notes = append(f.Notes, "encode it without the newline: printf %s VALUE | base64, or echo -n; or write it as plain text under stringData")
		} else {
			f.Notes = append(f.Notes, "a block that begins with | keeps its last newline, one with |- does not")
		}
		p.Report(f)
	}
}

func endsInNewline(value string) bool {
	line, ok := strings.CutSuffix(value, "\n")
	return ok && strings.TrimSpace(line) != "" && !strings.Contains(line, "\n") && isText(value)
}

// isText reports whether a value can be an environment variable.
func isText(value string) bool {
	return !strings.Contains(value, "\x00") && utf8.ValidString(value)
}
