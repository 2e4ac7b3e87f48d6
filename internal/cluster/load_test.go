package cluster_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/source"
)

// load reads files from a text in which each begins at a line "## path"; text
// without one is the file app.yaml.
func load(t *testing.T, text string, options cluster.Options) *cluster.Cluster {
	t.Helper()
	var files []*source.File
	if !strings.HasPrefix(text, "## ") {
		text = "## app.yaml\n" + text
	}
	for part := range strings.SplitSeq(text[len("## "):], "\n## ") {
		path, body, _ := strings.Cut(part, "\n")
		files = append(files, source.NewFile(path, body))
	}
	slices.SortFunc(files, func(a, b *source.File) int { return strings.Compare(a.Path, b.Path) })
	return cluster.New(loader.LoadText(files...).Set, options)
}

// container returns the only container, or the one of that name.
func container(t *testing.T, c *cluster.Cluster, name string) *manifest.Container {
	t.Helper()
	for _, w := range c.Workloads {
		for _, ctr := range w.Containers {
			if name == "" || ctr.Name == name {
				return ctr
			}
		}
	}
	t.Fatalf("no container %q", name)
	return nil
}

// indent shifts lines to the right.
func indent(n int, text string) string {
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+pad) + "\n"
}

// deployment writes a Deployment around the fields of its only container.
func deployment(meta, ctr string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api" + meta + "}\nspec:\n  selector: {matchLabels: {a: b}}\n" +
		"  template:\n    metadata: {labels: {a: b}, annotations: {team: x}}\n    spec:\n      containers:\n        - name: api\n          image: example.com/api:1\n" + indent(10, ctr)
}
