package cluster

import (
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A Reference is a field of a workload that names another object.
type Reference struct {
	Workload *manifest.Workload
	// Container is the container the reference stands in, nil for the pod.
	Container *manifest.Container
	// Kind of the object named: Secret, ConfigMap and so on.
	Kind string
	// Name of the object named, and the path of the field that names it.
	Name string
	At   node.Path
	// Key within the object, empty when the whole object is meant, and its path.
	Key      string
	KeyAt    node.Path
	Optional bool
	// Use says what the object is needed for, for messages: "environment
	// variable DB_PASSWORD", "volume config".
	Use string
}

// References returns the Secrets and ConfigMaps that the workload's pods name,
// in the order of the text.
func (c *Cluster) References(w *manifest.Workload) []Reference { return nil }
