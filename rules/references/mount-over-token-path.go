package references

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var mountOverTokenPath = &rule.Rule{
	ID:       "mount-over-token-path",
	Title:    "A read-only volume stands where the service account token is to be mounted",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkTokenPath,
}

// accountDir is where the ServiceAccount admission plugin mounts the token, in
// every container that mounts nothing there itself
// (plugin/pkg/admission/serviceaccount/admission.go, DefaultAPITokenMountPath and
// mountServiceAccountToken).
const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// checkTokenPath reports volumes above the token's path in which the runtime
// cannot make the directories that lead there: Secrets, ConfigMaps, downward API
// and projected volumes are read-only in the container
// (pkg/kubelet/kubelet_pods.go, makeMounts, with GetAttributes of the volume
// plugins). The mount of the path with fewer parts comes first (containerd
// internal/cri/opts, orderedMounts).
func checkTokenPath(p *rule.Pass, w *manifest.Workload) {
	sure, mounted := mountsToken(p, w)
	if !mounted {
		return
	}
	for _, ctr := range w.Containers {
		if slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool { return path.Clean(m.MountPath) == accountDir }) {
			continue
		}
		for i, m := range ctr.VolumeMounts {
			v := slices.IndexFunc(w.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
			if v < 0 {
				continue
			}
			kind, leads := readOnlyVolume(&w.Pod.Volumes[v])
			dir := path.Clean(m.MountPath)
			linked := dir == "/run" || strings.HasPrefix(dir, "/run/")
			full := dir
			if linked {
				full = "/var" + dir
			}
			if kind == "" || leads || !strings.HasPrefix(accountDir, full+"/") {
				continue
			}
			f := rule.Finding{
				Object: w.Object, At: ctr.At("volumeMounts", i, "mountPath"),
				Message: fmt.Sprintf("container %q has a %s at %s, read-only, and the service account token goes to %s below it: the runtime cannot make that directory, and the container does not start",
					ctr.Name, kind, m.MountPath, accountDir),
				Needs:   []node.Path{w.PodPath.Append("automountServiceAccountToken")},
				Related: []rule.Related{{Object: w.Object, At: w.PodPath.Append("volumes", v, "name"), Message: "the volume is made here"}},
				Notes:   []string{"mount it in a directory of its own, " + path.Join(m.MountPath, m.Name) + " for one"},
				Fixes: []rule.Fix{{
					Message: "do without the token, if the program never asks the API server", Safety: diag.Unsafe,
					Ops: []node.Op{{Kind: node.Set, Path: w.PodPath.Append("automountServiceAccountToken"), Value: false}},
				}},
			}
			if linked {
				f.Notes = append(f.Notes, "in most images, Debian's and Alpine's among them, /var/run is a link to /run")
			}
			if linked || !sure {
				f.Severity = diag.Warning
			}
			p.Report(f)
		}
	}
}

// mountsToken reports whether the pods get a token: unless the pod or else its
// service account declines. sure is false when that account is not in the files.
func mountsToken(p *rule.Pass, w *manifest.Workload) (sure, mounted bool) {
	if auto := w.Pod.AutomountServiceAccountToken; auto != nil {
		return true, *auto
	}
	name := w.Pod.ServiceAccountName
	if name == "" {
		name = w.Pod.DeprecatedServiceAccount
	}
	if name == "" {
		name = "default"
	}
	for _, o := range p.Cluster.Find(w.Object, "ServiceAccount", name) {
		if account, ok := o.Typed.(*corev1.ServiceAccount); ok {
			auto := account.AutomountServiceAccountToken
			return true, auto == nil || *auto
		}
	}
	return name == "default", true
}

// readOnlyVolume names the kind of a volume that is always mounted read-only,
// empty for others. leads is true when the volume itself holds the directories
// that lead to the token.
func readOnlyVolume(v *corev1.Volume) (kind string, leads bool) {
	var paths []string
	items := func(list []corev1.KeyToPath) {
		for _, item := range list {
			paths = append(paths, item.Path)
		}
	}
	files := func(list []corev1.DownwardAPIVolumeFile) {
		for _, item := range list {
			paths = append(paths, item.Path)
		}
	}
	switch {
	case v.Secret != nil:
		kind = "Secret volume"
		items(v.Secret.Items)
	case v.ConfigMap != nil:
		kind = "ConfigMap volume"
		items(v.ConfigMap.Items)
	case v.DownwardAPI != nil:
		kind = "downward API volume"
		files(v.DownwardAPI.Items)
	case v.Projected != nil:
		kind = "projected volume"
		for _, s := range v.Projected.Sources {
			switch {
			case s.Secret != nil:
				items(s.Secret.Items)
			case s.ConfigMap != nil:
				items(s.ConfigMap.Items)
			case s.DownwardAPI != nil:
				files(s.DownwardAPI.Items)
			case s.ServiceAccountToken != nil:
				paths = append(paths, s.ServiceAccountToken.Path)
			}
		}
	}
	return kind, slices.ContainsFunc(paths, func(p string) bool { return strings.Contains(p, "serviceaccount/") })
}
