package memory

import (
	"cmp"
	"fmt"
	"path"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var shmTooSmall = &rule.Rule{
	ID:       "shm-too-small",
	Title:    "The program needs more shared memory than a container has",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkSharedMemory,
}

const (
	devShm = "/dev/shm"
	// defaultShm is the size of /dev/shm that containerd and CRI-O give a pod
	// (containerd's internal/cri/server/podsandbox/helpers_linux.go, defaultShmSize;
	// CRI-O's internal/lib/sandbox/sandbox.go, DefaultShmSize).
	defaultShm = 64 << 20
)

func checkSharedMemory(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		need := p.Cluster.Image(ctr).SharedMemory
		if need == nil || ctr.Partial || ctr.Role == manifest.Init || len(ctr.Command) > 0 || w.Pod.HostIPC || !needed(p.Cluster, ctr, need) {
			continue
		}
		at, size, known := sharedMemory(ctr)
		if !known || size >= need.Bytes() {
			continue
		}
		f := rule.Finding{
			Object: w.Object, At: at, Notes: []string{"what the makers ask for: " + cmp.Or(need.Source, "images in the configuration")},
			Fixes: []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("mount a volume at %s, emptyDir: {medium: Memory, sizeLimit: %s}, and let the memory limit hold it", devShm, need.Size)}},
		}
		if at == nil {
			f.At, f.Target = ctr.Path, node.Grip
		}
		has := resource.NewQuantity(size, resource.BinarySI)
		program := p.Cluster.Image(ctr).Name
		switch {
		case need.Required:
			f.Severity = diag.Error
			f.Message = fmt.Sprintf("container %q: /dev/shm has %s, and %s does not start with less than %s of it: it exits, again and again", ctr.Name, has.String(), program, need.Size)
		case need.Flag != "":
			f.Message = fmt.Sprintf("container %q: /dev/shm has %s, and %s with %s is to have %s of it: it dies when it finds it full", ctr.Name, has.String(), program, need.Flag, need.Size)
		default:
			f.Severity = diag.Info // the program goes on, what it runs does not
			f.Message = fmt.Sprintf("container %q: /dev/shm has %s, and %s is to have %s of it: what it runs crashes when it finds it full", ctr.Name, has.String(), program, need.Size)
		}
		p.Report(f)
	}
}

// needed reports whether the container's options ask for shared memory. NCCL,
// through which models on several GPUs talk, can be told to do without.
func needed(c *cluster.Cluster, ctr *manifest.Container, need *images.SharedMemory) bool {
	if need.Flag == "" {
		return true
	}
	if v, ok := c.Environment(ctr).Lookup("NCCL_SHM_DISABLE"); ok && v.Value != "0" {
		return false
	}
	words := c.Process(ctr).Words
	for i, w := range words {
		value, joined := strings.CutPrefix(w.Value, need.Flag+"=")
		if w.Value == need.Flag && i+1 < len(words) {
			value, joined = words[i+1].Value, true
		}
		if n, err := strconv.Atoi(value); w.Known && joined && err == nil {
			return n > 1
		}
	}
	return false
}

// sharedMemory returns the size of the container's /dev/shm in bytes, and where
// it is set, nil for the default; known is false for a volume whose size the files
// do not say.
func sharedMemory(ctr *manifest.Container) (at node.Path, size int64, known bool) {
	w := ctr.Workload
	for _, m := range ctr.VolumeMounts {
		if path.Clean(m.MountPath) != devShm {
			continue
		}
		for i := range w.Pod.Volumes {
			v := &w.Pod.Volumes[i]
			if v.Name == m.Name && v.EmptyDir != nil && v.EmptyDir.Medium == corev1.StorageMediumMemory && v.EmptyDir.SizeLimit != nil {
				return w.PodPath.Append("volumes", i, "emptyDir", "sizeLimit"), v.EmptyDir.SizeLimit.Value(), true
			}
		}
		return nil, 0, false
	}
	return nil, defaultShm, true
}
