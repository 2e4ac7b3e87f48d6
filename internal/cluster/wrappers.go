package cluster

import "strings"

// A wrapper is a program whose arguments are options and then another program
// that it runs in its place or beside itself.
type wrapper struct {
	// values are the short options that take the next word as their value when
	// nothing is attached to them.
	values string
	// longValues are the long options that take the next word.
	longValues []string
	// query are the short options that make the program do something else.
	query string
	// operands is how many words stand before the program.
	operands int
	// assigns is true when VAR=value may stand before the program.
	assigns bool
}

// wrappers are the programs that are looked through, from their manual pages.
var wrappers = map[string]wrapper{
	"tini":         {values: "pe", query: "h"},
	"tini-static":  {values: "pe", query: "h"},
	"docker-init":  {values: "pe", query: "h"},
	"dumb-init":    {values: "r", longValues: []string{"--rewrite"}, query: "hV"},
	"catatonit":    {query: "hV"},
	"env":          {values: "uC", longValues: []string{"--unset", "--chdir"}, query: "S", assigns: true},
	"nice":         {values: "n", longValues: []string{"--adjustment"}},
	"ionice":       {values: "cn", longValues: []string{"--class", "--classdata"}, query: "pPu"},
	"timeout":      {values: "ks", longValues: []string{"--kill-after", "--signal"}, operands: 1},
	"su-exec":      {operands: 1},
	"gosu":         {operands: 1},
	"s6-setuidgid": {operands: 1},
	"with-contenv": {},
	"nohup":        {},
	"setsid":       {},
	"stdbuf":       {values: "ioe", longValues: []string{"--input", "--output", "--error"}},
	"chrt":         {query: "pm", operands: 1},
	"sudo":         {values: "ugCDghpRrtTU", query: "leVvKk", assigns: true},
	"busybox":      {},
	"toybox":       {},
	"exec":         {values: "a"},
	"command":      {query: "vV"},
	"builtin":      {},
	"time":         {values: "fo", longValues: []string{"--format", "--output"}},
	"unbuffer":     {},
	"numactl":      {values: "miNpC", longValues: []string{"--membind", "--interleave", "--cpunodebind", "--physcpubind", "--preferred"}, query: "sH"},
}

// unwrap returns the program that the wrapper runs and the variables that it
// sets; false when that cannot be told.
func (w wrapper) unwrap(words []Word) (rest []Word, assigned []Variable, ok bool) {
	i := 1
	operands := w.operands
options:
	for ; i < len(words) && words[i].Known; i++ {
		o := words[i].Value
		switch {
		case o == "--":
			i++
			break options
		case len(o) < 2 || o[0] != '-':
			break options
		case strings.HasPrefix(o, "--"):
			for _, l := range w.longValues {
				if o == l {
					i++
				}
			}
		default:
			if strings.ContainsAny(o[1:], w.query) {
				return nil, nil, false
			}
			// BusyBox before 1.30 took the seconds as -t.
			if operands > 0 && w.values == "ks" && o == "-t" {
				i++
				operands--
			}
			if at := strings.IndexAny(o[1:], w.values); at == len(o)-2 && w.values != "" {
				i++
			}
		}
	}
	for i < len(words) && operands > 0 {
		if !words[i].Known {
			return nil, nil, false
		}
		operands--
		i++
	}
	for w.assigns && i < len(words) && words[i].Known {
		name, value, found := strings.Cut(words[i].Value, "=")
		if !found {
			break
		}
		assigned = append(assigned, Variable{
			Name: name, Value: value, Known: true, Secret: words[i].Secret, From: within(words[i].From, value),
		})
		i++
	}
	if i >= len(words) {
		return nil, assigned, true
	}
	return words[i:], assigned, true
}
