package route

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
)

const fuzzed = `
proxy_set_header X-A $host$uri$args$arg_a$proxy_add_x_forwarded_for;
upstream up { server 127.0.0.1; }
server { listen 80; listen 443 ssl; server_name a.test *.a.test .b.test www.*; 
	location / { return 200 $uri; }
	location /p/ { proxy_pass http://up/q; location /p/r { proxy_pass http://$arg_u$uri; } }
	location = /e { return 301 /f$is_args$args; }
	location ^~ /s { limit_except GET { deny all; } root /x; index a /b; }
}
server { listen 80; listen 443 ssl; merge_slashes off; server_name c.test "" [::1]; location /t { try_files $uri /; } location ~ u { } error_page 400 404 /e; }
server { listen 80; server_name ~^x $hostname; return 301 https://$host$request_uri; }
map $arg_k $m { hostnames; default $uri; *.a x; ~(a+)+b$ "$1"; "" $m; }
server { listen 80; server_name ~^(?<who>.*)\.re$; error_page 404 403 =200 @n; error_page 405 /r$1?$args; recursive_error_pages on;
	set $x "$who$1"; if ($args ~ "r=(.*)") { rewrite ^/(.*)$ /$1/$x?y=$1 break; }
	location / { try_files $uri $uri/ /$m?z @n; index i.html /r/$x; limit_except GET { deny all; } }
	location ~* ^/(r+)/?(.)*$ { if ($m = $2) { return 404; } rewrite /r(.*) $1 last; rewrite b(.*) "http://h/$1?$x" redirect; fastcgi_pass 127.0.0.1:9000; location ~ z { internal; proxy_pass http://up; } }
	location @n { rewrite ^ /r/z? last; } }
`

func FuzzMatch(f *testing.F) {
	for _, uri := range []string{"/", "/p/x?a=b", "/p", "/e?x", "/s/", "/t", "/u", "//a/../b/./%2e%2e%2f", "/%", "http://a.test/x", "http://c.test?x#y", "*", "/..", "/%3f%23%25", "/p/r?u=h$", "/p/r?u="} {
		f.Add(uri, "a.test", "", "GET", false)
		f.Add(uri, "C.test:80", "a.test", "PUT", true)
	}
	f.Add("/", "[::1]:80", "x", "", false)
	f.Add("/", "a..b", "..", "TRACE", true)
	for _, uri := range []string{"/", "/r/x+%20?r=1", "/rz", "/x/?k=ab", "/rrb?k=aab", "/r/"} {
		f.Add(uri, "w.re", "", "POST", false)
	}
	r := router(f, fuzzed)
	f.Fuzz(func(t *testing.T, uri, host, sni, method string, tls bool) {
		q := Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: host, URI: uri, Method: method, ServerName: sni, TLS: tls, Client: netip.MustParseAddr("192.0.2.9")}
		if tls {
			q.Listen = netip.MustParseAddrPort("192.0.2.1:443")
		}
		m, err := r.Match(q)
		if err != nil {
			require.ErrorIs(t, err, ErrHandshake)
			return
		}
		require.False(t, m.Answer != nil && m.Target != nil)
		require.True(t, m.Server != nil || len(m.Unsure) > 0)
		require.True(t, m.Location == nil || slices.Contains(m.Chain, m.Location))
		require.True(t, m.Server == nil || m.Chain[1] == m.Server)
		if m.Target != nil && len(m.Unsure) == 0 {
			require.NotEmpty(t, m.Target.URI)
		}
		if _, err := m.BackendHeader(); err != nil && !errors.Is(err, errCaptures) {
			require.ErrorIs(t, err, ErrVariable)
		}
		again, err := r.Match(q)
		require.NoError(t, err)
		require.Equal(t, says(m), says(again))
		if m.Server == nil {
			return
		}
		_ = m.AddedHeaders()
		next, here := m.Next()
		require.False(t, m.Answer != nil && (here || len(next) > 0))
		for _, status := range []int{403, 404, 405} {
			next = append(next, m.Refuse(status))
		}
		for _, n := range append(next, m.Subrequest(uri)) {
			require.LessOrEqual(t, len(n.Moves), 60)
			require.False(t, n.Answer != nil && n.Target != nil)
		}
	})
}

// FuzzURI checks what a path can be, and that writing it as nginx does is no
// loss.
func FuzzURI(f *testing.F) {
	for _, uri := range []string{"/", "/a//b", "/a/%2e./b%2f%2F", "/%25%3f%23?%20#", "/a/..", "/a/.", "/..", "http://h", "http://h?a", "http://[::1]:80/x", "/%00", "/\xff"} {
		f.Add(uri, true)
		f.Add(uri, false)
	}
	f.Fuzz(func(t *testing.T, uri string, merge bool) {
		u, ok := readURI(uri, merge)
		if !ok {
			return
		}
		require.True(t, strings.HasPrefix(u.path, "/"), "%q", u.path)
		require.True(t, u.noPath || strings.HasPrefix(u.raw, "/"))
		end := u.path + "/"
		require.NotContains(t, end, "/./")
		require.NotContains(t, end, "/../")
		require.NotContains(t, u.path, "\x00")
		if merge {
			require.NotContains(t, u.path, "//")
		}
		again, ok := readURI(escapeURI(u.path), merge)
		require.True(t, ok)
		require.Equal(t, u.path, again.path)
		require.Equal(t, again.escaped, escapeURI(u.path) != u.path)
	})
}

// FuzzNew reads any configuration there is.
func FuzzNew(f *testing.F) {
	f.Add(fuzzed)
	for text := range refusals {
		f.Add(text)
	}
	f.Add("server { location ~ (a { if ($x ~ (b)) { set $y $1; rewrite ^ $1 last; } error_page 404 = @x; } location @x { try_files a @x; } } map $x $x { default $x; }")
	f.Add("stream { server { listen 1 udp; proxy_pass a:1; } }")
	f.Add("server { location /a { location /a { location ^~ /a { proxy_pass http://$x; } } limit_except GET { } } }")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := nginxconf.Load(mapFS{"nginx.conf": "http {" + text + "}"}, "nginx.conf", nil)
		if err != nil {
			return
		}
		r, err := New(c)
		if err != nil {
			var ds nginxconf.Diagnostics
			require.ErrorAs(t, err, &ds)
			return
		}
		for port, p := range r.ports {
			addrs := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
			for a := range p.byAddr {
				addrs = append(addrs, a)
			}
			for _, a := range addrs {
				for _, uri := range []string{"/", "/a", "/a/", "/a/b"} {
					m, err := r.Match(Request{Listen: netip.AddrPortFrom(a, port), Host: "a", URI: uri})
					if err == nil && m.Target != nil {
						_, _ = m.BackendHeader()
					}
					_, _ = m.Next()
					_ = m.Refuse(404)
				}
			}
		}
	})
}
