// Package loader turns paths into a set of manifests: it finds files, reads
// them, takes them apart into documents and makes objects and workloads of
// those. Whatever is wrong with one document or file is said and hides nothing
// else.
package loader

import (
	"context"
	"errors"
	"io"
	"maps"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/internal/yamltree"
)

// Options says what to load.
type Options struct {
	// Paths are files, folders, globs and "-" for standard input.
	Paths []string
	// Scope is a folder that is loaded beside Paths so that references into it
	// are seen; nothing in it is reported. Empty: only Paths.
	Scope string
	// Root is the folder that displayed paths are relative to: the working
	// directory, absolute.
	Root string
	// Exclude are doublestar patterns of paths to leave out, relative to
	// ExcludeRoot, an absolute path. They do not apply to files that are named
	// in Paths.
	Exclude     []string
	ExcludeRoot string
	// Stdin is read for "-".
	Stdin io.Reader
	// Progress, when set, is called with the number of files read and found. It
	// is called from several goroutines.
	Progress func(done, total int)
}

// A Result is what was loaded.
type Result struct {
	Set *manifest.Set
	// Targets holds the files that Paths name, by display path; other files
	// were loaded for the sake of references only.
	Targets map[string]bool
	// Problems are inputs that could not be read.
	Problems []diag.Problem
	// Notes are inputs that were left out on purpose.
	Notes []diag.Note
	// Files counts the target files that hold Kubernetes objects, Objects those
	// objects, Skipped the target files that hold none.
	Files, Objects, Skipped int
	// EmptyFolders are the folders of Paths in which there was no Kubernetes
	// object.
	EmptyFolders []string
	// EmptyStdin is true when standard input was to be read and held none.
	EmptyStdin bool
}

// Load reads everything. It fails only when ctx ends.
func Load(ctx context.Context, o Options) (*Result, error) {
	list := find(ctx, o)
	files := make([]*fileResult, len(list.files))
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	work := make(chan int)
	for range min(runtime.GOMAXPROCS(0), max(1, len(list.files))) {
		wg.Go(func() {
			for i := range work {
				files[i] = load(o, list.files[i])
				if o.Progress != nil {
					mu.Lock()
					done++
					o.Progress(done, len(list.files))
					mu.Unlock()
				}
			}
		})
	}
	for i := range list.files {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return assemble(list, files), nil
}

// LoadText makes a set of files held in memory, all of them targets. Tests use
// it.
func LoadText(files ...*source.File) *Result {
	var list foundFiles
	var results []*fileResult
	for _, f := range files {
		list.files = append(list.files, foundFile{display: f.Path, target: true, named: true})
		results = append(results, parse(f))
	}
	return assemble(list, results)
}

// assemble joins the results in the order of the files, which is sorted.
func assemble(list foundFiles, files []*fileResult) *Result {
	r := &Result{Set: &manifest.Set{}, Targets: map[string]bool{}, Problems: list.problems, Notes: list.notes}
	filled := map[string]bool{}
	for i, f := range files {
		found := list.files[i]
		if found.target {
			r.Targets[found.display] = true
			r.Notes = append(r.Notes, f.notes...)
			r.Problems = append(r.Problems, f.problems...)
			switch {
			case f.count > 0:
				r.Files++
				r.Objects += f.count
				for _, folder := range found.folders {
					filled[folder] = true
				}
			case len(f.problems) == 0:
				r.Skipped++
				r.EmptyStdin = r.EmptyStdin || found.stdin
			}
		}
		r.Set.Objects = append(r.Set.Objects, f.objects...)
		r.Set.Workloads = append(r.Set.Workloads, f.workloads...)
		r.Set.Broken = append(r.Set.Broken, f.broken...)
	}
	for _, folder := range list.folders {
		if !filled[folder] {
			r.EmptyFolders = append(r.EmptyFolders, folder)
		}
	}
	markPatches(r.Set)
	return r
}

// A fileResult is what one file gave.
type fileResult struct {
	objects   []*manifest.Object
	workloads []*manifest.Workload
	broken    []*manifest.Object
	count     int // objects, those of unread kinds included
	notes     []diag.Note
	problems  []diag.Problem
}

func load(o Options, f foundFile) *fileResult {
	var file *source.File
	var err error
	if f.stdin {
		file, err = readText(o.Stdin, f.display)
	} else {
		file, err = readFile(f.name, f.display, f.named)
	}
	if err != nil {
		return &fileResult{problems: []diag.Problem{{Path: f.display, Message: err.Error()}}}
	}
	return parse(file)
}

// parse makes objects of a file's documents, those of a large file side by side.
func parse(file *source.File) *fileResult {
	const atOnce = 50
	spans := split(file)
	parts := make([]fileResult, (len(spans)+atOnce-1)/atOnce)
	part := func(i int) {
		for _, span := range spans[i*atOnce : min((i+1)*atOnce, len(spans))] {
			parts[i].document(file, span)
		}
	}
	if len(parts) == 1 {
		part(0)
		return &parts[0]
	}
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { part(i) })
	}
	wg.Wait()
	whole := &fileResult{}
	for _, p := range parts {
		whole.objects = append(whole.objects, p.objects...)
		whole.workloads = append(whole.workloads, p.workloads...)
		whole.broken = append(whole.broken, p.broken...)
		whole.count += p.count
		if len(whole.notes) == 0 { // once a file
			whole.notes = p.notes
		}
	}
	return whole
}

func (r *fileResult) document(file *source.File, span source.Span) {
	text := file.Text[span.Start:span.End]
	h := sniff(text)
	if h.apiVersion == "" && h.kind == "" && kustomization(file.Path) {
		// kustomize takes the two from the file's name.
		h.apiVersion, h.kind = "kustomize.config.k8s.io/v1beta1", "Kustomization"
	}
	kubernetes := h.apiVersion != "" && h.kind != ""
	if !kubernetes && !(strings.Contains(text, "apiVersion") && strings.Contains(text, "kind")) {
		return
	}
	if kubernetes && unread[h.kind] {
		r.count++
		return
	}
	tree, err := yamltree.Parse(file, span)
	bad, ok := errors.AsType[*yamltree.SyntaxError](err)
	if !ok {
		bad = tree.Check()
	}
	if bad != nil {
		r.malformed(file, span, h, bad)
		return
	}
	name, _ := tree.String(node.P("metadata", "name"))
	if template(text) || strings.Contains(name, "{{") {
		r.templateNote(file, span)
		return
	}
	if tree.Has(node.P("apiVersion")) || tree.Has(node.P("kind")) {
		h.apiVersion, _ = tree.String(node.P("apiVersion"))
		h.kind, _ = tree.String(node.P("kind"))
	}
	if h.apiVersion == "" || h.kind == "" {
		return
	}
	r.object(tree, nil, h)
}

func kustomization(name string) bool {
	switch path.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// action matches a line that begins, or whose value begins, with an action of a
// template engine, outside of quotes: YAML makes no sense of that.
var action = regexp.MustCompile(`(?m)^[ \t]*(-[ \t]+)*([^\s"'#{}]+:[ \t]+)?\{[{%]`)

// malformed reports a document that cannot be read: as a note when it is a
// template, as a broken object when it says that it is a Kubernetes object.
func (r *fileResult) malformed(file *source.File, span source.Span, h header, bad *yamltree.SyntaxError) {
	text := file.Text[span.Start:span.End]
	if action.MatchString(text) || placeholderAt(file, bad.Offset) {
		r.templateNote(file, span)
		return
	}
	if h.apiVersion == "" || h.kind == "" {
		h = sniffQuoted(text)
	}
	if h.apiVersion == "" || h.kind == "" {
		return
	}
	r.count++
	at := source.Span{Start: bad.Offset, End: bad.Offset}
	line := file.Position(bad.Offset).Line
	if rest := strings.TrimRight(file.Line(line), " \t"); file.LineStart(line)+len(rest) > bad.Offset {
		at.End = file.LineStart(line) + len(rest)
	}
	here := node.Location{File: file, Span: at}
	o := manifest.NewObject(brokenDocument{here, span}, nil, metav1.TypeMeta{APIVersion: h.apiVersion, Kind: h.kind}, metav1.ObjectMeta{Name: sniffName(text)})
	o.Template = h.source
	o.Problems = []node.Problem{{Kind: node.Malformed, Message: bad.Message, Here: here}}
	r.broken = append(r.broken, o)
}

func (r *fileResult) templateNote(file *source.File, span source.Span) {
	for _, n := range r.notes {
		if n.Location != nil && n.Location.File == file {
			return
		}
	}
	r.notes = append(r.notes, diag.Note{
		Location: &diag.Location{File: file, Span: source.Span{Start: span.Start, End: span.Start}},
		Message:  "is a template, not a manifest: render it first (helm template RELEASE CHART | crashlint -)",
	})
}

// template reports a document that parses though it is a template: quoted
// actions of Helm and other engines.
func template(text string) bool {
	return strings.Contains(text, "{{ .Values") || strings.Contains(text, "{{ .Release") || strings.Contains(text, "{{- ") && strings.Contains(text, "{{ include ")
}

// placeholder matches what people have sed replace: @NAME@, %NAME%, {NAME}.
var placeholder = regexp.MustCompile(`@[^\s@]+@|%[^\s%]+%|\{[A-Z][A-Z0-9_]*\}`)

// placeholderAt reports a syntax error that comes from a placeholder, which YAML
// does not take unquoted.
func placeholderAt(file *source.File, offset int) bool {
	return placeholder.MatchString(file.Line(file.Position(offset).Line))
}

// object makes the object at root of the document, and those of its items where
// it is a list.
func (r *fileResult) object(tree *yamltree.Tree, root node.Path, h header) {
	if items := root.Append("items"); strings.HasSuffix(h.kind, "List") && tree.Has(items) && len(root) == 0 {
		for i := range tree.Len(items) {
			at := items.Append(i)
			item := header{source: h.source}
			item.apiVersion, _ = tree.String(at.Append("apiVersion"))
			item.kind, _ = tree.String(at.Append("kind"))
			if item.kind == "" && h.kind != "List" { // DeploymentList: items of the kind may leave it out
				item.apiVersion, item.kind = h.apiVersion, strings.TrimSuffix(h.kind, "List")
			}
			if item.apiVersion != "" && item.kind != "" {
				r.object(tree, at, item)
			}
		}
		return
	}
	r.count++
	if k, ok := typedKind(h); ok {
		r.typed(tree, root, h, k)
		return
	}
	var head struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
	}
	tree.Decode(root, &head)
	o := manifest.NewObject(tree, root, metav1.TypeMeta{APIVersion: h.apiVersion, Kind: h.kind}, head.Metadata)
	o.Template = h.source
	o.Problems = tree.Duplicates(root)
	r.objects = append(r.objects, o)
	if place, ok := tree.Locate(root, node.Value); ok && strings.Contains(place.File.Text[place.Span.Start:place.Span.End], "containers") {
		r.workloads = append(r.workloads, embedded(tree, root, o)...)
	}
}

func (r *fileResult) typed(tree *yamltree.Tree, root node.Path, h header, k kind) {
	value, meta, pod, podPath, podMeta := k.make()
	problems := tree.Decode(root, value)
	o := manifest.NewObject(tree, root, metav1.TypeMeta{APIVersion: h.apiVersion, Kind: h.kind}, *meta)
	o.Typed, o.Template = value, h.source
	stable := h.apiVersion == "v1" || strings.HasSuffix(h.apiVersion, "/v1")
	for _, p := range problems {
		// Beta versions had fields of their own, and fields of a patch such as
		// $patch or $setElementOrder are directives.
		if p.Kind == node.UnknownField && (!stable || strings.HasPrefix(p.Message, "$")) {
			if strings.HasPrefix(p.Message, "$") {
				o.Patch = true
			}
			continue
		}
		o.Problems = append(o.Problems, p)
	}
	r.objects = append(r.objects, o)
	if w := workload(o, pod, podPath, podMeta); w != nil {
		r.workloads = append(r.workloads, w)
	}
}

// embedded finds the pod templates in a custom resource by their shape: a
// mapping whose `containers` is a list of mappings of which one has an image.
func embedded(tree *yamltree.Tree, objectRoot node.Path, o *manifest.Object) []*manifest.Workload {
	root, _ := o.Value(nil)
	var out []*manifest.Workload
	var walk func(v any, p node.Path)
	walk = func(v any, p node.Path) {
		switch v := v.(type) {
		case map[string]any:
			if podShaped(v) {
				out = append(out, customWorkload(tree, objectRoot, o, p))
				return
			}
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(v[k], p.Append(k))
			}
		case []any:
			for i, e := range v {
				walk(e, p.Append(i))
			}
		}
	}
	walk(root, nil)
	return out
}

func podShaped(m map[string]any) bool {
	list, _ := m["containers"].([]any)
	images := false
	for _, e := range list {
		c, ok := e.(map[string]any)
		if !ok {
			return false
		}
		if _, ok := c["name"].(string); !ok {
			return false
		}
		if s, ok := c["image"].(string); ok && s != "" {
			images = true
		}
	}
	return images
}

func customWorkload(tree *yamltree.Tree, root node.Path, o *manifest.Object, at node.Path) *manifest.Workload {
	var pod corev1.PodSpec
	var meta metav1.ObjectMeta
	metaPath := node.P("metadata")
	tree.Decode(root.Append(at), &pod)
	if n := len(at); n > 0 {
		if k, _ := at[n-1].Key(); k == "spec" {
			metaPath = at[:n-1].Append("metadata")
		}
	}
	tree.Decode(root.Append(metaPath), &meta)
	o.Open(at)
	w := manifest.NewWorkload(o, &pod, at, meta, metaPath)
	w.Custom = true
	return w
}

// markPatches marks the objects of files that a kustomization names as patches:
// they are laid over objects written elsewhere.
func markPatches(set *manifest.Set) {
	patches := map[string]bool{}
	for _, o := range set.Objects {
		if o.Kind != "Kustomization" && o.Kind != "Component" || !strings.HasPrefix(o.APIVersion, "kustomize.config.k8s.io/") {
			continue
		}
		for _, p := range patchFiles(o) {
			patches[path.Join(o.Dir(), p)] = true
		}
	}
	for _, o := range set.Objects {
		if patches[o.File().Path] {
			o.Patch = true
		}
	}
}

func patchFiles(o *manifest.Object) []string {
	var files []string
	if list, ok := o.Value(node.P("patchesStrategicMerge")); ok {
		l, _ := list.([]any)
		for _, e := range l {
			if s, ok := e.(string); ok && !strings.Contains(s, "\n") {
				files = append(files, s)
			}
		}
	}
	for _, field := range []string{"patches", "patchesJson6902"} {
		list, _ := o.Value(node.P(field))
		l, _ := list.([]any)
		for _, e := range l {
			m, _ := e.(map[string]any)
			if s, ok := m["path"].(string); ok {
				files = append(files, s)
			}
		}
	}
	return files
}

// A brokenDocument stands for a document that could not be parsed: everything
// in it is where it broke.
type brokenDocument struct {
	at   node.Location
	span source.Span
}

func (b brokenDocument) Locate(node.Path, node.Target) (node.Location, bool) { return b.at, true }
func (b brokenDocument) Constant(node.Path) bool                             { return true }
func (b brokenDocument) Value(node.Path) (any, bool)                         { return nil, false }
func (b brokenDocument) Has(node.Path) bool                                  { return false }
func (b brokenDocument) File() *source.File                                  { return b.at.File }
func (b brokenDocument) Span() source.Span                                   { return b.span }
func (b brokenDocument) Embedded(node.Path) (node.Embedded, *node.Problem)   { return nil, nil }
func (b brokenDocument) Inside(node.Path, source.Span) (node.Location, bool) { return b.at, false }
func (b brokenDocument) Edit(...node.Op) ([]source.Edit, error) {
	return nil, errors.New("a document that is not YAML cannot be edited")
}
