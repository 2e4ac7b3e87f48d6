package initcontainers

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var initWaitsForItself = &rule.Rule{
	ID:       "init-waits-for-itself",
	Title:    "An init container waits for its own pod, or for one that waits for it",
	Since:    "0.1.0",
	Severity: diag.Error,
	Set: func(p *rule.Pass) {
		var all []wait
		from := map[*manifest.Workload][]wait{}
		for _, w := range p.Cluster.Workloads {
			for _, ctr := range w.Containers {
				for _, a := range attemptsOf(p, ctr) {
					for _, c := range a.connections(p) {
						if found, ok := waitOf(p, a, c); ok {
							all = append(all, found)
							from[w] = append(from[w], found)
						}
					}
				}
			}
		}
		dropEnds(from, all)
		reported := map[*manifest.Container]bool{}
		for _, first := range all {
			if len(from[first.to]) == 0 {
				continue
			}
			circle := circleOf(from, first)
			if len(circle) == 0 || reported[first.attempt.ctr] {
				continue
			}
			reported[first.attempt.ctr] = true
			report(p, circle)
		}
	},
}

// A wait is an attempt that needs a ready pod of one workload: only the ready
// ones are behind a Service (pkg/controller/endpoint/endpoints_controller.go,
// addEndpointSubset), and no pod is ready before its init containers are done
// (https://kubernetes.io/docs/concepts/workloads/pods/init-containers/).
type wait struct {
	attempt    attempt
	connection cluster.Connection
	service    *manifest.Object
	to         *manifest.Workload
}

// waitOf says for which workload the attempt waits. Where the Service leads to
// several, or publishes pods that are not ready, nothing is sure.
func waitOf(p *rule.Pass, a attempt, c cluster.Connection) (wait, bool) {
	w := a.ctr.Workload
	service, name := p.Cluster.ServiceOf(w, c.Host)
	if service == nil || service.Patch || !cluster.Near(service, w.Object) {
		return wait{}, false
	}
	s, ok := service.Typed.(*corev1.Service)
	if !ok || s.Spec.PublishNotReadyAddresses || tolerant(s) ||
		!service.Known(node.P("spec", "selector")) || !service.Known(node.P("spec", "publishNotReadyAddresses")) {
		return wait{}, false
	}
	// The address of a Service is there without any pod.
	if c.Lookup && (s.Spec.ClusterIP != corev1.ClusterIPNone || a.Piped) || c.Program == "ping" {
		return wait{}, false
	}
	// nslookup of BusyBox 1.29 and 1.30 ends well whatever it finds.
	if name, tag := splitImage(a.ctr.Image); c.Program == "nslookup" && name == "busybox" && (strings.HasPrefix(tag, "1.29") || strings.HasPrefix(tag, "1.30")) {
		return wait{}, false
	}
	selected := p.Cluster.Selected(service)
	if len(selected) != 1 || selected[0].RunsToCompletion() || selected[0].Custom || cluster.IsPart(selected[0]) || cluster.IsPart(w) {
		return wait{}, false
	}
	// The pods of a StatefulSet start one after the other: the second may well
	// wait for the first by its name.
	if name.Pod != "" && !ownName(selected[0], name.Pod) {
		return wait{}, false
	}
	return wait{a, c, service, selected[0]}, true
}

// tolerant reports a Service with the annotation that publishNotReadyAddresses
// took the place of; old clusters still heed it.
func tolerant(s *corev1.Service) bool {
	return s.Annotations["service.alpha.kubernetes.io/tolerate-unready-endpoints"] == "true"
}

// ownName reports a name that the first pod of a StatefulSet bears.
func ownName(w *manifest.Workload, pod string) bool {
	_, ok := w.Typed.(*appsv1.StatefulSet)
	return ok && pod == w.Name+"-0"
}

// dropEnds takes out the workloads that wait for nobody, or for those alone that
// wait for nobody: no circle leads through them.
func dropEnds(from map[*manifest.Workload][]wait, all []wait) {
	waiters := map[*manifest.Workload][]*manifest.Workload{} // who waits for it
	var ends []*manifest.Workload
	for _, w := range all {
		waiters[w.to] = append(waiters[w.to], w.attempt.ctr.Workload)
		if len(from[w.to]) == 0 {
			ends = append(ends, w.to)
		}
	}
	for ; len(ends) > 0; ends = ends[1:] {
		for _, w := range waiters[ends[0]] {
			if len(from[w]) == 0 {
				continue
			}
			from[w] = slices.DeleteFunc(from[w], func(wait wait) bool { return wait.to == ends[0] })
			if len(from[w]) == 0 {
				ends = append(ends, w)
			}
		}
	}
}

// circleOf returns the shortest chain of waits that begins with first and leads
// back to its workload, nothing where there is none.
func circleOf(from map[*manifest.Workload][]wait, first wait) []wait {
	start := first.attempt.ctr.Workload
	seen := map[*manifest.Workload]bool{}
	waits := []wait{first}
	by := []int{-1} // which of the waits each follows
	for i := 0; i < len(waits); i++ {
		to := waits[i].to
		if to == start {
			var circle []wait
			for ; i >= 0; i = by[i] {
				circle = append(circle, waits[i])
			}
			slices.Reverse(circle)
			return circle
		}
		if seen[to] {
			continue
		}
		seen[to] = true
		for _, next := range from[to] {
			waits, by = append(waits, next), append(by, i)
		}
	}
	return nil
}

func report(p *rule.Pass, circle []wait) {
	first := circle[0]
	f := first.attempt.at(first.connection.Word)
	f.Related = append(f.Related, rule.Related{Object: first.service, At: node.P("spec", "selector"), Message: "the Service leads to " + first.to.String()})
	if len(circle) == 1 {
		f.Message = fmt.Sprintf("%s waits for Service %q, behind which there are this workload's own pods only, none of them before its init containers are done: it never ends",
			first.attempt.name(), first.service.Name)
		if first.connection.Lookup {
			f.Fixes = []rule.Fix{{Message: "publishNotReadyAddresses: true in the Service, so that its name has the addresses of pods that are not ready", Safety: diag.Display}}
		} else {
			f.Fixes = []rule.Fix{{Message: "wait in the app container, beside which the server runs", Safety: diag.Display}}
		}
	} else {
		var names []string
		for _, w := range circle {
			names = append(names, w.to.String())
		}
		f.Message = fmt.Sprintf("%s waits for Service %q, that is for %s: no pod of them gets past its init containers",
			first.attempt.name(), first.service.Name, strings.Join(names, ", which waits for "))
		for _, w := range circle[1:] {
			at := w.attempt.at(w.connection.Word)
			f.Related = append(f.Related, rule.Related{Object: at.Object, At: at.At, Within: at.Within, Message: "waits here for " + w.to.String()})
		}
		f.Fixes = []rule.Fix{{Message: "let one of them start without the other, and try again by itself", Safety: diag.Display}}
	}
	p.Report(f)
}
