package pcre

import "strings"

// How a hyphen in a class is read depends on what came before it.
type rangeState uint8

const (
	rangeNo      rangeState = iota
	rangeStarted            // a character and a hyphen
	rangeOK                 // a character
)

// class reads a class, the opening bracket being read.
func (p *scanner) class() code {
	p.quantifiable = true
	rest := p.s[p.i:]
	switch { // start and end of a word in other libraries
	case strings.HasPrefix(rest, "[:<:]]"):
		p.wordEdge(opLookahead)
		return ok
	case strings.HasPrefix(rest, "[:>:]]"):
		p.wordEdge(opLookbehind)
		p.lookbehind = true
		return ok
	}
	if _, posix := p.posix(); posix {
		if rest[0] == ':' {
			return p.fail(12, p.i-1)
		}
		return p.fail(13, p.i-1)
	}

	// c is what was read last. If that was all, PCRE2 reads it again.
	c, negated := '[', false
start:
	for p.i < len(p.s) {
		c = p.next()
		switch {
		case c == '\\' && p.is(p.i, 'E'):
			p.i++
		case c == '\\' && strings.HasPrefix(p.s[p.i:], `Q\E`):
			p.i += 3
		case p.opts&optXX != 0 && (c == ' ' || c == '\t'):
		case c == '^' && !negated:
			negated = true
		default:
			break start
		}
	}

	var (
		state rangeState
		from  int32 // the last character
		n     classSize
		err   code
	)
	for {
		v, isChar := c, false
		switch {
		case p.quoted:
			if c == '\\' && p.is(p.i, 'E') {
				p.quoted = false
				p.i++
			} else {
				isChar = true
			}
		case p.opts&optXX != 0 && (c == ' ' || c == '\t'):
		case c == '[' && p.posixStart():
			if state == rangeStarted {
				return p.fail(50, p.i)
			}
			if err := p.posixClass(); err != ok {
				return err
			}
			state = rangeNo
			n.others++
		case c == '-' && state == rangeOK:
			state = rangeStarted
		case c != '\\':
			isChar = true
		default:
			if v, isChar, err = p.classEscape(&state, &n); err != ok {
				return err
			}
		}
		if isChar && state == rangeStarted {
			state = rangeNo
			if v < from {
				return p.fail(8, p.i-1)
			}
			if v > from { // else PCRE2 takes it for one character
				n.others++
			}
		} else if isChar {
			state = rangeOK
			n.character(v)
			from = v
		}
		if p.i >= len(p.s) {
			return p.fail(6, p.i)
		}
		if c = p.next(); c == ']' && !p.quoted {
			break
		}
	}
	if state == rangeStarted { // the hyphen is last
		n.character('-')
	}
	if size := n.compiled(negated); size > 0 {
		p.emit(opClass, size, 0)
	} else {
		p.emit(opChar, 0, 0)
	}
	return ok
}

// wordEdge adds what [[:<:]] and [[:>:]] stand for.
func (p *scanner) wordEdge(o op) {
	p.emit(opZero, 0, 0)
	p.begin(o, 0, 0)
	p.emit(opType, 0, 0)
	p.finish()
	p.i += len("[:<:]]")
}

// classEscape reads an escape in a class, the backslash being read.
func (p *scanner) classEscape(state *rangeState, n *classSize) (v int32, isChar bool, err code) {
	kind, v, err := p.escape(true)
	if err != ok {
		return 0, false, err
	}
	switch kind {
	case escLiteral:
		return v, true, ok
	case 'b':
		return '\b', true, ok
	case 'Q':
		p.quoted = true
		return 0, false, ok
	case 'E':
		return 0, false, ok
	case 'B', 'R', 'X':
		return 0, false, p.fail(7, p.i-1)
	}
	if *state == rangeStarted {
		return 0, false, p.fail(50, p.i)
	}
	*state = rangeNo
	switch kind {
	case 'N':
		return 0, false, p.fail(71, p.i)
	case 'H', 'h', 'V', 'v', 'd', 'D', 's', 'S', 'w', 'W':
		n.others++
	case 'p', 'P':
		if _, err := p.property(false); err != ok {
			return 0, false, err
		}
		n.props++
	default:
		return 0, false, p.fail(7, p.i-1)
	}
	return 0, false, p.noRange()
}

// noRange refuses a hyphen after what cannot start a range, unless it is last.
func (p *scanner) noRange() code {
	if p.i < len(p.s)-1 && p.s[p.i] == '-' && p.s[p.i+1] != ']' {
		return p.fail(50, p.i)
	}
	return ok
}

// posixStart tells whether [: or the like has been read up to the bracket, and
// is closed.
func (p *scanner) posixStart() bool {
	_, posix := p.posix()
	return posix && len(p.s)-p.i >= 3
}

// posix looks for the end of [:…:], [.….] or [=…=], the bracket being read.
func (p *scanner) posix() (end int, found bool) {
	if p.i >= len(p.s) {
		return 0, false
	}
	mark := p.s[p.i]
	if mark != ':' && mark != '.' && mark != '=' {
		return 0, false
	}
	for i := p.i + 1; i+1 < len(p.s); i++ {
		switch c, d := p.s[i], p.s[i+1]; {
		case c == '\\' && (d == ']' || d == '\\'):
			i++
		case c == '[' && d == mark, c == ']':
			return 0, false
		case c == mark && d == ']':
			return i, true
		}
	}
	return 0, false
}

// posixClass reads [:…:], the bracket being read.
func (p *scanner) posixClass() code {
	end, _ := p.posix()
	if p.s[p.i] != ':' {
		return p.fail(13, p.i-1)
	}
	p.i++
	if p.s[p.i] == '^' {
		p.i++
	}
	switch p.s[p.i:max(p.i, end)] {
	case "alpha", "lower", "upper", "alnum", "ascii", "blank", "cntrl", "digit",
		"graph", "print", "punct", "space", "word", "xdigit":
	default:
		return p.fail(30, p.i)
	}
	p.i = end + 2
	return p.noRange()
}

// A classSize gathers what says how large a class gets when it is compiled.
type classSize struct {
	chars         int // that stand alone, or at the start of a range
	first, second int32
	others        int // ranges, and all else that is no property
	props         int
}

func (n *classSize) character(v int32) {
	n.chars++
	switch n.chars {
	case 1:
		n.first = v
	case 2:
		n.second = v
	}
}

// compiled returns how many bytes the class takes, or 0 if it is compiled as a
// character: that is done to a class of one, or of both cases of one.
func (n *classSize) compiled(negated bool) int {
	switch {
	case n.props > 0 && n.chars+n.others > 0:
		return 37 + 3*n.props
	case n.props > 0:
		return 5 + 3*n.props
	case n.others == 0 && n.chars == 1:
		return 0
	case n.others == 0 && n.chars == 2 && !negated && bothCases(n.first, n.second):
		return 0
	}
	return 33
}

// bothCases tells whether a and b are the same letter. Of k and s, Unicode has
// third forms, which PCRE2 minds though it compiles for bytes.
func bothCases(a, b int32) bool {
	l := a | 0x20
	return a^b == 0x20 && 'a' <= l && l <= 'z' && l != 'k' && l != 's'
}
