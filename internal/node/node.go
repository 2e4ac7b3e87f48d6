// Package node names places inside a document symbolically, so that a rule can
// say what it means without knowing how the document is written.
package node

import (
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/source"
)

// An Elem is one step of a Path: a mapping key or a sequence index.
type Elem struct {
	key   string
	index int // -1 for a key
}

// Key is the step into the value of a mapping key.
func Key(k string) Elem { return Elem{key: k, index: -1} }

// Index is the step into the i-th item of a sequence, counted from 0.
func Index(i int) Elem { return Elem{index: i} }

// Key returns the mapping key and true, or false for an index.
func (e Elem) Key() (string, bool) { return e.key, e.index < 0 }

// Index returns the sequence index and true, or false for a key.
func (e Elem) Index() (int, bool) { return e.index, e.index >= 0 }

// A Path leads from the root of an object to a place in it.
type Path []Elem

// P builds a path from strings (keys) and ints (indices). It panics on any
// other type, which is a mistake of the programmer.
func P(steps ...any) Path { return Path(nil).Append(steps...) }

// Append returns a new path that goes on from p with strings (keys), ints
// (indices), Elems and Paths. It never shares p's memory. Like P it panics on
// any other type.
func (p Path) Append(steps ...any) Path {
	out := make(Path, len(p), len(p)+len(steps))
	copy(out, p)
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			out = append(out, Key(s))
		case int:
			out = append(out, Index(s))
		case Elem:
			out = append(out, s)
		case Path:
			out = append(out, s...)
		default:
			panic("node: a path step is a string, an int, an Elem or a Path")
		}
	}
	return out
}

// HasPrefix reports whether p begins with q.
func (p Path) HasPrefix(q Path) bool {
	if len(p) < len(q) {
		return false
	}
	for i := range q {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// String renders the path as people write it:
// spec.containers[0].livenessProbe, and data["server.conf"] for keys that are
// not plain words. It is for output; nothing parses it.
func (p Path) String() string {
	var b strings.Builder
	for i, e := range p {
		switch {
		case e.index >= 0:
			b.WriteString("[" + strconv.Itoa(e.index) + "]")
		case plainKey(e.key):
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(e.key)
		default:
			b.WriteString("[" + strconv.Quote(e.key) + "]")
		}
	}
	return b.String()
}

func plainKey(k string) bool {
	for _, r := range k {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return k != ""
}

// A Target says which part of the entry at a path is meant.
type Target uint8

const (
	// Value is the value at the path.
	Value Target = iota
	// KeyOf is the mapping key that the path ends in.
	KeyOf
	// Grip is what to hold when something is absent from the mapping at the
	// path: the value of its name, or else the key that the mapping stands under.
	Grip
)

// An OpKind is a kind of change to a document.
type OpKind uint8

const (
	// Set replaces the value at the path, or adds the key when it is absent.
	Set OpKind = iota
	// Remove deletes the entry at the path.
	Remove
	// Append adds the value as the last item of the sequence at the path, which
	// is created when it is absent.
	Append
)

// An Op is one symbolic change. Value is made of map[string]any, Fields, []any,
// string, bool, int64 and float64.
type Op struct {
	Kind  OpKind
	Path  Path
	Value any
}

// Fields is a mapping that keeps the order in which it is to be written.
type Fields []Field

// A Field is one entry of Fields.
type Field struct {
	Key   string
	Value any
}

// A Location is where a path stands in a file.
type Location struct {
	File *source.File
	Span source.Span
	// Defined is the place that a YAML alias or merge key on the way refers to:
	// Span is then where it is used, Defined where the text stands.
	Defined *source.Span
}

// A Locator finds places in the text of a document.
type Locator interface {
	// Locate returns where the target of the path stands, false when the path
	// does not exist.
	Locate(Path, Target) (Location, bool)
	// Constant reports whether the value at the path is what will be applied:
	// false for one that a template or a placeholder will still replace.
	Constant(Path) bool
}

// An Editor turns symbolic changes into edits of the text, all relative to the
// text as it stands. It fails when the change cannot be made without rewriting
// what it does not concern (inside an alias, for instance).
type Editor interface {
	Edit(...Op) ([]source.Edit, error)
}

// An Embedded is a string of a document that was read as a document of its own.
// Its places are bytes of the string.
type Embedded interface {
	// Locate returns where the target of the path stands.
	Locate(Path, Target) (Location, bool)
	// Value returns what stands at the path as JSON would hold it.
	Value(Path) (any, bool)
	// Duplicates returns the keys at and below the path that are written twice in
	// one mapping.
	Duplicates(Path) []Problem
}
