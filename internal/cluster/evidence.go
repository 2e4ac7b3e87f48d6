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
	// custom are the custom resources of a folder.
	custom map[string]*customResources
	// writers are the Roles and ClusterRoles by kind and folder that let somebody
	// create or change Secrets or ConfigMaps.
	writers map[objectKey][]*manifest.Object
	// named are the names that roles allowing to write list as resourceNames.
	named map[objectKey]*manifest.Object
	// claims are the StatefulSets by TEMPLATE-SET, with which the names of the
	// claims of their pods begin (pkg/controller/statefulset/stateful_set_utils.go,
	// getPersistentVolumeClaimName).
	claims map[string]*manifest.Workload
	// peopled are the files that hold a workload.
	peopled sets.Set[*source.File]
	// spoken are the words in the commands and arguments of containers and in the
	// scripts of ConfigMaps, by folder; true for those next to a kubectl.
	spoken map[string]map[string]bool
}

// customResources finds custom resources by what may name a Secret of theirs.
type customResources struct {
	// byString finds those that hold the string outside of pod templates, byName
	// those of the name.
	byString, byName map[string][]*manifest.Object
}

// passive are the API groups whose objects only use what others have made.
var passive = sets.New(
	"", "apps", "batch", "extensions", "policy", "autoscaling", "autoscaling.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io",
	"storage.k8s.io", "node.k8s.io", "resource.k8s.io", "certificates.k8s.io", "networking.k8s.io", "gateway.networking.k8s.io", "apiextensions.k8s.io", "admissionregistration.k8s.io",
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
	e := &evidence{custom: map[string]*customResources{}, writers: map[objectKey][]*manifest.Object{}, named: map[objectKey]*manifest.Object{},
		claims: map[string]*manifest.Workload{}, peopled: sets.New[*source.File](), spoken: map[string]map[string]bool{}}
	templates := map[*manifest.Object][]node.Path{}
	for _, w := range c.Workloads {
		templates[w.Object] = append(templates[w.Object], w.PodPath)
		e.peopled.Insert(w.File())
		for _, t := range claimTemplates(w) {
			e.claims[t.Name+"-"+w.Name] = w
		}
		for _, ctr := range w.Containers {
			for _, text := range slices.Concat(ctr.Command, ctr.Args) {
				e.hear(w.Dir(), text)
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
					e.hear(o.Dir(), v)
				}
			}
		case len(templates[o]) > 0 && podMakers.Has(o.Group()):
		case !passive.Has(o.Group()) && o.Kind != "SecretStore" && o.Kind != "ClusterSecretStore":
			e.keep(o, templates[o])
		}
	}
	return e
}

// hear keeps the words of a command or script.
func (e *evidence) hear(dir, text string) {
	if e.spoken[dir] == nil {
		e.spoken[dir] = map[string]bool{}
	}
	kubectl := strings.Contains(text, "kubectl")
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !inName(r) }) {
		e.spoken[dir][word] = e.spoken[dir][word] || kubectl
	}
}

// inName reports a character that names of objects are made of.
func inName(r rune) bool {
	return r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// keep keeps a custom resource.
func (e *evidence) keep(o *manifest.Object, templates []node.Path) {
	crs := e.custom[o.Dir()]
	if crs == nil {
		crs = &customResources{byString: map[string][]*manifest.Object{}, byName: map[string][]*manifest.Object{}}
		e.custom[o.Dir()] = crs
	}
	if root, ok := o.Value(nil); ok {
		found := sets.New[string]()
		collectStrings(root, nil, templates, found)
		for s := range found {
			crs.byString[s] = append(crs.byString[s], o)
		}
	}
	if o.Name != "" {
		crs.byName[o.Name] = append(crs.byName[o.Name], o)
	}
}

// naming returns the first of the custom resources that may make an object of
// the name and that suit: one that holds the name, or one whose own name it
// begins with.
func (crs *customResources) naming(name string, suits func(*manifest.Object) bool) (o *manifest.Object, holds bool) {
	if i := slices.IndexFunc(crs.byString[name], suits); i >= 0 {
		return crs.byString[name][i], true
	}
	for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '-') {
		if list := crs.byName[name[:end]]; slices.ContainsFunc(list, suits) {
			return list[slices.IndexFunc(list, suits)], false
		}
	}
	return nil, false
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
	// plugin/pkg/admission/serviceaccount/admission.go, DefaultServiceAccountName;
	// pkg/apis/scheduling/v1/helpers.go, SystemPriorityClasses
	{serviceAccount, "default"}:                "Kubernetes",
	{priorityClass, "system-node-critical"}:    "Kubernetes",
	{priorityClass, "system-cluster-critical"}: "Kubernetes",
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
	if r.Kind == volumeClaim {
		stem := strings.TrimRight(r.Name, "0123456789")
		set, dash := strings.CutSuffix(stem, "-")
		if w := e.claims[set]; w != nil && dash && stem != r.Name {
			return w.String()
		}
	}
	w := r.Workload
	namespace := c.NamespaceOf(w.Object)
	together := append(c.overlays(w), w.Dir())
	for _, dir := range slices.Concat(together, nearby(w.Dir())[1:]) {
		crs := e.custom[dir]
		if crs == nil {
			continue
		}
		o, holds := crs.naming(r.Name, func(o *manifest.Object) bool { return o != w.Object && meet(namespace, c.NamespaceOf(o)) })
		switch {
		case holds:
			return o.String() + ", which names it"
		case o != nil:
			return "the controller of " + o.String()
		}
	}
	for _, o := range c.Broken {
		if o.Name == r.Name || o.Name == "" && (o.Kind == r.Kind || o.Kind == "") && distanceOf(w.Object, o).near() {
			return "a document that could not be read"
		}
	}
	for _, dir := range together {
		if kubectl, ok := e.spoken[dir][r.Name]; ok && (r.Kind == secret || kubectl) {
			return "a container that has the name on its command line"
		}
	}
	if role := e.named[objectKey{r.Kind, r.Name}]; role != nil {
		return "a subject of " + role.String()
	}
	for _, dir := range together {
		for _, role := range e.writers[objectKey{r.Kind, dir}] {
			// A role next to other workloads is theirs.
			if role.File() == w.File() || !e.peopled.Has(role.File()) {
				return "a subject of " + role.String()
			}
		}
	}
	return ""
}

// adds reports whether something in the files is likely to write keys into the
// object that the reference names, which is there.
func (e *evidence) adds(r Reference) bool {
	return e.named[objectKey{r.Kind, r.Name}] != nil || e.spoken[r.Workload.Dir()][r.Name]
}

// overlays returns the folders of the kustomizations that take the workload from
// another folder: what stands in them is applied with it.
func (c *Cluster) overlays(w *manifest.Workload) []string {
	f := c.index.kustomized[w.File().Path]
	if f == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(f.from), func(dir string) bool { return dir == w.Dir() })
}

// nearby returns the folder and the one above it.
func nearby(dir string) []string {
	if i := strings.LastIndexByte(dir, '/'); i > 0 {
		return []string{dir, dir[:i]}
	}
	return []string{dir}
}
