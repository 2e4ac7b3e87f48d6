package memory

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes"
	"github.com/crashlint/crashlint/internal/runtimes/php"
)

var phpMemoryOverLimit = &rule.Rule{
	ID:       "php-memory-over-limit",
	Title:    "PHP may take more memory than the limit",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkPHPMemory,
}

// defaultPHPMemory is PHP's own memory_limit, in bytes (main.c, PHP_INI_BEGIN).
const defaultPHPMemory = 128 << 20

func checkPHPMemory(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		limit, ok := usableLimit(p.Cluster, ctr)
		if !ok || ctr.Role == manifest.Init {
			continue
		}
		if runs, ok := runtimes.Of(p.Cluster, ctr); ok && runs.Certain && runs.Name != "php" && runs.Name != "apache" {
			continue
		}
		memory, set := php.MemoryLimitOf(p.Cluster, ctr)
		if set && memory.Bytes >= limit.V.Value() {
			p.Report(phpRequestFinding(ctr, memory, limit))
			continue
		}
		each := int64(defaultPHPMemory)
		if set {
			each = memory.Bytes
		}
		for _, pool := range php.Pools(p.Cluster, ctr) {
			children, ok := pool.MaxChildren()
			if ok && int64(children) > limit.V.Value()/each {
				p.Report(phpChildrenFinding(ctr, pool, int64(children), each, limit))
			}
		}
	}
}

// phpRequestFinding is about a single request that may take all there is.
func phpRequestFinding(ctr *manifest.Container, m php.MemoryLimit, limit *cluster.Value[resource.Quantity]) rule.Finding {
	f := rule.Finding{Object: m.From.Object, At: m.From.Path, Within: m.From.Within, Related: limitRelated(ctr, limit)}
	text := m.Text
	if m.Secret || m.From.Object == nil {
		f.Object, f.At, f.Within, f.Target = ctr.Workload.Object, ctr.Path, "", node.Grip
		text = "from a Secret"
	}
	f.Message = fmt.Sprintf("container %q: PHP's memory_limit, %s, lets one request take all of the %s memory limit: OOMKilled (137) for all workers instead of an error for the one",
		ctr.Name, text, limit.V.String())
	if limit.From.Object == f.Object {
		f.Needs = []node.Path{limit.From.Path}
	}
	f.Fixes = []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("a memory_limit of %dM, or a memory limit of several times %s", limit.V.Value()/4>>20, text)}}
	if m.Secret {
		f.Fixes = nil
	}
	return f
}

// phpChildrenFinding is about the workers together, which seldom are all at their
// limit at once.
func phpChildrenFinding(ctr *manifest.Container, pool php.Pool, children, each int64, limit *cluster.Value[resource.Quantity]) rule.Finding {
	from := pool.Settings["pm.max_children"].From
	f := rule.Finding{
		Object: from.Object, At: from.Path, Within: from.Within, Related: limitRelated(ctr, limit), Severity: diag.Info,
		Message: fmt.Sprintf("container %q: %d workers of the pool %s, each with a memory_limit of %dM, may take %s of the %s memory limit: OOMKilled (137) under load",
			ctr.Name, children, pool.Name, each>>20, size(uint64(children)*uint64(each)), limit.V.String()),
		Fixes: []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("pm.max_children = %d holds even if all workers take what they may", max(1, limit.V.Value()/each))}},
	}
	if limit.From.Object == f.Object {
		f.Needs = []node.Path{limit.From.Path}
	}
	return f
}
