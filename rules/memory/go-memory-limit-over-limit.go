package memory

import (
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/golang"
)

var goMemoryLimitOverLimit = &rule.Rule{
	ID:       "go-memory-limit-over-limit",
	Title:    "The Go runtime is told of more memory than there is",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkGoLimit,
}

func checkGoLimit(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		env := p.Cluster.Environment(ctr)
		goLimit, set := env.Lookup("GOMEMLIMIT")
		goGC, gcSet := env.Lookup("GOGC")
		if set && !goLimit.Known || ctr.Partial {
			continue
		}
		bytes, ok := golang.MemoryLimit(goLimit.Value)
		if !ok {
			continue // go-memory-limit-malformed
		}
		off := gcSet && goGC.Known && golang.GCOff(goGC.Value)
		limit, limited := usableLimit(p.Cluster, ctr)
		switch {
		case off && bytes == math.MaxInt64 && !env.Open && !w.RunsToCompletion() && ctr.Role != manifest.Init:
			p.Report(gcOffFinding(ctr, goGC, limit, limited))
		case bytes < math.MaxInt64 && limited && bytes > limit.V.Value():
			p.Report(goLimitFinding(ctr, goLimit, bytes, off, limit))
		}
	}
}

// gcOffFinding is that of a program which never collects. A short one may do
// without.
func gcOffFinding(ctr *manifest.Container, v cluster.Variable, limit *cluster.Value[resource.Quantity], limited bool) rule.Finding {
	f := atVariable(ctr, v)
	end := "until the node has none left"
	if limited {
		end = "to the " + limit.V.String() + " limit: OOMKilled (137)"
		f.Related = limitRelated(ctr, limit)
	}
	f.Message = fmt.Sprintf("container %q: GOGC=off without GOMEMLIMIT means that garbage is never collected; memory grows %s", ctr.Name, end)
	f.Fixes = []rule.Fix{{Safety: diag.Display, Message: "set GOMEMLIMIT to nine tenths of the memory limit, or remove GOGC"}}
	return f
}

func goLimitFinding(ctr *manifest.Container, v cluster.Variable, bytes int64, off bool, limit *cluster.Value[resource.Quantity]) rule.Finding {
	f := atVariable(ctr, v)
	f.Related = limitRelated(ctr, limit)
	if limit.From.Object == f.Object {
		f.Needs = []node.Path{limit.From.Path}
	}
	who := fmt.Sprintf("GOMEMLIMIT=%s is %s%% of the %s memory limit", v.Value, trim(float64(bytes)/float64(limit.V.Value())*100), limit.V.String())
	if v.Secret {
		who = "GOMEMLIMIT, from a Secret, is above the " + limit.V.String() + " memory limit"
	}
	own := v.From.Object == ctr.Workload.Object
	switch {
	case off:
		f.Message = fmt.Sprintf("container %q: %s, and GOGC=off collects only there: memory grows until OOMKilled (137)", ctr.Name, who)
		if own {
			f.Severity = diag.Error
		}
	default:
		f.Message = fmt.Sprintf("container %q: %s; the collector feels no pressure before the kernel kills: OOMKilled (137) under load", ctr.Name, who)
	}
	fits := fmt.Sprintf("%dMiB", limit.V.Value()/10*9>>20)
	fix := rule.Fix{Safety: diag.Display, Message: "GOMEMLIMIT=" + fits + " leaves a tenth for what the Go runtime does not count"}
	if o := v.From.Object; o != nil && !v.Secret && o.StringAt(v.From.Path) == v.Value {
		fix.Ops = []node.Op{{Kind: node.Set, Path: v.From.Path, Value: fits}}
	}
	f.Fixes = []rule.Fix{fix}
	return f
}
