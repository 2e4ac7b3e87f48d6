package images

import (
	"path"
	"slices"
)

// Idle says that what the image runs when nobody says otherwise ends at once:
// a shell or an interpreter that nobody types into, a greeting.
type Idle struct {
	// Runs is the program.
	Runs string `json:"runs" jsonschema_description:"The program that ends at once."`
	// Waits is true when it stays where the container has stdin or tty.
	Waits  bool   `json:"waits,omitempty" jsonschema_description:"true: it reads what somebody types, and stays where stdin or tty is set."`
	Source string `json:"source,omitempty"`
}

// Subcommands says that the image's program does nothing without one of its
// subcommands.
type Subcommands struct {
	// Program is the program that the entrypoint gives the arguments to.
	Program string `json:"program" jsonschema_description:"The program that gets the arguments."`
	// Names are its subcommands, the one that serves first.
	Names []string `json:"names" jsonschema_description:"Its subcommands, the one that serves first."`
	// Variable is a variable whose words the entrypoint takes in the place of the
	// arguments.
	Variable string `json:"variable,omitempty" jsonschema_description:"A variable whose words take the place of the arguments."`
	Source   string `json:"source,omitempty"`
}

// everyday are programs of a usual Linux system, which an image without any
// other program than its own does not have.
var everyday = []string{
	"sh", "bash", "ash", "dash", "cat", "ls", "echo", "test", "[", "stat", "grep", "pgrep", "pidof", "ps", "kill", "true", "false", "find",
	"awk", "sed", "head", "tail", "touch", "date", "expr", "timeout", "env", "nc", "curl", "wget", "sleep", "mkdir", "cp", "mv", "rm", "chmod", "chown",
	"ln", "tar", "id", "hostname", "printf", "sysctl", "tee", "python", "python3", "node", "perl",
}

// builtins are programs that every shell has in itself.
var builtins = []string{"echo", "test", "[", "kill", "true", "false", "printf"}

// Missing reports whether the image surely has no program of the name. A file
// that stands at a path of its own may be anybody's. inShell is true for a
// command that a shell runs, which has some in itself.
func (t *Tools) Missing(program string, inShell bool) bool {
	if t == nil {
		return false
	}
	if dir, base := path.Split(program); dir != "" {
		if !slices.Contains([]string{"/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"}, dir) {
			return false
		}
		program = base
		inShell = false
	}
	if inShell && slices.Contains(builtins, program) {
		return false
	}
	return slices.Contains(t.Lacks, program) || t.None && slices.Contains(everyday, program)
}
