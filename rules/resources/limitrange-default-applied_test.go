package resources

import (
	"math"
	"testing"
)

func TestGoMemory(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64 // -1: no limit
	}{
		{"1048576", 1 << 20}, {"100B", 100}, {"512MiB", 512 << 20}, {"2GiB", 2 << 30}, {"1KiB", 1 << 10}, {"1TiB", 1 << 40},
		{"off", -1}, {"", -1}, {"512MB", -1}, {"512Mi", -1}, {"1.5GiB", -1}, {"-1", -1}, {"9999999999TiB", -1},
		{"9223372036854775807", math.MaxInt64},
	} {
		got, ok := goMemory(c.in)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%q: got %d, want %d", c.in, got, c.want)
		}
	}
}

func TestOldSpace(t *testing.T) {
	for _, c := range []struct {
		in   []string
		want int64 // 0: not set
	}{
		{[]string{"node", "--max-old-space-size=512", "app.js"}, 512},
		{[]string{"node", "--max_old_space_size=256"}, 256},
		{[]string{"sh", "-c", "exec node --max-old-space-size=128 app.js"}, 128},
		{[]string{"--max-old-space-size=1", "--max-old-space-size=2"}, 2},
		{[]string{"--max-old-space-size=x"}, 0},
		{[]string{"--max-old-space-size"}, 0},
		{[]string{"--max-semi-space-size=64"}, 0},
	} {
		got, ok := oldSpace(c.in)
		if ok != (got > 0) || got != c.want {
			t.Errorf("%q: got %d, want %d", c.in, got, c.want)
		}
	}
}
