//go:build unix

package peers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"github.com/onehost-go/onehost/acl"
)

// A netFilter is what filters such as jpillora/ipfilter do, which cannot be
// had as a module: single addresses in a map by their text, networks in a loop
// of net.IPNet where an allowed one beats a blocked one, all under a lock, and
// http.Error for an answer.
type netFilter struct {
	mu       sync.RWMutex
	single   map[string]bool
	networks []network
	next     http.Handler
}

type network struct {
	*net.IPNet
	allowed bool
}

func newNetFilter(l acl.List, next http.Handler) *netFilter {
	f := &netFilter{single: map[string]bool{}, next: next}
	insert(l[:len(l)-1], func(p netip.Prefix, rule int32) {
		allowed := l[rule].Action == acl.Allow
		if p.IsSingleIP() {
			f.single[p.Addr().String()] = allowed
		} else {
			bits := p.Addr().BitLen()
			f.networks = append(f.networks, network{&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), bits)}, allowed})
		}
	})
	return f
}

func (f *netFilter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if !f.allows(net.ParseIP(host)) {
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	f.next.ServeHTTP(w, r)
}

func (f *netFilter) allows(ip net.IP) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if allowed, ok := f.single[ip.String()]; ok {
		return allowed
	}
	for _, n := range f.networks {
		if n.Contains(ip) && n.allowed {
			return true
		}
	}
	return false
}

// A bin is a ResponseWriter that costs nothing itself.
type bin struct{ header http.Header }

func (b bin) Header() http.Header         { return b.header }
func (b bin) Write(p []byte) (int, error) { return len(p), nil }
func (b bin) WriteHeader(int)             {}

// BenchmarkMiddleware serves requests through a filter, the reading of
// RemoteAddr included: from clients that are let in, and from a mix in which
// as many are not.
func BenchmarkMiddleware(b *testing.B) {
	for _, n := range []int{10, 1_000} {
		l := rules(n)
		table := acl.Compile(l)
		r := rand.New(rand.NewPCG(5, 0))
		var in, out []string
		for len(in) < 512 || len(out) < 512 {
			who := within(r, l[r.IntN(n-1)].Prefix())
			text := netip.AddrPortFrom(who, 34567).String()
			if table.Lookup(who).Action == acl.Allow {
				in = append(in, text)
			} else {
				out = append(out, text)
			}
		}
		mixed := append(in[:512:512], out[:512]...)
		r.Shuffle(len(mixed), func(i, k int) { mixed[i], mixed[k] = mixed[k], mixed[i] })
		next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		for _, clients := range []struct {
			name string
			from []string
		}{{"allowed", in[:512]}, {"mixed", mixed}} {
			for _, by := range []struct {
				name    string
				handler http.Handler
			}{
				{"acl", acl.NewMiddleware(acl.Policy{List: l}, nil).Handler(next)},
				{"net", newNetFilter(l, next)},
			} {
				b.Run(fmt.Sprintf("rules=%d/clients=%s/by=%s", n, clients.name, by.name), func(b *testing.B) {
					request, w := httptest.NewRequest("GET", "/", nil), bin{http.Header{}}
					b.ReportAllocs()
					i := 0
					start := cpuTime(b)
					for b.Loop() {
						request.RemoteAddr = clients.from[i%len(clients.from)]
						by.handler.ServeHTTP(w, request)
						i++
					}
					b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/float64(b.N), "cpu-ns/op")
				})
			}
		}
	}
}
