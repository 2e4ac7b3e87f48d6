package references

import (
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingRuntimeClass = &rule.Rule{
	ID:       "missing-runtime-class",
	Title:    "The pod's RuntimeClass is not there",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) { checkTargets(p, w, "RuntimeClass") },
}
