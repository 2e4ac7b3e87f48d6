package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crashlint/crashlint/internal/report"
)

// completionFlag is what the completion scripts put behind the words typed so
// far. urfave/cli v2 has completion of its own, which fails on a half-typed
// flag.
const completionFlag = "--generate-completion"

// complete prints the words that can follow, one a line. The last of words is
// the one being typed and may be empty. No output means: complete file names.
func complete(app *cli.App, out io.Writer, words []string) {
	current := ""
	if len(words) > 0 {
		current, words = words[len(words)-1], words[:len(words)-1]
	}
	flags, commands, command := app.Flags, app.Commands, ""
	for _, w := range words {
		if i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(w) }); i >= 0 {
			flags, commands, command = commands[i].Flags, commands[i].Subcommands, commands[i].Name
		}
	}
	var candidates []string
	previous := ""
	if len(words) > 0 {
		previous = strings.TrimLeft(words[len(words)-1], "-")
	}
	switch {
	case len(words) > 0 && strings.HasPrefix(words[len(words)-1], "-") && takesValue(flags, previous):
		candidates = flagValues(previous, command)
	case strings.HasPrefix(current, "-"):
		candidates = append(flagNames(flags), "--help")
	case command == "explain":
		all, _ := newCatalogue(nil)
		candidates = all.ids()
	case command == "completion":
		candidates = shells
	default:
		for _, c := range commands {
			candidates = append(candidates, c.Name)
		}
	}
	slices.Sort(candidates)
	for _, c := range candidates {
		if strings.HasPrefix(c, current) {
			fmt.Fprintln(out, c)
		}
	}
}

func flagValues(flag, command string) []string {
	switch flag {
	case "format", "f":
		if command == "rules" {
			return []string{"text", "json"}
		}
		return slices.Clone(report.Formats())
	case "fail-on":
		return []string{"error", "warning", "info", "never"}
	case "min-severity":
		return []string{"error", "warning", "info"}
	case "color":
		return []string{"auto", "always", "never"}
	case "only", "skip":
		all, _ := newCatalogue(nil)
		return slices.Concat(all.ids(), all.familyNames())
	}
	return nil
}

var shells = []string{"bash", "fish", "zsh"}

func completion(c *cli.Context, s Streams) error {
	script, ok := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Args().First()]
	if !ok || c.NArg() != 1 {
		return errors.New("completion takes the name of a shell: bash, zsh or fish; for bash: source <(crashlint completion bash)")
	}
	fmt.Fprint(s.Out, script)
	return nil
}

const bashCompletion = `_crashlint() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" "${COMP_WORDS[@]:1:COMP_CWORD}" --generate-completion 2>/dev/null))
}
complete -o bashdefault -o default -F _crashlint crashlint
`

const zshCompletion = `#compdef crashlint
_crashlint() {
  local -a found
  found=(${(f)"$("${words[1]}" "${(@)words[2,CURRENT]}" --generate-completion 2>/dev/null)"})
  if (( ${#found} )); then
    compadd -- $found
  fi
  _files
}
compdef _crashlint crashlint
`

const fishCompletion = `function __crashlint_complete
    set -l words (commandline -opc)
    $words[1] $words[2..-1] (commandline -ct) --generate-completion 2>/dev/null
end
complete -c crashlint -a '(__crashlint_complete)'
`
