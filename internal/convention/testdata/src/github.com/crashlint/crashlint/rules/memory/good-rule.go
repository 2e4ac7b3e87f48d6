package memory

import "github.com/crashlint/crashlint/internal/rule"

var goodRule = &rule.Rule{ID: "good-rule", Title: "a rule in its place"}
