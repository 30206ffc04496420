package validate_test

import (
	"testing"
)

func TestCertificates(t *testing.T) {
	const pair = "ssl_certificate c.pem;\nssl_certificate_key k.pem;\n"
	expect(t, []refusal{
		{"1.22.1", inPlainServer("listen 443 ssl;\n" + pair), ""},
		{"1.22.1", inPlainServer("listen 443 ssl;"), `3: no "ssl_certificate" is defined for the "listen ... ssl" directive`},
		{"1.22.1", inPlainServer("listen 443 ssl;\nssl_reject_handshake on;"), ""},
		{"1.22.1", inPlain("ssl_certificate c.pem;\nssl_certificate_key k.pem;\nserver {\nlisten 443 ssl;\n}"), ""},
		{"1.22.1", inPlain("server {\nlisten 443 ssl;\n" + pair + "}\nserver {\nlisten 443 ssl;\n}"), ""}, // the default server has one
		{"1.22.1", inPlain("server {\nlisten 443 ssl;\nssl_reject_handshake on;\n}\nserver {\nlisten 443 ssl;\n}"), `7: no "ssl_certificate" is defined for the "listen ... ssl" directive`},
		{"1.22.1", inPlain("server {\nlisten 443 ssl;\n" + pair + "}\nserver {\nlisten 443 default_server;\n}"), `8: no "ssl_certificate" is defined for the "listen ... ssl" directive`},
		{"1.22.1", inPlainServer("ssl_certificate c.pem;"), `4: no "ssl_certificate_key" is defined for certificate "c.pem"`},
		{"1.22.1", inPlainServer(pair + "ssl_certificate d.pem;"), `6: no "ssl_certificate_key" is defined for certificate "d.pem"`},
		{"1.22.1", inPlain("ssl_certificate c.pem;"), ""},
		{"1.22.1", inPlainServer("ssl on;"), `4: no "ssl_certificate" is defined for the "ssl" directive`},
		{"1.22.1", inPlainServer("ssl on;\nssl_certificate c.pem;"), `4: no "ssl_certificate_key" is defined for the "ssl" directive`},
		{"1.22.1", inPlainServer("ssl on;\n" + pair + "ssl_certificate d.pem;"), `4: no "ssl_certificate_key" is defined for certificate "d.pem" and the "ssl" directive`},
		{"1.22.1", inPlainServer("ssl_certificate $nosuch;\nssl_certificate_key k.pem;"), `4: unknown "nosuch" variable`},
		{"1.22.1", inPlainServer("ssl_certificate $;\nssl_certificate_key k.pem;"), "7: invalid variable name"},
		{"1.25.0", inPlainServer("listen 443 quic;"), `3: no "ssl_certificate" is defined for the "listen ... quic" directive`},
		{"1.25.0", inPlainServer("listen 443 quic;\nlisten 443 ssl;\n" + pair), ""},
		{"1.25.4", inPlainServer("listen 443 quic;\nssl_protocols TLSv1.2;\n" + pair), `3: "ssl_protocols" must enable TLSv1.3 for the "listen ... quic" directive`},
		{"1.25.3", inPlainServer("listen 443 quic;\nssl_protocols TLSv1.2;\n" + pair), ""},
	})
}

func TestTLSOfServers(t *testing.T) {
	with := func(text string) string {
		return inPlainServer("ssl_certificate c.pem;\nssl_certificate_key k.pem;\n" + text)
	}
	expect(t, []refusal{
		{"1.22.1", inPlainServer("ssl_ciphers foo;"), ""}, // nothing comes of it
		{"1.22.1", with("ssl_ciphers foo;"), `6: SSL_CTX_set_cipher_list("foo") failed (SSL: error:0A0000B9:SSL routines::no cipher match)`},
		{"1.22.1", with("ssl_ciphers HIGH:*;"), `6: SSL_CTX_set_cipher_list("HIGH:*") failed (SSL: error:0A000118:SSL routines::invalid command)`},
		{"1.22.1", with("ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305:EECDH+AES:!aNULL@STRENGTH;"), ""},
		{"1.22.1", with("ssl_ecdh_curve X25519:foo;"), `6: SSL_CTX_set1_curves_list("X25519:foo") failed (SSL: error:0A080106:SSL routines::passed invalid argument:group 'foo' cannot be set)`},
		{"1.22.1", with("ssl_ecdh_curve X25519MLKEM768:prime256v1;"), ""},
		{"1.22.1", with("ssl_conf_command ciphersuites x;"), ""},
		{"1.22.1", with("ssl_verify_client on;"), "6: no ssl_client_certificate for ssl_verify_client"},
		{"1.22.1", with("ssl_verify_client optional_no_ca;"), ""},
		{"1.22.1", with("ssl_verify_client on;\nssl_trusted_certificate t.pem;"), "6: no ssl_client_certificate for ssl_verify_client"},
		{"1.27.2", with("ssl_verify_client on;\nssl_trusted_certificate t.pem;"), ""},
		{"1.27.2", with("ssl_verify_client on;"), "6: no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"},
		{"1.22.1", with("ssl_ocsp leaf;\nssl_ocsp_responder https://a;"), `7: invalid URL prefix in OCSP responder "https://a" in "ssl_ocsp_responder"`},
		{"1.22.1", with("ssl_ocsp on;\nssl_ocsp_responder http://a:0;"), `7: invalid port in OCSP responder "a:0" in "ssl_ocsp_responder"`},
		{"1.22.1", with("ssl_ocsp on;\nssl_verify_client optional_no_ca;"), `6: "ssl_ocsp" is incompatible with "ssl_verify_client optional_no_ca"`},
		{"1.22.1", with("ssl_ocsp x;"), `6: invalid value "x"`},
		{"1.29.3", with("ssl_stapling on;\nssl_certificate_compression on;"), `6: "ssl_stapling" is incompatible with "ssl_certificate_compression"`},
		{"1.22.1", with("ssl_session_cache shared:a:32767;"), `6: session cache "shared:a:32767" is too small`},
		{"1.22.1", with("ssl_session_cache shared:a:1m;\nssl_ocsp_cache shared:a:1m;"), `7: the shared memory zone "a" is already declared for a different use`},
		{"1.22.1", with("ssl_session_cache builtin:1000 shared:a:1m;\nssl_ocsp_cache shared:b:1m;"), ""},
		{"1.22.1", with("ssl_ocsp_cache x;"), `6: invalid OCSP cache "x"`},
		{"1.22.1", with("ssl on;\nssl on;"), `7: "ssl" directive is duplicate`},
		{"1.25.1", with("ssl on;"), `6: unknown directive "ssl"`},
	})
}

func TestHTTP2(t *testing.T) {
	expect(t, []refusal{
		{"1.22.1", inPlain("http2_recv_buffer_size 32;"), `3: "http2_recv_buffer_size" directive value is too small`},
		{"1.25.3", inPlain("http2_recv_buffer_size 32;"), ""},
		{"1.22.1", inPlain("http2_pool_size 100;"), "3: the pool size must be no less than 112"},
		{"1.22.1", inPlain("http2_pool_size 300;"), "3: the pool size must be a multiple of 16"},
		{"1.22.1", inPlain("http2_body_preread_size 2147483648;"), "3: the maximum body preread buffer size is 2147483647"},
		{"1.22.1", inPlain("http2_streams_index_size 3;"), `3: "http2_streams_index_size" directive must be a power of two`},
		{"1.22.1", inPlain("http2_chunk_size 0;"), "3: the http2 chunk size cannot be zero"},
		{"1.22.1", inPlain("http2_push off;\nhttp2_push /a;"), `4: "http2_push" directive URI cannot be used with "off" parameter`},
		{"1.22.1", inPlain("http2_push /a;\nhttp2_push off;"), `4: "http2_push" directive "off" parameter cannot be used with URI`},
		{"1.25.1", inPlain("http2_push /a;\nhttp2_push off;"), ""},
		{"1.19.6", inPlain("http2_max_requests x;"), `3: "http2_max_requests" directive invalid number`},
		{"1.22.1", inPlain("http2_max_requests x;"), ""},
	})
}
