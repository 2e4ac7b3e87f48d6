package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crashlint/crashlint/internal/config"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/policies"
)

// forPeople is the catalogue with the user's policies; what is wrong with those
// is said on standard error.
func forPeople(c *cli.Context, s Streams) *catalogue {
	cfg, err := readConfig(c, []string{"."})
	if err != nil {
		fmt.Fprintln(s.Err, "crashlint: "+err.Error())
		cfg = &config.Config{}
	}
	all, problems := newCatalogue(slices.Concat(configured(cfg), c.StringSlice("policy")))
	for _, p := range problems {
		fmt.Fprintln(s.Err, "crashlint: "+p.String())
	}
	return all
}

func listRules(c *cli.Context, s Streams) error {
	if c.Args().Present() {
		return fmt.Errorf("rules takes no argument: crashlint explain %s shows one rule", c.Args().First())
	}
	all := forPeople(c, s)
	if c.String("format") == "json" {
		type entry struct {
			ID       string `json:"id"`
			Family   string `json:"family"`
			Title    string `json:"title"`
			Severity string `json:"severity"`
			Since    string `json:"since"`
			HelpURI  string `json:"helpUri"`
		}
		list := []entry{}
		all.each(func(f *rule.Family, r *rule.Rule) {
			_, uri := page(f, r)
			list = append(list, entry{r.ID, f.Name, r.Title, r.Severity.String(), r.Since, uri})
		})
		e := json.NewEncoder(s.Out)
		e.SetIndent("", "  ")
		return e.Encode(list)
	}
	width := 0
	all.each(func(_ *rule.Family, r *rule.Rule) { width = max(width, len(r.ID)) })
	for i, f := range all.families {
		if len(f.Rules) == 0 {
			continue
		}
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		fmt.Fprintf(s.Out, "%s: %s\n", f.Name, f.Title)
		for _, r := range f.Rules {
			fmt.Fprintf(s.Out, "  %-*s  %-7s  %s\n", width, r.ID, r.Severity, r.Title)
		}
	}
	fmt.Fprintln(s.Out, "\ncrashlint explain RULE says what a rule finds, why it crashes, and what to write instead")
	return nil
}

func explain(c *cli.Context, s Streams) error {
	if c.NArg() != 1 {
		return errors.New("explain takes the id of one rule: crashlint rules lists them")
	}
	all := forPeople(c, s)
	id := c.Args().First()
	f, r := all.find(id)
	if r == nil {
		hint := similar(id, all.ids())
		if hint == "" {
			hint = ": crashlint rules lists them"
		}
		return fmt.Errorf("there is no rule %q%s", id, hint)
	}
	markdown, uri := page(f, r)
	fmt.Fprintln(s.Out, strings.TrimSpace(markdown))
	fmt.Fprintf(s.Out, "\n## How to silence it\n\nOne place: `# crashlint:ignore %s -- reason` on the line, or above the entry.\n", r.ID)
	fmt.Fprintf(s.Out, "Everywhere, in %s:\n\n```yaml\nrules:\n  %s:\n    enabled: false\n```\n", configName, r.ID)
	since := ""
	if r.Since != "" {
		since = ", since " + r.Since
	}
	fmt.Fprintf(s.Out, "\nFamily %s, severity %s%s. %s\n", f.Name, r.Severity, since, uri)
	return nil
}

func testPolicies(c *cli.Context, s Streams) error {
	if !c.Args().Present() {
		return errors.New("test takes folders of policies: crashlint test policies/")
	}
	for _, dir := range c.Args().Slice() {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return fmt.Errorf("%s is not a folder", dir)
		}
	}
	ok, err := policies.Test(s.Out, c.Args().Slice()...)
	if err != nil {
		return err
	}
	if !ok {
		return errFindings
	}
	return nil
}

const initialConfig = `# crashlint configuration: https://github.com/crashlint/crashlint/blob/main/docs/guide.md
# yaml-language-server: $schema=https://crashlint.dev/schema/config.json
# crashlint schema prints the schema of this file.

# Files and folders to leave out; ** crosses folders.
exclude: []
  # - "charts/**"

# The namespace of objects that name none, and the version of the cluster.
# namespace: default
# kubernetesVersion: "1.31"

# The least severity that makes the exit code 1, and that is shown.
# failOn: warning
# minSeverity: warning

# Objects that exist though no file shows them: Kind/name or Kind/namespace/name.
external: []
  # - Secret/*-tls

# Folders of Rego policies to run beside the built-in rules.
# policies: [policies]

# Settings of rules: crashlint rules lists them, crashlint explain RULE says what they do.
# rules:
#   cpu-limit-on-jvm:
#     enabled: false
#   jvm-heap-over-limit:
#     severity: error
#     options:
#       maxHeapPercent: 80

# What is known of your own images: crashlint images shows the shape.
# images:
#   - names: [registry.example.com/shop/api]
#     runtime: {name: jvm}
#     java: {feature: 17}
#     startup: {seconds: 60}

# Findings to leave out, each with its reason.
# ignore:
#   - rule: missing-secret-target
#     object: Deployment/legacy-*
#     reason: made by the vault agent
#     until: 2099-12-31
`

func initialise(c *cli.Context, s Streams) error {
	if c.Args().Present() {
		return errors.New("init takes no argument: it writes " + configName + " into the current folder")
	}
	f, err := os.OpenFile(configName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return errors.New(configName + " is there already")
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(initialConfig)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintln(s.Out, "wrote "+configName)
	return nil
}

func schema(_ *cli.Context, s Streams) error {
	all, _ := newCatalogue(nil)
	options := map[string]any{}
	all.each(func(_ *rule.Family, r *rule.Rule) {
		options[r.ID] = nil
		if r.Options != nil {
			options[r.ID] = r.Options()
		}
	})
	b, err := config.Schema(options)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, string(b))
	return err
}

var ruleName = regexp.MustCompile(`^([a-z]+)/([a-z][a-z0-9]*(?:-[a-z0-9]+)+)$`)

// newRule writes the files of a new rule: the function, its page, and a fixture.
// Naming it in the family's list is left to the author, whose test fails until
// then.
func newRule(c *cli.Context, s Streams) error {
	m := ruleName.FindStringSubmatch(c.Args().First())
	if m == nil || c.NArg() != 1 {
		return errors.New("rules new takes FAMILY/ID, such as memory/jvm-heap-over-limit: the id says the fault, in words joined by dashes")
	}
	family, id := m[1], m[2]
	dir := filepath.Join("rules", family)
	if info, err := os.Stat(filepath.Join(dir, family+".go")); err != nil || info.IsDir() {
		return fmt.Errorf("%s is not there: run this in a checkout of crashlint, with a family of rules/", filepath.Join(dir, family+".go"))
	}
	words := strings.Split(id, "-")
	variable := words[0]
	for _, w := range words[1:] {
		variable += strings.ToUpper(w[:1]) + w[1:]
	}
	replace := strings.NewReplacer("FAMILY", family, "VARIABLE", variable, "RULE", id, "VERSION", Version)
	files := []struct{ name, text string }{
		{filepath.Join(dir, id+".go"), ruleSkeleton},
		{filepath.Join(dir, id+".md"), pageSkeleton},
		{filepath.Join(dir, "testdata", id, "bad.yaml"), fixtureSkeleton},
	}
	for _, f := range files {
		if _, err := os.Stat(f.name); err == nil {
			return fmt.Errorf("%s is there already", f.name)
		}
	}
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.name), 0o755); err != nil {
			return err
		}
		if err := writeFile(f.name, []byte(replace.Replace(f.text))); err != nil {
			return err
		}
		fmt.Fprintln(s.Out, "wrote "+f.name)
	}
	fmt.Fprintf(s.Out, "now add %s to the list in %s and run: go test ./rules/%s\n", variable, filepath.Join(dir, family+".go"), family)
	return nil
}

const ruleSkeleton = `package FAMILY

import (
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var VARIABLE = &rule.Rule{
	ID:       "RULE",
	Title:    "Say the fault in one line",
	Since:    "VERSION",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, c := range w.Containers {
			if c.Image == "example.com/broken:1" {
				p.Report(rule.Finding{
					Object: w.Object, At: c.At("image"),
					Message: "say the fact, then the consequence, with numbers",
				})
			}
		}
	},
}
`

const pageSkeleton = "# RULE\n\nSay the fault in one sentence.\n\n## What it finds\n\n## Why it crashes\n\n## Bad\n\n```yaml\n" + skeletonPod + "example.com/broken:1\n```\n\n## Good\n\n```yaml\n" +
	skeletonPod + "example.com/good:1\n```\n\n## Sources\n"

const fixtureSkeleton = skeletonPod + "example.com/broken:1 # want \"say the fact\"\n"

const skeletonPod = `apiVersion: v1
kind: Pod
metadata:
  name: app
spec:
  containers:
    - name: app
      image: `
