// Package rule is the contract between a rule and the program: what a rule is,
// what it is given, and how it says what it found.
package rule

import (
	"io/fs"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A Rule finds one kind of fault. It is a value: all that is known about the
// rule stands in it, and exactly one of Workload, Object and Set is set. The
// functions are called from several goroutines; they must not keep state, do no
// I/O and return no error.
type Rule struct {
	// ID is kebab-case and says the fault: "jvm-heap-over-limit".
	ID string
	// Title says the fault in one line, without a full stop.
	Title string
	// Since is the version of crashlint that first had the rule.
	Since string
	// Severity is the usual severity of its findings; a Finding may differ on
	// evidence.
	Severity diag.Severity
	// Options returns a pointer to a struct with the rule's options at their
	// defaults, nil when it has none. Fields carry the tags json and jsonschema_description.
	Options func() any

	Workload func(*Pass, *manifest.Workload)
	Object   func(*Pass, *manifest.Object)
	Set      func(*Pass)
}

// A Family is a group of rules about one family of causes. Docs holds one
// <rule-id>.md for each.
type Family struct {
	Name  string
	Title string
	Docs  fs.FS
	Rules []*Rule
}

// A Pass is one call of a rule.
type Pass struct {
	// Cluster is everything that was read, as a cluster would see it.
	Cluster *cluster.Cluster
	// Options is what Rule.Options returned, with the configuration applied.
	Options any
	// Report takes a finding. The engine sets it.
	Report func(Finding)
	// Problem takes what kept the rule from doing its work, a policy that ran
	// out of time, say. The engine sets it.
	Problem func(diag.Problem)
}

// A Finding is one fault at one place, symbolically.
type Finding struct {
	Object *manifest.Object
	// At is the field at fault. Where nothing is written there, the nearest
	// enclosing mapping that exists is shown, held at its name.
	At     node.Path
	Target node.Target
	// Within narrows the place to a part of a scalar: "-Xmx2g" in a longer
	// value.
	Within string
	// Place is the exact place, for the few faults that a path cannot name: the
	// first of two equal keys. At still says which field it is about.
	Place *node.Location
	// Message is the fact, then the consequence, with numbers. Lower case, no
	// full stop.
	Message string
	// Severity replaces the rule's when evidence raises or lowers it.
	Severity diag.Severity
	// Notes are the numbers and the chain behind the verdict, a line each.
	Notes []string
	// Needs are the further paths the finding relies on, At included
	// implicitly; the engine drops the finding when one is not Known.
	Needs   []node.Path
	Related []Related
	Fixes   []Fix
}

// Related is a second place that a finding is about.
type Related struct {
	Object  *manifest.Object
	At      node.Path
	Target  node.Target
	Within  string
	Place   *node.Location
	Message string
}

// A Fix is one way to mend the fault; several are alternatives. Ops apply to
// the finding's object.
type Fix struct {
	Message string
	Safety  diag.Safety
	Ops     []node.Op
}
