package config

import "testing"

// Where a fault stands, and none where parsers differ.
func TestSyntax(t *testing.T) {
	for _, test := range []struct {
		name, text, at string
		fault          func(string) *fault
	}{
		{"json, no comma", "{\"a\": 1\n \"b\": 2}", `"`, lenientJSON},
		{"json, never closed", "{\"a\": [1, 2\n", "2", lenientJSON},
		{"json, single quotes", "{'a': 1}", "'", lenientJSON},
		{"json", `{"a": 1}`, "", lenientJSON},
		{"json, comments", "// c\n{\"a\": 1, /* d */ # e\n}", "", lenientJSON},
		{"json, a comma too many", `{"a": [1, 2,], }`, "", lenientJSON},
		{"json, a comment in a string", `{"a": "http://b # c", "d": ",]"}`, "", lenientJSON},
		{"json, lines", "{}\n{}", "", lenientJSON},
		{"json, strict", `{"a": 1,}`, "}", func(s string) *fault { return jsonFault(s, false) }},
		{"json, empty", " \n", "", lenientJSON},
		{"toml, twice", "a = 1\na = 2\n", "a", tomlFault},
		{"toml, no value", "a =\nb = 1\n", "\n", tomlFault},
		{"toml", "[a]\nb = [1, 2]\n[[c]]\nd = 'e'\n", "", tomlFault},
		{"options, no group", "# c\nport = 1\n[mysqld]\n", "port = 1", optionsFault},
		{"options, open group", "[mysqld\nport = 1\n", "[mysqld", optionsFault},
		{"options", "!include /x\n[mysqld]\nskip-name-resolve\nport=1\n", "", optionsFault},
	} {
		got := test.fault(test.text)
		switch {
		case got == nil && test.at != "":
			t.Errorf("%s: no fault, want one at %q", test.name, test.at)
		case got != nil && (test.at == "" || test.text[got.start:got.end] != test.at || got.message == ""):
			t.Errorf("%s: fault %q at %q, want %q", test.name, got.message, test.text[got.start:got.end], test.at)
		}
	}
}

func lenientJSON(s string) *fault { return jsonFault(s, true) }

func FuzzSyntax(f *testing.F) {
	for _, s := range []string{`{"a": 1,}`, "a = [", "[x\n", "/*", `"\`, ",]", "{\"a\": \"\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, bad := range []*fault{jsonFault(s, true), jsonFault(s, false), tomlFault(s), optionsFault(s)} {
			if bad != nil && (bad.start < 0 || bad.start > bad.end || bad.end > len(s)) {
				t.Fatalf("%q: fault at %d to %d of %d", bad.message, bad.start, bad.end, len(s))
			}
		}
	})
}
