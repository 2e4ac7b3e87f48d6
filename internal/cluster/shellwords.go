package cluster

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A piece is a part of a shell word after expansion.
type piece struct {
	text   string
	known  bool
	secret bool
	// split is true for the unquoted result of an expansion, which the shell
	// splits into fields at blanks.
	split bool
	// quoted is true for a piece that makes a field even when it is empty.
	quoted bool
	// from is where the text was written, when that is not the word itself.
	from *Origin
	// end closes the field: "$@" makes one of each parameter.
	end bool
}

// fields expands a word of a command as a shell does, except for file names:
// what depends on something unknown is one field with the text as written.
func (in *interpreter) fields(s script, w *syntax.Word, sc *scope, m mode) []Word {
	pieces := in.pieces(s, w.Parts, sc, m, false)
	var out []Word
	var parts []piece
	flush := func() {
		if field, ok := in.join(parts, s.at(w), s.slice(w)); ok {
			out = append(out, field)
		}
		parts = nil
	}
	for _, p := range pieces {
		if !p.split || !p.known {
			parts = append(parts, p)
			if p.end {
				flush()
			}
			continue
		}
		for i, text := range splitBlanks(p.text) {
			if i > 0 {
				flush()
			}
			if text != "" {
				q := p
				q.text = text
				if q.from != nil && text != p.text {
					from := within(*q.from, text)
					q.from = &from
				}
				parts = append(parts, q)
			}
		}
	}
	flush()
	return out
}

// splitBlanks cuts at runs of blanks and keeps an empty string before a leading
// and behind a trailing run.
func splitBlanks(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); {
		if !strings.ContainsRune(" \t\n", rune(s[i])) {
			i++
			continue
		}
		out = append(out, s[start:i])
		for i < len(s) && strings.ContainsRune(" \t\n", rune(s[i])) {
			i++
		}
		start = i
	}
	return append(out, s[start:])
}

// literal expands a word that is not split: the value of an assignment.
func (in *interpreter) literal(s script, w *syntax.Word, sc *scope, m mode) Word {
	word, ok := in.join(in.pieces(s, w.Parts, sc, m, true), s.at(w), s.slice(w))
	if !ok {
		word = Word{Known: true, From: s.at(w)}
	}
	return word
}

// join makes one field of pieces; false when they make none.
func (in *interpreter) join(parts []piece, at Origin, written string) (Word, bool) {
	w := Word{Known: true, From: at}
	some, size := false, 0
	for _, p := range parts {
		size += len(p.text)
		some = some || p.quoted || !p.known || p.text != ""
		w.Known = w.Known && p.known
		w.Secret = w.Secret || p.secret
	}
	if w.Known = w.Known && in.fits(size); !w.Known {
		w.Value = written
		return w, some
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	w.Value = b.String()
	if i := slices.IndexFunc(parts, func(p piece) bool { return p.text != "" }); i >= 0 && parts[i].text == w.Value && parts[i].from != nil {
		w.From = *parts[i].from
	}
	return w, some
}

// fits takes so many bytes from what the words of the process may take, and
// reports whether they were left.
func (in *interpreter) fits(size int) bool {
	in.room -= size
	return in.room >= 0
}

// pieces expands the parts of a word. In quotes and in assignments nothing is
// split.
func (in *interpreter) pieces(s script, parts []syntax.WordPart, sc *scope, m mode, quoted bool) []piece {
	var out []piece
	for i, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			text := unescape(part.Value, false)
			// A pattern stands for the files that match it, and a tilde for a
			// home directory. "[" alone is the test command.
			known := !strings.Contains(part.Value, "*") && (i > 0 || !strings.HasPrefix(part.Value, "~"))
			out = append(out, piece{text: text, known: known || quoted && i > 0})
		case *syntax.SglQuoted:
			if part.Dollar {
				out = append(out, in.general(part, sc, true))
			} else {
				out = append(out, piece{text: part.Value, known: true, quoted: true})
			}
		case *syntax.DblQuoted:
			out = append(out, in.doubleQuoted(s, part, sc, m)...)
		case *syntax.ParamExp:
			out = append(out, in.parameter(s, part, sc, m, quoted)...)
		case *syntax.ArithmExp:
			in.substitutions(s, part, sc, m)
			out = append(out, in.general(part, sc, quoted))
		default: // command and process substitution, extended patterns
			in.substitutions(s, part, sc, m)
			out = append(out, piece{split: !quoted})
		}
	}
	for i := range out {
		out[i].secret = out[i].secret || s.secret
	}
	return out
}

func (in *interpreter) doubleQuoted(s script, q *syntax.DblQuoted, sc *scope, m mode) []piece {
	out := []piece{{known: true}}
	for _, part := range q.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			out = append(out, piece{text: unescape(part.Value, true), known: true})
		case *syntax.ParamExp:
			if plain(part) && part.Param.Value == "@" && len(q.Parts) == 1 && len(sc.args) > 0 {
				return arguments(sc, true)
			}
			out = append(out, in.parameter(s, part, sc, m, true)...)
		default:
			out = append(out, in.pieces(s, []syntax.WordPart{part}, sc, m, true)...)
		}
	}
	for i := range out {
		out[i].quoted = true
	}
	return out
}

// plain reports whether an expansion is $name or ${name}.
func plain(p *syntax.ParamExp) bool {
	return p.Param != nil && p.Exp == nil && p.Slice == nil && p.Repl == nil && p.Index == nil && p.Names == 0 &&
		!p.Excl && !p.Length && !p.Width && p.Flags == nil && len(p.Modifiers) == 0
}

func arguments(sc *scope, quoted bool) []piece {
	var out []piece
	for _, a := range sc.args[min(1, len(sc.args)):] {
		from := a.From
		out = append(out, piece{text: a.Value, known: a.Known, secret: a.Secret, split: !quoted, quoted: quoted, from: &from, end: true})
	}
	return out
}

// parameter expands $name and ${name…}. A variable that nothing sets is not
// known, since the image may set it, but ${name:-default} is taken to be the
// default then.
func (in *interpreter) parameter(s script, p *syntax.ParamExp, sc *scope, m mode, quoted bool) []piece {
	unknown := []piece{{split: !quoted}}
	if p.Param == nil {
		return unknown
	}
	name := p.Param.Value
	if plain(p) && (name == "@" || name == "*") {
		if sc.args == nil || quoted {
			return unknown
		}
		return arguments(sc, false)
	}
	v, set := sc.lookup(name)
	if n, err := strconv.Atoi(name); err == nil {
		if sc.args == nil {
			return unknown
		}
		v, set = Variable{Known: true}, n < len(sc.args)
		if set {
			a := sc.args[n]
			v = Variable{Value: a.Value, Known: a.Known, Secret: a.Secret, From: a.From}
		}
	} else if !syntax.ValidName(name) {
		return unknown // $?, $$, $# and so on
	}
	if set && !v.Known {
		in.substitutions(s, p, sc, m)
		return unknown
	}
	value := []piece{{text: v.Value, known: v.Known, secret: v.Secret, split: !quoted, from: &v.From}}
	if plain(p) {
		return value
	}
	if p.Exp == nil || p.Excl || p.Index != nil {
		in.substitutions(s, p, sc, m)
		return []piece{in.general(p, sc, quoted)}
	}
	word := func() []piece {
		if p.Exp.Word == nil {
			return []piece{{known: true}}
		}
		out := in.pieces(s, p.Exp.Word.Parts, sc, m, quoted)
		at := s.at(p.Exp.Word)
		for i := range out {
			out[i].split = out[i].split || !quoted && !out[i].quoted
			if out[i].from == nil {
				out[i].from = &at
			}
		}
		return out
	}
	null := !set || v.Value == ""
	switch p.Exp.Op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
		orNull := p.Exp.Op == syntax.DefaultUnsetOrNull || p.Exp.Op == syntax.AssignUnsetOrNull
		if set && !(orNull && null) {
			return value
		}
		out := word()
		if p.Exp.Op == syntax.AssignUnset || p.Exp.Op == syntax.AssignUnsetOrNull {
			w, _ := in.join(out, s.at(p), "")
			sc.assign(Variable{Name: name, Value: w.Value, Known: w.Known, Secret: w.Secret, From: w.From}, false)
		}
		return out
	case syntax.AlternateUnset:
		if set {
			return word()
		}
		return []piece{{known: true}}
	case syntax.AlternateUnsetOrNull:
		if !null {
			return word()
		}
		return []piece{{known: true}}
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		if !set {
			return unknown
		}
		return value
	}
	in.substitutions(s, p, sc, m)
	return []piece{in.general(p, sc, quoted)}
}

// general expands what needs no account of where its parts were written:
// arithmetic, ${name%suffix}, $'…'.
func (in *interpreter) general(part syntax.WordPart, sc *scope, quoted bool) (out piece) {
	out = piece{known: true, split: !quoted, quoted: quoted}
	cfg := &expand.Config{Env: expand.FuncEnviron(func(name string) string {
		if name == "IFS" { // asked for each time
			return ""
		}
		v, ok := sc.lookup(name)
		out.known = out.known && ok && v.Known
		out.secret = out.secret || v.Secret
		if len(v.Value) > maxPattern {
			out.known = false
			return ""
		}
		return v.Value
	})}
	text, err := expand.Literal(cfg, &syntax.Word{Parts: []syntax.WordPart{part}})
	out.text = text
	out.known = out.known && err == nil
	return out
}

// unescape takes the backslashes out of a literal.
func unescape(s string, quoted bool) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			switch {
			case s[i+1] == '\n':
				i++
				continue
			case !quoted || strings.IndexByte("$`\"\\", s[i+1]) >= 0:
				i++
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
