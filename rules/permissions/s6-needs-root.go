package permissions

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var s6NeedsRoot = &rule.Rule{
	ID:       "s6-needs-root",
	Title:    "The image's s6-overlay does not get the rights that it starts with",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkOverlay,
}

// checkOverlay reports what s6-overlay 3 exits with 100 for before it starts
// anything: it must be process 1 (s6-overlay-helpers, s6-overlay-suexec.c), and
// /run must belong to the user, or it must be able to take it over
// (s6-overlay, libexec/preinit): with the set-user-ID bit of its helper, which
// no_new_privs disables, and CHOWN.
func checkOverlay(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		overlay := p.Cluster.Image(ctr).Overlay
		if overlay == nil || overlay.Version != 3 || !complete(p, ctr) || len(ctr.Command) > 0 {
			continue
		}
		if f, ok := overlayFault(p.Cluster, ctr, overlay); ok {
			f.Object, f.Needs = w.Object, append(f.Needs, append(userPaths(ctr), envPaths(ctr)...)...)
			f.Notes = append(f.Notes, sourceNote("its s6-overlay", overlay.Source))
			f.Related = append(f.Related, rule.Related{Object: w.Object, At: ctr.At("image"), Message: "started by s6-overlay"})
			p.Report(f)
		}
	}
}

func overlayFault(c *cluster.Cluster, ctr *manifest.Container, overlay *images.Overlay) (rule.Finding, bool) {
	w, env, s := ctr.Workload, c.Environment(ctr), c.Security(ctr)
	field := ""
	switch {
	case w.Pod.HostPID:
		field = "hostPID"
	case w.Pod.ShareProcessNamespace != nil && *w.Pod.ShareProcessNamespace:
		field = "shareProcessNamespace"
	}
	if field != "" {
		return rule.Finding{
			At:      w.PodPath.Append(field),
			Message: fmt.Sprintf("container %q: with %s its s6-overlay is not process 1, and exits with 100: \"can only run as pid 1\"", ctr.Name, field),
			Fixes: []rule.Fix{{
				Safety: diag.Unsafe, Message: "give the container process numbers of its own",
				Ops: []node.Op{{Kind: node.Remove, Path: w.PodPath.Append(field)}},
			}},
		}, true
	}
	_, mounted := volumeOver(ctr, "/run")
	if ro := s.ReadOnlyRootFilesystem; ro != nil && ro.V && !s.Privileged && !s.Allows("SYS_ADMIN") && !writable(c, ctr, "/run") {
		return rule.Finding{
			At:      ro.From.Path,
			Message: fmt.Sprintf("container %q: its s6-overlay writes to /run first of all, which is read-only with readOnlyRootFilesystem and no volume there: it exits, at every start", ctr.Name),
			Fixes:   []rule.Fix{{Safety: diag.Display, Message: "mount an emptyDir at /run and set S6_READ_ONLY_ROOT to 1"}},
		}, true
	}
	user, known := c.User(ctr)
	if !known || user.V == 0 || user.From.Object == nil || user.V == overlay.Owner && !mounted ||
		env.Meets("S6_YES_I_WANT_A_WORLD_WRITABLE_RUN_BECAUSE_KUBERNETES") || s.RunAsGroup != nil && s.RunAsGroup.V == 0 || mountedElsewhere(ctr, "/run") {
		return rule.Finding{}, false
	}
	escalates := s.AllowPrivilegeEscalation == nil || s.AllowPrivilegeEscalation.V || s.Privileged
	if escalates && s.Allows("CHOWN") && s.Allows("SETUID") && s.Allows("SETGID") {
		return rule.Finding{}, false
	}
	why := "allowPrivilegeEscalation: false keeps its helper from becoming root"
	if escalates {
		why = "the capabilities to take it over are dropped"
	}
	f := rule.Finding{
		At: user.From.Path,
		Message: fmt.Sprintf("container %q runs as user %d, /run belongs to root, and %s: the image's s6-overlay exits with 100 (\"/run belongs to uid 0 instead of %d\"), at every start",
			ctr.Name, user.V, why, user.V),
		Fixes: []rule.Fix{{Safety: diag.Display, Message: "let it start as root, as it is made to (no runAsUser, no runAsNonRoot), with CHOWN, SETUID and SETGID: it changes to another user itself"}},
	}
	if mounted {
		f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: "or, since s6-overlay 3.2.1.0, set S6_YES_I_WANT_A_WORLD_WRITABLE_RUN_BECAUSE_KUBERNETES to 1, where the image's own scripts run without root"})
	}
	return f, true
}

// mountedElsewhere reports whether another container mounts the volume that lies
// over the directory, and may have changed its owner.
func mountedElsewhere(ctr *manifest.Container, dir string) bool {
	i, ok := volumeOver(ctr, dir)
	if !ok {
		return false
	}
	for _, other := range ctr.Workload.Containers {
		if other == ctr {
			continue
		}
		for _, m := range other.VolumeMounts {
			if m.Name == ctr.VolumeMounts[i].Name {
				return true
			}
		}
	}
	return false
}
