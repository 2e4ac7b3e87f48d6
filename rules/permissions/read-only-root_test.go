package permissions

import (
	"os/exec"
	"strings"
	"testing"
)

// The directories that a real Python tries are those of TMPDIR, TEMP and TMP in
// this order, then those of temporary, then the working directory.
func TestTemporaryAsPythonHasThem(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	cmd := exec.Command(python, "-c", `import tempfile; print("\n".join(tempfile._candidate_tempdir_list()))`)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"TMP=/c", "TEMP=/b", "TMPDIR=/a"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	want := append([]string{"/a", "/b", "/c"}, temporary...)
	if len(got) != len(want)+1 || strings.Join(got[:len(want)], " ") != strings.Join(want, " ") {
		t.Errorf("Python tries %q, want %q and its working directory", got, want)
	}
}
