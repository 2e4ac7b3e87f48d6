// Package volumes holds the rules about what a volume hides of an image, and
// what it keeps from one start to the next.
package volumes

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family lists the rules.
var Family = &rule.Family{
	Name:  "volumes",
	Title: "What a volume hides, and what it keeps",
	Docs:  docs,
	Rules: []*rule.Rule{mountHidesProgram, startNotRepeatable},
}
