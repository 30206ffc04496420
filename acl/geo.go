package acl

import (
	"errors"
	"fmt"
	"math/bits"
	"net/http"
	"net/netip"
	"slices"
)

// A Geo is a geo block: it gives each address a value (nginx 1.22:
// ngx_http_geo_module). [GeoBuilder] makes it. A Geo does not change and may be
// used from several goroutines; the zero Geo has no entries.
type Geo struct {
	entries  []string // the value each entry set, "" if none
	networks *Table   // rule i is entry rules[i]; nil in a block of ranges
	rules    []int32
	ranges   steps[uint32]
	deflt    int // of a block of ranges: one more than the entry
	proxies  RealIP
}

// A GeoMatch is what a geo block gives to an address.
type GeoMatch struct {
	Value string `json:"value"`
	// Entry is the number of the call of [GeoBuilder.Add] that set the value,
	// from 0. It is -1 if none did, and Value is then empty.
	Entry int `json:"entry"`
}

// Lookup returns the value for an address: that of the longest prefix it lies
// in or, in a block of ranges, of the range. It allocates nothing.
//
// As in nginx an IPv4-mapped address is looked up as the IPv4 address, and a
// client on a unix socket, the zero Addr, as 255.255.255.255, which is also
// what a variable that holds no address comes to. With ranges, so are the
// IPv6 addresses. An IPv6 zone has no bearing.
func (g *Geo) Lookup(a netip.Addr) GeoMatch {
	a = a.Unmap()
	if !a.IsValid() {
		a = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	entry := -1
	if g.networks != nil {
		if rule := g.networks.Lookup(a).Rule; rule >= 0 {
			entry = int(g.rules[rule])
		}
	} else {
		if a.Is4() {
			entry = g.ranges.find(uint32(pointOf(a).hi >> 32)).decision().Rule
		}
		if entry < 0 {
			entry = g.deflt - 1
		}
	}
	if entry < 0 {
		return GeoMatch{Entry: -1}
	}
	return GeoMatch{g.entries[entry], entry}
}

// Client returns the address that a geo block without a source variable looks
// up for a client: its own, or the one that X-Forwarded-For names if it is
// among the block's proxies. The client is the one that [RealIP] found.
func (g *Geo) Client(client netip.Addr, header http.Header) netip.Addr {
	found, _ := g.proxies.Find(netip.AddrPortFrom(client, 0), header, ProxyHeader{})
	return found.Addr()
}

// Proxies returns how Client finds the address. It trusts nobody if the block
// has no proxy.
func (g *Geo) Proxies() RealIP { return g.proxies }

// A GeoBuilder makes a Geo of the directives of a geo block, in their order.
// The zero GeoBuilder is one of the newest nginx.
type GeoBuilder struct {
	// Version of nginx; "" is the newest. Since 1.29.3 a block may be
	// volatile, since 1.27.3 the proxies may write "[2001:db8::1]".
	Version string

	values    []string
	isRanges  bool
	started   bool // an entry made it a block of networks
	trees     [2]geoTree
	slices    map[uint16][]geoRange
	deflt     int // of a block of ranges: one more than the entry
	proxies   List
	recursive bool
}

// Add takes a directive of the block, by its words: a network or range and its
// value, "default" and a value, "delete" and a network or range, "ranges",
// "proxy" and an address or network, "proxy_recursive". It returns what nginx
// warns of, and the error for which nginx refuses the block; both in nginx's
// words. After an error the builder is of no use.
//
// A range is kept in parts, one for each /16 it touches, and nginx warns of
// each part: one range may mean 65,536 warnings.
//
// An include directive is for the caller to resolve, by adding what is in the
// file. Add refuses it.
func (b *GeoBuilder) Add(words ...string) (warnings []string, err error) {
	entry := len(b.values)
	b.values = append(b.values, "")
	if len(words) == 1 {
		switch words[0] {
		case "ranges":
			if b.started {
				return nil, errors.New(`the "ranges" directive must be the first directive inside "geo" block`)
			}
			b.isRanges = true
			return nil, nil
		case "proxy_recursive":
			b.recursive = true
			return nil, nil
		case "volatile":
			if atLeast(b.Version, 1, 29, 3) {
				return nil, nil
			}
		}
	}
	if len(words) != 2 {
		return nil, errors.New("invalid number of the geo parameters")
	}
	if entry >= maxRules {
		return nil, fmt.Errorf("acl: more than %d entries in a geo block", maxRules)
	}
	name, value := words[0], words[1]
	switch {
	case name == "include":
		return nil, errors.New(`acl: the caller resolves include "` + value + `"`)
	case name == "proxy":
		p, warnings, err := geoNetwork(value)
		if err == nil {
			b.proxies = append(b.proxies, Rule{argument: value, prefix: p, hostBits: warnings != nil})
		}
		return warnings, err
	case b.isRanges:
		return b.addRange(entry, name, value)
	}
	b.started = true
	return b.addNetwork(entry, name, value)
}

func (b *GeoBuilder) addNetwork(entry int, name, value string) (warnings []string, err error) {
	if name == "default" {
		b.values[entry] = value
		for family, zero := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
			if old, ok := b.trees[family].insert(netip.PrefixFrom(zero, 0), entry); ok {
				warnings = append(warnings, b.duplicate("network", name, value, old))
			}
		}
		return warnings, nil
	}
	text := name
	if name == "delete" {
		text = value
	}
	p, warnings, err := geoNetwork(text)
	if err != nil {
		return nil, err
	}
	tree := &b.trees[0]
	if p.Addr().Is6() {
		tree = &b.trees[1]
	}
	if name == "delete" {
		if !tree.remove(p) {
			warnings = append(warnings, warning(`no network "`+text+`" to delete`))
		}
		return warnings, nil
	}
	b.values[entry] = value
	if old, ok := tree.insert(p, entry); ok {
		warnings = append(warnings, b.duplicate("network", name, value, old))
	}
	return warnings, nil
}

func (b *GeoBuilder) duplicate(what, name, value string, old int) string {
	return warning("duplicate " + what + ` "` + name + `", value: "` + value + `", old value: "` + b.values[old] + `"`)
}

// warning cuts as nginx does.
func warning(message string) string { return refusal(message).Error() }

// geoNetwork reads a network. That it may be 255.255.255.255, but for a
// prefix length behind it, is special to geo.
func geoNetwork(text string) (p netip.Prefix, warnings []string, err error) {
	if text == "255.255.255.255" {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), 32), nil, nil
	}
	p, hostBits, ok := parsePrefix(text)
	if !ok {
		return p, nil, refusal(`invalid network "` + text + `"`)
	}
	if hostBits {
		warnings = []string{warning("low address bits of " + text + " are meaningless")}
	}
	return p, warnings, nil
}

// Build makes the Geo of what was added so far. The builder may go on.
func (b *GeoBuilder) Build() *Geo {
	g := &Geo{entries: slices.Clone(b.values), deflt: b.deflt}
	if len(b.proxies) > 0 {
		g.proxies = RealIP{Trusted: Compile(b.proxies), Header: "X-Forwarded-For", Recursive: b.recursive, Version: b.Version}
	}
	if b.isRanges {
		g.ranges = b.rangeSteps()
		return g
	}
	// Where the first match decides, the longest prefix does if it is first.
	var networks List
	for i := range b.trees {
		for bits := 128; bits >= 0; bits-- {
			for p, entry := range b.trees[i].entries[bits] {
				networks = append(networks, Rule{argument: "geo", prefix: p})
				g.rules = append(g.rules, int32(entry))
			}
		}
	}
	g.networks = Compile(networks)
	return g
}

// A geoTree is the entries of one family, and of nginx's radix tree as much as
// shows in its warnings.
//
// nginx makes the nodes of the first six levels before it reads an entry, and
// "delete" of a node without descendants is fine, whether it has a value or
// not. A node that is deleted takes its ancestors along as far as they have
// neither a value nor another descendant. Below these levels only an entry, or
// what lies above one, is a node.
type geoTree struct {
	entries [129]map[netip.Prefix]int // by prefix length
	gone    [2 << geoTop]bool         // the nodes of the first levels: 1, then 2i and 2i+1 below i
	below   [1 << geoTop]int32        // entries further down, by the node of the last of these levels
}

// geoTop is how many levels nginx makes before it reads an entry, on machines
// with 64 bits and pages of 4 KiB.
const geoTop = 6

// geoNode is the node of the first levels that is p, or the last one above it.
func geoNode(p netip.Prefix) int {
	bits := min(p.Bits(), geoTop)
	return 1<<bits | int(pointOf(p.Addr()).hi>>(64-geoTop)>>(geoTop-bits))
}

// insert sets the value of p. If there was one, ok is true, and old is what
// nginx calls the old value: that of the address p begins with.
func (t *geoTree) insert(p netip.Prefix, entry int) (old int, ok bool) {
	bits := p.Bits()
	if _, ok = t.entries[bits][p]; ok {
		old = t.find(p.Addr())
	} else if bits > geoTop {
		t.below[geoNode(p)-1<<geoTop]++
	}
	for n := geoNode(p); n > 0; n /= 2 {
		t.gone[n] = false
	}
	if t.entries[bits] == nil {
		t.entries[bits] = map[netip.Prefix]int{}
	}
	t.entries[bits][p] = entry
	return old, ok
}

func (t *geoTree) find(a netip.Addr) int {
	for bits := a.BitLen(); bits >= 0; bits-- {
		if len(t.entries[bits]) == 0 {
			continue
		}
		p, _ := a.Prefix(bits)
		if entry, ok := t.entries[bits][p]; ok {
			return entry
		}
	}
	return -1
}

// remove reports whether nginx is content.
func (t *geoTree) remove(p netip.Prefix) bool {
	bits, n := p.Bits(), geoNode(p)
	_, valued := t.entries[bits][p]
	delete(t.entries[bits], p)
	if bits > geoTop {
		if valued {
			t.below[n-1<<geoTop]--
			t.prune(p, n)
		}
		return valued
	}
	if t.gone[n] || t.descends(n) || bits == 0 { // nginx crashes if it is to delete a root without descendants
		return valued
	}
	t.gone[n] = true
	t.prune(p, n/2)
	return true
}

// prune removes the node n above p, and its ancestors, while nothing needs
// them.
func (t *geoTree) prune(p netip.Prefix, n int) {
	for ; n > 1 && !t.descends(n); n /= 2 {
		up, _ := p.Addr().Prefix(bits.Len(uint(n)) - 1)
		if _, valued := t.entries[up.Bits()][up]; valued {
			return
		}
		t.gone[n] = true
	}
}

func (t *geoTree) descends(n int) bool {
	if n >= 1<<geoTop {
		return t.below[n-1<<geoTop] > 0
	}
	return !t.gone[2*n] || !t.gone[2*n+1]
}
