package probes

import "testing"

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
