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
		"psql -c 'select 1'":            true,
		"mysql -S /run/mysql.sock":      true,
		"redis-cli -h 127.0.0.1 ping":   true,
		"curl http://localhost:8080/":   true,
		"nc -z 0.0.0.0 80":              true,
		"influx ping":                   true,
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
