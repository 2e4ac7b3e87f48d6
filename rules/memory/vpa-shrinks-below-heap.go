package memory

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
	"github.com/crashlint/crashlint/internal/runtimes/nodejs"
)

var vpaShrinksBelowHeap = &rule.Rule{
	ID:       "vpa-shrinks-below-heap",
	Title:    "A VerticalPodAutoscaler may set a memory limit below the heap",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkScaledLimits,
}

func checkScaledLimits(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		scaled, ok := p.Cluster.ScaledLimit(ctr)
		if !ok {
			continue
		}
		heap, ok := fixedHeapOf(p.Cluster, ctr)
		// A heap that does not fit as it is written is another rule's finding.
		if !ok || heap.bytes >= uint64(scaled.Limit.V.Value()) {
			continue
		}
		v := vpaCheck{Pass: p, ctr: ctr, scaled: scaled, heap: heap}
		switch most := scaled.Most; {
		case most != nil && uint64(most.V.Value()) < heap.needs && most.V.Cmp(scaled.Limit.V) < 0:
			v.capped()
		case !scaled.OpenLeast && (scaled.Least == nil || uint64(scaled.Least.V.Value()) < heap.bytes) && !heap.touched:
			v.shrunk()
		}
	}
}

// A fixedHeap is the largest heap that a process was told to have, whatever its
// limit.
type fixedHeap struct {
	// bytes is its size, needs what the limit must be for it.
	bytes, needs uint64
	// by names the option, secret is true where it may not be shown.
	by     string
	secret bool
	from   cluster.Origin
	within string
	// sure is true when the process is sure to get the option.
	sure bool
	// touched is true when the process takes the whole heap at its start, so that
	// nobody measures less.
	touched bool
	// follows is the option that makes the heap follow the limit, empty for none.
	follows string
}

func fixedHeapOf(c *cluster.Cluster, ctr *manifest.Container) (fixedHeap, bool) {
	if j, ok := jvm.Of(c, ctr); ok {
		// A share of the limit moves with it.
		heap := j.Flags.Heap(jvm.Machine{Memory: math.MaxInt64})
		if heap.By == nil || heap.Percent > 0 {
			return fixedHeap{}, false
		}
		has := func(text string) bool {
			return slices.ContainsFunc(j.Options, func(o jvm.Option) bool { return o.Text == text })
		}
		first := j.Flags.InitialHeapSize
		by := *heap.By
		return fixedHeap{
			bytes: heap.Asked, needs: uint64(float64(heap.Asked) / jvmShare),
			by: by.String(), secret: by.Secret, from: by.From, within: cmp.Or(by.From.Within, by.Bare, by.Text), sure: j.Sure(by),
			touched: first != nil && first.V >= heap.Asked && has("-XX:+AlwaysPreTouch"),
			follows: "-XX:MaxRAMPercentage=75.0",
		}, true
	}
	n, ok := nodejs.Of(c, ctr)
	if !ok || n.By == nil {
		return fixedHeap{}, false
	}
	by := *n.By
	return fixedHeap{
		bytes: n.OldSpace, needs: n.OldSpace + nodejs.Young + nodejs.Base,
		by: by.String(), secret: by.Secret, from: by.From, within: cmp.Or(by.From.Within, by.Text), sure: n.Certain && n.Sure,
	}, true
}

// jvmShare is the part of its limit that a heap may take, as jvm-heap-over-limit
// has it.
const jvmShare = 0.75

// A vpaCheck holds one container's heap against what an autoscaler makes of its
// limit.
type vpaCheck struct {
	*rule.Pass
	ctr    *manifest.Container
	scaled cluster.ScaledLimit
	heap   fixedHeap
}

// capped reports a limit that never gets large enough.
func (v *vpaCheck) capped() {
	s, most := v.scaled, v.scaled.Most
	var consequence string
	severity := diag.Warning
	switch bytes := uint64(most.V.Value()); {
	case bytes > v.heap.bytes && v.heap.secret:
		consequence = fmt.Sprintf("leaves too little beside the heap%s: OOMKilled (137) under load", v.of())
	case bytes > v.heap.bytes:
		consequence = fmt.Sprintf("leaves %s beside the heap%s: OOMKilled (137) under load", size(bytes-v.heap.bytes), v.of())
	default:
		consequence = fmt.Sprintf("is no more than the heap%s: OOMKilled (137) when the heap fills, and no larger limit ever comes", v.of())
		if v.heap.sure && !v.ctr.Workload.Custom && v.Cluster.NamespaceOf(s.By) == v.Cluster.NamespaceOf(v.ctr.Workload.Object) {
			severity = diag.Error
		}
	}
	f := v.finding(fmt.Sprintf("scales the memory request to maxAllowed at most, which makes the limit %s at most and %s", most.V.String(), consequence))
	f.At, f.Severity = most.From.Path, severity
	fix := rule.Fix{Safety: diag.Unsafe, Message: "maxAllowed.memory: " + v.enough()}
	if s.Own || len(v.ctr.Workload.Pod.Containers) == 1 {
		fix.Ops = []node.Op{{Kind: node.Set, Path: most.From.Path, Value: v.enough()}}
	} else {
		fix.Safety = diag.Display
	}
	v.report(f, fix)
}

// spare is how many times the request a limit is from which on a limit that falls
// below a fixed heap is no more than possible: it is more than double what was
// measured then.
const spare = 2

// shrunk reports a limit that nothing keeps above the heap. The recommender asks
// for the 90th percentile of the daily peaks and 15% (pkg/recommender/config,
// TargetMemoryPercentile and SafetyMarginFraction).
func (v *vpaCheck) shrunk() {
	s := v.scaled
	ratio := float64(s.Scaled(1<<30)) / (1 << 30)
	why := "no minAllowed keeps"
	if s.Least != nil && s.Least.From.Object == s.By {
		why = fmt.Sprintf("minAllowed, which makes %s of it, does not keep", s.Least.V.String())
	}
	f := v.finding(fmt.Sprintf("sets the memory limit to about %.2f times the peaks that it measures, and %s it above the heap%s: OOMKilled (137) as soon as the heap grows beyond that",
		ratio*1.15, why, v.of()))
	if ratio >= spare {
		f.Severity = diag.Info
	}
	fix := rule.Fix{Safety: diag.Unsafe, Message: "minAllowed.memory: " + v.enough()}
	switch {
	case s.Policy == nil:
		f.At, f.Target = node.P("spec"), node.KeyOf
		fix.Ops = []node.Op{{Kind: node.Append, Path: node.P("spec", "resourcePolicy", "containerPolicies"),
			Value: node.Fields{{Key: "containerName", Value: v.ctr.Name}, {Key: "minAllowed", Value: node.Fields{{Key: "memory", Value: v.enough()}}}}}}
	case !s.Own && len(v.ctr.Workload.Pod.Containers) > 1:
		f.At, fix.Safety = s.Policy.Append("containerName"), diag.Display
	default:
		f.At = s.Policy.Append("containerName")
		fix.Ops = []node.Op{{Kind: node.Set, Path: s.Policy.Append("minAllowed", string(corev1.ResourceMemory)), Value: v.enough()}}
	}
	if s.Least != nil && s.Least.From.Object == s.By {
		f.At = s.Least.From.Path
	}
	v.report(f, fix)
}

// of says how large the heap is and by what, but not for an option of a Secret.
func (v *vpaCheck) of() string {
	if v.heap.secret {
		return " that an option from a Secret sets"
	}
	return fmt.Sprintf(" of %s that %s sets", size(v.heap.bytes), v.heap.by)
}

// enough is the request with which the heap fits, as much as is written at most.
func (v *vpaCheck) enough() string {
	if v.heap.secret {
		return v.scaled.Request.V.String()
	}
	limit := min(v.heap.needs, uint64(v.scaled.Limit.V.Value()))
	const mib = 1 << 20
	return size((uint64(v.scaled.Unscaled(int64(limit))) + mib - 1) / mib * mib)
}

func (v *vpaCheck) finding(message string) rule.Finding {
	s := v.scaled
	f := rule.Finding{
		Object: s.By,
		Message: fmt.Sprintf("container %q of %s: VerticalPodAutoscaler %s (updateMode %s) %s",
			v.ctr.Name, v.ctr.Workload.Object, s.By.Name, s.Mode, message),
		Notes: []string{fmt.Sprintf("as written the request is %s and the limit %s; they stay in that proportion", s.Request.V.String(), s.Limit.V.String())},
	}
	if from := v.heap.from; from.Object != nil && !v.heap.secret {
		f.Related = append(f.Related, rule.Related{Object: from.Object, At: from.Path, Within: v.heap.within, Message: "heap " + size(v.heap.bytes)})
	}
	f.Related = append(f.Related, limitRelated(v.ctr, s.Limit)...)
	if from := s.Request.From; from.Object != nil && from.Path.String() != s.Limit.From.Path.String() {
		f.Related = append(f.Related, rule.Related{Object: from.Object, At: from.Path, Message: "memory request " + s.Request.V.String()})
	}
	for _, field := range []string{"updatePolicy", "resourcePolicy"} {
		f.Needs = append(f.Needs, node.P("spec", field))
	}
	return f
}

// report adds the ways out that all findings share.
func (v *vpaCheck) report(f rule.Finding, first rule.Fix) {
	f.Fixes = []rule.Fix{first}
	only := rule.Fix{Safety: diag.Unsafe, Message: "controlledValues: RequestsOnly, which leaves the limit as it is written"}
	if v.scaled.Own {
		only.Ops = []node.Op{{Kind: node.Set, Path: v.scaled.Policy.Append("controlledValues"), Value: "RequestsOnly"}}
	} else {
		only.Safety = diag.Display
	}
	f.Fixes = append(f.Fixes, only)
	if v.heap.follows != "" {
		f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: v.heap.follows + " instead, which follows the limit"})
	}
	v.Report(f)
}
