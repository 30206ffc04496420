// Package regex matches regular expressions as nginx does with PCRE2: bytes, no
// UTF, the first match that a backtracking search comes to.
//
// Package regexp cannot stand in for it: there is no faithful translation of
// "$", which matches in front of a last line feed, of "\s", of repeats of what
// may be empty, of lookaround and back references, or of bytes that are not
// UTF-8. So this is a small backtracking matcher of its own. What it does not
// know (recursion, conditions, verbs, Unicode properties, UTF) it refuses to
// compile, and it gives up on a match that takes too many steps: an answer is
// never a guess.
package regex

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
)

var (
	// ErrUnsupported wraps what Compile does not know.
	ErrUnsupported = errors.New("not supported")
	// ErrSteps means that a match was given up.
	ErrSteps = errors.New("too many steps")
)

// A Regex is a compiled regular expression, for any number of goroutines.
type Regex struct {
	// Captures is the number of capture groups.
	Captures int
	// Names holds those with a name, in the order of PCRE2's table.
	Names []Name

	prog     []inst
	sets     []set
	marks    int  // registers for where groups and iterations start
	anchored bool // a match starts at 0, or nowhere
	first    *set // bytes that a match may start with; nil: any, or none
}

// A Name is that of a capture group.
type Name struct {
	Name  string
	Group int
}

// Compile reads a pattern. The error is PCRE2's, a [*pcre.Error], or wraps
// [ErrUnsupported].
func Compile(pattern string, caseless bool) (*Regex, error) {
	info, refused := pcre.Check(pattern, caseless)
	if refused != nil {
		return nil, refused
	}
	if info.Unsure {
		return nil, fmt.Errorf("%w: the pattern's options", ErrUnsupported)
	}
	p := parser{s: pattern, flags: flags{caseless: caseless}, total: info.Captures}
	root := p.alternatives()
	if p.err == nil && p.i < len(p.s) {
		p.fail("unbalanced parenthesis")
	}
	if p.err == nil && (p.groups != info.Captures || len(p.names) != len(info.Names)) {
		p.fail("its groups") // Check knows better
	}
	if p.err == nil && !root.anchored() {
		// PCRE2 10.42 may then look for two of a byte where one is enough: it
		// finds no "(?=ab)x?a" in "ab".
		first, _ := root.first()
		_, fixed := first.one()
		if ahead, _ := root.ahead(); !fixed && root.literal(ahead) {
			p.fail("a lookahead for what may come later")
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	c := compiler{re: &Regex{Captures: info.Captures}}
	for _, name := range info.Names {
		c.re.Names = append(c.re.Names, Name{name, p.names[name]})
	}
	c.emit(root)
	c.add(inst{op: opMatch})
	if c.err != nil {
		return nil, c.err
	}
	c.re.anchored = root.anchored()
	if s, empty := root.first(); !empty {
		c.re.first = &s
	}
	return c.re, nil
}

// A set is bytes.
type set [4]uint64

func (s *set) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *set) addRange(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
}

func (s *set) join(o set) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s set) not() set {
	for i := range s {
		s[i] = ^s[i]
	}
	return s
}

// fold adds the other case of each ASCII letter.
func (s *set) fold() {
	for c := byte('a'); c <= 'z'; c++ {
		switch lower, upper := s.has(c), s.has(c-32); {
		case lower:
			s.add(c - 32)
		case upper:
			s.add(c)
		}
	}
}

func setOf(ranges string) (s set) {
	for i := 0; i+1 < len(ranges); i += 2 {
		s.addRange(ranges[i], ranges[i+1])
	}
	return s
}

func (s set) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (s set) meets(o set) bool {
	for i := range s {
		if s[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

// one returns the byte of a set of one.
func (s set) one() (byte, bool) {
	for i, w := range s {
		if w != 0 {
			return byte(i<<6 + bits.TrailingZeros64(w)), s.count() == 1
		}
	}
	return 0, false
}
