// Package manifest holds the rules about manifests that are not what they are
// meant to be: the API server refuses them, or drops a part in silence.
package manifest

import (
	"embed"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the family of these rules.
var Family = &rule.Family{
	Name:  "manifest",
	Title: "Manifests that are not what they are meant to be",
	Docs:  docs,
	Rules: []*rule.Rule{duplicateKey, invalidField, invalidManifest, unknownField},
}

// problems calls report for each problem of a kind that the object has.
func problems(o *manifest.Object, kind node.ProblemKind, report func(node.Problem)) {
	for _, p := range o.Problems {
		if p.Kind == kind {
			report(p)
		}
	}
}
