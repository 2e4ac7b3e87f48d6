package runtimes

import (
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/source"
)

func TestOf(t *testing.T) {
	for fields, want := range map[string]string{
		"image: app": "",
		"image: app, command: [java, -jar, a.jar]":                                             "jvm: its command runs java",
		"image: 'node:22'":                                                                     "node: the image node runs Node.js",
		"image: app, command: [gunicorn, 'app:app']":                                           "python: its command runs gunicorn",
		"image: app, command: [/usr/bin/python3.11, -m, app]":                                  "python: its command runs python3.11",
		"image: app, command: [sh, -c, 'python manage.py migrate && exec gunicorn app:app']":   "python: its command runs python",
		"image: app, command: [/entrypoint.sh, puma, -w, '2']":                                 "ruby: its command runs puma",
		"image: app, args: [php-fpm]":                                                          "php: its command runs php-fpm",
		"image: app, args: [dotnet, app.dll]":                                                  "dotnet: its command runs dotnet",
		"image: app, args: [serve, redis-server]":                                              "",
		"image: 'postgres:17'":                                                                 "postgres: its command runs postgres",
		"image: 'postgres:17', command: [sleep, infinity]":                                     "",
		"image: 'nginx:1.27', command: [/start.sh]":                                            "nginx: the image nginx runs on nginx",
		"image: app, env: [{name: GOMEMLIMIT, value: 1GiB}]":                                   "go: GOMEMLIMIT is set, perhaps",
		"image: app, env: [{name: ASPNETCORE_URLS, value: 'http://+:80'}]":                     "dotnet: ASPNETCORE_URLS is set, perhaps",
		"image: app, env: [{name: NODE_ENV, value: production}]":                               "node: NODE_ENV is set, perhaps",
		"image: app, command: [/bin/server], env: [{name: PYTHONUNBUFFERED, value: '1'}]":      "python: PYTHONUNBUFFERED is set, perhaps",
		"image: app, command: [java, -jar, a.jar], env: [{name: PYTHONUNBUFFERED, value: ''}]": "jvm: its command runs java",
	} {
		text := `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, ` + fields + `}]}}`
		set := loader.LoadText(source.NewFile("pod.yaml", text)).Set
		if len(set.Workloads) != 1 {
			t.Fatalf("no pod in %s", text)
		}
		got := ""
		if r, ok := Of(cluster.New(set, cluster.Options{}), set.Workloads[0].Containers[0]); ok {
			got = r.Name + ": " + strings.Join(r.Evidence, ", ")
			if !r.Certain {
				got += ", perhaps"
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", fields, got, want)
		}
	}
}
