package validate_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"

	"github.com/onehost-go/onehost/nginxconf/validate"
)

func inPlain(text string) string { return "events {}\nhttp {\n" + text + "\n}\n" }

func inPlainServer(text string) string { return inPlain("server {\n" + text + "\n}") }

func inPlainLocation(text string) string { return inPlainServer("location / {\n" + text + "\n}") }

func TestUpstreamBlocks(t *testing.T) {
	block := func(text string) string { return inPlain("upstream u {\n" + text + "\n}") }
	expect(t, []refusal{
		{"1.22.1", block("server 127.0.0.1 weight=5 max_conns=0 max_fails=0 fail_timeout=1y down;"), ""},
		{"1.22.1", block(""), "5: no servers are inside upstream"},
		{"1.22.1", block("server 127.0.0.1 backup;"), `3: no servers in upstream "u"`},
		{"1.22.1", block("server 127.0.0.1 weight=0;"), `4: invalid parameter "weight=0"`},
		{"1.22.1", block("server 127.0.0.1 fail_timeout=5ms;"), `4: invalid parameter "fail_timeout=5ms"`},
		{"1.22.1", block("server 127.0.0.1 slow_start=5s;"), `4: invalid parameter "slow_start=5s"`},
		{"1.22.1", block("server 127.0.0.1:0;"), `4: invalid port in upstream "127.0.0.1:0"`},
		{"1.22.1", block("server 127.0.0.1/x;"), `4: invalid host in upstream "127.0.0.1/x"`},
		{"1.22.1", block("server unix:;"), `4: no path in the unix domain socket in upstream "unix:"`},
		{"1.22.1", block("server 127.0.0.1;\n}\nupstream U {\nserver 127.0.0.1;"), `6: duplicate upstream "U"`},
		{"1.22.1", block("server 127.0.0.1;\nip_hash;\nserver 127.0.0.2 backup;"), `6: balancing method does not support parameter "backup"`},
		{"1.22.1", block("server 127.0.0.1;\nleast_conn;\nserver 127.0.0.2 backup;"), ""},
		{"1.22.1", block("server 127.0.0.1;\nhash $uri Consistent;"), `5: invalid parameter "Consistent"`},
		{"1.22.1", block("server 127.0.0.1;\nhash $nosuch;"), `5: unknown "nosuch" variable`},
		{"1.22.1", block("server 127.0.0.1;\nrandom two least_time;"), `5: invalid parameter "least_time"`},
		{"1.22.1", block("server 127.0.0.1;\nkeepalive 0;"), `5: invalid value "0" in "keepalive" directive`},
		{"1.22.1", block("server 127.0.0.1;\nkeepalive 1;\nkeepalive 1;"), `6: "keepalive" directive is duplicate`},
		{"1.29.6", block("server 127.0.0.1;\nkeepalive 0;"), `5: invalid value "0" in "keepalive" directive`},
		{"1.29.7", block("server 127.0.0.1;\nkeepalive 0;"), ""},
		{"1.29.7", block("server 127.0.0.1;\nkeepalive 1 x;"), `5: invalid parameter "x"`},
		{"1.22.1", block("server 127.0.0.1;\nzone a 32767;"), `5: zone "a" is too small`},
		{"1.22.1", block("server 127.0.0.1;\nzone a x;"), `5: invalid zone size "x"`},
		{"1.22.1", block("server 127.0.0.1;\nzone a;"), `5: zero size shared memory zone "a"`},
		{"1.27.2", block("zone a 64k;\nresolver 127.0.0.1;\nserver a resolve;"), `5: "resolver" directive is not allowed here`},
		{"1.27.3", block("zone a 64k;\nresolver 127.0.0.1;\nserver a resolve;"), ""},
		{"1.27.3", block("zone a 64k;\nserver a resolve;") + "", `3: no resolver defined to resolve names at run time in upstream "u"`},
		{"1.27.3", block("zone a 64k;\nserver a service=x;"), `5: service upstream "a" requires "resolve" parameter`},
		{"1.29.5", block("server 127.0.0.1 route=a;"), `4: invalid parameter "route=a"`},
		{"1.29.6", block("server 127.0.0.1 route=a drain;"), ""},
		{"1.29.6", block("server 127.0.0.1 route=;"), "4: route is empty"},
		{"1.29.6", block("server 127.0.0.1;\nsticky cookie a expires=x;"), `5: "sticky" directive invalid "expires" parameter value`},
		{"1.29.6", block("server 127.0.0.1;\nsticky learn create=$upstream_cookie_a lookup=$cookie_a;"), `5: "sticky" directive "zone" parameter is not specified`},
		{"1.29.6", block("server 127.0.0.1;\nsticky route a;"), `5: invalid variable name "a"`},
	})
}

func TestUpstreamsThatOnlyAPassNames(t *testing.T) {
	expect(t, []refusal{
		{"1.22.1", inPlain("upstream u { server 127.0.0.1; }\nserver { location / {\nproxy_pass http://u:80;\n} }"), `5: upstream "u" may not have port 80`},
		{"1.22.1", inPlain("server { location / {\nproxy_pass http://u:80;\n} }\nupstream u { server 127.0.0.1; }"), `4: upstream "u" may not have port 80`},
		{"1.22.1", inPlain("server { location / {\nproxy_pass http://u;\n} }\nupstream u { server 127.0.0.1; }"), ""},
		{"1.22.1", inPlainLocation("fastcgi_pass 127.0.0.1;"), `5: no port in upstream "127.0.0.1"`},
		{"1.22.1", inPlainLocation("fastcgi_pass unix:/run/php.sock;"), ""},
		{"1.22.1", inPlainLocation("fastcgi_pass $host;"), ""},
	})
	_, ds := check(t, inPlainLocation("proxy_pass http://a.example;\n}\nlocation /b {\nproxy_pass http://127.1;\n}\nlocation /c {\nproxy_pass http://$host;"),
		&validate.Options{Version: "1.22.1", Resolve: func(string) error { return errors.New("no") }})
	if assert.Len(t, ds, 1) {
		assert.Equal(t, `host not found in upstream "a.example"`, ds[0].Message)
		assert.Equal(t, 5, ds[0].Start.Line)
	}
}

func TestPasses(t *testing.T) {
	noURI := `"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block`
	expect(t, []refusal{
		{"1.22.1", inPlainLocation("proxy_pass 127.0.0.1;"), "5: invalid URL prefix"},
		{"1.22.1", inPlainLocation("proxy_pass http://;"), `5: no host in upstream ""`},
		{"1.22.1", inPlainLocation("proxy_pass http://[::1;"), `5: invalid host in upstream "[::1"`},
		{"1.22.1", inPlainLocation("proxy_pass http://a:x/;"), `5: invalid port in upstream "a:x/"`},
		{"1.22.1", inPlainLocation("proxy_pass http://a;\nproxy_pass http://b;"), `6: "proxy_pass" directive is duplicate`},
		{"1.22.1", inPlainLocation("proxy_pass http://$a;"), `5: unknown "a" variable`},
		{"1.22.1", inPlainLocation("proxy_pass http://${host;"), `5: the closing bracket in "host" variable is missing`},
		{"1.22.1", inPlainServer("location ~ x {\nproxy_pass http://a;\n}\nlocation @n {\nproxy_pass http://a/;\n}"), "8: " + noURI},
		{"1.22.1", inPlainServer("location ~x {\nproxy_pass http://a/b;\n}"), "5: " + noURI},
		{"1.22.1", inPlainLocation("if ($host) {\nproxy_pass http://a?b;\n}"), "6: " + noURI},
		{"1.22.1", inPlainLocation("limit_except GET {\nproxy_pass http://a/;\n}"), "6: " + noURI},
		{"1.22.1", inPlainLocation("limit_except GET {\nproxy_pass http://a$uri;\n}"), ""},
		{"1.22.1", inPlainLocation("uwsgi_pass suwsgi://a:1;"), ""},
		{"1.22.1", inPlainLocation("grpc_pass GRPCS://a:1;"), ""},
		{"1.22.1", inPlainLocation("grpc_pass http://a:1;"), `5: invalid host in upstream "http://a:1"`},
		{"1.22.1", inPlainLocation("memcached_pass a:1;"), `5: unknown "memcached_key" variable`},
		{"1.22.1", inPlainLocation("set $memcached_key a;\nmemcached_pass a:1;"), ""},
		{"1.31.0", inPlainLocation("tunnel_pass;"), ""},
		{"1.31.0", inPlainLocation("tunnel_pass a:1;\ntunnel_pass;"), `6: "tunnel_pass" directive is duplicate`},
		{"1.22.1", inPlainLocation("proxy_bind [::1];"), `5: invalid address "[::1]"`},
		{"1.22.1", inPlainLocation("proxy_bind [::1]:80 transparent;"), ""},
		{"1.22.1", inPlainLocation("proxy_bind $a x;"), `5: invalid parameter "x"`},
		{"1.22.1", inPlainLocation("fastcgi_param A b if_not_empty;"), ""},
		{"1.22.1", inPlainLocation("fastcgi_param A b x;"), `5: invalid parameter "x"`},
		{"1.22.1", inPlainLocation("fastcgi_split_path_info ^(.+)$;"), `5: pattern "^(.+)$" must have 2 captures`},
		{"1.22.1", inPlainLocation("uwsgi_modifier1 256;"), "5: value must be between 0 and 255"},
		{"1.22.1", inPlainLocation("proxy_ignore_headers Expires X;"), `5: invalid value "X"`},
		{"1.22.1", inPlainLocation("proxy_cache_methods PUT;"), `5: invalid value "PUT"`},
	})
}

func TestRewritesOfHeaders(t *testing.T) {
	expect(t, []refusal{
		{"1.22.1", inPlainLocation("proxy_redirect default;"), `5: "proxy_redirect default" should be placed after the "proxy_pass" directive`},
		{"1.22.1", inPlainLocation("proxy_pass http://$host;\nproxy_redirect default;"), `6: "proxy_redirect default" cannot be used with "proxy_pass" directive with variables`},
		{"1.22.1", inPlainLocation("proxy_redirect x;"), `5: invalid parameter "x"`},
		{"1.22.1", inPlainLocation("proxy_redirect off;\nproxy_redirect a b;"), `6: "proxy_redirect" directive is duplicate`},
		{"1.22.1", inPlainLocation("proxy_redirect a b;\nproxy_redirect off;"), `6: "proxy_redirect" directive is duplicate`},
		{"1.19.2", inPlainLocation("proxy_redirect off;\nproxy_redirect a b;\nproxy_redirect false;"), ""},
		{"1.19.3", inPlainLocation("proxy_redirect false;"), `5: invalid parameter "false"`},
		{"1.22.1", inPlainLocation("proxy_redirect ~( b;"), `5: pcre2_compile() failed: missing closing parenthesis in "("`},
		{"1.22.1", inPlainLocation("proxy_cookie_domain off;\nproxy_cookie_domain off;"), `6: "proxy_cookie_domain" directive is duplicate`},
		{"1.22.1", inPlainLocation("proxy_cookie_path ~^/(?<rest>.*) /b/$rest;"), ""},
		{"1.22.1", inPlainLocation("proxy_cookie_path a $;"), "5: invalid variable name"},
		{"1.22.1", inPlainLocation("proxy_cookie_flags x;"), `5: invalid parameter "x"`},
		{"1.22.1", inPlainLocation("proxy_cookie_flags ~a secure $nosuch;"), `5: unknown "nosuch" variable`},
	})
}

func TestCaches(t *testing.T) {
	const path = "proxy_cache_path c keys_zone=z:1m;\n"
	expect(t, []refusal{
		{"1.22.1", inPlain("proxy_cache_path c levels=1:2:2 keys_zone=z:1m inactive=1y max_size=1g min_free=1 use_temp_path=off manager_sleep=1ms loader_files=1;"), ""},
		{"1.22.1", inPlain("proxy_cache_path c inactive=1m;"), `3: "proxy_cache_path" must have "keys_zone" parameter`},
		{"1.22.1", inPlain("proxy_cache_path c levels=1:3 keys_zone=z:1m;"), `3: invalid "levels" "levels=1:3"`},
		{"1.22.1", inPlain("proxy_cache_path c keys_zone=z;"), `3: invalid keys zone size "keys_zone=z"`},
		{"1.22.1", inPlain("proxy_cache_path c keys_zone=z:8191;"), `3: keys zone "keys_zone=z:8191" is too small`},
		{"1.22.1", inPlain("proxy_cache_path c keys_zone=z:8k;"), "3: ngx_slab_alloc() failed: no memory"},
		{"1.22.1", inPlain("proxy_cache_path c use_temp_path=ON keys_zone=z:1m;"), `3: invalid use_temp_path value "use_temp_path=ON", it must be "on" or "off"`},
		{"1.22.1", inPlain("proxy_cache_path c inactive=x keys_zone=z:1m;"), `3: invalid inactive value "inactive=x"`},
		{"1.22.1", inPlain("proxy_cache_path c purger=on keys_zone=z:1m;"), `3: invalid parameter "purger=on"`},
		{"1.19.0", inPlain("proxy_cache_path c min_free=1 keys_zone=z:1m;"), `3: invalid parameter "min_free=1"`},
		{"1.22.1", inPlain(path + "proxy_cache_path d keys_zone=z:1m;"), `4: duplicate zone "z"`},
		{"1.22.1", inPlain(path + "proxy_cache_path c/ keys_zone=y:1m;"), `4: the same path name "/c" used in /nginx.conf:3 and`},
		{"1.22.1", inPlain(path + "fastcgi_cache_path d keys_zone=z:1m;"), `4: the shared memory zone "z" is already declared for a different use`},
		{"1.22.1", inPlain(path + "server {\nproxy_cache z;\n}"), ""},
		{"1.22.1", inPlain(path + "server {\nproxy_cache y;\n}"), `7: "proxy_cache" zone "y" is unknown`},
		{"1.22.1", inPlain(path + "proxy_cache y;"), `4: zero size shared memory zone "y"`}, // no server has it
		{"1.22.1", inPlain(path + "proxy_cache y;\nserver {}"), `6: "proxy_cache" zone "y" is unknown`},
		{"1.22.1", inPlain("server {\nproxy_cache y;\n}\n" + path), `8: "proxy_cache" zone "y" is unknown`},
		{"1.22.1", inPlain(path + "server {\nproxy_cache z;\nproxy_store on;\n}"), `6: "proxy_store" directive is incompatible with "proxy_cache"`},
		{"1.22.1", inPlain(path + "server {\nproxy_store on;\nproxy_cache z;\n}"), `6: "proxy_cache" directive is incompatible with "proxy_store"`},
		{"1.22.1", inPlainServer("proxy_store '';"), ""},
		{"1.27.3", inPlainServer("proxy_store '';"), "4: empty path"},
		{"1.22.1", inPlainServer("proxy_store '${';"), `4: the closing bracket in "" variable is missing`},
		{"1.22.1", inPlainServer("proxy_cache_valid 200 x;"), `4: invalid time value "x"`},
		{"1.22.1", inPlainServer("proxy_cache_valid 99 1m;"), `4: invalid status "99"`},
		{"1.22.1", inPlainServer("proxy_cache_valid any 1m;"), ""},
		{"1.22.1", inPlainServer("proxy_cache_key $uri;\nproxy_cache_key $uri;"), `5: "proxy_cache_key" directive is duplicate`},
	})
}

// nginx compares sizes when it has read all of http, with what is inherited.
func TestSizesOfBuffers(t *testing.T) {
	largest := ` the maximum of the value of "proxy_buffer_size" and one of the "proxy_buffers"`
	expect(t, []refusal{
		{"1.22.1", inPlainServer("proxy_buffers 1 4k;"), `6: there must be at least 2 "proxy_buffers"`},
		{"1.22.1", inPlainServer("proxy_buffers 2 4k;"), `6: "proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer`},
		{"1.22.1", inPlainServer("proxy_buffers 3 4k;"), ""},
		{"1.22.1", inPlainServer("proxy_busy_buffers_size 2k;"), `6: "proxy_busy_buffers_size" must be equal to or greater than` + largest},
		{"1.22.1", inPlainServer("proxy_temp_file_write_size 2k;"), `6: "proxy_temp_file_write_size" must be equal to or greater than` + largest},
		{"1.22.1", inPlainServer("proxy_max_temp_file_size 2k;"), `6: "proxy_max_temp_file_size" must be equal to zero to disable temporary files usage or must be equal to or greater than` + largest},
		{"1.22.1", inPlainServer("proxy_max_temp_file_size 0;"), ""},
		{"1.22.1", inPlain("proxy_buffer_size 64k;"), ""}, // no server has it
		{"1.22.1", inPlain("proxy_buffer_size 64k;\nserver {}"), `5: "proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer`},
		{"1.22.1", inPlain("proxy_buffer_size 64k;\nserver {\nproxy_buffers 8 64k;\n}"), ""},
		{"1.22.1", inPlain("proxy_buffers 8 64k;\nserver {\nlocation / {\nproxy_busy_buffers_size 32k;\n}\n}"), `9: "proxy_busy_buffers_size" must be equal to or greater than` + largest},
	})
}

func TestHeadersForBackends(t *testing.T) {
	long := strings.Repeat("x", 47)
	expect(t, []refusal{
		{"1.22.1", inPlainServer("proxy_set_header A $;"), "6: invalid variable name"},
		{"1.22.1", inPlain("proxy_set_header A $;"), ""}, // no server has it
		{"1.22.1", inPlain("proxy_set_header A $;\nserver {\nproxy_set_header A b;\n}"), ""},
		{"1.22.1", inPlain("proxy_set_header A $;\nserver {\n}"), "6: invalid variable name"},
		{"1.22.1", inPlainServer("proxy_set_header A $nosuch;"), `4: unknown "nosuch" variable`},
		{"1.22.1", inPlainServer("proxy_set_header A $http_a$remote_addr;"), ""},
		{"1.22.1", inPlainServer("proxy_set_body ${;"), "6: invalid variable name"},
		{"1.22.1", inPlainServer("proxy_set_header " + long + " a;"), "6: could not build proxy_headers_hash, you should increase proxy_headers_hash_bucket_size: 64"},
		{"1.22.1", inPlainServer("proxy_headers_hash_bucket_size 65;\nproxy_set_header " + long + " a;"), ""},
		{"1.22.1", inPlainServer("proxy_headers_hash_max_size 0;"), "6: could not build proxy_headers_hash, you should increase proxy_headers_hash_max_size: 0"},
		{"1.22.1", inPlainServer("fastcgi_param " + long + " a;"), ""},
		{"1.22.1", inPlainServer("fastcgi_param HTTP_" + long + " a;"), "6: could not build fastcgi_params_hash, you should increase fastcgi_params_hash_bucket_size: 64"},
		{"1.22.1", inPlainServer("uwsgi_hide_header " + long + ";"), "6: could not build uwsgi_hide_headers_hash, you should increase uwsgi_hide_headers_hash_bucket_size: 64"},
		{"1.22.1", inPlainServer("uwsgi_hide_header " + long + ";\nuwsgi_pass_header " + long + ";"), ""},
	})
	_, warnings := found(t, "1.22.1", inPlain("fastcgi_cache_path c keys_zone=z:1m;\nserver {\nfastcgi_cache z;\nlocation / {}\n}\nserver {\nfastcgi_cache z;\nfastcgi_cache_key $uri;\n}"))
	assert.Contains(t, strings.Join(warnings, "\n"), `no "fastcgi_cache_key" for "fastcgi_cache"`)
}

// Names that fit in no number of buckets are found out soon, whatever the limit.
func TestLargeHashTables(t *testing.T) {
	name := strings.Repeat("x", 40)
	conf := inPlainServer("proxy_headers_hash_max_size 1000000;\n" + strings.Repeat("proxy_set_header "+name+" a;\n", 3))
	_, warnings := found(t, "1.22.1", conf)
	assert.Contains(t, strings.Join(warnings, "\n"), "could not build optimal proxy_headers_hash, you should increase either proxy_headers_hash_max_size: 1000000 or proxy_headers_hash_bucket_size: 64; ignoring proxy_headers_hash_bucket_size")
}

func TestTLSOfBackends(t *testing.T) {
	with := func(text string) string { return inPlainLocation("proxy_pass https://127.0.0.1;\n" + text) }
	expect(t, []refusal{
		{"1.22.1", with("proxy_ssl_certificate c.pem;"), `6: no "proxy_ssl_certificate_key" is defined for certificate "c.pem"`},
		{"1.22.1", inPlainLocation("proxy_pass http://127.0.0.1;\nproxy_ssl_certificate c.pem;"), ""},
		{"1.22.1", with("proxy_ssl_certificate '';"), `6: no "proxy_ssl_certificate_key" is defined for certificate ""`},
		{"1.20.2", with("proxy_ssl_certificate '';"), ""},
		{"1.23.0", with("proxy_ssl_certificate '';"), ""},
		{"1.22.1", with("proxy_ssl_verify on;"), "6: no proxy_ssl_trusted_certificate for proxy_ssl_verify"},
		{"1.22.1", inPlain("proxy_ssl_verify on;\nserver {\nlocation / {\nproxy_pass https://127.0.0.1;\n}\n}"), "3: no proxy_ssl_trusted_certificate for proxy_ssl_verify"},
		{"1.22.1", with("proxy_ssl_ciphers foo;"), `6: SSL_CTX_set_cipher_list("foo") failed (SSL: error:0A0000B9:SSL routines::no cipher match)`},
		{"1.22.1", with("proxy_ssl_conf_command foo bar;"), `6: SSL_CONF_cmd("foo", "bar") failed (SSL: error:0A000182:SSL routines::unknown cmd name:cmd=foo)`},
		{"1.27.4", with("proxy_ssl_certificate_cache inactive=1s;"), `6: "proxy_ssl_certificate_cache" must have the "max" parameter`},
		{"1.27.4", with("proxy_ssl_certificate_cache max=0;"), `6: invalid parameter "max=0"`},
	})
}

func TestFilesOfTLS(t *testing.T) {
	certificate, key := newPair(t)
	_, other := newPair(t)
	host := fstest.MapFS{
		"c.pem": {Data: certificate}, "k.pem": {Data: key}, "other.pem": {Data: other}, "text": {Data: []byte("text")}, "ticket": {Data: make([]byte, 48)},
	}
	host["var/cache"] = &fstest.MapFile{Mode: fs.ModeDir}
	pair := "ssl_certificate c.pem;\nssl_certificate_key k.pem;\n"
	for _, test := range []refusal{
		{"1.22.1", inPlain("proxy_cache_path /var/cache/a keys_zone=z:1m;\nserver {}"), ""},
		{"1.22.1", inPlain("proxy_cache_path /var/cache/a keys_zone=z:1m;\nproxy_temp_path /var/cache/a/b/;"), ""},
		{"1.22.1", inPlain("proxy_cache_path /var/cache/a/b keys_zone=z:1m;"), `3: mkdir() "/var/cache/a/b" failed (2: No such file or directory)`},
		{"1.22.1", inPlainServer(pair + "ssl_session_ticket_key ticket;\nssl_password_file text;"), ""},
		{"1.22.1", inPlainServer("ssl_certificate nosuch;\nssl_certificate_key k.pem;"),
			`4: cannot load certificate "/nosuch": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:calling fopen(/nosuch, r) error:10000080:BIO routines::no such file)`},
		{"1.22.1", inPlainServer("ssl_certificate text;\nssl_certificate_key k.pem;"),
			`4: cannot load certificate "/text": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)`},
		{"1.22.1", inPlainServer("ssl_certificate c.pem;\nssl_certificate_key text;"),
			`5: cannot load certificate key "/text": PEM_read_bio_PrivateKey() failed (SSL: error:1E08010C:DECODER routines::unsupported:No supported data to decode. Input type: PEM)`},
		{"1.22.1", inPlainServer("ssl_certificate c.pem;\nssl_certificate_key other.pem;"),
			`5: SSL_CTX_use_PrivateKey("/other.pem") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)`},
		{"1.22.1", inPlainServer(pair + "ssl_session_ticket_key text;"), `8: "/text" must be 48 or 80 bytes`},
		{"1.22.1", inPlainServer(pair + "ssl_password_file nosuch;"), `6: open() "/nosuch" failed (2: No such file or directory)`},
		{"1.22.1", inPlainServer(pair + "ssl_dhparam text;"), `6: PEM_read_bio_DHparams("/text") failed (SSL: error:0480006C:PEM routines::no start line:Expecting: DH PARAMETERS)`},
		{"1.22.1", inPlainServer(pair + "ssl_trusted_certificate text;"), `6: SSL_CTX_load_verify_locations("/text") failed (SSL: error:05800088:x509 certificate routines::no certificate or crl found)`},
		{"1.27.2", inPlainServer(pair + "ssl_crl text;"), `6: cannot load CRL "/text": PEM_read_bio_X509_CRL() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: X509 CRL)`},
	} {
		assert.Equal(t, test.line, firstError(t, test.conf, &validate.Options{Version: test.version, Files: host}), test.conf)
	}
}

// A table that is inherited is not built again, whatever its sizes are said to
// be there.
func TestInheritedTablesKeepTheirSizes(t *testing.T) {
	for conf, refused := range map[string]bool{
		"events{} http{ server{ location / { proxy_headers_hash_bucket_size 0; } } }":                                                 false,
		"events{} http{ server{ location / { proxy_headers_hash_max_size 0; } } }":                                                    false,
		"events{} http{ server{ location / { proxy_headers_hash_max_size 0; proxy_hide_header X; } } }":                               true,
		"events{} http{ server{ proxy_headers_hash_max_size 0; } }":                                                                   true,
		"events{} http{ server{ listen 81; } server{ proxy_headers_hash_max_size 0; } }":                                              true,
		"events{} http{ server{ proxy_hide_header Y; } server{ proxy_headers_hash_max_size 0; } }":                                    true,
		"events{} http{ proxy_hide_header X; server{ listen 81; } server{ proxy_headers_hash_max_size 0; location / { } } }":          true,
		"events{} http{ server{ proxy_hide_header X; location / { proxy_headers_hash_max_size 0; location /a { } } } }":               false,
		"events{} http{ server{ location / { proxy_headers_hash_max_size 0; proxy_set_header X y; proxy_pass http://127.0.0.1; } } }": true,
	} {
		_, ds := check(t, conf, &validate.Options{Version: "1.22.1"})
		assert.Equal(t, refused, ds.Err() != nil, "%s: %v", conf, ds)
	}
}
