package validate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A generator writes random uses of directives: mostly right, often slightly
// wrong.
type generator struct{ *rand.Rand }

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// some returns up to n words of those.
func (g generator) some(n int, of ...string) string {
	words := make([]string, 1+g.IntN(n))
	for i := range words {
		words[i] = g.pick(of...)
	}
	return strings.Join(words, " ")
}

func (g generator) number() string {
	return g.pick("0", "1", "2", "10", "007", "65535", "65536", "1024", "-1", "+1", "1k", "x", "''", "99999999999999999999", "9223372036854775807", "4294967295", "4294967296", "1.5")
}

func (g generator) size() string {
	return g.pick("0", "1", "64", "112", "111", "128", "100", "1k", "4K", "8k", "16k", "1m", "2M", "1g", "10mm", "k", "-1", "x", "''", "256", "260", "512", "4096", "4294967295", "4294967296", "4194304k", "99999999999999999999k")
}

func (g generator) time() string {
	return g.pick("0", "1", "10s", "1h30m", "30m1h", `"1h 30m"`, "1M", "1y", "5ms", "ms", "1d", "x", "''", "-1", "1.5s", "10S", "1w2d3h4m5s6ms", "4294967295", "4294967296", "4294967295ms", "99999999999999999999")
}

func (g generator) flag() string { return g.pick("on", "off", "ON", "Off", "yes", "1", "''", `"on"`) }

func (g generator) text() string {
	return g.pick("/a", "/a/b", "a", "''", "$uri", "${uri}x", "$", "a$", "${uri", "${}", "$1", "$9x", "$0", "$nosuch", "/x$host/y", "$document_root", "'${realpath_root}'", "@a", "=", "a\x00b", "$args", "$arg_x", "$http_", "'$ x'", "$-x")
}

func (g generator) host() string {
	return g.pick("127.0.0.1", "127.0.0.1:80", "127.0.0.1:0", "127.0.0.1:99999", "[::1]", "[::1]:81", "[::1", "[x]", "::1", "1.2.3.4/x", "unix:", "unix:a.sock", "''", ":80", "127.0.0.1:", "0127.0.0.1", "127.0.0.1:x", "...:80", "255.255.255.255:80")
}

func (g generator) listen() string {
	return g.pick("80", "81", "8080-8082", "8081", "*:80", "127.0.0.1:80", "127.0.0.1", "0.0.0.0:80", "[::]:80", "[::1]:80", "unix:a.sock", "0", "65536", "80-79", "*:0", "'*'", "[::]", "127.0.0.1:80-81", "localhost:81", "LocalHost:81", "80x", "-", "''", "*:x", "[::1]:80/", "80?") +
		g.pick("", "", "", " default_server", " ssl", " http2", " bind", " backlog=10", " backlog=0", " reuseport", " ipv6only=off", " ipv6only=x", " ipv6only=ox", " so_keepalive=on", " so_keepalive=1:2:3", " so_keepalive=::", " so_keepalive=1 so_keepalive=:", " so_keepalive=x", " fastopen=1", " rcvbuf=1k", " sndbuf=x", " deferred", " proxy_protocol", " default", " quic", " x", " accept_filter=x", " setfib=1", " proxy_protocol default_server", " bind bind", " ''")
}

func (g generator) regex() string {
	return g.pick(`^/a`, `\.php$`, `(`, `[`, `(?<x>a)`, `(?<x>a)(?<x>b)`, `a\`, `*`, `''`, `(?<host>a)`, `"a{2}"`, `\d+`, `(?P<y>.)`, `[[:foo:]]`, `(?i)x`)
}

func (g generator) location() string {
	return g.pick("/", "/a", "/a/b", "/b", "= /", "= /a", "=/a", "^~ /a", "^~/a", "@a", "@b", "~ "+g.regex(), "~* "+g.regex(), "~"+g.regex(), "~*"+g.regex(), "!~ x", "''", "/a/", "x", `"/a"`, "= ''", "^~ ''")
}

func (g generator) logTarget() string {
	return g.pick("a.log", "stderr", "syslog:server=127.0.0.1", "syslog:server=127.0.0.1,facility=local0,tag=a", "syslog:", "syslog:server=127.0.0.1,server=127.0.0.1", "syslog:facility=x", "syslog:server=127.0.0.1,severity=info,nohostname", "syslog:server=127.0.0.1,x", "syslog:server=unix:a,tag=a-b", "syslog:server=127.0.0.1:0", "memory:1k", "memory:32m", "memory:x", "syslog:server=127.0.0.1,", "syslog:server=127.0.0.1,tag=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "syslog:server=127.0.0.1,severity=x")
}

func (g generator) level() string {
	return g.pick("emerg", "error", "warn", "debug", "debug_http", "debug_core", "x", "ERROR", "info", "''")
}

// core returns a directive of the main context.
func (g generator) core() string {
	switch g.IntN(12) {
	case 0:
		return "worker_processes " + g.pick("auto", g.number(), "auto") + ";"
	case 1:
		return "worker_priority " + g.pick("-5", "+5", "5", "0", g.number()) + ";"
	case 2:
		return "worker_cpu_affinity " + g.some(3, "auto", "01", "10", "2", "1 0", "'0 1'", "''", "0101") + ";"
	case 3, 4:
		return "error_log " + g.logTarget() + " " + g.pick("", g.level(), g.level(), g.level()+" "+g.level()) + ";"
	case 5:
		return "thread_pool " + g.pick("a", "b", "default") + " " + g.some(2, "threads=1", "threads=0", "threads=x", "max_queue=1", "max_queue=x", "x") + ";"
	case 6:
		return "env " + g.pick("A", "A=b", "''", "=") + ";"
	case 7:
		return "worker_rlimit_nofile " + g.number() + ";"
	case 8:
		return g.pick("timer_resolution ", "worker_shutdown_timeout ") + g.time() + ";"
	case 9:
		return "daemon " + g.flag() + ";"
	case 10:
		return "debug_points " + g.pick("stop", "abort", "x") + ";"
	}
	return "pcre_jit " + g.flag() + ";"
}

func (g generator) events() string {
	switch g.IntN(5) {
	case 0:
		return "use " + g.pick("epoll", "kqueue", "x", "''") + ";"
	case 1:
		return "worker_connections " + g.pick("1024", "768", "1", "2", "3", g.number()) + ";"
	case 2:
		return g.pick("multi_accept ", "accept_mutex ") + g.flag() + ";"
	case 3:
		return "accept_mutex_delay " + g.time() + ";"
	}
	return "debug_connection " + g.pick("127.0.0.1", "10.0.0.0/8", "10.0.0.1/8", "unix:", "::1") + ";"
}

// httpCore returns a directive of ngx_http_core_module for a level of http.
func (g generator) httpCore(level string) string {
	switch g.IntN(22) {
	case 0:
		return g.pick("root ", "alias ") + g.text() + ";"
	case 1, 2:
		return "error_page " + g.some(3, "404", "500", "499", "299", "600", "x", "=", "=200", "=x", "''", "1000") + " " + g.text() + ";"
	case 3:
		return "aio " + g.pick("on", "off", "threads", "threads=a", "threads=default", "threads=$uri", "threads=", "threadsx", "x") + ";"
	case 4:
		return "directio " + g.pick("off", g.size()) + ";"
	case 5:
		return "keepalive_timeout " + g.time() + g.pick("", " "+g.time()) + ";"
	case 6:
		return "open_file_cache " + g.some(3, "max=10", "max=0", "max=x", "inactive=10s", "inactive=x", "off", "x") + ";"
	case 7:
		return "resolver " + g.some(3, g.host(), "valid=10s", "valid=x", "ipv6=off", "ipv6=x", "ipv4=off") + ";"
	case 8:
		return "disable_symlinks " + g.some(2, "on", "off", "if_not_owner", "from=$document_root", "from=$", "x") + ";"
	case 9:
		return "gzip_disable " + g.some(2, "msie6", g.regex(), "x") + ";"
	case 10:
		return g.pick("connection_pool_size ", "request_pool_size ") + g.size() + ";"
	case 11:
		return g.pick("large_client_header_buffers ") + g.number() + " " + g.size() + ";"
	case 12:
		return "error_log " + g.logTarget() + " " + g.pick("", g.level()) + ";"
	case 13:
		return "types { " + g.pick("text/html html htm;", "text/x;", "a b; c b;", "include;", "include a b;", "a { b; }", "'' x;") + " }"
	case 14:
		return g.pick("satisfy all", "satisfy any", "satisfy x", "if_modified_since exact", "client_body_in_file_only clean", "client_body_in_file_only on", "server_tokens build", "server_tokens On", "etag x", "reset_timedout_connection on", "lingering_close always", "lingering_close ON") + ";"
	case 15:
		return g.pick("client_max_body_size ", "client_body_buffer_size ", "client_header_buffer_size ", "sendfile_max_chunk ", "output_buffers 1 ", "limit_rate ", "limit_rate_after ", "read_ahead ", "postpone_output ", "subrequest_output_buffer_size ", "server_names_hash_bucket_size ", "types_hash_max_size ") + g.pick(g.size(), g.size(), g.text()) + ";"
	case 16:
		return g.pick("client_body_timeout ", "client_header_timeout ", "send_timeout ", "lingering_timeout ", "keepalive_time ", "resolver_timeout ", "open_file_cache_valid ") + g.time() + ";"
	case 17:
		return g.pick("sendfile ", "tcp_nopush ", "merge_slashes ", "port_in_redirect ", "chunked_transfer_encoding ", "log_subrequest ", "underscores_in_headers ") + g.flag() + ";"
	case 18:
		return "default_type " + g.text() + ";"
	case 19:
		return g.pick("client_body_temp_path a", "client_body_temp_path a 1 2", "client_body_temp_path a 3 3 3", "client_body_temp_path a 4", "client_body_temp_path a 0", "client_body_temp_path a x", "try_files a", "try_files a =404", "try_files a =x", "index a b", "keepalive_disable msie6 none", "keepalive_disable x", "keepalive_requests 3", "open_file_cache_min_uses x", "max_ranges 1", "auth_delay 1s") + ";"
	case 20:
		return "internal;"
	}
	switch level {
	case "server":
		return g.pick("listen "+g.listen(), "listen "+g.listen(), "server_name "+g.some(3, "a", "b", "*.a", ".a", "a.*", "*a", "*.", ".", "a..b", "a*b", "''", "~", "~^a(b)$", "~(", "~(?<x>A)", "a/b", "$hostname", "_", "A")) + ";"
	case "location":
		return "limit_except " + g.some(2, "GET", "POST", "get", "x", "TRACE") + " { " + g.pick("", "deny all;", "root /x;", "location /a {}") + " }"
	}
	return "server_names_hash_max_size " + g.number() + ";"
}

// conf returns a main file with n random directives in a place each.
func (g generator) conf(n int, core, events func() string, http func(level string) string) string {
	var at [5]strings.Builder
	for range n {
		switch k := g.IntN(12); {
		case k == 0 && core != nil:
			fmt.Fprintf(&at[0], "%s\n", core())
		case k == 1 && events != nil:
			fmt.Fprintf(&at[1], "  %s\n", events())
		case k < 5:
			fmt.Fprintf(&at[2], "  %s\n", http("http"))
		case k < 9:
			fmt.Fprintf(&at[3], "    %s\n", http("server"))
		default:
			fmt.Fprintf(&at[4], "      %s\n", http("location"))
		}
	}
	inner := at[4].String()
	location := g.location()
	if g.IntN(3) == 0 {
		inner += "      location " + g.location() + " {\n      }\n"
	}
	other := ""
	switch g.IntN(4) {
	case 0:
		other = "    location " + g.location() + " {\n    }\n"
	case 1:
		other = "  }\n  server {\n    " + http("server") + "\n    " + http("server") + "\n"
	}
	return fmt.Sprintf("%sevents {\n%s}\nhttp {\n%s  server {\n%s    location %s {\n%s    }\n%s  }\n}\n", &at[0], &at[1], &at[2], &at[3], location, inner, other)
}

// TestOracleCore asks the installed nginx about random uses of the core
// modules' directives.
func TestOracleCore(t *testing.T) {
	u := newUpstream(t)
	rnd, cases := oracleSize(t, 150)
	g := generator{rnd}
	for range cases {
		conf := g.conf(1+g.IntN(4), g.core, g.events, g.httpCore)
		if diff := u.compare(t, conf); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
}
