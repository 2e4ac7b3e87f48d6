package references

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingPriorityClass = &rule.Rule{
	ID:       "missing-priority-class",
	Title:    "The pod's PriorityClass is not there",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkPriorityClass,
}

// checkPriorityClass reports a class that is not in the files, and one that
// cannot be in any cluster: names with the prefix system- are those of the two
// classes that the API server makes itself (pkg/apis/scheduling/validation,
// ValidatePriorityClass).
func checkPriorityClass(p *rule.Pass, w *manifest.Workload) {
	name := w.Pod.PriorityClassName
	reserved := strings.HasPrefix(name, "system-") && len(validation.IsDNS1123Subdomain(name)) == 0
	if !reserved || name == "system-node-critical" || name == "system-cluster-critical" {
		checkTargets(p, w, "PriorityClass")
		return
	}
	p.Report(rule.Finding{
		Object: w.Object, At: w.PodPath.Append("priorityClassName"), Severity: diag.Error,
		Message: fmt.Sprintf("the pod needs PriorityClass %s: names that begin with system- are the API server's own, and it has system-node-critical and system-cluster-critical only: no pod is created, FailedCreate", name),
	})
}
