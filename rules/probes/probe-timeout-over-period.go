package probes

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var probeTimeoutOverPeriod = &rule.Rule{
	ID:       "probe-timeout-over-period",
	Title:    "A probe may take longer than its period, which then does not count",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachProbe(p, w, subject.timeoutOverPeriod) },
}

// timeoutOverPeriod reports a timeout above the period: one worker sends a
// probe's requests one after the other (pkg/kubelet/prober/worker.go, run), so
// that the timeout takes the period's place as soon as the container hangs.
func (s subject) timeoutOverPeriod() {
	t := kubelet.TimingOf(s.probe)
	if t.Timeout <= t.Period {
		return
	}
	does := "kills it"
	if s.field == readiness {
		does = "takes it out of its Services"
	}
	s.report(rule.Finding{At: s.at("timeoutSeconds"), Needs: []node.Path{s.at("periodSeconds"), s.at("failureThreshold")},
		Notes: []string{fmt.Sprintf("probes that hang follow each other every %d s, not every %d s", t.Timeout, t.Period)},
	}, "%s waits %d s for an answer and asks every %d s: a container that hangs has up to %d s, not %d s, before the probe %s",
		s.asks(), t.Timeout, t.Period, t.FailureThreshold*t.Timeout, t.FailureThreshold*t.Period, does)
}
