package cluster

import (
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// HookProcess returns the process of a lifecycle hook of the container whose
// command stands at the path. The kubelet expands nothing in it
// (pkg/kubelet/lifecycle/handlers.go, Run). The process itself has the
// container's whole environment.
func (c *Cluster) HookProcess(ctr *manifest.Container, command []string, at node.Path) Process {
	p := Process{Words: make([]Word, len(command))}
	for i, item := range command {
		from := Origin{Object: ctr.Workload.Object, Path: at.Append(i)}
		p.Words[i] = Word{Value: item, Known: from.Object.Known(from.Path), From: from}
	}
	c.interpret(&p, ctr, c.Environment(ctr))
	return p
}
