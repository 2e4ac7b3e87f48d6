package image

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/distribution/reference"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var architectureMismatch = &rule.Rule{
	ID:       "architecture-mismatch",
	Title:    "The pod is pinned to nodes of another architecture than its image",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkArchitecture,
}

func checkArchitecture(p *rule.Pass, w *manifest.Workload) {
	nodes, at, ok := nodeArchitectures(w)
	if !ok {
		return
	}
	for _, ctr := range w.Containers {
		if ctr.Partial {
			continue
		}
		built, by := imageArchitectures(ctr.Image, p.Cluster.Image(ctr))
		if len(built) == 0 || slices.ContainsFunc(nodes, func(a string) bool { return slices.Contains(built, a) }) {
			continue
		}
		f := rule.Finding{
			Object: w.Object, At: ctr.At("image"),
			Message: fmt.Sprintf("container %q: the image is built for %s, and the pod only goes to nodes with %s: \"exec format error\", again and again",
				ctr.Name, strings.Join(built, ", "), strings.Join(nodes, ", ")),
			Notes:   []string{by},
			Needs:   []node.Path{at},
			Related: []rule.Related{{Object: w.Object, At: at, Message: "pinned here"}},
			Fixes: []rule.Fix{
				{Safety: diag.Display, Message: "take an image for " + nodes[0] + ", or one for several architectures"},
				{Safety: diag.Display, Message: "pin the pod to nodes with kubernetes.io/arch: " + built[0]},
			},
		}
		p.Report(f)
	}
}

// archLabels are the well-known label of a node's architecture and its name
// until 1.14
// (https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-arch).
var archLabels = []string{corev1.LabelArchStable, "beta.kubernetes.io/arch"}

// nodeArchitectures returns those of the nodes that the pod may go to, and where
// it says so; false when it does not.
func nodeArchitectures(w *manifest.Workload) ([]string, node.Path, bool) {
	for _, label := range archLabels {
		if arch := w.Pod.NodeSelector[label]; arch != "" {
			return []string{arch}, w.PodPath.Append("nodeSelector", label), true
		}
	}
	if w.Pod.Affinity == nil || w.Pod.Affinity.NodeAffinity == nil || w.Pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil, nil, false
	}
	terms := w.Pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	var all []string
	at := w.PodPath.Append("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
	for _, term := range terms { // one of them must hold, each with all its expressions
		i := slices.IndexFunc(term.MatchExpressions, func(r corev1.NodeSelectorRequirement) bool {
			return slices.Contains(archLabels, r.Key) && r.Operator == corev1.NodeSelectorOpIn && len(r.Values) > 0
		})
		if i < 0 {
			return nil, nil, false
		}
		all = append(all, term.MatchExpressions[i].Values...)
	}
	return all, at, len(all) > 0
}

// archOf are the words for an architecture in the name or tag of an image:
// kuard-amd64, arm64v8/nginx, app:1.0-arm64.
var archOf = map[string]string{
	"amd64": "amd64", "x8664": "amd64", "arm64": "arm64", "aarch64": "arm64", "arm64v8": "arm64",
	"arm32v6": "arm", "arm32v7": "arm", "armv6": "arm", "armv7": "arm", "armhf": "arm",
	"ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64",
}

// twoWords writes x86_64 as one word.
var twoWords = strings.NewReplacer("x86_64", "x8664", "x86-64", "x8664")

// imageArchitectures returns what the image is built for, as its name says or is
// known of it, and which; none when nothing says it. A name that speaks of
// several says nothing.
func imageArchitectures(image string, facts images.Facts) ([]string, string) {
	if a := facts.Architectures; a != nil {
		return a.Only, "known of the image: " + a.Source
	}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, ""
	}
	text := reference.Path(named)
	if tagged, ok := named.(reference.Tagged); ok {
		text += ":" + tagged.Tag()
	}
	var found []string
	for word := range strings.FieldsFuncSeq(twoWords.Replace(text), func(r rune) bool { return strings.ContainsRune("-_./:", r) }) {
		if arch := archOf[word]; arch != "" && !slices.Contains(found, arch) {
			found = append(found, arch)
		}
	}
	if len(found) != 1 {
		return nil, ""
	}
	return found, "the image's name or tag says " + found[0]
}
