// Package images knows what well-known container images run when a manifest
// does not say: which runtime they carry, what their entrypoint is, which
// variables their start scripts read, how slowly they start. It holds facts
// only, each with its source; what it does not know stays unknown.
package images

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// Facts is what is known of one image. A nil or empty field is not known.
type Facts struct {
	// Names are repositories without a tag in the short form of the Docker CLI:
	// "tomcat", "bitnami/kafka", "quay.io/keycloak/keycloak". The organisation
	// "bitnami" stands for its forks bitnamilegacy and bitnamisecure too.
	Names []string `json:"names"`
	// Runtime is what the main process runs on.
	Runtime *Runtime `json:"runtime,omitempty"`
	// Process is the image's own argument vector.
	Process *Process `json:"process,omitempty"`
	// Options are the variables that the start script puts on the command line
	// of its JVM, in the order in which it does: the last that sets a flag wins.
	Options []Option `json:"options,omitempty"`
	// Heap is the heap that the image gives its JVM when nobody sets one.
	Heap *Heap `json:"heap,omitempty"`
	// Startup is how long the program is known to take to start.
	Startup *Startup `json:"startup,omitempty"`
	// Ports are the variables that the program takes a port number from, and
	// that keep it from starting when they hold a URL instead.
	Ports []Port `json:"ports,omitempty"`
}

// A Runtime is a fact about the main process's runtime.
type Runtime struct {
	// Name is "jvm", "node" and so on.
	Name string `json:"name"`
	// JDK is true for a bare runtime image, which runs a program of its user.
	JDK    bool   `json:"jdk,omitempty"`
	Source string `json:"source"`
}

// A Process is the argument vector of the image's configuration.
type Process struct {
	Entrypoint []string `json:"entrypoint,omitempty"`
	Command    []string `json:"command,omitempty"`
	Source     string   `json:"source"`
}

// A Form is how a variable says how large the heap is to be.
type Form string

const (
	// Flags are JVM options as on a command line.
	Flags Form = "flags"
	// Size is the heap's maximum as -Xmx takes it: "512m".
	Size Form = "size"
	// Megabytes is the heap's maximum as a bare number of MiB.
	Megabytes Form = "megabytes"
)

// An Option is a variable that the image's start script hands to the JVM.
type Option struct {
	Name   string `json:"name"`
	Form   Form   `json:"form"`
	Source string `json:"source"`
}

// A Heap is an image's own choice of the maximum heap.
type Heap struct {
	// Size is a quantity of bytes, "1Gi"; empty when the image computes it.
	Size string `json:"size,omitempty"`
	// Percent is the share of the container's memory limit that the image takes.
	Percent float64 `json:"percent,omitempty"`
	Source  string  `json:"source"`
}

// Bytes returns Size in bytes, 0 when the image computes the heap. It panics on
// a size that is no quantity, which the test of the data rules out.
func (h *Heap) Bytes() int64 {
	if h.Size == "" {
		return 0
	}
	q := resource.MustParse(h.Size) // the test of the data parses each
	return q.Value()
}

// A Startup is how long a program takes until it answers, on ordinary
// hardware without a CPU limit.
type Startup struct {
	Seconds int    `json:"seconds"`
	Source  string `json:"source"`
}

// A Port is a variable that the program takes a port number from.
type Port struct {
	Name   string `json:"name"`
	Source string `json:"source"`
}

// Entrypoint returns the image's entrypoint and its default arguments, empty
// when they are not known.
func (f Facts) Entrypoint() (entrypoint, command []string) {
	if f.Process == nil {
		return nil, nil
	}
	return f.Process.Entrypoint, f.Process.Command
}

// IsJVM reports whether the main process is known to be a JVM.
func (f Facts) IsJVM() bool { return f.Runtime != nil && f.Runtime.Name == "jvm" }

//go:embed facts.yaml
var data []byte

type file struct {
	Images []Facts `json:"images"`
}

var load = sync.OnceValue(func() map[string]Facts {
	index, err := parse(data)
	if err != nil {
		panic("images: facts.yaml: " + err.Error()) // the tests read it
	}
	return index
})

// parse reads the data strictly and indexes it by repository.
func parse(text []byte) (map[string]Facts, error) {
	var f file
	if err := yaml.UnmarshalStrict(text, &f); err != nil {
		return nil, err
	}
	index := map[string]Facts{}
	for _, facts := range f.Images {
		for _, name := range facts.Names {
			repos, err := repositories(name)
			if err != nil {
				return nil, err
			}
			for _, repo := range repos {
				if _, ok := index[repo]; ok {
					return nil, fmt.Errorf("two entries claim %s", repo)
				}
				index[repo] = facts
			}
		}
	}
	return index, nil
}

// repositories returns the full names that a name in the data stands for.
func repositories(name string) ([]string, error) {
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !reference.IsNameOnly(ref) {
		return nil, fmt.Errorf("%s: a name has no tag", name)
	}
	full := []string{ref.Name()}
	// Bitnami moved its images in August 2025 and sells hardened ones:
	// https://github.com/bitnami/containers/issues/83267.
	if app, ok := strings.CutPrefix(ref.Name(), "docker.io/bitnami/"); ok {
		full = append(full, "docker.io/bitnamilegacy/"+app, "docker.io/bitnamisecure/"+app)
	}
	return full, nil
}

// Lookup returns the facts about the image that the reference names. A copy in
// another registry counts when it keeps the organisation: a pull-through cache
// serves docker.io/bitnami/kafka as harbor.example/proxy/bitnami/kafka.
func Lookup(ref string) (Facts, bool) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return Facts{}, false
	}
	index := load()
	if f, ok := index[named.Name()]; ok {
		return f, true
	}
	parts := strings.Split(reference.Path(named), "/")
	if len(parts) < 2 {
		return Facts{}, false
	}
	f, ok := index["docker.io/"+strings.Join(parts[len(parts)-2:], "/")]
	return f, ok
}
