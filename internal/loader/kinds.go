package loader

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A kind is a Kubernetes kind that is decoded into its Go type.
type kind struct {
	groups []string
	// make returns a new value, its metadata, and its pod template: nil and an
	// empty path where it has none.
	make func() (object any, meta *metav1.ObjectMeta, pod *corev1.PodSpec, podPath node.Path, podMeta *metav1.ObjectMeta)
}

// templated describes a kind whose pods are made from a template.
func templated[T any](path node.Path, meta func(*T) *metav1.ObjectMeta, template func(*T) *corev1.PodTemplateSpec, groups ...string) kind {
	return kind{groups: groups, make: func() (any, *metav1.ObjectMeta, *corev1.PodSpec, node.Path, *metav1.ObjectMeta) {
		v := new(T)
		t := template(v)
		return v, meta(v), &t.Spec, path.Append("spec"), &t.ObjectMeta
	}}
}

// plain describes a kind that makes no pods.
func plain[T any](meta func(*T) *metav1.ObjectMeta, groups ...string) kind {
	return kind{groups: groups, make: func() (any, *metav1.ObjectMeta, *corev1.PodSpec, node.Path, *metav1.ObjectMeta) {
		v := new(T)
		return v, meta(v), nil, nil, nil
	}}
}

var (
	specTemplate = node.P("spec", "template")
	// The beta versions of the workload kinds, long gone from the API server,
	// hold the same pod template in the same place.
	appsGroups  = []string{"apps", "extensions"}
	batchGroups = []string{"batch"}
	coreGroups  = []string{""}
)

// kinds are the kinds that are decoded into their Go types, strictly.
var kinds = map[string]kind{
	"Deployment":  templated(specTemplate, func(o *appsv1.Deployment) *metav1.ObjectMeta { return &o.ObjectMeta }, func(o *appsv1.Deployment) *corev1.PodTemplateSpec { return &o.Spec.Template }, appsGroups...),
	"StatefulSet": templated(specTemplate, func(o *appsv1.StatefulSet) *metav1.ObjectMeta { return &o.ObjectMeta }, func(o *appsv1.StatefulSet) *corev1.PodTemplateSpec { return &o.Spec.Template }, appsGroups...),
	"DaemonSet":   templated(specTemplate, func(o *appsv1.DaemonSet) *metav1.ObjectMeta { return &o.ObjectMeta }, func(o *appsv1.DaemonSet) *corev1.PodTemplateSpec { return &o.Spec.Template }, appsGroups...),
	"ReplicaSet":  templated(specTemplate, func(o *appsv1.ReplicaSet) *metav1.ObjectMeta { return &o.ObjectMeta }, func(o *appsv1.ReplicaSet) *corev1.PodTemplateSpec { return &o.Spec.Template }, appsGroups...),
	"Job":         templated(specTemplate, func(o *batchv1.Job) *metav1.ObjectMeta { return &o.ObjectMeta }, func(o *batchv1.Job) *corev1.PodTemplateSpec { return &o.Spec.Template }, batchGroups...),
	"CronJob": templated(node.P("spec", "jobTemplate", "spec", "template"), func(o *batchv1.CronJob) *metav1.ObjectMeta { return &o.ObjectMeta },
		func(o *batchv1.CronJob) *corev1.PodTemplateSpec { return &o.Spec.JobTemplate.Spec.Template }, batchGroups...),
	"ReplicationController": {groups: coreGroups, make: func() (any, *metav1.ObjectMeta, *corev1.PodSpec, node.Path, *metav1.ObjectMeta) {
		v := &corev1.ReplicationController{Spec: corev1.ReplicationControllerSpec{Template: &corev1.PodTemplateSpec{}}}
		return v, &v.ObjectMeta, &v.Spec.Template.Spec, specTemplate.Append("spec"), &v.Spec.Template.ObjectMeta
	}},
	"PodTemplate": templated(node.P("template"), func(o *corev1.PodTemplate) *metav1.ObjectMeta { return &o.ObjectMeta }, func(o *corev1.PodTemplate) *corev1.PodTemplateSpec { return &o.Template }, coreGroups...),
	"Pod": {groups: coreGroups, make: func() (any, *metav1.ObjectMeta, *corev1.PodSpec, node.Path, *metav1.ObjectMeta) {
		v := new(corev1.Pod)
		return v, &v.ObjectMeta, &v.Spec, node.P("spec"), &v.ObjectMeta
	}},

	"Service":               plain(func(o *corev1.Service) *metav1.ObjectMeta { return &o.ObjectMeta }, coreGroups...),
	"ConfigMap":             plain(func(o *corev1.ConfigMap) *metav1.ObjectMeta { return &o.ObjectMeta }, coreGroups...),
	"Secret":                plain(func(o *corev1.Secret) *metav1.ObjectMeta { return &o.ObjectMeta }, coreGroups...),
	"ServiceAccount":        plain(func(o *corev1.ServiceAccount) *metav1.ObjectMeta { return &o.ObjectMeta }, coreGroups...),
	"LimitRange":            plain(func(o *corev1.LimitRange) *metav1.ObjectMeta { return &o.ObjectMeta }, coreGroups...),
	"ResourceQuota":         plain(func(o *corev1.ResourceQuota) *metav1.ObjectMeta { return &o.ObjectMeta }, coreGroups...),
	"PersistentVolumeClaim": plain(func(o *corev1.PersistentVolumeClaim) *metav1.ObjectMeta { return &o.ObjectMeta }, coreGroups...),
	"Namespace":             plain(func(o *corev1.Namespace) *metav1.ObjectMeta { return &o.ObjectMeta }, coreGroups...),
}

func typedKind(h header) (kind, bool) {
	k, ok := kinds[h.kind]
	if !ok {
		return kind{}, false
	}
	group, _, cut := strings.Cut(h.apiVersion, "/")
	if !cut {
		group = ""
	}
	if slices.Contains(k.groups, group) {
		return k, true
	}
	return kind{}, false
}

// unread are kinds that no rule asks about and that tend to be large. They are
// counted and not parsed.
var unread = map[string]bool{
	"APIService": true, "ClusterPolicy": true, "CustomResourceDefinition": true, "EnvoyFilter": true, "GrafanaDashboard": true,
	"MutatingWebhookConfiguration": true, "NetworkPolicy": true, "PodMonitor": true, "PodSecurityPolicy": true,
	"PrometheusRule": true, "ServiceMonitor": true, "ValidatingAdmissionPolicy": true, "ValidatingWebhookConfiguration": true,
	"VirtualService": true, "DestinationRule": true, "AuthorizationPolicy": true,
}

// workload makes the workload of a typed object, nil where it makes no pods.
func workload(o *manifest.Object, pod *corev1.PodSpec, podPath node.Path, meta *metav1.ObjectMeta) *manifest.Workload {
	if pod == nil {
		return nil
	}
	metaPath := node.P("metadata")
	if len(podPath) > 1 {
		metaPath = podPath[:len(podPath)-1].Append("metadata")
	}
	return manifest.NewWorkload(o, pod, podPath, *meta, metaPath)
}
