package validate_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// found returns what is found in a main file, as "line: message", errors and
// warnings apart.
func found(t *testing.T, version, conf string) (errs, warns []string) {
	t.Helper()
	c, _ := nginxconf.Load(fstest.MapFS{"n": {Data: []byte(conf)}}, "n", nil)
	for _, d := range validate.Config(c, &validate.Options{Version: version}) {
		text := fmt.Sprintf("%d: %s", d.Start.Line, d.Message)
		if d.Level == slog.LevelError {
			errs = append(errs, text)
		} else {
			warns = append(warns, text)
		}
	}
	return errs, warns
}

// inHTTP puts directives into the http block, from line 3 on; those behind "|"
// into a server, those behind a second one into a location. Each stands on a
// line of its own.
func inHTTP(directives string) string {
	parts := strings.Split(directives, "|")
	parts = append(parts, "", "")[:3]
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return "events {}\nhttp {\n" + parts[0] + "\nserver {\n" + parts[1] + "\nlocation / {\n" + parts[2] + "\n}\n}\n}\n"
}

func TestModulesRefuseWhatNginxRefuses(t *testing.T) {
	for _, tt := range []struct{ conf, want string }{
		{"| set a b;", `5: invalid variable name "a"`},
		{"| set $ b;", `5: invalid variable name "$"`},
		{"| set $host b;", `5: the duplicate "host" variable`},
		{"| set $a $nope;", `5: unknown "nope" variable`},
		{"| set $a b$;", "5: invalid variable name"},
		{"| set $a ${host;", `5: the closing bracket in "host" variable is missing`},
		{"| rewrite ^ '';", "5: empty replacement"},
		{"| rewrite ^ /a Last;", `5: invalid parameter "Last"`},
		{"| rewrite ( /a;", `5: pcre2_compile() failed: missing closing parenthesis in "("`},
		{"| return 1000;", `5: invalid return code "1000"`},
		{"| return /a;", `5: invalid return code "/a"`},
		{"| if $host { }", `5: invalid condition "$host"`},
		{"| if ($host) x { }", `5: invalid condition "x"`},
		{"| if ($host == a) { }", `5: unexpected "==" in condition`},
		{"| if (-g a) { }", `5: invalid condition "-g"`},
		{"| if (!-f a b) { }", `5: invalid condition "!-f"`},
		{"| if ($host=a) { }", `5: unknown "host=a" variable`},
		{"| if ($host ~ () { }", `5: pcre2_compile() failed: missing closing parenthesis in "("`},

		{"map $host a { }", `3: invalid variable name "a"`},
		{"map $host $a {\na;\n}", "4: invalid number of the map parameters"},
		{"map $host $a {\ndefault a;\ndefault b;\n}", "5: duplicate default map parameter"},
		{"map $host $a {\na b;\nA b;\n}", `5: conflicting parameter "a"`},
		{"map $host $a {\nhostnames;\n*.a b;\n.a b;\n}", `6: conflicting parameter ".a"`},
		{"map $host $a {\nhostnames;\n*a b;\n}", `5: invalid hostname or wildcard "*a"`},
		{"map $host $a {\n~( b;\n}", `4: pcre2_compile() failed: missing closing parenthesis in "("`},
		{"map $host $a {\n" + strings.Repeat("a", 47) + " b;\n}", "5: could not build map_hash, you should increase map_hash_bucket_size: 64"},
		{"map a $a { }\nmap_hash_max_size 1;", `4: "map_hash_max_size" directive is duplicate`},
		{"split_clients a $a {\n50.001% b;\n}", `4: invalid percent value "50.001%"`},
		{"split_clients a $a {\n50% b;\n51% c;\n}", "6: percent total is greater than 100%"},

		{"geo $a {\n10/8 a;\n}", `4: invalid network "10/8"`},
		{"geo $a {\na;\n}", "4: invalid number of the geo parameters"},
		{"geo $a {\ndefault a;\nranges;\n}", `5: the "ranges" directive must be the first directive inside "geo" block`},
		{"geo $a {\nranges;\n10.0.0.9-10.0.0.1 a;\n}", `5: invalid range "10.0.0.9-10.0.0.1"`},
		{"geo $a {\nranges;\n10.0.0.1-10.0.0.9 a;\n10.0.0.5-10.0.0.12 b;\n}", `6: range "10.0.0.5-10.0.0.12" overlaps "10.0.0.1-10.0.0.9"`},

		{"charset_map a A { }", `3: "charset_map" between the same charsets "a" and "A"`},
		{"charset_map a b { }\ncharset_map b a { }", `4: duplicate "charset_map" between "b" and "a"`},
		{"charset_map a utf-8 {\n80 41;\n}", `4: invalid value "41"`},
		{"charset_map a b {\n100 41;\n}", `4: invalid value "100"`},
		{"| source_charset a; charset b;", `5: no "charset_map" between the charsets "a" and "b"`},
		{"| charset a; charset b;", `5: "charset" directive is duplicate`},

		{"log_format combined a;", `3: duplicate "log_format" name "combined"`},
		{"log_format a escape=x b;", `3: unknown log format escaping "x"`},
		{"log_format a '$';", `3: invalid parameter "$"`},
		{"| access_log a.log main;", `5: unknown log format "main"`},
		{"| access_log off main;", `5: invalid parameter "main"`},
		{"| access_log a.log combined flush=1s;", `5: no buffer is defined for access_log "a.log"`},
		{"| access_log $host.log combined gzip;", "5: buffered logs cannot have variables in name"},
		{"| access_log syslog:server=127.0.0.1 combined gzip;", "5: logs to syslog cannot be buffered"},
		{"| access_log a.log combined gzip=10;", `5: invalid compression level "10"`},
		{"access_log a.log combined buffer=1k;\n| access_log a.log combined buffer=2k;", `5: access_log "a.log" already defined with conflicting parameters`},
		{"| open_log_file_cache valid=1m;", `5: "open_log_file_cache" must have "max" parameter`},

		{"limit_req_zone $host zone=a:1k rate=1r/s;", `3: zone "zone=a:1k" is too small`},
		{"limit_req_zone $host zone=a:1m rate=1;\nlimit_req_zone $uri zone=a:1m rate=1;", `4: limit_req_zone "a" is already bound to key "$host"`},
		{"limit_req_zone $host zone=a:1m rate=0r/s;", `3: invalid rate "rate=0r/s"`},
		{"limit_conn_zone $host zone=a:1m;\nlimit_req_zone $host zone=a:1m rate=1r/s;", `4: the shared memory zone "a" is already declared for a different use`},
		{"| limit_req burst=5;", `5: "limit_req" must have "zone" parameter`},
		{"| limit_req zone=a;", `5: zero size shared memory zone "a"`},
		{"limit_req_zone $host zone=a:1m rate=1r/s;\n| limit_req zone=a; | limit_req zone=a;\nlimit_req zone=a;", `8: "limit_req" directive is duplicate`},
		{"| limit_conn a 65536;", "5: connection limit must be less 65536"},
		{"| limit_req_status 600;", "5: value must be between 400 and 599"},

		{"| allow 10.0.0.0/33;", `5: invalid parameter "10.0.0.0/33"`},
		{"| deny 255.255.255.255;", `5: invalid parameter "255.255.255.255"`},
		{"| set_real_ip_from 10.0.0.0/33;", `5: host not found in set_real_ip_from "10.0.0.0/33"`},
		{"| add_header a b sometimes;", `5: invalid parameter "sometimes"`},
		{"| expires modified @1h;", `5: "expires" directive daily time cannot be used with "modified" parameter`},
		{"| expires @25h;", `5: "expires" directive daily time value must be less than 24 hours`},
		{"| expires 1x;", `5: "expires" directive invalid value`},
		{"| userid_mark ab;", `5: "userid_mark" directive value must be "off" or a single letter, digit or "="`},
		{"| secure_link $a; secure_link_secret b;\nset $a b;", `11: "secure_link_secret" cannot be mixed with "secure_link" and "secure_link_md5"`},
		{"| valid_referers none;", `10: the "none" or "blocked" referers are specified in the "valid_referers" directive without any valid referer`},
		{"| valid_referers a.b A.b;", `5: conflicting parameter "a.b"`},
		{"| valid_referers server_names /x;", `10: conflicting parameter ""`},
		{"| try_files a =1000;", `5: invalid code "=1000"`},
		{"| index a '';", `5: index "a" in "index" directive is invalid`},
		{"| sub_filter '' a;", "5: empty search pattern"},
		{"| mirror /a; mirror off;", `5: "mirror" directive is duplicate`},
		{"| gzip_window 1m;", `5: "gzip_window" directive must be 512, 1k, 2k, 4k, 8k, 16k, or 32k`},
		{"| gzip_comp_level 10;", "5: value must be between 1 and 9"},
		{"| gzip_types " + strings.Repeat("a", 47) + ";", "5: could not build test_types_hash, you should increase test_types_hash_bucket_size: 64"},
		{"|| image_filter resize 0 100;", `7: invalid parameter "0"`},
		{"| modern_browser netscape 4;", `5: unknown browser name "netscape"`},
		{"| auth_request_set a b;", `5: invalid variable name "a"`},
		{"variables_hash_bucket_size 32;\n| set $" + strings.Repeat("a", 50) + " b;", "5: could not build variables_hash, you should increase variables_hash_bucket_size: 64"},
		{"geoip2 a.mmdb {\n$a source=b country;\n}", `4: invalid source variable name "b"`},
	} {
		errs, _ := found(t, "1.22.1", inHTTP(tt.conf))
		require.NotEmpty(t, errs, tt.conf)
		require.Equal(t, tt.want, errs[0], tt.conf)
	}
}

func TestModulesTakeWhatNginxTakes(t *testing.T) {
	for _, conf := range []string{
		`| set $a b; set $A $a; set $args x; set $ssl_cipher y; set $limit_rate 1;`,
		`| if ( $host ) { return 200; } | if ($host ~* "^(a)$") { set $a $1; break; }`,
		"| if (-f /a) { }\nif ( !-e $request_filename ) { rewrite ^(.*)$ /b?$1? last; }",
		`| rewrite ^/(?<name>.*)$ /$name permanent;`,
		"map $host $a {\nhostnames;\nvolatile;\ndefault x;\n*.a b;\na.* c;\n~^(?<sub>.+)\\.b$ $sub;\n\\default d;\n}",
		"geo $remote_addr $a {\ndefault 0;\nproxy 10.0.0.0/8;\nproxy_recursive;\n255.255.255.255 x;\n::/0 y;\n}",
		"geo $a {\nranges;\n10.0.0.0-10.1.255.255 a;\n10.0.5.0-10.0.6.0 b;\n}",
		"split_clients $host $a {\n33.3% a;\n* b;\n}",
		"log_format main escape=json '$remote_addr [$time_local] $pipe'; | access_log a.log MAIN buffer=4k flush=1m if=$host; access_log syslog:server=127.0.0.1,tag=a;",
		"limit_req_zone $host$uri zone=a:1M rate=30r/m;\nlimit_conn_zone $host zone=b:32k;\n| limit_req zone=a burst=5 nodelay; limit_conn b 10; | limit_req zone=a;",
		"| limit_req zone=a;\n}\nlimit_req_zone $host zone=a:1m rate=1r/s;\nserver {",
		"charset_map koi8-r utf-8 {\nC0 D18E;\n}\n| charset utf-8; source_charset koi8-r;",
		"| allow 1..2.3; deny ::1; allow unix:; deny all; set_real_ip_from unix:; set_real_ip_from localhost;",
		"| expires modified -1d; add_header A ''; add_trailer B $host always;",
		"| valid_referers none blocked server_names *.a.b '~\\.c\\.';",
		"| try_files $uri $uri/ =404; index a /b; sub_filter A $host;",
		"| gzip_types *; | gzip_types " + strings.Repeat("a", 46) + ";",
		"gzip_types " + strings.Repeat("a", 47) + "; | gzip_types text/css;",
		"geoip2 a.mmdb {\nauto_reload 5m;\n$geoip_country_code default=SE source=$remote_addr country iso_code;\n} | add_header A $geoip_country_code;",
		"js_set $a f; | set_by_lua_block $b { return 1 }\nset_md5 $c x;\nadd_header A $a$b$c;",
		"map $host $geoip_city { } | more_set_headers 'A: $geoip_city' -s 404;",
		"| auth_request /a; auth_request_set $user $upstream_http_x_user; add_header X $user;",
	} {
		errs, _ := found(t, "1.22.1", inHTTP(conf))
		require.Empty(t, errs, conf)
	}
}

func TestModulesWarnOfWhatNginxWarnsOf(t *testing.T) {
	for _, tt := range []struct {
		conf string
		want []string
	}{
		{"| allow 10.0.0.1/8;", []string{"5: low address bits of 10.0.0.1/8 are meaningless"}},
		{"| gzip_types text/css TEXT/HTML text/css;", []string{`5: duplicate MIME type "text/html"`, `5: duplicate MIME type "text/css"`}},
		{"| gzip_types a;\ngzip_types b a;", []string{`6: duplicate MIME type "a"`}},
		{"| index /a b;", []string{`5: only the last index in "index" directive should be absolute`}},
		{
			"geo $a {\ndefault a;\ndefault b;\n10.0.0.0/8 c;\n10.0.0.0/24 d;\n10.0.0.0/8 e;\ndelete 10.0.0.0/8;\ndelete 11.0.0.0/8;\n}",
			[]string{
				`5: duplicate network "default", value: "b", old value: "a"`,
				`5: duplicate network "default", value: "b", old value: "a"`,
				`8: duplicate network "10.0.0.0/8", value: "e", old value: "d"`,
				`10: no network "11.0.0.0/8" to delete`,
			},
		},
		{
			"geo $a {\nranges;\ndefault a;\ndefault b;\n10.0.0.0-10.0.0.9 c;\n10.0.0.0-10.0.0.9 d;\ndelete 10.0.0.0-10.0.0.8;\n}",
			[]string{
				`6: duplicate default geo range value: "b", old value: "a"`,
				`8: duplicate range "10.0.0.0-10.0.0.9", value: "d", old value: "c"`,
				`9: no address range "10.0.0.0-10.0.0.8" to delete`,
			},
		},
		{
			"map_hash_max_size 1;\nmap a $a {\na a;\nb b;\nc c;\nd d;\n}",
			[]string{"9: could not build optimal map_hash, you should increase either map_hash_max_size: 1 or map_hash_bucket_size: 64; ignoring map_hash_bucket_size"},
		},
	} {
		errs, warns := found(t, "1.22.1", inHTTP(tt.conf))
		require.Empty(t, errs, tt.conf)
		require.Equal(t, tt.want, warns, tt.conf)
	}
}

func TestModulesOfOtherReleases(t *testing.T) {
	for _, tt := range []struct{ version, conf, want string }{
		{"1.29.2", "geo $a {\nvolatile;\n}", "4: invalid number of the geo parameters"},
		{"1.29.3", "geo $a {\nvolatile;\n}", ""},
		{"1.31.2", "charset_map utf-8 a { }", ""},
		{"1.31.3", "charset_map utf-8 a { }", `3: "charset_map" with "utf-8" charset should be given in the second column`},
		{"1.27.4", "charset_map a utf-8 {\n80 D0B0D0B0;\n}", ""},
		{"1.27.5", "charset_map a utf-8 {\n80 D0B0D0B0;\n}", `4: invalid value "D0B0D0B0"`},
		{"1.28.0", "| index a '';", `5: index "a" in "index" directive is invalid`},
		{"1.28.1", "| index a '';", `5: index "" in "index" directive is invalid`},
		{"1.29.1", "| index a '';", `5: index "a" in "index" directive is invalid`},
	} {
		errs, _ := found(t, tt.version, inHTTP(tt.conf))
		if tt.want == "" {
			require.Empty(t, errs, tt.conf)
		} else {
			require.Equal(t, []string{tt.want}, errs, tt.conf)
		}
	}
}

func TestAnEntryOfAnIncludedMapIsBlamedOnTheInclude(t *testing.T) {
	c, err := nginxconf.Load(fstest.MapFS{
		"n": {Data: []byte("events {}\nhttp {\nmap $host $a {\n\ninclude m;\n}\n}\n")},
		"m": {Data: []byte("a b;\n\n\n\n\n\nb $;\n~( c;\na c;\n")},
	}, "n", nil)
	require.NoError(t, err)
	var places []string
	for _, d := range validate.Config(c, &validate.Options{Version: "1.22.1"}) {
		places = append(places, d.Error())
	}
	require.Equal(t, []string{
		"n:5:9: invalid variable name [invalid-variable]",
		"n:5:9: pcre2_compile() failed: missing closing parenthesis in \"(\" [invalid-regex]",
		"m:9:1: conflicting parameter \"a\" [conflicting-parameter]",
	}, places)
}
