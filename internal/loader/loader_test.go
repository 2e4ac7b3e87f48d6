package loader

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

func names(r *Result) []string {
	out := []string{}
	for _, o := range r.Set.Objects {
		out = append(out, o.String())
	}
	return out
}

func loadText(t *testing.T, text string) *Result {
	t.Helper()
	return LoadText(source.NewFile("app.yaml", text))
}

const (
	configMapA = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
	configMapB = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n"
	brokenC    = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: c\n"
)

func TestDocuments(t *testing.T) {
	ab := []string{"ConfigMap/a", "ConfigMap/b"}
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"separator":               {configMapA + "---\n" + configMapB, ab},
		"leading separator":       {"---\n" + configMapA + "---\n" + configMapB + "---\n", ab},
		"separator and comment":   {configMapA + "--- # the next\n" + configMapB, ab},
		"separator and blanks":    {configMapA + "---  \t\n" + configMapB, ab},
		"CRLF":                    {strings.ReplaceAll(configMapA+"---\n"+configMapB, "\n", "\r\n"), ab},
		"end marker":              {configMapA + "...\n---\n" + configMapB, ab},
		"end marker alone":        {configMapA + "...\n" + configMapB, ab},
		"directive":               {"%YAML 1.1\n---\n" + configMapA, ab[:1]},
		"only comments between":   {configMapA + "---\n# nothing here\n---\n" + configMapB, ab},
		"empty documents":         {"---\n---\n\n---\n" + configMapA, ab[:1]},
		"null document":           {"---\nnull\n---\n" + configMapA, ab[:1]},
		"dashes in a scalar":      {configMapA + "data:\n  x: |\n    a\n    ---\n    b\n---\n" + configMapB, ab},
		"four dashes":             {configMapA + "data:\n  x: a\n# ----\n---\n" + configMapB, ab},
		"JSON":                    {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`, ab[:1]},
		"JSON, one broken":        {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}` + "\n" + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name"}`, ab[:1]},
		"JSON values in sequence": {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}` + "\n" + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}`, ab},
		"flow style":              {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", ab[:1]},
		"content on the marker":   {"--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", ab[:1]},
		"quoted":                  {"\"apiVersion\": \"v1\"\n'kind': ConfigMap\nmetadata: {name: a}\n", ab[:1]},
		"List":                    {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: b}\n", ab},
		"ConfigMapList":           {"apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n", ab},
		"no trailing newline":     {strings.TrimSpace(configMapA), ab[:1]},
		"not Kubernetes":          {"version: 3\nservices: {}\n", []string{}},
		"broken between":          {configMapA + "---\n" + brokenC + "---\n" + configMapB, ab},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, names(loadText(t, test.text))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBrokenDocument(t *testing.T) {
	r := loadText(t, configMapA+"---\n"+brokenC)
	if len(r.Set.Broken) != 1 {
		t.Fatalf("broken documents: %d, want 1", len(r.Set.Broken))
	}
	b := r.Set.Broken[0]
	at := b.Problems[0].Here
	if got := at.File.Position(at.Span.Start); got != (source.Position{Line: 9, Column: 1}) || b.Kind != "ConfigMap" {
		t.Errorf("%s broken at %v, want ConfigMap at 9:1", b.Kind, got)
	}
	if r.Objects != 2 {
		t.Errorf("objects: %d, want 2: a broken object is one", r.Objects)
	}
}

// However a document is written, it is not passed over because it is broken.
func TestBrokenInAnotherStyle(t *testing.T) {
	for text, kind := range map[string]string{
		`{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [}}`:                   "Pod",
		"{\n  \"kind\": \"Pod\",\n  \"apiVersion\": \"v1\",\n  \"spec\": {\"kind\": \"x\"": "Pod",
		"{apiVersion: v1, kind: Pod, metadata: {name: a}":                                  "Pod",
		"\"apiVersion\": v1\n'kind': Pod\nmetadata:\n\tname: a\n":                          "Pod",
		`{"items": [{"apiVersion": "v1", "kind": "Pod"}`:                                   "",
		"replicas: [\napiVersions: v1\nkinds: Pod\n":                                       "",
	} {
		r := loadText(t, text)
		got := ""
		for _, o := range r.Set.Broken {
			got += o.Kind
		}
		if got != kind {
			t.Errorf("%s\nbroken: %q, want %q", text, got, kind)
		}
	}
}

func TestDuplicateKeysOfAnyKind(t *testing.T) {
	r := loadText(t, "apiVersion: v1\nkind: List\nitems:\n- apiVersion: argoproj.io/v1alpha1\n  kind: Rollout\n  metadata: {name: a}\n  spec: {replicas: 1, replicas: 2}\n")
	if len(r.Set.Objects) != 1 || len(r.Set.Objects[0].Problems) != 1 || r.Set.Objects[0].Problems[0].Path.String() != "spec.replicas" {
		t.Errorf("objects %v, want one with the duplicate spec.replicas", r.Set.Objects)
	}
}

func TestTemplatesAreNotes(t *testing.T) {
	for name, text := range map[string]string{
		"helm":         "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-x\n",
		"helm control": "{{- if .Values.x }}\napiVersion: v1\nkind: ConfigMap\n{{- end }}\n",
		"helm quoted":  "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: \"{{ .Values.name }}\"\n",
		"jinja":        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n{% if x %}\n  name: a\n{% endif %}\n",
		"sed, braces":  "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {NAME}.x\n",
		"sed":          "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: @NAME@\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := loadText(t, text)
			if len(r.Notes) != 1 || len(r.Set.Objects)+len(r.Set.Broken) != 0 {
				t.Errorf("notes %v, objects %v, broken %d; want one note", r.Notes, names(r), len(r.Set.Broken))
			}
		})
	}
	// Argo's and Prometheus' own templates inside strings are content.
	r := loadText(t, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: \"{{ $labels.pod }}\"\n")
	if len(r.Set.Objects) != 1 {
		t.Errorf("a template in data is content; notes: %v", r.Notes)
	}
}

func TestEncodings(t *testing.T) {
	utf16Bytes := func(text string, big bool) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune(text)) {
			if big {
				b = append(b, byte(u>>8), byte(u))
			} else {
				b = append(b, byte(u), byte(u>>8))
			}
		}
		return b
	}
	text := configMapA + "data:\n  x: grüße 🙂\n"
	for name, content := range map[string][]byte{
		"UTF-8":               []byte(text),
		"UTF-8 with mark":     []byte("\ufeff" + text),
		"UTF-16LE":            utf16Bytes("\ufeff"+text, false),
		"UTF-16BE":            utf16Bytes("\ufeff"+text, true),
		"UTF-16LE, no mark":   utf16Bytes(text, false),
		"UTF-16BE, no mark":   utf16Bytes(text, true),
		"UTF-8, mark repeats": []byte("\ufeff" + text + "---\n" + configMapB),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodeText(content)
			if err != nil || !strings.HasPrefix(got, text) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	if _, err := decodeText([]byte("a: b\nc: \xff\xfeo\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("invalid UTF-8: %v, want an error that names line 2", err)
	}
}

func TestWorkloads(t *testing.T) {
	const pod = "containers: [{name: app, image: a}], initContainers: [{name: i, image: b}, {name: s, image: c, restartPolicy: Always}]"
	for kind, test := range map[string]struct{ apiVersion, spec, path string }{
		"Pod":                   {"v1", "{" + pod + "}", "spec"},
		"Deployment":            {"apps/v1", "{template: {spec: {" + pod + "}}}", "spec.template.spec"},
		"StatefulSet":           {"apps/v1", "{template: {spec: {" + pod + "}}}", "spec.template.spec"},
		"DaemonSet":             {"apps/v1", "{template: {spec: {" + pod + "}}}", "spec.template.spec"},
		"ReplicaSet":            {"apps/v1", "{template: {spec: {" + pod + "}}}", "spec.template.spec"},
		"ReplicationController": {"v1", "{template: {spec: {" + pod + "}}}", "spec.template.spec"},
		"Job":                   {"batch/v1", "{template: {spec: {" + pod + "}}}", "spec.template.spec"},
		"CronJob":               {"batch/v1", "{jobTemplate: {spec: {template: {spec: {" + pod + "}}}}}", "spec.jobTemplate.spec.template.spec"},
		"Rollout":               {"argoproj.io/v1alpha1", "{template: {spec: {" + pod + "}}}", "spec.template.spec"},
		"Elasticsearch":         {"elasticsearch.k8s.elastic.co/v1", "{nodeSets: [{podTemplate: {spec: {" + pod + "}}}]}", "spec.nodeSets[0].podTemplate.spec"},
	} {
		t.Run(kind, func(t *testing.T) {
			r := loadText(t, "apiVersion: "+test.apiVersion+"\nkind: "+kind+"\nmetadata: {name: x}\nspec: "+test.spec+"\n")
			if len(r.Set.Workloads) != 1 {
				t.Fatalf("workloads: %d, want 1", len(r.Set.Workloads))
			}
			w := r.Set.Workloads[0]
			var roles []string
			for _, c := range w.Containers {
				roles = append(roles, c.Name+":"+c.Role.String()+":"+c.Image)
			}
			if want := []string{"i:init:b", "s:sidecar:c", "app:app:a"}; !slices.Equal(roles, want) || w.PodPath.String() != test.path {
				t.Errorf("containers %v at %s, want %v at %s", roles, w.PodPath, want, test.path)
			}
			if w.Custom != strings.Contains(test.apiVersion, ".") {
				t.Errorf("Custom is %v", w.Custom)
			}
		})
	}
}

func TestKnown(t *testing.T) {
	r := loadText(t, `apiVersion: apps/v1
kind: Deployment
metadata: {name: patch}
spec:
  template:
    spec:
      containers:
        - name: app
          env: [{name: A, value: "{{ b }}"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: whole}
spec:
  template:
    spec:
      containers:
        - name: app
          image: <IMAGE>
`)
	container := node.P("spec", "template", "spec", "containers", 0)
	known := func(o *manifest.Object, steps ...any) bool { return o.Known(container.Append(steps...)) }
	patch, whole := r.Set.Objects[0], r.Set.Objects[1]
	for name, ok := range map[string]bool{
		"absent in a patch":                 !known(patch, "livenessProbe"),
		"a template":                        !known(patch, "env", 0, "value"),
		"written in a patch":                known(patch, "env", 0, "name"),
		"absent where the image is":         known(whole, "livenessProbe"),
		"a placeholder to fill in":          !known(whole, "image"),
		"absent outside the pod of a patch": patch.Known(node.P("spec", "replicas")),
	} {
		if !ok {
			t.Errorf("%s: Known is wrong", name)
		}
	}
}

// tree writes files below a new folder and returns the folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func mustLoad(t *testing.T, o Options) *Result {
	t.Helper()
	r, err := Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFolder(t *testing.T) {
	dir := tree(t, map[string]string{
		".git/config":                     "",
		".gitignore":                      "ignored/\n*.local.yaml\n!keep.local.yaml\n",
		"a.yaml":                          configMapA,
		"b.yml":                           configMapB,
		"c.json":                          `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"json"}}`,
		"d.txt":                           strings.Replace(configMapA, "name: a", "name: txt", 1),
		"ignored/x.yaml":                  configMapA,
		"x.local.yaml":                    configMapA,
		"keep.local.yaml":                 strings.Replace(configMapA, "name: a", "name: kept", 1),
		"sub/.gitignore":                  "/only-here.yaml\n",
		"sub/only-here.yaml":              configMapA,
		"sub/deep/only-here.yaml":         strings.Replace(configMapA, "name: a", "name: deep", 1),
		"vendor/excluded.yaml":            configMapA,
		"values.yaml":                     "image: x\n",
		"chart/Chart.yaml":                "apiVersion: v2\nname: c\n",
		"chart/templates/deployment.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .x }}\n",
		"node_modules/p/x.yaml":           configMapA,
	})
	if err := os.Symlink(filepath.Join(dir, "sub"), filepath.Join(dir, "sub", "loop")); err != nil {
		t.Fatal(err)
	}
	r := mustLoad(t, Options{Paths: []string{dir, filepath.Join(dir, "a.yaml"), dir + "/sub/../b.yml"}, Root: dir, Exclude: []string{"vendor"}, ExcludeRoot: dir})
	want := []string{"ConfigMap/a", "ConfigMap/b", "ConfigMap/json", "ConfigMap/kept", "ConfigMap/deep"}
	if diff := cmp.Diff(want, names(r)); diff != "" {
		t.Error(diff)
	}
	if r.Files != 5 || r.Skipped != 2 || len(r.Problems) != 0 || len(r.Notes) != 2 {
		t.Errorf("files %d, skipped %d, problems %v, notes %v; want 5, 2 (values.yaml, Chart.yaml), none, 2 (chart, loop)", r.Files, r.Skipped, r.Problems, r.Notes)
	}
	for _, o := range r.Set.Objects {
		if filepath.IsAbs(o.File().Path) {
			t.Errorf("%s is shown as %s, want it relative to the root", o, o.File().Path)
		}
	}
}

// A folder that git ignores is read when it is asked for: it often holds what
// helm template or kustomize wrote.
func TestIgnoredFolder(t *testing.T) {
	dir := tree(t, map[string]string{
		".git/config": "", ".gitignore": "build/\n*.local.yaml\n",
		"build/a.yaml": configMapA, "build/sub/b.yaml": configMapB, "build/.gitignore": "c.yaml\n", "build/c.yaml": configMapB,
		"src/a.yaml": configMapA, "src/x.local.yaml": configMapB,
	})
	for name, want := range map[string]int{"build": 2, "build/sub": 1, "src": 1, ".": 1} {
		if r := mustLoad(t, Options{Paths: []string{filepath.Join(dir, name)}, Root: dir}); r.Objects != want {
			t.Errorf("%s: %d objects, want %d", name, r.Objects, want)
		}
	}
}

func TestPaths(t *testing.T) {
	dir := tree(t, map[string]string{"k8s/a.yaml": configMapA, "k8s/b.yaml": configMapB, "empty/readme.yaml": "x: 1\n", "other.yaml": "x: 1\n"})
	at := func(p string) string { return filepath.Join(dir, p) }
	if err := os.Symlink("k8s", at("link")); err != nil {
		t.Fatal(err)
	}
	t.Run("glob", func(t *testing.T) {
		if got := names(mustLoad(t, Options{Paths: []string{at("k8s/*.yaml")}, Root: dir})); len(got) != 2 {
			t.Errorf("objects %v, want two", got)
		}
	})
	t.Run("glob without a match", func(t *testing.T) {
		if r := mustLoad(t, Options{Paths: []string{at("k8s/*.json")}, Root: dir}); len(r.Problems) != 1 {
			t.Errorf("problems %v, want one", r.Problems)
		}
	})
	t.Run("missing, with a neighbour", func(t *testing.T) {
		r := mustLoad(t, Options{Paths: []string{at("k8")}, Root: dir})
		if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message, "did you mean") {
			t.Errorf("problems %v, want one that suggests k8s", r.Problems)
		}
	})
	t.Run("folder without objects", func(t *testing.T) {
		r := mustLoad(t, Options{Paths: []string{at("empty"), at("k8s")}, Root: dir})
		if diff := cmp.Diff([]string{"empty"}, r.EmptyFolders); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a file that is not Kubernetes", func(t *testing.T) {
		r := mustLoad(t, Options{Paths: []string{at("other.yaml")}, Root: dir})
		if r.Skipped != 1 || len(r.Problems)+len(r.EmptyFolders) != 0 {
			t.Errorf("skipped %d, problems %v", r.Skipped, r.Problems)
		}
	})
	t.Run("standard input", func(t *testing.T) {
		r := mustLoad(t, Options{Paths: []string{"-"}, Stdin: strings.NewReader(configMapA), Root: dir})
		if diff := cmp.Diff([]string{"ConfigMap/a"}, names(r)); diff != "" || r.Set.Objects[0].File().Path != "<stdin>" {
			t.Error(diff)
		}
		if r := mustLoad(t, Options{Paths: []string{"-"}, Stdin: strings.NewReader(""), Root: dir}); !r.EmptyStdin {
			t.Error("an empty standard input is not noticed")
		}
	})
	t.Run("one in another", func(t *testing.T) {
		for _, paths := range [][]string{{"k8s", "."}, {".", "k8s"}, {"k8s/a.yaml", "k8s/b.yaml", "k8s"}, {"k8s", "k8s"}, {"k8s", "link"}} {
			for i := range paths {
				paths[i] = at(paths[i])
			}
			if r := mustLoad(t, Options{Paths: paths, Root: dir}); r.Objects != 2 || len(r.EmptyFolders) != 0 {
				t.Errorf("%v: objects %d, want 2; empty %v", paths, r.Objects, r.EmptyFolders)
			}
		}
	})
	t.Run("a link to a folder", func(t *testing.T) {
		r := mustLoad(t, Options{Paths: []string{at("link")}, Root: dir})
		if r.Objects != 2 || !r.Targets["link/a.yaml"] {
			t.Errorf("objects %d, targets %v; want those of k8s, by the name asked for", r.Objects, r.Targets)
		}
	})
	t.Run("links in a folder", func(t *testing.T) {
		links := at("links")
		if err := os.Mkdir(links, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, target := range map[string]string{"folder": "../k8s", "file.yaml": "../k8s/a.yaml", "nowhere.yaml": "nothing", "nowhere": "nothing"} {
			if err := os.Symlink(target, filepath.Join(links, name)); err != nil {
				t.Fatal(err)
			}
		}
		r := mustLoad(t, Options{Paths: []string{links}, Root: dir})
		if r.Objects != 1 || len(r.Notes) != 1 || r.Notes[0].Path != "links/folder" || len(r.Problems) != 1 || r.Problems[0].Path != "links/nowhere.yaml" {
			t.Errorf("objects %d, notes %v, problems %v; want the file, a note on the folder, a problem with nowhere.yaml", r.Objects, r.Notes, r.Problems)
		}
		// What is only looked into has no say.
		r = mustLoad(t, Options{Paths: []string{at("k8s/b.yaml")}, Scope: dir, Root: dir})
		if len(r.Notes)+len(r.Problems) != 0 {
			t.Errorf("of the scope: notes %v, problems %v", r.Notes, r.Problems)
		}
		r = mustLoad(t, Options{Paths: []string{at("k8s/b.yaml")}, Scope: at("nothing"), Root: dir})
		if len(r.Problems) != 1 {
			t.Errorf("a scope that is not there: problems %v", r.Problems)
		}
	})
	t.Run("a pipe", func(t *testing.T) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		name := fmt.Sprintf("/dev/fd/%d", read.Fd())
		if _, err := os.Stat(name); err != nil {
			t.Skip("there is no /dev/fd")
		}
		if _, err := write.WriteString(configMapA); err != nil {
			t.Fatal(err)
		}
		write.Close()
		if r := mustLoad(t, Options{Paths: []string{name}, Root: dir}); r.Objects != 1 {
			t.Errorf("objects %d, problems %v", r.Objects, r.Problems)
		}
	})
	t.Run("scope", func(t *testing.T) {
		r := mustLoad(t, Options{Paths: []string{at("k8s/a.yaml")}, Scope: dir, Root: dir})
		if len(r.Set.Objects) != 2 || r.Objects != 1 || !r.Targets["k8s/a.yaml"] || r.Targets["k8s/b.yaml"] {
			t.Errorf("objects %v, counted %d, targets %v", names(r), r.Objects, r.Targets)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Load(ctx, Options{Paths: []string{dir}}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("too large", func(t *testing.T) {
		big := at("big.yaml")
		if err := os.WriteFile(big, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(big, maxFileSize+1); err != nil {
			t.Fatal(err)
		}
		r := mustLoad(t, Options{Paths: []string{big}, Root: dir})
		if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message, "64 MB") {
			t.Errorf("problems %v, want one that names the bound", r.Problems)
		}
	})
}

func TestKustomizationPatches(t *testing.T) {
	dir := tree(t, map[string]string{
		"base/app.yaml":              "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n",
		"overlay/kustomization.yaml": "resources: [../base]\npatches:\n- path: patch.yaml\n",
		"overlay/patch.yaml":         "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec: {template: {spec: {containers: [{name: a, image: c}]}}}\n",
	})
	r := mustLoad(t, Options{Paths: []string{dir}, Root: dir})
	if len(r.Set.Workloads) != 2 {
		t.Fatalf("workloads: %d, want 2", len(r.Set.Workloads))
	}
	for _, w := range r.Set.Workloads {
		if want := w.File().Path == "overlay/patch.yaml"; w.Patch != want {
			t.Errorf("%s: Patch is %v", w.File().Path, w.Patch)
		}
	}
}

func TestHelmSource(t *testing.T) {
	r := loadText(t, "---\n# Source: app/templates/cm.yaml\n"+configMapA)
	if got := r.Set.Objects[0].Template; got != "app/templates/cm.yaml" {
		t.Errorf("template %q", got)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(configMapA + "--- # x\n" + configMapB + "...\n")
	f.Add("{\"a\":1}{\"b\":2}")
	f.Add("\r\n---\r\n%YAML\n---")
	f.Fuzz(func(t *testing.T, text string) {
		file := source.NewFile("f", text)
		end := 0
		for _, d := range split(file) {
			if d.Start < end || d.End < d.Start || d.End > len(text) {
				t.Fatalf("document %v overlaps or leaves the text", d)
			}
			end = d.End
			if blank(text[d.Start:d.End]) {
				t.Fatalf("document %v is empty", d)
			}
		}
		parse(file) // must not panic
	})
}
