package acl

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"
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

// edits is the list as after a day of work: one rule in a hundred is new, gone
// or turned.
func edits(l List) List {
	r := newRand(11)
	after := make(List, 0, len(l)+len(l)/100)
	for _, rule := range l {
		switch r.IntN(300) {
		case 0:
			continue
		case 1:
			rule.Action = 1 - rule.Action
		case 2:
			after = append(after, ruleOf(Action(r.IntN(2)), netip.PrefixFrom(rule.prefix.Addr(), max(0, rule.prefix.Bits()-1)).Masked()))
			if !after[len(after)-1].prefix.IsValid() {
				after = after[:len(after)-1]
			}
		}
		after = append(after, rule)
	}
	return after
}

// BenchmarkDiff has beside it what compiling the two lists takes: of a list
// after a day's edits, and of another list altogether.
func BenchmarkDiff(b *testing.B) {
	for _, n := range benchSizes[1:] {
		before := benchList(n)
		for name, after := range map[string]List{"edited": edits(before), "none": nil, "turned": turned(before)} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				changes := 0
				var compiling, diffing time.Duration
				for b.Loop() {
					start := time.Now()
					Compile(before)
					Compile(after)
					middle := time.Now()
					changes = 0
					for range Diff(before, after) {
						changes++
					}
					compiling += middle.Sub(start)
					diffing += time.Since(middle)
				}
				b.ReportMetric(float64(changes), "changes")
				b.ReportMetric(float64(diffing)/float64(compiling), "x-compile-both")
			})
		}
	}
}

func turned(l List) List {
	l = slices.Clone(l)
	for i := range l {
		l[i].Action = 1 - l[i].Action
	}
	return l
}

func BenchmarkSimplify(b *testing.B) {
	for _, n := range benchSizes[:3] {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := benchList(n)
			left := 0
			b.ReportAllocs()
			for b.Loop() {
				left = len(Simplify(l))
			}
			b.ReportMetric(float64(left), "rules")
		})
	}
}

func BenchmarkReview(b *testing.B) {
	for _, n := range benchSizes[1:3] {
		l := benchList(n)
		b.Run(fmt.Sprintf("Shadowed/%d", n), func(b *testing.B) {
			for b.Loop() {
				l.Shadowed()
			}
		})
		b.Run(fmt.Sprintf("Redundant/%d", n), func(b *testing.B) {
			for b.Loop() {
				l.Redundant()
			}
		})
		b.Run(fmt.Sprintf("Denied/%d", n), func(b *testing.B) {
			for b.Loop() {
				l.Denied()
			}
		})
	}
}
