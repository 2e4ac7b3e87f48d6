package jvm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"github.com/crashlint/crashlint/internal/images"
)

// Oldest and Newest are the feature releases of Java that refusals are told for.
const (
	Oldest = 8
	Newest = 26
)

var (
	// javaWord finds a release behind a word that means Java: "jdk11",
	// "jre-8u292", "java17-debian12", "openjdk-1.8".
	javaWord = regexp.MustCompile(`(?:^|[/._-])(?:[a-z]*jdk|[a-z]*jre|java|temurin|corretto|zulu|liberica)[-_]?(?:1\.)?([0-9]{1,2})(?:u[0-9]+)?(?:[^0-9]|$)`)
	// javaTag reads the tag of an image that is a Java runtime: "17-jre-alpine",
	// "8u292-jdk", "11.0.16".
	javaTag = regexp.MustCompile(`^(?:1\.)?([0-9]{1,2})(?:u[0-9]+)?(?:[^0-9]|$)`)
	// updates finds an update release: 8u131, 1.8.0_131, 11.0.11.
	updates = regexp.MustCompile(`(?:^|[^0-9.])(?:(8)u([0-9]+)|1\.(8)\.0[_-]([0-9]+)|(11)\.0\.([0-9]+))(?:[^0-9]|$)`)
	// openJ9 is another virtual machine, which passes over the options of HotSpot
	// that it does not know.
	openJ9 = []string{"openj9", "semeru", "ibmjava", "liberty"}
)

// A Release is the release of Java that an image holds.
type Release struct {
	// Feature is the feature release, 8 or 17.
	Feature int
	// Update is the update release, 131 of 8u131 and 11 of 11.0.11, or the newest
	// that the image can hold; 0 when that is not known.
	Update int
	// newest is true when Update is the newest it can be.
	newest bool
}

// String returns the release as its makers write it: "8u131", "11.0.11", "17".
func (r Release) String() string {
	name := strconv.Itoa(r.Feature)
	switch {
	case r.Update == 0:
		return name
	case r.Feature == 8:
		name = fmt.Sprintf("8u%d", r.Update)
	default:
		name = fmt.Sprintf("%d.0.%d", r.Feature, r.Update)
	}
	if r.newest {
		name += " or older"
	}
	return name
}

// ReleaseOf returns the release of Java that the image's name or tag speaks of,
// or else the one that is known of it; false when nothing says it.
func ReleaseOf(image string, facts images.Facts) (Release, bool) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return Release{}, false
	}
	tag := ""
	if tagged, ok := named.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	m := javaWord.FindStringSubmatch(tag)
	if m == nil {
		m = javaWord.FindStringSubmatch(reference.Path(named))
	}
	if m == nil && facts.IsJVM() && facts.Runtime.JDK {
		m = javaTag.FindStringSubmatch(tag)
	}
	known := facts.Java
	if known == nil {
		known = &images.Java{}
	}
	r := Release{Feature: known.Feature}
	if m != nil {
		r.Feature, _ = strconv.Atoi(m[1])
	}
	if r.Feature < Oldest || r.Feature > Newest {
		return Release{}, false
	}
	if known.Update > 0 && (known.Feature == 0 || known.Feature == r.Feature) {
		r.Update, r.newest = known.Update, true
	}
	if u := updates.FindStringSubmatch(tag); u != nil && u[1]+u[3]+u[5] == strconv.Itoa(r.Feature) {
		r.Update, _ = strconv.Atoi(u[2] + u[4] + u[6])
		r.newest = false
	}
	return r, true
}

// HotSpot reports whether the image may run HotSpot, as all do whose name does
// not say otherwise.
func HotSpot(image string) bool {
	return !slices.ContainsFunc(openJ9, func(word string) bool { return strings.Contains(image, word) })
}
