package rollout

import (
	"fmt"
	"path"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var rwoVolumeRollingUpdate = &rule.Rule{
	ID:       "rwo-volume-rolling-update",
	Title:    "The new pod needs a volume, or a lock on it, that the old pod holds",
	Since:    "0.1.0",
	Severity: diag.Warning,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		d := deploymentOf(w)
		if d == nil || replicas(d) == 0 {
			return
		}
		for i, v := range w.Pod.Volumes {
			if v.PersistentVolumeClaim != nil && !v.PersistentVolumeClaim.ReadOnly {
				s := shared{p, w, d, &w.Pod.Volumes[i], w.PodPath.Append("volumes", i, "persistentVolumeClaim", "claimName")}
				if s.check() {
					return
				}
			}
		}
	},
}

// shared is a claim that all pods of a Deployment mount, the old and the new
// ones.
type shared struct {
	*rule.Pass
	w      *manifest.Workload
	d      *appsv1.Deployment
	volume *corev1.Volume
	at     node.Path
}

// check reports the claim if two pods cannot use it at once.
func (s shared) check() bool {
	claim, mode := s.mode()
	holder, lock := s.lock()
	several := replicas(s.d) > 1
	if !several && !keepsOld(s.d) {
		return false
	}
	strategy := node.P("spec", "strategy", "type")
	f := rule.Finding{Object: s.w.Object, At: strategy, Needs: []node.Path{node.P("spec", "strategy"), s.at}}
	f.Related = []rule.Related{{Object: s.w.Object, At: s.at, Message: "all pods mount the same claim"}}
	if claim != nil && mode != "" {
		f.Related = append(f.Related, rule.Related{Object: claim, At: node.P("spec", "accessModes"), Message: "the claim is " + string(mode)})
	}
	name := s.volume.PersistentVolumeClaim.ClaimName
	switch {
	case several && lock.program != "":
		f.At, f.Severity = node.P("spec", "replicas"), diag.Error
		f.Needs = append(f.Needs, f.At)
		f.Message = fmt.Sprintf("%d pods of %s share claim %s, but it takes %s in its data directory for itself: all pods but one exit at their start", replicas(s.d), lock.program, name, lock.lock)
	case several:
		return false
	case mode == corev1.ReadWriteOncePod:
		f.Severity = diag.Error
		f.Message = fmt.Sprintf("a rolling update starts the new pod beside the old one, but claim %s is ReadWriteOncePod: the new pod is not scheduled while the old one runs, and the old one runs until the new one is ready", name)
	case lock.program != "":
		f.Message = fmt.Sprintf("a rolling update starts the new pod beside the old one, but %s takes %s on claim %s for itself: the new pod exits until the old one is gone", lock.program, lock.lock, name)
		if s.gated() {
			f.Message += ", and the old one stays until the new one is ready"
		}
		f.Notes = append(f.Notes, fmt.Sprintf("container %q mounts it at %s", holder.Name, lock.data))
	case mode == corev1.ReadWriteOnce:
		f.Severity = diag.Info
		f.Message = fmt.Sprintf("a rolling update starts the new pod beside the old one, but claim %s is ReadWriteOnce: on another node the new pod waits for the volume for ever (Multi-Attach), on the same one two processes write to it", name)
	default:
		return false
	}
	if !several {
		ops := []node.Op{{Kind: node.Set, Path: strategy, Value: "Recreate"}}
		if r := node.P("spec", "strategy", "rollingUpdate"); s.w.Has(r) {
			ops = append(ops, node.Op{Kind: node.Remove, Path: r})
		}
		f.Fixes = []rule.Fix{{Message: "stop the old pod first: strategy Recreate", Safety: diag.Unsafe, Ops: ops}}
	}
	s.Report(f)
	return true
}

// gated reports pods that are not ready as soon as they run: without that the
// old pod goes when the new one has run for a moment.
func (s shared) gated() bool {
	return s.d.Spec.MinReadySeconds > 0 || slices.ContainsFunc(s.w.Containers, func(c *manifest.Container) bool {
		return c.Role != manifest.Init && (c.ReadinessProbe != nil || c.StartupProbe != nil)
	})
}

// mode returns the claim and its only access mode, nothing where the claim is
// not in the files or has several.
func (s shared) mode() (*manifest.Object, corev1.PersistentVolumeAccessMode) {
	found := s.Cluster.Find(s.w.Object, "PersistentVolumeClaim", s.volume.PersistentVolumeClaim.ClaimName)
	if len(found) == 0 || found[0].Patch || !cluster.Near(found[0], s.w.Object) || !found[0].Known(node.P("spec", "accessModes")) {
		return nil, ""
	}
	claim, ok := found[0].Typed.(*corev1.PersistentVolumeClaim)
	if !ok || len(claim.Spec.AccessModes) != 1 {
		return nil, ""
	}
	return found[0], claim.Spec.AccessModes[0]
}

// lock returns the container that locks its data directory on the volume, if
// there is one.
func (s shared) lock() (*manifest.Container, dataLock) {
	for _, ctr := range s.w.Containers {
		if ctr.Role == manifest.Init {
			continue
		}
		for _, l := range dataLocks {
			if !l.runs(ctr.Image) {
				continue
			}
			var ok bool
			if l.data, ok = l.directory(s.Cluster.Process(ctr)); !ok {
				continue
			}
			if slices.ContainsFunc(ctr.VolumeMounts, func(m corev1.VolumeMount) bool {
				return m.Name == s.volume.Name && m.SubPathExpr == "" && !m.ReadOnly && holds(m.MountPath, l.data)
			}) {
				return ctr, l
			}
		}
	}
	return nil, dataLock{}
}

// holds reports whether a volume mounted at a path is the data directory or one
// above it.
func holds(mount, data string) bool {
	mount = strings.TrimSuffix(mount, "/")
	return mount == data || strings.HasPrefix(data, mount+"/")
}

// A dataLock is a program that takes its data directory for itself and exits
// when somebody else has it.
type dataLock struct {
	// repositories of its images, without the registry.
	repositories []string
	program      string
	// data is the image's data directory, and lock what is locked there.
	data, lock string
	// option is the one that names another data directory, in one word with "=" or
	// in two, and file are those that name a file in which it may stand.
	option string
	file   []string
	// switchOff is the option that does without the lock.
	switchOff string
}

func (l dataLock) runs(image string) bool {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	return slices.ContainsFunc(l.repositories, func(r string) bool {
		return image == r || image == "library/"+r || strings.HasSuffix(image, "/"+r) && (strings.Contains(r, "/") || strings.HasSuffix(image, "/library/"+r) || image == "docker.io/"+r)
	})
}

// directory returns the data directory of the process, false when it is not
// known or not locked.
func (l dataLock) directory(process cluster.Process) (string, bool) {
	data := l.data
	for i, w := range process.Words {
		option, value, joined := strings.Cut(w.Value, "=")
		option = "--" + strings.TrimLeft(option, "-")
		switch {
		case option == l.switchOff || slices.Contains(l.file, option):
			return "", false
		case l.option == "" || option != l.option:
			continue
		case !joined && i+1 < len(process.Words):
			w = process.Words[i+1]
			value = w.Value
		}
		if !w.Known || w.Secret || !path.IsAbs(value) {
			return "", false
		}
		data = path.Clean(value)
	}
	return data, true
}

// dataLocks are the programs of which it is known, each with where it says so.
var dataLocks = []dataLock{
	// github.com/travelaudience/kubernetes-nexus, issue 43: "Nexus data directory already in
	// use"; github.com/m88i/nexus-operator, issue 191
	{repositories: []string{"sonatype/nexus3"}, program: "Nexus", data: "/nexus-data", lock: "the lock file"},
	// github.com/prometheus/prometheus, tsdb/db.go: "lock DB directory"
	{repositories: []string{"prom/prometheus", "prometheus/prometheus"}, program: "Prometheus", data: "/prometheus", lock: "the lock file", option: "--storage.tsdb.path", switchOff: "--storage.tsdb.no-lockfile"},
	// github.com/mysql/mysql-server, storage/innobase/os/os0file.cc: "Unable to lock ./ibdata1"
	{repositories: []string{"mysql", "mysql/mysql-server", "mariadb", "percona"}, program: "MySQL", data: "/var/lib/mysql", lock: "InnoDB's lock on ibdata1", option: "--datadir",
		file: []string{"--defaults-file"}},
	// github.com/mongodb/mongo, src/mongo/db/storage/storage_engine_lock_file_posix.cpp: DBPathInUse
	{repositories: []string{"mongo", "mongodb/mongodb-community-server"}, program: "MongoDB", data: "/data/db", lock: "mongod.lock", option: "--dbpath",
		file: []string{"--f", "--config"}},
	// github.com/elastic/elasticsearch, NodeEnvironment.java: "failed to obtain node locks"
	{repositories: []string{"elasticsearch", "elasticsearch/elasticsearch", "elasticsearch/elasticsearch-oss"}, program: "Elasticsearch", data: "/usr/share/elasticsearch/data", lock: "node.lock"},
	{repositories: []string{"opensearchproject/opensearch"}, program: "OpenSearch", data: "/usr/share/opensearch/data", lock: "node.lock"},
	// github.com/Oteemo/charts, issue 236: the Elasticsearch inside finds node.lock held
	{repositories: []string{"sonarqube"}, program: "SonarQube", data: "/opt/sonarqube/data", lock: "the node.lock of its Elasticsearch"},
	// github.com/ClickHouse/ClickHouse, StatusFile.cpp: "Another server instance in same directory"
	{repositories: []string{"clickhouse/clickhouse-server", "yandex/clickhouse-server"}, program: "ClickHouse", data: "/var/lib/clickhouse", lock: "the file status"},
	// github.com/neo4j/neo4j: "Store and its lock file has been locked by another process"
	{repositories: []string{"neo4j"}, program: "Neo4j", data: "/data", lock: "store_lock"},
	// github.com/apache/kafka, LogManager.scala, lockLogDirs. The image apache/kafka
	// keeps its data in /tmp unless a variable says otherwise.
	{repositories: []string{"confluentinc/cp-kafka"}, program: "Kafka", data: "/var/lib/kafka/data", lock: "the file .lock"},
	{repositories: []string{"bitnami/kafka", "bitnamilegacy/kafka"}, program: "Kafka", data: "/bitnami/kafka", lock: "the file .lock"},
	// github.com/VictoriaMetrics/VictoriaMetrics, lib/fs: "cannot acquire lock on file"
	{repositories: []string{"victoriametrics/victoria-metrics"}, program: "VictoriaMetrics", data: "/victoria-metrics-data", lock: "flock.lock",
		option: "--storageDataPath"},
	// github.com/influxdata/influxdb, issue 24320: "unable to open boltdb: timeout";
	// github.com/bitnami/charts, pull request 29746
	{repositories: []string{"influxdb"}, program: "InfluxDB", data: "/var/lib/influxdb2", lock: "influxd.bolt"},
	{repositories: []string{"bitnami/influxdb", "bitnamilegacy/influxdb"}, program: "InfluxDB", data: "/bitnami/influxdb", lock: "influxd.bolt"},
	// github.com/helm/charts, issue 17737: "LightningException: Resource temporarily unavailable"
	{repositories: []string{"datalust/seq"}, program: "Seq", data: "/data", lock: "its files"},
}
