package nginxacl_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl/nginxacl"
)

func TestStreamsAreExplainedAndCompared(t *testing.T) {
	const top = "events {}\nstream {\n deny 192.0.2.66;\n"
	before := load(t, top+"server { listen 5432; proxy_pass 127.0.0.1:1; }\nserver { listen 192.0.2.1:5433 udp; deny all; proxy_pass 127.0.0.1:1; } }\n")
	after := load(t, top+"server { listen 5432; allow 192.0.2.0/24; deny all; proxy_pass 127.0.0.1:1; }\nserver { listen 192.0.2.1:5433 udp; proxy_pass 127.0.0.1:1; }\nserver { listen 9000-9001; proxy_pass 127.0.0.1:1; } }\n")
	e, err := nginxacl.Explain(before, nginxacl.Query{Client: netip.MustParseAddr("192.0.2.66"), Listen: netip.MustParseAddrPort("192.0.2.1:5432")})
	require.NoError(t, err)
	require.Equal(t, denied, e.Verdict)
	require.Equal(t, "nginx.conf:3:2: deny 192.0.2.66; is the first rule that matches 192.0.2.66", e.Because)
	require.Len(t, e.From, 1)
	_, err = nginxacl.Explain(before, nginxacl.Query{Client: netip.MustParseAddr("192.0.2.66"), Listen: netip.MustParseAddrPort("192.0.2.1:5433")})
	require.Error(t, err, "that is UDP")

	changes, err := nginxacl.Diff(before, after)
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, changes.WriteText(&b, nil))
	require.Equal(t, `stream on 0.0.0.0:5432
    gain access: 192.0.2.66
    lose access: everybody but 192.0.2.0/24
    before: server: deny 192.0.2.66; (nginx.conf:3:2, inherited from stream)
    after:  server: allow 192.0.2.0/24; deny all; (nginx.conf:4:23)

stream on 192.0.2.1:5433 udp
    gain access: everybody but 192.0.2.66
    before: server: deny all; (nginx.conf:5:37)
    after:  server: deny 192.0.2.66; (nginx.conf:3:2, inherited from stream)

stream on 0.0.0.0:9000
    gain access: everybody but 192.0.2.66
    before: no server listens there: no server listens there
    after:  server: deny 192.0.2.66; (nginx.conf:3:2, inherited from stream)

stream on 0.0.0.0:9001
    gain access: everybody but 192.0.2.66
    before: no server listens there: no server listens there
    after:  server: deny 192.0.2.66; (nginx.conf:3:2, inherited from stream)
`, b.String())
}
