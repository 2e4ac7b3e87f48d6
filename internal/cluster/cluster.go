// Package cluster computes what a cluster would make of the objects that were
// read: which object a reference means, the limits that a LimitRange fills in,
// the environment and command line a container ends up with. Every value knows
// where it came from.
package cluster

import (
	"cmp"
	"sync"

	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// Options is what the files do not say about the cluster.
type Options struct {
	// Namespace is where objects without a namespace go. Empty: unknown, and
	// they may meet any namespace.
	Namespace string
	// Version is the minor version of Kubernetes 1.x, 0 when unknown.
	Version int
	// External holds glob patterns of "Kind/name" or "Kind/namespace/name" for
	// objects that exist though no file shows them.
	External []string
	// Images is what is known of images, nil for what comes with crashlint.
	Images *images.Catalogue
}

// A Cluster is a set of objects as a cluster sees it. It is safe for use by
// several goroutines.
type Cluster struct {
	*manifest.Set
	Options Options

	index *index
	// evidence answers who may make an object at run time. Only a reference to
	// an object that is not there asks.
	evidence func() *evidence
	// memo holds what users of the cluster computed once, see Memo.
	memo sync.Map
}

// New builds the view of a cluster on the set, nil for an empty one.
func New(set *manifest.Set, options Options) *Cluster {
	if set == nil {
		set = &manifest.Set{}
	}
	c := &Cluster{Set: set, Options: options}
	c.buildIndex()
	c.evidence = sync.OnceValue(func() *evidence { return newEvidence(c) })
	return c
}

// NamespaceOf returns the namespace that the object goes to, empty when the
// files do not say: the one that a kustomization over its file sets, else the
// one written, else that of the options.
func (c *Cluster) NamespaceOf(o *manifest.Object) string {
	if f := c.index.kustomized[o.File().Path]; f != nil && f.hasNamespace {
		return f.namespace
	}
	if o.Patch {
		return "" // the namespace of the patched object before kustomize sets it
	}
	return cmp.Or(o.Namespace, c.Options.Namespace)
}

// Image returns what is known of the container's image, nothing where it is not
// known.
func (c *Cluster) Image(ctr *manifest.Container) images.Facts {
	return Memo(c, imageKey(ctr.Image), func() images.Facts {
		facts, _ := cmp.Or(c.Options.Images, images.Builtin()).Lookup(ctr.Image)
		return facts
	})
}

type imageKey string

// An Origin is where an effective value was written.
type Origin struct {
	// Object is nil for a value that no file holds.
	Object *manifest.Object
	Path   node.Path
	// Within is the part of the scalar that counts, empty for all of it.
	Within string
	// Default names the default that applies when Object is nil: "Kubernetes
	// default", "image default".
	Default string
}

// A Value is an effective value and where it came from.
type Value[T any] struct {
	V    T
	From Origin
}
