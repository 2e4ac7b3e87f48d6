package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/rules/references"
	"github.com/crashlint/crashlint/rules/resources"
)

func main() {
	res, err := loader.Load(context.Background(), loader.Options{Paths: os.Args[1:]})
	if err != nil {
		panic(err)
	}
	t := time.Now()
	c := cluster.New(res.Set, cluster.Options{})
	fmt.Fprintln(os.Stderr, "new", time.Since(t), len(res.Set.Objects), len(res.Set.Workloads))
	t = time.Now()
	for _, fam := range []*rule.Family{references.Family, resources.Family} {
		for _, r := range fam.Rules {
			p := &rule.Pass{Cluster: c}
			if r.Options != nil {
				p.Options = r.Options()
			}
			p.Report = func(f rule.Finding) {
				s := f.Severity
				if s == 0 {
					s = r.Severity
				}
				for _, n := range append([]node.Path{f.At}, f.Needs...) {
					if !f.Object.Known(n) {
						return
					}
				}
				line := 0
				if l, ok := f.Object.Locate(f.At, f.Target); ok {
					line = l.File.Position(l.Span.Start).Line
				}
				fmt.Printf("%s:%d: %s %s %s: %s\n", f.Object.File().Path, line, s, r.ID, f.Object, f.Message)
			}
			for _, w := range res.Set.Workloads {
				if r.Workload != nil {
					r.Workload(p, w)
				}
			}
		}
	}
	fmt.Fprintln(os.Stderr, "rules", time.Since(t))
	for _, w := range res.Set.Workloads {
		for _, ctr := range w.Containers {
			c.Environment(ctr)
			c.Memory(ctr)
		}
	}
	fmt.Fprintln(os.Stderr, "env", time.Since(t))
}
