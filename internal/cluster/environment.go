package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A Variable is one environment variable of a container.
type Variable struct {
	Name string
	// Value is meaningful when Known. It must never be printed when Secret.
	Value string
	// Known is false when the value comes from something that the files do not
	// show: an object of the cluster, a field filled in at run time, a template.
	Known  bool
	Secret bool
	From   Origin
}

// An Environment is the variables that the kubelet sets.
type Environment struct {
	// Variables are those of envFrom and env, in the order in which the kubelet
	// comes upon them, each name once.
	Variables []Variable
	// Links are those that stand for the Services of the namespace. They yield
	// to Variables of the same name.
	Links []Variable
	// Open is true when a source could not be read, so that there may be
	// variables that are not listed. The namespace may always hold Services that
	// no file shows; that alone does not count.
	Open bool

	link map[string]int // index in Links by name
}

// Lookup returns the variable of that name.
func (e Environment) Lookup(name string) (Variable, bool) {
	for _, v := range e.Variables {
		if v.Name == name {
			return v, true
		}
	}
	if i, ok := e.link[name]; ok {
		return e.Links[i], true
	}
	return Variable{}, false
}

// set adds a variable, or replaces the one of its name.
func (e *Environment) set(v Variable) {
	for i := range e.Variables {
		if e.Variables[i].Name == v.Name {
			e.Variables[i] = v
			return
		}
	}
	e.Variables = append(e.Variables, v)
}

// Environment returns the environment that the kubelet gives the container, as
// pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables, puts it together:
// envFrom first, later sources over earlier ones, then env in order, each value
// expanded with what is set so far and with the variables of Services, which
// yield to all others. What the image itself sets is not in it.
func (c *Cluster) Environment(ctr *manifest.Container) Environment {
	return Memo(c, environmentKey{ctr}, func() Environment { return c.environment(ctr) })
}

type (
	environmentKey struct{ *manifest.Container }
	linksKey       struct{ dir, namespace string }
)

func (c *Cluster) environment(ctr *manifest.Container) Environment {
	w := ctr.Workload
	env := c.links(w)
	linked := w.Pod.EnableServiceLinks == nil || *w.Pod.EnableServiceLinks
	for i := range ctr.EnvFrom {
		c.addEnvFrom(&env, ctr, i)
	}
	for i := range ctr.Env {
		e := &ctr.Env[i]
		v := Variable{Name: e.Name, From: Origin{Object: w.Object, Path: ctr.At("env", i, "value")}}
		switch {
		case e.Value != "" || e.ValueFrom == nil:
			v.Value, v.Known = e.Value, w.Known(v.From.Path)
			v.Value = kubelet.Expand(e.Value, func(name string) (string, bool) {
				r, ok := env.Lookup(name)
				if !ok {
					// What is not listed may still be set: by a source that is not in
					// the files, or by a Service.
					v.Known = v.Known && !env.Open && !(linked && serviceName.MatchString(name))
					return "", false
				}
				v.Known = v.Known && r.Known
				v.Secret = v.Secret || r.Secret
				return r.Value, true
			})
		default:
			var set bool
			if v, set = c.valueFrom(ctr, i); !set {
				continue
			}
		}
		env.set(v)
	}
	env.Open = env.Open || ctr.Partial || w.Patch
	return env
}

// addEnvFrom adds the keys of the i-th source. Kubernetes before 1.30 leaves out
// keys that its strict rule for names refuses (KEP-4369); since then the
// kubelet takes them all.
func (c *Cluster) addEnvFrom(env *Environment, ctr *manifest.Container, i int) {
	source := &ctr.EnvFrom[i]
	var kind, name string
	var optional bool
	switch {
	case source.ConfigMapRef != nil:
		kind, name, optional = configMap, source.ConfigMapRef.Name, yes(source.ConfigMapRef.Optional)
	case source.SecretRef != nil:
		kind, name, optional = secret, source.SecretRef.Name, yes(source.SecretRef.Optional)
	default:
		return
	}
	values, object, complete := c.contents(ctr.Workload.Object, kind, name)
	env.Open = env.Open || !complete || object == nil && !optional
	for _, key := range slices.Sorted(maps.Keys(values)) {
		full := source.Prefix + key
		if v := c.Options.Version; v > 0 && v < 30 && len(validation.IsEnvVarName(full)) > 0 {
			continue
		}
		v := values[key]
		v.Name = full
		env.set(v)
	}
}

// contents returns the values that a Secret or ConfigMap passes to the
// environment, by key, from the nearest object of the name. The object is nil
// when none is in the files. complete is false when there may be more keys.
func (c *Cluster) contents(from *manifest.Object, kind, name string) (values map[string]Variable, object *manifest.Object, complete bool) {
	found := c.Find(from, kind, name)
	if len(found) == 0 {
		return nil, nil, false
	}
	object = found[0]
	values = map[string]Variable{}
	put := func(field, key, value string, decoded bool) {
		at := node.P(field, key)
		values[key] = Variable{
			Value: value, Known: decoded && object.Known(at), Secret: kind == secret, From: Origin{Object: object, Path: at},
		}
	}
	// Keys come from the text: a value that does not decode keeps its key.
	switch typed := object.Typed.(type) {
	case *corev1.ConfigMap:
		for _, key := range mapKeys(object, "data") {
			value, ok := typed.Data[key]
			put("data", key, value, ok)
		}
	case *corev1.Secret:
		for _, key := range mapKeys(object, "data") {
			value, ok := typed.Data[key]
			put("data", key, string(value), ok)
		}
		// stringData is written over data (pkg/registry/core/secret/strategy.go).
		for _, key := range mapKeys(object, "stringData") {
			value, ok := typed.StringData[key]
			put("stringData", key, value, ok)
		}
	}
	complete = !object.Patch && !filledLater(object)
	for _, o := range found[1:] {
		complete = complete && !o.Patch
	}
	return values, object, complete
}

// valueFrom resolves the i-th env entry; false when the kubelet leaves the
// variable out.
func (c *Cluster) valueFrom(ctr *manifest.Container, i int) (Variable, bool) {
	w, e := ctr.Workload, &ctr.Env[i]
	at := ctr.At("env", i, "valueFrom")
	unknown := Variable{Name: e.Name, From: Origin{Object: w.Object, Path: at}}
	key := func(kind, name, key string, optional *bool) (Variable, bool) {
		unknown.Secret = kind == secret
		values, _, complete := c.contents(w.Object, kind, name)
		if v, ok := values[key]; ok {
			v.Name = e.Name
			return v, true
		}
		return unknown, !(yes(optional) && complete)
	}
	source := e.ValueFrom
	switch {
	case source.FieldRef != nil:
		value, known := c.podField(w, source.FieldRef.FieldPath)
		unknown.Value, unknown.Known = value, known
	case source.ResourceFieldRef != nil:
		value, known := c.resourceField(ctr, source.ResourceFieldRef)
		unknown.Value, unknown.Known = value, known
	case source.ConfigMapKeyRef != nil:
		return key(configMap, source.ConfigMapKeyRef.Name, source.ConfigMapKeyRef.Key, source.ConfigMapKeyRef.Optional)
	case source.SecretKeyRef != nil:
		return key(secret, source.SecretKeyRef.Name, source.SecretKeyRef.Key, source.SecretKeyRef.Optional)
	}
	return unknown, true
}

// podField returns what a fieldRef gives, where the files decide it
// (pkg/kubelet/kubelet_pods.go, podFieldSelectorRuntimeValue, and
// pkg/fieldpath).
func (c *Cluster) podField(w *manifest.Workload, field string) (string, bool) {
	meta := func(m map[string]string, field, key string) (string, bool) {
		value, ok := m[key]
		return value, ok && w.Known(w.MetaPath.Append(field, key))
	}
	if key, ok := strings.CutPrefix(field, "metadata.labels['"); ok {
		return meta(w.Meta.Labels, "labels", strings.TrimSuffix(key, "']"))
	}
	if key, ok := strings.CutPrefix(field, "metadata.annotations['"); ok {
		return meta(w.Meta.Annotations, "annotations", strings.TrimSuffix(key, "']"))
	}
	switch field {
	case "metadata.name":
		return w.Name, w.Kind == "Pod" && w.Meta.Name != ""
	case "metadata.namespace":
		namespace := c.NamespaceOf(w.Object)
		return namespace, namespace != ""
	case "spec.nodeName":
		return w.Pod.NodeName, w.Pod.NodeName != ""
	case "spec.serviceAccountName":
		if name := w.Pod.ServiceAccountName; name != "" {
			return name, true
		}
		if name := w.Pod.DeprecatedServiceAccount; name != "" {
			return name, true
		}
		return "default", !w.Custom && !w.Patch // the ServiceAccount admission plugin
	}
	return "", false
}

// resourceField returns what a resourceFieldRef gives: the effective value
// divided by the divisor and rounded up, a limit that is not set being the
// node's allocatable amount (pkg/api/v1/resource/helpers.go,
// ExtractContainerResourceValue).
func (c *Cluster) resourceField(ctr *manifest.Container, ref *corev1.ResourceFieldSelector) (string, bool) {
	if ref.ContainerName != "" {
		i := slices.IndexFunc(ctr.Workload.Containers, func(o *manifest.Container) bool { return o.Name == ref.ContainerName })
		if i < 0 {
			return "", false
		}
		ctr = ctr.Workload.Containers[i]
	}
	var r Resource
	which, name, _ := strings.Cut(ref.Resource, ".")
	switch name {
	case "memory":
		r = c.Memory(ctr)
	case "cpu":
		r = c.CPU(ctr)
	default:
		return "", false
	}
	value := r.Limit
	if which == "requests" {
		if value = r.Request; value == nil {
			return "0", !ctr.Partial && !ctr.Workload.Custom
		}
	}
	// A limit of the pod as a whole is not the container's.
	if value == nil || value.V.IsZero() || value.From.Object == ctr.Workload.Object && !value.From.Path.HasPrefix(ctr.Path) {
		return "", false
	}
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	quotient := float64(value.V.Value()) / float64(divisor.Value())
	if name == "cpu" {
		quotient = float64(value.V.MilliValue()) / float64(divisor.MilliValue())
	}
	return strconv.FormatInt(int64(math.Ceil(quotient)), 10), true
}

// serviceName matches the names that the kubelet gives to the variables of
// Services.
var serviceName = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// links returns an environment with the variables that stand for the Services
// of the workload's namespace (pkg/kubelet/envvars/envvars.go, FromServices). A
// Service's address is known to the cluster only, its ports are in the files.
// The Service kubernetes is in every environment, the others unless
// enableServiceLinks is false. Where a namespace is not known, the Services of
// the folder count.
func (c *Cluster) links(w *manifest.Workload) Environment {
	if links := w.Pod.EnableServiceLinks; links != nil && !*links {
		return linkEnvironment(nil)
	}
	namespace := c.NamespaceOf(w.Object)
	return Memo(c, linksKey{w.Dir(), namespace}, func() Environment {
		var services []*manifest.Object
		add := func(o *manifest.Object) {
			s, ok := o.Typed.(*corev1.Service)
			if ok && !o.Patch && s.Spec.ClusterIP != corev1.ClusterIPNone && s.Spec.Type != corev1.ServiceTypeExternalName && len(s.Spec.Ports) > 0 {
				services = append(services, o)
			}
		}
		for _, o := range c.index.servicesIn[w.Dir()] {
			if meet(namespace, c.NamespaceOf(o)) {
				add(o)
			}
		}
		if namespace != "" {
			for _, o := range c.index.servicesOf[namespace] {
				if o.Dir() != w.Dir() {
					add(o)
				}
			}
		}
		return linkEnvironment(services)
	})
}

// linkEnvironment joins the variables of the Services; the first one of a name
// counts.
func linkEnvironment(services []*manifest.Object) Environment {
	env := Environment{Links: linkVariables(kubernetesService, Origin{Default: "the Service kubernetes"}), link: map[string]int{}}
	for i, v := range env.Links {
		env.link[v.Name] = i
	}
	for _, o := range services {
		for _, v := range linkVariables(o.Typed.(*corev1.Service), Origin{Object: o, Path: node.P("metadata", "name")}) {
			if _, taken := env.link[v.Name]; !taken {
				env.link[v.Name] = len(env.Links)
				env.Links = append(env.Links, v)
			}
		}
	}
	return env
}

// kubernetesService is the API server's own Service, in every cluster.
var kubernetesService = &corev1.Service{
	ObjectMeta: metav1.ObjectMeta{Name: "kubernetes"},
	Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "https", Port: 443}}},
}

// linkVariables returns the variables of one Service.
func linkVariables(s *corev1.Service, from Origin) []Variable {
	var out []Variable
	prefix, address := serviceVariable(s.Name), s.Spec.ClusterIP
	add := func(name, value string, known bool) {
		out = append(out, Variable{Name: name, Value: value, Known: known, From: from})
	}
	add(prefix+"_SERVICE_HOST", address, address != "")
	add(prefix+"_SERVICE_PORT", strconv.Itoa(int(s.Spec.Ports[0].Port)), true)
	for _, p := range s.Spec.Ports {
		if p.Name != "" {
			add(prefix+"_SERVICE_PORT_"+serviceVariable(p.Name), strconv.Itoa(int(p.Port)), true)
		}
	}
	for i, p := range s.Spec.Ports {
		protocol := strings.ToLower(cmp.Or(string(p.Protocol), string(corev1.ProtocolTCP)))
		url := fmt.Sprintf("%s://%s:%d", protocol, address, p.Port)
		if i == 0 {
			add(prefix+"_PORT", url, address != "")
		}
		each := fmt.Sprintf("%s_PORT_%d_%s", prefix, p.Port, strings.ToUpper(protocol))
		add(each, url, address != "")
		add(each+"_PROTO", protocol, true)
		add(each+"_PORT", strconv.Itoa(int(p.Port)), true)
		add(each+"_ADDR", address, address != "")
	}
	return out
}

// serviceVariable spells a Service's or port's name as the kubelet does in the
// names of variables.
func serviceVariable(name string) string {
	s := strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
	if s != "" && '0' <= s[0] && s[0] <= '9' {
		s = "_" + s // pkg/kubelet/envvars, makeEnvVariableName
	}
	return s
}
