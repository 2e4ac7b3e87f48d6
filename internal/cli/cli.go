// Package cli is the command line: it reads flags and configuration, wires the
// loader, the rules and the reports together, and decides the exit code. It is
// the only importer of urfave/cli.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Version is the version of crashlint. It is a constant because pre-commit
// builds from a clone without tags.
const Version = "0.1.0"

// Exit codes.
const (
	exitClean    = 0
	exitFindings = 1 // findings at or above --fail-on
	exitTrouble  = 2 // usage, configuration, input that could not be read
)

// Streams are the standard streams of the process.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// errFindings is returned by commands that found something and said so.
var errFindings = errors.New("findings")

// errSaid is returned by commands that failed and said why.
var errSaid = errors.New("failed")

// Main runs the command line args, the program's name first, and returns the
// exit code.
func Main(args []string, s Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	app := newApp(s)
	if n := len(args); n > 1 && args[n-1] == completionFlag {
		complete(app, s.Out, args[1:n-1])
		return exitClean
	}
	switch err := app.RunContext(ctx, reorder(app, args)); {
	case err == nil:
		return exitClean
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errSaid):
		return exitTrouble
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(s.Err, "crashlint: interrupted")
		return exitTrouble
	default:
		fmt.Fprintln(s.Err, "crashlint: "+err.Error())
		return exitTrouble
	}
}

const description = `Reads Kubernetes manifests without a cluster and says which workloads will
go into CrashLoopBackOff, why, at which line, and what to write instead.

  crashlint k8s/                             a folder, with all below it
  helm template my-release ./chart | crashlint -
  kustomize build overlays/prod | crashlint -
  crashlint k8s/ --format sarif=crashlint.sarif --format text

Error means: as written it will not start, or will be killed again and again.
Warning: it will, under a condition that commonly holds. Info: it makes a crash
worse; --min-severity info shows those.

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 wrong usage or
configuration, input that could not be read, or a folder without any Kubernetes
object.`

func newApp(s Streams) *cli.App {
	cli.FlagStringer = describeFlag
	cli.VersionFlag = &cli.BoolFlag{Name: "version", Usage: "print the version"}
	cli.VersionPrinter = func(*cli.Context) { printVersion(s) }
	app := &cli.App{
		Name:        "crashlint",
		Usage:       "find the crash loop before the cluster does",
		UsageText:   "crashlint [options] [PATH...]\ncrashlint COMMAND [options]",
		Description: description,
		Version:     Version,
		Suggest:     true,
		Reader:      s.In,
		Writer:      s.Out,
		ErrWriter:   s.Err,
		Flags:       lintFlags(),
		Action:      func(c *cli.Context) error { return lint(c, s) },
		Commands: []*cli.Command{
			{
				Name: "lint", Usage: "check manifests (the default command)", ArgsUsage: "[PATH...]",
				Flags: lintFlags(), Action: func(c *cli.Context) error { return lint(c, s) },
			},
			{
				Name: "timeline", Usage: "draw when each container starts, is probed, is killed and starts again", ArgsUsage: "[PATH...]",
				Description: timelineDescription, Flags: timelineFlags(), Action: func(c *cli.Context) error { return drawTimeline(c, s) },
			},
			{
				Name: "rules", Usage: "list all rules", ArgsUsage: " ",
				Flags: []cli.Flag{policyFlag(), formatChoice("text", "json")}, Action: func(c *cli.Context) error { return listRules(c, s) },
				Subcommands: []*cli.Command{{
					Name: "new", Usage: "write the skeleton of a rule, in a checkout of crashlint", ArgsUsage: "FAMILY/ID",
					Action: func(c *cli.Context) error { return newRule(c, s) },
				}},
			},
			{
				Name: "explain", Usage: "say what a rule finds, why it crashes, and what to write instead", ArgsUsage: "RULE",
				Flags: []cli.Flag{policyFlag()}, Action: func(c *cli.Context) error { return explain(c, s) },
			},
			{
				Name: "images", Usage: "show what is known of images, those of " + configName + " too", ArgsUsage: "[IMAGE...]",
				Action: func(c *cli.Context) error { return showImages(c, s) },
			},
			{
				Name: "test", Usage: "run the tests (*_test.rego) of Rego policies", ArgsUsage: "DIR...",
				Action: func(c *cli.Context) error { return testPolicies(c, s) },
			},
			{
				Name: "init", Usage: "write a commented " + configName + " into the current folder", ArgsUsage: " ",
				Action: func(c *cli.Context) error { return initialise(c, s) },
			},
			{
				Name: "schema", Usage: "print the JSON schema of " + configName, ArgsUsage: " ",
				Action: func(c *cli.Context) error { return schema(c, s) },
			},
			{
				Name: "completion", Usage: "print the completion script of a shell", ArgsUsage: "bash|zsh|fish",
				Action: func(c *cli.Context) error { return completion(c, s) },
			},
			{
				Name: "version", Usage: "print the version", ArgsUsage: " ",
				Action: func(*cli.Context) error { printVersion(s); return nil },
			},
		},
		ExitErrHandler: func(*cli.Context, error) {},
		// Globs and paths may have commas in them.
		DisableSliceFlagSeparator: true,
	}
	app.OnUsageError = usageError(s)
	for _, c := range app.Commands {
		c.OnUsageError = usageError(s)
		c.HideHelpCommand = true
		for _, sub := range c.Subcommands {
			sub.OnUsageError = usageError(s)
			sub.HideHelpCommand = true
		}
	}
	return app
}

func printVersion(s Streams) { fmt.Fprintln(s.Out, "crashlint "+Version) }

// usageError turns what the flag package says into a sentence with a way out.
func usageError(s Streams) cli.OnUsageErrorFunc {
	return func(c *cli.Context, err error, _ bool) error {
		message := err.Error()
		if name, ok := strings.CutPrefix(message, "flag provided but not defined: "); ok {
			name = "--" + strings.TrimLeft(name, "-")
			message = "there is no flag " + name + similar(name, flagNames(flagsOf(c)))
		}
		fmt.Fprintf(s.Err, "crashlint: %s\nrun crashlint --help to see how it is used\n", message)
		return errSaid
	}
}

func flagsOf(c *cli.Context) []cli.Flag {
	if c.Command != nil && len(c.Command.Flags) > 0 {
		return c.Command.Flags
	}
	return c.App.Flags
}

func flagNames(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		for _, n := range f.Names() {
			if len(n) > 1 {
				names = append(names, "--"+n)
			}
		}
	}
	slices.Sort(names)
	return names
}

// reorder puts flags before the arguments of a command, because urfave/cli v2
// stops reading flags at the first argument. What follows "--" is left alone.
func reorder(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	out := []string{args[0]}
	rest := commandFirst(app, args[1:])
	flags, commands := app.Flags, app.Commands
	for len(rest) > 0 {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(rest[0]) })
		if i < 0 {
			break
		}
		out = append(out, rest[0])
		flags, commands, rest = commands[i].Flags, commands[i].Subcommands, rest[1:]
	}
	var first, last []string
	for i := 0; i < len(rest); i++ {
		arg := rest[i]
		if arg == "--" {
			last = append(last, rest[i:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			last = append(last, arg)
			continue
		}
		first = append(first, arg)
		if !strings.Contains(arg, "=") && takesValue(flags, strings.TrimLeft(arg, "-")) && i+1 < len(rest) {
			i++
			first = append(first, rest[i])
		}
	}
	return append(append(out, first...), last...)
}

// commandFirst moves the flags in front of a command behind it, where the command
// sees them.
func commandFirst(app *cli.App, args []string) []string {
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		switch arg := args[i]; {
		case len(arg) > 1 && arg[0] == '-':
			if !strings.Contains(arg, "=") && takesValue(app.Flags, strings.TrimLeft(arg, "-")) {
				i++
			}
		case slices.ContainsFunc(app.Commands, func(c *cli.Command) bool { return c.HasName(arg) }):
			return slices.Concat(args[i:i+1], args[:i], args[i+1:])
		default:
			return args
		}
	}
	return args
}

func takesValue(flags []cli.Flag, name string) bool {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			d, ok := f.(cli.DocGenerationFlag)
			return ok && d.TakesValue()
		}
	}
	return false
}

// describeFlag renders a flag for --help. urfave/cli v2 repeats the names of
// flags that take several values.
func describeFlag(f cli.Flag) string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	short, long := "    ", ""
	for _, n := range f.Names() {
		if len(n) == 1 {
			short = "-" + n + ", "
		} else if long == "" {
			long = "--" + n
		}
	}
	usage := d.GetUsage()
	if before, rest, ok := strings.Cut(usage, "`"); ok && d.TakesValue() {
		if value, after, ok := strings.Cut(rest, "`"); ok {
			long += " " + value
			usage = before + value + after
		}
	}
	return short + long + "\t" + usage
}
