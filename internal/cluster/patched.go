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
	return IsPart(w) || c.patched(objectKey{w.Kind, w.Name}, w.Object)
}

// patchedDefinition reports whether other files change what is defined, or what
// has it made.
func (c *Cluster) patchedDefinition(d *definition) bool {
	return c.patched(objectKey{d.kind, d.name}, d.by) || c.patched(objectKey{d.by.Kind, d.by.Name}, d.by)
}

// patched reports whether other files change the object that is written, or
// generated, where o is.
func (c *Cluster) patched(key objectKey, o *manifest.Object) bool {
	return Memo(c, patchedKey{key, o}, func() bool { return c.findPatch(key, o) })
}

type patchedKey struct {
	objectKey
	*manifest.Object
}

func (c *Cluster) findPatch(key objectKey, o *manifest.Object) bool {
	p := Memo(c, patchesKey{}, c.patches)
	return p.objects.Has(key) || slices.ContainsFunc(p.targets, func(t patchTarget) bool {
		return (t.kind == nil || t.kind.MatchString(key.kind)) && (t.name == nil || t.name.MatchString(key.name)) && c.builtTogether(t.by, o)
	})
}

// builtTogether reports whether some kustomization takes in both files: a
// component has no resources of its own to patch.
func (c *Cluster) builtTogether(a, b *manifest.Object) bool {
	x, y := c.index.kustomized[a.File().Path], c.index.kustomized[b.File().Path]
	return x != nil && y != nil && slices.ContainsFunc(x.from, func(dir string) bool { return slices.Contains(y.from, dir) })
}

type patchesKey struct{}

// patches are the objects that the files patch, and what kustomizations say of
// those that they do.
type patches struct {
	objects sets.Set[objectKey]
	targets []patchTarget
}

// A patchTarget selects what a kustomization patches by kind and name; nil
// matches all.
type patchTarget struct {
	by         *manifest.Object
	kind, name *regexp.Regexp
}

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
				p.targets = append(p.targets, patchTarget{kustomization, anchored(text(target, "kind")), anchored(text(target, "name"))})
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
