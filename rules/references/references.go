// Package references holds the rules about objects that a workload names, and
// that are not there or not what it takes them for.
package references

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family lists the rules.
var Family = &rule.Family{
	Name:  "references",
	Title: "Objects that a workload names",
	Docs:  docs,
	Rules: []*rule.Rule{
		missingSecretTarget, missingConfigmapTarget, hookBeforeTarget, serviceLinkCollision,
		secretValueTrailingNewline, secretValueNotText, undefinedVolume, missingServiceAccount, missingPVC,
		missingPriorityClass, missingRuntimeClass, hookTargetDeleted, volumeModeDecimal,
		missingGoverningService, downwardFieldUnknown,
		subpathKeyMissing, missingSubpath, mountOverTokenPath,
	},
}
