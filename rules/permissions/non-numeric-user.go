package permissions

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var nonNumericUser = &rule.Rule{
	ID:       "non-numeric-user",
	Title:    "runAsNonRoot cannot be checked: the image names its user instead of numbering it",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkNumericUser,
}

// checkNumericUser reports images whose user is a name: the kubelet reads no
// /etc/passwd of an image, and does not create what it cannot verify
// (pkg/kubelet/kuberuntime/security_context_others.go, verifyRunAsNonRoot).
func checkNumericUser(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		s := p.Cluster.Security(ctr)
		u := p.Cluster.Image(ctr).User
		if s.RunAsNonRoot == nil || !s.RunAsNonRoot.V || s.RunAsUser != nil || u == nil || !complete(p, ctr) || isRoot(u.Name) {
			continue
		}
		name, _, _ := strings.Cut(u.Name, ":")
		if _, err := strconv.ParseInt(name, 10, 64); err == nil {
			continue
		}
		f := rule.Finding{
			Object: w.Object, At: s.RunAsNonRoot.From.Path,
			Message: fmt.Sprintf("container %q: runAsNonRoot is true and the image's user is the name %q, which the kubelet cannot verify: it refuses to create the container (CreateContainerConfigError)",
				ctr.Name, name),
			Needs:   userPaths(ctr),
			Notes:   []string{sourceNote("the user of the image", u.Source)},
			Related: []rule.Related{{Object: w.Object, At: ctr.At("image"), Message: "its user is " + name}},
		}
		if u.ID != 0 {
			f.Fixes = []rule.Fix{{
				Safety: diag.Unsafe, Message: fmt.Sprintf("give the number of %s", name),
				Ops: []node.Op{{Kind: node.Set, Path: ctr.At("securityContext", "runAsUser"), Value: u.ID}},
			}}
		} else {
			f.Fixes = []rule.Fix{{Safety: diag.Display, Message: "set runAsUser to the number of " + name + " in the image"}}
		}
		p.Report(f)
	}
}
