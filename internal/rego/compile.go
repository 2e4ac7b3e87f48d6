package rego

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/crashlint/crashlint/internal/diag"
)

// forbidden are the built-in functions of OPA that a policy does not get, and
// why: a verdict must depend on nothing but the files.
var forbidden = map[string]string{
	"http.send":                                 "policies have no network",
	"net.lookup_ip_addr":                        "policies have no network",
	"json.verify_schema":                        "a schema may name files and hosts, and policies read neither",
	"json.match_schema":                         "a schema may name files and hosts, and policies read neither",
	"opa.runtime":                               "policies do not see the environment",
	"time.now_ns":                               "policies have no clock, so that the same files give the same result",
	"io.jwt.decode_verify":                      "it looks at the clock, and policies have none",
	"io.jwt.encode_sign":                        "it draws random numbers, and policies have none",
	"io.jwt.encode_sign_raw":                    "it draws random numbers, and policies have none",
	"crypto.x509.parse_and_verify_certificates": "it looks at the clock, and policies have none",
	"crypto.x509.parse_and_verify_certificates_with_options": "it looks at the clock, and policies have none",
	"rand.intn":                   "policies have no random numbers, so that the same files give the same result",
	"uuid.rfc4122":                "policies have no random numbers, so that the same files give the same result",
	"trace":                       "nobody would read it: use print in a test",
	"parse_config":                "it is a function of conftest's own",
	"parse_config_file":           "it is a function of conftest's own",
	"parse_combined_config_files": "it is a function of conftest's own",
}

// capabilities are what a policy may use.
var capabilities = sync.OnceValue(func() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.Builtins = slices.DeleteFunc(slices.Clone(c.Builtins), func(b *ast.Builtin) bool {
		return forbidden[b.Name] != "" || b.IsNondeterministic()
	})
	c.AllowNet = []string{} // no host: nil would allow all
	return c
})

var undefinedFunction = regexp.MustCompile(`undefined function (\S+)`)

// explain is OPA's message in the words of this program, in one line.
func explain(e *ast.Error) string {
	if m := undefinedFunction.FindStringSubmatch(e.Message); len(m) == 2 && forbidden[m[1]] != "" {
		return m[1] + " is not available: " + forbidden[m[1]]
	}
	message := oneLine(e.Message)
	if d, ok := e.Details.(*ast.RefErrInvalidDetail); ok && len(d.OneOf) > 0 {
		var names []string
		for _, v := range d.OneOf {
			names = append(names, strings.Trim(v.String(), `"`))
		}
		message += "; there is " + strings.Join(names, ", ")
	}
	return message
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// parse parses the module, as Rego v1 or else as v0, whose rules lack `if` and
// `contains`. Where it is neither, the version that got further is taken for the
// one that was meant.
func (m *module) parse() (problems []diag.Problem) {
	defer func() {
		if v := recover(); v != nil {
			m.parsed = nil
			problems = []diag.Problem{m.problem(nil, fmt.Sprintf("the Rego parser failed: %v", v))}
		}
	}()
	var failed [2]ast.Errors
	for i, version := range []ast.RegoVersion{ast.RegoV1, ast.RegoV0} {
		parsed, err := ast.ParseModuleWithOpts(m.file.Path, m.file.Text, ast.ParserOptions{Capabilities: capabilities(), ProcessAnnotation: true, RegoVersion: version})
		if err == nil {
			m.parsed = parsed
			return nil
		}
		if one, ok := errors.AsType[*ast.Error](err); ok {
			failed[i] = ast.Errors{one}
		} else if !errors.As(err, &failed[i]) {
			failed[i] = ast.Errors{ast.NewError(ast.ParseErr, nil, "%s", err)}
		}
		failed[i].Sort()
	}
	meant := failed[0]
	if row(failed[1]) > row(failed[0]) {
		meant = failed[1]
	}
	return m.problems(meant)
}

// row returns the line of the first error.
func row(errs ast.Errors) int {
	if len(errs) == 0 || errs[0].Location == nil {
		return 0
	}
	return errs[0].Location.Row
}

// maxErrors bounds the errors told about one file: those behind the first few
// mostly follow from them.
const maxErrors = 5

func (m *module) problems(errs ast.Errors) []diag.Problem {
	var out []diag.Problem
	for _, e := range errs[:min(len(errs), maxErrors)] {
		out = append(out, m.problem(e.Location, "policy does not compile: "+explain(e)))
	}
	return out
}

// compiled is what compiling a set of modules gives.
type compiled struct {
	compiler *ast.Compiler
	modules  []*module // those that compile, the library's among them
	problems []diag.Problem
}

// compile compiles the modules that parse. Those that do not compile, and those
// that rely on one that does not, are left out: a rule without its helpers would
// say what its author did not mean.
func compile(o Options, modules []*module) (out *compiled) {
	out = &compiled{}
	defer func() {
		if v := recover(); v != nil {
			out = &compiled{compiler: ast.NewCompiler(), problems: []diag.Problem{{Message: fmt.Sprintf("the Rego compiler failed: %v", v)}}}
		}
	}()
	var left []*module
	dropped := map[string]*module{} // by package
	for _, m := range modules {
		if m.parsed != nil {
			left = append(left, m)
		} else if name := m.packageName(); name != "" {
			dropped[name] = m
		}
	}
	for {
		for again := true; again; {
			before := len(left)
			left = slices.DeleteFunc(left, func(m *module) bool {
				needs := m.needs(dropped)
				if needs != nil {
					out.problems = append(out.problems, m.problem(m.parsed.Package.Location, "policy is not run: it imports from "+needs.file.Path+", which cannot run"))
					dropped[m.pkg()] = m
				}
				return needs != nil
			})
			again = len(left) < before
		}
		compiler := newCompiler(o)
		compiler.Compile(withSchema(o, left))
		if !compiler.Failed() {
			out.compiler, out.modules = compiler, left
			return out
		}
		errs := map[string]ast.Errors{}
		for _, e := range compiler.Errors {
			if e.Location != nil {
				errs[e.Location.File] = append(errs[e.Location.File], e)
			}
		}
		before := len(left)
		left = slices.DeleteFunc(left, func(m *module) bool {
			bad := errs[m.file.Path]
			if len(bad) == 0 || m.library {
				return false
			}
			bad.Sort()
			out.problems = append(out.problems, m.problems(bad)...)
			dropped[m.pkg()] = m
			return true
		})
		if len(left) == before {
			out.compiler, out.modules = ast.NewCompiler(), nil
			out.problems = append(out.problems, diag.Problem{Message: "policies do not compile: " + oneLine(compiler.Errors[0].Error())})
			return out
		}
	}
}

// newCompiler returns a compiler with the sandbox's capabilities. It panics on a
// schema that is not JSON.
func newCompiler(o Options) *ast.Compiler {
	c := ast.NewCompiler().WithCapabilities(capabilities()).SetErrorLimit(0)
	if o.Schema != nil && !o.Trusted {
		var schema any
		if err := util.Unmarshal(o.Schema, &schema); err != nil {
			panic(err)
		}
		schemas := ast.NewSchemaSet()
		schemas.Put(inputSchema, schema)
		c = c.WithSchemas(schemas).WithUseTypeCheckAnnotations(true)
	}
	return c
}

// inputSchema is the name of the input's schema for METADATA:
// `schemas: [input: schema.input]`.
var inputSchema = ast.SchemaRootRef.Append(ast.StringTerm("input"))

// withSchema returns the modules by file name. Packages with findings are given
// the annotation that has their use of input checked.
func withSchema(o Options, modules []*module) map[string]*ast.Module {
	out := map[string]*ast.Module{}
	carrier := map[string]*module{}
	for _, m := range modules {
		out[m.file.Path] = m.parsed
		if carrier[m.pkg()] == nil || packageAnnotation(m.parsed) != nil {
			carrier[m.pkg()] = m
		}
	}
	if o.Schema == nil || o.Trusted {
		return out
	}
	for _, m := range modules {
		c := carrier[m.pkg()]
		if c == nil || !slices.ContainsFunc(m.parsed.Rules, func(r *ast.Rule) bool { return entryName(r) == "findings" }) {
			continue
		}
		delete(carrier, m.pkg())
		with := *c.parsed
		annotation := (&ast.Annotations{Scope: "package"}).Copy(c.parsed.Package)
		if own := packageAnnotation(c.parsed); own != nil {
			annotation = own.Copy(c.parsed.Package)
			with.Annotations = slices.DeleteFunc(slices.Clone(with.Annotations), func(a *ast.Annotations) bool { return a == own })
		}
		annotation.Location = cmp.Or(annotation.Location, c.parsed.Package.Location)
		if len(annotation.Schemas) == 0 {
			annotation.Schemas = []*ast.SchemaAnnotation{{Path: ast.InputRootRef, Schema: inputSchema}}
		}
		with.Annotations = append(with.Annotations, annotation)
		out[c.file.Path] = &with
	}
	return out
}

func packageAnnotation(m *ast.Module) *ast.Annotations {
	for _, a := range m.Annotations {
		if a.Scope == "package" {
			return a
		}
	}
	return nil
}

var packageLine = regexp.MustCompile(`(?m)^\s*package\s+([\w.]+)`)

// packageName is the package that the text of a module names, for one that does
// not parse.
func (m *module) packageName() string {
	if name := packageLine.FindStringSubmatch(m.file.Text); name != nil {
		return "data." + name[1]
	}
	return ""
}

// needs returns a module among the dropped ones in whose package the module
// looks something up. What a module uses of its own package the compiler misses
// itself; of another package it takes everything for undefined.
func (m *module) needs(dropped map[string]*module) *module {
	if len(dropped) == 0 {
		return nil
	}
	var found *module
	ast.WalkRefs(m.parsed, func(r ast.Ref) bool {
		for _, pkg := range slices.Sorted(maps.Keys(dropped)) {
			s := r.ConstantPrefix().String()
			if found == nil && pkg != m.pkg() && (s == pkg || strings.HasPrefix(s, pkg+".")) {
				found = dropped[pkg]
			}
		}
		return false
	})
	return found
}
