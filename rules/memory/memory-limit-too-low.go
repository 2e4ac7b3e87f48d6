package memory

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
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

func checkTooLow(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit := p.Cluster.Memory(ctr).Limit
		if limit == nil || limit.V.Sign() <= 0 || limit.V.Value() > leastForJVM || inFractions(limit) {
			continue
		}
		j, isJVM := jvm.Of(p.Cluster, ctr)
		f := rule.Finding{Object: w.Object, At: ctr.At("resources", "limits", "memory")}
		switch bytes := limit.V.Value(); {
		case bytes < leastForCrun:
			f.Message = fmt.Sprintf("container %q: a memory limit of %s is %d bytes, less than any container runtime needs to start a process: it is OOM-killed before its program runs",
				ctr.Name, limit.V.String(), bytes)
		case isJVM && j.Certain:
			f.Message = fmt.Sprintf("container %q: a memory limit of %s is less than the 12Mi in which an empty JVM is killed: OOMKilled (137) at once", ctr.Name, limit.V.String())
		case bytes < leastForRunc:
			f.Severity = diag.Warning
			f.Message = fmt.Sprintf("container %q: a memory limit of %s is less than runc needs to start a process: \"container init was OOM-killed (memory limit too low?)\", and CRI-O refuses it",
				ctr.Name, limit.V.String())
		default:
			continue
		}
		if limit.From.Object == w.Object && slices.Equal(limit.From.Path, f.At) {
			f.Fixes = unitFix(w.Object, f.At)
		} else {
			f.At, f.Target, f.Related = ctr.Path, node.Grip, limitRelated(ctr, limit)
			f.Severity = diag.Warning // somebody else's limit may be another one there
		}
		p.Report(f)
	}
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
