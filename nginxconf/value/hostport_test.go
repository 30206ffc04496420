package value

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseAddress(t *testing.T) {
	for _, test := range []struct{ in, want, err string }{
		{"127.0.0.1", "127.0.0.1:53", ""},
		{"dns.example.se:5353", "dns.example.se:5353", ""},
		{"[::1]", "[::1]:53", ""},
		{"[::1]:54", "[::1]:54", ""},
		{"unix:/run/dns:x", "unix:/run/dns:x", ""},
		{"127.0.0.1:0", "", "invalid port"},
		{"127.0.0.1:65536", "", "invalid port"},
		{"127.0.0.1/x", "", "invalid host"},
		{"host?x", "", "invalid host"},
		{"[::1]/x", "", "invalid host"},
		{"", "", "no host"},
		{":53", "", "no host"},
		{"[::1", "", "invalid host"},
		{"[x]", "", "invalid IPv6 address"},
		{"unix:", "", "no path in the unix domain socket"},
	} {
		s, err := ParseAddress(test.in, 53)
		if test.err != "" {
			require.EqualError(t, err, test.err, test.in)
			continue
		}
		require.NoError(t, err, test.in)
		want := s.String()
		require.Equal(t, test.want, want, test.in)
	}
}
