package cluster_test

import (
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/source"
)

const processPod = `
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: replaced
    image: tomcat:10
    command: [run, "$(HEAP)", "$(NOWHERE)", "$$(HEAP)", "$(HIDDEN)"]
    args: [more]
    env: &env
    - {name: HEAP, value: 1g}
    - {name: HIDDEN, valueFrom: {secretKeyRef: {name: nowhere, key: k}}}
  - name: own
    image: jenkins/jenkins:lts
  - name: own-with-args
    image: tomcat:10
    args: [catalina.sh, start]
  - name: unknown
    image: registry.example/app
    args: [--port, "80"]
  - name: mounted
    image: registry.example/app
    command: [bash, /etc/app/run/start.sh, one]
    env: *env
    volumeMounts:
    - {name: other, mountPath: /etc}
    - {name: scripts, mountPath: /etc/app}
    livenessProbe:
      exec: {command: [sh, -c, "check $HEAP $(HEAP)"]}
  - name: sub-path
    image: registry.example/app
    command: [/start.sh]
    volumeMounts:
    - {name: projected, mountPath: /start.sh, subPath: go}
  volumes:
  - {name: other, emptyDir: {}}
  - name: scripts
    configMap:
      name: scripts
      items: [{key: start, path: run/start.sh}]
  - name: projected
    projected:
      sources:
      - configMap: {name: none}
      - configMap: {name: scripts}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: scripts}
data:
  start: exec server --heap "$HEAP" "$1"
  go: |
    #!/bin/sh
    echo hello
`

func TestProcess(t *testing.T) {
	set := loader.LoadText(source.NewFile("pod.yaml", processPod)).Set
	c := cluster.New(set, cluster.Options{})
	words := func(list []cluster.Word) string {
		var out []string
		for _, w := range list {
			if !w.Known {
				out = append(out, "?"+w.Value)
			} else {
				out = append(out, w.Value)
			}
		}
		return strings.Join(out, " ")
	}
	want := map[string]struct {
		words, commands, origin string
		partial                 bool
	}{
		"replaced":      {words: "run 1g $(NOWHERE) $(HEAP) ?$(HIDDEN) more", commands: "run 1g $(NOWHERE) $(HEAP) ?$(HIDDEN) more", origin: "Pod/p spec.containers[0].command[0]"},
		"own":           {words: "/usr/bin/tini -- /usr/local/bin/jenkins.sh", commands: "/usr/local/bin/jenkins.sh", origin: "image default"},
		"own-with-args": {words: "catalina.sh start", commands: "catalina.sh start", origin: "Pod/p spec.containers[2].args[0]"},
		"unknown":       {words: "--port 80", partial: true},
		"mounted":       {words: "bash /etc/app/run/start.sh one", commands: "server --heap 1g one", origin: "ConfigMap/scripts data.start"},
		"sub-path":      {words: "/start.sh", commands: "echo hello", origin: "ConfigMap/scripts data.go"},
	}
	for _, ctr := range set.Workloads[0].Containers {
		p := c.Process(ctr)
		w := want[ctr.Name]
		if got := words(p.Words); got != w.words || p.Partial != w.partial {
			t.Errorf("%s: words %q, partial %v, want %q, %v", ctr.Name, got, p.Partial, w.words, w.partial)
		}
		var commands []string
		origin := ""
		for _, command := range p.Commands {
			commands = append(commands, words(command.Words))
			origin = command.Words[0].From.Default
			if o := command.Words[0].From.Object; o != nil {
				origin = o.String() + " " + command.Words[0].From.Path.String()
			}
		}
		if got := strings.Join(commands, "; "); got != w.commands || origin != w.origin {
			t.Errorf("%s: commands %q from %q, want %q from %q", ctr.Name, got, origin, w.commands, w.origin)
		}
		if ctr.LivenessProbe != nil {
			p := c.ProbeProcess(ctr, ctr.LivenessProbe.Exec.Command, ctr.At("livenessProbe", "exec", "command"))
			if got := words(p.Commands[len(p.Commands)-1].Words); got != "check 1g 1g" {
				t.Errorf("the probe's command: %q", got)
			}
		}
	}
}

// TestScriptFromSecret: every word of a script that a Secret gives is one.
func TestScriptFromSecret(t *testing.T) {
	const pod = `
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - {name: expanded, image: i, command: [sh, -c, $(CMD)], env: &env [{name: CMD, valueFrom: {secretKeyRef: {name: s, key: k}}}]}
  - {name: eval, image: i, command: [sh, -c, 'eval "$CMD"'], env: *env}
  - {name: nested, image: i, command: [sh, -c, 'bash -c "$CMD"'], env: *env}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {k: "f() { run \"$1\" ${X:-y} $(date) -D'z'; }; A=b; f arg $A"}
`
	set := loader.LoadText(source.NewFile("pod.yaml", pod)).Set
	c := cluster.New(set, cluster.Options{})
	for _, ctr := range set.Workloads[0].Containers {
		commands := c.Process(ctr).Commands
		if len(commands) == 0 || !strings.Contains(commands[len(commands)-1].Name(), "run") {
			t.Errorf("%s: commands %v", ctr.Name, commands)
		}
		for _, command := range commands {
			for _, w := range command.Words {
				if !w.Secret {
					t.Errorf("%s: %q is not marked as a Secret's", ctr.Name, w.Value)
				}
			}
		}
	}
}
