package cpu

import (
	"fmt"
	"math"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

var cpuLimitOnJVM = &rule.Rule{
	ID:       "cpu-limit-on-jvm",
	Title:    "A CPU limit throttles the JVM while it starts",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Options:  func() any { return &startOptions{StartCPUSeconds: jvm.StartCPUSeconds} },
	Workload: checkCPULimit,
}

type startOptions struct {
	StartCPUSeconds float64 `json:"startCPUSeconds" jsonschema_description:"the CPU time, in seconds, that a JVM application is taken to need for its start"`
}

// enough is the CPU limit from which on a JVM starts about as fast as it can:
// two processors are also what HotSpot asks of a server
// (os::is_server_class_machine).
const enough = 2000 // millicores

func checkCPULimit(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit := p.Cluster.CPU(ctr).Limit
		if ctr.Role == manifest.Init || limit == nil || limit.V.MilliValue() <= 0 || limit.V.MilliValue() >= enough {
			continue
		}
		if j, ok := jvm.Of(p.Cluster, ctr); ok {
			p.Report(cpuFinding(p, ctr, j, limit))
		}
	}
}

func cpuFinding(p *rule.Pass, ctr *manifest.Container, j *jvm.JVM, limit *cluster.Value[resource.Quantity]) rule.Finding {
	w := ctr.Workload
	f := rule.Finding{
		Object: w.Object, At: ctr.At("resources", "limits", string(corev1.ResourceCPU)), Severity: diag.Info,
		Notes: []string{"a JVM, since " + strings.Join(j.Evidence, ", ")},
	}
	if limit.V.MilliValue() <= 1000 {
		f.Notes = append(f.Notes, "with one CPU the JVM compiles, collects garbage and serves on the same processor, and picks the serial collector")
	}
	own := limit.From.Object == w.Object && slices.Equal(limit.From.Path, f.At)
	if own {
		f.Fixes = []rule.Fix{removeLimit(ctr, limit.V)}
	} else {
		f.At, f.Target = ctr.Path, node.Grip
		if limit.From.Object != nil {
			f.Related = []rule.Related{{
				Object: limit.From.Object, At: limit.From.Path, Within: limit.From.Within,
				Message: fmt.Sprintf("CPU limit %s from %s", limit.V.String(), limit.From.Object),
			}}
			f.Needs = limitPath(limit, w)
		}
		f.Fixes = []rule.Fix{{Safety: diag.Display, Message: "give the container a CPU limit of its own that lets it start, or take the default out of the LimitRange"}}
	}

	start := kubelet.StartOf(w.Pod, ctr.Container)
	deadline := start.Timing.Deadline()
	budget := float64(limit.V.MilliValue()) / 1000 * float64(deadline)
	needed := p.Options.(*startOptions).StartCPUSeconds
	// Where one CPU would not save it either, the probe is the cause: that there is
	// no startupProbe, as missing-startup-probe says, or that it gives up too soon.
	if start.Probe == "" || limit.V.MilliValue() >= 1000 || budget >= needed || float64(deadline) < needed {
		f.Message = fmt.Sprintf("container %q: a CPU limit of %s throttles the JVM while it loads classes and compiles: every start and restart takes that much longer",
			ctr.Name, limit.V.String())
		return f
	}
	f.Severity = diag.Warning
	f.Message = fmt.Sprintf("container %q: a CPU limit of %s gives the JVM %.0f CPU-seconds before the %s kills it %d s after its start, and the start of a server is reckoned to take %.0f: killed while it still starts, again and again",
		ctr.Name, limit.V.String(), budget, start.Probe, deadline, needed)
	f.Notes = append(f.Notes, fmt.Sprintf("%s x %d s = %.1f CPU-seconds; startCPUSeconds is %.0f", limit.V.String(), deadline, budget, needed))
	kills := fmt.Sprintf("kills after %d s", deadline)
	if start.Probe == "livenessProbe" {
		kills += "; there is no startupProbe to hold it back"
	}
	f.Related = append(f.Related, rule.Related{Object: w.Object, At: ctr.At(start.Probe), Target: node.KeyOf, Message: kills})
	f.Needs = append(f.Needs, ctr.At("livenessProbe"), ctr.At("startupProbe"))
	if start.Probe == "startupProbe" {
		f.Fixes = append(f.Fixes, patience(ctr, start.Timing, needed*1000/float64(limit.V.MilliValue())))
	}
	return f
}

// patience lets the startup probe wait for so many seconds.
func patience(ctr *manifest.Container, t kubelet.Timing, seconds float64) rule.Fix {
	failures := 1 + int64(math.Ceil((seconds-float64(t.InitialDelay))/float64(t.Period)))
	return rule.Fix{
		Message: fmt.Sprintf("failureThreshold: %d, with which the startupProbe waits for %d s", failures, t.InitialDelay+(failures-1)*t.Period),
		Safety:  diag.Unsafe,
		Ops:     []node.Op{{Kind: node.Set, Path: ctr.At("startupProbe", "failureThreshold"), Value: failures}},
	}
}

func limitPath(limit *cluster.Value[resource.Quantity], w *manifest.Workload) []node.Path {
	if limit.From.Object == w.Object {
		return []node.Path{limit.From.Path}
	}
	return nil
}

// removeLimit takes the limit away and keeps what it reserved: without a request
// of its own the container asks for as much as its limit
// (pkg/apis/core/v1/defaults.go, SetDefaults_Pod).
func removeLimit(ctr *manifest.Container, limit resource.Quantity) rule.Fix {
	fix := rule.Fix{Message: "remove the CPU limit and keep the request", Safety: diag.Unsafe}
	gone := ctr.At("resources", "limits", string(corev1.ResourceCPU))
	if len(ctr.Resources.Limits) == 1 {
		gone = ctr.At("resources", "limits")
	}
	if _, ok := ctr.Resources.Requests[corev1.ResourceCPU]; ok {
		fix.Ops = []node.Op{{Kind: node.Remove, Path: gone}}
		return fix
	}
	fix.Message = fmt.Sprintf("remove the CPU limit and request %s instead", limit.String())
	fix.Ops = []node.Op{
		{Kind: node.Remove, Path: gone},
		{Kind: node.Set, Path: ctr.At("resources", "requests", string(corev1.ResourceCPU)), Value: limit.String()},
	}
	return fix
}
