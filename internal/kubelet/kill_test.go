package kubelet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestGrace(t *testing.T) {
	for _, test := range []struct {
		pod, probe *int64
		want       int64
	}{
		{nil, nil, 30},
		{new(int64(60)), nil, 60},
		// The example of the Kubernetes documentation, "Probe-level
		// terminationGracePeriodSeconds": a pod with an hour, a probe with a minute.
		{new(int64(3600)), new(int64(60)), 60},
		{nil, new(int64(5)), 5},
		{new(int64(0)), nil, 2},
		{new(int64(60)), new(int64(0)), 2},
	} {
		pod := &corev1.PodSpec{TerminationGracePeriodSeconds: test.pod}
		if got := Grace(pod, &corev1.Probe{TerminationGracePeriodSeconds: test.probe}); got != test.want {
			t.Errorf("Grace = %d, want %d", got, test.want)
		}
	}
}

func TestStopOf(t *testing.T) {
	exec := &corev1.LifecycleHandler{Exec: &corev1.ExecAction{}}
	sleep := func(seconds int64) *corev1.LifecycleHandler {
		return &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: seconds}}
	}
	probe := &corev1.Probe{}
	for _, test := range []struct {
		name    string
		grace   *int64
		hook    *corev1.LifecycleHandler
		reckons int64
		probe   *corev1.Probe
		want    Stop
	}{
		{"no hook", nil, nil, 99, probe, Stop{0, 30}},
		{"hook within the grace period", nil, exec, 10, probe, Stop{10, 30}},
		// The documentation, "Hook handler execution": 60 s, a hook of 55 s and a
		// container that needs 10 s more is killed before it can stop.
		{"documentation", new(int64(60)), exec, 55, nil, Stop{55, 60}},
		{"hook takes all but a second", nil, exec, 29, probe, Stop{29, 31}},
		{"hook hangs", nil, exec, Never, probe, Stop{30, 32}},
		{"sleep says it itself", nil, sleep(15), 0, probe, Stop{15, 30}},
		{"no grace period, no hook", new(int64(0)), exec, 10, probe, Stop{0, 2}},
		{"deleted with no grace period", new(int64(0)), exec, 10, nil, Stop{1, 3}},
		{"the probe's own", new(int64(60)), exec, 10, &corev1.Probe{TerminationGracePeriodSeconds: new(int64(5))}, Stop{5, 7}},
		{"largest numbers", new(int64(Never)), sleep(Never), 0, nil, Stop{Never, Never}},
	} {
		pod := &corev1.PodSpec{TerminationGracePeriodSeconds: test.grace}
		c := &corev1.Container{Lifecycle: &corev1.Lifecycle{PreStop: test.hook}}
		if got := StopOf(pod, c, test.probe, test.reckons); got != test.want {
			t.Errorf("%s: StopOf = %v, want %v", test.name, got, test.want)
		}
	}
	if got, want := StopOf(&corev1.PodSpec{}, &corev1.Container{}, probe, 5), (Stop{0, 30}); got != want {
		t.Errorf("StopOf without hooks = %v, want %v", got, want)
	}
}
