package references

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// The annotations by which Helm and Argo CD order what they make.
const (
	helmHook   = "helm.sh/hook"
	helmWeight = "helm.sh/hook-weight"
	helmPolicy = "helm.sh/hook-delete-policy"
	argoHook   = "argocd.argoproj.io/hook"
	argoWave   = "argocd.argoproj.io/sync-wave"
)

func annotation(name string) node.Path { return node.P("metadata", "annotations", name) }

// listed returns the words of an annotation that is a comma-separated list.
func listed(o *manifest.Object, name string) []string {
	var words []string
	for word := range strings.SplitSeq(o.Annotations[name], ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

func runsOn(o *manifest.Object, event string) bool {
	return slices.Contains(listed(o, helmHook), event)
}

// number returns the value of an annotation, 0 when it has none or it is no
// integer: so do Helm (pkg/release/v1/util/manifest_sorter.go,
// calculateHookWeight) and Argo CD (gitops-engine/pkg/sync/syncwaves/waves.go).
func number(o *manifest.Object, name string) int {
	n, _ := strconv.Atoi(o.Annotations[name])
	return n
}

// An order is how a tool makes the objects that belong together.
type order struct {
	// together reports whether the tool makes both objects in one go.
	together func(a, b *manifest.Object) bool
	// late says how the target comes too late for w, empty when it does not.
	late func(w, target *manifest.Object) string
}

var orders = []order{
	{together: sameChart, late: helmLate},
	{together: func(a, b *manifest.Object) bool { return a.Dir() == b.Dir() }, late: argoLate},
}

// sameChart reports whether two objects belong to one release: they stand in one
// file and, where their templates are known, come from the same chart.
func sameChart(a, b *manifest.Object) bool {
	chartA, _, _ := strings.Cut(a.Template, "/")
	chartB, _, _ := strings.Cut(b.Template, "/")
	return a.File() == b.File() && chartA == chartB
}

// helmBefore reports whether Helm makes a before b when both are hooks of one
// event: by weight, then by name, and only then by kind, though its
// documentation has the kind before the name (pkg/action/hooks.go, hookByWeight;
// https://github.com/helm/helm/issues/12414). The kinds that pods name come
// before Jobs and Pods.
func helmBefore(a, b *manifest.Object) bool {
	return cmp.Or(cmp.Compare(number(a, helmWeight), number(b, helmWeight)), cmp.Compare(a.Name, b.Name)) <= 0
}

// helmLate says how the target comes too late for w when a release is installed,
// empty when it does not: w is a hook, and Helm waits for Jobs and Pods among
// the hooks before it goes on (https://helm.sh/docs/topics/charts_hooks/).
func helmLate(w, target *manifest.Object) string {
	before, after := runsOn(w, "pre-install"), runsOn(w, "post-install")
	event := "pre-install"
	if !before {
		event = "post-install"
	}
	switch {
	case w.Kind != "Job" && w.Kind != "Pod", !before && !after:
		return ""
	case runsOn(target, event):
		if helmBefore(target, w) || !before && runsOn(target, "pre-install") {
			return ""
		}
		if number(target, helmWeight) > number(w, helmWeight) {
			return "is a hook of a later weight"
		}
		return "is a hook of the same weight and a later name, by which Helm sorts"
	case !before:
		return ""
	}
	return "is made only after the hook has run"
}

// A turn is when Argo CD applies an object in a synchronisation: by phase, then
// by wave (gitops-engine/pkg/sync/sync_tasks.go, Less).
type turn struct{ phase, wave int }

func (t turn) compare(u turn) int {
	return cmp.Or(cmp.Compare(t.phase, u.phase), cmp.Compare(t.wave, u.wave))
}

func (t turn) String() string {
	phase := map[int]string{preSync: "PreSync", postSync: "PostSync"}[t.phase]
	if phase != "" {
		return "phase " + phase + fmt.Sprintf(", wave %d", t.wave)
	}
	return fmt.Sprintf("wave %d", t.wave)
}

const (
	preSync = iota - 1
	inSync
	postSync
)

// argoPhases are the phases of Argo CD's hooks, and of Helm's, which it takes for
// its own where an object has none of these (gitops-engine/pkg/sync/hook, Types).
var argoPhases = map[string]int{
	"PreSync": preSync, "Sync": inSync, "PostSync": postSync,
	"pre-install": preSync, "pre-upgrade": preSync, "post-install": postSync, "post-upgrade": postSync,
}

// argoTurn returns the first turn of an object, false when it has none: it is
// skipped, or belongs to a hook that runs in no synchronisation.
func argoTurn(o *manifest.Object) (turn, bool) {
	hooks, weight := listed(o, argoHook), argoWave
	if len(hooks) == 0 {
		hooks = listed(o, helmHook)
	}
	if o.Annotations[argoWave] == "" {
		weight = helmWeight
	}
	t := turn{phase: postSync + 1, wave: number(o, weight)}
	if len(hooks) == 0 {
		t.phase = inSync
	}
	for _, hook := range hooks {
		if phase, ok := argoPhases[hook]; ok {
			t.phase = min(t.phase, phase)
		}
	}
	return t, t.phase <= postSync
}

// argoLate says how the target comes too late for w when Argo CD first applies
// both, empty when it does not: each turn waits until what the ones before it
// applied is healthy (gitops-engine/pkg/sync/sync_context.go, Sync), which these
// kinds are when their pods are.
func argoLate(w, target *manifest.Object) string {
	switch w.Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod":
	default:
		return ""
	}
	if w.Annotations[argoHook]+w.Annotations[argoWave]+target.Annotations[argoHook]+target.Annotations[argoWave] == "" {
		return ""
	}
	here, ok := argoTurn(w)
	there, known := argoTurn(target)
	if !ok || !known || there.compare(here) <= 0 {
		return ""
	}
	return fmt.Sprintf("Argo CD makes in %s, when what it applied in %s is healthy", there, here)
}
