package diag

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// DidYouMean returns "did you mean X?" for the candidate that is spelt most like
// the name, or else the first that has the name in it; nothing when none does.
func DidYouMean(name string, candidates []string) string {
	best, distance := "", 2+len(name)/4
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(name, c); d < distance {
			best, distance = c, d
		}
	}
	if i := slices.IndexFunc(candidates, func(c string) bool { return strings.Contains(c, name) }); best == "" && len(name) > 2 && i >= 0 {
		best = candidates[i]
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}
