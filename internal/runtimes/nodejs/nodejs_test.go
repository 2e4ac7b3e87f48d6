package nodejs

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/source"
)

func processIn(t *testing.T, fields string) *Process {
	t.Helper()
	text := `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, ` + fields + `}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: shared}, data: {NODE_OPTIONS: --max-old-space-size=64}}
`
	set := loader.LoadText(source.NewFile("pod.yaml", text)).Set
	if len(set.Workloads) != 1 {
		t.Fatalf("no pod in\n%s", text)
	}
	p, _ := Of(cluster.New(set, cluster.Options{}), set.Workloads[0].Containers[0])
	return p
}

func TestOf(t *testing.T) {
	for fields, want := range map[string]string{
		"image: app":                             "",
		"image: 'node:20'":                       "0 certain",
		"image: app, command: [node, server.js]": "0 certain",
		"image: app, command: [node, --max-old-space-size=100, server.js]":                                                        "100 certain",
		"image: app, command: [node, -r, ./x.js, --max_old_space_size=100, server.js, --max-old-space-size=7]":                    "100 certain",
		"image: app, command: [sh, -c, 'exec node --max-old-space-size=100 server.js']":                                           "100 certain",
		"image: app, command: [sh, -c, 'export NODE_OPTIONS=--max-old-space-size=9; npm start']":                                  "9 certain",
		"image: app, command: [sh, -c, 'node $MORE --max-old-space-size=100 server.js']":                                          "100 certain unsure",
		"image: app, command: [which, node]":                                                                                      "",
		"image: app, command: [sleep, infinity], env: [{name: NODE_OPTIONS, value: --max-old-space-size=9}]":                      "",
		"image: csi, args: [node, --endpoint=unix:/csi.sock, -v]":                                                                 "",
		"image: app, args: [npm, start]":                                                                                          "0 certain",
		"image: app, args: [node, dist/main.mjs]":                                                                                 "0 certain",
		"image: app, args: [node, --max-old-space-size=100, server.js]":                                                           "100 certain",
		"image: app, env: [{name: NODE_OPTIONS, value: '--no-warnings --max-old-space-size=200'}]":                                "200 certain",
		"image: app, env: [{name: NODE_OPTIONS, value: --max-old-space-size=200}], command: [node, --max-old-space-size=5, a.js]": "5 certain",
		"image: app, env: [{name: NODE_OPTIONS, value: '--max-old-space-size=200 --max-old-space-size=0'}]":                       "0 certain",
		"image: app, env: [{name: NODE_OPTIONS, value: --max-old-space-size 200}]":                                                "0 certain",
		"image: app, envFrom: [{configMapRef: {name: shared}}]":                                                                   "64",
		"image: 'postgres:17', envFrom: [{configMapRef: {name: shared}}]":                                                         "",
		"image: app, env: [{name: NODE_OPTIONS, valueFrom: {secretKeyRef: {name: x, key: y}}}]":                                   "0 certain unsure",
	} {
		got := ""
		if p := processIn(t, fields); p != nil {
			got = strconv.FormatUint(p.OldSpace/mega, 10)
			if p.Certain {
				got += " certain"
			}
			if !p.Sure {
				got += " unsure"
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", fields, got, want)
		}
	}
}

// TestAgainstNode holds what is read of the options against the heap that a real
// Node.js reports.
func TestAgainstNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on this machine")
	}
	if out, _ := exec.Command(node, "--version").Output(); !strings.HasPrefix(string(out), "v20.") {
		t.Skipf("the young generation's size is that of Node 20, here is %s", out)
	}
	for _, c := range []struct{ variable, line string }{
		{"", "--max-old-space-size=600"},
		{"", "--max_old_space_size=600"},
		{"--max-old-space-size=1500", ""},
		{"--no-warnings --max-old_space-size=1500", ""},
		{`"--max-old-space-size=900"`, ""},
		{"--max-old-space-size=1500", "--max-old-space-size=700"},
		{"--max-old-space-size=1500 --max-old-space-size=800", "--no-warnings"},
		{"", "--max-old-space-size=512 --max-old-space-size=4096"},
	} {
		var p Process
		p.variable(cluster.Variable{Name: "NODE_OPTIONS", Value: c.variable, Known: true})
		words := []cluster.Word{{Value: "node", Known: true}}
		args := strings.Fields(c.line)
		for _, arg := range args {
			words = append(words, cluster.Word{Value: arg, Known: true})
		}
		p.commandLine(words)
		cmd := exec.Command(node, append(args, "-p", "v8.getHeapStatistics().heap_size_limit")...)
		cmd.Env = append(cmd.Environ(), "NODE_OPTIONS="+c.variable)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		if got, want := strconv.FormatUint(p.OldSpace+Young, 10), strings.TrimSpace(string(out)); got != want {
			t.Errorf("%v: %s, node says %s", c, got, want)
		}
	}
}
