package nginxacl_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
)

const (
	allowed      = nginxacl.Allowed
	denied       = nginxacl.Denied
	unauthorized = nginxacl.Unauthorized
	unknown      = nginxacl.Unknown
)

// An ask is a request and its verdict. The client is 203.0.113.7 unless told;
// "unix:" is one on a unix socket, ::ffff: one on an IPv6 socket for both
// families. The user is ada, whose password is "secret".
type ask struct {
	uri, client string
	want        nginxacl.Verdict
	method      string
	password    string
	header      http.Header
}

// trap is a fact about nginx that people get wrong: a server with the lines of
// conf in it, with what stands before it in http, and requests to it.
type trap struct {
	name, http, conf string
	asks             []ask
}

const listens = "listen 80; listen [::]:80; listen [::]:81 ipv6only=off; listen unix:/run/s; server_name a;"

func (tr *trap) judge(t *testing.T) *nginxacl.Judge {
	t.Helper()
	files := fstest.MapFS{
		"nginx.conf": {Data: []byte("events {}\nhttp {\n" + tr.http + "\nserver { " + listens + "\n" + tr.conf + "\n}\n}\n")},
		"users":      {Data: []byte("ada:{PLAIN}secret\n")},
	}
	c, err := nginxconf.Load(files, "nginx.conf", nil)
	require.NoError(t, err)
	j, err := nginxacl.New(c, &nginxacl.Options{Files: files})
	require.NoError(t, err)
	return j
}

func (a *ask) query() nginxacl.Query {
	q := nginxacl.Query{Host: "a", URI: a.uri, Method: a.method, Header: a.header, Listen: netip.MustParseAddrPort("192.0.2.1:80")}
	if a.password != "" {
		q.User, q.Password = "ada", a.password
	}
	switch {
	case a.client == "unix:":
		q.Unix, q.Listen = true, netip.AddrPort{}
	case a.client == "":
		q.Client = netip.MustParseAddr("203.0.113.7")
	default:
		q.Client = netip.MustParseAddr(a.client)
		if q.Client.Is4In6() {
			q.Listen = netip.MustParseAddrPort("192.0.2.1:81")
		} else if q.Client.Is6() {
			q.Listen = netip.MustParseAddrPort("[2001:db8::80]:80")
		}
	}
	return q
}

func runTraps(t *testing.T, traps []trap) {
	t.Helper()
	for _, tr := range traps {
		t.Run(tr.name, func(t *testing.T) {
			j := tr.judge(t)
			for _, a := range tr.asks {
				e, err := j.Explain(a.query())
				require.NoError(t, err)
				require.Equal(t, a.want, e.Verdict, "%+v: %s", a, e.Because)
				require.NotEmpty(t, e.Because)
			}
		})
	}
}

func from(addresses ...string) http.Header { return http.Header{"X-Forwarded-For": addresses} }

func TestTrapsOfAllowAndDeny(t *testing.T) {
	runTraps(t, []trap{
		{"the families' order does not matter", "", "location / { deny 203.0.113.7; allow 2001:db8::1; allow 203.0.113.0/24; deny 2001:db8::/32; deny all; }", []ask{
			{uri: "/", want: denied}, {uri: "/", client: "203.0.113.8", want: allowed},
			{uri: "/", client: "2001:db8::1", want: allowed}, {uri: "/", client: "2001:db8::2", want: denied},
		}},
		{"the first match wins, not the longest", "", "allow 203.0.113.0/24; deny 203.0.113.7;", []ask{{uri: "/", want: allowed}}},
		{"no match lets in under satisfy all", "", "allow 192.0.2.1;", []ask{{uri: "/", want: allowed}}},
		{"no match is no yes under satisfy any", "", "allow 192.0.2.1; satisfy any; auth_basic x; auth_basic_user_file users;", []ask{
			{uri: "/", want: unauthorized}, {uri: "/", want: allowed, password: "secret"}, {uri: "/", client: "192.0.2.1", want: allowed},
		}},
		{"one rule drops the whole list it would inherit", "", "deny all; location / { deny 2001:db8::/32; }", []ask{
			{uri: "/", want: allowed}, {uri: "/", client: "unix:", want: allowed},
			{uri: "/", client: "2001:db8::1", want: denied}, {uri: "/", client: "2001:db9::1", want: allowed},
		}},
		{"deny 0.0.0.0/0 is not deny all", "", "location /four { deny 0.0.0.0/0; } location /six { deny ::/0; }", []ask{
			{uri: "/four", want: denied}, {uri: "/four", client: "2001:db8::1", want: allowed}, {uri: "/four", client: "unix:", want: allowed},
			{uri: "/six", want: allowed}, {uri: "/six", client: "2001:db8::1", want: denied},
			{uri: "/four", client: "::ffff:203.0.113.7", want: denied}, {uri: "/six", client: "::ffff:203.0.113.7", want: denied},
		}},
		{"an IPv4-mapped client goes by the IPv4 rules, if there are any", "", "location /both { deny ::ffff:203.0.113.0/120; allow 203.0.113.7; deny all; } location /six { deny ::ffff:203.0.113.0/120; }", []ask{
			{uri: "/both", client: "::ffff:203.0.113.7", want: allowed}, {uri: "/both", want: allowed},
			{uri: "/six", client: "::ffff:203.0.113.7", want: denied}, {uri: "/six", want: allowed},
		}},
		{"only unix: and all speak of unix clients", "", "location / { deny 0.0.0.0/0; deny ::/0; } location /in { allow unix:; deny all; } location /out { allow 127.0.0.1; deny all; }", []ask{
			{uri: "/", client: "unix:", want: allowed}, {uri: "/in", client: "unix:", want: allowed}, {uri: "/out", client: "unix:", want: denied}, {uri: "/in", want: denied},
		}},
		{"an if inherits the rules around it", "", "location / { deny all; if ($arg_x) { set $y 1; } }", []ask{{uri: "/", want: denied}, {uri: "/?x=1", want: denied}}},
	})
}

func TestTrapsOfWhatAnswersFirst(t *testing.T) {
	runTraps(t, []trap{
		{"return answers before the rules", "", `location / { deny all; return 200 x; } location /e { deny all; }`, []ask{{uri: "/", want: allowed}, {uri: "/e", want: denied}}},
		{"so does a server's return", "", `deny all; return 200 x;`, []ask{{uri: "/", want: allowed}}},
		{"so does a return in an if", "", `deny all; location / { if ($arg_x) { return 204; } }`, []ask{{uri: "/?x=1", want: allowed}, {uri: "/", want: denied}}},
		{"so does a permanent rewrite", "", `location / { deny all; rewrite ^/old /new permanent; }`, []ask{{uri: "/old", want: allowed}, {uri: "/other", want: denied}}},
		{"a rewrite ends at the rules of its target", "", `location /a { deny all; rewrite ^/a/(.*)$ /b/$1 last; } location /b { }`, []ask{{uri: "/a/x", want: allowed}, {uri: "/a", want: denied}}},
		{"break keeps the rules", "", `location /a { deny all; rewrite ^/a/(.*)$ /b/$1 break; } location /b { }`, []ask{{uri: "/a/x", want: denied}}},
		{"the slash that is missing", "", `location /p/ { deny all; proxy_pass http://127.0.0.1:1/; }`, []ask{{uri: "/p", want: allowed}, {uri: "/p/", want: denied}}},
		{"internal is 404 before 403", "", `location / { deny all; internal; }`, []ask{{uri: "/", want: allowed}}},
		{"a body too large is 413 before 403", "", `location / { deny all; client_max_body_size 1; }`, []ask{
			{uri: "/", want: allowed, method: "POST", header: http.Header{"Content-Length": {"2"}}}, {uri: "/", want: denied},
		}},
		{"a header line too long is 400 before all", "", `deny all;`, []ask{{uri: "/", want: allowed, header: from(strings.Repeat("1.2.3.4, ", 1000))}}},
	})
}

func TestTrapsOfWhatFollows(t *testing.T) {
	runTraps(t, []trap{
		{"a named location has its own rules", "", "location / { try_files /none @f; } location @f { deny all; }", []ask{{uri: "/x", want: unknown}}}, // there may be such a file
		{"and inherits those of the server", "", "deny all; location / { allow 203.0.113.0/24; try_files /none @f; } location @f { }", []ask{{uri: "/x", want: unknown}, {uri: "/x", client: "192.0.2.1", want: unknown}}},
		{"the fallback does not matter to who is denied", "", "location / { deny all; try_files /none @f; } location @f { allow all; }", []ask{{uri: "/x", want: denied}}},
		{"nor where it lets in the same", "", "deny 192.0.2.1; location / { try_files /none @f; } location @f { }", []ask{{uri: "/x", want: allowed}, {uri: "/x", client: "192.0.2.1", want: denied}}},
		{"the page for those who are denied is denied too", "", "deny all; error_page 403 /403.html; location = /403.html { }", []ask{{uri: "/x", want: denied}}},
		{"one that is allowed leaves the status", "", "deny all; error_page 403 /403.html; location = /403.html { allow all; }", []ask{{uri: "/x", want: denied}}},
		{"but not with =", "", "deny all; error_page 403 =200 /403.html; location = /403.html { allow all; }", []ask{{uri: "/x", want: allowed}}},
		{"a named location with return", "", "deny all; error_page 403 @f; location @f { return 200 x; }", []ask{{uri: "/x", want: denied}}},
		{"a named location with return, and =", "", "deny all; error_page 403 = @f; location @f { return 200 x; }", []ask{{uri: "/x", want: allowed}}},
		{"a named location inherits the denial", "", "deny all; error_page 403 = @f; location @f { }", []ask{{uri: "/x", want: denied}}},
		{"an error page makes a GET of a POST", "", "error_page 403 = /x; location / { limit_except GET { deny all; } }", []ask{{uri: "/y", method: "POST", want: allowed}}},
		{"access rules do not matter to a subrequest", "", "location / { auth_request /auth; } location = /auth { deny all; return 204; }", []ask{{uri: "/", want: allowed}}},
		{"rules come before auth_request", "", "location / { deny all; auth_request /auth; } location = /auth { return 401; }", []ask{{uri: "/", want: denied}}},
		{"auth_request may let in who is denied", "", "location / { satisfy any; deny all; auth_request /yes; } location = /yes { return 204; } location /n { satisfy any; allow 203.0.113.7; deny all; auth_request /no; } location = /no { return 403; }", []ask{
			{uri: "/", want: allowed}, {uri: "/n", want: allowed}, {uri: "/n", client: "203.0.113.8", want: denied},
		}},
		{"what an application answers to auth_request is not in the files", "", "location / { auth_request /auth; } location = /auth { proxy_pass http://127.0.0.1:1; }", []ask{{uri: "/", want: unknown}}},
		{"what closes the connection under auth_request closes that of the client", "", "error_page 500 =200 /ok; location / { auth_request /auth; } location = /auth { return 444; } location = /ok { return 200 x; }", []ask{{uri: "/", want: denied}}},
		{"realip's address survives an error page", "", "set_real_ip_from 192.0.2.254; error_page 403 = /f; location / { deny all; } location = /f { allow 203.0.113.7; deny all; }", []ask{
			{uri: "/", client: "192.0.2.254", want: allowed, header: http.Header{"X-Real-Ip": {"203.0.113.7"}}}, {uri: "/", client: "192.0.2.254", want: denied, header: http.Header{"X-Real-Ip": {"203.0.113.8"}}},
		}},
	})
}

func TestTrapsOfGeoAndMap(t *testing.T) {
	runTraps(t, []trap{
		{"if with geo comes before the rules", "geo $g { default 0; 203.0.113.0/24 1; }", "if ($g = 0) { return 403; } location / { deny all; } location /ret { deny all; return 200 x; }", []ask{
			{uri: "/", want: denied}, {uri: "/ret", want: allowed}, {uri: "/ret", client: "192.0.2.1", want: denied},
		}},
		{"for auth_request, a condition has still the client that it had before realip", "geo $g { default 0; 203.0.113.0/24 1; }", "if ($g = 0) { return 403; } location / { set_real_ip_from 203.0.113.7; auth_request /auth; } location = /auth { return 204; }", []ask{
			{uri: "/", want: allowed}, {uri: "/", want: unknown, header: http.Header{"X-Real-Ip": {"192.0.2.1"}}},
		}},
		{"the longest network counts, wherever it stands", "geo $g { 203.0.113.7 0; 203.0.113.0/24 1; 0.0.0.0/0 0; }", "if ($g) { return 403; }", []ask{{uri: "/", want: allowed}, {uri: "/", client: "203.0.113.8", want: denied}, {uri: "/", client: "192.0.2.1", want: allowed}}},
		{"without a default there is nothing", "geo $g { 203.0.113.0/24 1; }", "if ($g) { return 403; }", []ask{{uri: "/", want: denied}, {uri: "/", client: "192.0.2.1", want: allowed}}},
		{"an IPv4-mapped client is looked up as IPv4", "geo $g { 203.0.113.0/24 1; ::/0 0; }", "if ($g) { return 403; }", []ask{{uri: "/", client: "::ffff:203.0.113.7", want: denied}, {uri: "/", client: "2001:db8::1", want: allowed}}},
		{"a unix client is 255.255.255.255", "geo $g { default 0; 255.255.255.255 1; }", "if ($g) { return 403; }", []ask{{uri: "/", client: "unix:", want: denied}, {uri: "/", want: allowed}}},
		{"ranges know IPv4 alone", "geo $g { ranges; default 1; 203.0.113.0-203.0.113.255 0; }", "if ($g) { return 403; }", []ask{{uri: "/", want: allowed}, {uri: "/", client: "2001:db8::1", want: denied}}},
		{"a map compares texts", "map $remote_addr $m { default 0; 203.0.113.7 1; 2001:db8::1 1; }", "if ($m) { return 403; }", []ask{
			{uri: "/", want: denied}, {uri: "/", client: "203.0.113.70", want: allowed}, {uri: "/", client: "::ffff:203.0.113.7", want: allowed}, {uri: "/", client: "2001:db8::1", want: denied},
		}},
		{"conditions see the client before realip of the location", "", "if ($remote_addr = 203.0.113.7) { return 418; } location / { set_real_ip_from 192.0.2.254; allow 203.0.113.7; deny all; }", []ask{
			{uri: "/x", client: "192.0.2.254", want: allowed, header: http.Header{"X-Real-Ip": {"203.0.113.7"}}}, {uri: "/x", client: "192.0.2.254", want: denied, header: http.Header{"X-Real-Ip": {"203.0.113.8"}}},
		}},
		{"geo has proxies of its own", "geo $g { proxy 192.0.2.254; default 0; 203.0.113.7 1; }", "if ($g) { return 403; }", []ask{
			{uri: "/", client: "192.0.2.254", want: denied, header: from("203.0.113.7")}, {uri: "/", client: "192.0.2.254", want: allowed},
		}},
		{"a variable that nobody knows", "", "if ($secure_link = 0) { return 403; }", []ask{{uri: "/", want: unknown}}},
	})
}

func TestLimitsMayAnswerBeforeTheRules(t *testing.T) {
	tr := trap{http: "limit_req_zone $binary_remote_addr zone=z:1m rate=1r/s;", conf: "location / { deny all; limit_req zone=z; }"}
	a := ask{uri: "/"}
	e, err := tr.judge(t).Explain(a.query())
	require.NoError(t, err)
	require.Equal(t, denied, e.Verdict)
	require.Equal(t, "preaccess", e.Steps[2].Phase)
	require.Contains(t, e.Steps[2].Text, "limit_req zone=z;")
}

func TestTrapsOfLimitExcept(t *testing.T) {
	runTraps(t, []trap{
		{"it replaces the rules of its location", "", "location / { allow 203.0.113.7; deny all; limit_except GET { deny 192.0.2.1; } }", []ask{
			{uri: "/", client: "198.51.100.1", want: denied}, {uri: "/", client: "198.51.100.1", method: "POST", want: allowed}, {uri: "/", client: "192.0.2.1", method: "POST", want: denied},
		}},
		{"GET frees HEAD, HEAD does not free GET", "", "location /get { limit_except GET { deny all; } } location /head { limit_except HEAD { deny all; } }", []ask{
			{uri: "/get", want: allowed, method: "HEAD"}, {uri: "/head", want: denied}, {uri: "/head", want: allowed, method: "HEAD"},
		}},
		{"methods that nobody knows are restricted", "", "location / { limit_except GET { deny all; } }", []ask{{uri: "/", want: denied, method: "FOO"}}},
		{"a location inside does not inherit it", "", "location / { limit_except GET { deny all; } location /in/ { } }", []ask{
			{uri: "/", want: denied, method: "POST"}, {uri: "/in/", want: allowed, method: "POST"},
		}},
	})
}

func TestTrapsOfSatisfy(t *testing.T) {
	const basic = " auth_basic x; auth_basic_user_file users; "
	runTraps(t, []trap{
		{"all: who is denied is not asked", "", "deny all;" + basic, []ask{{uri: "/", want: denied}, {uri: "/", want: denied, password: "secret"}}},
		{"all: who is not denied is", "", "deny 192.0.2.1;" + basic, []ask{{uri: "/", want: unauthorized}, {uri: "/", want: unauthorized, password: "bad"}, {uri: "/", want: allowed, password: "secret"}}},
		{"any: a password outweighs a denial", "", "satisfy any; deny all;" + basic, []ask{{uri: "/", want: allowed, password: "secret"}, {uri: "/", want: unauthorized}, {uri: "/", want: unauthorized, password: "bad"}}},
		{"any: an allowed address needs none", "", "satisfy any; allow 203.0.113.0/24;" + basic, []ask{{uri: "/", want: allowed}, {uri: "/", client: "192.0.2.1", want: unauthorized}}},
		{"any: allow all defeats the password", "", "satisfy any; allow all;" + basic, []ask{{uri: "/", want: allowed}}},
		{"any: nothing but a denial denies", "", "satisfy any; deny all;", []ask{{uri: "/", want: denied}}},
		{"any: nothing at all lets in", "", "satisfy any; deny 192.0.2.1;", []ask{{uri: "/", want: allowed}}},
		{"auth_basic off under any is open", "", "satisfy any;" + basic + "location / { auth_basic off; } location /d { auth_basic off; deny all; }", []ask{{uri: "/", want: allowed}, {uri: "/d", want: denied}}},
		{"satisfy is inherited on its own", "", "satisfy any; deny all; location / { " + basic + " } location /all { satisfy all; " + basic + " }", []ask{{uri: "/", want: unauthorized}, {uri: "/all", want: denied, password: "secret"}}},
		{"a password file that is not there", "", "auth_basic x; auth_basic_user_file none; location / { } location /any { satisfy any; allow 203.0.113.7; } location /or { satisfy any; allow 192.0.2.1; }", []ask{
			{uri: "/", want: unauthorized}, {uri: "/", want: denied, password: "secret"}, {uri: "/any", want: allowed}, {uri: "/or", want: denied, password: "secret"}, {uri: "/or", want: unauthorized},
		}},
		{"auth_basic without a file asks nobody", "", "auth_basic x;", []ask{{uri: "/", want: allowed}}},
		{"another module decides", "", "location / { access_by_lua_block { return } } location /denied { deny all; access_by_lua_block { return } } location /any { satisfy any; allow 203.0.113.7; access_by_lua_block { return } } location /or { satisfy any; deny all; access_by_lua_block { return } }", []ask{
			{uri: "/", want: unknown}, {uri: "/denied", want: denied}, {uri: "/any", want: allowed}, {uri: "/or", want: unknown},
		}},
		{"code may refuse what the rules let in", "", "location / { perl main::handler; } location /denied { deny all; perl main::handler; }", []ask{{uri: "/", want: unknown}, {uri: "/denied", want: denied}}},
		{"a module that is not known may do anything", "", "deny all; walled_garden on;", []ask{{uri: "/", want: unknown}}},
	})
}

func TestTrapsOfRealIP(t *testing.T) {
	const proxy = "set_real_ip_from 192.0.2.254; real_ip_header X-Forwarded-For; "
	runTraps(t, []trap{
		{"the rules see the client, not the proxy", "", proxy + "allow 203.0.113.7; deny all;", []ask{
			{uri: "/", client: "192.0.2.254", want: allowed, header: from("203.0.113.7")}, {uri: "/", client: "192.0.2.254", want: denied}, {uri: "/", client: "192.0.2.253", want: denied, header: from("203.0.113.7")},
		}},
		{"the default header is X-Real-IP", "", "set_real_ip_from 192.0.2.254; allow 203.0.113.7; deny all;", []ask{
			{uri: "/", client: "192.0.2.254", want: allowed, header: http.Header{"X-Real-Ip": {"203.0.113.7"}}}, {uri: "/", client: "192.0.2.254", want: denied, header: from("203.0.113.7")},
		}},
		{"a typo in the header is no error", "", "set_real_ip_from 192.0.2.254; real_ip_header X-Forward-For; deny 192.0.2.254;", []ask{{uri: "/", client: "192.0.2.254", want: denied, header: from("203.0.113.7")}}},
		{"one that trusts everybody lets them choose", "", "set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For; allow 10.0.0.0/8; deny all;", []ask{{uri: "/", want: allowed, header: from("10.0.0.1")}, {uri: "/", want: denied}}},
		{"recursive takes the leftmost of those trusted", "", "set_real_ip_from 0.0.0.0/0; real_ip_recursive on; real_ip_header X-Forwarded-For; allow 10.6.6.6; deny all;", []ask{{uri: "/", want: allowed, header: from("10.6.6.6, 203.0.113.7")}}},
		{"not recursive takes the rightmost", "", proxy + "allow 10.6.6.6; deny all;", []ask{{uri: "/", client: "192.0.2.254", want: denied, header: from("10.6.6.6, 203.0.113.7")}}},
		{"a list replaces what it would inherit", proxy, "set_real_ip_from 192.0.2.253; allow 203.0.113.7; deny all;", []ask{
			{uri: "/", client: "192.0.2.254", want: denied, header: from("203.0.113.7")}, {uri: "/", client: "192.0.2.253", want: allowed, header: from("203.0.113.7")},
		}},
		{"what the server found is not looked for again", "", "set_real_ip_from 192.0.2.254; real_ip_header X-Real-IP; allow 203.0.113.7; deny all; location / { set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For; }", []ask{
			{uri: "/", client: "192.0.2.254", want: allowed, header: http.Header{"X-Real-Ip": {"203.0.113.7"}, "X-Forwarded-For": {"198.51.100.1"}}},
			{uri: "/", client: "192.0.2.254", want: denied, header: from("198.51.100.1")}, {uri: "/", client: "192.0.2.9", want: allowed, header: from("203.0.113.7")},
		}},
		{"an IPv4-mapped entry trusts nobody", "", "set_real_ip_from ::ffff:192.0.2.254; real_ip_header X-Forwarded-For; deny 192.0.2.254;", []ask{{uri: "/", client: "::ffff:192.0.2.254", want: denied, header: from("203.0.113.7")}}},
		{"an IPv4 entry trusts a mapped peer", "", proxy + "deny 192.0.2.254;", []ask{{uri: "/", client: "::ffff:192.0.2.254", want: allowed, header: from("203.0.113.7")}}},
		{"Forwarded is not understood", "", "set_real_ip_from 192.0.2.254; real_ip_header Forwarded; deny 192.0.2.254;", []ask{{uri: "/", client: "192.0.2.254", want: denied, header: http.Header{"Forwarded": {"for=203.0.113.7"}}}}},
		{"a leading comma breaks the first entry", "", proxy + "deny 192.0.2.254;", []ask{{uri: "/", client: "192.0.2.254", want: denied, header: from(",203.0.113.7")}}},
		{"a port is fine", "", proxy + "deny 192.0.2.254;", []ask{{uri: "/", client: "192.0.2.254", want: allowed, header: from("203.0.113.7:80")}, {uri: "/", client: "192.0.2.254", want: denied, header: from("203.0.113.7:0")}}},
		{"nginx drops header fields with odd names", "", "set_real_ip_from 192.0.2.254; real_ip_header X_Client; deny 192.0.2.254; ", []ask{{uri: "/", client: "192.0.2.254", want: denied, header: http.Header{"X_client": {"203.0.113.7"}}}}},
		{"unless it is told not to", "underscores_in_headers on;", "set_real_ip_from 192.0.2.254; real_ip_header X_Client; deny 192.0.2.254; ", []ask{{uri: "/", client: "192.0.2.254", want: allowed, header: http.Header{"X_client": {"203.0.113.7"}}}}},
		{"whom a name stands for is not in the files", "", "set_real_ip_from proxy.example.se; deny 192.0.2.254;", []ask{{uri: "/", client: "192.0.2.254", want: unknown, header: http.Header{"X-Real-Ip": {"203.0.113.7"}}}, {uri: "/", client: "192.0.2.254", want: denied}}},
	})
}

func TestANameOfAProxyIsResolvedOnRequest(t *testing.T) {
	c := load(t, "events {} http { server { listen 80; set_real_ip_from proxy.example.se; deny 192.0.2.254; } }")
	j, err := nginxacl.New(c, &nginxacl.Options{Resolve: func(host string) ([]netip.Addr, error) {
		require.Equal(t, "proxy.example.se", host)
		return []netip.Addr{netip.MustParseAddr("192.0.2.254"), netip.MustParseAddr("::ffff:192.0.2.253")}, nil
	}})
	require.NoError(t, err)
	for client, want := range map[string]nginxacl.Verdict{"192.0.2.254": allowed, "192.0.2.253": allowed} {
		a := ask{client: client, header: http.Header{"X-Real-Ip": {"203.0.113.7"}}}
		e, err := j.Explain(a.query())
		require.NoError(t, err)
		require.Equal(t, want, e.Verdict)
		require.Equal(t, netip.MustParseAddr("203.0.113.7"), e.Client)
	}
}

func TestThePROXYProtocolNamesTheClient(t *testing.T) {
	c := load(t, `events {} http { server { listen 80 proxy_protocol; listen 81; set_real_ip_from 192.0.2.254; real_ip_header proxy_protocol;
allow 203.0.113.0/24; allow 2001:db8::/32; deny all; } }`)
	j, err := nginxacl.New(c, nil)
	require.NoError(t, err)
	for proxy, want := range map[string]nginxacl.Verdict{
		"PROXY TCP4 203.0.113.7 127.0.0.1 1234 80":     allowed,
		"PROXY TCP4 198.51.100.7 127.0.0.1 1234 80":    denied,
		"PROXY TCP6 2001:db8::7 ::1 1 80":              allowed,
		"PROXY UNKNOWN":                                denied,
		"203.0.113.7":                                  allowed,
		"[2001:db8::7]:4711":                           allowed,
		"PROXY TCP4 203.0.113.7 127.0.0.1 1234 80\r\n": allowed,
	} {
		q := nginxacl.Query{Client: netip.MustParseAddr("192.0.2.254"), Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a", Proxy: proxy}
		e, err := j.Explain(q)
		require.NoError(t, err)
		require.Equal(t, want, e.Verdict, "%q: %s", proxy, e.Because)
	}
	for _, q := range []nginxacl.Query{
		{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a"},                              // no header
		{Listen: netip.MustParseAddrPort("192.0.2.1:81"), Host: "a", Proxy: "203.0.113.7"},        // none is read there
		{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a", Proxy: "PROXY TCP4 x y 1 2"}, // broken
	} {
		q.Client = netip.MustParseAddr("192.0.2.254")
		_, err := j.Explain(q)
		require.Error(t, err)
	}
}

func TestACertificateDecidesFirst(t *testing.T) {
	c := load(t, `events {} http { server { listen 443 ssl; listen 80; ssl_certificate c; ssl_certificate_key k; ssl_client_certificate ca; ssl_verify_client on;
location /denied { deny all; } location = /ok { proxy_pass http://127.0.0.1:1; } } }`)
	for _, x := range []struct {
		uri  string
		tls  bool
		want nginxacl.Verdict
	}{{"/ok", true, unknown}, {"/denied", true, denied}, {"/ok", false, allowed}} {
		q := nginxacl.Query{Client: netip.MustParseAddr("192.0.2.7"), Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "a", URI: x.uri}
		if x.tls {
			q.Listen, q.TLS = netip.MustParseAddrPort("192.0.2.1:443"), true
		}
		e, err := nginxacl.Explain(c, q)
		require.NoError(t, err)
		require.Equal(t, x.want, e.Verdict, e.Because)
	}
}

func TestStreamsHaveRulesToo(t *testing.T) {
	c := load(t, `events {}
stream {
    deny all;
    server { listen 5432; proxy_pass 127.0.0.1:1; }
    server { listen 5433; allow 2001:db8::/32; set_real_ip_from 192.0.2.0/24; proxy_pass 127.0.0.1:1; }
}`)
	p, err := nginxacl.For(c, chainTo(t, c, "stream", "server[listen=5432]"))
	require.NoError(t, err)
	require.Equal(t, "deny all;\n", p.List.String())
	require.Len(t, p.Level, 1)
	p, err = nginxacl.For(c, chainTo(t, c, "stream", "server[listen=5433]"))
	require.NoError(t, err)
	require.Equal(t, acl.Everybody(), p.Reach().Open, "one rule of any family replaces the list")
	require.Equal(t, "proxy_protocol", p.RealIP.Header)
	require.Equal(t, "192.0.2.0/24", p.RealIP.List[0].Argument())
}
