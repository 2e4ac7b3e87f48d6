package memory

import (
	"fmt"
	"regexp"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var memoryLimitInMillibytes = &rule.Rule{
	ID:       "memory-limit-in-millibytes",
	Title:    "An amount of memory or storage is in thousandths of a byte",
	Since:    "0.1.0",
	Severity: diag.Error,
	Set:      checkMillibytes,
}

func checkMillibytes(p *rule.Pass) {
	for _, w := range p.Cluster.Workloads {
		for _, ctr := range w.Containers {
			who := fmt.Sprintf("container %q: ", ctr.Name)
			by := limitEffects
			if ctr.Role != manifest.App {
				by = initLimitEffects
			}
			millibytesIn(p, w.Object, ctr.At("resources", "limits"), ctr.Resources.Limits, who, by)
			millibytesIn(p, w.Object, ctr.At("resources", "requests"), ctr.Resources.Requests, who, requestEffects)
		}
		if pod := w.Pod.Resources; pod != nil {
			millibytesIn(p, w.Object, w.PodPath.Append("resources", "limits"), pod.Limits, "the pod: ", limitEffects)
			millibytesIn(p, w.Object, w.PodPath.Append("resources", "requests"), pod.Requests, "the pod: ", requestEffects)
		}
		for i := range w.Pod.Volumes {
			v := &w.Pod.Volumes[i]
			if v.EmptyDir != nil && v.EmptyDir.SizeLimit != nil {
				millibytesAt(p, w.Object, w.PodPath.Append("volumes", i, "emptyDir", "sizeLimit"), *v.EmptyDir.SizeLimit,
					fmt.Sprintf("volume %q: sizeLimit ", v.Name), sizeEffect(v.EmptyDir.Medium))
			}
		}
	}
	for _, o := range p.Cluster.Objects {
		switch typed := o.Typed.(type) {
		case *corev1.LimitRange:
			for i, item := range typed.Spec.Limits {
				at := node.P("spec", "limits", i)
				millibytesIn(p, o, at.Append("default"), item.Default, "the LimitRange's default: ", defaultEffects)
				millibytesIn(p, o, at.Append("max"), item.Max, "the LimitRange's max: ", maxEffects)
			}
		case *corev1.ResourceQuota:
			millibytesIn(p, o, node.P("spec", "hard"), typed.Spec.Hard, "the ResourceQuota's ", quotaEffects)
		}
	}
}

// An effect is what comes of a fraction of a byte in a field.
type effect struct {
	severity diag.Severity
	words    string
}

// effects are those by the name of the resource.
type effects map[corev1.ResourceName]effect

// The kubelet rounds a limit up to whole bytes (Quantity.Value), so that the
// cgroup is given one byte, in which the kernel kills the first process: runc
// says "container init was OOM-killed (memory limit too low?)", CRI-O refuses
// anything below 12 MiB (internal/config/cgmgr, VerifyMemoryIsEnough). Before
// that the tmpfs with the service account's token, which is no larger than the
// pod's limit, may overflow: "no space left on device" (pkg/volume/emptydir,
// calculateEmptyDirMemorySize; kubernetes/kubernetes#79950). A disk limit counts
// the container's log (pkg/kubelet/eviction/eviction_manager.go,
// containerEphemeralStorageLimitEviction).
var (
	limitEffects = effects{
		corev1.ResourceMemory:           {diag.Error, "no process fits: the container is OOM-killed before its program runs, or the pod hangs in ContainerCreating with \"no space left on device\""},
		corev1.ResourceEphemeralStorage: {diag.Error, "the pod is evicted with the first line that it logs or writes"},
	}
	// The kubelet holds no init container or sidecar to a disk limit of its own
	// (the same function walks spec.containers alone); it counts towards the pod's.
	initLimitEffects = effects{
		corev1.ResourceMemory:           limitEffects[corev1.ResourceMemory],
		corev1.ResourceEphemeralStorage: {diag.Warning, "it adds nothing to what the pod as a whole may write before it is evicted"},
	}
	requestEffects = effects{
		corev1.ResourceMemory:           {diag.Info, "nothing is reserved: the node may be overcommitted, and this pod is among the first to be killed"},
		corev1.ResourceEphemeralStorage: {diag.Info, "nothing is reserved: the pod is among the first to be evicted when the disk fills"},
	}
	defaultEffects = effects{
		corev1.ResourceMemory:           {diag.Warning, "no container that leaves its limit out can start"},
		corev1.ResourceEphemeralStorage: {diag.Warning, "every pod that leaves its limit out is evicted with the first line that it writes"},
	}
	maxEffects = effects{
		corev1.ResourceMemory:           {diag.Warning, "every container with a usable limit is refused"},
		corev1.ResourceEphemeralStorage: {diag.Warning, "every container with a usable limit is refused"},
	}
	quotaEffects = effects{
		corev1.ResourceMemory:                   notAdmitted,
		corev1.ResourceLimitsMemory:             notAdmitted,
		corev1.ResourceRequestsMemory:           notAdmitted,
		corev1.ResourceEphemeralStorage:         notAdmitted,
		corev1.ResourceLimitsEphemeralStorage:   notAdmitted,
		corev1.ResourceRequestsEphemeralStorage: notAdmitted,
	}
	notAdmitted = effect{diag.Warning, "no pod with a usable amount is admitted: \"exceeded quota\""}
)

// sizeEffect is that of an emptyDir (pkg/kubelet/eviction/eviction_manager.go,
// emptyDirLimitEviction).
func sizeEffect(medium corev1.StorageMedium) effect {
	if medium == corev1.StorageMediumMemory {
		return effect{diag.Error, "the volume is full with its first page: \"no space left on device\""}
	}
	return effect{diag.Error, "the pod is evicted with the first file in the volume"}
}

func millibytesIn(p *rule.Pass, o *manifest.Object, at node.Path, list corev1.ResourceList, who string, by effects) {
	for name, quantity := range list {
		if e, ok := by[name]; ok {
			millibytesAt(p, o, at.Append(string(name)), quantity, who+string(name)+" ", e)
		}
	}
}

// meant is the largest amount, in bytes, that a slip of the unit explains:
// autoscalers write honest amounts of many megabytes with the suffix m.
const meant = 1 << 20

func millibytesAt(p *rule.Pass, o *manifest.Object, at node.Path, q resource.Quantity, who string, e effect) {
	value, _ := o.Value(at)
	written := fmt.Sprint(value)
	milli := inMillis.FindStringSubmatch(written)
	whole := q.MilliValue()%1000 == 0
	if q.Sign() <= 0 || q.Value() >= meant || milli == nil && whole {
		return
	}
	f := rule.Finding{
		Object: o, At: at, Severity: e.severity,
		Message: fmt.Sprintf("%s%s is %s; %s", who, written, bytesOf(q), e.words),
		Notes:   []string{"the suffix m means thousandths, as in 100m of a CPU; mebibytes are Mi, megabytes M"},
	}
	if milli == nil {
		f.Notes[0] = "without a suffix an amount is in bytes; gibibytes are Gi, mebibytes Mi"
		f.Fixes = []rule.Fix{{Safety: diag.Display, Message: written + "Gi, or " + written + "Mi"}}
	} else {
		fix := rule.Fix{Safety: diag.Display, Message: milli[1] + "Mi"}
		// 512000m is as likely half a gigabyte as half a terabyte.
		if n, err := strconv.Atoi(milli[1]); err == nil && n < 100_000 {
			fix.Safety = diag.Safe
			if e.severity != diag.Error {
				fix.Safety = diag.Unsafe // it works today
			}
			fix.Ops = []node.Op{{Kind: node.Set, Path: at, Value: milli[1] + "Mi"}}
		}
		f.Fixes = []rule.Fix{fix}
	}
	p.Report(f)
}

var inMillis = regexp.MustCompile(`^([0-9]+)m$`)

// bytesOf writes an amount in bytes with its fraction.
func bytesOf(q resource.Quantity) string {
	return strconv.FormatFloat(float64(q.MilliValue())/1000, 'f', -1, 64) + " bytes"
}
