package nginx

import (
	"fmt"
	"slices"
	"strings"
)

// A Directive is one directive of a configuration: its name and arguments, and
// what stands in its braces.
type Directive struct {
	// Words are the name and the arguments, at least one.
	Words []Word
	// Block is true for a directive with braces, which hold Directives.
	Block      bool
	Directives []Directive
}

// Name returns the directive's name.
func (d Directive) Name() string { return d.Words[0].Value }

// Args returns the arguments behind the name.
func (d Directive) Args() []Word { return d.Words[1:] }

// A Word is a name or an argument without its quotes, and the bytes of the text
// that it stands in, with them.
type Word struct {
	Value      string
	Start, End int
}

// A Fault is where a configuration breaks nginx's syntax, in bytes of the text.
type Fault struct {
	Message    string
	Start, End int
}

// maxDepth bounds nesting; nginx itself has no deeper one than some ten.
const maxDepth = 100

// Parse reads a configuration file as nginx does (src/core/ngx_conf_file.c,
// ngx_conf_read_token and ngx_conf_parse). The directives are those before the
// fault, which is nil for a text that is well-formed.
func Parse(text string) ([]Directive, *Fault) {
	p := &parser{text: text}
	directives := p.directives(0, Word{})
	return directives, p.fault
}

type parser struct {
	text  string
	at    int
	fault *Fault
}

func (p *parser) fail(start, end int, format string, args ...any) {
	if p.fault == nil {
		p.fault = &Fault{Message: fmt.Sprintf(format, args...), Start: min(start, len(p.text)), End: min(end, len(p.text))}
	}
}

// directives reads up to the brace that closes the block opened by a directive,
// or to the end of the file.
func (p *parser) directives(depth int, opened Word) []Directive {
	var out []Directive
	for p.fault == nil {
		words, end := p.read()
		switch end {
		case endOfFile:
			switch {
			case len(words) > 0:
				last := words[len(words)-1]
				p.fail(last.Start, last.End, "the file ends behind %q, expecting \";\" or \"}\"", last.Value)
			case depth > 0:
				p.fail(opened.Start, opened.End, "the block of %q is never closed, expecting \"}\"", opened.Value)
			}
			return out
		case '}':
			if len(words) > 0 {
				p.fail(words[0].Start, words[len(words)-1].End, "directive %q is not terminated by \";\"", words[0].Value)
			} else if depth == 0 {
				p.fail(p.at-1, p.at, "unexpected \"}\"")
			}
			return out
		case ';', '{':
			if len(words) == 0 {
				p.fail(p.at-1, p.at, "unexpected %q", string(end))
				return out
			}
			d := Directive{Words: words, Block: end == '{'}
			if start, stop, wrong := d.unterminated(p.text); wrong {
				p.fail(start, stop, "directive %q is not terminated by \";\"", d.Name())
				return out
			}
			switch {
			case d.Block && strings.HasSuffix(d.Name(), "_by_lua_block"):
				p.skipLua(words[0])
			case d.Block && depth >= maxDepth:
				p.fail(p.at-1, p.at, "the blocks are nested too deeply")
			case d.Block:
				d.Directives = p.directives(depth+1, words[0])
			}
			out = append(out, d)
		default:
			return out
		}
	}
	return out
}

// most is how many arguments directives take at most that have no block, from the
// command tables of nginx's modules (src/http/modules, src/core/nginx.c).
var most = map[string]int{
	"alias": 1, "autoindex": 1, "auth_basic": 1, "auth_basic_user_file": 1, "charset": 1, "client_max_body_size": 1, "default_type": 1, "expires": 2,
	"fastcgi_index": 1, "fastcgi_param": 3, "fastcgi_pass": 1, "grpc_pass": 1, "gzip": 1, "gzip_comp_level": 1, "include": 1, "internal": 0,
	"keepalive_timeout": 2, "large_client_header_buffers": 2, "pid": 1, "proxy_buffer_size": 1, "proxy_buffering": 1, "proxy_buffers": 2,
	"proxy_connect_timeout": 1, "proxy_http_version": 1, "proxy_pass": 1, "proxy_read_timeout": 1, "proxy_redirect": 2, "proxy_send_timeout": 1,
	"proxy_set_header": 2, "return": 2, "rewrite": 3, "root": 1, "sendfile": 1, "server_tokens": 1, "set": 2, "ssl_certificate": 1,
	"ssl_certificate_key": 1, "ssl_session_timeout": 1, "stub_status": 1, "tcp_nodelay": 1, "tcp_nopush": 1, "types_hash_max_size": 1, "user": 2,
	"uwsgi_pass": 1, "worker_connections": 1, "worker_processes": 1, "worker_rlimit_nofile": 1,
}

// unterminated returns the line of a directive that lacks its semicolon, so that
// the next line has become part of it: one that takes no block has one, or more
// arguments than it takes. nginx refuses either (ngx_conf_handler).
func (d Directive) unterminated(text string) (start, end int, wrong bool) {
	limit, simple := most[d.Name()]
	if d.Name() == "listen" {
		limit, simple = len(d.Args()), true
	}
	next := 0 // the first word on another line
	for i := 1; i < len(d.Words) && next == 0; i++ {
		if strings.Contains(text[d.Words[i-1].End:d.Words[i].Start], "\n") {
			next = i
		}
	}
	if !simple || next == 0 {
		return 0, 0, false
	}
	_, directive := most[d.Words[next].Value]
	directive = directive || slices.Contains([]string{"listen", "server_name", "location", "index", "access_log", "error_log", "try_files", "add_header"}, d.Words[next].Value)
	return d.Words[0].Start, d.Words[next-1].End, directive && (d.Block || len(d.Args()) > limit || d.Name() == "listen")
}

// endOfFile stands for the end of the text among the characters that end a
// directive.
const endOfFile = 0

// read reads the words up to a semicolon, a brace or the end of the file, and
// says which it was.
func (p *parser) read() (words []Word, end byte) {
	for p.at < len(p.text) {
		switch ch := p.text[p.at]; ch {
		case ' ', '\t', '\r', '\n':
			p.at++
		case ';', '{', '}':
			p.at++
			return words, ch
		case '#':
			if i := strings.IndexByte(p.text[p.at:], '\n'); i >= 0 {
				p.at += i + 1
			} else {
				p.at = len(p.text)
			}
		case '"', '\'':
			word, ok := p.quoted(ch)
			if !ok {
				return words, endOfFile
			}
			words = append(words, word)
		default:
			words = append(words, p.bare())
		}
	}
	return words, endOfFile
}

// quoted reads a word in quotes, behind which a blank, a semicolon or a brace
// must stand.
func (p *parser) quoted(quote byte) (Word, bool) {
	start := p.at
	for p.at++; p.at < len(p.text) && p.text[p.at] != quote; p.at++ {
		if p.text[p.at] == '\\' {
			p.at++
		}
	}
	if p.at >= len(p.text) {
		p.at = len(p.text)
		end := start + strings.IndexByte(p.text[start:]+"\n", '\n')
		p.fail(start, end, "the quote %c is never closed", quote)
		return Word{}, false
	}
	p.at++
	w := Word{Value: unescape(p.text[start+1 : p.at-1]), Start: start, End: p.at}
	if p.at < len(p.text) && strings.IndexByte(" \t\r\n;{", p.text[p.at]) < 0 {
		p.fail(p.at, p.at+1, "unexpected %q behind the closing quote", p.text[p.at:p.at+1])
		return w, false
	}
	return w, true
}

// bare reads a word without quotes. "${" does not open a block in it.
func (p *parser) bare() Word {
	start := p.at
	for variable := false; p.at < len(p.text); p.at++ {
		ch := p.text[p.at]
		switch {
		case ch == '\\':
			p.at++
		case ch == '{' && variable:
		case strings.IndexByte(" \t\r\n;{", ch) >= 0:
			return Word{Value: unescape(p.text[start:p.at]), Start: start, End: p.at}
		}
		variable = ch == '$'
	}
	p.at = min(p.at, len(p.text))
	return Word{Value: unescape(p.text[start:p.at]), Start: start, End: p.at}
}

var escapes = strings.NewReplacer(`\"`, `"`, `\'`, `'`, `\\`, `\`, `\t`, "\t", `\r`, "\r", `\n`, "\n")

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return escapes.Replace(s)
}

// skipLua skips a block of Lua, whose braces balance, to behind its closing
// brace. What stands in its strings and comments does not count.
func (p *parser) skipLua(name Word) {
	for depth := 1; p.at < len(p.text); p.at++ {
		switch ch := p.text[p.at]; ch {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				p.at++
				return
			}
		case '"', '\'':
			for p.at++; p.at < len(p.text) && p.text[p.at] != ch && p.text[p.at] != '\n'; p.at++ {
				if p.text[p.at] == '\\' {
					p.at++
				}
			}
		case '-':
			if strings.HasPrefix(p.text[p.at:], "--") {
				p.at += strings.IndexByte(p.text[p.at:]+"\n", '\n') - 1
			}
		}
	}
	p.at = min(p.at, len(p.text))
	p.fail(name.Start, name.End, "the block of %q is never closed, expecting \"}\"", name.Value)
}
