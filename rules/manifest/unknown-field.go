package manifest

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var unknownField = &rule.Rule{
	ID:       "unknown-field",
	Title:    "A misspelt or misplaced field, which the cluster does not see",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Object: func(p *rule.Pass, o *manifest.Object) {
		problems(o, node.UnknownField, func(problem node.Problem) {
			where := o.Kind
			if len(problem.Path) > 1 {
				where = problem.Path[:len(problem.Path)-1].String()
			}
			f := rule.Finding{
				Object: o, At: problem.Path, Target: node.KeyOf,
				Message: fmt.Sprintf("%s has no field %s; kubectl refuses it, other clients drop it in silence", where, problem.Message),
			}
			if problem.Suggest != "" {
				f.Fixes = append(f.Fixes, rule.Fix{Message: problem.Suggest, Safety: diag.Display})
			}
			p.Report(f)
		})
	},
}
