// Package permissions holds the rules about what a container may not do: as
// which user it runs, what it can write, which capabilities and tokens it has.
package permissions

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family lists the rules.
var Family = &rule.Family{
	Name:  "permissions",
	Title: "What a container is not allowed to do",
	Docs:  docs,
	Rules: []*rule.Rule{
		runAsRootRefused, nonNumericUser, missingCapability, privilegedPortNonRoot, s6NeedsRoot,
		volumeNotWritable, readOnlyRoot, readOnlyMountEdited, tokenNotMounted, apiAccessWithoutRBAC, seccompBlocks, unsafeSysctl,
	},
}
