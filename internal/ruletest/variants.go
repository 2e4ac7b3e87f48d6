package ruletest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/rule"
)

// A variant writes the files of a fixture in another way. What is found must
// stay the same.
type variant struct {
	name string
	// write returns the files rewritten, false when it does not apply.
	write func([]fixtureFile) ([]fixtureFile, bool)
	// moved maps a finding to where the variant puts it, false when the variant
	// has no such place; nil when all stay.
	moved func(object, path string) (string, string, bool)
}

var variants = append([]variant{
	{name: "crlf", write: each(func(text string) (string, bool) {
		return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"), true
	})},
	{name: "second", write: each(func(text string) (string, bool) {
		return "apiVersion: v1\nkind: Namespace\nmetadata: {name: ruletest-first-document}\n--- # the fixture\n" + strings.TrimPrefix(text, "---\n"), true
	})},
	{name: "json", write: each(func(text string) (string, bool) {
		docs, ok := toJSON(text)
		return strings.Join(docs, "\n"), ok
	})},
	{name: "list", write: each(func(text string) (string, bool) {
		docs, ok := toJSON(text)
		return "apiVersion: v1\nkind: List\nitems:\n  - " + strings.Join(docs, "\n  - ") + "\n", ok
	})},
}, kindVariants()...)

func each(write func(string) (string, bool)) func([]fixtureFile) ([]fixtureFile, bool) {
	return func(files []fixtureFile) ([]fixtureFile, bool) {
		out := make([]fixtureFile, len(files))
		for i, f := range files {
			text, ok := write(f.text)
			if !ok {
				return nil, false
			}
			out[i] = fixtureFile{path: f.path, text: text}
		}
		return out, true
	}
}

// toJSON returns the documents of a file as JSON, each in one line.
func toJSON(text string) ([]string, bool) {
	var out []string
	for _, doc := range regexp.MustCompile(`(?m)^---([ \t].*)?$`).Split(text, -1) {
		b, err := yaml.YAMLToJSON([]byte(doc))
		if err != nil {
			return nil, false
		}
		if s := string(b); s != "null" {
			out = append(out, s)
		}
	}
	return out, len(out) > 0
}

// kindVariants turn Deployments into other kinds with the same pod template.
func kindVariants() []variant {
	var out []variant
	for _, kind := range []string{"StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Pod"} {
		out = append(out, variant{
			name: strings.ToLower(kind),
			write: func(files []fixtureFile) ([]fixtureFile, bool) {
				changed := false
				files, ok := each(func(text string) (string, bool) {
					docs, ok := toJSON(text)
					if !ok {
						return "", false
					}
					for i, doc := range docs {
						if s, ok := rewrap(doc, kind); ok {
							docs[i], changed = s, true
						}
					}
					return strings.Join(docs, "\n"), true
				})(files)
				return files, ok && changed
			},
			moved: func(object, path string) (string, string, bool) {
				name, ok := strings.CutPrefix(object, "Deployment/")
				if !ok {
					return object, path, true
				}
				rest, inTemplate := strings.CutPrefix(path, "spec.template")
				return kind + "/" + name, templateAt[kind] + rest, inTemplate
			},
		})
	}
	return out
}

// templateAt is where a kind holds its pod template.
var templateAt = map[string]string{
	"StatefulSet": "spec.template", "DaemonSet": "spec.template", "ReplicaSet": "spec.template", "CronJob": "spec.jobTemplate.spec.template", "Pod": "",
}

// rewrap returns the Deployment in doc as an object of another kind.
func rewrap(doc, kind string) (string, bool) {
	var o map[string]any
	if json.Unmarshal([]byte(doc), &o) != nil || o["kind"] != "Deployment" {
		return "", false
	}
	spec, _ := o["spec"].(map[string]any)
	template, ok := spec["template"]
	if !ok {
		return "", false
	}
	o["kind"] = kind
	switch kind {
	case "CronJob":
		o["apiVersion"] = "batch/v1"
		o["spec"] = map[string]any{"schedule": "@hourly", "jobTemplate": map[string]any{"spec": map[string]any{"template": template}}}
	case "Pod":
		o["apiVersion"] = "v1"
		pod, _ := template.(map[string]any)
		metadata, _ := pod["metadata"].(map[string]any)
		own, _ := o["metadata"].(map[string]any)
		if metadata == nil {
			metadata = map[string]any{}
		}
		metadata["name"] = own["name"]
		if ns, ok := own["namespace"]; ok {
			metadata["namespace"] = ns
		}
		o["metadata"], o["spec"] = metadata, pod["spec"]
	default:
		o["spec"] = map[string]any{"selector": spec["selector"], "template": template}
	}
	b, err := json.Marshal(o)
	return string(b), err == nil
}

// checkVariants runs the fixture in every other writing.
func (f *fixture) checkVariants(family *rule.Family, r *rule.Rule, found result) []string {
	var out []string
	for _, v := range variants {
		if slices.Contains(f.skip, v.name) || v.moved != nil && slices.Contains(f.skip, "kind") {
			continue
		}
		files, ok := v.write(f.files)
		if !ok {
			continue
		}
		got := f.run(family, r, files)
		want := v.signatures(found.diagnostics, true)
		have := v.signatures(got.diagnostics, false)
		if !slices.Equal(want, have) {
			out = append(out, fmt.Sprintf("variant %s:\n  as written: %s\n  rewritten:  %s\n%s", v.name, strings.Join(want, "\n              "), strings.Join(have, "\n              "), files[0].text))
		}
		for _, d := range got.diagnostics {
			if s := d.Location.Span; s.End <= s.Start || s.End > len(d.Location.File.Text) {
				out = append(out, fmt.Sprintf("variant %s: the place %v of %s is empty or outside its file", v.name, s, d.FullyQualifiedName()))
			}
		}
	}
	return out
}

var lineNumber = regexp.MustCompile(`(line |:)[0-9]+`)

// signatures names findings by what must not change, in order of their names.
func (v variant) signatures(ds []*diag.Diagnostic, move bool) []string {
	out := []string{}
	for _, d := range ds {
		object, path := d.Object.String(), d.Path
		message := lineNumber.ReplaceAllString(d.Message, "$1N")
		if v.moved != nil {
			message = "" // it may name the kind
			if move {
				var there bool
				if object, path, there = v.moved(object, path); !there {
					continue
				}
				path = strings.TrimPrefix(path, ".")
			}
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s:%s %s", d.Rule, d.Severity, object, path, message)))
	}
	slices.Sort(out)
	return out
}
