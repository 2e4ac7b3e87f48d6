package runtimes_test

import (
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/runtimes"
	"github.com/crashlint/crashlint/internal/source"
)

func TestStartOf(t *testing.T) {
	known, err := images.Builtin().With([]images.Entry{
		{Names: []string{"example.com/slow"}, Facts: images.Facts{Startup: &images.Startup{Seconds: 40}}},
		{Names: []string{"example.com/java"}, Facts: images.Facts{Startup: &images.Startup{Seconds: 40}, Runtime: &images.Runtime{Name: "jvm"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const limit = ", resources: {limits: {cpu: 500m}}"
	for ctr, want := range map[string]string{
		"image: example.com/api":                                       "",
		"image: example.com/slow" + limit:                              "this image is known to take about 40 s to start",
		"image: example.com/java" + limit:                              "this image is known to take about 80 s to start with a CPU limit of 500m",
		"image: example.com/api, command: [java, -jar, a.jar]":         "a service on a JVM takes about 25 s to start",
		"image: example.com/api, command: [java, -jar, a.jar]" + limit: "a service on a JVM takes about 50 s to start with a CPU limit of 500m",
		"image: a, command: [java], resources: {limits: {cpu: 1500m}}": "a service on a JVM takes about 25 s to start",
		"image: a, command: [java], resources: {limits: {cpu: 0}}":     "a service on a JVM takes about 25 s to start",
	} {
		text := "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, " + ctr + "}]}\n"
		c := cluster.New(loader.LoadText(source.NewFile("app.yaml", text)).Set, cluster.Options{Images: known})
		start, ok := runtimes.StartOf(c, c.Workloads[0].Containers[0], 24.5)
		if start.Because != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", ctr, start.Because, want)
		}
	}
}
