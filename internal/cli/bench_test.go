package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/config"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/engine"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/report"
	"github.com/crashlint/crashlint/internal/source"
)

// deployment is a realistic manifest; n makes its names differ.
func deployment(n int) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-%[1]d
  labels: {app.kubernetes.io/name: app-%[1]d}
spec:
  replicas: 2
  selector:
    matchLabels: {app.kubernetes.io/name: app-%[1]d}
  template:
    metadata:
      labels: {app.kubernetes.io/name: app-%[1]d}
    spec:
      containers:
        - name: app
          image: registry.example.com/shop/app-%[1]d:1.4.2
          command: ["sh", "-c", "exec java $JAVA_OPTS -jar /app.jar"]
          env:
            - name: JAVA_OPTS
              value: "-Xmx512m -XX:+UseG1GC"
            - name: DATABASE_PASSWORD
              valueFrom:
                secretKeyRef: {name: app-%[1]d, key: password}
          ports:
            - {name: http, containerPort: 8080}
          livenessProbe:
            httpGet: {path: /actuator/health/liveness, port: http}
            initialDelaySeconds: 30
          startupProbe:
            httpGet: {path: /actuator/health/liveness, port: http}
            failureThreshold: 30
          resources:
            requests: {cpu: 250m, memory: 1Gi}
            limits: {memory: 1Gi}
---
apiVersion: v1
kind: Secret
metadata:
  name: app-%[1]d
stringData:
  password: x
`, n)
}

// BenchmarkFiles is the whole program on 1,000 files of one Deployment and one
// Secret each.
func BenchmarkFiles(b *testing.B) {
	dir := b.TempDir()
	size := 0
	for i := range 1000 {
		text := deployment(i)
		size += len(text)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("app-%d.yaml", i)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	benchmarkMain(b, size, dir)
}

// BenchmarkDocuments is the whole program on one file of 5,000 documents.
func BenchmarkDocuments(b *testing.B) {
	var text strings.Builder
	for i := range 2500 {
		text.WriteString("---\n" + deployment(i))
	}
	name := filepath.Join(b.TempDir(), "all.yaml")
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	benchmarkMain(b, text.Len(), name)
}

func benchmarkMain(b *testing.B, size int, path string) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if code := Main([]string{"crashlint", "--config", "none", path}, Streams{Out: &out, Err: io.Discard}); code == exitTrouble {
			b.Fatalf("exit code %d: %s", code, out.String())
		}
	}
}

// BenchmarkStages shows where the time goes: loading (split, parse, decode),
// the index, the rules, each report.
func BenchmarkStages(b *testing.B) {
	var files []*source.File
	for i := range 500 {
		files = append(files, source.NewFile(fmt.Sprintf("app-%d.yaml", i), deployment(i)))
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			loader.LoadText(files...)
		}
	})
	loaded := loader.LoadText(files...)
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			cluster.New(loaded.Set, cluster.Options{})
		}
	})
	all, _ := newCatalogue(nil)
	rules, err := all.chosen(&config.Config{}, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	options := engine.Options{Rules: rules, Known: all.known(), Today: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	b.Run("rules", func(b *testing.B) {
		for b.Loop() {
			engine.Run(cluster.New(loaded.Set, cluster.Options{}), options)
		}
	})
	found, _ := engine.Run(cluster.New(loaded.Set, cluster.Options{}), options)
	result := &diag.Result{Diagnostics: found, Rules: all.described()}
	for _, format := range report.Formats() {
		b.Run("report "+format, func(b *testing.B) {
			for b.Loop() {
				if err := report.Write(io.Discard, format, result, report.Options{MinSeverity: diag.Info}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
