package rego

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"
	"unicode"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/crashlint/crashlint/internal/diag"
)

// A policy is what makes one rule: the findings of a package, or its deny, warn
// and violation of one name (conftest's deny_foo and warn_foo belong together).
type policy struct {
	id       string
	title    string
	text     string // METADATA's description
	since    string
	severity diag.Severity
	links    []string
	module   *module
	at       *ast.Location
	pkg      ast.Ref
	// workload is true for findings, which judge workloads; the others judge
	// objects.
	workload bool
	entries  []entry
	// exempt is the name that the package's exception rules use for the policy,
	// excepted says that it has such rules.
	exempt   string
	excepted bool
}

// An entry is a rule of Rego that holds results of a policy.
type entry struct {
	name     string
	severity diag.Severity // 0: the policy's
}

// conftest's names for rules that hold results (conftest policy/engine.go,
// warningRegex and failureRegex).
var conftestName = regexp.MustCompile(`^(deny|violation|warn)((?:_[a-zA-Z0-9]+)*)$`)

// entryName returns the name of a rule that makes results: findings, or one of
// conftest's; empty for any other rule.
func entryName(r *ast.Rule) string {
	ref := r.Head.Ref()
	name, ok := ref[0].Value.(ast.Var)
	if !ok || len(r.Head.Args) > 0 || len(ref) > 1 && r.Head.Key == nil {
		return ""
	}
	if name != "findings" && !conftestName.MatchString(string(name)) {
		return ""
	}
	return string(name)
}

// policiesOf finds the policies in the modules, sorted by id.
func policiesOf(modules []*module) ([]*policy, []diag.Problem) {
	var policies []*policy
	var problems []diag.Problem
	byKey := map[string]*policy{}
	excepted := map[string]bool{}
	for _, m := range modules {
		if m.parsed == nil || m.library {
			continue
		}
		for _, r := range m.parsed.Rules {
			if name, ok := r.Head.Ref()[0].Value.(ast.Var); ok && name == "exception" {
				excepted[m.pkg()] = true
			}
			name := entryName(r)
			if name == "" {
				continue
			}
			if r.Head.Key == nil && r.Head.Value != nil && ast.Boolean(true).Compare(r.Head.Value.Value) == 0 {
				problems = append(problems, m.problem(r.Location, fmt.Sprintf("%s is only true or false here and says nothing: write `%s contains message if …`", name, name)))
				continue
			}
			verb, exempt := name, ""
			if c := conftestName.FindStringSubmatch(name); c != nil {
				verb, exempt = c[1], strings.TrimPrefix(c[2], "_")
			}
			key := m.pkg() + " " + exempt
			if name == "findings" {
				key = m.pkg() + " findings"
			}
			p := byKey[key]
			if p == nil {
				p = &policy{module: m, at: r.Location, pkg: m.parsed.Package.Path, workload: name == "findings", exempt: exempt}
				byKey[key] = p
				policies = append(policies, p)
			}
			if !slices.ContainsFunc(p.entries, func(e entry) bool { return e.name == name }) {
				p.entries = append(p.entries, entry{name: name, severity: verbSeverity[verb]})
			}
			for _, a := range r.Annotations {
				problems = append(problems, p.describe(m, a)...)
			}
		}
	}
	for _, m := range modules {
		if m.parsed == nil {
			continue
		}
		if a := packageAnnotation(m.parsed); a != nil {
			for _, p := range policies {
				if p.pkg.Equal(m.parsed.Package.Path) {
					problems = append(problems, p.describePackage(m, a)...)
				}
			}
		}
	}
	for _, p := range policies {
		p.excepted = excepted[p.pkg.String()]
		p.complete()
	}
	slices.SortStableFunc(policies, func(a, b *policy) int { return cmp.Compare(a.id, b.id) })
	policies = slices.DeleteFunc(policies, func(p *policy) bool {
		first := policies[slices.IndexFunc(policies, func(q *policy) bool { return q.id == p.id })]
		if p == first {
			return false
		}
		problems = append(problems, p.module.problem(p.at, fmt.Sprintf("policy is not run: %s has the rule id %q, too; set custom.id in its METADATA", first.module.file.Path, p.id)))
		return true
	})
	return policies, problems
}

var verbSeverity = map[string]diag.Severity{"deny": diag.Error, "violation": diag.Error, "warn": diag.Warning}

var ruleID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// describe takes what a METADATA block says about the policy; what is known
// already stays.
func (p *policy) describe(m *module, a *ast.Annotations) []diag.Problem {
	var problems []diag.Problem
	bad := func(format string, args ...any) {
		problems = append(problems, m.problem(a.Location, fmt.Sprintf(format, args...)))
	}
	p.title = cmp.Or(p.title, strings.TrimSuffix(strings.TrimSpace(a.Title), "."))
	p.text = cmp.Or(p.text, strings.TrimSpace(a.Description))
	if p.links == nil {
		for _, r := range a.RelatedResources {
			text := r.Ref.String()
			if r.Description != "" {
				text = "[" + r.Description + "](" + text + ")"
			}
			p.links = append(p.links, text)
		}
	}
	if v, ok := a.Custom["id"]; ok {
		id, _ := v.(string)
		switch {
		case !ruleID.MatchString(id):
			bad("custom.id: %v is not a rule id: use lower-case words joined by hyphens", v)
		case p.id != "" && p.id != id:
			bad("custom.id: the same policy is called %q elsewhere: give them different names (deny_one, deny_two) or packages", p.id)
		default:
			p.id = id
		}
	}
	if v, ok := a.Custom["severity"]; ok {
		severity, err := diag.ParseSeverity(fmt.Sprint(v))
		if err != nil {
			bad("custom.severity: %v", err)
		}
		p.severity = cmp.Or(p.severity, severity)
	}
	if v, ok := a.Custom["since"]; ok {
		p.since = cmp.Or(p.since, fmt.Sprint(v))
	}
	return problems
}

// describePackage is describe for the METADATA of the policy's package, which
// may have several policies.
func (p *policy) describePackage(m *module, a *ast.Annotations) []diag.Problem {
	own := p.id
	p.id = ""
	problems := p.describe(m, a)
	if p.id != "" && p.exempt != "" {
		p.id += "-" + kebab(p.exempt)
	}
	p.id = cmp.Or(own, p.id)
	return problems
}

// complete fills in what no METADATA says.
func (p *policy) complete() {
	if p.id == "" {
		var words []string
		for _, term := range p.pkg[1:] {
			if s, ok := term.Value.(ast.String); ok {
				words = append(words, kebab(string(s)))
			}
		}
		if p.exempt != "" {
			words = append(words, kebab(p.exempt))
		}
		p.id = strings.Trim(strings.Join(words, "-"), "-")
		if !ruleID.MatchString(p.id) {
			p.id = "policy-" + p.id
		}
	}
	if p.severity == 0 {
		for _, e := range p.entries {
			p.severity = max(p.severity, cmp.Or(e.severity, diag.Warning))
		}
	}
	if p.title == "" {
		p.title = fmt.Sprintf("Policy %s of %s", strings.TrimPrefix(p.pkg.String(), "data."), p.module.file.Path)
	}
}

// kebab turns camelCase and snake_case into kebab-case.
func kebab(s string) string {
	var b strings.Builder
	lower := false
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			if lower {
				b.WriteByte('-')
			}
			b.WriteRune(unicode.ToLower(r))
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
		lower = unicode.IsLower(r) || unicode.IsDigit(r)
	}
	return strings.Trim(regexp.MustCompile(`-+`).ReplaceAllString(b.String(), "-"), "-")
}

// doc returns the policy's page: <rule-id>.md beside it, or one made of its
// METADATA.
func (p *policy) doc() []byte {
	name := strings.TrimPrefix(p.module.file.Path, p.module.source.Dir+"/")
	if page, err := fs.ReadFile(p.module.source.FS, path.Join(path.Dir(name), p.id+".md")); err == nil {
		return page
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", p.title)
	if p.text != "" {
		fmt.Fprintf(&b, "\n## What it finds\n\n%s\n", p.text)
	}
	b.WriteString("\n## Sources\n\n")
	fmt.Fprintf(&b, "- `%s`, package `%s`\n", p.module.file.Path, strings.TrimPrefix(p.pkg.String(), "data."))
	for _, l := range p.links {
		fmt.Fprintf(&b, "- %s\n", l)
	}
	return []byte(b.String())
}

// docFS makes the file system of a family's pages.
func docFS(pages map[string][]byte) fs.FS {
	out := fstest.MapFS{}
	for name, text := range pages {
		out[name] = &fstest.MapFile{Data: text, Mode: 0o444}
	}
	return out
}
