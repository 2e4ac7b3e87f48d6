package cluster

import (
	"math/bits"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// A Suggestion is the object that a reference probably means.
type Suggestion struct {
	Kind, Name string
	// By defines it.
	By *manifest.Object
	// Certain is true when there is more than a likeness of names: nothing else
	// in the files uses the object, and it has every key that is asked for.
	Certain bool
}

// Suggest looks for what the workload probably means by an object that is not
// there: one of the same folder, or of one beside it, with a name that differs
// by a letter or two or by what stands before or behind it, or one of the same
// name and the other kind. refs are the workload's references to the object.
func (c *Cluster) Suggest(refs []Reference) (Suggestion, bool) {
	r := refs[0]
	w := r.Workload
	namespace := c.NamespaceOf(w.Object)
	var best Suggestion
	bestScore := 0
	consider := func(d *definition, score int) {
		if !meet(namespace, d.namespaceIn(c)) || d.by == w.Object {
			return
		}
		keys, all := 0, true
		for _, ref := range refs {
			if ref.Key != "" {
				keys++
				all = all && slices.Contains(d.keys, ref.Key)
			}
		}
		orphan := !c.uses(d.kind, d.name)
		if keys > 0 && !all && d.complete {
			return // it would not help
		}
		if keys == 0 && !orphan && (score == scoreAffix || !keyed(r.Kind)) {
			return // another one's, for which only its name speaks
		}
		certain := orphan && all && (keys > 0 || score == scoreTypo)
		if certain {
			score += 10
		}
		if score > bestScore {
			bestScore, best = score, Suggestion{Kind: d.kind, Name: d.name, By: d.by, Certain: certain}
		}
	}
	for _, dir := range around(c, w.Dir()) {
		for _, d := range c.index.local[objectKey{r.Kind, dir}] {
			score := likeness(r.Name, d.name)
			if score > 0 && (dir != w.Dir() || d.by.File() == w.File() || !c.peopled().Has(d.by.File())) {
				consider(d, score)
			}
		}
	}
	if best.Name != "" {
		return best, true
	}
	other := map[string]string{secret: configMap, configMap: secret}[r.Kind]
	for _, d := range c.index.definitions[objectKey{other, r.Name}].meeting(namespace) {
		if distanceOf(w.Object, d.by).near() {
			consider(d, scoreKind)
		}
	}
	return best, best.Name != ""
}

// keyed reports the kinds that hold keys.
func keyed(kind string) bool { return kind == secret || kind == configMap }

const (
	scoreKind = iota + 1
	scoreAffix
	scoreTypo
)

// likeness tells how alike two names are; 0: not.
func likeness(a, b string) int {
	if a == b {
		return 0
	}
	if mayBeTypo(a, b) {
		if distance := levenshtein.ComputeDistance(a, b); distance <= 2 && min(len(a), len(b)) >= 4+2*distance {
			if letters(a) == letters(b) {
				return 0 // db-1 and db-2 are two of a kind
			}
			return scoreTypo
		}
	}
	return affix(a, b)
}

// mayBeTypo reports whether two edits can turn one name into the other: each
// changes the set of bytes by two at most. Every name that is missing is held
// against all that are there, and few are alike.
func mayBeTypo(a, b string) bool {
	return max(len(a), len(b))-min(len(a), len(b)) <= 2 && bits.OnesCount64(bytesOf(a)^bytesOf(b)) <= 4
}

// bytesOf returns the bytes of a name as a set, in which some are not told apart.
func bytesOf(s string) (set uint64) {
	for i := range len(s) {
		set |= 1 << (s[i] % 64)
	}
	return set
}

// affix scores names of which one stands behind or before a dash in the other.
func affix(a, b string) int {
	short, long := a, b
	if len(short) > len(long) {
		short, long = long, short
	}
	if len(short) >= 5 && (strings.HasSuffix(long, "-"+short) || strings.HasPrefix(long, short+"-")) {
		return scoreAffix
	}
	return 0
}

// letters returns a name without its digits.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
}

// around returns the folder, the one above and those directly below.
func around(c *Cluster, dir string) []string {
	return append(nearby(dir), c.foldersBelow()[dir]...)
}

type usedKey struct{}
type foldersKey struct{}

// foldersBelow lists the folders directly below each folder in which there is
// an object.
func (c *Cluster) foldersBelow() map[string][]string {
	return Memo(c, foldersKey{}, func() map[string][]string {
		below := map[string][]string{}
		seen := sets.New[string]()
		for _, o := range c.Objects {
			dir := o.Dir()
			i := strings.LastIndexByte(dir, '/')
			if !seen.Has(dir) && i > 0 {
				below[dir[:i]] = append(below[dir[:i]], dir)
			}
			seen.Insert(dir)
		}
		return below
	})
}

func (c *Cluster) peopled() sets.Set[*source.File] { return c.evidence().peopled }

// uses reports whether something in the files refers to the object.
func (c *Cluster) uses(kind, name string) bool {
	used := Memo(c, usedKey{}, func() used {
		used := used{sets.New[objectKey](), sets.New[string]()}
		for _, w := range c.Workloads {
			for _, r := range c.References(w) {
				used.objects.Insert(objectKey{r.Kind, r.Name})
			}
		}
		for _, o := range c.Objects {
			var names []string
			switch o.Kind {
			case serviceAccount:
				for _, field := range []string{"imagePullSecrets", "secrets"} {
					for _, item := range list(o, node.P(field)) {
						names = append(names, text(item, "name"))
					}
				}
			case "Ingress":
				for _, item := range list(o, node.P("spec", "tls")) {
					names = append(names, text(item, "secretName"))
				}
			}
			for _, name := range names {
				used.objects.Insert(objectKey{secret, name})
			}
		}
		for _, resources := range c.evidence().custom {
			for s := range resources.byString {
				used.strings.Insert(s)
			}
		}
		return used
	})
	return used.objects.Has(objectKey{kind, name}) || used.strings.Has(name)
}

// used are the objects that workloads and other built-in kinds refer to, and the
// strings in custom resources, which may name any kind.
type used struct {
	objects sets.Set[objectKey]
	strings sets.Set[string]
}

// KeptElsewhere reports whether it is no surprise that the object is not in the
// files: the workload is a patch, a copy of one that ran, or a custom resource
// whose controller may make what it needs; it is neither a Secret nor a
// ConfigMap, which belong to the application, but a claim, an account or a class,
// which are often made before it; the name is that of a certificate, which is
// issued at run time; or the files ask for several Secrets and define none.
func (c *Cluster) KeptElsewhere(r Reference) bool {
	w := r.Workload
	if IsPart(w) || w.Has(node.P("metadata", "uid")) || w.Has(node.P("metadata", "resourceVersion")) || w.Custom && !podMakers.Has(w.Group()) {
		return true
	}
	switch {
	case !keyed(r.Kind):
		return true
	case r.Kind != secret:
		return false
	}
	for _, suffix := range []string{"-tls", "-cert", "-certs"} {
		if strings.HasSuffix(r.Name, suffix) {
			return true
		}
	}
	return Memo(c, keptKey{}, c.keepsNoSecrets)
}

// IsPart reports a workload that is applied together with another text of it: a
// patch, whether a kustomization names it or not. What it refers to may come with
// the rest. apps/v1 takes no workload without a selector.
func IsPart(w *manifest.Workload) bool {
	return w.Patch || !slices.ContainsFunc(w.Containers, func(c *manifest.Container) bool { return !c.Partial }) ||
		w.APIVersion == "apps/v1" && !w.Has(node.P("spec", "selector")) || isPatchFile(w.File().Path)
}

// isPatchFile reports a file that is called as people call patches:
// patch-env.yaml, api.patch.yaml, manager_config_patch.yaml, and not
// dispatcher.yaml.
func isPatchFile(file string) bool {
	base := strings.ToLower(path.Base(file))
	return strings.Contains(base, "patch") && patchWord.MatchString(base)
}

var patchWord = regexp.MustCompile(`(^|[^a-z])patch(es|ed)?([^a-z]|$)`)

type keptKey struct{}

func (c *Cluster) keepsNoSecrets() bool {
	for key := range c.index.definitions {
		if key.kind == secret {
			return false
		}
	}
	const several = 3
	asked := sets.New[string]()
	for _, w := range c.Workloads {
		for _, r := range c.References(w) {
			if r.Kind == secret && !r.Optional && !r.Pull && c.Resolve(r).Status == Missing {
				if asked.Insert(r.Name); asked.Len() == several {
					return true
				}
			}
		}
	}
	return false
}
