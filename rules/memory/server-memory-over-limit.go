package memory

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/servers"
)

var serverMemoryOverLimit = &rule.Rule{
	ID:       "server-memory-over-limit",
	Title:    "A server is told to use more memory than its limit",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkServerMemory,
}

func checkServerMemory(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit, ok := usableLimit(p.Cluster, ctr)
		if !ok {
			continue
		}
		if a, ok := servers.Of(p.Cluster, ctr, uint64(limit.V.Value())); ok && (a.Refusal != "" || a.Bytes >= uint64(limit.V.Value())) {
			p.Report(serverFinding(ctr, a, limit))
		}
	}
}

func serverFinding(ctr *manifest.Container, a servers.Amount, limit *cluster.Value[resource.Quantity]) rule.Finding {
	by := a.Settings[0]
	f := rule.Finding{Object: by.From.Object, At: by.From.Path, Within: by.From.Within, Related: limitRelated(ctr, limit)}
	var words []string
	secret := false
	for _, s := range a.Settings {
		words = append(words, s.Text)
		secret = secret || s.Secret
	}
	who := fmt.Sprintf("%s, %s%% of", strings.Join(words, " and "), trim(float64(a.Bytes)/float64(limit.V.Value())*100))
	if secret {
		who = "a setting from a Secret fills"
	}
	if secret || by.From.Object == nil {
		f.Object, f.At, f.Within, f.Target = ctr.Workload.Object, ctr.Path, "", node.Grip
	}
	if limit.From.Object == f.Object {
		f.Needs = []node.Path{limit.From.Path}
	}
	if a.Refusal != "" {
		f.Message = fmt.Sprintf("container %q: %s the %s memory limit, of which the rest of the process needs a part: %s exits at once with %q, again and again",
			ctr.Name, who, limit.V.String(), a.Program, a.Refusal)
		if a.Sure && by.From.Object == ctr.Workload.Object {
			f.Severity = diag.Error
		}
	} else {
		f.Message = fmt.Sprintf("container %q: %s the %s memory limit; %s may grow until OOMKilled (137)", ctr.Name, who, limit.V.String(), a.Program)
		f.Notes = []string{a.Why}
	}
	f.Fixes = []rule.Fix{
		{Safety: diag.Display, Message: fmt.Sprintf("no more than %s, half of the limit, to begin with", size(uint64(limit.V.Value())/2))},
		largerServerLimit(ctr, a, limit, f.Object),
	}
	if secret {
		f.Fixes = f.Fixes[:1]
	}
	return f
}

// largerServerLimit doubles what is set: the makers of databases advise to give
// the cache a quarter to three quarters of the memory.
func largerServerLimit(ctr *manifest.Container, a servers.Amount, limit *cluster.Value[resource.Quantity], o *manifest.Object) rule.Fix {
	quantity := size(a.Bytes * 2)
	fix := rule.Fix{Safety: diag.Display, Message: "a memory limit of " + quantity}
	path := ctr.At("resources", "limits", string(corev1.ResourceMemory))
	if limit.From.Object == o && slices.Equal(limit.From.Path, path) {
		fix.Ops = []node.Op{{Kind: node.Set, Path: path, Value: quantity}}
	}
	return fix
}
