package memory

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/golang"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
	"github.com/crashlint/crashlint/internal/runtimes/servers"
)

var memoryLimitTooLow = &rule.Rule{
	ID:       "memory-limit-too-low",
	Title:    "The memory limit is below what it takes to start a process",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkTooLow,
}

// What a container needs at the least, whatever runs in it. crun's makers give
// it 512 KB (openshift/machine-config-operator#4516), and below that neither it
// nor the program's first page tables fit. runc, which is written in Go, needs
// some megabytes for its own part in the cgroup: CRI-O's first minimum for it was
// 4 MB (cri-o/cri-o#1722), now it is 12 MiB. In a cgroup of 12 MiB, "java
// -version" of OpenJDK 17 is killed, with -Xmx8m -Xint -XX:+UseSerialGC too, and
// in one of 16 it is not.
const (
	leastForCrun = 512 << 10
	leastForRunc = 4 << 20
	leastForJVM  = 12 << 20
)

// tooLittleForManager is what kubebuilder gave a manager until it was raised to
// 128Mi, since managers were OOM-killed in it (kubernetes-sigs/kubebuilder#2255;
// samba-operator#57 saw 70Mi at the start; crossplane/oam-kubernetes-runtime#100,
// NVIDIA/aistore#128).
const tooLittleForManager = 30 << 20

func checkTooLow(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit := p.Cluster.Memory(ctr).Limit
		if limit == nil || limit.V.Sign() <= 0 || inFractions(limit) {
			continue
		}
		f := rule.Finding{Object: w.Object, At: ctr.At("resources", "limits", "memory")}
		if !tooLow(p.Cluster, ctr, limit, &f) {
			continue
		}
		f.Fixes = unitFix(w.Object, f.At)
		if limit.From.Object != w.Object || !slices.Equal(limit.From.Path, f.At) {
			f.At, f.Target, f.Related, f.Fixes = ctr.Path, node.Grip, limitRelated(ctr, limit), nil
			f.Severity = diag.Warning // somebody else's limit may be another one there
		}
		p.Report(f)
	}
}

// tooLow says what does not run in the limit, false when that is not known.
func tooLow(c *cluster.Cluster, ctr *manifest.Container, limit *cluster.Value[resource.Quantity], f *rule.Finding) bool {
	j, isJVM := jvm.Of(c, ctr)
	amount := limit.V.String()
	switch bytes := limit.V.Value(); {
	case bytes < leastForCrun:
		f.Message = fmt.Sprintf("container %q: a memory limit of %s is %d bytes, less than any container runtime needs to start a process: it is OOM-killed before its program runs",
			ctr.Name, amount, bytes)
	case isJVM && j.Certain && bytes <= leastForJVM:
		f.Message = fmt.Sprintf("container %q: a memory limit of %s is less than the 12Mi in which an empty JVM is killed: OOMKilled (137) at once", ctr.Name, amount)
	case bytes < leastForRunc:
		f.Severity = diag.Warning
		f.Message = fmt.Sprintf("container %q: a memory limit of %s is less than runc needs to start a process: \"container init was OOM-killed (memory limit too low?)\", and CRI-O refuses it",
			ctr.Name, amount)
	default:
		return tooLowForProgram(c, ctr, limit, f)
	}
	return true
}

// tooLowForProgram says whether the program that the container runs is known not
// to run in the limit.
func tooLowForProgram(c *cluster.Cluster, ctr *manifest.Container, limit *cluster.Value[resource.Quantity], f *rule.Finding) bool {
	process, image := c.Process(ctr), c.Image(ctr)
	bytes, amount := limit.V.Value(), limit.V.String()
	if ctr.Role == manifest.Init || ctr.Partial {
		return false
	}
	m := image.Memory
	switch {
	case m != nil && bytes < m.RequiredBytes() && len(ctr.Command) == 0 && runsOwnProgram(process, ctr, image):
		if set, ok := servers.Of(c, ctr, uint64(bytes)); ok && set.Bytes >= uint64(bytes) {
			return false // server-memory-over-limit
		}
		f.Message = fmt.Sprintf("container %q: a memory limit of %s is less than the %s that %s asks for at its start: it exits at once, again and again",
			ctr.Name, amount, m.Required, image.Name)
		f.Notes = []string{"the least that it starts with: " + cmp.Or(m.Source, "images in the configuration")}
	case m != nil && bytes <= m.TooLowBytes() && runsOwnProgram(process, ctr, image):
		f.Severity = diag.Warning
		f.Message = fmt.Sprintf("container %q: a memory limit of %s is too low for %s, which was OOMKilled (137) again and again with %s", ctr.Name, amount, image.Name, m.TooLow)
		f.Notes = []string{"seen in " + cmp.Or(m.Source, "images in the configuration")}
	case bytes <= tooLittleForManager && golang.IsManager(process):
		f.Severity = diag.Warning
		f.Message = fmt.Sprintf("container %q: a memory limit of %s is too low for a controller: it lists what it watches into memory at its start, and is OOMKilled (137) in 30Mi", ctr.Name, amount)
		f.Notes = []string{"a controller built on controller-runtime, by its options; kubebuilder raised its default from 30Mi to 128Mi"}
	default:
		return false
	}
	return true
}

// runsOwnProgram reports whether the container runs what the image is made for,
// and not some other command in it. Entrypoint scripts run a program that they are
// handed.
func runsOwnProgram(p cluster.Process, ctr *manifest.Container, image images.Facts) bool {
	if len(ctr.Command) == 0 {
		return len(ctr.Args) == 0 || !path.IsAbs(ctr.Args[0]) && !slices.Contains([]string{"sh", "bash"}, ctr.Args[0])
	}
	return !p.Shell && len(p.Words) > 0 && strings.Contains(path.Base(p.Words[0].Value), path.Base(image.Name))
}

// inFractions reports whether memory-limit-in-millibytes speaks of the limit.
func inFractions(limit *cluster.Value[resource.Quantity]) bool {
	return limit.V.MilliValue()%1000 != 0 || limit.From.Object != nil && inMillis.MatchString(fmt.Sprint(written(limit.From.Object, limit.From.Path)))
}

var bareNumber = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)

// unitFix adds the unit to a number that has none.
func unitFix(o *manifest.Object, at node.Path) []rule.Fix {
	number := fmt.Sprint(written(o, at))
	if !bareNumber.MatchString(number) {
		return []rule.Fix{{Safety: diag.Display, Message: "a limit that holds the program"}}
	}
	if n, _ := strconv.Atoi(number); n < 4 {
		return []rule.Fix{{Safety: diag.Display, Message: number + "Gi"}}
	}
	return []rule.Fix{{Safety: diag.Safe, Message: number + "Mi", Ops: []node.Op{{Kind: node.Set, Path: at, Value: number + "Mi"}}}}
}
