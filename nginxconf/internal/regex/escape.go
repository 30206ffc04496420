package regex

import (
	"strconv"
	"strings"
)

var (
	digitSet = setOf("09")
	wordSet  = setOf("09AZ__az")
	spaceSet = setOf("\t\r  ") // with the vertical tab, since PCRE 8.34
	blankSet = setOf("\t\t  \xa0\xa0")
	lineSet  = setOf("\n\r\x85\x85")
)

// types are the escapes that stand for a set of bytes.
func types(c byte) (set, bool) {
	switch c {
	case 'd':
		return digitSet, true
	case 'D':
		return digitSet.not(), true
	case 'w':
		return wordSet, true
	case 'W':
		return wordSet.not(), true
	case 's':
		return spaceSet, true
	case 'S':
		return spaceSet.not(), true
	case 'h':
		return blankSet, true
	case 'H':
		return blankSet.not(), true
	case 'v':
		return lineSet, true
	case 'V':
		return lineSet.not(), true
	}
	return set{}, false
}

// escape reads what follows "\" outside of a class.
func (p *parser) escape() *node {
	if p.i == len(p.s) {
		return p.fail(`\ at the end`)
	}
	c := p.s[p.i]
	if s, ok := types(c); ok {
		p.i++
		return class(s)
	}
	p.i++
	switch c {
	case 'N':
		if p.peek() == '{' && !p.digitAt(p.i+1) {
			return p.fail(`\N{`)
		}
		return class(setOf("\n\n").not())
	case 'R': // PCRE2 10.42 takes "." and it for disjoint, which they are not
		return p.fail(`\R`)
	case 'b':
		return &node{kind: kindWord}
	case 'B':
		return &node{kind: kindNotWord}
	case 'A', 'G': // nginx starts each match at 0
		return &node{kind: kindBegin}
	case 'Z':
		return &node{kind: kindEnd}
	case 'z':
		return &node{kind: kindTextEnd}
	case 'K':
		return &node{kind: kindKeep}
	case 'k':
		switch {
		case p.accept("<"):
			return p.reference('>')
		case p.accept("'"):
			return p.reference('\'')
		case p.accept("{"):
			return p.reference('}')
		}
		return p.fail(`\k`)
	case 'g':
		return p.gReference()
	}
	if '1' <= c && c <= '9' {
		end := p.i
		for end < len(p.s) && '0' <= p.s[end] && p.s[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(p.s[p.i-1 : end])
		switch {
		case err != nil:
			return p.fail("a long number")
		case n < 10 || n <= p.total:
			p.i = end
			return p.back(n)
		case c >= '8':
			return p.fail(`\` + string(rune(c)))
		}
	}
	p.i--
	b, ok := p.character()
	if !ok {
		return p.fail(`\` + string(rune(c)))
	}
	return p.literal(b)
}

func (p *parser) digitAt(i int) bool { return i < len(p.s) && '0' <= p.s[i] && p.s[i] <= '9' }

func (p *parser) back(n int) *node {
	if n >= len(p.closed) || !p.closed[n] { // PCRE2 10.42 is mistaken about what they take
		return p.fail("a reference to a group that is not complete or has lookaround")
	}
	return &node{kind: kindBack, n: n, caseless: p.flags.caseless}
}

// gReference reads what follows "\g".
func (p *parser) gReference() *node {
	brace := p.accept("{")
	end := p.i
	for end < len(p.s) && strings.IndexByte("+-0123456789", p.s[end]) >= 0 {
		end++
	}
	text := p.s[p.i:end]
	n, err := strconv.Atoi(text)
	switch {
	case brace && text == "":
		return p.reference('}')
	case err != nil:
		return p.fail(`\g`) // "\g<" calls a group
	case text[0] == '-':
		n += p.groups + 1
	case text[0] == '+':
		n += p.groups
	}
	p.i = end
	if brace && !p.accept("}") || n < 1 {
		return p.fail(`\g`)
	}
	return p.back(n)
}

// reference reads the name of a group, which has to stand before.
func (p *parser) reference(end byte) *node {
	at := strings.IndexByte(p.s[p.i:], end)
	if at < 0 {
		return p.fail("a name")
	}
	name := p.s[p.i : p.i+at]
	p.i += at + 1
	n, known := p.names[name]
	if !known {
		return p.fail("a reference forwards")
	}
	return p.back(n)
}

// character reads an escape that stands for one byte, from behind the "\".
func (p *parser) character() (byte, bool) {
	c := p.s[p.i]
	p.i++
	switch c {
	case 'a':
		return 7, true
	case 'e':
		return 27, true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'x':
		if p.accept("{") {
			return p.number(16, "}")
		}
		end := p.i
		for end < len(p.s) && end < p.i+2 && isHex(p.s[end]) {
			end++
		}
		n, _ := strconv.ParseUint("0"+p.s[p.i:end], 16, 8)
		p.i = end
		return byte(n), true
	case 'o':
		if p.accept("{") {
			return p.number(8, "}")
		}
		return 0, false
	case '0', '1', '2', '3', '4', '5', '6', '7':
		end := p.i
		for end < len(p.s) && end < p.i+2 && '0' <= p.s[end] && p.s[end] <= '7' {
			end++
		}
		n, err := strconv.ParseUint(p.s[p.i-1:end], 8, 8)
		p.i = end
		return byte(n), err == nil
	case 'c':
		if p.i == len(p.s) {
			return 0, false
		}
		c := p.s[p.i]
		p.i++
		if 'a' <= c && c <= 'z' {
			c -= 32
		}
		return c ^ 64, true
	}
	if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' {
		return 0, false
	}
	return c, true
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func (p *parser) number(base int, end string) (byte, bool) {
	text, _, found := strings.Cut(p.s[p.i:], end)
	n, err := strconv.ParseUint(text, base, 8)
	p.i += len(text) + 1
	return byte(n), found && err == nil
}

var posix = map[string]set{
	"alpha": setOf("AZaz"), "lower": setOf("az"), "upper": setOf("AZ"), "alnum": setOf("09AZaz"),
	"ascii": setOf("\x00\x7f"), "blank": setOf("\t\t  "), "cntrl": setOf("\x00\x1f\x7f\x7f"), "digit": digitSet,
	"graph": setOf("!~"), "print": setOf(" ~"), "punct": setOf("!/:@[`{~"), "space": spaceSet, "word": wordSet,
	"xdigit": setOf("09AFaf"),
}

// class reads what follows "[".
func (p *parser) class() *node {
	var s set
	not := p.accept("^")
	last := -1 // the character that a range may start with
	quoted := false
	for first := true; ; first = false {
		if p.i >= len(p.s) {
			return p.fail("an open class")
		}
		c := p.s[p.i]
		switch {
		case quoted && p.accept(`\E`):
			quoted = false
			continue
		case quoted:
		case c == ']' && !first:
			p.i++
			if p.flags.caseless {
				s.fold()
			}
			if not {
				s = s.not()
			}
			return class(s)
		case p.accept(`\Q`):
			return p.fail(`\Q in a class`)
		case p.accept(`\E`):
			return p.fail(`\E in a class`)
		case c == '[' && p.i+1 < len(p.s) && strings.IndexByte(":.=", p.s[p.i+1]) >= 0:
			if name, is := p.posixName(); is {
				base, negated := strings.CutPrefix(name, "^")
				if p.flags.caseless && (base == "lower" || base == "upper") {
					base = "alpha"
				}
				set, known := posix[base]
				if !known {
					return p.fail("[:" + name + ":]")
				}
				if negated {
					set = set.not()
				}
				s.join(set)
				last = -1
				continue
			}
		case c == '\\' && p.i+1 < len(p.s):
			if set, is := types(p.s[p.i+1]); is {
				p.i += 2
				s.join(set)
				last = -1
				continue
			}
		case c == '-' && last >= 0 && p.i+1 < len(p.s) && p.s[p.i+1] != ']':
			p.i++
			to, ok := p.classCharacter()
			if !ok || int(to) < last {
				return p.fail("a range")
			}
			s.addRange(byte(last), to)
			last = -1
			continue
		}
		b, ok := p.classCharacter()
		if !ok {
			return p.fail("an escape in a class")
		}
		s.add(b)
		last = int(b)
	}
}

func (p *parser) classCharacter() (byte, bool) {
	c := p.s[p.i]
	p.i++
	if c == '[' && p.i < len(p.s) && strings.IndexByte(":.=", p.s[p.i]) >= 0 {
		p.i--
		_, is := p.posixName()
		p.i++
		return c, !is
	}
	if c != '\\' {
		return c, true
	}
	if p.i == len(p.s) {
		return 0, false
	}
	if p.accept("b") {
		return '\b', true
	}
	if c := p.s[p.i]; c == '8' || c == '9' {
		return 0, false
	}
	return p.character()
}

// posixName reads "[:name:]", if that is what stands there.
func (p *parser) posixName() (name string, is bool) {
	kind := p.s[p.i+1]
	rest := p.s[p.i+2:]
	for k := 0; k+1 < len(rest); k++ {
		switch {
		case rest[k] == kind && rest[k+1] == ']':
			if kind != ':' {
				return "", true // an error to PCRE2
			}
			p.i += k + 4
			return rest[:k], true
		case rest[k] == ']' || rest[k] == '\\' || rest[k] == '[':
			return "", false
		}
	}
	return "", false
}
