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
	// Tags are patterns of path.Match, one of which the tag must meet, for the
	// variants of an image: "*alpine*". One that begins with "!" it must not meet.
	Tags []string `json:"tags,omitempty" jsonschema_description:"Patterns of the tags that the facts hold for: *alpine*, or !*alpine* for all others."`
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
	// User is the user that the image's configuration names.
	User *User `json:"user,omitempty" jsonschema_description:"The user that the image's configuration names."`
	// Capabilities are those that a start as root needs.
	Capabilities *Capabilities `json:"capabilities,omitempty" jsonschema_description:"Capabilities without which it does not start as root."`
	// Writes are directories that the program writes to before it runs.
	Writes *Writes `json:"writes,omitempty" jsonschema_description:"Directories that it does not start without writing to."`
	// Edits are files of its configuration that the start script changes.
	Edits *Edits `json:"edits,omitempty" jsonschema_description:"Files that the start script changes in place."`
	// Listens are the ports that the program listens on when nobody says
	// otherwise.
	Listens *Listens `json:"listens,omitempty" jsonschema_description:"Ports that the program listens on when nobody says otherwise."`
	// Overlay is the s6-overlay that starts the image's programs.
	Overlay *Overlay `json:"s6Overlay,omitempty" jsonschema_description:"The s6-overlay that starts its programs."`
	// Holds are directories of the image that the program does not start
	// without.
	Holds *Holds `json:"holds,omitempty" jsonschema_description:"Directories of the image that the program does not start without."`
	// Once are files that the start script makes and that keep it from starting
	// when they are there already.
	Once *Once `json:"once,omitempty" jsonschema_description:"Files that keep it from starting when an earlier start has made them."`
	// API tells a program that does not start without the API server.
	API *API `json:"api,omitempty" jsonschema_description:"The program does not start without access to the API server."`
	// Requires are the variables that the program does not start without.
	Requires []Requirement `json:"requires,omitempty" jsonschema_description:"Variables that the program does not start without."`
	// Refuses are the variables with which the program does not start.
	Refuses []Refusal `json:"refuses,omitempty" jsonschema_description:"Variables with which the program does not start."`
	// Data is where the program keeps its data.
	Data *Data `json:"data,omitempty" jsonschema_description:"Where the program keeps its data."`
	// MountsRefused are mount paths with which the entrypoint refuses to start.
	MountsRefused []MountRefusal `json:"mountsRefused,omitempty" jsonschema_description:"Mount paths with which the entrypoint refuses to start."`
	// Architectures are those the image is built for, when it is not for all.
	Architectures *Architectures `json:"architectures,omitempty" jsonschema_description:"What the image is built for, when it is not for all."`
	// Startup is how long the program is known to take to start.
	Startup *Startup `json:"startup,omitempty" jsonschema_description:"How long the program takes to start."`
	// TLS are the ports on which the program speaks TLS when nobody tells it
	// otherwise.
	TLS *TLS `json:"tls,omitempty" jsonschema_description:"Ports on which the program speaks TLS unless told otherwise."`
	// HealthPort is where the program serves its health endpoints unless told
	// otherwise.
	HealthPort *HealthPort `json:"healthPort,omitempty" jsonschema_description:"Where the program serves its health endpoints unless told otherwise."`
	// Endpoints are paths that answer for more than their names say.
	Endpoints []Endpoint `json:"endpoints,omitempty" jsonschema_description:"Paths that answer for more than the process."`
	// Idle tells an image whose own command ends at once.
	Idle *Idle `json:"idle,omitempty" jsonschema_description:"What the image runs by itself ends at once."`
	// Subcommands tells a program that does nothing without a subcommand.
	Subcommands *Subcommands `json:"subcommands,omitempty" jsonschema_description:"Its program does nothing without one of its subcommands."`
	// Tools are the programs that the image does not have.
	Tools *Tools `json:"tools,omitempty" jsonschema_description:"Programs that the image does not have."`
	// Ports are the variables that the program takes a port number from, and
	// that keep it from starting when they hold a URL instead.
	Ports []Port `json:"ports,omitempty" jsonschema_description:"Variables that the program takes a port number from."`
	// Memory is how much memory the program is known not to run in.
	Memory *Memory `json:"memory,omitempty" jsonschema_description:"How much memory the program does not run in."`
	// Sysctls are parameters of the node's kernel that the program checks when it
	// starts.
	Sysctls []Sysctl `json:"sysctls,omitempty" jsonschema_description:"Parameters of the node's kernel that the program checks when it starts."`
	// SharedMemory is how large a /dev/shm the program needs.
	SharedMemory *SharedMemory `json:"sharedMemory,omitempty" jsonschema_description:"How large a /dev/shm the program needs."`
}

// A User is who the image's program starts as.
type User struct {
	// Name is what the image's configuration says: a number or a name, behind
	// which a group may stand. Empty: nothing, which is root.
	Name string `json:"name,omitempty" jsonschema_description:"What the configuration of the image says; empty for root."`
	// ID is the number of that user where Name is a name.
	ID int64 `json:"id,omitempty" jsonschema_description:"The number of the user, where the configuration has its name."`
	// Runs is the number of the user that a start as root changes to; the image
	// can be started as that user as well.
	Runs   int64  `json:"runs,omitempty" jsonschema_description:"The user that a start as root changes to, and that it may be started as."`
	Source string `json:"source,omitempty"`
}

// Capabilities are those that the start as root needs.
type Capabilities struct {
	// Needs are those without which it always fails, as Kubernetes names them.
	Needs []string `json:"needs,omitempty" jsonschema_description:"Those without which a start as root fails: SETUID."`
	// File are those that the program's file carries: the kernel runs it for
	// nobody without them.
	File []string `json:"file,omitempty" jsonschema_description:"Those that the program's file carries, without which nobody can run it."`
	// Also are those that it may need besides, to take over what stands on a
	// volume or to listen on a port below 1024.
	Also []string `json:"also,omitempty" jsonschema_description:"Those that it may need besides, for what stands on a volume or a port below 1024."`
	// Programs are the first arguments with which the entrypoint needs them,
	// beside none and options; empty: with all.
	Programs []string `json:"programs,omitempty" jsonschema_description:"The first arguments with which the entrypoint needs them."`
	Source   string   `json:"source,omitempty"`
}

// Writes are directories that the program writes to before it runs.
type Writes struct {
	Paths []string `json:"paths" jsonschema_description:"Directories that must be writable."`
	// Config is a file that says otherwise where a volume brings it.
	Config string `json:"config,omitempty" jsonschema_description:"A file that names others, where a volume brings it."`
	// Programs are the first arguments with which it does, beside none and
	// options; empty: with all.
	Programs []string `json:"programs,omitempty" jsonschema_description:"The first arguments with which it does."`
	Source   string   `json:"source,omitempty"`
}

// Edits are files that the start script changes in place, and fails when it
// cannot.
type Edits struct {
	Paths []string `json:"paths" jsonschema_description:"Files, or directories with those files, that must be writable."`
	// Unless are the variables that, when all are set, keep it from doing so.
	Unless []string `json:"unless,omitempty" jsonschema_description:"Variables that, when all are set, keep it from doing so."`
	Source string   `json:"source,omitempty"`
}

// Listens are the ports that the program listens on.
type Listens struct {
	Ports []int32 `json:"ports" jsonschema_description:"The ports."`
	// Config are files, or directories of files, that name others where a volume
	// brings them.
	Config []string `json:"config,omitempty" jsonschema_description:"Files or directories that name others, where a volume brings them."`
	// Variables are those that name others.
	Variables []string `json:"variables,omitempty" jsonschema_description:"Variables that name others."`
	// Programs are the first arguments with which it does, beside none and
	// options; empty: with all.
	Programs []string `json:"programs,omitempty" jsonschema_description:"The first arguments with which it does."`
	Source   string   `json:"source,omitempty"`
}

// An Overlay is the s6-overlay of an image, whose /init must be process 1.
type Overlay struct {
	// Version is its major version, 2 or 3.
	Version int `json:"version" jsonschema_description:"2 or 3."`
	// Owner is the user that /run belongs to in the image: that user needs no
	// privileges to start it.
	Owner  int64  `json:"owner,omitempty" jsonschema_description:"The user that /run belongs to in the image."`
	Source string `json:"source,omitempty"`
}

// Holds are directories of the image that the program does not start without.
type Holds struct {
	// Directories must be there, empty or not.
	Directories []string `json:"directories,omitempty" jsonschema_description:"Directories that must be there, empty or not."`
	// Contents must be there with what the image has in them.
	Contents []string `json:"contents,omitempty" jsonschema_description:"Directories that must be there with what the image has in them."`
	// Config is a file that says otherwise where a volume brings it.
	Config string `json:"config,omitempty" jsonschema_description:"A file that says otherwise, where a volume brings it."`
	Source string `json:"source,omitempty"`
}

// Once are files that a start makes, and that the next start fails on.
type Once struct {
	Paths []string `json:"paths" jsonschema_description:"The files or directories."`
	// If is the variable that must be set for that, empty: always.
	If     string `json:"if,omitempty" jsonschema_description:"The variable with which it makes them."`
	Source string `json:"source,omitempty"`
}

// An API tells a program that does not start without access to the API server.
type API struct {
	// Unless are options of the command line with which it does.
	Unless []string `json:"unless,omitempty" jsonschema_description:"Options with which it starts without."`
	Source string   `json:"source,omitempty"`
}

// A Requirement is what the program does not start without: one of several
// variables, set to something. Conditions are written as ParseCondition reads
// them.
type Requirement struct {
	// Any are the conditions of which one must hold.
	Any []string `json:"any" jsonschema_description:"Variables of which one must be set to something; NAME=value wants that value."`
	// Options are options of the command line that do as well.
	Options []string `json:"options,omitempty" jsonschema_description:"Options of the command line that do as well; --name=value wants that value."`
	// Config are files that may say it as well, where a volume brings them.
	Config []string `json:"config,omitempty" jsonschema_description:"Files that may say it as well, where a volume brings them."`
	// When are conditions that must all hold for it to be asked for.
	When []string `json:"when,omitempty" jsonschema_description:"It is asked for only when all of these hold: NAME or NAME=value."`
	// Unless are conditions with one of which it is not asked for.
	Unless []string `json:"unless,omitempty" jsonschema_description:"It is not asked for when one of these holds: NAME or NAME=value."`
	// First is true when they are asked for only as long as there is no data.
	First bool `json:"first,omitempty" jsonschema_description:"true: only as long as the data directory is empty."`
	// Programs are the first arguments with which the entrypoint asks for them,
	// beside none and options; empty: with all.
	Programs []string `json:"programs,omitempty" jsonschema_description:"The first arguments with which the entrypoint asks for them."`
	Source   string   `json:"source,omitempty"`
}

// A Refusal is what the variables must not say: with all the conditions, which
// are written as ParseCondition reads them, the program does not start.
type Refusal struct {
	All []string `json:"all" jsonschema_description:"With all of these it does not start: NAME set to something, NAME=value, NAME<8 for fewer characters."`
	// Because is what is wrong with them, in the words of a message: "must have
	// 8 characters".
	Because string `json:"because" jsonschema_description:"What is wrong with them."`
	// First is true when it matters only as long as there is no data.
	First bool `json:"first,omitempty" jsonschema_description:"true: only as long as the data directory is empty."`
	// Programs are the first arguments with which it matters, beside none and
	// options; empty: with all.
	Programs []string `json:"programs,omitempty" jsonschema_description:"The first arguments with which it matters."`
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
	// Because is why, where it is not that the program only initialises an empty
	// directory: "takes every directory there for a partition".
	Because string `json:"because,omitempty" jsonschema_description:"Why, where it is not that it only initialises an empty directory."`
	// OtherRelease is what the program says to data of another major release, which
	// it does not read; empty where it does.
	OtherRelease string `json:"otherRelease,omitempty" jsonschema_description:"What it says to data of another major release."`
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
// hardware without a CPU limit: what its makers say, or for how long their chart,
// example or HEALTHCHECK does not ask it. The first start, which sets up its
// data, is the one that counts.
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

// A Sysctl is a parameter of the node's kernel with a lower value of which the
// program does not start.
type Sysctl struct {
	// Name is the parameter's: "vm.max_map_count".
	Name string `json:"name" jsonschema_description:"The parameter: vm.max_map_count."`
	// Least is the value that the program asks for, Default the kernel's own.
	Least   int64 `json:"least" jsonschema_description:"The least value that it starts with."`
	Default int64 `json:"default" jsonschema_description:"What the kernel has when nobody sets it."`
	// Unless are settings with which it starts all the same, NAME=value in the
	// environment, on the command line or in a file of Config.
	Unless []string `json:"unless,omitempty" jsonschema_description:"Settings with which it starts all the same: NAME=value."`
	// Config is the directory of its configuration, and Needs the setting of the
	// image's own file there without which it does not check.
	Config string `json:"config,omitempty" jsonschema_description:"The directory of its configuration."`
	Needs  string `json:"needs,omitempty" jsonschema_description:"The setting of the image's own configuration without which it does not check."`
	Source string `json:"source,omitempty"`
}

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

// A TLS is the ports on which a program speaks TLS when nobody tells it otherwise.
type TLS struct {
	Ports []int `json:"ports" jsonschema_description:"The ports."`
	// Unless are the words of the command line and the variables that make it
	// speak plain HTTP.
	Unless []string `json:"unless" jsonschema_description:"Words of the command line and variables that make it speak plain HTTP."`
	Source string   `json:"source,omitempty"`
}

// A HealthPort is where a program serves its health endpoints.
type HealthPort struct {
	Number int    `json:"number"`
	Source string `json:"source,omitempty"`
}

// An Endpoint is an HTTP path that fails when something other than the process
// does.
type Endpoint struct {
	Path string `json:"path"`
	// DependsOn is what else it fails with: "its storage".
	DependsOn string `json:"dependsOn" jsonschema_description:"What else the endpoint fails with: its storage."`
	Source    string `json:"source,omitempty"`
}

// Tools are the programs that people expect in an image and do not find there.
type Tools struct {
	// None is true for an image that holds its own program and no other: no
	// shell, no cat, no curl.
	None bool `json:"none,omitempty" jsonschema_description:"The image has no program but its own, not even a shell."`
	// Lacks are programs that the image does not have.
	Lacks  []string `json:"lacks,omitempty" jsonschema_description:"Programs that the image does not have."`
	Source string   `json:"source,omitempty"`
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
