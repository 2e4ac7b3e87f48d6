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

// No rule of the family prints what it read in a Secret, nor places a finding
// where a frame would show it.
func TestSecretsAreNotPrinted(t *testing.T) {
	for variable, value := range map[string]string{
		"_JAVA_OPTIONS":                 "-XX:MaxMetaspaceSize=7654m -XX:MaxRAM=76540m -XX:-TieredCompilation",
		"JDK_JAVA_OPTIONS":              "-XX:MaxRAMPercentage=97.61 -XX:MaxDirectMemorySize=7654m",
		"JAVA_TOOL_OPTIONS":             "-Xmx7654m -XX:MaxRAMPercentage=61 -Xms7654mb",
		"NODE_OPTIONS":                  "--max-old-space-size=7654 --x-7654",
		"GOMEMLIMIT":                    "7654Mi",
		"PHP_MEMORY_LIMIT":              "7654M",
		"PYTHONHASHSEED":                "7654000000",
		"DOTNET_GCHeapHardLimit":        "7654000000",
		"DOTNET_GCHeapHardLimitPercent": "0x61",
	} {
		text := fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: 'openjdk:8', resources: {limits: {memory: 1Gi}},
  env: [{name: %s, valueFrom: {secretKeyRef: {name: s, key: o}}}]}]}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {o: %q}}
`, variable, value)
		switch {
		case variable == "_JAVA_OPTIONS":
			text = strings.Replace(text, "env:", "command: [java, '-XX:MaxRAMPercentage=80.0', -jar, a.jar], env:", 1)
		case variable == "JDK_JAVA_OPTIONS":
			text = strings.Replace(text, "openjdk:8", "openjdk:11.0.4", 1)
		case strings.HasPrefix(variable, "NODE"):
			text = strings.Replace(text, "openjdk:8", "node:20", 1)
		case strings.HasPrefix(variable, "P"):
			text = strings.Replace(text, "openjdk:8", "app:8", 1)
		}
		set := loader.LoadText(source.NewFile("pod.yaml", text)).Set
		found := 0
		for _, r := range Family.Rules {
			if r.Workload == nil {
				continue
			}
			p := &rule.Pass{Cluster: cluster.New(set, cluster.Options{}), Report: func(f rule.Finding) {
				found++
				said := fmt.Sprint(f.Message, f.Within, f.Notes, f.Fixes, f.Related)
				if strings.Contains(said, "7654") || strings.Contains(said, "61") || f.Object.Kind == "Secret" {
					t.Errorf("%s: %s shows the Secret's value: %s", variable, r.ID, said)
				}
			}}
			if r.Options != nil {
				p.Options = r.Options()
			}
			r.Workload(p, set.Workloads[0])
		}
		if found == 0 {
			t.Errorf("%s: nothing is found", variable)
		}
	}
}
