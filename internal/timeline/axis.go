package timeline

import (
	"slices"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
)

// restartsShown is how many restarts of a container that is killed again and
// again are worth drawing, and mostShown how many to see its first back-off.
const restartsShown, mostShown = 2, 4

// worthSeeing returns the second that the drawing goes to: far enough for every
// container to become ready, or to be killed a few times.
func worthSeeing(w *manifest.Workload, assumed map[string]Assumption, spans map[string][]kubelet.Span) int64 {
	var end int64
	for _, ctr := range w.Containers {
		list := spans[ctr.Name]
		if len(list) == 0 {
			continue
		}
		last := list[0].From
		for _, s := range list[:shown(list, assumed[ctr.Name].Known)] {
			last = s.From
		}
		end = max(end, last)
		// What a start may take at most is worth seeing where that is near.
		if assumed[ctr.Name].Lasts == kubelet.Never {
			for _, p := range probes(ctr, assumed[ctr.Name], list) {
				if p.Kills() && p.Fails.Latest <= 8*max(last, 10) {
					end = max(end, p.Fails.Latest)
				}
				if p.First.Latest <= 8*max(last, 10) {
					end = max(end, p.First.Latest)
				}
			}
		}
	}
	return Round(end + end/8 + 1)
}

// shown returns how many of the spans are worth drawing: those of a program that
// may well answer up to its second start, others up to their first back-off if
// that is near.
func shown(spans []kubelet.Span, known bool) int {
	restarts := 1
	if known {
		restarts = restartsShown
		if at := slices.IndexFunc(spans, func(s kubelet.Span) bool { return s.Phase == kubelet.BackingOff }); at >= 0 && spans[at].Run < mostShown {
			restarts = max(restarts, spans[at].Run+1)
		}
	}
	if at := slices.IndexFunc(spans, func(s kubelet.Span) bool { return s.Run == restarts }); at >= 0 {
		return at + 1
	}
	return len(spans)
}

// steps are the round distances of ticks, in seconds.
var steps = [...]int64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 6 * 3600}

// Round returns the next second that an axis may well end at.
func Round(until int64) int64 {
	step := Step(until, 8)
	return max((until+step-1)/step*step, 10)
}

// Step returns the distance of ticks, in seconds, with which an axis of that
// length has no more than so many of them.
func Step(until int64, ticks int) int64 {
	for _, step := range steps {
		if until/step <= int64(max(ticks, 1)) {
			return step
		}
	}
	return max(until/int64(max(ticks, 1)), 1)
}
