package manifest

import (
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var invalidManifest = &rule.Rule{
	ID:       "invalid-manifest",
	Title:    "A document that says it is a Kubernetes object and cannot be read",
	Since:    "0.1.0",
	Severity: diag.Error,
	Set: func(p *rule.Pass) {
		for _, o := range p.Cluster.Broken {
			problems(o, node.Malformed, func(problem node.Problem) {
				p.Report(rule.Finding{
					Object: o, Place: &problem.Here,
					Message: "this " + o.Kind + " is not valid YAML: " + problem.Message + "; kubectl refuses the whole file",
				})
			})
		}
	},
}
