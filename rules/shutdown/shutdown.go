// Package shutdown holds the rules about how a container is stopped, and about
// the hooks that run after its start and before its end.
package shutdown

import (
	"embed"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the family of these rules.
var Family = &rule.Family{
	Name:  "shutdown",
	Title: "Lifecycle hooks that fail, and stops that end in SIGKILL",
	Docs:  docs,
	Rules: []*rule.Rule{hookFails, prestopExceedsGrace, shellSwallowsSigterm},
}

const (
	postStart = "postStart"
	preStop   = "preStop"
)

// hooked reports whether the kubelet runs the container's hooks: those of init
// containers that run to their end are refused by the API server
// (pkg/apis/core/validation/validation.go, validateInitContainers).
func hooked(ctr *manifest.Container) bool { return ctr.Role != manifest.Init && ctr.Lifecycle != nil }

// defaultGrace is terminationGracePeriodSeconds where it is not written
// (pkg/apis/core/v1/defaults.go, SetDefaults_PodSpec).
const defaultGrace = 30

// graceOf returns the grace period of the pod in seconds.
func graceOf(pod *corev1.PodSpec) int64 {
	if g := pod.TerminationGracePeriodSeconds; g != nil {
		return *g
	}
	return defaultGrace
}

// standing is a finding where a word of a hook's command stands; one that came
// from elsewhere is related.
func standing(ctr *manifest.Container, command node.Path, word cluster.Word) rule.Finding {
	f := rule.Finding{Object: ctr.Workload.Object, At: command}
	switch from := word.From; {
	case from.Object == ctr.Workload.Object && from.Path.HasPrefix(command):
		f.At, f.Within = from.Path, from.Within
	case from.Object != nil && !word.Secret:
		f.Related = []rule.Related{{Object: from.Object, At: from.Path, Within: from.Within, Message: "from here"}}
	}
	return f
}

// commandOf returns the command of a hook, nil when it runs none.
func commandOf(hook *corev1.LifecycleHandler) []string {
	if hook == nil || hook.Exec == nil {
		return nil
	}
	return hook.Exec.Command
}
