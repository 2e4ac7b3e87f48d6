package shutdown

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestShellsKeepTheirPlace asks the shells that are here what the rule claims: a
// program that a script file ends with runs as a child, unless exec stands in
// front of it.
func TestShellsKeepTheirPlace(t *testing.T) {
	for _, shell := range []string{"sh", "dash", "bash", "ash"} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		for program, child := range map[string]bool{`sh -c 'echo $$'`: true, `exec sh -c 'echo $$'`: false} {
			file := filepath.Join(t.TempDir(), "start.sh")
			if err := os.WriteFile(file, []byte("echo $$\n"+program+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(shell, file).Output()
			if err != nil {
				t.Fatal(err)
			}
			ids := strings.Fields(string(out))
			if len(ids) != 2 || (ids[0] != ids[1]) != child {
				t.Errorf("%s: the shell is process %v, the program %s", shell, ids, program)
			}
		}
	}
}
