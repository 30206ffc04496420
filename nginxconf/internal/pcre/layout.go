package pcre

// maxSize is how many bytes a pattern may compile to, with links of two bytes.
const maxSize = 1 << 16

// unsureSize is from where layout stops to judge what (*UTF8) and (*UCP) make of
// a pattern: it does not count the ranges that Unicode adds to classes.
const unsureSize = maxSize / 8

// large tells whether the compiled pattern might be too large. The most that a
// byte of a pattern becomes is ten, by [\d]; what PCRE2 puts around a copy of a
// group is less than the copy.
func (p *scanner) large() bool {
	limit := int64(maxSize)
	if p.utf || p.ucp {
		limit = unsureSize
	}
	return int64(len(p.s))*p.copies > limit/20
}

// A frame is a group whose size is being counted.
type frame struct {
	open       int   // its item
	size       int64 // of the branches so far, without pending
	pending    int64 // the last item, which a quantifier may make larger
	branches   int
	assertions int   // assertions around its content
	off        int32 // the last place that PCRE2 noted in this branch
}

// layout does what PCRE2 does when it counts how much room the compiled pattern
// needs: references are looked up, and the size is limited. What it finds only
// when it compiles, it tells last: too many branches after a condition.
func (p *scanner) layout() code {
	var buf [16]frame
	stack := append(buf[:0], frame{open: -1, size: 6, branches: 1})
	late, lateAt := ok, 0
	for i := 0; ; i++ {
		it := p.at(i)
		f := &stack[len(stack)-1]
		if it.op == opRepeat {
			f.pending = p.repeated(i, f.pending)
			continue
		}
		f.size += f.pending
		f.pending = 0
		if p.utf || p.ucp {
			if f.size > unsureSize {
				p.unsure = true
				return ok
			}
		} else if f.size > maxSize {
			return p.fail(20, len(p.s))
		}

		switch o := it.op; o {
		case opEnd:
			if f.size+1 > maxSize {
				return p.fail(20, len(p.s))
			}
			if late != ok {
				return p.fail(late, lateAt)
			}
			return ok
		case opChar:
			f.pending = 2
		case opProp:
			f.pending = 3
		case opOption:
		case opType, opByte, opVariable, opZero, opFail:
			f.pending = 1
		case opKeep:
			if f.assertions > 0 {
				return p.fail(99, len(p.s))
			}
			f.pending = 1
		case opClass, opVerb:
			f.pending = int64(it.a)
		case opCallout:
			f.pending = int64(it.a)
			if it.off >= 0 {
				f.off = it.off
			}
		case opAccept: // with the captures that it ends
			f.pending = 1
			for k := len(stack) - 1; k > 0; k-- {
				if o := p.at(stack[k].open).op; o == opCapture {
					if stack[k-1].assertions < f.assertions {
						break
					}
					f.pending += 3
				}
			}
		case opBackref, opBackrefName, opRecurse, opRecurseName:
			f.off = it.off
			size, err := p.lookUp(it)
			if err != ok {
				return err
			}
			f.pending = size
		case opAlt:
			f.size += 3
			f.branches++
			f.off = 0
			if f.open >= 0 && p.at(f.open).op.behind() && it.a > 0 {
				f.size += 3
			}
		case opKet:
			g, size := p.at(f.open), f.size
			branches := f.branches
			stack = stack[:len(stack)-1]
			f = &stack[len(stack)-1]
			f.pending = size
			switch {
			case late != ok || !g.op.cond():
			case g.op == opCondDefine && branches > 1:
				late, lateAt = 54, int(f.off)
			case branches > 2:
				late, lateAt = 27, int(f.off)
			}
		default: // a group starts
			if o == opLookaheadNot && p.at(i+1).op == opKet && p.at(i+2).op != opRepeat {
				f.pending = 1 // compiled as (*FAIL)
				i++
				break
			}
			size, err := p.header(it, f)
			if err != ok {
				return err
			}
			inner := frame{open: i, size: 6 + size, branches: 1, assertions: f.assertions}
			if o.assertion() {
				inner.assertions++
			}
			stack = append(stack, inner)
		}
	}
}

// lookUp finds what a reference is to and returns how much room it needs.
func (p *scanner) lookUp(it *item) (int64, code) {
	switch it.op {
	case opBackref, opRecurse:
		if int(it.a) > p.groups {
			return 0, p.fail(15, int(it.off))
		}
		return 3, ok
	}
	k := p.named(p.s[it.off : it.off+it.a])
	if k < 0 {
		return 0, p.fail(15, int(it.off))
	}
	if it.op == opBackrefName && p.names[k].dup {
		return 5, ok
	}
	return 3, ok
}

// header returns how much room the start of a group needs beyond that of every
// group, and notes in f what PCRE2 notes.
func (p *scanner) header(it *item, f *frame) (int64, code) {
	switch it.op {
	case opCapture:
		return 2, ok
	case opCondDefine:
		f.off = it.off
		return 1, ok
	case opCondVersion:
		return 1, ok
	case opCondNumber:
		f.off = it.off - 2
		if int(it.a) > p.groups {
			return 0, p.fail(15, int(it.off))
		}
		return 3, ok
	case opCondName, opCondRName, opCondRNumber:
		f.off = it.off
		name := p.s[it.off : it.off+it.a]
		if k := p.named(name); k >= 0 {
			if p.names[k].dup {
				return 5, ok
			}
			return 3, ok
		}
		n := 0
		if it.op == opCondRNumber {
			for i := 1; i < len(name); i++ {
				n = n*10 + int(name[i]-'0')
				if n > maxGroups {
					return 0, p.fail(61, int(it.off)+i)
				}
			}
		}
		if it.op != opCondRNumber || n > p.groups {
			return 0, p.fail(15, int(it.off))
		}
		return 3, ok
	case opLookbehind, opLookbehindNot, opLookbehindNA:
		if it.a > 0 { // it starts with how far to move back
			return 3, ok
		}
	}
	return 0, ok
}

// repeated returns how much room the item before the quantifier at i needs with
// it, if it needs size alone.
func (p *scanner) repeated(i int, size int64) int64 {
	it, r := p.at(i-1), p.at(i)
	least, most := int64(r.a), int64(r.b)
	once := least == 1 && most == 1
	wrap := int64(0) // into an atomic group, where PCRE2 has nothing shorter
	if r.possessive {
		wrap = 6
	}
	switch it.op {
	case opChar:
		return max(size, repeatedUnit(2, 1, 0, least, most))
	case opProp:
		return max(size, repeatedUnit(3, 3, wrap, least, most))
	case opType, opByte, opVariable:
		return max(size, repeatedUnit(1, 1, wrap, least, most))
	case opClass, opBackref, opBackrefName:
		if it.op == opClass {
			wrap = 0
		}
		switch {
		case once, most == 0:
			return size
		case most == unlimited && least <= 1, least == 0 && most == 1:
			return size + 1 + wrap
		}
		return size + 5 + wrap
	case opRecurse, opRecurseName:
		switch {
		case once && !r.possessive:
			return size
		case least == most && least > 0:
			return size + 3*(least-1) + wrap
		case least > 1 || least == 1 && most < unlimited:
			size += 3 * least
			if most < unlimited {
				most -= least
			}
			least = 0
		}
		// What is left is repeated as a group of one call.
		return size + 6 + repeatedGroup(opGroup, 9, least, most, r.possessive) - 9
	case opKet:
		return repeatedGroup(p.at(int(it.a)).op, size, least, most, r.possessive)
	}
	return size
}

// repeatedUnit returns the size of a repeated character or character type, which
// takes base alone and unit behind a repeat code.
func repeatedUnit(base, unit, wrap, least, most int64) int64 {
	few, many := 1+unit, 3+unit // with a code for *, + or ?, with a number
	switch {
	case most == 0, least == 1 && most == 1:
		return base
	case least == 0 && (most == 1 || most == unlimited):
		return few
	case least == 0:
		return many
	case least == 1 && most == unlimited:
		return few
	case least == 1:
		return base + many + wrap
	case least == most:
		return many
	case most == unlimited, most-least == 1:
		return many + few
	}
	return many + many
}

// repeatedGroup returns the size of a repeated group, which takes size alone.
// PCRE2 copies it.
func repeatedGroup(o op, size, least, most int64, possessive bool) int64 {
	const nested = 6 // a group around what may be left out
	n := size
	if least == 1 && most == 1 && !possessive {
		return n
	}
	if o.assertion() && most == unlimited {
		most = least + 1
	}
	chained := int64(0)
	if least == 0 {
		switch {
		case most == 0:
			return n + 1
		case most == 1, most == unlimited:
			n++
		default:
			n += 4
			chained = 3
		}
		if most < unlimited {
			most--
		}
	} else {
		n += (least - 1) * size
		if most < unlimited {
			most -= least
		}
	}
	switch {
	case most < unlimited:
		if most > 0 {
			n += most*(size+1+nested) - nested
		}
		n += chained
	case !possessive, o == opScriptRun:
	default:
		if o.cond() {
			n += nested
		}
		possessive = least > 1
	}
	if possessive {
		n += nested
	}
	return n
}
