package references

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var undefinedVolume = &rule.Rule{
	ID:       "undefined-volume",
	Title:    "A container mounts a volume that the pod does not have",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkVolumes,
}

// checkVolumes reports mounts that the API server refuses
// (pkg/apis/core/validation/validation.go, ValidateVolumeMounts and
// ValidateVolumeDevices): of a volume that is not in the pod, and two at one
// path. A StatefulSet itself passes; its pods, which get a volume for each claim
// template (pkg/controller/statefulset/stateful_set_utils.go, updateStorage), do
// not.
func checkVolumes(p *rule.Pass, w *manifest.Workload) {
	if w.Custom || cluster.IsPart(w) { // somebody may add volumes
		return
	}
	names, known := volumeNames(w)
	for _, ctr := range w.Containers {
		if ctr.Partial {
			continue
		}
		paths := map[string]int{}
		for i, m := range ctr.VolumeMounts {
			at := ctr.At("volumeMounts", i)
			if known && isName(m.Name) && !slices.Contains(names, m.Name) {
				reportVolume(p, ctr, at.Append("name"), m.Name, names)
			}
			first, taken := paths[m.MountPath]
			if !taken || m.MountPath == "" {
				paths[m.MountPath] = i
				continue
			}
			p.Report(rule.Finding{
				Object: w.Object, At: at.Append("mountPath"),
				Message: fmt.Sprintf("container %q mounts two volumes at %s: the API server refuses the pod", ctr.Name, m.MountPath),
				Needs:   []node.Path{ctr.At("volumeMounts", first, "mountPath")},
				Related: []rule.Related{{Object: w.Object, At: ctr.At("volumeMounts", first, "mountPath"), Message: "mounted here first"}},
			})
		}
		for i, d := range ctr.VolumeDevices {
			if known && isName(d.Name) && !slices.Contains(names, d.Name) {
				reportVolume(p, ctr, ctr.At("volumeDevices", i, "name"), d.Name, names)
			}
		}
	}
}

func reportVolume(p *rule.Pass, ctr *manifest.Container, at node.Path, name string, names []string) {
	w := ctr.Workload
	there := "it has none"
	if len(names) > 0 {
		there = "it has " + listing(names)
	}
	f := rule.Finding{
		Object: w.Object, At: at, Needs: []node.Path{w.PodPath.Append("volumes")},
		Message: fmt.Sprintf("container %q mounts volume %s, which the pod does not have (%s): the API server refuses the pod", ctr.Name, name, there),
	}
	if meant := nearestKey(name, names); meant != "" {
		f.Fixes = []rule.Fix{{Message: "mount volume " + meant, Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: at, Value: meant}}}}
	}
	p.Report(f)
}

// volumeNames returns the names of the pod's volumes; false when one is not
// known.
func volumeNames(w *manifest.Workload) ([]string, bool) {
	var names []string
	known := true
	add := func(at node.Path, name string) {
		names = append(names, name)
		known = known && isName(name) && w.Known(at)
	}
	for i, v := range w.Pod.Volumes {
		add(w.PodPath.Append("volumes", i, "name"), v.Name)
	}
	if w.Kind == "StatefulSet" {
		for i, name := range namesOf(w.Object, claimTemplates) {
			add(claimTemplates.Append(i, "metadata", "name"), name)
		}
		known = known && (w.Has(claimTemplates) || w.Known(claimTemplates))
	}
	return names, known
}

var claimTemplates = node.P("spec", "volumeClaimTemplates")

// isName reports whether a volume can be called so: what cannot is a
// placeholder of some tool's.
func isName(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }

// namesOf returns metadata.name of the items at the path.
func namesOf(o *manifest.Object, at node.Path) []string {
	v, _ := o.Value(at)
	items, _ := v.([]any)
	names := make([]string, len(items))
	for i := range items {
		names[i] = o.StringAt(at.Append(i, "metadata", "name"))
	}
	return names
}
