package acl

import (
	"math/bits"
	"slices"
)

// steps is a step function over addresses: verdicts[i] holds from starts[i] up
// to the next start. starts[0] is 0. The zero steps has no step at all, and
// nothing in it is matched.
//
// To find the step of x, a binary search takes a dozen mispredicted branches.
// Instead a node divides the range of its starts into equal slots, about one a
// start, and a slot tells from which start on to look. Addresses of one
// organisation lie close together, so a slot that got many starts has a node
// of its own, and that one spans just these.
type steps[K uint32 | uint64] struct {
	starts   []K
	verdicts []verdict
	nodes    []node[K]
	slots    []uint32 // the index of the first start in the slot, or inner|node
}

type node[K uint32 | uint64] struct {
	base   K      // its first start
	shift  uint8  // a slot is 1<<shift addresses
	slot   uint32 // its first one in slots
	slots  uint32
	lo, hi uint32 // its starts
}

const (
	inner   = 1 << 31 // marks a slot that refers to a node
	maxScan = 16      // starts in a slot without a node; two cache lines of IPv6
	maxBits = 16      // of a slot's number
)

func newSteps[K uint32 | uint64](starts []K, verdicts []verdict) steps[K] {
	s := steps[K]{starts: starts, verdicts: slices.Clone(verdicts)}
	s.divide(1, len(starts)) // what precedes the first node is the step at 0
	s.nodes, s.slots = slices.Clone(s.nodes), slices.Clone(s.slots)
	return s
}

// divide makes a node for starts[lo:hi] and returns its number. A slot with a
// node has more than maxScan starts, so its node takes at least five bits off:
// no chain of them is longer than 13.
func (s *steps[K]) divide(lo, hi int) uint32 {
	n := node[K]{lo: uint32(lo), hi: uint32(hi), slot: uint32(len(s.slots))}
	if lo < hi {
		n.base = s.starts[lo]
		width := uint64(s.starts[hi-1] - n.base)
		n.shift = uint8(max(0, bits.Len64(width)-min(bits.Len(uint(hi-lo)), maxBits)))
		n.slots = uint32(width>>n.shift) + 1
	}
	number := uint32(len(s.nodes))
	s.nodes = append(s.nodes, n)
	s.slots = append(s.slots, make([]uint32, n.slots)...)
	for i := range n.slots {
		first := lo
		for lo < hi && uint32((s.starts[lo]-n.base)>>n.shift) == i {
			lo++
		}
		slot := uint32(first)
		if lo-first > maxScan {
			slot = inner | s.divide(first, lo)
		}
		s.slots[n.slot+i] = slot
	}
	return number
}

func (s *steps[K]) empty() bool { return len(s.starts) == 0 }

func (s *steps[K]) find(x K) verdict {
	if len(s.nodes) == 0 {
		return unmatched
	}
	n := &s.nodes[0]
	for {
		if x < n.base {
			return s.verdicts[n.lo-1]
		}
		i := uint64(x-n.base) >> (n.shift & 63)
		if i >= uint64(n.slots) {
			return s.verdicts[n.hi-1]
		}
		slot := s.slots[n.slot+uint32(i)]
		if slot < inner {
			next := int(slot)
			for next < len(s.starts) && s.starts[next] <= x {
				next++
			}
			return s.verdicts[next-1]
		}
		n = &s.nodes[slot&^inner]
	}
}
