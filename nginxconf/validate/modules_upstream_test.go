package validate_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// name returns what stands for a new variable.
func (g generator) name() string {
	return g.pick("$a", "$a", "$b", "$c", "$A", "a", "$", "''", "$host", "$args", "$arg_x", "$limit_rate", "$ssl_cipher", "$uri", "${a}", "$a b", "'$a b'", "$1", "$invalid_referer", "$http_x", "$status", "$modern_browser")
}

// value returns text in which variables may stand that are defined by name.
func (g generator) value() string {
	return g.pick("x", "x", "$a", "$b", "$c", "$host", "$a$b", g.text(), "''", "$1", "$http_x", "text/html", "/", "off", "a\x00$", "x?", "'$host '", "$arg_", "${host}${a}", "é")
}

// entry returns what stands in map and its like.
func (g generator) mapEntry() string {
	key := g.pick("a", "A", "b", "default", "default", "*.a", ".a", "a.*", "*a", "a..b", "'~a'", "~"+g.regex(), "'~*(?<x>a)'", "~", "~*", `\default`, `\a`, `'\\~'`, "''", "hostnames", "volatile", "a*b*", "a\x00b", "*.", "..", ".", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "*.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", "$host", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	switch g.IntN(12) {
	case 0:
		return "hostnames;"
	case 1:
		return "volatile;"
	case 2:
		return key + ";"
	case 3:
		return key + " a b;"
	case 4:
		return key + " { }"
	}
	return key + " " + g.value() + ";"
}

func (g generator) network() string {
	return g.pick("10.0.0.0/8", "10.0.0.1/8", "10.0.0.1", "10.0.0.0/24", "10.0.0.0/33", "10.0.0.0/", "010.0.0.0/08", "::1", "::/0", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1/32", "::/129", "1:2:3:4:5:6:7::", ":1:2:3:4:5:6:7:8", "255.255.255.255", "255.255.255.255/32", "1..2.3", "...", "a", "unix:", "all", "ALL", "[::1]", "''", "1.2.3.4:80", "10/8", "::ffff:1.2.3.4", "1.2.3.4/x", "1.2.3.4/24/8", "::255.255.255.255", "64.0.0.0/6", "68.0.0.0/6")
}

func (g generator) geoEntry(ranges bool) string {
	key := g.network()
	if ranges && g.IntN(5) > 0 {
		key = g.pick("10.0.0.0-10.0.0.255", "10.0.0.10-10.0.0.20", "10.0.0.0-10.0.0.10", "10.0.0.200-10.0.0.255", "10.0.0.0-10.1.0.5", "10.1.0.0-10.1.0.5", "10.0.255.0-10.1.0.0", "10.0.0.5-10.0.0.4", "10.0.0.1-255.255.255.255", "1.2.3.4-1.2.3.4", "10.0.0.1", "-", "a-b", "10.0.0.1-10.0.0.2-10.0.0.3", "10.0.0.5-10.0.0.15", "10.0.0.0/8-10.1.0.0", "::1-::2", "10.0.0.20-10.0.0.30")
	}
	switch g.IntN(14) {
	case 0:
		return "default " + g.value() + ";"
	case 1, 2:
		return "delete " + key + ";"
	case 3:
		return g.pick("ranges;", "proxy_recursive;", "volatile;", "a;", "default;", "a b c;", "a {}")
	case 4:
		return "proxy " + g.network() + ";"
	}
	return key + " " + g.pick("a", "b", "''", "$x", "$") + ";"
}

func (g generator) body(entry func() string) string {
	var b strings.Builder
	for range g.IntN(5) {
		b.WriteString("\n    " + entry())
	}
	return " {" + b.String() + "\n  }"
}

func (g generator) percent() string {
	return g.pick("50%", "50%", "10.5%", "0.01%", "0%", "100%", "100.00%", "100.001%", "*", "*", "50", "x%", "%", "''", ".5%", "5.%", "1.2.3%", "99999999999999999999%", "42949672.96%", "150%", "'50 %'", ".%")
}

func (g generator) charset() string {
	return g.pick("utf-8", "UTF-8", "koi8-r", "windows-1251", "off", "$a", "$", "$host", "''", "x")
}

func (g generator) zone() string {
	return g.pick("zone=a:1m", "zone=a:1m", "zone=b:32k", "zone=a:2m", "zone=a", "zone=:1m", "zone=a:", "zone=a:x", "zone=a:31k", "zone=a:0", "zone=", "zone=a:1m:2", "zone=a:1g", "zon=a", "''", "zone=c:1M", "zone=a\x00b:1m", "zone=99999999999999999999k")
}

func (g generator) accessLog() string {
	params := ""
	for range g.IntN(3) {
		params += " " + g.pick("buffer=4k", "buffer=4k", "buffer=8k", "buffer=0", "buffer=x", "buffer=", "flush=1m", "flush=0", "flush=x", "gzip", "gzip=1", "gzip=0", "gzip=9", "gzip=10", "gzip=", "gzipx", "if=$a", "if=$", "if=", "x", "''", "if=$host$", "buffer=4k")
	}
	return g.pick("a.log", "a.log", "b.log", "off", "$host.log", "$a.log", "$", "syslog:server=127.0.0.1", "syslog:server=127.0.0.1,tag=a", "syslog:", "''", "syslog:server=127.0.0.1,x", "off\x00x", "${host") +
		g.pick("", "", " combined", " main", " MAIN", " Combined", " x", " ''", " off", " main", " combined"+params, " main"+params, " combined"+params)
}

func (g generator) types() string {
	return g.some(5, "text/html", "TEXT/HTML", "text/css", "text/plain", "*", "''", "application/x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "application/x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "text/css", "**")
}

// condition returns the words of if.
func (g generator) condition() string {
	switch g.IntN(8) {
	case 0:
		return g.pick("($host)", "($a)", "( $host )", "($host", "$host)", "()", "( )", "($)", "(host)", "($host $a)", "('')", "''", "(", ")", "($host = a b)", "(-f)", "((", "($host)x", "(!$host)", "(-f $host", "($host = a) x", "($1)", "( ( $host ) )", "('$a b')", "(${host})", "( -f $uri )", "(!-f $uri)", "(! -f $uri)", "\"($host)\"", "($host=a)")
	case 1, 2:
		return "(" + g.pick("-f", "-d", "-e", "-x", "!-f", "!-d", "!-e", "!-x", "-g", "!-g", "-", "!-", "-ff", "!-ff") + " " + g.pick("$uri", "$request_filename", "/a", "''", "$", "${uri", "${", "$a", "${}", "$1", g.text()) + ")"
	}
	op := g.pick("=", "!=", "~", "~*", "!~", "!~*", "==", "<", "!", "''", "~~", "=~", "!~~")
	right := g.value()
	if strings.Contains(op, "~") {
		right = g.regex()
	}
	return "(" + g.pick("$host", "$host", "$a", "host", "$", "''", "$arg_x", "$b", "$http_cookie", "$nosuch") + " " + op + " " + right + g.pick(")", ")", ")", " )", "", "))")
}

func (g generator) referer() string {
	return g.some(4, "none", "blocked", "server_names", "*.a.com", "a.com", "A.com/x", ".a.com", "a.*", "a.*/x", "a..b", "*a", "'~a'", "~", "~(", `'~\.a\.'`, "''", "a.com", "*.a.com", "b", "b/c", "/x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "*.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", "'~(?<x>a)'")
}

// hashes returns a directive of the hash tables of http's core.
func (g generator) hashes(level string) string {
	long := strings.Repeat("a", 44+g.IntN(6))
	name := func() string {
		return g.pick("a", "b", "c.d", "*.a", ".a", "a.*", "*."+long+".b", long, "b"+long, long[:40]+".x", "''", "e", "f", "g", "h")
	}
	switch g.IntN(4) {
	case 0:
		if level == "http" {
			return g.pick("server_names_hash_max_size ", "server_names_hash_bucket_size ") + g.pick("0", "1", "2", "32", "64", "65", "128", "70000", "x") + ";"
		}
	case 1:
		return g.pick("types_hash_max_size ", "types_hash_bucket_size ") + g.pick("0", "1", "2", "3", "32", "64", "65", "128", "70000", "x") + ";"
	case 2:
		return "types { x " + g.some(9, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", long) + "; " + g.pick("", "y "+long+";", "z k l m n o p q r s;") + " }"
	}
	if level == "server" {
		return "server_name " + name() + " " + name() + " " + name() + ";"
	}
	return g.modules(level)
}

// TestOracleHashes asks the installed nginx about names that do not fit in hash
// tables.
func TestOracleHashes(t *testing.T) {
	u := newUpstream(t)
	require.NoError(t, os.MkdirAll(filepath.Join(u.dir, "logs"), 0o700))
	rnd, cases := oracleSize(t, 60)
	g := generator{rnd}
	for range cases {
		conf := g.conf(2+g.IntN(5), nil, nil, g.hashes)
		diff := u.compare(t, conf)
		if diff != "" {
			assert.Fail(t, diff, conf)
		} else if u.first(t, conf) == nil {
			assert.Equal(t, u.warnings(t, conf), u.ourWarnings(conf), conf)
		}
	}
}

// modules returns a directive of one of http's modules for a level of http.
func (g generator) modules(level string) string {
	if level == "http" && g.IntN(2) == 0 {
		return g.httpModules()
	}
	if level != "http" && g.IntN(3) == 0 {
		return g.rewrite(level == "location")
	}
	if level == "location" && g.IntN(4) == 0 {
		return g.locationModules()
	}
	switch g.IntN(34) {
	case 0, 1, 2:
		return "access_log " + g.accessLog() + ";"
	case 3:
		return "open_log_file_cache " + g.some(3, "max=10", "max=0", "max=x", "inactive=1", "inactive=x", "min_uses=1", "min_uses=x", "valid=1m", "valid=x", "off", "x", "''", "max=5") + ";"
	case 4, 5:
		return g.pick("allow ", "deny ", "set_real_ip_from ") + g.network() + ";"
	case 6:
		return "real_ip_header " + g.pick("X-Real-IP", "x", "proxy_protocol", "''") + ";"
	case 7:
		return "auth_basic_user_file " + g.value() + ";"
	case 8:
		return "auth_basic " + g.value() + ";"
	case 9:
		return "auth_request " + g.pick("/a", "off", "''", "$a") + ";"
	case 10:
		return "auth_request_set " + g.name() + " " + g.value() + ";"
	case 11, 12:
		return g.pick("add_header ", "add_header ", "add_trailer ") + g.pick("X", "''", "$a", "Cache-Control") + " " + g.value() + g.pick("", "", " always", " x", " ''", " Always") + ";"
	case 13, 14:
		return "expires " + g.pick("", "", "", "modified ", "x ", "modified\x00 ") + g.pick("1d", "-1", "+1h", "epoch", "max", "off", "@15h30m", "@24h", "@24h1s", "@", "-", "+", "''", "x", "$a", "$", "@x", "1ms", "-1y", "EPOCH", "+epoch", "$host", "@-1") + ";"
	case 15, 16:
		return g.pick("limit_req zone=a", "limit_req zone=b burst=5", "limit_req zone=a burst=0", "limit_req zone=a burst=x", "limit_req zone=a burst=5 nodelay", "limit_req zone=a delay=2", "limit_req zone=a delay=0", "limit_req zone=", "limit_req burst=5", "limit_req zone=c", "limit_req x", "limit_req zone=a x", "limit_req zone=a zone=b", "limit_req zone=a nodelay x", "limit_req ''") + ";"
	case 17:
		return g.pick("limit_conn a 1", "limit_conn b 5", "limit_conn a 0", "limit_conn a x", "limit_conn a 65535", "limit_conn a 65536", "limit_conn c 1", "limit_conn '' 1", "limit_conn z 1") + ";"
	case 18:
		return g.pick("limit_req_status ", "limit_conn_status ") + g.pick("399", "400", "599", "600", "x", "503", "''") + ";"
	case 19:
		return g.pick("limit_req_log_level ", "limit_conn_log_level ") + g.level() + ";"
	case 20:
		return "sub_filter " + g.value() + " " + g.value() + ";"
	case 21, 22:
		return g.pick("gzip_types ", "gzip_types ", "ssi_types ", "charset_types ", "sub_filter_types ", "addition_types ") + g.types() + ";"
	case 23:
		return g.pick("gzip_window ", "gzip_hash ") + g.size() + ";"
	case 24:
		return "gzip_comp_level " + g.number() + ";"
	case 25:
		return "index " + g.some(3, "index.html", "/a", "''", "$a", "$", "a", "$host/a") + ";"
	case 26:
		return "mirror " + g.pick("/a", "off", "/b", "''", "$a") + ";"
	case 27, 28:
		return g.pick("charset ", "source_charset ") + g.charset() + ";"
	case 29:
		return g.pick("userid_expires "+g.pick("max", "off", g.time()), "userid_mark "+g.pick("off", "a", "Z", "1", "=", "_", "''", "ab"), "userid "+g.pick("on", "v1", "log", "off", "x"), "userid_flags "+g.some(3, "off", "secure", "httponly", "samesite=lax", "x"), "userid_domain none", "userid_service 1", "userid_path /") + ";"
	case 30:
		return g.pick("secure_link ", "secure_link_md5 ", "secure_link_secret ") + g.value() + ";"
	case 31:
		return g.pick("modern_browser msie 5.0", "modern_browser MSIE 5", "modern_browser x 1", "modern_browser gecko 1.x", "modern_browser unlisted", "modern_browser opera ''", "modern_browser opera .", "ancient_browser a", "ancient_browser netscape4 a", "modern_browser_value a", "ancient_browser_value $a") + ";"
	case 32:
		return g.pick("dav_methods PUT", "dav_methods off", "dav_methods put delete", "dav_methods x", "dav_access user:rw", "create_full_put_path on", "min_delete_depth x", "autoindex_format xml", "autoindex_format x", "autoindex on", "ssi on", "ssi_value_length 10", "add_before_body a", "gunzip on", "slice 1m", "slice x", "mp4_buffer_size 1k", "gzip_buffers 1 1k", "gzip_buffers 0 1k", "output_buffers 1 0", "real_ip_recursive on") + ";"
	}
	return "mirror_request_body " + g.flag() + ";"
}

func (g generator) httpModules() string {
	switch g.IntN(11) {
	case 0, 1:
		return "map " + g.value() + " " + g.name() + g.body(g.mapEntry)
	case 2:
		return g.pick("map_hash_max_size ", "map_hash_bucket_size ", "variables_hash_max_size ", "variables_hash_bucket_size ") + g.pick("0", "1", "32", "64", "128", "65", "70000", "x", "2048", "''") + ";"
	case 3, 4:
		ranges := g.IntN(2) == 0
		body := g.body(func() string { return g.geoEntry(ranges) })
		if ranges {
			body = strings.Replace(body, "{", "{\n    ranges;", 1)
		}
		return "geo " + g.pick("", "", "", "$remote_addr ", "$b ", "x ", "$ ") + g.name() + body
	case 5:
		return "split_clients " + g.value() + " " + g.name() + g.body(func() string { return g.percent() + g.pick(" a", " a", " a", "", " a b", " {}") + ";" })
	case 6:
		return "charset_map " + g.charset() + " " + g.charset() + g.body(func() string {
			return g.pick("80", "FF", "0", "x", "100", "''", "c0", "80", "00c0") + " " + g.pick("80", "E282AC", "D0B0", "D0", "''", "e282", "41", "C280", "F09F9880", "E2828", "xx", "C0", "D041", "e0a080", "e08080", "D0B0D0") + g.pick("", "", "", "", " x") + ";"
		})
	case 7, 8:
		return g.pick("limit_req_zone ", "limit_conn_zone ") + g.value() + " " + g.zone() + g.pick("", " rate=1r/s", " rate=1r/s", " rate=10r/m", " rate=x", " rate=0r/s", " rate=5", " rate=r/s", " "+g.zone(), " x", " rate=-1r/s", " rate=1r/h") + ";"
	case 9, 10:
		return "log_format " + g.pick("main", "main", "MAIN", "combined", "x", "''", "Combined") + " " + g.pick("", "", "", "escape=json ", "escape=none ", "escape=x ", "escape= ") + g.some(2, g.value(), "'$remote_addr - $status'", "$pipe", "$Pipe", "$time_local", "'${status}x'", "$", "'a$ b'", "${status", "${", "escape=json", "$1", "$a") + ";"
	}
	return g.pick("geo $a {}", "map $a $b { include x y; }", "gzip_vary on") + ";"
}

func (g generator) rewrite(location bool) string {
	inner := []string{"", "", "\n    " + g.simpleRewrite(), "\n    break;", "\n    set $a b;\n    " + g.simpleRewrite(), "\n    listen 80;", "\n    add_header a $b;", "\n    limit_rate 1k;", "\n    if ($host) {}", "\n    gzip on; gzip on;", "\n    root /x;"}
	switch g.IntN(3) {
	case 0:
		return "if " + g.condition() + " {" + g.pick(inner...) + "\n  }"
	case 1:
		if location || g.IntN(2) == 0 {
			return g.pick("try_files ", "try_files ") + g.some(3, "$uri", "$uri/", "/a", "''", "$a", "$/", "${uri/") + " " + g.pick("=404", "=1000", "=x", "=", "@a", "/b", "=$host", "$uri/", "=404x", "''", "=$", "=0404", "=999", "= ", "=-1") + ";"
		}
		return "valid_referers " + g.referer() + ";"
	}
	return g.simpleRewrite()
}

func (g generator) simpleRewrite() string {
	switch g.IntN(5) {
	case 0:
		return "set " + g.name() + " " + g.value() + ";"
	case 1, 2:
		return "rewrite " + g.regex() + " " + g.pick("/b", "/b?", "''", "http://a/$1", "$scheme://a", "/$a", "/b$", "/b$?", "?", "/b?$a", "${", "/b?${x") + g.pick("", "", " last", " break", " redirect", " permanent", " x", " ''", " Last", " last\x00x") + ";"
	case 3:
		return "return " + g.pick("200", "301 /a", "301", "404 $a", "999", "1000", "x", "http://a", "https://a/$b", "$scheme://a", "$host", "''", "-1", "200 ''", "200 $", "http://$", "200 '${'", "x http://a", "/a", "0", "00200", "200 "+g.value()) + ";"
	}
	return "rewrite_log " + g.flag() + ";"
}

func (g generator) locationModules() string {
	return g.pick("mp4", "flv", "empty_gif", "stub_status", "stub_status on", "random_index on", "random_index x",
		"valid_referers "+g.referer(), "referer_hash_max_size "+g.number(), "referer_hash_bucket_size "+g.pick("0", "32", "64", "128", "x", "65"),
		"valid_referers "+g.referer()) + ";"
}

// warnings returns what nginx warns of, with the line, in a configuration that
// it takes.
func (u *upstream) warnings(t *testing.T, conf string) (list []string) {
	t.Helper()
	if strings.HasPrefix(u.version, "1.18.") { // which has no -e
		return u.ourWarnings(conf)
	}
	out, err := u.command("-t", "-p", u.dir, "-c", filepath.Join(u.dir, "nginx.conf"), "-e", "stderr", "-g", "pid nginx.pid;"+u.modules).CombinedOutput()
	require.NoError(t, err, conf)
	for line := range strings.Lines(string(out)) {
		// How full that hash is depends on how nginx was built.
		if m := warned.FindStringSubmatch(line); m != nil && !strings.Contains(m[1], "optimal variables_hash") {
			list = append(list, m[1])
		}
	}
	return onceEach(list)
}

// onceEach drops what is there already of hash tables and ranges: we say it once.
func onceEach(list []string) (kept []string) {
	for _, text := range list {
		once := strings.HasPrefix(text, "could not build") || strings.HasPrefix(text, "duplicate range")
		if !once || !slices.Contains(kept, text) {
			kept = append(kept, text)
		}
	}
	return kept
}

var warned = regexp.MustCompile(`(?s)\[warn\] \d+#\d+: (.*)\n`)

// ourWarnings returns ours in the same form.
func (u *upstream) ourWarnings(conf string) (list []string) {
	name := strings.TrimPrefix(filepath.Join(u.dir, "nginx.conf"), "/")
	c, _ := nginxconf.Load(fstest.MapFS{name: {Data: []byte(conf)}}, name, nil)
	for _, d := range validate.Config(c, &validate.Options{Version: u.version, Resolve: noNames}) {
		text := d.Message
		if !strings.HasPrefix(text, "could not build") && !strings.HasPrefix(text, "conflicting server") {
			text += fmt.Sprintf(" in /%s:%d", d.Start.Filename, d.Start.Line)
		}
		list = append(list, text)
	}
	return onceEach(list)
}

// addons are modules that Debian has apart, and directives of theirs for a
// location, or, behind "http:", for the http block.
var addons = map[string]func(g generator) string{
	"ngx_http_xslt_filter_module": func(g generator) string {
		return g.pick("xslt_types "+g.types()+" text/xml", g.pick("xslt_param ", "xslt_string_param ")+g.value()+" "+g.value())
	},
	"ngx_http_echo_module": func(g generator) string {
		return g.pick("echo_sleep ", "echo_exec ", "echo_location ", "echo ", "echo_duplicate 2 ", "echo -n ") + g.value()
	},
	"ngx_http_subs_filter_module": func(g generator) string {
		return g.pick("subs_filter_types "+g.types(),
			"subs_filter "+g.pick(g.regex(), g.value())+" "+g.pick("$1", "$1$2", "$host$3", g.value(), "a")+" "+g.pick("", "r", "r", "ir", "g", "gior", "x"))
	},
	"ngx_http_dav_ext_module": func(g generator) string {
		return g.pick("http:dav_ext_lock_zone "+g.zone()+g.pick("", " timeout=1m", " timeout=0", " timeout=x", " "+g.zone(), " x"),
			"dav_ext_lock "+g.pick("zone=a", "zone=c", "zone=", "x", "a"), "dav_ext_lock zone=a; dav_ext_lock zone=b", "dav_ext_methods "+g.some(2, "PROPFIND", "LOCK", "off", "x"))
	},
	"ngx_http_image_filter_module": func(g generator) string {
		size := func() string { return g.pick("100", "-", "0", "x", "$a", "$host", "$", "''", "90", "180", "-1") }
		return g.pick(
			"image_filter "+g.pick("off", "test", "size", "resize", "crop", "x"),
			"image_filter "+g.pick("rotate", "resize", "x")+" "+size(),
			"image_filter "+g.pick("resize", "crop", "rotate", "x")+" "+size()+" "+size(),
			g.pick("image_filter_jpeg_quality ", "image_filter_webp_quality ", "image_filter_sharpen ")+size(),
			"image_filter_buffer "+g.size(), "image_filter_transparency "+g.flag())
	},
	"ngx_http_headers_more_filter_module": func(g generator) string {
		return g.pick("more_set_headers -s 404 ", "more_set_headers ", "more_clear_headers -s '404 500' -t a ", "more_set_input_headers -r ", "more_set_input_headers -t text/html ") +
			g.pick("'A: "+g.pick("$a", "b", "$", "${a", "${", "$host", "")+"'", "A:$b", "'$c: x'", "A", "'A  $b'")
	},
	"ngx_http_geoip_module": func(g generator) string { return "http:geoip_proxy " + g.network() },
	"ngx_http_perl_module": func(g generator) string {
		return g.pick("http:perl_set "+g.name()+" 'sub { 1 }'", "perl a::b", "perl a::b; perl c::d")
	},
}

// load loads those of the modules that are there, and returns their names.
func (u *upstream) load(names []string) (loaded []string) {
	if nginxProgram() != "nginx" {
		return nil
	}
	for _, name := range names {
		for _, dir := range filepath.SplitList(cmp.Or(os.Getenv("ORACLE_MODULES"), "/usr/lib/nginx/modules")) {
			so := filepath.Join(dir, name+".so")
			if _, err := os.Stat(so); err == nil {
				u.modules += "load_module " + so + ";"
				loaded = append(loaded, name)
				break
			}
		}
	}
	return loaded
}

// TestOracleAddons asks the installed nginx about modules that Debian has apart.
// ORACLE_MODULES lists the directories that they are in.
func TestOracleAddons(t *testing.T) {
	u := newUpstream(t)
	loaded := u.load(slices.Sorted(maps.Keys(addons)))
	if len(loaded) == 0 {
		t.Skip("none of the modules is installed")
	}
	rnd, cases := oracleSize(t, 60)
	g := generator{rnd}
	for range cases {
		var at [2]string
		for range 1 + g.IntN(2) {
			d, ok := strings.CutPrefix(addons[g.pick(loaded...)](g), "http:")
			place := &at[1]
			if ok {
				place = &at[0]
			}
			*place += "  " + d + ";\n"
		}
		conf := fmt.Sprintf("events {}\nhttp {\n  %s\n%s  server {\n    location / {\n%s    }\n  }\n}\n", g.modules("http"), at[0], at[1])
		diff := u.compare(t, conf)
		if diff != "" {
			assert.Fail(t, diff, conf)
		} else if u.first(t, conf) == nil {
			assert.Equal(t, u.warnings(t, conf), u.ourWarnings(conf), conf)
		}
	}
}

// TestOracleModules asks the installed nginx about random uses of directives of
// http's modules.
func TestOracleModules(t *testing.T) {
	u := newUpstream(t)
	require.NoError(t, os.MkdirAll(filepath.Join(u.dir, "logs"), 0o700)) // for the access log of a nginx that is not Debian's
	rnd, cases := oracleSize(t, 200)
	g := generator{rnd}
	for range cases {
		conf := g.conf(1+g.IntN(4), nil, nil, g.modules)
		if g.IntN(4) == 0 { // alone, where nothing hides what is wrong with it
			conf = fmt.Sprintf("events {}\nhttp {\n  %s\n  server {\n  }\n}\n", g.modules("http"))
		}
		diff := u.compare(t, conf)
		if diff != "" {
			assert.Fail(t, diff, conf)
		} else if u.first(t, conf) == nil {
			assert.Equal(t, u.warnings(t, conf), u.ourWarnings(conf), conf)
		}
	}
}

// streamModules returns a directive of one of stream's modules.
func (g generator) streamModules(level string) string {
	if level == "stream" {
		switch g.IntN(8) {
		case 0, 1, 2, 3:
			return strings.ReplaceAll(g.httpModules(), "limit_req_zone", "limit_conn_zone")
		case 4:
			return "log_format " + g.pick("main", "MAIN", "combined", "x") + " " + g.pick("", "escape=json ", "escape=x ") + g.some(2, g.value(), "'$remote_addr $status'", "$pipe", "$time_local", "$", "$1", "$bytes_sent") + ";"
		}
	}
	switch g.IntN(6) {
	case 0:
		return "access_log " + g.accessLog() + ";"
	case 1:
		return g.pick("allow ", "deny ", "set_real_ip_from ") + g.network() + ";"
	case 2:
		return g.pick("limit_conn a 1", "limit_conn b 5", "limit_conn a 0", "limit_conn c 1", "limit_conn_log_level x", "limit_conn_dry_run on") + ";"
	case 3:
		return "open_log_file_cache " + g.some(3, "max=10", "max=0", "inactive=x", "valid=1m", "off", "x") + ";"
	case 4:
		return "set " + g.name() + " " + g.value() + ";"
	}
	return g.pick("preread_timeout 1s", "tcp_nodelay on", "access_log off", "variables_hash_bucket_size 64") + ";"
}

// TestOracleStreamModules asks the installed nginx about random uses of those
// directives that http and stream share.
func TestOracleStreamModules(t *testing.T) {
	u := newUpstream(t)
	rnd, cases := oracleSize(t, 100)
	g := generator{rnd}
	for range cases {
		var main, server strings.Builder
		for range 1 + g.IntN(3) {
			fmt.Fprintf(&main, "  %s\n", g.streamModules("stream"))
		}
		for range g.IntN(3) {
			fmt.Fprintf(&server, "    %s\n", g.streamModules("server"))
		}
		conf := fmt.Sprintf("events {}\nstream {\n%s  server {\n    listen 90;\n    return $remote_addr;\n%s  }\n}\n", &main, &server)
		diff := u.compare(t, conf)
		if diff != "" {
			assert.Fail(t, diff, conf)
		} else if u.first(t, conf) == nil {
			assert.Equal(t, u.warnings(t, conf), u.ourWarnings(conf), conf)
		}
	}
}

// TestOracleIncludedEntries asks the installed nginx about the entries of map,
// geo and their like in files of their own.
func TestOracleIncludedEntries(t *testing.T) {
	u := newUpstream(t)
	require.NoError(t, os.MkdirAll(filepath.Join(u.dir, "logs"), 0o700))
	rnd, cases := oracleSize(t, 60)
	g := generator{rnd}
	for range cases {
		entry := g.mapEntry
		block := "map $host $a"
		switch g.IntN(4) {
		case 0:
			block, entry = "geo $a", func() string { return g.geoEntry(false) }
		case 1:
			block, entry = "geo $a", func() string { return g.geoEntry(true) }
		case 2:
			block, entry = "types", func() string { return g.pick("a b", "a b c", "x", "a", "'' b", "a {}") + ";" }
		}
		entries := func() (text string) {
			for range g.IntN(4) {
				text += strings.Repeat("\n", g.IntN(3)) + entry() + "\n"
			}
			return text
		}
		conf := "events {}\nhttp {\n" + block + " {\n" + g.pick("", "ranges;\n") + entries() + "include x;\n" + entries() + "}\nserver {}\n}\n"
		u.beside = map[string]string{"x": entries() + g.pick("", "include y;\n") + entries(), "y": entries()}
		if diff := u.compare(t, conf); diff != "" {
			assert.Fail(t, diff, "%s\nx:\n%s\ny:\n%s", conf, u.beside["x"], u.beside["y"])
		}
	}
}
