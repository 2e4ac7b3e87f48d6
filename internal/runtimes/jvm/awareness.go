package jvm

import (
	"regexp"
	"strconv"

	"github.com/distribution/reference"
)

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

// updates finds an update release: 8u131, 1.8.0_131, 11.0.11.
var updates = regexp.MustCompile(`(?:^|[^0-9.])(?:(8)u([0-9]+)|1\.(8)\.0[_-]([0-9]+)|(11)\.0\.([0-9]+))(?:[^0-9]|$)`)

// Awareness returns whether the Java that the image's name or tag speaks of sees
// the container's memory limit, and what it is called there. It is Sees for an
// image that does not say which update it has: tags without one move on.
func Awareness(image string) (Blindness, string) {
	feature, ok := Version(image)
	if !ok {
		return Sees, ""
	}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return Sees, ""
	}
	tag := ""
	if tagged, ok := named.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	switch {
	case named.Name() == "docker.io/library/java":
		return Blind, strconv.Itoa(feature) // the image ended in 2016, with 8u111
	case feature == 9:
		return Blind, "9"
	case feature >= 12 && feature <= 14:
		return BlindOnV2, strconv.Itoa(feature)
	}
	m := updates.FindStringSubmatch(tag)
	if m == nil {
		return Sees, ""
	}
	update, _ := strconv.Atoi(m[2] + m[4] + m[6])
	switch {
	case feature == 8 && m[5] == "":
		switch name := "8u" + m[2] + m[4]; {
		case update < 191:
			return Blind, name
		case update < 372:
			return BlindOnV2, name
		}
	case feature == 11 && m[5] != "" && update < 16:
		return BlindOnV2, "11.0." + m[6]
	}
	return Sees, ""
}
