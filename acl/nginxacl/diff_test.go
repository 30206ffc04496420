package nginxacl_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
)

// diffOf is the difference of two configurations, and that as text. The servers
// of both stand in http blocks.
func diffOf(t testing.TB, before, after string) (nginxacl.Changes, string) {
	t.Helper()
	changes, err := nginxacl.Diff(load(t, "events {}\nhttp {\n"+before+"\n}\n"), load(t, "events {}\nhttp {\n"+after+"\n}\n"))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, changes.WriteText(&b, nil))
	return changes, b.String()
}

const (
	office = "allow 192.0.2.0/24; deny all; "
	app    = "proxy_pass http://127.0.0.1:8080; "
)

func site(lines ...string) string {
	return "server { listen 80; server_name a;\n" + strings.Join(lines, "\n") + "\n}\n"
}

// Each is a change as a reviewer meets it, and all that is to be read of it.
func TestWhatAChangeOpens(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		want                string // without it, nobody gains or loses access
	}{
		{name: "comments, order of families, a rule that decides for nobody",
			before: site(office, "location / { "+app+" }"),
			after:  site("# the office\nallow 192.0.2.0/25; allow 192.0.2.128/25; deny all; allow all;", "location / { "+app+" }")},
		{"clients that cannot come", site("deny all; location / { " + app + " }"), site("deny 0.0.0.0/0; location / { " + app + " }"), ""},
		{"but they can where there is a socket for them", strings.Replace(site("deny all; location / { "+app+" }"), "listen 80;", "listen 80; listen [2001:db8::1]:80;", 1), strings.Replace(site("deny 0.0.0.0/0; location / { "+app+" }"), "listen 80;", "listen 80; listen [2001:db8::1]:80;", 1), `
a, any other host /* on 0.0.0.0:80, [2001:db8::1]:80
    gain access: everybody but all IPv4
    before: location /: deny all; (nginx.conf:4:1, inherited from server)
    after:  location /: deny 0.0.0.0/0; (nginx.conf:4:1, inherited from server)
`},
		{"certificates of clients", "server { listen 443 ssl; ssl_certificate c; ssl_certificate_key k; ssl_client_certificate ca; ssl_verify_client on; location / { " + app + "} }",
			"server { listen 443 ssl; ssl_certificate c; ssl_certificate_key k; ssl_client_certificate ca; ssl_verify_client optional; location / { " + app + "} }", `
any other host /* on 0.0.0.0:443
    need no login any more: everybody
    before: location /: no rules; ssl_verify_client on; (nginx.conf:3:95)
    after:  location /: no rules
`},
		{"an address more", site(office, "location / { "+app+" }"), site("allow 192.0.2.0/24; allow 198.51.100.7; deny all;", "location / { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    gain access: 198.51.100.7
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
    after:  location /: allow 192.0.2.0/24; allow 198.51.100.7; deny all; (nginx.conf:4:1, inherited from server)
`},
		{"rules in another order", site("location / { deny 192.0.2.66; allow 192.0.2.0/24; deny all; }"), site("location / { allow 192.0.2.0/24; deny 192.0.2.66; deny all; }"), `
a, any other host /* on 0.0.0.0:80
    gain access: 192.0.2.66
    before: location /: deny 192.0.2.66; allow 192.0.2.0/24; deny all; (nginx.conf:4:14)
    after:  location /: allow 192.0.2.0/24; deny 192.0.2.66; deny all; (nginx.conf:4:14)
`},
		{"a location with a rule of its own drops the others", site(office, "location / { "+app+" }"), site(office, "location / { "+app+" }", "location /metrics { allow ::1; "+app+" }"), `
a, any other host /metrics* on 0.0.0.0:80
    gain access: everybody but 192.0.2.0/24
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
    after:  location /metrics: allow ::1; (nginx.conf:6:21)
`},
		{"a location inside that inherits everything opens nothing", site(office, "location / { "+app+" }"), site(office, "location / { "+app+" location /in/ { "+app+" } }"), ""},
		{"a return before the rules", site(office, "location / { "+app+" }"), site(office, "location / { return 200 ok; }"), `
a, any other host /* on 0.0.0.0:80
    gain access: everybody but 192.0.2.0/24
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
    after:  location /: nginx.conf:5:14: return 200 ok; answers all requests
`},
		{"a redirect exposes nothing", site("deny all; location / { " + app + " }"), site("return 301 https://$host$request_uri;"), ""},
		{"a regular expression takes URLs away from their rules",
			site("location / { "+app+" }", "location /admin/ { "+office+app+" }"),
			site("location / { "+app+" }", "location /admin/ { "+office+app+" }", `location ~* \.csv$ { `+app+" }"), `
a, any other host /admin/.csv, /admin/*.csv on 0.0.0.0:80
    gain access: everybody but 192.0.2.0/24
    before: location /admin/: allow 192.0.2.0/24; deny all; (nginx.conf:5:20)
    after:  location ~* \.csv$: no rules
`},
		{"one that looks ahead",
			site("location / { "+app+" }", `location ~ /\.(?!well-known) { deny all; }`), site("location / { "+app+" }", `location ~ /\.(?!well-known) { deny 192.0.2.1; }`), `
a, any other host /.* on 0.0.0.0:80
    gain access: everybody but 192.0.2.1
    before: location ~ /\.(?!well-known): deny all; (nginx.conf:5:32)
    after:  location ~ /\.(?!well-known): deny 192.0.2.1; (nginx.conf:5:32)
`},
		{"but not from those of ^~",
			site("location / { "+app+" }", "location ^~ /admin/ { "+office+app+" }"),
			site("location / { "+app+" }", "location ^~ /admin/ { "+office+app+" }", `location ~* \.csv$ { `+app+" }"), ""},
		{"a password less", site("location / { auth_basic x; auth_basic_user_file u; " + app + " }"), site("location / { auth_basic off; " + app + " }"), `
a, any other host /* on 0.0.0.0:80
    need no login any more: everybody
    before: location /: no rules; auth_basic x; (nginx.conf:4:14)
    after:  location /: no rules
`},
		{"satisfy any opens to those with a login", site("auth_basic x; auth_basic_user_file u;", office, "location / { "+app+" }"), site("satisfy any; auth_basic x; auth_basic_user_file u;", office, "location / { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    need no login any more: 192.0.2.0/24
    gain access with a login: everybody but 192.0.2.0/24
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:5:1, inherited from server); auth_basic x; (nginx.conf:4:1)
    after:  location /: allow 192.0.2.0/24; deny all; (nginx.conf:5:1, inherited from server); auth_basic x; (nginx.conf:4:14); satisfy any (nginx.conf:4:1)
`},
		{"a server is gone, and the default one answers", site(office, "location / { "+app+" }") + "server { listen 80 default_server; " + app + "location / { " + app + " } }",
			"server { listen 80 default_server; location / { " + app + " } }", `
a /* on 0.0.0.0:80
    gain access: everybody but 192.0.2.0/24
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
    after:  location /: no rules
`},
		{"another socket", site(office, "location / { "+app+" }"), strings.Replace(site(office, "location / { "+app+" }"), "listen 80;", "listen 80; listen [::]:8080;", 1), `
a, any other host /* on [::]:8080
    gain access: 192.0.2.0/24
    before: no server listens there: no server listens there
    after:  location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
`},
		{"a server that hides one for any address", site(office, "location / { "+app+" }"),
			site(office, "location / { "+app+" }") + "server { listen 192.0.2.1:80; server_name b; location / { " + app + " } }", `
a, b, any other host /* on 192.0.2.1:80
    gain access: everybody but 192.0.2.0/24
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
    after:  location /: no rules
`},
		{"a method more", site("location / { limit_except GET { deny all; } " + app + " }"), site("location / { limit_except GET POST { deny all; } " + app + " }"), `
a, any other host /* on 0.0.0.0:80 for POST
    gain access: everybody
    before: limit_except GET: deny all; (nginx.conf:4:33)
    after:  location /: no rules
`},
		{"what try_files falls back to", site("location / { try_files $uri @app; }", "location @app { "+office+app+" }"), site("location / { try_files $uri @app; }", "location @app { "+app+" }"), `
a, any other host /* → @app on 0.0.0.0:80
    gain access: everybody but 192.0.2.0/24
    before: location @app: allow 192.0.2.0/24; deny all; (nginx.conf:5:17)
    after:  location @app: no rules
`},
		{"an error page that is the application", site("location / { "+office+app+" }", "location @app { "+app+" }"), site("location / { "+office+"error_page 403 = @app; "+app+" }", "location @app { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    gain access: everybody but 192.0.2.0/24
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:14)
    after:  location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:14)
            those who are refused are sent on to location @app: no rules
`},
		{"an error page that is just that", site("location / { " + office + app + " }"), site("location / { "+office+"error_page 403 /403.html; "+app+" }", "location = /403.html { internal; allow all; root /srv; }"), `
a, any other host /403.html on 0.0.0.0:80
    lose access: 192.0.2.0/24
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:14)
    after:  location = /403.html: 404 (internal) is the answer to all requests
`},
		{"a rewrite into the open", site("location /a/ { "+office+app+" }", "location /b/ { "+app+" }"), site("rewrite ^/a/pub/(.*)$ /b/$1 last;", "location /a/ { "+office+app+" }", "location /b/ { "+app+" }"), `
a, any other host /a/pub/* on 0.0.0.0:80
    gain access: everybody but 192.0.2.0/24
    before: location /a/: allow 192.0.2.0/24; deny all; (nginx.conf:4:16)
    after:  location /b/: no rules
`},
		{"a geo block", "geo $near { default 0; 192.0.2.0/24 1; }\n" + site("if ($near = 0) { return 403; }", "location / { "+app+" }"),
			"geo $near { default 0; 192.0.2.0/24 1; 198.51.100.0/24 1; }\n" + site("if ($near = 0) { return 403; }", "location / { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    gain access: 198.51.100.0/24
    before: location /: no rules
            for others server: nginx.conf:5:18: return 403; answers all requests
    after:  location /: no rules
            for others server: nginx.conf:5:18: return 403; answers all requests
`},
		{"who may say who the client is", site("set_real_ip_from 192.0.2.254; "+office, "location / { "+app+" }"), site("set_real_ip_from 192.0.2.254; set_real_ip_from 203.0.113.0/24; "+office, "location / { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    gain access by naming a client that has it: 203.0.113.0/24
    note: 203.0.113.0/24: now trusted to say who the client is
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:31, inherited from server); clients of trusted proxies are those of X-Real-IP (nginx.conf:4:1)
    after:  location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:64, inherited from server); clients of trusted proxies are those of X-Real-IP (nginx.conf:4:1)
`},
		{"a proxy that is taken for the client", site("set_real_ip_from 192.0.2.254; real_ip_header X-Forwarded-For; "+office, "location / { "+app+" }"), site("real_ip_header X-Forwarded-For; "+office, "location / { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    gain access, taken for the proxy they come through: 192.0.2.254
    note: 192.0.2.254: no more trusted to say who the client is
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:63, inherited from server); clients of trusted proxies are those of X-Forwarded-For (nginx.conf:4:1)
    after:  location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:33, inherited from server)
`},
		{"what auth_request asks", site("auth_request /auth;", "location / { "+app+" }", "location = /auth { internal; return 401; }"), site("auth_request /auth;", "location / { "+app+" }", "location = /auth { internal; return 204; }"), `
a, any other host /* on 0.0.0.0:80
    gain access: everybody
    before: location /: no rules; auth_request /auth; (nginx.conf:4:1)
    after:  location /: no rules; auth_request /auth; (nginx.conf:4:1)
`},
		{"another password file", site("auth_basic x; auth_basic_user_file staff;", "location / { "+app+" }"), site("auth_basic x; auth_basic_user_file guests;", "location / { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    note: who has a login is said by auth_basic x; auth_basic_user_file guests;, and was by auth_basic x; auth_basic_user_file staff;
    before: location /: no rules; auth_basic x; (nginx.conf:4:1)
    after:  location /: no rules; auth_basic x; (nginx.conf:4:1)
`},
		{"a regular expression that nobody can tell", site(office, "location / { "+app+" }", "location ~ ^/(x(?R)?y)$ { "+app+" }"), site("allow all;", "location / { "+app+" }", "location ~ ^/(x(?R)?y)$ { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    unknown: everybody, because location: nginx.conf:6:1 depends on the regular expression "^/(x(?R)?y)$": not supported: (?R
    before: server: location: nginx.conf:6:1 depends on the regular expression "^/(x(?R)?y)$": not supported: (?R
    after:  server: location: nginx.conf:6:1 depends on the regular expression "^/(x(?R)?y)$": not supported: (?R

0.0.0.0:80
    note: nginx.conf:6:1: location ~ ^/(x(?R)?y)$ is not as it was, and no URL is known that comes there
    before: server (nginx.conf:3:1): unknown
    after:  server (nginx.conf:3:1): unknown
`},
		{"the same, with a rule around it", "deny all;" + site("location ~ ^/(x(?R)?y)$ { "+app+" }"), site("location ~ ^/(x(?R)?y)$ { " + app + " }"), `
a, any other host /* on 0.0.0.0:80
    unknown: everybody, because location: nginx.conf:4:1 depends on the regular expression "^/(x(?R)?y)$": not supported: (?R
    before: server: location: nginx.conf:4:1 depends on the regular expression "^/(x(?R)?y)$": not supported: (?R
    after:  server: location: nginx.conf:4:1 depends on the regular expression "^/(x(?R)?y)$": not supported: (?R

0.0.0.0:80
    note: nginx.conf:4:1: location ~ ^/(x(?R)?y)$ is not as it was, and no URL is known that comes there
    before: server (nginx.conf:3:10): unknown
    after:  server (nginx.conf:3:1): unknown
`},
		{"a name to listen on", strings.Replace(site(office), "80", "localhost:80", 1), strings.Replace(site("allow all;"), "80", "localhost:80", 1), `
localhost:80
    note: nginx.conf:3:10: listen localhost:80; has a name that is not resolved, so it is not known what it opens
    before: server: unknown
    after:  server: unknown
`},
		{"code that decides", site(office, "location / { "+app+" }"), site(office, "location / { access_by_lua_block { check() } "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    unknown: 192.0.2.0/24, because nginx.conf:5:14: access_by_lua_block decides by means of its own
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
    after:  location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server); access_by_lua_block (nginx.conf:5:14)
`},
		{"the same code somewhere else", site("access_by_lua_block { check() }", "location / { "+app+" }"), site("\n\n access_by_lua_block { check() }", "location / { "+app+" }"), ""},
		{"other code", site("access_by_lua_block { check() }", "location / { "+app+" }"), site("access_by_lua_block { return }", "location / { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    unknown: everybody, because nginx.conf:4:1: access_by_lua_block decides by means of its own
    before: location /: no rules; access_by_lua_block (nginx.conf:4:1)
    after:  location /: no rules; access_by_lua_block (nginx.conf:4:1)
`},
		{"a condition on what the client says", site(office, "location / { "+app+" }"), site(office, `if ($http_x_forwarded_for = "10.0.0.1") { return 200 ok; }`, "location / { "+app+" }"), `
a, any other host /* on 0.0.0.0:80
    note: nginx.conf:5:1: if ($http_x_forwarded_for = 10.0.0.1 ) is new, so other requests may fare otherwise
    before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
    after:  location /: allow 192.0.2.0/24; deny all; (nginx.conf:4:1, inherited from server)
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes, text := diffOf(t, c.before, c.after)
			want := strings.TrimPrefix(c.want, "\n")
			if want == "" {
				want = "nobody gains or loses access\n"
			}
			require.Equal(t, want, text)
			opens := strings.Contains(want, "gain access") || strings.Contains(want, "need no login")
			require.Equal(t, opens, changes.Open())
		})
	}
}

func TestAConditionOnTheHostIsAskedOfAllHosts(t *testing.T) {
	const names = "server { listen 80; server_name a b c;\n"
	_, text := diffOf(t, names+"deny all; }", names+"deny all; if ($host = b) { return 200 x; } }")
	require.Equal(t, `b /* on 0.0.0.0:80
    gain access: everybody
    note: nginx.conf:4:11: if ($host = b) is new, so other requests may fare otherwise
    before: server: deny all; (nginx.conf:4:1)
    after:  server: nginx.conf:4:28: return 200 x; answers all requests

a, c, any other host /* on 0.0.0.0:80
    note: nginx.conf:4:11: if ($host = b) is new, so other requests may fare otherwise
    before: server: deny all; (nginx.conf:4:1)
    after:  server: deny all; (nginx.conf:4:1)
`, text)
}

func TestManyAddressesAreWrittenOutToo(t *testing.T) {
	const all = "192.0.2.0, 192.0.2.2, 192.0.2.4, 192.0.2.6, 192.0.2.8, 192.0.2.10, 192.0.2.12"
	rules := "deny all;"
	for a := range strings.SplitSeq(all, ", ") {
		rules = "allow " + a + ";\n" + rules
	}
	changes, text := diffOf(t, site("deny all;"), site(rules))
	require.Contains(t, text, "gain access: 192.0.2.0, 192.0.2.2, 192.0.2.4, 192.0.2.6, 192.0.2.8 and 2 more prefixes\n    exactly: "+all+"\n")
	require.Equal(t, all, changes[0].Gains.String())
	_, text = diffOf(t, site(rules), site("deny all;\n"+strings.ReplaceAll(rules, "allow", "deny")+"allow all;"))
	require.Contains(t, text, "lose access: 192.0.2.0, ")
}

func TestADifferenceHasTwoWays(t *testing.T) {
	before, after := site(office, "location / { "+app+" }"), site("allow 198.51.100.0/24; deny all;", "location / { "+app+" }")
	there, _ := diffOf(t, before, after)
	back, _ := diffOf(t, after, before)
	require.Len(t, there, 1)
	require.Len(t, back, 1)
	require.Equal(t, there[0].Gains, back[0].Loses)
	require.Equal(t, there[0].Loses, back[0].Gains)
}

func TestMarkdownSeesNothingInNames(t *testing.T) {
	changes, _ := diffOf(t, site(office), site(office, "location /*<b>`_x_ { allow all; }"))
	var b strings.Builder
	require.NoError(t, changes.WriteMarkdown(&b, acl.Names{}))
	require.Contains(t, b.String(), "**Somebody gains access**")
	require.Contains(t, b.String(), "- after: location /\\*\\<b\\>\\`\\_x\\_: ")
	require.Contains(t, b.String(), "### ``a, any other host /*<b>`_x_* on 0.0.0.0:80``\n")
}

func TestAConfigurationThatNginxRefusesHasNoDifference(t *testing.T) {
	good := load(t, "events {} http { }")
	bad := load(t, "events {} http { server { allow 10.0.0.0/33; } }")
	_, err := nginxacl.Diff(good, bad)
	require.EqualError(t, err, `after: nginx.conf:1:27: invalid parameter "10.0.0.0/33"`)
	_, err = nginxacl.Diff(bad, good)
	require.ErrorContains(t, err, "before: ")
	broken, _ := nginxconf.Parse("nginx.conf", []byte("http {"))
	_, err = nginxacl.Diff(good, broken.Config())
	require.Error(t, err)
}
