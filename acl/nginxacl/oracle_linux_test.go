package nginxacl_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/internal/testenv"
)

// placeInText is where a message says something stands.
var placeInText = regexp.MustCompile(`\S+:\d+:\d+`)

// Generated servers and requests: what nginx answers, against what Explain
// says. What is Unknown is counted by its reason.
func TestOracleNginxDecidesAboutRequests(t *testing.T) {
	seed, n := testenv.Size(t, 60)
	m := &siteMaker{Rand: rand.New(rand.NewPCG(seed, 1))}

	nginx := startNginx(t, func(listen string) string {
		m.b.WriteString(geo)
		for i := range n {
			m.server(i, listen)
		}
		return m.b.String()
	})
	judge, err := nginxacl.New(nginx.config, &nginxacl.Options{Version: testenv.NginxVersion(t), Files: os.DirFS("/")})
	require.NoError(t, err)
	unknown, asked := map[string]int{}, 0
	for range n * 100 {
		q := nginxacl.Query{
			Host: fmt.Sprintf("s%d", m.IntN(n)), Method: pick(m.Rand, "GET", "GET", "GET", "HEAD", "POST", "OPTIONS"),
			URI: pick(m.Rand, "/file", "/x", "/exact", "/deep/x", "/deep/x.php", "/in/x", "/in/old/x", "/in/new/x", "/in/x.gif", "/fixed/x.php",
				"/plain", "/re/ax", "/re/a", "/az", "/x?r=1", "/in/x?r=1", "/yes", "/none"),
			Header: http.Header{},
		}
		d := door(m.IntN(int(doors)))
		if d == proxied {
			q.Proxy = pick(m.Rand, "PROXY TCP4 192.0.2.7 127.0.0.1 1 80", "PROXY TCP6 2001:db8::1 ::1 1 80", "PROXY UNKNOWN", "PROXY TCP4 127.0.0.2 127.0.0.1 1 80")
		}
		if m.maybe(50) {
			q.Header[pick(m.Rand, "X-Forwarded-For", "X-Forwarded-For", "X-Real-Ip", "X_odd")] = []string{pick(m.Rand,
				"192.0.2.7", "198.51.100.1", "2001:db8::1", "192.0.2.7, 127.0.0.2", "127.0.0.3,192.0.2.200", "nobody", "10.0.0.1:80")}
		}
		if m.maybe(30) {
			q.User, q.Password = pick(m.Rand, "ada", "ada", "bob"), pick(m.Rand, "secret", "secret", "wrong")
		}
		from := netip.AddrFrom4([4]byte{127, pick[byte](m.Rand, 0, 0, 0, 1), 0, byte(1 + m.IntN(12))})
		status := nginx.ask(t, d, from, &q)
		e, err := judge.Explain(q)
		context := func() string {
			return fmt.Sprintf("%+v\nnginx answers %d\n%s: %s, %+v\n%s", q, status, e.Verdict, e.Because, e.Steps, e.Chain[1:2])
		}
		require.NoError(t, err)
		asked++
		switch {
		case e.Verdict == nginxacl.Unknown:
			why := placeInText.ReplaceAllString(e.Because, "")
			unknown[why[:min(len(why), 60)]]++
			continue
		case status == 401:
			require.Equal(t, nginxacl.Unauthorized, e.Verdict, context())
		case status == 403 || status == 0:
			require.Equal(t, nginxacl.Denied, e.Verdict, context())
		case e.Status == 0: // the content, or that there is none
			if status < 300 || !strings.Contains(fmt.Sprint(e.Steps), "those who are refused") {
				require.Equal(t, nginxacl.Allowed, e.Verdict, context())
			}
		}
		noPage := strings.Contains(fmt.Sprint(e.Steps, e.Because), "error_page") && (status == 404 || status == 405 || status == 500)
		if e.Status != 0 && e.Status != 444 && !noPage {
			require.Equal(t, status, e.Status, context())
		}
	}
	t.Logf("%d answers", asked)
	for _, why := range slices.Sorted(maps.Keys(unknown)) {
		t.Logf("unknown %5d: %s", unknown[why], why)
	}
}
