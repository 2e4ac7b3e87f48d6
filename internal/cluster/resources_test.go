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

func showOpen(v *cluster.Value[resource.Quantity], open bool) string {
	if open {
		return "?"
	}
	return show(v)
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
		{"a limit that does not decode is not filled in", "resources: {limits: {memory: 1GB}}", limitRange("", "{type: Container, default: {memory: 1Mi}}"), "? ?"},
		{"a limit that a template decides", "resources: {requests: {memory: 1Mi}, limits: {memory: '${MEMORY}'}}", "", "1Mi@" + own + " ?"},
		{"resources that a template decides", "resources: '${RESOURCES}'", limitRange("", "{type: Container, default: {memory: 1Mi}}"), "? ?"},
		{"limits that a template decides", "resources: {requests: {memory: 1Mi}, limits: '${LIMITS}'}", "", "1Mi@" + own + " ?"},
		{"no resources", "resources:", "", "- -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := load(t, deployment(", namespace: shop", c.ctr)+c.more, cluster.Options{Namespace: "shop"})
			r := cl.Memory(container(t, cl, "api"))
			if got := showOpen(r.Request, r.OpenRequest) + " " + showOpen(r.Limit, r.OpenLimit); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestPodLevelLimit(t *testing.T) {
	for _, c := range []struct {
		ctr     string
		version int
		want    string
	}{
		{"env: []", 0, "1Gi@Deployment/api"},
		{"env: []", 34, "1Gi@Deployment/api"},
		{"env: []", 33, "-"}, // the API server drops the field
		{"resources: {limits: {memory: 512Mi}}", 34, "512Mi@Deployment/api"},
		{"resources: {limits: {memory: 0}}", 34, "1Gi@Deployment/api"},
	} {
		text := strings.Replace(deployment("", c.ctr), "      containers:", "      resources: {limits: {memory: 1Gi}}\n      containers:", 1)
		cl := load(t, text, cluster.Options{Version: c.version})
		if got := show(cl.Memory(container(t, cl, "api")).Limit); got != c.want {
			t.Errorf("%s on 1.%d: got %s, want %s", c.ctr, c.version, got, c.want)
		}
	}
	cl := load(t, strings.Replace(deployment("", "env: []"), "      containers:", "      resources: {limits: {memory: 1Gi}}\n      containers:", 1), cluster.Options{})
	if path := cl.Memory(container(t, cl, "api")).Limit.From.Path.String(); path != "spec.template.spec.resources.limits.memory" {
		t.Errorf("the limit is from %s", path)
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

// The sums are those of the examples in
// https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
// and
// https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers.
func TestAdmittedPod(t *testing.T) {
	for _, c := range []struct{ name, init, app, pod, want string }{
		{"nothing", "", "{}", "", "- -"},
		{"containers add up", "", "{limits: {memory: 30Mi}}; {limits: {memory: 20Mi}, requests: {memory: 10Mi}}", "", "40Mi 50Mi"},
		{"a container that sets nothing adds nothing", "", "{limits: {memory: 30Mi}}; {}", "", "30Mi 30Mi"},
		{"the largest init container", "{limits: {memory: 50Mi}}; {limits: {memory: 40Mi}}", "{limits: {memory: 30Mi}}", "", "50Mi 50Mi"},
		{"a sidecar is there beside the others", "sidecar {limits: {memory: 10Mi}}", "{limits: {memory: 30Mi}}", "", "40Mi 40Mi"},
		{"an init container behind a sidecar", "sidecar {limits: {memory: 10Mi}}; {limits: {memory: 100Mi}}", "{limits: {memory: 30Mi}}", "", "110Mi 110Mi"},
		{"an init container before a sidecar", "{limits: {memory: 35Mi}}; sidecar {limits: {memory: 10Mi}}", "{limits: {memory: 30Mi}}", "", "40Mi 40Mi"},
		{"the pod's own", "", "{limits: {memory: 30Mi}}", "{requests: {memory: 80Mi}, limits: {memory: 90Mi}}", "80Mi 90Mi"},
		{"requests of the containers before the pod's limit", "", "{requests: {memory: 30Mi}}", "{limits: {memory: 90Mi}}", "30Mi 90Mi"},
		{"the pod's limit for its request", "", "{}", "{limits: {memory: 90Mi}}", "90Mi 90Mi"},
		{"a limit that a template decides", "", "{limits: {memory: 30Mi}}; {requests: {memory: 1Mi}, limits: {memory: '${X}'}}", "", "31Mi ?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
			if c.pod != "" {
				text += "  resources: " + c.pod + "\n"
			}
			for field, list := range map[string]string{"initContainers": c.init, "containers": c.app} {
				if list == "" {
					continue
				}
				text += "  " + field + ":\n"
				for i, resources := range strings.Split(list, "; ") {
					resources, sidecar := strings.CutPrefix(resources, "sidecar ")
					text += fmt.Sprintf("    - {name: %s-%d, image: i, resources: %s", strings.ToLower(field), i, resources)
					if sidecar {
						text += ", restartPolicy: Always"
					}
					text += "}\n"
				}
			}
			cl := load(t, text, cluster.Options{})
			total := cl.AdmittedPod(cl.Workloads[0], corev1.ResourceMemory)
			value := func(q *resource.Quantity, open bool) string {
				switch {
				case open:
					return "?"
				case q == nil:
					return "-"
				}
				return q.String()
			}
			if got := value(total.Request, total.OpenRequest) + " " + value(total.Limit, total.OpenLimit); got != c.want {
				t.Errorf("got %s, want %s\n%s", got, c.want, text)
			}
			if cpu := cl.AdmittedPod(cl.Workloads[0], corev1.ResourceCPU); cpu != (cluster.PodTotal{}) {
				t.Errorf("nobody asks for CPU: got %+v", cpu)
			}
		})
	}
}
