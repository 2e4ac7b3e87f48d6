package command

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"testing"
)

// No command line, however odd, makes a rule panic, and every finding says where
// it stands.
func TestAnyWords(t *testing.T) {
	words := []string{
		"", " ", "\n", "-", "--", "-c", "-ec", "sh", "bash", "exec", "env", "tini", "timeout", "sudo", "docker-entrypoint.sh", "java", "-jar", "$X", "${X", "$(X)", "$(X", "$(a b)",
		"&&", "|", "2>&1", "sleep", "1e9", "inf", "tail", "-f", "nginx", "-g", "service", "start", "&", "wait", "exit", "exit 256", "exit -1", "echo a; exit", "sleep 1 &",
		"--a b", "--a=\"1\"", "'--a'", "\"\"", "/s/a", "/s/b", "/s", "/s/..", "a\x00b", "é", "if", "fi", "f() { f; }; f", "eval $X", ". /s/a", "cat <<E", "`a b`", "redis-server", "--daemonize yes",
	}
	random := rand.New(rand.NewSource(3))
	pick := func() []string {
		out := make([]string, random.Intn(5))
		for i := range out {
			out[i] = words[random.Intn(len(words))]
		}
		return out
	}
	images := []string{"a", "busybox", "postgres:17", "hashicorp/vault:1", "gcr.io/distroless/static-debian12", "nginx:1", "openpolicyagent/opa:1", "{}"}
	for range 500 {
		command, _ := json.Marshal(pick())
		args, _ := json.Marshal(pick())
		pod := fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {volumes: [{name: s, secret: {secretName: s}}],
			containers: [{name: a, image: %q, command: %s, args: %s, env: [{name: Y, value: "$(X) $(Z)"}, {name: Z}], volumeMounts: [{name: s, mountPath: /s}]}]}}`,
			images[random.Intn(len(images))], command, args)
		for _, r := range Family.Rules {
			for _, f := range findings(t, r, pod) {
				if f.Object == nil || len(f.At) == 0 || f.Message == "" {
					t.Errorf("%s: %+v on %s", r.ID, f, pod)
				}
			}
		}
	}
}
