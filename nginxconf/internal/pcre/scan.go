package pcre

import (
	"strings"
	"unicode/utf8"
)

const (
	maxDepth  = 250   // of parentheses
	maxGroups = 65535 // also the most that a repeat may count to
	unlimited = maxGroups + 1
)

// options that a pattern sets with (?…). Those that only bear on matching are
// here because PCRE2 notes where one changes, and looks at its notes.
type options uint8

const (
	optX  options = 1 << iota // white space and # comments are skipped
	optXX                     // in classes, too
	optN                      // plain parentheses do not capture
	optJ                      // names may come again
	optI
	optM
	optS
	optU
)

// A nest remembers what ends with the group at a depth.
type nest struct {
	depth int32
	kind  nestKind
	opts  options
	reset int32 // the number of groups before a (?|
	max   int32 // in the branches so far
}

type nestKind uint8

const (
	nestOptions   nestKind = iota
	nestReset              // (?|
	nestCondition          // the assertion of (?(?=…)…
	nestAtomic             // (*asr:, which is two groups
)

// A scanner reads one pattern.
type scanner struct {
	s     string
	i     int // the next byte to read
	errAt int // the offset of the error

	utf, ucp bool
	newline  newline
	unsure   bool

	opts   options
	depth  int // of parentheses
	groups int // the number of the newest group
	nests  nests

	quoted       bool // between \Q and \E
	quantifiable bool // what was just read may be repeated
	quantified   bool // it was a quantifier
	assertion    int  // positive: what comes must be the assertion of a condition
	verb         int  // the place of the item of the newest verb

	items
	open int32 // the place of the innermost open group, or -1

	names    []name
	byName   map[string]int // place of the first, plus 1
	byNumber map[int32]int  // place, plus 1
	indexed  int            // names that are in byName
	firstRef [10]int32      // the offsets of the first \1 … \9

	dupGroups  bool  // there is a (?|
	lookbehind bool  // there is one
	refers     bool  // there are references or other things for layout to check
	copies     int64 // that PCRE2 makes of groups that are repeated, at most

	measures // of lookbehinds
}

func (p *scanner) fail(c code, at int) code {
	p.errAt = at
	return c
}

// next returns the character at p.i and goes past it.
func (p *scanner) next() rune {
	c := p.s[p.i]
	p.i++
	if c < utf8.RuneSelf || !p.utf {
		return rune(c)
	}
	r, n := utf8.DecodeRuneInString(p.s[p.i-1:])
	p.i += n - 1
	return r
}

// is tells whether the byte at i is c.
func (p *scanner) is(i int, c byte) bool { return i < len(p.s) && p.s[i] == c }

func (p *scanner) digit(i int) bool { return i < len(p.s) && isDigit(p.s[i]) }

func (p *scanner) literal() {
	p.emit(opChar, 0, 0)
	p.quantifiable = true
}

// scan reads the pattern from p.i to its end.
func (p *scanner) scan() code {
	for p.i < len(p.s) {
		if p.depth > maxDepth {
			return p.fail(19, p.i)
		}
		if p.quoted {
			if err := p.quotedCharacter(); err != ok {
				return err
			}
			continue
		}

		// What is skipped may stand between an item and its quantifier.
		c := p.s[p.i]
		if c == '\\' && (p.is(p.i+1, 'Q') || p.is(p.i+1, 'E')) {
			p.quoted = p.s[p.i+1] == 'Q'
			p.i += 2
			continue
		}
		if p.opts&optX != 0 && p.skip() {
			continue
		}
		if c == '(' && strings.HasPrefix(p.s[p.i:], "(?#") {
			n := strings.IndexByte(p.s[p.i:], ')')
			if n < 0 {
				return p.fail(18, len(p.s))
			}
			p.i += n + 1
			continue
		}

		if p.assertion > 0 && !p.assertionAhead() {
			p.next()
			return p.fail(28, p.i-1)
		}
		expected := p.assertion
		p.assertion = 0
		repeatable, quantified := p.quantifiable, p.quantified
		p.quantifiable, p.quantified = false, false
		if quantified && (c == '?' || c == '+') {
			p.at(p.n - 1).possessive = c == '+'
			p.i++
			continue
		}

		var err code
		switch c {
		default:
			p.next()
			p.literal()
		case '\\':
			p.i++
			err = p.escaped()
		case '^', '$':
			p.i++
			p.emit(opZero, 0, 0)
		case '.':
			p.i++
			p.emit(opType, 0, 0)
			p.quantifiable = true
		case '*':
			p.i++
			err = p.quantify(repeatable, 0, unlimited)
		case '+':
			p.i++
			err = p.quantify(repeatable, 1, unlimited)
		case '?':
			p.i++
			err = p.quantify(repeatable, 0, 1)
		case '{':
			p.i++
			var r repeat
			if r, err = p.repeat(p.i); err != ok {
				break // p.errAt is set
			}
			if r.end == 0 {
				p.literal()
				break
			}
			p.i = r.end
			err = p.quantify(repeatable, r.min, r.max)
		case '[':
			p.i++
			err = p.class()
		case '(':
			p.i++
			err = p.parenthesis(expected)
		case '|':
			p.i++
			if n := p.nest(); n != nil && n.kind == nestReset {
				n.max = max(n.max, int32(p.groups))
				p.groups = int(n.reset)
			}
			p.emit(opAlt, 0, 0)
		case ')':
			p.i++
			err = p.closing()
		}
		if err != ok {
			return err
		}
	}
	if p.depth > 0 {
		return p.fail(14, p.i)
	}
	p.emit(opEnd, 0, 0)
	return ok
}

// quotedCharacter reads a character after \Q, or the \E.
func (p *scanner) quotedCharacter() code {
	if p.s[p.i] == '\\' && p.is(p.i+1, 'E') {
		p.quoted = false
		p.i += 2
		return ok
	}
	p.next()
	if p.assertion > 0 {
		return p.fail(28, p.i-1)
	}
	p.literal()
	p.quantified = false
	return ok
}

// skip goes past the white space or comment that (?x) allows at p.i.
func (p *scanner) skip() bool {
	i := p.i
	c := p.next()
	switch {
	case isSpace(c), c == 0x85, c|1 == 0x200f, c|1 == 0x2029:
		return true
	case c == '#':
		p.i += p.newline.index(p.s[p.i:], p.utf)
		return true
	}
	p.i = i
	return false
}

// assertionAhead tells whether an assertion starts at p.i, as far as PCRE2
// looks. A callout may come before it.
func (p *scanner) assertionAhead() bool {
	r := p.s[p.i:]
	if len(r) < 4 || r[0] != '(' {
		return false
	}
	switch {
	case r[1] == '*':
		return 'a' <= r[2] && r[2] <= 'z'
	case r[1] != '?':
		return false
	}
	switch r[2] {
	case 'C':
		return p.assertion == 2
	case '=', '!':
		return true
	case '<':
		return r[3] == '=' || r[3] == '!'
	}
	return false
}

// quantify adds a quantifier that has been read.
func (p *scanner) quantify(repeatable bool, least, most int32) code {
	if !repeatable {
		return p.fail(9, p.i-1)
	}
	if accept := *p.at(p.n - 1); accept.op == opAccept {
		// PCRE2 wraps it in a group. With an argument, a (*MARK) comes first.
		mark, n := *p.at(p.verb), p.n-p.verb
		p.n = p.verb
		p.begin(opGroup, 0, 0)
		if n > 1 {
			p.add(mark)
		}
		p.add(accept)
		p.finish()
	}
	if p.at(p.n-1).op == opKet {
		n := most
		if n == unlimited {
			n = least + 1 // for an assertion
		}
		p.copies = min(p.copies*max(1, int64(n)), maxSize)
	}
	p.add(item{op: opRepeat, a: least, b: most})
	p.quantified = true
	return ok
}

// nests is a stack whose first elements cost no allocation.
type nests struct {
	n    int
	few  [4]nest
	more []nest
}

// top returns the last one, if there is one.
func (l *nests) top() *nest {
	switch {
	case l.n == 0:
		return nil
	case l.n <= len(l.few):
		return &l.few[l.n-1]
	}
	return &l.more[l.n-len(l.few)-1]
}

// nest returns what was remembered for the group being read, or nil.
func (p *scanner) nest() *nest {
	if n := p.nests.top(); n != nil && n.depth == int32(p.depth) {
		return n
	}
	return nil
}

func (p *scanner) remember(k nestKind) *nest {
	l := &p.nests
	if l.n >= len(l.few) {
		l.more = append(l.more[:l.n-len(l.few)], nest{})
	}
	l.n++
	n := l.top()
	*n = nest{depth: int32(p.depth), kind: k, opts: p.opts}
	return n
}

// closing ends a group.
func (p *scanner) closing() code {
	p.quantifiable = true
	if n := p.nest(); n != nil {
		p.opts = n.opts
		switch n.kind {
		case nestReset:
			p.groups = max(p.groups, int(n.max))
		case nestCondition:
			p.quantifiable = false
		case nestAtomic:
			p.finish()
		}
		p.nests.n--
	}
	if p.depth == 0 {
		return p.fail(22, p.i-1)
	}
	p.depth--
	p.finish()
	return ok
}

// A repeat is what {…} says.
type repeat struct {
	min, max int32
	end      int // behind the "}"; 0 if it is no quantifier
}

// repeat reads a quantifier whose "{" stands before i.
func (p *scanner) repeat(i int) (r repeat, err code) {
	comma := false
	for j := i; ; j++ {
		if j >= len(p.s) {
			return r, ok
		}
		c := p.s[j]
		if c == '}' {
			break
		}
		if c == ',' && !comma {
			comma = true
		} else if !isDigit(c) {
			return r, ok
		}
	}
	if !isDigit(p.s[i]) {
		return r, ok
	}
	least, i, err := p.count(i)
	if err != ok {
		return r, err
	}
	most := least
	if p.s[i] == ',' {
		i++
		if most = unlimited; p.s[i] != '}' {
			if most, i, err = p.count(i); err != ok {
				return r, err
			}
			if most < least {
				return r, p.fail(4, i)
			}
		}
	}
	return repeat{least, most, i + 1}, ok
}

// count reads the digits at i.
func (p *scanner) count(i int) (n int32, end int, err code) {
	for p.digit(i) {
		n = n*10 + int32(p.s[i]-'0')
		i++
		if n > maxGroups {
			return 0, 0, p.fail(5, i)
		}
	}
	return n, i, ok
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
}

func isSpace(c rune) bool { return c == ' ' || '\t' <= c && c <= '\r' }
