package acl

import (
	"errors"
	"iter"
	"net/netip"
	"strings"
)

// A Set is clients: IPv4 and IPv6 addresses, and those on unix sockets, all of
// them or none. It does not change and may be used from several goroutines. The
// zero Set is nobody.
//
// An IPv4-mapped client is in the set if its IPv4 address is. The sets that a
// list without IPv4 rules makes may say otherwise, as in [List.Decide]; then
// IPv6 prefixes tell of these clients, and every method heeds that.
type Set struct {
	v4, v6 regions // class 1 is in
	unix   bool
	apart  bool // IPv4-mapped clients are those of v6
}

// SetOf returns the set of prefixes. Those of IPv4-mapped addresses stand for
// the IPv4 prefix. Invalid prefixes are nobody.
func SetOf(prefixes ...netip.Prefix) Set {
	var v4, v6 []span
	for _, p := range prefixes {
		if p = p.Masked(); !p.IsValid() {
			continue
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		s := span{pointOf(p.Addr()), uint8(p.Bits()), verdictOf(0, Deny)}
		if p.Addr().Is4() {
			v4 = append(v4, s)
		} else {
			v6 = append(v6, s)
		}
	}
	in := func(v verdict) uint8 { return uint8(v & 1) }
	return makeSet(partition(v4).regions(in), partition(v6).regions(in), false, false)
}

// Everybody returns the set of all clients.
func Everybody() Set { return Set{}.Complement() }

// UnixClients returns the set of the clients on unix sockets.
func UnixClients() Set { return Set{unix: true} }

// ParseSet reads addresses and prefixes, "all", "unix:" and "nobody", with
// blanks or commas between. Addresses are in the form that allow and deny take,
// or in one that package netip reads. It reads what String returns, but for a
// set that tells IPv4-mapped clients from IPv4.
func ParseSet(s string) (Set, error) {
	var set Set
	var prefixes []netip.Prefix
	for word := range words(s) {
		r, err := ParseRule("allow", word)
		p, standard := netip.Prefix{}, false
		if err != nil {
			p, standard = parseStandard(word)
		}
		switch {
		case word == "nobody":
		case standard:
			prefixes = append(prefixes, p)
		case err != nil:
			return Set{}, err
		case r.All():
			set = Everybody()
		case r.Unix():
			set = set.Union(UnixClients())
		default:
			prefixes = append(prefixes, r.prefix)
		}
	}
	return set.Union(SetOf(prefixes...)), nil
}

// words yields the words of a set, and where they begin.
func words(s string) iter.Seq2[string, int] {
	const between = ", \t\r\n"
	return func(yield func(string, int) bool) {
		for at := 0; at < len(s); {
			end := strings.IndexAny(s[at:], between)
			if end < 0 {
				end = len(s) - at
			}
			if end > 0 && !yield(s[at:at+end], at) {
				return
			}
			at += end + 1
		}
	}
}

func parseStandard(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(s)
	return netip.PrefixFrom(a, a.BitLen()), err == nil && a.Zone() == ""
}

// makeSet gives a set its one form.
func makeSet(v4, v6 regions, unix, apart bool) Set {
	if apart && v6.equal(v6.withMapped(v4)) {
		apart = false
	}
	if !apart {
		v6 = v6.withoutMapped()
	}
	return Set{v4, v6, unix, apart}
}

// Allowed returns the clients that the list lets in, be it that no rule
// matches.
func (l List) Allowed() Set { return l.clients(Allow) }

// Denied returns the clients that the list keeps out. It is the complement of
// Allowed.
func (l List) Denied() Set { return l.clients(Deny) }

func (l List) clients(a Action) Set {
	p := l.profile()
	v4, v6, folds := p.regions(func(v verdict) uint8 {
		if Action(v&1) == a {
			return 1
		}
		return 0
	})
	return makeSet(v4, v6, Action(p.unix&1) == a, !folds)
}

// IPv4 yields the IPv4 clients as disjoint prefixes in order, as few as there
// can be.
func (s Set) IPv4() iter.Seq[netip.Prefix] { return s.v4.seq(true) }

// IPv6 yields the IPv6 clients as disjoint prefixes in order, as few as there
// can be. A prefix that holds more than the IPv4-mapped addresses may hold
// these too: they belong to no prefix here, and Contains asks IPv4.
func (s Set) IPv6() iter.Seq[netip.Prefix] { return s.v6.seq(false) }

// Unix reports whether the clients on unix sockets are in the set.
func (s Set) Unix() bool { return s.unix }

// Prefixes yields those of IPv4, then those of IPv6.
func (s Set) Prefixes() iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, family := range []iter.Seq[netip.Prefix]{s.IPv4(), s.IPv6()} {
			for p := range family {
				if !yield(p) {
					return
				}
			}
		}
	}
}

func (r regions) seq(is4 bool) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		r.prefixes(func(first point, bits int, _ uint8) bool { return yield(prefixOf(first, bits, is4)) })
	}
}

// Contains reports whether client is in the set. The zero Addr is a client on a
// unix socket. An IPv6 zone has no bearing.
func (s Set) Contains(client netip.Addr) bool {
	if !client.IsValid() {
		return s.unix
	}
	if !s.apart {
		client = client.Unmap()
	}
	if client.Is4() {
		return s.v4.at(pointOf(client)) == 1
	}
	return s.v6.at(pointOf(client)) == 1
}

// IsEmpty reports whether nobody is in the set.
func (s Set) IsEmpty() bool { return s.Equal(Set{}) }

// Equal reports whether the same clients are in both sets.
func (s Set) Equal(t Set) bool {
	return s.unix == t.unix && s.apart == t.apart && s.v4.equal(t.v4) && s.v6.equal(t.v6)
}

// Union returns the clients that are in s or in t.
func (s Set) Union(t Set) Set {
	return s.with(t, func(x, y uint8) uint8 { return x | y })
}

// Intersect returns the clients that are in s and in t.
func (s Set) Intersect(t Set) Set {
	return s.with(t, func(x, y uint8) uint8 { return x & y })
}

// Minus returns the clients that are in s and not in t.
func (s Set) Minus(t Set) Set {
	return s.with(t, func(x, y uint8) uint8 { return x &^ y })
}

// Complement returns the clients that are not in s.
func (s Set) Complement() Set {
	return s.with(Set{}, func(x, _ uint8) uint8 { return 1 - x })
}

func (s Set) with(t Set, f func(x, y uint8) uint8) Set {
	apart := s.apart || t.apart
	s6, t6 := s.v6, t.v6
	if apart && !s.apart {
		s6 = s6.withMapped(s.v4)
	}
	if apart && !t.apart {
		t6 = t6.withMapped(t.v4)
	}
	return makeSet(combine(s.v4, t.v4, f), combine(s6, t6, f), f(bit(s.unix), bit(t.unix)) == 1, apart)
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// String returns the prefixes, then "unix:", with commas between, or "nobody".
// Single addresses stand without a length.
func (s Set) String() string {
	words := s.words()
	if len(words) == 0 {
		return "nobody"
	}
	return strings.Join(words, ", ")
}

func (s Set) words() []string {
	var words []string
	for p := range s.Prefixes() {
		words = append(words, shown(p))
	}
	if s.unix {
		words = append(words, "unix:")
	}
	return words
}

func shown(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// List returns a list that gives the clients in the set one action and all
// others the other. It has as few rules as there can be that match everybody.
//
// The error is for a set that no list makes: IPv4-mapped clients fare other
// than IPv4 ones, and yet some of these are kept out.
func (s Set) List(inside Action) (List, error) {
	if inside != Allow {
		s = s.Complement()
	}
	class := func(in uint8) uint8 { return denied - in }
	v4, v6 := s.v4.reclass(class), s.v6.reclass(class)
	if s.apart {
		if !s.v4.uniform(point{}, point{}) || s.v4.at(point{}) == 0 {
			return nil, errors.New("acl: no list keeps out IPv4 clients and judges IPv4-mapped ones by IPv6 rules")
		}
		v4 = regions{} // by no rule, so that IPv6 rules judge the mapped ones
	}
	return shortest(nil, profile{}, v4, v6, class(bit(s.unix)), !s.apart), nil
}
