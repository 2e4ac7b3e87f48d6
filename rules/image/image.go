// Package image holds the rules about what an image runs on and asks for before
// its program starts.
package image

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family lists the rules.
var Family = &rule.Family{
	Name:  "image",
	Title: "What an image runs on and asks for",
	Docs:  docs,
	Rules: []*rule.Rule{
		invalidImageReference, architectureMismatch, requiredEnvMissing, environmentRefused, dataDirectoryNotEmpty, mountPathRefused, sysctlTooLow, majorUpgradeOnOldData,
	},
}
