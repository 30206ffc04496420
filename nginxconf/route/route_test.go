package route

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
)

// mapFS is files with their texts.
type mapFS map[string]string

func (m mapFS) Open(name string) (fs.File, error) {
	files := fstest.MapFS{}
	for name, text := range m {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files.Open(name)
}

func load(t testing.TB, text string) *nginxconf.Config {
	t.Helper()
	c, err := nginxconf.Load(mapFS{"nginx.conf": text}, "nginx.conf", nil)
	require.NoError(t, err)
	return c
}

// router reads what stands in an http block.
func router(t testing.TB, http string) *Router {
	t.Helper()
	r, err := New(load(t, "events { }\nhttp {\n"+http+"\n}\n"))
	require.NoError(t, err)
	return r
}

// get asks "host/path" at an address.
func get(t testing.TB, r *Router, listen, url string) Match {
	t.Helper()
	host, _, _ := strings.Cut(url, "/")
	m, err := r.Match(Request{Listen: netip.MustParseAddrPort(listen), Host: host, URI: url[len(host):], Client: netip.MustParseAddr("192.0.2.9")})
	require.NoError(t, err)
	return m
}

// says is what a match comes to, in short: the body or status of an answer, the
// URI of a target, or what is unsure.
func says(m Match) string {
	switch {
	case m.Answer != nil && m.Answer.Body != "":
		return m.Answer.Body
	case m.Answer != nil:
		return strings.TrimSpace(fmt.Sprint(m.Answer.Status, " ", m.Answer.Location))
	case len(m.Unsure) > 0:
		word, _, _ := strings.Cut(m.Unsure[0], ":")
		return "unsure " + word
	case m.Target != nil:
		return "-> " + m.Target.URI
	case m.Location != nil:
		return "files of " + strings.Join(m.Location.Args(), " ")
	}
	return "files"
}

func TestSpecificAddressHidesWildcards(t *testing.T) {
	r := router(t, `
server { listen 80; server_name a b; return 200 any; }
server { listen 127.0.0.1:80; server_name b; return 200 specific; }
server { listen [::]:80; return 200 six; }
server { listen [::]:81 ipv6only=off; return 200 dual; }
server { listen [::ffff:127.0.0.1]:81; return 200 mapped; }
server { listen 127.0.0.3:81; return 200 four; }
server { listen 8080-8082; return 200 range; }`)
	for _, c := range [][3]string{
		{"127.0.0.1:80", "b/", "specific"},
		{"127.0.0.1:80", "a/", "specific"}, // b's server is alone there
		{"127.0.0.2:80", "a/", "any"},
		{"127.0.0.2:80", "b/", "any"},
		{"[::1]:80", "a/", "six"},
		{"[::1]:81", "a/", "dual"},
		{"127.0.0.2:81", "a/", "dual"},
		{"127.0.0.1:81", "a/", "mapped"},
		{"[::ffff:127.0.0.1]:81", "a/", "mapped"},
		{"127.0.0.3:81", "a/", "four"},
		{"0.0.0.0:80", "a/", "any"}, // whichever address nobody listens on specifically
		{"127.0.0.1:8081", "a/", "range"},
	} {
		assert.Equal(t, c[2], says(get(t, r, c[0], c[1])), c)
	}
	for _, listen := range []string{"127.0.0.1:82", "[::1]:8080"} {
		_, err := r.Match(Request{Listen: netip.MustParseAddrPort(listen), Host: "a", URI: "/"})
		assert.ErrorIs(t, err, ErrNoServer)
	}
	_, err := r.Match(Request{Host: "a", URI: "/"})
	assert.ErrorIs(t, err, ErrNoServer)
}

func TestIPv6WildcardTakesIPv6OnlyByDefault(t *testing.T) {
	r := router(t, `server { listen [::]:80; }`)
	_, err := r.Match(Request{Listen: netip.MustParseAddrPort("127.0.0.1:80"), Host: "a", URI: "/"})
	assert.ErrorIs(t, err, ErrNoServer)
}

func TestServerWithoutListenHasPort80(t *testing.T) {
	r := router(t, `server { return 200 a; }`)
	assert.Equal(t, "a", says(get(t, r, "192.0.2.1:80", "x/")))
}

func TestUnixSocket(t *testing.T) {
	r := router(t, `server { listen unix:/run/a.sock; return 200 $remote_addr; }`)
	m, err := r.Match(Request{Unix: "/run/a.sock", Host: "a", URI: "/"})
	require.NoError(t, err)
	assert.Equal(t, "unix:", says(m))
	_, err = r.Match(Request{Unix: "/run/b.sock", Host: "a", URI: "/"})
	assert.ErrorIs(t, err, ErrNoServer)
}

func TestListenOnANameIsUnsure(t *testing.T) {
	r := router(t, `server { listen localhost:80; } server { listen 127.0.0.1:80; }`)
	m := get(t, r, "127.0.0.1:80", "a/")
	assert.Nil(t, m.Server)
	assert.Equal(t, []string{"server: listen localhost:80; at nginx.conf:3:10: the name is not resolved"}, m.Unsure)
}

func TestFirstServerIsDefaultUnlessOneIsFlagged(t *testing.T) {
	r := router(t, `
server { listen 80; listen 81; server_name a; return 200 a; }
server { listen 80; listen 81 default_server; server_name b; return 200 b; }`)
	assert.Equal(t, "a", says(get(t, r, "192.0.2.1:80", "none/")))
	assert.Equal(t, "b", says(get(t, r, "192.0.2.1:81", "none/")))
	assert.Equal(t, "a", says(get(t, r, "192.0.2.1:81", "a/")))
}

func TestServerNamesAreTriedInNginxOrder(t *testing.T) {
	r := router(t, `
server { return 200 default; }
server { server_name www.Example.com; return 200 exact; }
server { server_name *.example.com; return 200 star; }
server { server_name *.a.example.com; return 200 longer; }
server { server_name www.*; return 200 tail; }
server { server_name www.example.*; return 200 longer-tail; }
server { server_name .dot.org; return 200 dot; }
server { server_name ""; return 200 none; }
server { server_name www.example.com *.dot.org; return 200 late; }`)
	for host, want := range map[string]string{
		"www.example.com":         "exact",
		"WWW.EXAMPLE.COM.:80":     "exact",
		"x.example.com":           "star",
		"x.y.example.com":         "star",
		"x.a.example.com":         "longer",
		"a.example.com":           "star",
		"example.com":             "default",
		"www.example.org":         "longer-tail",
		"www.example.org.uk":      "longer-tail",
		"www.other":               "tail",
		"www":                     "default",
		"dot.org":                 "dot",
		"x.dot.org":               "dot",
		"www.dot.org":             "dot", // a star in front wins over one behind
		"example.com.":            "default",
		"example.com..":           "400",
		":80":                     "400",
		"a b":                     "400",
		"a/b":                     "400",
		"[::1]:80":                "default",
		"[::1":                    "unsure server", // older versions take it
		"caf\xc3\xa9.example.com": "unsure server",
		"a:99999":                 "unsure server",
	} {
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: host, URI: "/"})
		require.NoError(t, err)
		assert.Equal(t, want, says(m), host)
	}
	m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), URI: "/"})
	require.NoError(t, err)
	assert.Equal(t, "default", says(m), "a server without a name has the name of no host, too")
}

// nginx only warns ("conflicting server name … ignored").
func TestDotNameIsIgnoredWhereItsExactNameIsTaken(t *testing.T) {
	r := router(t, `
server { server_name none; return 200 default; }
server { server_name a.org; return 200 a; }
server { server_name .a.org; return 200 dot; }
server { server_name *.b.org; return 200 star; }
server { server_name .b.org; return 200 dot; }
server { server_name b.org; return 200 b; }`)
	for host, want := range map[string]string{"a.org": "a", "x.a.org": "default", "x.b.org": "star", "b.org": "default"} {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", host+"/")), host)
	}
}

func TestRegexNamesComeLastAndInOrder(t *testing.T) {
	r := router(t, `
server { listen 80; server_name a; return 200 a; }
server { listen 80; server_name ~^b(?<rest>.*)$; return 200 "b $rest $1"; }
server { listen 80; server_name ~^.b ~C$; return 200 "second $1"; }
server { listen 81; server_name ~^c; return 200 "c $1"; }
server { listen 82; server_name ~^(c); return 200 "c $1"; }
server { listen 83; server_name a; return 200 a; }
server { listen 83; server_name $hostname; return 200 host; }
server { listen 83; server_name late; return 200 late; }
server { listen 84; server_name a; return 200 a; }
server { listen 84; server_name ~^(?R)?b; return 200 b; }`)
	for _, c := range [][2]string{
		{"80 a", "a"}, {"80 x", "a"}, {"80 bB", "b b b"}, {"80 abc", "second "}, {"80 xc", "second "},
		{"81 c", "c "},
		{"82 c", "c c"}, // for what they capture, nginx looks at the names of a single server, too
		{"82 x", "c "}, {"83 a", "a"}, {"83 x", "unsure server"}, {"83 late", "unsure server"}, {"84 a", "a"}, {"84 x", "unsure server"},
	} {
		port, host, _ := strings.Cut(c[0], " ")
		assert.Equal(t, c[1], says(get(t, r, "192.0.2.1:"+port, host+"/")), c)
	}
	m := get(t, r, "192.0.2.1:84", "x/")
	assert.Equal(t, []string{`server: nginx.conf:13:21 depends on the regular expression "^(?R)?b": not supported: (?R`}, m.Unsure)
	assert.Nil(t, m.Server)
	assert.Nil(t, m.Chain)
}

func TestHandshakeNameAndHostMayDiffer(t *testing.T) {
	r := router(t, `
server { listen 443 ssl; server_name a; return 200 a; }
server { listen 443; server_name b; return 200 b; }
server { listen 443; server_name strict; ssl_verify_client on; return 200 strict; }
server { listen 443; server_name closed; ssl_reject_handshake on; return 200 closed; }
server { listen 444; server_name plain; return 200 plain; }`)
	ask := func(port uint16, sni, host string) (Match, error) {
		return r.Match(Request{Listen: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), TLS: true, ServerName: sni, Host: host, URI: "/"})
	}
	for _, c := range [][3]string{
		{"a", "a", "a"}, {"a", "b", "b"}, {"b", "none", "a"}, {"none", "b", "b"}, {"", "b", "b"},
		{"strict", "strict", "strict"}, {"a", "strict", "421"}, {"none", "strict", "strict"}, {"a", "closed", "closed"},
	} {
		m, err := ask(443, c[0], c[1])
		require.NoError(t, err)
		assert.Equal(t, c[2], says(m), c)
	}
	_, err := ask(443, "closed", "a")
	assert.ErrorIs(t, err, ErrHandshake)
	_, err = ask(444, "plain", "plain")
	assert.ErrorIs(t, err, ErrHandshake)
	assert.Equal(t, "400", says(get(t, r, "192.0.2.1:443", "a/")), "plain HTTP")
}

// Without captures in the names, nginx does not look at those of a single
// server, and so no host is the one of the handshake.
func TestMisdirectedRequestToASingleServer(t *testing.T) {
	for names, want := range map[string]map[string]string{
		"a ~^(.)$":      {"a": "a", "b": "421"},
		"a ~^.$":        {"a": "a", "b": "a"},
		"a ~^(.)$ ~^x$": {"a": "a", "b": "a"}, // the last one counts
	} {
		r := router(t, `server { listen 443 ssl; server_name `+names+`; ssl_verify_client on; return 200 a; }`)
		for host, want := range want {
			m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true, ServerName: "a", Host: host, URI: "/"})
			require.NoError(t, err)
			assert.Equal(t, want, says(m), names)
		}
	}
}

func TestHandshakeLeavesTheCapturesToTheRequest(t *testing.T) {
	r := router(t, `
server { listen 443 ssl; server_name x; return 200 x; }
server { listen 443 ssl; server_name ~^(?<who>.)\.a$; return 200 "$who$1"; }`)
	for host, want := range map[string]string{"m.a": "mm", "n.a": "nn", "x": "x"} {
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true, ServerName: "m.a", Host: host, URI: "/"})
		require.NoError(t, err)
		assert.Equal(t, want, says(m))
	}
}

// The path is read before the host is.
func TestServerOfTheHandshakeRulesOverSlashes(t *testing.T) {
	r := router(t, `
server { listen 80; server_name a; location / { return 200 $uri; } }
server { listen 80; server_name b; merge_slashes off; location / { return 200 $uri; } }
server { listen 443 ssl; server_name a; location / { return 200 $uri; } }
server { listen 443; server_name b; merge_slashes off; location / { return 200 $uri; } }`)
	assert.Equal(t, "/x/y", says(get(t, r, "192.0.2.1:80", "b/x//y")))
	m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true, ServerName: "b", Host: "a", URI: "/x//y"})
	require.NoError(t, err)
	assert.Equal(t, "/x//y", says(m))
}

func TestURIs(t *testing.T) {
	r := router(t, `server { return 200 "$uri $args"; }`)
	for uri, want := range map[string]string{
		"/a":                   "/a ",
		"/a?b?c":               "/a b?c",
		"/a%20b%2Fc":           "/a b/c ",
		"/a//b/./c/../d":       "/a/b/d ",
		"/a/..":                "/ ",
		"/a/.":                 "/a/ ",
		"/a/%2e%2e/b":          "/b ",
		"/a/..%2fb":            "/b ",
		"/...":                 "/... ",
		"/a/..b":               "/a/..b ",
		"/a%3Fb%23c%25?d%20e":  "/a?b#c% d%20e",
		"/a#b?c":               "/a ",
		"/a?b#c":               "/a b",
		"/a?../b//c":           "/a ../b//c",
		"/a/..?b":              "/ b",
		"/+":                   "/+ ",
		"/a/../../b":           "400",
		"/..":                  "400",
		"/%":                   "400",
		"/%4":                  "400",
		"/%zz":                 "400",
		"/%00":                 "400",
		"/a b":                 "400",
		"/a\tb":                "400",
		"/a\x7f":               "400",
		"":                     "400",
		"*":                    "400",
		"a":                    "400",
		"http://b":             "/ ",
		"http://b?c":           "/ c",
		"http://b:80/d?e":      "/d e",
		"HTTPS://[::1]/d":      "/d ",
		"http://":              "400",
		"http:///a":            "400",
		"http://a_b/":          "400",
		"http://b:x/":          "400",
		"http:/b":              "400",
		"1http://b/":           "400",
		"http://[::1/":         "400",
		"http://b#c":           "400",
		"/\xc3\xa9":            "/\xc3\xa9 ",
		"/%c3%A9":              "/\xc3\xa9 ",
		" /a ":                 "/a ", // more than one blank around it
		"http://a..b/":         "400",
		"http://b:99999/":      "unsure server",
		"http://b" + ":" + "/": "/ ",
	} {
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a", URI: uri})
		require.NoError(t, err)
		assert.Equal(t, want, says(m), uri)
	}
}

func TestHostOfTheRequestLineCounts(t *testing.T) {
	r := router(t, `server { server_name a; return 200 a; } server { server_name b; return 200 $host,$http_host,$request_uri; }`)
	m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a:80", URI: "http://B:80/x?y"})
	require.NoError(t, err)
	assert.Equal(t, "b,a:80,/x?y", says(m))
	m, err = r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a/", URI: "http://b/"})
	require.NoError(t, err)
	assert.Equal(t, "400", says(m))
}

func TestLocations(t *testing.T) {
	r := router(t, `server {
location = / { return 200 root; }
location / { return 200 all; }
location /a { return 200 a; }
location /a/ { return 200 a/; }
location = /a/ { return 200 =a/; }
location ^~ /s { return 200 s; location /s/t { return 200 t; location = /s/t/u { return 200 u; } } }
location "/b c" { return 200 bc; }
location /A { return 200 A; }
location @named { return 200 named; }
location /p/ { proxy_pass http://127.0.0.1; }
location = /q { return 200 q; }
location /q/ { proxy_pass http://127.0.0.1; }
location /r/ { fastcgi_pass 127.0.0.1:9000; location /r/in/ { proxy_pass http://127.0.0.1; } }
location = /x/ { proxy_pass http://127.0.0.1; }
location /x/ { return 200 x; }
}`)
	for path, want := range map[string]string{
		"/": "root", "/z": "all", "/a": "a", "/ab": "a", "/a/": "=a/", "/a/x": "a/", "/s": "s", "/sx": "s", "/s/t": "t", "/s/tx": "t", "/s/t/u": "u",
		"/s/t/u/": "t", "/b%20c": "bc", "/A": "A", "/@named": "all", "/p": "301 http://h/p/", "/p?x=1": "301 http://h/p/?x=1", "/p/x": "-> /p/x",
		"/q": "q", "/q/": "-> /q/", "/r": "301 http://h/r/", "/r/in": "301 http://h/r/in/", "/x": "301 http://h/x/",
	} {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", "h"+path)), path)
	}
}

func TestRegexLocations(t *testing.T) {
	r := router(t, `server {
location / { return 200 all; }
location = /e { return 200 e; }
location ^~ /s { return 200 s; }
location /slash/ { proxy_pass http://127.0.0.1; }
location /n { location ^~ /n/m { return 200 m; } location = /n/e { return 200 ne; } location ~ ^/n/(z) { return 200 nested$1; } }
location ~ b$ { return 200 b; }
location ~* ^/(?<what>[^/]*)B { return 200 "caseless $what"; }
location ~ z { return 200 z; location ~ zz { return 200 zz; } }
} server { server_name inner; location /a { location ~ x { return 200 x; } location ^~ /a/b { return 200 ab; } } location /c { return 200 c; } }
server { server_name bad; location / { } location = /e { return 200 e; } location ~ (?R)b { } }
server { server_name deep; location ~ /d { return 200 d; location /d/e/ { proxy_pass http://127.0.0.1; } } }`)
	for url, want := range map[string]string{
		"h/": "all", "h/e": "e", "h/s": "s", "h/sb": "s", "h/b": "b", "h/slash": "301 http://h/slash/", "h/slash/": "-> /slash/", "h/slash/b": "b",
		"h/n/e": "ne", "h/n/z": "nestedz", "h/xb/": "caseless x", "h/z": "z", "h/zz": "zz", "h/z/": "z", "h/z%0A": "z", "h/b%0A": "b",
		"h/n/m":   "m",
		"h/n/mb":  "b", // "^~" of a nested location says nothing about the server's
		"inner/a": "files of /a", "inner/ax": "x", "inner/a/bx": "ab", "inner/c": "c",
		"bad/e": "e", "bad/x": "unsure location",
		"deep/d/e/": "d", // no names are looked for inside of a regular expression
	} {
		assert.Equal(t, want, says(get(t, r, "192.0.2.1:80", url)), url)
	}
	m := get(t, r, "192.0.2.1:80", "bad/x")
	assert.Equal(t, []string{`location: nginx.conf:13:74 depends on the regular expression "(?R)b": not supported: (?R`}, m.Unsure)
	assert.NotNil(t, m.Server)
	assert.Nil(t, m.Location)
	m = get(t, r, "192.0.2.1:80", "h/xb/")
	assert.Equal(t, []string{"/xb", "x"}, m.Captures)
}

// Up to 1.23.4, nginx kept the length of a name in a byte.
func TestVeryLongLocationIsUnsure(t *testing.T) {
	long := "/" + strings.Repeat("x", 255)
	r := router(t, `server { location / { return 200 all; } location `+long+` { return 200 long; } } server { server_name b; location `+long+`x { } }`)
	assert.Equal(t, "long", says(get(t, r, "192.0.2.1:80", "h"+long)), "255 behind the slash of the other")
	assert.Equal(t, "unsure location", says(get(t, r, "192.0.2.1:80", "b"+long)))
}

func TestWhatAnswersBeforeAccess(t *testing.T) {
	r := router(t, `
server { server_name block; location / { deny all; return 200 in; } }
server { server_name level; return 200 out; location / { deny all; } }
server { server_name if; if ($arg_x) { return 403; } return 200 out; location / { } }
server { server_name rewritten; location / { rewrite ^ /x permanent; } }
server { server_name inside; location / { internal; location /in { return 200 in; } } location = /ok { return 200 ok; } }
server { server_name big; client_max_body_size 1k; location / { deny all; } location /any { client_max_body_size 0; } }
server { server_name stop; location / { break; return 200 never; } }
server { server_name set; set $x 1; location / { set $y 2; return 200 yes; } }
server { server_name page; location / { error_page 404 /e; return 404; } location /text { error_page 404 /e; return 404 text; } location /e { return 200 e; } }
server { server_name lua; location / { rewrite_by_lua_block { ngx.exit(403) } } }`)
	for _, c := range []struct {
		url, want string
		header    http.Header
	}{
		{"block/", "in", nil},
		{"level/", "out", nil},
		{"if/", "out", nil},
		{"if/?x=1", "403", nil},
		{"rewritten/", "301 http://rewritten/x", nil},
		{"inside/", "404", nil},
		{"inside/in", "404", nil}, // nested locations are internal, too
		{"inside/ok", "ok", nil},
		{"big/", "files of /", http.Header{"Content-Length": {"1024"}}},
		{"big/", "413", http.Header{"Content-Length": {"1025"}}},
		{"big/any", "files of /any", http.Header{"Content-Length": {"99999999999"}}},
		{"big/", "400", http.Header{"Content-Length": {"x"}}},
		{"stop/", "files of /", nil},
		{"set/", "yes", nil},
		{"page/", "e", nil},
		{"page/text", "text", nil}, // error_page does not see it
		{"lua/", "unsure answer", nil},
	} {
		host, path, _ := strings.Cut(c.url, "/")
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: host, Method: "PUT", URI: "/" + path, Header: c.header})
		require.NoError(t, err)
		assert.Equal(t, c.want, says(m), c)
	}
	m := get(t, r, "192.0.2.1:80", "level/")
	assert.Nil(t, m.Location)
	assert.Len(t, m.Chain, 2)
	assert.Equal(t, "return 200 out;", m.Answer.By.String())
	assert.Equal(t, "return", m.Answer.Reason)
}

func TestMethods(t *testing.T) {
	r := router(t, `server { location / {
limit_except get POST { deny all; }
proxy_pass http://127.0.0.1/b/;
location /in { proxy_pass http://127.0.0.1; }
location /r { return 200 r; limit_except GET { deny all; } }
location /f { empty_gif; limit_except GET { deny all; } }
location /own { proxy_pass http://127.0.0.1/x; limit_except GET { proxy_pass http://127.0.0.1:81; } }
} }`)
	for _, c := range [][4]string{
		{"GET", "/x", "-> /b/x", "location"},
		{"HEAD", "/x", "-> /b/x", "location"}, // GET frees it
		{"POST", "/x", "-> /b/x", "location"},
		{"PUT", "/x", "-> /b/x", "limit_except"},
		{"FROB", "/x", "-> /b/x", "limit_except"}, // a method nginx does not know
		{"PUT", "/in", "-> /in", "location"},      // not inherited
		{"GET", "/r", "r", "location"},
		{"PUT", "/r", "files of /r", "limit_except"}, // return is not inherited by the block
		{"PUT", "/own/y", "-> /own/y", "limit_except"},
		{"GET", "/own/y", "-> /x/y", "location"},
		{"TRACE", "/x", "405", "server"},
		{"get", "/x", "400", "server"},
		{"CONNECT", "/x", "unsure answer", "server"},
	} {
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "h", Method: c[0], URI: c[1]})
		require.NoError(t, err)
		assert.Equal(t, c[2], says(m), c)
		assert.Equal(t, c[3], m.Chain[len(m.Chain)-1].Name(), c)
	}
}

func TestRedirects(t *testing.T) {
	r := router(t, `
server { listen 80; listen 8080; listen 443 ssl; listen 8443 ssl; listen unix:/s; server_name .a.org b;
location /path { return 301 /to; }
location /url { return 302 https://$host$request_uri; }
location /bare { return https://x/; }
location /empty { return 307; }
location /rel { absolute_redirect off; return 301 /to; }
location /port { port_in_redirect off; return 301 /to; }
location /name { server_name_in_redirect on; return 301 /to; }
location "/sp ace/" { proxy_pass http://127.0.0.1; }
}`)
	for _, c := range [][3]string{
		{"80", "h/path", "301 http://h/to"}, {"8080", "H.:99/path", "301 http://h:8080/to"},
		{"443", "h/path", "301 https://h/to"}, {"8443", "h/path", "301 https://h:8443/to"},
		{"80", "h/url?a=%20", "302 https://h/url?a=%20"}, {"80", "h/bare", "302 https://x/"}, {"80", "h/empty", "307"},
		{"80", "h/rel", "301 /to"}, {"8080", "h/port", "301 http://h/to"}, {"80", "h/name", "301 http://a.org/to"},
		{"80", "h/sp%20ace?x", "301 http://h/sp%20ace/?x"},
	} {
		host, path, _ := strings.Cut(c[1], "/")
		m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:" + c[0]), TLS: strings.HasSuffix(c[0], "443"), Host: host, URI: "/" + path})
		require.NoError(t, err)
		assert.Equal(t, c[2], says(m), c)
	}
	m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), URI: "/path"})
	require.NoError(t, err)
	assert.Equal(t, "http://192.0.2.1/to", m.Answer.Location)
	m, err = r.Match(Request{Listen: netip.MustParseAddrPort("0.0.0.0:80"), URI: "/path"})
	require.NoError(t, err)
	assert.Equal(t, []string{"answer: the address that the client connected to is not known"}, m.Unsure)
	m, err = r.Match(Request{Unix: "/s", Host: "h", URI: "/path"})
	require.NoError(t, err)
	assert.Equal(t, "http://h/to", m.Answer.Location)
}

func TestRedirectWithAnUnknownPartIsUnsure(t *testing.T) {
	r := router(t, `
server { listen 80; set $args y; location /x/ { proxy_pass http://127.0.0.1; } }
server { listen 81; server_name $hostname; server_name_in_redirect on; return 301 /x; }
server { listen 82; error_page 301 /e; location /x/ { proxy_pass http://127.0.0.1; } }`)
	assert.Equal(t, "301 http://h/x/?y", says(get(t, r, "192.0.2.1:80", "h/x")))
	m := get(t, r, "192.0.2.1:81", "h/x")
	assert.Equal(t, []string{"answer: the name of the machine is not known"}, m.Unsure)
	assert.Equal(t, 301, m.Answer.Status)
	assert.Empty(t, m.Answer.Location)
	assert.Equal(t, "files", says(get(t, r, "192.0.2.1:82", "h/x")), "an error page for the redirect")
}

func TestIncludesAreSeen(t *testing.T) {
	c, err := nginxconf.Load(mapFS{
		"etc/nginx/nginx.conf":    "events { } http { include conf.d/*.conf; }",
		"etc/nginx/conf.d/a.conf": "server { server_name a; include loc; }",
		"etc/nginx/conf.d/b.conf": "server { server_name b; include loc; }",
		"etc/nginx/loc":           "location /x { return 200 $server_name; }",
	}, "etc/nginx/nginx.conf", nil)
	require.NoError(t, err)
	r, err := New(c)
	require.NoError(t, err)
	m := get(t, r, "192.0.2.1:80", "b/x")
	assert.Equal(t, "b", says(m))
	assert.Equal(t, "etc/nginx/loc:1:1", m.Location.Pos().String())
	assert.Equal(t, "etc/nginx/conf.d/b.conf", m.Chain[1].Pos().Filename)
}

func TestNewNeedsAConfigurationThatNginxReads(t *testing.T) {
	c, err := nginxconf.Load(mapFS{"nginx.conf": "http { server {"}, "nginx.conf", nil)
	require.Error(t, err)
	_, err = New(c)
	var ds nginxconf.Diagnostics
	require.ErrorAs(t, err, &ds)
	assert.Equal(t, `unexpected end of file, expecting "}"`, ds[0].Message)

	r, err := New(load(t, "events { }"))
	require.NoError(t, err)
	_, err = r.Match(Request{})
	assert.ErrorIs(t, err, ErrNoServer)
}

// What nginx says; TestOracleRefusals asks it.
var refusals = map[string]string{
	`server { listen 80; listen *:80; }`:                                            `a duplicate listen 0.0.0.0:80`,
	`server { listen 80 default_server; } server { listen 80 default; }`:            `a duplicate default server for 0.0.0.0:80`,
	`server { listen 80 bind; } server { listen 80 backlog=5; }`:                    `duplicate listen options for 0.0.0.0:80`,
	`server { listen 80 http; }`:                                                    `invalid parameter "http"`,
	`server { server_name *x; }`:                                                    `server name "*x" is invalid`,
	`server { location /x { } location "/x" { } }`:                                  `duplicate location "/x"`,
	`server { location = /x { } location /x { } location =/x { } }`:                 `duplicate location "/x"`,
	`server { location /a { location /b { } } }`:                                    `location "/b" is outside location "/a"`,
	`server { location ~ ^/a { location /a/b { } } }`:                               `location "/a/b" is outside location "^/a"`,
	`server { location = /a { location /a { } } }`:                                  `location "/a" cannot be inside the exact location "/a"`,
	`server { location @a { location @a { } } }`:                                    `location "@a" cannot be inside the named location "@a"`,
	`server { location / { location @a { } } }`:                                     `named location "@a" can be on the server level only`,
	`server { location "" { location @a { } } }`:                                    `named location "@a" can be on the server level only`,
	`server { location ~= / { } }`:                                                  `invalid location modifier "~="`,
	`server { return 1000; }`:                                                       `invalid return code "1000"`,
	`server { location / { proxy_pass http://h; proxy_pass http://h; } }`:           `"proxy_pass" directive is duplicate`,
	`server { location ~ x { proxy_pass http://h/; } }`:                             `"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block`,
	`server { location / { limit_except GET { proxy_pass http://h/; } } }`:          `"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block`,
	`server { location / { proxy_pass h; } }`:                                       `invalid URL prefix`,
	`server { location / { proxy_pass http://h:81; } } upstream h { server h:81; }`: `upstream "h" may not have port 81`,
	`server { location / { proxy_pass http://h:81; } }`:                             `upstream "h" may not have port 81`,
	`server { location / { limit_except FROB { } } }`:                               `invalid method "FROB"`,
	`server { location / { limit_except GET { } limit_except GET { } } }`:           `"limit_except" directive is duplicate`,
	`server { merge_slashes yes; }`:                                                 `invalid value "yes" in "merge_slashes" directive, it must be "on" or "off"`,
	`server { client_max_body_size 1x; }`:                                           `"client_max_body_size" directive invalid value`,
	`server { listen 80; server_name a*b; } server { listen 80; }`:                  `invalid server name or wildcard "a*b" on 0.0.0.0:80`,
	`server { listen 80; server_name a*b; }`:                                        ``, // alone, no name is looked at
}

// refused is a configuration of refusals: h is an upstream block, unless the
// text has one.
func refused(http string) string {
	if !strings.Contains(http, "upstream h ") {
		http = "upstream h { server 127.0.0.1; }\n" + http
	}
	return strings.ReplaceAll(http, "server h:81", "server 127.0.0.1:81")
}

func TestNewSaysWhyNginxRefuses(t *testing.T) {
	for text, want := range refusals {
		_, err := New(load(t, "events { }\nhttp {\n"+refused(text)+"\n}\n"))
		if want == "" {
			assert.NoError(t, err, text)
			continue
		}
		var ds nginxconf.Diagnostics
		if assert.ErrorAs(t, err, &ds, text) {
			assert.Equal(t, want, ds[0].Message, text)
			assert.True(t, ds[0].Start.IsValid() && ds[0].End.IsValid())
			assert.NotEmpty(t, ds[0].Code)
		}
	}
}

func TestFromHTTP(t *testing.T) {
	got := make(chan Request, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- FromHTTP(r) })
	server := httptest.NewTLSServer(handler)
	defer server.Close()
	client := server.Client()
	client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true, ServerName: "scout.example.se"}
	request, err := http.NewRequest("PUT", server.URL+"/a%20b?c", nil)
	require.NoError(t, err)
	request.Host = "scout.example.se"
	response, err := client.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	q := <-got
	assert.Equal(t, server.Listener.Addr().String(), q.Listen.String())
	assert.Equal(t, netip.MustParseAddr("127.0.0.1"), q.Client)
	assert.NotEmpty(t, q.Header)
	q.Listen, q.Client, q.Header = netip.AddrPort{}, netip.Addr{}, nil
	assert.Equal(t, Request{TLS: true, ServerName: "scout.example.se", Host: "scout.example.se", Method: "PUT", URI: "/a%20b?c"}, q)
}

// What a router reads when it is first needed, many may need at once.
func TestRouterIsForManyGoroutines(t *testing.T) {
	r := router(t, fuzzed)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, uri := range []string{"/", "/rrb?k=aab", "/r/x+?r=1", "/p/x", "/p/r?u=h"} {
				for _, host := range []string{"a.test", "w.re", "x"} {
					m, err := r.Match(Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: host, URI: uri})
					if err != nil {
						t.Error(err)
					}
					_, _ = m.Next()
					_, _ = m.BackendHeader()
				}
			}
		})
	}
	all.Wait()
}

func TestMatchAllocatesTheTargetAlone(t *testing.T) {
	r := router(t, `server { server_name a; location /x { proxy_pass http://127.0.0.1; } location /y { } } server { server_name b; }`)
	for uri, want := range map[string]float64{"/x/1?2": 1, "/y/1": 0} {
		q := Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a:80", Method: "GET", URI: uri}
		assert.Equal(t, want, testing.AllocsPerRun(100, func() {
			if m, err := r.Match(q); err != nil || m.Location == nil {
				t.Error(m, err)
			}
		}), uri)
	}
}
