package cluster

import "github.com/crashlint/crashlint/internal/manifest"

// A Variable is one environment variable of a container.
type Variable struct {
	Name string
	// Value is meaningful when Known. It must never be printed when Secret.
	Value string
	// Known is false when the value comes from something that the files do not
	// show: an object of the cluster, a field filled in at run time, a template.
	Known  bool
	Secret bool
	From   Origin
}

// An Environment is the variables that the kubelet sets, in the order in which
// it sets them, each name once.
type Environment struct {
	Variables []Variable
	// Open is true when a source could not be read, so that there may be
	// variables that are not listed.
	Open bool
}

// Lookup returns the variable of that name.
func (e Environment) Lookup(name string) (Variable, bool) {
	for _, v := range e.Variables {
		if v.Name == name {
			return v, true
		}
	}
	return Variable{}, false
}

// Environment returns the environment that the kubelet gives the container.
func (c *Cluster) Environment(ctr *manifest.Container) Environment { return Environment{} }
