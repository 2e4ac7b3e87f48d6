package memory

import (
	"fmt"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes"
	"github.com/crashlint/crashlint/internal/runtimes/php"
)

var phpPoolRefused = &rule.Rule{
	ID:       "php-pool-refused",
	Title:    "PHP-FPM does not start with the sizes of its pool",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkPHPPool,
}

func checkPHPPool(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		runs, ok := runtimes.Of(p.Cluster, ctr)
		if ok && runs.Certain && runs.Name != "php" || ctr.Role == manifest.Init {
			continue
		}
		for _, pool := range php.Pools(p.Cluster, ctr) {
			name, reason, refused := pool.Refused()
			if !refused {
				continue
			}
			s := pool.Settings[name]
			f := rule.Finding{
				Object: s.From.Object, At: s.From.Path, Within: s.From.Within,
				Message: fmt.Sprintf("container %q: PHP-FPM refuses %s = %s of the pool %s: %s; it exits with 78 at once, again and again", ctr.Name, name, s.Value, pool.Name, reason),
				Notes:   []string{"read from " + s.From.Object.String() + ", which is mounted where PHP-FPM looks for its pools"},
			}
			p.Report(f)
		}
	}
}
