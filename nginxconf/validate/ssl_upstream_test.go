package validate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newPair returns a certificate and its key, in PEM.
func newPair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// keyPair puts cert.pem and key.pem beside the main file.
func (u *upstream) keyPair(t *testing.T) {
	t.Helper()
	certificate, key := newPair(t)
	require.NoError(t, os.WriteFile(filepath.Join(u.dir, "cert.pem"), certificate, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(u.dir, "key.pem"), key, 0o600))
}

func (g generator) ssl(level string) string {
	switch g.IntN(24) {
	case 0:
		return "ssl_certificate " + g.mostly("cert.pem", "$ssl_server_name|$nosuch|$") + ";"
	case 1:
		return "ssl_certificate_key " + g.mostly("key.pem", "$ssl_server_name|$nosuch") + ";"
	case 6:
		return "ssl_protocols " + g.someMostly(3, "TLSv1.2|TLSv1.3|TLSv1|SSLv3", "x|tlsv1.1|''|TLSV1.2|TLSv1.4") + ";"
	case 7:
		return "ssl_ciphers " + g.ciphers() + ";"
	case 8:
		return "ssl_session_cache " + g.someMostly(2, "off|none|builtin|builtin:1000|shared:a:1m|shared:b:32k", "builtin:x|builtin:|shared:a:32767|shared:a|shared::1m|shared:|shared:a:x|shared:b:1m|shared:a:2m|x|''|shared:a:1m:2|builtin\x00") + ";"
	case 9:
		return "ssl_session_timeout " + g.aTime() + ";"
	case 10:
		return g.pick("ssl_session_tickets ", "ssl_prefer_server_ciphers ", "ssl_early_data ", "ssl_stapling_verify ", "ssl_reject_handshake ", "ssl ", "ssl_stapling ") + g.aFlag() + ";"
	case 11:
		return "ssl_verify_client " + g.mostly("on|off|optional|optional_no_ca", "ON|x|Optional_No_CA") + ";"
	case 12:
		return "ssl_verify_depth " + g.aNumber() + ";"
	case 13:
		return g.pick("ssl_client_certificate ", "ssl_trusted_certificate ") + g.mostly("cert.pem", "''") + ";"
	case 14:
		return "ssl_ecdh_curve " + g.mostly("auto|prime256v1|secp384r1:X25519|P-256|X448|x25519", "foo|''|X25519:foo|'X25519: P-384'|Auto") + ";"
	case 15:
		return "ssl_conf_command " + g.mostly("Options PrioritizeChaCha|MinProtocol TLSv1.2|ciphersuites TLS_AES_128_GCM_SHA256|NumTickets 2", "foo bar|'' x|min_protocol x") + ";"
	case 16:
		return "ssl_ocsp " + g.mostly("on|off|leaf", "x|Leaf|''") + ";"
	case 17:
		return "ssl_ocsp_responder " + g.mostly("http://127.0.0.1|http://127.0.0.1/x|HTTP://127.0.0.1:81", "https://127.0.0.1|http://|x|''|http://127.0.0.1:0|http://:80|http://nosuch|http://[::1") + ";"
	case 18:
		return "ssl_ocsp_cache " + g.mostly("off|shared:o:1m", "shared:a:1m|shared:o:1k|shared:o|shared:|x|shared:o:x|''|shared::1m") + ";"
	case 19:
		return "ssl_buffer_size " + g.aSize() + ";"
	case 20:
		if level != "http" && g.IntN(20) > 0 {
			return "http2_chunk_size 8k;"
		}
		return g.mostly("http2_pool_size 256|http2_pool_size 4k|http2_body_preread_size 64k|http2_chunk_size 8k|http2_recv_buffer_size 256k|http2_body_preread_size 2147483647|http2_chunk_size 1m|http2_recv_buffer_size 33",
			"http2_pool_size 100|http2_pool_size 111|http2_pool_size 300|http2_body_preread_size 2147483648|http2_chunk_size 0|http2_recv_buffer_size 32|http2_recv_buffer_size 0|http2_pool_size x|http2_chunk_size x") + ";"
	case 21:
		return g.mostly("http2_max_concurrent_streams 128|http2_streams_index_size 16|http2_streams_index_size 1|http2_max_requests x|http2_max_concurrent_pushes 10", "http2_streams_index_size 0|http2_streams_index_size 3|http2_max_concurrent_streams x|http2_streams_index_size x") + ";"
	case 22:
		return "http2_push " + g.mostly("off|/x|$uri|/y", "$|$nosuch|''") + ";"
	}
	return g.mostly("http2_push_preload on|http2_max_field_size x|http2_max_header_size 4k|http2_recv_timeout 10s|http2_idle_timeout x", "http2_push_preload x") + ";"
}

// secure returns a main file about TLS.
func (g generator) secure() string {
	var s strings.Builder
	lines := func(indent, level string, most int) {
		for range g.IntN(most) {
			fmt.Fprintf(&s, "%s%s\n", indent, g.ssl(level))
		}
	}
	s.WriteString("events {\n}\nhttp {\n")
	lines("  ", "http", 4)
	for range 1 + g.IntN(2) {
		s.WriteString("  server {\n")
		listen := []string{"443 ssl", "443", "444 ssl default_server", "80", "445 ssl http2", "127.0.0.1:443 ssl", "446 default_server", "unix:a.sock ssl"}
		g.Shuffle(len(listen), func(i, j int) { listen[i], listen[j] = listen[j], listen[i] })
		for _, l := range listen[:g.IntN(3)] {
			fmt.Fprintf(&s, "    listen %s;\n", l)
		}
		if g.IntN(3) > 0 {
			s.WriteString("    ssl_certificate cert.pem;\n    ssl_certificate_key key.pem;\n")
		}
		lines("    ", "server", 4)
		s.WriteString("  }\n")
	}
	s.WriteString("}\n")
	return s.String()
}

// TestOracleSSL asks the installed nginx about random uses of the directives of
// TLS and HTTP/2.
func TestOracleSSL(t *testing.T) {
	u := newUpstream(t)
	u.keyPair(t)
	rnd, cases := oracleSize(t, 120)
	g := generator{rnd}
	for range cases {
		conf := g.secure()
		if diff := u.compareAll(t, conf); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
}

// files returns a main file that names files, not all of which are as they
// should be.
func (g generator) files() string {
	certificate := func() string {
		return g.mostly("cert.pem|cert.pem|chain.pem", "nosuch.pem|empty.pem|text.pem|key.pem|both.pem|other.pem|data:x|/nosuch/x")
	}
	key := func() string {
		return g.mostly("key.pem|key.pem|both.pem", "nosuch.pem|empty.pem|text.pem|cert.pem|otherkey.pem|/nosuch/x")
	}
	trusted := func() string {
		return g.mostly("cert.pem|chain.pem", "nosuch.pem|empty.pem|text.pem|''|/nosuch/x")
	}
	var s strings.Builder
	s.WriteString("events {\n}\nhttp {\n")
	for range 1 + g.IntN(2) {
		fmt.Fprintf(&s, "  server {\n    ssl_certificate %s;\n    ssl_certificate_key %s;\n", certificate(), key())
		if g.IntN(3) == 0 {
			fmt.Fprintf(&s, "    ssl_certificate %s;\n    ssl_certificate_key %s;\n", certificate(), key())
		}
		for range g.IntN(4) {
			switch g.IntN(8) {
			case 0:
				fmt.Fprintf(&s, "    ssl_trusted_certificate %s;\n", trusted())
			case 1:
				fmt.Fprintf(&s, "    ssl_client_certificate %s;\n    ssl_verify_client on;\n", trusted())
			case 2:
				fmt.Fprintf(&s, "    ssl_crl %s;\n", g.mostly("''", "nosuch.pem|text.pem|empty.pem"))
			case 3:
				fmt.Fprintf(&s, "    ssl_dhparam %s;\n", g.mostly("''", "nosuch.pem|text.pem|empty.pem"))
			case 4:
				fmt.Fprintf(&s, "    ssl_session_ticket_key %s;\n", g.mostly("ticket48|ticket80", "nosuch|text.pem|empty.pem"))
			case 5:
				fmt.Fprintf(&s, "    ssl_password_file %s;\n", g.mostly("text.pem", "nosuch|/nosuch/x"))
			case 6:
				fmt.Fprintf(&s, "    location /%d {\n      proxy_pass https://127.0.0.1;\n      proxy_ssl_certificate %s;\n      proxy_ssl_certificate_key %s;\n    }\n", g.IntN(1000), certificate(), key())
			case 7:
				fmt.Fprintf(&s, "    location /%d {\n      proxy_pass https://127.0.0.1;\n      proxy_ssl_trusted_certificate %s;\n      proxy_ssl_verify on;\n    }\n", g.IntN(1000), trusted())
			}
		}
		s.WriteString("  }\n")
	}
	s.WriteString("}\n")
	return s.String()
}

// pemFiles puts files for TLS beside the main file, and lets us see them.
func (u *upstream) pemFiles(t *testing.T) {
	t.Helper()
	u.files = os.DirFS("/")
	u.keyPair(t)
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(u.dir, name))
		require.NoError(t, err)
		return b
	}
	certificate, key := read("cert.pem"), read("key.pem")
	other, otherKey := newPair(t)
	for name, text := range map[string][]byte{
		"chain.pem": slices.Concat(certificate, other), "both.pem": slices.Concat(key, certificate), "empty.pem": nil, "text.pem": []byte("text\n"),
		"other.pem": other, "otherkey.pem": otherKey, "ticket48": make([]byte, 48), "ticket80": make([]byte, 80),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(u.dir, name), text, 0o600))
	}
}

// TestOracleSSLFiles asks the installed nginx about files that are there, or
// not, and gives us the same ones.
func TestOracleSSLFiles(t *testing.T) {
	u := newUpstream(t)
	u.pemFiles(t)
	rnd, cases := oracleSize(t, 120)
	g := generator{rnd}
	for range cases {
		conf := g.files()
		if diff := u.compare(t, conf); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
}
