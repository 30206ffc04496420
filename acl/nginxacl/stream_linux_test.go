package nginxacl_test

import (
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/internal/testenv"
)

// Generated servers of a stream block: whether nginx answers a connection, or
// closes it without a byte.
func TestOracleNginxDecidesAboutStreams(t *testing.T) {
	seed, n := testenv.Size(t, 30)
	version, err := exec.CommandContext(t.Context(), testenv.Program(t, "nginx"), "-V").CombinedOutput()
	require.NoError(t, err)
	module := ""
	if m := regexp.MustCompile(`--modules-path=(\S+)`).FindSubmatch(version); m != nil {
		module = string(m[1]) + "/ngx_stream_module.so"
	}
	if _, err := os.Stat(module); err != nil {
		testenv.Missing(t, "nginx has no stream module: %v", err)
	}
	m := &siteMaker{Rand: rand.New(rand.NewPCG(seed, 3))}
	sockets := make([]testenv.Socket, min(n, 100))
	for i := range sockets {
		var err error
		sockets[i], err = testenv.Listen(netip.MustParseAddrPort("127.0.0.1:0"), false)
		require.NoError(t, err)
	}
	rules := func() {
		for range m.IntN(4) {
			m.line("%s %s;", pick(m.Rand, "allow", "deny"), pick(m.Rand, networks...))
		}
		if m.maybe(30) {
			m.line("deny all;")
		}
		if m.maybe(40) {
			m.line("set_real_ip_from %s;", pick(m.Rand, "127.0.0.0/8", "127.0.0.0/30", "192.0.2.0/24"))
		}
	}
	proxied := make([]bool, len(sockets))
	nginx := launch(t, t.TempDir(), sockets, func(listen []string) string {
		m.block("stream", func() {
			rules()
			for i := range listen {
				if proxied[i] = m.maybe(50); proxied[i] {
					listen[i] += " proxy_protocol"
				}
				m.block("server", func() {
					m.line("%s;", listen[i])
					rules()
					m.line("return in;")
				})
			}
		})
		return "load_module " + module + ";\n" + m.b.String()
	})
	judge, err := nginxacl.New(nginx.config, nil)
	require.NoError(t, err)
	asked := 0
	for i, at := range sockets {
		for range 20 {
			from := netip.AddrFrom4([4]byte{127, pick[byte](m.Rand, 0, 0, 1), 0, byte(1 + m.IntN(6))})
			q := nginxacl.Query{Client: from, Listen: at.Addr}
			dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
			conn, err := dialer.DialContext(t.Context(), "tcp", q.Listen.String())
			require.NoError(t, err)
			if proxied[i] {
				q.Proxy = pick(m.Rand, "PROXY TCP4 192.0.2.7 127.0.0.1 1 80", "PROXY TCP6 2001:db8::1 ::1 1 80", "PROXY UNKNOWN")
				_, err = io.WriteString(conn, q.Proxy+"\r\n")
				require.NoError(t, err)
			}
			said, _ := io.ReadAll(conn)
			conn.Close()
			e, err := judge.Explain(q)
			require.NoError(t, err)
			want := denied
			if string(said) == "in" {
				want = allowed
			}
			require.Equal(t, want, e.Verdict, "%+v: nginx says %q\n%s %+v\n%s", q, said, e.Because, e.Steps, m.b.String())
			asked++
		}
	}
	t.Logf("%d answers", asked)
}
