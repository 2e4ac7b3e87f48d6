package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/config"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/engine"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/report"
)

const configName = config.Name

func policyFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "policy", Usage: "also run the Rego policies in `DIR`"}
}

func formatChoice(choices ...string) cli.Flag {
	return &cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: choices[0], Usage: strings.Join(choices, " or ")}
}

func lintFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "format", Aliases: []string{"f"}, Usage: "report as `FORMAT`: " + strings.Join(report.Formats(), ", ") + "; FORMAT=FILE writes to a file, and may be repeated"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
		&cli.StringFlag{Name: "fail-on", Usage: "least `SEVERITY` that makes the exit code 1: error, warning, info or never (default: warning)"},
		&cli.StringFlag{Name: "min-severity", Usage: "least `SEVERITY` that is shown: error, warning or info (default: warning)"},
		&cli.StringSliceFlag{Name: "only", Usage: "run only these `RULES`: ids, families, or ids with *"},
		&cli.StringSliceFlag{Name: "skip", Usage: "leave out these `RULES`"},
		policyFlag(),
		&cli.StringSliceFlag{Name: "exclude", Usage: "leave out files that match `GLOB`"},
		&cli.StringFlag{Name: "scope", Usage: "look up references in `DIR` too (default for files: the nearest " + configName + " or git root)"},
		&cli.StringFlag{Name: "namespace", Aliases: []string{"n"}, Usage: "`NAMESPACE` of objects that name none"},
		&cli.StringFlag{Name: "kubernetes-version", Usage: "`VERSION` of the cluster, such as 1.31"},
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "configuration `FILE` (default: the nearest " + configName + "); none ignores it"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "`WHEN` to colour: auto (default), always or never"},
		&cli.BoolFlag{Name: "show-suppressed", Usage: "also report what comments and configuration ignore"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print findings only: no summary, notes or progress"},
	}
}

// A destination is a format and where it goes; an empty file is standard output.
type destination struct{ format, file string }

// settings is what flags and configuration ask for, checked.
type settings struct {
	config       *config.Config
	destinations []destination
	failOn       diag.Severity // 0: never
	minSeverity  diag.Severity
	version      int
	colour       bool
}

func lint(c *cli.Context, s Streams) error {
	started := time.Now()
	paths := c.Args().Slice()
	if len(paths) == 0 {
		paths = []string{"."}
	}
	if err := typo(c, paths); err != nil {
		return err
	}
	st, err := readSettings(c, s, paths)
	if err != nil {
		return err
	}
	all, problems := newCatalogue(slices.Concat(configured(st.config), c.StringSlice("policy")))
	chosen, err := all.chosen(st.config, names(c, "only"), names(c, "skip"))
	if err != nil {
		return err
	}

	known, err := images.Builtin().With(st.config.Images)
	if err != nil {
		return err
	}
	options, err := loadOptions(c, s, st, paths)
	if err != nil {
		return err
	}
	bar := newProgress(s, c.Bool("quiet"))
	options.Progress = bar.phase("reading")
	var result *diag.Result
	err = interruptible(c.Context, func() error {
		loaded, err := loader.Load(c.Context, options)
		if err != nil {
			return err
		}
		view := cluster.New(loaded.Set, cluster.Options{
			Namespace: cmp.Or(c.String("namespace"), st.config.Namespace), Version: st.version, External: st.config.External,
			Images: known,
		})
		found, more := engine.Run(view, engine.Options{
			Rules: chosen, Known: all.known(), Ignores: ignores(st.config), Today: started,
			Shown: st.minSeverity, Reported: func(path string) bool { return loaded.Targets[path] },
			Progress: bar.phase("checking"),
		})
		result = &diag.Result{
			Diagnostics: found, Problems: slices.Concat(problems, loaded.Problems, more, nothingRead(loaded)), Notes: loaded.Notes, Rules: all.described(),
			Files: loaded.Files, Objects: loaded.Objects, Skipped: loaded.Skipped,
		}
		for _, w := range loaded.Set.Workloads {
			if loaded.Targets[w.File().Path] {
				result.Workloads++
			}
		}
		return nil
	})
	bar.stop()
	if err != nil {
		return err
	}
	if err := write(c, s, st, result, time.Since(started)); err != nil {
		return err
	}
	switch {
	case len(result.Problems) > 0:
		return errSaid
	case st.failOn != 0 && slices.ContainsFunc(result.Diagnostics, func(d *diag.Diagnostic) bool { return d.Suppressed == nil && d.Severity >= st.failOn }):
		return errFindings
	}
	return nil
}

// names returns the values of a flag that may be repeated and takes several,
// separated by commas.
func names(c *cli.Context, flag string) []string {
	var out []string
	for _, value := range c.StringSlice(flag) {
		out = append(out, strings.Split(value, ",")...)
	}
	return out
}

// interruptible returns what f returns, or the error of ctx as soon as it ends:
// f may be waiting for standard input. It then goes on until the process ends.
func interruptible(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// typo says so when the first path is a misspelt command.
func typo(c *cli.Context, paths []string) error {
	if c.Command.Name == "lint" {
		return nil
	}
	if _, err := os.Stat(paths[0]); err == nil || strings.ContainsAny(paths[0], "/.*-") {
		return nil
	}
	var commands []string
	for _, cmd := range c.App.Commands {
		commands = append(commands, cmd.Name)
	}
	if hint := similar(paths[0], commands); hint != "" {
		return fmt.Errorf("%s is neither a path nor a command%s", paths[0], hint)
	}
	return nil
}

// nothingRead makes a problem of every input that should hold manifests and
// does not: crashlint must not pass because it read nothing.
func nothingRead(loaded *loader.Result) []diag.Problem {
	var out []diag.Problem
	for _, folder := range loaded.EmptyFolders {
		out = append(out, diag.Problem{Path: folder, Message: "there is no Kubernetes object in this folder: check the path, or render the templates first (helm template RELEASE CHART | crashlint -)"})
	}
	if loaded.EmptyStdin {
		out = append(out, diag.Problem{Path: "<stdin>", Message: "there is no Kubernetes object on standard input: did the command before the pipe fail?"})
	}
	return out
}

func readSettings(c *cli.Context, s Streams, paths []string) (*settings, error) {
	st := &settings{}
	var err error
	if st.config, err = readConfig(c, paths); err != nil {
		return nil, err
	}
	if st.destinations, err = destinations(c); err != nil {
		return nil, err
	}
	if text := cmp.Or(c.String("fail-on"), st.config.FailOn, "warning"); text != "never" {
		if st.failOn, err = diag.ParseSeverity(text); err != nil {
			return nil, fmt.Errorf("--fail-on: %w, or never", err)
		}
	}
	if st.minSeverity, err = diag.ParseSeverity(cmp.Or(c.String("min-severity"), st.config.MinSeverity, "warning")); err != nil {
		return nil, fmt.Errorf("--min-severity: %w", err)
	}
	if st.version, err = config.ParseVersion(cmp.Or(c.String("kubernetes-version"), st.config.KubernetesVersion)); err != nil {
		return nil, fmt.Errorf("--kubernetes-version: %w", err)
	}
	if st.colour, err = colour(c.String("color"), s); err != nil {
		return nil, err
	}
	return st, nil
}

// colour decides whether standard output is coloured: the flag counts before
// NO_COLOR (no-color.org), that before FORCE_COLOR, that before the terminal.
func colour(when string, s Streams) (bool, error) {
	switch when {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		switch {
		case os.Getenv("NO_COLOR") != "":
			return false, nil
		case os.Getenv("FORCE_COLOR") != "" && os.Getenv("FORCE_COLOR") != "0":
			return true, nil
		}
		return isTerminal(s.Out) && os.Getenv("TERM") != "dumb", nil
	}
	return false, fmt.Errorf("--color: %q is not one of auto, always, never", when)
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func destinations(c *cli.Context) ([]destination, error) {
	var out []destination
	for _, f := range c.StringSlice("format") {
		format, file, _ := strings.Cut(f, "=")
		if !slices.Contains(report.Formats(), format) {
			return nil, fmt.Errorf("--format: there is no format %q%s (%s)", format, similar(format, report.Formats()), strings.Join(report.Formats(), ", "))
		}
		out = append(out, destination{format, file})
	}
	if len(out) == 0 {
		out = []destination{{format: "text"}}
	}
	if file := c.String("output"); file != "" {
		i := slices.IndexFunc(out, func(d destination) bool { return d.file == "" })
		if i < 0 {
			return nil, errors.New("--output: every format has a file already")
		}
		out[i].file = file
	}
	screens := 0
	for _, d := range out {
		if d.file == "" {
			screens++
		}
	}
	if screens > 1 {
		return nil, errors.New("--format: only one format can go to standard output; write the others to files with FORMAT=FILE")
	}
	return out, nil
}

func readConfig(c *cli.Context, paths []string) (*config.Config, error) {
	path := c.String("config")
	switch path {
	case "none":
		return &config.Config{}, nil
	case "":
		var err error
		if path, err = governing(paths); err != nil {
			return nil, err
		}
		if path == "" {
			return &config.Config{}, nil
		}
	}
	display := path
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(rel, "..") {
			display = filepath.ToSlash(rel)
		}
	}
	cfg, err := config.Load(path, display)
	if bad, ok := errors.AsType[*config.Error](err); ok {
		return nil, fmt.Errorf("the configuration has mistakes\n%w", bad)
	}
	return cfg, err
}

// governing returns the configuration file of the run, empty where there is none.
// A path that none governs, and standard input, take that of the working
// directory. Paths under different ones cannot be checked together: which one
// counts must not depend on their order, or on how pre-commit batches them.
func governing(paths []string) (string, error) {
	governed := ""
	var file string
	for _, p := range paths {
		dir := anchor([]string{p})
		found := cmp.Or(config.Find(dir), config.Find("."))
		switch {
		case governed == "":
			governed, file = p, found
		case found != file:
			return "", fmt.Errorf("%s and %s are under different configurations (%s and %s): check them one by one, or name one configuration with --config",
				governed, p, cmp.Or(file, "none"), cmp.Or(found, "none"))
		}
	}
	return file, nil
}

// anchor is the folder of the first path that is there, the working directory
// where none is and for standard input.
func anchor(paths []string) string {
	for _, p := range paths {
		if p == "-" {
			continue
		}
		if info, err := os.Stat(p); err == nil {
			if info.IsDir() {
				return p
			}
			return filepath.Dir(p)
		}
	}
	return "."
}

func configured(cfg *config.Config) []string {
	var out []string
	for _, p := range cfg.Policies {
		out = append(out, filepath.Join(cfg.Dir, p))
	}
	return out
}

func ignores(cfg *config.Config) []engine.Ignore {
	wd, _ := os.Getwd()
	base, _ := filepath.Abs(cfg.Dir)
	var out []engine.Ignore
	for _, ig := range cfg.Ignore {
		out = append(out, engine.Ignore{
			Rule: ig.Rule, Object: ig.Object, Reason: ig.Reason, Until: ig.LastDay(),
			File: func(display string) bool {
				abs := filepath.FromSlash(display)
				if !filepath.IsAbs(abs) {
					abs = filepath.Join(wd, abs)
				}
				rel, err := filepath.Rel(base, abs)
				return err == nil && ig.Covers(filepath.ToSlash(rel))
			},
		})
	}
	return out
}

func loadOptions(c *cli.Context, s Streams, st *settings, paths []string) (loader.Options, error) {
	wd, err := os.Getwd()
	if err != nil {
		return loader.Options{}, err
	}
	o := loader.Options{Paths: paths, Root: wd, Exclude: st.config.Exclude, ExcludeRoot: wd, Stdin: s.In}
	if st.config.Dir != "" {
		if o.ExcludeRoot, err = filepath.Abs(st.config.Dir); err != nil {
			return o, err
		}
	}
	for _, pattern := range c.StringSlice("exclude") {
		if !doublestar.ValidatePattern(filepath.ToSlash(pattern)) {
			return o, fmt.Errorf("--exclude: %q is not a glob pattern", pattern)
		}
		abs := pattern
		if !filepath.IsAbs(abs) {
			abs = filepath.Join(wd, pattern)
		}
		if rel, err := filepath.Rel(o.ExcludeRoot, abs); err == nil {
			o.Exclude = append(o.Exclude, filepath.ToSlash(rel))
		}
	}
	o.Scope = c.String("scope")
	if o.Scope == "" {
		o.Scope = projectRoot(paths)
	}
	return o, nil
}

// projectRoot is where references of single files are looked up: the folder of
// the nearest configuration file, or else the root of the git work tree, empty
// where there is neither. Folders and standard input are looked at alone.
func projectRoot(paths []string) string {
	for _, p := range paths {
		info, err := os.Stat(p)
		if p == "-" || err == nil && info.IsDir() {
			return ""
		}
	}
	dir := anchor(paths)
	if cfg := config.Find(dir); cfg != "" {
		return filepath.Dir(cfg)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for ; ; abs = filepath.Dir(abs) {
		if _, err := os.Stat(filepath.Join(abs, ".git")); err == nil {
			return abs
		}
		if abs == filepath.Dir(abs) {
			return ""
		}
	}
}

// write makes all reports before it touches the first file, and writes files
// whole or not at all.
func write(c *cli.Context, s Streams, st *settings, result *diag.Result, elapsed time.Duration) error {
	reports := make([]bytes.Buffer, len(st.destinations))
	for i, d := range st.destinations {
		o := report.Options{
			MinSeverity: st.minSeverity, ShowSuppressed: c.Bool("show-suppressed"), Quiet: c.Bool("quiet"), Version: Version,
		}
		if d.file == "" {
			o.Color = st.colour
			if f, ok := s.Out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				o.Width, _, _ = term.GetSize(int(f.Fd()))
				o.Elapsed = elapsed
			}
		}
		if err := report.Write(&reports[i], d.format, result, o); err != nil {
			return fmt.Errorf("report %s: %w", d.format, err)
		}
	}
	spoken := false
	for i, d := range st.destinations {
		if d.file == "" {
			if _, err := s.Out.Write(reports[i].Bytes()); err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			spoken = d.format == "text" || d.format == "concise"
			continue
		}
		if err := writeFile(d.file, reports[i].Bytes()); err != nil {
			return err
		}
	}
	if !spoken {
		for _, p := range result.Problems {
			fmt.Fprintln(s.Err, "crashlint: "+p.String())
		}
	}
	return nil
}

// writeFile replaces a file in one step, so that no reader sees half of it. What
// is no plain file, a pipe or the link /dev/stdout, is written to.
func writeFile(name string, content []byte) error {
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return cannotWrite(name, os.WriteFile(name, content, 0o644))
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".crashlint-*")
	if err != nil {
		return cannotWrite(name, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	return cannotWrite(name, err)
}

// cannotWrite names the file that was asked for, not the one that it was to be
// made from.
func cannotWrite(name string, err error) error {
	if err == nil {
		return nil
	}
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("cannot write %s: %w", name, err)
}
