package probes

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var startupBudgetTooShort = &rule.Rule{
	ID:       "startup-budget-too-short",
	Title:    "The startup probe gives up before the container can have started",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Options:  newStartOptions,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachStart(p, w, startup, start.givenUp) },
}

func (s start) givenUp() {
	t, ok := s.longest(append(s.stated(), s.reckoned(s.Options.(*startOptions).StartCPUSeconds)...))
	if !ok {
		t, ok = s.listening()
	}
	if !ok {
		return
	}
	after := kubelet.Window{Earliest: s.deadline, Latest: s.deadline}
	if t.refused {
		after.Earliest = s.check.Fails.Earliest
	}
	f := s.finding()
	s.about(&f, t)
	f.Message = fmt.Sprintf("container %q: %s; the startupProbe gives up and kills it %s after its start", s.ctr.Name, t.because, span(after))
	failures := patience(t.seconds, s.check.Timing.Period)
	f.Fixes = []rule.Fix{{
		Message: fmt.Sprintf("failureThreshold: %d, with which the startupProbe waits for %d s", failures, s.check.Timing.InitialDelay+failures*s.check.Timing.Period),
		Safety:  diag.Unsafe,
		Ops:     []node.Op{{Kind: node.Set, Path: s.ctr.At(startup, "failureThreshold"), Value: failures}},
	}}
	s.Report(f)
}
