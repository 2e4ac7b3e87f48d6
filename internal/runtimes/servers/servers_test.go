package servers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/source"
)

// of returns what the first container of the only workload may take of 1 GiB.
func of(t *testing.T, container, rest string) (Amount, bool) {
	t.Helper()
	text := "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n" + rest + "  containers:\n  - " + strings.Replace(container, "{", "{name: c, ", 1)
	set := loader.LoadText(source.NewFile("p.yaml", text)).Set
	if len(set.Workloads) != 1 {
		t.Fatalf("no pod in:\n%s", text)
	}
	c := cluster.New(set, cluster.Options{})
	return Of(c, c.Workloads[0].Containers[0], gib)
}

// said writes an amount down.
func said(a Amount, ok bool) string {
	if !ok {
		return "none"
	}
	var texts []string
	for _, s := range a.Settings {
		texts = append(texts, s.Text)
	}
	out := fmt.Sprintf("%s %d %s", a.Program, a.Bytes>>20, strings.Join(texts, "|"))
	if a.Refusal != "" {
		out += " refused"
	}
	if !a.Sure {
		out += " unsure"
	}
	return out
}

func TestCommandLines(t *testing.T) {
	for container, want := range map[string]string{
		`{image: "postgres:16", args: [-c, shared_buffers=2GB]}`:             "PostgreSQL 2048 shared_buffers=2GB",
		`{image: "postgres:16", args: [postgres, "--shared-buffers=512MB"]}`: "PostgreSQL 512 --shared-buffers=512MB",
		`{image: "postgres:16", args: [-c, shared_buffers=131072]}`:          "PostgreSQL 1024 shared_buffers=131072",
		`{image: "postgres:16", args: [-c, shared_buffers=2gb]}`:             "none", // it refuses the unit
		`{image: "postgres:16", args: [psql, -c, shared_buffers=2GB]}`:       "none",
		`{image: "postgres:16"}`: "none",
		`{image: x, command: [sh, -c, "exec postgres -c shared_buffers=1GB -c shared_buffers=3GB"]}`:                                                  "PostgreSQL 3072 shared_buffers=3GB",
		`{image: x, command: [sh, -c, "exec postgres -c shared_buffers=3GB $OPTIONS"]}`:                                                               "PostgreSQL 3072 shared_buffers=3GB unsure",
		`{image: x, command: [sh, -c, "exec postgres -c shared_buffers=3GB $(cat /o)"]}`:                                                              "PostgreSQL 3072 shared_buffers=3GB unsure",
		`{image: "mysql:8", args: ["--innodb-buffer-pool-size=2G"]}`:                                                                                  "MySQL 2048 --innodb-buffer-pool-size=2G",
		`{image: "mysql:8", args: [mysqld, --innodb_buffer_pool_size, "1073741824"]}`:                                                                 "MySQL 1024 --innodb_buffer_pool_size 1073741824",
		`{image: x, command: [mysqld, "--loose-innodb-buffer-pool-size=1.5G"]}`:                                                                       "MySQL 1536 --loose-innodb-buffer-pool-size=1.5G",
		`{image: bitnami/mariadb, env: [{name: MARIADB_EXTRA_FLAGS, value: "--a --innodb_buffer_pool_size=2G"}]}`:                                     "MySQL 2048 --innodb_buffer_pool_size=2G",
		`{image: redis, args: [--maxmemory, 2gb]}`:                                                                                                    "Redis 2048 --maxmemory 2gb",
		`{image: redis, args: [redis-server, --maxmemory, 2g]}`:                                                                                       "Redis 1907 --maxmemory 2g",
		`{image: redis, args: [redis-server, --maxmemory, "0"]}`:                                                                                      "none",
		`{image: redis, args: [redis-server, --maxmemory, lots]}`:                                                                                     "none",
		`{image: valkey/valkey, command: [valkey-server, --maxmemory, 900mb, --save, ""]}`:                                                            "Redis 900 --maxmemory 900mb",
		`{image: mongo, args: [--wiredTigerCacheSizeGB, "1.5"]}`:                                                                                      "MongoDB 1536 --wiredTigerCacheSizeGB 1.5",
		`{image: mongo, args: ["--wiredTigerCacheSizeGB=2"]}`:                                                                                         "MongoDB 2048 --wiredTigerCacheSizeGB=2",
		`{image: memcached, args: [-m, "2048"]}`:                                                                                                      "memcached 2048 -m 2048",
		`{image: memcached, args: [-m2048]}`:                                                                                                          "memcached 2048 -m2048",
		`{image: memcached, args: ["--memory-limit=512"]}`:                                                                                            "memcached 512 --memory-limit=512",
		`{image: x, command: [varnishd, -F, -s, "malloc,2G"]}`:                                                                                        "Varnish 2048 -s malloc,2G",
		`{image: x, command: [varnishd, -F, -s, "file,/x,2G"]}`:                                                                                       "none",
		`{image: varnish, env: [{name: VARNISH_SIZE, value: 2G}]}`:                                                                                    "Varnish 2048 VARNISH_SIZE=2G",
		`{image: x, command: [/cockroach/cockroach, start, "--cache=60%", "--max-sql-memory=512MiB"]}`:                                                "CockroachDB 1126 --cache=60%|--max-sql-memory=512MiB",
		`{image: x, command: [/cockroach/cockroach, start, --cache=.25]}`:                                                                             "none",
		`{image: victoriametrics/victoria-metrics, args: [-memory.allowedBytes=2GiB]}`:                                                                "VictoriaMetrics 2048 -memory.allowedBytes=2GiB",
		`{image: ghcr.io/dragonflydb/dragonfly, args: [--maxmemory=2gb]}`:                                                                             "Dragonfly 2048 --maxmemory=2gb",
		`{image: "mcr.microsoft.com/mssql/server:2019-latest", env: [{name: MSSQL_MEMORY_LIMIT_MB, value: "2048"}]}`:                                  "SQL Server 2048 MSSQL_MEMORY_LIMIT_MB=2048",
		`{image: redpandadata/redpanda, args: [redpanda, start, --memory=1G, --reserve-memory=0M]}`:                                                   "Redpanda 1024 --memory=1G refused",
		`{image: redpandadata/redpanda, args: [redpanda, start, --memory, 800M, --reserve-memory, 300M]}`:                                             "Redpanda 1100 --memory 800M|--reserve-memory 300M refused",
		`{image: redpandadata/redpanda, args: [redpanda, start, --memory=800M]}`:                                                                      "Redpanda 800 --memory=800M",
		`{image: scylladb/scylla, args: [--smp, "1", --memory, 2G]}`:                                                                                  "ScyllaDB 2048 --memory 2G refused",
		`{image: "neo4j:5", env: [{name: NEO4J_server_memory_heap_max__size, value: 600m}, {name: NEO4J_server_memory_pagecache_size, value: 512m}]}`: "Neo4j 1112 NEO4J_server_memory_pagecache_size=512m|NEO4J_server_memory_heap_max__size=600m refused",
		`{image: "neo4j:5", env: [{name: NEO4J_server_memory_heap_max__size, value: 2g}]}`:                                                            "none",
		`{image: nginx, args: [--maxmemory, 2gb]}`:                                                                                                    "none",
		`{image: x, env: [{name: MSSQL_MEMORY_LIMIT_MB, value: "2048"}]}`:                                                                             "none",
	} {
		if got := said(of(t, container, "")); got != want {
			t.Errorf("%s:\n got %s\nwant %s", container, got, want)
		}
	}
}

func TestFiles(t *testing.T) {
	for _, test := range []struct{ container, key, text, want string }{
		{`{image: "mysql:8", volumeMounts: [{name: v, mountPath: /etc/mysql/conf.d}]}`, "my.cnf", "[mysqld]\nskip-name-resolve\ninnodb-buffer-pool-size = 2G # half\n", "MySQL 2048 innodb-buffer-pool-size = 2G"},
		{`{image: "mysql:8", volumeMounts: [{name: v, mountPath: /etc/mysql/conf.d}]}`, "my.txt", "[mysqld]\ninnodb_buffer_pool_size=2G\n", "none"},
		{`{image: "mysql:8", args: [--innodb-buffer-pool-size=1G], volumeMounts: [{name: v, mountPath: /etc/mysql/conf.d}]}`, "my.cnf", "innodb_buffer_pool_size=2G\n", "MySQL 1024 --innodb-buffer-pool-size=1G"},
		{`{image: redis, args: [redis-server, /conf/redis.conf], volumeMounts: [{name: v, mountPath: /conf}]}`, "redis.conf", "# maxmemory 9gb\nmaxmemory 2gb\nmaxmemory-policy allkeys-lru\n", "Redis 2048 maxmemory 2gb"},
		{`{image: "postgres:16", args: [-c, config_file=/conf/p.conf], volumeMounts: [{name: v, mountPath: /conf}]}`, "p.conf", "shared_buffers = '2GB'\n", "PostgreSQL 2048 shared_buffers = '2GB'"},
		{`{image: mongo, args: [--config, /conf/mongod.conf], volumeMounts: [{name: v, mountPath: /conf}]}`, "mongod.conf", "storage:\n  wiredTiger:\n    engineConfig:\n      cacheSizeGB: 2\n", "MongoDB 2048 cacheSizeGB: 2"},
		{`{image: rabbitmq, volumeMounts: [{name: v, mountPath: /etc/rabbitmq/rabbitmq.conf, subPath: rabbitmq.conf}]}`, "rabbitmq.conf", "vm_memory_high_watermark.absolute = 2GB\n", "RabbitMQ 1907 vm_memory_high_watermark.absolute = 2GB"},
		{`{image: rabbitmq, volumeMounts: [{name: v, mountPath: /etc/rabbitmq}]}`, "rabbitmq.conf", "vm_memory_high_watermark.relative = 0.5\n", "RabbitMQ 512 vm_memory_high_watermark.relative = 0.5"},
	} {
		rest := "  volumes: [{name: v, configMap: {name: conf}}]\n"
		conf := fmt.Sprintf("\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {%q: %q}\n", test.key, test.text)
		if got := said(of(t, test.container+conf, rest)); got != test.want {
			t.Errorf("%s with %s:\n got %s\nwant %s", test.container, test.key, got, test.want)
		}
	}
}

func TestSecret(t *testing.T) {
	a, ok := of(t, `{image: "mcr.microsoft.com/mssql/server", env: [{name: MSSQL_MEMORY_LIMIT_MB, valueFrom: {secretKeyRef: {name: s, key: k}}}]}`+
		"\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: \"2048\"}\n", "")
	if !ok || !a.Settings[0].Secret || a.Bytes != 2*gib {
		t.Errorf("%+v, %v", a, ok)
	}
}
