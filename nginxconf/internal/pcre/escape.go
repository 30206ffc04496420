package pcre

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of escape besides the letters themselves.
const (
	escLiteral   byte = 0   // a character
	escReference byte = '1' // to a group by its number
)

// escape reads what follows a backslash. It returns the letter of an escape
// that is more than a character, or one of the kinds above with the character
// or the number.
func (p *scanner) escape(class bool) (kind byte, v int32, err code) {
	if p.i >= len(p.s) {
		return 0, 0, p.fail(1, p.i)
	}
	c := p.next()
	switch c {
	case 'A', 'B', 'C', 'D', 'E', 'G', 'H', 'K', 'P', 'Q', 'R', 'S', 'V', 'W', 'X', 'Z',
		'b', 'd', 'h', 'k', 'p', 's', 'v', 'w', 'z':
		return byte(c), 0, ok
	case 'N':
		if !p.is(p.i, '{') {
			return 'N', 0, ok
		}
		if strings.HasPrefix(p.s[p.i:], "{U+") {
			if !p.utf {
				return 0, 0, p.fail(93, p.i)
			}
			p.i += 2
			return p.number(16, 67)
		}
		// \N{2} is a repeated \N, all else that is in braces is a name.
		switch r, err := p.repeat(p.i + 1); {
		case err != ok:
			return 0, 0, p.fail(err, p.i)
		case r.end == 0:
			return 0, 0, p.fail(37, p.i)
		}
		return 'N', 0, ok
	case 'a':
		return escLiteral, 7, ok
	case 'e':
		return escLiteral, 27, ok
	case 'f':
		return escLiteral, '\f', ok
	case 'n':
		return escLiteral, '\n', ok
	case 'r':
		return escLiteral, '\r', ok
	case 't':
		return escLiteral, '\t', ok
	case 'F', 'L', 'U', 'l', 'u':
		return 0, 0, p.fail(37, p.i)
	case 'g':
		if class {
			return escLiteral, 'g', ok
		}
		return p.escapeG()
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if !class {
			if n, end := p.digits(p.i - 1); n > 0 && (n < 10 || c >= '8' || n <= p.groups) {
				p.i = end
				if n > maxGroups {
					return 0, 0, p.fail(61, p.i)
				}
				return escReference, int32(n), ok
			}
		}
		if c >= '8' {
			return escLiteral, c, ok
		}
		return p.octal(c - '0')
	case '0':
		return p.octal(0)
	case 'o':
		if !p.is(p.i, '{') {
			return 0, 0, p.fail(55, min(p.i, len(p.s)-1))
		}
		return p.number(8, 64)
	case 'x':
		if p.is(p.i, '{') {
			return p.number(16, 67)
		}
		for n := 0; n < 2 && p.i < len(p.s) && hex(p.s[p.i]) >= 0; n++ {
			v = v<<4 | hex(p.s[p.i])
			p.i++
		}
		return escLiteral, v, ok
	case 'c':
		if p.i >= len(p.s) {
			return 0, 0, p.fail(2, p.i)
		}
		c := p.s[p.i]
		if c < ' ' || c > '~' {
			return 0, 0, p.fail(68, p.i)
		}
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		p.i++
		return escLiteral, int32(c ^ 0x40), ok
	case 'I', 'J', 'M', 'O', 'T', 'Y', 'i', 'j', 'm', 'q', 'y':
		return 0, 0, p.fail(3, p.i-1)
	}
	return escLiteral, c, ok
}

// octal reads up to two more digits of a character.
func (p *scanner) octal(v int32) (kind byte, _ int32, err code) {
	for n := 0; n < 2 && p.i < len(p.s) && '0' <= p.s[p.i] && p.s[p.i] <= '7'; n++ {
		v = v<<3 | int32(p.s[p.i]-'0')
		p.i++
	}
	if v > 0xff && !p.utf {
		return 0, 0, p.fail(51, p.i)
	}
	return escLiteral, v, ok
}

// number reads the number of a character, the byte before it (an opening brace)
// being at p.i. unclosed is the error for a missing closing brace.
func (p *scanner) number(base int32, unclosed code) (kind byte, v int32, err code) {
	p.i++
	if p.i >= len(p.s) || p.s[p.i] == '}' {
		return 0, 0, p.fail(78, p.i)
	}
	most := int32(0xff)
	if p.utf {
		most = 0x10ffff
	}
	large := false
	for ; p.i < len(p.s); p.i++ {
		d := hex(p.s[p.i])
		if d < 0 || d >= base {
			break
		}
		if !large {
			v = v*base + d
			large = v > most
		}
	}
	switch {
	case large:
		return 0, 0, p.fail(34, p.i)
	case !p.is(p.i, '}'):
		return 0, 0, p.fail(unclosed, min(p.i, len(p.s)-1))
	case p.utf && 0xd800 <= v && v <= 0xdfff:
		return 0, 0, p.fail(73, p.i)
	}
	p.i++
	return escLiteral, v, ok
}

// escapeG reads what follows \g. A name in braces makes it a \k.
func (p *scanner) escapeG() (kind byte, v int32, err code) {
	if p.i >= len(p.s) {
		return 0, 0, p.fail(57, p.i)
	}
	var n, end int
	switch p.s[p.i] {
	case '<', '\'':
		return 'g', 0, ok
	case '{':
		n, end, err = p.groupNumber(p.i+1, true)
		switch {
		case err != ok:
			return 0, 0, p.fail(err, p.i)
		case end == 0:
			return 'k', 0, ok
		case !p.is(end, '}'):
			return 0, 0, p.fail(57, p.i)
		}
		end++
	default:
		n, end, err = p.groupNumber(p.i, true)
		switch {
		case err != ok:
			return 0, 0, err
		case end == 0:
			return 0, 0, p.fail(57, p.i)
		}
	}
	p.i = end
	if n == 0 {
		return 0, 0, p.fail(15, p.i)
	}
	return escReference, int32(n), ok
}

// groupNumber reads the number of a group at i; one with a sign counts from the
// newest group, if that is allowed. The end is 0 if there is no number.
func (p *scanner) groupNumber(i int, signed bool) (n, end int, err code) {
	most, sign := maxGroups, byte(0)
	if signed && (p.is(i, '+') || p.is(i, '-')) {
		sign = p.s[i]
		i++
		if sign == '+' {
			most -= p.groups
		}
	}
	if !p.digit(i) {
		return 0, 0, ok
	}
	for ; p.digit(i); i++ {
		n = n*10 + int(p.s[i]-'0')
		if n > most {
			return 0, 0, p.fail(61, i+1)
		}
	}
	if sign != 0 && n == 0 {
		return 0, 0, p.fail(26, i)
	}
	switch {
	case sign == '+':
		n += p.groups
	case sign == '-' && n > p.groups:
		return 0, 0, p.fail(15, i)
	case sign == '-':
		n = p.groups + 1 - n
	}
	return n, i, ok
}

// digits reads the number at i, which is 0 if it is too large for PCRE2 to try.
func (p *scanner) digits(i int) (n, end int) {
	for ; p.digit(i); i++ {
		n = n*10 + int(p.s[i]-'0')
		if n > (1<<31-1)/10-1 {
			return 0, 0
		}
	}
	return n, i
}

func hex(c byte) int32 {
	switch {
	case isDigit(c):
		return int32(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int32(c|0x20-'a') + 10
	}
	return -1
}

// escaped reads an escape outside of a class, the backslash being read.
func (p *scanner) escaped() code {
	kind, v, err := p.escape(false)
	if err != ok {
		return err
	}
	p.quantifiable = true
	switch kind {
	case escLiteral:
		p.literal()
	case escReference:
		off := p.i - 1
		if v < 10 { // PCRE2 keeps one place for all
			if p.firstRef[v] == 0 {
				p.firstRef[v] = int32(off)
			}
			off = int(p.firstRef[v])
		}
		p.emit(opBackref, int(v), off)
		p.refers = true
	case 'C':
		p.emit(opByte, 0, 0)
	case 'X', 'R':
		p.emit(opVariable, 0, 0)
	case 'H', 'h', 'N', 'V', 'v', 'd', 'D', 's', 'S', 'w', 'W':
		p.emit(opType, 0, 0)
	case 'p', 'P':
		any, err := p.property(kind == 'p')
		if err != ok {
			return err
		}
		if any {
			p.emit(opType, 0, 0)
		} else {
			p.emit(opProp, 0, 0)
		}
	case 'g', 'k':
		return p.reference(kind)
	case 'K':
		p.emit(opKeep, 0, 0)
		p.quantifiable, p.refers = false, true
	default:
		p.emit(opZero, 0, 0)
		p.quantifiable = false
	}
	return ok
}

// reference reads the delimited name or number after \g or \k. That of \g<…> is
// called, the others are referred back to.
func (p *scanner) reference(kind byte) code {
	var end byte
	switch {
	case p.is(p.i, '{'):
		end = '}'
	case p.is(p.i, '<'):
		end = '>'
	case p.is(p.i, '\''):
		end = '\''
	default:
		return p.fail(69, p.i)
	}
	if kind == 'g' {
		n, i, err := p.groupNumber(p.i+1, true)
		if err != ok {
			return p.fail(err, p.i)
		}
		if i > 0 {
			if !p.is(i, end) {
				return p.fail(57, p.i)
			}
			p.i = i
			p.call(n)
			return ok
		}
	}
	off, size, err := p.name(end)
	if err != ok {
		return err
	}
	o := opBackrefName
	if kind == 'g' {
		o = opRecurseName
	}
	p.emit(o, size, off)
	p.refers = true
	return ok
}

// call adds a call of group n, the end of which is at p.i.
func (p *scanner) call(n int) {
	p.emit(opRecurse, n, p.i)
	p.i++
	p.quantifiable, p.refers = true, true
}

// name reads a name that starts behind p.i and ends with the byte end, or where
// it may if end is 0; that is how the names of verbs end.
func (p *scanner) name(end byte) (off, size int, err code) {
	off = p.i + 1
	if off >= len(p.s) {
		p.i = off
		return 0, 0, p.fail(62, p.i)
	}
	p.i = off
	if end != 0 && p.digitOfName() {
		return 0, 0, p.fail(44, p.i)
	}
	for p.i < len(p.s) {
		n := p.letterOfName(end != 0)
		if n == 0 {
			break
		}
		p.i += n
	}
	size = p.i - off
	switch {
	case size > 32:
		return 0, 0, p.fail(48, p.i)
	case end == 0:
	case size == 0:
		return 0, 0, p.fail(62, p.i)
	case !p.is(p.i, end):
		return 0, 0, p.fail(42, p.i)
	default:
		p.i++
	}
	return off, size, ok
}

// letterOfName returns the length of the character at p.i if it may be in a name:
// in that of a group, PCRE2 takes any letter if the pattern is UTF-8. Go's
// tables know those of its Unicode 14, and more.
func (p *scanner) letterOfName(group bool) int {
	if c := p.s[p.i]; c < utf8.RuneSelf || !group || !p.utf {
		if isWord(c) {
			return 1
		}
		return 0
	}
	r, n := utf8.DecodeRuneInString(p.s[p.i:])
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return n
	}
	return 0
}

// digitOfName tells whether a digit is at p.i, as names count them.
func (p *scanner) digitOfName() bool {
	if !p.utf {
		return isDigit(p.s[p.i])
	}
	r, _ := utf8.DecodeRuneInString(p.s[p.i:])
	return unicode.IsDigit(r)
}
