package nginxacl_test

import (
	"io"
	"net/http"
	"net/netip"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
)

// Whatever the configuration is, nothing panics or hangs, and what is said of
// it is consistent.
func FuzzJudge(f *testing.F) {
	const server = "server { listen 80; listen unix:/s; server_name a *.b; "
	for _, text := range []string{
		"allow 10.0.0.0/8; deny all; location / { satisfy any; auth_basic x; auth_basic_user_file u; }",
		"set_real_ip_from 127.0.0.1; real_ip_recursive on; real_ip_header X-Forwarded-For; location ~ ^/(a|b)+x$ { deny ::/0; }",
		"error_page 403 401 = @x; location @x { try_files $uri /y; } location /y { limit_except GET { deny all; } }",
		"auth_request /z; location = /z { return 204; } location /p/ { proxy_pass http://127.0.0.1; internal; }",
		"if ($remote_addr = 10.0.0.1) { return 403; } rewrite ^/a(.*)$ /b$1 last; location /b { access_by_lua_block { return } perl x; } odd;",
	} {
		f.Add("geo $g { default 0; 10.0.0.0/8 1; } map $g $m { 1 x; default y; }"+server+text+"}", server+text+" deny all; }", "/b/x.php?y", "10.0.0.1")
	}
	f.Add("geo $g { ranges; 10.0.0.0-10.0.0.255 1; 10.0.0.3-10.0.0.4 2; delete 10.0.0.3-10.0.0.4; }"+server+"if ($g) { return 403; } }", "", "", "::1")
	f.Add(server+"include a; }", server+"}", "/", "unix:")
	f.Fuzz(func(t *testing.T, before, after, uri, header string) {
		if len(before)+len(after) > 4096 {
			return
		}
		judge := func(text string) *nginxacl.Judge {
			fsys := fstest.MapFS{"nginx.conf": {Data: []byte("events {} http { " + text + "\n}")}, "u": {Data: []byte("ada:{PLAIN}x\n")}}
			c, err := nginxconf.Load(fsys, "nginx.conf", nil)
			if err != nil {
				return nil
			}
			for d, chain := range c.All() {
				if d.Body() != nil {
					p, err := nginxacl.For(c, append(chain, d))
					require.True(t, err != nil || len(p.List) == len(p.Origins))
				}
			}
			j, err := nginxacl.New(c, &nginxacl.Options{Files: fsys})
			if err != nil {
				return nil
			}
			for _, q := range []nginxacl.Query{
				{Client: netip.MustParseAddr("10.0.0.1"), Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a", URI: uri, Header: http.Header{"X-Forwarded-For": {header}}},
				{Unix: true, Host: "c.b", URI: uri, User: "ada", Password: "x", Method: "POST"},
			} {
				e, err := j.Explain(q)
				if err != nil {
					continue
				}
				require.NotEmpty(t, e.Because)
				require.False(t, e.Verdict == nginxacl.Unknown && (e.Rule != nil || e.Phase != "" || e.Status != 0), "%+v", e)
			}
			for _, r := range j.Matrix() {
				in := r.Reach
				require.True(t, in.Open.Intersect(in.Login).IsEmpty() && in.Open.Union(in.Login).Intersect(in.Unsure).IsEmpty(), "%+v", in)
				require.Equal(t, in.Unsure.IsEmpty(), in.Because == "" || in.Unsure.IsEmpty())
			}
			return j
		}
		b, a := judge(before), judge(after)
		if b == nil || a == nil {
			return
		}
		require.Empty(t, b.Diff(b))
		there, back := b.Diff(a), a.Diff(b)
		require.NoError(t, there.WriteText(io.Discard, nil))
		require.NoError(t, there.WriteMarkdown(io.Discard, nil))
		gains := func(cs nginxacl.Changes, lose bool) (n int) {
			for _, c := range cs {
				if lose && (!c.Loses.IsEmpty() || !c.LosesLogin.IsEmpty()) || !lose && (!c.Gains.IsEmpty() || !c.GainsLogin.IsEmpty()) {
					n++
				}
			}
			return n
		}
		require.Equal(t, gains(there, false) > 0, gains(back, true) > 0)
	})
}
