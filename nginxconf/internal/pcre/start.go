package pcre

import (
	"strings"
	"unicode/utf8"
)

// start reads the settings that a pattern may start with, such as (*UTF8), and
// checks the UTF-8 of a pattern that asks for it.
func (p *scanner) start() code {
	for {
		name, found := strings.CutPrefix(p.s[p.i:], "(*")
		if !found {
			break
		}
		if end := strings.IndexAny(name, "=)"); end >= 0 {
			name = name[:end+1]
		}
		switch name {
		case "UTF)", "UTF8)":
			p.utf = true
		case "UCP)":
			p.ucp = true
		case "CR)":
			p.newline = newlineCR
		case "LF)":
			p.newline = newlineLF
		case "CRLF)":
			p.newline = newlineCRLF
		case "NUL)":
			p.newline = newlineNUL
		case "ANY)":
			p.newline = newlineAny
		case "ANYCRLF)":
			p.newline = newlineAnyCRLF
		case "NOTEMPTY)", "NOTEMPTY_ATSTART)", "NO_AUTO_POSSESS)", "NO_DOTSTAR_ANCHOR)",
			"NO_JIT)", "NO_START_OPT)", "BSR_ANYCRLF)", "BSR_UNICODE)":
		case "LIMIT_HEAP=", "LIMIT_MATCH=", "LIMIT_DEPTH=", "LIMIT_RECURSION=":
			if err := p.limit(p.i + 2 + len(name)); err != ok {
				return err
			}
			continue
		default:
			name = ""
		}
		if name == "" {
			break
		}
		p.i += 2 + len(name)
	}
	if p.utf {
		return p.valid()
	}
	return ok
}

// limit reads the number at i and the parenthesis behind it.
func (p *scanner) limit(i int) code {
	if !p.digit(i) {
		return p.fail(60, i)
	}
	for n := uint32(0); p.digit(i) && n <= 1<<32/10-1; i++ {
		n = n*10 + uint32(p.s[i]-'0')
	}
	i++
	if !p.is(i-1, ')') {
		return p.fail(60, i) // beyond the pattern, if it ends here
	}
	p.i = i
	return ok
}

// valid checks that the pattern is UTF-8.
func (p *scanner) valid() code {
	for i := 0; i < len(p.s); {
		if p.s[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(p.s[i:])
		if r == utf8.RuneError && n == 1 {
			return p.fail(utf8Error+invalid(p.s[i:]), i)
		}
		i += n
	}
	return ok
}

// invalid says what is wrong with the character that s starts with, following
// PCRE2: it counts with the sequences of up to six bytes of RFC 2279.
func invalid(s string) code {
	c := s[0]
	size := 0
	switch {
	case c < 0xc0:
		return 20
	case c < 0xe0:
		size = 2
	case c < 0xf0:
		size = 3
	case c < 0xf8:
		size = 4
	case c < 0xfc:
		size = 5
	case c < 0xfe:
		size = 6
	default:
		return 21
	}
	if missing := size - len(s); missing > 0 {
		return code(missing)
	}
	for i := 1; i < size; i++ {
		if s[i]&0xc0 != 0x80 {
			return code(5 + i)
		}
	}
	d := s[1]
	switch {
	case size == 2, size == 3 && c == 0xe0 && d < 0xa0, size == 4 && c == 0xf0 && d < 0x90,
		size == 5 && c == 0xf8 && d < 0x88, size == 6 && c == 0xfc && d < 0x84:
		return code(13 + size)
	case size == 3:
		return 14 // a surrogate
	case size == 4:
		return 13
	}
	return code(6 + size)
}

// A newline is what ends a # comment.
type newline uint8

const (
	newlineLF newline = iota // as PCRE2 is built
	newlineCR
	newlineCRLF
	newlineNUL
	newlineAny
	newlineAnyCRLF
)

// index returns where the text behind the first newline starts.
func (n newline) index(s string, utf bool) int {
	end := ""
	switch n {
	case newlineLF:
		end = "\n"
	case newlineCR:
		end = "\r"
	case newlineCRLF:
		end = "\r\n"
	case newlineNUL:
		end = "\x00"
	default:
		return n.indexAny(s, utf)
	}
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}

func (n newline) indexAny(s string, utf bool) int {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\r' && strings.HasPrefix(s[i:], "\r\n"):
			return i + 2
		case c == '\n', c == '\r':
			return i + 1
		case n == newlineAnyCRLF:
		case c == '\v', c == '\f', c == 0x85 && !utf:
			return i + 1
		case c == 0xc2 && utf && strings.HasPrefix(s[i:], "\u0085"):
			return i + 2
		case c == 0xe2 && utf && (strings.HasPrefix(s[i:], "\u2028") || strings.HasPrefix(s[i:], "\u2029")):
			return i + 3
		}
	}
	return len(s)
}
