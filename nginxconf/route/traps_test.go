package route

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// where is the innermost block whose access rules are in force, in short.
func where(m Match) string {
	if len(m.Unsure) > 0 && strings.HasPrefix(m.Unsure[0], "answer:") || len(m.Chain) == 0 {
		return "unsure"
	}
	d := m.Chain[len(m.Chain)-1]
	return strings.TrimSpace(d.Name() + " " + strings.Join(d.Args(), " "))
}

func ask(t *testing.T, r *Router, method, uri string) Match {
	t.Helper()
	m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "h", Method: method, URI: uri, Client: netip.MustParseAddr("192.0.2.9")})
	require.NoError(t, err)
	return m
}

func TestReturnAnswersBeforeAccess(t *testing.T) {
	r := router(t, `server { location / { deny all; return 200 in; } location /c { deny all; if ($arg_x) { return 204; } } location /s { deny all; rewrite ^ /to permanent; } }`)
	for uri, want := range map[string]Phase{"/": Rewrite, "/c?x=1": Rewrite, "/s": Rewrite} {
		m := ask(t, r, "GET", uri)
		require.NotNil(t, m.Answer, uri)
		assert.Equal(t, want, m.Answer.Phase)
	}
	assert.Nil(t, ask(t, r, "GET", "/c").Answer)
	r = router(t, `server { return 403; location / { allow all; } }`)
	assert.Equal(t, ServerRewrite, ask(t, r, "GET", "/").Answer.Phase)
}

func TestRewriteLastLeavesTheRulesBehind(t *testing.T) {
	r := router(t, `server { location /last { deny all; rewrite ^ /open last; } location /break { deny all; rewrite ^ /open break; } location /open { allow all; } }`)
	m := ask(t, r, "GET", "/last")
	assert.Equal(t, "location /open", where(m))
	require.Len(t, m.Moves, 1)
	assert.Equal(t, "rewrite ^ /open last;", m.Moves[0].By.String())
	assert.Equal(t, "/open", m.Moves[0].To)
	assert.Equal(t, "location /break", where(ask(t, r, "GET", "/break")))
}

func TestSlashRedirectComesBeforeAccess(t *testing.T) {
	r := router(t, `server { location /p/ { deny all; proxy_pass http://127.0.0.1; } location /f/ { deny all; fastcgi_pass 127.0.0.1:9000; } location /s/ { deny all; } }`)
	m := ask(t, r, "GET", "/p")
	assert.Equal(t, 301, m.Answer.Status)
	assert.Equal(t, FindConfig, m.Answer.Phase)
	assert.Equal(t, 301, ask(t, r, "GET", "/f").Answer.Status)
	assert.Nil(t, ask(t, r, "GET", "/s").Answer, "no redirect where files are served")
}

func TestInternalLocationIsNotFoundFirst(t *testing.T) {
	r := router(t, `server { location /i { internal; deny all; } location /to { rewrite ^ /i last; } }`)
	assert.Equal(t, 404, ask(t, r, "GET", "/i").Answer.Status)
	assert.Equal(t, "location /i", where(ask(t, r, "GET", "/to")))
}

func TestTryFilesIndexAndErrorPageAreCheckedAnew(t *testing.T) {
	r := router(t, `server { deny all; error_page 403 /e.html; error_page 404 = @f;
location /t { try_files $uri $uri/ @f; } location /u { try_files $uri /sub/x?$args; } location /c { try_files $uri =404; }
location /d/ { index a.html /sub/i; allow all; }
location /sub { allow all; } location @f { } location = /e.html { allow all; } }`)
	at := func(ms []Match) (places []string) {
		for _, m := range ms {
			places = append(places, where(m)+" "+m.Path)
		}
		return places
	}
	m := ask(t, r, "GET", "/t/x")
	next, here := m.Next()
	assert.Equal(t, []string{"location @f /t/x"}, at(next), "a directory without its slash is redirected to")
	assert.True(t, here)
	m = ask(t, r, "GET", "/t/")
	next, here = m.Next()
	assert.Equal(t, []string{"location /t /t/index.html", "location @f /t/"}, at(next))
	assert.True(t, here)

	m = ask(t, r, "GET", "/u?a=b")
	next, here = m.Next()
	assert.Equal(t, []string{"location /sub /sub/x"}, at(next))
	assert.Equal(t, "a=b", next[0].Args)
	assert.True(t, here)

	m = ask(t, r, "GET", "/c")
	next, _ = m.Next()
	assert.Equal(t, []string{"location @f /c"}, at(next), "its 404 has a page")

	m = ask(t, r, "GET", "/d/")
	next, here = m.Next()
	assert.Equal(t, []string{"location /d/ /d/a.html", "location /sub /sub/i"}, at(next))
	assert.False(t, here, "the second does not depend on files")

	m = ask(t, r, "GET", "/d/x")
	next, here = m.Next()
	assert.Empty(t, next)
	assert.True(t, here)

	m = ask(t, r, "GET", "/d/")
	refused := m.Refuse(403)
	assert.Equal(t, "location = /e.html", where(refused))
	assert.Equal(t, 403, refused.Status)
	refused = refused.Refuse(403)
	assert.Equal(t, 403, refused.Answer.Status, "an error page has none of its own")
	assert.Equal(t, Access, refused.Answer.Phase)
}

func TestNamedLocationInheritsFromTheServer(t *testing.T) {
	r := router(t, `server { location /in { allow all; error_page 403 = @f; location /in/ { } } location @f { return 200 f; } }`)
	m := ask(t, r, "GET", "/in/x")
	refused := m.Refuse(403)
	require.NotNil(t, refused.Answer)
	assert.Equal(t, 200, refused.Answer.Status, `"=" takes the status of the location`)
	assert.Len(t, refused.Chain, 3)

	r = router(t, `server { error_page 403 @f; location / { } location @f { return 200 f; } }`)
	m = ask(t, r, "GET", "/")
	assert.Equal(t, 403, m.Refuse(403).Answer.Status, `without "=" it stays`)
}

func TestErrorPageTurnsPOSTIntoGET(t *testing.T) {
	r := router(t, `server { error_page 403 = /x; location / { limit_except GET { deny all; } } }`)
	m := ask(t, r, "POST", "/")
	assert.Equal(t, "limit_except GET", where(m))
	assert.Equal(t, "location /", where(m.Refuse(403)))
	m = ask(t, r, "HEAD", "/")
	assert.Equal(t, "location /", where(m.Refuse(403)), "HEAD stays HEAD, and GET frees it")
}

func TestSubrequestHasItsOwnLocation(t *testing.T) {
	r := router(t, `server { location / { auth_request /auth; } location = /auth { deny all; internal; return 204; } location /two { proxy_pass http://127.0.0.1; } }`)
	m := ask(t, r, "POST", "/")
	assert.Equal(t, 204, m.Subrequest("/auth").Answer.Status)
	assert.Equal(t, "/two?x", m.Subrequest("/two?x").Target.URI)
}

func TestIfBlockHasTheRulesOfItsLocation(t *testing.T) {
	r := router(t, `server { location / { deny all; if ($arg_x) { set $y 1; } limit_except GET { allow all; } } }`)
	m := ask(t, r, "GET", "/?x=1")
	assert.Equal(t, "if ($arg_x)", where(m))
	rules, level := r.c.Effective(m.Chain, "allow", "deny")
	require.Len(t, rules, 1)
	assert.Equal(t, "location", level[len(level)-1].Name())
	assert.Equal(t, "location", m.Location.Name())
	assert.Equal(t, "limit_except GET", where(ask(t, r, "POST", "/?x=1")), "limit_except has none of the rewrite directives")
}

func TestLimitExceptIsNotInheritedByNestedLocations(t *testing.T) {
	r := router(t, `server { location / { limit_except GET { deny all; } location /in/ { } } location /h { limit_except HEAD { deny all; } } }`)
	assert.Equal(t, "limit_except GET", where(ask(t, r, "DELETE", "/")))
	assert.Equal(t, "limit_except GET", where(ask(t, r, "FROB", "/")), "a method that nginx does not know")
	assert.Equal(t, "location /", where(ask(t, r, "HEAD", "/")))
	assert.Equal(t, "location /in/", where(ask(t, r, "DELETE", "/in/")))
	assert.Equal(t, "limit_except HEAD", where(ask(t, r, "GET", "/h")), "HEAD does not free GET")
}

// What realip makes of the server level is known by then, what it makes of the
// location is not.
func TestRewriteSeesTheAddressThatRealipLeaves(t *testing.T) {
	r := router(t, `map $remote_addr $m { default other; 203.0.113.7 seven; 2001:db8::1 six; }
server { return 200 "$remote_addr $realip_remote_addr $m"; }`)
	q := Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "h", URI: "/", Client: netip.MustParseAddr("127.0.0.1")}
	for real, want := range map[string]string{
		"":                   "127.0.0.1 127.0.0.1 other",
		"203.0.113.7":        "203.0.113.7 127.0.0.1 seven",
		"::ffff:203.0.113.7": "::ffff:203.0.113.7 127.0.0.1 other", // a map compares text
		"2001:DB8:0::1":      "2001:db8::1 127.0.0.1 six",
		"::102:304":          "::1.2.3.4 127.0.0.1 other",
		"::2":                "::2 127.0.0.1 other",
		"::e301":             "::e301 127.0.0.1 other",
		"::e302":             "::0.0.227.2 127.0.0.1 other",
	} {
		q.RealIP = netip.Addr{}
		if real != "" {
			q.RealIP = netip.MustParseAddr(real)
		}
		m, err := r.Match(q)
		require.NoError(t, err)
		assert.Equal(t, want, m.Answer.Body)
	}
}

func TestGeoDecidesInTheRewritePhase(t *testing.T) {
	r := router(t, `geo $bad { default 0; 203.0.113.0/24 1; } server { if ($bad) { return 403; } location / { deny all; } }`)
	m := ask(t, r, "GET", "/")
	assert.Equal(t, []string{"answer: unknown variable $bad in if at nginx.conf:3:52"}, m.Unsure)
	q := Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "h", URI: "/", Variable: func(name string) (string, bool) { return "1", name == "bad" }}
	m, err := r.Match(q)
	require.NoError(t, err)
	assert.Equal(t, 403, m.Answer.Status)
}
