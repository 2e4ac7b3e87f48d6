package report

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// schema compiles the JSON schema in a file, formats such as uri asserted.
func schema(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(file, document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// results are what the machine-readable formats must hold on.
func results(t *testing.T) map[string]*diag.Result {
	t.Helper()
	bad := sample(t)
	bad.Diagnostics[1].Location = diag.Location{File: source.NewFile("x", "\xff\x00"), Span: source.Span{Start: -1, End: 99}}
	bad.Diagnostics[1].Message, bad.Rules[0].Help = "", strings.Repeat("wörd ", 400)
	bad.Diagnostics[1].Object = diag.Object{}
	bad.Diagnostics[2].Location = diag.Location{}
	bad.Diagnostics[2].Related = []diag.Related{{}}
	return map[string]*diag.Result{"empty": {}, "sample": sample(t), "odd": bad}
}

func TestSchemas(t *testing.T) {
	for format, file := range map[string]string{
		"json":  "schema/report.schema.json",
		"sarif": "testdata/sarif-2.1.0.json",
	} {
		s := schema(t, file)
		for name, r := range results(t) {
			for _, o := range []Options{{}, {ShowSuppressed: true, Version: "0.1.0"}, {MinSeverity: diag.Error}} {
				text := render(t, format, r, o)
				value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Validate(value); err != nil {
					t.Errorf("%s, %s: %v", format, name, err)
				}
				if bytes.Contains(text, []byte(": null")) && format == "sarif" {
					t.Errorf("%s, %s: null in\n%s", format, name, text)
				}
			}
		}
	}
}

// The schema is strict, so that a field without a description cannot slip in.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t, "schema/report.schema.json")
	text := render(t, "json", sample(t), Options{})
	for _, change := range [][2]string{
		{`"rule": "jvm`, `"rulez": "jvm`}, {`"severity": "error"`, `"severity": "fatal"`},
		{`"related": []`, `"related": null`}, {`"version": 1`, `"version": 2`}, {`"line": 1,`, `"line": 0,`},
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(string(text), change[0], change[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(value) == nil {
			t.Errorf("%s is accepted", change[1])
		}
	}
}

// What GitHub demands and SARIF's schema leaves open.
func TestSARIFInvariants(t *testing.T) {
	for name, r := range results(t) {
		var log sarifLog
		text := render(t, "sarif", r, Options{ShowSuppressed: true})
		if err := json.Unmarshal(text, &log); err != nil {
			t.Fatal(err)
		}
		run := log.Runs[0]
		if !bytes.Contains(text, []byte(`"results": [`)) || !bytes.Contains(text, []byte(`"rules": [`)) {
			t.Errorf("%s: no results or no rules", name)
		}
		if got, want := run.Invocations[0].ExecutionSuccessful, len(r.Problems) == 0; got != want {
			t.Errorf("%s: executionSuccessful is %v with %d problems", name, got, len(r.Problems))
		}
		for _, rule := range run.Tool.Driver.Rules {
			if n := len([]rune(rule.FullDescription.Text)); n == 0 || n > maxDescription {
				t.Errorf("%s: %s: fullDescription has %d characters", name, rule.ID, n)
			}
			if rule.Help.Text == "" || rule.Help.Markdown == "" || rule.ShortDescription.Text == "" || !strings.HasPrefix(rule.HelpURI, "https://") {
				t.Errorf("%s: %+v is incomplete", name, rule)
			}
		}
		for _, result := range run.Results {
			if run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID {
				t.Errorf("%s: ruleIndex of %s is another rule's", name, result.RuleID)
			}
			for _, l := range append(result.Locations, result.RelatedLocations...) {
				g := l.PhysicalLocation.Region
				if g == nil || g.StartLine < 1 || g.StartColumn < 1 || g.EndLine < g.StartLine || g.EndLine == g.StartLine && g.EndColumn < g.StartColumn {
					t.Errorf("%s: %s: region %+v", name, result.RuleID, g)
				}
			}
			for _, l := range result.RelatedLocations {
				if !strings.Contains(result.Message.Text, "]("+string(rune('0'+l.ID))+")") {
					t.Errorf("%s: %s: related location %d is not linked", name, result.RuleID, l.ID)
				}
			}
			if result.PartialFingerprints.Own == "" {
				t.Errorf("%s: %s: no fingerprint", name, result.RuleID)
			}
		}
	}
}

func TestSARIFLeavesSuppressedOut(t *testing.T) {
	if got := render(t, "sarif", sample(t), Options{}); bytes.Contains(got, []byte("single-replica")) {
		t.Error("a suppressed result opens an alert on GitHub")
	}
}

func TestSARIFURI(t *testing.T) {
	for name, want := range map[string]sarifArtifact{
		"a.yaml":          {URI: "a.yaml", URIBaseID: sarifRoot},
		"./a/b.yaml":      {URI: "a/b.yaml", URIBaseID: sarifRoot},
		"<stdin>":         {URI: "stdin", URIBaseID: sarifRoot},
		"a b/ü%#?.yaml":   {URI: "a%20b/%C3%BC%25%23%3F.yaml", URIBaseID: sarifRoot},
		"http://x/y":      {URI: "http%3A/x/y", URIBaseID: sarifRoot},
		"../up.yaml":      {URI: "../up.yaml", URIBaseID: sarifRoot},
		"/tmp/a b.yaml":   {URI: "file:///tmp/a%20b.yaml"},
		"C:/k8s/api.yaml": {URI: "file:///C:/k8s/api.yaml"},
	} {
		if got := sarifURI(name); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestLiteral(t *testing.T) {
	for text, want := range map[string]string{
		"{{ .Values.x }} {memory: 2Gi}": "{{ .Values.x }} {memory: 2Gi}",
		"{0} {12} {1a} {":               "{{0}} {{12}} {1a} {",
		"[click](https://example.com)":  "[click] (https://example.com)",
	} {
		if got := literal(text); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
