// Package golang says what the Go runtime makes of its environment variables.
package golang

import (
	"math"
	"strconv"
	"strings"
)

// MemoryLimit reads GOMEMLIMIT as the Go runtime does since 1.19 (runtime/mgcpacer.go,
// readGOMEMLIMIT; runtime/string.go, parseByteCount): a whole number of bytes, or
// one with B, KiB, MiB, GiB or TiB. An empty value and "off" set no limit, which
// is math.MaxInt64. With a value that is not ok the program dies at its start.
func MemoryLimit(value string) (bytes int64, ok bool) {
	if value == "" || value == "off" {
		return math.MaxInt64, true
	}
	number, unit := value, int64(1)
	for suffix, n := range units {
		if rest, found := strings.CutSuffix(value, suffix); found {
			number, unit = rest, n
		}
	}
	if unit == 1 {
		number = strings.TrimSuffix(number, "B")
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

var units = map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

// GCOff reports whether a value of GOGC switches the collector off, but for what
// GOMEMLIMIT asks of it.
func GCOff(value string) bool { return value == "off" }
