package route

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A fact is a configuration and what it answers: "host/uri", and what says
// says. TestOracleFacts asks nginx.
type fact struct {
	http string
	want map[string]string
}

var rewrites = fact{`
server { server_name plain; rewrite ^/(a)/(.*)$ /b/$2?y=$1; location / { return 200 "$uri $args"; } }
server { server_name drop; rewrite ^/a /b?; location / { return 200 "$uri $args"; } }
server { server_name keep; rewrite ^/a /b; location / { return 200 "$uri $args"; } }
server { server_name quoted; rewrite ^/a(.*) /b$1?x=$1; location / { return 200 "$uri $args"; } }
server { server_name query; rewrite ^/a(.*) "$scheme://h$1?x" permanent; rewrite ^/b http://h$uri; rewrite ^/c(.*) /d%20e$1 redirect; rewrite ^/e(.*) https://h/$1? redirect; }
server { server_name order; location / { rewrite ^/1 /2; rewrite ^/2 /3; rewrite ^/3 /4 last; rewrite ^/4 /5; return 200 $uri; } location /4 { return 200 "four $uri"; } }
server { server_name cycle; location / { rewrite ^ /x last; } }
server { server_name nine; location / { if ($uri !~ "^/x{9}$") { rewrite ^/(.*)$ /x$1 last; } return 200 $uri; } }
server { server_name break; location /p/ { rewrite ^/p/(.*)$ /q/$1 break; proxy_pass http://127.0.0.1/base/; } location /r/ { proxy_pass http://127.0.0.1; rewrite ^/r/x$ "/sp ace" break; } }
server { server_name empty; location / { rewrite ^/(.*)$ $1; } }
server { server_name level; rewrite ^/a /b; break; rewrite ^/b /c; location /b { return 200 b; } location /c { return 200 c; } }
server { server_name internal; location /i { internal; return 200 i; } location / { rewrite ^ /i last; } }
`, map[string]string{
	"plain/a/x": "/b/x y=a", "plain/a/x?z": "/b/x y=a&z", "plain/c?z": "/c z",
	"drop/a?z": "/b ", "keep/a?z": "/b z",
	"quoted/a%20b": "/b b x=%20b", // "+" and "%" in the path: captures are escaped again where arguments begin
	"quoted/a+b":   "/b+b x=%2Bb", "quoted/a&b": "/b&b x=&b",
	"query/a/p%20q?z": "301 http://h/p%20q?x&z", "query/b%20?z": "302 http://h/b ?z",
	"query/c/f": "302 http://query/d%20e/f", "query/e/f?z": "302 https://h//f",
	"order/1": "four /4", "order/9": "/9",
	"cycle/": "500", "nine/": "/xxxxxxxxx",
	"break/p/z?a": "-> /q/z?a", // nothing is left of the location's name to replace
	"break/r/x":   "-> /sp%20ace", "break/r/y%2F": "-> /r/y%2F",
	"empty/":  "500",
	"level/a": "b", "internal/": "i", "internal/i": "404",
}}

var conditions = fact{`server {
set $t 1; set $f 0; set $e "";
location /true { if ($t) { return 200 yes; } return 200 no; }
location /zero { if ($f) { return 200 yes; } return 200 no; }
location /empty { if ($e) { return 200 yes; } return 200 no; }
location /zeros { set $f 00; if ($f) { return 200 yes; } return 200 no; }
location /eq { if ($arg_x = "a$arg_y") { return 200 yes; } return 200 no; }
location /ne { if ($arg_x != ab) { return 200 yes; } return 200 no; }
location /re { if ($args ~ "x=(.)(?<n>.)?") { return 200 "$1$2$n"; } return 200 no; }
location /ci { if ($args ~* X=A) { return 200 yes; } return 200 no; }
location /not { if ($args !~ x) { return 200 yes; } return 200 no$1; }
location /nci { if ($args !~* X) { return 200 yes; } return 200 no; }
location /glued { if ( $t = 1 ) { return 200 yes; } return 200 no; }
location /unset { if ($never) { return 200 yes; } return 200 "no $never"; if ($t) { set $never 1; } }
location /file { if (!-e $request_filename) { return 200 yes; } return 200 no; }
location ~ ^/kept/(.*) { if ($t) { return 200 $1; } }
location ~ ^/lost/(.*) { if ($t ~ 2) { return 200 $1; } return 200 "lost $1"; }
location /method { if ($request_method = POST) { return 405; } return 200 $request_method; }
}`, map[string]string{
	"h/true": "yes", "h/zero": "no", "h/empty": "no", "h/zeros": "yes", "h/eq?x=ab&y=b": "yes", "h/eq?x=ab": "no", "h/ne?x=ab": "no", "h/ne": "yes",
	"h/re?x=ab": "abb", "h/re?x=a": "a", "h/re": "no", "h/ci?x=a": "yes", "h/not": "yes", "h/not?x": "no", "h/nci?x": "no", "h/glued": "yes",
	"h/unset": "no ", "h/file": "unsure answer", "h/kept/x": "x", "h/lost/x": "lost ", "h/method": "GET",
}}

var ifs = fact{`server { error_page 404 /server.html;
location / { proxy_pass http://127.0.0.1/base/;
	if ($arg_a) { proxy_pass http://127.0.0.2; }
	if ($arg_b) { add_header X-B 1; }
	if ($arg_c) { error_page 404 /c; return 404; } }
location /t { try_files $uri /x; if ($arg_a) { set $x 1; } }
location /server.html { return 200 server; } location /c { return 200 c; } location /x { return 200 x; } }`, map[string]string{"h/y": "-> /base/y", "h/y?a=1": "-> /y?a=1", "h/y?b=1": "-> /base/y?b=1", "h/y?a=1&b=1": "-> /base/y?a=1&b=1", "h/y?c=1": "c", "h/t": "unsure target", "h/t?a=1": "files of /t"}}

var pages = fact{`
server { server_name a; error_page 404 =200 /empty; error_page 403 = @named; error_page 410 =301 http://h/gone; error_page 500 http://h$uri; error_page 405 =405 /$arg_x; error_page 401 /twice; error_page 402 @none; error_page 418 "";
	location /200 { return 404; } location /named { return 403; } location /gone { return 410; } location /500 { return 500; } location /405 { return 405; } location /401 { return 401; } location /402 { return 402; } location /418 { return 418; }
	location /empty { return 200 "$request_method $uri"; } location /twice { return 404; } location @named { return 202 "named $uri"; } location /q { return 301 /from; error_page 301 =200 /empty?a=b; } }
server { server_name b; recursive_error_pages on; error_page 404 /a; location / { return 404; } }
server { server_name c; recursive_error_pages on; error_page 404 /a; error_page 403 /b; location /a { return 403; } location /b { return 200 b; } location / { return 404; } }
server { server_name d; error_page 404 /outer; location / { error_page 403 /none; location /in { return 404; } } location /outer { return 200 outer; } location /own { return 404; error_page 403 /x; } }
server { server_name e; error_page 500 = @n; location / { rewrite ^/(.*) $1 break; } location @n { return 202 "n $uri"; } }
`, map[string]string{
	"a/200": "GET /empty", "a/named": "named /named", "a/gone": "301 http://h/gone", "a/500": "302 http://h/500", "a/405?x=empty": "GET /empty", "a/401": "404", "a/402": "500", "a/418": "302",
	"a/q": "GET /empty", "b/": "500", "c/": "b", "d/in": "404", "d/own": "404",
	"e/": "500", // a URI that is empty does not get to a named location
}}

var mapped = fact{`
map $arg_k $plain { default d; "" none; A upper; \default literal; ~^x(.) "re $1"; ~*^Y z; }
map $host $names { hostnames; default d; .dot.test dot; *.star.test star; tail.* tail; exact.test exact; }
map $arg_k $nodefault { a b; }
map $uri $kept { default $uri; }
map $uri $fresh { volatile; default $uri; }
map $loop $loop { default $loop; }
map $arg_k $geo_in { default $geo; a b; } geo $geo { default 1; }
server { return 200 "$plain|$names|$nodefault"; }
server { server_name cached; set $x $kept; set $x $fresh; rewrite ^ /new; return 200 "$kept $fresh"; }
server { server_name loop; return 200 $loop; }
server { server_name geo; return 200 $geo_in; }
server { server_name captures; location ~ ^/(.) { set $y "$1$plain"; return 200 $y; } }
server { server_name later; location ~ ^/(.) { set $y $plain; return 200 "$1"; } }`, map[string]string{
	"h/": "none|d|", "h/?k=a": "upper|d|b", "h/?k=other": "d|d|", "h/?k=xy": "re y|d|", "h/?k=Yes": "z|d|", "h/?k=DEFAULT": "literal|d|",
	"dot.test/?k=q": "d|dot|", "x.dot.test/?k=q": "d|dot|", "a.star.test/?k=q": "d|star|", "star.test/?k=q": "d|d|", "tail.x.y/?k=q": "d|tail|", "exact.test./?k=q": "d|exact|",
	"cached/old": "/old /new", "geo/?k=a": "b",
	"captures/q": "qnone", "later/q?k=xy": "y", "later/q?k=y": "200", // the map's expression took the captures away
}}

func TestRewrite(t *testing.T) {
	r := router(t, rewrites.http)
	for url, want := range rewrites.want {
		m := get(t, r, "192.0.2.1:80", url)
		assert.Equal(t, want, says(m), url)
	}
	// It is no path any more, and no location is there for it.
	m := get(t, r, "192.0.2.1:80", "empty/x")
	assert.Equal(t, "x", m.Path)
	assert.Nil(t, m.Location)
	require.Len(t, m.Moves, 1)
}

func TestConditions(t *testing.T) {
	r := router(t, conditions.http)
	for url, want := range conditions.want {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", url)), url)
	}
}

// What is in force may be another location's configuration: that of the if
// block that was chosen last.
func TestIfIsALocationOfItsOwn(t *testing.T) {
	r := router(t, ifs.http)
	for url, want := range ifs.want {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", url)), url)
	}
	m := get(t, r, "192.0.2.1:80", "h/y?b=1")
	added := m.AddedHeaders()
	require.Len(t, added, 1)
	assert.Equal(t, "X-B", added[0].Name)
}

func TestErrorPages(t *testing.T) {
	r := router(t, pages.http)
	for url, want := range pages.want {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", url)), url)
	}
	for url, status := range map[string]int{"a/200": 200, "a/named": 202, "a/405?x=empty": 405, "c/": 403} {
		assert.Equal(t, status, get(t, r, "192.0.2.1:80", url).Answer.Status, url)
	}
	m := get(t, r, "192.0.2.1:80", "a/q")
	assert.Equal(t, "http://a/from", m.Answer.Location, "the redirect's field stays")
	m = get(t, r, "192.0.2.1:80", "b/")
	assert.Len(t, m.Moves, 11)
}

func TestMaps(t *testing.T) {
	r := router(t, mapped.http)
	for url, want := range mapped.want {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", url)), url)
	}
	for url, want := range map[string]string{
		"captures/q?k=xy": "answer: a map changes the captures while they are used in set at nginx.conf:15:51",
		"loop/":           "answer: a map is not decided: maps that go in a circle in return at nginx.conf:13:28",
		"geo/":            "answer: unknown variable $geo in return at nginx.conf:14:27",
	} {
		assert.Equal(t, []string{want}, get(t, r, "192.0.2.1:80", url).Unsure)
	}
}

func TestMapThatTakesCapturesFromFieldsIsAnError(t *testing.T) {
	r := router(t, `map $uri $m { ~x y; } server { location ~ ^/(.) { proxy_set_header X-A $1; proxy_set_header X-B $m; proxy_pass http://127.0.0.1; } }`)
	m := get(t, r, "192.0.2.1:80", "h/a")
	_, err := m.BackendHeader()
	require.NoError(t, err)
	m = get(t, r, "192.0.2.1:80", "h/x")
	_, err = m.BackendHeader()
	require.EqualError(t, err, "route: a map changes the captures while they are used in proxy_set_header")
}

func TestVariablesOfIndexAreNotDecided(t *testing.T) {
	r := router(t, `server { index a $uri; location /a { } }`)
	m := get(t, r, "192.0.2.1:80", "h/d/")
	next, here := m.Next()
	require.Len(t, next, 2)
	assert.True(t, here)
	assert.Empty(t, next[0].Unsure)
	assert.Equal(t, []string{"location: the variables of index a $uri; at nginx.conf:3:10"}, next[1].Unsure)
}

func TestRandomIndexLeadsAnywhere(t *testing.T) {
	r := router(t, `server { random_index on; location /off/ { random_index off; } }`)
	m := get(t, r, "192.0.2.1:80", "h/")
	assert.Equal(t, []string{"target: random_index at nginx.conf:3:10 leads to any of the files"}, m.Unsure)
	next, here := m.Next()
	require.Len(t, next, 1)
	assert.True(t, here)
	assert.Empty(t, get(t, r, "192.0.2.1:80", "h/off/").Unsure)
	assert.Empty(t, get(t, r, "192.0.2.1:80", "h/x").Unsure)
}

func TestUnknownValueMattersOnlyWhereItIsUsed(t *testing.T) {
	r := router(t, `geo $geo { default 1; } server { set $x "a$geo"; location / { proxy_pass http://127.0.0.1; } location /if { if ($x) { return 403; } } location /set { set $x 1; if ($x) { return 403; } } location /y { set $y $x$1; return 200 $y; } }`)
	for url, want := range map[string]string{"h/": "-> /", "h/if": "unsure answer", "h/set": "403", "h/y": "200"} {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", url)), url)
	}
	assert.Len(t, get(t, r, "192.0.2.1:80", "h/y").Unsure, 1)
}

func TestCookies(t *testing.T) {
	r := router(t, `server { return 200 "$cookie_a|$cookie_B"; }`)
	for header, want := range map[string]string{
		"a=1; b=2": "1|2", "A=1": "1|", "a = 1 ;b=2": "1 |2", "ab=1; a=2": "2|", "a; a=1": "|", "a,a=1": "|", "x=a=1, a=2": "2|", "a=": "|", "": "|", "a": "|",
	} {
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "h", URI: "/", Header: http.Header{"Cookie": {header}}})
		require.NoError(t, err)
		assert.Equal(t, want, m.Answer.Body, header)
	}
}

func TestScriptsAndOtherModulesAreNotDecided(t *testing.T) {
	r := router(t, `server { server_name a; server_rewrite_by_lua_block { x } return 200 first; }
server { server_name b; server_rewrite_by_lua_block { x } location / { return 200 x; } }
server { server_name c; rewrite_by_lua_file x; location / { return 200 first; } location /x { proxy_pass http://127.0.0.1; } }
server { server_name d; set_by_lua_block $x { return 1 } location / { return 200 x; } }
server { server_name e; modsecurity on; location / { } location /off { modsecurity off; } location = /r { return 200 first; } }
server { server_name f; location / { set_md5 $sum $uri; if ($sum = x) { return 403; } } }`)
	for url, want := range map[string]string{"a/": "first", "b/": "unsure answer", "c/": "first", "c/x": "unsure answer", "d/": "unsure answer", "e/": "unsure answer", "e/r": "first", "f/": "unsure answer"} {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", url)), url)
	}
}

func TestOtherBackends(t *testing.T) {
	r := router(t, `upstream Up { server 10.0.0.1:9000; }
fastcgi_param A 1;
server {
location /f/ { fastcgi_pass up; fastcgi_param SCRIPT_NAME $uri; fastcgi_param Q $args if_not_empty; }
location /u/ { uwsgi_pass unix:/run/u.sock; }
location /g/ { grpc_pass grpcs://10.0.0.2:50051; grpc_set_header X-A b; }
location /r/ { rewrite ^/r(.*) "/g $1" break; grpc_pass 10.0.0.2; }
location /v/ { scgi_pass $arg_to; }
location /bad/ { uwsgi_pass $nobody; }
location /inherits/ { fastcgi_pass 127.0.0.1:9000; }
}`)
	m := get(t, r, "192.0.2.1:80", "h/f/x?q")
	assert.Equal(t, "upstream", m.Target.Upstream.Name())
	require.Len(t, m.Target.Headers, 2)
	text, err := m.Expand(m.Target.Headers[0].Value)
	require.NoError(t, err)
	assert.Equal(t, "/f/x", text)
	m = get(t, r, "192.0.2.1:80", "h/u/")
	network, address := m.Target.Address()
	assert.Equal(t, "unix/run/u.sock", network+address)
	m = get(t, r, "192.0.2.1:80", "h/g/%20?x")
	assert.Equal(t, "grpcs", m.Target.Backend.Scheme)
	assert.Equal(t, "/g/%20?x", m.Target.URI)
	assert.Equal(t, "X-A", m.Target.Headers[0].Name)
	assert.Equal(t, "/g%20/y?x", get(t, r, "192.0.2.1:80", "h/r/y?x").Target.URI)
	_, address = get(t, r, "192.0.2.1:80", "h/v/?to=10.0.0.3:1").Target.Address()
	assert.Equal(t, "10.0.0.3:1", address)
	assert.Equal(t, "unsure target", says(get(t, r, "192.0.2.1:80", "h/v/?to=:")))
	assert.Equal(t, "unsure target", says(get(t, r, "192.0.2.1:80", "h/bad/")))
	assert.Equal(t, "A", get(t, r, "192.0.2.1:80", "h/inherits/").Target.Headers[0].Name)
}

func TestNextOfAnAnswerIsNothing(t *testing.T) {
	r := router(t, `server { return 200 a; }`)
	m := get(t, r, "192.0.2.1:80", "h/")
	next, here := m.Next()
	assert.Empty(t, next)
	assert.False(t, here)
	next, here = (&Match{}).Next()
	assert.Empty(t, next)
	assert.False(t, here)
	assert.Equal(t, "a", m.Refuse(403).Answer.Body)
	empty := (&Match{}).Subrequest("/")
	assert.Nil(t, empty.Answer)
}

func TestPhaseText(t *testing.T) {
	for p := ReadRequest; p <= Content; p++ {
		text, err := p.MarshalText()
		require.NoError(t, err)
		var back Phase
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, p, back)
		assert.Equal(t, strings.ToLower(p.String()), p.String())
	}
	assert.Equal(t, "Phase(99)", Phase(99).String())
	_, err := Phase(99).MarshalText()
	assert.Error(t, err)
	var p Phase
	assert.Error(t, p.UnmarshalText([]byte("x")))
}
