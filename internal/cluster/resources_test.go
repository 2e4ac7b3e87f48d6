package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
)

func limitRange(meta, limits string) string {
	return "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: lr" + meta + "}\nspec: {limits: [" + limits + "]}\n"
}

func show(v *cluster.Value[resource.Quantity]) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%s@%s", v.V.String(), v.From.Object)
}

func TestMemory(t *testing.T) {
	const own = "Deployment/api"
	const lr = "LimitRange/lr"
	for _, c := range []struct{ name, ctr, more, want string }{
		{"nothing", "", "", "- -"},
		{"own", "resources: {requests: {memory: 1Gi}, limits: {memory: 2Gi}}", "", "1Gi@" + own + " 2Gi@" + own},
		{"a request from the limit", "resources: {limits: {memory: 2Gi}}", "", "2Gi@" + own + " 2Gi@" + own},
		{"only a request", "resources: {requests: {memory: 2Gi}}", "", "2Gi@" + own + " -"},
		{"defaults", "", limitRange("", "{type: Container, default: {memory: 512Mi}, defaultRequest: {memory: 256Mi}}"), "256Mi@" + lr + " 512Mi@" + lr},
		{"a default request from the default", "", limitRange("", "{type: Container, default: {memory: 512Mi}}"), "512Mi@" + lr + " 512Mi@" + lr},
		{"a default from the max", "", limitRange("", "{type: Container, max: {memory: 1Gi}, min: {memory: 1Mi}}"), "1Gi@" + lr + " 1Gi@" + lr},
		{"a default request from the min", "", limitRange("", "{type: Container, min: {memory: 1Mi}}"), "1Mi@" + lr + " -"},
		{"the own limit wins, and gives the request first", "resources: {limits: {memory: 2Gi}}",
			limitRange("", "{type: Container, default: {memory: 512Mi}, defaultRequest: {memory: 256Mi}}"), "2Gi@" + own + " 2Gi@" + own},
		{"the last entry counts", "", limitRange("", "{type: Container, default: {memory: 1Mi}}, {type: Container, default: {memory: 2Mi}}"), "2Mi@" + lr + " 2Mi@" + lr},
		{"an entry for pods gives no defaults", "", limitRange("", "{type: Pod, max: {memory: 1Gi}}"), "- -"},
		{"another namespace", "", limitRange(", namespace: other", "{type: Container, default: {memory: 1Mi}}"), "- -"},
		{"a limit that does not decode is not filled in", "resources: {limits: {memory: 1GB}}", limitRange("", "{type: Container, default: {memory: 1Mi}}"), "- -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := load(t, deployment(", namespace: shop", c.ctr)+c.more, cluster.Options{Namespace: "shop"})
			r := cl.Memory(container(t, cl, "api"))
			if got := show(r.Request) + " " + show(r.Limit); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestPodLevelLimit(t *testing.T) {
	text := strings.Replace(deployment("", "env: []"), "      containers:", "      resources: {limits: {memory: 1Gi}}\n      containers:", 1)
	cl := load(t, text, cluster.Options{})
	v := cl.Memory(container(t, cl, "api")).Limit
	if show(v) != "1Gi@Deployment/api" || v.From.Path.String() != "spec.template.spec.resources.limits.memory" {
		t.Errorf("got %s at %s", show(v), v.From.Path)
	}
	if admitted := cl.Admitted(container(t, cl, "api"), corev1.ResourceMemory); admitted.Limit != nil {
		t.Error("the pod's limit is not the container's")
	}
}

func TestLimitRangesNearby(t *testing.T) {
	item := "{type: Container, default: {memory: 1Mi}}"
	for _, c := range []struct {
		name, files string
		want        int
	}{
		{"the same folder", "## a/app.yaml\n" + deployment("", "env: []") + "## a/lr.yaml\n" + limitRange("", item), 1},
		{"a folder above", "## a/b/app.yaml\n" + deployment("", "env: []") + "## a/lr.yaml\n" + limitRange("", item), 1},
		{"a folder beside", "## a/app.yaml\n" + deployment("", "env: []") + "## b/lr.yaml\n" + limitRange("", item), 0},
		{"a folder beside, the same namespace", "## a/app.yaml\n" + deployment(", namespace: x", "env: []") + "## b/lr.yaml\n" + limitRange(", namespace: x", item), 1},
		{"the nearest of two folders", "## a/app.yaml\n" + deployment(", namespace: x", "env: []") + "## a/lr.yaml\n" + limitRange(", namespace: x", item) +
			"## b/lr.yaml\n" + limitRange(", namespace: x", item), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := load(t, c.files, cluster.Options{})
			if got := cl.LimitRanges(cl.Workloads[0]); len(got) != c.want {
				t.Errorf("got %d, want %d", len(got), c.want)
			}
		})
	}
}

func TestAdmittedPod(t *testing.T) {
	pod := `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  initContainers:
    - {name: side, image: i, restartPolicy: Always, resources: {limits: {memory: 10Mi}}}
    - {name: init, image: i, resources: {limits: {memory: 100Mi}}}
  containers:
    - {name: a, image: i, resources: {limits: {memory: 30Mi}}}
    - {name: b, image: i}
`
	cl := load(t, pod, cluster.Options{})
	request, limit := cl.AdmittedPod(cl.Workloads[0], corev1.ResourceMemory)
	if request.String() != "110Mi" || limit.String() != "110Mi" {
		t.Errorf("got %s and %s, want the init container with the sidecar, 110Mi", request, limit)
	}
	if request, limit := cl.AdmittedPod(cl.Workloads[0], corev1.ResourceCPU); request != nil || limit != nil {
		t.Errorf("nobody asks for CPU: got %s and %s", request, limit)
	}
}
