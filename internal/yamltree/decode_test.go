package yamltree_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	sigsjson "sigs.k8s.io/json"
	sigs "sigs.k8s.io/yaml"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/internal/yamltree"
)

// Everything has a field of every kind that decoding treats in its own way.
type everything struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ObjectMeta            `json:"metadata"`
	S               string                       `json:"s"`
	PS              *string                      `json:"ps"`
	B               bool                         `json:"b"`
	PB              *bool                        `json:"pb"`
	I               int32                        `json:"i"`
	PI              *int32                       `json:"pi"`
	L               int64                        `json:"l"`
	U               uint8                        `json:"u"`
	F               float64                      `json:"f"`
	Q               resource.Quantity            `json:"q"`
	PQ              *resource.Quantity           `json:"pq"`
	R               corev1.ResourceList          `json:"r"`
	IS              intstr.IntOrString           `json:"is"`
	PIS             *intstr.IntOrString          `json:"pis"`
	T               metav1.Time                  `json:"t"`
	MT              metav1.MicroTime             `json:"mt"`
	D               metav1.Duration              `json:"d"`
	Bytes           []byte                       `json:"bytes"`
	Data            map[string][]byte            `json:"data"`
	M               map[string]string            `json:"m"`
	Strings         []string                     `json:"strings"`
	Vars            []corev1.EnvVar              `json:"vars"`
	Volume          corev1.Volume                `json:"volume"`
	Raw             runtime.RawExtension         `json:"raw"`
	Fields          *metav1.FieldsV1             `json:"fields"`
	Any             any                          `json:"any"`
	Hidden          string                       `json:"-"`
	Maps            map[corev1.ResourceName]bool `json:"maps"`
}

// decodeBoth decodes a document with Decode and as the API server does.
func decodeBoth(t testing.TB, text string, made func() any) (got any, problems []node.Problem, want any, unknown []error, wantErr error) {
	t.Helper()
	tree := parse(t, text)
	b, err := sigs.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, want = made(), made()
	problems = tree.Decode(nil, got)
	unknown, wantErr = sigsjson.UnmarshalStrict(b, want)
	return got, problems, want, unknown, wantErr
}

// The same value as the API server's decoder where it takes the document, and a
// problem where it does not.
func TestDecodeAsTheServerDoes(t *testing.T) {
	for _, text := range []string{
		"s: x\nps: y\nb: yes\npb: off\ni: 5\npi: -5\nl: 9223372036854775807\nu: 255\nf: 1.5\n",
		"s: '5'\nps: \"yes\"\nf: 5\nl: 1e3\ni: 1.0\npi: 0x10\nu: 1_0\n", "s:\nps: ~\nb: null\npi:\nq: ~\npq:\nr:\nis: ~\npis:\nt: ~\nbytes:\ndata: ~\nm:\nstrings: ~\nvars:\nraw: ~\nany: ~\nvolume: ~\n",
		"d: ~", "s: 5", "s: yes", "s: 1.10", "s: 2001-01-01", "s: [x]", "s: {x: y}", "ps: 5", "s: !!str 5", "s: 0x10", "s: 1e3", "s: ~x",
		"b: 'true'", "b: 1", "b: maybe", "b: [true]", "pb: {}", "i: '5'", "i: 1.5", "i: 2147483648", "i: -2147483649", "i: 1e10", "i: 1e2", "i: yes", "i: x", "i: [1]", "l: 1e18", "l: 1e19", "l: 1e21", "l: 9223372036854775808", "l: 123456789.0", "u: 256", "u: -1", "pi: x", "f: x", "f: yes", "f: 1e400", "f: 18446744073709551615",
		"q: 1Gi", "q: 512M", "q: 128m", "q: 1e3", "q: 1E3", "q: 5", "q: 0.5", "q: .5", "q: ' 1Gi '", "q: 1.5Gi", "q: 0x10", "q: 1_000", "q: -1", "q: 1e-3", "q: 18446744073709551615", "q: 12345678901234567890123", "q: 1e21", "q: 0.1",
		"q: 512MB", "q: 1 Gi", "q: 1gi", "q: yes", "q: ''", "q: [1]", "q: {}", "q: 1Gib", "q: x", "pq: x", "q: 10%",
		"r: {cpu: 1, memory: 1Gi, x: 500m}", "r: {cpu: ~}", "r: {cpu: x, memory: 1Gi}", "r: []", "r: 5",
		"is: 5", "is: http", "is: '5'", "is: 50%", "is: 80.0", "is: 1e2", "is: 1.5", "is: yes", "is: 4294967296", "is: [1]", "pis: 5", "pis: {}",
		"t: 2006-01-02T15:04:05Z", "t: 2006-01-02T15:04:05.5+02:00", "t: '2006-01-02T15:04:05Z'", "t: 2006-01-02", "t: x", "t: 5", "t: ''", "t: []", "mt: 2006-01-02T15:04:05.000001Z", "mt: x", "d: 1m30s", "d: 5", "d: 90", "d: x", "d: []",
		"bytes: aGk=", "bytes: ''", "bytes: |\n  aGk=\n", "bytes: |\n  aG\n  k=\n", "bytes: aGk", "bytes: 'plain text'", "bytes: 5", "bytes: [1]", "data: {a: aGk=, b: ~}", "data: {a: x}", "data: {a: 5}", "data: [a]",
		"m: {a: b, c: ''}", "m: {a: ~}", "m: {a: 5}", "m: {a: yes, b: c}", "m: {on: x, 5: y, 1.5: z}", "m: [a]", "m: x", "maps: {cpu: yes, memory: no}", "maps: {cpu: 1}",
		"strings: [a, 'b', ~]", "strings: []", "strings: [a, 5]", "strings: {}", "strings: a", "vars:\n- name: A\n  value: x\n- name: B\n  valueFrom: {fieldRef: {fieldPath: metadata.name}}\n", "vars: [{name: A, value: 5}]", "vars: [~, {name: B}]", "vars: [x]", "vars: {name: A}",
		"volume: {name: v, emptyDir: {sizeLimit: 1Gi}}", "volume: {name: v, configMap: {name: c, items: [{key: k, path: p}], defaultMode: 0644}}", "volume: {name: v, emptyDir: x}", "volume: {name: v, emptydir: {}}",
		"raw: {a: [1, 2.5, yes], b: ~}", "raw: x", "fields: {f:a: {}}", "any: {a: [1, x, ~, 2.5]}", "any: 5", "any: x",
		"S: x", "hidden: x", "Hidden: x", "x: 1\ny: {z: 1}", "kind: K\napiVersion: v1\nmetadata: {name: n, labels: {a: b}, creationTimestamp: ~, managedFields: [{manager: m, time: 2006-01-02T15:04:05Z, fieldsV1: {'f:x': {}}}]}",
		"base: &b {name: A, value: x}\nvars: [*b, {<<: *b, value: y}, {value: z, <<: *b}, {<<: [{name: Q}, *b]}]\n", "m: &m {a: b}\nr: {<<: {cpu: 1}}\nmetadata: {labels: *m}",
	} {
		got, problems, want, unknown, err := decodeBoth(t, text, func() any { return new(everything) })
		var invalid, strange int
		for _, p := range problems {
			switch p.Kind {
			case node.InvalidField:
				invalid++
			case node.UnknownField:
				strange++
			}
		}
		switch {
		case (err != nil) != (invalid > 0):
			t.Errorf("%q: the server says %v, Decode %v", text, err, problems)
		case err == nil && len(unknown) != strange:
			t.Errorf("%q: the server does not know %v, Decode %v", text, unknown, problems)
		case err == nil && !equality.Semantic.DeepEqual(got, want):
			t.Errorf("%q:\n got %+v\nwant %+v", text, got, want)
		}
	}
}

func TestDecodeProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"s: 5", `s: 5 is a number, but the field takes a string: put it in quotes (string) at "5"`},
		{"s: yes", `s: yes is a boolean, but the field takes a string: put it in quotes (string) at "yes"`},
		{"s: [x]", `s: this is a list, but the field takes a string (string) at "[x]"`},
		{"b: 'true'", `b: "true" is a string, but the field takes true or false at "'true'"`},
		{"i: '5'", `i: "5" is a string, but the field takes an integer at "'5'"`},
		{"i: 1.5", `i: 1.5 is a number, but the field takes an integer at "1.5"`},
		{"f: x", `f: "x" is a string, but the field takes a number at "x"`},
		{"strings: a", `strings: "a" is a string, but the field takes a list at "a"`},
		{"strings: [a, 5]", `strings[1]: 5 is a number, but the field takes a string: put it in quotes (string) at "5"`},
		{"vars: [{name: A, value: 5}]", `vars[0].value: 5 is a number, but the field takes a string: put it in quotes (string) at "5"`},
		{"volume: x", `volume: "x" is a string, but the field takes a mapping at "x"`},
		{"q: 512MB", `q: "512MB" is not a quantity; the field takes a quantity such as 512Mi or 500m: write 512M at "512MB"`},
		{"q: 512 MiB", `q: "512 MiB" is not a quantity; the field takes a quantity such as 512Mi or 500m: write 512Mi at "512 MiB"`},
		{"q: 1.5gb", `q: "1.5gb" is not a quantity; the field takes a quantity such as 512Mi or 500m: write 1.5G at "1.5gb"`},
		{"q: 1g", `q: "1g" is not a quantity; the field takes a quantity such as 512Mi or 500m: write 1G at "1g"`},
		{"q: lots", `q: "lots" is not a quantity; the field takes a quantity such as 512Mi or 500m at "lots"`},
		{"q: yes", `q: yes is a boolean, but the field takes a quantity such as 512Mi or 500m at "yes"`},
		{"r: {memory: 1GB}", `r.memory: "1GB" is not a quantity; the field takes a quantity such as 512Mi or 500m: write 1G at "1GB"`},
		{"is: 1.5", `is: 1.5 is a number, but the field takes an integer or a name at "1.5"`},
		{"t: tomorrow", `t: "tomorrow" is a string, but the field takes a time such as 2006-01-02T15:04:05Z at "tomorrow"`},
		{"d: 5", `d: 5 is a number, but the field takes a duration such as 1m30s at "5"`},
		{"s: !!int " + strings.Repeat("1", 18), `s: 111111111111111111 is a number, but the field takes a string: put it in quotes (string) at "!!int 111111111111111111"`},
		{"b: " + strings.Repeat("ö", 50), `b: "` + strings.Repeat("ö", 40) + `..." is a string, but the field takes true or false at "` + strings.Repeat("ö", 50) + `"`},
		{"a: 1\nstrigns: []", "unknown a at \"a\"\nunknown strigns (write strings) at \"strigns\""},
		{"vars: [{name: A, fieldRef: {}}]", `unknown vars[0].fieldRef (move it down, into vars[0].valueFrom) at "fieldRef"`},
		{"vars: [{name: A, metadata: {}}]", `unknown vars[0].metadata (move it to the top of the object) at "metadata"`},
		{"d: ~", `d: this is null, but the field takes a duration such as 1m30s at "~"`},
		{"volume: {configMap: {items: [{emptyDir: {}}]}}", `unknown volume.configMap.items[0].emptyDir (move it up, to volume) at "emptyDir"`},
		{"s: a\ni: 1\ns: b", `duplicate s of "s" at "s"`},
		{"s: a\n\"s\": a", `duplicate s, the same, of "s" at "\"s\""`},
		{"m: {a: b, <<: {a: c}}", ""},
		{"m: {on: a, true: b}", `duplicate m.true of "on" at "true"`},
		// What may be a secret is not shown.
		{"data: {password: 12345}", `data.password: the value is not a string, but the field takes base64 at "12345"`},
		{"data: {password: hunter2}", `data.password: the value is not base64; plain text belongs under stringData at "hunter2"`},
		{"bytes: hunter2", `bytes: the value is not base64; plain text belongs under stringData at "hunter2"`},
		// A placeholder stands for a value that may fit.
		{"i: ${REPLICAS}\npi: $(X)\nb: '{{ .Values.x }}'\nq: ${MEM}Mi\npq: $MEM\nr: {cpu: '@CPU@'}\nis: ${PORT}\nt: <TIME>\nd: __D__\nbytes: ${SECRET}\nf: '#{F}'\nvars: ((vars))\nvolume: ${V:-x}\nstrings: '[[ s ]]'\nl: '%L%'", ""},
		{"i: $5\n", `i: "$5" is a string, but the field takes an integer at "$5"`},
	} {
		tree := parse(t, c.text)
		var lines []string
		for _, p := range tree.Decode(nil, new(everything)) {
			at := fmt.Sprintf(" at %q", c.text[p.Here.Span.Start:p.Here.Span.End])
			switch p.Kind {
			case node.InvalidField:
				if p.WantsString {
					p.Message += " (string)"
				}
				lines = append(lines, p.Path.String()+": "+p.Message+at)
			case node.UnknownField:
				if p.Suggest != "" {
					p.Suggest = " (" + p.Suggest + ")"
				}
				lines = append(lines, "unknown "+p.Path.String()+p.Suggest+at)
			case node.DuplicateKey:
				how := ""
				if p.Same {
					how = ", the same,"
				}
				lines = append(lines, fmt.Sprintf("duplicate %s%s of %q%s", p.Path, how, c.text[p.First.Span.Start:p.First.Span.End], at))
			}
		}
		if got := strings.Join(lines, "\n"); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestDuplicates(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\na: 2\nb: {c: 1, d: 1, c: 1}\n":            "a, b.c same",
		"l: [{x: 1}, {x: {v: 1, v: 2}, x: 3}]\n":         "l[1].x, l[1].x.v",
		"a: &a {x: 1, x: 2}\nb: *a\nc: {<<: *a, x: 3}\n": "a.x",
		"a: {x: 1}\nb: {x: 1}\n":                         "",
		"":                                               "",
		"on: 1\ntrue: 2\n":                               "true",
		"spec:\n  <<: {a: 1}\n  a: 2\n  b: [[{c: 1, c: 1}]]": "spec.b[0][0].c same",
	} {
		var got []string
		for _, p := range parse(t, text).Duplicates(nil) {
			s := p.Path.String()
			if p.Same {
				s += " same"
			}
			got = append(got, s)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: got %q, want %s", text, got, want)
		}
	}
	if got := parse(t, "items: [{a: 1, a: 2}, {b: 1, b: 2}]").Duplicates(node.P("items", 1)); len(got) != 1 || got[0].Message != "b" {
		t.Errorf("below a path: %v", got)
	}
}

// What does not fit is unset, not zero, and the rest is decoded.
func TestDecodeGoesOn(t *testing.T) {
	tree := parse(t, "i: x\npi: x\npq: x\nps: 5\nr: {cpu: x, memory: 1Gi}\nm: {a: 5, b: c}\nstrings: [5, a]\nvars:\n- {name: A, value: 5}\n- {name: B, value: x, valueFrom: {fieldRef: {fieldPath: 5, apiVersion: v1}}}\nunknown: 1\ns: x\n")
	var got everything
	if n := len(tree.Decode(nil, &got)); n != 10 {
		t.Errorf("%d problems", n)
	}
	if got.PI != nil || got.PQ != nil || got.PS != nil || len(got.R) != 1 || got.M["b"] != "c" || len(got.M) != 1 || !slices.Equal(got.Strings, []string{"", "a"}) || got.S != "x" {
		t.Errorf("got %+v", got)
	}
	if got.Vars[0].Name != "A" || got.Vars[1].ValueFrom.FieldRef.APIVersion != "v1" {
		t.Errorf("got %+v", got.Vars)
	}
}

// A placeholder that Decode met where it cannot be meant as it is.
func TestDecodeTellsConstants(t *testing.T) {
	tree := parse(t, "i: ${I}\nis: ${P}\ns: ${S}\nr: {cpu: $(C)}\nbytes: ${B}\nl: 5\n")
	var got everything
	if problems := tree.Decode(nil, &got); len(problems) > 0 {
		t.Error(problems)
	}
	for key, want := range map[string]bool{"i": false, "is": false, "s": true, "r": false, "bytes": false, "l": true} {
		if constant := tree.Constant(node.P(key)); constant != want {
			t.Errorf("%s: constant is %v", key, constant)
		}
	}
	if len(got.R) > 0 {
		t.Errorf("got %v", got.R)
	}
}

// A pointer that is set is filled, not replaced: the caller holds on to it.
func TestDecodeIntoWhatIsThere(t *testing.T) {
	tree := parse(t, "items:\n- kind: ReplicationController\n  spec: {template: {spec: {nodeName: x}}}\n")
	template := &corev1.PodTemplateSpec{}
	rc := &corev1.ReplicationController{Spec: corev1.ReplicationControllerSpec{Template: template}}
	if problems := tree.Decode(node.P("items", 0), rc); len(problems) > 0 || template.Spec.NodeName != "x" {
		t.Errorf("got %+v, %v", template, problems)
	}
	if problems := tree.Decode(node.P("items", 1), rc); problems != nil {
		t.Errorf("nothing decodes with %v", problems)
	}
}

// The top of an object that is no mapping, and types without a JSON form.
func TestDecodeOddTargets(t *testing.T) {
	var s struct {
		A map[int]string `json:"a"`
		B chan int       `json:"b"`
		C *everything    `json:"c"`
	}
	if problems := parse(t, "a: {1: x}\nb: 5\nc: {s: x}\n").Decode(nil, &s); len(problems) != 2 || s.C == nil || s.C.S != "x" {
		t.Errorf("got %v, %+v", problems, s)
	}
	if problems := parse(t, "- x\n").Decode(nil, &s); len(problems) != 1 {
		t.Errorf("got %v", problems)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(deployment)
	f.Add(flowDeployment)
	f.Add("spec: {replicas: 1e3, template: {spec: {containers: [{name: a, ports: [{containerPort: '80'}], resources: {limits: {cpu: .5}}}]}}}")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		tree, err := tryParse(text)
		if err != nil {
			return
		}
		b, err := sigs.YAMLToJSON([]byte(text))
		if err != nil || len(b) == 0 || b[0] != '{' || compareWithSigs(t, text) != "" || ambiguousKeys(text) {
			return
		}
		got, want := new(appsv1.Deployment), new(appsv1.Deployment)
		problems := tree.Decode(nil, got)
		if _, err := sigsjson.UnmarshalStrict(b, want); err != nil {
			return
		}
		for _, p := range problems {
			if p.Kind == node.InvalidField {
				t.Fatalf("%q: %s: %s, but the server takes it", text, p.Path, p.Message)
			}
		}
		if !equality.Semantic.DeepEqual(got, want) {
			t.Fatalf("%q: got %+v, want %+v", text, got, want)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text := strings.Repeat("---\n"+deployment, 1)
	tree, err := yamltree.Parse(source.NewFile("x", text), source.Span{End: len(text)})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if problems := tree.Decode(nil, new(appsv1.Deployment)); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}
