package memory

import (
	"cmp"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/source"
)

// heapFindings runs the rule on a container in 1Gi with the given fields.
func heapFindings(t *testing.T, fields string, options heapOptions) []rule.Finding {
	t.Helper()
	text := `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, resources: {limits: {memory: 1Gi}}, ` + fields + `}]}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {o: "-Xmx7654m"}}
`
	set := loader.LoadText(source.NewFile("pod.yaml", text)).Set
	if len(set.Workloads) != 1 {
		t.Fatalf("no pod in\n%s", text)
	}
	var found []rule.Finding
	checkHeap(&rule.Pass{
		Cluster: cluster.New(set, cluster.Options{}), Options: &options,
		Report: func(f rule.Finding) { found = append(found, f) },
	}, set.Workloads[0])
	return found
}

func TestHeapSeverity(t *testing.T) {
	for fields, want := range map[string]diag.Severity{
		"image: app, command: [java, -Xmx1g, -jar, a.jar]":              diag.Error,
		"image: app, command: [java, -Xmx900m, -jar, a.jar]":            diag.Warning,
		"image: app, command: [sh, -c, 'java -Xmx1g $MORE -jar a.jar']": diag.Warning,
		"image: app, env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx1g}]":   diag.Error,
		"image: app, env: [{name: JAVA_OPTS, value: -Xmx1g}]":           diag.Warning,
		"image: tomcat, env: [{name: JAVA_OPTS, value: -Xmx1g}]":        diag.Error,
		"image: apache/kafka": diag.Warning,
		"image: app, env: [{name: JAVA_TOOL_OPTIONS, value: '-XX:MaxRAMPercentage=100'}]": diag.Error,
	} {
		found := heapFindings(t, fields, heapOptions{MaxHeapPercent: 75})
		if len(found) != 1 || cmp.Or(found[0].Severity, jvmHeapOverLimit.Severity) != want {
			t.Errorf("%s: %+v, want one finding of severity %v", fields, found, want)
		}
	}
}

func TestHeapThreshold(t *testing.T) {
	const fields = "image: app, command: [java, -Xmx900m, -jar, a.jar]"
	if found := heapFindings(t, fields, heapOptions{MaxHeapPercent: 90}); len(found) != 0 {
		t.Errorf("88%% of the limit is found with a threshold of 90: %v", found)
	}
	if found := heapFindings(t, fields, heapOptions{}); len(found) != 1 {
		t.Errorf("a threshold of 0: %v", found)
	}
}

func TestHeapFromSecretIsNotPrinted(t *testing.T) {
	found := heapFindings(t, "image: app, env: [{name: JAVA_TOOL_OPTIONS, valueFrom: {secretKeyRef: {name: s, key: o}}}]", heapOptions{MaxHeapPercent: 75})
	if len(found) != 1 {
		t.Fatalf("%d findings", len(found))
	}
	f := found[0]
	said := f.Message + f.Within + strings.Join(f.Notes, "")
	for _, fix := range f.Fixes {
		said += fix.Message
	}
	// 7654 MiB is 747.5% of the limit.
	if strings.Contains(said, "7654") || strings.Contains(said, "747") || f.Object.Kind == "Secret" {
		t.Errorf("the Secret's value shows: %s", said)
	}
}
