package cluster_test

import (
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestSlept(t *testing.T) {
	for script, want := range map[string]int64{
		"sleep 5":                       5,
		"sleep 1m 30s":                  90,
		"sleep 0.9; sleep 2.5":          2,
		"sleep 5; nginx -s quit":        5,
		"sleep $SECONDS_TO_WAIT":        0,
		"sleep soon":                    0,
		"sleep 5 & wait":                0,
		"if ready; then sleep 5; fi":    0,
		"until ready; do sleep 5; done": 0,
		"sleep 1e300":                   0,
		"sleep -5":                      0,
		"sleep nan":                     0,
	} {
		c := load(t, deployment("", "command: [sh, -c, '"+script+"']"), cluster.Options{})
		if got := cluster.Slept(c.Process(container(t, c, "")).Commands); got != want {
			t.Errorf("%s: %d s, want %d", script, got, want)
		}
	}
}
