package jvm

import (
	"regexp"
	"strconv"

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
	// openJ9 is another virtual machine, which passes over the options of HotSpot
	// that it does not know.
	openJ9 = regexp.MustCompile(`openj9|semeru|ibmjava|liberty`)
)

// Version returns the feature release of Java, 8 or 17, that the image's name or
// tag speaks of, false when they do not.
func Version(image string) (feature int, ok bool) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return 0, false
	}
	tag := ""
	if tagged, ok := named.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	m := javaWord.FindStringSubmatch(tag)
	if m == nil {
		m = javaWord.FindStringSubmatch(reference.Path(named))
	}
	if facts, _ := images.Lookup(image); m == nil && facts.IsJVM() && facts.Runtime.JDK {
		m = javaTag.FindStringSubmatch(tag)
	}
	if m == nil {
		return 0, false
	}
	feature, _ = strconv.Atoi(m[1])
	if feature < Oldest || feature > Newest {
		return 0, false
	}
	return feature, true
}

// HotSpot reports whether the image may run HotSpot, as all do whose name does
// not say otherwise.
func HotSpot(image string) bool { return !openJ9.MatchString(image) }
