package probes

import (
	"fmt"
	"reflect"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var livenessEqualsReadiness = &rule.Rule{
	ID:       "liveness-equals-readiness",
	Title:    "Liveness asks what readiness asks, and kills no later than that takes the pod out",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachProbe(p, w, subject.equalsReadiness) },
}

func (s subject) equalsReadiness() {
	other := s.ctr.ReadinessProbe
	if s.field != liveness || other == nil || s.handler() == "" || !reflect.DeepEqual(s.probe.ProbeHandler, other.ProbeHandler) {
		return
	}
	// What counts is a container that has been running for long.
	alive, ready := kubelet.TimingOf(s.probe), kubelet.TimingOf(other)
	alive.InitialDelay, ready.InitialDelay = 0, 0
	kills, takesOut := alive.Failure(), ready.Failure()
	if kills.Earliest > takesOut.Latest {
		return
	}
	s.report(rule.Finding{At: s.at(s.handler()), Target: node.KeyOf,
		Needs:   []node.Path{s.ctr.At(readiness)},
		Related: []rule.Related{{Object: s.ctr.Workload.Object, At: s.ctr.At(readiness, s.handler()), Target: node.KeyOf, Message: "readiness asks the same"}},
		Notes: []string{fmt.Sprintf("readiness takes the pod out of its Services after %s of failures, liveness kills after %s",
			span(takesOut), span(kills))},
	}, "liveness asks what readiness asks, and after %s of failures it kills: a container that is only busy is restarted before it can recover out of traffic", span(kills))
}
