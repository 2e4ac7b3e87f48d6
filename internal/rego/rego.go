// Package rego turns policies written in Rego into rules like any other: listed,
// explained, configured, suppressed and reported the same way. It is the only
// importer of OPA.
//
// A policy is a Rego package. One that defines `findings` judges workloads and
// gets a workload with its effective values as input; one that defines deny,
// warn or violation, as conftest's do, judges objects and gets the object as it
// is written.
package rego

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

// Options says what the policies of a load are and may use.
type Options struct {
	// Name and Title of the family.
	Name, Title string
	// Trusted policies are known to compile: they are compiled when a run first
	// needs them, and without type checking.
	Trusted bool
	// Library holds modules that policies may import.
	Library *Source
	// Schema is the JSON schema that the use of input is checked against in
	// policies with findings. Nil: no check.
	Schema []byte
}

// A Source is a folder of policies.
type Source struct {
	FS fs.FS
	// Dir is how messages name the folder.
	Dir string
	// File is the one file of the folder that is meant, empty for all of them.
	File string
}

// Dirs returns the sources at paths of the file system, folders or single
// files, each once.
func Dirs(names ...string) (sources []Source, problems []diag.Problem) {
	seen := map[string]bool{}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			problems = append(problems, diag.Problem{Path: name, Message: "cannot read policies: " + cause(err)})
			continue
		}
		if full, err := filepath.Abs(name); err == nil {
			if seen[full] {
				continue
			}
			seen[full] = true
		}
		dir, file := filepath.Clean(name), ""
		if !info.IsDir() {
			dir, file = filepath.Dir(dir), filepath.Base(dir)
		}
		sources = append(sources, Source{FS: os.DirFS(dir), Dir: filepath.ToSlash(dir), File: file})
	}
	return sources, problems
}

// maxPolicySize bounds one policy file; the largest of public policy
// collections have some 100 kB.
const maxPolicySize = 4 << 20

// A module is one file of Rego.
type module struct {
	file    *source.File
	parsed  *ast.Module // nil when it does not parse
	source  Source
	library bool
}

// pkg returns the module's package: data.main.
func (m *module) pkg() string { return m.parsed.Package.Path.String() }

// problem returns a problem at a place that OPA names in the module.
func (m *module) problem(loc *ast.Location, message string) diag.Problem {
	at := diag.Location{File: m.file}
	if loc != nil && loc.Row > 0 {
		start := m.file.Offset(source.Position{Line: loc.Row, Column: max(loc.Col, 1)})
		text, _, _ := strings.Cut(string(loc.Text), "\n")
		at.Span = source.Span{Start: start, End: min(start+max(len(text), 1), len(m.file.Text))}
	}
	return diag.Problem{Message: message, Location: &at}
}

// read finds the Rego files of a source, sorted by path. Files of tests are
// wanted only for testing.
func read(s Source, tests bool) ([]*module, []diag.Problem) {
	var modules []*module
	var problems []diag.Problem
	add := func(name string) {
		display := path.Join(s.Dir, name)
		info, err := fs.Stat(s.FS, name)
		if err == nil && info.Size() > maxPolicySize {
			problems = append(problems, diag.Problem{Path: display, Message: "policy is larger than 4 MiB and was not read"})
			return
		}
		text, readErr := fs.ReadFile(s.FS, name)
		if readErr != nil {
			problems = append(problems, diag.Problem{Path: display, Message: "cannot read policy: " + cause(readErr)})
			return
		}
		modules = append(modules, &module{file: source.NewFile(display, strings.TrimPrefix(string(text), "\ufeff")), source: s})
	}
	if s.File != "" {
		add(s.File)
		return modules, problems
	}
	_ = fs.WalkDir(s.FS, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			problems = append(problems, diag.Problem{Path: path.Join(s.Dir, name), Message: "cannot read policies: " + cause(err)})
			return fs.SkipDir
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".rego" || !tests && strings.HasSuffix(name, "_test.rego"):
			return nil
		}
		add(name)
		return nil
	})
	return modules, problems
}

// cause is the reason of a failed file operation without the path, which the
// problem names already.
func cause(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// Load reads the policies of the sources and makes a family of them, its rules
// sorted by id. Whatever is wrong with one file is a problem and leaves the
// others alone.
func Load(o Options, sources ...Source) (*rule.Family, []diag.Problem) {
	modules, problems := parse(o, sources, false)
	p := &program{options: o, modules: modules}
	p.compile = sync.OnceValue(p.compileAll)
	if !o.Trusted {
		c := p.compile()
		problems = append(problems, c.problems...)
		modules = c.modules
	}
	policies, bad := policiesOf(modules)
	problems = append(problems, bad...)
	p.policies = policies
	family := &rule.Family{Name: o.Name, Title: o.Title}
	docs := map[string][]byte{}
	for i, policy := range policies {
		family.Rules = append(family.Rules, p.rule(i))
		docs[policy.id+".md"] = policy.doc()
	}
	family.Docs = docFS(docs)
	return family, problems
}

// parse reads and parses all modules, the library's first.
func parse(o Options, sources []Source, tests bool) ([]*module, []diag.Problem) {
	var modules []*module
	var problems []diag.Problem
	if o.Library != nil {
		modules, problems = read(*o.Library, false)
		for _, m := range modules {
			m.library = true
		}
	}
	seen := map[string]bool{}
	for _, s := range sources {
		found, bad := read(s, tests)
		problems = append(problems, bad...)
		if len(found) == 0 && len(bad) == 0 {
			problems = append(problems, diag.Problem{Path: s.Dir, Message: "there is no policy (*.rego) in this folder"})
		}
		for _, m := range found {
			if !seen[m.file.Path] {
				seen[m.file.Path] = true
				modules = append(modules, m)
			}
		}
	}
	for _, m := range modules {
		problems = append(problems, m.parse()...)
	}
	if slices.ContainsFunc(modules, func(m *module) bool { return !m.library && m.parsed != nil && m.pkg() == libraryPackage }) {
		modules = slices.DeleteFunc(modules, func(m *module) bool { return m.library })
	}
	return modules, problems
}

// libraryPackage is the package of the library. Sources that have one of the
// same name, as crashlint's own policies do, are not given it.
const libraryPackage = "data.crashlint"
