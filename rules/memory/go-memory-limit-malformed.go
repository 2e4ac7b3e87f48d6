package memory

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/golang"
)

var goMemoryLimitMalformed = &rule.Rule{
	ID:       "go-memory-limit-malformed",
	Title:    "A Go program does not start with its GOMEMLIMIT",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkGoMalformed,
}

func checkGoMalformed(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		v, ok := p.Cluster.Environment(ctr).Lookup("GOMEMLIMIT")
		if !ok || !v.Known {
			continue
		}
		if _, ok := golang.MemoryLimit(v.Value); ok {
			continue
		}
		written := v.Value
		if v.Secret {
			written = "its value, from a Secret,"
		}
		f := atVariable(ctr, v)
		f.Message = fmt.Sprintf("container %q: GOMEMLIMIT: %s is no amount to the Go runtime: the program dies at once with \"malformed GOMEMLIMIT\", again and again", ctr.Name, written)
		f.Notes = []string{"it takes whole numbers of B, KiB, MiB, GiB and TiB, unlike Kubernetes' 512Mi"}
		if v.From.Object != ctr.Workload.Object {
			f.Severity = diag.Warning // others may share it, and only Go reads it
		}
		if meant := goMeant(v.Value); meant != "" && !v.Secret {
			fix := rule.Fix{Safety: diag.Display, Message: meant}
			if v.From.Object != nil && v.From.Object.StringAt(v.From.Path) == v.Value {
				fix.Safety = diag.Unsafe
				fix.Ops = []node.Op{{Kind: node.Set, Path: v.From.Path, Value: meant}}
			}
			f.Fixes = []rule.Fix{fix}
		}
		p.Report(f)
	}
}

// kubernetesAmount matches an amount as Kubernetes, or a person in a hurry,
// writes it.
var kubernetesAmount = regexp.MustCompile(`^\s*([0-9]+)\s*([kKmMgGtT])(?:i|[bB]|ib)?\s*$`)

// goMeant returns what was meant in Go's spelling, empty where it is not plain.
func goMeant(value string) string {
	m := kubernetesAmount.FindStringSubmatch(value)
	if m == nil {
		return ""
	}
	return m[1] + strings.ToUpper(m[2]) + "iB"
}

// atVariable places a finding at a variable's value, or at the container where
// no frame may be drawn around it.
func atVariable(ctr *manifest.Container, v cluster.Variable) rule.Finding {
	if v.Secret || v.From.Object == nil {
		return rule.Finding{Object: ctr.Workload.Object, At: ctr.Path, Target: node.Grip}
	}
	return rule.Finding{Object: v.From.Object, At: v.From.Path, Within: v.From.Within}
}
