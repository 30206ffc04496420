package regex

// maxSteps bounds a match. PCRE2 gives up as well, with an error that nginx
// answers 500 to, but only after ten million.
const maxSteps = 1 << 20

// A frame is a choice to come back to, or a value to put back on the way.
type frame struct {
	kind frameKind
	pc   int32
	pos  int32
	n    int32
}

type frameKind uint8

const (
	again    frameKind = iota // at pc, with pos
	shorter                   // a run that may end down to n
	longer                    // a lazy run that may take up to n more
	capture                   // slot pc was pos
	register                  // register pc was pos
)

type matcher struct {
	re    *Regex
	s     string
	caps  []int32
	regs  []int32
	stack []frame
	steps int
}

// Match looks for the first match in s. It returns the positions of the match
// and of each group, or -1: like PCRE2 up to the last group that took part. It
// returns nil without a match. The error is [ErrSteps].
func (re *Regex) Match(s string) ([]int32, error) {
	m := matcher{re: re, s: s}
	m.caps = make([]int32, 2*(re.Captures+1))
	if re.marks > 0 {
		m.regs = make([]int32, re.marks)
	}
	for i := range m.caps {
		m.caps[i] = -1
	}
	for at := 0; at <= len(s); at++ {
		if re.first != nil && (at == len(s) || !re.first.has(s[at])) {
			if re.anchored {
				break
			}
			continue
		}
		m.caps[0] = int32(at)
		end, ok := m.run(0, at)
		if m.steps > maxSteps {
			return nil, ErrSteps
		}
		if ok {
			m.caps[1] = int32(end)
			n := len(m.caps)
			for m.caps[n-1] < 0 {
				n -= 2
			}
			return m.caps[:n], nil
		}
		if re.anchored {
			break
		}
	}
	return nil, nil
}

// run matches from pc on. It leaves frames on the stack if it succeeds.
func (m *matcher) run(pc int32, at int) (end int, ok bool) {
	base := len(m.stack)
	s := m.s
	pos := at
	for {
		if m.steps++; m.steps > maxSteps {
			return 0, false
		}
		i := &m.re.prog[pc]
		pc++
		ok := true
		switch i.op {
		case opMatch:
			return pos, true
		case opByte:
			if ok = pos < len(s) && s[pos] == i.c; ok {
				pos++
			}
		case opSet:
			if ok = pos < len(s) && m.re.sets[i.n].has(s[pos]); ok {
				pos++
			}
		case opRun:
			pos, ok = m.runOf(i, pc, pos)
		case opSplit:
			first, second := i.x, i.y
			if i.lazy {
				first, second = second, first
			}
			m.push(frame{kind: again, pc: second, pos: int32(pos)})
			pc = first
		case opJump:
			pc = i.x
		case opKeep:
			m.capture(0, int32(pos))
		case opGroup: // only now: what it captured before may be referred to inside
			m.capture(2*i.n, m.regs[i.x])
			m.capture(2*i.n+1, int32(pos))
		case opMark:
			m.push(frame{kind: register, pc: i.n, pos: m.regs[i.n]})
			m.regs[i.n] = int32(pos)
		case opLoop:
			switch {
			case int(m.regs[i.n]) == pos: // what takes nothing is not repeated
			case i.lazy:
				m.push(frame{kind: again, pc: i.x, pos: int32(pos)})
			default:
				m.push(frame{kind: again, pc: pc, pos: int32(pos)})
				pc = i.x
			}
		case opAtomic, opLook:
			pos, ok = m.inside(i, pc, pos)
			pc = i.x
		case opBack:
			from, to := m.caps[2*i.n], m.caps[2*i.n+1]
			if ok = to >= 0 && same(s, int(from), int(to), pos, i.lazy); ok {
				pos += int(to - from)
			}
		default:
			ok = m.holds(i.op, pos)
		}
		if ok {
			continue
		}
		if pc, pos, ok = m.back(base); !ok {
			return 0, false
		}
	}
}

func (m *matcher) capture(slot, pos int32) {
	m.push(frame{kind: capture, pc: slot, pos: m.caps[slot]})
	m.caps[slot] = pos
}

func (m *matcher) push(f frame) { m.stack = append(m.stack, f) }

// back returns to the last choice above base.
func (m *matcher) back(base int) (pc int32, pos int, ok bool) {
	for len(m.stack) > base {
		if m.steps++; m.steps > maxSteps {
			return 0, 0, false
		}
		f := &m.stack[len(m.stack)-1]
		switch f.kind {
		case again:
			pc, pos = f.pc, int(f.pos)
			m.stack = m.stack[:len(m.stack)-1]
			return pc, pos, true
		case shorter:
			f.pos--
			pc, pos = f.pc, int(f.pos)
			if f.pos == f.n {
				m.stack = m.stack[:len(m.stack)-1]
			}
			return pc, pos, true
		case longer:
			at := int(f.pos)
			if at < len(m.s) && m.re.sets[m.re.prog[f.pc-1].n].has(m.s[at]) {
				f.pos++
				pc = f.pc
				if f.n--; f.n == 0 {
					m.stack = m.stack[:len(m.stack)-1]
				}
				return pc, at + 1, true
			}
			m.stack = m.stack[:len(m.stack)-1]
		default:
			m.undo(f)
			m.stack = m.stack[:len(m.stack)-1]
		}
	}
	return 0, 0, false
}

func (m *matcher) undo(f *frame) {
	switch f.kind {
	case capture:
		m.caps[f.pc] = f.pos
	case register:
		m.regs[f.pc] = f.pos
	}
}

// runOf takes bytes of a set; pc is what follows.
func (m *matcher) runOf(i *inst, pc int32, pos int) (int, bool) {
	most := len(m.s) - pos
	if i.y >= 0 && int(i.y) < most {
		most = int(i.y)
	}
	least := int(i.x)
	if least > most {
		return pos, false
	}
	set := &m.re.sets[i.n]
	n := 0
	want := most
	if i.lazy {
		want = least
	}
	for n < want && set.has(m.s[pos+n]) {
		n++
	}
	switch {
	case n < least:
		return pos, false
	case i.lazy && most > n:
		m.push(frame{kind: longer, pc: pc, pos: int32(pos + n), n: int32(most - n)})
	case !i.lazy && n > least:
		m.push(frame{kind: shorter, pc: pc, pos: int32(pos + n), n: int32(pos + least)})
	}
	return pos + n, true
}

// inside matches what an atomic group or lookaround holds, and forgets the
// choices in it.
func (m *matcher) inside(i *inst, pc int32, pos int) (int, bool) {
	base := len(m.stack)
	start := pos
	if i.op == opLook {
		if start -= int(i.n); start < 0 {
			return pos, i.not
		}
	}
	end, ok := m.run(pc, start)
	if i.op == opLook {
		end = pos
	}
	if !ok {
		return pos, i.op == opLook && i.not && m.steps <= maxSteps
	}
	if i.op == opLook && i.not {
		for len(m.stack) > base {
			m.undo(&m.stack[len(m.stack)-1])
			m.stack = m.stack[:len(m.stack)-1]
		}
		return pos, false
	}
	kept := m.stack[:base]
	for _, f := range m.stack[base:] {
		if f.kind == capture || f.kind == register {
			kept = append(kept, f)
		}
	}
	m.stack = kept
	return end, true
}

// same tells whether s[from:to] stands at pos as well.
func same(s string, from, to, pos int, caseless bool) bool {
	n := to - from
	if n < 0 || pos+n > len(s) {
		return false
	}
	for k := range n {
		a, b := s[from+k], s[pos+k]
		if a != b && (!caseless || fold(a) != fold(b)) {
			return false
		}
	}
	return true
}

func fold(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 32
	}
	return c
}

// holds tells whether an assertion holds.
func (m *matcher) holds(o op, pos int) bool {
	s := m.s
	switch o {
	case opBegin:
		return pos == 0
	case opLineBegin: // but not behind a last line feed
		return pos == 0 || pos < len(s) && s[pos-1] == '\n'
	case opEnd:
		return pos == len(s) || pos == len(s)-1 && s[pos] == '\n'
	case opLineEnd:
		return pos == len(s) || s[pos] == '\n'
	case opTextEnd:
		return pos == len(s)
	}
	before := pos > 0 && wordSet.has(s[pos-1])
	after := pos < len(s) && wordSet.has(s[pos])
	return (before != after) == (o == opWord)
}
