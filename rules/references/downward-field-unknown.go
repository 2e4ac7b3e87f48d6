package references

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var downwardFieldUnknown = &rule.Rule{
	ID:       "downward-field-unknown",
	Title:    "A variable or volume asks for a field of the pod that there is not",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkDownwardFields,
}

// The fields that a fieldRef may name (pkg/apis/core/validation/validation.go,
// validEnvDownwardAPIFieldPathExpressions, validVolumeDownwardAPIFieldPathExpressions
// and validContainerResourceFieldPathExpressions; spec.host is the old name of
// spec.nodeName, pkg/apis/core/pods/helpers.go).
var (
	variableFields = []string{
		"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
		"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
	}
	volumeFields   = []string{"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid"}
	resourceFields = []string{"limits.cpu", "limits.memory", "limits.ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage"}
)

// checkDownwardFields reports what a fieldRef or resourceFieldRef names in vain.
func checkDownwardFields(p *rule.Pass, w *manifest.Workload) {
	if w.Custom {
		return
	}
	for _, ctr := range w.Containers {
		for i, e := range ctr.Env {
			if e.ValueFrom == nil || e.Value != "" {
				continue
			}
			at, what := ctr.At("env", i, "valueFrom"), fmt.Sprintf("container %q: environment variable %s", ctr.Name, e.Name)
			checkField(p, w, e.ValueFrom.FieldRef, at, what, "variable", variableFields)
			checkResource(p, w, e.ValueFrom.ResourceFieldRef, at, what, "CreateContainerConfigError, the container does not start")
		}
	}
	for i := range w.Pod.Volumes {
		for _, f := range downwardFiles(&w.Pod.Volumes[i], w.PodPath.Append("volumes", i)) {
			what := "volume " + w.Pod.Volumes[i].Name
			checkField(p, w, f.FieldRef, f.at, what, "volume", volumeFields)
			checkResource(p, w, f.ResourceFieldRef, f.at, what, "FailedMount, the pod stays in ContainerCreating")
		}
	}
}

func checkField(p *rule.Pass, w *manifest.Workload, ref *corev1.ObjectFieldSelector, at node.Path, what, kind string, fields []string) {
	if ref == nil || !isField(ref.FieldPath) || ref.FieldPath == "spec.host" && kind == "variable" || slices.Contains(fields, ref.FieldPath) {
		return
	}
	subscripted := strings.HasPrefix(ref.FieldPath, "metadata.labels['") || strings.HasPrefix(ref.FieldPath, "metadata.annotations['")
	if subscripted && strings.HasSuffix(ref.FieldPath, "']") {
		return
	}
	said := fmt.Sprintf("%s takes its value from %s, which is no field that a %s can have: the API server refuses the pod", what, ref.FieldPath, kind)
	reportField(p, w, at.Append("fieldRef", "fieldPath"), said, ref.FieldPath, fields,
		fmt.Sprintf("a %s can have %s, metadata.labels['KEY'] and metadata.annotations['KEY']", kind, strings.Join(fields, ", ")))
}

func checkResource(p *rule.Pass, w *manifest.Workload, ref *corev1.ResourceFieldSelector, at node.Path, what, consequence string) {
	if ref == nil {
		return
	}
	huge := strings.HasPrefix(ref.Resource, "limits.hugepages-") || strings.HasPrefix(ref.Resource, "requests.hugepages-")
	if isField(ref.Resource) && !huge && !slices.Contains(resourceFields, ref.Resource) {
		reportField(p, w, at.Append("resourceFieldRef", "resource"),
			fmt.Sprintf("%s takes its value from %s, which is no resource of a container: the API server refuses the pod", what, ref.Resource),
			ref.Resource, resourceFields, "there are "+strings.Join(resourceFields, ", "))
	}
	var names []string
	for _, ctr := range w.Containers {
		names = append(names, ctr.Name)
	}
	if ref.ContainerName != "" && isName(ref.ContainerName) && !slices.Contains(names, ref.ContainerName) && !cluster.IsPart(w) {
		// pkg/api/v1/resource/helpers.go, findContainerInPod
		reportField(p, w, at.Append("resourceFieldRef", "containerName"),
			fmt.Sprintf("%s takes its value from container %s, which the pod does not have (it has %s): %s", what, ref.ContainerName, listing(names), consequence),
			ref.ContainerName, names, "")
	}
}

// isField reports what may be meant as a field: the rest is empty, or a
// placeholder of some tool's.
func isField(path string) bool { return path != "" && !strings.ContainsAny(path, "${}@%<>") }

func reportField(p *rule.Pass, w *manifest.Workload, at node.Path, said, name string, names []string, note string) {
	f := rule.Finding{Object: w.Object, At: at, Message: said}
	if note != "" {
		f.Notes = []string{note}
	}
	if meant := nearestKey(name, names); meant != "" {
		f.Fixes = []rule.Fix{{Message: "use " + meant, Safety: diag.Unsafe, Ops: []node.Op{{Kind: node.Set, Path: at, Value: meant}}}}
	}
	p.Report(f)
}

// A downwardFile is a file of a downward API or projected volume, and its path.
type downwardFile struct {
	corev1.DownwardAPIVolumeFile
	at node.Path
}

func downwardFiles(v *corev1.Volume, at node.Path) []downwardFile {
	var out []downwardFile
	add := func(items []corev1.DownwardAPIVolumeFile, at node.Path) {
		for i, item := range items {
			out = append(out, downwardFile{item, at.Append("items", i)})
		}
	}
	if v.DownwardAPI != nil {
		add(v.DownwardAPI.Items, at.Append("downwardAPI"))
	}
	if v.Projected != nil {
		for i, s := range v.Projected.Sources {
			if s.DownwardAPI != nil {
				add(s.DownwardAPI.Items, at.Append("projected", "sources", i, "downwardAPI"))
			}
		}
	}
	return out
}
