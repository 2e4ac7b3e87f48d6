package probes

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

// startOptions are the options of missing-startup-probe and
// startup-budget-too-short.
type startOptions struct {
	StartCPUSeconds float64 `json:"startCPUSeconds" jsonschema_description:"the CPU time, in seconds, that a service on a JVM is taken to need before it answers"`
}

func newStartOptions() any { return &startOptions{StartCPUSeconds: jvm.StartCPUSeconds} }

var missingStartupProbe = &rule.Rule{
	ID:       "missing-startup-probe",
	Title:    "The liveness probe kills a container that is still starting",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Options:  newStartOptions,
	Workload: func(p *rule.Pass, w *manifest.Workload) { eachStart(p, w, liveness, start.unprotected) },
}

// ample is the budget that the fix grants: a container that has as much already
// is in no danger.
const ample = startupPeriod * (startupFailures - 1)

func (s start) unprotected() {
	if s.check.Fails.Earliest >= ample {
		return
	}
	if _, ok := s.longest(s.stated()); ok {
		return // liveness-kills-before-ready
	}
	f := s.finding()
	after := kubelet.Window{Earliest: s.deadline, Latest: s.deadline}
	because, unless := "nothing says how long it may take to start", " unless it answers by then"
	t, ok := s.longest(s.reckoned(s.Options.(*startOptions).StartCPUSeconds))
	if !ok {
		t, ok = s.listening()
	}
	switch delay := s.check.Timing.InitialDelay; {
	case ok:
		s.about(&f, t)
		because, unless = t.because, ""
		if t.refused {
			after.Earliest = s.check.Fails.Earliest
		}
	case delay > crutch:
		f.Severity = diag.Info
		f.At, f.Target = s.ctr.At(liveness, "initialDelaySeconds"), node.Value
		because = fmt.Sprintf("a delay of %d s is all that waits for a slow start", delay)
	default:
		f.Severity = diag.Info
	}
	f.Message = fmt.Sprintf("container %q: %s; liveness kills it %s after its start%s, and no startupProbe holds it back",
		s.ctr.Name, because, span(after), unless)
	f.Fixes = s.startupFix(t.seconds)
	s.Report(f)
}
