package report

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// many is a result of 10,000 diagnostics in 1,000 files.
func many(b *testing.B) *diag.Result {
	b.Helper()
	r := &diag.Result{Rules: sample(b).Rules, Files: 1000, Objects: 1000, Workloads: 1000}
	for i := range 1000 {
		f := source.NewFile(fmt.Sprintf("k8s/app-%d/deployment.yaml", i), apiYAML)
		for j := range 10 {
			r.Diagnostics = append(r.Diagnostics, &diag.Diagnostic{
				Rule: "jvm-heap-over-limit", Severity: diag.Severity(j%3 + 1),
				Message:  fmt.Sprintf("container %d gives its heap all of its 2Gi memory limit", j),
				Location: at(b, f, "-Xmx2g", 0), Path: "spec.template.spec.containers[0]",
				Object:  diag.Object{Kind: "Deployment", Name: fmt.Sprint("api-", i)},
				Related: []diag.Related{{Location: at(b, f, "2Gi", 0), Message: "limit"}},
				Fixes:   []diag.Fix{{Message: "less", Safety: diag.Unsafe, Edits: []source.Edit{{Span: at(b, f, "-Xmx2g", 0).Span, New: "-Xmx1536m"}}}},
			})
		}
	}
	return r
}

// oneLine is a result of 10,000 diagnostics in one line of 4 MB.
func oneLine() *diag.Result {
	item := `{"kind":"Pod","metadata":{"name":"größe"},"spec":{"containers":[{"image":"x","name":"c"}]}},`
	item += strings.Repeat(" ", 400-len(item))
	f := source.NewFile("list.json", `{"items":[`+strings.Repeat(item, 10000)+`]}`)
	r := &diag.Result{Files: 1, Objects: 10000, Workloads: 10000}
	for i := range 10000 {
		start := len(`{"items":[`) + i*len(item) + strings.Index(item, "containers")
		r.Diagnostics = append(r.Diagnostics, &diag.Diagnostic{
			Rule: "r", Severity: diag.Error, Message: "m",
			Location: diag.Location{File: f, Span: source.Span{Start: start, End: start + 10}},
		})
	}
	return r
}

func BenchmarkWrite(b *testing.B) {
	for name, r := range map[string]*diag.Result{"files": many(b), "line": oneLine()} {
		for _, format := range Formats() {
			b.Run(name+"/"+format, func(b *testing.B) {
				for b.Loop() {
					if err := Write(io.Discard, format, r, Options{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
