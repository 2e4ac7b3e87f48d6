package memory

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

var tmpfsCountsAgainstLimit = &rule.Rule{
	ID:       "tmpfs-counts-against-limit",
	Title:    "A volume in memory may fill the memory limit",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: checkTmpfs,
}

func checkTmpfs(p *rule.Pass, w *manifest.Workload) {
	for i := range w.Pod.Volumes {
		v := &w.Pod.Volumes[i]
		if v.EmptyDir == nil || v.EmptyDir.Medium != corev1.StorageMediumMemory {
			continue
		}
		for _, ctr := range w.Containers {
			limit, limited := usableLimit(p.Cluster, ctr)
			mount, mounted := writableMount(ctr, v.Name)
			if !limited || !mounted || ctr.Partial {
				continue
			}
			t := tmpfs{ctr: ctr, volume: v, at: w.PodPath.Append("volumes", i, "emptyDir"), mount: mount, limit: limit}
			if f, ok := t.finding(p.Cluster); ok {
				p.Report(f)
				break
			}
		}
	}
}

// writableMount returns where the container may write to the volume.
func writableMount(ctr *manifest.Container, volume string) (string, bool) {
	for _, m := range ctr.VolumeMounts {
		if m.Name == volume && !m.ReadOnly {
			return m.MountPath, true
		}
	}
	return "", false
}

// A tmpfs is a volume in memory that a container with a limit writes to.
type tmpfs struct {
	ctr    *manifest.Container
	volume *corev1.Volume
	at     node.Path // of the emptyDir
	mount  string
	limit  *cluster.Value[resource.Quantity]
}

// finding says what may fill the limit. The kernel charges a file's pages to the
// cgroup that wrote them; the tmpfs itself is as large as sizeLimit or the pod's
// limit, whichever is less (pkg/volume/emptydir/empty_dir.go,
// calculateEmptyDirMemorySize).
func (t *tmpfs) finding(c *cluster.Cluster) (rule.Finding, bool) {
	w := t.ctr.Workload
	f := rule.Finding{
		Object: w.Object, At: t.at.Append("sizeLimit"), Related: limitRelated(t.ctr, t.limit),
		Notes: []string{"the files stay when the container is restarted, and go on counting against the pod's limit"},
	}
	who := fmt.Sprintf("volume %q: what container %q writes to %s counts against its %s memory limit", t.volume.Name, t.ctr.Name, t.mount, t.limit.V.String())
	size := t.volume.EmptyDir.SizeLimit
	bounded := size != nil && size.Sign() > 0 && t.limit.From.Object != nil
	heap, isJVM := t.heap(c)
	switch {
	case size != nil && !bounded:
		return f, false
	case size == nil:
		f.At = t.at.Append("medium")
		f.Message = who + ", and no sizeLimit stops it before that: OOMKilled (137) instead of \"no space left on device\""
	case size.Cmp(t.limit.V) >= 0:
		f.Message = fmt.Sprintf("%s, which %s of files reach before the volume is full: OOMKilled (137) instead of \"no space left on device\"", who, t.limit.V.String())
	case isJVM && heap+size.Value() > t.limit.V.Value():
		f.Severity = diag.Warning
		f.Message = fmt.Sprintf("%s; %s of files and a heap of %dMi come to more: OOMKilled (137) when both fill", who, size.String(), heap>>20)
	default:
		return f, false
	}
	if t.limit.From.Object == w.Object {
		f.Needs = []node.Path{t.limit.From.Path}
	}
	half := resource.NewQuantity(t.limit.V.Value()/4>>20<<20, resource.BinarySI)
	f.Fixes = []rule.Fix{
		{Safety: diag.Display, Message: "sizeLimit: " + half.String() + ", if that is enough"},
		{Safety: diag.Display, Message: "without medium: Memory the files are on the node's disk"},
	}
	return f, true
}

// heap returns the JVM's heap that an option sets, in bytes.
func (t *tmpfs) heap(c *cluster.Cluster) (int64, bool) {
	j, ok := jvm.Of(c, t.ctr)
	if !ok || !j.Certain {
		return 0, false
	}
	h := j.Flags.Heap(jvm.Machine{Memory: uint64(t.limit.V.Value())})
	return int64(h.Asked), h.By != nil && !h.By.Secret && h.Asked < uint64(t.limit.V.Value())
}
