package probes

import (
	"fmt"
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// A subject is one probe of a container that the kubelet runs.
type subject struct {
	*rule.Pass
	ctr *manifest.Container
	// field is liveness, readiness or startup.
	field string
	probe *corev1.Probe
}

// eachProbe calls the function for every probe of the workload's containers that
// the kubelet runs: those of init containers that run to their end are refused
// by the API server (probe-rejected).
func eachProbe(p *rule.Pass, w *manifest.Workload, do func(subject)) {
	for _, ctr := range w.Containers {
		if ctr.Role == manifest.Init {
			continue
		}
		for _, field := range []string{startup, liveness, readiness} {
			if probe := ctr.Probe(field); probe != nil {
				do(subject{p, ctr, field, probe})
			}
		}
	}
}

// at returns a path below the probe.
func (s subject) at(steps ...any) node.Path { return s.ctr.At(s.field).Append(steps...) }

// asks begins a sentence about the probe.
func (s subject) asks() string {
	switch s.field {
	case liveness:
		return "liveness"
	case readiness:
		return "readiness"
	}
	return "the startup probe"
}

func (s subject) report(f rule.Finding, format string, args ...any) {
	f.Object = s.ctr.Workload.Object
	f.Message = fmt.Sprintf("container %q: ", s.ctr.Name) + fmt.Sprintf(format, args...)
	f.Needs = append(f.Needs, s.at())
	s.Report(f)
}

// fails says what a probe does that fails every time.
func (s subject) fails() string {
	window := kubelet.TimingOf(s.probe).Failure()
	switch {
	case s.field == readiness:
		return "the pod never becomes ready"
	case s.field == liveness && s.ctr.StartupProbe != nil:
		t := kubelet.TimingOf(s.probe)
		t.InitialDelay = 0
		return fmt.Sprintf("the container is killed within %s of each start that the startup probe lets pass", span(t.Failure()))
	}
	return fmt.Sprintf("the container is killed %s after each start", span(window))
}

// voids says what a probe does that the kubelet cannot carry out: its worker
// throws the result away (pkg/kubelet/prober/worker.go, doProbe).
func (s subject) voids() string {
	switch s.field {
	case readiness:
		return "the pod never becomes ready"
	case liveness:
		return "it never restarts the container when that hangs"
	}
	return "the container never counts as started: it is never ready, and its other probes never begin"
}

// port returns the port that the kubelet connects to and the field that names
// it, false when there is none or the files do not say which.
func (s subject) port() (number int64, at node.Path, ok bool) {
	var port intstr.IntOrString
	switch {
	case s.probe.HTTPGet != nil:
		port, at = s.probe.HTTPGet.Port, s.at("httpGet", "port")
	case s.probe.TCPSocket != nil:
		port, at = s.probe.TCPSocket.Port, s.at("tcpSocket", "port")
	case s.probe.GRPC != nil:
		port, at = intstr.FromInt32(s.probe.GRPC.Port), s.at("grpc", "port")
	default:
		return 0, nil, false
	}
	number = int64(port.IntVal)
	if port.Type == intstr.String {
		declared := portNamed(s.ctr, port.StrVal)
		if declared == nil {
			return 0, at, false
		}
		number = int64(declared.ContainerPort)
	}
	return number, at, number > 0 && number <= math.MaxUint16 && s.ctr.Workload.Known(at)
}

// portNamed returns the container's port of that name, nil when it has none.
func portNamed(ctr *manifest.Container, name string) *corev1.ContainerPort {
	for i := range ctr.Ports {
		if ctr.Ports[i].Name == name {
			return &ctr.Ports[i]
		}
	}
	return nil
}

// host returns the host that the kubelet connects to, empty for the pod's IP.
func (s subject) host() string {
	switch {
	case s.probe.HTTPGet != nil:
		return s.probe.HTTPGet.Host
	case s.probe.TCPSocket != nil:
		return s.probe.TCPSocket.Host
	}
	return ""
}

// process returns what an exec probe runs.
func (s subject) process() cluster.Process {
	return s.Cluster.ProbeProcess(s.ctr, s.probe.Exec.Command, s.at("exec", "command"))
}

// handler is the key of the probe's handler, empty when it has none.
func (s subject) handler() string {
	switch {
	case s.probe.Exec != nil:
		return "exec"
	case s.probe.HTTPGet != nil:
		return "httpGet"
	case s.probe.TCPSocket != nil:
		return "tcpSocket"
	case s.probe.GRPC != nil:
		return "grpc"
	}
	return ""
}
