package kubelet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestTimingDefaults(t *testing.T) {
	if got, want := TimingOf(&corev1.Probe{}), (Timing{0, 10, 1, 1, 3}); got != want {
		t.Errorf("TimingOf of an empty probe = %+v, want %+v", got, want)
	}
	written := &corev1.Probe{InitialDelaySeconds: 5, PeriodSeconds: 2, TimeoutSeconds: 4, SuccessThreshold: 1, FailureThreshold: 7}
	if got, want := TimingOf(written), (Timing{5, 2, 4, 1, 7}); got != want {
		t.Errorf("TimingOf = %+v, want %+v", got, want)
	}
	if got, want := TimingOf(&corev1.Probe{InitialDelaySeconds: -1, PeriodSeconds: -1}), (Timing{0, 10, 1, 1, 3}); got != want {
		t.Errorf("TimingOf of refused values = %+v, want %+v", got, want)
	}
}

func TestFailure(t *testing.T) {
	for _, c := range []struct {
		name     string
		timing   Timing
		want     Window
		deadline int64
	}{
		{"defaults", Timing{0, 10, 1, 1, 3}, Window{20, 31}, 21},
		{"one miss kills", Timing{15, 20, 1, 1, 1}, Window{15, 36}, 16},
		// The example of the Kubernetes documentation: 30 × 10 = 300 seconds.
		{"startup probe of the documentation", Timing{0, 10, 1, 1, 30}, Window{290, 301}, 291},
		{"timeout beyond the period", Timing{0, 1, 5, 1, 3}, Window{2, 16}, 7},
		{"largest numbers", Timing{1<<31 - 1, 1<<31 - 1, 1<<31 - 1, 1, 1<<31 - 1},
			Window{(1<<31 - 1) * (1<<31 - 1), (1<<31-1)*(1<<31-1) + 2*(1<<31-1)}, (1<<31 - 1) * (1 << 31)},
	} {
		if got := c.timing.Failure(); got != c.want {
			t.Errorf("%s: Failure() = %v, want %v", c.name, got, c.want)
		}
		if got := c.timing.Deadline(); got != c.deadline {
			t.Errorf("%s: Deadline() = %d, want %d", c.name, got, c.deadline)
		}
	}
}

// simulate steps through the prober's worker for a container that never answers,
// a millisecond at a time, and returns the millisecond after the container's
// start at which the threshold is reached. The ticker ticks at phase and then every period;
// takes says how long a probe lasts, in milliseconds.
func simulate(timing Timing, phase int64, takes func() int64) int64 {
	const second = 1000
	var (
		waiting  bool // the one tick that the ticker's channel holds
		busy     bool
		until    int64 // when the running probe ends
		failures int64
	)
	for now := int64(0); ; now++ {
		if now >= phase && (now-phase)%(timing.Period*second) == 0 {
			waiting = true
		}
		if busy && now == until {
			busy = false
			if failures++; failures == timing.FailureThreshold {
				return now
			}
		}
		for !busy && waiting {
			waiting = false
			if now/second < timing.InitialDelay {
				continue
			}
			lasts := takes()
			if lasts == 0 {
				if failures++; failures == timing.FailureThreshold {
					return now
				}
				continue
			}
			busy, until = true, now+lasts
		}
	}
}

func TestFailureAgainstSimulation(t *testing.T) {
	// A linear congruential generator: arbitrary numbers, the same ones each time.
	state := uint64(1)
	below := func(n int64) int64 {
		state = state*6364136223846793005 + 1442695040888963407
		return int64(state>>33) % n
	}
	const second = 1000
	for range 2000 {
		timing := Timing{
			InitialDelay: below(20), Period: 1 + below(12), Timeout: 1 + below(15),
			SuccessThreshold: 1, FailureThreshold: 1 + below(5),
		}
		want := timing.Failure()
		refused := func() int64 { return 0 }
		hangs := func() int64 { return timing.Timeout * second }

		phase := below(timing.Period * second)
		got := simulate(timing, phase, func() int64 {
			return below(timing.Timeout*second + 1)
		})
		if got < want.Earliest*second || got >= want.Latest*second {
			t.Fatalf("%+v, tick at %d ms: killed at %d ms, outside %v", timing, phase, got, want)
		}

		// Both ends are where they are said to be: the first is met by the ticker that
		// ticks as the delay ends, the last missed by the one that ticked just before.
		due := timing.InitialDelay % timing.Period * second
		if got := simulate(timing, due, refused); got != want.Earliest*second {
			t.Fatalf("%+v, refused: killed at %d ms, want Earliest of %v", timing, got, want)
		}
		missed := due - 1
		if missed < 0 {
			missed += timing.Period * second
		}
		if got := simulate(timing, missed, hangs); got != want.Latest*second-1 {
			t.Fatalf("%+v, hanging: killed at %d ms, want just before Latest of %v", timing, got, want)
		}

		// Deadline: the last probe of the unluckiest ticker is still waiting until then.
		probes := int64(0)
		got = simulate(timing, due, func() int64 {
			if probes++; probes < timing.FailureThreshold {
				return 0
			}
			return timing.Timeout * second
		})
		if got != timing.Deadline()*second {
			t.Fatalf("%+v: the last probe ends at %d ms, want Deadline %d s", timing, got, timing.Deadline())
		}
	}
}

func TestUnanswerable(t *testing.T) {
	c := &corev1.Container{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 80}, {ContainerPort: 81}}}
	http := func(port intstr.IntOrString) *corev1.Probe {
		return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: port}}}
	}
	tcp := func(port intstr.IntOrString) *corev1.Probe {
		return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port}}}
	}
	for _, test := range []struct {
		probe *corev1.Probe
		want  string
	}{
		{http(intstr.FromInt32(8080)), ""}, // a number needs no declaration
		{http(intstr.FromString("http")), ""},
		{http(intstr.FromString("8080")), ""},
		{http(intstr.FromString("web")), `no container port is named "web"`},
		{tcp(intstr.FromString("web")), `no container port is named "web"`},
		{tcp(intstr.FromInt32(0)), "port 0 is not within 1 to 65535"},
		{tcp(intstr.FromString("70000")), "port 70000 is not within 1 to 65535"},
		{&corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9090}}}, ""},
		{&corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{}}}, ""},
		{&corev1.Probe{}, "no handler"},
	} {
		if got := Unanswerable(test.probe, c); got != test.want {
			t.Errorf("Unanswerable(%v) = %q, want %q", test.probe, got, test.want)
		}
	}
}

func TestStartOf(t *testing.T) {
	exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}
	broken := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("none")}}
	for _, test := range []struct {
		name string
		c    corev1.Container
		want Start
	}{
		{"no probes", corev1.Container{}, Start{}},
		{"readiness does not kill", corev1.Container{ReadinessProbe: &corev1.Probe{ProbeHandler: exec}}, Start{}},
		{"liveness", corev1.Container{LivenessProbe: &corev1.Probe{ProbeHandler: exec}},
			Start{"livenessProbe", Timing{0, 10, 1, 1, 3}, 30}},
		{"startup gates liveness", corev1.Container{
			LivenessProbe: &corev1.Probe{ProbeHandler: exec, FailureThreshold: 1},
			StartupProbe:  &corev1.Probe{ProbeHandler: exec, FailureThreshold: 30}},
			Start{"startupProbe", Timing{0, 10, 1, 1, 30}, 30}},
		{"liveness that errors never kills", corev1.Container{LivenessProbe: &corev1.Probe{ProbeHandler: broken}}, Start{}},
		{"startup that errors holds liveness back for ever", corev1.Container{
			LivenessProbe: &corev1.Probe{ProbeHandler: exec}, StartupProbe: &corev1.Probe{ProbeHandler: broken}}, Start{}},
	} {
		if got := StartOf(&corev1.PodSpec{}, &test.c); got != test.want {
			t.Errorf("%s: StartOf = %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestGrace(t *testing.T) {
	seconds := func(n int64) *int64 { return &n }
	for _, test := range []struct {
		pod, probe *int64
		want       int64
	}{
		{nil, nil, 30},
		{seconds(60), nil, 60},
		{seconds(60), seconds(5), 5},
		{nil, seconds(5), 5},
		{seconds(0), nil, 2},
		{seconds(60), seconds(0), 2},
	} {
		pod := &corev1.PodSpec{TerminationGracePeriodSeconds: test.pod}
		if got := Grace(pod, &corev1.Probe{TerminationGracePeriodSeconds: test.probe}); got != test.want {
			t.Errorf("Grace = %d, want %d", got, test.want)
		}
	}
}
