package manifest

import (
	"fmt"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var invalidField = &rule.Rule{
	ID:       "invalid-field",
	Title:    "A value that its field cannot take, so that the API server refuses the object",
	Since:    "0.1.0",
	Severity: diag.Error,
	Object: func(p *rule.Pass, o *manifest.Object) {
		problems(o, node.InvalidField, func(problem node.Problem) {
			f := rule.Finding{
				Object: o, At: problem.Path,
				Message: fmt.Sprintf("%s: %s; the API server refuses this %s", last(problem.Path), problem.Message, o.Kind),
			}
			if fix, ok := quoted(o, problem); ok {
				f.Fixes = append(f.Fixes, fix)
			}
			if text := text(problem); problem.WantsString && oldBoolean(text) {
				f.Severity = diag.Warning
				if o.Kind == "Secret" {
					text = "this"
				}
				f.Message = fmt.Sprintf("%s: kubectl and Helm read %s as a boolean, but the field takes a string: put it in quotes; the API server refuses this %s",
					last(problem.Path), text, o.Kind)
			}
			p.Report(f)
		})
	},
}

// last names the field that a path ends in.
func last(p node.Path) string {
	for i := len(p) - 1; i >= 0; i-- {
		if _, ok := p[i].Key(); ok {
			return p[i:].String()
		}
	}
	return p.String()
}

// quoted is the fix for a boolean or number where a string is wanted: the text
// as written, in quotes. That of a Secret stays unsaid.
func quoted(o *manifest.Object, problem node.Problem) (rule.Fix, bool) {
	v, _ := o.Value(problem.Path)
	switch v.(type) {
	case bool, int64, uint64, float64:
	default:
		return rule.Fix{}, false
	}
	if !problem.WantsString {
		return rule.Fix{}, false
	}
	if o.Kind == "Secret" {
		return rule.Fix{Message: "put it in quotes", Safety: diag.Display}, true
	}
	text := text(problem)
	return rule.Fix{
		Message: fmt.Sprintf("put it in quotes: %q", text),
		Safety:  diag.Safe,
		Ops:     []node.Op{{Kind: node.Set, Path: problem.Path, Value: text}},
	}, true
}

// text is the value as written.
func text(problem node.Problem) string {
	span := problem.Here.Span
	return problem.Here.File.Text[span.Start:span.End]
}

// oldBoolean reports a word that is a boolean in YAML 1.1 only, which
// sigs.k8s.io/yaml reads (kubectl, Helm) and kustomize's kyaml does not: whether
// the object is refused depends on the tool that applies it.
func oldBoolean(text string) bool {
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off":
		return true
	}
	return false
}
