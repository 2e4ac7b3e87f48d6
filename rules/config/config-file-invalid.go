package config

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var configFileInvalid = &rule.Rule{
	ID:       "config-file-invalid",
	Title:    "A program does not understand its configuration file",
	Since:    "0.1.0",
	Severity: diag.Error,
	Set:      checkFiles,
}

// checkFiles holds the files of ConfigMaps against the formats of the programs
// that read them, each file once: for the container of which the most is known.
func checkFiles(p *rule.Pass) {
	var all []reading
	for _, w := range p.Cluster.Workloads {
		for _, ctr := range w.Containers {
			if !ctr.Partial {
				all = append(all, readings(p.Cluster, ctr)...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b reading) int { return b.certainty() - a.certainty() })
	done := map[*manifest.Object]map[string]bool{}
	for _, r := range all {
		key := r.From.Path.String()
		if done[r.From.Object] == nil {
			done[r.From.Object] = map[string]bool{}
		}
		if !done[r.From.Object][key] && check(p, r) {
			done[r.From.Object][key] = true
		}
	}
}

// certainty orders readings by how much is known of them.
func (r reading) certainty() int {
	switch {
	case r.known:
		return 2
	case r.read:
		return 1
	}
	return 0
}

// check reports what is wrong with one file, true when something is.
func check(p *rule.Pass, r reading) bool {
	filled := template.MatchString(r.Text)
	var bad *fault
	switch {
	case r.format == "nginx" && r.nginx != nil:
		bad = &fault{r.nginx.Message, r.nginx.Start, r.nginx.End}
	case r.format == "yaml":
		return checkYAML(p, r, filled)
	case filled:
	case r.format == "json":
		bad = jsonFault(r.Text, true)
	case r.format == "toml":
		bad = tomlFault(r.Text)
	case r.format == "options":
		bad = optionsFault(r.Text)
	}
	if bad == nil {
		return false
	}
	r.report(p, *bad, fmt.Sprintf("%s is not %s", r.name(), languages[r.format]))
	return true
}

// languages are the names of the formats for people.
var languages = map[string]string{
	"yaml": "YAML", "json": "JSON", "toml": "TOML", "nginx": "an nginx configuration", "options": "an option file",
}

// checkYAML reports a file that is not YAML, and in that of a program whose keys
// are known, keys that it does not take.
func checkYAML(p *rule.Pass, r reading, filled bool) bool {
	doc, malformed := r.From.Object.Embedded(r.From.Path)
	switch {
	case malformed != nil && !filled:
		at := malformed.Here.Span.Start
		end := at + max(strings.IndexByte(r.Text[at:]+"\n", '\n'), 0)
		r.report(p, fault{malformed.Message, at, max(end, at)}, fmt.Sprintf("%s is not YAML", r.name()))
		return true
	case doc == nil || r.program == nil:
		return false
	}
	value, _ := doc.Value(nil)
	keys, isMapping := value.(map[string]any)
	if !isMapping {
		if value == nil || filled {
			return false
		}
		r.report(p, fault{"a mapping is expected at the top", 0, len(strings.TrimRight(r.Text, "\n"))}, fmt.Sprintf("%s is not a configuration", r.name()))
		return true
	}
	found := false
	for _, d := range doc.Duplicates(nil) {
		found = true
		r.report(p, fault{fmt.Sprintf("key %q is written twice in one mapping", d.Message), d.Here.Span.Start, d.Here.Span.End},
			fmt.Sprintf("%s is refused by %s", r.name(), r.program.name))
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Contains(r.program.keys, key) {
			continue
		}
		loc, ok := doc.Locate(node.P(key), node.KeyOf)
		if !ok || template.MatchString(r.Text[loc.Span.Start:loc.Span.End]) {
			continue
		}
		found = true
		r.unknownKey(p, key, loc.Span.Start, loc.Span.End)
	}
	return found
}

// unknownKey reports a key that the program does not take at the top of its file.
// The program may be newer than what crashlint knows of it, unless the key is one
// that belongs elsewhere, or a slip of the pen.
func (r reading) unknownKey(p *rule.Pass, key string, start, end int) {
	advice, sure := "", true
	near := slices.IndexFunc(r.program.keys, func(k string) bool {
		return len(k) >= 5 && levenshtein.ComputeDistance(k, key) <= 2
	})
	switch parent, ok := r.program.inner[key]; {
	case ok:
		advice = fmt.Sprintf("%s belongs under %s", key, parent)
	case near >= 0:
		advice = fmt.Sprintf("%s is probably meant", r.program.keys[near])
	default:
		sure = false
	}
	r.known = r.known && sure
	r.report(p, fault{fmt.Sprintf("field %s is not one that %s takes at the top of its file", key, r.program.name), start, end},
		fmt.Sprintf("%s is refused by %s", r.name(), r.program.name), advice)
}

// name is what people call the file.
func (r reading) name() string { return path.Base(r.Path) }

// report reports a fault at its place in the file.
func (r reading) report(p *rule.Pass, bad fault, what string, notes ...string) {
	o, at := r.From.Object, r.From.Path
	place, ok := o.Inside(at, bad.start, bad.end)
	if !ok {
		return
	}
	line := 1 + strings.Count(r.Text[:bad.start], "\n")
	verb, consequence := "reads it", "it exits with an error at each start"
	if !r.read {
		verb, consequence = "mounts it", "a program that reads it at its start does not start"
	}
	f := rule.Finding{
		Object: o, At: at, Place: &place,
		Message: fmt.Sprintf("%s, line %d: %s; container %q of %s %s: %s", what, line, strings.TrimSuffix(bad.message, "."), r.ctr.Name, r.ctr.Workload, verb, consequence),
		Needs:   []node.Path{at},
		Related: []rule.Related{{Object: r.ctr.Workload.Object, At: r.ctr.Path, Target: node.Grip, Message: "this container has it as " + r.Path}},
	}
	if !r.known {
		f.Severity = diag.Warning
	}
	for _, note := range notes {
		if note != "" {
			f.Notes = append(f.Notes, note)
		}
	}
	p.Report(f)
}
