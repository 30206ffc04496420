package validate_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/onehost-go/onehost/nginxconf/validate"
)

// A refusal is a configuration with what nginx says of it: the line and the
// message of its first error, or nothing if it takes it.
type refusal struct{ version, conf, line string }

func expect(t *testing.T, tests []refusal) {
	t.Helper()
	for _, test := range tests {
		assert.Equal(t, test.line, firstError(t, test.conf, &validate.Options{Version: test.version}), "%s\n%s", test.version, test.conf)
	}
}

// firstError returns the line and the message of the first error, or nothing.
func firstError(t *testing.T, conf string, o *validate.Options) string {
	t.Helper()
	_, ds := check(t, conf, o)
	for _, d := range ds {
		if d.Level == slog.LevelError {
			return fmt.Sprintf("%d: %s", d.Start.Line, d.Message)
		}
	}
	return ""
}

func inStream(text string) string { return "events {}\nstream {\n" + text + "\n}\n" }

func inStreamServer(text string) string {
	return inStream("server {\nlisten 5300;\nproxy_pass 127.0.0.1:80;\n" + text + "\n}")
}

func TestStreamBlocks(t *testing.T) {
	expect(t, []refusal{
		{"1.22.1", inStream(""), ""},
		{"1.22.1", inStream("") + "stream {}\n", `5: "stream" directive is duplicate`},
		{"1.22.1", inStream("server {\nproxy_pass 127.0.0.1:80;\n}"), `3: no "listen" is defined for server`},
		{"1.22.1", inStream("server\n{\nproxy_pass 127.0.0.1:80;\n}"), `4: no "listen" is defined for server`},
		{"1.22.1", inStream("server {\nlisten 1;\n}"), "3: no handler for server"},
		{"1.27.0", inStream("server {\nlisten 1;\n}"), "3: no handler for server"},
		{"1.27.1", inStream("server {\nlisten 1;\n}"), ""},
		{"1.22.1", inStream("server {\nlisten 1;\nreturn a;\n}"), ""},
		{"1.25.5", inStream("server {\nlisten 1;\npass 127.0.0.1:2;\n}"), ""},
		{"1.25.5", inStream("server {\nlisten 1;\npass 127.0.0.1;\n}"), `5: "pass" directive has no port`},
		{"1.25.5", inStream("server {\nlisten 1;\npass a:1;\n}"), `5: "pass" directive has no addresses`},
		{"1.22.1", inStream("server {\nlisten 1;\nreturn $nosuch;\n}"), `5: unknown "nosuch" variable`},
		{"1.22.1", inStream("server {\nlisten 1;\nreturn $uri;\n}"), `5: unknown "uri" variable`}, // of http
		{"1.22.1", inStreamServer("proxy_pass 127.0.0.1:81;"), `6: "proxy_pass" directive is duplicate`},
		{"1.22.1", inStreamServer("set x 1;"), `6: invalid variable name "x"`},
		{"1.22.1", inStreamServer("set $remote_addr 1;"), `6: the duplicate "remote_addr" variable`},
		{"1.22.1", inStreamServer("set $ssl_cipher 1;"), ""},
		{"1.22.1", inStreamServer("proxy_bind 127.0.0.1:0;"), `6: invalid address "127.0.0.1:0"`},
		{"1.22.1", inStreamServer("proxy_bind [::1]:80 transparent;"), ""},
		{"1.27.2", inStreamServer("proxy_bind [::1];"), `6: invalid address "[::1]"`},
		{"1.27.3", inStreamServer("proxy_bind [::1];"), ""},
		{"1.22.1", inStreamServer("proxy_bind $remote_addr x;"), `6: invalid parameter "x"`},
		{"1.22.1", inStreamServer("proxy_upload_rate $x;"), `6: unknown "x" variable`},
		{"1.22.1", inStreamServer("proxy_upload_rate x;"), `6: "proxy_upload_rate" directive invalid value`},
		{"1.22.1", inStreamServer("limit_conn a 1;"), `6: zero size shared memory zone "a"`},
		{"1.22.1", inStreamServer("allow 10.0.0.0/33;"), `6: invalid parameter "10.0.0.0/33"`},
		{"1.22.1", inStreamServer("access_log a;"), "6: log format is not specified"},
		{"1.22.1", inStream("log_format a b;\nserver {\nlisten 1;\nreturn a;\naccess_log f a;\n}"), ""},
		{"1.22.1", inStream("map $remote_addr $x { default 1; }\nserver {\nlisten 1;\nreturn $x;\n}"), ""},
		{"1.22.1", inStream("resolver 127.0.0.1;\nresolver 127.0.0.1;"), `4: "resolver" directive is duplicate`},
	})
}

func TestStreamListen(t *testing.T) {
	listen := func(args string) string { return inStreamServer("listen " + args + ";") }
	twice := func(args string) string {
		return inStream("server {\nlisten " + args + ";\nreturn a;\n}\nserver {\nlisten " + args + ";\nreturn b;\n}")
	}
	expect(t, []refusal{
		{"1.22.1", listen("5301-5303 udp reuseport"), ""},
		{"1.22.1", listen("unix:a"), ""},
		{"1.22.1", listen("0"), `6: invalid port in "0" of the "listen" directive`},
		{"1.22.1", listen("5299-5301"), `6: duplicate "0.0.0.0:5300" address and port pair`},
		{"1.22.1", listen("5300 udp"), ""},
		{"1.22.1", listen("[::]:5300"), ""},
		{"1.25.5", listen("5300"), "6: a duplicate listen 0.0.0.0:5300"},
		{"1.22.1", listen("1 x"), `6: the invalid "x" parameter`},
		{"1.25.5", listen("1 x"), `6: invalid parameter "x"`},
		{"1.20.2", listen("1 fastopen=1"), `6: the invalid "fastopen=1" parameter`},
		{"1.18.0", listen("1 fastopen=1"), `6: the invalid "fastopen=1" parameter`},
		{"1.22.1", listen("1 fastopen=x"), `6: invalid fastopen "fastopen=x"`},
		{"1.22.1", listen("1 backlog=0"), `6: invalid backlog "backlog=0"`},
		{"1.22.1", listen("1 rcvbuf=x"), `6: invalid rcvbuf "rcvbuf=x"`},
		{"1.22.1", listen("1 ipv6only=ox"), `6: invalid ipv6only flags "ox"`},
		{"1.22.1", listen("1 ipv6only=x"), `6: the invalid "ipv6only=x" parameter`},
		{"1.22.1", listen("1 so_keepalive=::1 so_keepalive=::"), ""},
		{"1.22.1", listen("1 so_keepalive=::"), `6: invalid so_keepalive value: "::"`},
		{"1.22.1", listen("1 so_keepalive=30m::10"), ""},
		{"1.22.1", listen("1 udp backlog=5 so_keepalive=off"), `6: "listen" directive "backlog" parameter is incompatible with "udp"`},
		{"1.25.5", listen("1 udp fastopen=5 backlog=5"), `6: "listen" directive "fastopen" parameter is incompatible with "udp"`},
		{"1.22.1", twice("1"), `8: duplicate "0.0.0.0:1" address and port pair`},
		{"1.25.5", twice("1"), ""},
		{"1.25.5", twice("1 bind"), "8: duplicate listen options for 0.0.0.0:1"},
		{"1.25.5", twice("1 default_server"), "8: a duplicate default server for 0.0.0.0:1"},
		{"1.29.7", listen("1 multipath"), ""},
		{"1.29.6", listen("1 multipath"), `6: invalid parameter "multipath"`},
	})
}

func TestStreamUpstreams(t *testing.T) {
	upstream := func(text string) string { return inStream("upstream u {\n" + text + "\n}") }
	expect(t, []refusal{
		{"1.22.1", upstream("server 127.0.0.1:1;"), ""},
		{"1.22.1", upstream(""), "5: no servers are inside upstream"},
		{"1.22.1", upstream("server 127.0.0.1;"), `4: no port in upstream "127.0.0.1"`},
		{"1.22.1", upstream("server 127.0.0.1:1/;"), `4: invalid host in upstream "127.0.0.1:1/"`},
		{"1.22.1", upstream("server 127.0.0.1:1 weight=0;"), `4: invalid parameter "weight=0"`},
		{"1.22.1", upstream("server 127.0.0.1:1 backup;"), `3: no servers in upstream "u"`},
		{"1.22.1", upstream("hash $remote_addr;\nserver 127.0.0.1:1 backup;"), `5: balancing method does not support parameter "backup"`},
		{"1.22.1", upstream("hash $remote_addr x;"), `4: invalid parameter "x"`},
		{"1.22.1", upstream("random two least_time;"), `4: invalid parameter "least_time"`},
		{"1.22.1", upstream("zone z 31k;"), `4: zone "z" is too small`},
		{"1.22.1", upstream("zone '' 1m;"), `4: invalid zone name ""`},
		{"1.22.1", upstream("zone z;\nserver 127.0.0.1:1;"), `4: zero size shared memory zone "z"`},
		{"1.22.1", upstream("server a:1 resolve;"), `4: invalid parameter "resolve"`},
		{"1.27.3", upstream("server a:1 resolve;"), `3: resolving names at run time requires upstream "u" to be in shared memory`},
		{"1.27.3", upstream("zone z 1m;\nserver a:1 resolve;"), `3: no resolver defined to resolve names at run time in upstream "u"`},
		{"1.27.3", upstream("zone z 1m;\nresolver 127.0.0.1;\nserver a:1 resolve;"), ""},
		{"1.27.3", upstream("server a service=s;"), `4: service upstream "a" requires "resolve" parameter`},
		{"1.27.3", upstream("server a:1 service=s resolve;"), `4: service upstream "a:1" may not have port`},
		{"1.31.0", upstream("least_time x;"), `4: invalid value "x"`},
		{"1.22.1", upstream("server 127.0.0.1:1;") + "\n", ""},
		{"1.22.1", inStream("upstream u { server 127.0.0.1:1; }\nupstream U { server 127.0.0.1:1; }"), `4: duplicate upstream "U"`},
		{"1.22.1", inStream("upstream u { server 127.0.0.1:1; }\nserver { listen 1;\nproxy_pass u:1; }"), `5: upstream "u" may not have port 1`},
		{"1.22.1", inStream("server { listen 1;\nproxy_pass u:1; }\nupstream u { server 127.0.0.1:1; }"), `4: upstream "u" may not have port 1`},
		{"1.22.1", inStream("server { listen 1;\nproxy_pass u; }\nupstream u { server 127.0.0.1:1; }"), ""},
		{"1.22.1", inStream("server { listen 1;\nproxy_pass u; }"), `4: no port in upstream "u"`},
		{"1.22.1", inStream("server { listen 1;\nproxy_pass http://u; }"), `4: invalid host in upstream "http://u"`},
	})
}

func TestStreamTLS(t *testing.T) {
	listen := func(text string) string {
		return inStream("server {\nlisten 1 ssl;\nreturn a;\n" + text + "\n}")
	}
	pair := "ssl_certificate a; ssl_certificate_key a;"
	proxy := func(text string) string { return inStreamServer("proxy_ssl on;\n" + text) }
	expect(t, []refusal{
		{"1.22.1", listen(""), `4: no "ssl_certificate" is defined for the "listen ... ssl" directive`},
		{"1.25.5", listen(""), `3: no "ssl_certificate" is defined for the "listen ... ssl" directive`},
		{"1.25.5", listen("ssl_reject_handshake on;"), ""},
		{"1.22.1", listen("ssl_certificate a;"), `4: no "ssl_certificate_key" is defined for the "listen ... ssl" directive`},
		{"1.25.5", listen("ssl_certificate a;"), `6: no "ssl_certificate_key" is defined for certificate "a"`},
		{"1.22.1", listen("ssl_certificate a; ssl_certificate b; ssl_certificate_key a;"), `4: no "ssl_certificate_key" is defined for certificate "b" and the "listen ... ssl" directive`},
		{"1.22.1", listen(pair), ""},
		{"1.22.1", listen(pair + " ssl_verify_client on;"), "6: no ssl_client_certificate for ssl_verify_client"},
		{"1.27.2", listen(pair + " ssl_verify_client on;"), "6: no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"},
		{"1.27.2", listen(pair + " ssl_verify_client on; ssl_trusted_certificate a;"), ""},
		{"1.22.1", listen(pair + " ssl_verify_client optional_no_ca;"), ""},
		{"1.22.1", listen("ssl_certificate $; ssl_certificate_key a;"), "8: invalid variable name"},
		{"1.22.1", listen("ssl_session_cache shared:a:31k;"), `6: session cache "shared:a:31k" is too small`},
		{"1.22.1", listen("ssl_session_cache shared:a;"), `6: invalid session cache "shared:a"`},
		{"1.22.1", proxy("proxy_ssl_certificate a;"), `7: no "proxy_ssl_certificate_key" is defined for certificate "a"`},
		{"1.22.1", proxy("proxy_ssl_verify on;"), "7: no proxy_ssl_trusted_certificate for proxy_ssl_verify"},
	})
}
