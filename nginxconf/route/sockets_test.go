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
