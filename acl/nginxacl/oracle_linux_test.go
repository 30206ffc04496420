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

// A siteMaker writes servers that make use of all that decides about access.
type siteMaker struct {
	*rand.Rand
	b     strings.Builder
	depth int
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func (m *siteMaker) maybe(percent int) bool { return m.IntN(100) < percent }

func (m *siteMaker) line(format string, args ...any) {
	fmt.Fprintf(&m.b, strings.Repeat("  ", m.depth)+format+"\n", args...)
}

func (m *siteMaker) block(name string, body func()) {
	m.line("%s {", name)
	m.depth++
	body()
	m.depth--
	m.line("}")
}

var networks = []string{"127.0.0.1", "127.0.0.0/30", "127.0.0.0/8", "127.1.0.0/16", "192.0.2.0/24", "192.0.2.7", "198.51.100.0/25",
	"2001:db8::/32", "::ffff:127.0.0.0/104", "::/0", "0.0.0.0/0", "unix:", "all"}

// access writes what is allowed in a server, a location and limit_except.
func (m *siteMaker) access(percent int) {
	if m.maybe(percent) {
		for range 1 + m.IntN(3) {
			m.line("%s %s;", pick(m.Rand, "allow", "deny"), pick(m.Rand, networks...))
		}
		if m.maybe(40) {
			m.line("deny all;")
		}
	}
	if m.maybe(percent / 3) {
		m.line("auth_basic %s;", pick(m.Rand, "x", "off"))
	}
	if m.maybe(percent / 3) {
		m.line("auth_basic_user_file %s;", pick(m.Rand, "users", "users", "none"))
	}
}

// level writes what is allowed in a server and a location.
func (m *siteMaker) level(percent int) {
	m.access(percent)
	if m.maybe(percent / 2) {
		m.line("satisfy %s;", pick(m.Rand, "any", "any", "all"))
	}
	if m.maybe(percent / 4) {
		m.line("auth_request %s;", pick(m.Rand, "/yes", "/no", "/forbidden", "/broken", "off"))
	}
	if m.maybe(percent / 4) {
		for range 1 + m.IntN(2) {
			m.line("set_real_ip_from %s;", pick(m.Rand, "127.0.0.0/8", "127.0.0.2", "127.0.0.0/30", "192.0.2.0/24", "unix:"))
		}
	}
	if m.maybe(percent / 4) {
		m.line("real_ip_header %s;", pick(m.Rand, "X-Forwarded-For", "X-Forwarded-For", "X-Real-IP", "proxy_protocol", "X_Odd"))
	}
	if m.maybe(percent / 6) {
		m.line("real_ip_recursive on;")
	}
	if m.maybe(percent / 6) {
		m.line("error_page %s;", pick(m.Rand, "403 /plain", "403 = /plain", "403 401 =200 @later", "401 = @later", "403 =404 /none", "403 http://x/"))
	}
	if m.maybe(percent / 10) {
		m.line("%s", pick(m.Rand, "return 403;", "return 200 x;", "return 401;", "return 444;", "return 301 /x;", "return 204;",
			"if ($arg_r) { return 403; }", "if ($near = 0) { return 403; }", "if ($remote_addr = 127.0.0.2) { return 200 x; }",
			"if ($http_x_real_ip) { set $x 1; }", "rewrite ^/in/old(.*) /in/new$1 last;", "rewrite ^/(a.*)z$ /$1 break;"))
	}
}

func (m *siteMaker) location(name string, nested ...string) {
	m.block("location "+name, func() {
		m.level(45)
		if m.maybe(4) {
			m.line("internal;")
		}
		if m.maybe(15) {
			m.block("limit_except "+pick(m.Rand, "GET", "HEAD", "POST", "GET POST"), func() { m.access(90) })
		}
		if m.maybe(10) {
			m.line("try_files /nothing.gif %s;", pick(m.Rand, "@later", "/plain", "=404"))
		} else {
			m.line("empty_gif;")
		}
		for _, n := range nested {
			if m.maybe(50) {
				m.location(n)
			}
		}
	})
}

func (m *siteMaker) server(i int, listen string) {
	m.block("server", func() {
		m.line("%s", listen)
		m.line("server_name s%d;", i)
		m.level(40)
		for _, l := range [][]string{
			{"/", "= /exact", "/deep/"}, {"/in/", "/in/old/", "/in/new/", `~ \.gif$`}, {"^~ /fixed/"}, {"= /plain"},
			{"~ ^/re/.*x"}, {"~* \\.php$"},
		} {
			if l[0] == "/" || m.maybe(60) { // files are not what is tested here
				m.location(l[0], l[1:]...)
			}
		}
		m.location("@later")
		m.line("location = /yes { return 204; }")
		m.line("location = /no { return 401; }")
		m.line("location = /forbidden { deny all; return 403; }")
		m.line("location = /broken { return 404; }")
	})
}

// placeInText is where a message says something stands.
var placeInText = regexp.MustCompile(`\S+:\d+:\d+`)

const geo = `geo $near { default 0; 127.0.0.0/29 1; 192.0.2.0/25 1; 2001:db8::/48 1; }
`

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
	judge, err := nginxacl.New(nginx.config, &nginxacl.Options{Version: nginxVersion(t), Files: os.DirFS("/")})
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
		if e.Status != 0 && e.Status != 444 {
			require.Equal(t, status, e.Status, context())
		}
	}
	t.Logf("%d answers", asked)
	for _, why := range slices.Sorted(maps.Keys(unknown)) {
		t.Logf("unknown %5d: %s", unknown[why], why)
	}
}
