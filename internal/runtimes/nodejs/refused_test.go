package nodejs

import (
	"math/rand"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

// pieces are what the sets of options are made of.
var pieces = []string{
	"--max-old-space-size=512", "--max_old_space_size=512", "--max-old-space-size=4g", "--max-old-space-size=4096m", "--max-old-space-size",
	"--max-old-space-size=", "--max-old-space-size=0x100", "--max-old-space-size=12.5", "--max-old-space-size=+64", "--max-old-space-size=-1",
	"--max-old-space-size:512", "-max-old-space-size=512", "max-old-space-size=512", "'--max-old-space-size=512'", `"--max-old-space-size=512"`,
	`"--max-old-space-size=512`, `--max-old-space-size="512"`, "--max-old-space-size='512'", "--max-old-space-size=512\n", "--no-warnings\n--no-deprecation",
	"--no-warnings\t--no-deprecation", "--no-warnings", "--nowarnings", "--max-semi-space-size=64", "--max-semi-space-size=64m", "--stack-trace-limit=50",
	"--expose-gc", "--expose_gc", "--optimize-for-size", "--gc-interval=100", "--trace-gc", "--openssl-legacy-provider", "--enable-source-maps", "--foo",
	"--no-foo", "--inspect", "--inspect=9229", "--inspect=80", "--inspect=0.0.0.0:9229", "--inspect=0.0.0.0:99999", "--inspect=", "--inspect-port=0", "--inspect=host",
	"--require", "-r", "-r /x.js", "--require=/x.js", "--require=", "--import /x.mjs", "--title", "--title=a", `--title "a b"`, `--title "a\"b"`, `--title "a\`,
	"-e 1", "-p", "--eval=1", "--check", "--env-file=/x", "--run", "--test-only", "--test", "--", "-", "-x", "512", "server.js", "--dns-result-order=ipv4first",
	"--unhandled-rejections=strict", "--unhandled-rejections=ignore", "--max-http-header-size=16384", "--max-http-header-size 16384", "--max-http-header-size",
	"--tls-min-v1.0", "--conditions=dev", "-C dev", "--pending_deprecation", "--no-network-family-autoselection", "--icu-data-dir=/x", "--harmony", "--stack-size=2000",
}

// TestRefusedAgainstNode holds what is refused against a real Node.js, which reads
// all options before it says its version.
func TestRefusedAgainstNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on this machine")
	}
	if out, _ := exec.Command(node, "--version").Output(); !strings.HasPrefix(string(out), "v20.20.") {
		t.Skipf("the options are those of Node.js 20.20, here is %s", out)
	}
	random := rand.New(rand.NewSource(1))
	sets := append([]string(nil), pieces...)
	for len(sets) < 140 {
		set := pieces[random.Intn(len(pieces))]
		for range random.Intn(3) {
			set += " " + pieces[random.Intn(len(pieces))]
		}
		sets = append(sets, set)
	}
	refusals := 0
	for _, set := range sets {
		p := Process{Sure: true, Release: Release{20, 20}}
		p.variable(cluster.Variable{Name: "NODE_OPTIONS", Value: set, Known: true})
		cmd := exec.Command(node, "--version")
		cmd.Env = append(cmd.Environ(), "NODE_OPTIONS="+set)
		refusals += compare(t, cmd, "NODE_OPTIONS="+set, p.Refused)
	}
	for _, set := range sets {
		p := Process{Sure: true, Release: Release{20, 20}}
		words := []cluster.Word{{Value: "node", Known: true}}
		args := strings.Split(set, " ")
		for _, arg := range args {
			words = append(words, cluster.Word{Value: arg, Known: true})
		}
		if strings.Contains(set, "foo") || strings.Contains(set, "--nowarnings") || strings.Contains(set, "-x") ||
			strings.Contains(set, "-size:") || strings.Contains(set, "--env-file") || strings.Contains(set, "--run") || slices.Contains(args, "-p") {
			continue // whether V8 has it, or a file is there, is not known; behind -p nothing is read
		}
		p.commandLine(words)
		refusals += compare(t, exec.Command(node, append(args, "--version")...), "node "+set, p.Refused)
	}
	if refusals < 100 {
		t.Errorf("only %d of the sets are refused", refusals)
	}
}

// compare runs Node.js and reports 1 when it refuses its options.
func compare(t *testing.T, cmd *exec.Cmd, what string, refused []Refusal) int {
	t.Helper()
	want := false
	for _, r := range refused {
		want = want || r.Exit == 9
	}
	out, err := cmd.CombinedOutput()
	// What has no program left or is one exits with 1, or runs.
	got := cmd.ProcessState.ExitCode() == 9
	if got != want {
		t.Errorf("%q: refused %t (%v), node: %v %s", what, want, refused, err, out)
	}
	if got {
		return 1
	}
	return 0
}
