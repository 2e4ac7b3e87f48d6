package image

import (
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/images"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var sysctlTooLow = &rule.Rule{
	ID:       "sysctl-too-low",
	Title:    "The program asks for a kernel parameter that nodes do not have by default",
	Since:    "0.1.0",
	Severity: diag.Info,
	Workload: checkSysctls,
}

// checkSysctls reports programs that check a parameter of the node's kernel when
// they start, where nothing in the files raises it. It is the node's, not the
// pod's: vm.* has no namespace (https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/).
func checkSysctls(p *rule.Pass, w *manifest.Workload) {
	if w.Custom || p.Cluster.Patched(w) || w.Pod.OS != nil && w.Pod.OS.Name == corev1.Windows {
		return
	}
	for _, ctr := range w.Containers {
		if ctr.Partial || ctr.Role == manifest.Init || len(ctr.Command) > 0 {
			continue
		}
		for _, s := range p.Cluster.Image(ctr).Sysctls {
			if checks(p.Cluster, ctr, s) && !raised(p.Cluster, w, s.Name) {
				reportSysctl(p, ctr, s)
			}
		}
	}
}

// checks reports whether the program checks the parameter: no setting keeps it
// from doing so, in the environment, on the command line or in its files.
func checks(c *cluster.Cluster, ctr *manifest.Container, s images.Sysctl) bool {
	env := c.Environment(ctr)
	if env.Open {
		return false
	}
	texts := strings.Builder{}
	for _, v := range env.Variables {
		if v.Secret || !v.Known {
			continue
		}
		fmt.Fprintf(&texts, "%s=%s\n", v.Name, v.Value)
	}
	for i, arg := range ctr.Args {
		if !ctr.Workload.Known(ctr.At("args", i)) {
			return false
		}
		texts.WriteString(arg + "\n")
	}
	if s.Config != "" {
		files, main := c.MountedFiles(ctr, s.Config), ""
		for _, f := range files {
			if strings.HasSuffix(f.Path, ".yml") && !strings.Contains(f.Path, "log4j") {
				main += f.Text
			}
			texts.WriteString(f.Text + "\n")
		}
		if cluster.MountOver(ctr, s.Config) >= 0 && len(files) == 0 || mountsFile(ctr, s.Config) && len(files) == 0 {
			return false // files that nobody sees
		}
		if s.Needs != "" && main != "" && !strings.Contains(texts.String(), s.Needs) {
			return false
		}
	}
	for _, condition := range s.Unless {
		if says(texts.String(), condition) {
			return false
		}
	}
	return true
}

// mountsFile reports whether a volume is mounted below the directory.
func mountsFile(ctr *manifest.Container, dir string) bool {
	for _, m := range ctr.VolumeMounts {
		if strings.HasPrefix(m.MountPath, dir+"/") {
			return true
		}
	}
	return false
}

// says reports whether a text sets NAME to value: NAME=value, NAME: value, with
// or without quotes, or in Elasticsearch's spelling of variables, ES_SETTING_NAME.
func says(text, condition string) bool {
	name, value, _ := strings.Cut(condition, "=")
	upper := strings.NewReplacer(".", "_", "_", "__").Replace(strings.ToUpper(name))
	for _, m := range assignment.FindAllStringSubmatch(text, -1) {
		// In YAML each part of the name may stand a level below the one before.
		if (m[1] == name || strings.HasSuffix(name, "."+m[1]) || strings.HasSuffix(m[1], "_SETTING_"+upper)) && strings.Contains(m[2], value) {
			return true
		}
	}
	return false
}

// assignment matches a setting in a file, a variable or an option -Ename=value.
var assignment = regexp.MustCompile(`(?m)(?:^\s*|[\s"']|-E|-D)["']?([A-Za-z_][\w.]*)["']?[ \t]*[:=][ \t]*["']?([^\n]*)`)

// raised reports whether something in the files that are applied together speaks
// of the parameter: an init container, a DaemonSet, a note.
func raised(c *cluster.Cluster, w *manifest.Workload, name string) bool {
	for _, o := range c.Objects {
		if (o.File() == w.File() || cluster.Near(w.Object, o)) && strings.Contains(o.File().Text, name) {
			return true
		}
	}
	return false
}

func reportSysctl(p *rule.Pass, ctr *manifest.Container, s images.Sysctl) {
	f := rule.Finding{
		Object: ctr.Workload.Object, At: ctr.At("image"),
		Message: fmt.Sprintf("container %q: %s does not start on a node whose %s is below %d; the kernel's own value is %d, and nothing in the files raises it: there it exits with an error each time",
			ctr.Name, p.Cluster.Image(ctr).Name, s.Name, s.Least, s.Default),
		Needs: []node.Path{ctr.At("args"), ctr.At("env"), ctr.At("envFrom")},
		Notes: []string{"what it checks: " + s.Source},
		Fixes: []rule.Fix{{Safety: diag.Display, Message: fmt.Sprintf("set %s=%d on the nodes, or in a privileged init container or DaemonSet: sysctl -w %s=%d", s.Name, s.Least, s.Name, s.Least)}},
	}
	if len(s.Unless) > 0 {
		f.Fixes = append(f.Fixes, rule.Fix{Safety: diag.Display, Message: "or set " + s.Unless[0] + ", where that will do"})
	}
	p.Report(f)
}
