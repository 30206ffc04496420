package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func (g generator) newerServer() string {
	s := "server " + g.mostly("127.0.0.1|localhost|localhost:80|unix:/a|127.0.0.1:80|[::1]", "nosuch|nosuch:80|127.0.0.1:0|''|a/b")
	for range g.IntN(3) {
		s += " " + g.mostly("resolve|down|drain|route=a|weight=2|backup|service=http resolve", "service=http|service=|route=|route="+strings.Repeat("r", 33)+"|resolve=1|slow_start=1s|x|drain=1")
	}
	return s + ";"
}

func (g generator) sticky() string {
	switch g.IntN(4) {
	case 0, 1:
		s := "sticky cookie " + g.mostly("c|srv_id", "''|$x")
		for range g.IntN(3) {
			s += " " + g.mostly("expires=1h|expires=max|domain=.a.b|domain=$host|path=/|httponly|secure|samesite=strict|samesite=Lax|samesite=$arg_x", "expires=x|expires=|domain=|domain=$|domain=$nosuch|path=|samesite=|samesite=x|x|''|Httponly")
		}
		return s + ";"
	case 2:
		return "sticky route " + g.someMostly(3, "$cookie_a|$arg_b", "x|$|$nosuch|''") + ";"
	}
	s := "sticky learn"
	for _, p := range []string{"create=" + g.mostly("$upstream_cookie_a", "x|$|$nosuch|"), "lookup=" + g.mostly("$cookie_a", "x|$|$nosuch|"), "zone=" + g.mostly("s:1m|s:1m|q:1m", "s|s:|:1m|s:1k|s:x|a:1m")} {
		if g.IntN(12) > 0 {
			s += " " + p
		}
	}
	return s + g.mostly("||| timeout=1h| header", " timeout=0| timeout=x| x| zone=r:1m| timeout=1h timeout=1h") + ";"
}

func (g generator) newerUpstream() string {
	var s strings.Builder
	fmt.Fprintf(&s, "  upstream %s {\n", g.mostly("u|u|v", "U|localhost"))
	for i := range 1 + g.IntN(5) {
		line := g.newerServer()
		switch g.IntN(12) {
		case 0, 1:
			line = g.sticky()
		case 2:
			line = "keepalive " + g.mostly("1|0|2 local|16", "x|1 x|1 ''") + ";"
		case 3, 4:
			line = "zone a 1m;"
		case 5:
			line = g.mostly("least_time header;|least_time last_byte inflight;|ip_hash;|least_conn;|random two;|hash $uri;", "least_time x;|least_time header x;|least_time connect;|least_time header; least_time header;")
		case 6:
			line = g.mostly("resolver 127.0.0.1;|resolver_timeout 1s;", "resolver nosuch;|resolver_timeout x;|resolver 127.0.0.1; resolver 127.0.0.1;")
		}
		if i == 0 && g.IntN(10) > 0 {
			line = "server 127.0.0.1:1;"
		}
		fmt.Fprintf(&s, "    %s\n", line)
	}
	s.WriteString("  }\n")
	return s.String()
}

func (g generator) newerBackend(level string) string {
	switch g.IntN(13) {
	case 0:
		return g.pick("proxy", "grpc", "uwsgi") + "_ssl_certificate_cache " + g.mostly("off|max=10|max=10 inactive=1m valid=1h|max=5 valid=0", "x|max=0|max=x|inactive=1s|max=1 inactive=x|max=1 x|''|off max=1|max=") + ";"
	case 1:
		return g.pick("proxy", "fastcgi", "scgi", "uwsgi") + "_limit_rate " + g.mostly("1k|$arg_x|0|${host}", "x|$nosuch|$|''|-1") + ";"
	case 2:
		return g.mostly("proxy_http_version 1.1|proxy_http_version 2|proxy_pass_trailers on|proxy_socket_rcvbuf 4k|proxy_socket_sndbuf 4k", "proxy_pass_trailers x|proxy_socket_rcvbuf x|proxy_http_version 3") + ";"
	case 3:
		return "proxy_set_header " + g.mostly("Host $host|Host ''|A b|Proxy-Connection x|host a", "Host $|Host $nosuch|''  a|"+strings.Repeat("h", 47)+" a") + ";"
	case 4:
		return g.mostly("tunnel_connect_timeout 1s|tunnel_next_upstream error|tunnel_buffer_size 4k|tunnel_bind 127.0.0.1|tunnel_send_lowat 1", "tunnel_bind x|tunnel_next_upstream http_500|tunnel_buffer_size x") + ";"
	case 5:
		return g.pick("proxy", "scgi") + "_store " + g.mostly("on|off|/a$uri", "''|$|$nosuch") + ";"
	case 6:
		return g.pick("proxy_ssl_", "grpc_ssl_", "uwsgi_ssl_") + g.mostly("certificate ''|certificate cert.pem|certificate_key key.pem|certificate_key ''|verify on|trusted_certificate cert.pem|ciphers HIGH", "ciphers foo|certificate $nosuch") + ";"
	case 7:
		return "proxy_cache_path c keys_zone=z:1m" + g.mostly("| min_free=1m", " x") + ";"
	}
	if level != "location" {
		return g.mostly("http2 on|http2 off|http3 on|http3_hq off|http3_max_concurrent_streams 8|http3_stream_buffer_size 64k|quic_retry on|quic_gso off|quic_active_connection_id_limit 4|http2_push off|http2_push_preload on|http2_max_concurrent_pushes x|http2_chunk_size 1k",
			"http2 x|http3 x|quic_retry x|http3_stream_buffer_size x|quic_active_connection_id_limit x|ssl on|http2_push a b|http2_chunk_size 0") + ";"
	}
	kind := g.pick("proxy", "grpc", "tunnel", "scgi", "uwsgi", "memcached", "fastcgi")
	if kind == "tunnel" && g.IntN(3) == 0 {
		return "tunnel_pass;"
	}
	return kind + "_pass " + g.passURL(kind) + ";"
}

func (g generator) newerSSL() string {
	return g.mostly("ssl_certificate_cache max=10|ssl_certificate_cache off|ssl_certificate_compression on|ssl_stapling on|ssl_reject_handshake on|ssl_reject_handshake off|ssl_protocols TLSv1.2|ssl_protocols TLSv1.3|ssl_verify_client on|ssl_trusted_certificate cert.pem|ssl_client_certificate cert.pem|ssl_ocsp on|ssl_ech_file ''",
		"ssl_certificate_cache x|ssl_certificate_cache inactive=1s|ssl_certificate_compression x|ssl_ocsp x") + ";"
}

// TestOracleNewerBackends asks a nginx newer than 1.28 about random uses of
// what came since 1.22.
func TestOracleNewerBackends(t *testing.T) {
	u := newUpstream(t)
	if u.version < "1.28" || strings.HasPrefix(u.version, "1.9") {
		t.Skip("not for nginx " + u.version)
	}
	u.keyPair(t)
	rnd, cases := oracleSize(t, 150)
	g := generator{rnd}
	for range cases {
		var s strings.Builder
		s.WriteString("events {\n}\nhttp {\n")
		for range g.IntN(2) {
			s.WriteString(g.newerUpstream())
		}
		if g.IntN(6) == 0 {
			s.WriteString("  resolver 127.0.0.1;\n")
		}
		for range g.IntN(3) {
			fmt.Fprintf(&s, "  %s\n", g.newerBackend("http"))
		}
		for range 1 + g.IntN(2) {
			s.WriteString("  server {\n")
			listen := []string{"443 ssl", "443 quic", "443 quic reuseport", "444 ssl http2", "80", "444 quic default_server", "443"}
			g.Shuffle(len(listen), func(i, j int) { listen[i], listen[j] = listen[j], listen[i] })
			for _, l := range listen[:g.IntN(3)] {
				fmt.Fprintf(&s, "    listen %s;\n", l)
			}
			if g.IntN(4) > 0 {
				s.WriteString("    ssl_certificate cert.pem;\n    ssl_certificate_key key.pem;\n")
			}
			for range g.IntN(3) {
				fmt.Fprintf(&s, "    %s\n", g.newerSSL())
			}
			for range g.IntN(3) {
				line := g.newerBackend("server")
				for strings.HasPrefix(line, "proxy_cache_path") {
					line = g.newerBackend("server")
				}
				fmt.Fprintf(&s, "    %s\n", line)
			}
			for i := range g.IntN(3) {
				fmt.Fprintf(&s, "    location /%d {\n", i)
				for range 1 + g.IntN(2) {
					line := g.newerBackend("location")
					for strings.HasPrefix(line, "proxy_cache_path") {
						line = g.newerBackend("location")
					}
					fmt.Fprintf(&s, "      %s\n", line)
				}
				s.WriteString("    }\n")
			}
			s.WriteString("  }\n")
		}
		s.WriteString("}\n")
		if diff := u.compare(t, s.String()); diff != "" && !strings.Contains(diff, "resolving names at run time requires") { // with a place in its middle
			assert.Fail(t, diff, s.String())
		}
	}
}
