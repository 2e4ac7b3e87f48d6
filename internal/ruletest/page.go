package ruletest

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
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
	rest := strings.TrimPrefix(page, "# "+r.ID+"\n") // the title may be left out
	if summary := strings.TrimSpace(rest); summary == "" || summary[0] == '#' {
		out = append(out, fmt.Sprintf("the page does not begin with a summary, or with one behind the title # %s", r.ID))
	}
	want := []string{"What it finds", "Why it crashes", "Bad", "Good", "Sources"}
	if r.Options != nil {
		want = slices.Insert(want, 4, "Options")
	}
	if got := headings(page); !slices.Equal(got, want) {
		out = append(out, fmt.Sprintf("the sections of the page are %q, not %q", got, want))
	}
	for _, section := range want {
		if strings.TrimSpace(Section(page, section)) == "" {
			out = append(out, fmt.Sprintf("the section ## %s is missing or empty", section))
		}
	}
	if !strings.Contains(Section(page, "Sources"), "https://") {
		out = append(out, "the section ## Sources has no link")
	}
	var bad result
	for _, section := range []string{"Bad", "Good"} {
		text, n := Block(Section(page, section))
		if n != 1 {
			out = append(out, fmt.Sprintf("## %s holds %d yaml blocks, not one", section, n))
			continue
		}
		found := execute(family, family.Rules, defaults, cluster.Options{}, load([]fixtureFile{{path: section + ".yaml", text: text}}))
		own := result{set: found.set}
		for _, d := range found.diagnostics {
			if d.Rule == r.ID && section == "Bad" {
				own.diagnostics = append(own.diagnostics, d)
				continue
			}
			out = append(out, fmt.Sprintf("## %s: %s in line %d: %s", section, d.Rule, d.Location.Start().Line, d.Message))
		}
		if section == "Bad" && len(own.diagnostics) == 0 {
			out = append(out, "## Bad: the rule finds nothing")
		}
		for _, p := range slices.Concat(found.problems, found.misfits()) {
			out = append(out, fmt.Sprintf("## %s: %s", section, p))
		}
		if section == "Bad" {
			bad = own
		} else if fault := bad.safelyFixed(text); fault != "" {
			out = append(out, "the safe fix of ## Bad does not make ## Good: "+fault)
		}
	}
	return out
}

// safelyFixed says how the text differs from want once all findings, if they
// have safe fixes, are mended by them.
func (r result) safelyFixed(want string) string {
	for _, d := range r.diagnostics {
		i := slices.IndexFunc(d.Fixes, func(x diag.Fix) bool { return len(x.Edits) > 0 })
		if i < 0 || d.Fixes[i].Safety != diag.Safe {
			return ""
		}
	}
	texts, _, err := r.fixes()
	if err != nil {
		return err.Error()
	}
	for _, text := range texts {
		return firstDifference(want, text)
	}
	return ""
}

// headings returns the sections of a page in their order.
func headings(page string) []string {
	var out []string
	fence := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "```") {
			fence = !fence
		}
		if h, ok := strings.CutPrefix(line, "## "); ok && !fence {
			out = append(out, strings.TrimSpace(h))
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

// Block returns the first yaml block of a section and how many there are.
func Block(section string) (string, int) {
	_, rest, ok := strings.Cut(section, "```yaml\n")
	if !ok {
		return "", 0
	}
	text, rest, _ := strings.Cut(rest, "```")
	return text, 1 + strings.Count(rest, "```yaml\n")
}
