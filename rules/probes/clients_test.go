package probes

import (
	"slices"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func words(line string) []cluster.Word {
	var out []cluster.Word
	for field := range strings.FieldsSeq(line) {
		out = append(out, cluster.Word{Value: field, Known: true})
	}
	return out
}

func TestCallOf(t *testing.T) {
	env := cluster.Environment{Variables: []cluster.Variable{{Name: "PGHOST", Value: "from-env", Known: true}}}
	for _, test := range []struct {
		line string
		want string // hosts; "-" where nothing is talked to
	}{
		{"pg_isready -h db -U app", "db"},
		{"pg_isready -hdb", "db"},
		{"/usr/bin/pg_isready --host=db", "db"},
		{"pg_isready --host db --port 5432", "db"},
		{"pg_isready", "from-env"},
		{"pg_isready -d app -h db", "db"},
		{"pg_isready -d host=db", "db"},
		{"psql -d app -h localhost", "localhost"},
		{"psql postgres://u:p@db:5432,db2:5432/app?sslmode=require -c 1", "db db2"},
		{"psql -h /run/postgresql", ""},
		{"mysqladmin -uroot -psecret -h db ping", "db"},
		{"mysqladmin -p -h db ping", "db"},
		{"mysql --host=db -e x", "db"},
		{"mysql -S /run/mysqld.sock -h db", "-"},
		{"redis-cli -a secret -p 6379 -h cache ping", "cache"},
		{"redis-cli -u redis://:secret@cache:6379/0 ping", "cache"},
		{"redis-cli ping", ""},
		{"mongosh --quiet --host rs0/m1:27017,m2:27017 --eval x", "m1 m2"},
		{"mongo db:27017/app --eval x", "db"},
		{"mongo app --eval x", ""},
		{"nc -z -w5 db 5432", "db"},
		{"nc -zvw 5 db 5432", "db"},
		{"nc -U /run/x.sock", "-"},
		{"nc -l 8080", "-"},
		{"curl -fsS -o /dev/null -H A:b -m 3 http://u:p@api:8080/x?y=http://z", "api"},
		{"curl -so/dev/null https://[::1]:8443/x", "::1"},
		{"curl --max-time 3 --url api:80/x", "api"},
		{"curl --proxy http://proxy:3128 http://localhost/", "localhost"},
		{"curl --unknown-option word http://localhost/", "localhost"},
		{"curl -x proxy:3128 http://localhost/", "localhost"},
		{"curl --resolve api:80:127.0.0.1 http://api/", "-"},
		{"wget -q -O - -T 3 http://api/x", "api"},
		{"wget -qO- --tries=1 api:8080", "api"},
		{"nslookup db.shop", "db.shop"},
		{"nslookup -type=a db", "db"},
		{"dig +short @10.0.0.10 db A", "db"},
		{"getent hosts db", "db"},
		{"getent passwd root", ""},
		{"ping -c 1 -W 2 db", "db"},
		{"kafka-broker-api-versions.sh --bootstrap-server k1:9092,k2:9092 --command-config /x", "k1 k2"},
		{"kafka-topics --list --bootstrap-server=k1:9092", "k1"},
		{"zkCli.sh -server zk:2181 ruok", "zk"},
		{"rabbitmq-diagnostics -q ping", ""},
		{"rabbitmqctl -n rabbit@broker-0.broker status", "broker-0.broker"},
		{"grpc_health_probe -addr=api:9090", "api"},
		{"/bin/grpc_health_probe-linux-amd64 -addr api:9090", "api"},
		{"consul members -http-addr=http://127.0.0.1:8500", "127.0.0.1"},
		{"etcdctl --endpoints https://e1:2379,https://e2:2379 endpoint health", "e1 e2"},
		{"pg_isready -- -h", "from-env"},
		{"pg_isready -h", ""},
		{"cat /etc/hosts", "-"},
		{"", "-"},
	} {
		c, ok := callOf(cluster.Command{Words: words(test.line)}, env)
		got := "-"
		if ok {
			hosts := c.client.hosts
			if hosts == nil {
				hosts = hostList
			}
			var all []string
			for _, w := range c.peers {
				all = append(all, hosts(w.Value)...)
			}
			got = strings.Join(slices.DeleteFunc(all, func(h string) bool { return h == "" }), " ")
		}
		if got != test.want {
			t.Errorf("%q talks to %q, want %q", test.line, got, test.want)
		}
	}
}

func TestCallOfAssignment(t *testing.T) {
	command := cluster.Command{
		Words:       words("pg_isready"),
		Assignments: []cluster.Variable{{Name: "PGHOST", Value: "db", Known: true}},
	}
	c, ok := callOf(command, cluster.Environment{})
	if !ok || len(c.peers) != 1 || c.peers[0].Value != "db" {
		t.Errorf("PGHOST=db pg_isready talks to %v", c.peers)
	}
}

func TestEndpointOf(t *testing.T) {
	for path, alive := range map[string]string{
		"/actuator/health":                   "/actuator/health/liveness",
		"/shop/actuator/health/":             "/shop/actuator/health/liveness",
		"/actuator/health/readiness":         "/actuator/health/liveness",
		"/q/health":                          "/q/health/live",
		"/q/health/ready":                    "/q/health/live",
		"/health/ready":                      "/health/live",
		"/-/ready":                           "/-/healthy",
		"/readyz":                            "",
		"/api/readyz":                        "",
		"/ready?verbose":                     "",
		"/_cluster/health?wait_for_status=x": "",
		"/status/db":                         "",
	} {
		e, ok := endpointOf(path)
		if !ok || e.alive != alive {
			t.Errorf("endpointOf(%q) = %+v, %v, want alive %q", path, e, ok, alive)
		}
	}
	for _, path := range []string{
		"", "/", "health", "/health", "/healthz", "/livez", "/health/live", "/q/health/live", "/q/health/started",
		"/actuator/health/liveness", "/actuator/info", "/actuator/health/ping", "/_cluster/health?local=true", "/db", "/redis/info",
		"/ready/for/more", "%zz", "/:", "//",
	} {
		if e, ok := endpointOf(path); ok {
			t.Errorf("endpointOf(%q) = %+v, want nothing", path, e)
		}
	}
}

func TestVariable(t *testing.T) {
	for _, test := range []struct {
		host, name, rest string
		ok               bool
	}{
		{"$DB_HOST", "DB_HOST", "", true},
		{"${DB_HOST}", "DB_HOST", "", true},
		{"$HOSTNAME.svc", "HOSTNAME", ".svc", true},
		{"${A:-b}", "", "", false},
		{"$(hostname)", "", "", false},
		{"$1", "", "", false},
		{"$", "", "", false},
		{"${", "", "", false},
		{"${}", "", "", false},
		{"db", "", "", false},
	} {
		name, rest, ok := variable(test.host)
		if ok != test.ok || ok && (name != test.name || rest != test.rest) {
			t.Errorf("variable(%q) = %q, %q, %v", test.host, name, rest, ok)
		}
	}
}
