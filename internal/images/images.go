// Package images knows what well-known container images run when a manifest
// does not say: which runtime they carry, what their entrypoint is, which
// variables their start scripts read, how slowly they start. It holds facts
// only, each with its source; what it does not know stays unknown.
package images

import "k8s.io/apimachinery/pkg/api/resource"

// An Entry is what is known of an image, by its repositories.
type Entry struct {
	// Names are repositories without a tag in the short form of the Docker CLI:
	// "tomcat", "bitnami/kafka", "quay.io/keycloak/keycloak". The organisation
	// "bitnami" stands for its forks bitnamilegacy and bitnamisecure too.
	Names []string `json:"names" jsonschema_description:"Repositories without a tag, as for docker pull."`
	// Facts hold for every tag.
	Facts
	// Releases are facts that hold for some tags only, and replace those above.
	Releases []Release `json:"releases,omitempty" jsonschema_description:"Facts of some tags only; they replace those above."`
}

// A Release is what is known of the tags of an image from one version on and up
// to another. It is in force for a tag all of whose versions lie between them:
// "9" may be 9.0 as well as 9.9, and "latest" is after all of them.
type Release struct {
	Since string `json:"since,omitempty" jsonschema_description:"The first version that the facts hold for."`
	Until string `json:"until,omitempty" jsonschema_description:"The first version that they do not hold for any more."`
	Facts
}

// Facts is what is known of one image. A nil or empty field is not known.
type Facts struct {
	// Name is the first of the names that the facts are filed under.
	Name string `json:"-"`
	// Runtime is what the main process runs on.
	Runtime *Runtime `json:"runtime,omitempty" jsonschema_description:"What the main process runs on."`
	// Java is the release of Java in the image, where its tag does not say.
	Java *Java `json:"java,omitempty" jsonschema_description:"The release of Java in the image."`
	// Process is the image's own argument vector.
	Process *Process `json:"process,omitempty" jsonschema_description:"The image's entrypoint and command."`
	// Options are the variables that the start script puts on the command line
	// of its JVM, in the order in which it does: the last that sets a flag wins.
	Options []Option `json:"options,omitempty" jsonschema_description:"Variables that the start script hands to the JVM, in their order on its command line."`
	// Heap is the heap that the image gives its JVM when nobody sets one.
	Heap *Heap `json:"heap,omitempty" jsonschema_description:"The maximum heap of its JVM when nobody sets one."`
	// Requires are the variables that the program does not start without.
	Requires []Requirement `json:"requires,omitempty" jsonschema_description:"Variables that the program does not start without."`
	// Data is where the program keeps its data.
	Data *Data `json:"data,omitempty" jsonschema_description:"Where the program keeps its data."`
	// MountsRefused are mount paths with which the entrypoint refuses to start.
	MountsRefused []MountRefusal `json:"mountsRefused,omitempty" jsonschema_description:"Mount paths with which the entrypoint refuses to start."`
	// Architectures are those the image is built for, when it is not for all.
	Architectures *Architectures `json:"architectures,omitempty" jsonschema_description:"What the image is built for, when it is not for all."`
	// Startup is how long the program is known to take to start.
	Startup *Startup `json:"startup,omitempty" jsonschema_description:"How long the program takes to start."`
	// Ports are the variables that the program takes a port number from, and
	// that keep it from starting when they hold a URL instead.
	Ports []Port `json:"ports,omitempty" jsonschema_description:"Variables that the program takes a port number from."`
	// Memory is how much memory the program is known not to run in.
	Memory *Memory `json:"memory,omitempty" jsonschema_description:"How much memory the program does not run in."`
	// SharedMemory is how large a /dev/shm the program needs.
	SharedMemory *SharedMemory `json:"sharedMemory,omitempty" jsonschema_description:"How large a /dev/shm the program needs."`
}

// A Requirement is what the program does not start without: one of several
// variables, set to something.
type Requirement struct {
	// Any are the variables; NAME=value wants that value.
	Any []string `json:"any" jsonschema_description:"Variables of which one must be set to something; NAME=value wants that value."`
	// First is true when they are asked for only as long as there is no data.
	First bool `json:"first,omitempty" jsonschema_description:"true: only as long as the data directory is empty."`
	// Programs are the first arguments with which the entrypoint asks for them,
	// beside none and options; empty: with all.
	Programs []string `json:"programs,omitempty" jsonschema_description:"The first arguments with which the entrypoint asks for them."`
	Source   string   `json:"source,omitempty"`
}

// A Data is where the program keeps its data.
type Data struct {
	// Directory is where it does when nobody says otherwise.
	Directory string `json:"directory" jsonschema_description:"The data directory."`
	// Variable is the environment variable that names another directory.
	Variable string `json:"variable,omitempty" jsonschema_description:"The variable that names another directory."`
	// Option is the option of the command line that does: --datadir.
	Option string `json:"option,omitempty" jsonschema_description:"The option that names another directory."`
	// RefusesLostFound is true when the first start fails in a directory that
	// holds a lost+found, as the root of an ext4 file system does.
	RefusesLostFound bool `json:"refusesLostFound,omitempty" jsonschema_description:"true: it does not start in a directory with a lost+found."`
	// Tolerates is an option that makes it start there all the same.
	Tolerates string `json:"tolerates,omitempty" jsonschema_description:"An option with which it does."`
	Source    string `json:"source,omitempty"`
}

// A MountRefusal is a mount path with which the entrypoint refuses to start.
type MountRefusal struct {
	Path string `json:"path" jsonschema_description:"The mount path that is refused."`
	// Unless is the variable that, when set, lifts the refusal.
	Unless string `json:"unless,omitempty" jsonschema_description:"A variable that, when set, lifts it."`
	// Instead is where the volume belongs.
	Instead string `json:"instead,omitempty" jsonschema_description:"Where the volume belongs."`
	Source  string `json:"source,omitempty"`
}

// A Java is a release of Java.
type Java struct {
	// Feature is the feature release: 8, 17.
	Feature int `json:"feature" jsonschema_description:"8, 11, 17, ..."`
	// Update is the newest update release that the image can hold, 0 when that
	// is not known: 181 for an image built before 8u191 came out.
	Update int    `json:"update,omitempty" jsonschema_description:"The newest update that the image can hold: 181 of 8u181."`
	Source string `json:"source,omitempty"`
}

// Architectures are the values of kubernetes.io/arch that an image runs on.
type Architectures struct {
	Only   []string `json:"only" jsonschema_description:"amd64, arm64, ..."`
	Source string   `json:"source,omitempty"`
}

// A Runtime is a fact about the main process's runtime.
type Runtime struct {
	// Name is "jvm", "node" and so on.
	Name string `json:"name"`
	// JDK is true for a bare runtime image, which runs a program of its user.
	JDK    bool   `json:"jdk,omitempty"`
	Source string `json:"source,omitempty"`
}

// A Process is the argument vector of the image's configuration.
type Process struct {
	Entrypoint []string `json:"entrypoint,omitempty"`
	Command    []string `json:"command,omitempty"`
	Source     string   `json:"source,omitempty"`
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
	Source string `json:"source,omitempty"`
}

// A Heap is an image's own choice of the maximum heap: one of its fields.
type Heap struct {
	// JVM is true when the start script leaves the choice to the JVM.
	JVM bool `json:"jvm,omitempty" jsonschema_description:"The image leaves the heap to the JVM."`
	// Size is a quantity of bytes, "1Gi"; empty when the image computes it.
	Size string `json:"size,omitempty"`
	// Percent is the share of the container's memory limit that the image takes.
	Percent float64 `json:"percent,omitempty"`
	Source  string  `json:"source,omitempty"`
}

// Bytes returns Size in bytes, 0 when the image computes the heap.
func (h *Heap) Bytes() int64 { return bytes(h.Size) }

// A Startup is how long a program takes until it answers, on ordinary
// hardware without a CPU limit.
type Startup struct {
	Seconds int    `json:"seconds"`
	Source  string `json:"source"`
}

// A Port is a variable that the program takes a port number from.
type Port struct {
	Name   string `json:"name"`
	Source string `json:"source,omitempty"`
}

// A Memory is how much memory a program is known not to run in: one of its
// fields.
type Memory struct {
	// Required is the memory limit, a quantity of bytes, below which the program
	// itself refuses to start.
	Required string `json:"required,omitempty" jsonschema_description:"The memory limit below which the program refuses to start."`
	// TooLow is a memory limit with which the program was killed at its start or
	// soon after, though it had little to do.
	TooLow string `json:"tooLow,omitempty" jsonschema_description:"A memory limit with which the program was killed at its start or soon after."`
	Source string `json:"source,omitempty"`
}

// RequiredBytes returns Required in bytes, 0 where it is not known.
func (m *Memory) RequiredBytes() int64 { return bytes(m.Required) }

// TooLowBytes returns TooLow in bytes, 0 where it is not known.
func (m *Memory) TooLowBytes() int64 { return bytes(m.TooLow) }

// A SharedMemory is how large a /dev/shm a program needs; a container has 64 MiB
// without a volume there.
type SharedMemory struct {
	Size string `json:"size" jsonschema_description:"The size that the makers ask for."`
	// Required is true when the program does not start with less.
	Required bool `json:"required,omitempty" jsonschema_description:"The program does not start with less."`
	// Flag is the option that makes the program need it, empty when it always
	// does.
	Flag   string `json:"flag,omitempty" jsonschema_description:"The option, with a number above 1, that makes the program need it."`
	Source string `json:"source,omitempty"`
}

// Bytes returns Size in bytes.
func (s *SharedMemory) Bytes() int64 { return bytes(s.Size) }

// bytes returns a quantity, which Entry.Check accepts, in bytes; 0 for an empty
// one.
func bytes(quantity string) int64 {
	q, err := resource.ParseQuantity(quantity)
	if err != nil {
		return 0
	}
	return q.Value()
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
