package jvm

import (
	"maps"
	"math/bits"
	"slices"
)

// A Machine is what the JVM sees of the container it runs in.
type Machine struct {
	// Memory is the container's memory limit in bytes.
	Memory uint64
	// CPUs is how many processors the JVM counts: the CPU limit rounded up; 0
	// when it is not known.
	CPUs int
}

// A Heap is the largest heap that a JVM gives itself.
type Heap struct {
	// Max is the maximum heap in bytes, Asked the same before it is rounded to
	// the collector's unit.
	Max, Asked uint64
	// By is the option that decides it, nil for HotSpot's own default. Of two it is
	// the one that comes from a Secret, for then the size must not be printed.
	By *Option
	// Percent is the share of the memory that the JVM was told to take, or takes
	// by default; 0 when the heap was given in bytes.
	Percent float64
}

// smallHeap is HotSpot's MaxHeapSize before it looks at the machine: 96 MiB,
// scaled for 64 bits (globals.hpp, ScaleForWordSize).
const smallHeap = 96 * mega * 13 / 10 / 8 * 8

// Heap returns the maximum heap as HotSpot computes it (arguments.cpp,
// Arguments::set_heap_size; gcArguments.cpp). InitialRAMPercentage has no part in
// it: what it makes of the memory is cut to the maximum.
func (f *Flags) Heap(m Machine) Heap {
	if s := f.MaxHeapSize; s != nil {
		return Heap{Max: f.align(s.V, m), Asked: s.V, By: &s.By}
	}
	ram := m.Memory
	if f.MaxRAM != nil {
		ram = f.MaxRAM.V
	}
	most, by := share(f.MaxRAMPercentage, f.MaxRAMFraction, 25)
	h := Heap{Percent: most, By: by}
	if least, by := share(f.MinRAMPercentage, f.MinRAMFraction, 50); percentOf(ram, least) < smallHeap {
		// With little memory the minimum is taken for the maximum.
		h.Max, h.Percent, h.By = percentOf(ram, least), least, by
	} else {
		h.Max = max(percentOf(ram, most), smallHeap)
		if h.Max == smallHeap {
			h.By = nil
		}
	}
	if f.MaxRAM != nil && f.MaxRAM.By.Secret {
		h.By = &f.MaxRAM.By
	}
	if f.MaxRAM == nil && f.MaxRAMPercentage == nil && f.MinRAMPercentage == nil && f.MaxRAMFraction == nil && f.MinRAMFraction == nil {
		// Compressed pointers reach 32 GiB; only a percentage chosen by hand gives
		// them up.
		h.Max = min(h.Max, 32*giga)
	}
	floor := f.InitialHeapSize
	if floor == nil {
		floor = f.MinHeapSize
	}
	if floor != nil && floor.V > h.Max {
		h = Heap{Max: floor.V, By: &floor.By}
	}
	h.Asked = h.Max
	h.Max = f.align(h.Max, m)
	return h
}

// share returns the percentage that is in force, and by which option. The old
// fraction counts where there is no percentage.
func share(percentage *Setting[float64], fraction *Setting[uint64], fallback float64) (float64, *Option) {
	switch {
	case percentage != nil:
		return percentage.V, &percentage.By
	case fraction != nil:
		return 100 / float64(fraction.V), &fraction.By
	}
	return fallback, nil
}

func percentOf(n uint64, percent float64) uint64 { return uint64(float64(n) * percent / 100) }

// Collector returns the garbage collector that is used: G1 on a machine with two
// processors and 1792 MiB, the serial one on a smaller one (gcConfig.cpp,
// select_gc_ergonomically; os::is_server_class_machine).
func (f *Flags) Collector(m Machine) string {
	if names := sortedNames(f.Collectors); len(names) > 0 {
		return names[0]
	}
	cpus := uint64(m.CPUs)
	if s := f.ActiveProcessorCount; s != nil && s.V > 0 {
		cpus = s.V
	}
	if cpus == 1 || m.Memory < 1792*mega {
		return "UseSerialGC"
	}
	return "UseG1GC"
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// align rounds a heap up to the collector's unit: 2 MiB, or G1's region where
// that is larger (heapRegion.cpp, setup_heap_region_size), or Shenandoah's region
// (shenandoahHeapRegion.cpp, setup_sizes).
func (f *Flags) align(n uint64, m Machine) uint64 {
	unit := uint64(2 * mega)
	switch f.Collector(m) {
	case "UseG1GC":
		unit = max(unit, min(roundUpPow2(n/2048), 32*mega))
	case "UseShenandoahGC":
		region := (n/2048 + 4*kilo - 1) / (4 * kilo) * (4 * kilo) // whole pages
		unit = max(256*kilo, min(roundUpPow2(region+1)/2, 32*mega))
	}
	if rest := n % unit; rest > 0 && n <= ^uint64(0)-unit {
		n += unit - rest
	}
	return n
}

func roundUpPow2(n uint64) uint64 {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len64(n-1)
}
