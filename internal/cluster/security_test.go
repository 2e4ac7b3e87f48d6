package cluster_test

import (
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestSecurity(t *testing.T) {
	c := load(t, `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  securityContext:
    runAsUser: 1000
    runAsNonRoot: true
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: inherits
      image: nginx:1.27
    - name: replaces
      image: nginx:1.27
      securityContext:
        runAsUser: 0
        runAsNonRoot: false
        readOnlyRootFilesystem: true
        seccompProfile: {type: Unconfined}
        capabilities: {drop: [ALL], add: [cap_chown, net_raw]}
    - name: drops
      image: nginx:1.27
      securityContext:
        capabilities: {add: [ALL], drop: [CHOWN]}
`, cluster.Options{})
	containers := c.Workloads[0].Containers
	s := c.Security(containers[0])
	if s.RunAsUser.V != 1000 || !s.RunAsNonRoot.V || s.Seccomp.V != "RuntimeDefault" || s.ReadOnlyRootFilesystem != nil {
		t.Errorf("of the pod: %+v", s)
	}
	if !s.Allows("CHOWN") || s.Allows("SYS_ADMIN") || s.Drops("CHOWN") {
		t.Error("capabilities of a container that says nothing are not the runtimes' own")
	}
	s = c.Security(containers[1])
	if s.RunAsUser.V != 0 || s.RunAsNonRoot.V || s.Seccomp.V != "Unconfined" || !s.ReadOnlyRootFilesystem.V {
		t.Errorf("of the container: %+v", s)
	}
	for capability, want := range map[string]bool{"CHOWN": true, "NET_RAW": true, "SETUID": false} {
		if s.Allows(capability) != want || s.Drops(capability) == want {
			t.Errorf("drop ALL, add CHOWN and NET_RAW: %s allowed: %v", capability, s.Allows(capability))
		}
	}
	s = c.Security(containers[2])
	if s.Allows("CHOWN") || !s.Allows("SYS_ADMIN") {
		t.Error("add ALL, drop CHOWN: what is dropped by name stays dropped")
	}
}

func TestUser(t *testing.T) {
	for image, want := range map[string]int64{
		"nginx:1.27": 0, "nginxinc/nginx-unprivileged:1.27": 101, "memcached:1.6": 11211, "adminer:5": -1, "registry.example/own:1": -1,
	} {
		c := load(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: a\n      image: "+image+"\n", cluster.Options{})
		got := int64(-1)
		if user, ok := c.User(c.Workloads[0].Containers[0]); ok {
			got = user.V
		}
		if got != want {
			t.Errorf("%s runs as %d, want %d", image, got, want)
		}
	}
}
