package messy

import "github.com/crashlint/crashlint/internal/rule"

var one = &rule.Rule{ID: "other-rule"} // want `rule other-rule stands in first-rule.go, its place is other-rule.go` `rule other-rule is the variable one: name it after the ID` `rule other-rule has no other-rule.md beside it` `rule other-rule has no fixture testdata/other-rule/\*.yaml`

var CpuLimit = &rule.Rule{ID: "cpu-limit"} // want `a second rule in one file` `rule cpu-limit stands in first-rule.go` `CpuLimit need not be exported` `has no cpu-limit.md` `has no fixture` `rule cpu-limit is not in the list of family messy`

func name() string { return "computed" }

var computed = &rule.Rule{ID: name()} // want `the ID of a rule is a constant in its literal`
