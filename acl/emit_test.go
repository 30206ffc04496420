package acl

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mixed is a list whose denied clients are of all kinds.
func mixed(t *testing.T) Set {
	return rules(t, "allow 192.0.2.0/24; deny 192.0.2.0/23; deny 198.51.100.7; deny 2001:db8::/32; deny 2001:db9::/32; deny ::1; deny unix:; allow all;").Denied()
}

func TestAppendNFTables(t *testing.T) {
	b, err := mixed(t).AppendNFTables([]byte("# ours\n"), NFTables{Name: "shut"})
	require.NoError(t, err)
	assert.Equal(t, `# ours
table inet filter {
	set shut_v4 {
		type ipv4_addr
		flags interval
		elements = {
			192.0.3.0/24,
			198.51.100.7,
		}
	}
	set shut_v6 {
		type ipv6_addr
		flags interval
		elements = {
			::1,
			2001:db8::/31,
		}
	}
}
`, string(b))
}

func TestAppendNFTablesUpdate(t *testing.T) {
	b, err := mixed(t).AppendNFTablesUpdate(nil, NFTables{Family: "ip6", Table: "acl", Name: "shut"})
	require.NoError(t, err)
	assert.Equal(t, `add table ip6 acl
add set ip6 acl shut_v4 { type ipv4_addr; flags interval; }
flush set ip6 acl shut_v4
add element ip6 acl shut_v4 { 192.0.3.0/24, 198.51.100.7 }
add set ip6 acl shut_v6 { type ipv6_addr; flags interval; }
flush set ip6 acl shut_v6
add element ip6 acl shut_v6 { ::1, 2001:db8::/31 }
`, string(b))
	b, err = Set{}.AppendNFTablesUpdate(nil, NFTables{Name: "shut"})
	require.NoError(t, err)
	assert.NotContains(t, string(b), "add element")
}

func TestAppendIPSet(t *testing.T) {
	b, err := mixed(t).Union(SetOf(netip.MustParsePrefix("::/0"))).AppendIPSet(nil, "shut")
	require.NoError(t, err)
	assert.Equal(t, `create shut_v4 hash:net family inet maxelem 65536
add shut_v4 192.0.3.0/24
add shut_v4 198.51.100.7
create shut_v6 hash:net family inet6 maxelem 65536
add shut_v6 ::/1
add shut_v6 8000::/1
`, string(b))
}

func TestAppendYAML(t *testing.T) {
	b, err := mixed(t).AppendYAML([]byte("spec:\n"), "loadBalancerSourceRanges", 2)
	require.NoError(t, err)
	assert.Equal(t, `spec:
  loadBalancerSourceRanges:
  - "192.0.3.0/24"
  - "198.51.100.7/32"
  - "::1/128"
  - "2001:db8::/31"
`, string(b))
}

func TestAnEmptyListOfCIDRsIsRefused(t *testing.T) {
	for _, s := range []Set{{}, UnixClients(), rules(t, "allow unix:; deny all;").Allowed()} {
		_, err := s.CIDRs()
		require.ErrorIs(t, err, ErrNobody)
		_, err = s.AppendYAML(nil, "loadBalancerSourceRanges", 0)
		require.ErrorIs(t, err, ErrNobody)
	}
}

func TestEmittersRefuseWhatIsNoName(t *testing.T) {
	s := mixed(t)
	for _, name := range []string{"", "a b", "1a", "a;", "a\n", "å", "a-b", "{"} {
		for what, err := range map[string]error{
			"set":    second(s.AppendNFTables(nil, NFTables{Name: name})),
			"update": second(s.AppendNFTablesUpdate(nil, NFTables{Name: name})),
			"ipset":  second(s.AppendIPSet(nil, name)),
			"key":    second(s.AppendYAML(nil, name, 0)),
		} {
			require.Error(t, err, "%s %q", what, name)
		}
	}
	require.Error(t, second(s.AppendNFTables(nil, NFTables{Name: "a", Table: "b c"})))
	require.Error(t, second(s.AppendNFTables(nil, NFTables{Name: "a", Family: "arp"})))
	require.Error(t, second(s.AppendIPSet(nil, strings.Repeat("a", 29))))
	require.NoError(t, second(s.AppendIPSet(nil, strings.Repeat("a", 28))))
}

func second[T any](_ T, err error) error { return err }

// What nginx would judge by IPv6 rules is IPv4 on the wire.
func TestEmittersLeaveOutMappedAddresses(t *testing.T) {
	s := rules(t, "allow ::ffff:192.0.2.0/120; deny ::/0;").Allowed()
	require.Contains(t, s.String(), "::ffff:192.0.2.0/120")
	list, err := s.CIDRs()
	require.NoError(t, err)
	require.Equal(t, []string{"0.0.0.0/0"}, list)
}

func TestListReadsBack(t *testing.T) {
	for seed := range uint64(100) {
		r := newRand(seed)
		l := r.list(30)
		text, err := l.AppendText(nil)
		require.NoError(t, err)
		var back List
		for line := range bytes.Lines(text) {
			var rule Rule
			require.NoError(t, rule.UnmarshalText(line))
			back = append(back, rule)
		}
		require.True(t, EqualOutcomes(l, back))
		for _, rule := range Simplify(l) {
			require.NoError(t, new(Rule).UnmarshalText([]byte(rule.String())))
		}
	}
}

func TestNewRule(t *testing.T) {
	for _, p := range []string{"10.0.0.0/8", "10.1.2.3/8", "::/0", "255.255.255.254/31", "255.255.255.255/31", "::ffff:255.255.255.255/128", "::255.255.255.255/128", "1:2:3:4:5:6:7:0/128", "::ffff:10.0.0.0/104", "0.0.0.0/32"} {
		p := netip.MustParsePrefix(p)
		r, err := NewRule(Deny, p)
		require.NoError(t, err, "%v", p)
		back, err := ParseRule("deny", r.Argument())
		require.NoError(t, err, "%v", r)
		require.Equal(t, back, r)
		require.Equal(t, p.Masked(), r.Prefix())
	}
	_, err := NewRule(Allow, netip.MustParsePrefix("255.255.255.255/32"))
	require.EqualError(t, err, `invalid parameter "255.255.255.255"`)
	_, err = NewRule(Allow, netip.Prefix{})
	require.Error(t, err)
	_, err = NewRule(7, netip.MustParsePrefix("::/0"))
	require.Error(t, err)
}

// nginx cannot read 255.255.255.255, so that it must be what others leave.
func TestTheLastAddressGetsItsRuleFromOthers(t *testing.T) {
	lastOne := SetOf(netip.MustParsePrefix("255.255.255.255/32"))
	for set, want := range map[*Set]string{
		&lastOne: "deny 255.255.255.254;\nallow 255.255.255.254/31;\ndeny all;\n",
	} {
		l, err := set.List(Allow)
		require.NoError(t, err)
		assert.Equal(t, want, l.String())
		assert.True(t, l.Allowed().Equal(*set))
	}
	l, err := lastOne.List(Deny)
	require.NoError(t, err)
	assert.Equal(t, "allow 255.255.255.254;\ndeny 255.255.255.254/31;\nallow all;\n", l.String())
}
