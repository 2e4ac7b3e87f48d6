package golang

import (
	"math"
	"os/exec"
	"strings"
	"testing"
)

var limits = map[string]int64{
	"": math.MaxInt64, "off": math.MaxInt64, "0": 0, "100": 100, "10B": 10, "1KiB": 1 << 10, "512MiB": 512 << 20, "2GiB": 2 << 30, "1TiB": 1 << 40,
	"512Mi": -1, "1G": -1, "1GB": -1, "500MB": -1, "1.5GiB": -1, " 1GiB": -1, "1GiB ": -1, "-1": -1, "+1": 1, "B": -1, "MiB": -1, "1m": -1, "1 GiB": -1,
	"OFF": -1, "99999999999TiB": -1, "9223372036854775807": math.MaxInt64, "9223372036854775808": -1, "1_000": -1, "0x10": -1, "1BB": -1, "1MiBB": -1,
}

func TestMemoryLimit(t *testing.T) {
	for value, want := range limits {
		got, ok := MemoryLimit(value)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %v; want %d", value, got, ok, want)
		}
	}
}

// TestAgainstGo starts a real Go program, the go command, with each value.
func TestAgainstGo(t *testing.T) {
	program, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go on this machine")
	}
	for value := range limits {
		cmd := exec.Command(program, "version")
		cmd.Env = append(cmd.Environ(), "GOMEMLIMIT="+value)
		out, err := cmd.CombinedOutput()
		refused := strings.Contains(string(out), "malformed GOMEMLIMIT")
		if _, ok := MemoryLimit(value); ok == refused {
			t.Errorf("%q: go says %v %.60s, the model takes it: %v", value, err, out, ok)
		}
	}
}
