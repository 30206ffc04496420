package nginxacl

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
)

// A class is clients that fare alike where conditions ask for them.
type class struct {
	set    acl.Set
	value  string
	sample netip.Addr // one of them; the zero Addr is a client on a unix socket
}

var lastIPv4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// newClass returns a class, or false if there is nobody in it.
func newClass(set acl.Set, value string) (class, bool) {
	for p := range set.Prefixes() {
		return class{set, value, p.Addr()}, true
	}
	return class{set, value, netip.Addr{}}, set.Unix()
}

func (g *geo) classes() []class { return g.divided.get(g.split) }

// split returns the classes that have one value each, or nil if they cannot be
// told.
func (g *geo) split() []class {
	if g.vague || g.source != "" && g.source != "remote_addr" {
		return nil
	}
	// In a list of which the first match counts, the longest prefixes come
	// first, and of ranges the last.
	var list acl.List
	var values []string
	for _, e := range g.entries {
		for _, n := range e.networks {
			if r, err := acl.NewRule(acl.Allow, n); err == nil { // not 255.255.255.255
				list, values = append(list, r), append(values, e.value)
			}
		}
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(list[b].Prefix().Bits(), list[a].Prefix().Bits()), cmp.Compare(b, a))
	})
	if g.ranges() {
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(b, a) })
	}
	distinct := append(slices.Clone(values), g.fallback())
	slices.Sort(distinct)
	var classes []class
	for _, v := range slices.Compact(distinct) {
		mine := make(acl.List, 0, len(list)+1)
		for _, i := range order {
			r := list[i]
			r.Action = acl.Deny
			if values[i] == v {
				r.Action = acl.Allow
			}
			mine = append(mine, r)
		}
		rest := "deny"
		if g.fallback() == v {
			rest = "allow"
		}
		mine = append(mine, acl.MustParseRule(rest, "all"))
		// There is no rule for 255.255.255.255 alone, as which unix clients are
		// looked up.
		last4 := acl.SetOf(netip.PrefixFrom(lastIPv4, 32)).Union(acl.UnixClients())
		if g.source != "" { // nginx cannot read this one's text
			last4 = last4.Union(acl.SetOf(netip.MustParsePrefix("::ffff:ffff/128")))
		}
		set := mine.Allowed().Minus(last4)
		if g.Lookup(lastIPv4).Value == v {
			set = set.Union(last4)
		}
		if c, ok := newClass(set, v); ok {
			classes = append(classes, c)
		}
	}
	return classes
}

func (g *geo) ranges() bool {
	return len(g.entries) > 0 && g.entries[0].value == "ranges" && g.entries[0].networks == nil
}

// fallback is the value of addresses in no entry: the default of a block of
// ranges, which is an entry in others.
func (g *geo) fallback() string {
	v := ""
	for _, e := range g.entries {
		if e.networks == nil && e.value != "ranges" {
			v = e.value[len("default "):]
		}
	}
	return v
}

// note takes in a line of the block.
func (g *geo) note(d *nginxconf.Directive) {
	name := d.Name()
	switch {
	case name == "ranges" && d.NumArgs() == 0:
		g.entries = append(g.entries, entry{value: "ranges"})
	case name == "proxy", name == "proxy_recursive", name == "volatile":
		g.vague = g.vague || name == "proxy" // whom it names depends on the header
	case d.NumArgs() != 1:
		g.vague = true
	case name == "default" && g.ranges():
		g.entries = append(g.entries, entry{value: "default " + d.Arg(0)})
	case name == "default":
		for _, a := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
			g.entries = append(g.entries, entry{[]netip.Prefix{netip.PrefixFrom(a, 0)}, d.Arg(0)})
		}
	case name == "delete":
		g.remove(d.Arg(0))
	case g.ranges():
		first, last, ok := strings.Cut(name, "-")
		a, ok1 := acl.ParseAddr(first)
		b, ok2 := acl.ParseAddr(last)
		if !ok || !ok1 || !ok2 || !a.Is4() || !b.Is4() {
			g.vague = true
			return
		}
		g.entries = append(g.entries, entry{rangeOf(a, b), d.Arg(0)})
	default:
		r, err := acl.ParseRule("allow", name)
		if err != nil {
			g.vague = g.vague || name != "255.255.255.255"
			return
		}
		g.entries = append(g.entries, entry{[]netip.Prefix{r.Prefix()}, d.Arg(0)})
	}
}

// remove is a delete directive.
func (g *geo) remove(network string) {
	r, err := acl.ParseRule("allow", network)
	if err != nil || g.ranges() {
		g.vague = true
		return
	}
	g.entries = slices.DeleteFunc(g.entries, func(e entry) bool {
		return len(e.networks) == 1 && e.networks[0] == r.Prefix()
	})
}

// rangeOf returns the networks of a range of IPv4 addresses.
func rangeOf(first, last netip.Addr) (all []netip.Prefix) {
	number := func(a netip.Addr) uint64 {
		b := a.As4()
		return uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
	}
	for at, end := number(first), number(last); at <= end; {
		size := bits.TrailingZeros64(at | 1<<32)
		for at+1<<size-1 > end {
			size--
		}
		a := netip.AddrFrom4([4]byte{byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at)})
		all = append(all, netip.PrefixFrom(a, 32-size))
		at += 1 << size
	}
	return all
}

// addresses returns the classes of the addresses that are compared with the
// client's, or nil if it is compared with something else, too.
func (j *Judge) addresses() []class {
	if j.vague {
		return nil
	}
	rest := acl.Everybody()
	var classes []class
	for _, a := range j.compared {
		set := acl.SetOf(netip.PrefixFrom(a, a.BitLen()))
		if c, ok := newClass(set.Intersect(rest), acl.AddrText(a)); ok {
			classes = append(classes, c)
		}
		rest = rest.Minus(set)
	}
	if c, ok := newClass(rest, ""); ok {
		classes = append(classes, c)
	}
	return classes
}

// divide divides classes by others. Values are of no more use then.
func divide(classes, by []class) []class {
	var all []class
	for _, c := range classes {
		for _, d := range by {
			if part, ok := newClass(c.set.Intersect(d.set), ""); ok {
				all = append(all, part)
			}
		}
	}
	return all
}
