package nodejs

// A Sight is where a release of Node.js does not see the container's memory limit
// and sizes its heap by the node's memory instead.
type Sight uint8

const (
	// Sees: everywhere it does.
	Sees Sight = iota
	// BlindOnV2: on nodes with cgroup v2, which libuv reads since 1.45 and Node.js
	// since 20.3 (nodejs/node#47259).
	BlindOnV2
	// Fixed: it looks at no memory at all. Node.js asks libuv for the limit and V8
	// for a heap that goes with it since 12 (nodejs/node#27508); before, the old
	// space has 1400 MiB.
	Fixed
)

// Sight returns where the release does not see the memory limit.
func (r Release) Sight() Sight {
	switch {
	case r.Major == 0:
		return Sees
	case r.Major < 12:
		return Fixed
	case r.before(Release{20, 3}):
		return BlindOnV2
	}
	return Sees
}

// DefaultHeap returns how large V8 lets its old space grow, in bytes, when no
// option says it and it sees so much memory: half of it, at least 256 MiB, at
// most 2 GiB, or 4 GiB from 15 GiB on (V8's heap.cc, HeapSizeFromPhysicalMemory and
// MaxOldGenerationSize; held against a real Node.js in cgroups of 128 MiB to 20
// GiB). Node.js 12 has 2 GiB everywhere.
func DefaultHeap(memory uint64) uint64 {
	most := uint64(2 << 30)
	if memory >= 15<<30 {
		most = 4 << 30
	}
	return min(max(memory/2, 256*mega), most)
}

// FixedHeap is the old space of releases before 12, in bytes.
const FixedHeap = 1400 * mega
