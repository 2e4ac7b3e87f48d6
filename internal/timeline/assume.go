package timeline

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/runtimes"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

// Assumptions are what somebody says of the programs that no file says. The zero
// value leaves it to what is known of images and runtimes.
type Assumptions struct {
	// Start is how many seconds after its start each program answers its probes,
	// kubelet.Never for one that does not; nil: what is known of its image, or of
	// the JVM, else kubelet.Never.
	Start *int64
	// Stop is how many seconds it takes to end after SIGTERM; nil: all that it is
	// given, so that SIGKILL ends it.
	Stop *int64
	// Init is how many seconds an init container takes; nil: what its command
	// sleeps, else DefaultInit.
	Init *int64
	// Until is the second that the timelines end at; 0: chosen for each.
	Until int64
}

// DefaultInit is how many seconds an init container is taken to last, and a
// sidecar to start, of which nothing is known.
const DefaultInit = 10

// An Assumption is what is taken for true of one program.
type Assumption struct {
	kubelet.Behaviour
	// Known is false where nothing says when the program answers: an app container
	// is drawn as one that never does, a sidecar as one that does in time.
	Known bool
	// Because says what the assumption rests on, in words.
	Because string

	hooks []string // what is taken of hooks of which nothing is known
}

// of returns what is assumed of the container's program.
func (a Assumptions) of(c *cluster.Cluster, ctr *manifest.Container, n kubelet.Node) Assumption {
	out := Assumption{Behaviour: kubelet.Behaviour{Lasts: kubelet.Never, Stops: kubelet.Never}}
	if ctr.Role != manifest.App && !n.Sidecar(ctr.Container) {
		a.initContainer(c, ctr, &out)
		return out
	}
	if a.Stop != nil {
		out.Stops = *a.Stop
	}
	start, known := runtimes.StartOf(c, ctr, jvm.StartCPUSeconds)
	switch {
	case a.Start != nil && *a.Start == kubelet.Never:
		out.Answers, out.Known, out.Because = kubelet.Never, true, "it never answers, as you say"
	case a.Start != nil:
		out.Answers, out.Known, out.Because = *a.Start, true, fmt.Sprintf("it answers after %d s, as you say", *a.Start)
	case known:
		out.Answers, out.Known, out.Because = start.Seconds, true, start.Because
	case ctr.StartupProbe == nil && ctr.LivenessProbe == nil && ctr.ReadinessProbe == nil:
		out.Answers, out.Because = kubelet.Never, "no probe asks whether it has started"
	case ctr.Role == manifest.Sidecar:
		// Drawn as one that never answers it would hide all that follows it.
		out.Answers, out.Because = DefaultInit, fmt.Sprintf("taken to answer after %d s, for nothing says how long it takes", DefaultInit)
		if check, _ := kubelet.ChecksOf(ctr.Container).Killer(DefaultInit); check != nil {
			out.Answers, out.Because = 0, "taken to answer at once, for nothing says how long it takes"
		}
	default:
		out.Answers, out.Because = kubelet.Never, "nothing says how long it takes to start"
	}
	out.hook(c, ctr)
	return out
}

func (a Assumptions) initContainer(c *cluster.Cluster, ctr *manifest.Container, out *Assumption) {
	out.Known = true
	switch slept := cluster.Slept(c.Process(ctr).Commands); {
	case a.Init != nil:
		out.Lasts, out.Because = *a.Init, fmt.Sprintf("it takes %d s, as you say", *a.Init)
	case slept > 0:
		out.Lasts, out.Because = slept, fmt.Sprintf("its command sleeps %d s", slept)
	default:
		out.Lasts, out.Because = DefaultInit, fmt.Sprintf("taken to last %d s, for nothing says how long it does", DefaultInit)
	}
}

// hook reckons how long the container's hooks take that are not sleeps.
func (a *Assumption) hook(c *cluster.Cluster, ctr *manifest.Container) {
	if ctr.Lifecycle == nil {
		return
	}
	reckon := func(name string, h *corev1.LifecycleHandler) int64 {
		if h == nil || h.Sleep != nil {
			return 0
		}
		if h.Exec != nil {
			if slept := cluster.Slept(c.HookProcess(ctr, h.Exec.Command, ctr.At("lifecycle", name, "exec", "command")).Commands); slept > 0 {
				return slept
			}
		}
		a.hooks = append(a.hooks, "the "+name+" hook is drawn as if it took no time, for nothing says how long it does")
		return 0
	}
	a.PostStart = reckon("postStart", ctr.Lifecycle.PostStart)
	a.PreStop = reckon("preStop", ctr.Lifecycle.PreStop)
}
