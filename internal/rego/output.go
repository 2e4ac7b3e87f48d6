package rego

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

// verdict turns the values of a policy's entries into findings.
func (p *program) verdict(i int, o *manifest.Object, values []any) (v verdict) {
	policy := p.policies[i]
	if policy.excepted {
		last := len(values) - 1
		if slices.Contains(values[last].([]any), any(policy.exempt)) {
			return verdict{}
		}
		values = values[:last]
	}
	for k, e := range policy.entries {
		for _, value := range values[k].([]any) {
			results, ok := value.([]any)
			if !ok {
				v.problems = append(v.problems, p.problem(i, nil, fmt.Sprintf("policy %s: %s is not a set or list of results", policy.id, e.name)))
				continue
			}
			for _, result := range results {
				f, err := policy.finding(e, o, result)
				if err != nil {
					v.problems = append(v.problems, p.problem(i, nil, fmt.Sprintf("policy %s: a result of %s is not understood: %v", policy.id, e.name, err)))
					continue
				}
				v.findings = append(v.findings, f)
			}
		}
	}
	return v
}

// finding makes a finding of one result of an entry.
func (p *policy) finding(e entry, o *manifest.Object, result any) (rule.Finding, error) {
	r, err := p.decode(result)
	if err != nil {
		return rule.Finding{}, err
	}
	r.Message = strings.TrimSpace(r.Message)
	if r.Message == "" {
		return rule.Finding{}, errors.New("it has no message")
	}
	f := rule.Finding{Object: o, Message: r.Message, Severity: r.Severity.value, Notes: r.Notes, Within: r.Within}
	if f.Severity == 0 && e.severity == diag.Warning && p.severity == diag.Error {
		f.Severity = diag.Warning // a warn beside a deny
	}
	f.At, f.Target = r.Path.in(o)
	f.Place = r.Loc.in(o)
	for _, n := range r.Needs {
		f.Needs = append(f.Needs, node.Path(n))
	}
	for _, rel := range r.Related {
		related := rule.Related{Object: o, Within: rel.Within, Message: rel.Message}
		related.At, related.Target = rel.Path.in(o)
		f.Related = append(f.Related, related)
	}
	for _, fix := range r.Fix {
		f.Fixes = append(f.Fixes, rule.Fix{Message: fix.Message, Safety: fix.Safety.value, Ops: fix.ops()})
	}
	return f, nil
}

// A result is what a policy says about one fault.
type result struct {
	Message  string        `json:"message"`
	Path     steps         `json:"path"`
	Within   string        `json:"within"`
	Severity severityField `json:"severity"`
	Notes    []string      `json:"notes"`
	Needs    []steps       `json:"needs"`
	Related  []struct {
		Path    steps  `json:"path"`
		Within  string `json:"within"`
		Message string `json:"message"`
	} `json:"related"`
	Fix fixes `json:"fix"`
	Loc *line `json:"-"`
}

// decode reads a result: strictly from findings, and as conftest does from its
// rules, where an object may hold all sorts of metadata besides.
func (p *policy) decode(v any) (r result, err error) {
	if p.workload {
		text, err := json.Marshal(v)
		if err != nil {
			return r, err
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		d.UseNumber()
		err = d.Decode(&r)
		return r, err
	}
	switch v := v.(type) {
	case string:
		r.Message = v
	case map[string]any:
		r.Message, _ = v["msg"].(string)
		if r.Message == "" {
			r.Message, _ = v["message"].(string)
		}
		if path, ok := v["path"].([]any); ok {
			r.Path, _ = toSteps(path)
		}
		r.Within, _ = v["within"].(string)
		if loc, ok := v["_loc"].(map[string]any); ok {
			r.Loc = &line{}
			r.Loc.file, _ = loc["file"].(string)
			if n, ok := loc["line"].(json.Number); ok {
				i, _ := n.Int64()
				r.Loc.line = int(min(i, math.MaxInt32))
			}
		}
	default:
		return r, errors.New("it is neither a string nor an object")
	}
	return r, nil
}

// steps is a path as a list of keys and indices.
type steps node.Path

func (s *steps) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var list []any
	if err := d.Decode(&list); err != nil {
		return errors.New("a path is a list of keys and indices")
	}
	var err error
	*s, err = toSteps(list)
	return err
}

func toSteps(list []any) (steps, error) {
	var out node.Path
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, node.Key(v))
		case json.Number:
			i, err := v.Int64()
			if err != nil || i < 0 || i > math.MaxInt32 {
				return nil, fmt.Errorf("a path is a list of keys and indices, and %s is neither", v)
			}
			out = append(out, node.Index(int(i)))
		default:
			return nil, fmt.Errorf("a path is a list of keys and indices, and %v is neither", v)
		}
	}
	return steps(out), nil
}

// in returns the place that the path means in the object: a scalar itself, the
// key of a mapping or list, the name where no path is given.
func (s steps) in(o *manifest.Object) (node.Path, node.Target) {
	p := node.Path(s)
	if len(p) == 0 {
		p = node.P("metadata", "name")
	}
	v, ok := o.Value(p)
	if !ok {
		return p, node.Value
	}
	switch v.(type) {
	case map[string]any, []any:
		if _, isKey := p[len(p)-1].Key(); isKey {
			return p, node.KeyOf
		}
		return p, node.Grip
	}
	return p, node.Value
}

// A line is conftest's _loc.
type line struct {
	file string
	line int
}

// in returns the text of the line, nil when it is none of the object's file.
func (l *line) in(o *manifest.Object) *node.Location {
	f := o.File()
	if l == nil || l.line < 1 || l.line > f.Lines() || l.file != "" && !strings.HasSuffix("/"+f.Path, "/"+strings.TrimPrefix(l.file, "./")) {
		return nil
	}
	text := f.Line(l.line)
	indent := len(text) - len(strings.TrimLeft(text, " \t"))
	start := f.LineStart(l.line)
	return &node.Location{File: f, Span: source.Span{Start: start + indent, End: start + max(indent, len(strings.TrimRight(text, " \t")))}}
}

type severityField struct{ value diag.Severity }

func (s *severityField) UnmarshalText(text []byte) (err error) {
	s.value, err = diag.ParseSeverity(string(text))
	return err
}

type safetyField struct{ value diag.Safety }

func (s *safetyField) UnmarshalText(text []byte) error {
	for _, v := range []diag.Safety{diag.Safe, diag.Unsafe, diag.Display} {
		if string(text) == v.String() {
			s.value = v
			return nil
		}
	}
	return fmt.Errorf("%q is not a safety: use safe, unsafe or display", text)
}

type fix struct {
	Message string      `json:"message"`
	Safety  safetyField `json:"safety"`
	Ops     []struct {
		Op    opField `json:"op"`
		Path  steps   `json:"path"`
		Value any     `json:"value"`
	} `json:"ops"`
}

// fixes is one fix, or a list of alternatives.
type fixes []fix

func (f *fixes) UnmarshalJSON(text []byte) error {
	if !bytes.HasPrefix(text, []byte("[")) {
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode((*[]fix)(f)); err != nil {
		return err
	}
	for i := range *f {
		if fix := &(*f)[i]; fix.Safety.value == 0 {
			fix.Safety.value = diag.Unsafe
		}
	}
	return nil
}

func (f fix) ops() []node.Op {
	var out []node.Op
	for _, op := range f.Ops {
		out = append(out, node.Op{Kind: op.Op.value, Path: node.Path(op.Path), Value: plain(op.Value)})
	}
	return out
}

type opField struct{ value node.OpKind }

func (o *opField) UnmarshalText(text []byte) error {
	kind, ok := map[string]node.OpKind{"set": node.Set, "remove": node.Remove, "append": node.Append}[string(text)]
	if !ok {
		return fmt.Errorf("%q is not an op: use set, remove or append", text)
	}
	o.value = kind
	return nil
}

// plain turns the numbers in a value into those of a node.Op.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	}
	return v
}
