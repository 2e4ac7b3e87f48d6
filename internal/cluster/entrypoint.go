package cluster

import (
	"path"
	"strings"

	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
)

// EntrypointArgs returns the arguments that the image's own entrypoint script
// gets, false when something else runs, or may.
func (c *Cluster) EntrypointArgs(ctr *manifest.Container) ([]Word, bool) {
	facts, words := c.Image(ctr), c.Process(ctr).Words
	if facts.Process == nil || len(facts.Process.Entrypoint) == 0 || len(words) == 0 {
		return nil, false
	}
	for _, w := range words {
		if !w.Known {
			return nil, false
		}
	}
	return words[1:], path.Base(words[0].Value) == path.Base(facts.Process.Entrypoint[0])
}

// Starts reports whether an entrypoint script with these arguments starts one
// of the programs: it puts the program in front of options.
func Starts(args []Word, programs []string) bool {
	if len(programs) == 0 || len(args) == 0 || strings.HasPrefix(args[0].Value, "-") {
		return true
	}
	for _, program := range programs {
		if args[0].Value == program {
			return true
		}
	}
	return false
}

// Meets reports whether a variable is set to something, for a condition
// NAME=value to that value. What is not known counts as set.
func (e Environment) Meets(condition string) bool {
	name, want, exact := strings.Cut(condition, "=")
	v, ok := e.Lookup(name)
	switch {
	case !ok:
		return e.Open
	case !v.Known:
		return true
	case exact:
		return v.Value == want
	}
	return v.Value != ""
}

// Option returns the value of an option of a command line, --datadir=/data or
// --datadir /data.
func Option(args []Word, name string) (string, bool) {
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
		if dir, ok := Option(args, data.Option); ok {
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
