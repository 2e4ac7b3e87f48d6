package memory

import "github.com/crashlint/crashlint/internal/rule"

var Family = &rule.Family{Name: "memory", Rules: []*rule.Rule{goodRule}}
