package references

import (
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingConfigmapTarget = &rule.Rule{
	ID:       "missing-configmap-target",
	Title:    "A ConfigMap or key that the pod needs is not there",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) { checkTargets(p, w, "ConfigMap") },
}
