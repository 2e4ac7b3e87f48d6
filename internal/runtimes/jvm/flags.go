// Package jvm says what a Java virtual machine would make of its options: which
// of them count, how large the heap becomes, what is needed beside it.
package jvm

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
)

// An Option is one word that reaches the JVM, in the order in which the JVM
// reads them.
type Option struct {
	// Text is the option: "-Xmx2g". When not Known it is the text as written.
	Text  string
	Known bool
	// Secret is true when the option comes from a Secret: neither Text nor what
	// it says may be printed.
	Secret bool
	// Carrier is the variable that carries the option, empty for the command
	// line.
	Carrier string
	// Convention is true when nothing but the carrier's name says that the
	// start script hands it to the JVM.
	Convention bool
	// Bare is what is written when a start script makes the option of it:
	// "2g" for ELASTICSEARCH_HEAP_SIZE, which becomes -Xmx2g.
	Bare string
	From cluster.Origin

	position int // among the options parsed
}

// String returns the option as a person would find it in the files. What comes
// from a Secret is only named.
func (o Option) String() string {
	switch {
	case o.Secret && o.Carrier != "":
		return "the option in " + o.Carrier
	case o.Secret:
		return "an option from a Secret"
	case o.Bare != "":
		return o.Carrier + "=" + o.Bare
	}
	return o.Text
}

// A Setting is a value that an option set, nil where none did.
type Setting[T any] struct {
	V  T
	By Option
}

// Flags is what the options set; of an option given twice the last counts.
// Sizes are in bytes.
type Flags struct {
	MaxHeapSize, InitialHeapSize, MinHeapSize *Setting[uint64]

	MaxRAM                             *Setting[uint64]
	MaxRAMPercentage, MinRAMPercentage *Setting[float64]
	MaxRAMFraction, MinRAMFraction     *Setting[uint64]

	MaxMetaspaceSize, MaxDirectMemorySize       *Setting[uint64]
	ReservedCodeCacheSize, InitialCodeCacheSize *Setting[uint64]
	ThreadStackSize                             *Setting[uint64] // in bytes

	MinHeapFreeRatio, MaxHeapFreeRatio, NewRatio *Setting[uint64]
	ParallelGCThreads, ActiveProcessorCount      *Setting[uint64]

	// Collectors are the collectors that are switched on, in the order of their
	// names.
	Collectors map[string]Option
	// NoTiered is what keeps HotSpot from compiling with both of its compilers,
	// so that the code cache is small: -XX:-TieredCompilation, a lower
	// -XX:TieredStopAtLevel or -Xint.
	NoTiered *Option
	// Agents are the programs loaded into the JVM from files: -javaagent and
	// -agentpath.
	Agents []Option

	// Refused are the options with which HotSpot does not start, whatever the
	// machine; Opaque may hold more.
	Refused []Refusal
	// Opaque are the words that may stand for options which the files do not
	// show: variables without a known value, @argument files, -XX:VMOptionsFile and
	// -XX:Flags.
	Opaque []Option

	untiered, stopped, interpreted *Option // what NoTiered comes from
}

const (
	kilo = 1 << 10
	mega = 1 << 20
	giga = 1 << 30
	tera = 1 << 40
)

// parseSize reads a size as HotSpot does (arguments.cpp, atojulong): digits,
// or hexadecimal after 0x, and one of the letters k, m, g and t.
func parseSize(s string) (uint64, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	unit := uint64(1)
	hex := len(s) > 2 && (s[1] == 'x' || s[1] == 'X') && s[0] == '0'
	switch s[len(s)-1] | 0x20 {
	case 'k':
		unit = kilo
	case 'm':
		unit = mega
	case 'g':
		unit = giga
	case 't':
		unit = tera
	}
	if unit > 1 {
		s = s[:len(s)-1]
	}
	base := 10
	if hex {
		s, base = s[2:], 16
	}
	if strings.ContainsAny(s, "_+-") {
		return 0, false // Go reads them, strtoull does not
	}
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil || n > math.MaxUint64/unit {
		return 0, false
	}
	return n * unit, true
}

// decimal is how HotSpot 17 spells a floating-point value; without the point it
// reads a size.
var decimal = regexp.MustCompile(`^-?[0-9]+\.[0-9]+$`)

// laterFraction is how it spells one since 19, where it asks strtod.
var laterFraction = regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// parseFraction reads a floating-point value that is spelt in one of these ways.
func parseFraction(s string) float64 {
	if size, ok := parseSize(s); ok {
		return float64(size)
	}
	n, _ := strconv.ParseFloat(s, 64)
	return n
}

// Parse reads options as HotSpot does (arguments.cpp, parse_each_vm_init_arg and
// parse_argument). Flags that it does not model are passed over.
func Parse(options []Option) Flags {
	f := Flags{Collectors: map[string]Option{}}
	for i, o := range options {
		o.position = i
		if opaque(o) {
			f.Opaque = append(f.Opaque, o)
			continue
		}
		f.read(o)
	}
	f.NoTiered = cmp.Or(f.interpreted, f.stopped, f.untiered)
	f.check()
	return f
}

// since9 are the releases that hold flags to their ranges and to each other in one
// way (JEP 245); Java 8 has checks of its own.
var since9 = span{9, Newest}

func (f *Flags) refuse(o Option, reason string) { f.refuseIn(o, reason, span{Oldest, Newest}) }

func (f *Flags) refuseIn(o Option, reason string, in span) {
	f.Refused = append(f.Refused, Refusal{Option: o, Reason: reason, From: in.from, To: in.to})
}

func (f *Flags) read(o Option) {
	text := o.Text
	switch {
	case strings.HasPrefix(text, "-Xmx"):
		f.size(o, text[len("-Xmx"):], &f.MaxHeapSize, 1)
	case strings.HasPrefix(text, "-Xms"):
		f.size(o, text[len("-Xms"):], &f.InitialHeapSize, 0)
		if s := f.InitialHeapSize; s != nil {
			f.MinHeapSize = s
		}
	case strings.HasPrefix(text, "-Xmn"):
		var young *Setting[uint64] // HotSpot makes it fit
		f.size(o, text[len("-Xmn"):], &young, 1)
	case strings.HasPrefix(text, "-Xss"):
		f.stack(o, text[len("-Xss"):], 1)
	case text == "-Xint":
		f.interpreted = &o
	case strings.HasPrefix(text, "-javaagent:"), strings.HasPrefix(text, "-agentpath:"):
		f.Agents = append(f.Agents, o)
	case strings.HasPrefix(text, "-XX:"):
		f.flag(o, text[len("-XX:"):])
	}
}

// splitFlag takes -XX:+UseG1GC and -XX:MaxHeapSize=1g apart, behind the colon.
func splitFlag(text string) (sign byte, name, value string, assigned bool) {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		sign, text = text[0], text[1:]
	}
	name, value, assigned = strings.Cut(text, "=")
	return sign, name, value, assigned
}

func (f *Flags) flag(o Option, text string) {
	sign, name, value, assigned := splitFlag(text)
	known, ok := lookupFlag(name)
	if !ok {
		return
	}
	if reason := known.malformed(sign, value, assigned); reason != "" {
		later := known.kind == 'f' && laterFraction.MatchString(value)
		for _, s := range known.where("pxd") { // obsolete ones may have any value
			if later {
				s.to = min(s.to, 17)
			}
			if s.from <= s.to {
				f.refuseIn(o, reason, s)
			}
		}
		if !later {
			return
		}
	}
	if known.outside(value) {
		for _, s := range known.where("pxd") {
			if s.from = max(s.from, 9); s.from <= s.to {
				f.refuseIn(o, "the value is out of range"+known.ends(), s)
			}
		}
		return
	}
	switch name {
	case "TieredCompilation":
		f.untiered = nil
		if sign == '-' {
			f.untiered = &o
		}
	case "TieredStopAtLevel":
		f.stopped = nil
		if value != "4" {
			f.stopped = &o
		}
	case "ThreadStackSize":
		f.stack(o, value, kilo)
	case "MaxRAMPercentage":
		f.percent(o, value, &f.MaxRAMPercentage)
	case "MinRAMPercentage":
		f.percent(o, value, &f.MinRAMPercentage)
	case "MaxHeapSize":
		f.size(o, value, &f.MaxHeapSize, 1)
	default:
		if collectors[name] {
			delete(f.Collectors, name)
			if sign == '+' {
				f.Collectors[name] = o
			}
		}
		if to := f.setting(name); to != nil && !strings.HasPrefix(value, "-") { // -1 is as good as none
			f.size(o, value, to, 0)
		}
	}
}

// setting returns what holds the value of a flag.
func (f *Flags) setting(name string) **Setting[uint64] {
	switch name {
	case "InitialHeapSize":
		return &f.InitialHeapSize
	case "MinHeapSize":
		return &f.MinHeapSize
	case "MaxRAM":
		return &f.MaxRAM
	case "MaxRAMFraction":
		return &f.MaxRAMFraction
	case "MinRAMFraction":
		return &f.MinRAMFraction
	case "MaxMetaspaceSize":
		return &f.MaxMetaspaceSize
	case "ReservedCodeCacheSize":
		return &f.ReservedCodeCacheSize
	case "InitialCodeCacheSize":
		return &f.InitialCodeCacheSize
	case "MaxDirectMemorySize":
		return &f.MaxDirectMemorySize
	case "MinHeapFreeRatio":
		return &f.MinHeapFreeRatio
	case "MaxHeapFreeRatio":
		return &f.MaxHeapFreeRatio
	case "ParallelGCThreads":
		return &f.ParallelGCThreads
	case "NewRatio":
		return &f.NewRatio
	case "ActiveProcessorCount":
		return &f.ActiveProcessorCount
	}
	return nil
}

var collectors = map[string]bool{
	"UseSerialGC": true, "UseParallelGC": true, "UseG1GC": true, "UseZGC": true, "UseShenandoahGC": true,
	"UseEpsilonGC": true, "UseConcMarkSweepGC": true,
}

func (f *Flags) size(o Option, value string, to **Setting[uint64], least uint64) {
	n, ok := parseSize(value)
	switch {
	case value == "":
		f.refuse(o, "the size is missing")
	case !ok:
		f.refuse(o, "the size is not a whole number with k, m, g or t behind it")
	case n < least:
		f.refuse(o, "the size is too small")
	default:
		*to = &Setting[uint64]{V: n, By: o}
	}
}

// stack reads a stack size, which HotSpot holds to its range at once, also where a
// later option replaces it.
func (f *Flags) stack(o Option, value string, unit uint64) {
	if n, ok := parseSize(value); ok && n > giga/unit {
		f.refuseIn(o, "the thread stack is above 1g", since9)
		return
	}
	f.size(o, value, &f.ThreadStackSize, 0)
	if s := f.ThreadStackSize; s != nil && s.By.position == o.position {
		s.V *= unit
	}
}

func (f *Flags) percent(o Option, value string, to **Setting[float64]) {
	*to = &Setting[float64]{V: parseFraction(value), By: o}
}

// check refuses what is wrong in itself or together, with the limits that HotSpot
// 17 and 25 have on 64-bit Linux.
func (f *Flags) check() {
	below := func(s *Setting[uint64], least uint64, reason string) {
		if s != nil && s.V < least {
			f.refuse(s.By, reason)
		}
	}
	below(f.MaxHeapSize, 2*mega, "the maximum heap is below 2m")
	if s := f.InitialHeapSize; s != nil && s.V > 0 {
		below(s, mega, "the initial heap is below 1m")
	}
	if s := f.ThreadStackSize; s != nil && s.V > 0 {
		below(s, 136*kilo, "the thread stack is below 136k")
	}
	if s := f.ParallelGCThreads; s != nil && s.V == 0 && f.chosen("UseParallelGC", "UseG1GC", "UseZGC", "UseShenandoahGC") {
		f.refuseIn(s.By, "the collector needs a thread", since9)
	}
	if s := f.NewRatio; s != nil && s.V == 0 && f.chosen("UseSerialGC", "UseParallelGC") {
		f.refuse(s.By, "the young generation needs a share")
	}
	f.checkCodeCache()
	if most := f.MaxHeapSize; most != nil {
		if s := f.InitialHeapSize; s != nil && s.V > most.V {
			f.refuse(s.By, "the initial heap is larger than the maximum heap")
		} else if s := f.MinHeapSize; s != nil && s.V > most.V {
			f.refuse(s.By, "the minimum heap is larger than the maximum heap")
		}
	}
	if least, first := f.MinHeapSize, f.InitialHeapSize; least != nil && first != nil && first.V > 0 && first.V < least.V {
		f.refuse(first.By, "the initial heap is smaller than the minimum heap")
	}
	f.checkFreeRatios()
	if len(f.Collectors) > 1 {
		for _, name := range sortedNames(f.Collectors)[1:] {
			f.refuse(f.Collectors[name], "two garbage collectors are chosen")
		}
	}
}

// checkCodeCache holds the code cache to its limits; as long as only the initial one
// is given, the reserved one is still the small default.
func (f *Flags) checkCodeCache() {
	s, first := f.ReservedCodeCacheSize, f.InitialCodeCacheSize
	switch {
	case s == nil && first != nil && first.V > untieredCache:
		f.refuseIn(first.By, "the initial code cache is larger than 48m, and -XX:ReservedCodeCacheSize is not given", since9)
	case s == nil:
	case s.V > 2*giga:
		f.refuse(s.By, "the code cache is above 2g")
	case first == nil && s.V < 2496*kilo:
		f.refuse(s.By, "the code cache is below 2496k")
	case first != nil && first.V > s.V:
		f.refuse(first.By, "the initial code cache is larger than the reserved one")
	}
}

// checkFreeRatios holds the ratios against each other; where one is not given its
// default counts, 40 and 70.
func (f *Flags) checkFreeRatios() {
	least, most := f.MinHeapFreeRatio, f.MaxHeapFreeRatio
	parallel := f.chosen("UseParallelGC") // whose defaults are 0 and 100
	switch {
	case most != nil && least == nil && most.V < 40 && !parallel:
		f.refuse(most.By, "MinHeapFreeRatio, 40 by default, is larger")
	case least != nil && most == nil && least.V > 70 && !parallel:
		f.refuse(least.By, "MaxHeapFreeRatio, 70 by default, is smaller")
	case least != nil && most != nil && least.V > most.V:
		f.refuse(least.By, "MinHeapFreeRatio is larger than MaxHeapFreeRatio")
	}
}

// chosen reports whether one of the collectors is switched on.
func (f *Flags) chosen(names ...string) bool {
	for _, name := range names {
		if _, ok := f.Collectors[name]; ok {
			return true
		}
	}
	return false
}
