package jvm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A VersionRefusal is an option with which some releases of Java do not start.
type VersionRefusal struct {
	Refusal
	// From and To are the first and the last feature release that refuse it.
	From, To int
}

// Holds reports whether the release refuses the option. Java 8 does not read
// JDK_JAVA_OPTIONS.
func (r VersionRefusal) Holds(feature int) bool {
	return r.From <= feature && feature <= r.To && (feature > Oldest || r.Option.Carrier != "JDK_JAVA_OPTIONS")
}

// Releases says which releases refuse the option: "Java 9 and later".
func (r VersionRefusal) Releases() string {
	switch {
	case r.From <= Oldest && r.To >= Newest:
		return "every Java"
	case r.To >= Newest:
		return fmt.Sprintf("Java %d and later", r.From)
	case r.From <= Oldest:
		return fmt.Sprintf("Java %d and earlier", r.To)
	}
	return fmt.Sprintf("Java %d to %d", r.From, r.To)
}

// Refused returns the options with which HotSpot does not start, in the order in
// which they stand: what Parse refuses, on every release, and what some releases
// do not know.
func (j *JVM) Refused() []VersionRefusal {
	var out []VersionRefusal
	for _, r := range j.Flags.Refused {
		out = append(out, VersionRefusal{Refusal: r, From: Oldest, To: Newest})
	}
	out = append(out, refusedByVersion(j.Options)...)
	slices.SortStableFunc(out, func(a, b VersionRefusal) int { return cmp.Compare(a.Option.position, b.Option.position) })
	return out
}

// refusedByVersion looks the options up in the tables. With
// -XX:+IgnoreUnrecognizedVMOptions the JVM passes over what it does not know,
// wherever it stands, but not over what is locked (arguments.cpp,
// process_argument).
func refusedByVersion(options []Option) []VersionRefusal {
	ignores := slices.ContainsFunc(options, func(o Option) bool {
		return opaque(o) || o.Text == "-XX:+IgnoreUnrecognizedVMOptions"
	})
	var out []VersionRefusal
	unlocked := false
	for i, o := range options {
		o.position = i
		refuse := func(reason string, from, to int) {
			out = append(out, VersionRefusal{Refusal: Refusal{Option: o, Reason: reason}, From: from, To: to})
		}
		if opaque(o) {
			unlocked = true // it may hold the key
			continue
		}
		if o.Bare != "" {
			continue
		}
		if o.Text == "-XX:+UnlockExperimentalVMOptions" {
			unlocked = true
		}
		name, value := flagName(o.Text)
		if percentages[name] && value != "" && strings.Trim(value, "0123456789") == "" {
			refuse("the percentage needs a decimal point, as in 75.0", Oldest, wholePercent-1)
		}
		if until, ok := locked[name]; ok && !unlocked {
			refuse("the flag is experimental and -XX:+UnlockExperimentalVMOptions does not stand before it", max(added[name], Oldest), until)
		}
		if ignores {
			continue
		}
		if from, ok := removed[name]; ok {
			refuse(fmt.Sprintf("Java %d removed the flag", from), from, Newest)
		}
		if from, ok := added[name]; ok {
			refuse(fmt.Sprintf("Java %d added the flag", from), Oldest, from-1)
		}
	}
	return out
}

// opaque reports whether the option may stand for others that the files do not
// show.
func opaque(o Option) bool {
	return !o.Known || strings.HasPrefix(o.Text, "@") || strings.HasPrefix(o.Text, "-XX:VMOptionsFile=")
}

// flagName returns what the tables call the option, and its value:
// "UseZGC" for -XX:+UseZGC, "-Xlog" for -Xlog:gc.
func flagName(text string) (name, value string) {
	if flag, ok := strings.CutPrefix(text, "-XX:"); ok {
		name, value, _ = strings.Cut(strings.TrimLeft(flag, "+-"), "=")
		return name, value
	}
	name, value, _ = strings.Cut(text, ":")
	return name, value
}

// wholePercent is the first release all of whose updates read "75" as a
// percentage; Java 11 learnt it in an update (JDK-8219312; set_numeric_flag in
// arguments.cpp of jdk10 and jdk11u).
const wholePercent = 11

var percentages = map[string]bool{"MaxRAMPercentage": true, "MinRAMPercentage": true, "InitialRAMPercentage": true}

// removed holds the flags that HotSpot no longer knows, and the first release
// that refuses them: expired_in of special_jvm_flags in arguments.cpp of jdk10,
// jdk12, jdk14u and jdk17u, and for the collector's logging flags JEP 271 with
// JEP 158. A test tries those up to 17 on a real Java 17.
var removed = func() map[string]int {
	out := map[string]int{}
	for from, names := range map[int]string{
		9: `PrintGCDateStamps PrintGCTimeStamps PrintGCApplicationStoppedTime PrintGCApplicationConcurrentTime PrintGCCause
			PrintHeapAtGC PrintTenuringDistribution PrintAdaptiveSizePolicy PrintReferenceGC PrintPromotionFailure
			PrintClassHistogramBeforeFullGC PrintClassHistogramAfterFullGC UseGCLogFileRotation NumberOfGCLogFiles GCLogFileSize
			-Xincgc`,
		10: `UseParNewGC CMSIncrementalMode -d64 -d32`,
		11: `UseCGroupMemoryLimitForHeap`,
		13: `AggressiveOpts PrintSafepointStatistics PrintSafepointStatisticsCount PrintSafepointStatisticsTimeout AssumeMP`,
		15: `UseConcMarkSweepGC CMSClassUnloadingEnabled CMSConcurrentMTEnabled CMSInitiatingOccupancyFraction
			CMSMaxAbortablePrecleanTime CMSParallelInitialMarkEnabled CMSParallelRemarkEnabled CMSScavengeBeforeRemark
			UseCMSInitiatingOccupancyOnly FailOverToOldVerifier`,
		16: `UseParallelOldGC`,
		17: `PermSize MaxPermSize`,
		19: `UseBiasedLocking BiasedLockingStartupDelay CriticalJNINatives`,
	} {
		for name := range strings.FieldsSeq(names) {
			out[name] = from
		}
	}
	return out
}()

// added holds flags that older releases do not know: JEP 158, JEP 333, JEP 439.
var added = map[string]int{"-Xlog": 9, "UseZGC": 11, "ZGenerational": 21}

// locked holds experimental flags and the last release in which they are. The
// flags of G1 have always been (g1_globals.hpp); ZGC came out of it in 15 (JEP
// 377); UseCGroupMemoryLimitForHeap was one for as long as it existed.
var locked = map[string]int{
	"G1NewSizePercent": Newest, "G1MaxNewSizePercent": Newest, "G1MixedGCLiveThresholdPercent": Newest, "G1OldCSetRegionThresholdPercent": Newest,
	"UseEpsilonGC": Newest, "UseZGC": 14, "UseCGroupMemoryLimitForHeap": 10,
}
