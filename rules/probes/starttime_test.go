package probes

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crashlint/crashlint/internal/manifest"
)

func TestGrants(t *testing.T) {
	pod := corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "registry.example:5000/team/shop-api:1.0@sha256:0"}}}
	object := &manifest.Object{Name: "shop"}
	ctr := manifest.NewWorkload(object, &pod, nil, metav1.ObjectMeta{}, nil).Containers[0]
	for name, want := range map[string]bool{
		"STARTUP_TIMEOUT":                  true,
		"STARTUP_TIMEOUT_SECONDS":          true,
		"WEB_STARTUP_TIMEOUT":              true,
		"SHOP_BOOT_TIMEOUT":                true,
		"SHOP_API_STARTUP_TIMEOUT_SECONDS": true,
		"APP_STARTUP_WAIT":                 true,
		"SESSION_STARTUP_TIMEOUT":          false,
		"STARTUP_TIMEOUT_MS":               false,
		"START_TIMEOUT":                    false,
		"TIMEOUT":                          false,
	} {
		if got := grants(name, ctr); got != want {
			t.Errorf("grants(%s) = %t", name, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "60": 60, "2.5": 2, "90s": 90, "5m": 300, "1h30m": 5400, "86400": 86400,
		"86401": -1, "300000": -1, "-5": -1, "-5s": -1, "": -1, "soon": -1, "NaN": -1, "1d": -1,
	} {
		got, ok := duration(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("duration(%q) = %d, want %d", text, got, want)
		}
	}
}
