// Package config reads .crashlint.yaml: strictly, with the line of every
// mistake.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/internal/yamltree"
)

// Name is the name of the configuration file.
const Name = ".crashlint.yaml"

// A Config is what a configuration file says. Paths and patterns in it are
// relative to the file's folder.
type Config struct {
	Exclude           []string        `json:"exclude,omitempty" jsonschema_description:"Files and folders to leave out, as glob patterns (** crosses folders). Files named on the command line are always read."`
	Namespace         string          `json:"namespace,omitempty" jsonschema_description:"The namespace of objects that name none. Without it they may meet any namespace."`
	KubernetesVersion string          `json:"kubernetesVersion,omitempty" jsonschema:"pattern=^v?1\\.[0-9]+(\\..*)?$" jsonschema_description:"The version of the cluster, such as 1.31, where a rule depends on it."`
	FailOn            string          `json:"failOn,omitempty" jsonschema:"enum=error,enum=warning,enum=info,enum=never" jsonschema_description:"The least severity of a finding that makes the exit code 1."`
	MinSeverity       string          `json:"minSeverity,omitempty" jsonschema:"enum=error,enum=warning,enum=info" jsonschema_description:"The least severity that is shown."`
	Policies          []string        `json:"policies,omitempty" jsonschema_description:"Folders of Rego policies to run beside the built-in rules."`
	External          []string        `json:"external,omitempty" jsonschema_description:"Objects that exist though no file shows them, as glob patterns of Kind/name or Kind/namespace/name."`
	Images            []images.Entry  `json:"images,omitempty" jsonschema_description:"What is known of your own images, or is otherwise than crashlint images says."`
	Rules             map[string]Rule `json:"rules,omitempty" jsonschema_description:"Settings of rules, by rule id."`
	Ignore            []Ignore        `json:"ignore,omitempty" jsonschema_description:"Findings to leave out of the report, each with its reason."`

	// Path is the file that was read, empty for the defaults. Dir is the folder
	// that its paths are relative to.
	Path string `json:"-"`
	Dir  string `json:"-"`

	tree *yamltree.Tree
}

// Rule is the settings of one rule.
type Rule struct {
	Enabled  *bool  `json:"enabled,omitempty" jsonschema_description:"false switches the rule off."`
	Severity string `json:"severity,omitempty" jsonschema:"enum=error,enum=warning,enum=info" jsonschema_description:"Replaces the severity of all of the rule's findings."`
	Options  any    `json:"options,omitempty" jsonschema_description:"The rule's own options: crashlint explain RULE lists them."`
}

// Ignore leaves findings out of the report. What it does not name matches all.
type Ignore struct {
	Rule   string `json:"rule,omitempty" jsonschema_description:"A rule id or family; * is a wildcard."`
	Object string `json:"object,omitempty" jsonschema_description:"Kind/name; * is a wildcard."`
	Path   string `json:"path,omitempty" jsonschema_description:"A glob pattern of the file."`
	Reason string `json:"reason" jsonschema_description:"Why the finding does not apply. Required."`
	Until  string `json:"until,omitempty" jsonschema:"format=date" jsonschema_description:"The last day, YYYY-MM-DD, on which it is left out."`
}

// Covers reports whether the ignore's path pattern covers a file.
func (i Ignore) Covers(file string) bool {
	ok, err := doublestar.Match(i.Path, file)
	return i.Path == "" || err == nil && ok
}

// LastDay returns the parsed Until, zero when there is none.
func (i Ignore) LastDay() time.Time {
	t, _ := time.Parse(time.DateOnly, i.Until)
	return t
}

// Find returns the configuration file that governs a folder: the nearest one in
// it or above it, up to the root of the git work tree. Empty: there is none.
func Find(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for {
		p := filepath.Join(abs, Name)
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			return p
		}
		if _, err := os.Stat(filepath.Join(abs, ".git")); err == nil || abs == filepath.Dir(abs) {
			return ""
		}
		abs = filepath.Dir(abs)
	}
}

// An Error holds everything that is wrong with a configuration file.
type Error struct{ Problems []diag.Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Load reads a configuration file. display names it in messages. The error is
// an *Error when the file could be read.
func Load(path, display string) (*Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			err = pe.Err
		}
		return nil, fmt.Errorf("configuration %s: %w", display, err)
	}
	c, err := Parse(source.NewFile(display, strings.TrimPrefix(string(b), "\ufeff")))
	if err != nil {
		return nil, err
	}
	c.Path = path
	c.Dir = filepath.Dir(path)
	return c, nil
}

// Parse reads the configuration in f.
func Parse(f *source.File) (*Config, error) {
	c := &Config{}
	tree, err := yamltree.Parse(f, source.Span{End: len(f.Text)})
	if err != nil {
		syntax := &yamltree.SyntaxError{Message: err.Error()}
		errors.As(err, &syntax)
		at := diag.Location{File: f, Span: source.Span{Start: syntax.Offset, End: syntax.Offset}}
		return nil, &Error{[]diag.Problem{{Location: &at, Message: syntax.Message}}}
	}
	c.tree = tree
	if tree.Empty() {
		return c, nil
	}
	var e Error
	for _, p := range tree.Decode(nil, c) {
		e.Problems = append(e.Problems, problem(p))
	}
	c.check(&e)
	if len(e.Problems) > 0 {
		return nil, &e
	}
	return c, nil
}

func problem(p node.Problem) diag.Problem {
	at := diag.Location{File: p.Here.File, Span: p.Here.Span}
	message := p.Path.String() + ": " + p.Message
	switch {
	case p.Kind == node.UnknownField && p.Suggest != "":
		message = fmt.Sprintf("there is no setting %q: %s", p.Path.String(), p.Suggest)
	case p.Kind == node.UnknownField:
		message = fmt.Sprintf("there is no setting %q: crashlint schema describes them all", p.Path.String())
	case p.Kind == node.DuplicateKey:
		message = fmt.Sprintf("%s is written twice", p.Path)
	}
	return diag.Problem{Location: &at, Message: message}
}

func (c *Config) check(e *Error) {
	severity := func(s string, at node.Path, allowed ...string) {
		if s != "" && !slices.Contains(allowed, s) {
			c.report(e, at, "%q is not one of %s", s, strings.Join(allowed, ", "))
		}
	}
	severity(c.FailOn, node.P("failOn"), "error", "warning", "info", "never")
	severity(c.MinSeverity, node.P("minSeverity"), "error", "warning", "info")
	if _, err := ParseVersion(c.KubernetesVersion); err != nil {
		c.report(e, node.P("kubernetesVersion"), "%v", err)
	}
	for i, entry := range c.Images {
		if err := entry.Check(); err != nil {
			c.report(e, node.P("images", i), "%v", err)
		} else if _, err := images.Builtin().With(c.Images[:i+1]); err != nil {
			c.report(e, node.P("images", i, "names"), "%v", err)
		}
	}
	for id, r := range c.Rules {
		severity(r.Severity, node.P("rules", id, "severity"), "error", "warning", "info")
	}
	for i, p := range c.Exclude {
		if !doublestar.ValidatePattern(p) {
			c.report(e, node.P("exclude", i), "%q is not a glob pattern", p)
		}
	}
	for i, p := range c.External {
		if !doublestar.ValidatePattern(p) || !strings.Contains(p, "/") {
			c.report(e, node.P("external", i), "%q is not a pattern of Kind/name or Kind/namespace/name", p)
		}
	}
	for i, ig := range c.Ignore {
		at := node.P("ignore", i)
		if strings.TrimSpace(ig.Reason) == "" {
			c.report(e, at, "an ignore needs a reason")
		}
		if ig.Rule == "" && ig.Object == "" && ig.Path == "" {
			c.report(e, at, "an ignore needs a rule, an object or a path")
		}
		if ig.Path != "" && !doublestar.ValidatePattern(ig.Path) {
			c.report(e, at.Append("path"), "%q is not a glob pattern", ig.Path)
		}
		if ig.Until != "" && ig.LastDay().IsZero() {
			c.report(e, at.Append("until"), "%q is not a date: write YYYY-MM-DD", ig.Until)
		}
	}
}

func (c *Config) report(e *Error, at node.Path, format string, args ...any) {
	p := diag.Problem{Message: fmt.Sprintf(format, args...)}
	if loc, ok := c.tree.Locate(at, node.Value); ok {
		p.Location = &diag.Location{File: loc.File, Span: loc.Span}
	}
	e.Problems = append(e.Problems, p)
}

// ParseVersion returns the minor version of a Kubernetes version such as 1.31,
// v1.31 or v1.31.2-gke.1, 0 for an empty string.
func ParseVersion(s string) (minor int, err error) {
	if s == "" {
		return 0, nil
	}
	rest, ok := strings.CutPrefix(strings.TrimPrefix(s, "v"), "1.")
	if ok {
		digits, _, _ := strings.Cut(rest, ".")
		if minor, err = strconv.Atoi(strings.TrimSuffix(digits, "+")); err == nil && minor >= 0 && minor < 1000 {
			return minor, nil
		}
	}
	return 0, fmt.Errorf("%q is not a Kubernetes version: write 1.31", s)
}

// CheckRules reports settings of rules that do not exist. Known are the ids of
// all rules and the names of their families.
func (c *Config) CheckRules(ids, families []string) error {
	var e Error
	if c.tree == nil {
		return nil
	}
	names := make([]string, 0, len(c.Rules))
	for id := range c.Rules {
		names = append(names, id)
	}
	slices.Sort(names)
	for _, id := range names {
		if slices.Contains(ids, id) {
			continue
		}
		p := diag.Problem{Message: fmt.Sprintf("there is no rule %q%s", id, hint(id, ids))}
		if loc, ok := c.tree.Locate(node.P("rules", id), node.KeyOf); ok {
			p.Location = &diag.Location{File: loc.File, Span: loc.Span}
		}
		e.Problems = append(e.Problems, p)
	}
	for i, ig := range c.Ignore {
		if ig.Rule != "" && !strings.Contains(ig.Rule, "*") && !slices.Contains(ids, ig.Rule) && !slices.Contains(families, ig.Rule) {
			c.report(&e, node.P("ignore", i, "rule"), "there is no rule %q%s", ig.Rule, hint(ig.Rule, ids))
		}
	}
	if len(e.Problems) > 0 {
		return &e
	}
	return nil
}

// DecodeOptions fills the options of a rule, a pointer to a struct with its
// defaults, from the configuration.
func (c *Config) DecodeOptions(id string, options any) error {
	at := node.P("rules", id, "options")
	if c.tree == nil || !c.tree.Has(at) {
		return nil
	}
	var e Error
	if options == nil {
		c.report(&e, at, "the rule %s has no options", id)
		return &e
	}
	for _, p := range c.tree.Decode(at, options) {
		p.Path = at.Append(p.Path)
		e.Problems = append(e.Problems, problem(p))
	}
	if len(e.Problems) > 0 {
		return &e
	}
	return nil
}

// hint continues a sentence about a name that is not one of the candidates.
func hint(name string, candidates []string) string {
	if like := diag.DidYouMean(name, candidates); like != "" {
		return ": " + like
	}
	return ""
}
