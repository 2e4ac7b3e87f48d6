// Package python says which settings CPython does not start with.
package python

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Minor is a release of Python 3: 11 of 3.11. Unknown stands for any that is
// still maintained.
type Minor int

// Unknown is the release of an image that does not say it.
const Unknown Minor = 0

// A variable is one whose value CPython checks at its start.
type variable struct {
	// since is the first release that reads it.
	since Minor
	// wants says what it takes.
	wants string
	takes func(value string, release Minor) bool
}

// variables are the variables with which CPython ends at once when it does not
// like their value (Python/preconfig.c: preconfig_init_utf8_mode,
// preconfig_init_allocator; Python/initconfig.c: config_init_hash_seed,
// config_init_tracemalloc, config_init_int_max_str_digits, config_init_cpu_count,
// config_read_gil). An empty one counts as not set.
var variables = map[string]variable{
	"PYTHONUTF8": {7, "0 or 1", func(v string, _ Minor) bool { return v == "0" || v == "1" }},
	"PYTHONHASHSEED": {0, "\"random\" or a whole number up to 4294967295", func(v string, _ Minor) bool {
		return v == "random" || between(v, 0, 1<<32-1)
	}},
	"PYTHONMALLOC": {6, "malloc, malloc_debug, pymalloc, pymalloc_debug, default or debug", func(v string, release Minor) bool {
		switch v {
		case "default":
			return release == Unknown || release >= 7
		case "mimalloc", "mimalloc_debug":
			return release == Unknown || release >= 13
		}
		return slices.Contains([]string{"malloc", "malloc_debug", "pymalloc", "pymalloc_debug", "debug"}, v)
	}},
	// 3.6 and 3.7 do not take the 0 that switches it off.
	"PYTHONTRACEMALLOC": {4, "a whole number of frames up to 65535", func(v string, release Minor) bool {
		least := int64(0)
		if release == 6 || release == 7 {
			least = 1
		}
		return between(v, least, 65535)
	}},
	// It came with 3.11, and with a later patch of each line from 3.7 on.
	"PYTHONINTMAXSTRDIGITS": {11, "0 or a whole number from 640 on", func(v string, _ Minor) bool {
		return between(v, 0, 0) || between(v, 640, 1<<31-1)
	}},
	"PYTHON_CPU_COUNT": {13, "a whole number from 1 on, or \"default\"", func(v string, _ Minor) bool {
		return v == "default" || between(v, 1, 1<<31-1)
	}},
}

// whole matches what strtol reads to its end.
var whole = regexp.MustCompile(`^[ \t\n\v\f\r]*[+-]?[0-9]+$`)

func between(text string, least, most int64) bool {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimLeft(text, " \t\n\v\f\r"), "+"), 10, 64)
	return whole.MatchString(text) && err == nil && least <= n && n <= most
}

// Wants returns what CPython takes as the value of a variable when it ends at
// once with the one that is given: "Fatal Python error: ... invalid". It is empty
// for a value that is taken, and for what it does not look at. A release that is
// not known may be too old to read PYTHON_CPU_COUNT; then sure is false.
func Wants(name, value string, release Minor) (wants string, sure bool) {
	v, ok := variables[name]
	if !ok || value == "" || release != Unknown && release < v.since || v.takes(value, release) {
		return "", false
	}
	return v.wants, release != Unknown || v.since <= 11
}

var (
	// releaseTag reads the tag of the image that is Python: "3.12-slim".
	releaseTag = regexp.MustCompile(`^v?([23])\.([0-9]{1,2})(?:[^0-9]|$)`)
	// releaseWord finds a release behind the word: "python3.11", "app:2-python3.9", "py38".
	releaseWord = regexp.MustCompile(`(?:^|[/._:-])py(?:thon)?[-_]?([23])[.]?([0-9]{1,2})(?:[^0-9]|$)`)
)

// Release returns the release of Python that an image speaks of; own is true for
// the image that is Python itself, whose tag is its release. It is Unknown where
// nothing says it, and false for Python 2.
func Release(image string, own bool) (Minor, bool) {
	_, tag, _ := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	var m []string
	if own {
		m = releaseTag.FindStringSubmatch(tag)
	}
	if m == nil {
		m = releaseWord.FindStringSubmatch(image)
	}
	switch {
	case m == nil:
		return Unknown, true
	case m[1] == "2":
		return 0, false
	}
	n, _ := strconv.Atoi(m[2]) // two digits
	return Minor(n), true
}
