package nodejs

import (
	"testing"

	"github.com/crashlint/crashlint/internal/images"
)

func TestReleaseOf(t *testing.T) {
	for image, want := range map[string]Release{
		"node:18.17.1-alpine": {18, 17},
		"node:20":             {20, anyMinor},
		"node:lts":            {},
		"node":                {},
		"bitnami/node:16.20":  {16, 20},
		"registry.example/mirror/library/node:22.1":   {22, 1},
		"gcr.io/distroless/nodejs20-debian12":         {20, anyMinor},
		"registry.access.redhat.com/ubi9/nodejs-18:1": {18, anyMinor},
		"registry.example/web:1.4-node16.3":           {16, 3},
		"calico/node:v3.27":                           {},
		"quay.io/prometheus/node-exporter:v1.8":       {},
		"registry.example/node2:1":                    {},
		"Not An Image":                                {},
	} {
		facts, _ := images.Builtin().Lookup(image)
		if got := ReleaseOf(image, facts); got != want {
			t.Errorf("%s: %+v, want %+v", image, got, want)
		}
	}
}

func TestHas(t *testing.T) {
	since := []Release{{18, 18}, {19, 0}}
	for r, want := range map[Release]bool{
		{16, 20}: false, {18, 17}: false, {18, 18}: true, {18, anyMinor}: true, {19, 0}: true, {20, 1}: true,
	} {
		if got := r.has(since); got != want {
			t.Errorf("%s: %t", r, got)
		}
	}
	// What went into 20.12 and 21.6 is in 22, and was never in 19.
	for r, want := range map[Release]bool{{19, 9}: false, {21, 5}: false, {22, 0}: true} {
		if got := r.has([]Release{{20, 12}, {21, 6}}); got != want {
			t.Errorf("%s: %t", r, got)
		}
	}
}
