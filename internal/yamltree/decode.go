package yamltree

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
	yaml "go.yaml.in/yaml/v4"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/crashlint/crashlint/internal/node"
)

// Decode fills the value that into points to from what stands at the path and
// reports everything that does not fit. A field that does not fit is left unset
// and the rest is decoded: unlike a JSON decoder it never stops at the first
// problem. Field names are matched exactly, as the API server does
// (sigs.k8s.io/json, case-sensitive). A placeholder where the type takes no
// string is left unset without a problem, and no longer Constant.
func (t *Tree) Decode(p node.Path, into any) []node.Problem {
	e, ok := t.find(p)
	if !ok {
		return nil
	}
	d := &decoder{tree: t}
	d.decode(e.value, reflect.ValueOf(into).Elem())
	return d.problems
}

type decoder struct {
	tree     *Tree
	path     node.Path // of the value being decoded
	problems []node.Problem
	parents  []parent
}

// at decodes n into v as the step below the current path.
func (d *decoder) at(step node.Elem, n *yaml.Node, v reflect.Value) bool {
	d.path = append(d.path, step)
	ok := d.decode(n, v)
	d.path = d.path[:len(d.path)-1]
	return ok
}

func (d *decoder) report(kind node.ProblemKind, at *yaml.Node, message string) *node.Problem {
	d.problems = append(d.problems, node.Problem{
		Kind: kind, Path: slices.Clone(d.path), Message: message,
		Here: node.Location{File: d.tree.file, Span: d.tree.nodeSpan(at)},
	})
	return &d.problems[len(d.problems)-1]
}

// invalid reports a value that cannot be what the field takes, unless it stands
// for another value. It returns false, for decode to return.
func (d *decoder) invalid(n *yaml.Node, want string) bool {
	if n.Kind == yaml.ScalarNode && substitution(n.Value) {
		d.tree.substituted.Store(n, true)
		return false
	}
	d.report(node.InvalidField, n, d.describe(n)+", but the field takes "+want)
	return false
}

// describe says what a node is, as its writer would put it. It never gives the
// value of a mapping or list, nor what may be the content of a Secret.
func (d *decoder) describe(n *yaml.Node) string {
	text := shorten(n.Value)
	if len(d.path) > 0 && (d.path[0] == node.Key("data") || d.path[0] == node.Key("stringData")) {
		text = "this"
	}
	switch n.Kind {
	case yaml.MappingNode:
		return "this is a mapping"
	case yaml.SequenceNode:
		return "this is a list"
	}
	switch scalar(n).(type) {
	case nil:
		return "this is null"
	case bool:
		return text + " is a boolean"
	case int64, uint64, float64:
		return text + " is a number"
	}
	if text != "this" {
		text = strconv.Quote(text)
	}
	return text + " is a string"
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "..."
	}
	return text
}

var (
	quantityType    = reflect.TypeFor[resource.Quantity]()
	intOrStringType = reflect.TypeFor[intstr.IntOrString]()
	bytesType       = reflect.TypeFor[[]byte]()
)

// wanted says what the types take that decode themselves.
var wanted = map[reflect.Type]string{
	reflect.TypeFor[metav1.Time]():      "a time such as 2006-01-02T15:04:05Z",
	reflect.TypeFor[metav1.MicroTime](): "a time such as 2006-01-02T15:04:05.000000Z",
	reflect.TypeFor[metav1.Duration]():  "a duration such as 1m30s",
}

// decode reports whether v now holds what n says.
func (d *decoder) decode(n *yaml.Node, v reflect.Value) bool {
	n = deref(n)
	if isNull(n) {
		// Null leaves a field unset. A few types that decode themselves refuse
		// it: metav1.Duration.
		if u, ok := v.Addr().Interface().(json.Unmarshaler); ok && v.Kind() == reflect.Struct && v.Type() != quantityType {
			return d.custom(n, u, v)
		}
		return true
	}
	switch v.Type() {
	case quantityType:
		return d.quantity(n, v)
	case intOrStringType:
		return d.intOrString(n, v)
	case bytesType:
		if n.Kind != yaml.SequenceNode { // of numbers: JSON takes that as well
			return d.bytes(n, v)
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() { // made ready by the caller, who holds on to it
			return d.decode(n, v.Elem())
		}
		e := reflect.New(v.Type().Elem())
		ok := d.decode(n, e.Elem())
		// A pointer to something that did not decode stays nil: unset, not zero.
		if ok || e.Elem().Kind() == reflect.Struct && n.Kind == yaml.MappingNode {
			v.Set(e)
		}
		return ok
	case reflect.Struct:
		if u, ok := v.Addr().Interface().(json.Unmarshaler); ok {
			return d.custom(n, u, v)
		}
		return d.structure(n, v)
	case reflect.Map:
		return d.mapping(n, v)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			return d.invalid(n, "a list")
		}
		s := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
		ok := true
		for i, c := range n.Content {
			ok = d.at(node.Index(i), c, s.Index(i)) && ok
		}
		v.Set(s)
		return ok
	case reflect.Interface:
		v.Set(reflect.ValueOf(d.tree.toJSON(n)))
		return true
	}
	return d.scalar(n, v)
}

// custom decodes into a type that reads JSON its own way.
func (d *decoder) custom(n *yaml.Node, u json.Unmarshaler, v reflect.Value) bool {
	b, err := json.Marshal(d.tree.toJSON(n))
	if err == nil {
		err = u.UnmarshalJSON(b)
	}
	if err == nil {
		return true
	}
	want, ok := wanted[v.Type()]
	if !ok {
		want = "another kind of value"
	}
	return d.invalid(n, want)
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value) bool {
	if n.Kind != yaml.ScalarNode {
		return d.unfit(n, v.Kind())
	}
	x := scalar(n)
	switch v.Kind() {
	case reflect.String:
		if s, ok := x.(string); ok {
			v.SetString(s)
			return true
		}
	case reflect.Bool:
		if b, ok := x.(bool); ok {
			v.SetBool(b)
			return true
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if i, err := strconv.ParseInt(jsonNumber(x), 10, v.Type().Bits()); err == nil {
			v.SetInt(i)
			return true
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u, err := strconv.ParseUint(jsonNumber(x), 10, v.Type().Bits()); err == nil {
			v.SetUint(u)
			return true
		}
	case reflect.Float32, reflect.Float64:
		if f, err := strconv.ParseFloat(jsonNumber(x), v.Type().Bits()); err == nil {
			v.SetFloat(f)
			return true
		}
	}
	return d.unfit(n, v.Kind())
}

// jsonNumber is the number as it travels to the API server, empty for what is
// none. JSON does not tell 1.0 and 1e3 from 1 and 1000.
func jsonNumber(x any) string {
	switch x.(type) {
	case int64, uint64, float64:
		if b, err := json.Marshal(x); err == nil {
			return string(b)
		}
	}
	return ""
}

func (d *decoder) unfit(n *yaml.Node, k reflect.Kind) bool {
	switch k {
	case reflect.String:
		before := len(d.problems)
		want := "a string"
		if n.Kind == yaml.ScalarNode {
			want = "a string: put it in quotes"
		}
		d.invalid(n, want)
		for i := range d.problems[before:] {
			d.problems[before+i].WantsString = true
		}
		return false
	case reflect.Bool:
		return d.invalid(n, "true or false")
	case reflect.Float32, reflect.Float64:
		return d.invalid(n, "a number")
	}
	return d.invalid(n, "an integer")
}

const quantityExample = "a quantity such as 512Mi or 500m"

func (d *decoder) quantity(n *yaml.Node, v reflect.Value) bool {
	if n.Kind != yaml.ScalarNode {
		return d.invalid(n, quantityExample)
	}
	x := scalar(n)
	text, isString := x.(string)
	if !isString {
		text = jsonNumber(x)
	}
	// Quantity.UnmarshalJSON trims.
	q, err := resource.ParseQuantity(strings.TrimSpace(text))
	switch {
	case err == nil:
		// String keeps what it computes in the quantity: rules that run side by side
		// would race for it.
		_ = q.String()
		v.Set(reflect.ValueOf(q))
		return true
	case !isString || substitution(text):
		return d.invalid(n, quantityExample)
	}
	want := quantityExample
	if s := quantitySuggestion(text); s != "" {
		want += ": write " + s
	}
	d.report(node.InvalidField, n, strconv.Quote(shorten(text))+" is not a quantity; the field takes "+want)
	return false
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

func (d *decoder) intOrString(n *yaml.Node, v reflect.Value) bool {
	if n.Kind == yaml.ScalarNode {
		x := scalar(n)
		if s, ok := x.(string); ok {
			v.Set(reflect.ValueOf(intstr.FromString(s)))
			if substitution(s) {
				d.tree.substituted.Store(n, true)
			}
			return true
		}
		if i, err := strconv.ParseInt(jsonNumber(x), 10, 32); err == nil {
			v.Set(reflect.ValueOf(intstr.FromInt32(int32(i))))
			return true
		}
	}
	return d.invalid(n, "an integer or a name")
}

// bytes decodes base64. Its messages never show the value: it may be a secret.
func (d *decoder) bytes(n *yaml.Node, v reflect.Value) bool {
	s, ok := scalar(n).(string)
	if n.Kind != yaml.ScalarNode || !ok {
		d.report(node.InvalidField, n, "the value is not a string, but the field takes base64")
		return false
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err == nil {
		v.SetBytes(b)
		return true
	}
	if substitution(s) {
		d.tree.substituted.Store(n, true)
		return false
	}
	d.report(node.InvalidField, n, "the value is not base64; plain text belongs under stringData")
	return false
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value) bool {
	if n.Kind != yaml.MappingNode || v.Type().Key().Kind() != reflect.String {
		return d.invalid(n, "a mapping")
	}
	d.duplicates(n)
	es := d.tree.entries(n)
	m := reflect.MakeMapWithSize(v.Type(), len(es))
	all := true
	for _, e := range es {
		x := reflect.New(v.Type().Elem()).Elem()
		ok := d.at(node.Key(e.name), e.value, x)
		if ok || x.Kind() == reflect.Struct && x.Type() != quantityType {
			m.SetMapIndex(reflect.ValueOf(e.name).Convert(v.Type().Key()), x)
		}
		all = all && ok
	}
	v.Set(m)
	return all
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value) bool {
	if n.Kind != yaml.MappingNode {
		return d.invalid(n, "a mapping")
	}
	d.duplicates(n)
	fields := fieldsOf(v.Type())
	d.parents = append(d.parents, parent{v.Type(), len(d.path)})
	all := true
	for _, e := range d.tree.entries(n) {
		if i, ok := fields.index[e.name]; ok {
			all = d.at(node.Key(e.name), e.value, v.FieldByIndex(i)) && all
			continue
		}
		if len(d.path) == 0 && (e.name == "apiVersion" || e.name == "kind") {
			continue
		}
		all = false
		suggest := d.suggest(v.Type(), e.name)
		d.path = append(d.path, node.Key(e.name))
		d.report(node.UnknownField, e.key, e.name).Suggest = suggest
		d.path = d.path[:len(d.path)-1]
	}
	d.parents = d.parents[:len(d.parents)-1]
	return all
}

// A parent is a struct around the one being decoded, and the length of its path.
type parent struct {
	fields reflect.Type
	depth  int
}

// suggest says what to write instead of a field that the type does not have: a
// field of a similar name, or the same field where it belongs, one or more
// levels up or one down.
func (d *decoder) suggest(t reflect.Type, name string) string {
	if s := fieldsOf(t).nearest(name); s != "" {
		return "write " + s
	}
	for i := len(d.parents) - 2; i >= 0; i-- { // the last one is t itself
		if _, ok := fieldsOf(d.parents[i].fields).index[name]; ok {
			if d.parents[i].depth == 0 {
				return "move it to the top of the object"
			}
			return "move it up, to " + d.path[:d.parents[i].depth].String()
		}
	}
	for _, child := range fieldsOf(t).names {
		sub := t.FieldByIndex(fieldsOf(t).index[child]).Type
		list := ""
		for sub.Kind() == reflect.Pointer || sub.Kind() == reflect.Slice {
			if sub.Kind() == reflect.Slice {
				list = "[]"
			}
			sub = sub.Elem()
		}
		if sub.Kind() != reflect.Struct || child == "ephemeralContainers" || child == "initContainers" {
			continue
		}
		if _, ok := fieldsOf(sub).index[name]; ok {
			return "move it down, into " + d.path.Append(child).String() + list
		}
	}
	return ""
}

// Duplicates returns the keys at and below p that are written twice in one
// mapping. Decode finds them too, where the type has fields of its own.
func (t *Tree) Duplicates(p node.Path) []node.Problem {
	e, ok := t.find(p)
	if !ok || e.value == nil {
		return nil
	}
	d := &decoder{tree: t}
	d.duplicatesBelow(e.value)
	return d.problems
}

// duplicatesBelow leaves out aliases: what they stand for is seen where it is
// written.
func (d *decoder) duplicatesBelow(n *yaml.Node) {
	below := func(step node.Elem, n *yaml.Node) {
		d.path = append(d.path, step)
		d.duplicatesBelow(n)
		d.path = d.path[:len(d.path)-1]
	}
	switch n.Kind {
	case yaml.MappingNode:
		d.duplicates(n)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !isMerge(n.Content[i]) {
				below(node.Key(keyName(n.Content[i])), n.Content[i+1])
			}
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			below(node.Index(i), c)
		}
	}
}

// duplicates reports keys written twice in one mapping. What a merge key brings
// in is meant to be overridden and does not count.
func (d *decoder) duplicates(n *yaml.Node) {
	if len(n.Content) < 4 {
		return
	}
	var seen map[string]int // name → index in n.Content
	if len(n.Content) > 2*smallMapping {
		seen = make(map[string]int, len(n.Content)/2)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if isMerge(k) {
			continue
		}
		name, first := keyName(k), -1
		if seen != nil {
			if j, ok := seen[name]; ok {
				first = j
			}
			seen[name] = i
		} else {
			for j := i - 2; j >= 0 && first < 0; j -= 2 {
				if keyName(n.Content[j]) == name {
					first = j
				}
			}
		}
		if first < 0 {
			continue
		}
		d.path = append(d.path, node.Key(name))
		p := d.report(node.DuplicateKey, k, name)
		d.path = d.path[:len(d.path)-1]
		p.First = node.Location{File: d.tree.file, Span: d.tree.nodeSpan(n.Content[first])}
		p.Same = reflect.DeepEqual(d.tree.toJSON(n.Content[first+1]), d.tree.toJSON(n.Content[i+1]))
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
		if (name == "" && sf.Anonymous || strings.Contains(options, "inline")) && sf.Type.Kind() == reflect.Struct {
			f.add(sf.Type, index)
			continue
		}
		if name == "" {
			name = sf.Name
		}
		if outer, ok := f.index[name]; ok && len(outer) <= len(index) {
			continue // hidden by the outer field
		}
		f.index[name] = index
		f.names = append(f.names, name)
	}
}

// nearest returns the field that a misspelt name probably stands for.
func (f *fieldSet) nearest(name string) string {
	best, bestDistance := "", min(3, 1+len(name)/3)
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
