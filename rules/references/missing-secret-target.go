package references

import (
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingSecretTarget = &rule.Rule{
	ID:       "missing-secret-target",
	Title:    "A Secret or key that the pod needs is not there",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) { checkTargets(p, w, "Secret") },
}
