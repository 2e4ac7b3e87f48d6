// Package resources holds the rules about requests and limits that come from
// outside the workload.
package resources

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family lists the rules.
var Family = &rule.Family{
	Name:  "resources",
	Title: "Requests and limits that the namespace decides",
	Docs:  docs,
	Rules: []*rule.Rule{
		limitrangeDefaultApplied,
		quotaExceeded,
		quotaRequiresResources,
	},
}
