package report

import (
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/source"
)

// masked renders text with its masked spans replaced.
func masked(text string, within ...source.Span) string {
	var b strings.Builder
	at := 0
	for _, s := range maskedSpans(text, within) {
		b.WriteString(text[at:s.Start] + "*")
		if strings.HasSuffix(text[s.Start:s.End], "\n") {
			b.WriteByte('\n')
		}
		at = s.End
	}
	return b.String() + text[at:]
}

func TestMaskedSpans(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"not a Secret", "kind: ConfigMap\ndata:\n  a: b\n", "kind: ConfigMap\ndata:\n  a: b\n"},
		{"speaks of Secrets", "kind: SealedSecret\ndata:\n  a: b\n", "kind: SealedSecret\ndata:\n  a: b\n"},
		{"block", "data:\n  a: b # c\n  d:   e\nkind: Secret\n", "data:\n  a: *\n  d:   *\nkind: Secret\n"},
		{"CRLF", "kind: Secret\r\ndata:\r\n  a: b\r\ntype: x\r\n", "kind: Secret\r\ndata:\r\n  a: *\ntype: x\r\n"},
		{"block scalar", "kind: Secret\nstringData:\n  a: |\n    k: v\n\n    # w\n  b: c\ntype: x\n", "kind: Secret\nstringData:\n  a: *\n    *\n\n    *\n  b: *\ntype: x\n"},
		{"quoted scalar that is not indented", "kind: Secret\nstringData:\n  a: \"b\nc d\n  e\"\ntype: x\n", "kind: Secret\nstringData:\n  a: *\n  *\ntype: x\n"},
		{"quoted keys", "kind: 'Secret'\n\"data\":\n  \"a: b\": c\n", "kind: 'Secret'\n\"data\":\n  \"a: b\": *\n"},
		{"tag and anchor", "kind: !!str Secret\ndata: !!map &d\n  a: b\n", "kind: !!str Secret\ndata: !!map &d\n  a: *\n"},
		{"commented out", "kind: Secret\ndata:\n  # a: b\n  c: d\n", "kind: Secret\ndata:\n  *\n  c: *\n"},
		{"flow", "kind: Secret\ndata: {a: b, \"c\": \"d}\", e: f}\ntype: x\n", "kind: Secret\ndata: {a: *, \"c\": *, e: *}\ntype: x\n"},
		{"flow over lines", "kind: Secret\ndata: {\n  a: b, # }\n  c: [d, e]\n}\ntype: x\n", "kind: Secret\ndata: {\n  a: *, *\n  c: *\n}\ntype: x\n"},
		{"flow that does not end", "kind: Secret\ndata: {a: b\nc\n", "kind: Secret\ndata: {a: *\n"},
		{"JSON", "{\n  \"kind\": \"Secret\",\n  \"data\": {\n    \"a\": \"b\"\n  },\n  \"type\": \"x\"\n}\n", "{\n  \"kind\": \"Secret\",\n  \"data\": {\n    \"a\": *\n  },\n  \"type\": \"x\"\n}\n"},
		{"JSON in one line", `{"data":{"a":"b","c":"d,e"},"kind":"Secret","name":"n"}`, `{"data":{"a":*,"c":*},"kind":"Secret","name":"n"}`},
		{"in a List", "kind: List\nitems:\n- kind: Secret\n  data:\n    a: b\n- kind: Pod\n  spec: c\n", "kind: List\nitems:\n- kind: Secret\n  data:\n    a: *\n- kind: Pod\n  spec: c\n"},
		{"data first in a List", "items:\n- data:\n    a: b\n  kind: Secret\n", "items:\n- data:\n    a: *\n  kind: Secret\n"},
		{"only its document", "kind: ConfigMap\ndata:\n  a: b\n---\nkind: Secret\ndata:\n  a: b\n--- # c\nkind: ConfigMap\ndata:\n  a: b\n", "kind: ConfigMap\ndata:\n  a: b\n---\nkind: Secret\ndata:\n  a: *\n--- # c\nkind: ConfigMap\ndata:\n  a: b\n"},
		{"what kubectl apply leaves", "kind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {\"data\":{\"a\":\"b\"}}\n  name: n\n", "kind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: *\n  name: n\n"},
		{"JSON in a string", "kind: List\nitems:\n- kind: Secret\n  x: \"{\\\"data\\\":{\\\"a\\\":\\\"b,c\\\"}}\"\n  y: z\n", "kind: List\nitems:\n- kind: Secret\n  x: \"{\\\"data\\\":*\n  y: z\n"},
		{"misspelt", "apiVersion: v1\nkind: Secret\nmetadata: {name: n}\nstringdata: {a: b}\n'Data':\n  a: b\npassword: c\ntype: x\n",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: n}\nstringdata: {a: *}\n'Data':\n  a: *\npassword: *\ntype: x\n"},
		{"explicit and escaped keys", "? kind\n: Secret\n? stringData\n: {a: b}\n\"string\\u0044ata\": {a: b}\n", "? kind\n: *\n\"string\\u0044ata\": {a: *}\n"},
		{"names a Secret", "kind: HelmRelease\nspec:\n  valuesFrom:\n  - kind: Secret\n    name: n\n", "kind: HelmRelease\nspec:\n  valuesFrom:\n  - kind: Secret\n    name: n\n"},
		{"generator", "secretGenerator:\n- name: n\n  literals:\n  - a=b\nnamespace: x\n", "secretGenerator:\n- name: *\n  *\n  *\nnamespace: x\n"},
		{"alias", "kind: Secret\ndata: *d\ntype: x\n", "kind: Secret\ndata: *\ntype: x\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := masked(tc.text); got != tc.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tc.want)
			}
		})
	}
}

func TestMaskedSpansOfKnownSecret(t *testing.T) {
	text := "kind: &k Pod\n---\nkind: >-\n  Secret\ndata:\n  a: b\n"
	at := strings.Index(text, "a: b")
	if got, want := masked(text, source.Span{Start: at, End: at}), strings.Replace(text, "a: b", "a: *", 1); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestMaskedSpansOfUnknownField(t *testing.T) {
	for text, want := range map[string]string{
		`{"items": [{"kind": "Secret", "stringdata": {"a": "b"}}, {"kind": "Pod", "spec": "c"}]}`: `{"items": [{"kind": "Secret", "stringdata": {"a": *}}, {"kind": "Pod", "spec": "c"}]}`,
		"items:\n- kind: Secret\n  stringdata:\n    a: b\n  type: x\n":                            "items:\n- kind: Secret\n  stringdata:\n    a: *\n  type: x\n",
		"kind: Secret\nmetadata:\n  stringdata: b\n  name: n\n":                                   "kind: Secret\nmetadata:\n  stringdata: *\n  name: n\n",
	} {
		at := strings.Index(text, "stringdata")
		if got := masked(text, source.Span{Start: at, End: at + len("stringdata")}); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}
