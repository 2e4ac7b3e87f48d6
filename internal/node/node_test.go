package node_test

import (
	"testing"

	"github.com/crashlint/crashlint/internal/node"
)

func TestPathString(t *testing.T) {
	for want, p := range map[string]node.Path{
		"":                                 nil,
		"spec":                             node.P("spec"),
		"spec.containers[0].livenessProbe": node.P("spec", "containers", 0, "livenessProbe"),
		"[2].name":                         node.P(2, "name"),
		"a[0][1]":                          node.P("a", 0, 1),
		`data["server.conf"]`:              node.P("data", "server.conf"),
		`data[""].x`:                       node.P("data", "", "x"),
		`["a b"]["\"ö\""]`:                 node.P("a b", `"ö"`),
		"a-b_C9":                           node.P("a-b_C9"),
	} {
		if got := p.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestElem(t *testing.T) {
	if k, ok := node.Key("a").Key(); k != "a" || !ok {
		t.Errorf("key %q, %v", k, ok)
	}
	if _, ok := node.Key("a").Index(); ok {
		t.Error("a key is an index")
	}
	if i, ok := node.Index(0).Index(); i != 0 || !ok {
		t.Errorf("index %d, %v", i, ok)
	}
	if _, ok := node.Index(0).Key(); ok {
		t.Error("an index is a key")
	}
	if node.Key("") == node.Index(0) {
		t.Error("the empty key is the first index")
	}
}

// Paths that go on from the same path do not write over one another.
func TestAppendSharesNothing(t *testing.T) {
	base := make(node.Path, 0, 10).Append("a")
	b, c := base.Append("b"), base.Append("c")
	if base.String() != "a" || b.String() != "a.b" || c.String() != "a.c" {
		t.Errorf("got %s, %s, %s", base, b, c)
	}
	if got := base.Append(node.P("x", 1), node.Key("y"), node.Index(2)).String(); got != "a.x[1].y[2]" {
		t.Errorf("got %s", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a step of another type is taken")
		}
	}()
	node.P(1.5)
}

func TestHasPrefix(t *testing.T) {
	p := node.P("a", 0, "b")
	for _, c := range []struct {
		q    node.Path
		want bool
	}{
		{nil, true}, {node.P("a"), true}, {node.P("a", 0), true}, {p, true},
		{node.P("a", 1), false}, {node.P("a", "0"), false}, {node.P("a", 0, "b", "c"), false}, {node.P("b"), false},
	} {
		if got := p.HasPrefix(c.q); got != c.want {
			t.Errorf("%s has the prefix %s: %v", p, c.q, got)
		}
	}
}
