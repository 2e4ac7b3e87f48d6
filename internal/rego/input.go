package rego

import (
	"maps"

	"github.com/open-policy-agent/opa/v1/ast"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/kubelet"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/runtimes"
)

// objectInput is the object as it is written, which is what conftest's policies
// get; the values of a Secret are replaced.
func objectInput(o *manifest.Object) (ast.Value, error) {
	v, _ := o.Value(nil)
	if object, ok := v.(map[string]any); ok && o.Kind == "Secret" {
		v = redacted(object)
	}
	return ast.InterfaceToValue(v)
}

// redacted is a Secret with its keys but without its values: those of data stay
// base64, as policies may expect. A field that a Secret does not have may be a
// misspelt stringData.
func redacted(secret map[string]any) map[string]any {
	secret = maps.Clone(secret)
	for field, value := range secret {
		text := "REDACTED"
		switch field {
		case "apiVersion", "kind", "metadata", "type", "immutable":
			continue
		case "data":
			text = "UkVEQUNURUQ="
		}
		if values, ok := value.(map[string]any); ok {
			hidden := map[string]any{}
			for key := range values {
				hidden[key] = text
			}
			secret[field] = hidden
		} else if value != nil {
			secret[field] = text
		}
	}
	// kubectl apply leaves the whole object there.
	const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
	if meta, ok := secret["metadata"].(map[string]any); ok {
		if annotations, ok := meta["annotations"].(map[string]any); ok && annotations[lastApplied] != nil {
			meta, annotations = maps.Clone(meta), maps.Clone(annotations)
			annotations[lastApplied] = "REDACTED"
			meta["annotations"], secret["metadata"] = annotations, meta
		}
	}
	return secret
}

// workloadInput is the workload with its effective values, as
// policies/schema/input.json describes it.
func workloadInput(c *cluster.Cluster, w *manifest.Workload) (ast.Value, error) {
	object, _ := w.Value(nil)
	pod, ok := at(object, w.PodPath).(map[string]any)
	if !ok {
		pod = map[string]any{}
	}
	containers := []any{}
	for _, ctr := range w.Containers {
		containers = append(containers, container(c, ctr, at(object, ctr.Path)))
	}
	refs := []any{}
	for _, r := range c.References(w) {
		ref := map[string]any{"kind": r.Kind, "name": r.Name, "path": list(r.At), "optional": r.Optional, "use": r.Use}
		if r.Key != "" {
			ref["key"], ref["keyPath"] = r.Key, list(r.KeyAt)
		}
		if r.Container != nil {
			ref["container"] = r.Container.Name
		}
		refs = append(refs, ref)
	}
	// Most policies look at a few fields: the rest is not converted.
	return ast.LazyObject(map[string]any{
		"object": object, "kind": w.Kind, "name": w.Name, "namespace": c.NamespaceOf(w.Object),
		"pod": pod, "podPath": list(w.PodPath), "restartPolicy": string(w.RestartPolicy()),
		"replicas": int64(w.Replicas()), "custom": w.Custom,
		"containers": containers, "refs": refs,
	}), nil
}

// at returns what stands at a path below v, nil where there is nothing.
func at(v any, p node.Path) any {
	for _, step := range p {
		if i, ok := step.Index(); ok {
			list, _ := v.([]any)
			if i >= len(list) {
				return nil
			}
			v = list[i]
			continue
		}
		key, _ := step.Key()
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func container(c *cluster.Cluster, ctr *manifest.Container, spec any) map[string]any {
	if _, ok := spec.(map[string]any); !ok {
		spec = map[string]any{}
	}
	environment := c.Environment(ctr)
	env := map[string]any{}
	for _, v := range environment.Variables {
		variable := map[string]any{"secret": v.Secret, "from": origin(v.From)}
		if v.Known && !v.Secret {
			variable["value"] = v.Value
		}
		env[v.Name] = variable
	}
	words := func(list []cluster.Word) []any {
		out := []any{}
		for _, word := range list {
			if word.Known && !word.Secret {
				out = append(out, word.Value)
			} else {
				out = append(out, nil)
			}
		}
		return out
	}
	process := c.Process(ctr)
	commands := []any{}
	for _, command := range process.Commands {
		commands = append(commands, words(command.Words))
	}
	memory := quantities(c.Memory(ctr), func(q resource.Quantity) any { return q.Value() })
	cpu := quantities(c.CPU(ctr), func(q resource.Quantity) any { return q.AsApproximateFloat64() })
	startup := map[string]any{}
	if start := kubelet.StartOf(ctr.Workload.Pod, ctr.Container); start.Probe != "" {
		startup["probe"], startup["killedAfterSeconds"] = start.Probe, start.Timing.Deadline()
	}
	runtime := map[string]any{}
	if r, ok := runtimes.Of(c, ctr); ok {
		evidence := []any{}
		for _, e := range r.Evidence {
			evidence = append(evidence, e)
		}
		runtime["name"], runtime["certain"], runtime["evidence"] = r.Name, r.Certain, evidence
	}
	return map[string]any{
		"name": ctr.Name, "role": ctr.Role.String(), "path": list(ctr.Path), "spec": spec, "partial": ctr.Partial,
		"memory": memory, "cpu": cpu, "env": env, "envOpen": environment.Open,
		"argv": words(process.Words), "argvPartial": process.Partial, "commands": commands, "startup": startup,
		"runtime": runtime,
	}
}

// quantities describes a request and a limit, each with its origin.
func quantities(r cluster.Resource, number func(resource.Quantity) any) map[string]any {
	out := map[string]any{}
	if r.Limit != nil {
		out["limit"], out["limitFrom"] = number(r.Limit.V), origin(r.Limit.From)
	}
	if r.Request != nil {
		out["request"], out["requestFrom"] = number(r.Request.V), origin(r.Request.From)
	}
	return out
}

// origin describes where a value was written.
func origin(o cluster.Origin) map[string]any {
	if o.Object == nil {
		return map[string]any{"default": o.Default}
	}
	return map[string]any{"kind": o.Object.Kind, "name": o.Object.Name, "namespace": o.Object.Namespace, "path": list(o.Path)}
}

// list turns a path into strings and numbers.
func list(p node.Path) []any {
	out := make([]any, 0, len(p))
	for _, e := range p {
		if i, ok := e.Index(); ok {
			out = append(out, i)
		} else {
			key, _ := e.Key()
			out = append(out, key)
		}
	}
	return out
}
