package picture

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/source"
	"github.com/crashlint/crashlint/internal/timeline"
)

// testManifests returns the timelines of folders of testdata/manifests, all
// without any.
func testManifests(t *testing.T, folders ...string) []timeline.Timeline {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{filepath.Join(root, "testdata", "manifests")}
	for i, f := range folders {
		paths = append(paths[:i], filepath.Join(root, "testdata", "manifests", f))
	}
	loaded, err := loader.Load(context.Background(), loader.Options{Paths: paths, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return timelines(cluster.New(loaded.Set, cluster.Options{}), timeline.Assumptions{})
}

func timelines(c *cluster.Cluster, a timeline.Assumptions) []timeline.Timeline {
	var out []timeline.Timeline
	for _, w := range c.Workloads {
		if t, ok := timeline.Of(c, w, a); ok {
			out = append(out, t)
		}
	}
	return out
}

// written returns the timelines of a manifest.
func written(text string, a timeline.Assumptions) []timeline.Timeline {
	return timelines(cluster.New(loader.LoadText(source.NewFile("app.yaml", text)).Set, cluster.Options{}), a)
}

func drawn(t *testing.T, format string, list []timeline.Timeline, o Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, format, list, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// golden compares with a file, which CRASHLINT_UPDATE=1 in the environment
// writes.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("CRASHLINT_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is drawn (CRASHLINT_UPDATE=1 writes it):\n%s", file, got)
	}
}

func TestText(t *testing.T) {
	golden(t, "testdata/manifests.txt", drawn(t, "text", testManifests(t, "spring-shop", "spring-orders", "kafka", "cronjob", "limitrange"), Options{}))
	golden(t, "testdata/pod.txt", drawn(t, "text", written(read(t, "testdata/pod.yaml"), timeline.Assumptions{}), Options{}))
}

// TestReadme holds the picture in README against the program.
func TestReadme(t *testing.T) {
	list := slices.DeleteFunc(testManifests(t, "spring-shop", "spring-orders"), func(t timeline.Timeline) bool { return t.Name == "catalog" })
	picture := drawn(t, "svg", list, Options{})
	golden(t, "../../docs/timeline.svg", picture)
	if len(picture) > 200_000 {
		t.Errorf("the picture has %d bytes", len(picture))
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestWidth: no line is wider than it may be, and colors do not change the text.
func TestWidth(t *testing.T) {
	list := append(testManifests(t), written(read(t, "testdata/pod.yaml"), timeline.Assumptions{Until: 3})...)
	for _, width := range []int{0, 1, 48, 61, 80, 113, 500} {
		got := drawn(t, "text", list, Options{Width: width})
		limit := width
		if width == 0 {
			limit = usualWidth
		}
		limit = min(max(limit, narrowest), widest)
		for line := range strings.SplitSeq(got, "\n") {
			// A word that is longer than the line stays whole.
			if w := displaywidth.String(line); w > limit && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%d columns instead of %d: %s", w, limit, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("blanks behind %q", line)
			}
		}
		colored := drawn(t, "text", list, Options{Width: width, Color: true})
		if colored == got || escapes.ReplaceAllString(colored, "") != got {
			t.Errorf("with color, and %d columns, the text is another one", width)
		}
	}
}

// TestHostileNames puts what must not get through wherever a manifest has a say.
func TestHostileNames(t *testing.T) {
	list := written(read(t, "testdata/pod.yaml"), timeline.Assumptions{})
	bad := "<script>alert(1)</script>&\"'\u202e\x1b[31m\x00--></style>]]>"
	w := &list[0]
	w.Name, w.Kind, w.Namespace, w.File, w.Notes = bad, bad, bad, bad, []string{bad}
	for i := range w.Containers {
		c := &w.Containers[i]
		c.Name, c.Image, c.Verdict, c.Assumed.Because, c.Memory.LimitFrom, c.Notes = bad, bad, bad, bad, bad, []string{bad}
		for j := range c.Events {
			c.Events[j].What, c.Events[j].Short = bad, bad
		}
		for j := range c.Memory.Parts {
			c.Memory.Parts[j].Name, c.Memory.Parts[j].By = bad, bad
		}
		for j := range c.Probes {
			c.Probes[j].Void = bad
		}
	}
	for _, format := range Formats() {
		got := drawn(t, format, list, Options{})
		for _, never := range []string{"\x1b", "\u202e", "\x00"} {
			if format != "json" && strings.Contains(got, never) {
				t.Errorf("%s: %q gets through", format, never)
			}
		}
		if strings.Contains(got, "<script") && format != "text" {
			t.Errorf("%s: a script gets through", format)
		}
		switch format {
		case "json":
			if !json.Valid([]byte(got)) || strings.Contains(got, "\x1b") {
				t.Errorf("no JSON:\n%s", got)
			}
		case "svg":
			wellFormed(t, got)
		}
	}
}

// wellFormed reads all of an XML document.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
}

// TestSelfContained: the page and the SVG name nothing that is elsewhere.
func TestSelfContained(t *testing.T) {
	elsewhere := regexp.MustCompile(`(?i)(src|href|action)\s*=\s*"[^#"d]|url\(|@import|<script|https?://`)
	for _, format := range []string{"svg", "html"} {
		got := drawn(t, format, testManifests(t), Options{Version: "0"})
		got = strings.ReplaceAll(got, ` xmlns="http://www.w3.org/2000/svg"`, "")
		if found := elsewhere.FindString(got); found != "" {
			t.Errorf("%s: %s", format, found)
		}
	}
	wellFormed(t, drawn(t, "svg", testManifests(t), Options{}))
}

// TestSecrets: what a Secret says of a program's memory is its value.
func TestSecrets(t *testing.T) {
	list := written(read(t, "testdata/secret.yaml"), timeline.Assumptions{})
	if len(list) != 1 || len(list[0].Containers) != 4 {
		t.Fatalf("%+v", list)
	}
	for _, format := range Formats() {
		got := drawn(t, format, list, Options{})
		for _, secret := range []string{"987", "1034944512", "hush"} {
			if strings.Contains(got, secret) {
				t.Errorf("%s shows %s:\n%s", format, secret, got)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	golden(t, "testdata/pod.json", drawn(t, "json", written(read(t, "testdata/pod.yaml"), timeline.Assumptions{}), Options{Version: "0"}))
	if got := drawn(t, "json", nil, Options{Version: "0"}); !strings.Contains(got, `"workloads": []`) {
		t.Errorf("%s", got)
	}
}

// TestSchema holds JSON against its schema, which is strict, so that no field
// slips in without a description.
func TestSchema(t *testing.T) {
	text, err := os.Open("schema/timeline.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	doc, err := jsonschema.UnmarshalJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("timeline.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("timeline.json")
	if err != nil {
		t.Fatal(err)
	}
	list := testManifests(t)
	for _, file := range []string{"pod", "secret"} {
		list = append(list, written(read(t, "testdata/"+file+".yaml"), timeline.Assumptions{})...)
	}
	valid := drawn(t, "json", list, Options{Version: "0"})
	check := func(text string) error {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	if err := check(valid); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{{`"outcome": "ready"`, `"outcome": "fine"`}, {`"bytes": `, `"mebibytes": `}, {`"events": [`, `"event": [`}, {`"version": 1`, `"version": 2`}} {
		if changed := strings.Replace(valid, change[0], change[1], 1); changed == valid || check(changed) == nil {
			t.Errorf("%s is accepted", change[1])
		}
	}
}

func TestNoFormat(t *testing.T) {
	if err := Write(io.Discard, "png", nil, Options{}); err == nil || !strings.Contains(err.Error(), "text, svg, html, json") {
		t.Errorf("%v", err)
	}
}

func TestClock(t *testing.T) {
	for _, test := range []struct {
		second, step int64
		want         string
	}{
		{0, 5, "0 s"}, {90, 30, "90 s"}, {630, 30, "10:30"}, {120, 60, "2 min"}, {7200, 900, "2:00 h"}, {5400, 3600, "1:30 h"}, {75, 75, "1:15"},
	} {
		if got := clock(test.second, test.step); got != test.want {
			t.Errorf("%d s with ticks each %d s: %q, want %q", test.second, test.step, got, test.want)
		}
	}
}

func TestAttempts(t *testing.T) {
	list := written("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: x, livenessProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 4, periodSeconds: 7}}]}\n",
		timeline.Assumptions{Start: new(int64(16))})
	c := list[0].Containers[0]
	if sent, kills := attempts(c, c.Probes[0], 100, 10); !slices.Equal(sent, []int64{4, 11, 16}) || kills != kubelet.Never {
		t.Errorf("%v, killed at %d", sent, kills)
	}
	list = written("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: x, livenessProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 4, periodSeconds: 7}}]}\n", timeline.Assumptions{})
	c = list[0].Containers[0]
	if sent, kills := attempts(c, c.Probes[0], 100, 10); !slices.Equal(sent, []int64{4, 11, 18}) || kills != 18 {
		t.Errorf("%v, killed at %d", sent, kills)
	}
	if sent, _ := attempts(c, c.Probes[0], 100, 2); len(sent) != 2 {
		t.Errorf("%v", sent)
	}
}
