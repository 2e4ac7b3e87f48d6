package jvm

// A Blindness is where a release of HotSpot does not see the container's memory
// limit, and takes the node's memory for its own.
type Blindness uint8

const (
	// Sees: everywhere it does.
	Sees Blindness = iota
	// BlindOnV2: on nodes with cgroup v2, which came to Java with 15 and was
	// brought back to 11.0.16 and 8u372 (JDK-8230305).
	BlindOnV2
	// Blind: everywhere, before container support came with 10 and was brought
	// back to 8u191 (JDK-8146115).
	Blind
)

// Blindness returns where the release does not see the memory limit. It is Sees
// for one whose update is not known and decides: tags without one move on.
func (r Release) Blindness() Blindness {
	switch f, u := r.Feature, r.Update; {
	case f == 9, f == 8 && u > 0 && u < 191:
		return Blind
	case f >= 12 && f <= 14, f == 8 && u > 0 && u < 372, f == 11 && u > 0 && u < 16:
		return BlindOnV2
	}
	return Sees
}
