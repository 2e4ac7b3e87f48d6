package permissions

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var privilegedPortNonRoot = &rule.Rule{
	ID:       "privileged-port-non-root",
	Title:    "A program that is not root listens on a port below 1024",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkPrivilegedPorts,
}

// firstUnprivileged is the first port that anybody may listen on, the kernel's
// default of net.ipv4.ip_unprivileged_port_start (ip-sysctl). containerd sets it
// to 0 in pods with a network of their own since 2.0
// (internal/cri/config/config_unix.go, EnableUnprivilegedPorts;
// internal/cri/server/podsandbox, sandbox_run_linux.go), Docker since 20.10
// (moby/moby 41030), CRI-O unless configured not (cri-o/cri-o 10050).
const firstUnprivileged = 1024

func checkPrivilegedPorts(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		user, known := p.Cluster.User(ctr)
		if !known || user.V == 0 || !complete(p, ctr) {
			continue
		}
		l, ok := privilegedListener(p, ctr)
		if !ok || lowered(w, l.port) {
			continue
		}
		at := ctr.At("image")
		if user.From.Object != nil {
			at = user.From.Path
		}
		f := rule.Finding{
			Object: w.Object, At: at, Needs: userPaths(ctr),
			Message: fmt.Sprintf("container %q runs as user %d and listens on port %d: only root may below %d, unless the runtime allows it: \"permission denied\" at every start",
				ctr.Name, user.V, l.port, firstUnprivileged),
			Related: []rule.Related{{Object: l.from.Object, At: l.from.Path, Within: l.text, Message: fmt.Sprintf("port %d", l.port)}},
			Notes: []string{
				"containerd allows it since 2.0 and Docker since 20.10, by net.ipv4.ip_unprivileged_port_start; CRI-O does not, and none of them with hostNetwork",
				"adding NET_BIND_SERVICE alone does not help: a process that is not root only has it where its program's file carries it (setcap)",
			},
			Fixes: []rule.Fix{
				{Safety: diag.Display, Message: fmt.Sprintf("let it listen on a port from %d on; the Service may keep its port and name that one as targetPort", firstUnprivileged)},
			},
		}
		if !w.Pod.HostNetwork {
			f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: "or allow it in the pod: securityContext.sysctls with net.ipv4.ip_unprivileged_port_start and value \"0\""})
		}
		p.Report(f)
	}
}

// privilegedListener returns a port below 1024 that the program is known to
// listen on, or that the manifest says it does.
func privilegedListener(p *rule.Pass, ctr *manifest.Container) (listener, bool) {
	facts, w := p.Cluster.Image(ctr), ctr.Workload
	s := p.Cluster.Security(ctr)
	carried := facts.Capabilities != nil && slices.Contains(facts.Capabilities.File, "NET_BIND_SERVICE")
	if carried && (s.AllowPrivilegeEscalation == nil || s.AllowPrivilegeEscalation.V) {
		return listener{}, false // with no_new_privs the kernel leaves a file's capabilities out
	}
	privileged := func(port int32) bool { return port > 0 && port < firstUnprivileged }
	if runsNginx(p.Cluster, ctr) {
		for _, l := range nginxListeners(p.Cluster, ctr) {
			if privileged(l.port) {
				return l, true
			}
		}
	}
	if l := facts.Listens; l != nil {
		if !p.Cluster.RunsEntrypoint(ctr, l.Programs) {
			return listener{}, false
		}
		for _, name := range l.Variables {
			if v, ok := p.Cluster.Environment(ctr).Lookup(name); ok || p.Cluster.Environment(ctr).Open {
				port, err := strconv.ParseInt(v.Value, 10, 32)
				return listener{int32(port), v.Value, v.From}, ok && v.Known && !v.Secret && err == nil && privileged(int32(port))
			}
		}
		for _, file := range l.Config {
			if _, ok := volumeOver(ctr, file); ok || mountsBelow(ctr, file) {
				return listener{}, false
			}
		}
		if i := slices.IndexFunc(l.Ports, privileged); i >= 0 {
			found := listener{port: l.Ports[i]}
			found.from.Object, found.from.Path = w.Object, ctr.At("image")
			return found, true
		}
		return listener{}, false
	}
	if s.Allows("NET_BIND_SERVICE") && adds(ctr, "NET_BIND_SERVICE") {
		return listener{}, false // somebody who knows the image thought of it
	}
	for i, port := range ctr.Ports {
		if port.Protocol != "" && port.Protocol != corev1.ProtocolTCP || !privileged(port.ContainerPort) || !probed(ctr, port) {
			continue
		}
		found := listener{port: port.ContainerPort}
		found.from.Object, found.from.Path = w.Object, ctr.At("ports", i, "containerPort")
		return found, true
	}
	return listener{}, false
}

// mountsBelow reports whether a volume is mounted below the directory.
func mountsBelow(ctr *manifest.Container, dir string) bool {
	return slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(m.MountPath, dir+"/") })
}

// adds reports whether the container adds the capability by its name.
func adds(ctr *manifest.Container, capability string) bool {
	return ctr.SecurityContext != nil && ctr.SecurityContext.Capabilities != nil &&
		slices.ContainsFunc(ctr.SecurityContext.Capabilities.Add, func(c corev1.Capability) bool {
			return strings.TrimPrefix(strings.ToUpper(string(c)), "CAP_") == capability
		})
}

// probed reports whether a probe connects to the port: that it is declared says
// little, that the kubelet is to reach it there says that it listens.
func probed(ctr *manifest.Container, port corev1.ContainerPort) bool {
	is := func(at intstr.IntOrString) bool {
		return at.Type == intstr.String && at.StrVal != "" && at.StrVal == port.Name || at.Type == intstr.Int && at.IntVal == port.ContainerPort
	}
	for _, kind := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		probe := ctr.Probe(kind)
		if probe != nil && (probe.HTTPGet != nil && is(probe.HTTPGet.Port) || probe.TCPSocket != nil && is(probe.TCPSocket.Port)) {
			return true
		}
	}
	return false
}

// lowered reports whether the pod itself allows the port to everybody.
func lowered(w *manifest.Workload, port int32) bool {
	if w.Pod.SecurityContext == nil {
		return false
	}
	for i, s := range w.Pod.SecurityContext.Sysctls {
		if strings.ReplaceAll(s.Name, "/", ".") != "net.ipv4.ip_unprivileged_port_start" {
			continue
		}
		first, err := strconv.ParseInt(s.Value, 10, 32)
		return err != nil || first <= int64(port) || !w.Known(w.PodPath.Append("securityContext", "sysctls", i, "value"))
	}
	return false
}
