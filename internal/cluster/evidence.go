package cluster

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// evidence is what the files say about objects that are made at run time.
type evidence struct {
	// custom resources by folder, with every string in them outside of pod
	// templates.
	custom map[string][]customResource
	// writers are the Roles and ClusterRoles by kind and folder that let somebody
	// create or change Secrets or ConfigMaps.
	writers map[objectKey][]*manifest.Object
	// named are the names that roles allowing to write list as resourceNames.
	named map[objectKey]*manifest.Object
	// peopled are the files that hold a workload.
	peopled sets.Set[*source.File]
	// texts are the commands and arguments of containers, and the scripts in
	// ConfigMaps, by folder.
	texts map[string][]string
}

type customResource struct {
	object  *manifest.Object
	strings sets.Set[string]
}

// passive are the API groups whose objects only use what others have made.
var passive = sets.New(
	"", "apps", "batch", "extensions", "policy", "autoscaling", "autoscaling.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io",
	"storage.k8s.io", "networking.k8s.io", "gateway.networking.k8s.io", "apiextensions.k8s.io", "admissionregistration.k8s.io",
	"apiregistration.k8s.io", "networking.istio.io", "security.istio.io", "monitoring.coreos.com", "keda.sh", "kustomize.config.k8s.io",
	"kustomize.toolkit.fluxcd.io", "snapshot.storage.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "traefik.io", "traefik.containo.us",
)

// podMakers are the API groups whose controllers make pods of a template and no
// credentials.
var podMakers = sets.New(
	"argoproj.io", "tekton.dev", "serving.knative.dev", "sparkoperator.k8s.io", "kubeflow.org", "apps.kruise.io", "apps.openshift.io",
	"serving.kserve.io", "batch.volcano.sh", "jobset.x-k8s.io", "leaderworkerset.x-k8s.io",
)

func newEvidence(c *Cluster) *evidence {
	e := &evidence{custom: map[string][]customResource{}, writers: map[objectKey][]*manifest.Object{}, named: map[objectKey]*manifest.Object{},
		peopled: sets.New[*source.File](), texts: map[string][]string{}}
	templates := map[*manifest.Object][]node.Path{}
	for _, w := range c.Workloads {
		templates[w.Object] = append(templates[w.Object], w.PodPath)
		e.peopled.Insert(w.File())
		for _, ctr := range w.Containers {
			for _, words := range [][]string{ctr.Command, ctr.Args} {
				e.texts[w.Dir()] = append(e.texts[w.Dir()], words...)
			}
		}
	}
	for _, o := range c.Objects {
		switch {
		case o.Kind == "Role" || o.Kind == "ClusterRole":
			for _, kind := range writes(o) {
				key := objectKey{kind, o.Dir()}
				e.writers[key] = append(e.writers[key], o)
				for _, rule := range list(o, node.P("rules")) {
					names, _ := rule["resourceNames"].([]any)
					for _, n := range names {
						if name, ok := n.(string); ok {
							e.named[objectKey{kind, name}] = o
						}
					}
				}
			}
		case o.Kind == configMap && o.Group() == "":
			for _, v := range stringsAt(o, "data") {
				if strings.Contains(v, "kubectl") {
					e.texts[o.Dir()] = append(e.texts[o.Dir()], v)
				}
			}
		case len(templates[o]) > 0 && podMakers.Has(o.Group()):
		case !passive.Has(o.Group()) && o.Kind != "SecretStore" && o.Kind != "ClusterSecretStore":
			cr := customResource{object: o, strings: sets.New[string]()}
			if root, ok := o.Value(nil); ok {
				collectStrings(root, nil, templates[o], cr.strings)
			}
			e.custom[o.Dir()] = append(e.custom[o.Dir()], cr)
		}
	}
	return e
}

// collectStrings gathers the strings of a JSON value, pod templates left out: a
// template uses Secrets and makes none.
func collectStrings(v any, at node.Path, skip []node.Path, into sets.Set[string]) {
	for _, p := range skip {
		if len(at) == len(p) && at.HasPrefix(p) {
			return
		}
	}
	switch v := v.(type) {
	case string:
		into.Insert(v)
	case map[string]any:
		for k, x := range v {
			if len(at) > 0 || k != "metadata" {
				collectStrings(x, at.Append(k), skip, into)
			}
		}
	case []any:
		for i, x := range v {
			collectStrings(x, at.Append(i), skip, into)
		}
	}
}

// writes returns which of Secret and ConfigMap a role lets its subjects create
// or change.
func writes(role *manifest.Object) []string {
	var kinds []string
	for _, rule := range list(role, node.P("rules")) {
		verbs, resources, groups := rule["verbs"], rule["resources"], rule["apiGroups"]
		if !holds(groups, "", "*") || !holds(verbs, "*", "create", "update", "patch") {
			continue
		}
		for kind, plural := range map[string]string{secret: "secrets", configMap: "configmaps"} {
			if holds(resources, plural, "*") && !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	return kinds
}

func holds(list any, wanted ...string) bool {
	items, _ := list.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok && slices.Contains(wanted, s) {
			return true
		}
	}
	return false
}

// runtimeObjects are made by the cluster or a well-known part of it, in every
// namespace or in one of its own.
var runtimeObjects = map[objectKey]string{
	// https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin: root CA publisher
	{configMap, "kube-root-ca.crt"}:                   "Kubernetes",
	{configMap, "extension-apiserver-authentication"}: "Kubernetes",
	{configMap, "cluster-info"}:                       "kubeadm",
	{configMap, "kubeadm-config"}:                     "kubeadm",
	{configMap, "kube-proxy"}:                         "kubeadm",
	{configMap, "coredns"}:                            "kubeadm",
	{configMap, "openshift-service-ca.crt"}:           "OpenShift",
	{configMap, "istio-ca-root-cert"}:                 "Istio",
	{configMap, "istio-ca-crl"}:                       "Istio",
	{configMap, "linkerd-identity-trust-roots"}:       "Linkerd",
	{secret, "memberlist"}:                            "MetalLB",
}

// operatorSuffixes end the names of Secrets that an operator makes for an
// object that the files need not show.
var operatorSuffixes = []struct{ suffix, by string }{
	{".credentials.postgresql.acid.zalan.do", "the Zalando Postgres operator"},
	{"-es-elastic-user", "ECK"}, {"-es-http-certs-public", "ECK"}, {"-es-http-certs-internal", "ECK"}, {"-es-transport-certs-public", "ECK"},
	{"-kb-http-certs-public", "ECK"}, {"-cluster-ca-cert", "Strimzi"}, {"-clients-ca-cert", "Strimzi"},
}

// accountToken matches the names of the Secrets that clusters before Kubernetes
// 1.24 make for every ServiceAccount, seen in objects copied from a cluster: five
// characters of apimachinery's util/rand alphabet.
var accountToken = regexp.MustCompile(`-token-[bcdfghjklmnpqrstvwxz2456789]{5}$`)

// expects returns who is likely to make the object that the reference names,
// empty when nothing points to anybody.
func (e *evidence) expects(c *Cluster, r Reference) string {
	if by, ok := runtimeObjects[objectKey{r.Kind, r.Name}]; ok {
		return by
	}
	if r.Kind == secret {
		if accountToken.MatchString(r.Name) {
			return "the token controller"
		}
		for _, s := range operatorSuffixes {
			if strings.HasSuffix(r.Name, s.suffix) {
				return s.by
			}
		}
	}
	w := r.Workload
	namespace := c.NamespaceOf(w.Object)
	for _, dir := range nearby(w.Dir()) {
		for _, cr := range e.custom[dir] {
			o := cr.object
			if o == w.Object || !meet(namespace, c.NamespaceOf(o)) {
				continue
			}
			switch {
			case cr.strings.Has(r.Name):
				return o.String() + ", which names it"
			case o.Name != "" && (r.Name == o.Name || strings.HasPrefix(r.Name, o.Name+"-")):
				return "the controller of " + o.String()
			}
		}
	}
	for _, o := range c.Broken {
		if o.Name == r.Name || o.Name == "" && (o.Kind == r.Kind || o.Kind == "") && distanceOf(w.Object, o).near() {
			return "a document that could not be read"
		}
	}
	for _, text := range e.texts[w.Dir()] {
		if mentions(text, r.Name) && (r.Kind == secret || strings.Contains(text, "kubectl")) {
			return "a container that has the name on its command line"
		}
	}
	if role := e.named[objectKey{r.Kind, r.Name}]; role != nil {
		return "a subject of " + role.String()
	}
	for _, role := range e.writers[objectKey{r.Kind, w.Dir()}] {
		// A role next to other workloads is theirs.
		if role.File() == w.File() || !e.peopled.Has(role.File()) {
			return "a subject of " + role.String()
		}
	}
	return ""
}

// nearby returns the folder and the one above it.
func nearby(dir string) []string {
	if i := strings.LastIndexByte(dir, '/'); i > 0 {
		return []string{dir, dir[:i]}
	}
	return []string{dir}
}

// mentions reports whether name stands in text as a word of its own.
func mentions(text, name string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		i += at
		end := i + len(name)
		if (i == 0 || !nameByte(text[i-1])) && (end == len(text) || !nameByte(text[end])) {
			return true
		}
		at = i + 1
	}
}

func nameByte(b byte) bool {
	return b == '-' || b == '.' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
