package jvm

import (
	"fmt"
	"os/exec"
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
		"-XX:MaxRAMPercentage=75":      "-XX:MaxRAMPercentage=75 Java 10 and earlier",
		"-XX:MaxRAMPercentage=75.0":    "",
		"-XX:G1NewSizePercent=5":       "-XX:G1NewSizePercent=5 every Java",
		"-XX:+UnlockExperimentalVMOptions -XX:G1NewSizePercent=5": "",
		"-XX:G1NewSizePercent=5 -XX:+UnlockExperimentalVMOptions": "-XX:G1NewSizePercent=5 every Java",
		"-XX:+UseZGC": "-XX:+UseZGC Java 11 to 14, -XX:+UseZGC Java 10 and earlier",
		"-XX:MaxPermSize=64m -XX:+IgnoreUnrecognizedVMOptions":              "",
		"-XX:+UnlockExperimentalVMOptions -XX:+UseCGroupMemoryLimitForHeap": "-XX:+UseCGroupMemoryLimitForHeap Java 11 and later",
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
	if got := refusedByVersion(options); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// TestRefusedAgainstJava tries every flag of the tables on a real Java 17.
func TestRefusedAgainstJava(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no java on this machine")
	}
	if out, _ := exec.Command(java, "-version").CombinedOutput(); !strings.Contains(string(out), `version "17.`) {
		t.Skip("the java of this machine is not 17")
	}
	values := map[string]string{
		"NumberOfGCLogFiles": "=3", "GCLogFileSize": "=10m", "PrintSafepointStatisticsCount": "=1", "PrintSafepointStatisticsTimeout": "=1",
		"CMSInitiatingOccupancyFraction": "=70", "CMSMaxAbortablePrecleanTime": "=10", "PermSize": "=64m", "MaxPermSize": "=64m",
		"BiasedLockingStartupDelay": "=0", "G1NewSizePercent": "=5", "G1MaxNewSizePercent": "=60", "G1MixedGCLiveThresholdPercent": "=85",
		"G1OldCSetRegionThresholdPercent": "=10",
	}
	names := map[string]bool{}
	for _, table := range []map[string]int{removed, added, locked} {
		for name := range table {
			names[name] = true
		}
	}
	for name := range names {
		text := "-XX:+" + name
		if value, ok := values[name]; ok {
			text = fmt.Sprintf("-XX:%s%s", name, value)
		}
		switch {
		case name == "-Xlog":
			text = "-Xlog:disable"
		case strings.HasPrefix(name, "-"):
			text = name
		}
		refused := slices.ContainsFunc(refusedByVersion(optionsOf(text)), func(r VersionRefusal) bool { return r.Holds(17) })
		out, err := exec.Command(java, text, "-version").CombinedOutput()
		if refused != (err != nil) {
			t.Errorf("%s: java says %v (%.80s), the tables refuse it: %v", text, err, out, refused)
		}
	}
}
