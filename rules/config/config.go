// Package config holds the rules about configuration files that programs find in
// ConfigMaps and do not start with.
package config

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the family of these rules.
var Family = &rule.Family{
	Name:  "config",
	Title: "Configuration files that programs do not start with",
	Docs:  docs,
	Rules: []*rule.Rule{configFileInvalid},
}
