package volumes

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var mountHidesProgram = &rule.Rule{
	ID:       "mount-hides-program",
	Title:    "A volume hides files of the image that the program does not start without",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkHidden,
}

// checkHidden reports volumes over a directory of the image in which the program
// or what it reads at its start stands: a mount replaces all that the image has
// there, and unlike Docker's volumes one of Kubernetes is not filled from the
// image (https://kubernetes.io/docs/concepts/storage/volumes/#background).
func checkHidden(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		if ctr.Partial || w.Custom || p.Cluster.Patched(w) {
			continue
		}
		for i := range ctr.VolumeMounts {
			what := contentOf(p.Cluster, ctr, i)
			if what == unknown {
				continue
			}
			h, ok := hiddenBy(p.Cluster, ctr, i, what)
			if !ok {
				continue
			}
			m := ctr.VolumeMounts[i]
			f := rule.Finding{
				Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath"),
				Message: fmt.Sprintf("container %q: %s mounted at %s hides %s: %s", ctr.Name, kind(p.Cluster.Volume(w, m.Name)), m.MountPath, h.what, h.end),
				Needs:   []node.Path{ctr.At("image"), ctr.At("command"), ctr.At("args"), ctr.At("workingDir")},
				Notes:   h.notes,
				Related: h.related,
				Fixes:   h.fixes,
			}
			if what == fresh || what == empty && besideOthers(ctr, m.Name) {
				f.Severity = diag.Warning // somebody may have filled the disk, or another container does in time
			}
			p.Report(f)
			break
		}
	}
}

// A hidden is what a mount hides, and what becomes of it.
type hidden struct {
	what, end string
	notes     []string
	related   []rule.Related
	fixes     []rule.Fix
}

func hiddenBy(c *cluster.Cluster, ctr *manifest.Container, i int, what content) (hidden, bool) {
	for _, find := range []func(*cluster.Cluster, *manifest.Container, int, content) (hidden, bool){hiddenOfImage, hiddenProgram, hiddenProject, hiddenInclude} {
		if h, ok := find(c, ctr, i, what); ok {
			return h, true
		}
	}
	return hidden{}, false
}

// hiddenOfImage returns the directories that the image is known not to start
// without. A configuration from a volume may ask for others.
func hiddenOfImage(c *cluster.Cluster, ctr *manifest.Container, i int, _ content) (hidden, bool) {
	holds := c.Image(ctr).Holds
	if holds == nil || !c.RunsEntrypoint(ctr, nil) {
		return hidden{}, false
	}
	if holds.Config != "" && brings(c, ctr, holds.Config) {
		return hidden{}, false
	}
	at := path.Clean(ctr.VolumeMounts[i].MountPath)
	lies := func(dir string) bool { // below this mount, and no other that lies deeper
		return cluster.MountOver(ctr, dir) == i && !slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool { return path.Clean(m.MountPath) == dir && dir != at })
	}
	dir := ""
	for _, d := range holds.Directories {
		if inside(d, at) && lies(d) {
			dir = d
		}
	}
	for _, d := range holds.Contents {
		if (d == at || inside(d, at)) && lies(d) {
			dir = d
		}
	}
	if dir == "" {
		return hidden{}, false
	}
	h := hidden{
		what: dir + " of " + ctr.Image, end: "the program does not find it and exits, at every start",
		related: []rule.Related{{Object: ctr.Workload.Object, At: ctr.At("image"), Message: "needs " + dir}},
		fixes:   []rule.Fix{{Safety: diag.Display, Message: "mount it at a path of its own, or single files with subPath"}},
	}
	if slices.Contains(holds.Directories, dir) {
		h.fixes = []rule.Fix{{
			Safety: diag.Unsafe, Message: "mount it at " + dir,
			Ops: []node.Op{{Kind: node.Set, Path: ctr.At("volumeMounts", i, "mountPath"), Value: dir}},
		}}
	}
	if holds.Source != "" {
		h.notes = []string{"what it needs: " + holds.Source}
	}
	return h, true
}

// brings reports whether a volume puts the file into the container, or may.
func brings(c *cluster.Cluster, ctr *manifest.Container, file string) bool {
	i := cluster.MountOver(ctr, file)
	if i < 0 {
		return false
	}
	if _, ok := c.MountedFile(ctr, file); ok {
		return true
	}
	what := contentOf(c, ctr, i)
	return what == unknown || what == keys && !complete(c, ctr, path.Dir(file))
}

// complete reports whether the files of the set show what the ConfigMap over the
// directory holds: a Secret or one that is not here shows nothing.
func complete(c *cluster.Cluster, ctr *manifest.Container, dir string) bool {
	return len(c.MountedFiles(ctr, dir)) > 0
}

// interpreters run the file that their first operand names.
var interpreters = []string{"node", "nodejs", "python", "python3", "ruby", "perl", "php", "sh", "bash", "ash", "dotnet", "deno", "bun"}

// hiddenProgram returns the program, or the script that its interpreter is to
// run, in a volume that is empty. What a ConfigMap lacks is the business of
// mounted-file-missing.
func hiddenProgram(c *cluster.Cluster, ctr *manifest.Container, i int, what content) (hidden, bool) {
	process := c.Process(ctr)
	if what == keys || process.Partial || len(process.Words) == 0 || besideOthers(ctr, ctr.VolumeMounts[i].Name) {
		return hidden{}, false
	}
	named := process.Words[:1]
	if len(process.Words) > 1 && slices.Contains(interpreters, path.Base(process.Words[0].Value)) {
		named = process.Words[:2]
	}
	if j := slices.IndexFunc(process.Words, func(w cluster.Word) bool { return w.Value == "-jar" }); j > 0 && j+1 < len(process.Words) {
		named = append(slices.Clip(named), process.Words[j+1])
	}
	at := path.Clean(ctr.VolumeMounts[i].MountPath)
	for k, w := range named {
		file := absolute(ctr, w)
		if k == 0 && !strings.Contains(w.Value, "/") || strings.HasPrefix(w.Value, "-") || !inside(file, at) || cluster.MountOver(ctr, file) != i {
			continue
		}
		h := hidden{
			what: file + ", which the command runs", end: "\"no such file or directory\", at every start, since nothing puts it there",
			fixes: []rule.Fix{{Safety: diag.Display, Message: "mount the volume at a path of its own, or let an init container copy the image's files into it first"}},
		}
		if w.From.Object != nil {
			h.related = []rule.Related{{Object: w.From.Object, At: w.From.Path, Message: "to be run"}}
		}
		return h, true
	}
	return hidden{}, false
}

// projects are programs that read a file in their working directory before
// anything else, and the options with which they do elsewhere.
var projects = map[string]struct {
	file      string
	elsewhere []string
}{
	"npm":    {"package.json", []string{"--prefix", "-C"}},
	"yarn":   {"package.json", []string{"--cwd"}},
	"pnpm":   {"package.json", []string{"--dir", "-C"}},
	"bundle": {"Gemfile", []string{"--gemfile"}},
	"cargo":  {"Cargo.toml", []string{"--manifest-path"}},
	"mix":    {"mix.exs", nil},
}

// hiddenProject returns the file that a program such as npm reads in the working
// directory.
func hiddenProject(c *cluster.Cluster, ctr *manifest.Container, i int, what content) (hidden, bool) {
	process := c.Process(ctr)
	if ctr.WorkingDir == "" || len(process.Commands) == 0 {
		return hidden{}, false
	}
	dir := path.Clean(ctr.WorkingDir)
	command := process.Commands[0]
	project, ok := projects[command.Name()]
	if !ok || command.Conditional || cluster.MountOver(ctr, dir) != i || slices.ContainsFunc(command.Words, func(w cluster.Word) bool {
		return !w.Known || slices.ContainsFunc(project.elsewhere, func(o string) bool { return w.Value == o || strings.HasPrefix(w.Value, o+"=") })
	}) {
		return hidden{}, false
	}
	file := path.Join(dir, project.file)
	if what == keys && (!complete(c, ctr, dir) || brings(c, ctr, file)) || cluster.MountOver(ctr, file) != i {
		return hidden{}, false
	}
	return hidden{
		what: file, end: command.Name() + " does not find it and exits, at every start",
		related: []rule.Related{{Object: ctr.Workload.Object, At: ctr.At("workingDir"), Message: "where " + command.Name() + " looks"}},
		fixes:   []rule.Fix{{Safety: diag.Display, Message: "mount single files into the directory: mountPath " + dir + "/NAME with subPath NAME"}},
	}, true
}

// include matches a directive of nginx that reads a single file
// (https://nginx.org/en/docs/ngx_core_module.html#include).
var include = regexp.MustCompile(`(?m)^[^#\n]*?\binclude\s+([^\s;*?\[]+)\s*;`)

// hiddenInclude returns a file that a configuration of nginx includes from the
// directory that it is itself mounted over.
func hiddenInclude(c *cluster.Cluster, ctr *manifest.Container, i int, what content) (hidden, bool) {
	at := path.Clean(ctr.VolumeMounts[i].MountPath)
	if what != keys || at != "/etc/nginx" && at != "/usr/local/nginx/conf" {
		return hidden{}, false
	}
	for _, file := range c.MountedFiles(ctr, at) {
		if path.Base(file.Path) != "nginx.conf" {
			continue
		}
		for _, m := range include.FindAllStringSubmatch(file.Text, -1) {
			name := m[1]
			if !path.IsAbs(name) {
				name = path.Join(at, name)
			}
			if !inside(name, at) || cluster.MountOver(ctr, name) != i || brings(c, ctr, name) {
				continue
			}
			from := file.From
			return hidden{
				what: name + ", which its own nginx.conf includes", end: "nginx does not find it and exits, at every start",
				related: []rule.Related{{Object: from.Object, At: from.Path, Within: "include " + m[1], Message: "included here"}},
				fixes:   []rule.Fix{{Safety: diag.Display, Message: "mount nginx.conf alone: mountPath " + at + "/nginx.conf with subPath nginx.conf"}},
			}, true
		}
	}
	return hidden{}, false
}
