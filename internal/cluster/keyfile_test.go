package cluster_test

import (
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

const keyFiles = `
apiVersion: v1
kind: ConfigMap
metadata: {name: scripts}
data: {start.sh: "#!/bin/sh\nexec /server\n", other: x}
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  volumes:
    - name: all
      configMap: {name: scripts}
    - name: some
      configMap: {name: scripts, defaultMode: 0755, items: [{key: start.sh, path: bin/run.sh, mode: 0500}]}
    - name: secret
      secret: {secretName: elsewhere, defaultMode: 0400}
    - name: several
      projected: {sources: [{secret: {name: elsewhere}}, {configMap: {name: scripts}}]}
    - name: token
      projected: {sources: [{configMap: {name: scripts}}, {serviceAccountToken: {path: token}}]}
    - name: data
      emptyDir: {}
  containers:
    - name: api
      image: x
      workingDir: /all
      volumeMounts:
        - {name: all, mountPath: /all/}
        - {name: some, mountPath: /some}
        - {name: some, mountPath: /single.sh, subPath: bin/run.sh}
        - {name: secret, mountPath: /secret}
        - {name: several, mountPath: /several}
        - {name: token, mountPath: /token}
        - {name: data, mountPath: /all/data}
`

func TestKeyFile(t *testing.T) {
	c := load(t, keyFiles, cluster.Options{})
	ctr := container(t, c, "api")
	for file, want := range map[string]struct {
		key    string
		mode   int32
		at     string
		absent bool
	}{
		"/all/start.sh":        {"start.sh", 0o644, "spec.volumes[0].configMap.defaultMode", false},
		"start.sh":             {"start.sh", 0o644, "spec.volumes[0].configMap.defaultMode", false},
		"/all/..data/start.sh": {"start.sh", 0o644, "spec.volumes[0].configMap.defaultMode", false},
		"/all/run.sh":          {"run.sh", 0o644, "spec.volumes[0].configMap.defaultMode", true},
		"/some/bin/run.sh":     {"start.sh", 0o500, "spec.volumes[1].configMap.items[0].mode", false},
		"/some/start.sh":       {"", 0o755, "spec.volumes[1].configMap.defaultMode", true},
		"/single.sh":           {"start.sh", 0o500, "spec.volumes[1].configMap.items[0].mode", false},
		"/secret/key":          {"key", 0o400, "spec.volumes[2].secret.defaultMode", false},
		"/several/start.sh":    {"start.sh", 0o644, "spec.volumes[3].projected.defaultMode", false},
		"/several/unknown":     {"", 0o644, "spec.volumes[3].projected.defaultMode", false},
		"/token/unknown":       {"", 0o644, "spec.volumes[4].projected.defaultMode", false},
	} {
		f, ok := c.KeyFile(ctr, file)
		if !ok || f.Object.Key != want.key || f.Mode != want.mode || f.ModeAt.String() != want.at || f.Absent != want.absent {
			t.Errorf("%s: %v key %q mode %#o at %s absent %v", file, ok, f.Object.Key, f.Mode, f.ModeAt, f.Absent)
		}
	}
	for _, file := range []string{"/all", "/all/data/start.sh", "/all/sub/start.sh", "/some/bin", "/elsewhere/start.sh", ""} {
		if f, ok := c.KeyFile(ctr, file); ok {
			t.Errorf("%s is a file of %s", file, f.Object.Name)
		}
	}
}

func TestScripts(t *testing.T) {
	for command, want := range map[string]string{
		`[/all/start.sh]`:                               ": certain fatal",
		`[sh, /all/start.sh]`:                           "sh: certain fatal",
		`[sh, -c, "test -f /x && /all/start.sh"]`:       ": fatal",
		`[sh, -c, "/all/start.sh; true"]`:               ": certain",
		`[tini, --, bash, -e, /all/start.sh]`:           "bash: certain fatal",
		`[docker-entrypoint.sh, sh, -c, /all/start.sh]`: ": certain fatal",
		`[sh, -c, ". /all/start.sh"]`:                   "",
		`[/server, /all/start.sh]`:                      "",
	} {
		c := load(t, strings.Replace(keyFiles, "image: x", "image: x\n      command: "+command, 1), cluster.Options{})
		got := ""
		for _, s := range c.Process(container(t, c, "api")).Scripts {
			got += s.Shell + ":"
			if !s.Conditional {
				got += " certain"
			}
			if s.Fatal {
				got += " fatal"
			}
			if s.Word.Value != "/all/start.sh" || !strings.HasPrefix(s.Text, "#!/bin/sh") || s.From.Object.Kind != "ConfigMap" {
				t.Errorf("%s: %s from %s", command, s.Word.Value, s.From.Object)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}
