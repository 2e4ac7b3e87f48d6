package nodejs

import "testing"

// TestDefaultHeap holds DefaultHeap against what Node.js 20.20.2 reported as its
// heap_size_limit in memory cgroups of these sizes: the old space, and a young
// generation of 3 to 48 MiB.
func TestDefaultHeap(t *testing.T) {
	for limit, reported := range map[uint64]uint64{
		128: 259, 256: 259, 320: 259, 512: 259, 768: 396, 1024: 524, 2048: 1048, 4096: 2096, 8192: 2096, 15000: 2096, 16384: 4144, 20000: 4144,
	} {
		if got := DefaultHeap(limit*mega) / mega; got > reported || got+48 < reported {
			t.Errorf("%d MiB: %d MiB of old space, the heap's limit is %d", limit, got, reported)
		}
	}
}

func TestSight(t *testing.T) {
	for r, want := range map[Release]Sight{
		{}:             Sees,
		{8, 17}:        Fixed,
		{11, anyMinor}: Fixed,
		{12, 0}:        BlindOnV2,
		{18, anyMinor}: BlindOnV2,
		{20, 2}:        BlindOnV2,
		{20, 3}:        Sees,
		{20, anyMinor}: Sees,
		{24, 1}:        Sees,
	} {
		if got := r.Sight(); got != want {
			t.Errorf("%s: %d, want %d", r, got, want)
		}
	}
}
