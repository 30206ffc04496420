package acl

import (
	"math/bits"
	"slices"
)

// steps is a step function over addresses: verdicts[i] holds from starts[i] up
// to the next start. starts[0] is 0. At the end stand two steps of the last
// address with the verdict of the step before. The zero steps has no step at
// all, and nothing in it is matched.
//
// To find the step of x, a binary search takes a dozen mispredicted branches.
// Instead a node divides the range of its starts into equal slots, about one a
// start, and a slot tells from which start on to look. Addresses of one
// organisation lie close together, so a slot that got many starts has a node
// of its own, and that one spans just these.
type steps[K uint32 | uint64] struct {
	starts   []K
	verdicts []verdict
	root     node[K] // nodes[0], nearer
	nodes    []node[K]
	slots    []uint32 // the index of the first start in the slot, or inner|node
}

type node[K uint32 | uint64] struct {
	base  K      // its first start
	shift uint8  // a slot is 1<<shift addresses
	slot  uint32 // its first one in slots
	last  uint64 // the number of slots, less one
}

const (
	inner   = 1 << 31 // marks a slot that refers to a node
	maxScan = 16      // starts in a slot without a node; two cache lines of IPv6
	maxBits = 16      // of a slot's number
	minBits = 8       // of the same in the first node: small lists find their slots empty
)

func newSteps[K uint32 | uint64](starts []K, verdicts []verdict) steps[K] {
	n := len(starts)
	s := steps[K]{
		starts:   append(make([]K, 0, n+2), starts...),
		verdicts: append(make([]verdict, 0, n+2), verdicts...),
	}
	for range 2 { // so that find may look at two starts anywhere
		s.starts, s.verdicts = append(s.starts, ^K(0)), append(s.verdicts, verdicts[n-1])
	}
	s.divide(1, n) // what precedes the first node is the step at 0
	s.nodes, s.slots, s.root = slices.Clone(s.nodes), slices.Clone(s.slots), s.nodes[0]
	return s
}

// divide makes a node for starts[lo:hi] and returns its number. A slot with a
// node has more than maxScan starts, so its node takes at least five bits off:
// no chain of them is longer than 13.
func (s *steps[K]) divide(lo, hi int) uint32 {
	n := node[K]{slot: uint32(len(s.slots))}
	if lo < hi {
		n.base = s.starts[lo]
		width := uint64(s.starts[hi-1] - n.base)
		slotBits := min(bits.Len(uint(hi-lo)), maxBits)
		if len(s.nodes) == 0 {
			slotBits = max(slotBits, minBits)
		}
		n.shift = uint8(max(0, bits.Len64(width)-slotBits))
		n.last = width >> n.shift
	}
	number := uint32(len(s.nodes))
	s.nodes = append(s.nodes, n)
	s.slots = append(s.slots, make([]uint32, n.last+1)...)
	for i := range n.last + 1 {
		first := lo
		for lo < hi && uint64((s.starts[lo]-n.base)>>n.shift) == i {
			lo++
		}
		slot := uint32(first)
		if lo-first > maxScan {
			slot = inner | s.divide(first, lo)
		}
		s.slots[uint64(n.slot)+i] = slot
	}
	return number
}

func (s *steps[K]) empty() bool { return len(s.starts) == 0 }

func (s *steps[K]) find(x K) verdict {
	if s.empty() {
		return unmatched
	}
	n := &s.root
	for {
		// Before its first start, and behind the last slot, a node looks on from
		// the slot next to there. No branch tells: it would be mispredicted.
		var d K
		if x > n.base {
			d = x - n.base
		}
		i := min(uint64(d)>>(n.shift&63), n.last)
		slot := s.slots[uint64(n.slot)+i]
		if slot < inner {
			// Most slots hold two starts or fewer. Again no branch tells which.
			next := int(slot)
			var one, two int
			if s.starts[next] <= x {
				one = 1
			}
			if s.starts[next+1] <= x {
				two = 1
			}
			next += one + two
			if two != 0 {
				for next < len(s.starts) && s.starts[next] <= x {
					next++
				}
			}
			return s.verdicts[next-1]
		}
		n = &s.nodes[slot&^inner]
	}
}
