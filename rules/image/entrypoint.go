package image

import (
	"path"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
)

// entrypointArgs returns the arguments that the image's own entrypoint script
// gets, false when something else runs, or may.
func entrypointArgs(c *cluster.Cluster, ctr *manifest.Container, facts images.Facts) ([]cluster.Word, bool) {
	words := c.Process(ctr).Words
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

// starts reports whether an entrypoint script with these arguments starts one
// of the programs: it puts the program in front of options.
func starts(args []cluster.Word, programs []string) bool {
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

// set reports whether a variable is set to something, for a condition
// NAME=value to that value. What is not known counts as set.
func set(env cluster.Environment, condition string) bool {
	name, want, exact := strings.Cut(condition, "=")
	v, ok := env.Lookup(name)
	switch {
	case !ok:
		return env.Open
	case !v.Known:
		return true
	case exact:
		return v.Value == want
	}
	return v.Value != ""
}

// option returns the value of an option of a command line, --datadir=/data or
// --datadir /data.
func option(args []cluster.Word, name string) (string, bool) {
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

// dataDirectory returns the directory that the program keeps its data in, false
// when it is not known.
func dataDirectory(env cluster.Environment, args []cluster.Word, data *images.Data) (string, bool) {
	if data == nil {
		return "", false
	}
	if data.Option != "" {
		if dir, ok := option(args, data.Option); ok {
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
