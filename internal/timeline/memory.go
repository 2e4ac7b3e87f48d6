package timeline

import (
	"fmt"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/runtimes"
	"github.com/crashlint/crashlint/internal/runtimes/dotnet"
	"github.com/crashlint/crashlint/internal/runtimes/golang"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
	"github.com/crashlint/crashlint/internal/runtimes/nodejs"
	"github.com/crashlint/crashlint/internal/runtimes/servers"
)

// A Memory is how the memory of a container is divided, in bytes.
type Memory struct {
	// Limit and Request are in effect, 0 where there is none or none is known.
	Limit, Request uint64
	// LimitFrom is the object that the limit comes from where that is not the
	// workload itself: "LimitRange/defaults".
	LimitFrom string
	// Parts are what the program takes when each is full, the largest owner first;
	// empty where that is not known, and Unknown says why.
	Parts   []Part
	Unknown string
}

// A Part is a share of the memory.
type Part struct {
	Name  string
	Bytes uint64
	Basis Basis
	// By is the setting that bounds it, empty where none does.
	By string
}

// A Basis says what the size of a part rests on.
type Basis uint8

const (
	// Set: a setting bounds it.
	Set Basis = iota
	// Default: the runtime bounds it where no setting does.
	Default
	// Usual: nothing bounds it, and the size is the usual one.
	Usual
)

// String returns "set", "default" or "usual".
func (b Basis) String() string { return [...]string{"set", "default", "usual"}[b] }

// Total returns the sum of the parts.
func (m Memory) Total() uint64 {
	var sum uint64
	for _, p := range m.Parts {
		sum += min(p.Bytes, math.MaxUint64-sum)
	}
	return sum
}

// Headroom returns what the parts leave of the limit: below 0 where they are
// more. It is 0 without a limit or parts.
func (m Memory) Headroom() int64 {
	if m.Limit == 0 || len(m.Parts) == 0 {
		return 0
	}
	return int64(min(m.Limit, math.MaxInt64)) - int64(min(m.Total(), math.MaxInt64))
}

// Bad reports whether what settings bound is as much as the limit: it is
// OOM-killed once that is full, whatever the rest takes.
func (m Memory) Bad() bool {
	var sum uint64
	for _, p := range m.Parts {
		if p.Basis == Set {
			sum += min(p.Bytes, math.MaxUint64-sum)
		}
	}
	return m.Limit > 0 && sum >= m.Limit
}

const mebi = 1 << 20

// memoryOf returns how the container's memory is divided.
func memoryOf(c *cluster.Cluster, ctr *manifest.Container) Memory {
	var m Memory
	r := c.Memory(ctr)
	if r.Limit != nil && r.Limit.V.Sign() > 0 {
		m.Limit = uint64(r.Limit.V.Value())
		if o := r.Limit.From.Object; o != nil && o != ctr.Workload.Object {
			m.LimitFrom = o.String()
		}
	}
	if r.Request != nil && r.Request.V.Sign() > 0 {
		m.Request = uint64(r.Request.V.Value())
	}
	m.Parts, m.Unknown = parts(c, ctr, m.Limit)
	if len(m.Parts) > 0 {
		m.Parts = append(m.Parts, files(ctr)...)
	}
	return m
}

// fromSecret is why parts are not shown that a Secret sets: their size is its
// value.
const fromSecret = "a Secret sets it, and its values are not shown"

// parts returns what the program takes with the limit, or why nobody knows.
func parts(c *cluster.Cluster, ctr *manifest.Container, limit uint64) (found []Part, unknown string) {
	runs, ok := runtimes.Of(c, ctr)
	switch {
	case ctr.Role == manifest.Init || !ok:
		return nil, "nothing is known of what the program takes"
	case runs.Name == "jvm":
		return ofJVM(c, ctr, limit)
	case runs.Name == "node":
		return ofNode(c, ctr, limit)
	case runs.Name == "dotnet":
		return ofDotnet(c, ctr, limit)
	case runs.Name == "go":
		return ofGo(c, ctr)
	}
	a, ok := servers.Of(c, ctr, limit)
	if !ok {
		return nil, "no setting says what " + runs.Name + " takes"
	}
	if slices.ContainsFunc(a.Settings, func(s servers.Setting) bool { return s.Secret }) {
		return nil, fromSecret
	}
	p := Part{Name: a.Program, Bytes: a.Bytes}
	for i, s := range a.Settings {
		if i > 0 {
			p.By += ", "
		}
		p.By += s.Text
	}
	return []Part{p}, ""
}

func ofJVM(c *cluster.Cluster, ctr *manifest.Container, limit uint64) (found []Part, unknown string) {
	j, ok := jvm.Of(c, ctr)
	if !ok {
		return nil, "nothing is known of its JVM"
	}
	if slices.ContainsFunc(j.Options, func(o jvm.Option) bool { return o.Secret }) {
		return nil, fromSecret
	}
	machine := jvm.Machine{Memory: limit}
	if cpu := c.CPU(ctr).Limit; cpu != nil {
		machine.CPUs = int(min(cpu.V.Value(), 1024)) // Value rounds up, as the JVM does
	}
	heap, by := j.Flags.Heap(machine), ""
	image := j.Image.Heap
	switch {
	case heap.By != nil && (limit > 0 || heap.Percent == 0):
		by = heap.By.String()
	case heap.By == nil && image != nil && !image.JVM && j.Entrypoint && len(j.Options) == 0 && (image.Bytes() > 0 || image.Percent > 0 && limit > 0):
		heap.Max, by = uint64(image.Bytes()), "the image's default"
		if heap.Max == 0 {
			heap.Max = uint64(image.Percent / 100 * float64(limit))
		}
	case limit == 0:
		return nil, "there is no memory limit, and its heap goes by the node's memory"
	case !j.OwnHeap() || !jvm.HotSpot(ctr.Image):
		return nil, "the files do not say how large its heap is"
	case j.Release.Blindness() == jvm.Blind:
		return nil, "this Java does not see the limit: its heap goes by the node's memory"
	}
	basis := map[jvm.Basis]Basis{jvm.ByOption: Set, jvm.ByDefault: Default, jvm.Usual: Usual}
	for i, p := range j.Flags.Budget(machine, heap).Parts {
		part := Part{Name: p.Name, Bytes: p.Bytes, Basis: basis[p.Basis]}
		switch {
		case i == 0:
			part.By = by
		case p.By != nil:
			part.By = p.By.String()
		}
		found = append(found, part)
	}
	return found, ""
}

func ofNode(c *cluster.Cluster, ctr *manifest.Container, limit uint64) (found []Part, unknown string) {
	n, ok := nodejs.Of(c, ctr)
	old := Part{Name: "old space", Basis: Default}
	switch {
	case !ok:
		return nil, "nothing is known of its Node.js"
	case n.By != nil && n.By.Secret:
		return nil, fromSecret
	case n.By != nil:
		old.Bytes, old.Basis, old.By = n.OldSpace, Set, n.By.String()
	case !n.Sure:
		return nil, "the files do not say how large its heap is"
	case n.Release.Sight() == nodejs.Fixed:
		old.Bytes = nodejs.FixedHeap
	case limit == 0 || n.Release.Sight() != nodejs.Sees:
		return nil, "its heap goes by the node's memory"
	default:
		old.Bytes = nodejs.DefaultHeap(limit)
	}
	return []Part{
		old,
		{Name: "young generation", Bytes: nodejs.Young, Basis: Default},
		{Name: "Node.js itself", Bytes: nodejs.Base, Basis: Usual},
	}, ""
}

func ofDotnet(c *cluster.Cluster, ctr *manifest.Container, limit uint64) (found []Part, unknown string) {
	env := c.Environment(ctr)
	heap := Part{Name: "GC heap", Bytes: limit / 4 * 3, Basis: Default}
	if set, ok := dotnet.Limit(env); ok {
		if set.By.Secret {
			return nil, fromSecret
		}
		heap = Part{Name: heap.Name, Bytes: set.Bytes, By: set.By.Name + "=" + set.By.Value}
		if set.Percent > 0 {
			heap.Bytes = limit / 100 * set.Percent
		}
	}
	if heap.Bytes == 0 {
		return nil, "there is no memory limit, and its heap goes by the node's memory"
	}
	return []Part{heap}, ""
}

func ofGo(c *cluster.Cluster, ctr *manifest.Container) (found []Part, unknown string) {
	v, ok := c.Environment(ctr).Lookup("GOMEMLIMIT")
	if !ok || !v.Known {
		return nil, "no GOMEMLIMIT says what its Go runtime takes"
	}
	if v.Secret {
		return nil, fromSecret
	}
	if n, ok := golang.MemoryLimit(v.Value); ok && n < math.MaxInt64 {
		return []Part{{Name: "Go runtime", Bytes: uint64(n), By: "GOMEMLIMIT=" + v.Value}}, ""
	}
	return nil, "its GOMEMLIMIT sets no limit"
}

// files returns the volumes in memory that the container may fill and that are
// bounded: what it writes there counts against its limit (pkg/volume/emptydir).
func files(ctr *manifest.Container) []Part {
	var out []Part
	for _, v := range ctr.Workload.Pod.Volumes {
		if v.EmptyDir == nil || v.EmptyDir.Medium != corev1.StorageMediumMemory || v.EmptyDir.SizeLimit == nil || v.EmptyDir.SizeLimit.Sign() <= 0 {
			continue
		}
		for _, mount := range ctr.VolumeMounts {
			if mount.Name == v.Name && !mount.ReadOnly {
				out = append(out, Part{Name: "files in " + mount.MountPath, Bytes: uint64(v.EmptyDir.SizeLimit.Value()), By: "sizeLimit"})
				break
			}
		}
	}
	return out
}

// Size writes bytes for people, in MiB, or in Gi where that is exact.
func Size(n uint64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%dGi", n>>30)
	case n > 0 && n < mebi:
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%dMi", n>>20)
}
