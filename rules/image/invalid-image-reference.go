package image

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var invalidImageReference = &rule.Rule{
	ID:       "invalid-image-reference",
	Title:    "The image is no image reference, and is never pulled",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkReference,
}

// checkReference parses images as the kubelet does before it pulls them
// (pkg/kubelet/images/image_manager.go, applyDefaultImageTag; pkg/util/parsers,
// ParseImageName).
func checkReference(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		_, err := reference.ParseNormalizedNamed(ctr.Image)
		if err == nil || ctr.Partial || leftOpen(w, ctr.Image) || placeholder.MatchString(ctr.Image) || replaced(p.Cluster, ctr.Image) {
			continue
		}
		f := rule.Finding{
			Object: w.Object, At: ctr.At("image"),
			Message: fmt.Sprintf("container %q: %q is no image reference (%s): %s", ctr.Name, ctr.Image, because(ctr.Image, err), consequence(ctr.Image)),
		}
		if w.Template != "" && leftOver.MatchString(ctr.Image) {
			f.Severity = diag.Warning
			f.Notes = append(f.Notes, "as where the chart was rendered without a value that it needs")
		}
		if meant := meantReference(ctr.Image); meant != "" {
			f.Fixes = []rule.Fix{{Safety: diag.Unsafe, Message: "write " + meant, Ops: []node.Op{{Kind: node.Set, Path: ctr.At("image"), Value: meant}}}}
		}
		p.Report(f)
	}
}

// leftOpen reports a blank image in a template, which is how people leave it to
// OpenShift to fill in (pkg/apis/core/validation/validation.go,
// validateContainerCommon; openshift/origin#14659).
func leftOpen(w *manifest.Workload, image string) bool {
	return w.Kind != "Pod" && strings.TrimSpace(image) == ""
}

// consequence says what Kubernetes makes of the image. With a space at its end
// there is no pod (pkg/apis/core/validation/validation.go,
// validateContainerOnlyForPod).
func consequence(image string) string {
	if strings.TrimSpace(image) != image {
		return "the API server refuses every pod"
	}
	return "the kubelet reports InvalidImageName and never starts it"
}

// placeholder matches what some tool replaces before the manifest is applied:
// template marks, a word in capitals, a target of a build tool (Bazel, ko).
var placeholder = regexp.MustCompile(`[{}$<>%@()#]|\[|\.\.\.|^[A-Z][A-Z0-9_./:-]*$|(^|/)[A-Z0-9]+_[A-Z0-9_]*([/:]|$)|^ko://|^//|^:|__`)

// replaced reports whether a kustomization puts another image in its place
// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/).
func replaced(c *cluster.Cluster, image string) bool {
	names := cluster.Memo(c, replacedNames{}, func() []string {
		var names []string
		for _, o := range c.Objects {
			if o.Kind != "Kustomization" && o.Kind != "Component" {
				continue
			}
			v, _ := o.Value(node.P("images"))
			entries, _ := v.([]any)
			for i := range entries {
				if name := o.StringAt(node.P("images", i, "name")); name != "" {
					names = append(names, name)
				}
			}
		}
		return names
	})
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(image, name) })
}

type replacedNames struct{}

func because(image string, err error) string {
	switch {
	case strings.TrimSpace(image) != image:
		return "there is a space around it"
	case strings.ContainsAny(image, " \t\n"):
		return "there is a space in it"
	case scheme.MatchString(image):
		return "a reference has no scheme"
	case strings.HasSuffix(image, ":"):
		return "the tag is empty"
	case leftOver.MatchString(image):
		return "a part of it is missing"
	}
	return strings.TrimPrefix(err.Error(), "invalid reference format: ")
}

// leftOver matches what a template leaves when a value is empty: /app:1,
// app:, app:.2, app:-alpine.
var leftOver = regexp.MustCompile(`^/|:$|:[.-][^/]*$`)

var scheme = regexp.MustCompile(`^[a-z]+://`)

// meantReference returns the reference that the image most likely stands for,
// empty when it does not show.
func meantReference(image string) string {
	meant := strings.TrimSuffix(scheme.ReplaceAllString(strings.TrimSpace(image), ""), ":")
	if colon := strings.LastIndex(meant, ":"); colon > strings.LastIndex(meant, "/") {
		meant = strings.ToLower(meant[:colon]) + strings.ReplaceAll(meant[colon:], ": ", ":")
	} else {
		meant = strings.ToLower(meant)
	}
	if _, err := reference.ParseNormalizedNamed(meant); err != nil {
		return ""
	}
	return meant
}
