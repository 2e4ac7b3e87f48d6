// Package image holds the rules about what an image runs on and asks for before
// its program starts.
package image

import (
	"embed"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
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

// mayChange reports whether something else fills in the workload before it runs:
// a patch, or the operator of a custom resource. A Rollout of Argo runs its
// template as it is.
func mayChange(c *cluster.Cluster, w *manifest.Workload) bool {
	return w.Custom && w.Kind != "Rollout" || c.Patched(w)
}
