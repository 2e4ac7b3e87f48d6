// Package rollout holds the rules about Deployments whose new pods do not come
// up beside the old ones, or whose failures are not seen.
package rollout

import (
	"embed"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the family of these rules.
var Family = &rule.Family{
	Name:  "rollout",
	Title: "Rollouts that get stuck, and crashes that replace healthy pods",
	Docs:  docs,
	Rules: []*rule.Rule{rwoVolumeRollingUpdate, progressDeadlineBelowStartup, noReadinessInRollout},
}

// deploymentOf returns the Deployment behind a workload, nil when it is none or
// only a part of one.
func deploymentOf(w *manifest.Workload) *appsv1.Deployment {
	d, ok := w.Typed.(*appsv1.Deployment)
	if !ok || w.Custom || cluster.IsPart(w) {
		return nil
	}
	return d
}

// rolling reports a Deployment that starts new pods before it stops old ones
// (pkg/apis/apps/v1/defaults.go, SetDefaults_Deployment;
// pkg/controller/deployment/util/deployment_util.go, ResolveFenceposts). With
// maxSurge 0 an old pod goes first.
func rolling(d *appsv1.Deployment) bool {
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return false
	}
	if r := d.Spec.Strategy.RollingUpdate; r != nil && r.MaxSurge != nil {
		return *r.MaxSurge != intstr.FromInt32(0) && r.MaxSurge.StrVal != "0%"
	}
	return true
}

// keepsOld reports a rolling update in which an old pod stays until a new one is
// available, as maxUnavailable rounds down to 0
// (pkg/controller/deployment/util/deployment_util.go, ResolveFenceposts;
// pkg/controller/deployment/rolling.go, reconcileOldReplicaSets). Of a single pod
// that is so by default, for 25% of it is none.
func keepsOld(d *appsv1.Deployment) bool {
	if !rolling(d) {
		return false
	}
	unavailable := intstr.FromString("25%")
	if r := d.Spec.Strategy.RollingUpdate; r != nil && r.MaxUnavailable != nil {
		unavailable = *r.MaxUnavailable
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(&unavailable, int(replicas(d)), false)
	return err == nil && n < int(replicas(d))
}

// replicas returns how many pods the Deployment asks for.
func replicas(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}
