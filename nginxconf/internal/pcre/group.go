package pcre

import "strings"

// parenthesis reads an opening parenthesis, which is read, and what says of
// which kind it is. expected is what assertion was before.
func (p *scanner) parenthesis(expected int) code {
	if p.i >= len(p.s) {
		return p.fail(14, p.i)
	}
	switch p.s[p.i] {
	case '?':
		return p.special(expected)
	case '*':
		switch {
		case p.i+1 >= len(p.s) || p.s[p.i+1] == ')':
			return ok // the * is read as a quantifier, and refused
		case 'a' <= p.s[p.i+1] && p.s[p.i+1] <= 'z':
			return p.spelled(expected)
		}
		return p.verbItem()
	}
	p.depth++
	if p.opts&optN != 0 {
		p.begin(opGroup, 0, 0)
		return ok
	}
	return p.capture()
}

// capture starts a group with a number.
func (p *scanner) capture() code {
	if p.groups >= maxGroups {
		return p.fail(97, p.i)
	}
	p.groups++
	p.begin(opCapture, p.groups, 0)
	return ok
}

// enter starts a group without one.
func (p *scanner) enter(o op) code {
	p.i++
	p.depth++
	p.begin(o, 0, 0)
	return ok
}

// look starts a lookahead or a lookbehind. It may be the condition of a group,
// and then cannot be repeated.
func (p *scanner) look(o op, off, expected int) code {
	p.depth++
	p.begin(o, 0, off)
	if expected > 0 {
		p.remember(nestCondition)
	}
	if o.behind() {
		p.lookbehind = true
	}
	return ok
}

// spelled reads (*pla:…) and the like, p.i being at the *.
func (p *scanner) spelled(expected int) code {
	off, size, err := p.name(0)
	if err != ok {
		return err
	}
	var o op
	if p.is(p.i, ':') {
		switch p.s[off : off+size] {
		case "pla", "positive_lookahead":
			o = opLookahead
		case "nla", "negative_lookahead":
			o = opLookaheadNot
		case "plb", "positive_lookbehind":
			o = opLookbehind
		case "nlb", "negative_lookbehind":
			o = opLookbehindNot
		case "napla", "non_atomic_positive_lookahead":
			o = opLookaheadNA
		case "naplb", "non_atomic_positive_lookbehind":
			o = opLookbehindNA
		case "atomic":
			o = opAtomic
		case "sr", "script_run", "asr", "atomic_script_run":
			o = opScriptRun
		}
	}
	switch {
	case o == opEnd:
		return p.fail(95, p.i)
	case expected <= 0:
	case o == opLookaheadNA, o == opLookbehindNA:
		return p.fail(98, p.i)
	case !o.assertion():
		return p.fail(28, p.i)
	}
	switch {
	case o == opScriptRun:
		p.enter(o)
		if p.s[off] == 'a' {
			p.begin(opAtomic, 0, 0)
			p.remember(nestAtomic)
		}
		return ok
	case !o.assertion():
		return p.enter(o)
	}
	p.i++
	return p.look(o, p.i-4, expected)
}

// verbItem reads (*ACCEPT), (*MARK:name) and the like, p.i being at the *.
func (p *scanner) verbItem() code {
	off, size, err := p.name(0)
	if err != ok {
		return err
	}
	o, needs, before := opVerb, false, false
	if !p.is(p.i, ':') && !p.is(p.i, ')') {
		return p.fail(60, p.i)
	}
	switch p.s[off : off+size] {
	case "", "MARK":
		needs = true
	case "ACCEPT":
		o, before = opAccept, true
		p.refers = true // it takes room for each group it ends
	case "F", "FAIL":
		o, before = opFail, true
	case "COMMIT", "PRUNE", "SKIP", "THEN":
	default:
		return p.fail(60, p.i)
	}
	if strings.HasPrefix(p.s[p.i:], ":)") {
		p.i++
	}
	argument := p.s[p.i] == ':'
	if needs && !argument {
		return p.fail(66, p.i)
	}
	p.i++
	p.verb = p.n
	p.quantifiable = o == opAccept
	if !argument {
		p.emit(o, 1, 0)
		return ok
	}
	n := strings.IndexByte(p.s[p.i:], ')')
	switch {
	case n < 0:
		return p.fail(60, len(p.s))
	case n > 255:
		return p.fail(76, p.i+n)
	}
	p.i += n + 1
	p.emit(opVerb, 3+n, 0)
	if before {
		p.emit(o, 1, 0)
	}
	return ok
}

// special reads what starts with (?, p.i being at the question mark.
func (p *scanner) special(expected int) code {
	p.i++
	if p.i >= len(p.s) {
		return p.fail(14, p.i)
	}
	switch c := p.s[p.i]; c {
	case '|':
		p.dupGroups = true
		p.enter(opGroup)
		n := p.remember(nestReset)
		n.reset, n.max = int32(p.groups), int32(p.groups)
		return ok
	case 'P':
		p.i++
		switch {
		case p.i >= len(p.s):
			return p.fail(14, p.i)
		case p.s[p.i] == '<':
			return p.namedGroup('>')
		case p.s[p.i] == '>':
			return p.callByName()
		case p.s[p.i] != '=':
			return p.fail(41, p.i)
		}
		off, size, err := p.name(')')
		if err != ok {
			return err
		}
		p.emit(opBackrefName, size, off)
		p.quantifiable, p.refers = true, true
		return ok
	case 'R':
		p.i++
		if !p.is(p.i, ')') {
			return p.fail(58, p.i)
		}
		p.call(0)
		return ok
	case '+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if !isDigit(c) && !p.digit(p.i+1) {
			if c == '+' {
				return p.fail(29, p.i)
			}
			break
		}
		n, end, err := p.groupNumber(p.i, !isDigit(c))
		if err != ok {
			return err
		}
		p.i = end
		if !p.is(p.i, ')') {
			return p.fail(14, p.i)
		}
		p.call(n)
		return ok
	case '&':
		return p.callByName()
	case 'C':
		p.assertion = expected - 1
		return p.callout()
	case '(':
		return p.condition()
	case '>':
		return p.enter(opAtomic)
	case '=':
		p.i++
		return p.look(opLookahead, 0, expected)
	case '*':
		p.i++
		return p.look(opLookaheadNA, 0, expected)
	case '!':
		p.i++
		return p.look(opLookaheadNot, 0, expected)
	case '<':
		o := opEnd
		switch {
		case p.is(p.i+1, '='):
			o = opLookbehind
		case p.is(p.i+1, '!'):
			o = opLookbehindNot
		case p.is(p.i+1, '*'):
			o = opLookbehindNA
		default:
			return p.namedGroup('>')
		}
		p.i += 2
		return p.look(o, p.i-4, expected)
	case '\'':
		return p.namedGroup('\'')
	}
	return p.setting()
}

// namedGroup reads the name of a group and starts it.
func (p *scanner) namedGroup(end byte) code {
	off, size, err := p.name(end)
	if err != ok {
		return err
	}
	if err := p.capture(); err != ok {
		return err
	}
	p.depth++
	return p.define(off, size)
}

// callByName reads (?&…) and (?P>…).
func (p *scanner) callByName() code {
	off, size, err := p.name(')')
	if err != ok {
		return err
	}
	p.emit(opRecurseName, size, off)
	p.quantifiable, p.refers = true, true
	return ok
}

// setting reads options and the ")" or ":" that ends them.
func (p *scanner) setting() code {
	before := p.opts
	var set, unset options
	which, hyphen := &set, true
	opts := before
	if p.s[p.i] == '^' {
		opts &^= optX | optXX | optN | optI | optM | optS
		hyphen = false
		p.i++
	}
	for ; p.i < len(p.s) && p.s[p.i] != ')' && p.s[p.i] != ':'; p.i++ {
		switch p.s[p.i] {
		case '-':
			if !hyphen {
				return p.fail(94, p.i)
			}
			which, hyphen = &unset, false
		case 'J':
			*which |= optJ
		case 'n':
			*which |= optN
		case 'x':
			*which |= optX
			if p.is(p.i+1, 'x') {
				*which |= optXX
				p.i++
			}
		case 'i':
			*which |= optI
		case 'm':
			*which |= optM
		case 's':
			*which |= optS
		case 'U':
			*which |= optU
		default:
			return p.fail(11, p.i)
		}
	}
	if set&(optX|optXX) == optX || unset&optX != 0 {
		unset |= optXX
	}
	if p.i >= len(p.s) {
		return p.fail(14, p.i)
	}
	if p.s[p.i] == ':' {
		p.enter(opGroup)
		p.remember(nestOptions)
	} else {
		p.i++
		if p.nest() == nil { // they hold to the end of the group around
			p.remember(nestOptions)
		}
	}
	p.opts = (opts | set) &^ unset
	if p.opts != before {
		p.emit(opOption, 0, 0)
	}
	return ok
}

// callout reads the rest of (?C…), p.i being at the letter.
func (p *scanner) callout() code {
	p.i++
	if p.i >= len(p.s) {
		return p.fail(14, p.i)
	}
	size, off := 6, -1
	if start := p.i; p.s[p.i] != ')' && !isDigit(p.s[p.i]) {
		end := p.s[p.i]
		switch end {
		case '`', '\'', '"', '^', '%', '#', '$':
		case '{':
			end = '}'
		default:
			return p.fail(82, p.i)
		}
		for { // a doubled delimiter stands for itself
			n := strings.IndexByte(p.s[p.i+1:], end)
			if n < 0 {
				return p.fail(81, start)
			}
			p.i += n + 2
			if !p.is(p.i, end) {
				break
			}
		}
		size, off = 9+p.i-start, start
	} else {
		n := 0
		for p.digit(p.i) {
			n = n*10 + int(p.s[p.i]-'0')
			p.i++
			if n > 255 {
				return p.fail(38, p.i)
			}
		}
	}
	if !p.is(p.i, ')') {
		return p.fail(39, p.i)
	}
	p.i++
	p.emit(opCallout, size, off)
	return ok
}

// condition reads the condition of (?(…)…), p.i being at its parenthesis.
func (p *scanner) condition() code {
	p.i++
	if p.i >= len(p.s) {
		return p.fail(14, p.i)
	}
	p.depth++
	p.refers = true
	if p.s[p.i] == '?' || p.s[p.i] == '*' {
		p.begin(opCondAssert, 0, 0)
		p.i-- // the assertion has that parenthesis
		p.assertion = 2
		return ok
	}
	n, end, err := p.groupNumber(p.i, true)
	rest := p.s[p.i:]
	switch {
	case err != ok:
		return err
	case end > 0:
		p.i = end
		if n == 0 {
			return p.fail(15, p.i)
		}
		p.begin(opCondNumber, n, p.i-2)
	case len(rest) >= 10 && strings.HasPrefix(rest, "VERSION") && rest[7] != ')':
		if err := p.version(); err != ok {
			return err
		}
		p.begin(opCondVersion, 0, 0)
	default:
		if err := p.conditionName(); err != ok {
			return err
		}
	}
	if !p.is(p.i, ')') {
		return p.fail(24, p.i)
	}
	p.i++
	return ok
}

// conditionName reads the name of a condition and leaves p.i at its parenthesis.
func (p *scanner) conditionName() code {
	o, end := opCondName, byte(')')
	switch {
	case strings.HasPrefix(p.s[p.i:], "R&"):
		o = opCondRName
		p.i++
	case p.s[p.i] == '<':
		end = '>'
	case p.s[p.i] == '\'':
		end = '\''
	default:
		p.i-- // name starts behind it
	}
	off, size, err := p.name(end)
	if err != ok {
		return err
	}
	if end != ')' {
		p.begin(o, size, off)
		return ok
	}
	p.i--
	if o == opCondName {
		switch s := p.s[off : off+size]; {
		case s == "DEFINE":
			o = opCondDefine
		case s[0] == 'R' && strings.Trim(s[1:], "0123456789") == "":
			o = opCondRNumber
		}
	}
	p.begin(o, size, off)
	return ok
}

// version reads VERSION>=10.4 and the like. PCRE2 takes a fraction of one or
// two digits.
func (p *scanner) version() code {
	p.i += len("VERSION")
	if p.is(p.i, '>') {
		p.i++
	}
	if !p.is(p.i, '=') {
		return p.fail(79, p.i)
	}
	p.i++
	if !p.digit(p.i) {
		return p.fail(79, p.i)
	}
	for n := 0; p.digit(p.i); {
		n = n*10 + int(p.s[p.i]-'0')
		p.i++
		if n > 1000 {
			return p.fail(79, p.i)
		}
	}
	switch {
	case p.i >= len(p.s):
		return p.fail(79, p.i)
	case p.s[p.i] != '.':
		return ok
	}
	p.i++
	if !p.digit(p.i) {
		return p.fail(79, p.i)
	}
	p.i++
	if p.digit(p.i) {
		p.i++
	}
	if !p.is(p.i, ')') {
		return p.fail(79, p.i)
	}
	return ok
}
