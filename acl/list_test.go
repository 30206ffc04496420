package acl

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rules reads "allow X; deny Y;".
func rules(t testing.TB, text string) List {
	t.Helper()
	var l List
	for _, one := range strings.SplitAfter(text, ";") {
		if strings.TrimSpace(one) == "" {
			continue
		}
		var r Rule
		require.NoError(t, r.UnmarshalText([]byte(one)))
		l = append(l, r)
	}
	return l
}

// Each case is a fact of nginx 1.22.1: the decision of the list for the
// client, "unix:" for one on a unix socket.
func TestListDecidesAsNginx(t *testing.T) {
	none := Decision{Allow, -1}
	for _, c := range []struct {
		fact, list, client string
		want               Decision
	}{
		{"first match, not longest prefix", "allow 203.0.113.0/24; deny 203.0.113.7; deny all;", "203.0.113.7", Decision{Allow, 0}},
		{"the first of two equal ones", "deny 203.0.113.7; allow 203.0.113.7;", "203.0.113.7", Decision{Deny, 0}},
		{"all is a match like others", "allow 192.0.2.1; deny all; allow 192.0.2.2;", "192.0.2.2", Decision{Deny, 1}},
		{"an empty list lets in", "", "192.0.2.1", none},
		{"no match lets in", "deny 192.0.2.1;", "192.0.2.2", none},

		{"deny 0/0 speaks of IPv4", "deny 0.0.0.0/0;", "192.0.2.1", Decision{Deny, 0}},
		{"deny 0/0 is not all: IPv6", "deny 0.0.0.0/0;", "2001:db8::1", none},
		{"deny 0/0 is not all: unix", "deny 0.0.0.0/0;", "unix:", none},
		{"deny ::/0 leaves IPv4", "deny ::/0;", "192.0.2.1", none},
		{"deny ::/0 speaks of IPv6", "deny ::/0;", "2001:db8::1", Decision{Deny, 0}},
		{"rules of another family do not count", "allow 192.0.2.1; deny 192.0.2.0/24;", "2001:db8::1", none},
		{"families do not mix", "deny 203.0.113.7; allow 2001:db8::1; allow 203.0.113.0/24; deny 2001:db8::/32; deny all;", "2001:db8::1", Decision{Allow, 1}},

		{"a mapped client goes by IPv4 rules", "allow 203.0.113.7; deny all;", "::ffff:203.0.113.7", Decision{Allow, 0}},
		{"IPv6 rules are then dead for it", "deny ::ffff:203.0.113.7; allow 203.0.113.7; deny all;", "::ffff:203.0.113.7", Decision{Allow, 1}},
		{"even if only all is an IPv4 rule", "deny ::ffff:0:0/96; allow all;", "::ffff:203.0.113.7", Decision{Allow, 1}},
		{"even if no IPv4 rule matches", "deny ::/0; deny 192.0.2.1;", "::ffff:203.0.113.7", none},
		{"without an IPv4 rule it is an IPv6 client", "deny ::ffff:203.0.113.0/120;", "::ffff:203.0.113.7", Decision{Deny, 0}},
		{"and the IPv4 client is none", "deny ::ffff:203.0.113.0/120;", "203.0.113.7", none},
		{"::/0 has it too", "allow unix:; deny ::/0;", "::ffff:203.0.113.7", Decision{Deny, 1}},
		{"an IPv4-compatible client is not mapped", "deny 203.0.113.7;", "::203.0.113.7", none},

		{"a unix client goes by unix: and all", "allow 127.0.0.1; deny all;", "unix:", Decision{Deny, 1}},
		{"the first of these", "deny 127.0.0.1; allow unix:; deny all;", "unix:", Decision{Allow, 1}},
		{"unix: is for no other", "deny unix:;", "127.0.0.1", none},
		{"unix: is no IPv4 rule", "deny unix:; allow ::ffff:1.2.3.4; deny ::/0;", "::ffff:1.2.3.4", Decision{Allow, 1}},

		{"a zone has no bearing", "deny fe80::/10;", "fe80::1%eth0", Decision{Deny, 0}},
		{"nor on a mapped client", "deny 192.0.2.1;", "::ffff:192.0.2.1%eth0", Decision{Deny, 0}},
	} {
		client := netip.Addr{}
		if c.client != "unix:" {
			client = netip.MustParseAddr(c.client)
		}
		l := rules(t, c.list)
		assert.Equal(t, c.want, l.Decide(client), "%s: %s, Decide", c.fact, c.client)
		assert.Equal(t, c.want, Compile(l).Lookup(client), "%s: %s, Lookup", c.fact, c.client)
	}
}

func TestZeroRuleMatchesNobody(t *testing.T) {
	l := List{{Action: Deny}, {}}
	for _, client := range newRand(1).clients(nil) {
		assert.Equal(t, Decision{Allow, -1}, l.Decide(client), "%v", client)
		assert.Equal(t, Decision{Allow, -1}, Compile(l).Lookup(client), "%v", client)
	}
}

func TestUnknownActionDenies(t *testing.T) {
	l := rules(t, "allow all;")
	l[0].Action = 7
	for _, client := range newRand(1).clients(nil) {
		assert.Equal(t, Decision{Deny, 0}, l.Decide(client), "%v", client)
		assert.Equal(t, Decision{Deny, 0}, Compile(l).Lookup(client), "%v", client)
	}
}

func TestListTextIsNginxText(t *testing.T) {
	l := rules(t, "allow 010.0.0.1; allow 2001:DB8::1/32; allow unix:; deny all;")
	const want = "allow 010.0.0.1;\nallow 2001:DB8::1/32;\nallow unix:;\ndeny all;\n"
	assert.Equal(t, want, l.String())
	b, err := l.AppendText([]byte("location / {\n"))
	require.NoError(t, err)
	assert.Equal(t, "location / {\n"+want, string(b))
	assert.Empty(t, List(nil).String())

	_, err = append(l, Rule{}).AppendText(nil)
	assert.EqualError(t, err, "rule 4: acl: the zero Rule has no text")
}
