package acl

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A naive twin asks Decide about addresses one by one. Among the witnesses of a
// list are the first addresses of all its regions, so a prefix is of one class
// if its first address and the witnesses in it are.
type naive struct {
	class     func(netip.Addr) int // 0 needs no prefix
	witnesses []netip.Addr
	folds     bool // nobody asks about IPv4-mapped addresses
}

func (n *naive) prefixes(p netip.Prefix) int {
	class, uniform := -1, true
	look := func(a netip.Addr) {
		if n.folds && a.Is4In6() {
			return
		}
		if c := n.class(a); class < 0 {
			class = c
		} else if class != c {
			uniform = false
		}
	}
	look(p.Addr())
	inner := &naive{class: n.class, folds: n.folds}
	for _, a := range n.witnesses {
		if p.Contains(a) {
			inner.witnesses = append(inner.witnesses, a)
			look(a)
		}
	}
	if uniform {
		return min(max(class, 0), 1)
	}
	left := netip.PrefixFrom(p.Addr(), p.Bits()+1)
	right := netip.PrefixFrom(last(left).Next(), p.Bits()+1)
	return inner.prefixes(left) + inner.prefixes(right)
}

func (n *naive) count() int {
	return n.prefixes(netip.MustParsePrefix("0.0.0.0/0")) + n.prefixes(netip.MustParsePrefix("::/0"))
}

var mappedAll = netip.MustParsePrefix("::ffff:0:0/96")

// asksWhere are the clients of r.clients and the edges of the IPv4-mapped ones.
func asksWhere(r *random, lists ...List) []netip.Addr {
	first := mappedAll.Addr()
	clients := []netip.Addr{first, first.Prev(), last(mappedAll), last(mappedAll).Next(), netip.MustParseAddr("::fffe:0:0")}
	return append(clients, r.clients(slices.Concat(lists...))...)
}

// action3 is the outcome by Decide.
func action3(l List, a netip.Addr) int {
	d := l.Decide(a)
	if d.Rule < 0 {
		return 0
	}
	return 1 + int(d.Action)
}

// checkDiff compares Diff, or DiffOutcomes, with what class says.
func checkDiff(t *testing.T, before, after List, changes []Change, class func(List, netip.Addr) int, clients []netip.Addr) {
	t.Helper()
	n := &naive{witnesses: clients, folds: true, class: func(a netip.Addr) int {
		if b, c := class(before, a), class(after, a); b != c {
			return 1 + 4*b + c
		}
		return 0
	}}
	for _, a := range clients {
		for _, l := range []List{before, after} {
			n.folds = n.folds && (!a.Is4In6() || class(l, a) == class(l, a.Unmap()))
		}
	}
	prefixes := 0
	for i, c := range changes {
		require.True(t, c.Contains(c.Witness))
		require.Equal(t, c.Before, before.Decide(c.Witness))
		require.Equal(t, c.After, after.Decide(c.Witness))
		require.NotZero(t, n.class(c.Witness))
		if !c.Prefix.IsValid() {
			continue
		}
		prefixes++
		require.Equal(t, c.Prefix, c.Prefix.Masked())
		for _, d := range changes[:i] {
			require.False(t, c.Prefix.Overlaps(d.Prefix), "%v and %v", c, d)
		}
	}
	for _, a := range clients {
		in := 0
		for _, c := range changes {
			if c.Contains(a) {
				require.Equal(t, n.class(c.Witness), n.class(a), "%v in %v", a, c)
				in++
			}
		}
		require.Equal(t, min(n.class(a), 1), in, "changes that contain %v, %v", a, changes)
	}
	require.Equal(t, n.count(), prefixes, "prefixes of %v", changes)
}

func TestDiffIsCompleteAndSmallest(t *testing.T) {
	action := func(l List, a netip.Addr) int { return int(l.Decide(a).Action) }
	for seed := range uint64(300) {
		r := newRand(seed)
		before := r.list(r.IntN(1 + int(seed)/12))
		after := r.edited(before)
		clients := asksWhere(r, before, after)
		ok := t.Run("", func(t *testing.T) {
			checkDiff(t, before, after, slices.Collect(Diff(before, after)), action, clients)
			checkDiff(t, before, after, slices.Collect(DiffOutcomes(before, after)), action3, clients)
		})
		require.True(t, ok, "seed %d, before\n%vafter\n%v", seed, before, after)
	}
}

// edited returns the list after a small change, or another one.
func (r *random) edited(l List) List {
	if r.IntN(4) == 0 {
		return r.list(len(l))
	}
	l = slices.Clone(l)
	for range 1 + r.IntN(3) {
		switch i := r.IntN(len(l) + 1); {
		case i < len(l) && r.IntN(3) == 0:
			l = slices.Delete(l, i, i+1)
		case i < len(l) && r.IntN(3) == 0:
			l[i].Action = 1 - l[i].Action
		default:
			l = slices.Insert(l, i, r.list(1)...)
		}
	}
	return l
}

// forms are the rules of a small universe: two bits of IPv4, one of IPv6, the
// mapped addresses among them.
var forms = []string{"10.0.0.0", "10.0.0.1", "10.0.0.0/31", "10.0.0.2/31", "10.0.0.0/30", "0.0.0.0/0", "all", "unix:", "::/0", "::ffff:0:0/95", "::ffff:10.0.0.0/127"}

var formClients = func() []netip.Addr {
	clients := []netip.Addr{{}}
	for _, s := range []string{"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "192.0.2.1", "::fffe:0:1", "2001:db8::1", "::1"} {
		a := netip.MustParseAddr(s)
		clients = append(clients, a)
		if a.Is4() {
			clients = append(clients, netip.AddrFrom16(a.As16()))
		}
	}
	return clients
}()

// everyList yields all lists of at most n of these forms.
func everyList(n int, forms []string, yield func(List)) {
	var rules List
	for _, f := range forms {
		rules = append(rules, MustParseRule("allow", f), MustParseRule("deny", f))
	}
	l := make(List, 0, n)
	var more func()
	more = func() {
		yield(slices.Clone(l))
		if len(l) == n {
			return
		}
		for _, r := range rules {
			l = append(l, r)
			more()
			l = l[:len(l)-1]
		}
	}
	more()
}

func signature(l List) (s [17]byte) {
	for i, a := range formClients {
		s[i] = byte('0' + action3(l, a))
	}
	return s
}

func TestDiffOfEveryPairOfSmallLists(t *testing.T) {
	r := newRand(1)
	var lists []List
	everyList(2, forms, func(l List) { lists = append(lists, l) })
	for range 20_000 {
		before, after := pick(r, lists...), pick(r, lists...)
		changed := false
		for _, a := range formClients {
			want := before.Decide(a).Action != after.Decide(a).Action
			in := 0
			for c := range Diff(before, after) {
				if c.Contains(a) {
					in++
				}
			}
			if (in == 1) != want || in > 1 {
				t.Fatalf("%v is in %d changes of\n%v->\n%v", a, in, before, after)
			}
			changed = changed || want
		}
		if changed == Equal(before, after) || (signature(before) == signature(after)) != EqualOutcomes(before, after) {
			t.Fatalf("Equal is wrong of\n%vand\n%v", before, after)
		}
	}
}

// No list of these forms is shorter than what Simplify makes of one with the
// same outcomes.
func TestSimplifyMakesTheShortestList(t *testing.T) {
	for _, of := range []struct {
		n     int
		forms []string
	}{{3, forms}, {4, []string{"10.0.0.0", "10.0.0.1", "10.0.0.0/31", "10.0.0.2/31", "10.0.0.0/30"}}, {4, []string{"0.0.0.0/0", "all", "unix:", "::/0"}}} {
		shortest := map[[17]byte]int{}
		everyList(of.n, of.forms, func(l List) {
			s := signature(l)
			if n, found := shortest[s]; !found || len(l) < n {
				shortest[s] = len(l)
			}
		})
		everyList(of.n, of.forms, func(l List) {
			short := Simplify(l)
			if s := signature(l); s != signature(short) || len(short) != shortest[s] {
				t.Fatalf("of\n%vit makes\n%vand %d rules are enough", l, short, shortest[s])
			}
		})
	}
}

func TestSimplifyKeepsOutcomes(t *testing.T) {
	for seed := range uint64(400) {
		r := newRand(seed)
		l := r.list(r.IntN(1 + int(seed)/4))
		short := Simplify(l)
		for _, a := range asksWhere(r, l) {
			require.Equal(t, action3(l, a), action3(short, a), "seed %d, %v, list\n%vmade\n%v", seed, a, l, short)
		}
		require.True(t, EqualOutcomes(l, short))
		require.Empty(t, short.Redundant(), "seed %d, list\n%vmade\n%v", seed, l, short)
		require.Empty(t, short.Shadowed())
		require.Equal(t, short, Simplify(short), "seed %d, list\n%v", seed, l)
		for i, rule := range short {
			back, err := ParseRule(rule.Action.String(), rule.Argument())
			require.NoError(t, err, "%v", rule)
			require.Equal(t, rule, back)
			for _, other := range short[i+1:] { // no two make one
				p, q := rule.prefix, other.prefix
				sibling := p.IsValid() && q.IsValid() && p.Bits() == q.Bits() && p.Bits() > 0 && netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked().Contains(q.Addr())
				if sibling && rule.Action == other.Action {
					merged := netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked()
					m := slices.Clone(short)
					m[i] = ruleOf(rule.Action, merged)
					m = slices.DeleteFunc(m, func(r Rule) bool { return r == other })
					require.False(t, EqualOutcomes(m, short), "seed %d: %v and %v make one", seed, rule, other)
				}
			}
		}
	}
}

func TestShadowedAndRedundantAreThoseOfDecide(t *testing.T) {
	for seed := range uint64(300) {
		r := newRand(seed)
		l := r.list(r.IntN(1 + int(seed)/8))
		clients := asksWhere(r, l)
		decides := make([]bool, len(l))
		for _, a := range clients {
			if d := l.Decide(a); d.Rule >= 0 {
				decides[d.Rule] = true
			}
		}
		shadowed := l.Shadowed()
		var rest List
		for i, rule := range l {
			at := slices.IndexFunc(shadowed, func(s Shadow) bool { return s.Rule == i })
			require.Equal(t, !decides[i], at >= 0, "seed %d, rule %d of\n%v", seed, i, l)
			if at < 0 {
				rest = append(rest, rule)
				continue
			}
			var by List
			for k, b := range shadowed[at].By {
				require.Less(t, b, i)
				require.True(t, k == 0 || shadowed[at].By[k-1] < b)
				by = append(by, l[b])
			}
			// They and it: it decides nothing, and without one of them it would.
			hasIPv4 := slices.ContainsFunc(l, Rule.hasIPv4)
			meets := func(by List) bool {
				for _, a := range clients {
					if hasIPv4 && a.Is4In6() {
						a = a.Unmap()
					}
					if rule.matches(a) && !slices.ContainsFunc(by, func(r Rule) bool { return r.matches(a) }) {
						return true
					}
				}
				return false
			}
			require.False(t, meets(by), "seed %d, rule %d of\n%v%v", seed, i, l, shadowed[at])
			for k := range by {
				require.True(t, meets(slices.Delete(slices.Clone(by), k, k+1)), "seed %d, rule %d of\n%v%v", seed, i, l, shadowed[at])
			}
		}
		redundant := l.Redundant()
		for i := range l {
			without := slices.Delete(slices.Clone(l), i, i+1)
			same := !slices.ContainsFunc(clients, func(a netip.Addr) bool { return action3(l, a) != action3(without, a) })
			require.Equal(t, same, slices.Contains(redundant, i), "seed %d, rule %d of\n%v", seed, i, l)
		}
		require.True(t, EqualOutcomes(l, rest) || len(rest) == 0, "seed %d", seed)
	}
}

func TestAllowedIsCompleteAndSmallest(t *testing.T) {
	for seed := range uint64(300) {
		r := newRand(seed)
		l := r.list(r.IntN(1 + int(seed)/8))
		clients := asksWhere(r, l)
		allowed, denied := l.Allowed(), l.Denied()
		require.True(t, denied.Equal(allowed.Complement()))
		require.True(t, allowed.Equal(denied.Complement()))
		for set, action := range map[*Set]Action{&allowed: Allow, &denied: Deny} {
			n := &naive{witnesses: clients, folds: true, class: func(a netip.Addr) int { return bool2int(l.Decide(a).Action == action) }}
			for _, a := range clients {
				require.Equal(t, l.Decide(a).Action == action, set.Contains(a), "seed %d, %v, list\n%v%v", seed, a, l, set)
				n.folds = n.folds && (!a.Is4In6() || n.class(a) == n.class(a.Unmap()))
			}
			prefixes := slices.Collect(set.Prefixes())
			require.Len(t, prefixes, n.count(), "seed %d", seed)
			for i, p := range prefixes {
				require.True(t, i == 0 || !p.Overlaps(prefixes[i-1]) && !p.Addr().Less(prefixes[i-1].Addr()))
			}
			list, err := set.List(Allow)
			if err != nil {
				require.False(t, n.folds)
				continue
			}
			for _, a := range clients {
				require.Equal(t, set.Contains(a), list.Decide(a).Action == Allow, "seed %d, %v of\n%v%v\n%v", seed, a, l, set, list)
			}
			require.True(t, list.Allowed().Equal(*set))
			list, err = set.List(Deny)
			if err == nil {
				require.True(t, list.Denied().Equal(*set))
			}
		}
	}
}

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestSetAlgebra(t *testing.T) {
	for seed := range uint64(300) {
		r := newRand(seed)
		a, b := r.list(r.IntN(20)), r.list(r.IntN(20))
		clients := asksWhere(r, a, b)
		s, u := a.Denied(), b.Allowed()
		for _, c := range clients {
			x, y := s.Contains(c), u.Contains(c)
			require.Equal(t, x || y, s.Union(u).Contains(c), "seed %d, %v", seed, c)
			require.Equal(t, x && y, s.Intersect(u).Contains(c), "seed %d, %v", seed, c)
			require.Equal(t, x && !y, s.Minus(u).Contains(c), "seed %d, %v", seed, c)
			require.Equal(t, !x, s.Complement().Contains(c), "seed %d, %v", seed, c)
		}
		require.True(t, s.Equal(s.Complement().Complement()))
		require.True(t, s.Minus(u).Equal(s.Intersect(u.Complement())))
		require.True(t, s.Union(u).Complement().Equal(s.Complement().Intersect(u.Complement())))
		require.True(t, s.Minus(s).IsEmpty())
		opened, closed := b.Allowed().Minus(a.Allowed()), a.Allowed().Minus(b.Allowed())
		for c := range Diff(a, b) {
			require.Equal(t, c.Opens(), opened.Contains(c.Witness))
			require.Equal(t, !c.Opens(), closed.Contains(c.Witness))
		}
		var prefixes []netip.Prefix
		for range r.IntN(30) {
			prefixes = append(prefixes, r.prefix())
		}
		set := SetOf(prefixes...)
		for _, c := range clients {
			c = c.Unmap()
			require.Equal(t, slices.ContainsFunc(prefixes, func(p netip.Prefix) bool {
				if p.Addr().Is4In6() && p.Bits() >= 96 {
					p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
				}
				return p.Contains(c)
			}), set.Contains(c), "seed %d, %v in %v", seed, c, prefixes)
		}
		back, err := ParseSet(set.String())
		require.NoError(t, err)
		require.True(t, back.Equal(set), "%v and %v", back, set)
	}
	assert.True(t, Set{}.IsEmpty())
	assert.True(t, List(nil).Allowed().Equal(Everybody()))
	assert.True(t, List(nil).Denied().IsEmpty())
	assert.Equal(t, "0.0.0.0/0, ::/0, unix:", Everybody().String())
	assert.Equal(t, "nobody", Set{}.String())
}
