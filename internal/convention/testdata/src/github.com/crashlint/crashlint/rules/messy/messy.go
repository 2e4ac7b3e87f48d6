package messy

import "github.com/crashlint/crashlint/internal/rule"

var Family = &rule.Family{ // want `the family of folder messy is named "tidy"` `stray.md documents no rule of this family` `testdata/forgotten belongs to no rule of this family`
	Name: "tidy",
	Rules: []*rule.Rule{
		one,
		one,          // want `one is listed twice`
		{ID: "late"}, // want `the family lists the variables of its rules` `a rule is the value of a package variable`
	},
}
