package cli

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/config"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/engine"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/policies"
	"github.com/crashlint/crashlint/rules"
)

// A catalogue is every rule of a run: the built-in ones in Go and in Rego, the
// engine's own, and those of the user's policies.
type catalogue struct {
	families []*rule.Family
}

// newCatalogue adds the policies in dirs to the built-in rules. The problems
// are policies that could not be read or compiled; the others are there.
func newCatalogue(dirs []string) (*catalogue, []diag.Problem) {
	c := &catalogue{families: slices.Concat(rules.All(), []*rule.Family{policies.Family(), engine.Family})}
	if len(dirs) == 0 {
		return c, nil
	}
	custom, problems := policies.Load(dirs...)
	builtIn := c.ids()
	custom.Rules = slices.DeleteFunc(slices.Clone(custom.Rules), func(r *rule.Rule) bool {
		if slices.Contains(builtIn, r.ID) {
			problems = append(problems, diag.Problem{Message: fmt.Sprintf("a policy has the id of the built-in rule %s: give it another custom.id", r.ID)})
			return true
		}
		return false
	})
	c.families = append(c.families, custom)
	return c, problems
}

// each calls f for every rule, in the order of families.
func (c *catalogue) each(f func(*rule.Family, *rule.Rule)) {
	for _, family := range c.families {
		for _, r := range family.Rules {
			f(family, r)
		}
	}
}

func (c *catalogue) ids() []string {
	var ids []string
	c.each(func(_ *rule.Family, r *rule.Rule) { ids = append(ids, r.ID) })
	return ids
}

func (c *catalogue) familyNames() []string {
	var names []string
	for _, f := range c.families {
		names = append(names, f.Name)
	}
	return names
}

// find returns a rule and its family.
func (c *catalogue) find(id string) (*rule.Family, *rule.Rule) {
	var family *rule.Family
	var found *rule.Rule
	c.each(func(f *rule.Family, r *rule.Rule) {
		if r.ID == id {
			family, found = f, r
		}
	})
	return family, found
}

func (c *catalogue) known() []engine.KnownRule {
	var known []engine.KnownRule
	c.each(func(f *rule.Family, r *rule.Rule) { known = append(known, engine.KnownRule{ID: r.ID, Family: f.Name}) })
	return known
}

// chosen returns the rules to run: all that the configuration leaves on and
// --only and --skip select. Patterns are ids, families, or ids with *.
func (c *catalogue) chosen(cfg *config.Config, only, skip []string) ([]engine.Rule, error) {
	for _, pattern := range slices.Concat(only, skip) {
		if !slices.ContainsFunc(c.known(), func(k engine.KnownRule) bool { return engine.Matches(pattern, k.ID, k.Family) }) {
			return nil, fmt.Errorf("there is no rule or family %q%s", pattern, similar(pattern, slices.Concat(c.ids(), c.familyNames())))
		}
	}
	if err := cfg.CheckRules(c.ids(), c.familyNames()); err != nil {
		return nil, err
	}
	var out []engine.Rule
	var failed error
	c.each(func(f *rule.Family, r *rule.Rule) {
		covers := func(pattern string) bool { return engine.Matches(pattern, r.ID, f.Name) }
		settings := cfg.Rules[r.ID]
		switch {
		case len(only) > 0 && !slices.ContainsFunc(only, covers), slices.ContainsFunc(skip, covers):
			return
		case settings.Enabled != nil && !*settings.Enabled && !slices.Contains(only, r.ID):
			return
		}
		er := engine.Rule{Rule: r, Family: f.Name}
		er.Severity, _ = diag.ParseSeverity(settings.Severity)
		if r.Options != nil {
			er.Options = r.Options()
		}
		if err := cfg.DecodeOptions(r.ID, er.Options); err != nil && failed == nil {
			failed = err
		}
		out = append(out, er)
	})
	return out, failed
}

const repository = "https://github.com/crashlint/crashlint/blob/main/"

// page returns the markdown page of a rule and where it stands on the web.
func page(f *rule.Family, r *rule.Rule) (markdown, uri string) {
	b, _ := fs.ReadFile(f.Docs, r.ID+".md")
	switch f.Name {
	case "policies":
		uri = repository + "policies/" + r.ID + ".md"
	case engine.Family.Name:
		uri = repository + "internal/engine/" + r.ID + ".md"
	case "custom":
		uri = repository + "docs/policies.md"
	default:
		uri = repository + "rules/" + f.Name + "/" + r.ID + ".md"
	}
	return string(b), uri
}

// described returns what reports need to know of the rules.
func (c *catalogue) described() []*diag.Rule {
	var out []*diag.Rule
	c.each(func(f *rule.Family, r *rule.Rule) {
		help, uri := page(f, r)
		out = append(out, &diag.Rule{ID: r.ID, Family: f.Name, Title: r.Title, Severity: r.Severity, Help: help, HelpURI: uri})
	})
	slices.SortFunc(out, func(a, b *diag.Rule) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// similar continues a sentence about a name that is not one of the candidates.
func similar(name string, candidates []string) string {
	if like := diag.DidYouMean(name, candidates); like != "" {
		return ": " + like
	}
	return ""
}
