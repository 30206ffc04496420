package nginxacl_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl/nginxacl"
)

const host = `events {}
http {
    server {
        listen 80;
        server_name scout.example.se;
        return 301 https://$host$request_uri;
    }
    server {
        listen 443 ssl;
        server_name scout.example.se;
        ssl_certificate c; ssl_certificate_key k;
        allow 192.0.2.0/24;
        deny all;
        location / { proxy_pass http://127.0.0.1:8083; }
        location /open { allow 10.0.0.0/8; proxy_pass http://127.0.0.1:8083; }
        location = /status { return 204; }
        location ~ \.php$ { deny all; }
        location ^~ /members { auth_basic "members"; auth_basic_user_file users; proxy_pass http://127.0.0.1:8083; }
        location ^~ /either { satisfy any; auth_basic "members"; auth_basic_user_file users; proxy_pass http://127.0.0.1:8083; }
    }
}`

func TestARequestIsFollowedToItsRule(t *testing.T) {
	c := load(t, host)
	in, out := "192.0.2.7", "198.51.100.1"
	for _, q := range []struct {
		name, client, uri string
		plain             bool
		verdict           nginxacl.Verdict
		phase, because    string
		steps             int
	}{
		{"plain HTTP", out, "/x", true, nginxacl.Allowed, "server-rewrite", "nginx.conf:6:9: return 301 https://$host$request_uri; answers before allow and deny are looked at", 2},
		{"a return in a location", out, "/status", false, nginxacl.Allowed, "rewrite", "nginx.conf:16:30: return 204; answers before allow and deny are looked at", 3},
		{"a password is asked for", in, "/members", false, nginxacl.Unauthorized, "access", `nginx.conf:18:32: auth_basic "members"; asks for a user and password, and the request has none`, 4},
		{"a rule comes before the password", out, "/members", false, nginxacl.Denied, "access", "nginx.conf:13:9: deny all; is the first rule that matches 198.51.100.1", 3},
		{"one of them is enough", in, "/either", false, nginxacl.Allowed, "access", "nginx.conf:12:9: allow 192.0.2.0/24; is the first rule that matches 192.0.2.7, and satisfy any (nginx.conf:19:31) asks for no more", 3},
		{"the password may still let in", out, "/either", false, nginxacl.Unauthorized, "access", `nginx.conf:19:44: auth_basic "members"; asks for a user and password, and the request has none, and satisfy any (nginx.conf:19:31) found nothing else that lets it in`, 4},
	} {
		t.Run(q.name, func(t *testing.T) {
			query := nginxacl.Query{Client: netip.MustParseAddr(q.client), Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true, Host: "scout.example.se", URI: q.uri}
			if q.plain {
				query.Listen, query.TLS = netip.MustParseAddrPort("192.0.2.1:80"), false
			}
			e, err := nginxacl.Explain(c, query)
			require.NoError(t, err)
			require.Equal(t, q.verdict, e.Verdict)
			require.Equal(t, q.because, e.Because)
			require.Equal(t, q.phase, e.Phase)
			require.Len(t, e.Steps, q.steps, "%v", e.Steps)
		})
	}
}

func TestWhatAnUnknownRegularExpressionDecidesIsUnknown(t *testing.T) {
	c := load(t, `events {} http { server { listen 80; location ~ ^/(a(?R)?b)$ { deny all; } } }`)
	e, err := nginxacl.Explain(c, nginxacl.Query{Client: netip.MustParseAddr("192.0.2.7"), Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "x", URI: "/open"})
	require.NoError(t, err)
	require.Equal(t, nginxacl.Unknown, e.Verdict)
	require.Nil(t, e.Rule)
	require.Contains(t, e.Because, "(?R)")
}

func TestARuleOfALocationReplacesThoseOfTheServer(t *testing.T) {
	c := load(t, `events {} http { server { listen 80; allow 192.0.2.0/24; deny all;
location /open { allow 10.0.0.0/8; } } }`)
	query := nginxacl.Query{Client: netip.MustParseAddr("198.51.100.1"), Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "x", URI: "/open/"}
	e, err := nginxacl.Explain(c, query)
	require.NoError(t, err)
	require.Equal(t, nginxacl.Allowed, e.Verdict)
	require.Nil(t, e.Rule)
	require.Equal(t, "none of the 1 rules matches 198.51.100.1", e.Because)
	require.Len(t, e.From, 3)

	query.URI = "/"
	e, err = nginxacl.Explain(c, query)
	require.NoError(t, err)
	require.Equal(t, nginxacl.Denied, e.Verdict)
	require.Equal(t, "deny all;", e.Rule.String())
	require.Len(t, e.From, 2)
}

func TestTheAddressThatATrustedProxyNamesIsJudged(t *testing.T) {
	c := load(t, "events {} http { set_real_ip_from 127.0.0.1; server { listen 80; deny 198.51.100.1; } }")
	e, err := nginxacl.Explain(c, nginxacl.Query{
		Client: netip.MustParseAddr("127.0.0.1"), Listen: netip.MustParseAddrPort("127.0.0.1:80"), Host: "x",
		Header: http.Header{"X-Real-Ip": {"198.51.100.1"}},
	})
	require.NoError(t, err)
	require.Equal(t, nginxacl.Denied, e.Verdict)
	require.Equal(t, netip.MustParseAddr("198.51.100.1"), e.Client)
}

func TestVerdictsAreWritten(t *testing.T) {
	for v, want := range map[nginxacl.Verdict]string{nginxacl.Unknown: "unknown", nginxacl.Allowed: "allowed", nginxacl.Denied: "denied", nginxacl.Unauthorized: "unauthorized"} {
		text, err := v.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		var back nginxacl.Verdict
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, v, back)
	}
	_, err := nginxacl.Verdict(9).MarshalText()
	require.Error(t, err)
	require.Error(t, new(nginxacl.Verdict).UnmarshalText([]byte("maybe")))
}

func TestPasswordFilesAreLookedForWhereTheConfigurationIsFrom(t *testing.T) {
	const conf = "events {} http { server { listen 80; auth_basic x; auth_basic_user_file users; } }"
	query := nginxacl.Query{Client: netip.MustParseAddr("192.0.2.7"), Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a", User: "ada", Password: "secret"}
	e, err := nginxacl.Explain(load(t, conf, "users", "ada:{PLAIN}secret\n"), query)
	require.NoError(t, err)
	require.Equal(t, nginxacl.Allowed, e.Verdict)
	e, err = nginxacl.Explain(load(t, conf, "users", "ada:$6$salt$hash\n"), query)
	require.NoError(t, err)
	require.Equal(t, nginxacl.Unknown, e.Verdict, "the C library's hashes are not known")
	e, err = nginxacl.Explain(load(t, conf), query)
	require.NoError(t, err)
	require.Equal(t, nginxacl.Unknown, e.Verdict)
	require.Equal(t, "nginx.conf:1:52: auth_basic_user_file users; is not where the configuration is from", e.Because)
	query.User = ""
	e, err = nginxacl.Explain(load(t, conf), query)
	require.NoError(t, err)
	require.Equal(t, nginxacl.Unauthorized, e.Verdict, "without credentials the file does not matter")
}
