package cluster

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// An objectKey names objects regardless of their namespace.
type objectKey struct{ kind, name string }

// Homonyms are things of one kind and name, in the order of the set, and by the
// namespace they are in: a set of many namespaces may have one in each.
type homonyms[T any] struct {
	all []T
	in  map[string][]T
}

func (h *homonyms[T]) add(namespace string, item T) {
	if h.in == nil {
		h.in = map[string][]T{}
	}
	h.all = append(h.all, item)
	h.in[namespace] = append(h.in[namespace], item)
}

// of returns the homonyms of a key, to add to.
func of[T any](by map[objectKey]*homonyms[T], key objectKey) *homonyms[T] {
	if by[key] == nil {
		by[key] = &homonyms[T]{}
	}
	return by[key]
}

// meeting returns, as a slice of the caller's own, what may be in the namespace.
func (h *homonyms[T]) meeting(namespace string) []T {
	switch {
	case h == nil:
		return nil
	case namespace == "":
		return slices.Clone(h.all)
	}
	return slices.Concat(h.in[namespace], h.in[""])
}

// An index finds objects and definitions by name.
type index struct {
	// kinds are the objects by kind, of whichever group.
	kinds map[string][]*manifest.Object
	// objects of the core API group by kind and name.
	objects                     map[objectKey]*homonyms[*manifest.Object]
	limitRanges, resourceQuotas homonyms[*manifest.Object]
	// autoscalers are the VerticalPodAutoscalers by what they scale.
	autoscalers map[objectKey]*homonyms[*manifest.Object]
	// runtimeClasses, which have no namespace, by name.
	runtimeClasses map[string][]*manifest.Object
	// definitions are all that makes a Secret or ConfigMap of a name.
	definitions map[objectKey]*homonyms[*definition]
	// local are the definitions by kind and folder.
	local map[objectKey][]*definition
	// servicesIn and servicesOf are the Services by folder and by namespace.
	servicesIn, servicesOf map[string][]*manifest.Object
	// kustomized are the files that kustomizations reach, by path.
	kustomized map[string]*kustomized
}

func (c *Cluster) buildIndex() {
	x := &index{
		kinds:          map[string][]*manifest.Object{},
		objects:        map[objectKey]*homonyms[*manifest.Object]{},
		autoscalers:    map[objectKey]*homonyms[*manifest.Object]{},
		runtimeClasses: map[string][]*manifest.Object{},
		definitions:    map[objectKey]*homonyms[*definition]{},
		local:          map[objectKey][]*definition{},
		servicesIn:     map[string][]*manifest.Object{},
		servicesOf:     map[string][]*manifest.Object{},
		kustomized:     kustomizedFiles(c.Objects),
	}
	c.index = x
	for _, o := range c.Objects {
		x.kinds[o.Kind] = append(x.kinds[o.Kind], o)
		if o.Group() == "" {
			namespace := c.NamespaceOf(o)
			of(x.objects, objectKey{o.Kind, o.Name}).add(namespace, o)
			switch o.Kind {
			case "LimitRange":
				x.limitRanges.add(namespace, o)
			case "ResourceQuota":
				x.resourceQuotas.add(namespace, o)
			case "Service":
				x.servicesIn[o.Dir()] = append(x.servicesIn[o.Dir()], o)
				x.servicesOf[namespace] = append(x.servicesOf[namespace], o)
			}
		}
		switch o.Group() + "/" + o.Kind {
		case "autoscaling.k8s.io/VerticalPodAutoscaler":
			target := node.P("spec", "targetRef")
			key := objectKey{o.StringAt(target.Append("kind")), o.StringAt(target.Append("name"))}
			of(x.autoscalers, key).add(c.NamespaceOf(o), o)
		case "node.k8s.io/RuntimeClass":
			x.runtimeClasses[o.Name] = append(x.runtimeClasses[o.Name], o)
		}
		for _, d := range definitions(o) {
			namespace := d.namespaceIn(c)
			if d.everywhere {
				namespace = ""
			}
			for _, name := range x.names(o, d) {
				of(x.definitions, objectKey{d.kind, name}).add(namespace, d)
			}
			local := objectKey{d.kind, o.Dir()}
			x.local[local] = append(x.local[local], d)
		}
	}
}

// names returns the names by which the definition is found: its own, and those
// that kustomizations give the object. A reference that does not have the plain
// name is left alone by kustomize, and may have the final one.
func (x *index) names(o *manifest.Object, d *definition) []string {
	names := []string{d.name}
	if f := x.kustomized[o.File().Path]; f != nil && d.name == o.Name {
		for _, affix := range f.affixes {
			names = append(names, affix[0]+d.name+affix[1])
		}
	}
	return names
}

// OfKind returns the objects of a kind, of whichever API group.
func (c *Cluster) OfKind(kind string) []*manifest.Object { return c.index.kinds[kind] }

// meet reports whether two namespaces are the same one, as far as is known.
func meet(a, b string) bool { return a == b || a == "" || b == "" }

// Find returns the objects of the core API group that an object named from
// means by a kind and a name in its own namespace: nearest first, that is those
// of the same file, then of the same folder, then those whose folder has the
// nearest common ancestor. A namespace that is not known may be any. What a Secret
// or ConfigMap holds is a guess, and none is returned, where the nearest stands far
// off, or something nearer makes one: a generator of kustomize, for example.
func (c *Cluster) Find(from *manifest.Object, kind, name string) []*manifest.Object {
	namespace := c.NamespaceOf(from)
	found := c.index.objects[objectKey{kind, name}].meeting(namespace)
	sortNearest(from, found, func(o *manifest.Object) *manifest.Object { return o })
	if len(found) == 0 || !keyed(kind) {
		return found
	}
	nearer := func(d *definition) bool {
		return !d.literal() && distanceOf(from, d.by).compare(distanceOf(from, found[0])) < 0
	}
	if !c.meant(from, found[0], c.NamespaceOf(found[0])) || slices.ContainsFunc(c.index.definitions[objectKey{kind, name}].meeting(namespace), nearer) {
		return nil
	}
	return found
}

// meant reports whether what an object names is sure to be what another defines in
// a namespace: it stands near, or the namespaces of both are known and the same.
func (c *Cluster) meant(from, by *manifest.Object, namespace string) bool {
	return namespace != "" && namespace == c.NamespaceOf(from) || distanceOf(from, by).near()
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
// another, and down from there. The folders are clean paths.
func steps(from, to string) (up, down int) {
	from, to = relative(from), relative(to)
	common := 0 // where the first element that differs begins
	for i := 0; ; i++ {
		fromEnds, toEnds := i >= len(from) || from[i] == '/', i >= len(to) || to[i] == '/'
		if fromEnds != toEnds || !fromEnds && from[i] != to[i] {
			break
		}
		if fromEnds {
			common = i + 1
			if i >= len(from) || i >= len(to) {
				break
			}
		}
	}
	return elements(from, common), elements(to, common)
}

// elements counts the elements of a path from one that begins at a byte.
func elements(dir string, at int) int {
	if at >= len(dir) {
		return 0
	}
	return strings.Count(dir[at:], "/") + 1
}

func relative(dir string) string {
	if dir == "." {
		return ""
	}
	return strings.TrimPrefix(dir, "/")
}
