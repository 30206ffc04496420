package pcre

// An op says what an item of a read pattern is.
type op uint8

const (
	opEnd         op = iota
	opChar           // one character, or a class that PCRE2 compiles to one
	opType           // \d and others that match one character, and "."
	opProp           // \p{…}
	opByte           // \C
	opVariable       // \R, \X: as one to a quantifier, of no fixed length
	opClass          // a is what it compiles to
	opZero           // ^ $ \A \b …
	opKeep           // \K
	opBackref        // a is the group
	opBackrefName    // a is the length of the name, which stands at off
	opRecurse
	opRecurseName
	opVerb    // a is what it compiles to
	opAccept  // (*ACCEPT)
	opFail    // (*FAIL)
	opCallout // a is what it compiles to
	opRepeat  // a and b are the least and the most times
	opOption  // options change
	opAlt     // a: as for opLookbehind, of the branch that follows
	opKet     // a is the place of what it ends

	// From here on items open a group, and b is the place of its opKet.

	opGroup
	opCapture // a is the number
	opAtomic
	opScriptRun
	opCondAssert
	opCondDefine
	opCondName    // a is the length of the name, which stands at off
	opCondNumber  // a is the group
	opCondRName   // as opCondName
	opCondRNumber // as opCondName: it may be a name or R and a number
	opCondVersion
	opLookahead
	opLookaheadNot
	opLookaheadNA
	opLookbehind // a gets the length of the first branch
	opLookbehindNot
	opLookbehindNA
)

func (o op) opens() bool     { return o >= opGroup }
func (o op) cond() bool      { return opCondAssert <= o && o <= opCondVersion }
func (o op) assertion() bool { return o >= opLookahead }
func (o op) behind() bool    { return o >= opLookbehind }

// An item is one element of a pattern, comments and options left out.
type item struct {
	op         op
	possessive bool // of opRepeat
	onPath     bool // of opCapture, while it is measured for a reference
	a, b       int32
	off        int32 // where an error is to be reported
}

// items is a list whose first elements cost no allocation.
type items struct {
	n    int
	few  [64]item
	more []item
}

func (l *items) at(i int) *item {
	if i < len(l.few) {
		return &l.few[i]
	}
	return &l.more[i-len(l.few)]
}

func (l *items) add(it item) {
	if l.n < len(l.few) {
		l.few[l.n] = it
	} else {
		l.more = append(l.more[:l.n-len(l.few)], it)
	}
	l.n++
}

func (p *scanner) emit(o op, a, off int) {
	p.add(item{op: o, a: int32(a), off: int32(off)})
}

// begin adds an item that opens a group. Until the group ends, b is the place
// of the one around it.
func (p *scanner) begin(o op, a, off int) {
	p.add(item{op: o, a: int32(a), b: p.open, off: int32(off)})
	p.open = int32(p.n - 1)
}

// finish ends the innermost open group.
func (p *scanner) finish() {
	at := int(p.open)
	open := p.at(at)
	p.open, open.b = open.b, int32(p.n)
	p.emit(opKet, at, 0)
}

// A name is one that a pattern gives to a group.
type name struct {
	off, size int32
	number    int32
	dup       bool // other groups bear it as well
}

func (p *scanner) text(n *name) string { return p.s[n.off : n.off+n.size] }

// manyNames are looked up in maps.
const manyNames = 32

// named returns the place of the first group of that name, or -1.
func (p *scanner) named(s string) int {
	if len(p.names) > manyNames {
		if p.byName == nil {
			p.byName = make(map[string]int)
		}
		for ; p.indexed < len(p.names); p.indexed++ {
			if s := p.text(&p.names[p.indexed]); p.byName[s] == 0 {
				p.byName[s] = p.indexed + 1
			}
		}
		return p.byName[s] - 1
	}
	for i := range p.names {
		if p.text(&p.names[i]) == s {
			return i
		}
	}
	return -1
}

// numbered returns the place of the name that group n already has, or -1. There
// is one only if the numbers start again in each branch of a (?|.
func (p *scanner) numbered(n int) int {
	if !p.dupGroups {
		return -1
	}
	if len(p.names) > manyNames {
		if p.byNumber == nil {
			p.byNumber = make(map[int32]int)
			for i := range p.names {
				p.byNumber[p.names[i].number] = i + 1
			}
		}
		return p.byNumber[int32(n)] - 1
	}
	for i := range p.names {
		if p.names[i].number == int32(n) {
			return i
		}
	}
	return -1
}

// define gives the newest group its name. Only one of the errors is told: that
// of the earlier name in the pattern.
func (p *scanner) define(off, size int) code {
	if len(p.names) >= 10000 {
		return p.fail(49, p.i)
	}
	same, mine := p.named(p.s[off:off+size]), p.numbered(p.groups)
	dup := false
	if same >= 0 && same != mine && (mine < 0 || same < mine) {
		if p.opts&optJ == 0 {
			return p.fail(43, p.i)
		}
		p.names[same].dup = true
		dup = true
	}
	switch {
	case mine < 0:
	case p.text(&p.names[mine]) == p.s[off:off+size]:
		return ok // the same name again for the same number
	default:
		return p.fail(65, p.i)
	}
	p.names = append(p.names, name{int32(off), int32(size), int32(p.groups), dup})
	if p.byNumber != nil {
		p.byNumber[int32(p.groups)] = len(p.names)
	}
	return ok
}
