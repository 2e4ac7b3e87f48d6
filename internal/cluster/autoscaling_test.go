package cluster_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
)

func autoscaler(target, spec string) string {
	return "---\napiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\nmetadata: {name: vpa}\nspec:\n" +
		"  targetRef: {apiVersion: apps/v1, kind: Deployment, name: " + target + "}\n" + indent(2, spec)
}

func policy(fields string) string { return "resourcePolicy: {containerPolicies: [{" + fields + "}]}" }

func TestScaledLimit(t *testing.T) {
	const resources = "{requests: {memory: 1Gi}, limits: {memory: 2Gi}}"
	for _, c := range []struct{ name, resources, more, want string }{
		{"none", resources, "", "-"},
		{"the recommender's minimum, in proportion", resources, autoscaler("api", "updatePolicy: {}"), "Recreate: 500Mi ... -"},
		{"another target", resources, autoscaler("web", "updatePolicy: {}"), "-"},
		{"two of them", resources, autoscaler("api", "updatePolicy: {}") + autoscaler("api", "updatePolicy: {}"), "-"},
		{"off", resources, autoscaler("api", "updatePolicy: {updateMode: 'Off'}"), "-"},
		{"off as a boolean", resources, autoscaler("api", "updatePolicy: {updateMode: Off}"), "-"},
		{"initial", resources, autoscaler("api", "updatePolicy: {updateMode: Initial}"), "Initial: 500Mi ... -"},
		{"in place", resources, autoscaler("api", "updatePolicy: {updateMode: InPlaceOrRecreate}"), "InPlaceOrRecreate: 500Mi ... -"},
		{"bounds are of the request", resources, autoscaler("api", policy("containerName: api, minAllowed: {memory: 512Mi}, maxAllowed: {memory: 2Gi}")), "Recreate: 1Gi ... 4Gi"},
		{"the same request and limit", "{limits: {memory: 2Gi}}", autoscaler("api", policy("containerName: '*', minAllowed: {memory: 512Mi}, maxAllowed: {memory: 2Gi}")), "Recreate: 512Mi ... 2Gi"},
		{"the container's own policy", resources, autoscaler("api", policy("containerName: api, maxAllowed: {memory: 2Gi}}, {containerName: '*', maxAllowed: {memory: 1Gi}")), "Recreate: 500Mi ... 4Gi"},
		{"another container's policy", resources, autoscaler("api", policy("containerName: web, maxAllowed: {memory: 2Gi}")), "Recreate: 500Mi ... -"},
		{"zero is no bound", resources, autoscaler("api", policy("containerName: api, minAllowed: {memory: 0}, maxAllowed: {memory: 0}")), "Recreate: 500Mi ... -"},
		{"bounds that a template decides", resources, autoscaler("api", policy("containerName: api, minAllowed: {memory: '${X}'}, maxAllowed: {memory: '${Y}'}")), "Recreate: ? ... ?"},
		{"no limit", "{requests: {memory: 1Gi}}", autoscaler("api", "updatePolicy: {}"), "-"},
		{"requests only", resources, autoscaler("api", policy("containerName: api, controlledValues: RequestsOnly")), "-"},
		{"limits too", resources, autoscaler("api", policy("containerName: api, controlledValues: RequestsAndLimits")), "Recreate: 500Mi ... -"},
		{"cpu only", resources, autoscaler("api", policy("containerName: api, controlledResources: [cpu]")), "-"},
		{"memory only", resources, autoscaler("api", policy("containerName: api, controlledResources: [memory]")), "Recreate: 500Mi ... -"},
		{"the container is left alone", resources, autoscaler("api", policy("containerName: api, mode: 'Off'")), "-"},
		{"another recommender", resources, autoscaler("api", "recommenders: [{name: mine}]"), "Recreate: ? ... -"},
		{"the min of a LimitRange", resources, autoscaler("api", "updatePolicy: {}") + limitRange("", "{type: Container, min: {memory: 1Gi}}"), "Recreate: 1Gi ... -"},
		{"a limit from a LimitRange", "{requests: {memory: 1Gi}}", autoscaler("api", policy("containerName: api, maxAllowed: {memory: 2Gi}")) +
			limitRange("", "{type: Container, default: {memory: 2Gi}}"), "Recreate: 500Mi ... 4Gi"},
		{"more than fits", "{requests: {memory: 1}, limits: {memory: 2Gi}}", autoscaler("api", policy("containerName: api, maxAllowed: {memory: 8Ei}")), "Recreate: 500Pi ... 9223372036854775807"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := load(t, deployment("", "resources: "+c.resources)+c.more, cluster.Options{})
			got := "-"
			if s, ok := cl.ScaledLimit(container(t, cl, "api")); ok {
				bound := func(v *cluster.Value[resource.Quantity], open bool) string {
					text, _, _ := strings.Cut(showOpen(v, open), "@")
					return text
				}
				got = s.Mode + ": " + bound(s.Least, s.OpenLeast) + " ... " + bound(s.Most, s.OpenMost)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
