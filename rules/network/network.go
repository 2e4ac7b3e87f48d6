// Package network holds the rules about ports that are taken twice and hosts that
// are not there.
package network

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the family of these rules.
var Family = &rule.Family{
	Name:  "network",
	Title: "Ports that are taken and hosts that are not there",
	Docs:  docs,
	Rules: []*rule.Rule{portConflictInPod, hostPortConflict, nodePortRefused, upstreamNotFound},
}
