package kubelet

import (
	"math/rand/v2"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestSidecar(t *testing.T) {
	always := &corev1.Container{RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}
	for _, test := range []struct {
		minor int
		c     *corev1.Container
		want  bool
	}{
		{0, always, true},
		{29, always, true},
		{28, always, false},
		{0, &corev1.Container{}, false},
		{0, &corev1.Container{RestartPolicy: new(corev1.ContainerRestartPolicyOnFailure)}, false},
	} {
		if got := (Node{Minor: test.minor}).Sidecar(test.c); got != test.want {
			t.Errorf("1.%d: Sidecar = %v, want %v", test.minor, got, test.want)
		}
	}
}

func TestRestarts(t *testing.T) {
	container := func(policy corev1.ContainerRestartPolicy, rules ...corev1.ContainerRestartRule) corev1.Container {
		return corev1.Container{Name: "c", RestartPolicy: &policy, RestartPolicyRules: rules}
	}
	on := func(action corev1.ContainerRestartRuleAction, op corev1.ContainerRestartRuleOnExitCodesOperator, codes ...int32) corev1.ContainerRestartRule {
		return corev1.ContainerRestartRule{Action: action, ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: op, Values: codes}}
	}
	const (
		in, notIn    = corev1.ContainerRestartRuleOnExitCodesOpIn, corev1.ContainerRestartRuleOnExitCodesOpNotIn
		restart, all = corev1.ContainerRestartRuleActionRestart, corev1.ContainerRestartRuleActionRestartAllContainers
	)
	app, plain := corev1.Container{Name: "c"}, corev1.Container{Name: "i"}
	sidecar := corev1.Container{Name: "s", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}
	never42 := container("Never", on(restart, in, 42))
	for _, test := range []struct {
		name   string
		minor  int
		policy corev1.RestartPolicy
		c      corev1.Container
		code   int32
		want   bool
	}{
		{"no policy is Always", 0, "", app, 0, true},
		{"Always", 0, "Always", app, 0, true},
		{"OnFailure, failed", 0, "OnFailure", app, 1, true},
		{"OnFailure, done", 0, "OnFailure", app, 0, false},
		{"Never", 0, "Never", app, 1, false},
		{"init container done", 0, "Always", plain, 0, false},
		{"init container failed", 0, "Always", plain, 1, true},
		{"init container failed under Never", 0, "Never", plain, 1, false},
		{"sidecar under Never", 0, "Never", sidecar, 0, true},
		{"sidecar under Never in 1.30", 30, "Never", sidecar, 0, true},
		{"sidecar in 1.28 is an init container", 28, "Never", sidecar, 0, false},
		{"the container's policy goes first", 35, "Never", container("OnFailure"), 1, true},
		{"and is unknown in 1.34", 34, "Never", container("OnFailure"), 1, false},
		{"rule", 35, "Always", never42, 42, true},
		{"rule, another code", 35, "Always", never42, 1, false},
		{"rule NotIn", 0, "Always", container("Never", on(restart, notIn, 1)), 42, true},
		{"rule NotIn, listed", 0, "Always", container("Never", on(restart, notIn, 42)), 42, false},
		{"restart all", 36, "Never", container("Never", on(all, in, 42)), 42, true},
		{"restart all in 1.35", 35, "Never", container("Never", on(all, in, 42)), 42, false},
		{"rule without exit codes", 0, "Never", container("Never", corev1.ContainerRestartRule{Action: restart}), 1, false},
	} {
		n := Node{Minor: test.minor}
		pod := &corev1.PodSpec{RestartPolicy: test.policy, InitContainers: []corev1.Container{plain, sidecar}}
		if got := n.Restarts(pod, &test.c, test.code); got != test.want {
			t.Errorf("%s: Restarts = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestStarts(t *testing.T) {
	for _, test := range []struct {
		name   string
		node   Node
		life   int64
		killed bool
		want   []int64
	}{
		// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy:
		// an immediate restart, then 10s, 20s, 40s, … capped at 300 s.
		{"documentation", Node{}, 0, false, []int64{0, 0, 10, 30, 70, 150, 310, 610, 910}},
		// The same page: reset once it has run for 10 minutes.
		{"ran for more than 10 minutes", Node{}, 601, false, []int64{0, 601, 1202, 1803}},
		{"ran for 10 minutes", Node{}, 600, false, []int64{0, 600, 1200, 1800}},
		// KEP-4603: 1s, 2s, 4s, … capped at 60 s.
		{"reduced", Node{BackOff: ReducedBackOff}, 0, false, []int64{0, 0, 1, 3, 7, 15, 31, 63, 123, 183}},
		// pod-lifecycle.md, "Configurable container restart delay", with 100 s and 1 s.
		{"maximum of the node", Node{BackOff: BackOff{10, 100}}, 0, false, []int64{0, 0, 10, 30, 70, 150, 250, 350}},
		{"maximum below the initial delay", Node{BackOff: BackOff{10, 1}}, 0, false, []int64{0, 0, 1, 2, 3}},
		{"killed at once", Node{}, 0, true, []int64{0, 0, 0, 10, 30, 70, 150, 310, 610}},
		{"killed, outlives the delays", Node{}, 400, true, []int64{0, 400, 800, 1200, 1600, 2000, 2400, 2800, 3200}},
		{"collected while it waits", Node{}, 400, false, []int64{0, 400, 810, 1230, 1670, 2150, 2710, 3310, 3720}},
	} {
		if got := test.node.Starts(test.life, test.killed, len(test.want)); !slices.Equal(got, test.want) {
			t.Errorf("%s: Starts = %v, want %v", test.name, got, test.want)
		}
	}
	if got := (Node{}).Starts(Never, false, 2); !slices.Equal(got, []int64{0, Never}) {
		t.Errorf("Starts of a container that never ends = %v", got)
	}
}

// Kubernetes issue 99697 has what kubectl showed of a container that liveness
// kills after 60 to 70 seconds: five restarts at once, then always two restarts
// for one CrashLoopBackOff.
func TestStartsOfIssue99697(t *testing.T) {
	ages := [][2]int64{ // from, and to, as kubectl rounds minutes down
		{3, 3}, {67, 67}, {137, 137}, {206, 206}, {276, 276}, {346, 346}, {511, 511}, {576, 576},
		{900, 959}, {1020, 1079}, {1380, 1439}, {1440, 1499},
	}
	// A kubelet of 1.20 looked again every 10 to 15 seconds.
	const life, late, off = 69, 12, 15
	r, start := restarts{BackOff: DefaultBackOff}, int64(0)
	for i, age := range ages {
		if start < age[0]-off || start > age[1]+off {
			t.Errorf("start %d at %d s, seen at %v", i, start, age)
		}
		end := start + life
		if start = r.next(end, true); start > end {
			start += late
			r.updated = start
		}
	}
}

// simulateRestarts lives through the seconds of a pod's syncs as the kubelet
// does: the statuses of the instances, doBackOff, flowcontrol.Backoff and its
// collector.
func simulateRestarts(b BackOff, life int64, killed bool, until int64) []int64 {
	type instance struct{ started, finished int64 }
	type entry struct{ backOff, lastUpdate int64 }
	var (
		dead    []instance // the newest last
		running *instance
		e       *entry
		starts  []int64
	)
	start := func(now int64, visible []instance) {
		if len(visible) > 0 {
			finished := visible[len(visible)-1].finished
			expired := func() bool { return finished-e.lastUpdate > 600 }
			if e != nil && !expired() && now-finished < e.backOff {
				return
			}
			if e == nil || expired() {
				e = &entry{backOff: b.Initial}
			} else if e.backOff *= 2; e.backOff > b.Max {
				e.backOff = b.Max
			}
			e.lastUpdate = now
		}
		running = &instance{started: now}
		starts = append(starts, now)
	}
	for now := range until {
		if e != nil && now-e.lastUpdate > 600 {
			e = nil
		}
		if running == nil {
			start(now, dead)
		}
		if running == nil && now-e.lastUpdate == 600 {
			e = nil // a moment after the tenth minute, which is no second later
			start(now, dead)
		}
		for running != nil && now-running.started >= life {
			before := dead
			running.finished = now
			dead = append(slices.Clone(dead), *running)
			running = nil
			if killed {
				start(now, before)
			}
			if running == nil {
				start(now, dead)
			}
		}
	}
	return starts
}

func TestStartsAgainstSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		b := []BackOff{DefaultBackOff, ReducedBackOff, {10, 1 + random.Int64N(300)}}[random.IntN(3)]
		n := Node{BackOff: b}
		life, killed := 1+random.Int64N(1+random.Int64N(800)), random.IntN(2) == 0
		if life == 600 { // more than that or not is a matter of milliseconds
			continue
		}
		want := simulateRestarts(n.backOff(), life, killed, 6000)
		got := n.Starts(life, killed, len(want))
		if !slices.Equal(got, want) {
			t.Fatalf("%+v, life %d s, killed %v: Starts = %v, the simulation has %v", b, life, killed, got, want)
		}
	}
}
