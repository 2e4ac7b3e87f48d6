package permissions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var missingCapability = &rule.Rule{
	ID:       "missing-capability",
	Title:    "The image's start needs capabilities that the container gives up",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkCapabilities,
}

// checkCapabilities reports containers that drop what their image is known to
// need: as root to hand over files and to change to another user, or as anybody
// for a program whose file carries capabilities. The kernel refuses to run such
// a file where its capabilities are not in the bounding set (security/commoncap.c,
// bprm_caps_from_vfs_caps; capabilities(7), "Safety checking for
// capability-dumb binaries").
func checkCapabilities(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		need := p.Cluster.Image(ctr).Capabilities
		if need == nil || !complete(p, ctr) || !p.Cluster.RunsEntrypoint(ctr, need.Programs) {
			continue
		}
		s := p.Cluster.Security(ctr)
		dropped := func(names []string) []string {
			return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !s.Drops(name) })
		}
		if missing := dropped(need.File); len(missing) > 0 {
			f := capabilityFinding(ctr, need, missing, missing)
			f.Message = fmt.Sprintf("container %q drops %s, which the program's file in %s carries: the kernel refuses to run it (\"operation not permitted\"), at every start",
				ctr.Name, strings.Join(missing, ", "), ctr.Image)
			p.Report(f)
			continue
		}
		user, known := p.Cluster.User(ctr)
		missing := dropped(need.Needs)
		if !known || user.V != 0 || len(missing) == 0 {
			continue
		}
		f := capabilityFinding(ctr, need, missing, append(missing, dropped(need.Also)...))
		f.Message = fmt.Sprintf("container %q starts as root without %s, and the start of %s takes over files and changes to its own user with them: \"operation not permitted\", at every start",
			ctr.Name, strings.Join(missing, ", "), ctr.Image)
		if runs := p.Cluster.Image(ctr).User; runs != nil && runs.Runs != 0 {
			f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: fmt.Sprintf("or start it as that user: runAsUser %d, with an fsGroup for its volumes", runs.Runs)})
		}
		p.Report(f)
	}
}

func capabilityFinding(ctr *manifest.Container, need *images.Capabilities, missing, add []string) rule.Finding {
	at := ctr.At("securityContext", "capabilities")
	values := make([]any, 0, len(add))
	for _, c := range ctr.SecurityContext.Capabilities.Add {
		values = append(values, string(c))
	}
	for _, name := range add {
		values = append(values, name)
	}
	fix := rule.Fix{Safety: diag.Unsafe, Message: "add " + strings.Join(add, ", ")}
	if byName := slices.ContainsFunc(missing, func(name string) bool {
		return slices.Contains(lower(ctr), strings.ToLower(name))
	}); byName {
		fix = rule.Fix{Safety: diag.Display, Message: "do not drop " + strings.Join(missing, ", ")} // what is dropped by name stays so
	} else {
		fix.Ops = []node.Op{{Kind: node.Set, Path: at.Append("add"), Value: values}}
	}
	return rule.Finding{
		Object: ctr.Workload.Object, At: at.Append("drop"),
		Needs:   append(userPaths(ctr), at.Append("add")),
		Related: []rule.Related{{Object: ctr.Workload.Object, At: ctr.At("image"), Message: "its start needs them"}},
		Notes:   []string{sourceNote("what it needs", need.Source)},
		Fixes:   []rule.Fix{fix},
	}
}

// lower returns what the container drops, in lower case and without CAP_.
func lower(ctr *manifest.Container) []string {
	var out []string
	for _, c := range ctr.SecurityContext.Capabilities.Drop {
		out = append(out, strings.TrimPrefix(strings.ToLower(string(c)), "cap_"))
	}
	return out
}
