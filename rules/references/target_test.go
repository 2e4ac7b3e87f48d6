package references

import "testing"

func TestNearestKey(t *testing.T) {
	for _, c := range []struct {
		key  string
		keys []string
		want string
	}{
		{"postgresql-password", []string{"postgres-password", "user"}, "postgres-password"},
		{"DB_PASSWORD", []string{"db-password", "other"}, "db-password"},
		{"network", []string{"token"}, ""}, // the only one there is means something else
		{"network", []string{"token", "user"}, ""},
		{"config.yml", []string{"config.yaml", "other.yaml"}, "config.yaml"},
		{"a", []string{"b", "c"}, ""},
		{"key", nil, ""},
	} {
		if got := nearestKey(c.key, c.keys); got != c.want {
			t.Errorf("%s in %q: got %q, want %q", c.key, c.keys, got, c.want)
		}
	}
}

func TestListing(t *testing.T) {
	if got, want := listing([]string{"a", "b", "c", "d", "e", "f", "g", "h"}), "a, b, c, d, e, f and 2 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
