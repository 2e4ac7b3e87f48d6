// Package ruletest runs the fixtures and pages of a family of rules: what they
// say must be found, at its line, is found, nothing else is, and it stays so
// when the same manifests are written in another way.
//
// A fixture is a file testdata/<rule-id>/NAME.yaml, or a folder
// testdata/<rule-id>/NAME/ whose files are read together. In it
//
//	key: value # want "regexp" "another"
//	key: value # want error "regexp"
//	# want +2 warning "regexp"
//
// ask for findings that start in that line, or so many lines below (or above,
// with -), of that severity where one is named. NAME.yaml.fixed beside it is what the file becomes when the first
// fix of each finding is made. In the file's first lines,
//
//	# ruletest: skip=json,kind -- reason     leaves variants out: crlf, second, json,
//	                                         list, a kind in lower case, or kind for all
//	# ruletest: rules=a-b,c-d                runs other rules of the family too
//	# ruletest: namespace=shop version=1.31  sets what the files do not say
package ruletest

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/engine"
	"github.com/crashlint/crashlint/internal/fix"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

// Run tests every rule of the family. The fixtures are below testdata in the
// working directory, which for a test is its package's.
func Run(t *testing.T, family *rule.Family) {
	t.Helper()
	RunDir(t, family, os.DirFS("."))
}

// RunDir is Run with the folder that holds testdata.
func RunDir(t *testing.T, family *rule.Family, dir fs.FS) {
	t.Helper()
	for _, r := range family.Rules {
		t.Run(r.ID, func(t *testing.T) {
			for _, complaint := range check(family, r, dir) {
				t.Error(complaint)
			}
		})
	}
	for _, complaint := range strays(family, dir) {
		t.Error(complaint)
	}
}

// check returns everything that is wrong with a rule.
func check(family *rule.Family, r *rule.Rule, dir fs.FS) []string {
	out := complete(family, r)
	out = append(out, checkPage(family, r)...)
	fixtures, err := readFixtures(dir, r.ID)
	if err != nil {
		return append(out, err.Error())
	}
	fires := false
	for _, f := range fixtures {
		found := f.run(family, r, f.files)
		fires = fires || slices.ContainsFunc(f.files, func(file fixtureFile) bool { return len(file.wants) > 0 })
		complaints := f.compare(found)
		complaints = append(complaints, f.compareFixed(found)...)
		if len(complaints) == 0 {
			complaints = f.checkVariants(family, r, found)
		}
		for _, c := range complaints {
			out = append(out, f.name+": "+c)
		}
	}
	if !fires {
		out = append(out, "no fixture in testdata/"+r.ID+" wants a finding")
	}
	return out
}

var ruleID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)

// complete returns what a rule lacks.
func complete(family *rule.Family, r *rule.Rule) []string {
	var out []string
	lacks := func(missing bool, what string) {
		if missing {
			out = append(out, what)
		}
	}
	functions := 0
	for _, set := range []bool{r.Workload != nil, r.Object != nil, r.Set != nil} {
		if set {
			functions++
		}
	}
	lacks(functions != 1, fmt.Sprintf("exactly one of Workload, Object and Set is to be set, not %d", functions))
	lacks(!ruleID.MatchString(r.ID), fmt.Sprintf("the id %q is not kebab-case", r.ID))
	lacks(r.Title == "" || strings.HasSuffix(r.Title, "."), "the title is empty or ends in a full stop")
	lacks(r.Since == "", "Since is empty")
	lacks(r.Severity < diag.Info || r.Severity > diag.Error, "the severity is not set")
	lacks(family.Name == "" || family.Title == "", "the family has no name or title")
	return out
}

// strays returns the folders of testdata that belong to no rule.
func strays(family *rule.Family, dir fs.FS) []string {
	var out []string
	entries, _ := fs.ReadDir(dir, "testdata")
	for _, e := range entries {
		if ruleID.MatchString(e.Name()) && !slices.ContainsFunc(family.Rules, func(r *rule.Rule) bool { return r.ID == e.Name() }) {
			out = append(out, fmt.Sprintf("testdata/%s belongs to no rule of the family", e.Name()))
		}
	}
	return out
}

// A fixture is a set of files that are read together.
type fixture struct {
	name    string
	files   []fixtureFile
	rules   []string // further rules to run
	skip    []string // variants to leave out
	options cluster.Options
}

type fixtureFile struct {
	path, text string
	wants      []want
	fixed      string // empty: not checked
}

// A want is a finding that a fixture asks for.
type want struct {
	line     int
	severity diag.Severity // 0: any
	pattern  *regexp.Regexp
}

func readFixtures(dir fs.FS, id string) ([]fixture, error) {
	root := path.Join("testdata", id)
	entries, err := fs.ReadDir(dir, root)
	if err != nil {
		return nil, fmt.Errorf("there is no folder %s", root)
	}
	var out []fixture
	for _, e := range entries {
		f := fixture{name: e.Name()}
		at := path.Join(root, e.Name())
		switch {
		case e.IsDir():
			err = fs.WalkDir(dir, at, func(p string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || strings.HasSuffix(p, ".fixed") {
					return err
				}
				return f.add(dir, p, strings.TrimPrefix(p, root+"/"))
			})
		case isManifest(e.Name()):
			err = f.add(dir, at, e.Name())
		case strings.HasSuffix(e.Name(), ".fixed"):
			continue
		default:
			err = fmt.Errorf("%s is neither a manifest nor a folder", at)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func isManifest(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".json")
}

var (
	wantComment = regexp.MustCompile(`# want( [-+][0-9]+)?( error| warning| info)?((?: "(?:[^"\\]|\\.)*")+)`)
	quotedText  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	setting     = regexp.MustCompile(`(?m)^# ruletest: (.*)$`)
)

// add reads a file of the fixture. Its wants and settings become comments
// without a meaning.
func (f *fixture) add(dir fs.FS, name, display string) error {
	b, err := fs.ReadFile(dir, name)
	if err != nil {
		return err
	}
	file := fixtureFile{path: display, text: string(b)}
	for i, line := range strings.Split(file.text, "\n") {
		m := wantComment.FindStringSubmatch(line)
		if m == nil {
			if strings.Contains(line, "# want") {
				return fmt.Errorf("%s:%d: a want reads # want \"regexp\", with +1 or -1 and a severity before it if need be", name, i+1)
			}
			continue
		}
		shift, _ := strconv.Atoi(strings.TrimSpace(m[1]))
		severity, _ := diag.ParseSeverity(strings.TrimSpace(m[2]))
		for _, q := range quotedText.FindAllString(m[3], -1) {
			text, err := strconv.Unquote(q)
			if err != nil {
				return fmt.Errorf("%s:%d: %s: %w", name, i+1, q, err)
			}
			pattern, err := regexp.Compile(text)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
			file.wants = append(file.wants, want{i + 1 + shift, severity, pattern})
		}
	}
	for _, m := range setting.FindAllStringSubmatch(file.text, -1) {
		words, _, _ := strings.Cut(m[1], "--")
		for _, word := range strings.Fields(words) {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "skip":
				f.skip = append(f.skip, strings.Split(value, ",")...)
			case "rules":
				f.rules = append(f.rules, strings.Split(value, ",")...)
			case "namespace":
				f.options.Namespace = value
			case "external":
				f.options.External = append(f.options.External, strings.Split(value, ",")...)
			case "version":
				if f.options.Version, err = strconv.Atoi(strings.TrimPrefix(value, "1.")); err != nil {
					return fmt.Errorf("%s: version=%s: %w", name, value, err)
				}
			default:
				return fmt.Errorf("%s: there is no setting %q", name, key)
			}
		}
	}
	if fixed, err := fs.ReadFile(dir, name+".fixed"); err == nil {
		file.fixed = string(fixed)
	}
	f.files = append(f.files, file)
	return nil
}

// run runs the rule, and those that the fixture adds, over files.
func (f *fixture) run(family *rule.Family, r *rule.Rule, files []fixtureFile) result {
	rules := []*rule.Rule{r}
	for _, other := range family.Rules {
		if other != r && slices.Contains(f.rules, other.ID) {
			rules = append(rules, other)
		}
	}
	return execute(family, rules, f.options, files)
}

type result struct {
	diagnostics []*diag.Diagnostic
	problems    []diag.Problem
}

func execute(family *rule.Family, rules []*rule.Rule, options cluster.Options, files []fixtureFile) result {
	o := engine.Options{Today: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, r := range family.Rules {
		o.Known = append(o.Known, engine.KnownRule{ID: r.ID, Family: family.Name})
	}
	for _, r := range rules {
		er := engine.Rule{Rule: r, Family: family.Name}
		if r.Options != nil {
			er.Options = r.Options()
		}
		o.Rules = append(o.Rules, er)
	}
	var sources []*source.File
	for _, f := range files {
		sources = append(sources, source.NewFile(f.path, f.text))
	}
	loaded := loader.LoadText(sources...)
	ds, problems := engine.Run(cluster.New(loaded.Set, options), o)
	ds = slices.DeleteFunc(ds, func(d *diag.Diagnostic) bool { return d.Suppressed != nil })
	return result{ds, slices.Concat(loaded.Problems, problems)}
}

// compare holds findings against wants.
func (f *fixture) compare(found result) []string {
	var out []string
	for _, p := range found.problems {
		out = append(out, p.String())
	}
	met := map[string]map[int]bool{}
	for _, d := range found.diagnostics {
		name, line := d.Location.File.Path, d.Location.Start().Line
		i := slices.IndexFunc(f.files, func(x fixtureFile) bool { return x.path == name })
		matched := false
		for j, w := range f.files[i].wants {
			if w.line == line && (w.severity == 0 || w.severity == d.Severity) && !met[name][j] && w.pattern.MatchString(d.Message) {
				if met[name] == nil {
					met[name] = map[int]bool{}
				}
				met[name][j] = true
				matched = true
				break
			}
		}
		if !matched {
			out = append(out, fmt.Sprintf("%s:%d: not wanted: %s: %s [%s]", name, line, d.Severity, d.Message, d.Rule))
		}
	}
	for _, file := range f.files {
		for j, w := range file.wants {
			if !met[file.path][j] {
				out = append(out, fmt.Sprintf("%s:%d: wanted and not found: %s", file.path, w.line, w.pattern))
			}
		}
	}
	return out
}

// compareFixed makes the first fix that has edits of each finding and holds the
// text against the .fixed file.
func (f *fixture) compareFixed(found result) []string {
	var out []string
	for _, file := range f.files {
		if file.fixed == "" {
			continue
		}
		var edits []source.Edit
		for _, d := range found.diagnostics {
			if d.Location.File.Path != file.path {
				continue
			}
			if i := slices.IndexFunc(d.Fixes, func(x diag.Fix) bool { return len(x.Edits) > 0 }); i >= 0 {
				edits = append(edits, d.Fixes[i].Edits...)
			}
		}
		got, err := fix.Apply(source.NewFile(file.path, file.text), edits)
		switch {
		case err != nil:
			out = append(out, fmt.Sprintf("%s: the fixes cannot be made: %v", file.path, err))
		case got != file.fixed:
			out = append(out, fmt.Sprintf("%s: the fixes give\n%s\nand not the .fixed file", file.path, got))
		}
	}
	return out
}
