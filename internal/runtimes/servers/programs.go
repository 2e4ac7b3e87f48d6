package servers

import "strings"

// A program is a server and how it is told what memory to take.
type program struct {
	name string
	// commands are the names of its executable, runtime the name that the facts
	// about images give it or its image.
	commands []string
	runtime  string
	// keys are the names of its settings, on the command line without the dashes.
	keys []string
	// dashes is true when _ and - are the same in a name, assigns when -c takes
	// an assignment.
	dashes, assigns bool
	// files are the configuration files that it reads unasked, "*.cnf" for all of
	// a directory; fileFlags the options that name one.
	files, fileFlags []string
	// variables are those that the image's start script passes on, with the key
	// that each sets; an empty key is for options as on the command line.
	variables map[string]string
	// why says what comes of the memory.
	why string
	// amount adds the settings up, false when none is set.
	amount func(s *settings, limit uint64) (Amount, bool)
}

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
	tib = 1 << 40
)

// The units of sizes, by server.
var (
	// k and kb are 1024 alike: Seastar's src/util/conversions.cc, and MySQL, which
	// knows the letter alone.
	binaryUnits = units{"": 1, "b": 1, "k": kib, "kb": kib, "kib": kib, "m": mib, "mb": mib, "mib": mib, "g": gib, "gb": gib, "gib": gib, "t": tib, "tb": tib, "tib": tib}
	// k is 1024, as in the -Xmx that Neo4j makes of its heap's size, and kb 1000.
	kibibyteUnits = units{"": 1, "b": 1, "k": kib, "kb": 1e3, "kib": kib, "m": mib, "mb": 1e6, "mib": mib, "g": gib, "gb": 1e9, "gib": gib, "t": tib, "tb": 1e12, "tib": tib}
	// k and kb are 1000, as in VictoriaMetrics' lib/flagutil/bytes.go; where k may be
	// 1024 after all (RabbitMQ before 3.13), the smaller amount is taken.
	decimalUnits = units{
		"": 1, "b": 1, "k": 1e3, "kb": 1e3, "ki": kib, "kib": kib, "m": 1e6, "mb": 1e6, "mi": mib, "mib": mib,
		"g": 1e9, "gb": 1e9, "gi": gib, "gib": gib, "t": 1e12, "tb": 1e12, "ti": tib, "tib": tib, "%": 1,
	}
	// util.c, memtoull.
	redisUnits = units{"": 1, "b": 1, "k": 1e3, "kb": kib, "m": 1e6, "mb": mib, "g": 1e9, "gb": gib}
	// guc.c, memory_unit_conversion_table: the case counts, and without a unit
	// shared_buffers is in blocks.
	postgresUnits = units{"": 8 * kib, "B": 1, "kB": kib, "MB": mib, "GB": gib, "TB": tib}
	megabytes     = units{"": mib}
	gigabytes     = units{"": gib}
)

// one is the amount of a single setting.
func one(key string, u units) func(*settings, uint64) (Amount, bool) {
	return func(s *settings, limit uint64) (Amount, bool) {
		setting, ok := s.found[key]
		n, sized := bytes(setting.Value, u, limit)
		return Amount{Bytes: n, Settings: []Setting{setting}}, ok && sized && n > 0
	}
}

// sum is the amount of several settings, of which one is enough.
func sum(u units, keys ...string) func(*settings, uint64) (Amount, bool) {
	return func(s *settings, limit uint64) (Amount, bool) {
		var total Amount
		for _, key := range keys {
			if a, ok := one(key, u)(s, limit); ok {
				total.Bytes += a.Bytes
				total.Settings = append(total.Settings, a.Settings...)
			}
		}
		return total, total.Bytes > 0
	}
}

var programs = []program{
	{
		name: "PostgreSQL", commands: []string{"postgres", "postmaster"}, runtime: "postgres",
		keys: []string{"shared_buffers"}, dashes: true, assigns: true,
		files:     []string{"/var/lib/postgresql/data/postgresql.conf", "/opt/bitnami/postgresql/conf/postgresql.conf", "/bitnami/postgresql/conf/postgresql.conf", "/opt/bitnami/postgresql/conf/conf.d/*.conf", "/bitnami/postgresql/conf/conf.d/*.conf"},
		fileFlags: []string{"config_file", "config-file"},
		why:       "pages that were read once stay in the buffers until all are in use; each connection's own memory comes on top",
		amount:    one("shared_buffers", postgresUnits),
	},
	{
		name: "MySQL", commands: []string{"mysqld", "mysqld_safe", "mariadbd", "mariadbd-safe"}, runtime: "mysql",
		keys: []string{"innodb_buffer_pool_size"}, dashes: true,
		files: []string{
			"/etc/my.cnf", "/etc/mysql/my.cnf", "/etc/mysql/conf.d/*.cnf", "/etc/mysql/mysql.conf.d/*.cnf", "/etc/mysql/mariadb.conf.d/*.cnf",
			"/opt/bitnami/mysql/conf/my.cnf", "/opt/bitnami/mysql/conf/bitnami/my_custom.cnf", "/opt/bitnami/mariadb/conf/my.cnf", "/opt/bitnami/mariadb/conf/bitnami/my_custom.cnf",
		},
		fileFlags: []string{"defaults-file", "defaults-extra-file"},
		variables: map[string]string{"MYSQL_EXTRA_FLAGS": "", "MARIADB_EXTRA_FLAGS": ""},
		why:       "pages that were read once stay in the pool until it is full; its control structures and each connection's buffers come on top",
		amount:    one("innodb_buffer_pool_size", binaryUnits),
	},
	{
		name: "Redis", commands: []string{"redis-server", "valkey-server", "keydb-server"}, runtime: "redis",
		keys:      []string{"maxmemory"},
		files:     []string{"/opt/bitnami/redis/mounted-etc/*.conf", "/opt/bitnami/valkey/mounted-etc/*.conf"},
		variables: map[string]string{"REDIS_EXTRA_FLAGS": "", "VALKEY_EXTRA_FLAGS": "", "REDIS_ARGS": ""},
		why:       "keys are evicted, or writes refused, only at maxmemory, which is never reached; replication buffers, fragmentation and the copy that a snapshot makes come on top",
		amount:    one("maxmemory", redisUnits),
	},
	{
		name: "MongoDB", commands: []string{"mongod"}, runtime: "mongodb",
		keys:      []string{"wiredTigerCacheSizeGB", "cacheSizeGB"},
		files:     []string{"/opt/bitnami/mongodb/conf/mongodb.conf"},
		fileFlags: []string{"config", "f"},
		variables: map[string]string{"MONGODB_EXTRA_FLAGS": ""},
		why:       "documents that were read stay in the cache until it is full; connections, sorts and index builds come on top",
		amount: func(s *settings, limit uint64) (Amount, bool) {
			if a, ok := one("wiredTigerCacheSizeGB", gigabytes)(s, limit); ok {
				return a, ok
			}
			return one("cacheSizeGB", gigabytes)(s, limit)
		},
	},
	{
		name: "RabbitMQ", commands: []string{"rabbitmq-server"}, runtime: "rabbitmq",
		keys:  []string{"vm_memory_high_watermark.absolute", "vm_memory_high_watermark.relative"},
		files: []string{"/etc/rabbitmq/rabbitmq.conf", "/etc/rabbitmq/conf.d/*.conf", "/opt/bitnami/rabbitmq/etc/rabbitmq/rabbitmq.conf"},
		why:   "publishers are held up only at the watermark, which is never reached",
		amount: func(s *settings, limit uint64) (Amount, bool) {
			if a, ok := one("vm_memory_high_watermark.absolute", decimalUnits)(s, limit); ok {
				return a, ok
			}
			return one("vm_memory_high_watermark.relative", units{"": float64(limit)})(s, limit)
		},
	},
	{
		name: "memcached", commands: []string{"memcached"}, runtime: "memcached",
		keys: []string{"m", "memory-limit"},
		why:  "old items make room for new ones only at that size; connections and the hash table come on top",
		amount: func(s *settings, limit uint64) (Amount, bool) {
			if a, ok := one("m", megabytes)(s, limit); ok {
				return a, ok
			}
			return one("memory-limit", megabytes)(s, limit)
		},
	},
	{
		name: "Varnish", commands: []string{"varnishd"}, runtime: "varnish",
		keys:      []string{"s"},
		variables: map[string]string{"VARNISH_SIZE": "s"},
		why:       "old objects make room for new ones only at that size; each object and thread takes some more",
		amount: func(s *settings, limit uint64) (Amount, bool) {
			setting, ok := s.found["s"]
			kind, amount, separate := strings.Cut(setting.Value, ",")
			if !separate {
				amount = kind // VARNISH_SIZE
			}
			n, sized := bytes(amount, binaryUnits, limit)
			inMemory := !separate || strings.HasSuffix(kind, "malloc") || strings.HasSuffix(kind, "default")
			return Amount{Bytes: n, Settings: []Setting{setting}}, ok && sized && inMemory
		},
	},
	{
		name: "CockroachDB", commands: []string{"cockroach"},
		keys:   []string{"cache", "max-sql-memory"},
		why:    "the cache fills with what was read, and queries take the rest; Go's own memory comes on top",
		amount: sum(decimalUnits, "cache", "max-sql-memory"),
	},
	{
		name: "VictoriaMetrics", commands: []string{"victoria-metrics", "victoria-metrics-prod", "vmstorage", "vmstorage-prod", "vmselect", "vmselect-prod"}, runtime: "victoriametrics",
		keys:   []string{"memory.allowedBytes"},
		why:    "its caches grow to that size; queries come on top",
		amount: one("memory.allowedBytes", decimalUnits),
	},
	{
		name: "Dragonfly", commands: []string{"dragonfly"}, runtime: "dragonfly",
		keys:      []string{"maxmemory"},
		variables: map[string]string{"DFLY_maxmemory": "maxmemory"},
		why:       "writes are refused only at maxmemory, which is never reached",
		amount:    one("maxmemory", binaryUnits),
	},
	{
		name: "SQL Server", commands: []string{"sqlservr"}, runtime: "mssql",
		keys:      []string{"memorylimitmb"},
		files:     []string{"/var/opt/mssql/mssql.conf"},
		variables: map[string]string{"MSSQL_MEMORY_LIMIT_MB": "memorylimitmb"},
		why:       "it takes that for the memory of the machine and fills it with what it read",
		amount:    one("memorylimitmb", megabytes),
	},
	{
		name: "Redpanda", commands: []string{"redpanda", "rpk"}, runtime: "redpanda",
		keys: []string{"memory", "reserve-memory"}, amount: seastar,
	},
	{
		name: "ScyllaDB", commands: []string{"scylla"}, runtime: "scylla",
		keys: []string{"memory", "reserve-memory"}, amount: seastar,
	},
	{
		name: "Neo4j", commands: []string{"neo4j"}, runtime: "neo4j",
		keys: []string{"heap", "pagecache"},
		variables: map[string]string{
			"NEO4J_dbms_memory_heap_max__size": "heap", "NEO4J_server_memory_heap_max__size": "heap",
			"NEO4J_dbms_memory_pagecache_size": "pagecache", "NEO4J_server_memory_pagecache_size": "pagecache",
		},
		amount: func(s *settings, limit uint64) (Amount, bool) {
			a, ok := sum(kibibyteUnits, "pagecache", "heap")(s, limit)
			// A heap that is too large alone is the JVM's fault.
			_, cache := s.found["pagecache"]
			// NeoBootstrapper.java, requestedMemoryExceedsAvailable.
			if a.Bytes > limit {
				a.Refusal = "Invalid memory configuration - exceeds physical memory"
			}
			return a, ok && cache
		},
	},
}

// seastar is what a program on Seastar is given with --memory. It must fit into
// the cgroup's limit less what the kernel keeps, which is never nothing, and less
// --reserve-memory; whatever the limit, 500 MB may be had (src/core/resource.cc,
// calculate_memory; 512 MiB before).
func seastar(s *settings, limit uint64) (Amount, bool) {
	a, ok := one("memory", binaryUnits)(s, limit)
	reserve, _ := bytes(s.found["reserve-memory"].Value, binaryUnits, limit)
	if a.Bytes > 512*mib && a.Bytes+reserve >= limit {
		a.Refusal = "insufficient physical memory"
		if reserve > 0 {
			a.Bytes += reserve
			a.Settings = append(a.Settings, s.found["reserve-memory"])
		}
	}
	return a, ok
}
