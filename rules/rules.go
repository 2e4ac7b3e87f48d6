// Package rules is the catalogue of built-in rules written in Go.
package rules

import (
	"github.com/crashlint/crashlint/internal/rule"
)

// All returns the families in the order in which they are listed to people.
func All() []*rule.Family {
	return []*rule.Family{}
}
