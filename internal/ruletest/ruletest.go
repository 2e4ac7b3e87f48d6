// Package ruletest runs the fixtures and pages of a family of rules: what they
// say must be found, at its line, is found, nothing else is, and it stays so
// when the same manifests are written in another way.
//
// A fixture is a file testdata/<rule-id>/NAME.yaml, or a folder
// testdata/<rule-id>/NAME/ whose files are read together. In it
//
//	key: value # want error "regexp" "another"
//	# want +2 warning "regexp"
//
// ask for findings that start in that line, or so many lines below (or above,
// with -), of that severity where one is named. In the quotes \" is a quote and
// any other backslash belongs to the regular expression; backquotes do as well.
// NAME.yaml.fixed beside it is what the file becomes when the first fix with
// edits of each finding is made (CRASHLINT_UPDATE=1 in the environment writes
// it); a fix that may be applied must make its finding go away. Comments
//
//	# ruletest: skip=json,kind -- reason     leave variants out
//	# ruletest: rules=a-b,c-d                run other rules of the family too
//	# ruletest: namespace=shop version=1.31  set what the files do not say
//	# ruletest: external=Secret/x            name objects that exist elsewhere
//	# ruletest: options={"percent":80}       set options of the rule
//	# ruletest: misfits -- reason            allow fields that fit no type
//
// The variants are crlf, bom, second (the second document of its file), list
// (items of a kind: List), json, and where a fixture has one Deployment or Pod
// the same pod as statefulset, daemonset, replicaset, cronjob, deployment and
// pod: kind for all of these. The same must be found at the same fields.
package ruletest

import (
	"encoding/json"
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
	"github.com/crashlint/crashlint/internal/manifest"
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
		found := f.run(family, r, load(f.files))
		fires = fires || slices.ContainsFunc(f.files, func(file fixtureFile) bool { return len(file.wants) > 0 })
		complaints := f.compare(found)
		complaints = append(complaints, f.checkFixes(family, r, found)...)
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

var version = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

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
	lacks(r.Title == "" || strings.HasSuffix(r.Title, ".") || strings.Contains(r.Title, "\n"), "the title is not one line without a full stop")
	lacks(!version.MatchString(r.Since), fmt.Sprintf("Since, %q, is not a version such as 0.1.0", r.Since))
	lacks(r.Severity < diag.Info || r.Severity > diag.Error, "the severity is not set")
	lacks(family.Name == "" || family.Title == "", "the family has no name or title")
	return out
}

// strays returns the pages and folders of testdata that belong to no rule, and
// the ids that belong to two.
func strays(family *rule.Family, dir fs.FS) []string {
	var out []string
	for i, r := range family.Rules {
		if slices.ContainsFunc(family.Rules[:i], func(x *rule.Rule) bool { return x.ID == r.ID }) {
			out = append(out, "two rules are called "+r.ID)
		}
	}
	pages, _ := fs.Glob(family.Docs, "*.md")
	for _, p := range pages {
		if !slices.ContainsFunc(family.Rules, func(r *rule.Rule) bool { return r.ID+".md" == p }) {
			out = append(out, p+" is the page of no rule of the family")
		}
	}
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
	misfits bool     // fields may fit no type
	options cluster.Options
	// ruleOptions are laid over the rule's options, as JSON.
	ruleOptions []string
}

type fixtureFile struct {
	path, text string
	name       string // within the folder that holds testdata
	wants      []want
	fixed      *string // nil: not checked
}

// A want is a finding that a fixture asks for.
type want struct {
	line     int
	severity diag.Severity // 0: any
	pattern  *regexp.Regexp
}

// met reports whether the finding, in the file of the want, is the one wanted.
func (w want) met(d *diag.Diagnostic) bool {
	return w.line == d.Location.Start().Line && (w.severity == 0 || w.severity == d.Severity) && w.pattern.MatchString(d.Message)
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
				if !isManifest(p) {
					return fmt.Errorf("%s is not a manifest", p)
				}
				return f.add(dir, p, strings.TrimPrefix(p, root+"/"))
			})
		case isManifest(e.Name()):
			err = f.add(dir, at, e.Name())
		case strings.HasSuffix(e.Name(), ".fixed"):
			of := strings.TrimSuffix(e.Name(), ".fixed")
			if slices.ContainsFunc(entries, func(x fs.DirEntry) bool { return x.Name() == of }) {
				continue
			}
			err = fmt.Errorf("%s: there is no %s", at, of)
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
	wantComment = regexp.MustCompile(`# want((?: [-+][0-9]+| error| warning| info)*)((?: (?:"(?:[^"\\]|\\.)*"|` + "`[^`]*`" + `))+)\s*$`)
	quotedText  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|` + "`[^`]*`")
	setting     = regexp.MustCompile(`(?m)(?:^|[ \t])# ruletest: (.*)$`)
)

// add reads a file of the fixture. Its wants and settings become comments
// without a meaning.
func (f *fixture) add(dir fs.FS, name, display string) error {
	b, err := fs.ReadFile(dir, name)
	if err != nil {
		return err
	}
	file := fixtureFile{path: display, name: name, text: string(b)}
	for i, line := range strings.Split(file.text, "\n") {
		m := wantComment.FindStringSubmatch(line)
		if m == nil {
			if strings.Contains(line, "# want") {
				return fmt.Errorf("%s:%d: a want reads # want \"regexp\", with +1 or -1 and a severity before it if need be", name, i+1)
			}
			continue
		}
		w := want{line: i + 1}
		for _, word := range strings.Fields(m[1]) {
			if shift, err := strconv.Atoi(word); err == nil {
				w.line += shift
			} else {
				w.severity, _ = diag.ParseSeverity(word)
			}
		}
		for _, q := range quotedText.FindAllString(m[2], -1) {
			text := q[1 : len(q)-1]
			if q[0] == '"' {
				text = strings.ReplaceAll(text, `\"`, `"`)
			}
			if w.pattern, err = regexp.Compile(text); err != nil {
				return fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
			file.wants = append(file.wants, w)
		}
	}
	for _, m := range setting.FindAllStringSubmatch(file.text, -1) {
		words, reason, _ := strings.Cut(m[1], "--")
		for _, word := range strings.Fields(words) {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "skip", "misfits":
				if strings.TrimSpace(reason) == "" {
					return fmt.Errorf("%s: %s needs a reason behind --", name, key)
				}
				if key == "misfits" {
					f.misfits = true
					continue
				}
				for v := range strings.SplitSeq(value, ",") {
					if !slices.Contains(variantNames, v) {
						return fmt.Errorf("%s: there is no variant %q: there are %s", name, v, strings.Join(variantNames, ", "))
					}
					f.skip = append(f.skip, v)
				}
			case "options":
				f.ruleOptions = append(f.ruleOptions, value)
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
		text := string(fixed)
		file.fixed = &text
	}
	f.files = append(f.files, file)
	return nil
}

// run runs the rule, and those that the fixture adds, over files.
func (f *fixture) run(family *rule.Family, r *rule.Rule, loaded *loader.Result) result {
	rules := []*rule.Rule{r}
	var faults []string
	for _, id := range f.rules {
		i := slices.IndexFunc(family.Rules, func(x *rule.Rule) bool { return x.ID == id })
		if i < 0 {
			faults = append(faults, "the family has no rule "+id)
		} else if family.Rules[i] != r {
			rules = append(rules, family.Rules[i])
		}
	}
	options := func(x *rule.Rule) any {
		if x != r || len(f.ruleOptions) == 0 {
			return defaults(x)
		}
		if x.Options == nil {
			faults = append(faults, "the rule has no options")
			return nil
		}
		o := x.Options()
		for _, text := range f.ruleOptions {
			d := json.NewDecoder(strings.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(o); err != nil {
				faults = append(faults, fmt.Sprintf("options=%s: %v", text, err))
			}
		}
		return o
	}
	out := execute(family, rules, options, f.options, loaded)
	out.problems = append(out.problems, faults...)
	return out
}

func defaults(r *rule.Rule) any {
	if r.Options == nil {
		return nil
	}
	return r.Options()
}

func load(files []fixtureFile) *loader.Result {
	var sources []*source.File
	for _, f := range files {
		sources = append(sources, source.NewFile(f.path, f.text))
	}
	return loader.LoadText(sources...)
}

type result struct {
	set         *manifest.Set
	diagnostics []*diag.Diagnostic // those not suppressed
	problems    []string
}

func execute(family *rule.Family, rules []*rule.Rule, options func(*rule.Rule) any, c cluster.Options, loaded *loader.Result) result {
	o := engine.Options{Today: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, r := range family.Rules {
		o.Known = append(o.Known, engine.KnownRule{ID: r.ID, Family: family.Name})
	}
	for _, r := range rules {
		o.Rules = append(o.Rules, engine.Rule{Rule: r, Family: family.Name, Options: options(r)})
	}
	ds, problems := engine.Run(cluster.New(loaded.Set, c), o)
	out := result{set: loaded.Set, diagnostics: slices.DeleteFunc(ds, func(d *diag.Diagnostic) bool { return d.Suppressed != nil })}
	for _, p := range slices.Concat(loaded.Problems, loaded.Notes, problems) {
		out.problems = append(out.problems, p.String())
	}
	if len(loaded.Set.Objects)+len(loaded.Set.Broken) == 0 {
		out.problems = append(out.problems, "no Kubernetes object was read")
	}
	return out
}

// misfits are the places that do not fit their types and that no finding is
// about: a misspelt field can keep a rule silent by accident.
func (r result) misfits() []string {
	var out []string
	for _, o := range slices.Concat(r.set.Objects, r.set.Broken) {
		for _, p := range o.Problems {
			at := diag.Location{File: p.Here.File, Span: p.Here.Span}
			if !slices.ContainsFunc(r.diagnostics, func(d *diag.Diagnostic) bool {
				return d.Location.File == at.File && d.Location.Start().Line == at.Start().Line
			}) {
				out = append(out, fmt.Sprintf("%s:%d: %s: %s: this does not fit the type of %s", at.File.Path, at.Start().Line, p.Path, p.Message, o.Kind))
			}
		}
	}
	return out
}

// compare holds findings against wants.
func (f *fixture) compare(found result) []string {
	out := slices.Clone(found.problems)
	if !f.misfits {
		for _, m := range found.misfits() {
			out = append(out, m+" (if that is meant: # ruletest: misfits -- reason)")
		}
	}
	met := map[string]map[int]bool{}
	for _, file := range f.files {
		met[file.path] = map[int]bool{}
	}
next:
	for _, d := range found.diagnostics {
		name := d.Location.File.Path
		for _, file := range f.files {
			for j, w := range file.wants {
				if file.path == name && !met[name][j] && w.met(d) {
					met[name][j] = true
					continue next
				}
			}
		}
		out = append(out, fmt.Sprintf("%s:%d: not wanted: %s: %s [%s]", name, d.Location.Start().Line, d.Severity, d.Message, d.Rule))
	}
	for _, file := range f.files {
		for j, w := range file.wants {
			if !met[file.path][j] {
				severity := ""
				if w.severity != 0 {
					severity = w.severity.String() + ": "
				}
				out = append(out, fmt.Sprintf("%s:%d: wanted and not found: %s%s", file.path, w.line, severity, w.pattern))
			}
		}
	}
	return out
}

// fixes makes the first fix with edits of every finding. It returns the text, by
// path, of the files that change, and the findings whose fix may be applied.
func (r result) fixes() (map[string]string, []*diag.Diagnostic, error) {
	edits := map[*source.File][]source.Edit{}
	var mended []*diag.Diagnostic
	for _, d := range r.diagnostics {
		i := slices.IndexFunc(d.Fixes, func(x diag.Fix) bool { return len(x.Edits) > 0 })
		if i < 0 {
			continue
		}
		file := d.Location.File
		for _, e := range d.Fixes[i].Edits {
			if !slices.Contains(edits[file], e) { // findings may share a fix
				edits[file] = append(edits[file], e)
			}
		}
		if d.Fixes[i].Safety != diag.Display {
			mended = append(mended, d)
		}
	}
	texts := map[string]string{}
	for file, list := range edits {
		text, err := fix.Apply(file, list)
		if err != nil {
			return nil, nil, fmt.Errorf("the fixes cannot be made together: %w", err)
		}
		texts[file.Path] = text
	}
	return texts, mended, nil
}

// checkFixes holds the text after the fixes against the .fixed files, and checks
// that fixes that may be applied mend.
func (f *fixture) checkFixes(family *rule.Family, r *rule.Rule, found result) []string {
	texts, mended, err := found.fixes()
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	after := slices.Clone(f.files)
	for i, file := range f.files {
		text, changed := texts[file.path]
		switch {
		case file.fixed == nil:
		case !changed:
			out = append(out, file.path+": there is a .fixed file, but no finding has a fix")
		case text == *file.fixed:
		case os.Getenv("CRASHLINT_UPDATE") != "":
			if err := os.WriteFile(file.name+".fixed", []byte(text), 0o600); err != nil {
				out = append(out, err.Error())
			}
		default:
			out = append(out, fmt.Sprintf("%s: the fixes do not give the .fixed file: %s", file.path, firstDifference(*file.fixed, text)))
		}
		if changed {
			after[i].text = text
		}
	}
	if len(mended) == 0 {
		return out
	}
	again := f.run(family, r, load(after))
	for _, b := range again.set.Broken {
		out = append(out, fmt.Sprintf("after the fixes %s cannot be read", b))
	}
	still := signatures(again.diagnostics, nil)
	for _, s := range signatures(mended, nil) {
		if slices.Contains(still, s) {
			out = append(out, "after its fix the finding is still there: "+s)
		}
	}
	return out
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	line := func(lines []string, i int) string {
		if i < len(lines) {
			return strconv.Quote(lines[i])
		}
		return "missing"
	}
	for i := range max(len(w), len(g)) {
		if line(w, i) != line(g, i) {
			return fmt.Sprintf("line %d is %s, not %s", i+1, line(g, i), line(w, i))
		}
	}
	return ""
}
