package config

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/runtimes/nginx"
)

// A program is one whose configuration file is known: where it looks for it, and
// what stands at the top of it. It exits with an error when it cannot read the
// file, or finds a key there that it does not know.
type program struct {
	name string
	// commands are the names of its executable, images patterns of path.Match for
	// the last part of its image's name.
	commands, images []string
	// flags are the options that name the file, file is where it is otherwise.
	flags []string
	file  string
	// keys are those that have ever stood at the top of the file, inner those that
	// belong below one of these.
	keys  []string
	inner map[string]string
}

// programs read YAML and refuse unknown keys and keys written twice:
//   - Prometheus: config/config.go, Config and Load (yaml.UnmarshalStrict);
//   - Alertmanager: config/config.go, Config and Load (UnmarshalStrict);
//   - blackbox exporter: config/config.go, Config (KnownFields);
//   - Promtail: clients/pkg/promtail/config/config.go, Config, and Loki:
//     pkg/loki/loki.go, Config, both read by pkg/util/cfg/files.go, dYAMLStrict
//     (before: UnmarshalStrict, grafana/loki issue 420);
//   - OpenTelemetry Collector: otelcol/unmarshaler.go, configSettings
//     (confmap.Conf.Unmarshal refuses keys that nothing takes).
var programs = []program{
	{
		name: "Prometheus", commands: []string{"prometheus"}, images: []string{"prometheus", "*-prometheus-prometheus"},
		flags: []string{"config.file"}, file: "/etc/prometheus/prometheus.yml",
		keys: []string{"global", "runtime", "alerting", "rule_files", "scrape_config_files", "scrape_configs", "storage", "tracing", "remote_write", "remote_read", "otlp"},
		inner: map[string]string{
			"scrape_interval": "global", "scrape_timeout": "global", "evaluation_interval": "global", "external_labels": "global",
			"alertmanagers": "alerting", "job_name": "scrape_configs", "static_configs": "scrape_configs", "kubernetes_sd_configs": "scrape_configs",
		},
	},
	{
		name: "Alertmanager", commands: []string{"alertmanager"}, images: []string{"alertmanager", "*-prometheus-alertmanager"},
		flags: []string{"config.file"}, file: "/etc/alertmanager/alertmanager.yml",
		keys: []string{"global", "route", "inhibit_rules", "receivers", "templates", "mute_time_intervals", "time_intervals", "tracing"},
		inner: map[string]string{
			"group_by": "route", "group_wait": "route", "group_interval": "route", "repeat_interval": "route", "routes": "route",
			"smtp_smarthost": "global", "smtp_from": "global", "slack_api_url": "global", "resolve_timeout": "global",
			"slack_configs": "receivers", "webhook_configs": "receivers", "email_configs": "receivers",
		},
	},
	{
		name: "the blackbox exporter", commands: []string{"blackbox_exporter"}, images: []string{"blackbox-exporter", "*-blackbox-exporter"},
		flags: []string{"config.file"}, file: "/etc/blackbox_exporter/config.yml",
		keys: []string{"modules"},
	},
	{
		name: "Promtail", commands: []string{"promtail"}, images: []string{"promtail", "*-promtail"},
		flags: []string{"config.file"}, file: "/etc/promtail/config.yml",
		keys: []string{"global", "server", "client", "clients", "positions", "scrape_configs", "target_config", "limit_config", "limits_config", "options", "tracing", "wal"},
		inner: map[string]string{
			"backoff_config": "clients", "batchwait": "clients", "batchsize": "clients", "external_labels": "clients", "tenant_id": "clients",
			"http_listen_port": "server", "grpc_listen_port": "server", "log_level": "server", "pipeline_stages": "scrape_configs", "job_name": "scrape_configs",
		},
	},
	{
		name: "Loki", commands: []string{"loki"}, images: []string{"loki", "*-loki"},
		flags: []string{"config.file"},
		keys: []string{
			"target", "auth_enabled", "http_prefix", "ballast_bytes", "server", "internal_server", "ui", "distributor", "querier", "query_engine", "query_scheduler",
			"frontend", "query_range", "ruler", "ruler_storage", "ingester_client", "ingester", "pattern_ingester", "index_gateway", "bloom_build",
			"bloom_compactor", "bloom_gateway", "block_builder", "block_scheduler", "ingester_rf1", "querier_rf1", "storage_config", "chunk_store_config", "schema_config", "compactor",
			"compactor_client", "compactor_grpc_client", "limits_config", "table_manager", "frontend_worker", "memberlist", "kafka_config", "dataobj",
			"rate_service", "rate_service_client", "ingest_limits", "ingest_limits_frontend", "ingest_limits_frontend_client", "runtime_config",
			"operational_config", "tracing", "tracer", "analytics", "profiling", "tenant_limits_allow_publish", "legacy_read_target", "common", "shutdown_delay",
			"metrics_namespace",
		},
		inner: map[string]string{
			"retention_period": "limits_config", "ingestion_rate_mb": "limits_config", "max_query_series": "limits_config", "reject_old_samples": "limits_config",
			"http_listen_port": "server", "grpc_listen_port": "server", "log_level": "server", "boltdb_shipper": "storage_config", "tsdb_shipper": "storage_config",
			"lifecycler": "ingester", "chunk_idle_period": "ingester", "replication_factor": "common", "path_prefix": "common", "ring": "common",
			"configs": "schema_config", "retention_enabled": "compactor", "alertmanager_url": "ruler",
		},
	},
	{
		name: "the OpenTelemetry Collector", commands: []string{"otelcol", "otelcol-contrib", "otelcol-k8s", "otelcontribcol", "otelcorecol"},
		images: []string{"opentelemetry-collector", "opentelemetry-collector-contrib", "opentelemetry-collector-k8s"},
		flags:  []string{"config"}, file: "/etc/otelcol/config.yaml",
		keys: []string{"receivers", "processors", "exporters", "connectors", "extensions", "service"},
		inner: map[string]string{
			"pipelines": "service", "telemetry": "service", "otlp": "receivers or exporters", "batch": "processors", "memory_limiter": "processors",
			"health_check": "extensions", "debug": "exporters", "logging": "exporters",
		},
	},
}

// A reading is a configuration file that a container gets from a ConfigMap.
type reading struct {
	cluster.File
	ctr *manifest.Container
	// program is the one that is known to read it, nil for another.
	program *program
	// format is yaml, json, toml, nginx or options (MySQL's).
	format string
	// nginx is what nginx makes of the file.
	nginx *nginx.Fault
	// read is true when the program surely reads the file, known when crashlint
	// knows besides that it does not start without.
	read, known bool
}

// formats are the formats that file names claim.
var formats = map[string]string{".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}

// readings returns the configuration files of ConfigMaps that the container has:
// first those that its program is known to read, then those that its command line
// or environment names, then those that are there.
func readings(c *cluster.Cluster, ctr *manifest.Container) []reading {
	var out []reading
	add := func(r reading) {
		if !slices.ContainsFunc(out, func(o reading) bool { return o.Path == r.Path }) {
			r.ctr = ctr
			out = append(out, r)
		}
	}
	if p, args := programOf(c, ctr); p != nil {
		for _, name := range p.paths(args) {
			if f, ok := c.MountedFile(ctr, name); ok {
				add(reading{File: f, program: p, format: "yaml", read: true, known: true})
			}
		}
	}
	for _, f := range nginx.Files(c, ctr) {
		add(reading{File: f.File, format: "nginx", nginx: f.Fault, read: true, known: true})
	}
	for _, dir := range optionDirs(c, ctr) {
		for _, f := range c.MountedFiles(ctr, dir) {
			if path.Ext(f.Path) == ".cnf" {
				add(reading{File: f, format: "options", read: true, known: true})
			}
		}
	}
	for _, name := range named(c, ctr) {
		if f, ok := c.MountedFile(ctr, name); ok {
			add(reading{File: f, format: formats[path.Ext(name)], read: true})
		}
	}
	for _, f := range mounted(c, ctr) {
		// Grafana leaves a dashboard out that it cannot read.
		if !strings.Contains(f.Path, "dashboard") {
			add(reading{File: f, format: formats[path.Ext(f.Path)]})
		}
	}
	return out
}

// mounted returns the files that claim to be in one of the formats by their names,
// in the directories that the container mounts.
func mounted(c *cluster.Cluster, ctr *manifest.Container) []cluster.File {
	var out []cluster.File
	for _, m := range ctr.VolumeMounts {
		files := c.MountedFiles(ctr, m.MountPath)
		if f, ok := c.MountedFile(ctr, m.MountPath); ok {
			files = append(files, f)
		}
		for _, f := range files {
			if formats[path.Ext(f.Path)] != "" {
				out = append(out, f)
			}
		}
	}
	return out
}

// programOf returns the known program that the container runs, and the words
// behind its name.
func programOf(c *cluster.Cluster, ctr *manifest.Container) (*program, []cluster.Word) {
	process := c.Process(ctr)
	for i := range programs {
		p := &programs[i]
		for _, command := range process.Commands {
			if slices.Contains(p.commands, command.Name()) {
				return p, command.Words[1:]
			}
		}
		if len(ctr.Command) == 0 && len(process.Commands) == 0 {
			base := imageBase(ctr.Image)
			if slices.ContainsFunc(p.images, func(pattern string) bool { ok, _ := path.Match(pattern, base); return ok }) {
				return p, process.Words
			}
		}
	}
	return nil, nil
}

// imageBase returns the last part of an image's name, without tag and digest.
func imageBase(image string) string {
	image, _, _ = strings.Cut(image, "@")
	base, _, _ := strings.Cut(path.Base(image), ":")
	return base
}

// paths returns the files that the options name, or the usual one.
func (p *program) paths(args []cluster.Word) []string {
	var out []string
	for i, w := range args {
		name, value, joined := strings.Cut(strings.TrimLeft(w.Value, "-"), "=")
		if !strings.HasPrefix(w.Value, "-") || !slices.Contains(p.flags, name) {
			continue
		}
		if !joined && i+1 < len(args) {
			value = args[i+1].Value
			w.Known = w.Known && args[i+1].Known
		}
		if value = strings.TrimPrefix(value, "file:"); !w.Known || !path.IsAbs(value) {
			return nil
		}
		out = append(out, value)
	}
	if len(out) == 0 && p.file != "" {
		out = []string{p.file}
	}
	return out
}

// optionDirs returns the directories from which a MySQL or MariaDB server reads
// all option files (docker-library/mysql and MariaDB/mariadb-docker: !includedir
// in /etc/mysql/my.cnf).
func optionDirs(c *cluster.Cluster, ctr *manifest.Container) []string {
	image := c.Image(ctr)
	if image.Runtime == nil || image.Runtime.Name != "mysql" || strings.Contains(image.Name, "/") {
		return nil
	}
	return []string{"/etc/mysql/conf.d"}
}

// carriers are commands that do not care what is in the files that they are
// given.
var carriers = []string{
	"cp", "mv", "ln", "cat", "tee", "ls", "stat", "test", "[", "[[", "echo", "printf", "chmod", "chown", "install", "tar", "gzip", "mkdir", "rm", "touch",
	"sed", "awk", "grep", "egrep", "head", "tail", "sort", "cut", "tr", "diff", "cmp", "md5sum", "sha256sum", "envsubst", "gomplate", "curl", "wget", "scp",
	"rsync", "find", "xargs", "base64", "export", "set", "watch", "inotifywait", "dockerize", "confd", "source", ".", "bash", "sh", "ash",
}

// named returns the paths that end like a configuration file and that the
// command line or the environment hands to the program.
func named(c *cluster.Cluster, ctr *manifest.Container) []string {
	var out []string
	take := func(text string) {
		if _, value, ok := strings.Cut(text, "="); ok && strings.HasPrefix(text, "-") {
			text = value
		}
		text = strings.TrimPrefix(strings.TrimPrefix(text, "file://"), "file:")
		if formats[path.Ext(text)] != "" && path.IsAbs(text) && !strings.ContainsAny(text, " ,;:*") {
			out = append(out, path.Clean(text))
		}
	}
	process := c.Process(ctr)
	lines := [][]cluster.Word{}
	if process.Partial {
		lines = append(lines, process.Words)
	}
	for _, command := range process.Commands {
		if name := command.Name(); name != "" && !slices.Contains(carriers, name) && len(command.Words) > 1 {
			lines = append(lines, command.Words[1:])
		}
	}
	for _, words := range lines {
		for _, w := range words {
			if w.Known && !w.Secret {
				take(w.Value)
			}
		}
	}
	if !process.Shell {
		for _, v := range c.Environment(ctr).Variables {
			if v.Known && !v.Secret {
				take(v.Value)
			}
		}
	}
	return out
}

// template matches what some tool, or the program itself, puts something else
// for.
var template = regexp.MustCompile(`\{\{|\{%|<%|<<|\[\[|\$\{[^}0-9]|\$\(|\$[A-Z_]{2}|#\{|@[A-Za-z_.]+@|__[A-Z0-9_]+__|%[A-Z_]+%|!include|!Ref|!Sub`)
