package cluster

import (
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/yaml"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// Patched reports whether other files change the workload before it is applied,
// or may: what it lacks may come from there. A patch is a document that a
// kustomization applies, one that only holds a part of the workload, or one
// that stands in the kustomization itself.
func (c *Cluster) Patched(w *manifest.Workload) bool {
	p := Memo(c, patchesKey{}, c.patches)
	if IsPart(w) || p.objects.Has(objectKey{w.Kind, w.Name}) {
		return true
	}
	return slices.ContainsFunc(p.targets, func(t patchTarget) bool {
		return (t.kind == nil || t.kind.MatchString(w.Kind)) && (t.name == nil || t.name.MatchString(w.Name))
	})
}

type patchesKey struct{}

// patches are the objects that the files patch, and what kustomizations say of
// those that they do.
type patches struct {
	objects sets.Set[objectKey]
	targets []patchTarget
}

// A patchTarget selects by kind and name; nil matches all.
type patchTarget struct{ kind, name *regexp.Regexp }

func (c *Cluster) patches() *patches {
	p := &patches{objects: sets.New[objectKey]()}
	for _, o := range c.Objects {
		if o.Patch {
			p.objects.Insert(objectKey{o.Kind, o.Name})
		}
		if isKustomization(o) {
			p.read(o)
		}
	}
	for _, w := range c.Workloads {
		if IsPart(w) {
			p.objects.Insert(objectKey{w.Kind, w.Name})
		}
	}
	return p
}

// read adds the patches that stand in a kustomization, and the targets of the
// others (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/).
func (p *patches) read(kustomization *manifest.Object) {
	for _, field := range []string{"patches", "patchesJson6902", "patchesStrategicMerge"} {
		v, _ := kustomization.Value(node.P(field))
		entries, _ := v.([]any)
		for _, e := range entries {
			inline, _ := e.(string)
			entry, _ := e.(map[string]any)
			if entry != nil {
				inline = text(entry, "patch")
			}
			if target, ok := entry["target"].(map[string]any); ok {
				p.targets = append(p.targets, patchTarget{anchored(text(target, "kind")), anchored(text(target, "name"))})
				continue
			}
			var object struct {
				Kind     string `json:"kind"`
				Metadata struct {
					Name string `json:"name"`
				} `json:"metadata"`
			}
			if err := yaml.Unmarshal([]byte(inline), &object); err == nil && object.Kind != "" {
				p.objects.Insert(objectKey{object.Kind, object.Metadata.Name})
			}
		}
	}
}

// anchored compiles a selector of kustomize, which must match the whole text.
// One that does not compile matches all.
func anchored(pattern string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return nil
	}
	return re
}
