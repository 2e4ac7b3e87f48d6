package cluster_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
)

func quota(spec string) string {
	return "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {" + spec + "}\n"
}

// What a quota demands of a container:
// https://kubernetes.io/docs/concepts/policy/resource-quotas/#requests-vs-limits
// and pkg/quota/v1/evaluator/core/pods.go, Constraints.
func TestUnspecified(t *testing.T) {
	const all = "hard: {requests.cpu: 1, requests.memory: 1Gi, limits.cpu: 2, limits.memory: 2Gi}"
	for _, c := range []struct{ name, resources, more, want string }{
		{"no quota", "", "", ""},
		{"nothing is said", "", quota(all), "limits.cpu limits.memory requests.cpu requests.memory"},
		{"a limit is a request too", "{limits: {memory: 1Mi}}", quota(all), "limits.cpu requests.cpu"},
		{"a request is no limit", "{requests: {memory: 1Mi, cpu: 1}}", quota(all), "limits.cpu limits.memory"},
		{"zero is said", "{limits: {memory: 0, cpu: 0}}", quota(all), ""},
		{"cpu and memory are requests", "", quota("hard: {cpu: 1, memory: 1Gi}"), "cpu memory"},
		{"other amounts need not be said", "", quota("hard: {pods: 4, limits.ephemeral-storage: 1Gi, requests.nvidia.com/gpu: 4, count/secrets: 1}"), ""},
		{"a LimitRange says it", "", quota(all) + limitRange("", "{type: Container, default: {memory: 1Mi}}"), "limits.cpu requests.cpu"},
		{"what a template decides", "{limits: {memory: '${X}', cpu: 1}}", quota(all), ""},
		{"another namespace", "", strings.Replace(quota(all), "name: q", "name: q, namespace: other", 1), ""},
		{"a scope that the pod is in", "", quota("scopes: [NotTerminating], hard: {limits.memory: 1Gi}"), "limits.memory"},
		{"a scope that it is not in", "", quota("scopes: [Terminating], hard: {limits.memory: 1Gi}"), ""},
		{"a pod that sets nothing is BestEffort", "", quota("scopes: [NotBestEffort], hard: {limits.memory: 1Gi}"), ""},
		{"one that sets something is not", "{requests: {cpu: 1}}", quota("scopes: [NotBestEffort], hard: {limits.memory: 1Gi}"), "limits.memory"},
		{"zero is nothing", "{requests: {cpu: 0}}", quota("scopes: [NotBestEffort], hard: {limits.memory: 1Gi}"), ""},
		{"all scopes count", "{requests: {cpu: 1}}", quota("scopes: [NotBestEffort, Terminating], hard: {limits.memory: 1Gi}"), ""},
		{"its priority class", "", quota("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}, hard: {limits.memory: 1Gi}"), "limits.memory"},
		{"another priority class", "", quota("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [low]}]}, hard: {limits.memory: 1Gi}"), ""},
		{"not another priority class", "", quota("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: NotIn, values: [low]}]}, hard: {limits.memory: 1Gi}"), "limits.memory"},
		{"any priority class", "", quota("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: Exists}]}, hard: {limits.memory: 1Gi}"), "limits.memory"},
		{"no priority class", "", quota("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: DoesNotExist}]}, hard: {limits.memory: 1Gi}"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields := "env: []"
			if c.resources != "" {
				fields = "resources: " + c.resources
			}
			text := strings.Replace(deployment(", namespace: shop", fields), "      containers:", "      priorityClassName: high\n      containers:", 1)
			cl := load(t, text+c.more, cluster.Options{Namespace: "shop"})
			var got []string
			for _, h := range cl.Unspecified(container(t, cl, "api")) {
				got = append(got, string(h.Name))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestUnspecifiedWithPodLevelResources(t *testing.T) {
	text := strings.Replace(deployment("", "env: []"), "      containers:", "      resources: {limits: {memory: 1Gi}}\n      containers:", 1) + quota("hard: {limits.memory: 2Gi}")
	for version, want := range map[int]int{0: 0, 34: 0, 33: 1} {
		cl := load(t, text, cluster.Options{Version: version})
		if got := cl.Unspecified(container(t, cl, "api")); len(got) != want {
			t.Errorf("on 1.%d: got %v, want %d", version, got, want)
		}
	}
}

func TestOverhead(t *testing.T) {
	const class = "---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: kata}\nhandler: kata\noverhead: {podFixed: {memory: 120Mi}}\n"
	for _, c := range []struct{ pod, want string }{
		{"", "-"},
		{"runtimeClassName: kata", "120Mi@RuntimeClass/kata"},
		{"runtimeClassName: gvisor", "-"},
		{"runtimeClassName: other\n      overhead: {memory: 10Mi}", "10Mi@Deployment/api"},
	} {
		text := strings.Replace(deployment("", "env: []"), "      containers:", "      "+c.pod+"\n      containers:", 1)
		cl := load(t, text+class, cluster.Options{})
		if got := show(cl.Overhead(cl.Workloads[0], corev1.ResourceMemory)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.pod, got, c.want)
		}
	}
}
