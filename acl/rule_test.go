package acl

import (
	"encoding/json"
	"go/token"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// addressForms is how nginx 1.22.1 reads the argument of allow and deny; an
// empty prefix is a refusal. TestOracleNginxReadsAddresses asks nginx again.
var addressForms = []struct {
	argument, prefix string
	hostBits         bool
}{
	{"10.0.0.1", "10.0.0.1/32", false},
	{"10.0.0.0/8", "10.0.0.0/8", false},
	{"10.0.0.1/8", "10.0.0.0/8", true},
	{"0.0.0.0", "0.0.0.0/32", false},
	{"0.0.0.0/0", "0.0.0.0/0", false},
	{"1.2.3.4/0", "0.0.0.0/0", true},

	// Numbers are decimal, whatever leads them.
	{"01.02.03.04", "1.2.3.4/32", false},
	{"010.0.0.1", "10.0.0.1/32", false},
	{"0000000010.0.0.1", "10.0.0.1/32", false},
	{"10.0.0.0/032", "10.0.0.0/32", false},
	{"10.0.0.0/08", "10.0.0.0/8", false},
	{"10.0.0.0/00000000000000000000008", "10.0.0.0/8", false},
	{"0x10.0.0.1", "", false},
	{"300.1.1.1", "", false},
	{"10.0.0.256", "", false},

	// Three dots make an address, and nothing is zero.
	{"...", "0.0.0.0/32", false},
	{"1..2.3", "1.0.2.3/32", false},
	{".1.2.3", "0.1.2.3/32", false},
	{"1.2.3.", "1.2.3.0/32", false},
	{".../0", "0.0.0.0/0", false},
	{"...1/31", "0.0.0.0/31", true},
	{"1.2.3", "", false},
	{"1.2.3.4.5", "", false},
	{"1.2.3.4.", "", false},
	{"10/8", "", false},
	{"2130706433", "", false},

	// INADDR_NONE is nginx's error code, with any prefix length.
	{"255.255.255.255", "", false},
	{"255.255.255.255/32", "", false},
	{"255.255.255.255/0", "", false},
	{"255.255.255.254", "255.255.255.254/32", false},
	{"255.255.255.254/31", "255.255.255.254/31", false},
	{"::255.255.255.255", "", false},
	{"::ffff:255.255.255.255", "", false},
	{"::ffff:ffff:ffff", "::ffff:255.255.255.255/128", false},

	{"10.0.0.0/", "", false},
	{"10.0.0.0/33", "", false},
	{"10.0.0.0/-1", "", false},
	{"10.0.0.0/+8", "", false},
	{"10.0.0.0/ 8", "", false},
	{"10.0.0.0/1_0", "", false},
	{"10.0.0.0/0x8", "", false},
	{"10.0.0.0/8/8", "", false},
	{"10.0.0.0/255.0.0.0", "", false},
	{"1.2.3.4/99999999999999999999", "", false},
	{"10.0.0.*", "", false},
	{"10.0.0.0-10.0.0.255", "", false},
	{"1.2.3.4:80", "", false},
	{"!10.0.0.1", "", false},
	{" 10.0.0.1", "", false},
	{"/8", "", false},
	{"/", "", false},
	{"", "", false},

	{"::", "::/128", false},
	{"::/0", "::/0", false},
	{"::1", "::1/128", false},
	{"::1/0", "::/0", true},
	{"2001:db8::/32", "2001:db8::/32", false},
	{"2001:DB8::/32", "2001:db8::/32", false},
	{"2001:db8::1/32", "2001:db8::/32", true},
	{"2001:db8::/0128", "2001:db8::/128", false},
	{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128", false},
	{"0001:02:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128", false},
	{"1::", "1::/128", false},
	{"::/129", "", false},
	{"2001:db8::/", "", false},
	{"2001:db8::/a", "", false},
	{"12345::", "", false},
	{"00001::", "", false},
	{"g::", "", false},
	{"1:2", "", false},
	{"1:2:3:4:5:6:7:8:9", "", false},
	{"1::2::3", "", false},
	{":::", "", false},
	{":", "", false},
	{"[::1]", "", false},
	{"[2001:db8::]/32", "", false},
	{"fe80::1%lo", "", false},

	// One colon at the start is skipped, one at the end is a zero word.
	{":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128", false},
	{"1::2:", "1::2:0/128", false},
	{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8/128", false},
	{"::1:2:3:4:5:6:7:8", "", false},
	{"1:2:3:4:5:6:7:8:", "", false},
	{"1:2:3:4:5:6:7:", "", false},
	{"1:2:3:4:5:6:7::", "", false},
	{"1:2:3:4:5:6::", "1:2:3:4:5:6::/128", false},
	{"1:2:3:4:5:6::8", "1:2:3:4:5:6:0:8/128", false},

	{"::ffff:10.0.0.1", "::ffff:10.0.0.1/128", false},
	{"::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104", false},
	{"::ffff:10.0.0.1/104", "::ffff:10.0.0.0/104", true},
	{"::ffff:0:0/96", "::ffff:0.0.0.0/96", false},
	{"::1.2.3.4", "::102:304/128", false},
	{"::1...", "::100:0/128", false},
	{"::0001.2.3.4", "::102:304/128", false},
	{"::00001.2.3.4", "", false},
	{"::.1.2.3", "", false},
	{"::a.2.3.4", "", false},
	{"::1.2.3", "", false},
	{"::1.2.3.4:5", "", false},
	{":1.2.3.4", "", false},
	{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304/128", false},
	{"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304/128", false},
	{"1:2:3:4:5:6::1.2.3.4", "", false},
	{"1:2:3:4:5:6:7:1.2.3.4", "", false},

	{"ALL", "", false},
	{"any", "", false},
	{"unix", "", false},
	{"UNIX:", "", false},
	{"unix:/run/a.sock", "", false},
	{"localhost", "", false},
	{"$remote_addr", "", false},
	{"é", "", false},
}

func TestParseRuleReadsAddressesAsNginx(t *testing.T) {
	for _, f := range addressForms {
		r, err := ParseRule("deny", f.argument)
		if f.prefix == "" {
			assert.EqualError(t, err, `invalid parameter "`+f.argument+`"`)
			assert.Zero(t, r, f.argument)
			continue
		}
		if !assert.NoError(t, err, f.argument) {
			continue
		}
		assert.Equal(t, f.prefix, r.Prefix().String(), f.argument)
		assert.Equal(t, f.hostBits, r.HostBits(), f.argument)
		assert.Equal(t, Deny, r.Action)
		assert.False(t, r.All() || r.Unix(), f.argument)
	}
}

func TestParseRuleReadsAllAndUnix(t *testing.T) {
	all, err := ParseRule("allow", "all")
	require.NoError(t, err)
	assert.True(t, all.All())
	assert.False(t, all.Unix())
	assert.False(t, all.Prefix().IsValid())
	assert.Equal(t, Allow, all.Action)

	unix, err := ParseRule("deny", "unix:")
	require.NoError(t, err)
	assert.True(t, unix.Unix())
	assert.False(t, unix.All())
	assert.False(t, unix.Prefix().IsValid())
	assert.Equal(t, Deny, unix.Action)
}

func TestParseRuleRefusesOtherDirectives(t *testing.T) {
	for _, action := range []string{"", "Allow", "DENY", "denied", "satisfy"} {
		_, err := ParseRule(action, "all")
		assert.EqualError(t, err, `unknown directive "`+action+`"`)
	}
	assert.PanicsWithValue(t, `acl: deny office: invalid parameter "office"`, func() { MustParseRule("deny", "office") })
}

// nginx cuts what it says about a configuration at 1,024 bytes.
func TestRefusalIsCutWhereNginxCutsIt(t *testing.T) {
	_, err := ParseRule("deny", strings.Repeat("x", 100_000))
	assert.EqualError(t, err, `invalid parameter "`+strings.Repeat("x", 1024-len(`invalid parameter "`)))
}

func TestHostBitsWarnInNginxWords(t *testing.T) {
	r := MustParseRule("allow", "010.0.0.1/8")
	assert.Equal(t, "low address bits of 010.0.0.1/8 are meaningless", r.Warning())
	assert.Empty(t, MustParseRule("allow", "10.0.0.0/8").Warning())
	assert.Empty(t, MustParseRule("allow", "all").Warning())
}

// What package netip writes, nginx reads as the same address, but for an
// embedded 255.255.255.255.
func TestParseRuleReadsWhatNetipWrites(t *testing.T) {
	for seed := range uint64(2000) {
		r := newRand(seed)
		p := r.prefix()
		if strings.Contains(p.Addr().String(), "255.255.255.255") {
			continue
		}
		rule, err := ParseRule("allow", p.String())
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, p, rule.Prefix(), "seed %d", seed)
		require.False(t, rule.HostBits(), "seed %d", seed)
	}
}

func TestRuleTextIsAsWritten(t *testing.T) {
	r := MustParseRule("deny", "010.0.0.1/8")
	assert.Equal(t, "deny 010.0.0.1/8;", r.String())
	assert.Equal(t, "010.0.0.1/8", r.Argument())
	r.Action = Allow
	assert.Equal(t, "allow 010.0.0.1/8;", r.String())
	assert.Equal(t, "invalid rule", Rule{}.String())
}

func TestRuleIsAStringInJSON(t *testing.T) {
	l := List{MustParseRule("allow", "10.0.0.1/8"), MustParseRule("deny", "all")}
	l[1].Pos = token.Position{Filename: "a.conf", Line: 3, Column: 2}
	b, err := json.Marshal(l)
	require.NoError(t, err)
	assert.Equal(t, `["allow 10.0.0.1/8;","deny all;"]`, string(b))

	var back List
	require.NoError(t, json.Unmarshal(b, &back))
	l[1].Pos = token.Position{} // not part of the text
	assert.Equal(t, l, back)

	_, err = json.Marshal(List{{}})
	assert.ErrorContains(t, err, "the zero Rule has no text")
	_, err = json.Marshal(List{{Action: 2, argument: "all"}})
	assert.ErrorContains(t, err, "no such action: Action(2)")
}

func TestRuleUnmarshalText(t *testing.T) {
	var r Rule
	for _, text := range []string{"deny ::1;", "deny ::1", " deny\t::1 ;\r\n"} {
		r = Rule{}
		require.NoError(t, r.UnmarshalText([]byte(text)), text)
		assert.Equal(t, MustParseRule("deny", "::1"), r, text)
	}
	for text, message := range map[string]string{
		"":                  "acl: no rule in empty text",
		" ; ":               "acl: no rule in empty text",
		"deny;":             `invalid number of arguments in "deny" directive`,
		"deny ::1 ::2;":     `invalid number of arguments in "deny" directive`,
		"deny all; deny x;": `invalid number of arguments in "deny" directive`,
		"deny office;":      `invalid parameter "office"`,
		"drop all;":         `unknown directive "drop"`,
	} {
		assert.EqualError(t, r.UnmarshalText([]byte(text)), message)
		assert.Equal(t, MustParseRule("deny", "::1"), r, "a rule is not touched by text that is refused")
	}
}

func TestActionText(t *testing.T) {
	for _, a := range []Action{Allow, Deny} {
		text, err := a.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, a.String(), string(text))
		back := 1 - a
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, a, back)
	}
	assert.Equal(t, "allow", Allow.String())
	assert.Equal(t, "deny", Deny.String())
	assert.Equal(t, "Action(9)", Action(9).String())
	_, err := Action(9).MarshalText()
	assert.Error(t, err)

	d, err := json.Marshal(Decision{Deny, 4})
	require.NoError(t, err)
	assert.Equal(t, `{"action":"deny","rule":4}`, string(d))
}

func TestPrefixOfMappedRuleIsIPv6(t *testing.T) {
	p := MustParseRule("deny", "::ffff:10.0.0.1").Prefix()
	assert.Equal(t, netip.MustParseAddr("::ffff:10.0.0.1"), p.Addr())
	assert.True(t, p.Addr().Is6())
	assert.Equal(t, 128, p.Bits())
}
