// Package probes holds the rules about probes that kill what is healthy or still
// starting, or that can never succeed.
package probes

import (
	"embed"
	"fmt"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the family of these rules.
var Family = &rule.Family{
	Name:  "probes",
	Title: "Probes that kill what is healthy or still starting, or can never succeed",
	Docs:  docs,
	Rules: []*rule.Rule{
		livenessHitsDependency, missingStartupProbe, livenessKillsBeforeReady, startupBudgetTooShort, livenessEqualsReadiness,
		probeRejected, probePortUnknown, probeTimeoutOverPeriod,
		probePortNotExposed, probeOnLoopbackListener, probeSchemeMismatch, probeNeedsAuth, probePathNotServed,
		execProbeNotACommand, execProbeExpectsShell, execProbeBinaryMissing, execProbeTimeout,
	},
}

const (
	liveness  = "livenessProbe"
	readiness = "readinessProbe"
	startup   = "startupProbe"
)

// probed reports whether the kubelet runs the container's probes: those of init
// containers that run to their end are refused by the API server
// (pkg/apis/core/validation/validation.go, validateInitContainers).
func probed(ctr *manifest.Container) bool { return ctr.Role != manifest.Init }

// span writes a window for people: "20 to 31 s".
func span(w kubelet.Window) string {
	if w.Earliest == w.Latest {
		return fmt.Sprintf("%d s", w.Earliest)
	}
	return fmt.Sprintf("%d to %d s", w.Earliest, w.Latest)
}
