package servers

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
)

// settings are the settings of one server in effect.
type settings struct {
	cluster *cluster.Cluster
	ctr     *manifest.Container
	program *program
	found   map[string]Setting
	// sure is false when something that the files do not show may set one.
	sure bool
}

// read takes the settings in the order in which servers do: configuration files,
// variables, the command line. The last one counts.
func (s *settings) read(command cluster.Command) {
	flags := s.flags(command.Words)
	for _, pattern := range s.program.files {
		dir, name := path.Split(pattern)
		if !strings.HasPrefix(name, "*") {
			s.file(pattern)
			continue
		}
		for _, f := range s.cluster.MountedFiles(s.ctr, dir) {
			if strings.HasSuffix(f.Path, name[1:]) {
				s.file(f.Path)
			}
		}
	}
	for _, f := range flags {
		if slices.Contains(s.program.fileFlags, f.key) {
			s.file(f.Value)
		}
	}
	// redis-server names its file without an option.
	if len(command.Words) > 0 && command.Words[0].Known && path.IsAbs(command.Words[0].Value) {
		s.file(command.Words[0].Value)
	}
	env := s.cluster.Environment(s.ctr)
	for _, name := range slices.Sorted(maps.Keys(s.program.variables)) {
		key := s.program.variables[name]
		v, ok := env.Lookup(name)
		if i := slices.IndexFunc(command.Assignments, func(a cluster.Variable) bool { return a.Name == name }); i >= 0 {
			v, ok = command.Assignments[i], true
		}
		switch {
		case !ok:
		case !v.Known:
			s.sure = false
		case key == "": // a variable of options
			for _, f := range s.flags(variableWords(v)) {
				s.set(f.key, f.Setting)
			}
		default:
			s.set(key, Setting{Text: name + "=" + v.Value, Value: v.Value, Secret: v.Secret, From: v.From})
		}
	}
	for _, f := range flags {
		s.set(f.key, f.Setting)
	}
}

func variableWords(v cluster.Variable) []cluster.Word {
	var words []cluster.Word
	for text := range strings.FieldsSeq(v.Value) {
		w := cluster.Word{Value: text, Known: true, Secret: v.Secret, From: v.From}
		w.From.Within = cmp.Or(w.From.Within, text)
		words = append(words, w)
	}
	return words
}

func (s *settings) set(key string, value Setting) {
	if key = s.program.key(key); slices.Contains(s.program.keys, key) {
		s.found[key] = value
	}
}

// key returns the one spelling of a setting's name.
func (p *program) key(name string) string {
	if p.dashes {
		return strings.TrimPrefix(strings.ReplaceAll(name, "-", "_"), "loose_")
	}
	return name
}

// line matches a setting in a configuration file. Every server here writes one a
// line, its name first: "a = 1", "a: 1" or "a 1".
var line = regexp.MustCompile(`(?m)^[ \t]*([A-Za-z_][A-Za-z0-9_.-]*)(?:[ \t]*[=:][ \t]*|[ \t]+)(?:'([^'\n]*)'|"([^"\n]*)"|([^#;'"\s][^#;\n]*))`)

func (s *settings) file(name string) {
	f, ok := s.cluster.MountedFile(s.ctr, name)
	if !ok {
		return
	}
	for _, m := range line.FindAllStringSubmatch(f.Text, -1) {
		value := strings.TrimSpace(cmp.Or(m[2], m[3], m[4]))
		from := f.From
		from.Within = strings.TrimSpace(m[0])
		s.set(m[1], Setting{Text: from.Within, Value: value, From: from})
	}
}

// A flag is a setting from the command line.
type flag struct {
	key string
	Setting
}

// flags reads a command line: --key=value, --key value, -k value, -kvalue and,
// for PostgreSQL, -c key=value.
func (s *settings) flags(words []cluster.Word) []flag {
	var out []flag
	for i, w := range words {
		body, isFlag := strings.CutPrefix(w.Value, "-")
		if !w.Known || !isFlag {
			s.sure = s.sure && w.Known
			continue
		}
		body, long := strings.CutPrefix(body, "-")
		f := flag{Setting: Setting{Text: w.Value, Secret: w.Secret, From: w.From}}
		var joined bool
		f.key, f.Value, joined = strings.Cut(body, "=")
		switch {
		case joined:
		case !long && len(body) > 1 && slices.Contains(s.program.keys, body[:1]):
			f.key, f.Value = body[:1], body[1:]
		case i+1 < len(words) && words[i+1].Known && !strings.HasPrefix(words[i+1].Value, "-"):
			next := words[i+1]
			f.Setting = Setting{Text: w.Value + " " + next.Value, Value: next.Value, Secret: w.Secret || next.Secret, From: next.From}
			if s.program.assigns && body == "c" {
				f.Text = next.Value
				f.key, f.Value, _ = strings.Cut(next.Value, "=")
			}
		}
		out = append(out, f)
	}
	return out
}

// units are the factors of the suffixes of a size; one in lower case stands for
// all spellings. "%" allows percents of the memory limit.
type units map[string]float64

// size matches a size: a number and its unit.
var size = regexp.MustCompile(`^([0-9]*\.?[0-9]+)\s*([A-Za-z%]*)$`)

// bytes reads a size, false when the server would not understand it. A percent is of
// the limit.
func bytes(value string, u units, limit uint64) (uint64, bool) {
	m := size.FindStringSubmatch(value)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	factor, known := u[m[2]]
	switch lower := strings.ToLower(m[2]); {
	case known && m[2] == "%":
		factor = float64(limit) / 100
	case known:
	case lower != m[2]:
		factor, known = u[lower]
	}
	return uint64(min(n*factor, 1<<60)), err == nil && known
}
