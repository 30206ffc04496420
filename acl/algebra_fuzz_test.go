package acl

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzParseSet(f *testing.F) {
	for _, s := range []string{"all", "unix:", "nobody", "10.0.0.0/8, 2001:db8::/32 ::1\t...", "::ffff:10.0.0.0/104", "255.255.255.255", "::/0", "10.0.0.0/33"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSet(text)
		if err != nil {
			require.True(t, s.IsEmpty())
			return
		}
		back, err := ParseSet(s.String())
		require.NoError(t, err)
		require.True(t, s.Equal(back), "%v and %v", s, back)
		l, err := s.List(Allow)
		require.NoError(t, err)
		require.True(t, s.Equal(l.Allowed()))
		require.NoError(t, second(s.AppendNFTables(nil, NFTables{Name: "a"})))
	})
}

func FuzzParseNames(f *testing.F) {
	f.Add([]byte(placeNames))
	f.Add([]byte("a=b=c\nå.1 = ::1\r\na = nobody#\n=\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		names, _ := ParseNames("f", src)
		back, err := ParseNames("f", []byte(names.String()))
		require.NoError(t, err)
		require.Len(t, back, len(names))
		for i, named := range names {
			require.Equal(t, named.Name, back[i].Name)
			require.True(t, named.Set.Equal(back[i].Set))
			require.NotEmpty(t, names.Describe(named.Set))
		}
	})
}

func FuzzDiff(f *testing.F) {
	f.Add([]byte("\x01\x08\x0a\x00\x00\x00\x00\x20\x0a\x00\x00\x01"), []byte("\x08\x00"))
	f.Add([]byte("\x03\x20\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), []byte("\x02\x60\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		before, after := decodeList(a), decodeList(b)
		if len(before)+len(after) > 40 {
			return // the naive twin is slow
		}
		clients := asksWhere(newRand(0), before, after)
		checkDiff(t, before, after, slices.Collect(DiffOutcomes(before, after)), action3, clients)
		short := Simplify(before)
		require.True(t, EqualOutcomes(before, short))
		require.Empty(t, short.Redundant())
		require.LessOrEqual(t, len(short), len(before))
		for _, s := range before.Shadowed() {
			require.Contains(t, before.Redundant(), s.Rule)
		}
		for _, who := range clients {
			require.Equal(t, action3(before, who), action3(short, who), "%v", who)
		}
	})
}

// Large lists are sampled, with Lookup for a judge.
func TestLargeListsBySampling(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 2_000
	}
	before := benchList(n)
	after := edits(before)
	short := Simplify(before)
	require.Less(t, len(short), len(before))
	b, a, s := Compile(before), Compile(after), Compile(short)
	allowed := before.Allowed()
	opened, closed := after.Allowed().Minus(allowed), allowed.Minus(after.Allowed())
	changes := slices.Collect(Diff(before, after))
	require.NotEmpty(t, changes)
	clients := benchClients(before)
	asked := clients[:]
	for _, c := range changes {
		asked = append(asked, c.Witness, last(c.Prefix), last(c.Prefix).Next(), c.Prefix.Addr().Prev())
	}
	for _, who := range asked {
		if !who.IsValid() {
			who = netip.Addr{}
		}
		x, y, z := b.Lookup(who), a.Lookup(who), s.Lookup(who)
		require.Equal(t, x.Rule < 0, z.Rule < 0, "%v", who)
		require.Equal(t, x.Action, z.Action, "%v", who)
		require.Equal(t, x.Action == Allow, allowed.Contains(who), "%v", who)
		require.Equal(t, x.Action != y.Action && y.Action == Allow, opened.Contains(who), "%v", who)
		require.Equal(t, x.Action != y.Action && y.Action == Deny, closed.Contains(who), "%v", who)
	}
	for _, c := range changes {
		require.Equal(t, c.Before, b.Lookup(c.Witness))
		require.Equal(t, c.After, a.Lookup(c.Witness))
		require.Equal(t, c.Opens(), opened.Contains(c.Witness))
	}
	decides := map[int]bool{}
	for _, who := range asked {
		decides[b.Lookup(who).Rule] = true
	}
	for _, shadow := range before.Shadowed() {
		require.False(t, decides[shadow.Rule], "%v", shadow)
	}
}
