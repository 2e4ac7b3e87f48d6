package php

import (
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/loader"
	"github.com/crashlint/crashlint/internal/source"
)

func TestRefused(t *testing.T) {
	for lines, want := range map[string]string{
		"": "",
		"pm = dynamic|pm.max_children = 5|pm.start_servers = 2|pm.min_spare_servers = 1|pm.max_spare_servers = 3": "",
		"pm = auto":                                                                      "pm: it must be static, dynamic or ondemand",
		"pm = ${FPM_PM}":                                                                 "",
		"pm = static|pm.max_children = 0":                                                "pm.max_children: it must be 1 or more",
		"pm = static|pm.max_children = auto":                                             "pm.max_children: it is not a whole number",
		"pm = static|pm.max_children = ${CHILDREN}":                                      "",
		"pm = static|pm.max_children = 5|pm.start_servers = 20":                          "",
		"pm = dynamic|pm.max_children = 5|pm.max_spare_servers = 10 ; more":              "pm.max_spare_servers: it is above pm.max_children, 5",
		"pm = dynamic|pm.max_children = 5|pm.min_spare_servers = 10":                     "pm.min_spare_servers: it is above pm.max_children, 5",
		"pm = dynamic|pm.min_spare_servers = 3|pm.max_spare_servers = 2":                 "pm.max_spare_servers: it is below pm.min_spare_servers, 3",
		"pm = dynamic|pm.min_spare_servers = 3|pm.start_servers = 2":                     "pm.start_servers: it is below pm.min_spare_servers, 3",
		"pm = dynamic|pm.min_spare_servers = 3|pm.start_servers = 0":                     "",
		"pm = dynamic|pm.max_spare_servers = 3|pm.start_servers = 10":                    "pm.start_servers: it is above pm.max_spare_servers, 3",
		"pm = dynamic|pm.min_spare_servers = 0":                                          "pm.min_spare_servers: it must be 1 or more",
		"pm = dynamic|pm.max_spare_servers = 0":                                          "pm.max_spare_servers: it must be 1 or more",
		"pm = dynamic|;pm.max_spare_servers = 0|pm.max_children = 5|pm.max_children = 9": "",
	} {
		settings := map[string]Setting{}
		parse(cluster.File{Text: "[www]\n" + strings.ReplaceAll(lines, "|", "\n")}, func(_, name string, s Setting) { settings[name] = s })
		got := ""
		if name, reason, refused := (Pool{"www", settings}).Refused(); refused {
			got = name + ": " + reason
		}
		if got != want {
			t.Errorf("%s: %q, want %q", lines, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]int64{"128M": 128 << 20, "1g": 1 << 30, "512": 512, "64k": 64 << 10, "-1": 0, "1.5G": 0, "512MB": 0, "": 0, "999999999999G": 0} {
		if n, ok := Bytes(text); n != want || ok != (want > 0) {
			t.Errorf("%s: %d, %t", text, n, ok)
		}
	}
}

func TestMemoryLimitOf(t *testing.T) {
	for fields, want := range map[string]string{
		"env: []": "",
		"env: [{name: PHP_MEMORY_LIMIT, value: 512M}]":                                                                                                                      "512M",
		"volumeMounts: [{name: v, mountPath: /usr/local/etc/php/conf.d/my.ini, subPath: my.ini}]":                                                                           "256M",
		"env: [{name: PHP_MEMORY_LIMIT, value: 512M}], volumeMounts: [{name: v, mountPath: /usr/local/etc/php/conf.d/my.ini, subPath: my.ini}]":                             "256M",
		"volumeMounts: [{name: v, mountPath: /usr/local/etc/php/conf.d/my.ini, subPath: my.ini}, {name: v, mountPath: /usr/local/etc/php-fpm.d/zz.conf, subPath: zz.conf}]": "1G",
		"volumeMounts: [{name: v, mountPath: /usr/local/etc/php-fpm.d}]":                                                                                                    "1G",
		"env: [{name: PHP_MEMORY_LIMIT, value: '0'}]":                                                                                                                       "",
		"volumeMounts: [{name: v, mountPath: /usr/local/etc/php/conf.d/sections.ini, subPath: sections.ini}]":                                                               "64M",
		"volumeMounts: [{name: v, mountPath: /etc/nginx}]":                                                                                                                  "",
	} {
		text := `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {volumes: [{name: v, configMap: {name: m}}], containers: [{name: c, image: app, ` + fields + `}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {my.ini: "memory_limit = 256M\n", sections.ini: "memory_limit = 1G\n[PHP]\nmemory_limit = 32M\n[Session]\nmemory_limit = 64M\n[HOST=x]\nmemory_limit = 2G\n", zz.conf: "[www]\nphp_admin_value[memory_limit] = 1G\n"}}
`
		set := loader.LoadText(source.NewFile("pod.yaml", text)).Set
		if len(set.Workloads) != 1 {
			t.Fatalf("no pod in %s", text)
		}
		if m, _ := MemoryLimitOf(cluster.New(set, cluster.Options{}), set.Workloads[0].Containers[0]); m.Text != want {
			t.Errorf("%s: %q, want %q", fields, m.Text, want)
		}
	}
}
