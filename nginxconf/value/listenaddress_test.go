package value_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf/value"
)

func TestParseListenAddressReadsWhatNginxReads(t *testing.T) {
	for _, test := range []struct {
		text, socket string
		last         uint16
	}{
		{"25", "0.0.0.0:25", 25},
		{"*:53", "0.0.0.0:53", 53},
		{"8000-8010", "0.0.0.0:8000", 8010},
		{"127.0.0.1:8000-8010", "127.0.0.1:8000", 8010},
		{"127.0.0.1", "127.0.0.1:0", 0},
		{"[::]:143", "[::]:143", 143},
		{"[::1]", "[::1]:0", 0},
		{"localhost:110", "localhost:110", 110},
		{"unix:/run/s", "unix:/run/s", 0},
	} {
		s, last, err := value.ParseListenAddress(test.text, 0)
		require.NoError(t, err, test.text)
		require.Equal(t, test.socket, s.String())
		require.Equal(t, test.last, last, test.text)
	}
	for text, message := range map[string]string{
		"":            "no host",
		":1":          "no host",
		"0":           "invalid port",
		"65536":       "invalid port",
		"9-8":         "invalid port range",
		"127.0.0.1:x": "invalid port",
		"a/b":         "invalid host",
		"[::1":        "invalid host",
		"[x]:1":       "invalid IPv6 address",
		"unix:":       "no path in the unix domain socket",
	} {
		_, _, err := value.ParseListenAddress(text, 0)
		require.EqualError(t, err, message, text)
	}
}
