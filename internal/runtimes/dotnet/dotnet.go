// Package dotnet says how large a heap the collector of .NET would grow.
package dotnet

import (
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
)

// A HeapLimit is what the environment says of the heap's bound.
type HeapLimit struct {
	// Bytes is the bound in bytes, or 0, and Percent its share of the memory limit,
	// or 0: one of them is set.
	Bytes   uint64
	Percent uint64
	// By is the variable that sets it.
	By cluster.Variable
}

// Limit returns the bound of the heap that the environment sets; false when .NET
// takes its own, 75% of the memory limit. A bound in bytes comes before one in
// percent, which outside of 1 to 99 has no effect (gc.cpp, compute_hard_limit).
func Limit(env cluster.Environment) (HeapLimit, bool) {
	if v, n, ok := setting(env, "GCHeapHardLimit"); ok && n > 0 {
		return HeapLimit{Bytes: n, By: v}, true
	}
	if v, n, ok := setting(env, "GCHeapHardLimitPercent"); ok && n > 0 && n < 100 {
		return HeapLimit{Percent: n, By: v}, true
	}
	return HeapLimit{}, false
}

// setting reads a setting of the collector, which is a hexadecimal number with or
// without 0x; what is none counts as not set. DOTNET_ comes before the older
// COMPlus_ (clrconfig.cpp, CLRConfig::GetConfigValue).
func setting(env cluster.Environment, name string) (cluster.Variable, uint64, bool) {
	for _, prefix := range []string{"DOTNET_", "COMPlus_"} {
		v, ok := env.Lookup(prefix + name)
		if !ok {
			continue
		}
		digits := strings.TrimPrefix(strings.TrimPrefix(v.Value, "0x"), "0X")
		n, err := strconv.ParseUint(digits, 16, 64)
		return v, n, v.Known && err == nil
	}
	return cluster.Variable{}, 0, false
}
