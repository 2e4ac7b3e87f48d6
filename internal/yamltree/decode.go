package yamltree

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/agnivade/levenshtein"
	yaml "go.yaml.in/yaml/v4"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/crashlint/crashlint/internal/node"
)

// A ProblemKind is a way in which a document does not fit its type.
type ProblemKind uint8

const (
	// UnknownField: the type has no such field. The API server drops it, or
	// refuses the object when field validation is strict, as kubectl asks for.
	UnknownField ProblemKind = iota
	// InvalidField: the value cannot be what the field takes; the API server
	// refuses the object.
	InvalidField
	// DuplicateKey: the mapping has the key twice; only the last one counts.
	DuplicateKey
)

// A Problem is one place where a document does not fit its type.
type Problem struct {
	Kind    ProblemKind
	Path    node.Path
	Message string
	// Suggest is the field that was probably meant, for UnknownField.
	Suggest string
	// First is the earlier of two equal keys, for DuplicateKey.
	First node.Location
	// Here is where the problem stands; a path cannot name the first of two
	// equal keys.
	Here node.Location
}

// Decode fills the value that into points to from what stands at the path and
// reports everything that does not fit. A field that does not fit is left unset
// and the rest is decoded: unlike a JSON decoder it never stops at the first
// problem. Field names are matched exactly, as the API server does
// (sigs.k8s.io/json, case-sensitive).
func (t *Tree) Decode(p node.Path, into any) []Problem {
	e, ok := t.find(p)
	if !ok {
		return nil
	}
	d := &decoder{tree: t}
	d.decode(e.value, reflect.ValueOf(into).Elem(), nil)
	return d.problems
}

type decoder struct {
	tree     *Tree
	problems []Problem
	visits   int
}

func (d *decoder) report(kind ProblemKind, at *yaml.Node, p node.Path, suggest, format string, args ...any) {
	d.problems = append(d.problems, Problem{
		Kind: kind, Path: append(node.Path(nil), p...), Suggest: suggest, Message: fmt.Sprintf(format, args...),
		Here: node.Location{File: d.tree.file, Span: d.tree.nodeSpan(at)},
	})
}

func (d *decoder) invalid(n *yaml.Node, p node.Path, want string) {
	d.report(InvalidField, n, p, "", "%s, but the field takes %s", describe(n), want)
}

// describe says what a node is, as its writer would put it. It never gives the
// value of a mapping or list, and callers keep secret values away from it.
func describe(n *yaml.Node) string {
	n = deref(n)
	switch n.Kind {
	case yaml.MappingNode:
		return "this is a mapping"
	case yaml.SequenceNode:
		return "this is a list"
	}
	text := n.Value
	if len(text) > 40 {
		text = text[:40] + "..."
	}
	switch scalar(n).(type) {
	case bool:
		return text + " is a boolean"
	case int64, uint64, float64:
		return text + " is a number"
	}
	return strconv.Quote(text) + " is a string"
}

var (
	quantityType    = reflect.TypeFor[resource.Quantity]()
	intOrStringType = reflect.TypeFor[intstr.IntOrString]()
	timeType        = reflect.TypeFor[metav1.Time]()
	microTimeType   = reflect.TypeFor[metav1.MicroTime]()
	durationType    = reflect.TypeFor[metav1.Duration]()
	fieldsType      = reflect.TypeFor[metav1.FieldsV1]()
	rawType         = reflect.TypeFor[runtime.RawExtension]()
	bytesType       = reflect.TypeFor[[]byte]()
)

func (d *decoder) decode(n *yaml.Node, v reflect.Value, p node.Path) {
	n = deref(n)
	if d.visits++; n == nil || d.visits > maxVisits || len(p) > maxDepth || isNull(n) {
		return // null leaves a field unset
	}
	switch v.Type() {
	case quantityType:
		d.quantity(n, v, p)
		return
	case intOrStringType:
		d.intOrString(n, v, p)
		return
	case timeType, microTimeType:
		s, ok := scalar(n).(string)
		if _, err := time.Parse(time.RFC3339, s); !ok || err != nil {
			d.invalid(n, p, "a time such as 2006-01-02T15:04:05Z")
		}
		return
	case durationType:
		s, _ := scalar(n).(string)
		dur, err := time.ParseDuration(s)
		if err != nil {
			d.invalid(n, p, "a duration such as 1m30s")
			return
		}
		v.Set(reflect.ValueOf(metav1.Duration{Duration: dur}))
		return
	case fieldsType, rawType:
		return
	case bytesType:
		d.bytes(n, v, p)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		e := reflect.New(v.Type().Elem())
		before := len(d.problems)
		d.decode(n, e.Elem(), p)
		// A pointer to something that did not decode stays nil: unset, not zero.
		if len(d.problems) == before || e.Elem().Kind() == reflect.Struct && n.Kind == yaml.MappingNode {
			v.Set(e)
		}
	case reflect.Struct:
		d.structure(n, v, p)
	case reflect.Map:
		d.mapping(n, v, p)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.invalid(n, p, "a list")
			return
		}
		s := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
		for i, c := range n.Content {
			d.decode(c, s.Index(i), p.Append(i))
		}
		v.Set(s)
	case reflect.Interface:
		v.Set(reflect.ValueOf(toJSON(n, 0, &d.visits)))
	default:
		d.scalar(n, v, p)
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, p node.Path) {
	if n.Kind != yaml.ScalarNode {
		d.invalid(n, p, wants(v.Kind()))
		return
	}
	switch x := scalar(n).(type) {
	case string:
		if v.Kind() == reflect.String {
			v.SetString(x)
			return
		}
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(x)
			return
		}
	case int64:
		switch {
		case v.CanInt() && !v.OverflowInt(x):
			v.SetInt(x)
			return
		case v.CanFloat():
			v.SetFloat(float64(x))
			return
		}
	case float64:
		switch {
		case v.CanFloat():
			v.SetFloat(x)
			return
		case v.CanInt() && x == math.Trunc(x) && math.Abs(x) < 1<<53 && !v.OverflowInt(int64(x)):
			v.SetInt(int64(x)) // JSON does not tell 1.0 from 1
			return
		}
	}
	if v.Kind() == reflect.String {
		d.invalid(n, p, "a string: put it in quotes")
		return
	}
	d.invalid(n, p, wants(v.Kind()))
}

func wants(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "an integer"
}

func (d *decoder) quantity(n *yaml.Node, v reflect.Value, p node.Path) {
	var text string
	switch x := scalar(n).(type) {
	case string:
		text = x
	case int64, uint64:
		text = fmt.Sprint(x)
	case float64:
		b, err := json.Marshal(x)
		if err != nil {
			d.invalid(n, p, "a quantity such as 512Mi or 500m")
			return
		}
		text = string(b)
	default:
		d.invalid(n, p, "a quantity such as 512Mi or 500m")
		return
	}
	if n.Kind != yaml.ScalarNode {
		d.invalid(n, p, "a quantity such as 512Mi or 500m")
		return
	}
	q, err := resource.ParseQuantity(strings.TrimSpace(text))
	if err != nil {
		if Placeholder(text) {
			return // not what will be applied
		}
		want := "a quantity such as 512Mi or 500m"
		if s := quantitySuggestion(text); s != "" {
			want += ": write " + s
		}
		d.report(InvalidField, n, p, "", "%q is not a quantity; the field takes %s", text, want)
		return
	}
	v.Set(reflect.ValueOf(q))
}

// quantitySuggestion mends the suffixes that other tools accept and Kubernetes
// does not (apimachinery resource.ParseQuantity takes n u m k M G T P E, Ki Mi
// Gi Ti Pi Ei and exponents).
func quantitySuggestion(s string) string {
	i := strings.LastIndexAny(s, "0123456789.") + 1
	number, suffix := s[:i], strings.TrimSpace(s[i:])
	number = strings.TrimSpace(number)
	replacement, ok := map[string]string{
		"kb": "k", "kib": "Ki", "ki": "Ki", "mb": "M", "mib": "Mi", "mi": "Mi", "gb": "G", "gib": "Gi", "gi": "Gi", "g": "G",
		"tb": "T", "tib": "Ti", "ti": "Ti", "b": "", "k": "k",
	}[strings.ToLower(suffix)]
	if !ok || number == "" {
		return ""
	}
	if _, err := resource.ParseQuantity(number + replacement); err != nil {
		return ""
	}
	return number + replacement
}

func (d *decoder) intOrString(n *yaml.Node, v reflect.Value, p node.Path) {
	if n.Kind == yaml.ScalarNode {
		switch x := scalar(n).(type) {
		case string:
			v.Set(reflect.ValueOf(intstr.FromString(x)))
			return
		case int64:
			if x >= math.MinInt32 && x <= math.MaxInt32 {
				v.Set(reflect.ValueOf(intstr.FromInt32(int32(x))))
				return
			}
		}
	}
	d.invalid(n, p, "an integer or a name")
}

func (d *decoder) bytes(n *yaml.Node, v reflect.Value, p node.Path) {
	s, ok := scalar(n).(string)
	if n.Kind != yaml.ScalarNode || !ok {
		d.report(InvalidField, n, p, "", "the value is not a string, but the field takes base64")
		return
	}
	b, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(s))
	if err != nil {
		if !Placeholder(s) {
			// The value is not quoted: it may be a secret.
			d.report(InvalidField, n, p, "", "the value is not base64; plain text belongs under stringData")
		}
		return
	}
	v.SetBytes(b)
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, p node.Path) {
	if n.Kind != yaml.MappingNode {
		d.invalid(n, p, "a mapping")
		return
	}
	d.duplicates(n, p)
	es := entries(n)
	m := reflect.MakeMapWithSize(v.Type(), len(es))
	for _, e := range es {
		x := reflect.New(v.Type().Elem()).Elem()
		before := len(d.problems)
		d.decode(e.value, x, p.Append(e.name))
		if len(d.problems) == before || x.Kind() == reflect.Struct {
			m.SetMapIndex(reflect.ValueOf(e.name).Convert(v.Type().Key()), x)
		}
	}
	v.Set(m)
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, p node.Path) {
	if n.Kind != yaml.MappingNode {
		d.invalid(n, p, "a mapping")
		return
	}
	d.duplicates(n, p)
	fields := fieldsOf(v.Type())
	for _, e := range entries(n) {
		at := p.Append(e.name)
		i, ok := fields.index[e.name]
		if !ok {
			if len(p) == 0 && (e.name == "apiVersion" || e.name == "kind") {
				continue
			}
			suggest := fields.nearest(e.name)
			d.report(UnknownField, e.key, at, suggest, "%s", e.name)
			continue
		}
		d.decode(e.value, v.FieldByIndex(i), at)
	}
}

// duplicates reports keys written twice in one mapping. What a merge key brings
// in is meant to be overridden and does not count.
func (d *decoder) duplicates(n *yaml.Node, p node.Path) {
	if len(n.Content) < 4 {
		return
	}
	var seen map[string]*yaml.Node
	if len(n.Content) > 32 {
		seen = make(map[string]*yaml.Node, len(n.Content)/2)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || isMerge(k) {
			continue
		}
		var first *yaml.Node
		if seen != nil {
			first = seen[k.Value]
			seen[k.Value] = k
		} else {
			for j := 0; j < i; j += 2 {
				if n.Content[j].Value == k.Value {
					first = n.Content[j]
				}
			}
		}
		if first == nil {
			continue
		}
		d.problems = append(d.problems, Problem{
			Kind: DuplicateKey, Path: p.Append(keyName(k)), Message: keyName(k),
			Here:  node.Location{File: d.tree.file, Span: d.tree.nodeSpan(k)},
			First: node.Location{File: d.tree.file, Span: d.tree.nodeSpan(first)},
		})
	}
}

// fieldSet is the JSON view of a struct type.
type fieldSet struct {
	index map[string][]int
	names []string
}

var fieldSets sync.Map // reflect.Type → *fieldSet

func fieldsOf(t reflect.Type) *fieldSet {
	if f, ok := fieldSets.Load(t); ok {
		return f.(*fieldSet)
	}
	f := &fieldSet{index: map[string][]int{}}
	f.add(t, nil)
	fieldSets.Store(t, f)
	return f
}

func (f *fieldSet) add(t reflect.Type, at []int) {
	for sf := range t.Fields() {
		if !sf.IsExported() {
			continue
		}
		index := append(append([]int(nil), at...), sf.Index...)
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" && sf.Anonymous || strings.Contains(options, "inline") {
			f.add(sf.Type, index)
			continue
		}
		if name == "" {
			name = sf.Name
		}
		f.index[name] = index
		f.names = append(f.names, name)
	}
}

// nearest returns the field that a misspelt name probably stands for.
func (f *fieldSet) nearest(name string) string {
	best, bestDistance := "", 3
	if len(name) < 5 {
		bestDistance = 2
	}
	for _, c := range f.names {
		if strings.EqualFold(c, name) {
			return c
		}
		if d := levenshtein.ComputeDistance(name, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}
