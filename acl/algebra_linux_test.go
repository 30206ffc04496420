package acl

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// nginx answers for a list what it answers for the shortest one, what the list
// of the denied set answers, and otherwise than for another list just where
// Diff says so.
func TestOracleNginxAgreesWithTheAlgebra(t *testing.T) {
	seed, cases := testenv.Size(t, 60)
	lists, sources := loopbackLists(seed+1000, cases)
	var served []List
	rules := 0
	for _, l := range lists {
		short := Simplify(l)
		rules += len(l) - len(short)
		denied, err := l.Denied().List(Deny)
		if err != nil {
			denied = short
		}
		served = append(served, l, short, denied)
	}
	require.Empty(t, check(t, "server {\n"+strings.ReplaceAll(locations(onlyNew(served)), "empty_gif;", "")+"}\n"), "what is made has no warning")

	n := startNginx(t, "", locations(served))
	changed := 0
	ask := func(d door, from, who netip.Addr) {
		if n.doors[d] == nil {
			return
		}
		c := n.enter(t, d, from)
		var before bool
		for i := range lists {
			var answers [3]bool
			for k := range answers {
				answers[k] = c.denied(t, fmt.Sprintf("/%d", 3*i+k), "")
			}
			require.Equal(t, answers[0], answers[1], "%v, shortest of\n%vis\n%v", who, served[3*i], served[3*i+1])
			require.Equal(t, answers[0], answers[2], "%v, set of\n%vmakes\n%v", who, served[3*i], served[3*i+2])
			if i > 0 {
				in := 0
				for change := range Diff(lists[i-1], lists[i]) {
					if change.Contains(who) {
						require.Equal(t, change.Opens(), before)
						in++
					}
				}
				require.Equal(t, before != answers[0], in == 1, "%v, from\n%vto\n%v", who, lists[i-1], lists[i])
				changed += in
			}
			before = answers[0]
		}
	}
	for _, a := range sources {
		ask(tcp4, a, a)
		ask(mapped, a, netip.AddrFrom16(a.As16()))
	}
	ask(tcp6, netip.Addr{}, netip.IPv6Loopback())
	ask(unix, netip.Addr{}, netip.Addr{})
	t.Logf("%d lists, %d rules needless, %d changes met", len(lists), rules, changed)
}

// onlyNew are the lists without rules that nginx warns of as they were written.
func onlyNew(lists []List) (clean []List) {
	for _, l := range lists {
		var kept List
		for _, r := range l {
			if !r.HostBits() {
				kept = append(kept, r)
			}
		}
		clean = append(clean, kept)
	}
	return clean
}
