package validate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// mostly returns one of the right words, or, seldom, one of the wrong ones.
// Words are separated by "|".
func (g generator) mostly(right, wrong string) string {
	of := right
	if wrong != "" && g.IntN(25) == 0 {
		of = wrong
	}
	words := strings.Split(of, "|")
	return words[g.IntN(len(words))]
}

// someMostly returns up to n of them.
func (g generator) someMostly(n int, right, wrong string) string {
	words := make([]string, 1+g.IntN(n))
	for i := range words {
		words[i] = g.mostly(right, wrong)
	}
	return strings.Join(words, " ")
}

// The words that are seldom right.
func (g generator) aNumber() string {
	return g.mostly("1|2|10|100", "0|-1|x|''|1k|99999999999999999999|4294967295|4294967296|007")
}
func (g generator) aSize() string {
	return g.mostly("4k|8k|16K|1m|4096", "0|x|''|1g|-1|k|10mm|4294967295|4294967296|9223372036854775807|9007199254740991k")
}
func (g generator) aTime() string {
	return g.mostly("10s|1h|500ms|1m30s|1d", "x|''|-1|30m1h|1y|5ms|1.5s|1M")
}
func (g generator) aFlag() string { return g.mostly("on|off|On", "yes|''|1|\"on\"") }
func (g generator) aText() string {
	return g.mostly("/a|a|$uri|${host}x|''|$arg_x|$1|x$host", "$|a$|${uri|${}|$nosuch|$9x|a\x00b|$-x|$http_|${|$0")
}

func (g generator) backendAddress() string {
	return g.mostly("127.0.0.1:80|127.0.0.1:81|127.0.0.1:80|[::1]:80|u|u|u|v|U|localhost:80|unix:/a.sock|unix:a|$host|$host:80|0.0.0.0:1|127.1:80|u:80|localhost|127.0.0.1|[::1]",
		"v:8080|unix:|unix:/a:/b|${host|$|u$nosuch|nosuch|nosuch:80|10.0.0.1:0|10.0.0.1:65536|10.0.0.1:x|:80|''|[::1|[::1]x|[zz]:80|a/b|a?b|1.2.3.4:80/x|1.2.3.4:80?x|255.255.255.255:1|u$1|u:|::1|'a b:80'|\"unix:/x\"|unix:"+strings.Repeat("x", 108)+"|1.2.3.4:80:81")
}

func (g generator) passURL(kind string) string {
	a := g.backendAddress()
	switch kind {
	case "proxy":
		return g.mostly("http://|http://|http://|https://", "HTTP://|HttpS://|http:/||ftp://|http|unix:|https:") + a + g.mostly("||||/|/x|/$uri", "?a|:/x|/x?y:z|/ ")
	case "uwsgi":
		return g.mostly("|uwsgi://|suwsgi://", "UWSGI://|uwsgi:|http://") + a
	case "grpc":
		return g.mostly("|grpc://|grpcs://", "GRPCS://|grpc:/|http://") + a
	}
	return g.mostly("", kind+"://") + a
}

var backendKinds = []string{"proxy", "proxy", "proxy", "proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached"}

func (g generator) cachePath() string {
	p := []string{g.mostly("c|c1|c2|c/|d", "/|t")}
	for range g.IntN(4) {
		p = append(p, g.mostly("levels=1:2|levels=1|levels=2:2:2|use_temp_path=on|use_temp_path=off|inactive=10m|inactive=1y|max_size=1g|min_free=10m|loader_files=10|loader_sleep=10ms|loader_threshold=1s|manager_files=1|manager_sleep=10ms|manager_threshold=1|levels=",
			"levels=1:2:1:1|levels=3|levels=1:|levels=:1|levels=12|levels=x|use_temp_path=ON|use_temp_path=|inactive=x|inactive=10ms|max_size=x|max_size=-1|min_free=x|loader_files=x|loader_sleep=x|loader_threshold=|manager_files=-1|manager_sleep=x|manager_threshold=x|purger=on|keys_zone=z:4k|x|''|keys_zone=z:1m|levels=1:2\x00|use_temp_path=on\x00x"))
	}
	if g.IntN(20) > 0 {
		p = append(p, "keys_zone="+g.mostly("z:1m|z:1m|y:1m", "z:2m|z:8k|z:8191|z:x|z|:1m||z:1m:2m|z:1g|z:"))
	}
	return strings.Join(p, " ")
}

func (g generator) cookieRule() string {
	return g.mostly("a b|.a .b|~^a(b)$ $1|~*^a$ b|'' b|a ''|$host b|~(?<c>x) $c|~ b", "off|off|off|x|default|~( b|a $|a $nosuch|a ${|false|~[ b|$ b")
}

// backend returns a directive of a module that passes requests on.
func (g generator) backend(kind, level string) string {
	name := func(what string) string { return kind + "_" + what }
	if level == "location" && g.IntN(4) == 0 {
		return name("pass ") + g.passURL(kind) + ";"
	}
	stores := kind != "grpc" && kind != "memcached"
	switch n := g.IntN(30); {
	case n == 0:
		return name("bind ") + g.mostly("off|127.0.0.1|127.0.0.1:80|$server_addr|$server_addr transparent|::1|[::1]:1|127.0.0.1 transparent", "[::1]|127.0.0.1:x|127.0.0.1 x|x|off x|''|127.0.0.1:0|$nosuch|$|[::1]1|[::1") + ";"
	case n == 1:
		return name("buffer_size ") + g.mostly("4k|8k|1k|32k|64k", "0|x|''|1g") + ";"
	case n <= 3 && stores:
		return name("buffers ") + g.mostly("8 4k|8 8k|2 4k|4 64k|3 1k|16 2k", "1 4k|0 4k|8 0|x 4k|8 x|2 1g") + ";"
	case n <= 5 && stores:
		return name("busy_buffers_size ") + g.mostly("4k|8k|16k|64k|28k", "1k|0|29k|1g|x") + ";"
	case n == 6 && stores:
		return name("max_temp_file_size ") + g.mostly("0|1g|8k|64k", "1|4k|4095|x") + ";"
	case n == 7 && stores:
		return name("temp_file_write_size ") + g.mostly("8k|1m|64k", "0|4k|4095|x") + ";"
	case n <= 9 && stores:
		return name("cache ") + g.mostly("off|z|z|z|y|$host", "Z|''|$nosuch|z$|zz|${z|off\x00") + ";"
	case n == 10 && stores:
		return name("store ") + g.mostly("on|off|/a$uri|/x", "$|a$|''|${|a${|$nosuch|ON|$uri$|on\x00x") + ";"
	case n == 11 && stores:
		return name("cache_key ") + g.mostly("$uri|x|$scheme$host", "''|$|$nosuch|${uri") + ";"
	case n == 12 && stores:
		return name("cache_valid ") + g.mostly("10m|200 10m|any 1s|200 301 404 1m|0", "99 1m|600 1m|200|200 x|Any 1m|200 10ms|''|404 ''|any any 1m|'' 1m|any\x00x 1m") + ";"
	case n == 13 && stores:
		return name("cache_use_stale ") + g.someMostly(3, "error|timeout|updating|off|http_500|invalid_header", "http_502|x|ERROR|''|http_429|non_idempotent") + ";"
	case n == 14:
		return name("next_upstream ") + g.someMostly(3, "error|timeout|off", "http_502|http_500|http_404|invalid_header|not_found|invalid_response|x|Error|updating") + ";"
	case n == 15 && stores:
		return name("cache_methods ") + g.someMostly(3, "GET|HEAD|POST|get", "PUT|x|''") + ";"
	case n == 16 && kind != "memcached":
		return name("ignore_headers ") + g.someMostly(3, "Expires|Cache-Control|Vary|X-Accel-Redirect|set-cookie|X-Accel-Charset", "x|''|Date") + ";"
	case n <= 18 && kind != "memcached":
		if stores && kind != "proxy" {
			return name("param ") + g.mostly("A|HTTP_A|HTTP_|A|$x|HTTP_ABC", "''|HTTP_"+strings.Repeat("X", 45)+"|HTTP_"+strings.Repeat("X", 46)+"|HTTP_"+strings.Repeat("X", 47)+"|"+strings.Repeat("X", 90)) + " " + g.aText() + g.mostly("|| if_not_empty", " x| ''| if_not_empty\x00") + ";"
		}
		return name("set_header ") + g.mostly("Host|A|$x|Connection|X-Real-IP", "''|"+strings.Repeat("X", 46)+"|"+strings.Repeat("X", 47)+"|"+strings.Repeat("X", 60)) + " " + g.aText() + ";"
	case n == 19 && kind != "memcached":
		return name(g.pick("hide_header ", "pass_header ")) + g.mostly("A|Date|date|X-Powered-By", "''|"+strings.Repeat("X", 46)+"|"+strings.Repeat("X", 47)+"|"+strings.Repeat("X", 100)) + ";"
	case n == 20 && stores:
		return name(g.pick("no_cache ", "cache_bypass ")) + g.someMostly(3, "$host|$arg_x$cookie_y|x", "$nosuch|$|''") + ";"
	case n == 21:
		return name(g.pick("read_timeout ", "connect_timeout ", "send_timeout ", "next_upstream_timeout ")) + g.aTime() + ";"
	case n == 22:
		return name("next_upstream_tries ") + g.aNumber() + ";"
	case n == 23:
		if !stores {
			return name("socket_keepalive ") + g.aFlag() + ";"
		}
		return name(g.pick("buffering ", "request_buffering ", "intercept_errors ", "ignore_client_abort ", "cache_lock ", "force_ranges ", "pass_request_body ", "socket_keepalive ", "cache_revalidate ", "cache_background_update ")) + g.aFlag() + ";"
	case n == 24 && stores:
		return name("temp_path ") + g.mostly("t|t 1 2|t1 1 1 1|t2/ 1 2|t3 5 5", "t 0|t x|t 9 9|c|c 1|t 1|t 10|t 5 5 5") + ";"
	case n == 25 && stores:
		return name("store_access ") + g.mostly("user:rw|user:r group:rw all:r|all:rw", "user:w|x|user:|''|user:rw user:r|user:rw\x00|user|group") + ";"
	case n == 26 && (kind == "proxy" || kind == "fastcgi"):
		return name(g.pick("limit_rate ", "send_lowat ")) + g.aSize() + ";"
	case n == 27 && stores:
		return name(g.pick("cache_max_range_offset ", "cache_min_uses ")) + g.aNumber() + ";"
	}
	switch kind {
	case "proxy":
		switch g.IntN(8) {
		case 0, 1:
			return "proxy_redirect " + g.mostly("default|off|", "false|x") + g.cookieRule() + ";"
		case 2:
			return "proxy_cookie_domain " + g.cookieRule() + ";"
		case 3:
			return "proxy_cookie_path " + g.cookieRule() + ";"
		case 4:
			return "proxy_cookie_flags " + g.mostly("a httponly|~a secure samesite=lax|a b c d|~^(?<h>a) $h", "off|off|x|~( a|$ a|a $nosuch|'' a") + ";"
		case 5:
			return g.pick("proxy_headers_hash_max_size ", "proxy_headers_hash_bucket_size ") + g.mostly("64|128|512|1024", "1|0|70000|65472|65473|x|63|65") + ";"
		case 6:
			return "proxy_set_body " + g.aText() + ";"
		}
		return g.mostly("proxy_method GET|proxy_method $request_method|proxy_http_version 1.0|proxy_http_version 1.1|proxy_redirect default|proxy_redirect off", "proxy_http_version 2|proxy_method $|proxy_http_version x|proxy_method $nosuch|proxy_redirect x") + ";"
	case "fastcgi":
		return g.mostly("fastcgi_split_path_info ^(.+)(.+)$|fastcgi_index x|fastcgi_catch_stderr a|fastcgi_catch_stderr b", "fastcgi_split_path_info ^(.+)$|fastcgi_split_path_info (|fastcgi_split_path_info (a)(b)(c)|fastcgi_split_path_info ''|fastcgi_index ''|fastcgi_keep_conn x|fastcgi_split_path_info (?<x>a)(?<y>b)") + ";"
	case "uwsgi":
		return g.mostly("uwsgi_modifier1 1|uwsgi_string x|uwsgi_modifier2 300", "uwsgi_modifier1 x") + ";"
	case "memcached":
		return "memcached_gzip_flag " + g.aNumber() + ";"
	case "grpc":
		return "grpc_ssl_server_name " + g.aFlag() + ";"
	}
	return name("pass_request_headers ") + g.aFlag() + ";"
}

func (g generator) backendTLS(kind string) string {
	name := kind + "_ssl_"
	switch g.IntN(11) {
	case 0, 1:
		return name + "certificate " + g.mostly("cert.pem|cert.pem|$host", "''|$nosuch|$") + ";"
	case 2, 3:
		return name + "certificate_key " + g.mostly("key.pem|key.pem|$host", "$nosuch") + ";"
	case 4:
		return name + "verify " + g.mostly("on|off", "x") + ";"
	case 5:
		return name + "trusted_certificate " + g.mostly("cert.pem", "''") + ";"
	case 6:
		return name + "ciphers " + g.ciphers() + ";"
	case 7:
		return name + "protocols " + g.someMostly(3, "TLSv1.2|TLSv1.3|tlsv1.1|TLSv1", "SSLv3|x|''|TLSv1.4") + ";"
	case 8:
		return name + "conf_command " + g.mostly("Options PrioritizeChaCha|options KTLS|CipherString HIGH|Ciphersuites TLS_AES_128_GCM_SHA256|MinProtocol TLSv1.2", "foo bar|'' x|min_protocol x") + ";"
	case 9:
		return name + "name " + g.aText() + ";"
	}
	return name + g.pick("session_reuse ", "server_name ") + g.aFlag() + ";"
}

func (g generator) ciphers() string {
	return g.mostly("HIGH:!aNULL:!MD5|HIGH|ECDHE-RSA-AES128-GCM-SHA256|DEFAULT|HIGH:@STRENGTH|EECDH+CHACHA20:EECDH+AES|kEECDH+AESGCM|ECDHE-ECDSA-CHACHA20-POLY1305:foo",
		"foo|''|high|!HIGH|HIGH:*|@STRENGTH|HIGH:@SECLEVEL=9|'HIGH; foo'|TLS_AES_128_GCM_SHA256|foo:bar|HIGH:!|HIGH:+|AES+x|'HIGH, RC4'|DEFAULTx|HIGH::|:|HIGH:@X|HIGH:!!aNULL|SUITEB128|HIGH\x00*")
}

func (g generator) upstreamLine() string {
	switch g.IntN(14) {
	case 0:
		return "hash " + g.mostly("$uri|x|$uri consistent", "$|$nosuch|''|$uri x|$uri Consistent|x ''") + ";"
	case 1:
		return g.mostly("ip_hash|least_conn|random|random two|random two least_conn", "random x|random two x|random two least_time") + ";"
	case 2:
		return "keepalive " + g.mostly("1|16", "0|x|''") + ";"
	case 3:
		return "zone " + g.mostly("a 64k|a|b 128k", "a 32k|a 32767|a x|'' 64k|b 64k|a 128k|z 64k|a 0") + ";"
	case 4:
		return g.pick("keepalive_timeout ", "keepalive_time ") + g.aTime() + ";"
	case 5:
		return "keepalive_requests " + g.aNumber() + ";"
	}
	s := "server " + g.mostly("127.0.0.1|127.0.0.1:80|[::1]:80|localhost|unix:/a|10.0.0.1:1|127.1|127.1:80", "127.0.0.1:0|unix:|''|a/b|nosuch|nosuch:80|:80|[::1|x$y|127.0.0.1:x|1.2.3.4/x|a?b|127.0.0.1:80:80|localhost:99999|unix:a:b|0x7f.1|1.2.3|255.255.255.255")
	for range g.IntN(3) {
		s += " " + g.mostly("weight=1|weight=5|max_conns=1|max_conns=0|max_fails=0|fail_timeout=10s|fail_timeout=1y|down|backup",
			"weight=0|weight=x|weight=|weight=-1|max_conns=x|max_fails=x|fail_timeout=x|fail_timeout=|fail_timeout=5ms|Down|backup=1|x|''|resolve|service=x|slow_start=1s|route=a|drain|weight=2 weight=3|max_fails=99999999999999999999|down\x00x|weight\x00=1")
	}
	return s + ";"
}

func (g generator) upstreamBlock() string {
	var s strings.Builder
	fmt.Fprintf(&s, "  upstream %s {\n", g.mostly("u|u|v", "U|localhost|127.0.0.1|''|$x|u:80|127.0.0.1:80|/a.sock|[::1]"))
	for i := range 1 + g.IntN(4) {
		line := g.upstreamLine()
		if i == 0 && g.IntN(10) > 0 {
			line = "server 127.0.0.1:1;"
		}
		fmt.Fprintf(&s, "    %s\n", line)
	}
	s.WriteString("  }\n")
	return s.String()
}

// backends returns a main file about one or two backends.
func (g generator) backends() string {
	kinds := []string{g.pick(backendKinds...)}
	if g.IntN(4) == 0 {
		kinds = append(kinds, g.pick(backendKinds...))
	}
	line := func(level string) string {
		kind := g.pick(kinds...)
		if (kind == "proxy" || kind == "uwsgi" || kind == "grpc") && g.IntN(5) == 0 {
			return g.backendTLS(kind)
		}
		return g.backend(kind, level)
	}
	var s strings.Builder
	lines := func(indent, level string, most int) {
		for range g.IntN(most) {
			fmt.Fprintf(&s, "%s%s\n", indent, line(level))
		}
	}
	s.WriteString("events {\n}\nhttp {\n")
	if g.IntN(4) > 0 {
		s.WriteString(g.upstreamBlock())
	}
	for _, kind := range kinds {
		if kind != "grpc" && kind != "memcached" && g.IntN(5) > 0 {
			fmt.Fprintf(&s, "  %s_cache_path %s;\n", kind, g.cachePath())
		}
	}
	lines("  ", "http", 3)
	for range 1 + g.IntN(2) {
		s.WriteString("  server {\n")
		lines("    ", "server", 3)
		for i := range g.IntN(3) {
			fmt.Fprintf(&s, "    location %s {\n", g.pick(fmt.Sprint("/", i), fmt.Sprint("/", i), fmt.Sprint("= /", i), "~ x", fmt.Sprint("@", i), "~*x", fmt.Sprint("^~ /x", i)))
			lines("      ", "location", 4)
			switch g.IntN(8) {
			case 0:
				s.WriteString("      if ($host) {\n")
				fmt.Fprintf(&s, "        %s_pass %s;\n", kinds[0], g.passURL(kinds[0]))
				s.WriteString("      }\n")
			case 1:
				if kinds[0] == "proxy" {
					fmt.Fprintf(&s, "      limit_except GET {\n        proxy_pass %s;\n      }\n", g.passURL("proxy"))
				}
			}
			s.WriteString("    }\n")
		}
		s.WriteString("  }\n")
	}
	if g.IntN(4) == 0 {
		s.WriteString(g.upstreamBlock())
	}
	s.WriteString("}\n")
	return s.String()
}

// TestOracleBackends asks the installed nginx about random upstream blocks and
// uses of proxy_pass and its kin.
func TestOracleBackends(t *testing.T) {
	u := newUpstream(t)
	u.keyPair(t)
	rnd, cases := oracleSize(t, 150)
	g := generator{rnd}
	for range cases {
		conf := g.backends()
		if diff := u.compareAll(t, conf); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
}

// compareAll is compare, and for a configuration that nginx takes, compares the
// warnings too: each once, for where blocks are merged nginx repeats them.
func (u *upstream) compareAll(t *testing.T, conf string) string {
	t.Helper()
	if diff := u.compare(t, conf); diff != "" || u.first(t, conf) != nil {
		return diff
	}
	once := func(list []string) (kept []string) {
		for _, text := range list {
			if text, _, _ = strings.Cut(text, " in /"); !strings.Contains(text, "ssl_stapling") { // which is about what a certificate says
				kept = append(kept, text)
			}
		}
		slices.Sort(kept)
		return slices.Compact(kept)
	}
	theirs, ours := once(u.warnings(t, conf)), once(u.ourWarnings(conf))
	if !slices.Equal(theirs, ours) {
		return fmt.Sprintf("nginx says: %q, we say: %q", theirs, ours)
	}
	return ""
}
