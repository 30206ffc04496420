package route

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
)

// TestOracleStream asks a running nginx which server of stream takes a
// connection, and whether it gets in.
func TestOracleStream(t *testing.T) {
	testenv.Program(t, "nginx")
	const module = "/usr/lib/nginx/modules/ngx_stream_module.so"
	if _, err := os.Stat(module); err != nil {
		t.Skip(err)
	}
	seed, cases := testenv.Size(t, 4)
	n := counts{}
	for i := range cases {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(i))), dir: t.TempDir()}
		g.open(t)
		var b strings.Builder
		taken := map[string]bool{}
		for at, port := range g.ports { // nginx has to have the sockets that there are
			switch {
			case at == 2 && port != 0:
				fmt.Fprintf(&b, "server { listen [::]:%d ipv6only=off; return any; }\n", port)
			case at < 2 && g.any[at]:
				fmt.Fprintf(&b, "server { listen %d; return any; deny 127.0.0.2; }\n", port)
			}
		}
		for k := range 12 {
			at := g.IntN(3)
			if g.ports[at] == 0 {
				at = 0
			}
			address := pick(g, "127.0.0.1:", "127.0.0.2:", "127.0.0.3:")
			switch {
			case at == 2:
				address = pick(g, "[::1]:", "[::ffff:127.0.0.2]:", "[::ffff:127.0.0.3]:")
			}
			key := fmt.Sprint(address, at)
			if taken[key] {
				continue
			}
			taken[key] = true
			fmt.Fprintf(&b, "server { listen %s%d; return s%d; %s }\n", address, g.ports[at], k,
				pick(g, "", "", "deny 127.0.0.1; ", "allow 127.0.0.0/8; deny all;", "deny ::1;"))
		}
		text := "}\nstream {\n" + pick(g, "", "deny 127.0.0.1;\n") + b.String()
		dir := g.dir
		stop := startNginxWith(t, dir, "load_module "+module+";\n", text, g.sockets)
		c, err := nginxconf.LoadFile(dir + "/nginx.conf")
		require.NoError(t, err)
		r, err := New(c)
		require.NoError(t, err)
		for at, port := range g.ports {
			addrs := loopback
			if at == 2 {
				addrs = append(addrs, netip.IPv6Loopback())
			}
			for _, a := range addrs {
				listen := netip.AddrPortFrom(a, port)
				m, err := r.MatchStream(StreamRequest{Listen: listen})
				if err != nil {
					require.ErrorIs(t, err, ErrNoServer)
					n["no server"]++ // the test holds the socket, so nobody would answer
					continue
				}
				conn, err := net.Dial("tcp", listen.String())
				require.NoError(t, err)
				require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
				got, err := io.ReadAll(conn)
				require.NoError(t, err)
				require.Equal(t, answerOf(c, m, conn), string(got), "%v: %v\n%s", listen, m.Server, text)
				n["server"]++
				conn.Close()
			}
		}
		stop()
	}
	t.Log(n)
}

// answerOf is what the server of m returns, unless its rules deny it.
func answerOf(c *nginxconf.Config, m Match, conn net.Conn) string {
	rules, _ := c.Effective(m.Chain, "allow", "deny")
	client := conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	for _, d := range rules {
		p, err := netip.ParsePrefix(d.Arg(0))
		if a, notPrefix := netip.ParseAddr(d.Arg(0)); err != nil && notPrefix == nil {
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if d.Arg(0) == "all" || p.Contains(client) {
			if d.Name() == "deny" {
				return ""
			}
			break
		}
	}
	for d := range m.Server.Body().Find("return") {
		return d.Arg(0)
	}
	return "?"
}
