package acl

import (
	"math/rand/v2"
	"net/netip"
)

// random makes rules that meet each other: addresses come from a few corners
// of the address space, and prefixes nest in, widen or follow earlier ones.
type random struct {
	*rand.Rand
	made []netip.Prefix
}

func newRand(seed uint64) *random {
	return &random{Rand: rand.New(rand.NewPCG(seed, 0))}
}

func pick[T any](r *random, from ...T) T { return from[r.IntN(len(from))] }

func (r *random) addr() netip.Addr {
	var b [16]byte
	for i := range b {
		b[i] = pick(r, 0, 0, 0, 0xff, byte(r.Uint32()))
	}
	switch r.IntN(8) {
	case 0, 1, 2, 3:
		copy(b[:], pick(r, "\x0a", "\x7f", "\xc0\xa8", "", ""))
		return netip.AddrFrom4([4]byte(b[:4]))
	case 4:
		copy(b[:], "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff") // IPv4-mapped
	case 5, 6:
		copy(b[:], "\x20\x01\x0d\xb8\x00\x00")
	}
	return netip.AddrFrom16(b)
}

func (r *random) prefix() netip.Prefix {
	var p netip.Prefix
	if len(r.made) > 0 && r.IntN(2) == 0 {
		o := pick(r, r.made...)
		a, bits := o.Addr(), o.Bits()+r.IntN(20)-8
		switch r.IntN(4) {
		case 0:
			a = last(o)
		case 1:
			if next := last(o).Next(); next.IsValid() {
				a = next
			}
		}
		p = netip.PrefixFrom(a, min(max(bits, 0), a.BitLen())).Masked()
	} else {
		a := r.addr()
		bits := a.BitLen()
		switch r.IntN(4) {
		case 0:
			bits = r.IntN(bits + 1)
		case 1:
			bits = pick(r, bits/4, bits/2, bits*3/4, bits-1)
		}
		p = netip.PrefixFrom(a, bits).Masked()
	}
	r.made = append(r.made, p)
	return p
}

func ruleOf(a Action, p netip.Prefix) Rule {
	return Rule{Action: a, argument: p.String(), prefix: p.Masked()}
}

func (r *random) list(n int) List {
	family := r.IntN(8) // 0: IPv4 alone, 1: IPv6 alone
	l := make(List, 0, n)
	for len(l) < n {
		action := Action(r.IntN(2))
		switch r.IntN(16) {
		case 0:
			if n > 30 && len(l) < n/2 {
				continue // it would hide the rest
			}
			l = append(l, MustParseRule(action.String(), "all"))
		case 1:
			l = append(l, MustParseRule(action.String(), "unix:"))
		default:
			p := r.prefix()
			if family == 0 && p.Addr().Is6() || family == 1 && p.Addr().Is4() {
				continue
			}
			l = append(l, ruleOf(action, p))
		}
	}
	return l
}

// clients returns those where something may change: the first and the last
// address of every rule and their neighbours, IPv4 ones also mapped, and some
// from nowhere.
func (r *random) clients(l List) []netip.Addr {
	clients := []netip.Addr{{}, netip.IPv4Unspecified(), netip.AddrFrom4([4]byte{255, 255, 255, 255}), netip.IPv6Unspecified(), netip.IPv6Loopback(), r.addr(), r.addr()}
	for _, rule := range l {
		if p := rule.Prefix(); p.IsValid() {
			first, last := p.Addr(), last(p)
			clients = append(clients, first, last, first.Prev(), last.Next())
		}
	}
	for _, a := range clients {
		if a.Is4() {
			clients = append(clients, netip.AddrFrom16(a.As16()))
		} else if a.Is4In6() {
			clients = append(clients, a.Unmap())
		}
	}
	return clients
}

func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
