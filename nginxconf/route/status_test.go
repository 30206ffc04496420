package route_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

func TestTheStatusOfAnErrorPage(t *testing.T) {
	f, err := nginxconf.Parse("nginx.conf", []byte(`events {}
http { server { listen 80; error_page 403 /page; error_page 404 =200 /page; error_page 401 = /page;
location /page { } location /403 { return 403; } location /404 { return 404; } location /401 { return 401; } } }`))
	require.NoError(t, err)
	r, err := route.New(f.Config())
	require.NoError(t, err)
	for uri, want := range map[string]int{"/page": 0, "/403": 403, "/404": 200, "/401": 0} {
		m, err := r.Match(route.Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a", URI: uri})
		require.NoError(t, err)
		require.Equal(t, "/page", m.Path)
		require.Equal(t, want, m.Status, uri)
		refused := m.Refuse(403)
		if uri == "/page" {
			require.Equal(t, 403, refused.Status)
			require.Nil(t, refused.Answer)
		} else {
			require.Equal(t, 403, refused.Answer.Status, "an error page has none")
		}
	}
}
