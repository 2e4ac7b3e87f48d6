package nodejs

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Refusal is an option with which Node.js does not start.
type Refusal struct {
	Option Option
	// Reason says why, as part of a sentence.
	Reason string
	// Exit is the exit code: 9 for an option that is refused, 1 where Node.js takes
	// it for the program and does not find it.
	Exit int
	// Sure is false when a release that is not known here may take the option.
	Sure bool
	// Written is the part of the text that is at fault, empty where it has others
	// that go with it, and Meant what was meant by it, empty where that is not plain
	// to see.
	Written, Meant string
}

func (p *Process) refuse(o Option, written, meant, format string, args ...any) {
	p.Refused = append(p.Refused, Refusal{Option: o, Reason: fmt.Sprintf(format, args...), Exit: 9, Sure: true, Written: written, Meant: meant})
}

// A taken is an option as the parser of Node.js takes it apart.
type taken struct {
	Option
	name, value string
	assigned    bool // with "="
	spec
	known bool
	env   bool // in NODE_OPTIONS
	// written is the text of the word, and next the word behind it.
	written, next string
}

// complete is the release whose options are all known here.
const complete = 20

// judge adds why Node.js refuses the option, if it does.
func (p *Process) judge(t taken) {
	o := t.Option
	switch {
	case strings.ContainsAny(t.name, "\t\r\n"):
		p.refuse(o, t.written, "", "only spaces end an option")
	case strings.Contains(t.name, " "):
		p.refuse(o, "", "", "each option needs a word of its own")
	case t.env && t.line:
		p.refuse(o, t.written, "", "it is not allowed in NODE_OPTIONS")
	case t.env && !t.known:
		p.unknown(t)
	case !t.known:
		return // V8 has hundreds of its own
	case p.Release.Major > 0 && !p.Release.has(t.since) && (t.env || !t.v8):
		p.refuse(o, t.written, "", "it came with %s", versions(t.since))
	case t.number && !t.assigned:
		p.refuse(o, t.joined(), t.joinedMeant(), "its value must be joined to it with =")
	case t.number && !t.env && strings.Contains(t.value, " -"):
		p.refuse(o, "", "", "each option needs a word of its own")
	case t.number && !number.MatchString(t.value):
		p.refuse(o, t.written, t.meant(), "V8 takes a bare whole number%s", unit(t.name))
	case (t.spec.value || inspects(t)) && t.value == "":
		p.refuse(o, t.written, "", "it requires an argument")
	case values[t.name] != nil && !slices.Contains(values[t.name], t.value):
		p.refuse(o, t.written, "", "it takes one of %s", strings.Join(values[t.name], ", "))
		if t.name == "--dns-result-order" {
			p.exitsWith(1) // found out by a script
		}
	case inspects(t) && !port(t.value):
		p.refuse(o, t.written, "", "the inspector's port must be 0 or between 1024 and 65535")
	case modules[t.name] && strings.HasSuffix(t.value, "\n"):
		p.refuse(o, t.written, "", "no module has a name that ends in a line break")
		p.exitsWith(1)
	}
}

// exitsWith sets the exit code of the last refusal.
func (p *Process) exitsWith(code int) { p.Refused[len(p.Refused)-1].Exit = code }

// unknown judges a name in NODE_OPTIONS that no known release takes there.
func (p *Process) unknown(t taken) {
	o := t.Option
	plain := plainName.MatchString(t.name)
	if plain && strings.HasPrefix(t.name, "--experimental-") {
		return // they come and go
	}
	p.refuse(o, t.written, "", "it is not allowed in NODE_OPTIONS")
	r := &p.Refused[len(p.Refused)-1]
	if !plain {
		r.Reason = "no option has such a name"
	}
	r.Sure = !plain || p.Release.Major == complete
}

// plainName matches what may be the name of an option in some release.
var plainName = regexp.MustCompile(`^--[a-z][a-z0-9.-]*$`)

// joined returns the text of an option and of the number behind it, which were
// meant to be one word.
func (t taken) joined() string {
	if t.env && number.MatchString(t.next) && t.next != "" {
		return t.written + " " + t.next
	}
	return t.written
}

// joinedMeant returns what was meant by joined, empty where it is not plain.
func (t taken) joinedMeant() string {
	if t.joined() == t.written {
		return ""
	}
	return t.Text + "=" + t.next
}

// unit says what the number of an option counts.
func unit(name string) string {
	if name == "--stack-trace-limit" {
		return ""
	}
	return " of MiB"
}

// sized matches an amount with a unit, as Kubernetes or the JVM take it.
var sized = regexp.MustCompile(`^['"]?([0-9]{1,6})\s*([mMgG])?(?:[iI]?[bB]?)['"]?$`)

// meant returns the option with the number that was meant, empty where that is not
// plain.
func (t taken) meant() string {
	m := sized.FindStringSubmatch(t.value)
	if m == nil || unit(t.name) == "" {
		return ""
	}
	n := m[1]
	if m[2] == "g" || m[2] == "G" {
		gib, _ := strconv.ParseUint(n, 10, 64) // six digits
		n = strconv.FormatUint(gib<<10, 10)
	}
	flag, _, _ := strings.Cut(t.Text, "=")
	return flag + "=" + n
}

func versions(since []Release) string {
	var all []string
	for _, r := range since {
		all = append(all, strings.TrimSuffix(r.String(), ".0"))
	}
	return strings.Join(all, " and ")
}

// values are the words that an option takes, in any release (node_options.cc,
// EnvironmentOptions::CheckOptions; lib/internal/dns/utils.js, initializeDns).
var values = map[string][]string{
	"--unhandled-rejections": {"strict", "throw", "warn", "warn-with-error-code", "none"},
	"--dns-result-order":     {"verbatim", "ipv4first", "ipv6first"},
	"--use-largepages":       {"off", "on", "silent"},
}

// modules are the options that name a module to load at the start.
var modules = map[string]bool{"--require": true, "-r": true, "--import": true}

// inspects reports an option that may take the inspector's address.
func inspects(t taken) bool {
	switch t.name {
	case "--inspect-port", "--debug-port":
		return true
	case "--inspect", "--inspect-brk", "--inspect-wait":
		return t.assigned
	}
	return false
}

// port reports whether Node.js takes the inspector's address (node_options.cc,
// SplitHostPort): what has no colon and is no number is a host.
func port(address string) bool {
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		return true
	}
	at := strings.LastIndexByte(address, ':')
	digits := address[at+1:]
	if at < 0 && strings.Trim(digits, "0123456789") != "" {
		return true
	}
	if digits == "" {
		return true // strtoul makes it 0
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return err == nil && (n == 0 || n >= 1024 && n <= 65535)
}
