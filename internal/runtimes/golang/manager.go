package golang

import (
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
)

// IsManager reports whether the process is a controller built on
// controller-runtime as kubebuilder and the Operator SDK lay it out, by the
// options of its main.go: the health probes' address, or leader election and the
// metrics' address together (kubebuilder's scaffolds, templates/main.go; the first
// names are those of version 2).
func IsManager(p cluster.Process) bool {
	if p.Shell {
		return false
	}
	elects, measures := false, false
	for _, w := range p.Words {
		name, _, _ := strings.Cut(strings.TrimLeft(w.Value, "-"), "=")
		switch name {
		case "health-probe-bind-address", "health-probe-addr":
			return strings.HasPrefix(w.Value, "-")
		case "enable-leader-election", "leader-elect":
			elects = true
		case "metrics-addr", "metrics-bind-address":
			measures = true
		}
	}
	return elects && measures
}
