// Package initcontainers holds the rules about init containers that do not come
// to their end, and about pods that wait for each other.
package initcontainers

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the family of these rules.
var Family = &rule.Family{
	Name:  "initcontainers",
	Title: "Init containers that never end, and pods that wait for each other",
	Docs:  docs,
	Rules: []*rule.Rule{
		initWaitNeverEnds, initWaitsForItself, initRunsForever, initNeedsSidecar, initExitOnFailure, sysctlWithoutPrivilege,
		peersNeedNotReadyAddresses,
	},
}
