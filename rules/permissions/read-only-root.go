package permissions

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes"
)

var readOnlyRoot = &rule.Rule{
	ID:       "read-only-root",
	Title:    "The root file system is read-only where the program writes at its start",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkReadOnlyRoot,
}

func checkReadOnlyRoot(p *rule.Pass, w *manifest.Workload) {
	for _, ctr := range w.Containers {
		ro := p.Cluster.Security(ctr).ReadOnlyRootFilesystem
		if ro == nil || !ro.V || !complete(p, ctr) {
			continue
		}
		for _, find := range []func(*cluster.Cluster, *manifest.Container) (needed, bool){imageWrites, gunicornWrites, dotnetWrites} {
			n, ok := find(p.Cluster, ctr)
			if !ok {
				continue
			}
			f := rule.Finding{
				Object: w.Object, At: ro.From.Path, Severity: n.severity,
				Message: fmt.Sprintf("container %q: %s, and the root file system is read-only with no volume there: %s", ctr.Name, n.what, n.end),
				Notes:   n.notes,
				Needs:   append([]node.Path{ctr.At("image"), ctr.At("command"), ctr.At("args"), ctr.At("volumeMounts")}, envPaths(ctr)...),
				Related: []rule.Related{{Object: w.Object, At: n.at, Message: "writes there"}},
				Fixes:   append([]rule.Fix{{Safety: diag.Display, Message: "mount an emptyDir at " + strings.Join(n.paths, ", another at ")}}, n.fixes...),
			}
			p.Report(f)
			break
		}
	}
}

// A needed is what a program needs to write, and what becomes of it.
type needed struct {
	paths     []string
	what, end string
	at        node.Path // what says so
	severity  diag.Severity
	notes     []string
	fixes     []rule.Fix
}

// imageWrites returns the directories that the image's program is known to write
// to at its start. What a configuration from a volume says is not known.
func imageWrites(c *cluster.Cluster, ctr *manifest.Container) (needed, bool) {
	writes := c.Image(ctr).Writes
	if writes == nil || !c.RunsEntrypoint(ctr, writes.Programs) || len(ctr.Args) > 0 && len(writes.Programs) > 0 && optionsChange(c, ctr) {
		return needed{}, false
	}
	if writes.Config != "" {
		if _, ok := volumeOver(ctr, writes.Config); ok || speaksOfPaths(c, ctr, path.Dir(writes.Config)) {
			return needed{}, false
		}
	}
	missing := slices.DeleteFunc(slices.Clone(writes.Paths), func(dir string) bool { return writable(c, ctr, dir) })
	return needed{
		paths: missing, at: ctr.At("image"), end: "\"Read-only file system\", and it exits at every start",
		what:  fmt.Sprintf("%s writes to %s when it starts", ctr.Image, strings.Join(missing, " and ")),
		notes: []string{sourceNote("what it writes", writes.Source)},
	}, len(missing) > 0
}

// optionsChange reports whether the arguments may name other files: those of
// nginx, with -c, -p or a pid in -g, and those of servers with a socket or a
// directory of theirs.
func optionsChange(c *cluster.Cluster, ctr *manifest.Container) bool {
	return slices.ContainsFunc(c.Process(ctr).Words, func(w cluster.Word) bool {
		return !w.Known || w.Value == "-c" || w.Value == "-p" || w.Value == "-k" ||
			slices.ContainsFunc([]string{"pid", "socket", "tmpdir", "temp", "defaults"}, func(part string) bool { return strings.Contains(w.Value, part) })
	})
}

// speaksOfPaths reports whether a file that a ConfigMap puts below the directory
// names a path for temporary files or the process number.
func speaksOfPaths(c *cluster.Cluster, ctr *manifest.Container, dir string) bool {
	for _, d := range []string{dir, path.Join(dir, "conf.d")} {
		for _, file := range c.MountedFiles(ctr, d) {
			if strings.Contains(file.Text, "_temp_path") || strings.Contains(file.Text, "pid ") {
				return true
			}
		}
	}
	return false
}

// gunicornWrites returns where gunicorn makes a file for each of its workers: in
// worker_tmp_dir, or in the first directory that Python finds it can write to
// (gunicorn/workers/workertmp.py; Lib/tempfile.py, _candidate_tempdir_list).
func gunicornWrites(c *cluster.Cluster, ctr *manifest.Container) (needed, bool) {
	command, ok := gunicorn(c.Process(ctr))
	if !ok {
		return needed{}, false
	}
	env := c.Environment(ctr)
	words := command.Words
	if v, ok := env.Lookup("GUNICORN_CMD_ARGS"); ok || env.Open {
		if !v.Known {
			return needed{}, false
		}
		for word := range strings.FieldsSeq(v.Value) {
			words = append(slices.Clip(words), cluster.Word{Value: word, Known: true})
		}
	}
	n := needed{
		at: ctr.At("image"), severity: diag.Warning,
		end:   "\"No usable temporary directory found\", and gunicorn exits, at every start",
		what:  "gunicorn makes a file for each worker in " + strings.Join(temporary, ", ") + " or its working directory",
		paths: []string{"/tmp"},
		fixes: []rule.Fix{{Safety: diag.Display, Message: "or let it use the memory file system that every container has: --worker-tmp-dir /dev/shm"}},
	}
	if o := command.Words[0].From; o.Object == ctr.Workload.Object {
		n.at = o.Path
	}
	if dir, ok := cluster.OptionValue(words, "--worker-tmp-dir"); ok {
		n.what, n.paths, n.fixes = "gunicorn makes a file for each worker in "+dir, []string{dir}, nil
		return n, !writable(c, ctr, dir)
	}
	for _, name := range []string{"TMPDIR", "TEMP", "TMP"} {
		if v, ok := env.Lookup(name); ok && (!v.Known || writable(c, ctr, v.Value)) {
			return needed{}, false
		}
	}
	for i := range ctr.VolumeMounts { // one may lie over the image's working directory
		if !readOnlyMount(c, ctr, i) && ctr.WorkingDir == "" {
			return needed{}, false
		}
	}
	if slices.ContainsFunc(temporary, func(dir string) bool { return writable(c, ctr, dir) }) || ctr.WorkingDir != "" && writable(c, ctr, path.Clean(ctr.WorkingDir)) {
		return needed{}, false
	}
	return n, true
}

// temporary are the directories that Python tries, behind those of TMPDIR, TEMP
// and TMP and before the working directory.
var temporary = []string{"/tmp", "/var/tmp", "/usr/tmp"}

func gunicorn(p cluster.Process) (cluster.Command, bool) {
	for _, command := range p.Commands {
		module := len(command.Words) > 2 && strings.HasPrefix(command.Name(), "python") && command.Words[1].Value == "-m" && command.Words[2].Value == "gunicorn"
		if (command.Name() == "gunicorn" || module) && !command.Conditional && len(command.Words) > 0 {
			return command, true
		}
	}
	return cluster.Command{}, false
}

// dotnetWrites returns where .NET makes the socket of its diagnostics, in the
// directory for temporary files, without which it does not start unless they are
// turned off (https://github.com/dotnet/runtime/issues/86259;
// https://learn.microsoft.com/en-us/dotnet/core/runtime-config/debugging-profiling).
func dotnetWrites(c *cluster.Cluster, ctr *manifest.Container) (needed, bool) {
	if r, ok := runtimes.Of(c, ctr); !ok || r.Name != "dotnet" || !r.Certain {
		return needed{}, false
	}
	env := c.Environment(ctr)
	for _, name := range []string{"DOTNET_EnableDiagnostics", "COMPlus_EnableDiagnostics", "DOTNET_EnableDiagnostics_IPC", "COMPlus_EnableDiagnostics_IPC"} {
		if env.Meets(name + "=0") {
			return needed{}, false
		}
	}
	dir := "/tmp"
	if v, ok := env.Lookup("TMPDIR"); ok {
		if !v.Known {
			return needed{}, false
		}
		dir = path.Clean(v.Value)
	}
	return needed{
		paths: []string{dir}, at: ctr.At("image"), severity: diag.Warning,
		what:  "the .NET runtime makes the socket of its diagnostics in " + dir,
		end:   "\"Failed to create CoreCLR\", and it exits at every start",
		notes: []string{"so seen with releases up to 7; what the program itself writes to " + dir + " fails with any"},
		fixes: []rule.Fix{{Safety: diag.Display, Message: "or turn the diagnostics off: DOTNET_EnableDiagnostics=0 (COMPlus_EnableDiagnostics=0 before .NET 6)"}},
	}, !writable(c, ctr, dir)
}
