package initcontainers

import (
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
)

// A resolver is how the nslookup of an image deals with the names of Services.
// BusyBox got a resolver of its own in 1.29 (networking/nslookup.c; before, it
// asked the C library):
//   - 1.29 and later: the search list is for names without a dot only
//     (add_query_with_search, since 1.30; 1.29 has none);
//   - 1.31 and later: the exit status is 1 as soon as one of the names tried does
//     not exist (send_queries sets G.exitcode). With the three domains of a pod's
//     search list two never do. Up to 1.36 queries sent in the same instant can
//     bear the same ID and are then taken for each other (commit 62775ec4b): now
//     and then it is 0.
//
// Alpine changed the second for its package: one answer is enough (main/busybox,
// nslookup.patch, since 3.11.3).
type resolver struct {
	// name says what it is, for messages.
	name string
	// short and partial are the severities with which it fails on "db" and on
	// "db.shop" or "db.shop.svc"; empty: it does not.
	short, partial diag.Severity
}

// busyBoxMinor is the newest BusyBox, which the tag "latest" stands for.
const busyBoxMinor = 37

// resolverOf returns how nslookup works in an image; false when that is not
// known, or it works.
func resolverOf(image string) (resolver, bool) {
	name, tag := splitImage(image)
	if tag == "" && strings.Contains(image, "@") {
		return resolver{}, false
	}
	release, tagged := minorOf(tag, "1.")
	switch {
	case name == "busybox":
		if !tagged {
			if tag != "" && strings.ContainsAny(tag, "0123456789") {
				return resolver{}, false
			}
			release = busyBoxMinor
		}
		r := resolver{name: "BusyBox 1." + strconv.Itoa(release), partial: diag.Error}
		switch {
		case release < 31: // 1.29 and 1.30 always end with 0
			return resolver{}, false
		case release < 37:
			r.short = diag.Warning
		default:
			r.short = diag.Error
		}
		return r, true
	case strings.Contains(name, "busybox") && !tagged:
		return resolver{name: "BusyBox", partial: diag.Warning}, true
	case name == "alpine":
		release, tagged := minorOf(tag, "3.")
		if !tagged && tag != "" && tag != "latest" || tagged && release < 12 {
			return resolver{}, false
		}
		return resolver{name: "Alpine's BusyBox", partial: diag.Warning}, true
	}
	return resolver{}, false
}

// splitImage returns the last part of an image's name, and its tag.
func splitImage(image string) (name, tag string) {
	image, _, _ = strings.Cut(image, "@")
	name, tag, _ = strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	return name, tag
}

// minorOf returns the number behind the major version that a tag begins with.
func minorOf(tag, major string) (int, bool) {
	rest, ok := strings.CutPrefix(tag, major)
	if !ok {
		return 0, false
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[:end])
	return n, err == nil
}
