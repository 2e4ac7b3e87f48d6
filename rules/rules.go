// Package rules is the catalogue of built-in rules written in Go.
package rules

import (
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/rules/command"
	"github.com/crashlint/crashlint/rules/config"
	"github.com/crashlint/crashlint/rules/cpu"
	"github.com/crashlint/crashlint/rules/image"
	"github.com/crashlint/crashlint/rules/initcontainers"
	"github.com/crashlint/crashlint/rules/manifest"
	"github.com/crashlint/crashlint/rules/memory"
	"github.com/crashlint/crashlint/rules/network"
	"github.com/crashlint/crashlint/rules/permissions"
	"github.com/crashlint/crashlint/rules/probes"
	"github.com/crashlint/crashlint/rules/references"
	"github.com/crashlint/crashlint/rules/resources"
	"github.com/crashlint/crashlint/rules/rollout"
	"github.com/crashlint/crashlint/rules/shutdown"
	"github.com/crashlint/crashlint/rules/volumes"
)

// All returns the families in the order in which they are listed to people.
func All() []*rule.Family {
	return []*rule.Family{
		memory.Family,
		cpu.Family,
		probes.Family,
		command.Family,
		image.Family,
		permissions.Family,
		volumes.Family,
		references.Family,
		resources.Family,
		initcontainers.Family,
		shutdown.Family,
		rollout.Family,
		network.Family,
		config.Family,
		manifest.Family,
	}
}
