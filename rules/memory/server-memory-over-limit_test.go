package memory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

func TestServerSecretIsNotPrinted(t *testing.T) {
	text := `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: memcached, args: [-m, $(SIZE)],
  resources: {limits: {memory: 1Gi}}, env: [{name: SIZE, valueFrom: {secretKeyRef: {name: s, key: o}}}]}]}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {o: "7654"}}
`
	set := loader.LoadText(source.NewFile("pod.yaml", text)).Set
	found := 0
	p := &rule.Pass{Cluster: cluster.New(set, cluster.Options{}), Report: func(f rule.Finding) {
		found++
		if said := fmt.Sprint(f.Message, f.Within, f.Notes, f.Fixes, f.Related); strings.Contains(said, "7654") || strings.Contains(said, "15308") || f.Object.Kind != "Pod" {
			t.Errorf("the Secret's value is shown: %s", said)
		}
	}}
	serverMemoryOverLimit.Workload(p, set.Workloads[0])
	if found != 1 {
		t.Errorf("%d findings", found)
	}
}
