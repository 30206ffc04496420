package acl

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What nginx answers if the rules, and then auth_basic, say so.
func TestSatisfyDecidesAsNginx(t *testing.T) {
	for _, c := range []struct {
		satisfy     Satisfy
		rules, auth Outcome
		want        Access
	}{
		{SatisfyAll, Forbidden, Granted, Access{Forbidden, 0}},
		{SatisfyAll, Forbidden, Unauthorized, Access{Forbidden, 0}},
		{SatisfyAll, Granted, Unauthorized, Access{Unauthorized, 1}},
		{SatisfyAll, Declined, Unauthorized, Access{Unauthorized, 1}},
		{SatisfyAll, Granted, Granted, Access{Granted, -1}},
		{SatisfyAll, Declined, Declined, Access{Granted, -1}},
		{SatisfyAll, Granted, 500, Access{500, 1}},
		{SatisfyAny, Granted, Unauthorized, Access{Granted, 0}},
		{SatisfyAny, Granted, 500, Access{Granted, 0}},
		{SatisfyAny, Forbidden, Granted, Access{Granted, 1}},
		{SatisfyAny, Declined, Granted, Access{Granted, 1}},
		{SatisfyAny, Forbidden, Unauthorized, Access{Unauthorized, 1}},
		{SatisfyAny, Unauthorized, Forbidden, Access{Unauthorized, 0}},
		{SatisfyAny, Declined, Unauthorized, Access{Unauthorized, 1}},
		{SatisfyAny, Forbidden, Declined, Access{Forbidden, 0}},
		{SatisfyAny, Declined, Declined, Access{Granted, -1}},
		{SatisfyAny, Forbidden, 500, Access{500, 1}},
	} {
		assert.Equal(t, c.want, c.satisfy.Decide(c.rules, c.auth), "%+v", c)
	}
	assert.Equal(t, Access{Granted, -1}, SatisfyAny.Decide())
	assert.Zero(t, testing.AllocsPerRun(10, func() { SatisfyAny.Decide(Forbidden, Granted) }))
}

func TestNoMatchHasNoSay(t *testing.T) {
	l := rules(t, "allow 10.0.0.0/8; deny 192.0.2.0/24;")
	for client, want := range map[string]Outcome{"10.0.0.1": Granted, "192.0.2.1": Forbidden, "198.51.100.1": Declined} {
		assert.Equal(t, want, l.Decide(netip.MustParseAddr(client)).Outcome(), client)
	}
}

func TestTheInnermostListReplacesAllOthers(t *testing.T) {
	outer, inner := rules(t, "deny all;"), rules(t, "deny 2001:db8::/32;")
	for _, c := range []struct {
		levels []List
		at     int
	}{
		{nil, -1}, {[]List{nil, {}}, -1}, {[]List{outer}, 0}, {[]List{outer, nil}, 0}, {[]List{outer, inner, nil}, 1}, {[]List{nil, inner}, 1},
	} {
		l, at := Effective(c.levels...)
		assert.Equal(t, c.at, at)
		if at >= 0 {
			assert.Equal(t, c.levels[at], l)
		}
	}
	l, _ := Effective(outer, inner)
	assert.Equal(t, Decision{Allow, -1}, l.Decide(netip.MustParseAddr("192.0.2.1")))
}

func TestOutcomesAreWritten(t *testing.T) {
	text, err := json.Marshal([]any{Access{Unauthorized, 1}, SatisfyAny, Outcome(500), Declined})
	require.NoError(t, err)
	assert.JSONEq(t, `[{"outcome":"unauthorized","by":1},"any","500","declined"]`, string(text))
	for _, o := range []Outcome{Declined, Granted, Unauthorized, Forbidden, 500} {
		text, err := o.MarshalText()
		require.NoError(t, err)
		var back Outcome
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, o, back)
	}
	assert.Error(t, new(Outcome).UnmarshalText([]byte("x")))
	var s Satisfy
	require.NoError(t, s.UnmarshalText([]byte("any")))
	require.NoError(t, s.UnmarshalText([]byte("all")))
	assert.Equal(t, SatisfyAll, s)
	assert.EqualError(t, s.UnmarshalText([]byte("either")), `invalid value "either"`)
	_, err = Satisfy(7).MarshalText()
	assert.Error(t, err)
	assert.Equal(t, "Satisfy(7)", fmt.Sprint(Satisfy(7)))
}
