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
