// Package servers says how much memory databases, brokers and caches take by
// their settings.
package servers

import (
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
)

// An Amount is the memory that a server is told it may take.
type Amount struct {
	// Program is the server's name: "PostgreSQL".
	Program string
	// Bytes is what the settings come to.
	Bytes uint64
	// Settings are those that add up to it, at least one.
	Settings []Setting
	// Why says what the server does with the memory.
	Why string
	// Refusal is what the server says when it does not start since it has less
	// memory; empty when it starts and grows.
	Refusal string
	// Sure is false when something that the files do not show may set it again.
	Sure bool
}

// A Setting is one option, variable or line of a configuration file.
type Setting struct {
	// Text is the setting as a person would find it: "shared_buffers = 2GB". It
	// must not be printed when Secret.
	Text string
	// Value is its value as written.
	Value string
	// Secret is true when it comes from a Secret.
	Secret bool
	From   cluster.Origin
}

// Of returns what the server in the container may take with a memory limit of
// that many bytes, false when it is none that is known, or nothing sets it.
func Of(c *cluster.Cluster, ctr *manifest.Container, limit uint64) (Amount, bool) {
	if ctr.Partial || ctr.Role == manifest.Init {
		return Amount{}, false
	}
	process, image := c.Process(ctr), c.Image(ctr)
	for i := range programs {
		p := &programs[i]
		command, sure, ok := p.command(process, image)
		if !ok {
			continue
		}
		s := settings{cluster: c, ctr: ctr, program: p, found: map[string]Setting{}, sure: sure}
		s.read(command)
		a, ok := p.amount(&s, limit)
		a.Program, a.Why, a.Sure = p.name, p.why, s.sure
		return a, ok
	}
	return Amount{}, false
}

// command returns the command that starts the program, with the words behind
// its name; sure is false when the container may run another one. A start script
// of the image that is handed no words gives a command without any.
func (p *program) command(process cluster.Process, image images.Facts) (c cluster.Command, sure, ok bool) {
	for _, candidate := range process.Commands {
		at := slices.IndexFunc(candidate.Words, p.named)
		if at < 0 || at > 0 && !startScript(candidate) || ok && (sure || candidate.Conditional) {
			continue
		}
		c, sure, ok = candidate, !candidate.Conditional, true
		c.Words = candidate.Words[at+1:]
	}
	if ok || image.Runtime == nil || image.Runtime.Name != p.runtime && image.Name != p.runtime {
		return c, sure, ok
	}
	words := process.Words
	if !process.Partial {
		if !slices.ContainsFunc(process.Commands, startScript) {
			return c, false, false
		}
		if words = nil; len(process.Commands) == 1 {
			words = process.Commands[0].Words[1:]
		}
	}
	if len(words) > 0 {
		switch first := words[0]; {
		case p.named(first):
			words = words[1:]
		case first.Known && !strings.HasPrefix(first.Value, "-"):
			return c, false, false // the entrypoints of these images run any other program as it is
		}
	}
	c.Words = words
	return c, true, true
}

func (p *program) named(w cluster.Word) bool {
	return w.Known && slices.Contains(p.commands, path.Base(w.Value))
}

// startScript reports whether a command may be the image's way to start its
// server.
func startScript(c cluster.Command) bool {
	return strings.HasSuffix(c.Name(), ".sh")
}
