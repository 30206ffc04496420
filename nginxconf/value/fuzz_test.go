package value

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzParseListen(f *testing.F) {
	for _, s := range []string{"80", "*:80", "[::]:443 ssl", "127.0.0.1:80-90 default_server", "unix:/x proxy_protocol", "a-b", "80-x", "[::1.2.3.4]:1", "80 so_keepalive=1m:2:3 quic", "[1::]:2 backlog=5", "uniX"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseListen(strings.Split(s, " ")...)
		if err != nil {
			return
		}
		if !strings.EqualFold(l.Host, "unix") { // with a port it would be a path
			again, err := ParseListen(append([]string{l.Socket.String()}, l.Parameters...)...)
			require.NoError(t, err)
			require.Equal(t, l.Socket, again.Socket)
		}
		n := 0
		for s := range l.Sockets() {
			require.Equal(t, l.Unix == "", s.Port > 0)
			n++
		}
		require.Equal(t, int(l.LastPort)-int(l.Port)+1, n)
	})
}

func FuzzParseLocation(f *testing.F) {
	for _, s := range []string{"/", "= /", "=/x", "^~ /x", "~* x", "@a", "", "~"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLocation(strings.SplitN(s, " ", 2)...)
		if err != nil {
			return
		}
		again, err := ParseLocation(l.Args()...)
		require.NoError(t, err)
		require.Equal(t, l, again)
	})
}

func FuzzParseServerName(f *testing.F) {
	for _, s := range []string{"", "a.b", "*.A.b", ".a", "a.*", "~^x", "$hostname", "a*b", "..", ".*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseServerName(s)
		if err != nil {
			return
		}
		again, err := ParseServerName(n.String())
		require.NoError(t, err)
		require.Equal(t, n, again)
	})
}

func FuzzParseProxyPass(f *testing.F) {
	for _, s := range []string{"http://a", "https://a:1/b", "http://unix:/x:/y", "http://[::1]/", "http://$a", "http://a?b/", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseProxyPass(s)
		if err != nil || p.Variables {
			return
		}
		require.True(t, strings.HasSuffix(s, p.URI))
		require.Contains(t, s, p.Host)
		_, address := p.Address()
		require.NotEmpty(t, address)
	})
}

func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"", "1", "1k", "1h 30m", "1y1M", "9223372036854775807", "1ms5", "m5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseTime(s); err == nil {
			require.False(t, d < 0)
		}
		if d, err := ParseSeconds(s); err == nil {
			require.False(t, d < 0)
		}
		small, err := ParseSize(s)
		if err == nil {
			large, err := ParseOffset(s)
			require.NoError(t, err)
			require.Equal(t, small, large)
			require.False(t, small < 0)
		}
	})
}

func FuzzParts(f *testing.F) {
	for _, s := range []string{"", "a", "$a", "${a}b", "$1", "$", "${", "${a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		for p, err := range Parts(s) {
			require.NotEmpty(t, p.Text)
			require.True(t, err == nil || p.Name == "")
			b.WriteString(p.Text)
		}
		require.Equal(t, s, b.String())
		_, _ = ParseReturn(strings.SplitN(s, " ", 2)...)
		text, err := Expand(s, func(name string) (string, error) { return "${" + name + "}", nil })
		if err == nil { // the same variables, all in brackets
			again, err := Expand(text, func(name string) (string, error) { return "${" + name + "}", nil })
			require.NoError(t, err)
			require.Equal(t, text, again)
		}
	})
}
