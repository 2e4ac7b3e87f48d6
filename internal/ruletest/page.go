package ruletest

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/rule"
)

// checkPage holds the rule's page against its shape, and its examples against
// the family: Bad has this rule's finding and no other, Good has none.
func checkPage(family *rule.Family, r *rule.Rule) []string {
	b, err := fs.ReadFile(family.Docs, r.ID+".md")
	if err != nil {
		return []string{"there is no page " + r.ID + ".md"}
	}
	page := string(b)
	var out []string
	title, rest, _ := strings.Cut(page, "\n")
	if title != "# "+r.ID {
		out = append(out, fmt.Sprintf("the page begins with %q, not with # %s", title, r.ID))
	}
	if summary := strings.TrimSpace(rest); summary == "" || summary[0] == '#' {
		out = append(out, "the page has no summary behind its title")
	}
	for _, section := range []string{"What it finds", "Why it crashes", "Bad", "Good", "Sources"} {
		if strings.TrimSpace(Section(page, section)) == "" {
			out = append(out, fmt.Sprintf("the page lacks the section ## %s", section))
		}
	}
	for _, section := range []string{"Bad", "Good"} {
		text, ok := yamlBlock(Section(page, section))
		if !ok {
			out = append(out, fmt.Sprintf("## %s holds no yaml block", section))
			continue
		}
		found := execute(family, family.Rules, cluster.Options{}, []fixtureFile{{path: section + ".yaml", text: text}})
		own := 0
		for _, d := range found.diagnostics {
			if d.Rule == r.ID && section == "Bad" {
				own++
				continue
			}
			out = append(out, fmt.Sprintf("## %s: %s in line %d: %s", section, d.Rule, d.Location.Start().Line, d.Message))
		}
		if section == "Bad" && own == 0 {
			out = append(out, "## Bad: the rule finds nothing")
		}
		for _, p := range found.problems {
			out = append(out, fmt.Sprintf("## %s: %s", section, p))
		}
	}
	return out
}

// Section returns the text of a page between the heading "## name" and the next
// one of its level.
func Section(page, name string) string {
	_, rest, ok := strings.Cut(page, "\n## "+name+"\n")
	if !ok {
		return ""
	}
	var out []string
	fence := false
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "```") {
			fence = !fence
		}
		if !fence && strings.HasPrefix(line, "## ") {
			break
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// yamlBlock returns the first yaml block of a section.
func yamlBlock(section string) (string, bool) {
	_, rest, ok := strings.Cut(section, "```yaml\n")
	if !ok {
		return "", false
	}
	text, _, ok := strings.Cut(rest, "```")
	return text, ok
}
