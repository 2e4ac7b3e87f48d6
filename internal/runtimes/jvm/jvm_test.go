package jvm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/source"
)

func parse(words string) Flags {
	var options []Option
	for _, w := range strings.Fields(words) {
		options = append(options, Option{Text: w, Known: true})
	}
	return Parse(options)
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "512": 512, "1k": 1024, "2M": 2 << 20, "3g": 3 << 30, "1T": 1 << 40, "0x10": 16, "0X1fm": 31 << 20, "007": 7,
	} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "g", "1.5g", "2GB", "-1", "+1", " 1", "1 ", "1_0", "0x", "0x_1", "99999999999g", "18446744073709551616", "1e3", "١"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("parseSize(%q) = %d, want none", text, got)
		}
	}
}

// The figures are of a real JVM where TestAgainstJava can ask one.
func TestHeap(t *testing.T) {
	for _, tt := range []struct {
		options string
		memory  uint64
		want    uint64 // MiB
		by      string
	}{
		{"", 4 * giga, 1024, ""},
		{"", 200 * mega, 100, ""}, // half of a small memory
		{"", 400 * mega, 126, ""}, // 25% is less than the smallest default
		{"", 512 * giga, 32 * 1024, ""},
		{"-Xmx2g", giga, 2048, "-Xmx2g"},
		{"-Xmx2g -XX:MaxHeapSize=1g", giga, 1024, "-XX:MaxHeapSize=1g"},
		{"-XX:MaxRAMPercentage=75", 4 * giga, 3072, "-XX:MaxRAMPercentage=75"},
		{"-XX:MaxRAMPercentage=75 -Xmx1g", 4 * giga, 1024, "-Xmx1g"},
		{"-XX:MaxRAMPercentage=90", 128 * mega, 64, ""},
		{"-XX:MinRAMPercentage=90", 100 * mega, 90, "-XX:MinRAMPercentage=90"},
		{"-XX:MaxRAMFraction=2", 4 * giga, 2048, "-XX:MaxRAMFraction=2"},
		{"-XX:MaxRAMFraction=1 -XX:MaxRAMPercentage=50", 4 * giga, 2048, "-XX:MaxRAMPercentage=50"},
		{"-XX:MaxRAM=2g", 4 * giga, 512, ""},
		{"-Xms3g", 4 * giga, 3072, "-Xms3g"},
	} {
		f := parse(tt.options)
		h := f.Heap(Machine{Memory: tt.memory, CPUs: 1})
		by := ""
		if h.By != nil {
			by = h.By.Text
		}
		if h.Max>>20 != tt.want || by != tt.by {
			t.Errorf("%q in %d MiB: heap %d MiB by %q, want %d by %q", tt.options, tt.memory>>20, h.Max>>20, by, tt.want, tt.by)
		}
	}
}

func TestBudget(t *testing.T) {
	f := parse("-Xmx1g -XX:MaxMetaspaceSize=64m -Xss512k -XX:-TieredCompilation -XX:MaxDirectMemorySize=32m -XX:+UseSerialGC -javaagent:/a.jar -agentlib:jdwp=x")
	m := Machine{Memory: 2 * giga}
	b := f.Budget(m, f.Heap(m))
	var got []string
	for _, p := range b.Parts {
		by := ""
		if p.By != nil {
			by = p.By.Text
		}
		got = append(got, fmt.Sprintf("%s %d %d %s", p.Name, p.Bytes>>20, p.Basis, by))
	}
	want := []string{
		"heap 1024 0 -Xmx1g", "metaspace 64 0 -XX:MaxMetaspaceSize=64m", "code cache 48 1 ", "threads 25 2 -Xss512k", "collector 3 2 ",
		"direct buffers 32 0 -XX:MaxDirectMemorySize=32m",
	}
	if !slices.Equal(got, want) || b.Total()>>20 != 1196 || b.Direct != 32*mega || len(b.Agents) != 1 {
		t.Errorf("parts %q, %d MiB, direct %d; want %q", got, b.Total()>>20, b.Direct, want)
	}
	f = parse("")
	if b := f.Budget(m, f.Heap(m)); b.Direct != 512*mega || b.Parts[0].Basis != ByDefault || b.Parts[2].Bytes != tieredCache {
		t.Errorf("without options: %+v", b)
	}
}

func TestSplit(t *testing.T) {
	got := split(` -Da="x y"  -Xmx1g` + "\t" + `'-Db=c d'` + "\n")
	if want := []string{`-Da="x y"`, "-Xmx1g", `'-Db=c d'`}; !slices.Equal(got, want) {
		t.Errorf("split: %q, want %q", got, want)
	}
	if got := unquote(`-Da="x 'y"'z'`); got != `-Da=x 'yz` {
		t.Errorf("unquote: %q", got)
	}
}

// container returns what is found in a container with the given fields.
func container(t *testing.T, fields string) (*JVM, bool) {
	t.Helper()
	text := "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    " +
		strings.ReplaceAll(strings.TrimSpace(fields), "\n", "\n    ") + "\n"
	set := loader.LoadText(source.NewFile("pod.yaml", text)).Set
	if len(set.Workloads) != 1 {
		t.Fatalf("no pod in\n%s", text)
	}
	return Of(cluster.New(set, cluster.Options{}), set.Workloads[0].Containers[0])
}

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		fields  string
		want    string // the options
		certain bool
	}{
		{"image: app\ncommand: [java, -Xmx1g, -cp, -Xmx2g, Main, -Xmx3g]", "-Xmx1g", true},
		{"image: app\ncommand: [/entry.sh]\nargs: [java, -Xmx1g, -jar, app.jar]", "-Xmx1g", true},
		{"image: app\nargs: [java, -Xmx1g, -jar, app.jar]", "-Xmx1g", true},
		{"image: app\nargs: [-Xmx1g]", "-Xmx1g", true},
		{"image: app\ncommand: [sh, -c, \"wait-for db; exec java -Xmx1g -jar app.jar\"]", "-Xmx1g", true},
		{"image: app\ncommand: [sh, -c, \"JAVA_TOOL_OPTIONS=-Xmx5g java -Xmx1g -jar app.jar\"]\nenv: [{name: JAVA_TOOL_OPTIONS, value: -Xmx4g}]", "-Xmx5g -Xmx1g", true},
		{"image: app\ncommand: [java, -Xmx1g, -jar, a.jar]\nenv: [{name: _JAVA_OPTIONS, value: -Xmx4g}, {name: JDK_JAVA_OPTIONS, value: -Xmx3g}, {name: JAVA_TOOL_OPTIONS, value: -Xmx2g}, {name: JAVA_OPTS, value: -Xmx9g}]",
			"-Xmx2g -Xmx3g -Xmx1g -Xmx4g", true},
		{"image: app\nenv: [{name: JAVA_TOOL_OPTIONS, value: -Xmx1g}]", "-Xmx1g", true},
		{"image: app\nenv: [{name: JAVA_OPTS, value: -Xmx1g -Da=b}]", "-Xmx1g -Da=b", false},
		{"image: app\nenv: [{name: JAVA_OPTS, value: -Da=b}]", "", false},
		{"image: app\nenv: [{name: SPRING_PROFILES_ACTIVE, value: prod}]", "", false},
		{"image: acme/openjdk-app", "", false},
		{"image: tomcat\nenv: [{name: CATALINA_OPTS, value: -Xmx2g}, {name: JAVA_OPTS, value: -Xmx1g}]", "-Xmx1g -Xmx2g", true},
		{"image: apachepulsar/pulsar:2.9.0\ncommand: [sh, -c, bin/pulsar bookie]\nenv: [{name: PULSAR_MEM, value: -Xmx1g}]", "-Xmx1g", true},
		{"image: apachepulsar/pulsar:2.9.0\ncommand: [sh, -c, bin/bookkeeper shell]\nenv: [{name: PULSAR_MEM, value: -Xmx1g}]", "-Xmx1g", false},
		{"image: bitnami/zookeeper\nenv: [{name: ZOO_HEAP_SIZE, value: \"512\"}]", "-Xmx512m", true},
		{"image: sonarqube\nenv: [{name: SONAR_WEB_JAVAOPTS, value: -Xmx1g}]", "", true},
	} {
		j, ok := container(t, tt.fields)
		if !ok {
			t.Errorf("%s\nis no JVM", tt.fields)
			continue
		}
		var got []string
		for _, o := range j.Options {
			got = append(got, o.Text)
		}
		if strings.Join(got, " ") != tt.want || j.Certain != tt.certain || len(j.Evidence) == 0 {
			t.Errorf("%s\noptions %q, certain %v, evidence %q; want %q, %v", tt.fields, got, j.Certain, j.Evidence, tt.want, tt.certain)
		}
	}
	for _, fields := range []string{
		"image: app",
		"image: nginx\nenv: [{name: JAVA_OPTS, value: -Xmx1g}]",
		"image: app\ncommand: [python3, app.py]\nenv: [{name: JAVA_OPTS, value: -Xmx1g}]",
		"image: app\ncommand: [which, java]",
		"image: app\ncommand: [sh, -c, \"echo java -Xmx1g -jar a.jar; exec serve\"]",
		"image: sonarqube\ncommand: [sh, -c, \"chown 1000 /data\"]",
		"command: [java, -Xmx1g]", // a patch
		"image: app\ncommand: [sh, -c, \"until nc -z db 5432; do sleep 1; done\"]\nenv: [{name: JAVA_TOOL_OPTIONS, value: -Xmx1g}]",
		"image: app\ncommand: [cp, -r, /a, /b]\nenv: [{name: _JAVA_OPTIONS, value: -Xmx1g}]",
		"image: eclipse-temurin\ncommand: [keytool, -list]\nenv: [{name: JAVA_OPTS, value: -Xmx1g}]",
		"image: app\nenv: [{name: MAVEN_OPTS, value: -Xmx1g}]",
	} {
		if j, ok := container(t, fields); ok {
			t.Errorf("%s\nis taken for a JVM: %q", fields, j.Evidence)
		}
	}
}

func TestSure(t *testing.T) {
	for fields, want := range map[string]bool{
		"image: app\ncommand: [java, -Xmx1g, -jar, a.jar]":                                                      true,
		"image: app\ncommand: [sh, -c, \"java -Xmx1g $MORE -jar a.jar\"]":                                       false,
		"image: app\ncommand: [sh, -c, \"java $MORE -Xmx1g -jar a.jar\"]":                                       true,
		"image: app\ncommand: [java, -Xmx1g, \"@more\", -jar, a.jar]":                                           false,
		"image: app\ncommand: [java, -Xmx1g, \"-XX:VMOptionsFile=/more\", -jar, a.jar]":                         false,
		"image: app\ncommand: [sh, -c, \"cd /app && exec java -Xmx1g -jar a.jar\"]":                             true,
		"image: app\ncommand: [sh, -c, \"if a; then java -Xmx2g -jar a.jar; else java -Xmx1g -jar a.jar; fi\"]": false,
		"image: app\ncommand: [sh, -c, \"java -Xmx2g -jar a.jar && exec java -Xmx1g -jar b.jar\"]":              false,
		"image: app\ncommand: [sh, -c, \"java -Xmx2g -version; exec java -Xmx1g -jar b.jar\"]":                  true,
		"image: app\nenv: [{name: JAVA_OPTS, value: -Xmx1g}]":                                                   false,
		"image: tomcat\nenv: [{name: JAVA_OPTS, value: -Xmx1g}]":                                                true,
	} {
		j, ok := container(t, fields)
		if !ok || j.Flags.MaxHeapSize == nil || j.Sure(j.Flags.MaxHeapSize.By) != want {
			t.Errorf("%s\nsure is not %v", fields, want)
		}
	}
}

func TestSecretOptionIsNotShown(t *testing.T) {
	o := Option{Text: "-Xmx9g", Secret: true, Carrier: "JAVA_TOOL_OPTIONS"}
	if s := o.String(); strings.Contains(s, "9") {
		t.Errorf("a Secret's option prints as %q", s)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"-xx: -xmx1 -9 --add-opens x -XX:maxheapsize=1 -XX:#x -XX:+ -Dx",
		"-Xmx2g -Xms1g", "-XX:MaxRAMPercentage=75.0 -XX:+UseG1GC -XX:-UseG1GC", "-Xss1m -Xint @file", "-XX: -XX:= -XX:+ -Xmx0x", "-XX:MaxRAMFraction=0 -XX:ThreadStackSize=99999999999999",
	} {
		f.Add(s, uint64(1<<30))
	}
	f.Fuzz(func(t *testing.T, s string, memory uint64) {
		var options []Option
		for _, text := range split(s) {
			options = append(options, Option{Text: unquote(text), Known: true})
		}
		flags := Parse(options)
		h := flags.Heap(Machine{Memory: memory, CPUs: 2})
		if h.By == nil && len(options) == 0 && h.Asked > max(memory, smallHeap) {
			t.Errorf("the default heap in %d is %d", memory, h.Asked)
		}
		flags.Budget(Machine{Memory: memory}, h)
		(&JVM{Options: options, Flags: flags}).Refused()
	})
}
