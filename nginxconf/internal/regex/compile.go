package regex

import (
	"fmt"
	"slices"
)

// An inst is one instruction of the matcher. The next one follows, unless it
// says otherwise.
type inst struct {
	op   op
	lazy bool
	c    byte
	not  bool // of opLook
	x, y int32
	n    int32
}

type op uint8

const (
	opMatch  op = iota // the end, also of what opAtomic and opLook start
	opByte             // c
	opSet              // sets[n]
	opRun              // sets[n], x to y times
	opSplit            // x is tried first, then y
	opJump             // to x
	opMark             // position to register n
	opGroup            // what there is since the mark in x is group n
	opKeep             // the match starts here
	opLoop             // again at x unless there is nothing since the mark in n
	opBack             // what group n captured
	opAtomic           // what follows up to opMatch, then on at x
	opLook             // likewise, n bytes before
	opBegin
	opLineBegin
	opEnd
	opLineEnd
	opTextEnd
	opWord
	opNotWord
)

// maxProgram bounds what repeats of repeats may come to.
const maxProgram = 10_000

type compiler struct {
	re  *Regex
	err error
}

func (c *compiler) add(i inst) int32 {
	if len(c.re.prog) >= maxProgram {
		if c.err == nil {
			c.err = fmt.Errorf("%w: its size", ErrUnsupported)
		}
		return 0
	}
	c.re.prog = append(c.re.prog, i)
	return int32(len(c.re.prog) - 1)
}

func (c *compiler) register() int32 {
	c.re.marks++
	return int32(c.re.marks - 1)
}

func (c *compiler) here() int32 { return int32(len(c.re.prog)) }

func (c *compiler) set(s set) int32 {
	c.re.sets = append(c.re.sets, s)
	return int32(len(c.re.sets) - 1)
}

var simple = map[kind]op{
	kindBegin: opBegin, kindLineBegin: opLineBegin, kindEnd: opEnd, kindLineEnd: opLineEnd, kindTextEnd: opTextEnd,
	kindWord: opWord, kindNotWord: opNotWord,
}

func (c *compiler) emit(n *node) {
	if c.err != nil {
		return
	}
	switch n.kind {
	case kindSequence:
		for _, s := range n.subs {
			c.emit(s)
		}
	case kindAlternatives:
		c.alternatives(n.subs)
	case kindSet:
		if b, ok := n.set.one(); ok {
			c.add(inst{op: opByte, c: b})
		} else {
			c.add(inst{op: opSet, n: c.set(n.set)})
		}
	case kindGroup:
		reg := c.register()
		c.add(inst{op: opMark, n: reg})
		c.emit(n.subs[0])
		c.add(inst{op: opGroup, n: int32(n.n), x: reg})
	case kindAtomic:
		at := c.add(inst{op: opAtomic})
		c.emit(n.subs[0])
		c.add(inst{op: opMatch})
		c.re.prog[at].x = c.here()
	case kindLook:
		if n.look.behind {
			c.behind(n)
		} else {
			c.look(n.subs[0], 0, n.look.not)
		}
	case kindRepeat:
		c.repeat(n)
	case kindBack:
		c.add(inst{op: opBack, n: int32(n.n), lazy: n.caseless})
	case kindKeep:
		c.add(inst{op: opKeep})
	default:
		c.add(inst{op: simple[n.kind]})
	}
}

func (c *compiler) alternatives(subs []*node) {
	var ends []int32
	for _, s := range subs[:len(subs)-1] {
		split := c.add(inst{op: opSplit, x: c.here() + 1})
		c.emit(s)
		ends = append(ends, c.add(inst{op: opJump}))
		c.re.prog[split].y = c.here()
	}
	c.emit(subs[len(subs)-1])
	for _, e := range ends {
		c.re.prog[e].x = c.here()
	}
}

func (c *compiler) look(n *node, width int, not bool) {
	at := c.add(inst{op: opLook, n: int32(width), not: not})
	c.emit(n)
	c.add(inst{op: opMatch})
	c.re.prog[at].x = c.here()
}

// behind tries the branches one by one, since each has its own width.
func (c *compiler) behind(n *node) {
	subs := branches(n.subs[0])
	if n.look.not {
		for _, s := range subs {
			c.look(s, s.width(), true)
		}
		return
	}
	var ends []int32
	at := c.add(inst{op: opAtomic})
	for _, s := range subs {
		split := c.add(inst{op: opSplit, x: c.here() + 1})
		c.look(s, s.width(), false)
		ends = append(ends, c.add(inst{op: opJump}))
		c.re.prog[split].y = c.here()
	}
	c.add(inst{op: opSet, n: c.set(set{})}) // none of them
	for _, e := range ends {
		c.re.prog[e].x = c.here()
	}
	c.add(inst{op: opMatch})
	c.re.prog[at].x = c.here()
}

func (c *compiler) repeat(n *node) {
	sub := n.subs[0]
	if sub.kind == kindSet {
		c.add(inst{op: opRun, n: c.set(sub.set), x: int32(n.min), y: int32(n.max), lazy: n.lazy})
		return
	}
	for range n.min - 1 {
		c.emit(sub)
	}
	split := func() int32 { return c.add(inst{op: opSplit, x: c.here() + 1, lazy: n.lazy}) }
	if n.max >= 0 {
		if n.min > 0 {
			c.emit(sub)
		}
		var splits []int32
		for range n.max - n.min {
			if c.err != nil {
				return
			}
			splits = append(splits, split())
			c.emit(sub)
		}
		for _, s := range splits {
			c.re.prog[s].y = c.here()
		}
		return
	}
	first := int32(-1)
	if n.min == 0 {
		first = split()
	}
	reg := c.register()
	start := c.add(inst{op: opMark, n: reg})
	c.emit(sub)
	c.add(inst{op: opLoop, n: reg, x: start, lazy: n.lazy})
	if first >= 0 {
		c.re.prog[first].y = c.here()
	}
}

// anchored tells whether a match of n starts at 0 or nowhere.
func (n *node) anchored() bool {
	switch n.kind {
	case kindBegin:
		return true
	case kindSequence:
		return len(n.subs) > 0 && n.subs[0].anchored()
	case kindAlternatives:
		for _, s := range n.subs {
			if !s.anchored() {
				return false
			}
		}
		return true
	case kindGroup, kindAtomic:
		return n.subs[0].anchored()
	}
	return false
}

// first returns the bytes that a match of n may start with, and whether it may
// be empty.
func (n *node) first() (s set, empty bool) {
	switch n.kind {
	case kindSet:
		return n.set, false
	case kindSequence:
		for _, sub := range n.subs {
			f, empty := sub.first()
			s.join(f)
			if !empty {
				return s, false
			}
		}
		return s, true
	case kindAlternatives:
		for _, sub := range n.subs {
			f, e := sub.first()
			s.join(f)
			empty = empty || e
		}
		return s, empty
	case kindGroup, kindAtomic:
		return n.subs[0].first()
	case kindRepeat:
		s, empty = n.subs[0].first()
		return s, empty || n.min == 0
	case kindBack:
		return set{}.not(), true
	}
	return set{}, true // takes nothing
}

// ahead returns the bytes that lookahead at the start of n may ask for, and
// whether n may take nothing.
func (n *node) ahead() (s set, empty bool) {
	switch n.kind {
	case kindLook:
		if !n.look.not && !n.look.behind {
			s, _ = n.subs[0].first()
		}
		return s, true
	case kindSequence:
		for _, sub := range n.subs {
			a, empty := sub.ahead()
			s.join(a)
			if !empty {
				return s, false
			}
		}
		return s, true
	case kindAlternatives:
		for _, sub := range n.subs {
			a, e := sub.ahead()
			s.join(a)
			empty = empty || e
		}
		return s, empty
	case kindGroup, kindAtomic, kindRepeat:
		s, empty = n.subs[0].ahead()
		return s, empty || n.kind == kindRepeat && n.min == 0
	}
	_, empty = n.first()
	return s, empty
}

// literal tells whether one of these bytes, in either case, stands in n as a
// literal, not counting lookaround.
func (n *node) literal(s set) bool {
	switch n.kind {
	case kindLook:
		return false
	case kindSet:
		one := n.set
		one.fold()
		return one.count() <= 2 && one.meets(s)
	}
	return slices.ContainsFunc(n.subs, func(sub *node) bool { return sub.literal(s) })
}
