package jvm

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
)

//go:embed hotspot.txt
var hotspotText string

// A hotspotFlag is one of HotSpot's -XX: flags.
type hotspotFlag struct {
	kind        byte    // b, u, i, f, t or ?, as in hotspot.txt
	least, most float64 // what releases since 9 take
	since       []status
}

// A status is what a flag is from a release on.
type status struct {
	from int
	is   byte // p, x, d, o, - or ?, as in hotspot.txt
}

const (
	refused = '-'
	unknown = '?'
)

// hotspot holds HotSpot's flags by name, and their names by the name in lower case.
var hotspot = sync.OnceValues(func() (flags map[string]hotspotFlag, folded map[string]string) {
	flags, folded = map[string]hotspotFlag{}, map[string]string{}
	for line := range strings.Lines(hotspotText) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		f, err := parseHotspot(fields[1:])
		if err != nil {
			panic("jvm: hotspot.txt: " + fields[0] + ": " + err.Error()) // the tests read it
		}
		flags[fields[0]] = f
		folded[strings.ToLower(fields[0])] = fields[0]
	}
	return flags, folded
})

func parseHotspot(fields []string) (hotspotFlag, error) {
	kind, ends, bounded := strings.Cut(strings.TrimSuffix(fields[0], "]"), "[")
	f := hotspotFlag{kind: kind[0], least: math.Inf(-1), most: math.Inf(1)}
	if bounded {
		least, most, _ := strings.Cut(ends, ",")
		for text, end := range map[string]*float64{least: &f.least, most: &f.most} {
			if text == "" {
				continue
			}
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return f, err
			}
			*end = n
		}
	}
	for _, text := range fields[1:] {
		from, err := strconv.Atoi(text[:len(text)-1])
		if err != nil {
			return f, err
		}
		f.since = append(f.since, status{from, text[len(text)-1]})
	}
	if len(f.since) == 0 || f.since[0].from != Oldest {
		return f, fmt.Errorf("no status in %d", Oldest)
	}
	return f, nil
}

// lookupFlag returns a flag of HotSpot.
func lookupFlag(name string) (hotspotFlag, bool) {
	flags, _ := hotspot()
	f, ok := flags[name]
	return f, ok
}

// otherCase returns the flag whose name differs from this one by the case of its
// letters only, of which HotSpot takes note.
func otherCase(name string) (string, bool) {
	_, folded := hotspot()
	right, ok := folded[strings.ToLower(name)]
	return right, ok && right != name
}

// in returns what the flag is in a release.
func (f hotspotFlag) in(feature int) byte {
	is := byte(unknown)
	for _, s := range f.since {
		if s.from <= feature {
			is = s.is
		}
	}
	return is
}

// A span is some releases in a row, the last one included.
type span struct{ from, to int }

// where returns the releases, in rows, in which the flag is one of these.
func (f hotspotFlag) where(is string) []span {
	var out []span
	for i, s := range f.since {
		to := Newest
		if i+1 < len(f.since) {
			to = f.since[i+1].from - 1
		}
		switch {
		case strings.IndexByte(is, s.is) < 0:
		case len(out) > 0 && out[len(out)-1].to == s.from-1:
			out[len(out)-1].to = to
		default:
			out = append(out, span{s.from, to})
		}
	}
	return out
}

// why says why releases refuse the flag.
func (f hotspotFlag) why(refusing span) string {
	before, after := f.in(refusing.from-1), f.in(refusing.to+1)
	switch {
	case refusing.from > Oldest && before != unknown:
		return fmt.Sprintf("Java %d removed the flag", refusing.from)
	case refusing.from > Oldest:
		return "the flag is gone"
	case refusing.to < Newest && after != unknown:
		return fmt.Sprintf("Java %d added the flag", refusing.to+1)
	}
	return "the flag came later"
}

// malformed says what is wrong with the value that a flag is given, in every
// release: "" when nothing is. sign is + or - where one is written.
func (f hotspotFlag) malformed(sign byte, value string, assigned bool) string {
	if f.kind == '?' {
		return ""
	}
	if f.kind == 'b' {
		switch {
		case sign == 0:
			return "the flag is switched with + or -, as in -XX:+"
		case assigned:
			return "the flag takes no value, only + or -"
		}
		return ""
	}
	switch {
	case sign != 0:
		return "the flag takes a value, not + or -"
	case !assigned:
		return "the value is missing"
	case f.kind == 't':
		return ""
	case value == "":
		return "the value is missing"
	}
	ok := false
	switch f.kind {
	case 'f':
		_, ok = parseSize(value)
		ok = ok || decimal.MatchString(value)
	case 'i':
		_, ok = parseSize(strings.TrimPrefix(value, "-"))
	case 'u':
		_, ok = parseSize(value)
	}
	if !ok {
		return "the value is not a whole number, with k, m, g or t behind it or without"
	}
	return ""
}

// ends says which values the flag takes: ": 0 to 100".
func (f hotspotFlag) ends() string {
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	switch least, most := !math.IsInf(f.least, 0), !math.IsInf(f.most, 0); {
	case least && most:
		return ": " + number(f.least) + " to " + number(f.most)
	case least:
		return ": " + number(f.least) + " at least"
	case most:
		return ": " + number(f.most) + " at most"
	}
	return ""
}

// outside reports whether a well-formed value lies outside of what the flag takes.
func (f hotspotFlag) outside(value string) bool {
	if f.kind != 'u' && f.kind != 'i' && f.kind != 'f' {
		return false
	}
	n := parseFraction(strings.TrimPrefix(value, "-"))
	if strings.HasPrefix(value, "-") {
		n = -n
	}
	return n < f.least || n > f.most
}
