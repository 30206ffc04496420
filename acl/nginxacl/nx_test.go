package nginxacl_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
)

// What the access checks of a linter ask, put to a Policy. Each says whether a
// place is at fault; the two servers it is shown are a bad one and a good one.
var checks = []struct {
	id, bad, good string
	at            string // the last step of the path to the place: "server" if empty
	fault         func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool
}{
	{"NX101 allow without deny", "allow 192.0.2.0/24;", "allow 192.0.2.0/24; deny all;", "", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		p := policy(t, j, chain)
		return p.Reach().Open.Equal(acl.Everybody()) && !allowsAll(p.List) && hasAction(p.List, acl.Allow)
	}},
	{"NX102 return before access", `location / { allow 192.0.2.0/24; deny all; return 200 "x"; }`, "location / { allow 192.0.2.0/24; deny all; proxy_pass http://127.0.0.1:8080; }", "location[/]", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		for _, row := range j.Matrix() {
			if row.Block() == chain[len(chain)-1] {
				return row.Answer != nil && row.Answer.Status < 300 && !row.Policy.List.Denied().IsEmpty()
			}
		}
		return false
	}},
	{"NX103 one family is forgotten", "allow 192.0.2.0/24; deny 0.0.0.0/0;", "allow 192.0.2.0/24; deny all;", "", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		denied := policy(t, j, chain).List.Denied()
		all4, all6 := acl.SetOf(netip.MustParsePrefix("0.0.0.0/0")), acl.SetOf(netip.MustParsePrefix("::/0"))
		return denied.Intersect(all4).IsEmpty() != denied.Intersect(all6).IsEmpty()
	}},
	{"NX104 an override reopens", "deny all; location /metrics { allow ::1; }", "deny all; location /metrics { allow ::1; deny all; }", "location[/metrics]", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		outer, own := policy(t, j, chain[:len(chain)-1]), policy(t, j, chain)
		return !own.List.Allowed().Minus(outer.List.Allowed()).Minus(explicit(own.List)).IsEmpty() && !allowsAll(own.List)
	}},
	{"NX105 a rule that decides for nobody", "deny all; allow 192.0.2.7;", "allow 192.0.2.7; deny all;", "", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		p := policy(t, j, chain)
		dead := p.List.Shadowed()
		return len(dead) == 1 && p.Origins[dead[0].Rule].Name() == "allow"
	}},
	{"NX106 a regular expression escapes", `location /admin/ { allow 192.0.2.0/24; deny all; } location ~* \.csv$ { expires 1h; }`, `location ^~ /admin/ { allow 192.0.2.0/24; deny all; } location ~* \.csv$ { expires 1h; }`, "", func(t *testing.T, j *nginxacl.Judge, _ nginxconf.Context) bool {
		at := func(uri string) nginxacl.Verdict {
			a := ask{uri: uri}
			e, err := j.Explain(a.query())
			require.NoError(t, err)
			return e.Verdict
		}
		return at("/admin/") == denied && at("/admin/report.csv") == allowed
	}},
	{"NX107 everybody is trusted", "set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For;", "set_real_ip_from 192.0.2.10; real_ip_header X-Forwarded-For;", "", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		for _, r := range policy(t, j, chain).RealIP.List {
			if r.Prefix().IsValid() && r.Prefix().Bits() == 0 {
				return true
			}
		}
		return false
	}},
	{"NX108 a header and no proxy", "real_ip_header X-Forwarded-For;", "real_ip_header X-Forwarded-For; set_real_ip_from 192.0.2.10;", "", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		ip := policy(t, j, chain).RealIP
		return ip.HeaderBy != nil && len(ip.Origins) == 0 && len(ip.Unresolved) == 0
	}},
	{"NX109 the client's word decides", `if ($http_x_forwarded_for !~ "^192\.0\.2\.") { return 403; }`, "allow 192.0.2.0/24; deny all;", "", func(t *testing.T, j *nginxacl.Judge, _ nginxconf.Context) bool {
		a := ask{}
		e, err := j.Explain(a.query())
		require.NoError(t, err)
		require.Equal(t, denied, e.Verdict)
		a.header = from("192.0.2.1")
		e, err = j.Explain(a.query())
		require.NoError(t, err)
		return e.Verdict == allowed
	}},
	{"NX110 the password is never asked for", "satisfy any; allow all; auth_basic x; auth_basic_user_file users;", "satisfy any; allow 192.0.2.0/24; deny all; auth_basic x; auth_basic_user_file users;", "", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		p := policy(t, j, chain)
		return p.Satisfy == acl.SatisfyAny && len(p.Auth) > 0 && p.Reach().Login.IsEmpty()
	}},
	{"NX111 the error page is the application", "location / { deny all; error_page 403 = @app; } location @app { proxy_pass http://127.0.0.1:8080; }", "location / { deny all; error_page 403 /403.html; } location = /403.html { internal; allow all; root /srv/www; }", "location[/]", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		a := ask{uri: "/x"}
		e, err := j.Explain(a.query())
		require.NoError(t, err)
		require.Len(t, policy(t, j, chain).ErrorPages, 1)
		return e.Verdict == allowed
	}},
	{"NX112 host bits", "allow 192.0.2.7/24; deny all;", "allow 192.0.2.0/24; deny all;", "", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		return policy(t, j, chain).List[0].HostBits()
	}},
	{"NX114 loopback of one family", "location / { allow 127.0.0.1; deny all; }", "location / { allow 127.0.0.1; allow ::1; deny all; }", "location[/]", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		in := policy(t, j, chain).List.Allowed()
		return in.Contains(netip.MustParseAddr("127.0.0.1")) != in.Contains(netip.IPv6Loopback())
	}},
	{"NX115 a status page that is open", "location /status { stub_status; }", "location /status { stub_status; allow 127.0.0.1; allow ::1; deny all; }", "location[/status]", func(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) bool {
		private, err := acl.ParseSet("127.0.0.0/8 ::1 10.0.0.0/8 192.168.0.0/16 172.16.0.0/12 fc00::/7")
		require.NoError(t, err)
		p := policy(t, j, chain)
		return !p.Reach().Open.Minus(private).IsEmpty()
	}},
	{"NX116 a pattern for addresses", `if ($remote_addr ~ ^10.1) { return 403; }`, "deny 10.1.0.0/16;", "", func(t *testing.T, j *nginxacl.Judge, _ nginxconf.Context) bool {
		a := ask{client: "10.100.0.1"}
		e, err := j.Explain(a.query())
		require.NoError(t, err)
		return e.Verdict == denied
	}},
}

func policy(t *testing.T, j *nginxacl.Judge, chain nginxconf.Context) nginxacl.Policy {
	t.Helper()
	p, err := j.For(chain)
	require.NoError(t, err)
	return p
}

func hasAction(l acl.List, a acl.Action) bool {
	for _, r := range l {
		if r.Action == a {
			return true
		}
	}
	return false
}

func allowsAll(l acl.List) bool {
	for _, r := range l {
		if r.Action == acl.Allow && r.All() {
			return true
		}
	}
	return false
}

// explicit are the clients that a list allows by a rule.
func explicit(l acl.List) acl.Set {
	return append(l[:len(l):len(l)], acl.MustParseRule("deny", "all")).Allowed()
}

func TestAPolicySaysWhatAccessChecksAsk(t *testing.T) {
	for _, c := range checks {
		t.Run(c.id, func(t *testing.T) {
			for text, want := range map[string]bool{c.bad: true, c.good: false} {
				config := load(t, "events {}\nhttp {\nserver { "+listens+"\n"+text+"\n}\n}\n")
				j, err := nginxacl.New(config, nil)
				require.NoError(t, err)
				path := []string{"http", "server"}
				if c.at != "" {
					path = append(path, c.at)
				}
				require.Equal(t, want, c.fault(t, j, chainTo(t, config, path...)), text)
			}
		})
	}
}

// NX113 is no fault of a policy: nginx refuses it.
func TestNX113AnAddressThatIsNone(t *testing.T) {
	config := load(t, "events {} http { server { allow office.example.net; deny all; } }")
	_, err := nginxacl.New(config, nil)
	require.EqualError(t, err, `nginx.conf:1:27: invalid parameter "office.example.net"`)
	_, err = nginxacl.For(config, chainTo(t, config, "http", "server"))
	require.ErrorContains(t, err, "office.example.net")
	require.False(t, strings.Contains(err.Error(), "\n"))
}
