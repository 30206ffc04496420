package nginxacl_test

import (
	"net/http"
	"net/netip"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
)

func load(t testing.TB, text string, more ...string) *nginxconf.Config {
	t.Helper()
	fsys := fstest.MapFS{"nginx.conf": {Data: []byte(text)}}
	for i := 0; i < len(more); i += 2 {
		fsys[more[i]] = &fstest.MapFile{Data: []byte(more[i+1])}
	}
	c, err := nginxconf.Load(fsys, "nginx.conf", nil)
	require.NoError(t, err)
	return c
}

// chainTo returns the chain of the block that the path finds, itself included.
func chainTo(t testing.TB, c *nginxconf.Config, path ...string) nginxconf.Context {
	t.Helper()
	for want := range c.Find(path...) {
		for d, ctx := range c.All() {
			if d == want {
				return append(ctx[:len(ctx):len(ctx)], d)
			}
		}
	}
	require.Fail(t, "not found", "%q", path)
	return nil
}

const nested = `
http {
    deny 192.0.2.66;
    server {
        server_name a;
        satisfy any;
        location / { include rules; auth_basic "members"; auth_basic_user_file users; location /open { auth_basic off; allow all; } location /in { } }
        location /plain { }
    }
}`

func TestTheNearestLevelThatHasRulesReplacesAllOthers(t *testing.T) {
	c := load(t, nested, "rules", "allow 10.0.0.0/8;\ndeny all;\n")
	for _, p := range []struct {
		path   []string
		list   string
		level  int
		origin string
		auth   int
	}{
		{[]string{"http"}, "deny 192.0.2.66;\n", 1, "nginx.conf:3:5", 0},
		{[]string{"http", "server"}, "deny 192.0.2.66;\n", 1, "nginx.conf:3:5", 0},
		{[]string{"http", "server", "location[/plain]"}, "deny 192.0.2.66;\n", 1, "nginx.conf:3:5", 0},
		{[]string{"http", "server", "location[/]"}, "allow 10.0.0.0/8;\ndeny all;\n", 3, "rules:1:1", 1},
		{[]string{"http", "server", "location[/]", "location[/in]"}, "allow 10.0.0.0/8;\ndeny all;\n", 3, "rules:1:1", 1},
		{[]string{"http", "server", "location[/]", "location[/open]"}, "allow all;\n", 4, "nginx.conf:7:120", 0},
	} {
		policy, err := nginxacl.For(c, chainTo(t, c, p.path...))
		require.NoError(t, err)
		require.Equal(t, p.list, policy.List.String(), "%q", p.path)
		require.Len(t, policy.Level, p.level, "%q", p.path)
		require.Equal(t, p.origin, policy.Origins[0].Pos().String(), "%q", p.path)
		require.Equal(t, policy.Origins[0].Pos(), policy.List[0].Pos)
		require.Len(t, policy.Auth, p.auth, "%q", p.path)
	}
	policy, err := nginxacl.For(c, chainTo(t, c, "http", "server", "location[/plain]"))
	require.NoError(t, err)
	require.Equal(t, acl.SatisfyAny, policy.Satisfy)
	policy, err = nginxacl.For(c, nil)
	require.NoError(t, err)
	require.Empty(t, policy.List)
	require.Equal(t, acl.SatisfyAll, policy.Satisfy)
}

func TestARuleThatNginxRefusesIsAnErrorWithItsPlace(t *testing.T) {
	c := load(t, "http {\n  allow 10.0.0.0/33;\n}")
	_, err := nginxacl.For(c, chainTo(t, c, "http"))
	require.EqualError(t, err, `nginx.conf:2:3: invalid parameter "10.0.0.0/33"`)
}

func TestTheClientIsWhoATrustedProxyNames(t *testing.T) {
	c := load(t, "http { set_real_ip_from 127.0.0.0/8; server { } server { real_ip_header X-Forwarded-For; } }")
	peer, other := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("198.51.100.7")
	in := chainTo(t, c, "http", "server")
	for value, want := range map[string]netip.Addr{
		"198.51.100.7":               other,
		"203.0.113.1, 198.51.100.7 ": other,
		"198.51.100.7:1234":          other,
		"":                           peer,
	} {
		got, err := nginxacl.Client(c, in, peer, http.Header{"X-Real-Ip": {value}})
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", value)
	}
	got, err := nginxacl.Client(c, in, other, http.Header{"X-Real-Ip": {"10.0.0.1"}})
	require.NoError(t, err)
	require.Equal(t, other, got, "a stranger is not believed")
	in = chainTo(t, c, "http", "server[real_ip_header=X-Forwarded-For]")
	got, err = nginxacl.Client(c, in, peer, http.Header{"X-Forwarded-For": {"10.0.0.1", "10.0.0.2"}})
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddr("10.0.0.2"), got)
}
