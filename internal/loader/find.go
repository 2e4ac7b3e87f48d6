package loader

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"

	"github.com/crashlint/crashlint/internal/diag"
)

// A foundFile is a file to read.
type foundFile struct {
	name    string   // as the operating system opens it
	display string   // as outputs show it
	folders []string // those of Options.Paths that it was found in
	target  bool     // reported, not only looked into
	named   bool     // named itself, not found in a folder
	stdin   bool
}

type foundFiles struct {
	files    []foundFile
	folders  []string // of Options.Paths, by display path
	problems []diag.Problem
	notes    []diag.Note
}

// find lists the files to read, each once, sorted by display path.
func find(ctx context.Context, o Options) foundFiles {
	f := finder{options: o, ctx: ctx, index: map[string]int{}, said: map[diag.Problem]bool{}}
	for _, p := range o.Paths {
		f.path(p)
	}
	if o.Scope != "" {
		if _, err := os.Stat(o.Scope); err != nil {
			f.problem(o.Scope, "%v", cause(err))
		}
		f.target = false
		f.walk(o.Scope, "")
	}
	slices.SortStableFunc(f.out.files, func(a, b foundFile) int { return cmp.Compare(a.display, b.display) })
	return f.out
}

type finder struct {
	options Options
	ctx     context.Context
	out     foundFiles
	index   map[string]int // real path → position in out.files
	said    map[diag.Problem]bool
	target  bool
}

func (f *finder) problem(p, format string, args ...any) { f.say(&f.out.problems, p, format, args...) }
func (f *finder) note(p, format string, args ...any)    { f.say(&f.out.notes, p, format, args...) }

// say adds to the list what concerns the targets, once.
func (f *finder) say(list *[]diag.Problem, p, format string, args ...any) {
	said := diag.Problem{Path: p, Message: fmt.Sprintf(format, args...)}
	if f.target && !f.said[said] {
		f.said[said] = true
		*list = append(*list, said)
	}
}

// path takes one argument of the command line.
func (f *finder) path(p string) {
	f.target = true
	if p == "-" {
		f.add(foundFile{display: "<stdin>", target: true, named: true, stdin: true}, "<stdin>")
		return
	}
	info, err := os.Stat(p)
	switch {
	case err == nil && info.IsDir():
		folder := f.display(p)
		if !slices.Contains(f.out.folders, folder) {
			f.out.folders = append(f.out.folders, folder)
			f.walk(p, folder)
		}
	case err == nil:
		f.file(p, "", true)
	case doublestar.ValidatePathPattern(p) && strings.ContainsAny(p, "*?[{"):
		matches, _ := doublestar.FilepathGlob(p, doublestar.WithFilesOnly())
		if len(matches) == 0 {
			f.problem(p, "no file matches this pattern")
		}
		for _, m := range matches {
			if manifestName(m) {
				f.file(m, "", true)
			}
		}
	case os.IsNotExist(err):
		f.problem(p, "does not exist%s", nearby(p))
	default:
		f.problem(p, "%v", cause(err))
	}
}

// nearby suggests a sibling with a similar name.
func nearby(p string) string {
	entries, _ := os.ReadDir(filepath.Dir(p))
	var siblings []string
	for _, e := range entries {
		siblings = append(siblings, e.Name())
	}
	if like := diag.DidYouMean(filepath.Base(p), siblings); like != "" {
		return "; " + like
	}
	return ""
}

// display is the path shown for a file: relative to the root where it lies
// below it.
func (f *finder) display(p string) string {
	if abs, err := filepath.Abs(p); err == nil && f.options.Root != "" {
		if rel, err := filepath.Rel(f.options.Root, abs); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return filepath.ToSlash(rel)
		}
		return filepath.ToSlash(abs)
	}
	return filepath.ToSlash(filepath.Clean(p))
}

func (f *finder) file(p, folder string, named bool) {
	real := p
	if r, err := filepath.EvalSymlinks(p); err == nil {
		real = r
	}
	if abs, err := filepath.Abs(real); err == nil {
		real = abs
	}
	file := foundFile{name: p, display: f.display(p), target: f.target, named: named}
	if folder != "" {
		file.folders = []string{folder}
	}
	f.add(file, real)
}

func (f *finder) add(file foundFile, real string) {
	if i, ok := f.index[real]; ok {
		known := &f.out.files[i]
		known.target = known.target || file.target
		known.named = known.named || file.named
		known.folders = append(known.folders, file.folders...)
		return
	}
	f.index[real] = len(f.out.files)
	f.out.files = append(f.out.files, file)
}

// manifestName reports a name that may hold manifests.
func manifestName(p string) bool {
	switch strings.ToLower(filepath.Ext(p)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// skippedFolders never hold manifests of the project itself.
var skippedFolders = map[string]bool{".git": true, "node_modules": true, ".terraform": true, ".terragrunt-cache": true}

// walk adds the manifests below a folder. Links to folders are not followed, as
// kubectl does not, so that there are no loops; root itself may be one.
func (f *finder) walk(root, folder string) {
	if info, err := os.Lstat(root); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		root += string(filepath.Separator) // has filepath.WalkDir follow it
	}
	base := gitRoot(root)
	rel := func(p string) []string {
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil
		}
		r, err := filepath.Rel(base, abs)
		if err != nil {
			return nil
		}
		return strings.Split(filepath.ToSlash(r), "/")
	}
	patterns := ignorePatterns(root)
	matcher := gitignore.NewMatcher(patterns)
	if matcher.Match(rel(root), true) {
		patterns = nil // a folder that git ignores is read when it is asked for
	}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		if err != nil {
			f.problem(f.display(p), "%v", cause(err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			if p == root {
				if more := readIgnore(p, rel(p)); len(more) > 0 {
					patterns = append(patterns, more...)
					matcher = gitignore.NewMatcher(patterns)
				}
				return nil
			}
			if skippedFolders[d.Name()] || len(patterns) > 0 && matcher.Match(rel(p), true) || f.excluded(p) {
				return fs.SkipDir
			}
			if d.Name() == "templates" && isFile(filepath.Join(filepath.Dir(p), "Chart.yaml")) {
				f.note(f.display(p), "templates of a Helm chart are not read: helm template %s | crashlint -", f.display(filepath.Dir(p)))
				return fs.SkipDir
			}
			if more := readIgnore(p, rel(p)); len(more) > 0 {
				patterns = append(patterns, more...)
				matcher = gitignore.NewMatcher(patterns)
			}
			return nil
		}
		link := d.Type()&fs.ModeSymlink != 0
		if !link && !manifestName(p) || f.excluded(p) || len(patterns) > 0 && matcher.Match(rel(p), false) {
			return nil
		}
		if (!link || f.leadsToFile(p)) && manifestName(p) {
			f.file(p, folder, false)
		}
		return nil
	})
	if err != nil && f.ctx.Err() == nil {
		f.problem(f.display(root), "%v", cause(err))
	}
}

// leadsToFile reports whether a symbolic link leads to a file. It says what is
// left out because of one that does not.
func (f *finder) leadsToFile(p string) bool {
	info, err := os.Stat(p)
	switch {
	case err != nil && manifestName(p):
		f.problem(f.display(p), "is a symbolic link that leads nowhere")
	case err == nil && info.IsDir():
		f.note(f.display(p), "a symbolic link to a folder is not followed")
	case err == nil:
		return true
	}
	return false
}

func (f *finder) excluded(p string) bool {
	if len(f.options.Exclude) == 0 {
		return false
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(f.options.ExcludeRoot, abs)
	if err != nil {
		return false
	}
	rel = filepath.ToSlash(rel)
	for _, pattern := range f.options.Exclude {
		pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/")
		if ok, _ := doublestar.Match(pattern, rel); ok {
			return true
		}
		if ok, _ := doublestar.Match(pattern+"/**", rel); ok {
			return true
		}
	}
	return false
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}

// gitRoot returns the root of the git work tree that p lies in, or p itself.
func gitRoot(p string) string {
	abs, err := filepath.Abs(p)
	if err != nil {
		return p
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return abs
		}
	}
}

// ignorePatterns reads the .gitignore files from the root of the work tree down
// to, but not including, p.
func ignorePatterns(p string) []gitignore.Pattern {
	abs, err := filepath.Abs(p)
	if err != nil {
		return nil
	}
	base := gitRoot(p)
	var out []gitignore.Pattern
	rel, err := filepath.Rel(base, abs)
	if err != nil || rel == "." {
		return nil
	}
	dir, domain := base, []string(nil)
	for _, step := range strings.Split(filepath.ToSlash(rel), "/") {
		out = append(out, readIgnore(dir, domain)...)
		dir, domain = filepath.Join(dir, step), append(domain, step)
	}
	return out
}

// readIgnore reads the .gitignore of one folder, whose path from the root of
// the work tree is domain.
func readIgnore(dir string, domain []string) []gitignore.Pattern {
	b, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	if err != nil {
		return nil
	}
	if len(domain) == 1 && domain[0] == "." {
		domain = nil
	}
	var out []gitignore.Pattern
	for _, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			out = append(out, gitignore.ParsePattern(line, append([]string(nil), domain...)))
		}
	}
	return out
}
