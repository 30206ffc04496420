package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func (g generator) streamText() string {
	return g.pick("a", "$remote_addr", "${remote_addr}x", "$", "a$", "${remote_addr", "${}", "$1", "$0", "$nosuch", "$v", "$w", "''", "$-x", "a b", "$hostname:$server_port", "$BYTES_sent", "'$v $ w'", "${v}${w}", "$proxy_protocol_tlv_x", "$ssl_preread_server_name")
}

func (g generator) streamListen() string {
	at := g.pick("5301", "5302", "5303", "*:5301", "127.0.0.1:5301", "127.0.0.1", "0.0.0.0:5302", "[::]:5301", "[::1]:5301", "unix:s.sock", "0", "65536", "5400-5402", "5401", "5400-5399", "*:0", "'*'", "[::]", "127.0.0.1:5301-5302", "5301x", "-", "''", "*:x", "[::1]:5301/", "127.1:5301", "UNIX:s.sock", "[0:0::1]:5301", "1-")
	return at + g.listenParameters("udp", "fastopen=1", "fastopen=x", "reuseport", "deferred", "default_server", "accept_filter=x", "setfib=1", "fastopen", "udp ssl", "udp backlog=5", "udp so_keepalive=on", "udp proxy_protocol", "udp so_keepalive=off", "udp fastopen=3", "udp reuseport", "udp rcvbuf=1k", "default_server", "multipath", "udp deferred", "default_server bind", "udp multipath", "ssl", "ssl default_server")
}

func (g generator) listenParameters(more ...string) string {
	all := append([]string{"bind", "backlog=10", "backlog=0", "backlog=x", "backlog=", "ipv6only=off", "ipv6only=on", "ipv6only=x", "ipv6only=ox", "ipv6only", "so_keepalive=on", "so_keepalive=off", "so_keepalive=1:2:3", "so_keepalive=::", "so_keepalive=30m::10", "so_keepalive=x", "so_keepalive=1:2:3:4", "so_keepalive=:::", "so_keepalive=", "so_keepalive=0:0:0", "rcvbuf=1k", "rcvbuf=x", "sndbuf=2m", "sndbuf=", "proxy_protocol", "x", "''", "ssl"}, more...)
	s := ""
	for n := g.IntN(8); n > 5 || n == 1; n = g.IntN(6) {
		s += " " + g.pick(all...)
	}
	return s
}

func (g generator) streamBackend() string {
	return g.pick("127.0.0.1:80", "b", "c", "d", "B", "b:80", "127.0.0.1", "127.0.0.1:0", "[::1]:80", "[::1]", "[::1", "[x]:1", "unix:a.sock", "unix:", "''", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:80/", "127.0.0.1:80?", "[::1]:80/x", "$v", "$remote_addr:80", "$", "unix:a.sock:b", "http://b", "UNIX:A.sock")
}

func (g generator) streamServer(level string) string {
	both := func() string {
		switch g.IntN(20) {
		case 18:
			return g.tlsDirective()
		case 19:
			return g.pick("proxy_ssl_ciphers ", "proxy_ssl_crl ", "proxy_ssl_password_file ") + g.pick("HIGH", "''", "text.pem", "nosuch", "x")
		case 0:
			return "proxy_bind " + g.pick("off", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:0", "127.0.0.1:x", "[::1]:80", "[::1]", "::1", "[::1", "[::1]:", "$remote_addr", "$", "''", "x", "1.2.3", "::", "[]:1") + g.pick("", "", " transparent", " x", " off", " ''")
		case 1:
			return g.pick("proxy_ssl ", "proxy_ssl_verify ", "proxy_ssl_server_name ", "proxy_protocol ", "proxy_half_close ", "proxy_socket_keepalive ", "proxy_next_upstream ", "ssl_prefer_server_ciphers ", "ssl_session_tickets ", "tcp_nodelay ", "ssl_preread ", "limit_conn_dry_run ") + g.flag()
		case 2:
			return g.pick("proxy_connect_timeout ", "proxy_timeout ", "proxy_next_upstream_timeout ", "ssl_handshake_timeout ", "preread_timeout ", "resolver_timeout ", "proxy_protocol_timeout ", "ssl_session_timeout ") + g.time()
		case 3:
			return g.pick("proxy_buffer_size ", "preread_buffer_size ", "proxy_downstream_buffer ", "proxy_upload_rate ", "proxy_download_rate ") + g.pick(g.size(), g.size(), g.streamText())
		case 4:
			return g.pick("proxy_requests ", "proxy_responses ", "proxy_next_upstream_tries ", "ssl_verify_depth ", "proxy_ssl_verify_depth ") + g.number()
		case 5:
			return g.pick("ssl_protocols ", "proxy_ssl_protocols ") + g.some(3, "TLSv1.2", "TLSv1.3", "tlsv1", "x", "''", "SSLv3")
		case 6:
			return g.pick("ssl_certificate ", "ssl_certificate_key ") + g.pemFile()
		case 7:
			return g.pick("proxy_ssl_certificate ", "proxy_ssl_certificate_key ") + g.pick(g.pemFile(), "''")
		case 8:
			return g.pick("ssl_verify_client ") + g.pick("on", "off", "optional", "optional_no_ca", "ON", "x")
		case 9:
			return g.pick("ssl_client_certificate ", "ssl_trusted_certificate ", "proxy_ssl_trusted_certificate ") + g.pick("cert.pem", "''", "nosuch.pem", "text.pem")
		case 10:
			return "ssl_session_cache " + g.sessionCache()
		case 11:
			return "ssl_alpn " + g.some(3, "h2", "''", strings.Repeat("a", 255), strings.Repeat("a", 256))
		case 12:
			return "error_log " + g.logTarget() + " " + g.pick("", g.level())
		case 13:
			return "resolver " + g.some(3, g.host(), g.host(), "valid=10s", "valid=x", "ipv6=off", "ipv6=x")
		case 14:
			return g.pick("allow ", "deny ") + g.cidr()
		case 15:
			return "set_real_ip_from " + g.cidr()
		case 16:
			return "limit_conn " + g.pick("z", "z", "y", "nosuch", "''") + " " + g.pick("1", "10", "0", "65535", "65536", g.number())
		}
		return "access_log " + g.streamLog()
	}
	switch g.IntN(13) {
	case 12:
		return g.newStreamServer() + ";"
	case 0, 1:
		return "proxy_pass " + g.streamBackend() + ";"
	case 2:
		return "return " + g.streamText() + ";"
	case 3:
		return "set " + g.variable() + " " + g.streamText() + ";"
	case 4:
		return "listen " + g.streamListen() + ";"
	}
	return both() + ";"
}

// newStreamServer returns a directive that nginx 1.22 does not know.
func (g generator) newStreamServer() string {
	switch g.IntN(12) {
	case 0:
		return "pass " + g.streamBackend()
	case 1, 2, 3:
		return "server_name " + g.some(2, "a", "a", "b", "*.a", ".a", "a.*", "*a", ".", "a..b", "''", "~", "~^a(b)$", "~(", "~(?<x>A)", "a/b", "A", "_")
	case 4:
		return "ssl_reject_handshake " + g.flag()
	case 5:
		return g.pick("ssl_certificate_cache ", "proxy_ssl_certificate_cache ") + g.some(3, "max=1", "max=0", "max=x", "valid=1m", "valid=x", "inactive=1s", "off", "x", "min_uses=1")
	case 6:
		return "ssl_ocsp " + g.pick("on", "off", "leaf", "x")
	case 7:
		return "ssl_ocsp_cache " + g.pick("off", "shared:o:1m", "shared:o:1k", "shared:o", "shared::1m", "x", "shared:z:1m")
	case 8:
		return "proxy_ssl_alpn " + g.some(2, "h2", g.streamText(), strings.Repeat("a", 256))
	case 9:
		return "proxy_protocol " + g.pick("v2", "on", "x")
	case 10:
		return "ssl_certificate_compression " + g.flag()
	}
	return g.pick("proxy_socket_rcvbuf ", "proxy_socket_sndbuf ") + g.size()
}

func (g generator) sessionCache() string {
	return g.some(2, "off", "none", "builtin", "builtin:100", "builtin:x", "builtin:", "shared:z:1m", "shared:s:1m", "shared:s:2m", "shared:s:32k", "shared:s:31k", "shared:s", "shared:s:", "shared::1m", "shared:", "x", "''", "shared:s:x")
}

func (g generator) cidr() string {
	return g.pick("all", "10.0.0.0/8", "10.0.0.1/8", "127.0.0.1", "::1", "2001:db8::/32", "2001:db8::1/32", "unix:", "10.0.0.0/33", "::/129", "x", "''", "10.0.0", "10.0.0.0/", "ALL", "[::1]", "localhost", "0.0.0.0/0", "1.2.3.4/0")
}

func (g generator) streamLog() string {
	return g.pick("a.log", "off", "syslog:server=127.0.0.1", "syslog:x", "b$v.log", "$", "''", "stderr", "a.log", "a.log", "c$remote_addr.log") + " " +
		g.pick("", "f", "f", "g", "F", "main", "''", "nosuch") + g.pick("", "", "", " buffer=1k", " buffer=2k", " buffer=0", " buffer=x", " flush=1s", " flush=0", " buffer=1k flush=5s", " gzip", " gzip=1", " gzip=0", " gzip=10", " gzip=x", " gzipx", " if=$v", " if=$", " if=", " x", " buffer=1k gzip=9 flush=1m", " gzip=5 buffer=2k", " flush=x")
}

func (g generator) variable() string {
	return g.pick("$v", "$w", "$V", "v", "$", "''", "$remote_addr", "$ssl_cipher", "$v1", "$v-w", "$Remote_Addr", "$ssl_server_name", "$proxy_protocol_tlv_x")
}

func (g generator) stream() string {
	switch g.IntN(14) {
	case 0:
		return "limit_conn_zone " + g.streamText() + " " + g.pick("zone=z:1m", "zone=z:2m", "zone=y:32k", "zone=y:31k", "zone=:1m", "zone=z", "zone=z:", "zone=z:x", "x", "zone=s:1m", "''") + ";"
	case 1:
		return "log_format " + g.pick("f", "g", "F", "main", "''") + " " + g.some(3, "escape=json", "escape=none", "escape=default", "escape=x", "'$remote_addr $v'", g.streamText(), "$bytes_sent", "escape=") + ";"
	case 2:
		return g.pick("variables_hash_max_size ", "map_hash_max_size ", "variables_hash_bucket_size ", "map_hash_bucket_size ") + g.pick("0", "1", "32", "64", "100", "1024", "65536", "x", "''") + ";"
	case 3:
		return "map " + g.streamText() + " " + g.variable() + " { " + g.some(3, "a b;", "default $v;", "default a;", "default b;", "hostnames;", "~^a(?<x>b) $x;", "~( a;", "~*a 1;", "a c;", "a;", "a b c;", "*.a b;", ".a b;", "volatile;", "include nosuch;", "'' a;", `\~a b;`, "a $;", "A 1;") + " }"
	case 4:
		return "geo " + g.pick("", "$remote_addr ", "x ") + g.variable() + " { " + g.some(3, "default a;", "10.0.0.0/8 b;", "10.0.0.1/8 c;", "ranges;", "10.0.0.0-10.0.0.255 d;", "delete 10.0.0.0/8;", "proxy 10.0.0.0/8;", "proxy_recursive;", "x y;", "a;", "10.0.0.0/8 e;", "::1 f;", "a b c;", "volatile;") + " }"
	case 5:
		return "split_clients " + g.streamText() + " " + g.variable() + " { " + g.some(3, "50% a;", "* b;", "0.5% c;", "51% d;", "100% e;", "x f;", "% g;", "0% h;", "1.234% i;", "a;", "50% a b;", "'' x;") + " }"
	case 6, 7, 8:
		return g.streamUpstream(g.pick("b", "b", "c", "B", "d", "127.0.0.1", "$v", "a.sock", "''"))
	case 9:
		return "open_log_file_cache " + g.some(3, "max=10", "max=0", "max=x", "inactive=10s", "inactive=x", "valid=10s", "valid=x", "min_uses=2", "min_uses=x", "off", "x") + ";"
	}
	return g.streamServer("stream")
}

func (g generator) streamUpstream(name string) string {
	s := "upstream " + name + " {\n"
	for n := 1 + g.IntN(3); n > 0; n-- {
		switch g.IntN(7) {
		case 0:
			s += g.pick("hash $remote_addr", "hash $", "hash $v consistent", "hash a x", "hash $v ''", "least_conn", "random", "random two", "random x", "random two least_conn", "random two x", "random two least_time", "least_time connect", "least_time x", "least_time first_byte inflight", "least_time last_byte x") + ";\n"
		case 1:
			s += "zone " + g.pick("z", "u", "''", "w", "s") + g.pick("", " 64k", " 32k", " 31k", " x", " 128k") + ";\n"
		default:
			s += "server " + g.streamBackend() + " " + g.pick("", "", "", "weight=2", "weight=0", "weight=x", "backup", "down", "max_fails=3", "max_fails=x", "fail_timeout=10s", "fail_timeout=x", "max_conns=5", "max_conns=x", "x", "weight=2 backup", "backup=1", "''", "resolve", "service=a", "service=", "service=a resolve", "slow_start=1s", "backup down") + ";\n"
		}
	}
	return s + "}"
}

func (g generator) streamConf(n int) string {
	var at [3]strings.Builder
	for range n {
		if k := g.IntN(9); k < 4 {
			fmt.Fprintf(&at[0], "  %s\n", g.stream())
		} else {
			fmt.Fprintf(&at[1+k%2], "    %s\n", g.streamServer("server"))
		}
	}
	basics := func(port string) string {
		s := ""
		if g.IntN(20) > 0 {
			s += "    listen " + port + ";\n"
		}
		if g.IntN(20) > 0 {
			s += "    proxy_pass " + g.pick("127.0.0.1:80", "127.0.0.1:80", "b") + ";\n"
		}
		return s
	}
	before, after := &at[0], &strings.Builder{}
	if g.IntN(4) == 0 {
		before, after = after, before
	}
	conf := fmt.Sprintf("events {\n}\nstream {\n%s", before)
	if g.IntN(2) == 0 {
		conf += "  log_format f '$remote_addr';\n  limit_conn_zone $remote_addr zone=z:1m;\n  map $remote_addr $v { default 1; }\n  upstream b { server 127.0.0.1:80; }\n"
	}
	conf += fmt.Sprintf("  server {\n%s%s  }\n", basics("5300"), &at[1])
	if g.IntN(2) == 0 {
		conf += fmt.Sprintf("  server {\n%s%s  }\n", &at[2], basics(g.pick("5310", "5310", "5300", "5300 ssl", "5300 udp")))
	}
	if g.IntN(3) == 0 {
		conf += g.tls()
	}
	conf += after.String() + "}\n"
	if g.IntN(30) == 0 {
		conf += "stream {\n}\n"
	}
	return conf
}

// TestOracleStream asks the installed nginx about random stream blocks.
func TestOracleStream(t *testing.T) {
	u := newUpstream(t)
	u.pemFiles(t)
	rnd, cases := oracleSize(t, 150)
	g := generator{rnd}
	for range cases {
		conf := g.streamConf(1 + g.IntN(3))
		message, line := u.ask(t, conf)
		if strings.HasPrefix(message, "resolving names at run time requires") { // with a place in its middle
			message = message[:strings.LastIndex(message, " in /")] + " to be in shared memory"
		}
		if diff := u.differs(message, line, u.first(t, conf)); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
}

func (g generator) mailServer(level string) string {
	switch g.IntN(19) {
	case 18:
		return g.tlsDirective() + ";"
	case 0, 1:
		if level == "server" {
			return "listen " + g.mailListen() + ";"
		}
	case 2:
		if level == "server" {
			return "protocol " + g.pick("imap", "pop3", "smtp", "IMAP", "x", "''", "http") + ";"
		}
	case 3:
		return "auth_http " + g.pick("127.0.0.1/x", "http://127.0.0.1:80/x", "127.0.0.1:0", "127.0.0.1:x/", "unix:a.sock:/x", "unix:", "http://", "''", "HTTP://127.0.0.1", "http://http://127.0.0.1", "[::1]:80/x", "[::1", "localhost", "nosuch.example", "127.0.0.1?x", ":80", "https://127.0.0.1") + ";"
	case 4:
		return "auth_http_header " + g.pick("a b", "'' ''", "a", "a b c") + ";"
	case 5:
		return g.pick("auth_http_timeout ", "timeout ", "smtp_greeting_delay ", "proxy_timeout ", "resolver_timeout ", "ssl_session_timeout ") + g.time() + ";"
	case 6:
		return g.pick("auth_http_pass_client_cert ", "proxy ", "xclient ", "proxy_pass_error_message ", "proxy_smtp_auth ", "proxy_protocol ", "ssl_prefer_server_ciphers ", "ssl_session_tickets ") + g.flag() + ";"
	case 7:
		return g.pick("imap_capabilities ", "pop3_capabilities ", "smtp_capabilities ") + g.some(3, "IMAP4", "TOP", "'A B'", "''") + ";"
	case 8:
		return g.pick("imap_auth ", "pop3_auth ", "smtp_auth ") + g.some(3, "plain", "login", "cram-md5", "external", "none", "apop", "PLAIN", "x", "''") + ";"
	case 9:
		return g.pick("imap_client_buffer ", "smtp_client_buffer ", "proxy_buffer ") + g.size() + ";"
	case 10:
		return g.pick("max_errors ", "ssl_verify_depth ") + g.number() + ";"
	case 11:
		return "server_name " + g.pick("a", "''", "a b") + ";"
	case 12:
		return "ssl " + g.flag() + ";"
	case 13:
		return "starttls " + g.pick("on", "off", "only", "ON", "x", "''") + ";"
	case 14:
		return g.pick("ssl_certificate ", "ssl_certificate_key ", "ssl_client_certificate ", "ssl_trusted_certificate ") + g.pemFile() + ";"
	case 15:
		return "ssl_verify_client " + g.pick("on", "off", "optional", "optional_no_ca", "x") + ";"
	case 16:
		return "ssl_session_cache " + g.sessionCache() + ";"
	case 17:
		return "set_real_ip_from " + g.cidr() + ";"
	}
	return g.pick("resolver off", "resolver "+g.some(2, g.host(), "off", "valid=1s"), "error_log "+g.logTarget()+" "+g.level()) + ";"
}

func (g generator) mailListen() string {
	return g.pick("25", "143", "110", "5301", "*:5301", "127.0.0.1:25", "127.0.0.1", "[::1]:993", "unix:m.sock", "20-30", "24-25", "25-26", "0", "x", "''", "5302", "*:x", "localhost:25") +
		g.listenParameters("ssl", "udp", "reuseport", "fastopen=1")
}

// mailConf returns a main file with a mail block of n random directives.
func (g generator) mailConf(n int) string {
	var at [3]strings.Builder
	for range n {
		if g.IntN(3) == 0 {
			fmt.Fprintf(&at[0], "  %s\n", g.mailServer("mail"))
		} else {
			fmt.Fprintf(&at[1+g.IntN(2)], "    %s\n", g.mailServer("server"))
		}
	}
	basics := func(port string) string {
		s := ""
		for _, line := range []string{"listen " + port, "protocol smtp", "auth_http 127.0.0.1"} {
			if g.IntN(15) > 0 {
				s += "    " + line + ";\n"
			}
		}
		return s
	}
	conf := fmt.Sprintf("events {\n}\nmail {\n%s  server {\n%s%s  }\n", &at[0], basics("5300"), &at[1])
	if g.IntN(2) == 0 {
		conf += fmt.Sprintf("  server {\n%s%s  }\n", &at[2], basics(g.pick("5310", "5310", "5300", "5300 ssl")))
	}
	if g.IntN(3) == 0 {
		conf += g.tls()
	}
	conf += "}\n"
	if g.IntN(30) == 0 {
		conf += "mail {\n}\n"
	}
	return conf
}

// TestOracleMail asks the installed nginx about random mail blocks.
func TestOracleMail(t *testing.T) {
	u := newUpstream(t)
	u.pemFiles(t)
	rnd, cases := oracleSize(t, 100)
	g := generator{rnd}
	for range cases {
		conf := g.mailConf(1 + g.IntN(4))
		if diff := u.compare(t, conf); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
}

// tls returns what servers with TLS inherit; a part may be missing.
func (g generator) tls() string {
	s := ""
	for _, line := range []string{"ssl_certificate cert.pem", "ssl_certificate_key key.pem", "ssl_client_certificate cert.pem"} {
		if g.IntN(6) > 0 {
			s += "  " + line + ";\n"
		}
	}
	return s
}

func (g generator) pemFile() string {
	return g.pick("cert.pem", "key.pem", "both.pem", "both.pem", "both.pem", "chain.pem", "other.pem", "nosuch.pem", "text.pem", "empty.pem", "$v", "$", "data:x")
}

// tlsDirective returns one that stream and mail read alike.
func (g generator) tlsDirective() string {
	switch g.IntN(6) {
	case 0:
		return "ssl_ciphers " + g.ciphers()
	case 1:
		return "ssl_ecdh_curve " + g.pick("auto", "prime256v1", "X25519:P-256", "foo", "''")
	case 2:
		return "ssl_conf_command " + g.pick("Options PrioritizeChaCha", "MinProtocol TLSv1.2", "foo bar", "a")
	case 3:
		return g.pick("ssl_dhparam ", "ssl_crl ") + g.pick("''", "nosuch.pem", "text.pem", "empty.pem")
	case 4:
		return "ssl_session_ticket_key " + g.pick("ticket48", "ticket80", "text.pem", "nosuch")
	}
	return "ssl_password_file " + g.pick("text.pem", "nosuch")
}
