package nodejs

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strconv"

	"github.com/distribution/reference"

	"github.com/crashlint/crashlint/internal/images"
)

// A Release is a release of Node.js, zero when it is not known.
type Release struct {
	Major int
	// Minor is the minor release, anyMinor when only the major one is known.
	Minor int
}

// anyMinor is the minor release of a tag like "18", which moves on.
const anyMinor = 1 << 16

// String returns the release as far as it is known: "18", "18.17".
func (r Release) String() string {
	if r.Minor == anyMinor {
		return strconv.Itoa(r.Major)
	}
	return fmt.Sprintf("%d.%d", r.Major, r.Minor)
}

// before reports whether the release is older than o. One of which only the major
// number is known counts as its last.
func (r Release) before(o Release) bool {
	return cmp.Or(cmp.Compare(r.Major, o.Major), cmp.Compare(r.Minor, o.Minor)) < 0
}

// has reports whether the release has what came with these: the last of them went
// into all later lines of releases, the others into their own line only.
func (r Release) has(since []Release) bool {
	if len(since) == 0 {
		return true
	}
	for _, s := range since {
		if s.Major == r.Major {
			return !r.before(s)
		}
	}
	return r.Major > since[len(since)-1].Major
}

var (
	// releaseTag reads the tag of the image that is Node.js: "18-alpine", "v20.11.1".
	releaseTag = regexp.MustCompile(`^v?([0-9]{1,2})(?:\.([0-9]{1,2}))?(?:[^0-9]|$)`)
	// releaseWord finds a release behind the word node: "nodejs20-debian12", "nodejs-18",
	// "1.4-node16".
	releaseWord = regexp.MustCompile(`(?:^|[/._-])node(?:js)?[-_]?v?([0-9]{1,2})(?:\.([0-9]{1,2}))?(?:[^0-9]|$)`)
)

// ReleaseOf returns the release of Node.js that the image's tag or name speaks of,
// zero when they do not.
func ReleaseOf(image string, facts images.Facts) Release {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return Release{}
	}
	tag := ""
	if tagged, ok := named.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	var m []string
	if facts.Runtime != nil && facts.Runtime.Name == "node" && path.Base(facts.Name) == "node" {
		m = releaseTag.FindStringSubmatch(tag)
	}
	if m == nil {
		m = releaseWord.FindStringSubmatch(tag)
	}
	if m == nil {
		m = releaseWord.FindStringSubmatch(reference.Path(named))
	}
	if m == nil {
		return Release{}
	}
	r := Release{Minor: anyMinor}
	r.Major, _ = strconv.Atoi(m[1])
	if m[2] != "" {
		r.Minor, _ = strconv.Atoi(m[2])
	}
	if r.Major < 8 || r.Major > 30 {
		return Release{} // the program's own version
	}
	return r
}
