package picture

import (
	"bufio"
	"embed"
	"html/template"
	"sync"

	"github.com/crashlint/crashlint/internal/timeline"
)

//go:embed page.tmpl figure.tmpl
var sources embed.FS

// templates escape what comes from manifests by where it stands. They are parsed
// when the first is needed: every start of the program would pay for it.
var templates = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(sources, "*.tmpl")) })

func writeSVG(out *bufio.Writer, list []timeline.Timeline, _ Options) error {
	f := draw("timeline", worstFirst(list), wide, true)
	f.Alone, f.Margin = true, 16
	return templates().ExecuteTemplate(out, "svg", f)
}
