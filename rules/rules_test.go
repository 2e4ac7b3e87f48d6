package rules_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/engine"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/ruletest"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/policies"
	"github.com/crashlint/crashlint/rules"
)

// families are all families of rules, in whatever language.
func families() []*rule.Family { return append(rules.All(), policies.Family()) }

func TestIDsAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, f := range append(families(), engine.Family) {
		for _, r := range f.Rules {
			if other, ok := seen[r.ID]; ok {
				t.Errorf("%s is a rule of %s and of %s", r.ID, other, f.Name)
			}
			seen[r.ID] = f.Name
			if _, ok := seen["family "+r.ID]; ok {
				t.Errorf("%s is a rule and a family", r.ID)
			}
		}
		seen["family "+f.Name] = f.Name
	}
}

// What one page shows as good must not be bad in another rule's eyes, and what
// it shows as bad must be one cause that one rule speaks of.
func TestPagesUnderAllRules(t *testing.T) {
	options := engine.Options{Today: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, f := range families() {
		for _, r := range f.Rules {
			er := engine.Rule{Rule: r, Family: f.Name}
			if r.Options != nil {
				er.Options = r.Options()
			}
			options.Rules = append(options.Rules, er)
		}
	}
	for _, f := range families() {
		for _, r := range f.Rules {
			page, err := fs.ReadFile(f.Docs, r.ID+".md")
			if err != nil {
				t.Errorf("%s: %v", r.ID, err)
				continue
			}
			for _, section := range []string{"Bad", "Good"} {
				text, n := ruletest.Block(ruletest.Section(string(page), section))
				if n == 0 {
					t.Errorf("%s: ## %s holds no yaml block", r.ID, section)
					continue
				}
				set := loader.LoadText(source.NewFile(section+".yaml", text)).Set
				found, problems := engine.Run(cluster.New(set, cluster.Options{}), options)
				for _, p := range problems {
					t.Errorf("%s: ## %s: %s", r.ID, section, p)
				}
				for _, d := range found {
					if d.Severity >= diag.Warning && (section == "Good" || d.Rule != r.ID) {
						t.Errorf("%s: ## %s, line %d: %s: %s [%s]", r.ID, section, d.Location.Start().Line, d.Severity, strings.TrimSpace(d.Message), d.Rule)
					}
				}
			}
		}
	}
}
