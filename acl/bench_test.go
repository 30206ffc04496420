package acl

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
)

// benchList is a list like those that grow: three quarters IPv4, a quarter of
// the prefixes within or near an earlier one, "deny all" at the end.
func benchList(n int) List {
	r := newRand(7)
	bytes := rand.NewChaCha8([32]byte{7})
	l := make(List, 0, n)
	for len(l) < n-1 {
		var p netip.Prefix
		if len(l) > 4 && r.IntN(4) == 0 {
			near := pick(r, l...).prefix
			a := near.Addr()
			if a.Is4() {
				a = last(near)
			}
			p = netip.PrefixFrom(a, min(max(near.Bits()+r.IntN(9)-3, a.BitLen()/4), a.BitLen()))
		} else if r.IntN(4) > 0 {
			var b [4]byte
			bytes.Read(b[:])
			b[0] = byte(1 + r.IntN(222))
			p = netip.PrefixFrom(netip.AddrFrom4(b), pick(r, 24, 24, 24, 24, 24, 32, 32, 32, 22, 20, 16, 23, 25, 28, 12, 30, 29))
		} else {
			var b [16]byte
			bytes.Read(b[:])
			b[0], b[1] = byte(0x20+r.IntN(16)), byte(r.IntN(16))
			p = netip.PrefixFrom(netip.AddrFrom16(b), pick(r, 32, 48, 48, 48, 64, 64, 56, 128, 40, 44, 36))
		}
		l = append(l, ruleOf(Action(r.IntN(2)), p))
	}
	return append(l, MustParseRule("deny", "all"))
}

// benchClients are addresses in rules of the list, and as many from anywhere.
func benchClients(l List) [1 << 14]netip.Addr {
	r := newRand(99)
	var clients [1 << 14]netip.Addr
	for i := range clients {
		if p := pick(r, l...).prefix; p.IsValid() && i%2 == 0 {
			clients[i] = last(p)
		} else {
			var b [16]byte
			for k := range b {
				b[k] = byte(r.Uint32())
			}
			clients[i] = netip.AddrFrom4([4]byte(b[:4]))
			if r.IntN(4) == 0 {
				b[0] = 0x20
				clients[i] = netip.AddrFrom16(b)
			}
		}
	}
	return clients
}

var benchSizes = []int{10, 1_000, 100_000, 1_000_000}

func BenchmarkLookup(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := benchList(n)
			table, clients := Compile(l), benchClients(l)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				table.Lookup(clients[i*7%len(clients)])
				i++
			}
		})
	}
}

// BenchmarkLookupCrowded is the lists of one organisation: networks of one
// prefix, and hosts of one network.
func BenchmarkLookupCrowded(b *testing.B) {
	for _, bits := range []int{64, 128} {
		for _, n := range []int{1_000, 100_000} {
			b.Run(fmt.Sprintf("%d/%d", bits, n), func(b *testing.B) {
				r := newRand(7)
				l := make(List, n)
				a := netip.MustParseAddr("2001:db8::").As16()
				for i := range l {
					for k := bits/8 - 4; k < bits/8; k++ {
						a[k] = byte(r.Uint32())
					}
					l[i] = ruleOf(Action(r.IntN(2)), netip.PrefixFrom(netip.AddrFrom16(a), bits))
				}
				table := Compile(l)
				i := 0
				for b.Loop() {
					table.Lookup(l[i*7%n].prefix.Addr())
					i++
				}
			})
		}
	}
}

// BenchmarkDecide is the scan that Lookup replaces.
func BenchmarkDecide(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := benchList(n)
			clients := benchClients(l)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				l.Decide(clients[i*7%len(clients)])
				i++
			}
		})
	}
}

// BenchmarkCompile also measures what a Table keeps.
func BenchmarkCompile(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := benchList(n)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			table := Compile(l)
			runtime.GC()
			runtime.ReadMemStats(&after)
			for b.Loop() {
				Compile(l)
			}
			if n >= 1000 { // else it is noise
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/rule")
			}
			runtime.KeepAlive(table)
		})
	}
}

func BenchmarkParseRule(b *testing.B) {
	for _, argument := range []string{"192.0.2.0/24", "2001:db8:0:1::/64"} {
		b.Run(argument, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ParseRule("allow", argument)
			}
		})
	}
}
