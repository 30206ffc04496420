package nginxacl_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
)

// judgeOf judges a configuration in text, or nil if nginx would not run it.
func judgeOf(text string) *nginxacl.Judge {
	c, err := nginxconf.Load(fstest.MapFS{"nginx.conf": {Data: []byte(text)}}, "nginx.conf", nil)
	if err != nil {
		return nil
	}
	j, err := nginxacl.New(c, nil)
	if err != nil {
		return nil
	}
	return j
}

// change changes some lines of a configuration: it takes one away, doubles one,
// or puts another in its place.
func (m *siteMaker) change(text string) string {
	lines := strings.Split(text, "\n")
	for range 1 + m.IntN(3) {
		i := m.IntN(len(lines))
		switch line := strings.TrimSpace(lines[i]); {
		case strings.HasSuffix(line, "{") && strings.HasPrefix(line, "location"):
			// A whole location goes, or comes under another name.
			depth, end := 0, i
			for ; end < len(lines); end++ {
				depth += strings.Count(lines[end], "{") - strings.Count(lines[end], "}")
				if depth == 0 {
					break
				}
			}
			if m.maybe(50) {
				lines = append(lines[:i:i], lines[min(end+1, len(lines)):]...)
			} else {
				lines[i] = strings.Replace(lines[i], "/", "/new/", 1)
			}
		case strings.ContainsAny(line, "{}") || line == "" || strings.HasPrefix(line, "listen"):
		case m.maybe(40):
			lines[i] = ""
		default:
			lines[i] += "\n" + pick(m.Rand, "allow ", "deny ") + pick(m.Rand, networks...) + ";"
		}
	}
	return strings.Join(lines, "\n")
}

// standing is how a client fares: out, in with a login, or in. It is not ok if
// that is not known.
func standing(t *testing.T, j *nginxacl.Judge, q nginxacl.Query) (int, nginxacl.Explanation, bool) {
	e, err := j.Explain(q)
	if err != nil {
		return 0, e, true // there is no server
	}
	switch {
	case e.Verdict == nginxacl.Unknown:
		return 0, e, false
	case e.Verdict == nginxacl.Unauthorized && strings.Contains(fmt.Sprint(e.Steps), "those who are refused"):
		return 0, e, false // whoever has a login gets but the page for those without access
	case e.Verdict == nginxacl.Unauthorized && e.Phase != "access":
		return 0, e, true // no login helps
	case e.Verdict == nginxacl.Unauthorized:
		return 1, e, true
	case e.Verdict == nginxacl.Allowed && e.Status < 300:
		return 2, e, true
	}
	return 0, e, true
}

var clients = []string{"127.0.0.1", "127.0.0.2", "127.0.0.9", "127.1.0.1", "192.0.2.7", "192.0.2.200", "198.51.100.1", "203.0.113.1", "2001:db8::1", "2001:db9::1", "unix:"}

// What Diff says of a change is what Explain says of requests before and after.
func TestDiffIsWhatExplainSaysOfBothSides(t *testing.T) {
	seed, n := testenv.Size(t, 120)
	m := &siteMaker{Rand: rand.New(rand.NewPCG(seed, 2)), simple: true}
	compared, different, gains, asked := 0, 0, 0, 0
	for range n {
		m.b.Reset()
		m.b.WriteString("events {}\nhttp {\n" + geo)
		for i := range 2 {
			m.server(i, "listen 80; listen [::]:80; listen unix:/s;")
		}
		before := m.b.String() + "}\n"
		after := m.change(before)
		b, a := judgeOf(before), judgeOf(after)
		if b == nil || a == nil {
			continue
		}
		changes := b.Diff(a)
		compared++
		text := func() string {
			var out strings.Builder
			require.NoError(t, changes.WriteText(&out, nil))
			return fmt.Sprintf("%s\n%s", nginxconf.Diff("nginx.conf", []byte(before), []byte(after)), out.String())
		}
		// Whoever fares otherwise is in a change.
		for range 60 {
			x := ask{uri: pick(m.Rand, "/", "/x", "/exact", "/deep/x", "/in/x", "/in/old/x", "/in/new/x", "/in/x.gif", "/fixed/x", "/plain", "/re/ax", "/x.php", "/new/x"), client: pick(m.Rand, clients...)}
			q := x.query()
			q.Host, q.Header, q.Method = fmt.Sprintf("s%d", m.IntN(3)), http.Header{}, pick(m.Rand, "GET", "GET", "POST", "HEAD")
			was, e, known := standing(t, b, q)
			is, f, alsoKnown := standing(t, a, q)
			if !known || !alsoKnown || was == is {
				continue
			}
			different++
			found := false
			for _, c := range changes {
				sets := []acl.Set{c.Loses, c.LosesLogin}
				if is > was {
					sets = []acl.Set{c.Gains, c.GainsLogin}
				}
				for _, s := range append(sets, c.Unsure) {
					found = found || s.Contains(q.Client) && hostIn(q.Host, c.Hosts)
				}
			}
			require.True(t, found, "%+v was %d (%s), is %d (%s)\n%s", q, was, e.Because, is, f.Because, text())
		}
		// And whoever is in a change fares otherwise.
		for _, c := range changes {
			for k, set := range []acl.Set{c.Gains, c.GainsLogin, c.Loses, c.LosesLogin} {
				who := netip.Addr{}
				for p := range set.Prefixes() {
					who = p.Addr()
					break
				}
				if !who.IsValid() || who.Is4In6() || strings.Contains(c.Paths[0], " → ") {
					continue
				}
				x := ask{client: who.String(), uri: strings.ReplaceAll(c.Paths[0], "*", "any-other-name")}
				q := x.query()
				q.Host = c.Hosts[0]
				if q.Host == "" {
					q.Host = "any-other-name.invalid"
				}
				if len(c.Methods) > 0 {
					q.Method = c.Methods[0]
				}
				was, e, known := standing(t, b, q)
				is, f, alsoKnown := standing(t, a, q)
				if !known || !alsoKnown {
					continue
				}
				asked++
				if k < 2 {
					gains++
				}
				require.Equal(t, k < 2, is > was, "%+v of set %d was %d (%s), is %d (%s)\n%s", q, k, was, e.Because, is, f.Because, text())
				require.NotEqual(t, is, was, "%+v of set %d was %d (%s), is %d (%s)\n%s", q, k, was, e.Because, is, f.Because, text())
			}
		}
	}
	t.Logf("%d pairs of configurations; %d requests fared otherwise, and were in a change; of %d changes, %d of them gains, Explain said the same", compared, different, asked, gains)
	require.NotZero(t, different)
	require.NotZero(t, gains)
}

func hostIn(host string, hosts []string) bool {
	for _, h := range hosts {
		if h == host || h == "" {
			return true
		}
	}
	return false
}
