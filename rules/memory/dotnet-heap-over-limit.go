package memory

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/dotnet"
)

var dotnetHeapOverLimit = &rule.Rule{
	ID:       "dotnet-heap-over-limit",
	Title:    "The heap of .NET may grow beyond the memory limit",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkDotnet,
}

// mostDotnetPercent is the share of the limit above which the rest of the
// process, 40 MiB and more, has no room in containers of common size.
const mostDotnetPercent = 90

func checkDotnet(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit, ok := usableLimit(p.Cluster, ctr)
		if !ok {
			continue
		}
		heap, ok := dotnet.Limit(p.Cluster.Environment(ctr))
		if !ok {
			continue
		}
		v := heap.By
		switch {
		case heap.Bytes > uint64(limit.V.Value()):
			p.Report(dotnetBytes(ctr, v, heap.Bytes, limit))
		case heap.Percent > mostDotnetPercent:
			f := dotnetFinding(ctr, v, limit)
			f.Message = fmt.Sprintf("container %q: %s=%s is hexadecimal and lets the heap take %d%% of the %s memory limit: OOMKilled (137) under load",
				ctr.Name, v.Name, v.Value, heap.Percent, limit.V.String())
			f.Fixes = dotnetFix(v, "0x4B", "0x4B is 75%")
			p.Report(secretDotnet(ctr, v, f))
		}
	}
}

func dotnetBytes(ctr *manifest.Container, v cluster.Variable, n uint64, limit *cluster.Value[resource.Quantity]) rule.Finding {
	f := dotnetFinding(ctr, v, limit)
	f.Message = fmt.Sprintf("container %q: %s=%s is hexadecimal, %s, and above the %s memory limit; the heap may grow until OOMKilled (137)",
		ctr.Name, v.Name, v.Value, size(n), limit.V.String())
	most := uint64(limit.V.Value())
	fits := most / 4 * 3
	hint := fmt.Sprintf("three quarters of the limit, %s", size(fits))
	if decimal, err := strconv.ParseUint(v.Value, 10, 64); err == nil && decimal <= most {
		fits, hint = decimal, fmt.Sprintf("%s, if %s was meant as a decimal number", size(decimal), v.Value)
	}
	f.Fixes = dotnetFix(v, fmt.Sprintf("0x%X", fits), hint)
	return secretDotnet(ctr, v, f)
}

func dotnetFinding(ctr *manifest.Container, v cluster.Variable, limit *cluster.Value[resource.Quantity]) rule.Finding {
	f := atVariable(ctr, v)
	f.Related = limitRelated(ctr, limit)
	if limit.From.Object == f.Object {
		f.Needs = []node.Path{limit.From.Path}
	}
	return f
}

// secretDotnet takes a Secret's value out of a finding.
func secretDotnet(ctr *manifest.Container, v cluster.Variable, f rule.Finding) rule.Finding {
	if v.Secret {
		f.Message = fmt.Sprintf("container %q: %s, from a Secret, lets the heap grow beyond what the memory limit holds: OOMKilled (137)", ctr.Name, v.Name)
		f.Fixes = nil
	}
	return f
}

func dotnetFix(v cluster.Variable, value, hint string) []rule.Fix {
	fix := rule.Fix{Safety: diag.Display, Message: v.Name + "=" + value + ": " + hint}
	if o := v.From.Object; o != nil && o.StringAt(v.From.Path) == v.Value {
		fix.Ops = []node.Op{{Kind: node.Set, Path: v.From.Path, Value: value}}
	}
	return []rule.Fix{fix}
}
