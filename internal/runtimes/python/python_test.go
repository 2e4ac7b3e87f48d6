package python

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestWantsAgainstPython holds what is refused against every Python 3 of
// pyenv, or else the one on the path.
func TestWantsAgainstPython(t *testing.T) {
	pythons, _ := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".pyenv/versions/3.*/bin/python"))
	if python, err := exec.LookPath("python3"); err == nil && len(pythons) == 0 {
		pythons = append(pythons, python)
	}
	if len(pythons) == 0 {
		t.Skip("no python3 on this machine")
	}
	values := map[string][]string{
		"PYTHONUTF8":            {"1", "2", "true", "", " 1"},
		"PYTHONHASHSEED":        {"random", "4294967295", "4294967296", "-1", "1 ", " +1", "0x10"},
		"PYTHONMALLOC":          {"pymalloc", "default", "mimalloc", "Malloc"},
		"PYTHONTRACEMALLOC":     {"0", "25", "true", "-1"},
		"PYTHONINTMAXSTRDIGITS": {"0", "639", "640", "1e3", "2147483648"},
		"PYTHON_CPU_COUNT":      {"2", "0", "500m", "default", ""},
		"PYTHONUNBUFFERED":      {"false"},
	}
	refused := 0
	for _, python := range pythons {
		out, err := exec.Command(python, "-c", "import sys; print(sys.version_info[1])").Output()
		if err != nil {
			t.Errorf("%s: %v", python, err)
			continue
		}
		n, _ := strconv.Atoi(strings.TrimSpace(string(out)))
		release := Minor(n)
		for name, list := range values {
			if name == "PYTHONINTMAXSTRDIGITS" && release < 11 {
				continue // it depends on the patch
			}
			for _, value := range list {
				cmd := exec.Command(python, "-S", "-c", "1")
				cmd.Env = []string{name + "=" + value}
				err := cmd.Run()
				wants, _ := Wants(name, value, release)
				if (err != nil) != (wants != "") {
					t.Errorf("3.%d: %s=%q: wants %q, python says %v", release, name, value, wants, err)
				}
				if err != nil {
					refused++
				}
			}
		}
	}
	if refused < 10 {
		t.Errorf("python refuses only %d values", refused)
	}
}

func TestRelease(t *testing.T) {
	for image, want := range map[string]string{
		"python:3.12-slim":                     "12",
		"python:3":                             "0",
		"python:2.7":                           "-",
		"registry.example/app:1.2-python3.9":   "9",
		"registry.example:5000/py38/app":       "8",
		"registry.example/python-app:1.2":      "0",
		"gcr.io/distroless/python3-debian12":   "0",
		"docker.io/library/python:3.13.1":      "13",
		"registry.example/happy3.5/thing:3.11": "0",
	} {
		own := strings.HasPrefix(image, "python:") || strings.Contains(image, "library/python")
		got := "-"
		if r, ok := Release(image, own); ok {
			got = strconv.Itoa(int(r))
		}
		if got != want {
			t.Errorf("%s: %s, want %s", image, got, want)
		}
	}
}
