package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/config"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/picture"
	"github.com/crashlint/crashlint/internal/timeline"
)

const timelineDescription = `Draws what the kubelet does with each container, second by second from the
start of the pod: init containers and sidecars, the time that the startup probe
gives, the first liveness probe, the kill (preStop hook, SIGTERM, SIGKILL) and
the restarts with their back-off; and what takes the memory of its limit.

  crashlint timeline k8s/                            in the terminal
  crashlint timeline k8s/ -f html -o timeline.html   as a page, all in one file
  crashlint timeline k8s/ -f svg -w Deployment/shop  one workload as a picture
  crashlint timeline k8s/ --start-seconds 90         if each program took 90 s

A manifest does not say how long a program takes to start. It is taken from what
is known of the image (crashlint images; images: in ` + configName + ` adds
your own) or of services on a JVM under their CPU limit. Of any other program
nothing is known: it is drawn as one that never answers, which shows by when it
must. --start-seconds says it for all. A program is taken to use all of its
grace period when it is stopped, unless --stop-seconds says otherwise.

Each time is the earliest one: a probe's ticker runs with the pod, so that each
may come up to a period later. The page, and JSON, have the latest ones too.

Exit codes: 0, or 2 for wrong usage or configuration, and for input that could
not be read.`

// longestStart is the most seconds that the flags take: a day.
const longestStart = 24 * 60 * 60

func timelineFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "text", Usage: "draw as `FORMAT`: " + strings.Join(picture.Formats(), ", ")},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`"},
		&cli.StringSliceFlag{Name: "workload", Aliases: []string{"w"}, Usage: "draw only `WORKLOAD`: a name or Kind/name, * for any characters; may be repeated"},
		&cli.StringFlag{Name: "start-seconds", Usage: "`SECONDS` after which each program answers its probes, or never (default: what is known of it)"},
		&cli.StringFlag{Name: "stop-seconds", Usage: "`SECONDS` that each program takes to end after SIGTERM (default: all that it is given)"},
		&cli.StringFlag{Name: "init-seconds", Usage: fmt.Sprintf("`SECONDS` that each init container takes (default: what its command sleeps, or %d)", timeline.DefaultInit)},
		&cli.StringFlag{Name: "until", Usage: "draw up to this `SECOND` (default: far enough to see what happens)"},
		&cli.StringSliceFlag{Name: "exclude", Usage: "leave out files that match `GLOB`"},
		&cli.StringFlag{Name: "scope", Usage: "look up references in `DIR` too (default for files: the nearest " + configName + " or git root)"},
		&cli.StringFlag{Name: "namespace", Aliases: []string{"n"}, Usage: "`NAMESPACE` of objects that name none"},
		&cli.StringFlag{Name: "kubernetes-version", Usage: "`VERSION` of the cluster, such as 1.31"},
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "configuration `FILE` (default: the nearest " + configName + "); none ignores it"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "`WHEN` to colour: auto (default), always or never"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no notes and no progress"},
	}
}

func drawTimeline(c *cli.Context, s Streams) error {
	paths := c.Args().Slice()
	if len(paths) == 0 {
		paths = []string{"."}
	}
	format := c.String("format")
	if !slices.Contains(picture.Formats(), format) {
		return fmt.Errorf("--format: there is no format %q%s (%s)", format, similar(format, picture.Formats()), strings.Join(picture.Formats(), ", "))
	}
	assumed, err := assumptions(c)
	if err != nil {
		return err
	}
	for _, pattern := range c.StringSlice("workload") {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("--workload: %q is no pattern", pattern)
		}
	}
	st := &settings{}
	if st.config, err = readConfig(c, paths); err != nil {
		return err
	}
	if st.version, err = config.ParseVersion(cmp.Or(c.String("kubernetes-version"), st.config.KubernetesVersion)); err != nil {
		return fmt.Errorf("--kubernetes-version: %w", err)
	}
	if st.colour, err = colour(c.String("color"), s); err != nil {
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
	var loaded *loader.Result
	err = interruptible(c.Context, func() error {
		loaded, err = loader.Load(c.Context, options)
		return err
	})
	bar.stop()
	if err != nil {
		return err
	}
	view := cluster.New(loaded.Set, cluster.Options{
		Namespace: cmp.Or(c.String("namespace"), st.config.Namespace), Version: st.version, External: st.config.External, Images: known,
	})
	list, err := timelines(c, view, loaded, assumed)
	if err != nil {
		return err
	}
	if len(list) == 0 && format != "json" {
		return cmp.Or(sayProblems(c, s, loaded), errors.New("there is no workload to draw"))
	}
	if err := writePicture(c, s, format, list, st.colour); err != nil {
		return err
	}
	return sayProblems(c, s, loaded)
}

// timelines returns those of the workloads in the files that were named and
// that --workload chooses.
func timelines(c *cli.Context, view *cluster.Cluster, loaded *loader.Result, a timeline.Assumptions) ([]timeline.Timeline, error) {
	var out []timeline.Timeline
	var names []string
	chosen := c.StringSlice("workload")
	for _, w := range loaded.Set.Workloads {
		if !loaded.Targets[w.File().Path] {
			continue
		}
		names = append(names, w.Name, w.String())
		if len(chosen) > 0 && !slices.ContainsFunc(chosen, func(pattern string) bool { return covers(pattern, w) }) {
			continue
		}
		if t, ok := timeline.Of(view, w, a); ok {
			out = append(out, t)
		}
	}
	if len(out) == 0 && len(chosen) > 0 {
		return nil, fmt.Errorf("--workload: there is no workload %q%s", chosen[0], similar(chosen[0], names))
	}
	return out, nil
}

// covers reports whether a pattern of --workload means the workload.
func covers(pattern string, w *manifest.Workload) bool {
	name := w.Name
	if strings.Contains(pattern, "/") {
		name = w.String()
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

// assumptions reads what the flags say of the programs.
func assumptions(c *cli.Context) (timeline.Assumptions, error) {
	var a timeline.Assumptions
	for flag, to := range map[string]**int64{"start-seconds": &a.Start, "stop-seconds": &a.Stop, "init-seconds": &a.Init} {
		text := c.String(flag)
		if text == "" {
			continue
		}
		if text == "never" && flag != "init-seconds" {
			*to = new(int64(kubelet.Never))
			continue
		}
		n, err := parseSeconds(text, 0)
		if err != nil {
			return a, fmt.Errorf("--%s: %w", flag, err)
		}
		*to = &n
	}
	if text := c.String("until"); text != "" {
		n, err := parseSeconds(text, 1)
		if err != nil {
			return a, fmt.Errorf("--until: %w", err)
		}
		a.Until = n
	}
	return a, nil
}

func parseSeconds(text string, least int64) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "s"), 10, 64)
	if err != nil || n < least || n > longestStart {
		return 0, fmt.Errorf("%q is not a number of seconds from %d to %d", text, least, longestStart)
	}
	return n, nil
}

func writePicture(c *cli.Context, s Streams, format string, list []timeline.Timeline, colour bool) error {
	o := picture.Options{Version: Version}
	file := c.String("output")
	if f, ok := s.Out.(*os.File); ok && file == "" && term.IsTerminal(int(f.Fd())) {
		o.Width, _, _ = term.GetSize(int(f.Fd()))
	}
	o.Color = colour && file == ""
	var drawn bytes.Buffer
	if err := picture.Write(&drawn, format, list, o); err != nil {
		return err
	}
	if file != "" {
		return writeFile(file, drawn.Bytes())
	}
	if _, err := s.Out.Write(drawn.Bytes()); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// sayProblems prints what could not be read on standard error.
func sayProblems(c *cli.Context, s Streams, loaded *loader.Result) error {
	problems := slices.Concat(loaded.Problems, nothingRead(loaded))
	for _, o := range loaded.Set.Broken {
		if file := o.File().Path; loaded.Targets[file] {
			problems = append(problems, diag.Problem{Path: file, Message: "a document in it cannot be read: crashlint " + file + " says why"})
		}
	}
	for _, p := range problems {
		fmt.Fprintln(s.Err, "crashlint: "+p.String())
	}
	if !c.Bool("quiet") {
		for _, n := range loaded.Notes {
			fmt.Fprintln(s.Err, "note: "+n.String())
		}
	}
	if len(problems) > 0 {
		return errSaid
	}
	return nil
}
