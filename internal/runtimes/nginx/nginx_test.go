package nginx

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/source"
)

// show writes directives down, blocks in braces.
func show(ds []Directive) string {
	var parts []string
	for _, d := range ds {
		var words []string
		for _, w := range d.Words {
			words = append(words, w.Value)
		}
		text := strings.Join(words, "|")
		if d.Block {
			text += "{" + show(d.Directives) + "}"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"# only a comment":       "",
		"worker_processes auto;": "worker_processes|auto",
		"http {\n server { listen 80; # x }\n location ~ \\.php$ { return 404; } }\n}": `http{server{listen|80 location|~|\.php${return|404}}}`,
		`log_format main '$a "$b" ' '${c}';`:                                           `log_format|main|$a "$b" |${c}`,
		`proxy_pass http://${backend}:80/;`:                                            "proxy_pass|http://${backend}:80/",
		`add_header X "a\"b;{}";`:                                                      `add_header|X|a"b;{}`,
		`if ($a ~* "(x|y)" ) { set $b 1; }`:                                            `if|($a|~*|(x|y)|){set|$b|1}`,
		`content_by_lua_block { if a then b("}") end -- }` + "\n}\nlisten 80;":         "content_by_lua_block{} listen|80",
		"a b#c;":         "a|b#c",
		"a \"\";":        "a|",
		"events{}http{}": "events{} http{}",
		"listen 80\n  default_server;\nserver_name a\n b;": "listen|80|default_server server_name|a|b",
	} {
		ds, fault := Parse(text)
		if got := show(ds); got != want || fault != nil {
			t.Errorf("%q:\n got %s, %v\nwant %s", text, got, fault, want)
		}
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string][2]string{
		"http {\n server {\n }\n":                      {"http", `the block of "http" is never closed, expecting "}"`},
		"listen 80":                                    {"80", `the file ends behind "80", expecting ";" or "}"`},
		"server {\n listen 80\n}\n":                    {"listen 80", `directive "listen" is not terminated by ";"`},
		"server {\n listen 80 # x\n location / { }\n}": {"listen 80", `directive "listen" is not terminated by ";"`},
		"server {\n root /a\n index b;\n}":             {"root /a", `directive "root" is not terminated by ";"`},
		"server {\n listen 80\n server_name b;\n}":     {"listen 80", `directive "listen" is not terminated by ";"`},
		"server { }\n}\n":                              {"}", `unexpected "}"`},
		"a;;":                                          {";", `unexpected ";"`},
		"{ a; }":                                       {"{", `unexpected "{"`},
		"a \"b;\nc d;":                                 {"\"b;", "the quote \" is never closed"},
		"a \"b\"c;":                                    {"c", `unexpected "c" behind the closing quote`},
		"access_by_lua_block { if x { }":               {"access_by_lua_block", `the block of "access_by_lua_block" is never closed, expecting "}"`},
	} {
		_, fault := Parse(text)
		if fault == nil || fault.Message != want[1] || text[fault.Start:fault.End] != want[0] {
			t.Errorf("%q: got %+v, want %q at %q", text, fault, want[1], want[0])
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"a { b 'c' ${d}; }", "a \\", "x_by_lua_block { -- ", "a \"\\", "${", "}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ds, fault := Parse(text)
		if fault != nil && (fault.Start < 0 || fault.Start > fault.End || fault.End > len(text)) {
			t.Fatalf("fault at %d to %d of %d", fault.Start, fault.End, len(text))
		}
		var walk func([]Directive)
		walk = func(ds []Directive) {
			for _, d := range ds {
				for _, w := range d.Words {
					if w.Start < 0 || w.Start > w.End || w.End > len(text) {
						t.Fatalf("word at %d to %d of %d", w.Start, w.End, len(text))
					}
				}
				walk(d.Directives)
			}
		}
		walk(ds)
	})
}

func TestFiles(t *testing.T) {
	const server = "server { listen 80; }"
	for _, test := range []struct{ container, key, text, want string }{
		{`{image: "nginx:1", volumeMounts: [{name: v, mountPath: /etc/nginx/conf.d}]}`, "a.conf", server, "/etc/nginx/conf.d/a.conf"},
		{`{image: "nginx:1", volumeMounts: [{name: v, mountPath: /etc/nginx/conf.d}]}`, "a.txt", server, ""},
		{`{image: "nginx:1", volumeMounts: [{name: v, mountPath: /etc/nginx/conf.d/default.conf, subPath: d}]}`, "d", server, "/etc/nginx/conf.d/default.conf"},
		{`{image: "nginx:1", volumeMounts: [{name: v, mountPath: /etc/nginx/nginx.conf, subPath: main}]}`, "main", "http { include x/*; }", "/etc/nginx/nginx.conf"},
		{`{image: "nginx:1", volumeMounts: [{name: v, mountPath: /etc/nginx/templates}]}`, "a.conf", server, ""},
		{`{image: "nginx:1", volumeMounts: [{name: v, mountPath: /etc/nginx/conf.d}]}`, "a.conf", "listen ${PORT};", ""},
		{`{image: "nginx:1", args: [sleep, "1"], volumeMounts: [{name: v, mountPath: /etc/nginx/conf.d}]}`, "a.conf", server, ""},
		{`{image: "nginx:1", command: [nginx, -c, /conf/n.conf], volumeMounts: [{name: v, mountPath: /conf}]}`, "n.conf", server, "/conf/n.conf"},
		{`{image: "nginx:1", command: [sh, -c, "nginx -t && exec nginx -g 'daemon off;'"], volumeMounts: [{name: v, mountPath: /etc/nginx/conf.d}]}`, "a.conf", server, "/etc/nginx/conf.d/a.conf"},
		{`{image: "me/web", volumeMounts: [{name: v, mountPath: /etc/nginx/nginx.conf, subPath: main}]}`, "main", server, "/etc/nginx/nginx.conf"},
		{`{image: "busybox", volumeMounts: [{name: v, mountPath: /etc/nginx/conf.d}], command: [cat]}`, "a.conf", server, ""},
		{`{image: bitnami/nginx, volumeMounts: [{name: v, mountPath: /opt/bitnami/nginx/conf/server_blocks}]}`, "a.conf", server, "/opt/bitnami/nginx/conf/server_blocks/a.conf"},
	} {
		text := "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  volumes: [{name: v, configMap: {name: conf}}]\n  containers:\n  - " +
			strings.Replace(test.container, "{", "{name: c, ", 1) +
			fmt.Sprintf("\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {%q: %q}\n", test.key, test.text)
		set := loader.LoadText(source.NewFile("p.yaml", text)).Set
		c := cluster.New(set, cluster.Options{})
		var got []string
		for _, f := range Files(c, c.Workloads[0].Containers[0]) {
			got = append(got, f.Path)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s with %s: got %v, want %s", test.container, test.key, got, test.want)
		}
	}
}
