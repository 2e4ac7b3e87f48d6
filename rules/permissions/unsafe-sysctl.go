package permissions

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

var unsafeSysctl = &rule.Rule{
	ID:       "unsafe-sysctl",
	Title:    "The pod sets a kernel parameter that the kubelet refuses",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkSysctls,
}

// safeSysctls are those that every kubelet of a current release admits
// (pkg/kubelet/sysctl/safe_sysctls.go; the last ones since 1.29 and 1.32).
var safeSysctls = []string{
	"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}

// checkSysctls holds the parameters of a pod against what a kubelet admits
// (pkg/kubelet/sysctl/allowlist.go, Admit and validateSysctl). It fails a pod
// with others at once, and its controller makes the next one.
func checkSysctls(p *rule.Pass, w *manifest.Workload) {
	if w.Pod.SecurityContext == nil || w.Pod.OS != nil && w.Pod.OS.Name == corev1.Windows {
		return
	}
	for i, s := range w.Pod.SecurityContext.Sysctls {
		name := strings.ReplaceAll(s.Name, "/", ".")
		f := rule.Finding{Object: w.Object, At: w.PodPath.Append("securityContext", "sysctls", i, "name")}
		namespace := sysctlNamespace(name)
		switch {
		case namespace == "":
			f.Severity = diag.Error
			f.Message = fmt.Sprintf("%s is a parameter of the whole node, and a kubelet only sets those of a pod's own namespaces: it refuses every pod (SysctlForbidden)", name)
			f.Fixes = []rule.Fix{{Safety: diag.Display, Message: "set it on the nodes, or in a privileged init container"}}
		case namespace == "network" && w.Pod.HostNetwork, namespace == "ipc" && w.Pod.HostIPC:
			f.Severity = diag.Error
			field := map[string]string{"network": "hostNetwork", "ipc": "hostIPC"}[namespace]
			f.Message = fmt.Sprintf("%s with %s would change the node, and the kubelet refuses every such pod (SysctlForbidden)", name, field)
			f.Related = []rule.Related{{Object: w.Object, At: w.PodPath.Append(field), Message: "the node's own namespace"}}
		case !slices.Contains(safeSysctls, name):
			f.Message = fmt.Sprintf("%s is not among the parameters that a kubelet admits by itself: it refuses every pod (SysctlForbidden), and the controller makes new ones on and on", name)
			f.Notes = []string{"a node admits it when its kubelet runs with --allowed-unsafe-sysctls (allowedUnsafeSysctls)"}
		default:
			continue
		}
		p.Report(f)
	}
}

// sysctlNamespace returns the namespace that a parameter belongs to, "network"
// or "ipc", empty when it is one of the whole node
// (k8s.io/component-helpers, node/util/sysctl, NamespacedBy).
func sysctlNamespace(name string) string {
	switch {
	case strings.HasPrefix(name, "net."):
		return "network"
	case name == "kernel.sem", strings.HasPrefix(name, "kernel.shm"), strings.HasPrefix(name, "kernel.msg"), strings.HasPrefix(name, "fs.mqueue."):
		return "ipc"
	}
	return ""
}
