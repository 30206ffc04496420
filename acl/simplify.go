package acl

import (
	"container/heap"
	"iter"
	"net/netip"
	"slices"
)

// Simplify returns a list with the same outcome for every client, and as few
// rules as there can be: no list with fewer has these outcomes. So no rule of
// it can go, and no two of them can be merged.
//
// An outcome is that of a location: allowed, denied, or passed over for no rule
// matches. The last two being told apart, the result may stand wherever l
// stands, under "satisfy any" too, and it is empty only if no rule of l
// matches anybody.
//
// Among the shortest lists it is one with the most rules of l itself. These
// come as they are, with their places, and in their order unless a new rule
// forbids it. A new rule has no place. The time is some hundred steps for each
// rule.
func Simplify(l List) List {
	p := l.profile()
	v4, v6, _ := p.regions(outcome)
	return shortest(l, p, v4, v6, outcome(p.unix), p.hasIPv4)
}

// shortest makes the shortest list with these outcomes, if possible of the
// rules of l. folds tells that IPv4-mapped clients need no rules of IPv6.
//
// In a list without rules that an earlier one covers, the first match is the
// longest prefix. So for each family this is the known problem of the smallest
// routing table (Draves et al., "Constructing Optimal IP Routing Tables",
// 1999), here with addresses that must have no route. What a rule costs depends
// on its own prefix alone, so costs add up from the leaves to the root, for
// each outcome that may come down from above.
func shortest(l List, p profile, v4, v6 regions, unix uint8, folds bool) List {
	s := shortener{list: l, profile: p, old: make(map[ruleKey]int32, len(l))}
	for i, by := range coverers(l) {
		if _, found := s.old[keyOf(l[i])]; !found && by < 0 && l[i].IsValid() {
			s.old[keyOf(l[i])] = int32(i)
		}
	}
	if folds {
		v6 = v6.replaceMapped(func(to *regions) { to.from(mappedFirst, anything) })
	}
	s.regions[0], s.regions[1] = v4.whole(), v6.whole()
	root4 := s.plan(block{family: 0, hi: len(s.regions[0].starts) - 1})
	root6 := s.plan(block{family: 1, hi: len(s.regions[1].starts) - 1})

	// What "all" says comes down from above in all three families.
	least, rest := never, passedOver
	for _, all := range []uint8{passedOver, allowed, denied} {
		cost := s.nodes[root4].cost[all] + s.nodes[root6].cost[all] + leafCost(unix, all, s.ruleCost(ruleKey{action: unix}))
		if all != passedOver {
			cost += s.ruleCost(ruleKey{all: true, action: all})
		}
		if cost < least {
			least, rest = cost, all
		}
	}
	above := -1
	if rest != passedOver {
		above = s.choose(ruleKey{all: true, action: rest}, -1)
	}
	s.emit(root4, rest, above)
	s.emit(root6, rest, above)
	if unix != rest {
		s.choose(ruleKey{action: unix}, above)
	}
	return s.ordered()
}

const (
	anything uint8 = denied + 1 // the class of addresses that nobody asks for
	each     uint8 = denied + 1 // a choice in a run: a rule for each sibling

	oneRule int64 = 1 << 32 // a cost: rules, and among as many the new ones
	never   int64 = 1 << 60
)

type shortener struct {
	list    List
	profile profile
	old     map[ruleKey]int32
	regions [2]regions
	nodes   []planned
	chosen  []choice
}

// A ruleKey is a rule without its words. The zero prefix is unix sockets.
type ruleKey struct {
	prefix netip.Prefix
	all    bool
	action uint8 // allowed or denied
}

func keyOf(r Rule) ruleKey { return ruleKey{r.prefix, r.All(), allowed + uint8(r.action())} }

// A block is a prefix, and the regions that it lies in.
type block struct {
	first  point
	bits   int
	family int
	lo, hi int
}

func (b block) prefix() netip.Prefix { return prefixOf(b.first, b.bits, b.family == 0) }

// A planned is what is best for a block, whatever comes down from above.
type planned struct {
	block
	kind  nodeKind
	class uint8 // of a leaf, or of the siblings in a run
	a, b  int32 // the nodes of its halves; of a run, a alone
	cost  [3]int64
	take  [3]uint8 // the class of the rule for the block itself
}

type nodeKind uint8

const (
	leaf nodeKind = iota
	branch
	// A run goes from a block down to one within. All else in the block is of
	// one class. Hosts in wide networks make long ones.
	run
)

// halves cuts a block of several regions.
func (s *shortener) halves(b block) (left, right block) {
	starts := s.regions[b.family].starts
	mid := b.first.add(pow2(127 - b.bits))
	n, found := slices.BinarySearchFunc(starts[b.lo+1:b.hi+1], mid, point.compare)
	left, right = b, b
	left.bits, right.bits = b.bits+1, b.bits+1
	left.hi = b.lo + n
	right.first, right.lo = mid, left.hi
	if found {
		right.lo++
	}
	return left, right
}

func (b block) uniform() bool { return b.lo == b.hi }

// siblings yields the halves that are left behind on the way from the block
// around to that within.
func siblings(around, within block) iter.Seq[block] {
	return func(yield func(block) bool) {
		for bits := around.bits; bits < within.bits; bits++ {
			// The parent has bits bits; its half without within differs in the
			// next one.
			half := pow2(127 - bits)
			first := within.first
			first.hi, first.lo = first.hi&^(half.sub(point{lo: 1}).hi), first.lo&^(half.sub(point{lo: 1}).lo)
			first.hi, first.lo = first.hi^half.hi, first.lo^half.lo
			if !yield(block{first: first, bits: bits + 1, family: around.family}) {
				return
			}
		}
	}
}

func (s *shortener) plan(b block) int32 {
	classes := s.regions[b.family].classes
	n := planned{block: b}
	if b.uniform() {
		n.class = classes[b.lo]
		for above := range n.cost {
			n.cost[above] = leafCost(n.class, uint8(above), s.ruleCost(ruleKey{b.prefix(), false, n.class}))
		}
		return s.add(n)
	}

	within, length := b, 0
	for !within.uniform() {
		left, right := s.halves(within)
		if left.uniform() == right.uniform() {
			break
		}
		sibling := left
		if right.uniform() {
			sibling, right = right, left
		}
		if class := classes[sibling.lo]; class != anything {
			if length > 0 && class != n.class {
				break
			}
			n.class = class
			length++
		}
		within = right
	}
	if length < 2 {
		left, right := s.halves(b)
		n.kind, n.a, n.b = branch, s.plan(left), s.plan(right)
		s.branchCost(&n)
		return s.add(n)
	}
	n.kind, n.a = run, s.plan(within)
	s.runCost(&n)
	return s.add(n)
}

func (s *shortener) add(n planned) int32 {
	s.nodes = append(s.nodes, n)
	return int32(len(s.nodes) - 1)
}

func leafCost(class, above uint8, cost int64) int64 {
	switch class {
	case above, anything:
		return 0
	case passedOver: // a rule above cannot be undone
		return never
	}
	return cost
}

func (s *shortener) ruleCost(key ruleKey) int64 {
	if key.action != allowed && key.action != denied || key.prefix == unwritable {
		return never
	}
	if _, found := s.old[key]; found {
		return oneRule
	}
	return oneRule + 1
}

func (s *shortener) branchCost(n *planned) {
	a, b := &s.nodes[n.a].cost, &s.nodes[n.b].cost
	for above := range n.cost {
		n.cost[above] = min(never, a[above]+b[above])
	}
	for _, take := range []uint8{allowed, denied} {
		cost := min(never, s.ruleCost(ruleKey{n.prefix(), false, take})+a[take]+b[take])
		for above := range n.cost {
			if cost < n.cost[above] {
				n.cost[above], n.take[above] = cost, take
			}
		}
	}
}

// runCost knows that two siblings or more are dearer than a rule for all of
// them, even if the block within needs another to go back. Only where that one
// would have to undo all rules must each sibling have its own.
func (s *shortener) runCost(n *planned) {
	within := &s.nodes[n.a]
	take := min(never, s.ruleCost(ruleKey{n.prefix(), false, n.class})+within.cost[n.class])
	for above := range n.cost {
		switch {
		case n.class == uint8(above):
			n.cost[above] = within.cost[above]
		default:
			n.cost[above], n.take[above] = take, n.class
		}
	}
	if n.class != passedOver && take >= never {
		cost := within.cost[passedOver]
		for sibling := range s.runSiblings(n) {
			cost += s.ruleCost(ruleKey{sibling.prefix(), false, n.class})
		}
		n.cost[passedOver], n.take[passedOver] = min(never, cost), each
	}
}

func (s *shortener) runSiblings(n *planned) iter.Seq[block] {
	return func(yield func(block) bool) {
		for sibling := range siblings(n.block, s.nodes[n.a].block) {
			if s.regions[n.family].at(sibling.first) == n.class && !yield(sibling) {
				return
			}
		}
	}
}

// A choice is a rule of the result. All rules below it must come first.
type choice struct {
	ruleKey
	above   int // the next one around it, or -1
	waits   int // for how many below it
	ordinal int
}

func (s *shortener) choose(key ruleKey, above int) int {
	s.chosen = append(s.chosen, choice{ruleKey: key, above: above})
	if above >= 0 {
		s.chosen[above].waits++
	}
	return len(s.chosen) - 1
}

func (s *shortener) emit(node int32, from uint8, above int) {
	n := &s.nodes[node]
	if n.kind == leaf {
		if n.class != from && n.class != anything {
			s.choose(ruleKey{n.prefix(), false, n.class}, above)
		}
		return
	}
	switch take := n.take[from]; take {
	case passedOver:
	case each:
		for sibling := range s.runSiblings(n) {
			s.choose(ruleKey{sibling.prefix(), false, n.class}, above)
		}
	default:
		above = s.choose(ruleKey{n.prefix(), false, take}, above)
		from = take
	}
	s.emit(n.a, from, above)
	if n.kind == branch {
		s.emit(n.b, from, above)
	}
}

// ordered puts what is chosen in the order of the list. A new rule stands with
// the rule that decides about its first address.
func (s *shortener) ordered() List {
	var ready choices
	for i := range s.chosen {
		c := &s.chosen[i]
		at, found := s.old[c.ruleKey]
		if !found {
			at = int32(len(s.list))
			if c.prefix.IsValid() && len(s.list) > 0 {
				at = int32(s.profile.decide(pointOf(c.prefix.Addr()), c.prefix.Addr().Is4()).Rule)
			}
		}
		c.ordinal = int(at)<<32 | i
		if c.waits == 0 {
			ready = append(ready, c)
		}
	}
	heap.Init(&ready)
	l := make(List, 0, len(s.chosen))
	for len(ready) > 0 {
		c := heap.Pop(&ready).(*choice)
		l = append(l, s.rule(c.ruleKey))
		if c.above >= 0 {
			above := &s.chosen[c.above]
			if above.waits--; above.waits == 0 {
				heap.Push(&ready, above)
			}
		}
	}
	return l
}

func (s *shortener) rule(key ruleKey) Rule {
	if i, found := s.old[key]; found {
		return s.list[i]
	}
	r := Rule{Action: Action(key.action - allowed), prefix: key.prefix}
	switch {
	case key.all:
		r.argument = "all"
	case !key.prefix.IsValid():
		r.argument = "unix:"
	default:
		r.argument = argumentOf(key.prefix)
	}
	return r
}

// choices is a heap, the first in the list on top.
type choices []*choice

func (c choices) Len() int           { return len(c) }
func (c choices) Less(i, j int) bool { return c[i].ordinal < c[j].ordinal }
func (c choices) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *choices) Push(x any)        { *c = append(*c, x.(*choice)) }
func (c *choices) Pop() any {
	old := *c
	last := old[len(old)-1]
	*c = old[:len(old)-1]
	return last
}
