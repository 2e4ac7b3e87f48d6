package memory

import (
	"fmt"
	"path"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes"
	"github.com/crashlint/crashlint/internal/runtimes/python"
)

var pythonVariableRefused = &rule.Rule{
	ID:       "python-variable-refused",
	Title:    "Python does not start with a variable that it is given",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkPythonVariables,
}

func checkPythonVariables(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		runs, ok := runtimes.Of(p.Cluster, ctr)
		if ok && runs.Certain && runs.Name != "python" || ctr.Partial {
			continue
		}
		facts := p.Cluster.Image(ctr)
		own := facts.Runtime != nil && facts.Runtime.Name == "python" && path.Base(facts.Name) == "python"
		release, three := python.Release(ctr.Image, own)
		if !three {
			continue
		}
		for _, v := range p.Cluster.Environment(ctr).Variables {
			if !v.Known {
				continue
			}
			if wants, sure := python.Wants(v.Name, v.Value, release); wants != "" {
				p.Report(pythonFinding(ctr, v, wants, release, sure && (runs.Name == "python" || !ok)))
			}
		}
	}
}

func pythonFinding(ctr *manifest.Container, v cluster.Variable, wants string, release python.Minor, sure bool) rule.Finding {
	who := "Python"
	if release != python.Unknown {
		who = fmt.Sprintf("Python 3.%d", release)
	}
	written := fmt.Sprintf("%s=%s", v.Name, v.Value)
	if v.Secret {
		written = v.Name + ", from a Secret,"
	}
	f := atVariable(ctr, v)
	f.Message = fmt.Sprintf("container %q: %s is refused by %s, which takes %s: \"Fatal Python error\" at once, again and again", ctr.Name, written, who, wants)
	f.Notes = []string{"an empty value counts as not set"}
	if !sure || v.From.Object != ctr.Workload.Object {
		f.Severity = diag.Warning // others may share it, and only Python reads it
	}
	meant, plain := map[string]string{"true": "1", "yes": "1", "on": "1", "false": "0", "no": "0", "off": "0"}[strings.ToLower(v.Value)]
	if v.Secret || !plain || v.Name != "PYTHONUTF8" {
		return f
	}
	fix := rule.Fix{Safety: diag.Display, Message: v.Name + "=" + meant}
	if o := v.From.Object; o != nil && o.StringAt(v.From.Path) == v.Value {
		fix.Safety = diag.Unsafe
		fix.Ops = []node.Op{{Kind: node.Set, Path: v.From.Path, Value: meant}}
	}
	f.Fixes = []rule.Fix{fix}
	return f
}
