package memory

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/nodejs"
)

var nodeFlagRefused = &rule.Rule{
	ID:       "node-flag-refused",
	Title:    "Node.js does not start with an option that it is given",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkNodeRefused,
}

func checkNodeRefused(p *rule.Pass, w *manifest.Workload) {
	said := map[string]bool{} // containers may share a ConfigMap
	for _, ctr := range w.Containers {
		n, ok := nodejs.Of(p.Cluster, ctr)
		if !ok || len(n.Refused) == 0 {
			continue
		}
		from := n.Refused[0].Option.From
		if from.Object != nil {
			place := from.Object.String() + from.Path.String()
			if said[place] {
				continue
			}
			said[place] = true
		}
		p.Report(nodeRefusedFinding(ctr, n))
	}
}

// nodeRefusedFinding is about the first option that Node.js stumbles over.
func nodeRefusedFinding(ctr *manifest.Container, n *nodejs.Process) rule.Finding {
	first := n.Refused[0]
	by := first.Option
	who := "Node.js"
	if n.Release.Major > 0 {
		who += " " + n.Release.String() + ", which the image has"
	}
	f := rule.Finding{
		Object: by.From.Object, At: by.From.Path, Within: cmp.Or(by.From.Within, by.Text),
		Message: fmt.Sprintf("container %q: %s is refused by %s: %s; it exits with %d at once, again and again", ctr.Name, shown(by), who, first.Reason, first.Exit),
		Notes:   []string{"Node.js, since " + strings.Join(n.Evidence, ", ")},
	}
	if !first.Sure || !n.Certain || by.Carrier == "" && !n.Sure {
		f.Severity = diag.Warning
	}
	if !first.Sure {
		f.Notes = append(f.Notes, "no release that is known here takes it")
	}
	for _, r := range n.Refused[1:] {
		if r.Sure && r.Option.Text != by.Text {
			f.Notes = append(f.Notes, fmt.Sprintf("refused as well: %s: %s", shown(r.Option), r.Reason))
		}
	}
	if by.Secret || by.From.Object == nil {
		f.Object, f.At, f.Within, f.Target = ctr.Workload.Object, ctr.Path, "", node.Grip
		return f
	}
	f.Fixes = []rule.Fix{nodeWithout(first)}
	return f
}

// shown writes an option on one line.
func shown(o nodejs.Option) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(o.String())
}

// nodeWithout takes the option out of the text that it stands in, or writes it as
// it was meant.
func nodeWithout(r nodejs.Refusal) rule.Fix {
	from := r.Option.From
	old := from.Object.StringAt(from.Path)
	fix := rule.Fix{Safety: diag.Display, Message: "remove " + shown(r.Option)}
	meant := r.Meant
	switch {
	case r.Option.Carrier != "" && strings.ContainsAny(r.Written, "\n\t"):
		meant = strings.Join(strings.Fields(r.Written), " ")
		fix.Message = "one line, with spaces between the options: " + meant
	case meant != "":
		fix.Message = meant + " instead of " + shown(r.Option)
	}
	if r.Written == "" || !r.Sure || strings.Count(old, r.Written) != 1 {
		return fix
	}
	before, after, _ := strings.Cut(old, r.Written)
	if strings.ContainsAny(before+after, "\n\r") {
		return fix // what has several lines has a layout of its own
	}
	if meant == "" {
		before, after = strings.TrimRight(before, " "), strings.TrimLeft(after, " ")
		if before != "" && after != "" {
			before += " "
		}
	}
	fix.Safety = diag.Unsafe
	fix.Ops = []node.Op{{Kind: node.Set, Path: from.Path, Value: before + meant + after}}
	if before+meant+after == "" {
		if _, item := from.Path[len(from.Path)-1].Index(); item {
			fix.Ops = []node.Op{{Kind: node.Remove, Path: from.Path}}
		}
	}
	return fix
}
