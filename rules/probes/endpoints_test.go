package probes

import "testing"

func TestEndpointOf(t *testing.T) {
	for path, alive := range map[string]string{
		"/actuator/health":                   "/actuator/health/liveness",
		"/shop/actuator/health/":             "/shop/actuator/health/liveness",
		"/actuator/health/readiness":         "/actuator/health/liveness",
		"/q/health":                          "/q/health/live",
		"/q/health/ready":                    "/q/health/live",
		"/health/ready":                      "/health/live",
		"/-/ready":                           "/-/healthy",
		"/readyz":                            "",
		"/api/readyz":                        "",
		"/ready?verbose":                     "",
		"/_cluster/health?wait_for_status=x": "",
		"/status/db":                         "",
	} {
		e, ok := endpointOf(path)
		if !ok || e.alive != alive {
			t.Errorf("endpointOf(%q) = %+v, %v, want alive %q", path, e, ok, alive)
		}
	}
	for _, path := range []string{
		"", "/", "health", "/health", "/healthz", "/livez", "/health/live", "/q/health/live", "/q/health/started",
		"/actuator/health/liveness", "/actuator/info", "/actuator/health/ping", "/_cluster/health?local=true", "/db", "/redis/info",
		"/ready/for/more", "%zz", "/:", "//",
	} {
		if e, ok := endpointOf(path); ok {
			t.Errorf("endpointOf(%q) = %+v, want nothing", path, e)
		}
	}
}
