package acl

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// asked compares both deciders with what nginx did.
func asked(t *testing.T, l List, table *Table, who netip.Addr, denied bool) {
	t.Helper()
	d := l.Decide(who)
	require.Equal(t, denied, d.Action == Deny, "client %v, nginx denied: %v, Decide: %+v, list\n%v", who, denied, d, l)
	require.Equal(t, d, table.Lookup(who), "client %v, list\n%v", who, l)
}

// locations writes a location for each list, /0 and on.
func locations(lists []List) string {
	var b strings.Builder
	for i, l := range lists {
		fmt.Fprintf(&b, "location = /%d {\n%sempty_gif;\n}\n", i, l)
	}
	return b.String()
}

// loopbackLists are lists that tell clients on the loopback apart, and the
// IPv4 clients to ask as.
func loopbackLists(seed uint64, n int) (lists []List, sources []netip.Addr) {
	r := newRand(seed)
	for range 10 {
		v := r.Uint32()
		sources = append(sources, netip.AddrFrom4([4]byte{127, byte(v >> 24), byte(v >> 16), byte(1 + v%200)}))
	}
	for _, a := range sources { // and one nearby, so that prefixes have two sides
		b := a.As4()
		b[pick(r, 2, 3, 3, 3)] ^= 1 << r.IntN(7)
		sources = append(sources, netip.AddrFrom4(b))
	}
	for range n {
		family := r.IntN(8) // 0: no IPv6 prefix, 1: no IPv4 rule
		var l List
		for len(l) < 1+r.IntN(12) {
			action := Action(r.IntN(2)).String()
			a := pick(r, sources...)
			bits := pick(r, 32, 32, 31, 30, 24, 16, 8, r.IntN(33))
			shown := netip.PrefixFrom(a, bits).Masked()
			if r.IntN(10) == 0 {
				shown = netip.PrefixFrom(a, bits) // host bits
			}
			argument := shown.String()
			switch r.IntN(10) {
			case 0:
				argument = "all"
			case 1:
				argument = "unix:"
			case 2:
				argument = pick(r, "::1", "::/0", "::/127", "::1/64", "::ffff:0:0/96", "fe80::/10")
			case 3, 4:
				argument = netip.PrefixFrom(netip.AddrFrom16(a.As16()), 96+bits).String()
			}
			rule := MustParseRule(action, argument)
			if family == 0 && rule.Prefix().Addr().Is6() || family == 1 && rule.hasIPv4() {
				continue
			}
			l = append(l, rule)
		}
		lists = append(lists, l)
	}
	return lists, sources
}

func TestOracleNginxDecides(t *testing.T) {
	seed, cases := testenv.Size(t, 60)
	lists, sources := loopbackLists(seed, cases)
	n := startNginx(t, "", locations(lists))
	tables := make([]*Table, len(lists))
	for i, l := range lists {
		tables[i] = Compile(l)
	}
	questions := 0
	ask := func(d door, from, who netip.Addr) {
		if n.doors[d] == nil {
			return
		}
		c := n.enter(t, d, from)
		for i, l := range lists {
			asked(t, l, tables[i], who, c.denied(t, fmt.Sprintf("/%d", i), ""))
			questions++
		}
	}
	for _, a := range sources {
		ask(tcp4, a, a)
		ask(mapped, a, netip.AddrFrom16(a.As16()))
	}
	ask(tcp6, netip.Addr{}, netip.IPv6Loopback())
	ask(unix, netip.Addr{}, netip.Addr{})
	t.Logf("%d answers of nginx for %d lists", questions, len(lists))
}

// nginx --with-debug logs every rule it tries, so it can be asked which one
// decided, too.
func TestOracleNginxNamesTheRule(t *testing.T) {
	seed, cases := testenv.Size(t, 20)
	lists, sources := loopbackLists(seed+1, cases)
	log, err := os.Create(filepath.Join(t.TempDir(), "debug.log"))
	require.NoError(t, err)
	defer log.Close()
	n := startNginx(t, "error_log "+log.Name()+" debug;", locations(lists))
	// "… access: 0100007F 000000FF 0000007F": client, mask, address of the rule
	tried := regexp.MustCompile(`(?m) access: (\S+) (\S+) (\S+)$`)

	questions := 0
	ask := func(d door, from, who netip.Addr) {
		if n.doors[d] == nil {
			return
		}
		c := n.enter(t, d, from)
		for i, l := range lists {
			denied := c.denied(t, fmt.Sprintf("/%d", i), "")
			// nginx writes what it logs before it answers.
			news, err := io.ReadAll(log)
			require.NoError(t, err)
			if !bytes.Contains(news, []byte("access phase")) {
				t.Skip("this nginx is built without --with-debug")
			}
			lines := tried.FindAllSubmatch(news, -1)

			decision := l.Decide(who)
			want := 0 // rules tried: those of the family, up to the decider
			for k, r := range l {
				mine := r.hasIPv6()
				if who.Is4() || who.Is4In6() && containsIPv4(l) {
					mine = r.hasIPv4()
				}
				if mine && (decision.Rule < 0 || k <= decision.Rule) {
					want++
				}
			}
			require.Len(t, lines, want, "client %v, %+v, list\n%v", who, decision, l)
			if len(lines) > 0 && len(lines[0][1]) == len("0100007F") {
				var hex [4]uint64
				for k, word := range lines[len(lines)-1] {
					hex[k], _ = strconv.ParseUint(string(word), 16, 32) // of words[0], the line, nothing
				}
				require.Equal(t, decision.Rule >= 0, hex[1]&hex[2] == hex[3], "client %v, list\n%v", who, l)
			}
			require.Equal(t, denied, decision.Action == Deny)
			require.Equal(t, decision, Compile(l).Lookup(who))
			questions++
		}
	}
	for _, a := range sources[:6] {
		ask(tcp4, a, a)
		ask(mapped, a, netip.AddrFrom16(a.As16()))
	}
	ask(tcp6, netip.Addr{}, netip.IPv6Loopback())
	t.Logf("%d deciding rules named by nginx", questions)
}

func containsIPv4(l List) bool {
	for _, r := range l {
		if r.hasIPv4() {
			return true
		}
	}
	return false
}

// arguments are the known forms, known ones that nginx accepts with a byte
// changed, and others made of their parts.
func arguments(seed uint64, n int) (args []string) {
	var accepted []string
	for _, f := range addressForms {
		args = append(args, f.argument)
		if f.prefix != "" {
			accepted = append(accepted, f.argument)
		}
	}
	r := newRand(seed)
	for i := range n {
		var b strings.Builder
		if i%3 > 0 {
			s := pick(r, accepted...)
			at := r.IntN(len(s) + 1)
			b.WriteString(s[:at])
			b.WriteString(pick(r, "", "0", "1", "8", ".", ":", "/", "f", "-", "g"))
			b.WriteString(s[min(at+r.IntN(2), len(s)):])
		} else {
			for range 1 + r.IntN(7) {
				b.WriteString(pick(r, "0", "1", "10", "255", "256", "010", ".", ".", ".", ".", ":", "::", ":", "/", "/8", "/32",
					"/33", "/128", "/129", "/0", "/08", "a", "ffff", "fffff", "db8", "2001", "192.168.0.1", "2001:db8::", "::ffff:",
					"-", "all", "unix:", "10.0.0.0", "1.2.3.4", "1:2:3:4:5:6", "G"))
			}
		}
		args = append(args, b.String())
	}
	return args
}

func TestOracleNginxReadsAddresses(t *testing.T) {
	seed, cases := testenv.Size(t, 150)
	var lists []List
	var warnings []string
	var probe strings.Builder
	refused := 0
	for _, argument := range arguments(seed, cases) {
		r, err := ParseRule("deny", argument)
		if err != nil {
			refused++
			require.Equal(t, []string{"1 emerg: " + err.Error()}, check(t, `deny "`+argument+`";`))
			continue
		}
		lists = append(lists, List{r})
		fmt.Fprintln(&probe, r)
		if r.HostBits() {
			warnings = append(warnings, fmt.Sprintf("%d warn: %s", len(lists), r.Warning()))
		}
	}
	require.Equal(t, warnings, check(t, probe.String()))

	// Where the prefix begins and ends, only clients from there can tell.
	n := startNginx(t, "set_real_ip_from 127.0.0.1; real_ip_header X-Client;", locations(lists))
	c := n.enter(t, tcp4, netip.MustParseAddr("127.0.0.1"))
	r := newRand(seed)
	questions := 0
	for i, l := range lists {
		table := Compile(l)
		for _, who := range r.clients(l) {
			if !who.IsValid() || who.WithZone("") != who {
				continue
			}
			text := who.String()
			if strings.Contains(text, "255.255.255.255") {
				if who.Is4() {
					continue // nginx cannot read it
				}
				text = "::ffff:ffff:ffff"
			}
			asked(t, l, table, who, c.denied(t, fmt.Sprintf("/%d", i), text))
			questions++
		}
	}
	t.Logf("%d arguments accepted with %d warnings, %d refused, %d answers on the borders", len(lists), len(warnings), refused, questions)
}

func TestOracleNginxCutsLongRefusals(t *testing.T) {
	argument := strings.Repeat("x", 1500)
	_, err := ParseRule("deny", argument)
	require.Equal(t, []string{"1 emerg: " + err.Error()}, check(t, "deny "+argument+";"))
}

func TestOracleNginxRefusesDirectives(t *testing.T) {
	var r Rule
	for _, text := range []string{"deny;", "deny 10.0.0.1 10.0.0.2;", "allow;", "denied all;"} {
		require.Equal(t, []string{"1 emerg: " + r.UnmarshalText([]byte(text)).Error()}, check(t, text))
	}
}
