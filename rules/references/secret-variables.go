package references

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

// A secretVariable is a key of a Secret in the files that is an environment
// variable of a container, with all containers of which it is one.
type secretVariable struct {
	cluster.Variable
	container *manifest.Container
	uses      []rule.Related
}

// key is the Secret's key.
func (v secretVariable) key() string {
	key, _ := v.From.Path[len(v.From.Path)-1].Key()
	return key
}

// secretVariables returns the keys of Secrets that are variables and that the
// function picks by their value, in the order of their first use.
func secretVariables(p *rule.Pass, pick func(value string) bool) []secretVariable {
	type place struct {
		object *manifest.Object
		path   string
	}
	var found []secretVariable
	index := map[place]int{}
	for _, w := range p.Cluster.Workloads {
		for _, ctr := range w.Containers {
			for _, v := range p.Cluster.Environment(ctr).Variables {
				if o := v.From.Object; !v.Secret || !v.Known || o == nil || o.Kind != "Secret" || !pick(v.Value) {
					continue
				}
				at := place{v.From.Object, v.From.Path.String()}
				i, ok := index[at]
				if !ok {
					i = len(found)
					index[at] = i
					found = append(found, secretVariable{Variable: v, container: ctr})
				}
				found[i].uses = append(found[i].uses, rule.Related{
					Object: w.Object, At: sourceOf(ctr, v), Message: fmt.Sprintf("container %q takes %s from here", ctr.Name, v.Name),
				})
			}
		}
	}
	return found
}

// sourceOf returns the path of what makes a variable of a Secret: its own entry
// of env, or a source of envFrom.
func sourceOf(ctr *manifest.Container, v cluster.Variable) node.Path {
	for i := len(ctr.Env) - 1; i >= 0; i-- {
		if ctr.Env[i].Name == v.Name {
			return ctr.At("env", i, "valueFrom")
		}
	}
	i := slices.IndexFunc(ctr.EnvFrom, func(e corev1.EnvFromSource) bool {
		return e.SecretRef != nil && e.SecretRef.Name == v.From.Object.Name
	})
	return ctr.At("envFrom", max(i, 0))
}
