// Package command holds the rules about what a container runs: a command that
// cannot be started, one that does not mean what its author meant, and one that
// ends while the kubelet wants it to stay.
package command

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the family of these rules.
var Family = &rule.Family{
	Name:  "command",
	Title: "Commands that do not start, or end too soon",
	Docs:  docs,
	Rules: []*rule.Rule{
		wholeCommandInOneString, commandNotInImage, argsReplaceSubcommand, shellSyntaxWithoutShell, scriptSplitIntoWords, undefinedVariableReference,
		flagAndValueInOneString, quotesReachProgram, shortLivedCommand, daemonizedProcess, scriptNotExecutable, mountedFileMissing,
		interpreterMissing, crlfInScript, scriptSyntaxError,
	},
}
