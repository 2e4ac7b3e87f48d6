package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestReferences(t *testing.T) {
	pod := `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  imagePullSecrets: [{name: pull}]
  serviceAccountName: sa
  priorityClassName: prio
  runtimeClassName: rt
  resourceClaims: [{name: gpu, resourceClaimName: rc}, {name: nic, resourceClaimTemplateName: rct}]
  containers:
    - name: a
      image: i
      env:
        - {name: S, valueFrom: {secretKeyRef: {name: s1, key: k1}}}
        - {name: C, valueFrom: {configMapKeyRef: {name: c1, key: k2, optional: true}}}
        - {name: BOTH, value: x, valueFrom: {secretKeyRef: {name: ignored, key: k}}}
      envFrom: [{secretRef: {name: s2}}, {configMapRef: {name: c2}}]
      volumeMounts: [{name: v1, mountPath: /1}, {name: v2, mountPath: /2}, {name: v3, mountPath: /3}, {name: v4, mountPath: /4}, {name: v5, mountPath: /5}, {name: v6, mountPath: /6}]
  volumes:
    - {name: unused, secret: {secretName: unused}}
    - {name: v1, secret: {secretName: s3}}
    - {name: v2, configMap: {name: c3, items: [{key: k3, path: p}, {key: k4, path: q}]}}
    - {name: v3, projected: {sources: [{secret: {name: s4, items: [{key: k5, path: p}]}}, {configMap: {name: c4, optional: true}}, {serviceAccountToken: {path: t}}, {clusterTrustBundle: {name: ctb, path: x}}]}}
    - {name: claim, persistentVolumeClaim: {claimName: pvc}}
    - {name: scratch, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: sc}}}}
    - {name: v4, csi: {driver: d, nodePublishSecretRef: {name: s5}}}
    - {name: v5, azureFile: {shareName: x, secretName: s6}}
    - {name: v6, cephfs: {monitors: [m], secretRef: {name: s7}}}
`
	cl := load(t, pod, cluster.Options{})
	var got []string
	for _, r := range cl.References(cl.Workloads[0]) {
		if v := r.Workload.StringAt(r.At); v != r.Name {
			t.Errorf("%s: the path %s holds %q", r.Name, r.At, v)
		}
		if r.Key != "" {
			if v := r.Workload.StringAt(r.KeyAt); v != r.Key {
				t.Errorf("%s: the path %s holds %q", r.Name, r.KeyAt, v)
			}
		}
		got = append(got, fmt.Sprintf("%s/%s:%s:%v:%s", r.Kind, r.Name, r.Key, r.Optional, r.Use))
	}
	want := `Secret/s2::false:envFrom
ConfigMap/c2::false:envFrom
Secret/s1:k1:false:environment variable S
ConfigMap/c1:k2:true:environment variable C
Secret/s3::false:volume v1
ConfigMap/c3:k3:false:volume v2
ConfigMap/c3:k4:false:volume v2
Secret/s4:k5:false:volume v3
ConfigMap/c4::true:volume v3
ClusterTrustBundle/ctb::false:volume v3
PersistentVolumeClaim/pvc::false:volume claim
StorageClass/sc::false:volume scratch
Secret/s5::false:volume v4
Secret/s6::false:volume v5
Secret/s7::false:volume v6
Secret/pull::false:image pull secret
ServiceAccount/sa::false:the pod
PriorityClass/prio::false:the pod
RuntimeClass/rt::false:the pod
ResourceClaim/rc::false:resource claim gpu
ResourceClaimTemplate/rct::false:resource claim nic`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
}

func TestReferencesOfStatefulSet(t *testing.T) {
	cl := load(t, `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: s}
spec:
  serviceName: nodes
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      serviceAccount: old
      containers: [{name: a, image: i}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: replaced}}]
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast}}]
`, cluster.Options{})
	w := cl.Workloads[0]
	refs := cl.References(w)
	if governing, ok := cluster.GoverningService(w); ok {
		refs = append(refs, governing)
	}
	var got []string
	for _, r := range refs {
		got = append(got, fmt.Sprintf("%s/%s at %s", r.Kind, w.StringAt(r.At), r.At))
	}
	want := `ServiceAccount/old at spec.template.spec.serviceAccount
StorageClass/fast at spec.volumeClaimTemplates[0].spec.storageClassName
Service/nodes at spec.serviceName`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
}

// needs is a Deployment that needs a key of a Secret or ConfigMap.
func needs(meta, kind, name, key string) string {
	return deployment(meta, fmt.Sprintf("env: [{name: X, valueFrom: {%sKeyRef: {name: %s, key: %s}}}]", kind, name, key))
}

func object(apiVersion, kind, meta, rest string) string {
	return fmt.Sprintf("---\napiVersion: %s\nkind: %s\nmetadata: {%s}\n%s\n", apiVersion, kind, meta, rest)
}

func TestResolve(t *testing.T) {
	const missing, defined, elsewhere, expected = cluster.Missing, cluster.Defined, cluster.Elsewhere, cluster.Expected
	const unknown, present, absent, distant = cluster.KeyUnknown, cluster.KeyPresent, cluster.KeyAbsent, cluster.KeyDistant
	want := needs("", "secret", "db", "password")
	inShop := needs(", namespace: shop", "secret", "db", "password")
	config := needs("", "configMap", "db", "password")
	for _, c := range []struct {
		name, files string
		options     cluster.Options
		status      cluster.Status
		key         cluster.KeyStatus
	}{
		{"nothing", want, cluster.Options{}, missing, unknown},
		{"the Secret with the key", want + object("v1", "Secret", "name: db", "stringData: {password: x}"), cluster.Options{}, defined, present},
		{"data counts, a value that is not base64 too", want + object("v1", "Secret", "name: db", "data: {password: '%%%'}"), cluster.Options{}, defined, present},
		{"the Secret without the key", want + object("v1", "Secret", "name: db", "stringData: {user: x}"), cluster.Options{}, defined, absent},
		{"a ConfigMap of the name is no Secret", want + object("v1", "ConfigMap", "name: db", "data: {password: x}"), cluster.Options{}, missing, unknown},
		{"an empty Secret is filled by somebody", want + object("v1", "Secret", "name: db", ""), cluster.Options{}, defined, unknown},
		{"a token Secret is filled by its controller", want + object("v1", "Secret", "name: db", "type: kubernetes.io/service-account-token\ndata: {extra: eA==}"), cluster.Options{}, defined, unknown},
		{"binary data of a ConfigMap", config + object("v1", "ConfigMap", "name: db", "binaryData: {password: eA==}"), cluster.Options{}, defined, cluster.KeyBinary},
		{"binary data in a volume", deployment("", "volumeMounts: [{name: v, mountPath: /v}]") + "      volumes: [{name: v, configMap: {name: db, items: [{key: password, path: p}]}}]\n" +
			object("v1", "ConfigMap", "name: db", "binaryData: {password: eA==}"), cluster.Options{}, defined, present},

		{"another namespace", inShop + object("v1", "Secret", "name: db, namespace: other", "stringData: {password: x}"), cluster.Options{}, elsewhere, unknown},
		{"a namespace that is not known may be the same", want + object("v1", "Secret", "name: db, namespace: other", "stringData: {password: x}"), cluster.Options{}, defined, present},
		{"unless the options say it", want + object("v1", "Secret", "name: db, namespace: other", "stringData: {password: x}"), cluster.Options{Namespace: "shop"}, elsewhere, unknown},
		{"a copy for every namespace", inShop + object("v1", "Secret", `name: db, namespace: other, annotations: {reflector.v1.k8s.emberstack.com/reflection-allowed: "true"}`, "stringData: {password: x}"), cluster.Options{}, defined, present},
		{"kustomize sets the namespace of both", "## k/app.yaml\n" + inShop + "## k/s.yaml\n" + object("v1", "Secret", "name: db, namespace: other", "stringData: {password: x}") +
			"## k/kustomization.yaml\nnamespace: final\nresources: [app.yaml, s.yaml]\n", cluster.Options{}, defined, present},
		{"two overlays set different ones", "## base/app.yaml\n" + inShop + "## base/kustomization.yaml\nresources: [app.yaml]\n" +
			"## dev/kustomization.yaml\nnamespace: dev\nresources: [../base, s.yaml]\n## dev/s.yaml\n" + object("v1", "Secret", "name: db", "stringData: {password: x}") +
			"## prod/kustomization.yaml\nnamespace: prod\nresources: [../base]\n", cluster.Options{}, defined, present},

		{"the nearest of several", "## a/app.yaml\n" + want + "## a/s.yaml\n" + object("v1", "Secret", "name: db", "stringData: {user: x}") +
			"## b/s.yaml\n" + object("v1", "Secret", "name: db", "stringData: {password: x}"), cluster.Options{}, defined, distant},
		{"one far away may be another's", "## a/b/c/app.yaml\n" + want + "## x/y/z/s.yaml\n" + object("v1", "Secret", "name: db", "stringData: {user: x}"), cluster.Options{}, defined, unknown},
		{"one far away in the same namespace is it", "## a/b/c/app.yaml\n" + inShop + "## x/y/z/s.yaml\n" + object("v1", "Secret", "name: db, namespace: shop", "stringData: {user: x}"), cluster.Options{}, defined, absent},

		{"SealedSecret", want + object("bitnami.com/v1alpha1", "SealedSecret", "name: db", "spec: {encryptedData: {user: x}}"), cluster.Options{}, defined, absent},
		{"ExternalSecret by its target", want + object("external-secrets.io/v1", "ExternalSecret", "name: e", "spec: {target: {name: db}, data: [{secretKey: password}]}"), cluster.Options{}, defined, present},
		{"ExternalSecret by its name", want + object("external-secrets.io/v1", "ExternalSecret", "name: db", "spec: {data: [{secretKey: user}]}"), cluster.Options{}, defined, absent},
		{"ExternalSecret with dataFrom", want + object("external-secrets.io/v1", "ExternalSecret", "name: db", "spec: {data: [{secretKey: user}], dataFrom: [{extract: {key: k}}]}"), cluster.Options{}, defined, unknown},
		{"ExternalSecret that merges", want + object("external-secrets.io/v1", "ExternalSecret", "name: db", "spec: {target: {creationPolicy: Merge}, data: [{secretKey: user}]}"), cluster.Options{}, defined, unknown},
		{"ExternalSecret with a template, which replaces what was fetched", want + object("external-secrets.io/v1", "ExternalSecret", "name: db", "spec: {data: [{secretKey: password}], target: {template: {data: {url: x}}}}"), cluster.Options{}, defined, absent},
		{"ExternalSecret with a template that merges", want + object("external-secrets.io/v1", "ExternalSecret", "name: db", "spec: {data: [{secretKey: password}], target: {template: {mergePolicy: Merge, data: {url: x}}}}"), cluster.Options{}, defined, present},
		{"a role that lets somebody write this Secret may add the key", want + object("v1", "Secret", "name: db", "stringData: {user: x}") +
			object("rbac.authorization.k8s.io/v1", "Role", "name: r", "rules: [{apiGroups: [''], resources: [secrets], resourceNames: [db], verbs: [get, patch]}]"), cluster.Options{}, defined, unknown},
		{"so may a job with kubectl", want + object("v1", "Secret", "name: db", "stringData: {user: x}") +
			object("batch/v1", "Job", "name: j", "spec: {template: {spec: {containers: [{name: c, image: kubectl, command: [sh, -c, 'kubectl patch secret db -p x']}]}}}"), cluster.Options{}, defined, unknown},
		{"ClusterExternalSecret", inShop + object("external-secrets.io/v1", "ClusterExternalSecret", "name: e", "spec: {externalSecretName: db, externalSecretSpec: {data: [{secretKey: password}]}}"), cluster.Options{Namespace: "x"}, defined, present},
		{"PushSecret makes none", want + object("external-secrets.io/v1alpha1", "PushSecret", "name: p", "spec: {selector: {secret: {name: other}}}"), cluster.Options{}, missing, unknown},
		{"Certificate", want + object("cert-manager.io/v1", "Certificate", "name: c", "spec: {secretName: db}"), cluster.Options{}, defined, absent},
		{"Ingress with an issuer", needs("", "secret", "web-tls", "tls.crt") + object("networking.k8s.io/v1", "Ingress", "name: i, annotations: {cert-manager.io/cluster-issuer: le}", "spec: {tls: [{secretName: web-tls}]}"), cluster.Options{}, defined, present},
		{"Ingress without", needs("", "secret", "web-tls", "tls.crt") + object("networking.k8s.io/v1", "Ingress", "name: i", "spec: {tls: [{secretName: web-tls}]}"), cluster.Options{}, missing, unknown},
		{"OpenShift's serving certificate", needs("", "secret", "web-tls", "tls.crt") + object("v1", "Service", "name: s, annotations: {service.beta.openshift.io/serving-cert-secret-name: web-tls}", "spec: {ports: [{port: 1}]}"), cluster.Options{}, defined, present},
		{"SecretProviderClass", want + object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "name: c", "spec: {secretObjects: [{secretName: db, data: [{key: user}]}]}"), cluster.Options{}, defined, absent},
		{"VaultStaticSecret", want + object("secrets.hashicorp.com/v1beta1", "VaultStaticSecret", "name: v", "spec: {destination: {name: db}}"), cluster.Options{}, defined, unknown},
		{"OnePasswordItem", want + object("onepassword.com/v1", "OnePasswordItem", "name: db", "spec: {}"), cluster.Options{}, defined, unknown},
		{"DopplerSecret", want + object("secrets.doppler.com/v1alpha1", "DopplerSecret", "name: d", "spec: {managedSecret: {name: db}}"), cluster.Options{}, defined, unknown},
		{"the final name of a Secret that kustomize renames", "## k/app.yaml\n" + needs("", "secret", "x-db-y", "password") + "## k/s.yaml\n" + object("v1", "Secret", "name: db", "stringData: {password: x}") +
			"## k/kustomization.yaml\nnamePrefix: x-\nnameSuffix: -y\nresources: [app.yaml, s.yaml]\n", cluster.Options{}, defined, present},
		{"secretGenerator", "## k/app.yaml\n" + want + "## k/kustomization.yaml\nsecretGenerator: [{name: db, literals: [password=x]}]\n", cluster.Options{}, defined, present},
		{"secretGenerator without the key", "## k/app.yaml\n" + want + "## k/kustomization.yaml\nsecretGenerator: [{name: db, files: [user, a/key.pem, other=b]}]\n", cluster.Options{}, defined, absent},
		{"secretGenerator from a file of variables", "## k/app.yaml\n" + want + "## k/kustomization.yaml\nsecretGenerator: [{name: db, envs: [.env]}]\n", cluster.Options{}, defined, unknown},
		{"a patch of its overlay may add the key", "## base/app.yaml\n" + want + "## base/s.yaml\n" + object("v1", "Secret", "name: db", "stringData: {user: x}") +
			"## base/kustomization.yaml\nresources: [app.yaml, s.yaml]\n## prod/kustomization.yaml\nresources: [../base]\npatches: [{target: {kind: Secret, name: db}, path: p.yaml}]\n", cluster.Options{}, defined, unknown},
		{"so may a component's", "## base/app.yaml\n" + want + "## base/kustomization.yaml\nresources: [app.yaml]\nsecretGenerator: [{name: db, literals: [user=x]}]\n" +
			"## prod/kustomization.yaml\nresources: [../base]\ncomponents: [../c]\n## c/kustomization.yaml\napiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{target: {kind: Secret, name: db}, path: p.yaml}]\n", cluster.Options{}, defined, unknown},
		{"another kustomization's patch does not", "## base/app.yaml\n" + want + "## base/s.yaml\n" + object("v1", "Secret", "name: db", "stringData: {user: x}") +
			"## base/kustomization.yaml\nresources: [app.yaml, s.yaml]\n## flux/kustomization.yaml\nresources: [gotk.yaml]\npatches: [{target: {kind: Secret}, path: p.yaml}]\n", cluster.Options{}, defined, absent},
		{"a generated name with its hash", "## k/app.yaml\n" + needs("", "configMap", "x-settings-y-7t5kd9m2hb", "password") +
			"## k/kustomization.yaml\nnamePrefix: x-\nnameSuffix: -y\nconfigMapGenerator: [{name: settings, literals: [password=x]}]\n", cluster.Options{}, defined, present},

		{"kube-root-ca.crt", needs("", "configMap", "kube-root-ca.crt", "ca.crt"), cluster.Options{}, expected, unknown},
		{"a custom resource of the name", needs("", "secret", "pg-app", "password") + object("postgresql.cnpg.io/v1", "Cluster", "name: pg", "spec: {instances: 1}"), cluster.Options{}, expected, unknown},
		{"a custom resource that names it", want + object("minio.min.io/v2", "Tenant", "name: t", "spec: {users: [{name: db}]}"), cluster.Options{}, expected, unknown},
		{"a custom resource in another namespace", inShop + object("minio.min.io/v2", "Tenant", "name: t, namespace: other", "spec: {users: [{name: db}]}"), cluster.Options{}, missing, unknown},
		{"a Rollout does not make what it needs", want + object("argoproj.io/v1alpha1", "Rollout", "name: db", "spec: {template: {spec: {containers: [{name: c, image: i}]}}}"), cluster.Options{}, missing, unknown},
		{"Zalando's Postgres operator", needs("", "secret", "app.pg.credentials.postgresql.acid.zalan.do", "password"), cluster.Options{}, expected, unknown},
		{"a job that makes it", want + object("batch/v1", "Job", "name: j", "spec: {template: {spec: {containers: [{name: c, image: kubectl, command: [sh, -c, 'kubectl create secret generic db --from-literal=password=x']}]}}}"), cluster.Options{}, expected, unknown},
		{"a role that lets somebody make Secrets", want + object("rbac.authorization.k8s.io/v1", "Role", "name: r", "rules: [{apiGroups: [''], resources: [secrets], verbs: [create]}]"), cluster.Options{}, expected, unknown},
		{"a role that lets somebody read them", want + object("rbac.authorization.k8s.io/v1", "Role", "name: r", "rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]"), cluster.Options{}, missing, unknown},
		{"a job of an overlay that makes it", "## base/app.yaml\n" + want + "## base/kustomization.yaml\nresources: [app.yaml]\n## prod/kustomization.yaml\nresources: [../base, job.yaml]\n## prod/job.yaml\n" +
			object("batch/v1", "Job", "name: j", "spec: {template: {spec: {containers: [{name: c, image: kubectl, command: [sh, -c, 'kubectl create secret generic db']}]}}}"), cluster.Options{}, expected, unknown},
		{"a job of a folder that does not take it", "## base/app.yaml\n" + want + "## base/kustomization.yaml\nresources: [app.yaml]\n## prod/job.yaml\n" +
			object("batch/v1", "Job", "name: j", "spec: {template: {spec: {containers: [{name: c, image: kubectl, command: [sh, -c, 'kubectl create secret generic db']}]}}}"), cluster.Options{}, missing, unknown},
		{"the configuration", want, cluster.Options{External: []string{"Secret/d*"}}, expected, unknown},
		{"the configuration, with the namespace", inShop, cluster.Options{External: []string{"Secret/shop/*"}}, expected, unknown},
		{"the configuration, another namespace", inShop, cluster.Options{External: []string{"Secret/x/*", "[", "ConfigMap/db"}}, missing, unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := load(t, c.files, c.options)
			w := container(t, cl, "api").Workload
			got := cl.Resolve(cl.References(w)[0])
			if got.Status != c.status || got.Key != c.key {
				t.Errorf("got status %d (%s), key %d; want %d, %d", got.Status, got.Because, got.Key, c.status, c.key)
			}
			if (got.Status == defined || got.Status == elsewhere) && len(got.By) == 0 {
				t.Error("nothing defines it")
			}
		})
	}
}

func TestSuggest(t *testing.T) {
	secret := func(name, key string) string {
		return object("v1", "Secret", "name: "+name, "stringData: {"+key+": x}")
	}
	for _, c := range []struct{ name, files, want string }{
		{"a letter off", needs("", "secret", "database-credentials", "password") + secret("database-credential", "password"), "Secret/database-credential!"},
		{"two letters exchanged", needs("", "secret", "credentials", "password") + secret("credentails", "password"), "Secret/credentails!"},
		{"a prefix more", needs("", "secret", "credentials", "password") + secret("shop-credentials", "password"), "Secret/shop-credentials!"},
		{"it lacks the key", needs("", "secret", "credentials", "password") + secret("shop-credentials", "user"), ""},
		{"another workload uses it", needs("", "secret", "credentials", "password") + secret("shop-credentials", "password") +
			"---\n" + strings.Replace(needs("", "secret", "shop-credentials", "password"), "name: api", "name: other", 1), "Secret/shop-credentials"},
		{"two of a kind", needs("", "secret", "database-1", "password") + secret("database-2", "password"), ""},
		{"too short", needs("", "secret", "db", "password") + secret("dc", "password"), ""},
		{"the other kind", needs("", "secret", "settings", "password") + object("v1", "ConfigMap", "name: settings", "data: {password: x}"), "ConfigMap/settings!"},
		{"far away", "## a/b/app.yaml\n" + needs("", "secret", "credentials", "password") + "## x/y/s.yaml\n" + secret("credentails", "password"), ""},
		{"another namespace", needs(", namespace: shop", "secret", "credentials", "password") +
			object("v1", "Secret", "name: credentails, namespace: other", "stringData: {password: x}"), ""},
		{"nothing like it", needs("", "secret", "credentials", "password") + secret("tls", "password"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := load(t, c.files, cluster.Options{})
			s, ok := cl.Suggest(cl.References(container(t, cl, "api").Workload))
			got := ""
			if ok {
				got = s.Kind + "/" + s.Name
			}
			if s.Certain {
				got += "!"
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestKeptElsewhere(t *testing.T) {
	three := needs("", "secret", "a1", "k") + "---\n" + needs("", "secret", "a2", "k") + "---\n" + needs("", "secret", "a3", "k")
	for _, c := range []struct {
		name, files string
		want        bool
	}{
		{"one Secret", needs("", "secret", "s", "k"), false},
		{"three Secrets, none defined", three, true},
		{"three Secrets, another defined", three + object("v1", "Secret", "name: other", "stringData: {k: x}"), false},
		{"a certificate", needs("", "secret", "web-tls", "tls.crt"), true},
		{"a copy from a cluster", needs(", uid: 5c1f1a9e", "secret", "s", "k"), true},
		{"a ConfigMap", needs("", "configMap", "web-tls", "k"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := load(t, c.files, cluster.Options{})
			if got := cl.KeptElsewhere(cl.References(cl.Workloads[0])[0]); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestIsPart(t *testing.T) {
	app := deployment("", "env: []")
	for _, c := range []struct {
		name, files string
		want        bool
	}{
		{"a Deployment", app, false},
		{"without a selector", strings.Replace(app, "  selector: {matchLabels: {a: b}}\n", "", 1), true},
		{"without an image", strings.Replace(app, "image:", "workingDir:", 1), true},
		{"a patch by its file", "## k/manager_config_patch.yaml\n" + app, true},
		{"patches", "## k/patches.yaml\n" + app, true},
		{"no patch", "## k/dispatcher.yaml\n" + app, false},
		{"a kustomization's patch", "## k/x.yaml\n" + app + "## k/kustomization.yaml\nresources: [y.yaml]\npatches: [{path: x.yaml}]\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := cluster.IsPart(load(t, c.files, cluster.Options{}).Workloads[0]); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestFind(t *testing.T) {
	cl := load(t, "## prod/app/app.yaml\n"+deployment("", "env: []")+object("v1", "Secret", "name: s", "")+
		"## prod/app/s.yaml\n"+object("v1", "Secret", "name: s", "")+"## prod/s.yaml\n"+object("v1", "Secret", "name: s", "")+
		"## dev/app/s.yaml\n"+object("v1", "Secret", "name: s", "")+"## prod/app/deep/s.yaml\n"+object("v1", "Secret", "name: s", ""), cluster.Options{})
	var got []string
	for _, o := range cl.Find(cl.Workloads[0].Object, "Secret", "s") {
		got = append(got, o.File().Path)
	}
	want := "prod/app/app.yaml prod/app/s.yaml prod/app/deep/s.yaml prod/s.yaml dev/app/s.yaml"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}
