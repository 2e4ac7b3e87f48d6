package references

import (
	"fmt"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var secretValueNotText = &rule.Rule{
	ID:       "secret-value-not-text",
	Title:    "A Secret's value in an environment variable is not text",
	Since:    "0.1.0",
	Severity: diag.Error,
	Set:      checkNotText,
}

// checkNotText reports values of Secrets that become environment variables and
// are not text. A NUL byte ends a C string, so that no variable can hold one:
// runc refuses it (https://github.com/opencontainers/runc/pull/3017). Bytes that
// are no UTF-8 cannot stand in a protobuf string, as which kubelets from 1.34 on
// handed the value to the runtime until that was mended
// (https://github.com/kubernetes/kubernetes/issues/139132).
func checkNotText(p *rule.Pass) {
	for _, v := range secretVariables(p, func(value string) bool { return !isText(value) }) {
		f := rule.Finding{
			Object: v.From.Object, At: v.From.Path, Target: node.KeyOf,
			Message: fmt.Sprintf("the value of %s decodes to bytes with a NUL, which environment variable %s of container %q cannot hold: the runtime refuses to start it",
				v.key(), v.Name, v.container.Name),
			Related: v.uses,
		}
		if !strings.Contains(v.Value, "\x00") {
			f.Severity = diag.Warning
			f.Message = fmt.Sprintf("the value of %s decodes to bytes that are no UTF-8 text, for environment variable %s of container %q: some kubelets cannot hand them to the runtime, and the program gets something else than what was meant",
				v.key(), v.Name, v.container.Name)
		}
		if field, _ := v.From.Path[0].Key(); field == "data" {
			f.Notes = append(f.Notes, "data holds base64; plain text that happens to decode belongs under stringData")
		}
		p.Report(f)
	}
}
