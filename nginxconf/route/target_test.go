package route

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestURIOfTheBackend(t *testing.T) {
	r := router(t, `
upstream Back { server 127.0.0.1:1; }
server {
location /raw { proxy_pass http://127.0.0.1:1; }
location /a/ { proxy_pass http://127.0.0.1:1/b/; }
location /cut { proxy_pass http://127.0.0.1:1/; }
location = /exact { proxy_pass http://back/x; }
location /args { proxy_pass http://127.0.0.1:1/q?z=; }
location /var { proxy_pass http://$http_x_back; }
location /whole { proxy_pass http://$http_x_back/w$uri; }
location /unknown { proxy_pass http://$nobody; }
location /bad { proxy_pass $scheme:x; }
location /set { set $args y; proxy_pass http://127.0.0.1; }
location /own { set $mine y; proxy_pass http://127.0.0.1/$mine; }
location /gif { proxy_pass http://127.0.0.1; empty_gif; }
}`)
	for uri, want := range map[string]string{
		"/raw//%20?x":       "-> /raw//%20?x",
		"/a/c?x":            "-> /b/c?x",
		"/a/%20c%2Fd":       "-> /b/%20c/d",
		"/a//c":             "-> /b/c",
		"/a/\"":             "-> /b/\"", // escaped only where something was
		"/a/%22":            "-> /b/%22",
		"/cut/x":            "-> //x",
		"/exact?y":          "-> /x?y",
		"/args/1?2":         "-> /q?z=/1?2",
		"/var/%41?x":        "-> /var/%41?x",
		"/whole/%41?x":      "-> /w/whole/A",
		"/unknown":          "unsure target",
		"/bad":              "unsure target",
		"/set?x":            "-> /set?y",
		"/own":              "-> /y",
		"/gif":              "files of /gif",
		"http://h/raw":      "-> /raw",
		"http://h/raw/?x#y": "-> /raw/?x#y",
	} {
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "h", URI: uri, Header: http.Header{"X-Back": {"BACK"}}})
		require.NoError(t, err)
		assert.Equal(t, want, says(m), uri)
	}
	m := get(t, r, "192.0.2.1:80", "h/exact")
	assert.Equal(t, "upstream Back { server 127.0.0.1:1; }", m.Target.Upstream.String())
	assert.Equal(t, "proxy_pass http://back/x;", m.Target.Directive.String())
	u, err := m.Target.URL()
	require.NoError(t, err)
	assert.Equal(t, "http://back/x", u.String())
	m = get(t, r, "192.0.2.1:80", "h/cut/%20?x")
	u, err = m.Target.URL()
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:1", u.Host)
	assert.Equal(t, "//%20?x", u.RequestURI())
}

func TestFieldsForTheBackendAreReplacedWhole(t *testing.T) {
	r := router(t, `
proxy_set_header Host $host;
server {
location /inherits { proxy_pass http://127.0.0.1:8083; }
location /own { proxy_pass http://127.0.0.1:8083; proxy_set_header X-Real-IP $remote_addr; proxy_set_header connection ""; }
location /off { proxy_pass http://127.0.0.1:8083; proxy_pass_request_headers off; }
}`)
	names := func(m Match) (s []string) {
		for _, h := range m.Target.Headers {
			s = append(s, h.Name+": "+h.Value)
		}
		return s
	}
	m := get(t, r, "192.0.2.1:80", "h/inherits")
	assert.Equal(t, []string{"Host: $host", "Connection: close", "TE: ", "Keep-Alive: ", "Expect: ", "Upgrade: "}, names(m))
	assert.Equal(t, "proxy_set_header Host $host;", m.Target.Headers[0].Directive.String())
	m = get(t, r, "192.0.2.1:80", "h/own")
	assert.Equal(t, []string{"X-Real-IP: $remote_addr", "connection: ", "Host: $proxy_host", "TE: ", "Keep-Alive: ", "Expect: ", "Upgrade: "}, names(m))

	ask := func(path string) http.Header {
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "H:80", URI: path, Client: netip.MustParseAddr("192.0.2.9"),
			Header: http.Header{"Accept": {"a", "b"}, "Upgrade": {"x"}, "X-Real-Ip": {"forged"}}})
		require.NoError(t, err)
		h, err := m.BackendHeader()
		require.NoError(t, err)
		return h
	}
	assert.Equal(t, http.Header{"Host": {"h"}, "Connection": {"close"}, "Accept": {"a", "b"}, "X-Real-Ip": {"forged"}}, ask("/inherits"))
	assert.Equal(t, http.Header{"Host": {"127.0.0.1:8083"}, "Accept": {"a", "b"}, "X-Real-Ip": {"192.0.2.9"}}, ask("/own"))
	assert.Equal(t, http.Header{"Host": {"h"}, "Connection": {"close"}}, ask("/off"))
	h, err := (&Match{}).BackendHeader()
	assert.Nil(t, h)
	assert.NoError(t, err)
}

func TestExpand(t *testing.T) {
	r := router(t, `
map $uri $mapped { default 1; } geo $geo { default 1; }
server { listen [::]:81 ipv6only=off; listen 80; listen 443 ssl; server_name *.A.org b; location / { set $Mine 1; proxy_pass http://back:8080; } location /x { return 200 $geo; } }
server { listen 443; server_name none; }`)
	q := Request{Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true, ServerName: "x.a.org", Host: "X.a.org:1", URI: "/p%20q?A=1&b=2&a=3", Client: netip.MustParseAddr("192.0.2.9"),
		Header: http.Header{"X-Forwarded-For": {"1", "2"}, "Cookie": {"a=1", "b=2"}, "User-Agent": {"ua"}, "Accept": {"a", "b"}, "Content-Type": {"text/x"}}}
	m, err := r.Match(q)
	require.NoError(t, err)
	for text, want := range map[string]string{
		"$host $Host ${http_host}":        "x.a.org x.a.org X.a.org:1",
		"$uri|$document_uri|$request_uri": "/p q|/p q|/p%20q?A=1&b=2&a=3",
		"$args$query_string":              "A=1&b=2&a=3A=1&b=2&a=3",
		"$arg_a$arg_b$arg_c$is_args$arg_": "12?",
		"$scheme$https":                   "httpson",
		"$remote_addr $server_addr":       "192.0.2.9 192.0.2.1",
		"$server_port $server_name":       "443 *.a.org",
		"$request_method":                 "GET",
		"$http_user_agent$http_none":      "ua",
		"$http_x_forwarded_for":           "1, 2",
		"$http_cookie":                    "a=1; b=2",
		"$proxy_add_x_forwarded_for":      "1, 2, 192.0.2.9",
		"$proxy_host $proxy_port":         "back:8080 8080",
		"$content_type$content_length":    "text/x",
		"plain":                           "plain",
		"$mine$mapped$cookie_b$1":         "112",
	} {
		got, err := m.Expand(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"$nginx_version", "$geo",
		"$http_accept", // the first up to 1.22, both since
	} {
		_, err := m.Expand(text)
		assert.ErrorIs(t, err, ErrVariable, text)
	}
	_, err = m.Expand("$")
	assert.EqualError(t, err, "invalid variable name")

	m = get(t, r, "192.0.2.1:81", "b/") // on an IPv6 socket
	got, err := m.Expand("$remote_addr $server_addr $scheme$https$is_args")
	require.NoError(t, err)
	assert.Equal(t, "::ffff:192.0.2.9 ::ffff:192.0.2.1 http", got)

	m = get(t, r, "192.0.2.1:80", "b/x")
	assert.Equal(t, 200, m.Answer.Status, "the status is certain, whatever the text is")
	assert.Equal(t, []string{"answer: unknown variable $geo in return at nginx.conf:5:160"}, m.Unsure)
	_, err = (&Match{}).Expand("$host")
	assert.ErrorIs(t, err, ErrVariable)
}

func TestFilesMayLeadOn(t *testing.T) {
	r := router(t, `
server { server_name plain; location / { root /srv; } }
server { server_name php; location / { root /srv; index index.html index.php; } location = /index.php { fastcgi_pass 127.0.0.1:9000; } }
server { server_name abs; index /a; location / { } location /a { } }
server { server_name try; location / { try_files $uri /x; } }`)
	assert.Equal(t, "files of /", says(get(t, r, "192.0.2.1:80", "plain/")))
	assert.Equal(t, "files of /", says(get(t, r, "192.0.2.1:80", "php/x")))
	assert.Equal(t, "files of /", says(get(t, r, "192.0.2.1:80", "php/x/")))
	assert.Equal(t, "unsure target", says(get(t, r, "192.0.2.1:80", "php/")))
	assert.Equal(t, "unsure target", says(get(t, r, "192.0.2.1:80", "abs/")))
	m := get(t, r, "192.0.2.1:80", "try/y")
	assert.Equal(t, "unsure target", says(m))
	assert.NotNil(t, m.Location, "that much is certain")
}
