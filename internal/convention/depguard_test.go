package convention

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDepguard keeps .golangci.yml in step with the law.
func TestDepguard(t *testing.T) {
	config, err := os.ReadFile(filepath.Join("..", "..", ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "        # begin import law\n", "        # end import law\n"
	_, rest, _ := strings.Cut(string(config), begin)
	got, _, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatal("no import law in .golangci.yml")
	}
	if want := depguard(); got != want {
		t.Errorf("the import law of .golangci.yml is not the one of this package, which is\n%s%s%s", begin, want, end)
	}
}

// depguard returns the law as rules of golangci-lint's depguard: the longer of
// an allowing and a denying prefix wins, and what has neither is allowed in mode
// lax and denied in mode strict.
func depguard() string {
	var b strings.Builder
	var pure []string
	for _, l := range law {
		files := fmt.Sprintf("%q", "**/"+l.pkg+"/*.go")
		if l.pure {
			pure = append(pure, files)
		}
		name := strings.NewReplacer("internal/", "", "/*", "-families", "/", "-").Replace(l.pkg)
		mode, libraries := "lax", []string(nil)
		if l.libraries != nil {
			mode, libraries = "strict", append([]string{"$gostd"}, l.libraries...)
		}
		fmt.Fprintf(&b, "        %s:\n          list-mode: %s\n          files: [%s, \"!$test\"]\n", name, mode, files)
		if len(l.ours) > 0 {
			b.WriteString("          allow:\n")
			for _, p := range libraries {
				fmt.Fprintf(&b, "            - %s\n", p)
			}
			for _, p := range l.ours {
				if dir, ok := strings.CutSuffix(p, "*"); ok {
					p = dir
				} else {
					p += "$"
				}
				fmt.Fprintf(&b, "            - %s/%s\n", Module, p)
			}
		}
		fmt.Fprintf(&b, "          deny: [{pkg: %s/, desc: the import law does not allow it}]\n", Module)
	}
	fmt.Fprintf(&b, "        world:\n          list-mode: lax\n          files:\n            - \"!$test\"\n")
	for _, files := range pure {
		fmt.Fprintf(&b, "            - %s\n", files)
	}
	b.WriteString("          deny:\n")
	for _, w := range worldly {
		fmt.Fprintf(&b, "            - {pkg: %s, desc: it reads the world}\n", w)
	}
	for _, o := range owners {
		name := strings.NewReplacer("/", "-", ".", "-").Replace(o.library)
		fmt.Fprintf(&b, "        %s:\n          list-mode: lax\n          files: [\"!**/%s/*.go\", \"!$test\"]\n", name, o.owner)
		fmt.Fprintf(&b, "          deny: [{pkg: %s, desc: only %s may}]\n", o.library, o.owner)
	}
	return b.String()
}
