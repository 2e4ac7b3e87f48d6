package timeline

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/source"
)

// of returns the timelines of a manifest.
func of(text string, a Assumptions) []Timeline {
	c := cluster.New(loader.LoadText(source.NewFile("app.yaml", text)).Set, cluster.Options{})
	var out []Timeline
	for _, w := range c.Workloads {
		if t, ok := Of(c, w, a); ok {
			out = append(out, t)
		}
	}
	return out
}

// pod writes a Pod around its specification, in flow style.
func pod(spec string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n}\nspec: {" + spec + "}\n"
}

func TestContainers(t *testing.T) {
	const java = "image: eclipse-temurin:21, command: [java, -jar, /a.jar]"
	for _, test := range []struct {
		name, spec string
		assumed    Assumptions
		want       string // a line a container: outcome | verdict | line
	}{
		{
			"liveness with the defaults kills a JVM", "containers: [{name: a, " + java + ", livenessProbe: {tcpSocket: {port: 1}}}]", Assumptions{},
			"killed | killed by the livenessProbe at 20 to 31 s, again and again | 0 s start · 0 s first liveness · 0 s ready · 20 s killed · 25 s would have answered · 50 s SIGKILL · starts again at 50, 100, 150, 200, 250 s … · back-off 80, 160, 300 s …",
		},
		{
			"a CPU limit makes the start longer than the startup probe allows",
			"containers: [{name: a, " + java + ", resources: {limits: {cpu: 250m}}, startupProbe: {tcpSocket: {port: 1}, failureThreshold: 9}}]", Assumptions{Stop: new(int64(1))},
			"killed | killed by the startupProbe at 80 to 91 s, again and again | 0 s start · 0 s first startup probe · 80 s killed · 81 s stopped · 100 s would have answered · starts again at 81, 162, 243, 324, 405 s … · back-off 160, 300, 300 s …",
		},
		{
			"in time", "containers: [{name: a, " + java + ", startupProbe: {tcpSocket: {port: 1}, failureThreshold: 9}, livenessProbe: {tcpSocket: {port: 1}}, readinessProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 40}}]", Assumptions{},
			"ready | ready at 40 s | 0 s start · 0 s first startup probe · 25 s first liveness · 40 s first readiness · 40 s ready",
		},
		{
			"nobody knows", "containers: [{name: a, image: x, livenessProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 30, failureThreshold: 1}}]", Assumptions{},
			"unknown | must answer within 31 s of its start, or the livenessProbe kills it | if it never answers: 0 s start · 0 s ready · 30 s first liveness · 30 s killed · 60 s SIGKILL · starts again at 60, 120, 180, 240, 300 s … · back-off 80, 160, 300 s …",
		},
		{
			"somebody says so", "containers: [{name: a, image: x, livenessProbe: {tcpSocket: {port: 1}}}]", Assumptions{Start: new(int64(12)), Stop: new(int64(0))},
			"ready | counts as ready at 0 s: it has no readinessProbe | 0 s start · 0 s first liveness · 0 s ready",
		},
		{
			"somebody says that it never answers", "containers: [{name: a, image: x, readinessProbe: {tcpSocket: {port: 1}}}]", Assumptions{Start: new(int64(kubelet.Never))},
			"neverReady | never ready: it does not answer | 0 s start · 0 s first readiness",
		},
		{
			"numbers without an end", "containers: [{name: a, image: x, livenessProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 2147483647, periodSeconds: 2147483647, timeoutSeconds: 2147483647, failureThreshold: 2147483647}}]", Assumptions{},
			"ready | counts as ready at 0 s: it has no readinessProbe | 0 s start · 0 s ready · 2147483647 s first liveness",
		},
		{
			"nobody asks", "containers: [{name: a, image: x}]", Assumptions{},
			"ready | counts as ready at 0 s: it has no probes | 0 s start · 0 s ready",
		},
		{
			"a readiness probe that cannot be tried", "containers: [{name: a, image: x, readinessProbe: {tcpSocket: {port: web}}}]", Assumptions{},
			`neverReady | never ready: the readinessProbe cannot be tried, no container port is named "web" | 0 s start`,
		},
		{
			"what is killed once under restartPolicy Never", "restartPolicy: Never, containers: [{name: a, " + java + ", livenessProbe: {tcpSocket: {port: 1}}}]", Assumptions{},
			"killed | killed by the livenessProbe at 20 to 31 s, and restartPolicy Never leaves it there | 0 s start · 0 s first liveness · 0 s ready · 20 s killed · 25 s would have answered · 50 s SIGKILL",
		},
		{
			"in order: an init container, a sidecar, hooks",
			`initContainers: [{name: i, image: x, command: [sh, -c, "sleep 7"]}, {name: s, image: x, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}, periodSeconds: 1, failureThreshold: 60}}],
			containers: [{name: a, image: x, lifecycle: {postStart: {exec: {command: [sleep, "5"]}}, preStop: {exec: {command: [sleep, "6"]}}}, livenessProbe: {tcpSocket: {port: 1}, failureThreshold: 1}}]`,
			Assumptions{Start: nil},
			`done | done at 7 s | 0 s start · 7 s done
ready | counts as ready at 17 s: it has no readinessProbe | 7 s start · 7 s first startup probe · 17 s ready
unknown | must answer within 6 s of its start, or the livenessProbe kills it | if it never answers: 17 s start · 22 s first liveness · 22 s killed · 28 s SIGTERM · 52 s SIGKILL · starts again at 52, 87, 122, 157, 232 s … · back-off 40, 80, 160 s …`,
		},
		{
			"a sidecar that never answers lets nothing follow",
			"initContainers: [{name: s, image: x, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}, failureThreshold: 1}}], containers: [{name: a, image: x}]",
			Assumptions{Start: new(int64(kubelet.Never)), Stop: new(int64(0))},
			`killed | killed by the startupProbe at 0 to 11 s, again and again | 0 s start · 0 s first startup probe · 0 s killed · 0 s stopped · starts again at 0, 0, 10, 30, 70 s … · back-off 10, 20, 40 s …
blocked | never starts: a container before it does not let it | never starts: a container before it does not let it`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, tl := range of(pod(test.spec), test.assumed) {
				for _, c := range tl.Containers {
					got = append(got, fmt.Sprintf("%s | %s | %s", c.Outcome, c.Verdict, c.Line()))
				}
			}
			if got := strings.Join(got, "\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestMemory(t *testing.T) {
	const limit = ", resources: {limits: {memory: 1Gi}}"
	for ctr, want := range map[string]string{
		"image: x" + limit: "[] 0 nothing is known of what the program takes",
		"image: eclipse-temurin:21, command: [java, -Xmx512m, -XX:MaxMetaspaceSize=100m, -XX:+UseSerialGC, -jar, /a.jar]" + limit: "[heap 512Mi set -Xmx512m metaspace 100Mi set -XX:MaxMetaspaceSize=100m code cache 240Mi default  threads 50Mi usual  collector 1Mi usual ] 120 ",
		"image: eclipse-temurin:21, command: [java, -jar, /a.jar]":                                                                "[] 0 there is no memory limit, and its heap goes by the node's memory",
		"image: node:22, command: [node, --max-old-space-size=700, a.js]" + limit:                                                 "[old space 700Mi set --max-old-space-size=700 young generation 48Mi default  Node.js itself 40Mi usual ] 236 ",
		"image: node:22, command: [node, a.js]" + limit:                                                                           "[old space 512Mi default  young generation 48Mi default  Node.js itself 40Mi usual ] 424 ",
		"image: mcr.microsoft.com/dotnet/aspnet:9.0, command: [dotnet, a.dll]" + limit:                                            "[GC heap 768Mi default ] 256 ",
		"image: x, env: [{name: GOMEMLIMIT, value: 1200MiB}]" + limit:                                                             "[Go runtime 1200Mi set GOMEMLIMIT=1200MiB] -176 ",
		"image: 'postgres:17', args: [-c, shared_buffers=256MB]" + limit:                                                          "[PostgreSQL 256Mi set shared_buffers=256MB] 768 ",
		"image: x, env: [{name: GOGC, value: '50'}, {name: GOMEMLIMIT, valueFrom: {secretKeyRef: {name: s, key: k}}}]" + limit:    "[] 0 " + fromSecret,
		"image: x, env: [{name: JAVA_TOOL_OPTIONS, valueFrom: {secretKeyRef: {name: s, key: j}}}]" + limit:                        "[] 0 " + fromSecret,
		"image: node:22, env: [{name: NODE_OPTIONS, valueFrom: {secretKeyRef: {name: s, key: n}}}]" + limit:                       "[] 0 the files do not say how large its heap is",
		"image: x, env: [{name: GOMEMLIMIT, value: 1MiB}], volumeMounts: [{name: v, mountPath: /shm}]" + limit:                    "[Go runtime 1Mi set GOMEMLIMIT=1MiB files in /shm 64Mi set sizeLimit] 959 ",
	} {
		secret := "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: n}\nstringData: {k: 987MiB, j: -Xmx987m, n: --max-old-space-size=987}\n"
		m := of(pod("containers: [{name: a, "+ctr+"}], volumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 64Mi}}]")+secret, Assumptions{})[0].Containers[0].Memory
		var parts []string
		for _, p := range m.Parts {
			parts = append(parts, fmt.Sprintf("%s %s %s %s", p.Name, Size(p.Bytes), p.Basis, p.By))
		}
		if got := fmt.Sprintf("%v %d %s", parts, m.Headroom()/mebi, m.Unknown); got != want {
			t.Errorf("%s\n got %s\nwant %s", ctr, got, want)
		}
	}
}

// TestLimitFrom looks at a limit that nobody wrote into the workload.
func TestLimitFrom(t *testing.T) {
	m := of(pod("containers: [{name: a, image: x}]")+`---
apiVersion: v1
kind: LimitRange
metadata: {name: defaults, namespace: n}
spec: {limits: [{type: Container, default: {memory: 64Mi}}]}
`, Assumptions{})[0].Containers[0].Memory
	if m.Limit != 64*mebi || m.LimitFrom != "LimitRange/defaults" {
		t.Errorf("%+v", m)
	}
}

func TestNotes(t *testing.T) {
	const job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {backoffLimit: 2, template: {spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}\n"
	got := of(job, Assumptions{})[0]
	if want := "if a fails at once each time, it starts at 0, 10, 30 s, and the Job has failed at 30 s (BackoffLimitExceeded)"; !slices.Equal(got.Notes, []string{want}) {
		t.Errorf("%q", got.Notes)
	}
	if want := "runs from 0 s on until it is done, and nothing says when that is"; got.Containers[0].Verdict != want {
		t.Errorf("%q", got.Containers[0].Verdict)
	}
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {progressDeadlineSeconds: 90, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: x, readinessProbe: {tcpSocket: {port: web}}}]}}}\n"
	if got := of(deployment, Assumptions{})[0].Notes; len(got) != 1 || !strings.Contains(got[0], "for 90 s") {
		t.Errorf("%q", got)
	}
	const template = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: a\n      image: x\n      livenessProbe:\n        tcpSocket: {port: 1}\n        periodSeconds: ${PERIOD}\n"
	if got := of(template, Assumptions{})[0].Containers[0].Notes; len(got) != 1 || !strings.Contains(got[0], "livenessProbe.periodSeconds") {
		t.Errorf("%q", got)
	}
	hook := pod("containers: [{name: a, image: x, lifecycle: {preStop: {httpGet: {port: 80}}}}]")
	if got := of(hook, Assumptions{})[0].Containers[0].Notes; len(got) != 1 || !strings.Contains(got[0], "preStop hook is drawn as if it took no time") {
		t.Errorf("%q", got)
	}
}

func TestLineOf(t *testing.T) {
	c := cluster.New(loader.LoadText(source.NewFile("app.yaml", pod("containers: [{name: a, image: x}, {name: b, image: x}]")+"---\n"+pod("containers: [{name: a}]"))).Set, cluster.Options{})
	if got := LineOf(c, c.Workloads[0].Containers[1], Assumptions{}); got != "0 s start · 0 s ready" {
		t.Error(got)
	}
	if got := LineOf(c, c.Workloads[1].Containers[0], Assumptions{}); got != "" {
		t.Error(got)
	}
}

// TestOldCluster: before 1.29 a sidecar is an init container that has to end.
func TestOldCluster(t *testing.T) {
	text := pod("initContainers: [{name: s, image: x, restartPolicy: Always}], containers: [{name: a, image: x}]")
	c := cluster.New(loader.LoadText(source.NewFile("app.yaml", text)).Set, cluster.Options{Version: 28})
	got, _ := Of(c, c.Workloads[0], Assumptions{})
	if s := got.Containers[0]; s.Role != manifest.Init || s.Outcome != Done || s.Verdict != "done at 10 s" {
		t.Errorf("%+v", s)
	}
}

// TestLeftOut: what somebody else completes is not drawn.
func TestLeftOut(t *testing.T) {
	for _, spec := range []string{"containers: [{name: a}]", "containers: []", "initContainers: [{name: a, image: x}]"} {
		if got := of(pod(spec), Assumptions{}); len(got) != 0 {
			t.Errorf("%s: %+v", spec, got)
		}
	}
}

func TestUntil(t *testing.T) {
	spec := pod("containers: [{name: a, image: x}]")
	if got := of(spec, Assumptions{Until: 77})[0]; got.Until != 77 || got.Containers[0].Spans[0].To != 77 {
		t.Errorf("%+v", got)
	}
	for until, want := range map[int64]int64{0: 10, 9: 10, 11: 12, 58: 60, 61: 70, 700: 720, 4000: 4200} {
		if got := Round(until); got != want {
			t.Errorf("an axis of %d s ends at %d, want %d", until, got, want)
		}
	}
	for until, want := range map[int64]int64{10: 2, 100: 15, 3600: 600, 1 << 40: 1 << 37} {
		if got := Step(until, 8); got != want {
			t.Errorf("an axis of %d s has a tick each %d, want %d", until, got, want)
		}
	}
}

// TestFixtures computes the timelines of every fixture of the rules, which are
// full of what nobody expects, and checks what holds for all of them.
func TestFixtures(t *testing.T) {
	loaded, err := loader.Load(context.Background(), loader.Options{Paths: []string{filepath.Join("..", "..", "rules"), filepath.Join("..", "..", "testdata")}, Root: "."})
	if err != nil {
		t.Fatal(err)
	}
	c := cluster.New(loaded.Set, cluster.Options{})
	drawn := 0
	for _, a := range []Assumptions{{}, {Start: new(int64(30)), Stop: new(int64(3)), Init: new(int64(0))}, {Start: new(int64(kubelet.Never))}} {
		for _, w := range c.Workloads {
			tl, ok := Of(c, w, a)
			if !ok {
				continue
			}
			drawn++
			for _, ctr := range tl.Containers {
				check(t, tl, ctr)
			}
		}
	}
	if drawn < 500 {
		t.Errorf("%d timelines are too few", drawn)
	}
}

func check(t *testing.T, tl Timeline, c Container) {
	t.Helper()
	where := fmt.Sprintf("%s:%d %s", tl.File, tl.Line, c.Name)
	if c.Verdict == "" || c.Line() == "" || c.Assumed.Because == "" {
		t.Errorf("%s: verdict %q, line %q, because %q", where, c.Verdict, c.Line(), c.Assumed.Because)
	}
	if !slices.IsSortedFunc(c.Events, func(a, b Event) int { return int(a.At - b.At) }) || !slices.IsSorted(c.Starts) {
		t.Errorf("%s: out of order: %v %v", where, c.Events, c.Starts)
	}
	for _, e := range c.Events {
		if e.At < 0 || e.Latest < e.At {
			t.Errorf("%s: %+v", where, e)
		}
	}
	if len(c.Line()) > 1000 {
		t.Errorf("%s: %s", where, c.Line())
	}
	if killed := strings.Contains(c.Line(), " killed"); killed != (c.Outcome == Killed || c.Outcome == Unknown && strings.HasPrefix(c.Verdict, "must")) {
		t.Errorf("%s: %s, but %s", where, c.Outcome, c.Line())
	}
	names := 0
	for _, other := range tl.Containers {
		if other.Name == c.Name {
			names++
		}
	}
	if names > 1 {
		return // the API server refuses it
	}
	at := int64(0)
	for _, s := range c.Spans {
		if s.From != at || s.To < s.From {
			t.Errorf("%s: a gap before %+v", where, s)
		}
		at = s.To
	}
	if at != tl.Until {
		t.Errorf("%s: ends at %d of %d", where, at, tl.Until)
	}
}
