package value_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf/value"
)

func TestParseCIDRReadsWhatNginxReads(t *testing.T) {
	for _, test := range []struct {
		text, prefix string
		hostBits     bool
	}{
		{"10.0.0.0/8", "10.0.0.0/8", false},
		{"10.1.2.3", "10.1.2.3/32", false},
		{"10.1.2.3/8", "10.0.0.0/8", true},
		{"10.1.2.3/0", "0.0.0.0/0", true},
		{"0.0.0.0/0", "0.0.0.0/0", false},
		{"010.0.0.01/032", "10.0.0.1/32", false},
		{"10...1", "10.0.0.1/32", false},
		{"::1", "::1/128", false},
		{"2001:db8::1/32", "2001:db8::/32", true},
		{"::/0", "::/0", false},
		{"::ffff:1.2.3.4", "::ffff:1.2.3.4/128", false},
	} {
		p, hostBits, err := value.ParseCIDR(test.text)
		require.NoError(t, err, test.text)
		require.Equal(t, test.prefix, p.String())
		require.Equal(t, test.hostBits, hostBits, test.text)
	}
	for _, text := range []string{"", "/", "10", "10.1", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "a/8", "10.0.0.0/8/8", "[::1]", "255.255.255.255", "all", "unix:"} {
		_, _, err := value.ParseCIDR(text)
		require.Error(t, err, text)
	}
}

func TestParseAddrPortReadsWhatNginxReads(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1": "127.0.0.1:0", "127.0.0.1:80": "127.0.0.1:80", "::1": "[::1]:0", "[::1]:80": "[::1]:80", "[::1]": "[::1]:0",
	} {
		got, ok := value.ParseAddrPort(text)
		require.True(t, ok, text)
		require.Equal(t, want, got.String())
	}
	for _, text := range []string{"", "x", "1.2.3", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:x", "[", "[]", "[::1", "[::1]:", "[::1]x", "[]:1", "localhost:1"} {
		_, ok := value.ParseAddrPort(text)
		require.False(t, ok, text)
	}
}
