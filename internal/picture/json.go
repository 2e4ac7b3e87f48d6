package picture

import (
	"bufio"
	"encoding/json"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/timeline"
)

// jsonVersion is the version of the format that
// schema/timeline.schema.json describes. Fields
// may be added under the same version; nothing is taken away or given another
// meaning.
const jsonVersion = 1

type jsonTimelines struct {
	Version   int            `json:"version"`
	Tool      jsonTool       `json:"tool"`
	Workloads []jsonWorkload `json:"workloads"`
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type jsonWorkload struct {
	Kind         string          `json:"kind"`
	Name         string          `json:"name"`
	Namespace    string          `json:"namespace"`
	File         string          `json:"file"`
	Line         int             `json:"line"`
	UntilSeconds int64           `json:"untilSeconds"`
	Containers   []jsonContainer `json:"containers"`
	Notes        []string        `json:"notes"`
}

type jsonContainer struct {
	Name    string      `json:"name"`
	Image   string      `json:"image"`
	Role    string      `json:"role"`
	Outcome string      `json:"outcome"`
	Verdict string      `json:"verdict"`
	Line    string      `json:"timeline"`
	Assumed jsonAssumed `json:"assumed"`
	Phases  []jsonPhase `json:"phases"`
	Starts  []int64     `json:"startSeconds"`
	Waits   []int64     `json:"backOffSeconds"`
	Events  []jsonEvent `json:"events"`
	Probes  []jsonProbe `json:"probes"`
	Memory  jsonMemory  `json:"memory"`
	Notes   []string    `json:"notes"`
}

type jsonAssumed struct {
	AnswersAfter *int64 `json:"answersAfterSeconds"`
	Lasts        *int64 `json:"lastsSeconds"`
	StopsAfter   *int64 `json:"stopsAfterSeconds"`
	Known        bool   `json:"known"`
	Because      string `json:"because"`
}

type jsonPhase struct {
	Run      int    `json:"run"`
	Phase    string `json:"phase"`
	From     int64  `json:"fromSeconds"`
	To       int64  `json:"toSeconds"`
	KilledBy string `json:"killedBy"`
	ExitCode *int32 `json:"exitCode"`
}

type jsonEvent struct {
	At     int64  `json:"atSeconds"`
	Latest int64  `json:"latestSeconds"`
	What   string `json:"what"`
}

type jsonWindow struct {
	Earliest int64 `json:"earliestSeconds"`
	Latest   int64 `json:"latestSeconds"`
}

type jsonProbe struct {
	Field            string      `json:"field"`
	InitialDelay     int64       `json:"initialDelaySeconds"`
	Period           int64       `json:"periodSeconds"`
	Timeout          int64       `json:"timeoutSeconds"`
	SuccessThreshold int64       `json:"successThreshold"`
	FailureThreshold int64       `json:"failureThreshold"`
	Void             string      `json:"cannotBeTried"`
	First            *jsonWindow `json:"first"`
	Fails            *jsonWindow `json:"fails"`
	Patience         *jsonWindow `json:"patience"`
}

type jsonMemory struct {
	Limit     *uint64    `json:"limitBytes"`
	LimitFrom string     `json:"limitFrom"`
	Request   *uint64    `json:"requestBytes"`
	Parts     []jsonPart `json:"parts"`
	Total     *uint64    `json:"totalBytes"`
	Headroom  *int64     `json:"headroomBytes"`
	Unknown   string     `json:"unknown"`
}

type jsonPart struct {
	Name  string `json:"name"`
	Bytes uint64 `json:"bytes"`
	Basis string `json:"basis"`
	By    string `json:"by"`
}

func writeJSON(out *bufio.Writer, list []timeline.Timeline, o Options) error {
	doc := jsonTimelines{Version: jsonVersion, Tool: jsonTool{"crashlint", o.Version}, Workloads: []jsonWorkload{}}
	for _, t := range list {
		w := jsonWorkload{
			Kind: t.Kind, Name: t.Name, Namespace: t.Namespace, File: t.File, Line: t.Line,
			UntilSeconds: t.Until, Containers: []jsonContainer{}, Notes: some(t.Notes),
		}
		for _, c := range t.Containers {
			w.Containers = append(w.Containers, jsonOf(c))
		}
		doc.Workloads = append(doc.Workloads, w)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(doc)
}

func jsonOf(c timeline.Container) jsonContainer {
	out := jsonContainer{
		Name: c.Name, Image: c.Image, Role: c.Role.String(), Outcome: c.Outcome.String(), Verdict: c.Verdict, Line: c.Line(),
		Assumed: jsonAssumed{second(c.Assumed.Answers), second(c.Assumed.Lasts), second(c.Assumed.Stops), c.Assumed.Known, c.Assumed.Because},
		Phases:  []jsonPhase{}, Starts: some(c.Starts), Waits: some(c.Waits), Events: []jsonEvent{}, Probes: []jsonProbe{}, Notes: some(c.Notes),
		Memory: jsonMemory{LimitFrom: c.Memory.LimitFrom, Parts: []jsonPart{}, Unknown: c.Memory.Unknown},
	}
	if c.Assumed.Lasts < kubelet.Never {
		out.Assumed.AnswersAfter = nil // it is asked nothing
	}
	for _, s := range c.Spans {
		out.Phases = append(out.Phases, jsonPhase{s.Run, s.Phase.String(), s.From, s.To, s.Probe, s.Exit})
	}
	for _, e := range c.Events {
		out.Events = append(out.Events, jsonEvent{e.At, e.Latest, e.What})
	}
	for _, p := range c.Probes {
		t := p.Timing
		out.Probes = append(out.Probes, jsonProbe{
			p.Field, t.InitialDelay, t.Period, t.Timeout, t.SuccessThreshold, t.FailureThreshold, p.Void,
			window(p.First), window(p.Fails), window(p.Patience),
		})
	}
	m := c.Memory
	if m.Limit > 0 {
		out.Memory.Limit = &m.Limit
	}
	if m.Request > 0 {
		out.Memory.Request = &m.Request
	}
	for _, p := range m.Parts {
		out.Memory.Parts = append(out.Memory.Parts, jsonPart{p.Name, p.Bytes, p.Basis.String(), p.By})
	}
	if len(m.Parts) > 0 {
		out.Memory.Total = new(m.Total())
		if m.Limit > 0 {
			out.Memory.Headroom = new(m.Headroom())
		}
	}
	return out
}

// some returns the list, an empty one instead of none.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// second returns the seconds, nil for those that do not come.
func second(n int64) *int64 {
	if n == kubelet.Never {
		return nil
	}
	return &n
}

func window(w kubelet.Window) *jsonWindow {
	if w.Earliest == kubelet.Never {
		return nil
	}
	return &jsonWindow{w.Earliest, w.Latest}
}
