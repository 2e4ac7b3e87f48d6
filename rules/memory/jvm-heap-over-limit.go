package memory

import (
	"cmp"
	"fmt"
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

var jvmHeapOverLimit = &rule.Rule{
	ID:       "jvm-heap-over-limit",
	Title:    "The JVM's heap does not fit into the memory limit",
	Since:    "0.1.0",
	Severity: diag.Error,
	Options:  func() any { return &heapOptions{MaxHeapPercent: 75} },
	Workload: checkHeap,
}

type heapOptions struct {
	MaxHeapPercent float64 `json:"maxHeapPercent" jsonschema_description:"the share of the memory limit, in percent, that the heap may take before it is a warning"`
}

func checkHeap(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit, ok := usableLimit(p.Cluster, ctr)
		if !ok {
			continue
		}
		if j, ok := jvm.Of(p.Cluster, ctr); ok {
			h := heapCheck{Pass: p, ctr: ctr, jvm: j, limit: limit, most: p.Options.(*heapOptions).MaxHeapPercent}
			h.check()
		}
	}
}

// A heapCheck holds one container's heap against its limit.
type heapCheck struct {
	*rule.Pass
	ctr   *manifest.Container
	jvm   *jvm.JVM
	limit *cluster.Value[resource.Quantity]
	most  float64 // percent
	heap  jvm.Heap
}

func (h *heapCheck) bytes() uint64 { return uint64(h.limit.V.Value()) }

func (h *heapCheck) machine() jvm.Machine {
	m := jvm.Machine{Memory: h.bytes()}
	if cpu := h.Cluster.CPU(h.ctr).Limit; cpu != nil {
		m.CPUs = int(min(cpu.V.Value(), 1024)) // Value rounds up, as the JVM does
	}
	return m
}

func (h *heapCheck) check() {
	h.heap = h.jvm.Flags.Heap(h.machine())
	if h.heap.By == nil {
		h.imageDefault()
		return
	}
	percent := float64(h.heap.Asked) / float64(h.bytes()) * 100
	if percent <= h.most {
		return
	}
	by := *h.heap.By
	f := rule.Finding{
		Object: by.From.Object, At: by.From.Path, Within: cmp.Or(by.From.Within, by.Bare, by.Text),
		Message: h.message(by, percent),
		Notes:   append(h.sum(), h.why(by)...),
		Related: h.related(),
		Needs:   h.needs(by.From.Object),
	}
	if percent < 100 || !h.jvm.Sure(by) {
		f.Severity = diag.Warning
	}
	if by.Secret || by.From.Object == nil {
		// A frame around the place would print the Secret.
		f.Object, f.At, f.Within, f.Target = h.ctr.Workload.Object, h.ctr.Path, "", node.Grip
	} else {
		f.Fixes = append(f.Fixes, h.smallerHeap(by))
	}
	f.Fixes = append(f.Fixes, h.largerLimit(f.Object))
	h.Report(f)
}

// imageDefault reports an image whose own heap is larger than the limit. Many
// start scripts leave their default out when one of their variables is set,
// whatever stands in it.
func (h *heapCheck) imageDefault() {
	image := h.jvm.Image.Heap
	if image == nil || !h.jvm.Entrypoint || len(h.jvm.Options) > 0 || image.Bytes() < h.limit.V.Value() {
		return
	}
	h.heap = jvm.Heap{Asked: uint64(image.Bytes()), Max: uint64(image.Bytes())}
	at := h.ctr.At("resources", "limits", "memory")
	f := rule.Finding{
		Object: h.ctr.Workload.Object, At: at, Severity: diag.Warning,
		Message: fmt.Sprintf("container %q: %s gives its JVM a heap of %s when none is set, and the memory limit is %s: OOMKilled (137) once the heap fills",
			h.ctr.Name, h.ctr.Image, size(h.heap.Asked), h.limit.V.String()),
		Notes: append(h.sum(), "the image's default: "+cmp.Or(image.Source, "images in the configuration")),
		Needs: h.needs(h.ctr.Workload.Object),
	}
	if h.limit.From.Object != f.Object || !slices.Equal(h.limit.From.Path, at) {
		f.At, f.Target, f.Related = h.ctr.Path, node.Grip, h.related()
	}
	if len(h.jvm.Image.Options) > 0 {
		o := h.jvm.Image.Options[0]
		f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: fmt.Sprintf("set %s to a heap of %s, or less", o.Name, size(h.fits()))})
	}
	f.Fixes = append(f.Fixes, h.largerLimit(f.Object))
	h.Report(f)
}

func (h *heapCheck) message(by jvm.Option, percent float64) string {
	limit := h.limit.V.String()
	var b strings.Builder
	fmt.Fprintf(&b, "container %q: ", h.ctr.Name)
	switch {
	case by.Secret:
		fmt.Fprintf(&b, "%s makes the heap more than %s%% of the %s memory limit", by, trim(h.most), limit)
	case percent >= 100:
		fmt.Fprintf(&b, "%s is %s%% of the %s memory limit; the heap alone reaches the limit before metaspace, threads and code cache are counted",
			by, trim(percent), limit)
	default:
		fmt.Fprintf(&b, "%s lets the heap grow to %s, %s%% of the %s memory limit, and leaves %s for metaspace, code cache, threads and buffers",
			by, size(h.heap.Asked), trim(percent), limit, size(h.bytes()-h.heap.Asked))
	}
	b.WriteString(": OOMKilled (137)")
	if percent < 100 {
		b.WriteString(" under load")
	}
	return b.String()
}

// sum adds up what the JVM may use, nothing where an option of a Secret may have
// a part in it.
func (h *heapCheck) sum() []string {
	if slices.ContainsFunc(h.jvm.Options, func(o jvm.Option) bool { return o.Secret && o.Known }) {
		return nil
	}
	budget := h.jvm.Flags.Budget(h.machine(), h.heap)
	var words, usual []string
	for _, part := range budget.Parts {
		words = append(words, fmt.Sprintf("%s %d", part.Name, part.Bytes>>20))
		if part.Basis == jvm.Usual {
			usual = append(usual, part.Name)
		}
	}
	total := budget.Total()
	notes := []string{fmt.Sprintf("%s = %d MiB when all are full, %s%% of the limit of %d MiB",
		strings.Join(words, " + "), total>>20, trim(float64(total)/float64(h.bytes())*100), h.bytes()>>20)}
	if len(usual) > 0 {
		notes = append(notes, "no option bounds "+strings.Join(usual, ", ")+": usual values")
	}
	for _, agent := range budget.Agents {
		notes = append(notes, fmt.Sprintf("what %s takes is not counted", agent))
	}
	return notes
}

// why says how the option reaches the JVM.
func (h *heapCheck) why(by jvm.Option) []string {
	notes := []string{"a JVM, since " + strings.Join(h.jvm.Evidence, ", ")}
	if by.Convention {
		notes = append(notes, by.Carrier+" counts if the image's start script passes it on, as most do")
	} else if !h.jvm.Sure(by) && len(h.jvm.Flags.Opaque) > 0 {
		notes = append(notes, "what the files do not show may set the heap again")
	}
	return notes
}

func (h *heapCheck) related() []rule.Related {
	from := h.limit.From
	if from.Object == nil {
		return nil
	}
	message := "memory limit " + h.limit.V.String()
	if from.Object != h.ctr.Workload.Object {
		message += " from " + from.Object.String()
	}
	return []rule.Related{{Object: from.Object, At: from.Path, Within: from.Within, Message: message}}
}

// needs returns the paths of the object that the verdict rests on.
func (h *heapCheck) needs(o *manifest.Object) []node.Path {
	if h.limit.From.Object == o {
		return []node.Path{h.limit.From.Path}
	}
	return nil
}

// fits returns the largest heap that stays within the threshold, in whole MiB.
func (h *heapCheck) fits() uint64 {
	return uint64(float64(h.bytes())*h.most/100) >> 20 << 20
}

func (h *heapCheck) smallerHeap(by jvm.Option) rule.Fix {
	mib := h.fits() >> 20
	var replacement string
	switch name, _, flag := strings.Cut(by.Text, "="); {
	case by.Bare != "" && strings.Trim(by.Bare, "0123456789") == "" && by.Text == "-Xmx"+by.Bare+"m":
		replacement = strconv.FormatUint(mib, 10)
	case by.Bare != "":
		replacement = fmt.Sprintf("%dm", mib)
	case h.heap.Percent > 0 && strings.HasSuffix(name, "Fraction"):
		replacement = fmt.Sprintf("-XX:MaxRAMPercentage=%.1f", h.most)
	case h.heap.Percent > 0:
		// With its decimal point every version takes it; Java 8 to 12 refuse
		// "75" (JDK-8219312).
		replacement = fmt.Sprintf("%s=%.1f", name, h.most)
	case flag:
		replacement = fmt.Sprintf("%s=%dm", name, mib)
	default:
		replacement = fmt.Sprintf("%s%dm", by.Text[:len("-Xmx")], mib)
	}
	fix := rule.Fix{Safety: diag.Display, Message: replacement + " fits"}
	if by.Bare != "" {
		fix.Message = by.Carrier + "=" + replacement + " fits"
	}
	old := by.From.Object.StringAt(by.From.Path)
	was := by.Text
	if by.Bare != "" {
		was = by.Bare
	}
	if strings.Count(old, was) != 1 {
		return fix // expanded from elsewhere, or not to be told apart
	}
	value := strings.Replace(old, was, replacement, 1)
	if first := h.jvm.Flags.InitialHeapSize; first != nil && first.V > h.fits() && first.By.Text != by.Text {
		// The JVM refuses an initial heap above the maximum.
		if !strings.HasPrefix(first.By.Text, "-Xms") || strings.Count(value, first.By.Text) != 1 {
			return fix
		}
		initial := fmt.Sprintf("-Xms%dm", mib)
		value = strings.Replace(value, first.By.Text, initial, 1)
		fix.Message = initial + " and " + replacement + " fit"
	}
	if strings.ContainsAny(value, "\n\r") {
		return fix
	}
	fix.Ops = []node.Op{{Kind: node.Set, Path: by.From.Path, Value: value}}
	return fix
}

func (h *heapCheck) largerLimit(o *manifest.Object) rule.Fix {
	if h.heap.Percent > 0 {
		return rule.Fix{Safety: diag.Display, Message: "set -Xmx to what the program needs, and the limit to that and the rest of the sum"}
	}
	if h.heap.By != nil && h.heap.By.Secret {
		return rule.Fix{Safety: diag.Display, Message: "a limit that leaves room beside the heap"}
	}
	limit := fmt.Sprintf("%.0fMi", math.Ceil(float64(h.heap.Asked)/max(h.most, 1)*100/(1<<20)))
	fix := rule.Fix{Safety: diag.Display, Message: "a memory limit of " + limit}
	path := h.ctr.At("resources", "limits", string(corev1.ResourceMemory))
	if from := h.limit.From; from.Object == o && slices.Equal(from.Path, path) {
		fix.Ops = []node.Op{{Kind: node.Set, Path: path, Value: limit}}
	}
	return fix
}
