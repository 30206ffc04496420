package acl

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLookupIsDecide(t *testing.T) {
	for seed := range uint64(600) {
		r := newRand(seed)
		l := r.list(r.IntN(1 + int(seed)/4))
		table := Compile(l)
		for _, client := range r.clients(l) {
			require.Equal(t, l.Decide(client), table.Lookup(client), "seed %d, client %v, list\n%v", seed, client, l)
		}
	}
}

// Lists whose addresses lie close together have nodes below nodes, and hosts
// below a /64 a step function of their own.
func TestLookupIsDecideInCrowdedNetworks(t *testing.T) {
	for seed := range uint64(12) {
		r := newRand(seed)
		var l List
		base := netip.MustParseAddr("2001:db8::").As16()
		for len(l) < 400 {
			b := base
			switch seed % 6 {
			case 0: // a /56's networks
				b[7] = byte(r.Uint32())
				l = append(l, ruleOf(Action(r.IntN(2)), netip.PrefixFrom(netip.AddrFrom16(b), 57+r.IntN(8))))
			case 1: // hosts of one network
				b[15], b[14] = byte(r.Uint32()), byte(r.IntN(4))
				l = append(l, ruleOf(Action(r.IntN(2)), netip.PrefixFrom(netip.AddrFrom16(b), 112+r.IntN(17))))
			case 2: // hosts of neighbouring networks
				b[7], b[15] = byte(r.IntN(4)), byte(r.Uint32())
				l = append(l, ruleOf(Action(r.IntN(2)), netip.PrefixFrom(netip.AddrFrom16(b), 60+r.IntN(69))))
			case 3: // the last networks there are
				b = [16]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, byte(0xf0 | r.IntN(16)), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, byte(r.Uint32())}
				l = append(l, ruleOf(Action(r.IntN(2)), netip.PrefixFrom(netip.AddrFrom16(b), 60+r.IntN(69))))
			case 4: // a crowd within a crowd, at every scale
				b = [16]byte{}
				b[15-len(l)/25%16] = byte(1 + r.IntN(255))
				l = append(l, ruleOf(Action(r.IntN(2)), netip.PrefixFrom(netip.AddrFrom16(b), 128)))
			case 5: // an IPv4 office
				l = append(l, ruleOf(Action(r.IntN(2)), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(3)), byte(r.Uint32())}), 25+r.IntN(8))))
			}
		}
		table := Compile(l)
		for i := 1; i < len(table.v6.starts)-2; i++ {
			require.Less(t, table.v6.starts[i-1], table.v6.starts[i], "seed %d", seed)
		}
		for _, client := range r.clients(l) {
			require.Equal(t, l.Decide(client), table.Lookup(client), "seed %d, client %v", seed, client)
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	l := rules(t, "allow 10.0.0.0/8; allow 2001:db8::1; allow 2001:db8::/48; deny 127.0.0.1; allow unix:; deny all;")
	table := Compile(l)
	for _, client := range []string{"10.1.2.3", "2001:db8::1", "2001:db8::2", "::ffff:10.1.2.3", "fe80::1%a-zone-of-some-length", "::ffff:127.0.0.1%eth0", ""} {
		a, _ := netip.ParseAddr(client)
		assert.Zero(t, testing.AllocsPerRun(100, func() { table.Lookup(a) }), client)
	}
}

func TestZeroTableIsThatOfAnEmptyList(t *testing.T) {
	var zero Table
	for _, client := range newRand(1).clients(nil) {
		assert.Equal(t, Decision{Allow, -1}, zero.Lookup(client), "%v", client)
		assert.Equal(t, Decision{Allow, -1}, Compile(nil).Lookup(client), "%v", client)
	}
}

func TestCompileLeavesTheListAlone(t *testing.T) {
	r := newRand(7)
	l := r.list(200)
	before := append(List(nil), l...)
	table := Compile(l)
	assert.Equal(t, before, l)
	for i := range l {
		l[i] = Rule{} // and the table does not look at it again
	}
	for _, client := range r.clients(before) {
		require.Equal(t, before.Decide(client), table.Lookup(client), "%v", client)
	}
}

func TestTableServesSeveralGoroutines(t *testing.T) {
	r := newRand(3)
	l := r.list(50)
	table := Compile(l)
	clients := r.clients(l)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, client := range clients {
				if l.Decide(client) != table.Lookup(client) {
					t.Error(client)
				}
			}
		})
	}
	group.Wait()
}

func TestPartitionHasNoNeedlessPiece(t *testing.T) {
	for seed := range uint64(200) {
		r := newRand(seed)
		var spans []span
		for i := range 100 {
			p := r.prefix()
			spans = append(spans, span{pointOf(p.Addr()), uint8(p.Bits()), verdictOf(i, Deny)})
		}
		cut := partition(spans)
		starts, verdicts := cut.starts, cut.verdicts
		require.Equal(t, point{}, starts[0])
		for i := 1; i < len(starts); i++ {
			require.Negative(t, starts[i-1].compare(starts[i]), "seed %d", seed)
			require.NotEqual(t, verdicts[i-1], verdicts[i], "seed %d", seed)
		}
	}
}

// A table of 100,000 rules keeps far less than the 10 MiB it may.
func TestTableIsSmall(t *testing.T) {
	size := func(table *Table) int {
		bytes := 4*cap(table.v4.starts) + 8*cap(table.v6.starts) + 8*cap(table.low.starts) + 4*cap(table.low.from)
		bytes += 4 * (cap(table.v4.verdicts) + cap(table.v6.verdicts) + cap(table.low.verdicts) + cap(table.v4.slots) + cap(table.v6.slots))
		return bytes + 32*(cap(table.v4.nodes)+cap(table.v6.nodes))
	}
	assert.Less(t, size(Compile(benchList(100_000))), 3<<20)
	assert.Less(t, size(Compile(benchList(10))), 4<<10)
	var hosts List // each alone in its network
	r := newRand(1)
	for range 100_000 {
		b := netip.MustParseAddr("2001:db8::").As16()
		for i := 4; i < 16; i++ {
			b[i] = byte(r.Uint32())
		}
		hosts = append(hosts, ruleOf(Deny, netip.PrefixFrom(netip.AddrFrom16(b), 128)))
	}
	assert.Less(t, size(Compile(hosts)), 8<<20)
}
