package policies

import (
	"strings"
	"testing"
)

func TestPolicyTests(t *testing.T) {
	var out strings.Builder
	ok, err := Test(&out, ".")
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Error(out.String())
	}
}
