package cluster

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A Reference is a field of a workload that names another object.
type Reference struct {
	Workload *manifest.Workload
	// Container is the container the reference stands in, nil for the pod.
	Container *manifest.Container
	// Kind of the object named: Secret, ConfigMap, PersistentVolumeClaim,
	// ServiceAccount, Service, PriorityClass, RuntimeClass, StorageClass,
	// ResourceClaim, ResourceClaimTemplate or ClusterTrustBundle.
	Kind string
	// Name of the object named, and the path of the field that names it.
	Name string
	At   node.Path
	// Key within the object, empty when the whole object is meant, and its path.
	Key      string
	KeyAt    node.Path
	Optional bool
	// Pull marks an image pull secret, without which the kubelet tries to pull
	// all the same.
	Pull bool
	// Use says what the object is needed for, for messages: "environment
	// variable DB_PASSWORD", "volume config", "the pod".
	Use string
}

// inEnvironment reports whether the object's keys become environment variables.
func (r Reference) inEnvironment() bool { return r.Container != nil }

// References returns the objects that the workload's pods name: those of the
// containers in the order in which they start, envFrom first, then those of the
// pod. What a volume names that no container mounts is left out: the kubelet
// does not set it up (pkg/kubelet/volumemanager/populator,
// desired_state_of_world_populator.go, processPodVolumes). Claims count in any
// case: the scheduler looks for them all.
func (c *Cluster) References(w *manifest.Workload) []Reference {
	var refs []Reference
	add := func(r Reference) {
		if r.Workload = w; r.Name != "" {
			refs = append(refs, r)
		}
	}
	mounted := map[string]bool{}
	for _, ctr := range w.Containers {
		for _, m := range ctr.VolumeMounts {
			mounted[m.Name] = true
		}
		for i := range ctr.EnvFrom {
			e := &ctr.EnvFrom[i]
			at := ctr.At("envFrom", i)
			if s := e.SecretRef; s != nil {
				add(Reference{Container: ctr, Kind: secret, Name: s.Name, At: at.Append("secretRef", "name"), Optional: yes(s.Optional), Use: "envFrom"})
			}
			if s := e.ConfigMapRef; s != nil {
				add(Reference{Container: ctr, Kind: configMap, Name: s.Name, At: at.Append("configMapRef", "name"), Optional: yes(s.Optional), Use: "envFrom"})
			}
		}
		for i := range ctr.Env {
			e := &ctr.Env[i]
			if e.ValueFrom == nil || e.Value != "" {
				continue
			}
			at := ctr.At("env", i, "valueFrom")
			use := "environment variable " + e.Name
			if s := e.ValueFrom.SecretKeyRef; s != nil {
				at := at.Append("secretKeyRef")
				add(Reference{Container: ctr, Kind: secret, Name: s.Name, At: at.Append("name"), Key: s.Key, KeyAt: at.Append("key"), Optional: yes(s.Optional), Use: use})
			}
			if s := e.ValueFrom.ConfigMapKeyRef; s != nil {
				at := at.Append("configMapKeyRef")
				add(Reference{Container: ctr, Kind: configMap, Name: s.Name, At: at.Append("name"), Key: s.Key, KeyAt: at.Append("key"), Optional: yes(s.Optional), Use: use})
			}
		}
	}
	for i := range w.Pod.Volumes {
		v, at := &w.Pod.Volumes[i], w.PodPath.Append("volumes", i)
		claimReferences(w, v, at, add)
		if mounted[v.Name] {
			volumeReferences(v, at, add)
		}
	}
	for i, s := range w.Pod.ImagePullSecrets {
		add(Reference{Kind: secret, Name: s.Name, At: w.PodPath.Append("imagePullSecrets", i, "name"), Pull: true, Use: "image pull secret"})
	}
	podReferences(w, add)
	return refs
}

// claimReferences adds the claim of a volume, or what its template names. In a
// StatefulSet a claim template takes the place of the volume of its name
// (pkg/controller/statefulset/stateful_set_utils.go, updateStorage).
func claimReferences(w *manifest.Workload, v *corev1.Volume, at node.Path, add func(Reference)) {
	use := "volume " + v.Name
	switch {
	case v.PersistentVolumeClaim != nil && !slices.ContainsFunc(claimTemplates(w), func(t corev1.PersistentVolumeClaim) bool { return t.Name == v.Name }):
		add(Reference{Kind: volumeClaim, Name: v.PersistentVolumeClaim.ClaimName, At: at.Append("persistentVolumeClaim", "claimName"), Use: use})
	case v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil:
		if name := v.Ephemeral.VolumeClaimTemplate.Spec.StorageClassName; name != nil {
			add(Reference{Kind: storageClass, Name: *name, At: at.Append("ephemeral", "volumeClaimTemplate", "spec", "storageClassName"), Use: use})
		}
	}
}

// podReferences adds what the pod as a whole names.
func podReferences(w *manifest.Workload, add func(Reference)) {
	const use = "the pod"
	account, field := w.Pod.ServiceAccountName, "serviceAccountName"
	if account == "" {
		account, field = w.Pod.DeprecatedServiceAccount, "serviceAccount"
	}
	add(Reference{Kind: serviceAccount, Name: account, At: w.PodPath.Append(field), Use: use})
	add(Reference{Kind: priorityClass, Name: w.Pod.PriorityClassName, At: w.PodPath.Append("priorityClassName"), Use: use})
	if name := w.Pod.RuntimeClassName; name != nil {
		add(Reference{Kind: runtimeClass, Name: *name, At: w.PodPath.Append("runtimeClassName"), Use: use})
	}
	for i, claim := range w.Pod.ResourceClaims {
		at, use := w.PodPath.Append("resourceClaims", i), "resource claim "+claim.Name
		if claim.ResourceClaimName != nil {
			add(Reference{Kind: resourceClaim, Name: *claim.ResourceClaimName, At: at.Append("resourceClaimName"), Use: use})
		}
		if claim.ResourceClaimTemplateName != nil {
			add(Reference{Kind: resourceClaimTemplate, Name: *claim.ResourceClaimTemplateName, At: at.Append("resourceClaimTemplateName"), Use: use})
		}
	}
	for i, template := range claimTemplates(w) {
		if name := template.Spec.StorageClassName; name != nil {
			add(Reference{Kind: storageClass, Name: *name, At: node.P("spec", "volumeClaimTemplates", i, "spec", "storageClassName"), Use: "volume claim template " + template.Name})
		}
	}
}

// GoverningService returns the reference to the Service that gives the pods of a
// StatefulSet their DNS names, false where it names none.
func GoverningService(w *manifest.Workload) (Reference, bool) {
	set, ok := w.Typed.(*appsv1.StatefulSet)
	if !ok || set.Spec.ServiceName == "" {
		return Reference{}, false
	}
	return Reference{Workload: w, Kind: service, Name: set.Spec.ServiceName, At: node.P("spec", "serviceName"), Use: "the StatefulSet"}, true
}

// claimTemplates returns a StatefulSet's volumeClaimTemplates.
func claimTemplates(w *manifest.Workload) []corev1.PersistentVolumeClaim {
	if set, ok := w.Typed.(*appsv1.StatefulSet); ok {
		return set.Spec.VolumeClaimTemplates
	}
	return nil
}

func volumeReferences(v *corev1.Volume, at node.Path, add func(Reference)) {
	use := "volume " + v.Name
	whole := func(kind, name string, at node.Path, items []corev1.KeyToPath, itemsAt node.Path, optional *bool) {
		r := Reference{Kind: kind, Name: name, At: at, Optional: yes(optional), Use: use}
		if len(items) == 0 {
			add(r)
		}
		for i, item := range items {
			r.Key, r.KeyAt = item.Key, itemsAt.Append(i, "key")
			add(r)
		}
	}
	if s := v.Secret; s != nil {
		at := at.Append("secret")
		whole(secret, s.SecretName, at.Append("secretName"), s.Items, at.Append("items"), s.Optional)
	}
	if s := v.ConfigMap; s != nil {
		at := at.Append("configMap")
		whole(configMap, s.Name, at.Append("name"), s.Items, at.Append("items"), s.Optional)
	}
	if v.Projected != nil {
		for i := range v.Projected.Sources {
			source, at := &v.Projected.Sources[i], at.Append("projected", "sources", i)
			if s := source.Secret; s != nil {
				at := at.Append("secret")
				whole(secret, s.Name, at.Append("name"), s.Items, at.Append("items"), s.Optional)
			}
			if s := source.ConfigMap; s != nil {
				at := at.Append("configMap")
				whole(configMap, s.Name, at.Append("name"), s.Items, at.Append("items"), s.Optional)
			}
			if s := source.ClusterTrustBundle; s != nil && s.Name != nil {
				add(Reference{Kind: clusterTrustBundle, Name: *s.Name, At: at.Append("clusterTrustBundle", "name"), Optional: yes(s.Optional), Use: use})
			}
		}
	}
	credentials := func(s *corev1.LocalObjectReference, steps ...any) {
		if s != nil {
			add(Reference{Kind: secret, Name: s.Name, At: at.Append(steps...).Append("name"), Use: use})
		}
	}
	if s := v.CSI; s != nil {
		credentials(s.NodePublishSecretRef, "csi", "nodePublishSecretRef")
	}
	if s := v.FlexVolume; s != nil {
		credentials(s.SecretRef, "flexVolume", "secretRef")
	}
	if s := v.CephFS; s != nil {
		credentials(s.SecretRef, "cephfs", "secretRef")
	}
	if s := v.RBD; s != nil {
		credentials(s.SecretRef, "rbd", "secretRef")
	}
	if s := v.ISCSI; s != nil {
		credentials(s.SecretRef, "iscsi", "secretRef")
	}
	if s := v.ScaleIO; s != nil {
		credentials(s.SecretRef, "scaleIO", "secretRef")
	}
	if s := v.StorageOS; s != nil {
		credentials(s.SecretRef, "storageos", "secretRef")
	}
	if s := v.AzureFile; s != nil {
		add(Reference{Kind: secret, Name: s.SecretName, At: at.Append("azureFile", "secretName"), Use: use})
	}
}

func yes(b *bool) bool { return b != nil && *b }

// A Status says what is known of the object that a reference names.
type Status uint8

const (
	// Missing: nothing in the files gives or makes it.
	Missing Status = iota
	// Defined: it is in the files, or an object in the files has it made.
	Defined
	// Elsewhere: what defines it in the files does so in other namespaces only.
	Elsewhere
	// Expected: no file defines it, but something makes it likely that it will
	// be there: a controller, a job, the cluster itself, the configuration.
	Expected
)

// A KeyStatus says whether the object has the key that a reference names.
type KeyStatus uint8

const (
	// KeyUnknown: no key is named, or the files do not list them all.
	KeyUnknown KeyStatus = iota
	// KeyPresent: the object has it.
	KeyPresent
	// KeyAbsent: no object that the reference could mean has it.
	KeyAbsent
	// KeyDistant: the nearest object does not have it; another of the name,
	// farther away, does.
	KeyDistant
	// KeyBinary: the object has it under binaryData, which volumes hold and
	// environment variables do not.
	KeyBinary
)

// A Resolution is what a reference comes to.
type Resolution struct {
	Status Status
	// By are the objects that define it, nearest first: the object itself, or
	// what has it made. For Elsewhere it is the nearest of the other namespaces.
	By []*manifest.Object
	// Beside is true when the first of By stands in the workload's file: both are
	// applied together.
	Beside bool
	// Because says who is expected to make it, for Expected.
	Because string
	// Keys are those of the nearest definition, sorted.
	Keys []string
	Key  KeyStatus
}

// Resolve says what the reference means.
func (c *Cluster) Resolve(r Reference) Resolution {
	namespace := c.NamespaceOf(r.Workload.Object)
	defined := c.definitionsOf(r.Kind, r.Name)
	here := defined.meeting(namespace)
	switch {
	case len(here) > 0:
		sortNearest(r.Workload.Object, here, definer)
		keys := here[0].keys
		if r.inEnvironment() {
			keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return slices.Contains(here[0].binary, k) })
		}
		res := Resolution{
			Status: Defined, By: definedBy(here), Beside: here[0].by.File() == r.Workload.File(),
			Keys: slices.Compact(slices.Sorted(slices.Values(keys))),
		}
		if c.sure(r.Workload, here[0]) {
			res.Key = keyStatus(here, r.Key)
			if res.Key == KeyPresent && r.inEnvironment() && slices.Contains(here[0].binary, r.Key) {
				res.Key = KeyBinary
			}
			if res.Key == KeyAbsent && (c.evidence().adds(r) || slices.ContainsFunc(here, c.patchedDefinition)) {
				res.Key = KeyUnknown
			}
		}
		return res
	case c.external(r.Kind, namespace, r.Name):
		return Resolution{Status: Expected, Because: "the configuration"}
	}
	if because := c.evidence().expects(c, r); because != "" {
		return Resolution{Status: Expected, Because: because}
	}
	if defined != nil {
		nearest := slices.MinFunc(defined.all, func(a, b *definition) int {
			return distanceOf(r.Workload.Object, a.by).compare(distanceOf(r.Workload.Object, b.by))
		})
		return Resolution{Status: Elsewhere, By: []*manifest.Object{nearest.by}, Beside: nearest.by.File() == r.Workload.File()}
	}
	return Resolution{Status: Missing}
}

// sure reports whether a definition is the one the workload meets.
func (c *Cluster) sure(w *manifest.Workload, d *definition) bool {
	return !IsPart(w) && c.meant(w.Object, d.by, d.namespaceIn(c))
}

func definer(d *definition) *manifest.Object { return d.by }

func definedBy(ds []*definition) []*manifest.Object {
	out := make([]*manifest.Object, len(ds))
	for i, d := range ds {
		out[i] = d.by
	}
	return out
}

// definitionsOf returns what defines the object, in any namespace; nil when
// nothing does.
func (c *Cluster) definitionsOf(kind, name string) *homonyms[*definition] {
	ds := c.index.definitions[objectKey{kind, name}]
	plain, hashed := generatedName(name)
	if ds != nil || !hashed {
		return ds
	}
	for _, d := range c.index.definitions[objectKey{kind, plain}].meeting("") {
		if !d.literal() {
			if ds == nil {
				ds = &homonyms[*definition]{}
			}
			ds.add(d.namespaceIn(c), d)
		}
	}
	return ds
}

// keyStatus looks the key up in the definitions, nearest first.
func keyStatus(ds []*definition, key string) KeyStatus {
	if key == "" {
		return KeyUnknown
	}
	open := false
	for i, d := range ds {
		if slices.Contains(d.keys, key) {
			if i > 0 && !open && ds[i-1].complete && d.literal() && !d.by.Patch {
				return KeyDistant
			}
			return KeyPresent
		}
		open = open || !d.complete
	}
	if open {
		return KeyUnknown
	}
	return KeyAbsent
}

// external reports whether the configuration says that the object exists.
func (c *Cluster) external(kind, namespace, name string) bool {
	for _, pattern := range c.Options.External {
		for _, full := range []string{kind + "/" + name, kind + "/" + namespace + "/" + name} {
			if ok, err := doublestar.Match(pattern, full); err == nil && ok {
				return true
			}
		}
	}
	return false
}
