package jvm

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func optionsOf(texts ...string) []Option {
	var out []Option
	for _, text := range texts {
		out = append(out, Option{Text: text, Known: true})
	}
	return out
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"-Xmx1g":                       "",
		"-Xmx1gb":                      "-Xmx1gb every Java",
		"-XX:+PrintGCDateStamps":       "-XX:+PrintGCDateStamps Java 9 and later",
		"-XX:GCLogFileSize=1m":         "-XX:GCLogFileSize=1m Java 9 and later",
		"-XX:-UseBiasedLocking -Xmx1x": "-XX:-UseBiasedLocking Java 19 and later, -Xmx1x every Java",
		"-Xlog:gc":                     "-Xlog:gc Java 8 and earlier",
		"-XX:MaxRAMPercentage=75":      "-XX:MaxRAMPercentage=75 Java 9, -XX:MaxRAMPercentage=75 Java 8 before 8u191, -XX:MaxRAMPercentage=75 Java 10 and earlier",
		"-XX:MaxRAMPercentage=75.0":    "-XX:MaxRAMPercentage=75.0 Java 9, -XX:MaxRAMPercentage=75.0 Java 8 before 8u191",
		"-XX:MaxRAMPercentage=5e1":     "-XX:MaxRAMPercentage=5e1 Java 8 and earlier, -XX:MaxRAMPercentage=5e1 Java 10 to 17, -XX:MaxRAMPercentage=5e1 Java 9, -XX:MaxRAMPercentage=5e1 Java 8 before 8u191",
		"-XX:MaxRAMPercentage=150":     "-XX:MaxRAMPercentage=150 Java 10 and later, -XX:MaxRAMPercentage=150 Java 9, -XX:MaxRAMPercentage=150 Java 8 before 8u191, -XX:MaxRAMPercentage=150 Java 10 and earlier",
		"-XX:+UseG1gc":                 "-XX:+UseG1gc every Java",
		"-XX:G1NewSizePercent=5":       "-XX:G1NewSizePercent=5 every Java",
		"-XX:+UnlockExperimentalVMOptions -XX:G1NewSizePercent=5": "",
		"-XX:G1NewSizePercent=5 -XX:+UnlockExperimentalVMOptions": "-XX:G1NewSizePercent=5 every Java",
		"-XX:+UseZGC": "-XX:+UseZGC Java 10 and earlier, -XX:+UseZGC Java 11 to 14",
		"-XX:MaxPermSize=64m -XX:+IgnoreUnrecognizedVMOptions":              "",
		"-XX:+UnlockExperimentalVMOptions -XX:+UseCGroupMemoryLimitForHeap": "-XX:+UseCGroupMemoryLimitForHeap Java 11 and later, -XX:+UseCGroupMemoryLimitForHeap Java 8 before 8u131",
	} {
		options := optionsOf(strings.Fields(text)...)
		j := &JVM{Options: options, Flags: Parse(options)}
		var got []string
		for _, r := range j.Refused() {
			got = append(got, r.Option.Text+" "+r.Releases())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// What may hold the key to experimental flags, or the order to pass over
// unknown ones, keeps quiet.
func TestRefusedBesideUnknown(t *testing.T) {
	options := append([]Option{{Text: "$OPTS"}}, optionsOf("-XX:G1NewSizePercent=5", "-XX:+PrintGCDateStamps")...)
	if got := refusedFlags(options); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// TestHotspotTable holds the table of flags against what each Java on this machine
// prints: every flag that it has is known, of the same kind, locked or not.
func TestHotspotTable(t *testing.T) {
	eachJava(t, func(t *testing.T, java realJava) {
		out, err := java.run("-XX:+UnlockExperimentalVMOptions", "-XX:+UnlockDiagnosticVMOptions", "-XX:+PrintFlagsFinal")
		if err != nil {
			t.Fatal(err, out)
		}
		has := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^\s*(\w+) (\w+)\s+:?= .*?\{([^}]*)\}`).FindAllStringSubmatch(out, -1) {
			name, is := m[2], byte('p')
			for word, letter := range map[string]byte{"experimental": 'x', "diagnostic": 'd'} {
				if strings.Contains(m[3], word) {
					is = letter
				}
			}
			has[name] = true
			flag, ok := lookupFlag(name)
			if strings.Contains(m[3], "JVMCI") || !ok && strings.Contains(m[3], "ARCH") {
				continue // of this processor
			}
			if got := flag.in(java.release.Feature); !ok || got != is {
				t.Errorf("%s is %c, the table says %c", name, is, got)
			}
			if kind := map[string]byte{"bool": 'b', "double": 'f', "ccstr": 't', "ccstrlist": 't'}[m[1]]; ok && (kind == 'b') != (flag.kind == 'b') || kind == 't' && flag.kind != 't' {
				t.Errorf("%s is of kind %s, the table says %c", name, m[1], flag.kind)
			}
		}
		flags, _ := hotspot()
		for name, flag := range flags {
			if is := flag.in(java.release.Feature); !has[name] && (is == 'p' || is == 'x' || is == 'd') && len(has) > 100 {
				t.Errorf("%s is %c in the table, and java has none", name, is)
			}
		}
	})
}

// TestRemovedFlags tries flags that are gone, or taken and ignored.
func TestRemovedFlags(t *testing.T) {
	eachJava(t, func(t *testing.T, java realJava) {
		flags, _ := hotspot()
		for _, name := range slices.Sorted(maps.Keys(flags)) {
			is := flags[name].in(java.release.Feature)
			if is != 'o' && !(is == refused && popular.MatchString(name)) {
				continue
			}
			text := "-XX:" + name + "=1"
			if flags[name].kind == 'b' {
				text = "-XX:+" + name
			}
			if out, err := java.run(text); (err != nil) != (is == refused) {
				t.Errorf("%s: java says %v (%.80s), the table %c", text, err, out, is)
			}
		}
	})
}

// popular are flags that manifests were seen with.
var popular = regexp.MustCompile(`^(PrintGC|GCLog|NumberOfGCLog|UseGCLog|CMS|UseCMS|UseConc|UseParNew|UseParallelOld|MaxPerm|Perm|Aggressive|UseCGroup|MaxRAMF|UseBiased|ZGen|TraceClass|UseSplit)`)

// TestWordsAgainstJava tries words that are no -XX: flags where they are read: by the
// virtual machine, or by the launcher.
func TestWordsAgainstJava(t *testing.T) {
	eachJava(t, func(t *testing.T, java realJava) {
		for _, carrier := range []string{"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"} {
			for _, text := range []string{
				"-server", "-client", "-Xmx 512m", "512m", "-jar x.jar", "-cp /x", "-classpath /x", "--class-path=/x", "-p /x", "--module-path /x", "--module-path=/x",
				"--add-opens java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-modules java.sql", "--add-modules=java.sql",
				"-showversion", "--show-version", "-J-Xmx1g", "-splash:x", "-help", "-X", "-version", "--dry-run", "-XshowSettings:vm", "-ea", "-Dx=y z", "-Dx=y",
				"--enable-preview", "-verbose:gc", "-Xlog:disable", "@/nope", "--enable-native-access=ALL-UNNAMED", "-9", "-XX:+UseSerialGC -client",
			} {
				if strings.HasPrefix(text, "@") && carrier == "JDK_JAVA_OPTIONS" {
					continue // the file is not there
				}
				var options []Option
				for _, word := range split(text) {
					options = append(options, Option{Text: word, Known: true, Carrier: carrier})
				}
				j := &JVM{Options: options, Flags: Parse(options)}
				refuses := slices.ContainsFunc(j.Refused(), func(r Refusal) bool { return r.Holds(java.release) })
				cmd := exec.Command(java.path, "-version")
				cmd.Env = append(os.Environ(), carrier+"="+text)
				if out, err := cmd.CombinedOutput(); (err != nil) != refuses {
					t.Errorf("%s=%s: java says %v (%.120s), the model refuses it: %v", carrier, text, err, out, refuses)
				}
			}
		}
	})
}
