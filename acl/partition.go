package acl

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
)

// A verdict is a Decision in four bytes: twice one more than the rule's index,
// plus the action. The zero verdict is that no rule matched. Among verdicts of
// rules the lesser one is that of the earlier rule.
type verdict uint32

const unmatched verdict = 0

// maxRules keeps verdicts, and the number of pieces that rules cut the
// addresses into, below bit 31, which marks references.
const maxRules = 1 << 28

func verdictOf(rule int, a Action) verdict { return verdict(rule+1)<<1 | verdict(a) }

func (v verdict) decision() Decision { return Decision{Action(v & 1), int(v>>1) - 1} }

// A point is an address as a number. IPv4 addresses stand in the upper 32
// bits, so that prefixes of both families are counted alike.
type point struct{ hi, lo uint64 }

func pointOf(a netip.Addr) point {
	if a.Is4() {
		b := a.As4()
		return point{uint64(binary.BigEndian.Uint32(b[:])) << 32, 0}
	}
	b := a.As16()
	return point{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (p point) compare(q point) int {
	if p.hi != q.hi {
		return cmp.Compare(p.hi, q.hi)
	}
	return cmp.Compare(p.lo, q.lo)
}

// A span is the addresses of one rule.
type span struct {
	first   point
	bits    uint8 // prefix length
	verdict verdict
}

// end returns the point behind the span. There is none, and ok is false, if
// the span reaches the last address.
func (s span) end() (p point, ok bool) {
	if s.bits == 0 {
		return p, false
	}
	size := point{lo: 1 << (128 - uint(s.bits))}
	if s.bits <= 64 {
		size = point{hi: 1 << (64 - uint(s.bits))}
	}
	var carry uint64
	p.lo, carry = bits.Add64(s.first.lo, size.lo, 0)
	p.hi, _ = bits.Add64(s.first.hi, size.hi, carry)
	return p, p != point{}
}

// pieces are an address space cut by the rule that decides: verdicts[i] holds
// from starts[i] up to the next start. starts[0] is the zero point.
type pieces struct {
	starts   []point
	verdicts []verdict
}

func (p pieces) at(x point) verdict {
	i, found := slices.BinarySearchFunc(p.starts, x, point.compare)
	if !found {
		i--
	}
	return p.verdicts[i]
}

// spans returns what the list says of each family. unix is the verdict for
// clients on unix sockets.
func (l List) spans() (v4, v6 []span, unix verdict) {
	n4, n6 := 0, 0
	for _, r := range l {
		if r.hasIPv4() {
			n4++
		}
		if r.hasIPv6() {
			n6++
		}
	}
	v4, v6 = make([]span, 0, n4), make([]span, 0, n6)
	for i, r := range l {
		v := verdictOf(i, r.action())
		s := span{verdict: v}
		if !r.All() && r.prefix.IsValid() {
			s.first, s.bits = pointOf(r.prefix.Addr()), uint8(r.prefix.Bits())
		}
		if r.hasIPv4() {
			v4 = append(v4, s)
		}
		if r.hasIPv6() {
			v6 = append(v6, s)
		}
		if (r.All() || r.Unix()) && unix == unmatched {
			unix = v
		}
	}
	return v4, v6, unix
}

// hasIPv6 reports whether nginx files the rule among its IPv6 rules.
func (r Rule) hasIPv6() bool { return r.All() || r.prefix.Addr().Is6() }

func sortSpans(spans []span) {
	slices.SortFunc(spans, func(a, b span) int {
		if c := a.first.compare(b.first); c != 0 {
			return c
		}
		if c := cmp.Compare(a.bits, b.bits); c != 0 {
			return c
		}
		return cmp.Compare(a.verdict, b.verdict)
	})
}

// partition cuts the address space into the longest pieces that have one
// deciding rule each. It sorts spans.
//
// Prefixes nest or are disjoint, so a stack holds the spans that are open at a
// point. A span that lies within one of an earlier rule decides nothing and is
// left out, so the verdict is always that of the innermost one.
func partition(spans []span) pieces {
	sortSpans(spans)
	starts := make([]point, 0, len(spans)+1)
	verdicts := make([]verdict, 0, len(spans)+1)
	from := func(p point, v verdict) {
		if last := len(starts) - 1; last >= 0 && starts[last] == p {
			verdicts[last] = v
			return
		}
		starts, verdicts = append(starts, p), append(verdicts, v)
	}

	type open struct {
		end     point
		ends    bool
		verdict verdict
	}
	stack := []open{{}} // the whole space, unmatched
	pop := func() {
		end := stack[len(stack)-1].end
		stack = stack[:len(stack)-1]
		from(end, stack[len(stack)-1].verdict)
	}
	from(point{}, unmatched)
	for _, s := range spans {
		for top := stack[len(stack)-1]; top.ends && top.end.compare(s.first) <= 0; top = stack[len(stack)-1] {
			pop()
		}
		if around := stack[len(stack)-1].verdict; around != unmatched && around < s.verdict {
			continue // an earlier rule covers it
		}
		end, ok := s.end()
		stack = append(stack, open{end, ok, s.verdict})
		from(s.first, s.verdict)
	}
	for stack[len(stack)-1].ends {
		pop()
	}
	return pieces{starts, verdicts}
}
