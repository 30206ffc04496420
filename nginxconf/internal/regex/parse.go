package regex

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A node is a piece of a pattern.
type node struct {
	kind kind
	set  set     // of kindSet
	subs []*node // the branches of kindAlternatives, the items of kindSequence, else the one inside
	n    int     // the number of a group
	look look

	min, max int // of kindRepeat; max is negative: any number
	lazy     bool
	caseless bool // of kindBack
}

type kind uint8

const (
	kindSequence kind = iota
	kindAlternatives
	kindSet
	kindGroup  // captures
	kindAtomic // "(?>…)", and what a possessive quantifier makes
	kindRepeat
	kindBack // a back reference
	kindLook // lookaround
	kindBegin
	kindLineBegin
	kindEnd
	kindLineEnd
	kindTextEnd
	kindWord
	kindNotWord
	kindKeep // "\K"
)

type look struct{ behind, not bool }

type flags struct{ caseless, lines, all, extended bool }

// A parser reads a pattern that PCRE2 takes.
type parser struct {
	s      string
	i      int
	flags  flags
	groups int
	total  int // of groups in the pattern
	names  map[string]int
	closed []bool // groups that references are judged to, by number
	depth  int
	err    error
}

func (p *parser) fail(what string) *node {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s", ErrUnsupported, what)
	}
	p.i = len(p.s)
	return &node{}
}

func (p *parser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *parser) accept(s string) bool {
	if strings.HasPrefix(p.s[p.i:], s) {
		p.i += len(s)
		return true
	}
	return false
}

// alternatives reads up to a closing parenthesis or the end.
func (p *parser) alternatives() *node {
	var branches []*node
	for {
		branches = append(branches, p.sequence())
		if p.err != nil || !p.accept("|") {
			break
		}
	}
	if len(branches) == 1 {
		return branches[0]
	}
	return &node{kind: kindAlternatives, subs: branches}
}

func (p *parser) sequence() *node {
	n := &node{kind: kindSequence}
	for p.i < len(p.s) && p.err == nil {
		switch c := p.s[p.i]; {
		case c == '|' || c == ')':
			return n
		case p.gap():
			continue
		case p.accept(`\Q`):
			text, _, ended := strings.Cut(p.s[p.i:], `\E`)
			p.i += len(text)
			if ended {
				p.i += 2
			}
			for k := range len(text) {
				n.subs = append(n.subs, p.literal(text[k]))
			}
			if len(text) > 0 {
				p.quantify(n)
			}
			continue
		}
		item := p.item()
		if p.err != nil {
			return n
		}
		if item == nil { // an option setting
			continue
		}
		n.subs = append(n.subs, item)
		p.quantify(n)
	}
	return n
}

// gap goes past what may also stand in front of a quantifier.
func (p *parser) gap() bool {
	switch {
	case p.flags.extended && p.skip(), p.accept(`\Q\E`), p.accept(`\E`):
		return true
	case p.accept("(?#"):
		end := strings.IndexByte(p.s[p.i:], ')')
		if end < 0 {
			p.fail("a comment")
			return true
		}
		p.i += end + 1
		return true
	}
	return false
}

// skip goes past white space and a comment of the extended form.
func (p *parser) skip() bool {
	c := p.peek()
	if c == ' ' || '\t' <= c && c <= '\r' {
		p.i++
		return true
	}
	if c == '#' {
		end := strings.IndexByte(p.s[p.i:], '\n')
		if end < 0 {
			end = len(p.s) - p.i - 1
		}
		p.i += end + 1
		return true
	}
	return false
}

// quantify reads a quantifier behind the last item of n.
func (p *parser) quantify(n *node) {
	for p.i < len(p.s) && p.gap() {
	}
	from, to, ok := p.quantifier()
	if !ok || p.err != nil {
		return
	}
	if to == 0 { // PCRE2 10.42 then goes wrong about where a match may start
		p.fail("a repeat of none")
		return
	}
	at := len(n.subs) - 1
	item := n.subs[at]
	switch item.kind {
	case kindSet, kindGroup, kindSequence, kindAlternatives, kindAtomic, kindBack:
	default:
		p.fail("a repeated assertion")
		return
	}
	for p.i < len(p.s) && p.gap() {
	}
	r := &node{kind: kindRepeat, subs: []*node{item}, min: from, max: to}
	n.subs[at] = r
	if p.accept("?") {
		r.lazy = true
	} else if p.accept("+") {
		n.subs[at] = &node{kind: kindAtomic, subs: []*node{r}}
		if item.kind != kindSet {
			p.mayNotBeEmpty(n.subs[at])
		}
	}
}

// mayNotBeEmpty refuses an atomic group that may: PCRE2 10.42 is mistaken about
// what follows, and takes repeats in front of it for possessive.
func (p *parser) mayNotBeEmpty(atomic *node) {
	if _, empty := atomic.first(); p.err == nil && empty {
		p.fail("an atomic group that may be empty")
	}
}

func (p *parser) quantifier() (from, to int, ok bool) {
	switch {
	case p.accept("*"):
		return 0, -1, true
	case p.accept("+"):
		return 1, -1, true
	case p.accept("?"):
		return 0, 1, true
	}
	end := strings.IndexByte(p.s[p.i:], '}')
	if p.peek() != '{' || end < 0 {
		return 0, 0, false
	}
	low, high, comma := strings.Cut(p.s[p.i+1:p.i+end], ",")
	if !digits(low) || comma && high != "" && !digits(high) {
		return 0, 0, false // "{" is literal then
	}
	from, _ = strconv.Atoi(low)
	to = from
	if comma {
		to = -1
		if high != "" {
			to, _ = strconv.Atoi(high)
		}
	}
	p.i += end + 1
	return from, to, true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) < 7
}

func (p *parser) literal(c byte) *node {
	n := &node{kind: kindSet}
	n.set.add(c)
	if p.flags.caseless {
		n.set.fold()
	}
	return n
}

func class(s set) *node { return &node{kind: kindSet, set: s} }

// item reads one item without its quantifier.
func (p *parser) item() *node {
	c := p.s[p.i]
	p.i++
	switch c {
	case '.':
		if p.flags.all {
			return class(set{}.not())
		}
		return class(setOf("\n\n").not())
	case '^':
		if p.flags.lines {
			return &node{kind: kindLineBegin}
		}
		return &node{kind: kindBegin}
	case '$':
		if p.flags.lines {
			return &node{kind: kindLineEnd}
		}
		return &node{kind: kindEnd}
	case '[':
		return p.class()
	case '(':
		return p.group()
	case '\\':
		return p.escape()
	}
	return p.literal(c)
}

const maxDepth = 100

// group reads what follows "(".
func (p *parser) group() *node {
	if p.depth++; p.depth > maxDepth {
		return p.fail("so many parentheses")
	}
	defer func() { p.depth-- }()
	outer := p.flags
	inside := func(n node) *node {
		n.subs = []*node{p.alternatives()}
		if p.err == nil && !p.accept(")") {
			return p.fail("an open parenthesis")
		}
		p.flags = outer
		if n.kind == kindGroup {
			for len(p.closed) <= n.n {
				p.closed = append(p.closed, false)
			}
			p.closed[n.n] = !n.looks()
		}
		return &n
	}
	switch {
	case strings.HasPrefix(p.s[p.i:], "*"):
		return p.fail("a verb")
	case !p.accept("?"):
		p.groups++
		return inside(node{kind: kindGroup, n: p.groups})
	case p.accept(":"):
		return inside(node{})
	case p.accept(">"):
		n := inside(node{kind: kindAtomic})
		p.mayNotBeEmpty(n)
		return n
	case p.accept("="):
		return inside(node{kind: kindLook})
	case p.accept("!"):
		return inside(node{kind: kindLook, look: look{not: true}})
	case p.accept("<="):
		return p.behind(inside(node{kind: kindLook, look: look{behind: true}}))
	case p.accept("<!"):
		return p.behind(inside(node{kind: kindLook, look: look{behind: true, not: true}}))
	case p.accept("P<"), p.accept("<"):
		return p.named('>', inside)
	case p.accept("'"):
		return p.named('\'', inside)
	case p.accept("P="):
		return p.reference(')')
	}
	return p.options(inside)
}

func (p *parser) named(end byte, inside func(node) *node) *node {
	at := strings.IndexByte(p.s[p.i:], end)
	if at < 0 {
		return p.fail("a name")
	}
	name := p.s[p.i : p.i+at]
	p.i += at + 1
	if _, again := p.names[name]; again {
		return p.fail("a name of several groups")
	}
	if p.names == nil {
		p.names = map[string]int{}
	}
	p.groups++
	p.names[name] = p.groups
	return inside(node{kind: kindGroup, n: p.groups})
}

// options reads "i-s)" or "i-s:".
func (p *parser) options(inside func(node) *node) *node {
	f, on := p.flags, true
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch c {
		case 'i':
			f.caseless = on
		case 'm':
			f.lines = on
		case 's':
			f.all = on
		case 'x':
			if p.peek() == 'x' {
				return p.fail("(?xx)")
			}
			f.extended = on
		case '-':
			on = false
		case ')':
			p.flags = f
			return nil
		case ':':
			p.flags, f = f, p.flags
			return inside(node{})
		default:
			return p.fail("(?" + string(rune(c)))
		}
	}
	return p.fail("options")
}

// behind checks that each branch of a lookbehind has one width.
func (p *parser) behind(n *node) *node {
	if p.err == nil {
		for _, b := range branches(n.subs[0]) {
			if w := b.width(); w < 0 {
				return p.fail("a lookbehind of several widths")
			}
		}
	}
	return n
}

// looks tells whether there is lookaround in n.
func (n *node) looks() bool {
	return n.kind == kindLook || slices.ContainsFunc(n.subs, (*node).looks)
}

func branches(n *node) []*node {
	if n.kind == kindAlternatives {
		return n.subs
	}
	return []*node{n}
}

// width is how many bytes a node takes, or -1 if that varies.
func (n *node) width() int {
	switch n.kind {
	case kindSet:
		return 1
	case kindSequence:
		sum := 0
		for _, s := range n.subs {
			w := s.width()
			if w < 0 {
				return -1
			}
			sum += w
		}
		return sum
	case kindAlternatives:
		w := n.subs[0].width()
		for _, s := range n.subs[1:] {
			if s.width() != w {
				return -1
			}
		}
		return w
	case kindGroup, kindAtomic:
		return n.subs[0].width()
	case kindRepeat:
		w := n.subs[0].width()
		if n.min != n.max || w < 0 {
			return -1
		}
		return w * n.min
	case kindBack, kindKeep:
		return -1
	}
	return 0
}
