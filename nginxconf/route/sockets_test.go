package route_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

func TestSocketsAndTheirServers(t *testing.T) {
	f, err := nginxconf.Parse("nginx.conf", []byte(`events {}
http {
    server { listen 80; listen [::]:443 ssl ipv6only=off; ssl_certificate c; ssl_certificate_key k; }
    server { listen 192.0.2.1:80 proxy_protocol; listen localhost:8080; }
    server { listen 80 default_server; listen unix:/run/a.sock; listen 8000-8001; }
}`))
	require.NoError(t, err)
	c := f.Config()
	c.Fragment = false
	r, err := route.New(c)
	require.NoError(t, err)
	var got []string
	for s := range r.Sockets() {
		text := fmt.Sprintf("%s tls=%t proxy=%t", s, s.TLS, s.ProxyProtocol)
		for srv := range s.Servers() {
			text += fmt.Sprint(" ", srv.Pos().Line)
		}
		got = append(got, fmt.Sprintf("%s default=%d", text, s.Default().Pos().Line))
	}
	require.Equal(t, []string{
		"0.0.0.0:80 tls=false proxy=false 3 5 default=5",
		"192.0.2.1:80 tls=false proxy=true 4 default=4",
		"[::]:443 tls=true proxy=false 3 default=3",
		"0.0.0.0:8000 tls=false proxy=false 5 default=5",
		"0.0.0.0:8001 tls=false proxy=false 5 default=5",
		"unix:/run/a.sock tls=false proxy=false 5 default=5",
	}, got)
	var names []string
	for d := range r.Unresolved() {
		names = append(names, d.Arg(0))
	}
	require.Equal(t, []string{"localhost:8080"}, names)
}

func TestTheSocketThatARequestArrivesAt(t *testing.T) {
	f, err := nginxconf.Parse("nginx.conf", []byte(`events {}
http { server { listen 192.0.2.1:80 proxy_protocol; listen [::]:80 ipv6only=off; listen unix:/a; } }`))
	require.NoError(t, err)
	r, err := route.New(f.Config())
	require.NoError(t, err)
	four := netip.MustParseAddr("198.51.100.7")
	for at, want := range map[string]string{"192.0.2.1:80": "192.0.2.1:80 198.51.100.7", "192.0.2.2:80": "[::]:80 ::ffff:198.51.100.7"} {
		s, ok := r.Socket(route.Request{Listen: netip.MustParseAddrPort(at)})
		require.True(t, ok)
		require.Equal(t, want, fmt.Sprint(s, " ", s.Sees(four)))
		require.False(t, s.Sees(netip.Addr{}).IsValid())
	}
	s, ok := r.Socket(route.Request{Unix: "/a"})
	require.True(t, ok)
	require.Equal(t, "/a", s.Unix)
	_, ok = r.Socket(route.Request{Listen: netip.MustParseAddrPort("192.0.2.1:81")})
	require.False(t, ok)
}

func TestSocketsOfStreams(t *testing.T) {
	f, err := nginxconf.Parse("nginx.conf", []byte(`events {}
stream {
    server { listen 5432; listen [::]:5432 ssl ipv6only=off; proxy_pass 127.0.0.1:1; }
    server { listen 53 udp; listen 192.0.2.1:5432 proxy_protocol; proxy_pass 127.0.0.1:1; }
    server { listen localhost:1; listen unix:/s; proxy_pass 127.0.0.1:1; }
}`))
	require.NoError(t, err)
	c := f.Config()
	c.Fragment = false
	r, err := route.New(c)
	require.NoError(t, err)
	var got []string
	for s := range r.StreamSockets() {
		got = append(got, fmt.Sprintf("%s tls=%t proxy=%t udp=%t at %d", s, s.TLS, s.ProxyProtocol, s.UDP, s.Default().Pos().Line))
	}
	require.Equal(t, []string{
		"0.0.0.0:5432 tls=false proxy=false udp=false at 3",
		"[::]:5432 tls=true proxy=false udp=false at 3",
		"192.0.2.1:5432 tls=false proxy=true udp=false at 4",
		"unix:/s tls=false proxy=false udp=false at 5",
		"0.0.0.0:53 tls=false proxy=false udp=true at 4",
	}, got)
	for range r.Sockets() {
		require.Fail(t, "there is no http block")
	}
	s, ok := r.StreamSocket(route.StreamRequest{Listen: netip.MustParseAddrPort("192.0.2.1:53"), UDP: true})
	require.True(t, ok)
	require.Equal(t, "0.0.0.0:53", s.String())
	_, ok = r.StreamSocket(route.StreamRequest{Listen: netip.MustParseAddrPort("192.0.2.1:53")})
	require.False(t, ok)
	var names []string
	for d := range r.Unresolved() {
		names = append(names, d.Arg(0))
	}
	require.Equal(t, []string{"localhost:1"}, names)
}
