package network

import (
	"testing"

	"github.com/crashlint/crashlint/internal/ruletest"
)

func TestRules(t *testing.T) { ruletest.Run(t, Family) }
