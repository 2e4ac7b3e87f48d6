package images

import "testing"

func TestMissing(t *testing.T) {
	alpine, distroless := &Tools{Lacks: []string{"bash", "curl"}}, &Tools{None: true}
	for _, c := range []struct {
		tools   *Tools
		program string
		inShell bool
		want    bool
	}{
		{alpine, "bash", false, true},
		{alpine, "/bin/bash", false, true},
		{alpine, "/opt/bash", false, false},
		{alpine, "./bash", false, false},
		{alpine, "sh", false, false},
		{alpine, "curl", true, true},
		{distroless, "sh", false, true},
		{distroless, "echo", false, true},
		{distroless, "echo", true, false},
		{distroless, "/bin/echo", true, true},
		{distroless, "server", false, false},
		{nil, "bash", false, false},
	} {
		if got := c.tools.Missing(c.program, c.inShell); got != c.want {
			t.Errorf("%+v misses %s (in a shell: %v): %v", c.tools, c.program, c.inShell, got)
		}
	}
}

func TestIdleAndSubcommands(t *testing.T) {
	for ref, want := range map[string]string{
		"node:22":                         "node",
		"hello-world":                     "/hello",
		"php:8.3-cli":                     "php -a",
		"php:8.3-fpm":                     "",
		"eclipse-temurin:21":              "jshell",
		"eclipse-temurin:21-jre":          "",
		"eclipse-temurin:8":               "",
		"nginx":                           "",
		"cloudflare/cloudflared:2024.1.1": "cloudflared version",
	} {
		facts, _ := Builtin().Lookup(ref)
		got := ""
		if facts.Idle != nil {
			got = facts.Idle.Runs
		}
		if got != want {
			t.Errorf("%s runs %q and ends, want %q", ref, got, want)
		}
	}
	for ref, want := range map[string]string{
		"oryd/hydra:v2.2.0": "serve", "quay.io/keycloak/keycloak:26.0": "start", "quay.io/keycloak/keycloak:17.0.1-legacy": "", "nginx": "",
	} {
		facts, _ := Builtin().Lookup(ref)
		got := ""
		if facts.Subcommands != nil {
			got = facts.Subcommands.Names[0]
		}
		if got != want {
			t.Errorf("%s wants %q first, want %q", ref, got, want)
		}
	}
	for _, e := range []Entry{
		{Names: []string{"a"}, Facts: Facts{Idle: &Idle{}}},
		{Names: []string{"a"}, Facts: Facts{Subcommands: &Subcommands{Program: "a"}}},
	} {
		if e.Check() == nil {
			t.Errorf("%+v passes", e.Facts)
		}
	}
}
