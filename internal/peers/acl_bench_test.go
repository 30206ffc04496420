//go:build unix

package peers

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"

	"github.com/gaissmai/bart"
	"github.com/onehost-go/onehost/acl"
)

var listSizes = []int{10, 1_000, 100_000, 1_000_000}

// BenchmarkLookup asks which rule decides: by the first match ("acl", "loop")
// and by the longest prefix ("bart").
func BenchmarkLookup(b *testing.B) {
	for _, n := range listSizes {
		l := rules(n)
		asked := clients(l)
		for _, by := range []struct {
			name  string
			build func() func(netip.Addr) // the types stay visible: no interface between
		}{
			{"acl", func() func(netip.Addr) {
				t := acl.Compile(l)
				return func(a netip.Addr) { found += t.Lookup(a).Rule }
			}},
			{"bart.Table", func() func(netip.Addr) {
				t := longest(&bart.Table[int32]{}, l)
				return func(a netip.Addr) { rule, _ := t.Lookup(a); found += int(rule) }
			}},
			{"bart.Fast", func() func(netip.Addr) {
				t := longest(&bart.Fast[int32]{}, l)
				return func(a netip.Addr) { rule, _ := t.Lookup(a); found += int(rule) }
			}},
			{"loop", func() func(netip.Addr) {
				t := newLoop(l)
				return func(a netip.Addr) { rule, _ := t.Lookup(a); found += int(rule) }
			}},
		} {
			b.Run(fmt.Sprintf("rules=%d/by=%s", n, by.name), func(b *testing.B) {
				lookup := by.build()
				b.ReportAllocs()
				runtime.GC()
				i := 0
				start := cpuTime(b)
				for b.Loop() {
					lookup(asked[i*7%len(asked)])
					i++
				}
				b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkCompile makes the tables of BenchmarkLookup, and tells what they
// keep.
func BenchmarkCompile(b *testing.B) {
	for _, n := range listSizes {
		l := rules(n)
		for _, by := range []struct {
			name  string
			build func() any
		}{
			{"acl", func() any { return acl.Compile(l) }},
			{"bart.Table", func() any { return longest(&bart.Table[int32]{}, l) }},
			{"bart.Fast", func() any { return longest(&bart.Fast[int32]{}, l) }},
		} {
			b.Run(fmt.Sprintf("rules=%d/by=%s", n, by.name), func(b *testing.B) {
				keeps := kept(by.build)
				b.ReportAllocs()
				runtime.GC()
				start := cpuTime(b)
				for b.Loop() {
					by.build()
				}
				b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/1e6/float64(b.N), "cpu-ms/op")
				if n >= 1000 { // else it is noise
					b.ReportMetric(keeps/1e6, "kept-MB")
				}
			})
		}
	}
}
