package cluster

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/manifest"
)

// A Security is the security context that is in effect for a container: what
// the container says, and what it leaves to its pod (kubernetes/kubernetes
// pkg/securitycontext/util.go, DetermineEffectiveSecurityContext). A nil value
// is said nowhere.
type Security struct {
	RunAsUser, RunAsGroup    *Value[int64]
	RunAsNonRoot             *Value[bool]
	ReadOnlyRootFilesystem   *Value[bool]
	AllowPrivilegeEscalation *Value[bool]
	Seccomp                  *Value[corev1.SeccompProfileType]
	Privileged               bool
	// drop and add are names of capabilities without CAP_, or ALL.
	drop, add []string
}

// Security returns the security context in effect for the container.
func (c *Cluster) Security(ctr *manifest.Container) Security {
	var s Security
	if pod := ctr.Workload.Pod.SecurityContext; pod != nil {
		at := func(field string) Origin {
			return Origin{Object: ctr.Workload.Object, Path: ctr.Workload.PodPath.Append("securityContext", field)}
		}
		s.RunAsUser = said(pod.RunAsUser, at("runAsUser"))
		s.RunAsGroup = said(pod.RunAsGroup, at("runAsGroup"))
		s.RunAsNonRoot = said(pod.RunAsNonRoot, at("runAsNonRoot"))
		if pod.SeccompProfile != nil {
			s.Seccomp = said(&pod.SeccompProfile.Type, at("seccompProfile"))
		}
	}
	own := ctr.SecurityContext
	if own == nil {
		return s
	}
	at := func(field string) Origin {
		return Origin{Object: ctr.Workload.Object, Path: ctr.At("securityContext", field)}
	}
	s.RunAsUser = or(said(own.RunAsUser, at("runAsUser")), s.RunAsUser)
	s.RunAsGroup = or(said(own.RunAsGroup, at("runAsGroup")), s.RunAsGroup)
	s.RunAsNonRoot = or(said(own.RunAsNonRoot, at("runAsNonRoot")), s.RunAsNonRoot)
	s.ReadOnlyRootFilesystem = said(own.ReadOnlyRootFilesystem, at("readOnlyRootFilesystem"))
	s.AllowPrivilegeEscalation = said(own.AllowPrivilegeEscalation, at("allowPrivilegeEscalation"))
	if own.SeccompProfile != nil {
		s.Seccomp = said(&own.SeccompProfile.Type, at("seccompProfile"))
	}
	s.Privileged = yes(own.Privileged)
	if own.Capabilities != nil {
		s.drop, s.add = capabilityNames(own.Capabilities.Drop), capabilityNames(own.Capabilities.Add)
	}
	return s
}

func said[T any](v *T, from Origin) *Value[T] {
	if v == nil {
		return nil
	}
	return &Value[T]{V: *v, From: from}
}

func or[T any](v, other *Value[T]) *Value[T] {
	if v != nil {
		return v
	}
	return other
}

// capabilityNames returns the names as Kubernetes writes them, without CAP_: the
// runtimes take both, in any case.
func capabilityNames(list []corev1.Capability) []string {
	names := make([]string, len(list))
	for i, name := range list {
		names[i] = strings.TrimPrefix(strings.ToUpper(string(name)), "CAP_")
	}
	return names
}

// defaultCapabilities are those that containerd, CRI-O and Docker all give a
// container (containerd pkg/oci/spec.go, defaultUnixCaps; cri-o
// internal/config/capabilities, Default, which leaves out more). Docker's and
// containerd's MKNOD, NET_RAW, SYS_CHROOT, AUDIT_WRITE and SETFCAP are not in
// CRI-O's.
var defaultCapabilities = []string{
	"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "KILL",
}

// Allows reports whether the container's processes may have the capability:
// whether it is in their bounding set. A root process then has it; one of
// another user only where its program file carries it. What is dropped by name
// stays dropped, and an ALL counts before single names
// (containerd internal/cri/server/container_create.go, WithCapabilities).
func (s Security) Allows(capability string) bool {
	switch {
	case s.Privileged:
		return true
	case slices.Contains(s.drop, capability):
		return false
	case slices.Contains(s.add, capability), slices.Contains(s.add, "ALL"):
		return true
	case slices.Contains(s.drop, "ALL"):
		return false
	}
	return slices.Contains(defaultCapabilities, capability)
}

// Drops reports whether the container gives up the capability, by its name or
// with ALL.
func (s Security) Drops(capability string) bool {
	return slices.Contains(s.drop, capability) || slices.Contains(s.drop, "ALL") && !s.Allows(capability)
}

// User returns the number of the user that the container's process starts as,
// false when it is not known: what the pod says, or else the image.
func (c *Cluster) User(ctr *manifest.Container) (*Value[int64], bool) {
	if s := c.Security(ctr); s.RunAsUser != nil {
		return s.RunAsUser, s.RunAsUser.From.Object.Known(s.RunAsUser.From.Path)
	}
	u := c.Image(ctr).User
	if u == nil {
		return nil, false
	}
	name, _, _ := strings.Cut(u.Name, ":")
	id, err := strconv.ParseInt(name, 10, 64)
	switch {
	case name == "" || name == "root":
		id = 0
	case err != nil && u.ID == 0:
		return nil, false
	case err != nil:
		id = u.ID
	}
	return &Value[int64]{V: id, From: Origin{Default: "image default"}}, true
}
