// Package manifest is what is written: Kubernetes objects, the workloads among
// them and their containers, each knowing its place in its document. What a
// cluster makes of them is package cluster's business.
package manifest

import (
	"path"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// A Document is the text that an object stands in.
type Document interface {
	node.Locator
	node.Editor
	// Value returns what stands at the path as JSON would hold it.
	Value(node.Path) (any, bool)
	// Has reports whether something is written at the path, null included.
	Has(node.Path) bool
	// Embedded reads the string at the path as a YAML document of its own; the
	// problem is a string that is none. Both are nil where that is not known.
	Embedded(node.Path) (node.Embedded, *node.Problem)
	// Inside returns the place of a part of the string at the path, given in
	// bytes of the string.
	Inside(node.Path, source.Span) (node.Location, bool)
	// File returns the file that the document stands in.
	File() *source.File
	// Span returns the document's place in its file.
	Span() source.Span
}

// An Object is one Kubernetes object as written. Paths given to its methods
// start at the object, also where it is an item of a List.
type Object struct {
	APIVersion, Kind string
	// Name is metadata.name, or metadata.generateName where there is none.
	Name string
	// Namespace is metadata.namespace; empty when the file leaves it to
	// whoever applies it.
	Namespace   string
	Labels      map[string]string
	Annotations map[string]string

	// Typed is the decoded object of a kind that crashlint reads with its Go
	// type (*appsv1.Deployment, *corev1.Secret and so on), nil for the others.
	Typed any
	// Template is the Helm template that rendered the object, from its
	// "# Source:" comment.
	Template string
	// Patch marks a document that a kustomization applies to an object written
	// elsewhere: what is absent from it is unknown.
	Patch bool
	// Problems are the places where the text does not fit the object's type, or,
	// for a document that could not be read, why.
	Problems []node.Problem

	doc  Document
	dir  string
	root node.Path
	// open are the regions in which an absent field is unknown, not missing:
	// another party fills them in.
	open []node.Path
}

// NewObject returns the object at root in doc.
func NewObject(doc Document, root node.Path, meta metav1.TypeMeta, om metav1.ObjectMeta) *Object {
	o := &Object{
		APIVersion: meta.APIVersion, Kind: meta.Kind, Name: om.Name, Namespace: om.Namespace,
		Labels: om.Labels, Annotations: om.Annotations, doc: doc, dir: path.Dir(doc.File().Path), root: root,
	}
	if o.Name == "" {
		o.Name = om.GenerateName
	}
	return o
}

// Group returns the API group, empty for the core group.
func (o *Object) Group() string {
	group, _, ok := strings.Cut(o.APIVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// String returns Kind/name.
func (o *Object) String() string { return o.Kind + "/" + o.Name }

// File returns the file that the object stands in.
func (o *Object) File() *source.File { return o.doc.File() }

// DocumentSpan returns the place in the file of the document that the object
// stands in.
func (o *Object) DocumentSpan() source.Span { return o.doc.Span() }

// Dir returns the folder of the object's file.
func (o *Object) Dir() string { return o.dir }

// Locate returns where the target of the path stands, false when there is
// nothing at the path.
func (o *Object) Locate(p node.Path, target node.Target) (node.Location, bool) {
	return o.doc.Locate(o.root.Append(p), target)
}

// Value returns what stands at the path as JSON would hold it.
func (o *Object) Value(p node.Path) (any, bool) { return o.doc.Value(o.root.Append(p)) }

// Has reports whether something is written at the path.
func (o *Object) Has(p node.Path) bool { return o.doc.Has(o.root.Append(p)) }

// StringAt returns the string at the path, empty when there is none.
func (o *Object) StringAt(p node.Path) string {
	v, _ := o.Value(p)
	s, _ := v.(string)
	return s
}

// Embedded reads the string at the path as a YAML document of its own, as a
// program reads a file of a ConfigMap: the first one, where there are several.
// Places in it are bytes of the string, which Inside finds in the file. The
// problem is a string that is not YAML; both are nil where that is not known.
func (o *Object) Embedded(p node.Path) (node.Embedded, *node.Problem) {
	return o.doc.Embedded(o.root.Append(p))
}

// Inside returns the place of a part of the string at the path, from and to being
// bytes of the string; false when there is no string.
func (o *Object) Inside(p node.Path, from, to int) (node.Location, bool) {
	return o.doc.Inside(o.root.Append(p), source.Span{Start: from, End: to})
}

// Open declares that what is absent at and below the path is unknown.
func (o *Object) Open(p node.Path) { o.open = append(o.open, p) }

// Known reports whether the object's text decides what stands at the path:
// false for a value that a template or placeholder will replace, and for an
// absent one where somebody else may fill it in.
func (o *Object) Known(p node.Path) bool {
	if o.Has(p) {
		return o.doc.Constant(o.root.Append(p))
	}
	if o.Patch {
		return false
	}
	return !slices.ContainsFunc(o.open, p.HasPrefix)
}

// Edit turns symbolic changes into edits of the object's file.
func (o *Object) Edit(ops ...node.Op) ([]source.Edit, error) {
	rooted := make([]node.Op, len(ops))
	for i, op := range ops {
		rooted[i] = op
		rooted[i].Path = o.root.Append(op.Path)
	}
	return o.doc.Edit(rooted...)
}
