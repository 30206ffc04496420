package pcre

// measures is what the lengths of lookbehinds need. PCRE2 moves back by a fixed
// number of characters, each branch by its own.
type measures struct {
	visits  int               // of branches, which PCRE2 limits
	first   []int32           // the place of the first group with a number
	lengths []int32           // of groups by number, plus 1; 0 if not known
	memo    map[int32]measure // of groups that are called, by place
	behinds int               // lookbehinds measured so far
	steps   int
}

type measure struct{ length, visits int32 }

const (
	maxVisits = 2001  // of branches
	maxBehind = 65535 // characters

	// maxSteps ends what may take time in proportion to the square of the
	// length. A pattern as long as nginx's words takes half of it at most.
	maxSteps = 1 << 24
)

func (p *scanner) giveUp() code {
	p.unsure = true
	return 35
}

// lookbehinds measures all of them.
func (p *scanner) lookbehinds() code {
	if p.refers {
		p.first = make([]int32, p.groups+1)
		p.lengths = make([]int32, p.groups+1)
	}
	for i := p.n - 1; i >= 0 && p.refers; i-- {
		if p.at(i).op == opCapture {
			p.first[p.at(i).a] = int32(i)
		}
	}
	p.errAt = -1
	_, err := p.walk(0)
	return err
}

// walk measures the lookbehinds from item i to the end of the group around it.
func (p *scanner) walk(i int) (end int, err code) {
	depth := 0
	for ; p.at(i).op != opEnd; i++ {
		if p.steps++; p.steps > maxSteps {
			return 0, p.giveUp()
		}
		switch o := p.at(i).op; {
		case o == opKet:
			if depth--; depth < 0 {
				return i, ok
			}
		case o.behind():
			if i, err = p.behind(i); err != ok {
				return 0, err
			}
		case o.opens():
			depth++
		}
	}
	return i, ok
}

// behind measures the branches of the lookbehind at item i. PCRE2 writes the
// lengths over the items, and takes a branch that has one for no branch when it
// comes by again, which happens in groups that are called from lookbehinds. It
// then goes on in the second branch as if that stood behind the lookbehind.
func (p *scanner) behind(i int) (end int, err code) {
	p.behinds++
	off, to := p.at(i).off, i
	for {
		n, end, err := p.branch(i + 1)
		if err != ok {
			if p.errAt < 0 {
				p.errAt = int(off)
			}
			return 0, err
		}
		p.at(to).a |= int32(n)
		if i, to = end, end; p.at(to).op != opAlt || p.at(to).a != 0 {
			return i, ok
		}
	}
}

// branch returns how many characters the branch at item i matches, and the item
// that ends it.
func (p *scanner) branch(i int) (n, end int, err code) {
	if p.visits++; p.visits > maxVisits {
		return 0, 0, 35
	}
	last := 0 // what a quantifier repeats
	for ; ; i++ {
		if p.steps++; p.steps > maxSteps {
			return 0, 0, p.giveUp()
		}
		it, size := p.at(i), 0
		switch o := it.op; o {
		case opKet, opAlt:
			return n, i, ok
		case opAccept, opFail: // nothing behind it counts
			for ; p.at(i).op != opKet && p.at(i).op != opAlt; i++ {
				if p.at(i).op.opens() {
					i = int(p.at(i).b)
				}
			}
			return n, i, ok
		case opZero, opKeep, opVerb, opCallout, opOption:
		case opChar, opType, opProp, opClass:
			size = 1
		case opByte:
			if p.utf {
				return 0, 0, 36
			}
			size = 1
		case opLookahead, opLookaheadNot, opLookaheadNA:
			p.errAt = -1
			if i, err = p.walk(i + 1); err != ok {
				return 0, 0, err
			}
			if p.at(i+1).op == opRepeat {
				i++
			}
		case opLookbehind, opLookbehindNot, opLookbehindNA:
			if i, err = p.behind(i); err != ok {
				return 0, 0, err
			}
		case opBackref, opBackrefName, opRecurse, opRecurseName:
			if size, err = p.referred(i); err != ok {
				return 0, 0, err
			}
		case opCondDefine:
			i = int(it.b)
		case opCapture, opGroup, opAtomic, opScriptRun, opCondAssert, opCondName,
			opCondNumber, opCondRName, opCondRNumber, opCondVersion:
			number := 0
			if o == opCapture {
				number = int(it.a)
			}
			if size, i, err = p.group(i, number); err != ok {
				return 0, 0, err
			}
		case opRepeat:
			switch {
			case it.a != it.b:
				return 0, 0, 25
			case it.a == 0:
				n -= last
			case last > 0 && (1<<31-1)/last < int(it.a)-1:
				return 0, 0, 87
			default:
				size = (int(it.a) - 1) * last
			}
		default:
			return 0, 0, 25
		}
		if n += size; n > maxBehind {
			return 0, 0, 87
		}
		last = size
	}
}

// group measures the group that starts at item i and has that number, if any.
func (p *scanner) group(i, number int) (n, end int, err code) {
	if number > 0 && !p.dupGroups && p.refers {
		if n := p.lengths[number]; n > 0 {
			return int(n) - 1, int(p.at(i).b), ok
		}
	}
	n = -1
	for {
		var size int
		if size, i, err = p.branch(i + 1); err != ok {
			return 0, 0, err
		}
		if n >= 0 && size != n {
			return 0, 0, 25
		}
		n = size
		if p.at(i).op == opKet {
			break
		}
	}
	if p.refers {
		p.lengths[number] = int32(n) + 1
	}
	return n, i, ok
}

// referred measures what the reference at item i is to.
func (p *scanner) referred(i int) (int, code) {
	it := p.at(i)
	o, number := it.op, int(it.a)
	dup := false
	if o == opBackrefName || o == opRecurseName {
		k := p.named(p.s[it.off : it.off+it.a])
		if k < 0 {
			return 0, p.fail(15, int(it.off))
		}
		number, dup = int(p.names[k].number), p.names[k].dup
	}
	if o == opBackref && p.dupGroups || o == opBackrefName && (dup || p.dupGroups) {
		return 0, 25
	}
	if number > p.groups {
		return 0, p.fail(15, int(it.off))
	}
	if number == 0 {
		return 0, 25
	}
	at := p.first[number]
	g := p.at(int(at))
	if int(at) < i && i < int(g.b) || g.onPath {
		return 0, 25 // the group calls itself
	}
	if m, known := p.memo[at]; known {
		if p.visits += int(m.visits); p.visits > maxVisits {
			return 0, 35
		}
		return int(m.length), ok
	}
	visits, behinds := p.visits, p.behinds
	g.onPath = true
	n, _, err := p.group(int(at), number)
	g.onPath = false
	if err != ok {
		return 0, err
	}
	if p.dupGroups && p.behinds == behinds {
		// PCRE2 measures it again and again, with the same result. Lookbehinds
		// may change it, see behind.
		if p.memo == nil {
			p.memo = make(map[int32]measure)
		}
		p.memo[at] = measure{int32(n), int32(p.visits - visits)}
	}
	return n, ok
}
