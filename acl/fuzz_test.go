package acl

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzParseRule(f *testing.F) {
	for _, form := range addressForms {
		f.Add("deny", form.argument)
	}
	f.Add("allow", "all")
	f.Add("deny", "unix:")
	f.Add("drop", "all")
	f.Fuzz(func(t *testing.T, action, argument string) {
		r, err := ParseRule(action, argument)
		if err != nil {
			require.Zero(t, r)
			return
		}
		require.Equal(t, action+" "+argument+";", r.String())
		var back Rule
		require.NoError(t, back.UnmarshalText([]byte(r.String())))
		require.Equal(t, r, back)

		p := r.Prefix()
		require.Equal(t, !p.IsValid(), r.All() || r.Unix())
		require.Equal(t, p.Masked(), p)
		if !p.IsValid() {
			return
		}
		require.Equal(t, r.HostBits(), r.Warning() != "")
		require.True(t, List{r}.Decide(p.Addr()).Rule == 0)
		// Where package netip reads it too, it reads the same.
		if strings.Contains(argument, "/") {
			if q, err := netip.ParsePrefix(argument); err == nil {
				require.Equal(t, q.Masked(), p)
				require.Equal(t, q != p, r.HostBits())
			}
		} else if a, err := netip.ParseAddr(argument); err == nil {
			require.Equal(t, a, p.Addr())
		}
	})
}

func FuzzRuleUnmarshalText(f *testing.F) {
	f.Add([]byte("deny 10.0.0.0/8;"))
	f.Add([]byte(" allow\tall ;\n"))
	f.Add([]byte("deny"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r, back Rule
		if r.UnmarshalText(text) != nil {
			require.Zero(t, r)
			return
		}
		out, err := r.MarshalText()
		require.NoError(t, err)
		require.NoError(t, back.UnmarshalText(out))
		require.Equal(t, r, back)
	})
}

// decodeList reads rules from bytes: a head that chooses kind, action and
// family, a prefix length, and the address.
func decodeList(encoded []byte) (l List) {
	for len(encoded) >= 2 {
		head, bits := encoded[0], int(encoded[1])
		encoded = encoded[2:]
		action, size := Action(head&1), 4
		switch head >> 1 & 7 {
		case 1, 2, 3:
			size = 16
		case 4:
			l = append(l, MustParseRule(action.String(), "all"))
			continue
		case 5:
			l = append(l, MustParseRule(action.String(), "unix:"))
			continue
		}
		if len(encoded) < size {
			break
		}
		a, _ := netip.AddrFromSlice(encoded[:size])
		encoded = encoded[size:]
		p := netip.PrefixFrom(a, bits%(8*size+1)).Masked()
		if p == unwritable {
			continue
		}
		l = append(l, ruleOf(action, p))
	}
	return l
}

func FuzzLookup(f *testing.F) {
	f.Add([]byte("\x01\x08\x0a\x00\x00\x00\x00\x20\x0a\x00\x00\x01"), []byte("\x0a\x00\x00\x01"))
	f.Add([]byte("\x03\x20\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x04\x05"), []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"))
	f.Add([]byte("\x02\x60\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00"), []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x04"))
	f.Fuzz(func(t *testing.T, encoded, address []byte) {
		l := decodeList(encoded)
		table := Compile(l)
		who, _ := netip.AddrFromSlice(address)
		for _, who := range append(newRand(0).clients(l), who) {
			require.Equal(t, l.Decide(who), table.Lookup(who), "client %v, list\n%v", who, l)
		}
	})
}
