package cluster

import (
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A kustomized file is one that kustomizations reach: what they make of its
// objects.
type kustomized struct {
	// namespace is what the field namespace gives to the objects; empty where
	// several kustomizations give different ones, as overlays of one base do
	// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/namespace/).
	namespace    string
	hasNamespace bool
	// affixes are the pairs of namePrefix and nameSuffix that the names get.
	affixes [][2]string
	// from are the folders of the kustomizations.
	from []string
}

// kustomizedFiles returns the files that kustomizations reach, through other
// kustomizations too, by path.
func kustomizedFiles(objects []*manifest.Object) map[string]*kustomized {
	byDir := map[string]*manifest.Object{}
	for _, o := range objects {
		if isKustomization(o) {
			byDir[o.Dir()] = o
		}
	}
	files := map[string]*kustomized{}
	for _, o := range objects {
		if byDir[o.Dir()] != o {
			continue
		}
		namespace := o.StringAt(node.P("namespace"))
		affix := [2]string{o.StringAt(node.P("namePrefix")), o.StringAt(node.P("nameSuffix"))}
		for file := range reach(o, byDir) {
			f := files[file]
			if f == nil {
				f = &kustomized{}
				files[file] = f
			}
			f.from = append(f.from, o.Dir())
			switch {
			case namespace == "":
			case f.hasNamespace && f.namespace != namespace:
				f.namespace = ""
			default:
				f.namespace, f.hasNamespace = namespace, true
			}
			if affix != [2]string{} {
				f.affixes = append(f.affixes, affix)
			}
		}
	}
	return files
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
