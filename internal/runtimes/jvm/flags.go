// Package jvm says what a Java virtual machine would make of its options: which
// of them count, how large the heap becomes, what is needed beside it.
package jvm

import (
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

// A Refusal is an option that the JVM does not start with.
type Refusal struct {
	Option Option
	// Reason says what is wrong with it.
	Reason string
}

// Flags is what the options set; of an option given twice the last counts.
// Sizes are in bytes.
type Flags struct {
	MaxHeapSize, InitialHeapSize, MinHeapSize *Setting[uint64]

	MaxRAM                                                 *Setting[uint64]
	MaxRAMPercentage, MinRAMPercentage                     *Setting[float64]
	MaxRAMFraction, MinRAMFraction                         *Setting[uint64]
	MaxMetaspaceSize, CompressedClassSpaceSize             *Setting[uint64]
	ReservedCodeCacheSize, MaxDirectMemorySize, ThreadSize *Setting[uint64]

	// Collectors are the collectors that are switched on, in the order of their
	// names.
	Collectors map[string]Option
	// NoTiered is what switches tiered compilation off, with which the code
	// cache is small: -XX:-TieredCompilation or -Xint.
	NoTiered *Option

	Refused []Refusal
	// Opaque are the words that may stand for options which the files do not
	// show: variables without a known value, @argument files, -XX:VMOptionsFile.
	Opaque []Option
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

func parsePercent(s string) (float64, bool) {
	if decimal.MatchString(s) {
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	}
	n, ok := parseSize(s)
	return float64(n), ok
}

// Parse reads options as HotSpot does (arguments.cpp, parse_each_vm_init_arg and
// parse_argument). Flags that it does not model are passed over.
func Parse(options []Option) Flags {
	f := Flags{Collectors: map[string]Option{}}
	for i, o := range options {
		o.position = i
		if !o.Known || strings.HasPrefix(o.Text, "@") || strings.HasPrefix(o.Text, "-XX:VMOptionsFile=") {
			f.Opaque = append(f.Opaque, o)
			continue
		}
		f.read(o)
	}
	f.check()
	return f
}

func (f *Flags) refuse(o Option, reason string) {
	f.Refused = append(f.Refused, Refusal{Option: o, Reason: reason})
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
	case strings.HasPrefix(text, "-Xss"):
		f.ranged(o, text[len("-Xss"):], &f.ThreadSize, 0, giga)
	case text == "-Xint":
		f.NoTiered = &o
	case strings.HasPrefix(text, "-XX:"):
		f.flag(o, text[len("-XX:"):])
	}
}

func (f *Flags) flag(o Option, text string) {
	if text == "" {
		return
	}
	if name := text[1:]; text[0] == '+' || text[0] == '-' {
		switch {
		case strings.HasPrefix(name, "Use") && strings.HasSuffix(name, "GC") && collectors[name]:
			delete(f.Collectors, name)
			if text[0] == '+' {
				f.Collectors[name] = o
			}
		case name == "TieredCompilation":
			f.NoTiered = nil
			if text[0] == '-' {
				f.NoTiered = &o
			}
		case numeric[name]:
			f.refuse(o, "the flag takes a value, not + or -")
		}
		return
	}
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		if numeric[name] {
			f.refuse(o, "the value is missing")
		}
		return
	}
	switch name {
	case "MaxHeapSize":
		f.size(o, value, &f.MaxHeapSize, 1)
	case "InitialHeapSize":
		f.size(o, value, &f.InitialHeapSize, 0)
	case "MinHeapSize":
		f.size(o, value, &f.MinHeapSize, 0)
	case "MaxRAM":
		f.size(o, value, &f.MaxRAM, 0)
	case "MaxRAMPercentage":
		f.percent(o, value, &f.MaxRAMPercentage)
	case "MinRAMPercentage":
		f.percent(o, value, &f.MinRAMPercentage)
	case "MaxRAMFraction":
		f.size(o, value, &f.MaxRAMFraction, 1)
	case "MinRAMFraction":
		f.size(o, value, &f.MinRAMFraction, 1)
	case "MaxMetaspaceSize":
		f.size(o, value, &f.MaxMetaspaceSize, 0)
	case "CompressedClassSpaceSize":
		f.ranged(o, value, &f.CompressedClassSpaceSize, mega, 3*giga)
	case "ReservedCodeCacheSize":
		f.size(o, value, &f.ReservedCodeCacheSize, 0)
	case "MaxDirectMemorySize":
		f.size(o, value, &f.MaxDirectMemorySize, 0)
	case "ThreadStackSize": // in KiB
		var k *Setting[uint64]
		f.ranged(o, value, &k, 0, mega)
		if k != nil {
			k.V *= kilo
			f.ThreadSize = k
		}
	}
}

// numeric are the modelled flags that take a value.
var numeric = map[string]bool{
	"MaxHeapSize": true, "InitialHeapSize": true, "MinHeapSize": true, "MaxRAM": true, "MaxRAMPercentage": true,
	"MinRAMPercentage": true, "MaxRAMFraction": true, "MinRAMFraction": true, "MaxMetaspaceSize": true,
	"CompressedClassSpaceSize": true, "ReservedCodeCacheSize": true, "MaxDirectMemorySize": true, "ThreadStackSize": true,
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

// ranged reads a size that HotSpot holds to its range at once, also where a later
// option replaces it.
func (f *Flags) ranged(o Option, value string, to **Setting[uint64], least, most uint64) {
	if n, ok := parseSize(value); ok && (n < least || n > most) {
		f.refuse(o, "the size is out of range")
		return
	}
	f.size(o, value, to, 0)
}

func (f *Flags) percent(o Option, value string, to **Setting[float64]) {
	p, ok := parsePercent(value)
	switch {
	case !ok:
		f.refuse(o, "the percentage is not a number")
	case p < 0 || p > 100:
		f.refuse(o, "the percentage is outside 0 to 100")
	default:
		*to = &Setting[float64]{V: p, By: o}
	}
}

// check refuses what is wrong in itself or together, with the limits of HotSpot
// 17 on 64-bit Linux.
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
	if s := f.ThreadSize; s != nil && s.V > 0 {
		below(s, 136*kilo, "the thread stack is below 136k")
	}
	below(f.ReservedCodeCacheSize, 2496*kilo, "the code cache is below 2496k")
	if s := f.ReservedCodeCacheSize; s != nil && s.V > 2*giga {
		f.refuse(s.By, "the code cache is above 2g")
	}
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
	if len(f.Collectors) > 1 {
		for _, name := range sortedNames(f.Collectors)[1:] {
			f.refuse(f.Collectors[name], "two garbage collectors are chosen")
		}
	}
}
