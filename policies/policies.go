// Package policies holds the built-in rules that are written in Rego, and what
// a user's policies are given: the library and the schema of their input.
package policies

import (
	"context"
	"embed"
	"io"
	"sync"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/rego"
	"github.com/crashlint/crashlint/internal/rule"
)

// files are the policies, their pages, their tests and the library.
//
//go:embed *.rego *.md lib/*.rego
var files embed.FS

// library is what policies may import.
//
//go:embed lib/*.rego
var library embed.FS

// InputSchema is the JSON schema of what policies with findings get as input.
//
//go:embed schema/input.json
var InputSchema []byte

// Family returns the built-in policies as rules. They are compiled when a run
// first needs one. It panics when one of them does not parse, which a test
// rules out.
var Family = sync.OnceValue(func() *rule.Family {
	family, problems := rego.Load(rego.Options{
		Name: "policies", Title: "Rules written in Rego", Trusted: true,
	}, rego.Source{FS: files, Dir: "policies"})
	if len(problems) > 0 {
		panic(problems[0].String())
	}
	return family
})

// Load returns the policies in folders and files of a user as rules. Whatever is
// wrong with one of them is a problem and leaves the others alone.
func Load(paths ...string) (*rule.Family, []diag.Problem) {
	sources, problems := rego.Dirs(paths...)
	family, bad := rego.Load(options(), sources...)
	return family, append(problems, bad...)
}

// Test runs the tests of the policies in folders and files of a user, writes
// what failed and a summary to w, and reports whether all is well.
func Test(w io.Writer, paths ...string) (bool, error) {
	sources, problems := rego.Dirs(paths...)
	for _, p := range problems {
		if _, err := io.WriteString(w, p.String()+"\n"); err != nil {
			return false, err
		}
	}
	ok, err := rego.Test(context.Background(), w, options(), sources...)
	return ok && len(problems) == 0, err
}

// options are those of a user's policies.
func options() rego.Options {
	return rego.Options{
		Name: "custom", Title: "Your own policies", Schema: InputSchema,
		// A folder of the user may be called policies, too.
		Library: &rego.Source{FS: library, Dir: "(crashlint)"},
	}
}
