package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/picture"
	"github.com/crashlint/crashlint/internal/report"
)

// completionFlag is what the completion scripts put behind the words typed so
// far. urfave/cli v2 has completion of its own, which fails on a half-typed
// flag.
const completionFlag = "--generate-completion"

// complete prints the words that can follow, one a line. The last of words is
// the one being typed and may be empty. No output means: complete file names.
func complete(app *cli.App, out io.Writer, words []string) {
	words, prefix := splitEquals(words)
	current := ""
	if len(words) > 0 {
		current, words = words[len(words)-1], words[:len(words)-1]
	}
	flags, commands, command := app.Flags, app.Commands, ""
	flag := "" // whose value is next
	paths, onlyPaths := false, false
	for _, w := range words {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(w) })
		name, isFlag := strings.CutPrefix(w, "-")
		switch {
		case flag != "":
			flag = ""
		case w == "--":
			onlyPaths = true
		case isFlag && !onlyPaths:
			if name = strings.TrimLeft(name, "-"); takesValue(flags, name) {
				flag = name
			}
		case i >= 0 && !paths && !onlyPaths:
			flags, commands, command = commands[i].Flags, commands[i].Subcommands, commands[i].Name
		default:
			paths = true
		}
	}
	var candidates []string
	switch {
	case flag != "":
		candidates = flagValues(flag, command)
	case onlyPaths:
	case strings.HasPrefix(current, "-"):
		candidates = append(flagNames(flags), "--help")
	case command == "explain":
		all, _ := newCatalogue(nil)
		candidates = all.ids()
	case command == "images":
		for _, e := range images.Builtin().Entries {
			candidates = append(candidates, e.Names...)
		}
	case command == "completion":
		candidates = shells
	case !paths:
		for _, c := range commands {
			candidates = append(candidates, c.Name)
		}
	}
	slices.Sort(candidates)
	for _, c := range candidates {
		if strings.HasPrefix(c, current) {
			fmt.Fprintln(out, prefix+c)
		}
	}
}

// splitEquals takes --flag=value apart. bash hands it over as three words and
// completes the last one; other shells give and complete the whole: prefix is
// then what stands before the value of the last word.
func splitEquals(words []string) (split []string, prefix string) {
	for i, w := range words {
		flag, value, ok := strings.Cut(w, "=")
		switch {
		case w == "=" && i > 0 && strings.HasPrefix(words[i-1], "-"):
			if i == len(words)-1 {
				split = append(split, "")
			}
		case ok && strings.HasPrefix(w, "-"):
			split = append(split, flag, value)
			if i == len(words)-1 {
				prefix = flag + "="
			}
		default:
			split = append(split, w)
		}
	}
	return split, prefix
}

func flagValues(flag, command string) []string {
	switch flag {
	case "format", "f":
		switch command {
		case "rules":
			return []string{"text", "json"}
		case "timeline":
			return picture.Formats()
		}
		return slices.Clone(report.Formats())
	case "fail-on":
		return []string{"error", "warning", "info", "never"}
	case "min-severity":
		return []string{"error", "warning", "info"}
	case "start-seconds", "stop-seconds":
		return []string{"never"}
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
