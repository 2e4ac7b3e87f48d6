package shutdown

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var hookFails = &rule.Rule{
	ID:       "hook-fails",
	Title:    "A lifecycle hook fails, and the container is killed for it",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		for _, ctr := range w.Containers {
			if !hooked(ctr) {
				continue
			}
			h := hook{p, ctr, postStart, ctr.Lifecycle.PostStart}
			if h.handler != nil {
				h.check()
			}
			h = hook{p, ctr, preStop, ctr.Lifecycle.PreStop}
			if h.handler != nil {
				h.broken()
			}
		}
	},
}

// A hook is one lifecycle hook of a container. The kubelet runs postStart as
// soon as the container is started, once and without regard to what its process
// is doing, and kills the container when it fails
// (pkg/kubelet/kuberuntime/kuberuntime_container.go, startContainer). A preStop
// hook that fails is an event and no more (executePreStopHook).
type hook struct {
	*rule.Pass
	ctr     *manifest.Container
	name    string
	handler *corev1.LifecycleHandler
}

func (h hook) at(steps ...any) node.Path { return h.ctr.At("lifecycle", h.name).Append(steps...) }

func (h hook) report(f rule.Finding, format string, args ...any) {
	f.Object = h.ctr.Workload.Object
	f.Message = fmt.Sprintf("container %q: ", h.ctr.Name) + fmt.Sprintf(format, args...)
	if h.name == preStop {
		f.Severity = diag.Info
	}
	h.Report(f)
}

// consequence says what a failure comes to.
func (h hook) consequence() string {
	if h.name == preStop {
		return "it does nothing, and SIGTERM follows at once"
	}
	return "the container is killed after each start (FailedPostStartHook)"
}

// broken looks for a hook that cannot run at all, and reports whether there was
// something to say.
func (h hook) broken() bool {
	switch {
	case h.handler.TCPSocket != nil:
		f := rule.Finding{At: h.at("tcpSocket"), Target: node.KeyOf}
		h.report(f, "the kubelet knows no tcpSocket in %s and takes it for a failure: %s", h.name, h.consequence())
	case len(commandOf(h.handler)) == 1 && oneString(h.handler.Exec.Command[0]):
		at := h.at("exec", "command", 0)
		f := rule.Finding{At: at, Needs: []node.Path{at}, Fixes: []rule.Fix{{
			Message: "let a shell take it apart: sh -c", Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: h.at("exec", "command"), Value: []any{"sh", "-c", h.handler.Exec.Command[0]}}},
		}}}
		h.report(f, "%s runs a program of the name %q, for no shell takes the text apart: there is none, and %s", h.name, h.handler.Exec.Command[0], h.consequence())
	default:
		return h.missingProgram()
	}
	return true
}

// missingProgram reports a hook whose program the image does not have, and
// whether there was one. The runtime finds no file to execute then.
func (h hook) missingProgram() bool {
	command := commandOf(h.handler)
	tools := h.Cluster.Image(h.ctr).Tools
	if len(command) == 0 || tools == nil || !h.ctr.Workload.Known(h.at("exec", "command", 0)) || h.bringsPrograms() {
		return false
	}
	name := strings.TrimPrefix(strings.TrimPrefix(command[0], "/usr"), "/bin/")
	if !slices.Contains(tools.Lacks, name) && (!tools.None || !slices.Contains(everyday, name)) {
		return false
	}
	has := "lacks it"
	if tools.None {
		has = "has no program but its own"
	}
	h.report(rule.Finding{At: h.at("exec", "command", 0)}, "%s runs %s, and image %s %s: %s", h.name, name, h.ctr.Image, has, h.consequence())
	return true
}

// everyday are programs that hooks run and that an image without any program
// but its own does not have.
var everyday = []string{"sh", "bash", "ash", "sleep", "echo", "cat", "kill", "touch", "curl", "wget", "nc"}

// bringsPrograms reports a container that may have programs from elsewhere: its
// own PATH, or a volume over a folder of programs.
func (h hook) bringsPrograms() bool {
	if _, ok := h.Cluster.Environment(h.ctr).Lookup("PATH"); ok {
		return true
	}
	return slices.ContainsFunc(h.ctr.VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.MountPath == "/" || strings.HasPrefix(m.MountPath, "/usr") || strings.HasPrefix(m.MountPath, "/bin")
	})
}

// oneString reports a command line, or a URL, where a program's name belongs.
func oneString(text string) bool {
	return strings.ContainsAny(strings.TrimSpace(text), " \n") || strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
}

// check looks at a postStart hook.
func (h hook) check() {
	switch grace := graceOf(h.ctr.Workload.Pod); {
	case h.broken():
	case h.handler.Sleep != nil:
		// pkg/apis/core/validation/validation.go, validateSleepAction
		if h.handler.Sleep.Seconds > grace {
			at := h.at("sleep", "seconds")
			h.report(rule.Finding{At: at, Needs: []node.Path{at, h.ctr.Workload.PodPath.Append("terminationGracePeriodSeconds")}},
				"postStart sleeps %d s, and the grace period is %d s: the API server refuses a sleep that is longer, in postStart as well", h.handler.Sleep.Seconds, grace)
		}
	case h.handler.HTTPGet != nil:
		if h.handler.HTTPGet.Host == "" {
			h.report(rule.Finding{At: h.at("httpGet"), Target: node.KeyOf, Severity: diag.Warning},
				"postStart asks the container itself over HTTP as soon as it is started, and once only: before the server listens the connection is refused, and %s", h.consequence())
		}
	case h.handler.Exec != nil:
		h.run()
	}
}

// early is how many seconds after its start a server may well not answer yet.
const early = 15

// run looks at the commands of a postStart hook.
func (h hook) run() {
	at := h.at("exec", "command")
	process := h.Cluster.HookProcess(h.ctr, h.handler.Exec.Command, at)
	if process.ScriptError != "" {
		return
	}
	env := h.Cluster.Environment(h.ctr)
	if h.waitsForLater(process.Commands, env) {
		return
	}
	// A loop has waited for the server, or may have.
	if slices.ContainsFunc(process.Commands, func(c cluster.Command) bool { return c.Repeated && c.Name() != "sleep" }) {
		return
	}
	for i, c := range process.Commands {
		if !c.Certain() || !c.Fatal {
			continue
		}
		switch {
		case c.Name() == "false", c.Name() == "exit" && len(c.Words) == 2 && c.Words[1].Known && !slices.Contains([]string{"0", "$?"}, c.Words[1].Value):
			h.report(standing(h.ctr, at, c.Words[0]), "postStart always ends with an error: %s", h.consequence())
			return
		case c.Home(env) && !patient(c):
			sleeps := cluster.Slept(process.Commands[:i])
			if sleeps >= early {
				return
			}
			f := standing(h.ctr, at, c.Words[0])
			f.Severity = diag.Warning
			f.Fixes = []rule.Fix{{Message: "wait for the server in a loop, and end with || true if the container can do without", Safety: diag.Display}}
			h.report(f, "postStart runs %s against the server of its own pod %s, and once only: while the server still starts it fails, and %s",
				c.Name(), when(sleeps), h.consequence())
			return
		}
	}
}

// waitsForLater reports a hook that waits for a port of a container further down
// the list, which the kubelet starts only after the hook has ended
// (pkg/kubelet/kuberuntime/kuberuntime_manager.go, SyncPod, starts one after the
// other), and whether there was one.
func (h hook) waitsForLater(commands []cluster.Command, env cluster.Environment) bool {
	containers := h.ctr.Workload.Containers
	later := containers[slices.Index(containers, h.ctr)+1:]
	if h.ctr.Workload.Pod.HostNetwork {
		return false
	}
	for _, c := range commands {
		if !c.Awaited || !c.Home(env) {
			continue
		}
		for _, connection := range c.Connections(env) {
			for _, ctr := range later {
				i := slices.IndexFunc(ctr.Ports, func(p corev1.ContainerPort) bool { return int(p.ContainerPort) == connection.Port })
				if i < 0 || connection.Port == 0 || connection.Word.Secret {
					continue
				}
				f := standing(h.ctr, h.at("exec", "command"), connection.Word)
				f.Related = append(f.Related, rule.Related{Object: h.ctr.Workload.Object, At: ctr.At("ports", i), Message: "the port is opened here"})
				f.Fixes = []rule.Fix{{Message: fmt.Sprintf("list container %q before %q", ctr.Name, h.ctr.Name), Safety: diag.Display}}
				h.report(f, "postStart waits for port %d of container %q, which the kubelet starts only when this hook has ended: neither ever happens", connection.Port, ctr.Name)
				return true
			}
		}
	}
	return false
}

func when(sleeps int64) string {
	if sleeps == 0 {
		return "as soon as the container is started"
	}
	return fmt.Sprintf("%d s after the container is started", sleeps)
}

// patient reports a client that tries again by itself.
func patient(c cluster.Command) bool {
	return slices.ContainsFunc(c.Words[1:], func(w cluster.Word) bool {
		return strings.HasPrefix(w.Value, "--retry") || strings.HasPrefix(w.Value, "--wait") || strings.HasPrefix(w.Value, "--tries") || w.Value == "await_startup" || w.Value == "wait"
	})
}
