package jvm

// A Basis says what the size of a part rests on.
type Basis uint8

const (
	// ByOption: an option bounds the part.
	ByOption Basis = iota
	// ByDefault: HotSpot bounds it where no option does.
	ByDefault
	// Usual: nothing bounds it, and the size is what a middle-sized server has.
	Usual
)

// A Part is a region of memory that a JVM uses.
type Part struct {
	// Name is what people call it: "heap", "metaspace".
	Name string
	// Bytes is the most that it takes; for the Usual it is an estimate.
	Bytes uint64
	Basis Basis
	// By is the option that bounds it, nil where none does.
	By *Option
}

// A Budget is what a JVM takes of its container's memory, the heap first.
type Budget struct {
	Parts []Part
	// Direct is the most that direct buffers take, in bytes. Where no option
	// bounds them that is as much again as the heap (VM.maxDirectMemory), of which
	// most programs use next to nothing, so that it is no part.
	Direct uint64
	// Agents run in the same process; what they take is not known and in no part.
	Agents []Option
}

// Total returns the sum of the parts in bytes.
func (b Budget) Total() uint64 {
	sum := uint64(0)
	for _, p := range b.Parts {
		sum += min(p.Bytes, ^uint64(0)-sum)
	}
	return sum
}

// What a JVM takes beside its heap when no option says otherwise. The code cache
// is HotSpot's default (globals.hpp; times five with both compilers,
// CompilerConfig::set_tiered_flags); metaspace has no bound, and 128 MiB and 50
// threads are what a middle-sized server has. A thread's stack is reserved whole and
// touched in part: 60 threads that sleep reserve 65 MiB and take 6 (17.0.15,
// -XX:NativeMemoryTracking).
const (
	usualMetaspace = 128 * mega
	usualThreads   = 50
	threadStack    = mega
	tieredCache    = 240 * mega
	untieredCache  = 48 * mega
)

// collectorParts say what a collector takes for its own tables: a fixed part, and one
// byte for so many of the heap. They are the committed GC memory that
// -XX:NativeMemoryTracking=summary shows on Java 17.0.15 with two processors, for
// heaps of 256 MiB and 1 GiB that are four fifths full; G1 and Parallel of Java 25
// take half of the second.
var collectorParts = map[string]struct{ fixed, share uint64 }{
	"UseSerialGC":     {0, 300},
	"UseParallelGC":   {9 * mega, 27},
	"UseG1GC":         {36 * mega, 25},
	"UseZGC":          {64 * mega, 37},
	"UseShenandoahGC": {mega, 32},
}

// Budget returns what the JVM takes at most, as far as something bounds it, beside a
// heap that is its own (Heap) or the image's choice.
func (f *Flags) Budget(m Machine, heap Heap) Budget {
	b := Budget{Direct: heap.Max, Agents: f.Agents}
	add := func(p Part) { b.Parts = append(b.Parts, p) }
	bound := func(name string, s *Setting[uint64], otherwise Part) {
		if s != nil {
			otherwise = Part{Bytes: s.V, Basis: ByOption, By: &s.By}
		}
		otherwise.Name = name
		add(otherwise)
	}
	h := Part{Name: "heap", Bytes: heap.Max, Basis: ByOption, By: heap.By}
	if heap.By == nil {
		h.Basis = ByDefault
	}
	add(h)
	// The compressed class space, 1 GiB of addresses, is inside of what
	// MaxMetaspaceSize bounds (metaspace.cpp, Metaspace::ergo_initialize).
	bound("metaspace", f.MaxMetaspaceSize, Part{Bytes: usualMetaspace, Basis: Usual})
	bound("code cache", f.ReservedCodeCacheSize, Part{Bytes: f.codeCache(), Basis: ByDefault})
	threads := Part{Name: "threads", Bytes: usualThreads * threadStack, Basis: Usual}
	if s := f.ThreadStackSize; s != nil && s.V > 0 {
		threads.Bytes, threads.By = usualThreads*s.V, &s.By
	}
	add(threads)
	if c, ok := collectorParts[f.Collector(m)]; ok {
		add(Part{Name: "collector", Bytes: c.fixed + heap.Max/c.share, Basis: Usual})
	}
	if s := f.MaxDirectMemorySize; s != nil && s.V > 0 {
		b.Direct = s.V
		bound("direct buffers", s, Part{})
	}
	return b
}

// codeCache returns the code cache's size in bytes when no option gives it.
func (f *Flags) codeCache() uint64 {
	if f.NoTiered != nil {
		return untieredCache
	}
	return tieredCache
}
