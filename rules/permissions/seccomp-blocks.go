package permissions

import (
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var seccompBlocks = &rule.Rule{
	ID:       "seccomp-blocks",
	Title:    "A program is told to use system calls that the seccomp profile blocks",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: checkSeccomp,
}

// checkSeccomp reports what asks for io_uring under the runtime's own profile:
// containerd's (contrib/seccomp/seccomp_default.go) has no io_uring_setup since
// 2.0, Docker's none since 25.0. Postgres then ends at its start
// (src/backend/storage/aio/method_io_uring.c, pgaio_uring_shmem_init).
func checkSeccomp(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		s := p.Cluster.Security(ctr)
		if s.Seccomp == nil || s.Seccomp.V != corev1.SeccompProfileTypeRuntimeDefault || s.Privileged {
			continue
		}
		for _, word := range ringWords(p.Cluster, ctr) {
			f := rule.Finding{
				Object: w.Object, At: word.From.Path, Within: word.From.Within,
				Message: fmt.Sprintf("container %q: Postgres is to use io_uring, and the seccomp profile RuntimeDefault blocks its system calls: \"could not setup io_uring queue: Operation not permitted\", at every start",
					ctr.Name),
				Needs:   []node.Path{s.Seccomp.From.Path},
				Related: []rule.Related{{Object: w.Object, At: s.Seccomp.From.Path, Message: "the profile"}},
				Notes:   []string{"blocked by containerd since 2.0 and Docker since 25.0; older ones let it through"},
				Fixes: []rule.Fix{
					{Safety: diag.Display, Message: "io_method=worker, Postgres' default"},
					{Safety: diag.Display, Message: "or a profile of your own that allows io_uring_setup, io_uring_enter and io_uring_register: type Localhost"},
				},
			}
			if word.From.Object != w.Object {
				f.Object, f.Needs = word.From.Object, nil
			}
			if word.Secret {
				continue
			}
			p.Report(f)
			break
		}
	}
}

// ringWords returns the words of a command line that choose io_uring, and the
// setting in a configuration file of Postgres that a ConfigMap brings.
func ringWords(c *cluster.Cluster, ctr *manifest.Container) []cluster.Word {
	if r := c.Image(ctr).Runtime; r == nil || r.Name != "postgres" {
		return nil
	}
	var out []cluster.Word
	process := c.Process(ctr)
	for _, w := range process.Words {
		if w.Known && ringOption.MatchString(w.Value) {
			out = append(out, w)
		}
	}
	for _, w := range process.Words {
		for _, dir := range []string{"/etc/postgresql", "/etc/postgresql/conf.d"} {
			if len(out) > 0 || !w.Known {
				continue
			}
			for _, file := range c.MountedFiles(ctr, dir) {
				if line := ringSetting.FindString(file.Text); line != "" {
					from := file.From
					from.Within = line
					out = append(out, cluster.Word{Value: line, Known: true, From: from})
				}
			}
		}
	}
	return out
}

var (
	// ringOption matches -c io_method=io_uring and --io-method=io_uring, where
	// Postgres takes - for _.
	ringOption = regexp.MustCompile(`^(-c|--)?io[_-]method=io_uring$`)
	// ringSetting matches the line of postgresql.conf, whose = may be left out.
	ringSetting = regexp.MustCompile(`(?m)^[ \t]*io_method[ \t]*=?[ \t]*'?io_uring\b`)
)
