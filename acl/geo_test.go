package acl

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// geoOf reads "10.0.0.0/8 a; default b;".
func geoOf(t testing.TB, text string) (g *Geo, said []string) {
	t.Helper()
	var b GeoBuilder
	for _, one := range strings.Split(text, ";") {
		words := strings.Fields(one)
		if len(words) == 0 {
			continue
		}
		warnings, err := b.Add(words...)
		said = append(said, warnings...)
		if err != nil {
			return nil, append(said, err.Error())
		}
	}
	return b.Build(), said
}

// Each case is a fact of nginx 1.22.1: what the block gives to an address, and
// what nginx says of it.
func TestGeoIsReadAsNginx(t *testing.T) {
	for _, c := range []struct {
		fact, block, client, want string
		said                      string
	}{
		{"the longest prefix", "10.0.0.0/8 a; 10.1.0.0/16 b; 10.0.0.0/9 c;", "10.1.2.3", "b", ""},
		{"in any order", "10.1.0.0/16 b; 10.0.0.0/8 a;", "10.1.2.3", "b", ""},
		{"none", "10.0.0.0/8 a;", "192.0.2.1", "", ""},
		{"the default", "default d; 10.0.0.0/8 a;", "192.0.2.1", "d", ""},
		{"for IPv6 too", "default d; 10.0.0.0/8 a;", "2001:db8::1", "d", ""},
		{"it is 0.0.0.0/0 and ::/0", "::/0 six; default d;", "2001:db8::1", "d", `duplicate network "default", value: "d", old value: "six"`},
		{"the last of equal ones", "10.0.0.0/8 a; 10.0.0.0/8 b;", "10.0.0.1", "b", `duplicate network "10.0.0.0/8", value: "b", old value: "a"`},
		{"the old value is that of its first address", "10.0.0.0/8 a; 10.0.0.0/24 b; 10.0.0.0/8 c;", "10.1.0.1", "c", `duplicate network "10.0.0.0/8", value: "c", old value: "b"`},
		{"host bits", "10.0.0.1/8 a;", "10.2.3.4", "a", "low address bits of 10.0.0.1/8 are meaningless"},
		{"delete", "10.0.0.0/8 a; 10.1.0.0/16 b; delete 10.1.0.0/16;", "10.1.2.3", "a", ""},
		{"of what is not there", "10.0.0.0/8 a; delete 10.1.0.0/16;", "10.1.2.3", "a", `no network "10.1.0.0/16" to delete`},
		{"but not in the first levels of the tree", "delete 4.0.0.0/6;", "4.0.0.1", "", ""},
		{"the first time", "delete 4.0.0.0/6; delete 4.0.0.0/6;", "4.0.0.1", "", `no network "4.0.0.0/6" to delete`},
		{"an address is deleted with them", "4.0.0.1 a; delete 4.0.0.1; delete 4.0.0.0/6;", "4.0.0.1", "", `no network "4.0.0.0/6" to delete`},
		{"with descendants there must be a value", "delete 0.0.0.0/5; 4.0.0.1 a;", "4.0.0.1", "a", `no network "0.0.0.0/5" to delete`},
		{"255.255.255.255 may stand alone", "255.255.255.255 a;", "255.255.255.255", "a", ""},
		{"not as a prefix", "255.255.255.255/32 a;", "", "", `invalid network "255.255.255.255/32"`},
		{"a unix client is looked up as that", "255.255.255.255 a;", "unix:", "a", ""},
		{"a mapped one as IPv4", "10.0.0.0/8 a; ::/0 six;", "::ffff:10.0.0.1", "a", ""},
		{"so rules for mapped ones are dead", "::ffff:10.0.0.0/104 six;", "::ffff:10.0.0.1", "", ""},
		{"a range is no network", "10.0.0.0-10.0.0.9 a;", "", "", `invalid network "10.0.0.0-10.0.0.9"`},
		{"ranges come first", "10.0.0.0/8 a; ranges;", "", "", `the "ranges" directive must be the first directive inside "geo" block`},
		{"but behind proxies", "proxy 10.0.0.1/8; proxy_recursive; ranges; 10.0.0.0-10.0.0.9 a;", "10.0.0.9", "a", "low address bits of 10.0.0.1/8 are meaningless"},
		{"one word", "10.0.0.0/8;", "", "", "invalid number of the geo parameters"},
		{"three words", "10.0.0.0/8 a b;", "", "", "invalid number of the geo parameters"},
		{"a proxy is a network", "proxy unix:;", "", "", `invalid network "unix:"`},

		{"a range", "ranges; 10.0.0.1-10.2.0.9 a;", "10.1.2.3", "a", ""},
		{"to its end", "ranges; 10.0.0.1-10.2.0.9 a;", "10.2.0.10", "", ""},
		{"the default of ranges", "ranges; default d; 10.0.0.0-10.0.0.9 a;", "10.0.0.10", "d", ""},
		{"twice", "ranges; default d; default e;", "10.0.0.10", "e", `duplicate default geo range value: "e", old value: "d"`},
		{"a range within another", "ranges; 10.0.0.0-10.0.0.9 a; 10.0.0.3-10.0.0.5 b;", "10.0.0.4", "b", ""},
		{"does not hide what is behind it", "ranges; 10.0.0.0-10.0.0.9 a; 10.0.0.3-10.0.0.5 b;", "10.0.0.6", "a", ""},
		{"the other way round is refused", "ranges; 10.0.0.3-10.0.0.5 b; 10.0.0.0-10.0.0.9 a;", "", "", `range "10.0.0.0-10.0.0.9" overlaps "10.0.0.3-10.0.0.5"`},
		{"if not by parts", "ranges; 10.0.0.0-10.0.255.255 b; 10.0.0.0-10.1.0.9 a;", "10.0.0.1", "a", `duplicate range "10.0.0.0-10.1.0.9", value: "a", old value: "b"`},
		{"delete of a range", "ranges; 10.0.0.0-10.0.0.9 a; delete 10.0.0.0-10.0.0.9;", "10.0.0.1", "", ""},
		{"must be exact", "ranges; 10.0.0.0-10.0.0.9 a; delete 10.0.0.0-10.0.0.8;", "10.0.0.1", "a", `no address range "10.0.0.0-10.0.0.8" to delete`},
		{"ranges have no IPv6", "ranges; default d; ::1-::2 a;", "", "", `invalid range "::1-::2"`},
		{"nor backward ranges", "ranges; 10.0.0.2-10.0.0.1 a;", "", "", `invalid range "10.0.0.2-10.0.0.1"`},
		{"IPv6 clients get the default", "ranges; default d; 0.0.0.0-255.255.255.254 a;", "2001:db8::1", "d", ""},
		{"a network is no range", "ranges; 10.0.0.0/8 a;", "", "", `invalid range "10.0.0.0/8"`},
	} {
		g, said := geoOf(t, c.block)
		assert.Equal(t, c.said, strings.Join(uniq(said), "|"), c.fact)
		if g == nil {
			continue
		}
		client := netip.Addr{}
		if c.client != "unix:" {
			client = netip.MustParseAddr(c.client)
		}
		assert.Equal(t, c.want, g.Lookup(client).Value, c.fact)
	}
}

func uniq(s []string) (u []string) {
	for i, x := range s {
		if i == 0 || x != s[i-1] {
			u = append(u, x)
		}
	}
	return u
}

func TestGeoNamesTheEntry(t *testing.T) {
	g, _ := geoOf(t, "default d; 10.0.0.0/8 a; proxy 127.0.0.1; 10.1.0.0/16 b;")
	assert.Equal(t, GeoMatch{"b", 3}, g.Lookup(netip.MustParseAddr("10.1.0.1")))
	assert.Equal(t, GeoMatch{"a", 1}, g.Lookup(netip.MustParseAddr("10.2.0.1")))
	assert.Equal(t, GeoMatch{"d", 0}, g.Lookup(netip.MustParseAddr("2001:db8::1")))
	assert.Equal(t, GeoMatch{"", -1}, new(Geo).Lookup(netip.MustParseAddr("10.0.0.1")))
	g, _ = geoOf(t, "ranges; 10.0.0.0-10.0.0.9 a; default d;")
	assert.Equal(t, GeoMatch{"a", 1}, g.Lookup(netip.MustParseAddr("10.0.0.9")))
	assert.Equal(t, GeoMatch{"d", 2}, g.Lookup(netip.Addr{}))
}

func TestGeoLooksBehindItsProxies(t *testing.T) {
	header := http.Header{"X-Forwarded-For": {"192.0.2.1, 127.0.0.9"}}
	client := netip.MustParseAddr("127.0.0.1")
	for block, want := range map[string]string{
		"": "127.0.0.1", "proxy 10.0.0.1;": "127.0.0.1", "proxy 127.0.0.0/8;": "127.0.0.9", "proxy 127.0.0.0/8; proxy_recursive;": "192.0.2.1",
	} {
		g, _ := geoOf(t, block)
		assert.Equal(t, want, g.Client(client, header).String(), block)
	}
}

func TestVersionsOfGeo(t *testing.T) {
	_, err := (&GeoBuilder{}).Add("volatile")
	assert.NoError(t, err)
	_, err = (&GeoBuilder{Version: "1.22.1"}).Add("volatile")
	assert.EqualError(t, err, "invalid number of the geo parameters")
	_, err = (&GeoBuilder{}).Add("include", "x")
	assert.Error(t, err)
}

// Where networks are added in random order, the longest prefix decides, as a
// scan over all of them tells.
func TestGeoFindsTheLongestPrefix(t *testing.T) {
	for seed := range uint64(40) {
		r := newRand(seed)
		var b GeoBuilder
		var l List
		for i := range r.IntN(60) {
			p := r.prefix()
			if _, err := b.Add(p.String(), fmt.Sprint(i)); err != nil {
				require.Equal(t, "255.255.255.255/32", p.String())
				b.values = b.values[:len(b.values)-1]
				continue
			}
			l = append(l, ruleOf(Allow, p))
		}
		g := b.Build()
		for _, a := range r.clients(l) {
			want := -1
			look := a.Unmap().WithZone("")
			if !a.IsValid() {
				look = netip.MustParseAddr("255.255.255.255")
			}
			for i, rule := range l {
				if rule.prefix.Contains(look) && (want < 0 || rule.prefix.Bits() >= l[want].prefix.Bits()) {
					want = i
				}
			}
			require.Equal(t, want, g.Lookup(a).Entry, "seed %d, %v, %v", seed, a, l)
		}
	}
}

func TestGeoDoesNotAllocate(t *testing.T) {
	for _, block := range []string{"default d; 10.0.0.0/8 a; 2001:db8::/32 b; proxy 127.0.0.1;", "ranges; default d; 10.0.0.0-10.0.0.9 a;"} {
		g, _ := geoOf(t, block)
		header := http.Header{"X-Forwarded-For": {"10.0.0.1"}}
		for _, a := range newRand(1).clients(nil) {
			assert.Zero(t, testing.AllocsPerRun(10, func() { g.Lookup(g.Client(a, header)) }))
		}
	}
}

// geoNetworks and geoRanges are blocks of about n entries.
func geoNetworks(t testing.TB, l List) *GeoBuilder {
	var b GeoBuilder
	for _, r := range l[:len(l)-1] {
		_, err := b.Add(r.prefix.String(), "1")
		require.NoError(t, err)
	}
	return &b
}

func geoRanges(t testing.TB, n int) *GeoBuilder {
	var b GeoBuilder
	_, err := b.Add("ranges")
	require.NoError(t, err)
	step := uint32(3<<30) / uint32(n)
	for i := range uint32(n) {
		var from, to [4]byte
		binary.BigEndian.PutUint32(from[:], 1<<24+i*step)
		binary.BigEndian.PutUint32(to[:], 1<<24+i*step+step/2)
		_, err := b.Add(netip.AddrFrom4(from).String()+"-"+netip.AddrFrom4(to).String(), "1")
		require.NoError(t, err)
	}
	return &b
}

func BenchmarkGeoLookup(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		l := benchList(n)
		clients := benchClients(l)
		for name, builder := range map[string]*GeoBuilder{"networks": geoNetworks(b, l), "ranges": geoRanges(b, n)} {
			b.Run(fmt.Sprintf("%s=%d", name, n), func(b *testing.B) {
				g := builder.Build()
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					g.Lookup(clients[i*7%len(clients)])
					i++
				}
			})
		}
	}
}

// BenchmarkGeoBuild reads a block, and makes it ready.
func BenchmarkGeoBuild(b *testing.B) {
	l := benchList(100_000)
	b.Run("networks=100000", func(b *testing.B) {
		for b.Loop() {
			geoNetworks(b, l).Build()
		}
	})
	b.Run("ranges=100000", func(b *testing.B) {
		for b.Loop() {
			geoRanges(b, 100_000).Build()
		}
	})
}
