package initcontainers

import (
	"fmt"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var sysctlWithoutPrivilege = &rule.Rule{
	ID:       "sysctl-without-privilege",
	Title:    "A container sets a kernel parameter without being privileged",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, ctr := range w.Containers {
			if !readOnlyProc(ctr) {
				continue
			}
			process := p.Cluster.Process(ctr)
			if process.ScriptError != "" {
				continue
			}
			for _, command := range process.Commands {
				word, key, ok := setting(command)
				if !ok || !command.Fatal || !command.Certain() {
					continue
				}
				privileged := ctr.At("securityContext", "privileged")
				f := standing(ctr, word)
				f.Message = fmt.Sprintf("container %q sets the kernel parameter %s, but /proc/sys is read-only in a container that is not privileged: it exits with an error each time%s",
					ctr.Name, key, consequence(ctr))
				f.Needs = []node.Path{privileged}
				f.Fixes = []rule.Fix{{
					Message: "make the container privileged, if the cluster's policy allows it, or set the parameter on the node", Safety: diag.Unsafe,
					Ops: []node.Op{{Kind: node.Set, Path: privileged, Value: true}},
				}}
				p.Report(f)
				break
			}
		}
	},
}

func consequence(ctr *manifest.Container) string {
	if ctr.Role == manifest.Init {
		return ", and the app containers never start"
	}
	return ""
}

// readOnlyProc reports a container in which /proc/sys cannot be written: unless
// procMount says otherwise the kubelet asks the runtime to mount it read-only
// (pkg/securitycontext/util.go, ConvertToRuntimeReadonlyPaths), as containerd does
// by itself (pkg/oci/spec.go, populateDefaultUnixSpec), in all containers that
// are not privileged.
func readOnlyProc(ctr *manifest.Container) bool {
	if s := ctr.SecurityContext; s != nil && (s.Privileged != nil && *s.Privileged || s.ProcMount != nil) {
		return false
	}
	for _, m := range ctr.VolumeMounts {
		if m.MountPath == "/proc" || strings.HasPrefix(m.MountPath, "/proc/") {
			return false
		}
	}
	return ctr.Workload.Pod.OS == nil || ctr.Workload.Pod.OS.Name != "windows"
}

// setting returns the kernel parameter that a sysctl command sets. Only what
// leaves errors aside (-e, --ignore, and a key that begins with "-") ends well.
func setting(c cluster.Command) (word cluster.Word, key string, ok bool) {
	if c.Name() != "sysctl" {
		return word, "", false
	}
	for _, w := range c.Words[1:] {
		switch {
		case !w.Known || w.Secret:
			return word, "", false
		case w.Value == "-e" || w.Value == "--ignore" || strings.HasPrefix(w.Value, "-") && strings.Contains(w.Value, "="):
			return word, "", false
		case strings.Contains(w.Value, "=") && key == "":
			word = w
			key, _, _ = strings.Cut(w.Value, "=")
		}
	}
	return word, key, key != ""
}
