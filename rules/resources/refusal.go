package resources

import (
	"cmp"
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

// refusal is the consequence of a violation: the controller's attempts to make
// a pod fail (FailedCreate).
const refusal = "the API server refuses every pod"

// makesPods reports whether the pods of the workload are made as it is written:
// not those of a patch, or of a PodTemplate, which only waits to be used.
func makesPods(w *manifest.Workload) bool { return !w.Patch && w.Kind != "PodTemplate" }

// certainty returns the severity of what an object of the namespace does to every
// pod of the workload, and the notes with what it rests on.
func certainty(p *rule.Pass, w *manifest.Workload, by *manifest.Object, notes []string) (diag.Severity, []string) {
	switch here, there := p.Cluster.NamespaceOf(w.Object), p.Cluster.NamespaceOf(by); {
	case here != there:
		return diag.Warning, append(notes, fmt.Sprintf("if the pod goes to namespace %s", cmp.Or(there, here)))
	case here == "" && w.Dir() != by.Dir():
		return diag.Warning, append(notes, "if both are applied to the same namespace")
	case w.Custom:
		return diag.Warning, append(notes, "the controller of the custom resource may set other resources")
	}
	return diag.Error, notes
}
