package acl

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const placeNames = `
# who is who
office = 192.0.2.0/24, 2001:db8:1::/48
vpn    = 10.8.0.0/16   # not the old one
staff  = office vpn
lab    = 10.9.0.0/24
lab    = 10.9.1.0/24, unix:
`

func TestParseNames(t *testing.T) {
	names, err := ParseNames("names.txt", []byte(placeNames))
	require.NoError(t, err)
	assert.Equal(t, `office = 192.0.2.0/24, 2001:db8:1::/48
vpn = 10.8.0.0/16
staff = 10.8.0.0/16, 192.0.2.0/24, 2001:db8:1::/48
lab = 10.9.0.0/23, unix:
`, names.String())
	assert.Equal(t, []string{"office", "staff"}, names.Of(netip.MustParseAddr("192.0.2.7")))
	assert.Equal(t, []string{"vpn", "staff"}, names.Of(netip.MustParseAddr("::ffff:10.8.1.1")))
	assert.Equal(t, []string{"lab"}, names.Of(netip.Addr{}))
	assert.Empty(t, names.Of(netip.MustParseAddr("::1")))
}

func TestParseNamesReportsEveryLine(t *testing.T) {
	names, err := ParseNames("names.txt", []byte("office = 192.0.2.0/24\n  vpn\n1st = ::1\nlab = 10.0.0.0/33, home,office\nok = ::1\nall = ::\n"))
	require.EqualError(t, err, `names.txt:2:3: want "name = addresses"
names.txt:3:1: "1st" is not a name
names.txt:4:7: invalid parameter "10.0.0.0/33"
names.txt:4:20: invalid parameter "home"
names.txt:6:1: "all" is not a name`)
	assert.Equal(t, "office = 192.0.2.0/24\nok = ::1\n", names.String())
}

func TestDescribe(t *testing.T) {
	names, err := ParseNames("names.txt", []byte(placeNames))
	require.NoError(t, err)
	for set, want := range map[string]string{
		"nobody":                       "nobody",
		"all":                          "everybody",
		"192.0.2.0/24":                 "part of office (192.0.2.0/24)",
		"192.0.2.0/24 2001:db8:1::/48": "office",
		"192.0.2.0/24 2001:db8:1::/48 10.8.0.0/16":              "staff",
		"192.0.2.0/24 2001:db8:1::/48 10.8.0.0/16 198.51.100.7": "staff and 198.51.100.7",
		"10.8.0.0/16 10.9.0.0/24 ::1":                           "vpn, part of lab (10.9.0.0/24) and ::1",
		"unix:":                                                 "unix sockets",
		"0.0.0.0/0":                                             "all IPv4",
		"0.0.0.0/0 unix:":                                       "everybody but all IPv6",
		"10.9.0.0/23 unix:":                                     "lab",
	} {
		s, err := ParseSet(set)
		require.NoError(t, err)
		assert.Equal(t, want, names.Describe(s), set)
	}
	staff := names[2].Set
	assert.Equal(t, "everybody but staff", names.Describe(staff.Complement()))
	assert.Equal(t, "everybody but staff and lab", names.Describe(staff.Union(names[3].Set).Complement()))
	assert.Equal(t, "192.0.2.0, 192.0.2.2, 192.0.2.4, 192.0.2.6, 192.0.2.8 and 3 more prefixes",
		Names(nil).Describe(mustSet(t, "192.0.2.0 192.0.2.2 192.0.2.4 192.0.2.6 192.0.2.8 192.0.2.10 192.0.2.12 192.0.2.14")))
	assert.Equal(t, "unix sockets", Names(nil).Describe(UnixClients()))
}

func mustSet(t *testing.T, s string) Set {
	t.Helper()
	set, err := ParseSet(s)
	require.NoError(t, err)
	return set
}
