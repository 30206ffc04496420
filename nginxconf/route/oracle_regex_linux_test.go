package route

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/regex"
)

// TestOracleRegex asks a running nginx what regular expressions made at random
// match and capture.
func TestOracleRegex(t *testing.T) {
	testenv.Program(t, "nginx")
	seed, cases := testenv.Size(t, 2)
	n := counts{}
	for i := range cases {
		g := &regexes{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		g.run(t, n)
		if t.Failed() {
			t.Logf("ORACLE_SEED=%d, case %d", seed, i)
			return
		}
	}
	t.Log(n)
}

func (g *regexes) run(t *testing.T, n counts) {
	socket, err := testenv.Listen(netip.MustParseAddrPort("127.0.0.1:0"), false)
	require.NoError(t, err)
	port := socket.Addr.Port()
	var conf strings.Builder
	conf.WriteString("merge_slashes off; server_names_hash_max_size 4096; variables_hash_max_size 4096;\n")
	patterns := 0
	for patterns < 200 {
		p, operator := g.pattern(), g.pick("~", "~", "~", "~*")
		if _, err := regex.Compile(p, operator == "~*"); err != nil {
			n["refused or not known"]++
			continue
		}
		fmt.Fprintf(&conf, "server { listen 127.0.0.1:%d; server_name p%d; if ($uri %s %s) { return 200 \"[$1][$2][$3][$4][$5][$6][$7][$8][$9]\"; } return 200 no; }\n",
			port, patterns, operator, quoted(p))
		patterns++
	}
	dir := t.TempDir()
	stop := startNginx(t, dir, conf.String(), []testenv.Socket{socket})
	defer stop()
	c, err := nginxconf.LoadFile(dir + "/nginx.conf")
	require.NoError(t, err)
	r, err := New(c)
	require.NoError(t, err)
	client := &client{addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
	defer client.close()
	for i := range patterns {
		for range 12 {
			var uri strings.Builder
			uri.WriteByte('/')
			for _, b := range []byte(g.subject()) {
				fmt.Fprintf(&uri, "%%%02x", b)
			}
			q := Request{Listen: client.addr, Host: fmt.Sprint("p", i), URI: uri.String()}
			m, err := r.Match(q)
			require.NoError(t, err)
			_, err = client.connect(t)
			require.NoError(t, err)
			got := client.ask(t, "GET", fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", q.URI, q.Host))
			require.NotNil(t, got)
			if len(m.Unsure) > 0 {
				n["unsure"]++
				continue
			}
			if !assertBody(t, m, got, q) {
				return
			}
			if m.Answer.Body == "no" {
				n["no match"]++
			} else {
				n["match"]++
			}
		}
	}
}

func assertBody(t *testing.T, m Match, got *reply, q Request) bool {
	t.Helper()
	if m.Answer == nil || m.Answer.Status != got.StatusCode || m.Answer.Body != got.body && m.Answer.Status == 200 {
		t.Errorf("%s%s: match %+v, nginx %d %q\n%v", q.Host, q.URI, m.Answer, got.StatusCode, got.body, m.Server)
		return false
	}
	return true
}
