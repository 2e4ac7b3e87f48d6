package manifest

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var duplicateKey = &rule.Rule{
	ID:       "duplicate-key",
	Title:    "A key written twice in one mapping, of which only the last counts",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Object: func(p *rule.Pass, o *manifest.Object) {
		problems(o, node.DuplicateKey, func(problem node.Problem) {
			f := rule.Finding{
				Object: o, At: problem.Path, Place: &problem.Here,
				Message: fmt.Sprintf("%s is written twice; the first one, in line %d, is silently lost",
					problem.Message, problem.First.File.Position(problem.First.Span.Start).Line),
				Related: []rule.Related{{Object: o, At: problem.Path, Place: &problem.First, Message: "the one that is lost"}},
			}
			if problem.Same {
				f.Severity = diag.Info
				f.Message = fmt.Sprintf("%s is written twice with the same value; strict parsers refuse the document", problem.Message)
			}
			p.Report(f)
		})
	},
}
