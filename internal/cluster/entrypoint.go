package cluster

import (
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
)

// EntrypointArgs returns the arguments that the image's own entrypoint script
// gets, false when something else runs, or may. Of an image without an
// entrypoint it is the program of its command.
func (c *Cluster) EntrypointArgs(ctr *manifest.Container) ([]Word, bool) {
	entrypoint, command := c.Image(ctr).Entrypoint()
	own, words := entrypoint, c.Process(ctr).Words
	if len(own) == 0 {
		own = command[:min(len(command), 1)]
	}
	if len(own) == 0 || len(words) == 0 {
		return nil, len(own)+len(ctr.Command)+len(ctr.Args) == 0
	}
	for _, w := range words {
		if !w.Known {
			return nil, false
		}
	}
	// tini -- and the like may be left out of a command, what they run not.
	if script := own[len(own)-1]; !isProgram(words[0].Value, own[0]) {
		return words[1:], isProgram(words[0].Value, script)
	}
	for i, arg := range own[1:] {
		if i+1 >= len(words) || words[i+1].Value != arg {
			return nil, false
		}
	}
	return words[len(own):], true
}

// isProgram reports whether a command runs the program of an image, which may
// stand without its directory in either.
func isProgram(command, program string) bool {
	dir := path.Dir(command)
	return command == program || path.Base(command) == path.Base(program) &&
		(command == path.Base(program) || program == path.Base(command) && slices.Contains(searchPath, dir))
}

// searchPath are the directories that images put their entrypoint into.
var searchPath = []string{"/", "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"}

// Starts reports whether an entrypoint script with these arguments starts one
// of the programs: it puts the program in front of options.
func Starts(args []Word, programs []string) bool {
	if len(programs) == 0 || len(args) == 0 || strings.HasPrefix(args[0].Value, "-") {
		return true
	}
	return slices.Contains(programs, args[0].Value)
}

// RunsEntrypoint reports whether the image's own entrypoint starts one of the
// programs: the container names no command, and its arguments begin with a
// program or are options of one. Without programs it is any.
func (c *Cluster) RunsEntrypoint(ctr *manifest.Container, programs []string) bool {
	if len(ctr.Command) > 0 {
		args, ok := c.EntrypointArgs(ctr)
		return ok && Starts(args, programs)
	}
	process := c.Process(ctr)
	args := process.Words
	if entrypoint, _ := c.Image(ctr).Entrypoint(); !process.Partial {
		args = args[min(len(args), len(entrypoint)):]
	}
	return len(ctr.Args) == 0 || len(args) > 0 && args[0].Known && Starts(args, programs)
}

// Meets reports whether a condition on a variable holds, or may: what is not
// known counts as met.
func (e Environment) Meets(condition string) bool {
	cond, err := images.ParseCondition(condition)
	v, ok := e.Lookup(cond.Name)
	switch {
	case err != nil:
		return false // Entry.Check refuses it
	case !ok:
		return e.Open
	}
	return !v.Known || cond.Holds(v.Value)
}

// Shows reports whether a condition on a variable holds for certain.
func (e Environment) Shows(condition string) bool {
	cond, err := images.ParseCondition(condition)
	v, ok := e.Lookup(cond.Name)
	return err == nil && ok && v.Known && cond.Holds(v.Value)
}

// OptionValue returns the value of an option of a command line, --datadir=/data or
// --datadir /data.
func OptionValue(args []Word, name string) (string, bool) {
	for i, w := range args {
		if value, ok := strings.CutPrefix(w.Value, name+"="); ok {
			return value, true
		}
		if w.Value == name && i+1 < len(args) {
			return args[i+1].Value, true
		}
	}
	return "", false
}

// DataDirectory returns the directory that the program keeps its data in, false
// when it is not known.
func DataDirectory(env Environment, args []Word, data *images.Data) (string, bool) {
	if data == nil {
		return "", false
	}
	if data.Option != "" {
		if dir, ok := OptionValue(args, data.Option); ok {
			return path.Clean(dir), true
		}
	}
	if data.Variable != "" {
		switch v, ok := env.Lookup(data.Variable); {
		case ok && !v.Known, !ok && env.Open:
			return "", false
		case ok && v.Value != "":
			return path.Clean(v.Value), true
		}
	}
	return path.Clean(data.Directory), true
}
