package acl

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
)

// Arithmetic on points is modulo 2 to the 128: the zero point is also the one
// behind the last address.

func (p point) add(q point) (sum point) {
	var carry uint64
	sum.lo, carry = bits.Add64(p.lo, q.lo, 0)
	sum.hi, _ = bits.Add64(p.hi, q.hi, carry)
	return sum
}

func (p point) sub(q point) (diff point) {
	var borrow uint64
	diff.lo, borrow = bits.Sub64(p.lo, q.lo, 0)
	diff.hi, _ = bits.Sub64(p.hi, q.hi, borrow)
	return diff
}

// pow2 is 2 to the n; n is from 0 to 127.
func pow2(n int) point {
	if n < 64 {
		return point{lo: 1 << n}
	}
	return point{hi: 1 << (n - 64)}
}

func (p point) trailingZeros() int {
	if p.lo != 0 {
		return bits.TrailingZeros64(p.lo)
	}
	return 64 + bits.TrailingZeros64(p.hi)
}

func (p point) len() int {
	if p.hi != 0 {
		return 64 + bits.Len64(p.hi)
	}
	return bits.Len64(p.lo)
}

func (p point) addr(is4 bool) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], p.hi)
	binary.BigEndian.PutUint64(b[8:], p.lo)
	if is4 {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16(b)
}

// The IPv4-mapped addresses are mappedFirst up to mappedEnd, ::ffff:0:0/96.
// nextToMapped is the first of the other half of the /95 around them.
var (
	nextToMapped = point{lo: 0xfffe << 32}
	mappedFirst  = point{lo: 0xffff << 32}
	mappedEnd    = point{lo: 0x10000 << 32}
)

func isMapped(p point) bool { return p.hi == 0 && p.lo>>32 == 0xffff }

// unmapPoint is the point of the IPv4 address that p maps, mapPoint its inverse.
func unmapPoint(p point) point { return point{hi: p.lo << 32} }
func mapPoint(p point) point   { return point{lo: mappedFirst.lo | p.hi>>32} }

// regions give each address a class: classes[i] holds from starts[i] up to the
// next start, and differs from that before. The first start is the zero point.
// In the zero regions every address has class 0.
type regions struct {
	starts  []point
	classes []uint8
}

// from sets the class of p and all behind it. p does not descend from call to
// call.
func (r *regions) from(p point, class uint8) {
	n := len(r.starts)
	if n > 0 && r.starts[n-1] == p { // what began here is empty
		n--
		r.starts, r.classes = r.starts[:n], r.classes[:n]
	}
	if n == 0 && p != (point{}) {
		r.starts, r.classes = append(r.starts, point{}), append(r.classes, 0)
		n++
	}
	if n == 0 || r.classes[n-1] != class {
		r.starts, r.classes = append(r.starts, p), append(r.classes, class)
	}
}

// index is that of the region of p. r is not the zero regions.
func (r regions) index(p point) int {
	i, found := slices.BinarySearchFunc(r.starts, p, point.compare)
	if !found {
		i--
	}
	return i
}

func (r regions) at(p point) uint8 {
	if len(r.starts) == 0 {
		return 0
	}
	return r.classes[r.index(p)]
}

// uniform reports whether all from first up to end are of one class. end may
// be the zero point, behind all addresses.
func (r regions) uniform(first, end point) bool {
	if len(r.starts) == 0 {
		return true
	}
	next := r.index(first) + 1
	return next == len(r.starts) || end != point{} && r.starts[next].compare(end) >= 0
}

func (r regions) equal(q regions) bool {
	return len(r.starts) <= 1 && len(q.starts) <= 1 && r.at(point{}) == q.at(point{}) ||
		slices.Equal(r.starts, q.starts) && slices.Equal(r.classes, q.classes)
}

// regions are the pieces with a class in place of the verdict. The zero pieces
// are those of no rule.
func (p pieces) regions(class func(verdict) uint8) (r regions) {
	if len(p.starts) == 0 {
		r.from(point{}, class(unmatched))
		return r
	}
	r = regions{make([]point, 0, len(p.starts)), make([]uint8, 0, len(p.starts))}
	for i, start := range p.starts {
		r.from(start, class(p.verdicts[i]))
	}
	return r
}

// combine gives each address the class that f makes of its two.
func combine(a, b regions, f func(x, y uint8) uint8) (r regions) {
	r = regions{make([]point, 0, len(a.starts)+len(b.starts)), make([]uint8, 0, len(a.starts)+len(b.starts))}
	var x, y uint8
	r.from(point{}, f(x, y))
	for i, j := 0, 0; i < len(a.starts) || j < len(b.starts); {
		c := -1
		switch {
		case i == len(a.starts):
			c = 1
		case j < len(b.starts):
			c = a.starts[i].compare(b.starts[j])
		}
		var p point
		if c <= 0 {
			p, x = a.starts[i], a.classes[i]
			i++
		}
		if c >= 0 {
			p, y = b.starts[j], b.classes[j]
			j++
		}
		r.from(p, f(x, y))
	}
	return r
}

// reclass gives each address the class that f makes of its own.
func (r regions) reclass(f func(uint8) uint8) regions {
	return combine(r, regions{}, func(class, _ uint8) uint8 { return f(class) })
}

// whole is r with a start, be it the zero regions.
func (r regions) whole() regions {
	if len(r.starts) == 0 {
		r.from(point{}, 0)
	}
	return r
}

// withMapped is r with the IPv4-mapped addresses of the classes that v4 gives
// the IPv4 addresses.
func (r regions) withMapped(v4 regions) regions {
	return r.replaceMapped(func(to *regions) {
		to.from(mappedFirst, v4.at(point{}))
		for i, start := range v4.starts {
			to.from(mapPoint(start), v4.classes[i])
		}
	})
}

// withoutMapped is r with those classes for the IPv4-mapped addresses that make
// the fewest prefixes: nobody asks for them here. If all in the other half of
// the /95 around them are of one class, theirs joins them to one prefix; else
// no prefix around can be of one class, and class 0 needs none.
func (r regions) withoutMapped() regions {
	var class uint8
	if r.uniform(nextToMapped, mappedFirst) {
		class = r.at(nextToMapped)
	}
	return r.replaceMapped(func(to *regions) { to.from(mappedFirst, class) })
}

func (r regions) replaceMapped(with func(to *regions)) (out regions) {
	after := r.at(mappedEnd)
	out.from(point{}, 0)
	i := 0
	for ; i < len(r.starts) && r.starts[i].compare(mappedFirst) < 0; i++ {
		out.from(r.starts[i], r.classes[i])
	}
	with(&out)
	out.from(mappedEnd, after)
	for ; i < len(r.starts); i++ {
		if r.starts[i].compare(mappedEnd) > 0 {
			out.from(r.starts[i], r.classes[i])
		}
	}
	return out
}

// prefixes yields the largest prefixes of one class each, in order, but for
// class 0. Since two neighbouring regions differ, these are the fewest.
func (r regions) prefixes(yield func(first point, bits int, class uint8) bool) bool {
	for i, class := range r.classes {
		var end point
		if i+1 < len(r.starts) {
			end = r.starts[i+1]
		}
		if class != 0 && !cover(r.starts[i], end, func(first point, bits int) bool { return yield(first, bits, class) }) {
			return false
		}
	}
	return true
}

// cover yields the largest prefixes of what is from first up to end.
func cover(first, end point, yield func(first point, bits int) bool) bool {
	for {
		n := first.trailingZeros()
		if left := end.sub(first); left != (point{}) {
			n = min(n, left.len()-1)
		}
		if !yield(first, 128-n) {
			return false
		}
		if n == 128 {
			return true
		}
		if first = first.add(pow2(n)); first == end {
			return true
		}
	}
}

func prefixOf(first point, bits int, is4 bool) netip.Prefix {
	return netip.PrefixFrom(first.addr(is4), bits)
}
