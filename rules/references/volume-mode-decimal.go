package references

import (
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var volumeModeDecimal = &rule.Rule{
	ID:       "volume-mode-decimal",
	Title:    "The mode of a volume's files is an octal number written as a decimal one",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkModes,
}

// checkModes reports modes that the API server refuses, above 0777
// (pkg/apis/core/validation/validation.go, validateSecretVolumeSource and its
// like), and those that it takes for something else.
func checkModes(p *rule.Pass, w *manifest.Workload) {
	for i := range w.Pod.Volumes {
		for _, m := range modesOf(&w.Pod.Volumes[i], w.PodPath.Append("volumes", i)) {
			checkMode(p, w, w.Pod.Volumes[i].Name, m)
		}
	}
}

func checkMode(p *rule.Pass, w *manifest.Workload, volume string, m mode) {
	f := rule.Finding{Object: w.Object, At: m.at}
	name, _ := m.at[len(m.at)-1].Key()
	switch {
	case m.value < 0:
		f.Message = fmt.Sprintf("%s %d of volume %s is below 0: the API server refuses the pod", name, m.value, volume)
	case m.value > 0o777:
		f.Message = fmt.Sprintf("%s %d of volume %s is a decimal number, above 511, the 0777 of a mode: the API server refuses the pod", name, m.value, volume)
	case slices.Contains(mistaken, m.value):
		f.Severity = diag.Info
		f.Message = fmt.Sprintf("%s %d of volume %s is a decimal number, which is mode %#o: the files are written for others than 0%d says, and ssh and databases refuse a key that its group may write",
			name, m.value, volume, m.value, m.value)
	default:
		return
	}
	octal, err := strconv.ParseInt(strconv.Itoa(int(m.value)), 8, 32)
	if err == nil && 0 <= octal && octal <= 0o777 {
		f.Notes = []string{fmt.Sprintf("mode 0%d is %d as a decimal number, which YAML and JSON both take; only YAML takes 0%d", m.value, octal, m.value)}
		f.Fixes = []rule.Fix{{
			Message: fmt.Sprintf("%d, which is 0%d", octal, m.value), Safety: diag.Unsafe,
			Ops: []node.Op{{Kind: node.Set, Path: m.at, Value: octal}},
		}}
	}
	p.Report(f)
}

// mistaken are modes that look like an octal number and that nobody means as a
// decimal one: 0620, 0670, 0674 and 0764.
var mistaken = []int32{400, 440, 444, 500}

// A mode is one of a volume's file modes and its path.
type mode struct {
	value int32
	at    node.Path
}

// modesOf lists the modes that are written in a volume.
func modesOf(v *corev1.Volume, at node.Path) []mode {
	var out []mode
	add := func(value *int32, at node.Path) {
		if value != nil {
			out = append(out, mode{*value, at})
		}
	}
	keys := func(items []corev1.KeyToPath, at node.Path) {
		for i, item := range items {
			add(item.Mode, at.Append("items", i, "mode"))
		}
	}
	files := func(items []corev1.DownwardAPIVolumeFile, at node.Path) {
		for i, item := range items {
			add(item.Mode, at.Append("items", i, "mode"))
		}
	}
	switch {
	case v.Secret != nil:
		add(v.Secret.DefaultMode, at.Append("secret", "defaultMode"))
		keys(v.Secret.Items, at.Append("secret"))
	case v.ConfigMap != nil:
		add(v.ConfigMap.DefaultMode, at.Append("configMap", "defaultMode"))
		keys(v.ConfigMap.Items, at.Append("configMap"))
	case v.DownwardAPI != nil:
		add(v.DownwardAPI.DefaultMode, at.Append("downwardAPI", "defaultMode"))
		files(v.DownwardAPI.Items, at.Append("downwardAPI"))
	case v.Projected != nil:
		add(v.Projected.DefaultMode, at.Append("projected", "defaultMode"))
		for i, s := range v.Projected.Sources {
			at := at.Append("projected", "sources", i)
			switch {
			case s.Secret != nil:
				keys(s.Secret.Items, at.Append("secret"))
			case s.ConfigMap != nil:
				keys(s.ConfigMap.Items, at.Append("configMap"))
			case s.DownwardAPI != nil:
				files(s.DownwardAPI.Items, at.Append("downwardAPI"))
			}
		}
	}
	return out
}
