package acl

import (
	"net/netip"
	"slices"
)

// A Shadow is a rule that decides for nobody, since all its clients meet
// another rule first.
type Shadow struct {
	Rule int `json:"rule"` // its index in the list
	// By are the rules that come before it, in order: the one that covers it
	// alone, the first of them if there are several, else those that meet its
	// clients together. By is empty if it has no clients: it speaks of
	// IPv4-mapped ones, which the IPv4 rules of the list judge, or it is the
	// zero Rule.
	By []int `json:"by"`
}

// Shadowed returns the rules of the list that decide for nobody. They may all go
// at once without a change, though a location that is left without a rule
// inherits others.
func (l List) Shadowed() []Shadow {
	p := l.profile()
	decides := make([]bool, len(l))
	mark := func(v verdict) {
		if v != unmatched {
			decides[v.decision().Rule] = true
		}
	}
	mark(p.unix)
	for _, v := range p.v4.verdicts {
		mark(v)
	}
	for i, v := range p.v6.verdicts {
		if !p.hasIPv4 || !p.v6.isMapped(i) {
			mark(v)
		}
	}

	var shadows []Shadow
	covered := coverers(l)
	for i, r := range l {
		switch {
		case decides[i]:
		case !r.IsValid() || p.hasIPv4 && onlyMapped(r.prefix):
			shadows = append(shadows, Shadow{Rule: i})
		case covered[i] >= 0:
			shadows = append(shadows, Shadow{i, []int{int(covered[i])}})
		default:
			shadows = append(shadows, Shadow{i, p.deciders(r)})
		}
	}
	return shadows
}

// isMapped reports whether piece i is of IPv4-mapped addresses alone.
func (p pieces) isMapped(i int) bool {
	return isMapped(p.starts[i]) && i+1 < len(p.starts) && p.starts[i+1].compare(mappedEnd) <= 0
}

// deciders returns who decides about the clients of r.
func (p profile) deciders(r Rule) []int {
	var rules []int
	add := func(v verdict) {
		if v != unmatched {
			rules = append(rules, v.decision().Rule)
		}
	}
	within := func(family pieces, s span, skip bool) {
		if len(family.starts) == 0 {
			return
		}
		end, ends := s.end()
		i, found := slices.BinarySearchFunc(family.starts, s.first, point.compare)
		if !found {
			i--
		}
		for ; i < len(family.starts) && (!ends || family.starts[i].compare(end) < 0); i++ {
			if !skip || !family.isMapped(i) {
				add(family.verdicts[i])
			}
		}
	}
	var s span
	if r.prefix.IsValid() {
		s.first, s.bits = pointOf(r.prefix.Addr()), uint8(r.prefix.Bits())
	}
	if r.hasIPv4() {
		within(p.v4, s, false)
	}
	if r.hasIPv6() {
		within(p.v6, s, p.hasIPv4)
	}
	if r.All() || r.Unix() {
		add(p.unix)
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

func onlyMapped(p netip.Prefix) bool { return p.Addr().Is4In6() && p.Bits() >= 96 }

// coverers returns for each rule the first of those before it that cover it
// alone, or -1.
func coverers(l List) []int32 {
	by := make([]int32, len(l))
	for i := range by {
		by[i] = -1
	}
	v4, v6, _ := l.spans()
	for _, spans := range [][]span{v4, v6} {
		sortSpans(spans)
		var stack layers
		for _, s := range spans {
			stack.close(s.first, func(point) {})
			if first := stack.top().first; first != unmatched && first < s.verdict {
				by[s.verdict.decision().Rule] = int32(first.decision().Rule)
			}
			stack.open(s)
		}
	}
	// Of "all" and "unix:" the spans tell nothing: both families must be
	// covered by the same rule, which only "all" does.
	all, unix := int32(-1), int32(-1)
	for i, r := range l {
		switch {
		case r.All():
			by[i] = all
			if all < 0 {
				all = int32(i)
			}
			if unix < 0 {
				unix = int32(i)
			}
		case r.Unix():
			by[i] = unix
			if unix < 0 {
				unix = int32(i)
			}
		}
	}
	return by
}

// layers are the spans that are open at a point, the innermost on top. Each
// knows the first two rules among itself and those around it.
type layers []layer

type layer struct {
	end           point
	ends          bool
	first, second verdict
}

func (l layers) top() layer {
	if len(l) == 0 {
		return layer{}
	}
	return l[len(l)-1]
}

func (l *layers) open(s span) {
	around := l.top()
	next := layer{first: around.first, second: around.second}
	next.end, next.ends = s.end()
	switch {
	case next.first == unmatched || s.verdict < next.first:
		next.first, next.second = s.verdict, next.first
	case next.second == unmatched || s.verdict < next.second:
		next.second = s.verdict
	}
	*l = append(*l, next)
}

// close removes the spans that end at or before p, and before each calls
// before with its end.
func (l *layers) close(p point, before func(end point)) {
	for top := l.top(); top.ends && top.end.compare(p) <= 0; top = l.top() {
		before(top.end)
		*l = (*l)[:len(*l)-1]
	}
}

// Redundant returns the rules of which each one may go alone without a change
// of any client's outcome, in order. Outcomes are as in [Simplify]. Two of them
// may need each other: take one away, then ask again, or ask Simplify.
//
// It includes the Shadowed rules.
func (l List) Redundant() []int {
	v4, v6, _ := l.spans()
	needed := make([]bool, len(l))
	check := func(first, second verdict) {
		if outcome(first) != outcome(second) {
			needed[first.decision().Rule] = true
		}
	}
	for family, spans := range [][]span{v4, v6} {
		var stack layers
		var at point
		// piece is what lies between at and end, all of one stack.
		piece := func(end point) {
			hidden := family == 1 && len(v4) > 0 && isMapped(at) && end != point{} && end.compare(mappedEnd) <= 0
			if top := stack.top(); !hidden && top.first != unmatched {
				check(top.first, top.second)
			}
			at = end
		}
		upTo := func(p point) {
			if at != p {
				piece(p)
			}
		}
		sortSpans(spans)
		for _, s := range spans {
			stack.close(s.first, upTo)
			upTo(s.first)
			stack.open(s)
		}
		stack.close(point{^uint64(0), ^uint64(0)}, upTo)
		if len(stack) > 0 { // reaches the last address
			piece(point{})
		}
	}
	var unix [2]verdict
	for i, r := range l {
		if !r.All() && !r.Unix() {
			continue
		}
		if v := verdictOf(i, r.action()); unix[0] == unmatched {
			unix[0] = v
		} else if unix[1] == unmatched {
			unix[1] = v
		}
	}
	if unix[0] != unmatched {
		check(unix[0], unix[1])
	}
	var redundant []int
	for i := range l {
		if !needed[i] {
			redundant = append(redundant, i)
		}
	}
	return redundant
}
