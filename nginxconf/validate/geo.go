package validate

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A geoBlock is a geo block being read.
type geoBlock struct {
	entries
	http     bool
	ranges   bool
	networks map[netip.Prefix]string // with their values; not nil once there was an entry
	low      map[uint16][]geoRange   // by the upper half of the address
	fallback *string                 // of ranges: the value of "default"
	repeated *nginxconf.Directive    // the last entry that was warned of
}

// A geoRange is a range of addresses whose upper half is the same.
type geoRange struct {
	start, end uint16
	value      string
}

// readGeo reads a geo block (nginx 1.22: ngx_http_geo_block,
// ngx_stream_geo_block).
func readGeo(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := c.variables(b)
	g := geoBlock{entries: entries{c: c, v: v, d: d}, http: b.context&inHTTP != 0}
	ok := true
	if d.NumArgs() == 2 {
		var source string
		if source, ok = v.dollar(d, 1); ok && source == "" {
			c.fail(d, 1, "invalid-variable", `invalid variable name "$"`)
			ok = false
		} else if ok {
			v.use(d, 1, source)
		}
	}
	if ok {
		v.dollarDefine(d, d.NumArgs())
	}
	c.words(d, g.read)
}

// read reads an entry (nginx 1.22: ngx_http_geo, ngx_stream_geo).
func (g *geoBlock) read(e *nginxconf.Directive) {
	name := cstring(e.Name())
	switch n := e.NumArgs(); {
	case n == 0 && name == "ranges":
		if g.networks != nil {
			g.c.fail(e, 0, "misplaced-ranges", `the "ranges" directive must be the first directive inside "geo" block`)
		}
		g.ranges = true
	case n == 0 && name == "proxy_recursive" && g.http, n == 0 && name == "volatile" && g.c.since(1, 29, 3):
	case n != 1:
		g.c.fail(e, 0, "wrong-arguments", "invalid number of the geo parameters")
	case name == "include":
	case name == "proxy" && g.http:
		g.c.network(e, 1, e.Arg(0))
	case g.ranges:
		g.rangeEntry(e, name)
	default:
		g.networkEntry(e, name)
	}
}

// everyone is 255.255.255.255, which is no address to ParseCIDR.
var everyone = netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), 32)

// network reads word i of d, which is s, as a network of geo or geoip, and
// reports what is wrong with it (nginx: ngx_http_geo_cidr_value).
func (c *checker) network(d *nginxconf.Directive, i int, s string) (netip.Prefix, bool) {
	if cstring(s) == "255.255.255.255" {
		return everyone, true
	}
	network, hostBits, err := value.ParseCIDR(s)
	if err != nil {
		c.fail(d, i, "invalid-network", `invalid network "%s"`, s)
		return network, false
	}
	if hostBits {
		c.hostBits(d, i, s)
	}
	return network, true
}

// hostBits warns of a network whose address has bits behind its prefix.
func (c *checker) hostBits(d *nginxconf.Directive, i int, s string) {
	c.warn(d, i, "low-address-bits", "low address bits of %s are meaningless", s)
}

var (
	allIPv4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	allIPv6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

func (g *geoBlock) networkEntry(e *nginxconf.Directive, name string) {
	if g.networks == nil {
		g.networks = map[netip.Prefix]string{}
	}
	switch name {
	case "default":
		g.addNetwork(e, 0, allIPv4)
		g.addNetwork(e, 0, allIPv6)
	case "delete":
		if network, ok := g.c.network(e, 1, e.Arg(0)); ok {
			g.deleteNetwork(e, network)
		}
	default:
		if network, ok := g.c.network(e, 0, e.Name()); ok {
			g.addNetwork(e, 0, network)
		}
	}
}

func (g *geoBlock) addNetwork(e *nginxconf.Directive, i int, network netip.Prefix) {
	n := len(g.networks)
	v := e.Arg(0)
	if n == 0 || !g.hasNetwork(network) {
		g.networks[network] = v
		return
	}
	g.c.warn(e, i, "duplicate-network", `duplicate network "%s", value: "%s", old value: "%s"`, e.Name(), v, g.find(network.Addr()))
	g.networks[network] = v
}

func (g *geoBlock) hasNetwork(network netip.Prefix) bool {
	_, ok := g.networks[network]
	return ok
}

// find returns the value for an address.
func (g *geoBlock) find(addr netip.Addr) string {
	for bits := addr.BitLen(); bits >= 0; bits-- {
		network, _ := addr.Prefix(bits)
		if v, ok := g.networks[network]; ok {
			return v
		}
	}
	return ""
}

// geoLevels is how deep nginx makes its trees to begin with, where pages have
// 4096 bytes and pointers 8.
const geoLevels = 6

func (g *geoBlock) deleteNetwork(e *nginxconf.Directive, network netip.Prefix) {
	if g.hasNetwork(network) {
		delete(g.networks, network)
		return
	}
	// A leaf that nginx made itself goes without a warning.
	if network.Bits() == geoLevels && !g.hasInside(network) {
		return
	}
	g.c.warn(e, 1, "unknown-network", `no network "%s" to delete`, e.Arg(0))
}

func (g *geoBlock) hasInside(network netip.Prefix) bool {
	for n := range g.networks {
		if n.Bits() > network.Bits() && network.Contains(n.Addr()) {
			return true
		}
	}
	return false
}

func (g *geoBlock) rangeEntry(e *nginxconf.Directive, name string) {
	if name == "default" {
		v := e.Arg(0)
		if g.fallback != nil {
			g.c.warn(e, 1, "duplicate-default", `duplicate default geo range value: "%s", old value: "%s"`, v, *g.fallback)
		}
		g.fallback = &v
		return
	}
	word, text := 0, e.Name()
	if name == "delete" {
		word, text = 1, e.Arg(0)
	}
	start, end, ok := parseRange(text)
	if !ok {
		g.c.fail(e, word, "invalid-range", `invalid range "%s"`, text)
		return
	}
	// Every 65536 addresses are a step, which a short line can ask for often.
	steps := int(end>>16-start>>16) + 1
	if g.c.geoSteps += steps; g.c.geoSteps > maxGeoSteps {
		return
	}
	if g.low == nil {
		g.low = map[uint16][]geoRange{}
	}
	missing, v := false, ""
	if word == 0 {
		v = e.Arg(0)
	}
	for at := uint64(start); at <= uint64(end); at = (at | 0xffff) + 1 {
		high := uint16(at >> 16)
		r := geoRange{uint16(at), uint16(min(at|0xffff, uint64(end))), v}
		if word == 1 {
			missing = !g.deleteRange(high, r) || missing
			continue
		}
		if !g.addRange(e, high, r) {
			return
		}
	}
	if missing {
		g.c.warn(e, 1, "unknown-range", `no address range "%s" to delete`, text)
	}
}

// maxGeoSteps bounds the time that ranges take.
const maxGeoSteps = 1 << 21

// parseRange reads "10.0.0.1-10.0.0.9".
func parseRange(s string) (start, end uint32, ok bool) {
	from, to, dash := strings.Cut(s, "-")
	start, ok1 := parseIPv4(from)
	end, ok2 := parseIPv4(to)
	return start, end, dash && ok1 && ok2 && start <= end
}

func parseIPv4(s string) (uint32, bool) {
	network, _, err := value.ParseCIDR(s)
	if err != nil || !network.Addr().Is4() || strings.IndexByte(s, '/') >= 0 {
		return 0, false
	}
	a := network.Addr().As4()
	return uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3]), true
}

// addRange adds a range to those of the same upper half, which are sorted. It
// tells whether that was possible (nginx: ngx_http_geo_add_range).
func (g *geoBlock) addRange(e *nginxconf.Directive, high uint16, r geoRange) bool {
	list := g.low[high]
	at := len(list)
	for at > 0 && r.end < list[at-1].start {
		at--
	}
	if at == 0 || r.start > list[at-1].end {
		g.low[high] = insertRanges(list, at, r)
		return true
	}
	old := &list[at-1]
	switch {
	case r.start == old.start && r.end == old.end:
		if g.repeated != e { // nginx says it for each upper half
			g.c.warn(e, 0, "duplicate-range", `duplicate range "%s", value: "%s", old value: "%s"`, e.Name(), r.value, old.value)
			g.repeated = e
		}
		old.value = r.value
	case r.start > old.start && r.end < old.end:
		rest := geoRange{r.end + 1, old.end, old.value}
		old.end = r.start - 1
		g.low[high] = insertRanges(list, at, r, rest)
	case r.start == old.start && r.end < old.end:
		old.start = r.end + 1
		g.low[high] = insertRanges(list, at-1, r)
	case r.start > old.start && r.end == old.end:
		old.end = r.start - 1
		g.low[high] = insertRanges(list, at, r)
	default:
		g.c.fail(e, 0, "overlapping-range", `range "%s" overlaps "%s-%s"`, e.Name(), dotted(high, old.start), dotted(high, old.end))
		return false
	}
	return true
}

func insertRanges(list []geoRange, at int, rs ...geoRange) []geoRange {
	list = append(list, rs...)
	copy(list[at+len(rs):], list[at:len(list)-len(rs)])
	copy(list[at:], rs)
	return list
}

func dotted(high, low uint16) string {
	return fmt.Sprintf("%d.%d.%d.%d", high>>8, high&0xff, low>>8, low&0xff)
}

// deleteRange deletes a range, and tells whether it was there as it is.
func (g *geoBlock) deleteRange(high uint16, r geoRange) bool {
	list := g.low[high]
	for i, old := range list {
		if old.start == r.start && old.end == r.end {
			g.low[high] = append(list[:i], list[i+1:]...)
			return true
		}
	}
	return false
}
