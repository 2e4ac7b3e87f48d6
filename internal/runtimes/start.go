package runtimes

import (
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

// A Throttle is a CPU limit below one CPU: a start that computes takes as much
// longer as it gets less. It is zero without such a limit.
type Throttle struct {
	Limit *cluster.Value[resource.Quantity]
	cpus  float64
}

// ThrottleOf returns what the container's CPU limit does to its start.
func ThrottleOf(c *cluster.Cluster, ctr *manifest.Container) Throttle {
	limit := c.CPU(ctr).Limit
	if limit == nil {
		return Throttle{}
	}
	cpus := limit.V.AsApproximateFloat64()
	if cpus <= 0 || cpus >= 1 {
		return Throttle{}
	}
	return Throttle{limit, cpus}
}

// Seconds turns seconds of CPU time into seconds of the clock.
func (t Throttle) Seconds(cpu int64) int64 {
	if t.Limit == nil {
		return cpu
	}
	return int64(math.Ceil(float64(cpu) / t.cpus))
}

// String continues a sentence about a start: " with a CPU limit of 400m", empty
// without such a limit.
func (t Throttle) String() string {
	if t.Limit == nil {
		return ""
	}
	return " with a CPU limit of " + t.Limit.V.String()
}

// A Start is how long a container is taken to need until it answers.
type Start struct {
	// Seconds it takes by the clock, and Unthrottled with as much CPU as it likes.
	Seconds, Unthrottled int64
	// Throttle is what makes the difference; zero where nothing does, and where
	// the program does more than compute.
	Throttle Throttle
	// Because says so: "this image is known to take about 180 s to start".
	Because string
	// JVM is why the container is taken for a service on a JVM where nothing else
	// is known of its start; nil where it is the image that is known.
	JVM *jvm.JVM
}

// StartOf returns how long the container is taken to need until it answers, false
// when nothing says so. What is known of its image counts before the CPU time, in
// seconds, that a service on a JVM is taken to need.
func StartOf(c *cluster.Cluster, ctr *manifest.Container, jvmCPUSeconds float64) (Start, bool) {
	machine, onJVM := jvm.Of(c, ctr)
	s := Start{}
	if onJVM {
		s.Throttle = ThrottleOf(c, ctr)
	}
	who := "this image is known to take"
	switch facts := c.Image(ctr); {
	case facts.Startup != nil:
		s.Unthrottled = int64(facts.Startup.Seconds)
	case onJVM:
		s.Unthrottled, s.JVM = int64(math.Ceil(jvmCPUSeconds)), machine
		who = "a service on a JVM takes"
	default:
		return Start{}, false
	}
	s.Seconds = s.Throttle.Seconds(s.Unthrottled)
	s.Because = fmt.Sprintf("%s about %d s to start%s", who, s.Seconds, s.Throttle)
	return s, true
}
