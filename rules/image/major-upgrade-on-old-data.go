package image

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var majorUpgradeOnOldData = &rule.Rule{
	ID:       "major-upgrade-on-old-data",
	Title:    "A tag without a version brings the next major release to the data of this one",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: checkMajorUpgrade,
}

// checkMajorUpgrade reports databases that do not read the data of another major
// release, keep theirs on a volume, and have a tag that goes on to the next one.
// A tag that is pulled at every start besides is mutable-tag-drift's.
func checkMajorUpgrade(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		facts := p.Cluster.Image(ctr)
		if facts.Data == nil || facts.Data.OtherRelease == "" || ctr.Partial || ctr.Role == manifest.Init {
			continue
		}
		tag, floats := floatingTag(ctr)
		args, ok := p.Cluster.EntrypointArgs(ctr)
		if !floats || !ok && len(ctr.Command)+len(ctr.Args) > 0 {
			continue
		}
		dir, ok := cluster.DataDirectory(p.Cluster.Environment(ctr), args, facts.Data)
		i := cluster.MountOver(ctr, dir)
		if !ok || i < 0 {
			continue
		}
		v := p.Cluster.Volume(w, ctr.VolumeMounts[i].Name)
		if v.Claim == nil && (v.Source == nil || v.Source.PersistentVolumeClaim == nil && v.Source.HostPath == nil) {
			continue
		}
		p.Report(rule.Finding{
			Object: w.Object, At: ctr.At("image"), Within: tag,
			Message: fmt.Sprintf("container %q: %s names no version of %s, whose data in %s stays on a volume: once the tag has gone on to the next major release, that does not read the data of this one (%q) and exits each time",
				ctr.Name, tag, facts.Name, dir, facts.Data.OtherRelease),
			Needs:   []node.Path{ctr.At("imagePullPolicy")},
			Related: []rule.Related{{Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath"), Message: "the data is here"}},
			Fixes:   []rule.Fix{{Safety: diag.Display, Message: "name the major release that has written the data"}},
		})
	}
}

// floatingTag returns the tag of an image where it names no version, and whether
// it does: "alpine" goes on to the next release, "16-alpine" does not. The tag
// latest that is pulled at every start is left out.
func floatingTag(ctr *manifest.Container) (string, bool) {
	named, err := reference.ParseNormalizedNamed(ctr.Image)
	if err != nil {
		return "", false
	}
	if _, pinned := named.(reference.Digested); pinned {
		return "", false
	}
	tag := "latest"
	if tagged, ok := named.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	if tag == "latest" && (ctr.ImagePullPolicy == "" || ctr.ImagePullPolicy == corev1.PullAlways) {
		return "", false
	}
	return tag, !strings.ContainsAny(tag, "0123456789")
}
