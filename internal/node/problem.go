package node

// A ProblemKind is a way in which a document does not fit what it is meant to
// be.
type ProblemKind uint8

const (
	// UnknownField: the type has no such field. The API server drops it, or
	// refuses the object when field validation is strict, as kubectl asks for.
	UnknownField ProblemKind = iota
	// InvalidField: the value cannot be what the field takes; the API server
	// refuses the object.
	InvalidField
	// DuplicateKey: the mapping has the key twice; only the last one counts.
	DuplicateKey
	// Malformed: the document cannot be read at all.
	Malformed
)

// A Problem is one place where a document does not fit what it is meant to be.
type Problem struct {
	Kind ProblemKind
	// Path of the field, relative to the object.
	Path    Path
	Message string
	// Suggest says what to write instead, for UnknownField: the field that was
	// probably meant, or where the field belongs.
	Suggest string
	// WantsString is true for an InvalidField that takes a string.
	WantsString bool
	// Same is true for a DuplicateKey whose two values are equal.
	Same bool
	// Here is where the problem stands: a path cannot tell the first of two
	// equal keys from the second.
	Here Location
	// First is the earlier of two equal keys, for DuplicateKey.
	First Location
}
