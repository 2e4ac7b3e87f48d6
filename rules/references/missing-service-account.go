package references

import (
	"cmp"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingServiceAccount = &rule.Rule{
	ID:       "missing-service-account",
	Title:    "The pod's ServiceAccount is not there",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkServiceAccount,
}

// checkServiceAccount reports a service account that is not in the files:
// admission refuses a pod whose account it cannot look up
// (plugin/pkg/admission/serviceaccount/admission.go, Admit). Every namespace
// has the account "default".
func checkServiceAccount(p *rule.Pass, w *manifest.Workload) {
	name := cmp.Or(w.Pod.ServiceAccountName, w.Pod.DeprecatedServiceAccount)
	if name == "" || name == "default" {
		return
	}
	field := "serviceAccountName"
	if w.Pod.ServiceAccountName == "" {
		field = "serviceAccount"
	}
	checkNamed(p, cluster.Reference{Workload: w, Kind: "ServiceAccount", Name: name, At: w.PodPath.Append(field)},
		"the pod runs as", "no pod is created, FailedCreate")
}
