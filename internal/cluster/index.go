package cluster

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/manifest"
)

// An objectKey names objects regardless of their namespace.
type objectKey struct{ kind, name string }

// An index finds objects and definitions by name.
type index struct {
	// objects of the core API group by kind and name, in the order of the set.
	objects     map[objectKey][]*manifest.Object
	limitRanges []*manifest.Object
	// definitions are all that makes a Secret or ConfigMap of a name.
	definitions map[objectKey][]*definition
	// local are the definitions by kind and folder.
	local map[objectKey][]*definition
	// servicesIn and servicesOf are the Services by folder and by namespace.
	servicesIn, servicesOf map[string][]*manifest.Object
	// namespaces holds what kustomizations set for all objects of a file, by its
	// path; empty where several set different ones.
	namespaces map[string]string
}

func (c *Cluster) buildIndex() {
	x := &index{
		objects:     map[objectKey][]*manifest.Object{},
		definitions: map[objectKey][]*definition{},
		local:       map[objectKey][]*definition{},
		servicesIn:  map[string][]*manifest.Object{},
		servicesOf:  map[string][]*manifest.Object{},
		namespaces:  kustomizedNamespaces(c.Objects),
	}
	c.index = x
	for _, o := range c.Objects {
		if o.Group() == "" {
			key := objectKey{o.Kind, o.Name}
			x.objects[key] = append(x.objects[key], o)
			switch namespace := c.NamespaceOf(o); o.Kind {
			case "LimitRange":
				x.limitRanges = append(x.limitRanges, o)
			case "Service":
				x.servicesIn[o.Dir()] = append(x.servicesIn[o.Dir()], o)
				x.servicesOf[namespace] = append(x.servicesOf[namespace], o)
			}
		}
		for _, d := range definitions(o) {
			key := objectKey{d.kind, d.name}
			x.definitions[key] = append(x.definitions[key], d)
			local := objectKey{d.kind, o.Dir()}
			x.local[local] = append(x.local[local], d)
		}
	}
}

// meet reports whether two namespaces are the same one, as far as is known.
func meet(a, b string) bool { return a == b || a == "" || b == "" }

// Find returns the objects of the core API group that an object named from
// means by a kind and a name in its own namespace: nearest first, that is those
// of the same file, then of the same folder, then those whose folder has the
// nearest common ancestor. A namespace that is not known may be any.
func (c *Cluster) Find(from *manifest.Object, kind, name string) []*manifest.Object {
	var found []*manifest.Object
	for _, o := range c.index.objects[objectKey{kind, name}] {
		if meet(c.NamespaceOf(from), c.NamespaceOf(o)) {
			found = append(found, o)
		}
	}
	sortNearest(from, found, func(o *manifest.Object) *manifest.Object { return o })
	return found
}

// sortNearest orders items by the distance of their objects from one.
func sortNearest[T any](from *manifest.Object, items []T, object func(T) *manifest.Object) {
	if len(items) < 2 {
		return
	}
	slices.SortStableFunc(items, func(a, b T) int {
		return distanceOf(from, object(a)).compare(distanceOf(from, object(b)))
	})
}

// A distance says how far apart two files stand: how many folders to go up from
// one's, and then down to the other's. The same file is nearer than the same
// folder.
type distance struct {
	other    bool
	up, down int
}

func distanceOf(from, to *manifest.Object) distance {
	if from.File() == to.File() {
		return distance{}
	}
	up, down := steps(from.Dir(), to.Dir())
	return distance{other: true, up: up, down: down}
}

func (d distance) compare(e distance) int {
	if !d.other || !e.other { // the same file comes first
		switch {
		case d.other == e.other:
			return 0
		case e.other:
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(d.up, e.up), cmp.Compare(d.down, e.down))
}

// near reports files that are written and applied together as a rule: the same
// folder, or one directly above, below or beside it.
func (d distance) near() bool { return d.up <= 1 && d.down <= 1 }

// steps counts the folders to go up from one folder to the common ancestor with
// another, and down from there.
func steps(from, to string) (up, down int) {
	a, b := split(from), split(to)
	common := 0
	for common < len(a) && common < len(b) && a[common] == b[common] {
		common++
	}
	return len(a) - common, len(b) - common
}

func split(dir string) []string {
	if dir = path.Clean(dir); dir == "." {
		return nil
	}
	return strings.Split(strings.TrimPrefix(dir, "/"), "/")
}
