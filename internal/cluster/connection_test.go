package cluster

import (
	"fmt"
	"strings"
	"testing"
)

func TestConnections(t *testing.T) {
	for line, want := range map[string]string{
		"nc -z -w 2 db 5432": "db:5432",
		"nc -zv -w2 DB 5432": "db:5432",
		"nc -l -p 80":        "",
		"nc db $PORT":        "db:0",
		"curl -sf -o /dev/null http://api/health":        "api:80",
		"curl -X POST -d a=b https://user:pw@api:8443/x": "api:8443",
		"curl -m 5 api:9200/_cluster/health":             "api:9200",
		"curl --unix-socket /run/x http://api/":          "",
		"wget -q --spider https://api":                   "api:443",
		"wget -O - api":                                  "api:80",
		"pg_isready -h db":                               "db:5433",
		"pg_isready --host=db --port=6432":               "db:6432",
		"pg_isready":                                     "pg:5433",
		"psql postgresql://u:p@db/app -c 'select 1'":     "db:5433",
		"psql -U postgres app":                           "pg:5433",
		"mysqladmin ping -h db -u root -psecret":         "db:3306",
		"mysql -S /run/mysql.sock":                       "",
		"redis-cli -h cache -p 6380 ping":                "cache:6380",
		"mongosh mongodb://a:27017,b:27017/x":            "",
		"mongosh --host db --eval 1":                     "db:27017",
		"nslookup -type=a db.shop":                       "db.shop:0 lookup",
		"getent hosts db":                                "db:0 lookup",
		"getent passwd root":                             "",
		"dockerize -wait tcp://db:5432 -timeout 10s run": "db:5432 waits",
		"wait-for-it.sh db:5432 -t 0 -- python app.py":   "db:5432 waits",
		"wait4x tcp db:5432":                             "db:5432 waits",
		"kafka-topics.sh --bootstrap-server broker:9092": "broker:9092",
		"grpc_health_probe -addr=api:50051":              "api:50051",
		"curl -g http://[::1]:8080/":                     "::1:8080",
		"curl file:///etc/hosts":                         "",
		"ping -c 1 db.":                                  "db:0",
		"make db":                                        "",
		"nc -z $UNKNOWN 80":                              "",
		"nc -z $KNOWN 80":                                "orders:80",
		"PGHOST=other pg_isready":                        "other:5433",
		"psql 'host=db port=6432 dbname=x'":              "db:6432",
		"rabbitmqctl -n rabbit@broker-0 status":          "broker-0:0",
		"curl --some-option a.b http://api:81/":          "api:81",
		"wait-for-it.sh db:5432 -- nc other:1":           "db:5432 waits",
		"mongosh --host rs0/m:27018":                     "m:27018",
		"nc db:80":                                       "db:80",
	} {
		p := testProcess([]string{"sh", "-c", line}, []string{"UNKNOWN", "KNOWN=orders", "PORT", "PGHOST=pg", "PGPORT=5433"}, nil)
		if len(p.Commands) != 1 {
			t.Fatalf("%s: %d commands", line, len(p.Commands))
		}
		env := Environment{Variables: []Variable{{Name: "PGHOST", Value: "pg", Known: true}, {Name: "PGPORT", Value: "5433", Known: true}}}
		var got []string
		for _, c := range p.Commands[0].Connections(env) {
			text := fmt.Sprintf("%s:%d", c.Host, c.Port)
			if c.Lookup {
				text += " lookup"
			}
			if c.Waits {
				text += " waits"
			}
			got = append(got, text)
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestHome(t *testing.T) {
	for line, want := range map[string]bool{
		"psql -c 'select 1'":          true,
		"mysql -S /run/mysql.sock":    true,
		"redis-cli -h 127.0.0.1 ping": true,
		"curl http://localhost:8080/": true,
		"nc -z 0.0.0.0 80":            true,
		"influx ping":                 true,
		"psql -h /run/postgresql":     true,
		"etcdctl --endpoints 127.0.0.1:2379,localhost:2380 endpoint health": true,
		"etcdctl --endpoints 127.0.0.1:2379,e2:2379 endpoint health":        false,
		"psql -h db":                    false,
		"curl http://api/":              false,
		"curl $URL":                     false,
		"nc -l -p 80":                   false,
		"nslookup localhost":            false,
		"curl":                          false,
		"mkdir -p /data":                false,
		"redis-cli -h $REDIS_HOST ping": false,
	} {
		p := testProcess([]string{"sh", "-c", line}, []string{"URL", "REDIS_HOST"}, nil)
		if got := p.Commands[0].Home(Environment{}); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestServiceNames(t *testing.T) {
	for host, want := range map[string]string{
		"db":                             "[{ db  false false}]",
		"db.shop":                        "[{ db shop false false} {db shop  false false}]",
		"db.shop.svc":                    "[{ db shop true false}]",
		"db.shop.svc.cluster.local":      "[{ db shop true true}]",
		"db-0.db.shop":                   "[{db-0 db shop false false}]",
		"db-0.db.shop.svc.cluster.local": "[{db-0 db shop true true}]",
		"a.b.c.d":                        "[]",
		"a..b":                           "[]",
		"":                               "[]",
		"svc":                            "[{ svc  false false}]",
	} {
		if got := fmt.Sprint(serviceNames(host)); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

// TestSecretPort: a port that a Secret holds must not come into a message.
func TestSecretPort(t *testing.T) {
	env := Environment{Variables: []Variable{{Name: "PGPORT", Value: "31337", Known: true, Secret: true}}}
	for _, c := range []Command{
		{Words: []Word{{Value: "nc", Known: true}, {Value: "db", Known: true}, {Value: "31337", Known: true, Secret: true}}},
		{Words: []Word{{Value: "pg_isready", Known: true}, {Value: "-hdb", Known: true}}},
	} {
		found := c.Connections(env)
		if len(found) != 1 || found[0].Host != "db" || found[0].Port != 0 {
			t.Errorf("%s: %+v", c.Name(), found)
		}
	}
}

func TestCall(t *testing.T) {
	env := Environment{Variables: []Variable{{Name: "PGHOST", Value: "from-env", Known: true}}}
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
		{"curl --proxy http://proxy:3128 http://localhost/", "-"},
		{"curl --unknown-option word http://localhost/", "localhost"},
		{"curl -x proxy:3128 http://localhost/", "-"},
		{"zookeeper-shell.sh zk:2181 ruok", "zk"},
		{"vault status", ""},
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
		var command Command
		for field := range strings.FieldsSeq(test.line) {
			command.Words = append(command.Words, Word{Value: field, Known: true})
		}
		got := "-"
		if call, ok := command.Call(env); ok {
			var hosts []string
			for _, server := range call.Servers {
				hosts = append(hosts, call.Hosts(server)...)
			}
			got = strings.Join(hosts, " ")
		}
		if got != test.want {
			t.Errorf("%q talks to %q, want %q", test.line, got, test.want)
		}
	}
}
