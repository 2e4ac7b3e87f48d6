package cluster

import (
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A Word is one word of a command line, after the kubelet's expansion of
// $(VAR) and, in a script, the shell's of $VAR.
type Word struct {
	Value string
	// Known is false when the word depends on something that the files do not
	// show; Value then holds the text as written.
	Known bool
	From  Origin
}

// A Command is one simple command that a process runs: its own argument vector,
// or a command of the shell script it interprets.
type Command struct {
	// Assignments are the variables set for this command, or exported before
	// it, by the script.
	Assignments []Variable
	Words       []Word
	// Background is true for a command that the script does not wait for.
	Background bool
	// Exec is true when the command replaces the shell.
	Exec bool
	// Conditional is true when the script may not come to run the command: it
	// stands in a branch, a loop, a function, or behind && and ||.
	Conditional bool
}

// A Process is what runs in a container, or in an exec probe or hook.
type Process struct {
	// Words is the argument vector, empty when it is the image's and the image
	// is not known.
	Words []Word
	// Shell is true when the process is a shell that runs a script given on its
	// command line.
	Shell bool
	// Commands are the simple commands run, in the order of the text: one for a
	// process that is no shell, those of the script for a shell.
	Commands []Command
}

// Process returns the main process of the container.
func (c *Cluster) Process(ctr *manifest.Container) Process { return Process{} }

// ExecProcess returns the process of an exec probe or hook of the container
// whose command stands at the path. The kubelet expands no $(VAR) there.
func (c *Cluster) ExecProcess(ctr *manifest.Container, command []string, at node.Path) Process {
	return Process{}
}
