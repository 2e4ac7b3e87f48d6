package jvm

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var oracleSets = flag.Int("oracle", 200, "how many sets of options to compare with the java on this machine")

// TestAgainstJava compares what the model says of random options with what a
// real JVM does: whether it starts, and the heap it gives itself. -XX:MaxRAM
// stands in for the container's limit.
func TestAgainstJava(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no java on this machine")
	}
	if out, _ := exec.Command(java, "-version").CombinedOutput(); !strings.Contains(string(out), `version "17.`) {
		t.Skipf("the model's limits are those of Java 17, here is %s", strings.SplitN(string(out), "\n", 2)[0])
	}
	random := rand.New(rand.NewPCG(17, 2026))
	sets := make(chan []string)
	var workers sync.WaitGroup
	var started, refused int
	var mu sync.Mutex
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for set := range sets {
				ok := compareWithJava(t, java, set)
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
}

var maxHeapSize = regexp.MustCompile(`\bMaxHeapSize\s+= (\d+)`)

func compareWithJava(t *testing.T, java string, set []string) (started bool) {
	var options []Option
	for _, text := range set {
		options = append(options, Option{Text: text, Known: true})
	}
	f := Parse(options)
	out, err := exec.Command(java, append(set, "-XX:+PrintFlagsFinal", "-version")...).CombinedOutput()
	if (err == nil) != (len(f.Refused) == 0) {
		first, _, _ := strings.Cut(string(out[max(0, strings.Index(string(out), "Error")):]), "\n\n")
		t.Errorf("%q: java says %v (%.200s), the model %v", set, err, first, f.Refused)
		return err == nil
	}
	if err != nil {
		return false
	}
	m := maxHeapSize.FindSubmatch(out)
	if m == nil {
		t.Errorf("%q: java prints no MaxHeapSize", set)
		return true
	}
	want, _ := strconv.ParseUint(string(m[1]), 10, 64)
	if got := f.Heap(Machine{Memory: 16 * giga}).Max; got != want {
		t.Errorf("%q: java's maximum heap is %d, the model's %d", set, want, got)
	}
	return true
}

// randomOptions makes a set of options most of which a JVM takes.
func randomOptions(r *rand.Rand) []string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	size := func(low, high int) string { return fmt.Sprintf("%d%s", low+r.IntN(high-low), pick("m", "M")) }
	set := []string{"-XX:MaxRAM=" + size(64, 12000), "-XX:+" + pick("UseSerialGC", "UseParallelGC", "UseG1GC")}
	for range r.IntN(3) {
		heap := pick(size(8, 6000), size(8, 300), pick("1g", "2G", "3145728k", "1073741824", "0x20000000", "1100000000"))
		set = append(set, pick("-Xmx", "-Xmx", "-XX:MaxHeapSize=")+heap)
	}
	if r.IntN(4) == 0 {
		set = append(set, pick("-Xms", "-Xms", "-XX:InitialHeapSize=", "-XX:MinHeapSize=")+size(8, 400))
	}
	for range r.IntN(3) {
		percent := pick(strconv.Itoa(1+r.IntN(100)), fmt.Sprintf("%.1f", 1+r.Float64()*99), "75", "75.0", "33.333")
		set = append(set, "-XX:"+pick("MaxRAMPercentage=", "MaxRAMPercentage=", "MinRAMPercentage=")+percent)
	}
	if r.IntN(5) == 0 {
		set = append(set, "-XX:"+pick("MaxRAMFraction=", "MinRAMFraction=")+strconv.Itoa(1+r.IntN(8)))
	}
	if r.IntN(3) == 0 {
		set = append(set, pick(
			"-Xss512k", "-Xss1m", "-Xss136k", "-XX:ThreadStackSize=512", "-XX:MaxMetaspaceSize=128m", "-XX:ReservedCodeCacheSize=64m",
			"-XX:CompressedClassSpaceSize=64m", "-XX:MaxDirectMemorySize=64m", "-XX:-TieredCompilation", "-Xint",
		))
	}
	if r.IntN(3) == 0 {
		set = append(set, pick(
			"-Xmx2GB", "-Xmx1.5g", "-Xmx512", "-Xmx", "-Xmxg", "-Xmx-1g", "-Xmx0", "-Xmx+1g", "-Xmx1_000m", "-Xmx99999999999g", "-Xmx1mm", "-Xms100", "-Xms1.5g",
			"-Xss100k", "-Xss2g", "-Xssx", "-XX:MaxHeapSize", "-XX:MaxHeapSize=512mb", "-XX:MaxHeapSize=-1", "-XX:+MaxHeapSize",
			"-XX:MaxRAMPercentage=75%", "-XX:MaxRAMPercentage=150", "-XX:MaxRAMPercentage=", "-XX:MaxRAMPercentage=5e1", "-XX:MaxRAMPercentage=+50",
			"-XX:MaxRAMPercentage=-1", "-XX:MaxRAMPercentage=1k", "-XX:MaxRAMPercentage=.5", "-XX:MaxRAMPercentage=75.", "-XX:MaxRAMPercentage=0,5",
			"-XX:MaxRAMFraction=0", "-XX:MaxRAMFraction=1.5", "-XX:ReservedCodeCacheSize=1m", "-XX:ReservedCodeCacheSize=4g",
			"-XX:CompressedClassSpaceSize=4g", "-XX:CompressedClassSpaceSize=512k", "-XX:MaxDirectMemorySize=1x", "-XX:MaxMetaspaceSize=1q",
			"-XX:ThreadStackSize=100", "-Xms4g -Xmx2g", "-Xss2g -Xss1m", "-Xss100k -Xss1m", "-XX:CompressedClassSpaceSize=4g -XX:CompressedClassSpaceSize=64m", "-Xmx1m -Xmx1g", "-XX:ReservedCodeCacheSize=4g -XX:ReservedCodeCacheSize=64m",
			"-XX:ThreadStackSize=2000000", "-XX:+UseZGC", "-XX:+UseShenandoahGC", "-XX:-UseSerialGC", "-XX:+UseSerialGC",
		))
		if last := set[len(set)-1]; strings.Contains(last, " ") {
			set = append(set[:len(set)-1], strings.Fields(last)...)
		}
	}
	r.Shuffle(len(set)-1, func(i, j int) { set[i+1], set[j+1] = set[j+1], set[i+1] })
	return set
}
