package permissions

import (
	"fmt"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var runAsRootRefused = &rule.Rule{
	ID:       "run-as-root-refused",
	Title:    "runAsNonRoot forbids root, and the container runs as root",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkRunAsRoot,
}

// checkRunAsRoot reports what the kubelet refuses to create because the user is
// root (pkg/kubelet/kuberuntime/security_context_others.go, verifyRunAsNonRoot;
// an image that names no user counts as root, kuberuntime_image.go,
// getImageUser).
func checkRunAsRoot(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		s := p.Cluster.Security(ctr)
		if s.RunAsNonRoot == nil || !s.RunAsNonRoot.V {
			continue
		}
		f := rule.Finding{Object: w.Object, At: s.RunAsNonRoot.From.Path, Needs: userPaths(ctr)}
		if s.RunAsUser != nil {
			if s.RunAsUser.V != 0 {
				continue
			}
			f.Message = fmt.Sprintf("container %q: runAsNonRoot is true and runAsUser is 0: the kubelet refuses to create it (CreateContainerConfigError)", ctr.Name)
			f.Related = []rule.Related{{Object: w.Object, At: s.RunAsUser.From.Path, Message: "root"}}
			f.Fixes = []rule.Fix{{Safety: diag.Display, Message: "take the number of another user, or leave out runAsNonRoot"}}
			p.Report(f)
			continue
		}
		u := p.Cluster.Image(ctr).User
		if u == nil || !complete(p, ctr) || !isRoot(u.Name) {
			continue
		}
		f.Message = fmt.Sprintf("container %q: runAsNonRoot is true, nothing sets runAsUser, and the image %s runs as root: the kubelet refuses to create it (CreateContainerConfigError)", ctr.Name, ctr.Image)
		f.Notes = []string{sourceNote("the user of the image", u.Source)}
		f.Related = []rule.Related{{Object: w.Object, At: ctr.At("image"), Message: "its user is root"}}
		if u.Runs != 0 {
			f.Fixes = []rule.Fix{{
				Safety: diag.Unsafe, Message: fmt.Sprintf("run it as %d, to which its entrypoint changes as well; its volumes must be writable for that user: fsGroup", u.Runs),
				Ops: []node.Op{{Kind: node.Set, Path: ctr.At("securityContext", "runAsUser"), Value: u.Runs}},
			}}
		} else {
			f.Fixes = []rule.Fix{{Safety: diag.Display, Message: "take an image made to run as another user, or leave out runAsNonRoot"}}
		}
		p.Report(f)
	}
}

// isRoot reports whether the user of an image's configuration is root.
func isRoot(user string) bool {
	name, _, _ := strings.Cut(user, ":")
	return name == "" || name == "0" || name == "root"
}
