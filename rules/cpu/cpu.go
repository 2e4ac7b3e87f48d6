// Package cpu holds the rules about CPU limits and what they do to a process.
package cpu

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the rules about CPU.
var Family = &rule.Family{
	Name:  "cpu",
	Title: "CPU limits and the time a process needs",
	Docs:  docs,
	Rules: []*rule.Rule{
		cpuLimitOnJVM,
		cpuRequestZero,
	},
}
