package cluster

import (
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// kustomizedNamespaces returns the namespace that a kustomization's field
// namespace gives to the objects of the files it reaches, through other
// kustomizations too; empty for a file to which several give different ones, as
// overlays of one base do
// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/namespace/).
func kustomizedNamespaces(objects []*manifest.Object) map[string]string {
	byDir := map[string]*manifest.Object{}
	for _, o := range objects {
		if isKustomization(o) {
			byDir[o.Dir()] = o
		}
	}
	namespaces := map[string]string{}
	for _, o := range objects {
		namespace := o.StringAt(node.P("namespace"))
		if byDir[o.Dir()] != o || namespace == "" {
			continue
		}
		for file := range reach(o, byDir) {
			if was, ok := namespaces[file]; ok && was != namespace {
				namespaces[file] = ""
				continue
			}
			namespaces[file] = namespace
		}
	}
	return namespaces
}

func isKustomization(o *manifest.Object) bool {
	return (o.Kind == "Kustomization" || o.Kind == "Component") && o.Group() == "kustomize.config.k8s.io"
}

// reach returns the paths that a kustomization lists, followed through the
// kustomizations among them.
func reach(root *manifest.Object, byDir map[string]*manifest.Object) sets.Set[string] {
	files, seen := sets.New[string](), sets.New(root.Dir())
	for queue := []*manifest.Object{root}; len(queue) > 0; queue = queue[1:] {
		k := queue[0]
		files.Insert(k.File().Path)
		for _, field := range []string{"resources", "bases", "components", "patches", "patchesStrategicMerge"} {
			v, _ := k.Value(node.P(field))
			entries, _ := v.([]any)
			for _, e := range entries {
				entry, _ := e.(string)
				if m, ok := e.(map[string]any); ok {
					entry = text(m, "path")
				}
				if entry == "" || strings.Contains(entry, "://") || strings.Contains(entry, "\n") {
					continue
				}
				target := path.Join(k.Dir(), entry)
				files.Insert(target)
				if next := byDir[target]; next != nil && !seen.Has(target) {
					seen.Insert(target)
					queue = append(queue, next)
				}
			}
		}
	}
	return files
}
