package images

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// A Catalogue finds the facts about an image by its reference.
type Catalogue struct {
	// byRepository holds what is known of a repository, what replaces it behind.
	byRepository map[string][]Entry
	// Entries are all of them, those of the user behind the built-in ones.
	Entries []Entry
}

//go:embed facts/*.yaml
var factFiles embed.FS

// Builtin returns the catalogue that comes with crashlint.
var Builtin = sync.OnceValue(func() *Catalogue {
	entries, err := readAll(factFiles)
	if err != nil {
		panic("images: " + err.Error()) // the tests read it
	}
	c, err := (&Catalogue{}).With(entries)
	if err != nil {
		panic("images: " + err.Error())
	}
	return c
})

// readAll reads the entries of all files, in the order of their names.
func readAll(files fs.FS) ([]Entry, error) {
	names, err := fs.Glob(files, "facts/*.yaml")
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		entries, err := read(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, entries...)
	}
	return all, nil
}

func read(text []byte) ([]Entry, error) {
	var f struct {
		Images []Entry `json:"images"`
	}
	err := yaml.UnmarshalStrict(text, &f)
	return f.Images, err
}

// With returns a catalogue in which what the entries say of an image replaces
// what c says. The error is an entry that does not pass Check, or two that claim
// one repository.
func (c *Catalogue) With(entries []Entry) (*Catalogue, error) {
	all := maps.Clone(c.byRepository)
	if all == nil {
		all = map[string][]Entry{}
	}
	claimed := map[string]bool{}
	for _, e := range entries {
		if err := e.Check(); err != nil {
			return nil, err
		}
		e.Name = e.Names[0]
		for _, name := range e.Names {
			for _, repo := range repositories(name) {
				if claimed[repo] {
					return nil, fmt.Errorf("two entries claim %s", repo)
				}
				claimed[repo] = true
				all[repo] = append(slices.Clip(all[repo]), e)
			}
		}
	}
	return &Catalogue{byRepository: all, Entries: slices.Concat(c.Entries, entries)}, nil
}

// Check returns what is wrong with the entry.
func (e Entry) Check() error {
	for _, name := range e.Names {
		ref, err := reference.ParseNormalizedNamed(name)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case !reference.IsNameOnly(ref):
			return fmt.Errorf("%s: a name has no tag", name)
		}
	}
	if len(e.Names) == 0 {
		return errors.New("an entry needs the names of its image")
	}
	if err := e.check(); err != nil {
		return fmt.Errorf("%s: %w", e.Names[0], err)
	}
	for _, r := range e.Releases {
		since, okSince := bound(r.Since)
		until, okUntil := bound(r.Until)
		if r.Since == "" && r.Until == "" && len(r.Tags) == 0 || r.Since != "" && !okSince || r.Until != "" && !okUntil ||
			okSince && okUntil && slices.Compare(since, until) >= 0 {
			return fmt.Errorf("%s: releases since %q until %q: want versions like 1.2, the second the greater", e.Names[0], r.Since, r.Until)
		}
		for _, pattern := range r.Tags {
			if _, err := path.Match(strings.TrimPrefix(pattern, "!"), ""); err != nil {
				return fmt.Errorf("%s: tags: %q is no pattern", e.Names[0], pattern)
			}
		}
		if err := r.check(); err != nil {
			return fmt.Errorf("%s: %w", e.Names[0], err)
		}
	}
	return nil
}

func (f Facts) check() error {
	if err := f.checkVariables(); err != nil {
		return err
	}
	if d := f.Data; d != nil && !path.IsAbs(d.Directory) {
		return fmt.Errorf("data: the directory %q is not an absolute path", d.Directory)
	}
	if err := f.checkPermissions(); err != nil {
		return err
	}
	for _, m := range f.MountsRefused {
		if !path.IsAbs(m.Path) {
			return fmt.Errorf("mountsRefused: %q is not an absolute path", m.Path)
		}
	}
	if a := f.Architectures; a != nil && len(a.Only) == 0 {
		return errors.New("architectures: want those the image is built for")
	}
	for _, o := range f.Options {
		if o.Form != Flags && o.Form != Size && o.Form != Megabytes {
			return fmt.Errorf("option %s: the form %q is not one of flags, size, megabytes", o.Name, o.Form)
		}
	}
	for _, e := range f.Endpoints {
		if !strings.HasPrefix(e.Path, "/") || e.DependsOn == "" {
			return fmt.Errorf("endpoints: want a path, which %q is not, and what else it fails with", e.Path)
		}
	}
	if p := f.HealthPort; p != nil && (p.Number < 1 || p.Number > 65535) {
		return fmt.Errorf("healthPort: %d is no port", p.Number)
	}
	if t := f.TLS; t != nil && (len(t.Ports) == 0 || len(t.Unless) == 0) {
		return errors.New("tls: want ports and what makes them speak plain HTTP")
	}
	if i := f.Idle; i != nil && i.Runs == "" {
		return errors.New("idle: want the program that it runs")
	}
	if c := f.Subcommands; c != nil && (c.Program == "" || len(c.Names) == 0) {
		return errors.New("subcommands: want the program and the names of its subcommands")
	}
	if t := f.Tools; t != nil && t.None == (len(t.Lacks) > 0) {
		return errors.New("tools: want none: true or what it lacks")
	}
	if m := f.Memory; m != nil && (m.RequiredBytes() > 0) == (m.TooLowBytes() > 0) {
		return errors.New("memory: want required or tooLow, a size such as 512Mi")
	}
	for _, s := range f.Sysctls {
		if s.Name == "" || s.Least <= s.Default || s.Config != "" && !path.IsAbs(s.Config) {
			return fmt.Errorf("sysctls: want a name, a value above the default, and an absolute path, not %q", s.Name)
		}
	}
	if s := f.SharedMemory; s != nil && s.Bytes() <= 0 {
		return errors.New("sharedMemory: want a size, such as 1Gi")
	}
	if h := f.Heap; h != nil {
		_, err := resource.ParseQuantity(h.Size)
		said := 0
		for _, is := range []bool{h.JVM, h.Percent > 0 && h.Percent <= 100, h.Size != "" && err == nil} {
			if is {
				said++
			}
		}
		if said != 1 || h.Size != "" && err != nil {
			return errors.New("heap: want a size, such as 512Mi, a percent of the limit, or jvm: true")
		}
	}
	return nil
}

func (f Facts) checkVariables() error {
	var conditions []string
	for _, r := range f.Requires {
		if len(r.Any) == 0 {
			return errors.New("requires: want the variables of which one must be set")
		}
		conditions = slices.Concat(conditions, r.Any, r.Options, r.When, r.Unless)
	}
	for _, r := range f.Refuses {
		if len(r.All) == 0 || r.Because == "" {
			return errors.New("refuses: want the variables and what is wrong with them")
		}
		conditions = append(conditions, r.All...)
	}
	for _, text := range conditions {
		if _, err := ParseCondition(text); err != nil {
			return fmt.Errorf("requires, refuses: %w", err)
		}
	}
	return nil
}

func (f Facts) checkPermissions() error {
	var paths []string
	if f.Writes != nil {
		paths = append(paths, f.Writes.Paths...)
	}
	if f.Edits != nil {
		paths = append(paths, f.Edits.Paths...)
	}
	if f.Holds != nil {
		paths = slices.Concat(paths, f.Holds.Directories, f.Holds.Contents)
	}
	if f.Once != nil {
		paths = append(paths, f.Once.Paths...)
	}
	if f.Listens != nil {
		paths = append(paths, f.Listens.Config...)
	}
	for _, p := range paths {
		if !path.IsAbs(p) {
			return fmt.Errorf("writes, edits, holds, once, listens: %q is not an absolute path", p)
		}
	}
	if c := f.Capabilities; c != nil && len(c.Needs)+len(c.File) == 0 {
		return errors.New("capabilities: want those that it needs or that its file carries")
	}
	if o := f.Overlay; o != nil && o.Version != 2 && o.Version != 3 {
		return errors.New("s6Overlay: want the version 2 or 3")
	}
	return nil
}

// repositories returns the full names that a name, which Check accepts, stands
// for.
func repositories(name string) []string {
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil
	}
	full := []string{ref.Name()}
	// Bitnami moved its images in August 2025 and sells hardened ones:
	// https://github.com/bitnami/containers/issues/83267.
	if app, ok := strings.CutPrefix(ref.Name(), "docker.io/bitnami/"); ok {
		full = append(full, "docker.io/bitnamilegacy/"+app, "docker.io/bitnamisecure/"+app)
	}
	return full
}

// Lookup returns the facts about the image that the reference names. A copy in
// another registry counts when it keeps the organisation: a pull-through cache
// serves docker.io/bitnami/kafka as harbor.example/proxy/bitnami/kafka.
func (c *Catalogue) Lookup(ref string) (Facts, bool) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return Facts{}, false
	}
	entries, ok := c.byRepository[named.Name()]
	if parts := strings.Split(reference.Path(named), "/"); !ok && len(parts) >= 2 {
		entries, ok = c.byRepository["docker.io/"+strings.Join(parts[len(parts)-2:], "/")]
	}
	tag := ""
	if tagged, ok := reference.TagNameOnly(named).(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	var facts Facts
	for _, e := range entries {
		facts = over(facts, e.Facts)
		for _, r := range e.Releases {
			if r.covers(tag) {
				facts = over(facts, r.Facts)
			}
		}
	}
	return facts, ok
}

// over returns the facts of below with those that above holds in their place.
func over(below, above Facts) Facts {
	to, from := reflect.ValueOf(&below).Elem(), reflect.ValueOf(above)
	for i := range from.NumField() {
		if f := from.Field(i); !f.IsZero() {
			to.Field(i).Set(f)
		}
	}
	return below
}

// covers reports whether the tag meets Tags, and every version that it may stand
// for lies between Since and Until: "9" is 9.0 and 9.9, and "9.1-alpine" 9.1.0
// and 9.1.7.
func (r Release) covers(tag string) bool {
	if !r.meets(tag) {
		return false
	}
	if r.Since == "" && r.Until == "" {
		return true
	}
	if tag == "latest" {
		return r.Until == "" // the kubelet pulls it anew for each pod
	}
	first, ok := parseVersion(tag)
	if !ok {
		return false
	}
	next := slices.Clone(first)
	next[len(next)-1]++
	since, _ := bound(r.Since)
	until, bounded := bound(r.Until)
	return slices.Compare(since, first) <= 0 && (!bounded || slices.Compare(next, until) <= 0)
}

// meets reports whether the tag meets one of the patterns, and none of those
// that it must not meet. An image without a tag has its digest only.
func (r Release) meets(tag string) bool {
	wanted, met := false, false
	for _, pattern := range r.Tags {
		pattern, not := strings.CutPrefix(pattern, "!")
		ok, _ := path.Match(pattern, tag) // Check refuses a bad pattern
		if not && ok || tag == "" {
			return false
		}
		wanted, met = wanted || !not, met || !not && ok
	}
	return met || !wanted
}

// bound reads the end of a range: "9.0" begins where "9" does.
func bound(version string) ([]int, bool) {
	numbers, ok := parseVersion(version)
	for len(numbers) > 1 && numbers[len(numbers)-1] == 0 {
		numbers = numbers[:len(numbers)-1]
	}
	return numbers, ok
}

// parseVersion reads the numbers that a tag begins with: 2.67.1 of
// "v2.67.1-alpine".
func parseVersion(tag string) ([]int, bool) {
	var out []int
	rest := strings.TrimPrefix(tag, "v")
	for {
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		out = append(out, n)
		dotted := strings.HasPrefix(rest[len(digits):], ".")
		if !dotted {
			break
		}
		rest = rest[len(digits)+1:]
	}
	return out, len(out) > 0
}
