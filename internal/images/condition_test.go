package images

import "testing"

func TestConditions(t *testing.T) {
	for _, c := range []struct {
		condition, value string
		want             bool
	}{
		{"NAME", "", false},
		{"NAME", "x", true},
		{"discovery.type=single-node", "single-node", true},
		{"NAME=yes|true|1", "True", true},
		{"NAME=yes|true|1", "no", false},
		{"NAME=", "", true},
		{"NAME=", "x", false},
		{"NAME<8", "short", true},
		{"NAME<8", "long enough", false},
		{"NAME<8", "", false},
	} {
		cond, err := ParseCondition(c.condition)
		if err != nil {
			t.Fatal(err)
		}
		if got := cond.Holds(c.value); got != c.want {
			t.Errorf("%s holds of %q: %v, want %v", c.condition, c.value, got, c.want)
		}
	}
}

func TestConditionsAreWritten(t *testing.T) {
	for text, want := range map[string]string{"NAME": "NAME", "NAME=yes|true": "NAME=yes", "NAME<8": "NAME"} {
		cond, err := ParseCondition(text)
		if err != nil || cond.String() != want {
			t.Errorf("%s is written %s (%v), want %s", text, cond, err, want)
		}
	}
}

func TestConditionsThatNobodyMeans(t *testing.T) {
	for _, text := range []string{"", "=x", "<8", "NAME<", "NAME<0", "NAME<many"} {
		if _, err := ParseCondition(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
