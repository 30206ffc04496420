package peers

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/gaissmai/bart"
	"github.com/onehost-go/onehost/acl"
	"github.com/stretchr/testify/assert"
)

// rules is a list such as grow: three quarters IPv4, a quarter of the prefixes
// in or around an earlier one, and "deny all" at the end.
func rules(n int) acl.List {
	r := rand.New(rand.NewPCG(7, 0))
	l := make(acl.List, 0, n)
	for len(l) < n-1 {
		var p netip.Prefix
		switch {
		case len(l) > 4 && r.IntN(4) == 0:
			near := l[r.IntN(len(l))].Prefix()
			bits := near.Bits() + r.IntN(9) - 3
			if near.Addr().Is4() {
				p = netip.PrefixFrom(within(r, near), min(max(bits, 9), 32))
			} else {
				p = netip.PrefixFrom(near.Addr(), min(max(bits, 20), 128))
			}
		case r.IntN(4) > 0:
			a := netip.AddrFrom4([4]byte{byte(1 + r.IntN(222)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
			p = netip.PrefixFrom(a, []int{24, 24, 24, 24, 24, 32, 32, 32, 22, 20, 16, 23, 25, 28, 12, 30, 29}[r.IntN(17)])
		default:
			a := within(r, netip.MustParsePrefix("2000::/4")).As16()
			a[1] &= 0xf
			p = netip.PrefixFrom(netip.AddrFrom16(a), []int{32, 48, 48, 48, 64, 64, 56, 128, 40, 44, 36}[r.IntN(11)])
		}
		l = append(l, acl.MustParseRule(acl.Action(r.IntN(2)).String(), p.Masked().String()))
	}
	return append(l, acl.MustParseRule("deny", "all"))
}

// within returns some address of a prefix.
func within(r *rand.Rand, p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		mask := byte(0xff) >> min(max(p.Bits()-8*i, 0), 8) // what is free
		b[i] |= byte(r.Uint32()) & mask
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

type clientList [1 << 16]netip.Addr

// clients are addresses that rules speak of, and as many from anywhere.
func clients(l acl.List) *clientList {
	r := rand.New(rand.NewPCG(99, 0))
	var c clientList
	for i := range c {
		p := l[r.IntN(len(l))].Prefix()
		switch {
		case i%2 == 0 && p.IsValid():
			c[i] = within(r, p)
		case r.IntN(4) > 0:
			c[i] = within(r, netip.MustParsePrefix("0.0.0.0/0"))
		default:
			c[i] = within(r, netip.MustParsePrefix("2000::/8"))
		}
	}
	return &c
}

// A router answers with the number of a rule, -1 for none.
type router interface {
	Lookup(netip.Addr) (int32, bool)
}

type inserter interface {
	router
	Insert(netip.Prefix, int32)
	LookupPrefix(netip.Prefix) (int32, bool)
}

// insert calls add for the prefixes of l; "all" is two.
func insert(l acl.List, add func(p netip.Prefix, rule int32)) {
	for i, r := range l {
		if r.All() {
			add(netip.MustParsePrefix("0.0.0.0/0"), int32(i))
			add(netip.MustParsePrefix("::/0"), int32(i))
		} else {
			add(r.Prefix(), int32(i))
		}
	}
}

// longest fills a routing table as people use them for access rules: the
// longest prefix decides, the later rule among equal ones.
func longest[T inserter](t T, l acl.List) T {
	insert(l, t.Insert)
	return t
}

// first fills a routing table so that its answers are nginx's: a prefix that an
// earlier rule covers is left out. It is exact, since of the prefixes left no
// earlier one covers a later one.
func first[T inserter](t T, l acl.List) T {
	insert(l, func(p netip.Prefix, rule int32) {
		if _, covered := t.LookupPrefix(p); !covered {
			t.Insert(p, rule)
		}
	})
	return t
}

// A loop is what nginx itself does: for each family an array of rules, compared
// one after the other.
type loop struct {
	v4 []rule4
	v6 []rule6
}

type rule4 struct {
	addr, mask uint32
	rule       int32
}

type rule6 struct {
	addr, mask [16]byte
	rule       int32
}

func newLoop(l acl.List) *loop {
	c := &loop{}
	insert(l, func(p netip.Prefix, rule int32) {
		if p.Addr().Is4() {
			a := p.Addr().As4()
			c.v4 = append(c.v4, rule4{binary.BigEndian.Uint32(a[:]), uint32(^uint64(0) << (32 - p.Bits())), rule})
			return
		}
		r := rule6{addr: p.Addr().As16(), rule: rule}
		for i := range r.mask {
			r.mask[i] = ^(byte(0xff) >> min(max(p.Bits()-8*i, 0), 8))
		}
		c.v6 = append(c.v6, r)
	})
	return c
}

func (c *loop) Lookup(client netip.Addr) (int32, bool) {
	if client.Is4() {
		b := client.As4()
		a := binary.BigEndian.Uint32(b[:])
		for i := range c.v4 {
			if r := &c.v4[i]; a&r.mask == r.addr {
				return r.rule, true
			}
		}
		return -1, false
	}
	a := client.As16()
next:
	for i := range c.v6 {
		r := &c.v6[i]
		for k := range a {
			if a[k]&r.mask[k] != r.addr[k] {
				continue next
			}
		}
		return r.rule, true
	}
	return -1, false
}

// decider and compiled are our list and our table as routers.
type decider struct{ acl.List }

func (l decider) Lookup(client netip.Addr) (int32, bool) {
	d := l.Decide(client)
	return int32(d.Rule), d.Rule >= 0
}

type compiled struct{ *acl.Table }

func (t compiled) Lookup(client netip.Addr) (int32, bool) {
	d := t.Table.Lookup(client)
	return int32(d.Rule), d.Rule >= 0
}

func TestLongestPrefixDecidesDifferently(t *testing.T) {
	l := rules(1000)
	asked := clients(l)[:1<<12]
	nginx := newLoop(l)
	// differ counts the answers that are not nginx's: another rule, and
	// another verdict.
	differ := func(r router) (rules, verdicts int) {
		for _, a := range asked {
			want, _ := nginx.Lookup(a)
			got, _ := r.Lookup(a)
			if got != want {
				rules++
			}
			if l[got].Action != l[want].Action {
				verdicts++
			}
		}
		return rules, verdicts
	}
	for name, exact := range map[string]router{
		"Decide":     decider{l},
		"Compile":    compiled{acl.Compile(l)},
		"bart.Table": first(&bart.Table[int32]{}, l),
		"bart.Fast":  first(&bart.Fast[int32]{}, l),
	} {
		rules, _ := differ(exact)
		assert.Zero(t, rules, name)
	}
	rules, verdicts := differ(longest(&bart.Fast[int32]{}, l))
	t.Logf("by the longest prefix, %d of %d clients meet another rule, %d of them another verdict", rules, len(asked), verdicts)
	assert.Positive(t, verdicts)
}
