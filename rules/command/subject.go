package command

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// A subject is a container and what it runs.
type subject struct {
	*rule.Pass
	ctr     *manifest.Container
	process cluster.Process
}

// eachContainer calls check with the containers whose processes the files
// decide: those of Linux that are not parts of something else.
func eachContainer(check func(subject)) func(*rule.Pass, *manifest.Workload) {
	return func(p *rule.Pass, w *manifest.Workload) {
		if onWindows(w.Pod) {
			return
		}
		for _, ctr := range w.Containers {
			if !ctr.Partial {
				check(subject{p, ctr, p.Cluster.Process(ctr)})
			}
		}
	}
}

// onWindows reports a pod for nodes where names of programs have blanks and
// scripts are other ones.
func onWindows(pod *corev1.PodSpec) bool {
	return pod.OS != nil && pod.OS.Name == corev1.Windows || pod.NodeSelector["kubernetes.io/os"] == "windows" || pod.NodeSelector["beta.kubernetes.io/os"] == "windows"
}

// template reports a workload whose controller completes what its containers
// run and decides whether they run again: any custom resource but those that
// are Deployments under another name.
func template(w *manifest.Workload) bool {
	return w.Custom && w.Kind != "Rollout" || w.Kind == "PodTemplate"
}

// restarts reports whether the container is started again when it has ended
// with the exit code.
func (s subject) restarts(code int32) bool {
	w := s.ctr.Workload
	return !template(w) && !w.RunsToCompletion() && kubelet.Node{Minor: s.Cluster.Options.Version}.Restarts(w.Pod, s.ctr.Container, code)
}

// written reports a word that stands in the files and may be printed.
func written(w cluster.Word) bool { return w.Known && !w.Secret && w.From.Object != nil }

// standing is a finding where a word of the container's command stands; one that
// came from elsewhere is related.
func (s subject) standing(word cluster.Word) rule.Finding {
	f := rule.Finding{Object: s.ctr.Workload.Object, At: s.ctr.At("command")}
	switch {
	case len(s.ctr.Command) == 0 && len(s.ctr.Args) > 0:
		f.At = s.ctr.At("args")
	case len(s.ctr.Command) == 0:
		f.At = s.ctr.At("image")
	}
	switch from := word.From; {
	case from.Object == s.ctr.Workload.Object && from.Path.HasPrefix(s.ctr.Path):
		f.At, f.Within = from.Path, from.Within
	case from.Object != nil && !word.Secret:
		f.Related = []rule.Related{{Object: from.Object, At: from.Path, Within: from.Within, Message: "from here"}}
	}
	return f
}

// literal reports a word that is an item of the container's command or args as
// it is written, with nothing put into it.
func (s subject) literal(w cluster.Word) bool {
	o := s.ctr.Workload.Object
	return w.From.Object == o && w.From.Within == "" && w.From.Path.HasPrefix(s.ctr.Path) && o.StringAt(w.From.Path) == w.Value
}

// replaceWord puts another text in the place of a word.
func (s subject) replaceWord(w cluster.Word, value string) []rule.Fix {
	if !s.literal(w) {
		return nil
	}
	return []rule.Fix{{Message: "without it", Safety: diag.Safe, Ops: []node.Op{{Kind: node.Set, Path: w.From.Path, Value: value}}}}
}

// report reports a finding about the container.
func (s subject) report(f rule.Finding, format string, args ...any) {
	if f.Object == nil {
		f.Object = s.ctr.Workload.Object
	}
	f.Message = fmt.Sprintf("container %q ", s.ctr.Name) + fmt.Sprintf(format, args...)
	s.Report(f)
}

// shortened cuts a text for messages.
func shortened(text string) string {
	const most = 60
	if line, _, more := strings.Cut(text, "\n"); more || len(line) > most {
		return line[:min(len(line), most)] + "..."
	}
	return text
}

func isShell(name string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash", "ksh", "mksh", "zsh", "fish", "csh", "tcsh"}, path.Base(name))
}

// text returns the words of a command for messages, at most its first few.
func text(c cluster.Command) string {
	const most = 4
	var words []string
	for i, w := range c.Words {
		switch {
		case i == most:
			return strings.Join(append(words, "..."), " ")
		case w.Secret:
			words = append(words, "***")
		default:
			words = append(words, shortened(w.Value))
		}
	}
	return strings.Join(words, " ")
}
