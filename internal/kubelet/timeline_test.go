package kubelet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// draw writes the spans of the pod, a line each.
func draw(n Node, pod *corev1.PodSpec, behave map[string]Behaviour, until int64) string {
	var lines []string
	for _, s := range n.Timeline(pod, func(c *corev1.Container) Behaviour { return behave[c.Name] }, until) {
		line := fmt.Sprintf("%s#%d %s %d-%d", s.Container, s.Run, s.Phase, s.From, s.To)
		if s.Probe != "" {
			line += fmt.Sprintf(" %s %d-%d", s.Probe, s.Kills.Earliest, s.Kills.Latest)
		}
		if s.Exit != nil {
			line += fmt.Sprintf(" exit %d", *s.Exit)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestTimeline(t *testing.T) {
	exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{}}
	probe := func(delay, period, failures int32) *corev1.Probe {
		return &corev1.Probe{ProbeHandler: exec, InitialDelaySeconds: delay, PeriodSeconds: period, FailureThreshold: failures}
	}
	always := new(corev1.ContainerRestartPolicyAlways)
	sleeps := func(seconds int64) *corev1.LifecycleHandler {
		return &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: seconds}}
	}
	named := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("nosuch")}}}
	runs := Behaviour{Lasts: Never}
	hangs := Behaviour{Answers: Never, Lasts: Never, Stops: Never}
	for _, test := range []struct {
		name   string
		node   Node
		pod    corev1.PodSpec
		behave map[string]Behaviour
		until  int64
		want   string
	}{
		{
			name: "in order, and the sidecar's startup probe gates",
			pod: corev1.PodSpec{
				InitContainers: []corev1.Container{
					{Name: "migrate"},
					{Name: "proxy", RestartPolicy: always, StartupProbe: probe(5, 10, 3), ReadinessProbe: probe(20, 1, 3)},
					{Name: "fetch"},
				},
				Containers: []corev1.Container{{Name: "app", ReadinessProbe: probe(0, 1, 3)}, {Name: "log"}},
			},
			behave: map[string]Behaviour{
				"migrate": {Lasts: 10}, "proxy": {Answers: 8, Lasts: Never}, "fetch": {Lasts: 2}, "app": {Answers: 4, Lasts: Never}, "log": runs,
			},
			until: 60,
			want: `migrate#0 initializing 0-10 exit 0
migrate#0 ended 10-60
proxy#0 waiting 0-10
proxy#0 starting 10-18
proxy#0 started 18-30
proxy#0 ready 30-60
fetch#0 waiting 0-18
fetch#0 initializing 18-20 exit 0
fetch#0 ended 20-60
app#0 waiting 0-20
app#0 started 20-24
app#0 ready 24-60
log#0 waiting 0-20
log#0 ready 20-60`,
		},
		{
			name: "a sidecar that starts too slowly lets nothing follow",
			pod: corev1.PodSpec{
				InitContainers: []corev1.Container{{Name: "proxy", RestartPolicy: always, StartupProbe: probe(0, 10, 2)}},
				Containers:     []corev1.Container{{Name: "app"}},
			},
			behave: map[string]Behaviour{"proxy": {Answers: 15, Lasts: Never}, "app": runs},
			until:  30,
			want: `proxy#0 starting 0-10 startupProbe 10-21
proxy#0 stopping 10-10 exit 143
proxy#1 starting 10-20 startupProbe 20-31
proxy#1 stopping 20-20 exit 143
proxy#2 starting 20-30
app#0 waiting 0-30`,
		},
		{
			name:   "a sidecar that never ends is an init container before 1.29",
			node:   Node{Minor: 28},
			pod:    corev1.PodSpec{InitContainers: []corev1.Container{{Name: "proxy", RestartPolicy: always}}, Containers: []corev1.Container{{Name: "app"}}},
			behave: map[string]Behaviour{"proxy": runs, "app": runs},
			until:  60,
			want:   "proxy#0 initializing 0-60\napp#0 waiting 0-60",
		},
		{
			name: "liveness kills what never answers; SIGTERM is ignored",
			pod: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "app", LivenessProbe: probe(5, 5, 3), Lifecycle: &corev1.Lifecycle{PreStop: sleeps(10)},
			}}},
			behave: map[string]Behaviour{"app": hangs},
			until:  280,
			// A life of 45 s: the delays of 10, 20 and 40 s are over when it ends.
			want: `app#0 ready 0-15 livenessProbe 15-21
app#0 preStop 15-25
app#0 stopping 25-45 exit 137
app#1 ready 45-60 livenessProbe 60-66
app#1 preStop 60-70
app#1 stopping 70-90 exit 137
app#2 ready 90-105 livenessProbe 105-111
app#2 preStop 105-115
app#2 stopping 115-135 exit 137
app#3 ready 135-150 livenessProbe 150-156
app#3 preStop 150-160
app#3 stopping 160-180 exit 137
app#4 ready 180-195 livenessProbe 195-201
app#4 preStop 195-205
app#4 stopping 205-225 exit 137
app#5 ready 225-240 livenessProbe 240-246
app#5 preStop 240-250
app#5 stopping 250-270 exit 137
app#5 backing off 270-280`,
		},
		{
			name:   "a startup probe kills; the program stops when it is told to",
			pod:    corev1.PodSpec{Containers: []corev1.Container{{Name: "app", StartupProbe: probe(0, 10, 3), LivenessProbe: probe(0, 1, 1)}}},
			behave: map[string]Behaviour{"app": {Answers: 100, Lasts: Never, Stops: 1}},
			until:  50,
			want: `app#0 starting 0-20 startupProbe 20-31
app#0 stopping 20-21 exit 143
app#1 starting 21-41 startupProbe 41-52
app#1 stopping 41-42 exit 143
app#2 starting 42-50`,
		},
		{
			name:   "answers in time, and liveness after the startup probe does not mind",
			pod:    corev1.PodSpec{Containers: []corev1.Container{{Name: "app", StartupProbe: probe(0, 10, 3), LivenessProbe: probe(0, 1, 1)}}},
			behave: map[string]Behaviour{"app": {Answers: 21, Lasts: Never}},
			until:  50,
			want:   "app#0 starting 0-21\napp#0 ready 21-50",
		},
		{
			name: "a probe that cannot be tried neither kills nor makes ready",
			pod: corev1.PodSpec{Containers: []corev1.Container{
				{Name: "startup", StartupProbe: named, LivenessProbe: probe(0, 1, 1)}, {Name: "readiness", ReadinessProbe: named},
			}},
			behave: map[string]Behaviour{"startup": runs, "readiness": runs},
			until:  50,
			want:   "startup#0 starting 0-50\nreadiness#0 started 0-50",
		},
		{
			name: "postStart holds up the next container, and the probes of all",
			pod: corev1.PodSpec{Containers: []corev1.Container{
				{Name: "first", Lifecycle: &corev1.Lifecycle{PostStart: sleeps(20)}, LivenessProbe: probe(5, 10, 1)},
				{Name: "second"},
			}},
			behave: map[string]Behaviour{"first": hangs, "second": runs},
			until:  80,
			want: `first#0 hooked 0-20 livenessProbe 20-31
first#0 stopping 20-50 exit 137
first#1 hooked 50-70 livenessProbe 70-81
first#1 stopping 70-80
second#0 waiting 0-20
second#0 ready 20-80`,
		},
		{
			name: "a Job's sidecar stops when the work is done",
			pod: corev1.PodSpec{
				RestartPolicy:  corev1.RestartPolicyOnFailure,
				InitContainers: []corev1.Container{{Name: "proxy", RestartPolicy: always}},
				Containers:     []corev1.Container{{Name: "work"}},
			},
			behave: map[string]Behaviour{"proxy": runs, "work": {Lasts: 7}},
			until:  100,
			want:   "proxy#0 ready 0-7\nwork#0 ready 0-7 exit 0\nwork#0 ended 7-100",
		},
		{
			name: "an init container that fails under Never fails the pod",
			pod: corev1.PodSpec{
				RestartPolicy:  corev1.RestartPolicyNever,
				InitContainers: []corev1.Container{{Name: "wait"}},
				Containers:     []corev1.Container{{Name: "work"}},
			},
			behave: map[string]Behaviour{"wait": {Lasts: 5, Code: 1}, "work": runs},
			until:  100,
			want:   "wait#0 initializing 0-5 exit 1\nwait#0 ended 5-100\nwork#0 waiting 0-5",
		},
		{
			name: "a program that ends at once",
			pod:  corev1.PodSpec{Containers: []corev1.Container{{Name: "app", ReadinessProbe: probe(0, 1, 1)}}},
			behave: map[string]Behaviour{
				"app": {Answers: 5, Code: 2},
			},
			until: 25,
			want: `app#0 started 0-0 exit 2
app#1 started 0-0 exit 2
app#1 backing off 0-10
app#2 started 10-10 exit 2
app#2 backing off 10-25`,
		},
	} {
		if got := draw(test.node, &test.pod, test.behave, test.until); got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

// TestTimelineHolds asks of any pod what holds for all.
func TestTimelineHolds(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	number := func() int64 {
		return []int64{0, 1, random.Int64N(60), random.Int64N(1000), Never, -1}[random.IntN(6)]
	}
	probe := func() *corev1.Probe {
		if random.IntN(2) == 0 {
			return nil
		}
		p := &corev1.Probe{InitialDelaySeconds: int32(number()), PeriodSeconds: int32(number()), FailureThreshold: int32(number())}
		if random.IntN(5) > 0 {
			p.Exec = &corev1.ExecAction{}
		}
		if random.IntN(3) == 0 {
			p.TerminationGracePeriodSeconds = new(number())
		}
		return p
	}
	hook := func() *corev1.LifecycleHandler {
		return []*corev1.LifecycleHandler{nil, {}, {Sleep: &corev1.SleepAction{Seconds: number()}}}[random.IntN(3)]
	}
	containers := func(prefix string, count int) (list []corev1.Container) {
		for i := range count {
			c := corev1.Container{
				Name: fmt.Sprint(prefix, i), StartupProbe: probe(), LivenessProbe: probe(), ReadinessProbe: probe(),
				Lifecycle: &corev1.Lifecycle{PostStart: hook(), PreStop: hook()},
			}
			if random.IntN(2) == 0 {
				c.RestartPolicy = new([]corev1.ContainerRestartPolicy{"Always", "Never", "OnFailure"}[random.IntN(3)])
			}
			list = append(list, c)
		}
		return list
	}
	for range 3000 {
		pod := &corev1.PodSpec{
			RestartPolicy:  []corev1.RestartPolicy{"", "Always", "OnFailure", "Never"}[random.IntN(4)],
			InitContainers: containers("init", random.IntN(3)), Containers: containers("app", random.IntN(3)),
		}
		n := Node{Minor: random.IntN(40)}
		until := number()
		spans := n.Timeline(pod, func(*corev1.Container) Behaviour {
			return Behaviour{Answers: number(), Lasts: number(), Code: int32(random.IntN(2)), Stops: number(), PostStart: number(), PreStop: number()}
		}, until)
		var names []string
		for i, s := range spans {
			first := i == 0 || spans[i-1].Container != s.Container
			if first {
				names = append(names, s.Container)
			}
			switch {
			case s.From > s.To || s.From < 0 || s.To > min(max(until, 0), longest):
				t.Fatalf("span %+v of a timeline until %d", s, until)
			case first && (s.From != 0 || s.Run != 0):
				t.Fatalf("the first span is %+v", s)
			case !first && (s.From != spans[i-1].To || s.Run < spans[i-1].Run):
				t.Fatalf("%+v follows %+v", s, spans[i-1])
			case s.Probe != "" && s.To != s.Kills.Earliest:
				t.Fatalf("%+v ends before or after a probe may fail", s)
			case s.Phase == Ended && (i == 0 || spans[i-1].Exit == nil):
				t.Fatalf("%+v without an end", s)
			}
		}
		order := func(name string) int {
			return slices.IndexFunc(slices.Concat(pod.InitContainers, pod.Containers), func(c corev1.Container) bool { return c.Name == name })
		}
		if !slices.IsSortedFunc(names, func(a, b string) int { return order(a) - order(b) }) {
			t.Fatalf("containers in the order %v", names)
		}
	}
}
