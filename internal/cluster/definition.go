package cluster

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A definition is something in the files from which an object that pods name
// comes: the object itself, or one whose controller, or kustomize, makes it.
type definition struct {
	kind, name string
	by         *manifest.Object
	// namespace of what is defined; empty when it follows from the defining
	// object and the options.
	namespace string
	// everywhere: the object is copied to namespaces that the files do not list.
	everywhere bool
	// keys are known to be in the object; complete when no other can be. binary
	// are those of a ConfigMap that stand under binaryData.
	keys, binary []string
	complete     bool
}

// namespaceIn returns the namespace of what is defined, empty when unknown.
func (d *definition) namespaceIn(c *Cluster) string {
	switch {
	case clusterWide.Has(d.kind):
		return ""
	case d.namespace != "":
		return d.namespace
	}
	return c.NamespaceOf(d.by)
}

// literal reports whether the definition is the object itself.
func (d *definition) literal() bool { return d.by.Kind == d.kind }

// The kinds of objects that pods name.
const (
	secret                = "Secret"
	configMap             = "ConfigMap"
	volumeClaim           = "PersistentVolumeClaim"
	serviceAccount        = "ServiceAccount"
	service               = "Service"
	priorityClass         = "PriorityClass"
	runtimeClass          = "RuntimeClass"
	storageClass          = "StorageClass"
	resourceClaim         = "ResourceClaim"
	resourceClaimTemplate = "ResourceClaimTemplate"
	clusterTrustBundle    = "ClusterTrustBundle"
)

// clusterWide are the kinds without a namespace.
var clusterWide = sets.New(priorityClass, runtimeClass, storageClass, clusterTrustBundle)

// definitions returns what the object defines, itself included.
func definitions(o *manifest.Object) []*definition {
	group := o.Group()
	if group == "" {
		switch o.Kind {
		case secret, configMap:
			return []*definition{literal(o)}
		case volumeClaim, serviceAccount:
			return itself(o)
		case service:
			return append(itself(o), servingCert(o)...)
		}
		return nil
	}
	if define := definers[o.Kind]; define != nil {
		return define(o)
	}
	return nil
}

// definers know the fields in which an object names what its controller makes.
// The kinds are distinctive enough to go without their groups, of which some
// have had several.
var definers = map[string]func(*manifest.Object) []*definition{
	// https://github.com/bitnami-labs/sealed-secrets: the Secret is called as
	// the SealedSecret, spec.template adds keys.
	"SealedSecret": func(o *manifest.Object) []*definition {
		d := named(o, secret, o.Name)
		d.keys = append(mapKeys(o, "spec", "encryptedData"), mapKeys(o, "spec", "template", "data")...)
		d.complete = len(d.keys) > 0
		return []*definition{d}
	},
	"BitnamiSealedSecret": byOwnName,
	"ExternalSecret":      func(o *manifest.Object) []*definition { return externalSecret(o, node.P("spec"), o.Name) },
	"ClusterExternalSecret": func(o *manifest.Object) []*definition {
		name := o.StringAt(node.P("spec", "externalSecretName"))
		if name == "" {
			name = o.Name
		}
		ds := externalSecret(o, node.P("spec", "externalSecretSpec"), name)
		for _, d := range ds {
			d.everywhere = true
		}
		return ds
	},
	// https://cert-manager.io/docs/usage/certificate/
	"Certificate": func(o *manifest.Object) []*definition {
		ds := byField(o, node.P("spec", "secretName"))
		for _, d := range ds {
			d.keys, d.complete = certificateKeys, true
			d.everywhere = copied(stringsAt(o, "spec", "secretTemplate", "annotations"))
		}
		return ds
	},
	"Issuer":        acmeAccount,
	"ClusterIssuer": acmeAccount,
	"Ingress":       shimmed(node.P("spec", "tls"), node.P("secretName")),
	"Gateway":       shimmedGateway,
	"Bundle":        trustBundle,
	// https://secrets-store-csi-driver.sigs.k8s.io/topics/sync-as-kubernetes-secret
	"SecretProviderClass": func(o *manifest.Object) []*definition {
		var ds []*definition
		for _, item := range list(o, node.P("spec", "secretObjects")) {
			d := named(o, secret, text(item, "secretName"))
			data, _ := item["data"].([]any)
			for _, entry := range data {
				m, _ := entry.(map[string]any)
				d.keys = append(d.keys, text(m, "key"))
			}
			d.complete = len(d.keys) > 0
			ds = append(ds, d)
		}
		return known(ds)
	},
	// https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference
	"VaultStaticSecret":  vaultDestination,
	"VaultDynamicSecret": vaultDestination,
	"VaultPKISecret":     vaultDestination,
	"HCPVaultSecretsApp": vaultDestination,
	// https://github.com/ricoberger/vault-secrets-operator: as the resource.
	"VaultSecret": byOwnName,
	// https://developer.1password.com/docs/k8s/operator: as the resource.
	"OnePasswordItem": byOwnName,
	"InfisicalSecret": func(o *manifest.Object) []*definition {
		ds := byField(o, node.P("spec", "managedSecretReference", "secretName"))
		for _, item := range list(o, node.P("spec", "managedKubeSecretReferences")) {
			ds = append(ds, inNamespace(named(o, secret, text(item, "secretName")), text(item, "secretNamespace")))
		}
		return known(ds)
	},
	"DopplerSecret": func(o *manifest.Object) []*definition {
		d := named(o, secret, o.StringAt(node.P("spec", "managedSecret", "name")))
		return known([]*definition{inNamespace(d, o.StringAt(node.P("spec", "managedSecret", "namespace")))})
	},
	// Strimzi: the user's credentials are called as the KafkaUser.
	"KafkaUser":     byOwnName,
	"Kustomization": kustomization,
	"Component":     kustomization,

	priorityClass:         itself,
	runtimeClass:          itself,
	storageClass:          itself,
	resourceClaim:         itself,
	resourceClaimTemplate: itself,
	clusterTrustBundle:    itself,
	// https://github.com/kubevirt/containerized-data-importer/blob/main/doc/datavolumes.md:
	// the claim is called as the DataVolume.
	"DataVolume": func(o *manifest.Object) []*definition { return []*definition{named(o, volumeClaim, o.Name)} },
}

func itself(o *manifest.Object) []*definition {
	return []*definition{named(o, o.Kind, o.Name)}
}

func named(by *manifest.Object, kind, name string) *definition {
	return &definition{kind: kind, name: name, by: by, everywhere: copied(by.Annotations)}
}

// known drops definitions without a name.
func known(ds []*definition) []*definition {
	return slices.DeleteFunc(ds, func(d *definition) bool { return d.name == "" })
}

func inNamespace(d *definition, namespace string) *definition {
	d.namespace = namespace
	return d
}

func byOwnName(o *manifest.Object) []*definition {
	return []*definition{named(o, secret, o.Name)}
}

func byField(o *manifest.Object, at node.Path) []*definition {
	return known([]*definition{named(o, secret, o.StringAt(at))})
}

func vaultDestination(o *manifest.Object) []*definition {
	return byField(o, node.P("spec", "destination", "name"))
}

func acmeAccount(o *manifest.Object) []*definition {
	return byField(o, node.P("spec", "acme", "privateKeySecretRef", "name"))
}

// certificateKeys are all that cert-manager may write into the Secret of a
// certificate, keystores and additional output formats included
// (https://cert-manager.io/docs/usage/certificate/).
var certificateKeys = []string{
	"ca.crt", "tls.crt", "tls.key", "tls-combined.pem", "key.der", "keystore.jks", "truststore.jks", "keystore.p12", "truststore.p12",
}

// literal describes a Secret or ConfigMap that stands in the files.
func literal(o *manifest.Object) *definition {
	d := named(o, o.Kind, o.Name)
	d.keys = append(mapKeys(o, "data"), mapKeys(o, "stringData")...)
	d.binary = mapKeys(o, "binaryData")
	d.keys = append(d.keys, d.binary...)
	// One without keys is filled in by somebody; so is one that is named so.
	d.complete = len(d.keys) > 0 && !o.Patch && !filledLater(o)
	return d
}

// filledLater reports objects to which a controller adds keys.
func filledLater(o *manifest.Object) bool {
	if s, ok := o.Typed.(*corev1.Secret); ok && s.Type == corev1.SecretTypeServiceAccountToken {
		return true // https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
	}
	for _, m := range []map[string]string{o.Annotations, o.Labels} {
		for k := range m {
			// service.beta.openshift.io/inject-cabundle, config.openshift.io/inject-trusted-cabundle,
			// reflector.v1.k8s.emberstack.com/reflects, replicator.v1.mittwald.de/replicate-from,
			// secret-generator.v1.mittwald.de/autogenerate
			for _, part := range []string{"inject-", "/reflects", "/replicate-", "/autogenerate", "/generate"} {
				if strings.Contains(k, part) {
					return true
				}
			}
		}
	}
	return false
}

// copied reports annotations by which a controller copies an object to other
// namespaces: emberstack's reflector, mittwald's replicator, kubed and its
// successor config-syncer.
func copied(annotations map[string]string) bool {
	for k := range annotations {
		name, _, _ := strings.Cut(k, "/")
		if strings.Contains(k, "reflection-") || strings.Contains(k, "replicat") || strings.HasPrefix(name, "kubed.") || strings.HasPrefix(name, "config-syncer.") {
			return true
		}
	}
	return false
}

// externalSecret reads an ExternalSecret's specification at the path
// (https://external-secrets.io/latest/api/externalsecret/).
func externalSecret(o *manifest.Object, spec node.Path, name string) []*definition {
	if target := o.StringAt(spec.Append("target", "name")); target != "" {
		name = target
	}
	d := named(o, secret, name)
	for _, item := range list(o, spec.Append("data")) {
		d.keys = append(d.keys, text(item, "secretKey"))
	}
	template := spec.Append("target", "template")
	if made := mapKeysAt(o, template.Append("data")); len(made) > 0 {
		// A template's data replaces what was fetched unless its mergePolicy is
		// Merge (https://external-secrets.io/latest/api/spec/, TemplateMergePolicy).
		if o.StringAt(template.Append("mergePolicy")) != "Merge" {
			d.keys = nil
		}
		d.keys = append(d.keys, made...)
	}
	d.complete = len(d.keys) > 0 && !o.Has(spec.Append("dataFrom")) && !o.Has(template.Append("templateFrom"))
	if policy := o.StringAt(spec.Append("target", "creationPolicy")); policy == "Merge" || policy == "Orphan" || policy == "None" {
		d.complete = false // others write to the Secret too
	}
	if annotations, _ := o.Value(template.Append("metadata", "annotations")); annotations != nil {
		m, _ := annotations.(map[string]any)
		d.everywhere = d.everywhere || copied(stringMap(m))
	}
	return []*definition{d}
}

// shimmed reads the Secrets that cert-manager's ingress-shim makes for the
// entries of a list (https://cert-manager.io/docs/usage/ingress/).
func shimmed(entries, name node.Path) func(*manifest.Object) []*definition {
	return func(o *manifest.Object) []*definition {
		if !asksCertManager(o) {
			return nil
		}
		var ds []*definition
		for i := range list(o, entries) {
			d := named(o, secret, o.StringAt(entries.Append(i, name)))
			d.keys, d.complete = certificateKeys, true
			ds = append(ds, d)
		}
		return known(ds)
	}
}

func shimmedGateway(o *manifest.Object) []*definition {
	if !asksCertManager(o) {
		return nil
	}
	var ds []*definition
	listeners := node.P("spec", "listeners")
	for i := range list(o, listeners) {
		for _, ref := range list(o, listeners.Append(i, "tls", "certificateRefs")) {
			ds = append(ds, inNamespace(named(o, secret, text(ref, "name")), text(ref, "namespace")))
		}
	}
	return known(ds)
}

func asksCertManager(o *manifest.Object) bool {
	for k := range o.Annotations {
		if strings.HasPrefix(k, "cert-manager.io/") || strings.HasPrefix(k, "certmanager.k8s.io/") || k == "kubernetes.io/tls-acme" {
			return true
		}
	}
	return false
}

// trustBundle is trust-manager's: its target has the Bundle's name, in every
// namespace (https://cert-manager.io/docs/trust/trust-manager/).
func trustBundle(o *manifest.Object) []*definition {
	var ds []*definition
	for field, kind := range map[string]string{"configMap": configMap, "secret": secret} {
		if o.Has(node.P("spec", "target", field)) {
			d := named(o, kind, o.Name)
			d.everywhere = true
			ds = append(ds, d)
		}
	}
	return ds
}

// servingCert is the Secret that OpenShift's service CA makes for a Service
// (https://docs.openshift.com/container-platform/latest/security/certificates/service-serving-certificate.html).
func servingCert(o *manifest.Object) []*definition {
	var ds []*definition
	for _, k := range []string{"service.beta.openshift.io/serving-cert-secret-name", "service.alpha.openshift.io/serving-cert-secret-name"} {
		d := named(o, secret, o.Annotations[k])
		d.keys, d.complete = []string{"tls.crt", "tls.key"}, true
		ds = append(ds, d)
	}
	return known(ds)
}

// kustomization reads the generators of a kustomization. Within its resources
// the generated object goes by the plain name: kustomize rewrites references to
// the name with prefix, suffix and hash
// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/secretgenerator/).
func kustomization(o *manifest.Object) []*definition {
	prefix, suffix := o.StringAt(node.P("namePrefix")), o.StringAt(node.P("nameSuffix"))
	var ds []*definition
	for field, kind := range map[string]string{"secretGenerator": secret, "configMapGenerator": configMap} {
		for _, g := range list(o, node.P(field)) {
			name := text(g, "name")
			if name == "" {
				continue
			}
			d := named(o, kind, name)
			d.namespace = text(g, "namespace")
			if d.namespace == "" {
				d.namespace = o.StringAt(node.P("namespace"))
			}
			d.keys, d.complete = generatorKeys(g)
			ds = append(ds, d)
			if prefix+suffix != "" {
				full := *d
				full.name = prefix + name + suffix
				ds = append(ds, &full)
			}
		}
	}
	return ds
}

func generatorKeys(g map[string]any) (keys []string, complete bool) {
	for _, field := range []string{"literals", "files"} {
		entries, _ := g[field].([]any)
		for _, e := range entries {
			s, _ := e.(string)
			key, _, hasKey := strings.Cut(s, "=")
			if !hasKey {
				key = path.Base(s)
			}
			keys = append(keys, key)
		}
	}
	behavior := text(g, "behavior")
	complete = len(keys) > 0 && g["envs"] == nil && g["env"] == nil && behavior != "merge"
	return keys, complete
}

// generatedName strips the hash that kustomize appends to the names of
// generated objects: ten characters of a reduced alphabet
// (sigs.k8s.io/kustomize/api/hasher, encode).
func generatedName(name string) (string, bool) {
	i := len(name) - 11
	if i <= 0 || name[i] != '-' || strings.Trim(name[i+1:], "bcdfghkmt2456789") != "" {
		return name, false
	}
	return name[:i], true
}

// list returns the mappings of the sequence at the path.
func list(o *manifest.Object, at node.Path) []map[string]any {
	v, _ := o.Value(at)
	items, _ := v.([]any)
	out := make([]map[string]any, len(items))
	for i, item := range items {
		out[i], _ = item.(map[string]any)
	}
	return out
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func mapKeys(o *manifest.Object, steps ...any) []string { return mapKeysAt(o, node.P(steps...)) }

// mapKeysAt returns the keys of the mapping at the path, sorted. They are read
// from the text: a value that does not decode has its key all the same.
func mapKeysAt(o *manifest.Object, at node.Path) []string {
	v, _ := o.Value(at)
	m, _ := v.(map[string]any)
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func stringsAt(o *manifest.Object, steps ...any) map[string]string {
	v, _ := o.Value(node.P(steps...))
	m, _ := v.(map[string]any)
	return stringMap(m)
}

func stringMap(m map[string]any) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k], _ = v.(string)
	}
	return out
}
