package cluster

import "testing"

// TestMayBeTypo: what is ruled out by a count may not be two edits apart.
func TestMayBeTypo(t *testing.T) {
	const name = "database-credentials"
	edits := func(s string) []string {
		var out []string
		for i := range len(s) {
			out = append(out, s[:i]+s[i+1:], s[:i]+"q"+s[i+1:], s[:i]+"7"+s[i:])
		}
		return out
	}
	for _, one := range edits(name) {
		for _, two := range edits(one) {
			if !mayBeTypo(name, two) || !mayBeTypo(two, name) {
				t.Fatalf("%s is ruled out", two)
			}
		}
	}
	if mayBeTypo(name, "database-keys") || mayBeTypo(name, "tls-for-the-frontend") {
		t.Error("what is quite another name is not ruled out")
	}
}
