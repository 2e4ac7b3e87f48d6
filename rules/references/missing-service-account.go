package references

import (
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingServiceAccount = &rule.Rule{
	ID:       "missing-service-account",
	Title:    "The pod's ServiceAccount is not there",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) { checkTargets(p, w, "ServiceAccount") },
}
