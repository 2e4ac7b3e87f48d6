package probes

import (
	"strconv"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestAddress(t *testing.T) {
	for _, test := range []struct {
		text   string
		host   string
		port   int64
		scheme string
		ok     bool
	}{
		{"127.0.0.1:80", "127.0.0.1", 80, "", true},
		{":8080", "", 8080, "", true},
		{"0.0.0.0:8080", "", 8080, "", true},
		{"[::]:8080", "", 8080, "", true},
		{"*:8080", "", 8080, "", true},
		{"[::1]:8080", "::1", 8080, "", true},
		{"https://+:8443/", "", 8443, "https", true},
		{"http://localhost:2379/x", "localhost", 2379, "http", true},
		{"::1", "", 0, "", false},
		{"localhost", "", 0, "", false},
		{"localhost:", "", 0, "", false},
		{"localhost:0", "", 0, "", false},
		{"localhost:70000", "", 0, "", false},
		{"", "", 0, "", false},
	} {
		host, port, scheme, ok := address(test.text)
		if host != test.host || port != test.port || scheme != test.scheme || ok != test.ok {
			t.Errorf("address(%q) = %q, %d, %q, %v", test.text, host, port, scheme, ok)
		}
	}
}

func TestServerOf(t *testing.T) {
	env := cluster.Environment{Variables: []cluster.Variable{{Name: "FLASK_RUN_PORT", Value: "5001", Known: true}}}
	for _, test := range []struct {
		line string
		want string // host:port by label; "-" where nothing is known
	}{
		{"uvicorn app:app", "127.0.0.1:8000 the default of uvicorn"},
		{"uvicorn app:app --host 0.0.0.0 --port 80", ":80 --port 80"},
		{"uvicorn app:app --uds /run/x.sock", "-"},
		{"flask run", "127.0.0.1:5001 FLASK_RUN_PORT=5001"},
		{"flask run -h 0.0.0.0 -p 80", ":80 -p 80"},
		{"flask routes", "-"},
		{"python manage.py runserver", "127.0.0.1:8000 the default of python"},
		{"python manage.py runserver 9000", "127.0.0.1:9000 runserver 9000"},
		{"python manage.py runserver --noreload 0.0.0.0:9000", ":9000 runserver 0.0.0.0:9000"},
		{"python app.py", "-"},
		{"gunicorn app:app", "-"}, // a file of the image may say otherwise
		{"gunicorn -b 127.0.0.1:9000 app:app", "127.0.0.1:9000 -b 127.0.0.1:9000"},
		{"etcd", "localhost:2379 the default of etcd"},
		{"etcd --listen-client-urls=https://0.0.0.0:2379", ":2379 --listen-client-urls https://0.0.0.0:2379"},
		{"consul agent -client=0.0.0.0 -http-port=18500", ":18500 --http-port 18500"},
		{"consul members", "-"},
		{"mongod --bind_ip localhost,10.0.0.1", ":27017 the default of mongod"},
		{"mongod --bind_ip_all", "-"},
		{"redis-server --port x", "-"},
		{"nginx -g x", "-"},
	} {
		got := "-"
		for _, l := range serverOf(cluster.Command{Words: words(test.line)}, env) {
			got = l.host + ":" + strconv.FormatInt(l.port, 10) + " " + l.byPort.label
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.line, got, test.want)
		}
	}
}

func words(line string) []cluster.Word {
	var out []cluster.Word
	for field := range strings.FieldsSeq(line) {
		out = append(out, cluster.Word{Value: field, Known: true})
	}
	return out
}
