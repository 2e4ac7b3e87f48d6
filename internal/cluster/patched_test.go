package cluster_test

import (
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestPatched(t *testing.T) {
	kustomization := func(fields string) string {
		return "---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n" + fields
	}
	elsewhere := "\n## flux/kustomization.yaml\n" + strings.TrimPrefix(kustomization("resources: [gotk.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n"), "---\n")
	for _, c := range []struct {
		name, more string
		want       bool
	}{
		{"alone", "", false},
		{"no patches", kustomization("namePrefix: a-\n"), false},
		{"a target of its name", kustomization("patches: [{path: p.yaml, target: {kind: Deployment, name: api}}]\n"), true},
		{"a target of its kind", kustomization("patches: [{path: p.yaml, target: {kind: Deployment}}]\n"), true},
		{"a target of its kind in a kustomization that does not take it", elsewhere, false},
		{"a target that is a pattern", kustomization("patches: [{path: p.yaml, target: {name: a.*}}]\n"), true},
		{"a pattern of a part of its name", kustomization("patches: [{path: p.yaml, target: {name: ap}}]\n"), false},
		{"a target of another kind", kustomization("patches: [{path: p.yaml, target: {kind: Service, name: api}}]\n"), false},
		{"a pattern that does not compile", kustomization("patches: [{path: p.yaml, target: {name: '('}}]\n"), true},
		{"in line", kustomization("patches:\n- patch: |\n    kind: Deployment\n    metadata: {name: api}\n"), true},
		{"in line, in the old form", kustomization("patchesStrategicMerge:\n- |\n  kind: Deployment\n  metadata: {name: api}\n"), true},
		{"in line, another one", kustomization("patches:\n- patch: |\n    kind: Deployment\n    metadata: {name: web}\n"), false},
		{"a part of it elsewhere", "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {template: {spec: {containers: [{name: api, env: []}]}}}\n", true},
	} {
		cl := load(t, deployment("", "")+c.more, cluster.Options{})
		if got := cl.Patched(container(t, cl, "api").Workload); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
