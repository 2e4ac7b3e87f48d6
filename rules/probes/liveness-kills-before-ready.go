package probes

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var livenessKillsBeforeReady = &rule.Rule{
	ID:       "liveness-kills-before-ready",
	Title:    "The liveness probe kills sooner than the container is said to answer",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachStart(p, w, liveness, start.killedBeforeReady) },
}

func (s start) killedBeforeReady() {
	t, ok := s.longest(s.stated())
	if !ok {
		return
	}
	f := s.finding()
	s.about(&f, t)
	f.Message = fmt.Sprintf("container %q: %s; liveness kills it %d s after its start, and no startupProbe holds it back", s.ctr.Name, t.because, s.deadline)
	f.Fixes = s.startupFix(t.seconds)
	s.Report(f)
}
