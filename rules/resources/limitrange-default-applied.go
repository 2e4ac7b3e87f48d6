package resources

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

var limitrangeDefaultApplied = &rule.Rule{
	ID:       "limitrange-default-applied",
	Title:    "A LimitRange sets or refuses what the container asks for",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkLimitRanges,
}

// quantity is an effective value with its origin.
type quantity = cluster.Value[resource.Quantity]

func checkLimitRanges(p *rule.Pass, w *manifest.Workload) {
	ranges := p.Cluster.LimitRanges(w)
	if len(ranges) == 0 || w.Patch {
		return
	}
	refused := false
	for _, ctr := range w.Containers {
		if ctr.Partial {
			continue
		}
		c := check{Pass: p, ctr: ctr}
		c.requestAboveDefault()
		for _, l := range ranges {
			for _, item := range l.Items {
				if item.Type == corev1.LimitTypeContainer {
					c.constraints(l, item)
				}
			}
		}
		if !c.reported {
			c.defaults()
		}
		refused = refused || c.reported
	}
	if !refused {
		checkPod(p, w, ranges)
	}
}

// A check is one container's.
type check struct {
	*rule.Pass
	ctr      *manifest.Container
	reported bool // the API server refuses the pod
}

// report adds what all findings about a LimitRange have in common. value is
// what is at fault, nil when nothing is written; field is the LimitRange's.
func (c *check) report(value *quantity, field *quantity, f rule.Finding) {
	f.Object = c.ctr.Workload.Object
	f.At, f.Target = c.ctr.Path, node.Grip
	if value != nil && value.From.Object == f.Object {
		f.At, f.Target = value.From.Path, node.Value
	}
	limits := field.From.Object
	f.Related = append(f.Related, rule.Related{Object: limits, At: field.From.Path, Message: fmt.Sprintf("%s %s in LimitRange %s", last(field.From.Path), field.V.String(), limits.Name)})
	f.Severity = cmp.Or(f.Severity, diag.Error)
	if f.Severity == diag.Error {
		f.Severity, f.Notes = certainty(c.Pass, c.ctr.Workload, limits, f.Notes)
	}
	c.Report(f)
}

// last names the LimitRange's field that holds a value.
func last(p node.Path) string {
	field, _ := p[len(p)-2].Key()
	return field
}

// requestAboveDefault reports a request above the limit that a LimitRange fills
// in: a pod whose request exceeds its limit is invalid
// (pkg/apis/core/validation, validateContainerResourceRequirements).
func (c *check) requestAboveDefault() {
	for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceCPU, corev1.ResourceEphemeralStorage} {
		r := c.Cluster.Admitted(c.ctr, name)
		if r.Limit == nil || r.Request == nil || r.Limit.From.Object == c.ctr.Workload.Object || r.Request.From.Object != c.ctr.Workload.Object {
			continue
		}
		if r.Request.V.Cmp(r.Limit.V) <= 0 {
			continue
		}
		c.reported = true
		c.report(r.Request, r.Limit, rule.Finding{
			Message: fmt.Sprintf("container %q requests %s %s and sets no limit, and LimitRange %s limits it to %s: a request above the limit, %s",
				c.ctr.Name, r.Request.V.String(), name, r.Limit.From.Object.Name, r.Limit.V.String(), refusal),
			Fixes: []rule.Fix{{
				Message: fmt.Sprintf("set limits.%s to the request", name), Safety: diag.Unsafe,
				Ops: []node.Op{{Kind: node.Set, Path: c.ctr.At("resources", "limits", string(name)), Value: r.Request.V.String()}},
			}},
		})
	}
}

// constraints reports violations of min, max and maxLimitRequestRatio
// (plugin/pkg/admission/limitranger, validateContainerLimits). A value that
// comes from the LimitRange itself does not violate it on its own.
func (c *check) constraints(l cluster.LimitRange, item cluster.LimitRangeItem) {
	for _, name := range sorted(item.Min, item.Max, item.MaxLimitRequestRatio) {
		r := c.Cluster.Admitted(c.ctr, name)
		say := func(value, field *quantity, format string, args ...any) {
			c.reported = true
			c.report(value, field, rule.Finding{Message: fmt.Sprintf("container %q: ", c.ctr.Name) + fmt.Sprintf(format, args...) +
				fmt.Sprintf(" of LimitRange %s: %s", l.Object.Name, refusal)})
		}
		above, below := false, false
		if least := item.Min[name]; least != nil {
			for _, v := range distinct(r) {
				if v.value.V.Cmp(least.V) < 0 && !below {
					below = true
					say(v.value, least, "%s %s %s is below the min %s", name, v.what, v.value.V.String(), least.V.String())
				}
			}
		}
		if most := item.Max[name]; most != nil {
			for _, v := range distinct(r) {
				if v.value.V.Cmp(most.V) > 0 && !above {
					above = true
					say(v.value, most, "%s %s %s is above the max %s", name, v.what, v.value.V.String(), most.V.String())
				}
			}
		}
		ratio := item.MaxLimitRequestRatio[name]
		switch {
		case ratio == nil || above || below:
		case r.OpenRequest || r.OpenLimit:
		case r.Limit == nil || r.Limit.V.IsZero():
			say(nil, ratio, "it has no %s limit to hold against the maxLimitRequestRatio %s", name, ratio.V.String())
		case r.Request == nil || r.Request.V.IsZero():
			say(r.Limit, ratio, "it has no %s request to hold against the maxLimitRequestRatio %s", name, ratio.V.String())
		default:
			if got := r.Limit.V.AsApproximateFloat64() / r.Request.V.AsApproximateFloat64(); got > ratio.V.AsApproximateFloat64()*(1+1e-9) {
				say(written(c.ctr, r.Limit, r.Request), ratio, "%s limit %s is %s times the request %s, above the maxLimitRequestRatio %s",
					name, r.Limit.V.String(), strconv.FormatFloat(math.Round(got*100)/100, 'f', -1, 64), r.Request.V.String(), ratio.V.String())
			}
		}
	}
}

// written returns the first of the values that stands in the workload.
func written(ctr *manifest.Container, values ...*quantity) *quantity {
	for _, v := range values {
		if v.From.Object == ctr.Workload.Object {
			return v
		}
	}
	return nil
}

type namedValue struct {
	what  string
	value *quantity
}

// distinct lists limit and request, the request only where it is not a copy of
// the limit.
func distinct(r cluster.Resource) []namedValue {
	var out []namedValue
	if r.Limit != nil {
		out = append(out, namedValue{"limit", r.Limit})
	}
	if r.Request != nil && r.Request != r.Limit {
		out = append(out, namedValue{"request", r.Request})
	}
	return out
}

func sorted(maps ...map[corev1.ResourceName]*quantity) []corev1.ResourceName {
	var names []corev1.ResourceName
	for _, m := range maps {
		names = append(names, keys(m)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func keys(m map[corev1.ResourceName]*quantity) []corev1.ResourceName {
	return slices.Collect(maps.Keys(m))
}

// defaults reports limits that the container gets without asking: a warning
// for a JVM that they leave little, an info else.
func (c *check) defaults() {
	var applied []*quantity
	var texts []string
	for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceCPU} {
		limit := c.Cluster.Admitted(c.ctr, name).Limit
		if limit == nil || limit.From.Object == c.ctr.Workload.Object {
			continue
		}
		applied = append(applied, limit)
		texts = append(texts, fmt.Sprintf("%s limit %s", name, limit.V.String()))
		if name != corev1.ResourceMemory {
			continue
		}
		if heap, ok := c.cramped(limit.V.Value()); ok {
			c.report(nil, limit, rule.Finding{
				Message: fmt.Sprintf("container %q sets no memory limit and gets %s from LimitRange %s, but it is a JVM without heap settings, which takes %d MiB of that for its heap: OutOfMemoryError, or OOMKilled (137) by what the JVM needs beside the heap",
					c.ctr.Name, limit.V.String(), limit.From.Object.Name, heap>>20),
				Severity: diag.Warning,
			})
			return
		}
	}
	if len(applied) == 0 {
		return
	}
	f := rule.Finding{
		Message: fmt.Sprintf("container %q sets none itself and gets %s from LimitRange %s", c.ctr.Name,
			strings.Join(texts, " and "), applied[0].From.Object.Name),
		Severity: diag.Info,
	}
	for _, v := range applied[1:] {
		f.Related = append(f.Related, rule.Related{Object: v.From.Object, At: v.From.Path, Message: fmt.Sprintf("%s %s", last(v.From.Path), v.V.String())})
	}
	c.report(nil, applied[0], f)
}

// smallForJVM is the limit below which a JVM without heap settings has less
// than 128 MiB of heap: a quarter of the container's memory, or the 126 MiB
// that are HotSpot's least for all but the smallest (jvm.Flags.Heap).
const smallForJVM = 512 << 20

// cramped returns the heap, in bytes, that a JVM without heap settings makes of
// a small limit. Programs that say how much they will use are the business of
// the memory family, which looks at the effective limit as well.
func (c *check) cramped(limit int64) (heap uint64, ok bool) {
	env := c.Cluster.Environment(c.ctr)
	if j, ok := jvm.Of(c.Cluster, c.ctr); ok && j.Certain && j.Image.IsJVM() && j.Image.Runtime.JDK && j.Image.Heap == nil && limit < smallForJVM && !hidden(j, env) {
		if heap := j.Flags.Heap(jvm.Machine{Memory: uint64(limit)}); heap.By == nil {
			return heap.Max, true
		}
	}
	return 0, false
}

// hidden reports whether options that the files do not show may set the heap.
func hidden(j *jvm.JVM, env cluster.Environment) bool {
	return env.Open || len(j.Flags.Opaque) > 0 || slices.ContainsFunc(env.Variables, func(v cluster.Variable) bool {
		return !v.Known && strings.Contains(v.Name, "OPTS") || strings.Contains(v.Name, "HEAP")
	})
}

// checkPod reports violations of the constraints on the pod as a whole.
func checkPod(p *rule.Pass, w *manifest.Workload, ranges []cluster.LimitRange) {
	if slices.ContainsFunc(w.Containers, func(c *manifest.Container) bool { return c.Partial }) || len(w.Containers) == 0 {
		return
	}
	c := check{Pass: p, ctr: w.Containers[len(w.Containers)-1]}
	for _, l := range ranges {
		for _, item := range l.Items {
			if item.Type != corev1.LimitTypePod {
				continue
			}
			for _, name := range sorted(item.Min, item.Max, item.MaxLimitRequestRatio) {
				total := p.Cluster.AdmittedPod(w, name)
				request, limit := total.Request, total.Limit
				say := func(field *quantity, format string, args ...any) {
					c.report(nil, field, rule.Finding{Message: fmt.Sprintf(format, args...) + fmt.Sprintf(" of LimitRange %s for a pod: %s", l.Object.Name, refusal)})
				}
				least, most, ratio := item.Min[name], item.Max[name], item.MaxLimitRequestRatio[name]
				switch {
				case total.OpenRequest || total.OpenLimit:
				case least != nil && request == nil:
					say(least, "the containers request no %s, but there is a min %s", name, least.V.String())
				case least != nil && request.Cmp(least.V) < 0:
					say(least, "the containers request %s %s together, below the min %s", request.String(), name, least.V.String())
				case most != nil && limit == nil:
					say(most, "the containers set no %s limit, but there is a max %s", name, most.V.String())
				case most != nil && limit.Cmp(most.V) > 0:
					say(most, "the containers' %s limits are %s together, above the max %s", name, limit.String(), most.V.String())
				case ratio != nil && (request == nil || request.IsZero() || limit == nil || limit.IsZero()):
					say(ratio, "the pod has no %s request and limit to hold against the maxLimitRequestRatio %s", name, ratio.V.String())
				case ratio != nil && limit.AsApproximateFloat64()/request.AsApproximateFloat64() > ratio.V.AsApproximateFloat64()*(1+1e-9):
					say(ratio, "the pod's %s limit %s is more than the request %s times the maxLimitRequestRatio %s", name, limit.String(), request.String(), ratio.V.String())
				}
			}
		}
	}
}
