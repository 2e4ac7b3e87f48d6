package cluster_test

import (
	"slices"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestMountedFiles(t *testing.T) {
	c := load(t, `
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {a.cnf: "a=1", b.cnf: "b=2", other: "c=3"}
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: c
    image: x
    volumeMounts:
    - {name: all, mountPath: /etc/app/conf.d/}
    - {name: all, mountPath: /etc/one/z.cnf, subPath: b.cnf}
    - {name: some, mountPath: /etc/some}
    - {name: joined, mountPath: /etc/joined}
    - {name: other, mountPath: /etc/none}
  volumes:
  - {name: all, configMap: {name: conf}}
  - {name: some, configMap: {name: conf, items: [{key: other, path: sub/x.cnf}]}}
  - {name: joined, projected: {sources: [{configMap: {name: conf, items: [{key: a.cnf, path: j.cnf}]}}]}}
  - {name: other, emptyDir: {}}
`, cluster.Options{})
	ctr := c.Workloads[0].Containers[0]
	for dir, want := range map[string][]string{
		"/etc/app/conf.d": {"/etc/app/conf.d/a.cnf", "/etc/app/conf.d/b.cnf", "/etc/app/conf.d/other"},
		"/etc/app":        nil,
		"/etc/one":        {"/etc/one/z.cnf"},
		"/etc/some":       nil,
		"/etc/some/sub":   {"/etc/some/sub/x.cnf"},
		"/etc/joined/":    {"/etc/joined/j.cnf"},
		"/etc/none":       nil,
	} {
		var got []string
		for _, f := range c.MountedFiles(ctr, dir) {
			got = append(got, f.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", dir, got, want)
		}
	}
	if f, ok := c.MountedFile(ctr, "/etc/one/z.cnf"); !ok || f.Text != "b=2" || f.From.Object.Kind != "ConfigMap" {
		t.Errorf("a file: %+v, %v", f, ok)
	}
}
