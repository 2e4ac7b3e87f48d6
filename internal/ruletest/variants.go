package ruletest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/rule"
)

// A variant writes the files of a fixture in another way. What is found must
// stay the same.
type variant struct {
	name  string
	files []fixtureFile
	load  func([]fixtureFile) (*loader.Result, error)
	// sameText is true where findings point at the same text as well.
	sameText bool
	// from and to are the kinds between which the pod moves; nil where it stays.
	from, to *wrap
}

// variantNames are what skip= may name.
var variantNames = []string{"crlf", "bom", "second", "list", "json", "kind", "deployment", "statefulset", "daemonset", "replicaset", "cronjob", "pod"}

// variants returns the ways to write the fixture that it does not skip.
func (f *fixture) variants() []variant {
	inMemory := func(files []fixtureFile) (*loader.Result, error) { return load(files), nil }
	list := []variant{
		{name: "crlf", sameText: true, load: inMemory, files: f.each(func(text string) string {
			return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
		})},
		{name: "bom", sameText: true, load: fromDisk, files: f.each(func(text string) string { return "\ufeff" + text })},
		{name: "second", sameText: true, load: inMemory, files: f.eachManifest(func(text string) string {
			return firstDocument + strings.TrimPrefix(text, "---\n")
		})},
		{name: "list", sameText: true, load: inMemory, files: f.eachManifest(toList)},
		{name: "json", load: inMemory, files: f.eachManifest(func(text string) string {
			docs := documents(text)
			for i := range docs {
				docs[i] = toJSON(docs[i])
			}
			return join(docs)
		})},
	}
	if !slices.Contains(f.skip, "kind") {
		for _, v := range f.otherKinds() {
			v.load = inMemory
			list = append(list, v)
		}
	}
	return slices.DeleteFunc(list, func(v variant) bool { return slices.Contains(f.skip, v.name) })
}

// firstDocument is about nothing that a rule asks for.
const firstDocument = `apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: ruletest-first-document}
value: 1000
--- # the fixture
`

func (f *fixture) each(write func(string) string) []fixtureFile {
	out := slices.Clone(f.files)
	for i := range out {
		out[i].text = write(out[i].text)
	}
	return out
}

// eachManifest leaves kustomizations alone: each is a file of one document, in
// YAML.
func (f *fixture) eachManifest(write func(string) string) []fixtureFile {
	out := slices.Clone(f.files)
	for i := range out {
		if base := path.Base(out[i].path); strings.TrimSuffix(base, path.Ext(base)) != "kustomization" {
			out[i].text = write(out[i].text)
		}
	}
	return out
}

// fromDisk loads the files as the program does, bytes and all.
func fromDisk(files []fixtureFile) (result *loader.Result, err error) {
	dir, err := os.MkdirTemp("", "ruletest")
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := os.RemoveAll(dir); err == nil {
			err = e
		}
	}()
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, []byte(f.text), 0o600); err != nil {
			return nil, err
		}
	}
	return loader.Load(context.Background(), loader.Options{Paths: []string{dir}, Root: dir})
}

var separator = regexp.MustCompile(`(?m)^---(?:[ \t].*)?\r?$\n?`)

// documents takes a file apart; --- at the margin ends a block of text, too.
func documents(text string) []string {
	var out []string
	for _, doc := range separator.Split(text, -1) {
		for line := range strings.Lines(doc) {
			if t := strings.TrimSpace(line); t != "" && t[0] != '#' && t != "..." {
				out = append(out, doc)
				break
			}
		}
	}
	return out
}

func join(docs []string) string {
	var b strings.Builder
	for i, doc := range docs {
		if i > 0 {
			b.WriteString("---\n")
		}
		b.WriteString(strings.TrimSuffix(doc, "\n") + "\n")
	}
	return b.String()
}

// toJSON converts a document. One that cannot be read, or that says more than
// JSON can, with a key written twice, stays as it is.
func toJSON(doc string) string {
	b, err := yaml.YAMLToJSONStrict([]byte(doc))
	if err != nil {
		return doc
	}
	var out bytes.Buffer
	if json.Indent(&out, b, "", "  ") != nil {
		return doc
	}
	return out.String()
}

// toList makes the documents the items of a List, written as they are.
func toList(text string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: List\nitems:\n")
	for _, doc := range documents(text) {
		lead := "  - "
		for line := range strings.Lines(strings.TrimSuffix(doc, "\n") + "\n") {
			switch t := strings.TrimSpace(line); {
			case t == "" || t == "..." && line[0] == '.':
				b.WriteString("\n")
			case lead == "  - " && t[0] == '#':
				b.WriteString("    " + line)
			default:
				b.WriteString(lead + line)
				lead = "    "
			}
		}
	}
	return b.String()
}

// A wrap is a kind that holds a pod.
type wrap struct {
	kind      string
	pod, meta string // the paths of the pod's spec and metadata
	make      func(from, template map[string]any) map[string]any
}

var (
	deployment = &wrap{"Deployment", "spec.template.spec", "spec.template.metadata", ofApps("Deployment", "replicas")}
	barePod    = &wrap{"Pod", "spec", "metadata", func(from, template map[string]any) map[string]any {
		meta := merged(template["metadata"], map[string]any{})
		for k, v := range merged(from["metadata"]) {
			if k == "name" || k == "namespace" {
				meta[k] = v
			}
		}
		return map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
	}}
	cronJob = &wrap{"CronJob", "spec.jobTemplate.spec.template.spec", "spec.jobTemplate.spec.template.metadata", func(from, template map[string]any) map[string]any {
		pod := merged(template["spec"])
		if p := pod["restartPolicy"]; p == nil || p == "Always" {
			pod["restartPolicy"] = "OnFailure" // the pods of a Job may not have Always
		}
		return map[string]any{"apiVersion": "batch/v1", "kind": "CronJob", "metadata": from["metadata"], "spec": map[string]any{
			"schedule": "@hourly", "jobTemplate": map[string]any{"spec": map[string]any{"template": merged(template, map[string]any{"spec": pod})}},
		}}
	}}
	wraps = []*wrap{
		deployment,
		{"StatefulSet", "spec.template.spec", "spec.template.metadata", ofApps("StatefulSet", "replicas")},
		{"DaemonSet", "spec.template.spec", "spec.template.metadata", ofApps("DaemonSet")},
		{"ReplicaSet", "spec.template.spec", "spec.template.metadata", ofApps("ReplicaSet", "replicas")},
		cronJob,
		barePod,
	}
)

// ofApps makes a kind of apps/v1 with the fields that it shares with a
// Deployment.
func ofApps(kind string, fields ...string) func(from, template map[string]any) map[string]any {
	return func(from, template map[string]any) map[string]any {
		spec := map[string]any{"selector": map[string]any{}, "template": template}
		if from["kind"] != "Pod" {
			old := merged(from["spec"])
			for _, f := range append([]string{"selector"}, fields...) {
				if v, ok := old[f]; ok {
					spec[f] = v
				}
			}
		}
		return map[string]any{"apiVersion": "apps/v1", "kind": kind, "metadata": from["metadata"], "spec": spec}
	}
}

func merged(list ...any) map[string]any {
	out := map[string]any{}
	for _, m := range list {
		m, _ := m.(map[string]any)
		maps.Copy(out, m)
	}
	return out
}

var podKinds = []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod"}

// otherKinds are the fixture with its one workload, a Deployment or a Pod, as
// the other kinds.
func (f *fixture) otherKinds() []variant {
	var object map[string]any
	var inFile, inDoc int
	for i, file := range f.files {
		for j, doc := range documents(file.text) {
			b, err := yaml.YAMLToJSONStrict([]byte(doc))
			var m map[string]any
			if err != nil || json.Unmarshal(b, &m) != nil {
				return nil // converting would lose something
			}
			kind, _ := m["kind"].(string)
			if strings.HasSuffix(kind, "List") || slices.Contains(podKinds, kind) && object != nil {
				return nil
			}
			if slices.Contains(podKinds, kind) {
				object, inFile, inDoc = m, i, j
			}
		}
	}
	from, template := deployment, merged(merged(object["spec"])["template"])
	switch object["kind"] {
	case "Deployment":
	case "Pod":
		meta := merged(object["metadata"])
		delete(meta, "name")
		delete(meta, "namespace")
		from, template = barePod, map[string]any{"metadata": meta, "spec": object["spec"]}
	default:
		return nil
	}
	var out []variant
	for _, to := range wraps {
		if to == from {
			continue
		}
		docs := documents(f.files[inFile].text)
		b, err := json.MarshalIndent(to.make(object, template), "", "  ")
		if err != nil {
			return nil
		}
		docs[inDoc] = string(b)
		files := slices.Clone(f.files)
		files[inFile].text = join(docs)
		out = append(out, variant{name: strings.ToLower(to.kind), files: files, from: from, to: to})
	}
	return out
}

// has reports a field of the pod, all that different kinds have in common. A
// Pod's metadata is the object's as well.
func (w *wrap) has(field string) bool {
	within := func(p string) bool { return field == p || strings.HasPrefix(field, p+".") }
	return within(w.pod) || w != barePod && within(w.meta)
}

// move returns where a field of the pod stands in another kind.
func (w *wrap) move(field string, to *wrap) string {
	if rest, ok := strings.CutPrefix(field, w.pod); ok {
		return to.pod + rest
	}
	return to.meta + strings.TrimPrefix(field, w.meta)
}

// moved is the finding as it should be in the other kind, nil for one about
// something that the kinds do not share.
func (v variant) moved(d *diag.Diagnostic) *diag.Diagnostic {
	if v.from == nil {
		return d
	}
	out := *d
	if d.Object.Kind == v.from.kind {
		if !v.from.has(d.Path) || !v.to.has(v.from.move(d.Path, v.to)) {
			return nil
		}
		out.Object.Kind, out.Path = v.to.kind, v.from.move(d.Path, v.to)
	}
	if v.from != barePod { // whose path is too short to be told from other words
		out.Message = strings.ReplaceAll(out.Message, v.from.pod, v.to.pod)
	}
	out.Message = strings.ReplaceAll(out.Message, v.from.kind, v.to.kind)
	return &out
}

// kept reports a finding in the other kind that should be in the fixture too.
func (v variant) kept(d *diag.Diagnostic) *diag.Diagnostic {
	if v.to != nil && d.Object.Kind == v.to.kind && (!v.to.has(d.Path) || !v.from.has(v.to.move(d.Path, v.from))) {
		return nil
	}
	return d
}

// checkVariants runs the fixture in every other writing.
func (f *fixture) checkVariants(family *rule.Family, r *rule.Rule, found result) []string {
	var out []string
	for _, v := range f.variants() {
		complain := func(format string, args ...any) {
			out = append(out, fmt.Sprintf("variant %s: ", v.name)+fmt.Sprintf(format, args...))
		}
		loaded, err := v.load(v.files)
		if err != nil {
			complain("%v", err)
			continue
		}
		got := f.run(family, r, loaded)
		want, have := signatures(found.diagnostics, v.moved), signatures(got.diagnostics, v.kept)
		if !slices.Equal(want, have) {
			complain("\n  as written: %s\n  rewritten:  %s\n  (to leave it out: # ruletest: skip=%s -- reason)", strings.Join(want, "\n              "), strings.Join(have, "\n              "), v.name)
			continue
		}
		for _, d := range got.diagnostics {
			if s := d.Location.Span; s.End <= s.Start || s.End > len(d.Location.File.Text) {
				complain("the place %v of %s is empty or outside its file", s, d.FullyQualifiedName())
			}
		}
		if before, after := places(found.diagnostics), places(got.diagnostics); v.sameText && !slices.Equal(before, after) {
			complain("the findings point at\n  as written: %s\n  rewritten:  %s", strings.Join(before, "\n              "), strings.Join(after, "\n              "))
		}
	}
	return out
}

// lineNumber is what a message may say that depends on how a file is written.
var lineNumber = regexp.MustCompile(`(\blines? |:)[0-9]+`)

// signatures names findings by what must not change, in order of their names.
// Those for which change returns nil are left out.
func signatures(ds []*diag.Diagnostic, change func(*diag.Diagnostic) *diag.Diagnostic) []string {
	out := []string{}
	for _, d := range ds {
		if change != nil {
			if d = change(d); d == nil {
				continue
			}
		}
		message := lineNumber.ReplaceAllString(d.Message, "${1}N")
		out = append(out, fmt.Sprintf("%s %s %s%s:%s %s", d.Rule, d.Severity, d.Object, inNamespace(d.Object), d.Path, message))
	}
	slices.Sort(out)
	return out
}

func inNamespace(o diag.Object) string {
	if o.Namespace == "" {
		return ""
	}
	return " in " + o.Namespace
}

// places names findings with the text that they point at, blanks aside.
func places(ds []*diag.Diagnostic) []string {
	var out []string
	for _, d := range ds {
		text := d.Location.File.Text[d.Location.Span.Start:d.Location.Span.End]
		out = append(out, fmt.Sprintf("%s %s %q", d.Rule, d.FullyQualifiedName(), strings.Join(strings.Fields(text), " ")))
	}
	slices.Sort(out)
	return out
}
