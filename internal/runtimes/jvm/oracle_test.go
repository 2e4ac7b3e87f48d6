package jvm

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var oracleSets = flag.Int("oracle", 200, "how many sets of options to compare with each java on this machine")

// A realJava is a JVM on this machine.
type realJava struct {
	path    string
	release Release
}

// javas returns the java on the path and those of Debian's and Temurin's packages,
// one a release. The model is held against 17 and later: what it says of older
// releases comes from their sources.
var javas = sync.OnceValue(func() []realJava {
	paths, _ := filepath.Glob("/usr/lib/jvm/*/bin/java")
	if path, err := exec.LookPath("java"); err == nil {
		paths = append([]string{path}, paths...)
	}
	var found []realJava
	for _, path := range paths {
		out, _ := exec.Command(path, "-version").CombinedOutput()
		m := regexp.MustCompile(`version "(\d+)\.0\.(\d+)`).FindSubmatch(out)
		if m == nil || !strings.Contains(string(out), "Server VM") {
			continue
		}
		feature, _ := strconv.Atoi(string(m[1]))
		update, _ := strconv.Atoi(string(m[2]))
		known := slices.ContainsFunc(found, func(j realJava) bool { return j.release.Feature == feature })
		if feature >= 17 && feature <= Newest && !known {
			found = append(found, realJava{path, Release{Feature: feature, Update: update}})
		}
	}
	return found
})

// eachJava runs a test with every java on this machine.
func eachJava(t *testing.T, test func(*testing.T, realJava)) {
	if len(javas()) == 0 {
		t.Skip("no java 17 or later on this machine")
	}
	for _, java := range javas() {
		t.Run(fmt.Sprintf("java-%d", java.release.Feature), func(t *testing.T) { test(t, java) })
	}
}

// run starts java with options and -version.
func (j realJava) run(options ...string) (output string, err error) {
	out, err := exec.Command(j.path, append(options, "-version")...).CombinedOutput()
	return string(out), err
}

// TestOracle compares what the model says of random options with what a real JVM
// does: whether it starts, and what it prints for the flags that the memory model
// rests on. -XX:MaxRAM stands in for the container's limit.
func TestOracle(t *testing.T) {
	eachJava(t, func(t *testing.T, java realJava) {
		random := rand.New(rand.NewPCG(17, 2026))
		sets := make(chan []string)
		var workers sync.WaitGroup
		var started, refused int
		var mu sync.Mutex
		for range runtime.GOMAXPROCS(0) {
			workers.Go(func() {
				for set := range sets {
					ok := java.compare(t, set)
					mu.Lock()
					if ok {
						started++
					} else {
						refused++
					}
					mu.Unlock()
				}
			})
		}
		for range *oracleSets {
			sets <- randomOptions(random)
		}
		close(sets)
		workers.Wait()
		t.Logf("%d sets started, %d were refused", started, refused)
		if started == 0 || refused == 0 {
			t.Error("the sets must try both")
		}
	})
}

var finalFlag = regexp.MustCompile(`(?m)^\s*\w+ (\w+)\s+= (\S+)`)

func (j realJava) compare(t *testing.T, set []string) (started bool) {
	options := optionsOf(set...)
	model := &JVM{Options: options, Flags: Parse(options)}
	refused := slices.DeleteFunc(model.Refused(), func(r Refusal) bool { return !r.Holds(j.release) })
	out, err := j.run(append(set, "-XX:+PrintFlagsFinal")...)
	if (err == nil) != (len(refused) == 0) {
		if i := strings.Index(out, "[Global flags]"); i >= 0 {
			out = out[:i]
		}
		t.Errorf("%q: java says %v (%.300s), the model %v", set, err, out, refused)
		return err == nil
	}
	if err != nil {
		return false
	}
	final := map[string]string{}
	for _, m := range finalFlag.FindAllStringSubmatch(out, -1) {
		final[m[1]] = m[2]
	}
	f := &model.Flags
	machine := Machine{Memory: 16 * giga, CPUs: 2}
	want := map[string]uint64{"MaxHeapSize": f.Heap(machine).Max, "ReservedCodeCacheSize": f.codeCache(), "ThreadStackSize": 1024, "MaxDirectMemorySize": 0}
	for name, s := range map[string]*Setting[uint64]{
		"MaxMetaspaceSize": f.MaxMetaspaceSize, "ReservedCodeCacheSize": f.ReservedCodeCacheSize, "MaxDirectMemorySize": f.MaxDirectMemorySize,
	} {
		if s != nil {
			want[name] = s.V
		}
	}
	if s := f.ThreadStackSize; s != nil {
		want["ThreadStackSize"] = (s.V + kilo - 1) / kilo
	}
	for name, n := range want {
		got, err := strconv.ParseUint(final[name], 10, 64)
		// The code cache is rounded to pages, MaxMetaspaceSize in some releases to more.
		if err != nil || max(got, n)-min(got, n) > 8*kilo {
			t.Errorf("%q: java's %s is %s, the model's %d", set, name, final[name], n)
		}
	}
	if collector := f.Collector(machine); final[collector] != "true" {
		t.Errorf("%q: the model chooses %s, java does not", set, collector)
	}
	return true
}

// randomOptions makes a set of options most of which a JVM takes.
func randomOptions(r *rand.Rand) []string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	size := func(low, high int) string { return fmt.Sprintf("%d%s", low+r.IntN(high-low), pick("m", "M")) }
	set := []string{"-XX:MaxRAM=" + size(64, 12000)}
	collector := pick("UseSerialGC", "UseParallelGC", "UseG1GC", "UseZGC", "UseShenandoahGC", "")
	switch {
	case collector != "":
		set = append(set, "-XX:+"+collector)
	default:
		set = append(set, "-XX:ActiveProcessorCount="+pick("1", "2", "3"))
	}
	for range r.IntN(3) {
		heap := pick(size(8, 6000), size(8, 300), pick("1g", "2G", "3145728k", "1073741824", "0x20000000", "1100000000"))
		set = append(set, pick("-Xmx", "-Xmx", "-XX:MaxHeapSize=")+heap)
	}
	if r.IntN(4) == 0 {
		set = append(set, pick("-Xms", "-Xms", "-XX:InitialHeapSize=", "-XX:MinHeapSize=")+size(8, 400))
	}
	for range r.IntN(3) {
		percent := pick(strconv.Itoa(1+r.IntN(100)), fmt.Sprintf("%.1f", 1+r.Float64()*99), "75", "75.0", "33.333")
		set = append(set, "-XX:"+pick("MaxRAMPercentage=", "MaxRAMPercentage=", "MinRAMPercentage=", "InitialRAMPercentage=")+percent)
	}
	if r.IntN(8) == 0 {
		set = append(set, "-XX:"+pick("MaxRAMFraction=", "MinRAMFraction=")+strconv.Itoa(1+r.IntN(8)))
	}
	for range r.IntN(3) {
		set = append(set, pick(
			"-Xss512k", "-Xss1m", "-Xss136k", "-Xss0", "-Xss2m", "-XX:ThreadStackSize=512", "-XX:ThreadStackSize=0",
			"-XX:MaxMetaspaceSize="+size(8, 600), "-XX:MetaspaceSize="+size(8, 600), "-XX:CompressedClassSpaceSize="+size(16, 900),
			"-XX:ReservedCodeCacheSize="+size(4, 2048), "-XX:ReservedCodeCacheSize=3000k", "-XX:InitialCodeCacheSize="+size(3, 60),
			"-XX:MaxDirectMemorySize="+size(1, 4000), "-XX:MaxDirectMemorySize=0",
			"-XX:-TieredCompilation", "-XX:+TieredCompilation", "-Xint", "-XX:TieredStopAtLevel="+strconv.Itoa(r.IntN(5)),
			"-Xmn"+size(1, 200), "-XX:NewRatio="+strconv.Itoa(1+r.IntN(5)), "-XX:SurvivorRatio="+strconv.Itoa(1+r.IntN(9)),
			"-XX:MaxGCPauseMillis=200", "-XX:InitiatingHeapOccupancyPercent="+strconv.Itoa(r.IntN(120)), "-XX:MaxTenuringThreshold="+strconv.Itoa(r.IntN(19)),
			"-XX:MinHeapFreeRatio="+strconv.Itoa(r.IntN(110)), "-XX:MaxHeapFreeRatio="+strconv.Itoa(r.IntN(110)),
			"-XX:ParallelGCThreads="+strconv.Itoa(1+r.IntN(3)), "-XX:+ExitOnOutOfMemoryError", "-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=/tmp",
			"-XX:+AlwaysPreTouch -XX:-AlwaysPreTouch", "-XX:+UseStringDeduplication", "-XX:OnOutOfMemoryError=true", "-XX:+UseContainerSupport",
			"-XX:+UnlockExperimentalVMOptions -XX:G1NewSizePercent=5", "-XX:+UnlockDiagnosticVMOptions -XX:+PrintInlining", "-XX:-UseAdaptiveSizePolicy",
			"-Djava.io.tmpdir=/tmp", "-ea", "-verbose:gc", "-Xlog:disable", "-server", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-Xshare:auto",
		))
	}
	if r.IntN(3) == 0 {
		set = append(set, pick(
			"-Xmx2GB", "-Xmx1.5g", "-Xmx512", "-Xmx", "-Xmxg", "-Xmx-1g", "-Xmx0", "-Xmx+1g", "-Xmx1_000m", "-Xmx99999999999g", "-Xmx1mm", "-Xms100", "-Xms1.5g",
			"-Xss100k", "-Xss2g", "-Xssx", "-Xmn1.5g", "-Xmn", "-xmx1g", "-XMX1g", "-9", "-Xfuture", "-Xnoagent", "-d64", "-Xincgc", "-Xbootclasspath/p:/x",
			"-Djava.ext.dirs=/x", "-Djava.endorsed.dirs=/x", "-Djava.security.manager", "-Djava.security.manager=allow", "-Djava.security.manager=disallow",
			"-XX:MaxHeapSize", "-XX:MaxHeapSize=512mb", "-XX:MaxHeapSize=-1", "-XX:+MaxHeapSize",
			"-XX:MaxRAMPercentage=75%", "-XX:MaxRAMPercentage=150", "-XX:MaxRAMPercentage=", "-XX:MaxRAMPercentage=5e1", "-XX:MaxRAMPercentage=+50",
			"-XX:MaxRAMPercentage=-1", "-XX:MaxRAMPercentage=1k", "-XX:MaxRAMPercentage=.5", "-XX:MaxRAMPercentage=75.", "-XX:MaxRAMPercentage=0,5",
			"-XX:MaxRAMFraction=0", "-XX:MaxRAMFraction=1.5", "-XX:ReservedCodeCacheSize=1m", "-XX:ReservedCodeCacheSize=4g",
			"-XX:CompressedClassSpaceSize=5g", "-XX:CompressedClassSpaceSize=512k", "-XX:MaxDirectMemorySize=1x", "-XX:MaxDirectMemorySize=-1", "-XX:MaxMetaspaceSize=1q",
			"-XX:ThreadStackSize=100", "-Xms4g -Xmx2g", "-Xss2g -Xss1m", "-Xss100k -Xss1m", "-XX:CompressedClassSpaceSize=5g -XX:CompressedClassSpaceSize=64m",
			"-Xmx1m -Xmx1g", "-XX:ReservedCodeCacheSize=4g -XX:ReservedCodeCacheSize=64m", "-XX:InitialCodeCacheSize=64m -XX:ReservedCodeCacheSize=32m",
			"-XX:ThreadStackSize=2000000", "-XX:+UseZGC", "-XX:+UseShenandoahGC", "-XX:+UseSerialGC", "-XX:+UseEpsilonGC", "-XX:+UseConcMarkSweepGC",
			"-XX:UseG1GC", "-XX:UseG1GC=true", "-XX:+UseG1GC=true", "-XX:+UseG1Gc", "-XX:MaxMetaSpaceSize=1g", "-XX:maxrampercentage=75", "-XX:#MaxHeapSize=x",
			"-XX:ParallelGCThreads=-1", "-XX:MaxGCPauseMillis=0", "-XX:GCTimeRatio=x", "-XX:NewRatio=0 -XX:+UseSerialGC", "-XX:ParallelGCThreads=0 -XX:+UseG1GC", "-XX:ParallelGCThreads=0 -XX:+UseSerialGC", "-XX:HeapDumpPath", "-XX:+HeapDumpPath",
			"-XX:G1NewSizePercent=5", "-XX:+PrintInlining", "-XX:+UnlockExperimentalVMOptions -XX:-UnlockExperimentalVMOptions -XX:G1NewSizePercent=5",
			"-XX:MaxPermSize=64m", "-XX:+PrintGCDateStamps", "-XX:+ZGenerational", "-XX:+UseBiasedLocking",
			"-XX:MaxPermSize=64m -XX:+IgnoreUnrecognizedVMOptions", "-XX:G1NewSizePercent=5 -XX:+IgnoreUnrecognizedVMOptions", "-XX:MaxHeapSize=x -XX:+IgnoreUnrecognizedVMOptions",
			"-XX:+UseCGroupMemoryLimitForHeap", "-XX:+AggressiveOpts", "-XX:TieredStopAtLevel=5", "-XX:TieredStopAtLevel=-1", "-XX:ActiveProcessorCount=-1",
		))
	}
	var words []string
	for _, text := range set {
		words = append(words, strings.Fields(text)...)
	}
	set = words
	r.Shuffle(len(set)-1, func(i, j int) { set[i+1], set[j+1] = set[j+1], set[i+1] })
	return set
}
