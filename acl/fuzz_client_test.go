package acl

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzForwardedFor(f *testing.F) {
	for _, fields := range []string{"192.0.2.1", "192.0.2.1, 10.0.0.2:80|[2001:db8::1]:443 ,,", ",1.2.3.4", " ", "", "[]:1", "x, ::ffff:10.0.0.1"} {
		f.Add(fields, true)
		f.Add(fields, false)
	}
	r := RealIP{Trusted: trusted(f, "10.0.0.0/8 192.0.2.0/24 ::/8 unix:"), Header: "X-Forwarded-For"}
	f.Fuzz(func(t *testing.T, fields string, recursive bool) {
		r := r
		r.Recursive = recursive
		header := http.Header{"X-Forwarded-For": strings.Split(fields, "|")}
		for _, peer := range []netip.AddrPort{{}, netip.MustParseAddrPort("10.0.0.1:5"), netip.MustParseAddrPort("[::ffff:10.0.0.1]:5"), netip.MustParseAddrPort("198.51.100.1:5")} {
			trace := r.Explain(peer, header, ProxyHeader{})
			client, replaced := r.Find(peer, header, ProxyHeader{})
			require.Equal(t, trace.Client, client)
			require.Equal(t, trace.Replaced, replaced)
			require.True(t, client.Addr().IsValid() || !replaced)
			require.LessOrEqual(t, len(trace.Hops), len(fields)+1)
			at := peer.Addr()
			for i, h := range trace.Hops {
				require.Equal(t, at, h.From)
				field := header["X-Forwarded-For"][h.Field]
				require.Equal(t, h.Entry, field[h.Offset:h.Offset+len(h.Entry)])
				at = h.To.Addr()
				require.Equal(t, at.IsValid(), i < len(trace.Hops)-1 || trace.Stop != StopUnreadable)
			}
			if !recursive {
				require.LessOrEqual(t, len(trace.Hops), 1)
			}
		}
	})
}

func FuzzParseAddr(f *testing.F) {
	for _, text := range forwardedForms {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, ok := ParseAddr(text)
		require.Equal(t, a.IsValid(), ok)
		if p, ok := parseAddrPort(text, true); ok {
			require.True(t, p.Addr().IsValid())
		} else {
			require.Zero(t, p)
		}
		if !ok {
			_, err := netip.ParseAddr(text)
			// What netip reads, nginx reads, but for these.
			require.True(t, err != nil || strings.Contains(text, "255.255.255.255") || strings.Contains(text, "%") || strings.Contains(text, "::"), text)
			return
		}
		if rereadable(a) {
			back, ok := ParseAddr(AddrText(a))
			require.True(t, ok, AddrText(a))
			require.Equal(t, a, back)
		}
	})
}

var forwardedForms = []string{"192.0.2.1", "...", "192.0.2.1:80", "[2001:db8::1]:443", "[2001:db8::1]", "::1.2.3.4", "::ffff:1.2.3.4", "::100", "1:2:3:4:5:6:7::", "255.255.255.255", "fe80::1%lo", ""}

func FuzzParseProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.7 10.0.0.1 1234 80\r\nGET"))
	f.Add([]byte("PROXY TCP6 2001:db8::7 ::1 1234 80\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte(proxySignature + "\x21\x11\x00\x0c\xc0\x00\x02\x07\x0a\x00\x00\x01\x04\xd2\x00\x50"))
	f.Add([]byte(proxySignature + "\x21\x21\x00\x26" + strings.Repeat("\x01", 38)))
	f.Add([]byte(proxySignature + "\x20\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := ParseProxyHeader(b, nil)
		if err != nil {
			require.Zero(t, h)
			require.Zero(t, n)
			require.LessOrEqual(t, len(err.Error()), 1024)
			return
		}
		require.GreaterOrEqual(t, n, 15)
		require.LessOrEqual(t, n, len(b))
		again, m, err := ParseProxyHeader(b[:n], nil)
		require.NoError(t, err)
		require.Equal(t, n, m)
		require.Equal(t, h, again)
		if h.Version == 0 {
			require.Zero(t, h)
			return
		}
		a, _ := ParseAddr(h.SourceText)
		if h.Version == 2 {
			require.Equal(t, a, h.Source.Addr())
		} else if a.IsValid() {
			require.Equal(t, a, h.Source.Addr())
		}
	})
}

// FuzzGeo reads a block as words, and asks what was built and, as its twin, what
// the builder keeps.
func FuzzGeo(f *testing.F) {
	f.Add("default d; 10.0.0.0/8 a; 10.0.0.0/8 b; delete 10.0.0.0/8; 2001:db8::/32 c; delete 4.0.0.0/6; delete 4.0.0.0/6;")
	f.Add("ranges; default d; 10.0.0.0-10.0.0.9 a; 10.0.0.3-10.0.0.4 b; delete 10.0.0.3-10.0.0.4; 10.0.255.0-10.2.0.0 c;")
	f.Add("proxy 10.0.0.0/8; proxy_recursive; 255.255.255.255 x; 1..2.3/7 y;")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 400 { // a range has up to 65,536 parts
			return
		}
		var b GeoBuilder
		var values []string
		asked := []netip.Addr{{}, netip.IPv6Unspecified(), netip.IPv4Unspecified(), netip.MustParseAddr("10.0.0.3")}
		for _, one := range strings.Split(text, ";") {
			words := strings.Fields(one)
			if len(words) == 0 {
				continue
			}
			warnings, err := b.Add(words...)
			for _, w := range warnings {
				require.LessOrEqual(t, len(w), 1024)
			}
			if err != nil {
				require.NotEmpty(t, err.Error())
				return
			}
			values = append(values, words[len(words)-1])
			for _, part := range strings.FieldsFunc(one, func(r rune) bool { return r == ' ' || r == '-' }) {
				if p, _, ok := parsePrefix(part); ok {
					asked = append(asked, p.Addr(), p.Addr().Prev(), last(p), last(p).Next())
				}
			}
		}
		g := b.Build()
		for _, a := range asked {
			m := g.Lookup(a)
			look := a.Unmap()
			if !look.IsValid() {
				look = netip.AddrFrom4([4]byte{255, 255, 255, 255})
			}
			want := -1
			switch {
			case !b.isRanges && look.Is4():
				want = b.trees[0].find(look)
			case !b.isRanges:
				want = b.trees[1].find(look)
			default:
				want = b.deflt - 1
				if look.Is4() {
					at := uint32Of(look)
					for _, r := range b.slices[uint16(at>>16)] {
						if r.start <= uint16(at) && uint16(at) <= r.end {
							want = r.entry
						}
					}
				}
			}
			require.Equal(t, want, m.Entry, "%v", a)
			if want >= 0 {
				require.Equal(t, values[want], m.Value)
			}
		}
	})
}
