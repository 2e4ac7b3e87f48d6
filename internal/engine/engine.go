// Package engine runs rules over a cluster and turns what they say into
// diagnostics: symbolic paths become places in files, symbolic changes become
// edits, and what people chose to ignore is marked.
package engine

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// A Rule is a rule as this run is to use it.
type Rule struct {
	*rule.Rule
	Family string
	// Severity replaces the severity of all of the rule's findings, 0 keeps
	// them.
	Severity diag.Severity
	// Options is what the rule gets as Pass.Options.
	Options any
}

// A KnownRule is the name of a rule that exists.
type KnownRule struct{ ID, Family string }

// Options steers a run.
type Options struct {
	// Rules are run in this order. Put each once.
	Rules []Rule
	// Known are all rules that exist, those not run included.
	Known []KnownRule
	// Ignores silence findings from the configuration.
	Ignores []Ignore
	// Reported says whether findings in a file, by display path, are wanted.
	// Nil: all.
	Reported func(path string) bool
	// Shown is the least severity of findings that are shown: the fixes of others
	// are not worked out. Zero: all are.
	Shown diag.Severity
	// Today decides which suppressions have run out.
	Today time.Time
	// Progress, when set, is called with the number of objects checked and to
	// check. It is called from several goroutines.
	Progress func(done, total int)
}

// Run checks the cluster and returns the diagnostics in their final order,
// suppressed ones marked, and what kept a rule from doing its work.
func Run(c *cluster.Cluster, o Options) ([]*diag.Diagnostic, []diag.Problem) {
	r := &run{cluster: c, options: o}
	units := r.units()
	slots := make([]slot, len(units))
	work := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range min(runtime.GOMAXPROCS(0), max(1, len(units))) {
		wg.Go(func() {
			for i := range work {
				units[i](&slots[i])
				if o.Progress != nil {
					mu.Lock()
					done++
					o.Progress(done, len(units))
					mu.Unlock()
				}
			}
		})
	}
	for i := range units {
		work <- i
	}
	close(work)
	wg.Wait()

	var ds []*diag.Diagnostic
	var problems []diag.Problem
	for _, s := range slots {
		ds = append(ds, s.diagnostics...)
		problems = append(problems, s.problems...)
	}
	ds = slices.DeleteFunc(ds, func(d *diag.Diagnostic) bool { return !r.reported(d.Location.File.Path) })
	ds = diag.Sort(ds)
	ds = r.suppress(ds)
	slices.SortFunc(problems, func(a, b diag.Problem) int { return cmp.Compare(a.String(), b.String()) })
	return ds, slices.CompactFunc(problems, func(a, b diag.Problem) bool { return a.String() == b.String() })
}

type run struct {
	cluster *cluster.Cluster
	options Options
}

// A slot takes what one unit of work has to say, so that the order of output
// does not depend on scheduling.
type slot struct {
	diagnostics []*diag.Diagnostic
	problems    []diag.Problem
}

func (r *run) reported(path string) bool {
	return r.options.Reported == nil || r.options.Reported(path)
}

// units cuts the work into pieces: one for each workload and object that is
// reported, one for each rule over the whole set.
func (r *run) units() []func(*slot) {
	var units []func(*slot)
	var workload, object []Rule
	for _, rl := range r.options.Rules {
		switch {
		case rl.Workload != nil:
			workload = append(workload, rl)
		case rl.Object != nil:
			object = append(object, rl)
		case rl.Set != nil:
			units = append(units, func(s *slot) { r.call(s, rl, nil, func(p *rule.Pass) { rl.Set(p) }) })
		}
	}
	if len(object) > 0 {
		for _, o := range r.cluster.Objects {
			if r.reported(o.File().Path) {
				units = append(units, func(s *slot) {
					for _, rl := range object {
						r.call(s, rl, o, func(p *rule.Pass) { rl.Object(p, o) })
					}
				})
			}
		}
	}
	if len(workload) > 0 {
		for _, w := range r.cluster.Workloads {
			if r.reported(w.File().Path) {
				units = append(units, func(s *slot) {
					for _, rl := range workload {
						r.call(s, rl, w.Object, func(p *rule.Pass) { rl.Workload(p, w) })
					}
				})
			}
		}
	}
	return units
}

// call runs one rule once. A rule that panics is a mistake of ours: it is said,
// and the run goes on.
func (r *run) call(s *slot, rl Rule, o *manifest.Object, f func(*rule.Pass)) {
	defer func() {
		if v := recover(); v != nil {
			p := diag.Problem{Message: fmt.Sprintf("rule %s failed: %v; this is a mistake in crashlint or in the policy, please report it", rl.ID, v)}
			if o != nil {
				p.Message = fmt.Sprintf("rule %s failed on %s: %v; this is a mistake in crashlint or in the policy, please report it", rl.ID, o, v)
				if loc, ok := o.Locate(nil, node.Grip); ok {
					p.Location = &diag.Location{File: loc.File, Span: loc.Span}
				}
			}
			s.problems = append(s.problems, p)
		}
	}()
	f(&rule.Pass{Cluster: r.cluster, Options: rl.Options, Report: func(f rule.Finding) {
		if d := concretise(rl, f, r.options.Shown); d != nil {
			s.diagnostics = append(s.diagnostics, d)
		}
	}, Problem: func(p diag.Problem) { s.problems = append(s.problems, p) }})
}

// concretise makes a diagnostic of a finding, nil when the finding relies on
// something that the files do not decide.
func concretise(rl Rule, f rule.Finding, shown diag.Severity) *diag.Diagnostic {
	if !decided(f) {
		return nil
	}
	d := &diag.Diagnostic{
		Rule: rl.ID, Severity: cmp.Or(rl.Severity, f.Severity, rl.Rule.Severity), Message: f.Message,
		Object: diag.Object{Kind: f.Object.Kind, Name: f.Object.Name, Namespace: f.Object.Namespace},
		Path:   f.At.String(), Notes: f.Notes, Template: f.Object.Template,
	}
	var defined *diag.Location
	d.Location, defined = locate(f.Object, f.At, f.Target, f.Within, f.Place)
	if defined != nil {
		d.Related = append(d.Related, diag.Related{Location: *defined, Message: "the value stands here"})
	}
	for _, rel := range f.Related {
		at, _ := locate(rel.Object, rel.At, rel.Target, rel.Within, rel.Place)
		d.Related = append(d.Related, diag.Related{Location: at, Message: rel.Message})
	}
	if d.Severity < shown {
		return d
	}
	for _, fix := range f.Fixes {
		out := diag.Fix{Message: fix.Message, Safety: fix.Safety}
		if len(fix.Ops) > 0 {
			edits, err := f.Object.Edit(fix.Ops...)
			if err != nil {
				out.Safety = diag.Display // to be done by hand
			}
			out.Edits = edits
		}
		d.Fixes = append(d.Fixes, out)
	}
	return d
}

// decided reports whether the files themselves decide everything that the
// finding relies on.
func decided(f rule.Finding) bool {
	if f.Place == nil && !scalarOrAbsentKnown(f.Object, f.At) {
		return false
	}
	for _, need := range f.Needs {
		if !f.Object.Known(need) {
			return false
		}
	}
	return true
}

// scalarOrAbsentKnown is Known for the place of a finding. A mapping or list
// that exists is a fine place, whatever templates stand inside it.
func scalarOrAbsentKnown(o *manifest.Object, p node.Path) bool {
	if v, ok := o.Value(p); ok {
		switch v.(type) {
		case map[string]any, []any:
			return true
		}
	}
	return o.Known(p)
}

// locate returns the place of a path. Where nothing is written there, it is the
// grip of the nearest enclosing mapping that is.
func locate(o *manifest.Object, p node.Path, target node.Target, within string, place *node.Location) (diag.Location, *diag.Location) {
	if place != nil {
		return diag.Location{File: place.File, Span: place.Span}, nil
	}
	loc, ok := o.Locate(p, target)
	for up := p; !ok; {
		if len(up) == 0 {
			return diag.Location{File: o.File(), Span: o.DocumentSpan()}, nil
		}
		up = up[:len(up)-1]
		loc, ok = o.Locate(up, node.Grip)
	}
	at := diag.Location{File: loc.File, Span: loc.Span}
	if loc.Defined == nil {
		if within != "" {
			at.Span = loc.File.Within(at.Span, within)
		}
		return at, nil
	}
	defined := diag.Location{File: loc.File, Span: *loc.Defined}
	if within != "" {
		defined.Span = loc.File.Within(defined.Span, within)
	}
	return at, &defined
}

// Matches reports whether a pattern, a rule id or family with * as wildcard,
// covers the rule.
func Matches(pattern, id, family string) bool {
	if strings.Contains(pattern, "*") {
		return wildcard(pattern, id)
	}
	return pattern == id || family != "" && pattern == family
}

func wildcard(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, head)
	if !ok {
		return false
	}
	for i := 0; i <= len(s); i++ {
		if wildcard(rest, s[i:]) {
			return true
		}
	}
	return false
}
