package report

import (
	"bufio"
	"bytes"
	"encoding/json"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// jsonVersion is the version of the format that schema/report.schema.json
// describes. Fields may be added under the same version; nothing is taken away
// or given another meaning.
const jsonVersion = 1

type jsonReport struct {
	Version     int              `json:"version"`
	Tool        jsonTool         `json:"tool"`
	Summary     jsonSummary      `json:"summary"`
	Diagnostics []jsonDiagnostic `json:"diagnostics"`
	Problems    []jsonProblem    `json:"problems"`
	Notes       []jsonProblem    `json:"notes"`
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type jsonSummary struct {
	Files      int       `json:"files"`
	Objects    int       `json:"objects"`
	Workloads  int       `json:"workloads"`
	Skipped    int       `json:"skipped"`
	Errors     int       `json:"errors"`
	Warnings   int       `json:"warnings"`
	Infos      int       `json:"infos"`
	Suppressed int       `json:"suppressed"`
	Hidden     jsonTally `json:"hidden"`
}

type jsonTally struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Infos    int `json:"infos"`
}

type jsonPosition struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

type jsonPlace struct {
	File  string       `json:"file"`
	Start jsonPosition `json:"start"`
	End   jsonPosition `json:"end"`
}

type jsonDiagnostic struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	jsonPlace
	Object      *jsonObject      `json:"object"`
	Path        string           `json:"path"`
	Template    string           `json:"template"`
	Fingerprint string           `json:"fingerprint"`
	Related     []jsonRelated    `json:"related"`
	Notes       []string         `json:"notes"`
	Fixes       []jsonFix        `json:"fixes"`
	Suppressed  *jsonSuppression `json:"suppressed"`
}

type jsonObject struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type jsonRelated struct {
	Message string `json:"message"`
	jsonPlace
}

type jsonFix struct {
	Message string     `json:"message"`
	Safety  string     `json:"safety"`
	Edits   []jsonEdit `json:"edits"`
}

type jsonEdit struct {
	Start jsonPosition `json:"start"`
	End   jsonPosition `json:"end"`
	Text  string       `json:"text"`
}

type jsonSuppression struct {
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

type jsonProblem struct {
	Message string        `json:"message"`
	File    string        `json:"file"`
	Start   *jsonPosition `json:"start"`
	End     *jsonPosition `json:"end"`
}

func writeJSON(out *bufio.Writer, v *view) error {
	r := jsonReport{
		Version: jsonVersion,
		Tool:    jsonTool{Name: "crashlint", Version: v.Version},
		Summary: jsonSummary{
			Files: v.Files, Objects: v.Objects, Workloads: v.Workloads, Skipped: v.Skipped,
			Errors: v.count[diag.Error], Warnings: v.count[diag.Warning], Infos: v.count[diag.Info],
			Suppressed: v.suppressed,
			Hidden:     jsonTally{v.hidden[diag.Error], v.hidden[diag.Warning], v.hidden[diag.Info]},
		},
		Diagnostics: make([]jsonDiagnostic, 0, len(v.shown)),
		Problems:    v.jsonProblems(v.Problems),
		Notes:       v.jsonProblems(v.Notes),
	}
	for _, d := range v.shown {
		r.Diagnostics = append(r.Diagnostics, v.jsonOf(d))
	}
	return encode(out, r)
}

func (v *view) jsonOf(d *diag.Diagnostic) jsonDiagnostic {
	j := jsonDiagnostic{
		Rule: d.Rule, Severity: d.Severity.String(), Message: d.Message,
		jsonPlace: v.jsonPlace(d.Location),
		Path:      d.Path, Template: d.Template,
		Fingerprint: fingerprint(d),
		Related:     make([]jsonRelated, 0, len(d.Related)),
		Notes:       append([]string{}, d.Notes...),
		Fixes:       make([]jsonFix, 0, len(d.Fixes)),
	}
	if d.Object != (diag.Object{}) {
		j.Object = &jsonObject{d.Object.Kind, d.Object.Name, d.Object.Namespace}
	}
	for _, r := range d.Related {
		j.Related = append(j.Related, jsonRelated{r.Message, v.jsonPlace(r.Location)})
	}
	for _, f := range d.Fixes {
		fix := jsonFix{Message: f.Message, Safety: f.Safety.String(), Edits: []jsonEdit{}}
		if d.Location.File != nil && spelled(d, f) {
			for _, e := range f.Edits {
				span := clamp(d.Location.File, e.Span)
				fix.Edits = append(fix.Edits, jsonEdit{
					jsonPosition(v.position(d.Location.File, span.Start)),
					jsonPosition(v.position(d.Location.File, span.End)), e.New,
				})
			}
		}
		j.Fixes = append(j.Fixes, fix)
	}
	if s := d.Suppressed; s != nil {
		j.Suppressed = &jsonSuppression{s.Kind, s.Reason}
	}
	return j
}

func (v *view) jsonPlace(l diag.Location) jsonPlace {
	path, start, end := v.place(l)
	return jsonPlace{path, jsonPosition(start), jsonPosition(end)}
}

func (v *view) jsonProblems(ps []diag.Problem) []jsonProblem {
	out := make([]jsonProblem, 0, len(ps))
	for _, p := range ps {
		j := jsonProblem{Message: p.Message, File: p.Path}
		if l := p.Location; l != nil && l.File != nil {
			at := v.jsonPlace(*l)
			j.File = at.File
			if l.Span != (source.Span{}) {
				j.Start, j.End = &at.Start, &at.End
			}
		}
		out = append(out, j)
	}
	return out
}

// encode writes a value as indented JSON that no terminal stumbles over.
func encode(out *bufio.Writer, value any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return err
	}
	_, err := out.Write(escapeJSON(b.Bytes()))
	return err
}
