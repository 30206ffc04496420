package acl

import (
	"fmt"
	"iter"
	"net/netip"
)

// A Change is clients that one list lets in and another does not.
type Change struct {
	// Prefix is whom it is about. The zero Prefix is the clients on unix
	// sockets.
	//
	// An IPv4 prefix speaks of IPv4-mapped clients too, and an IPv6 prefix does
	// not, unless a list judges these clients other than it judges IPv4: see
	// Contains.
	Prefix netip.Prefix `json:"prefix"`
	// Witness is one of them: the first address of Prefix. The zero Addr is a
	// client on a unix socket.
	Witness netip.Addr `json:"witness"`
	// Before and After are what the lists say of the witness. All of Prefix
	// gets the same actions; other rules may give them.
	Before Decision `json:"before"`
	After  Decision `json:"after"`

	apart bool // IPv4-mapped clients are IPv6 ones here
}

// Opens reports whether the change lets somebody in, and not out.
func (c Change) Opens() bool { return c.Before.Action != Allow && c.After.Action == Allow }

// Contains reports whether client is one of those that the change is about.
//
// A list without any IPv4 rule judges IPv4-mapped clients by its IPv6 rules,
// so that they may fare other than the IPv4 clients they map. Between two lists
// of which one is like that, these clients are those of the IPv6 prefixes.
// Otherwise they are those of the IPv4 prefixes.
func (c Change) Contains(client netip.Addr) bool {
	client = client.WithZone("")
	if !client.IsValid() {
		return !c.Prefix.IsValid()
	}
	if !c.apart {
		client = client.Unmap()
	}
	return c.Prefix.Contains(client)
}

// String returns the change for people: "192.0.2.0/24: deny, now allow".
func (c Change) String() string {
	who := "unix:"
	if c.Prefix.IsValid() {
		who = c.Prefix.String()
	}
	before, after := said(c.Before), said(c.After)
	return fmt.Sprintf("%s: %s, now %s", who, before, after)
}

func said(d Decision) string {
	if d.Rule < 0 {
		return "no rule"
	}
	return d.Action.String()
}

// Diff yields who gets another verdict, allow or deny, from the list after than
// from before: IPv4 in the order of addresses, then IPv6, then unix sockets.
// Every such client is in one Change and no other client is, and there are no
// fewer prefixes that say so.
//
// Clients that no rule matches are let in, so Diff does not tell them from
// those that a rule allows: a location with "satisfy any" does, and for it
// there is [DiffOutcomes].
//
// The time is that of compiling both lists. It is spent when ranging begins.
func Diff(before, after List) iter.Seq[Change] { return diff(before, after, access) }

// DiffOutcomes is Diff with three outcomes in place of two verdicts: a client
// that no rule matches is neither allowed nor denied. Without a difference in
// outcomes one list may take the place of the other everywhere, under "satisfy
// any" too.
func DiffOutcomes(before, after List) iter.Seq[Change] { return diff(before, after, outcome) }

// Equal reports whether both lists let in the same clients: whether there is
// nothing in their Diff. Their rules may differ.
func Equal(a, b List) bool {
	for range Diff(a, b) {
		return false
	}
	return true
}

// EqualOutcomes reports whether there is nothing in DiffOutcomes.
func EqualOutcomes(a, b List) bool {
	for range DiffOutcomes(a, b) {
		return false
	}
	return true
}

func diff(before, after List, class func(verdict) uint8) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		b, a := before.profile(), after.profile()
		v4, v6, apart := pair(b, a, class, func(x, y uint8) uint8 {
			if x == y {
				return 0
			}
			return x<<2 | y
		})
		report := func(is4 bool) func(point, int, uint8) bool {
			return func(first point, bits int, _ uint8) bool {
				return yield(Change{
					Prefix: prefixOf(first, bits, is4), Witness: first.addr(is4), apart: apart,
					Before: b.decide(first, is4), After: a.decide(first, is4),
				})
			}
		}
		if v4.prefixes(report(true)) && v6.prefixes(report(false)) && class(b.unix) != class(a.unix) {
			yield(Change{Before: b.unix.decision(), After: a.unix.decision()})
		}
	}
}
