package value

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestListenFormsOfOneSocketAreEqual(t *testing.T) {
	for key, forms := range map[string][]string{
		"0.0.0.0:80":         {"80", "*:80", "*", "0.0.0.0:80", "0.0.0.0", "...:080"},
		"[::]:80":            {"[::]:80", "[::]", "[0:0:0:0:0:0:0:0]:80"},
		"127.0.0.1:8080":     {"127.0.0.1:8080", "127..0.1:8080", "0127.0.0.1:08080"},
		"localhost:80":       {"localhost", "localhost:80"},
		"unix:/run/a.sock":   {"unix:/run/a.sock", "UNIX:/run/a.sock"},
		"unix:/run/a:b":      {"unix:/run/a:b"},
		"my-host:80":         {"my-host"},
		"[::ffff:1.2.3.4]:1": {"[::ffff:1.2.3.4]:1", "[::ffff:102:304]:1"},
		"255.255.255.255:80": {"255.255.255.255"}, // nginx takes it for a name
	} {
		for _, form := range forms {
			l, err := ParseListen(form)
			require.NoError(t, err, form)
			assert.Equal(t, key, l.Socket.String(), form)
			again, err := ParseListen(key)
			require.NoError(t, err)
			assert.Equal(t, again.Socket, l.Socket, form)
			assert.Equal(t, strings.HasPrefix(key, "0.0.0.0:") || strings.HasPrefix(key, "[::]:"), l.Wildcard(), form)
		}
	}
}

func TestListenRangeIsManySockets(t *testing.T) {
	l, err := ParseListen("[::1]:8080-8082", "ssl")
	require.NoError(t, err)
	var all []string
	for s := range l.Sockets() {
		all = append(all, s.String())
	}
	assert.Equal(t, []string{"[::1]:8080", "[::1]:8081", "[::1]:8082"}, all)

	l, err = ParseListen("65530-65535")
	require.NoError(t, err)
	assert.Len(t, slices.Collect(l.Sockets()), 6)
	assert.Equal(t, netip.MustParseAddrPort("0.0.0.0:65530"), l.AddrPort())
}

func TestListenParameters(t *testing.T) {
	l, err := ParseListen("443", "ssl", "http2", "default_server", "proxy_protocol", "reuseport", "backlog=10", "ipv6only=off")
	require.NoError(t, err)
	assert.Equal(t, Listen{
		Socket: Socket{Addr: netip.IPv4Unspecified(), Port: 443}, LastPort: 443,
		DefaultServer: true, SSL: true, HTTP2: true, ProxyProtocol: true, ReusePort: true, Options: true,
		Parameters: []string{"ssl", "http2", "default_server", "proxy_protocol", "reuseport", "backlog=10", "ipv6only=off"},
	}, l)

	l, err = ParseListen("80", "default")
	require.NoError(t, err)
	assert.True(t, l.DefaultServer)
	assert.True(t, l.IPv6Only)
	assert.False(t, l.Options)

	for _, p := range []string{"so_keepalive=on", "so_keepalive=30m::10", "so_keepalive=::1", "so_keepalive=4294967297", "sndbuf=8k", "fastopen=0", "deferred", "bind"} {
		l, err = ParseListen("80", p)
		require.NoError(t, err, p)
		assert.True(t, l.Options, p)
	}
}

// The second of two says nothing, but the first one does.
func TestKeepaliveIsWhatAllParametersSay(t *testing.T) {
	_, err := ParseListen("80", "so_keepalive=1:2:3", "so_keepalive=::", "so_keepalive=:0", "so_keepalive=on")
	assert.NoError(t, err)
	var k Keepalive
	assert.True(t, k.Set("1m:2:3"))
	assert.True(t, k.Set(":4"))
	assert.Equal(t, Keepalive{Idle: 60, Interval: 4, Count: 3}, k)
}

// What nginx says; TestOracleListen asks it.
func TestListenErrors(t *testing.T) {
	for _, c := range [][2]string{
		{"0", `invalid port in "0" of the "listen" directive`},
		{"65536", `invalid port in "65536" of the "listen" directive`},
		{"", `no host in "" of the "listen" directive`},
		{":80", `no host in ":80" of the "listen" directive`},
		{"localhost:", `invalid port in "localhost:" of the "listen" directive`},
		{"80/x", `invalid host in "80/x" of the "listen" directive`},
		{"a?b", `invalid host in "a?b" of the "listen" directive`},
		{"90-80", `invalid port range in "90-80" of the "listen" directive`},
		{"80-70000", `invalid port in "80-70000" of the "listen" directive`},
		{"a:80-b", `invalid port in "a:80-b" of the "listen" directive`},
		{"[::", `invalid host in "[::" of the "listen" directive`},
		{"[::]80", `invalid host in "[::]80" of the "listen" directive`},
		{"[]:80", `no host in "[]:80" of the "listen" directive`},
		{"[]:0", `invalid port in "[]:0" of the "listen" directive`},
		{"[1:2:3:4:5:6:7::]", `invalid IPv6 address in "[1:2:3:4:5:6:7::]" of the "listen" directive`},
		{"unix:", `no path in the unix domain socket in "unix:" of the "listen" directive`},
		{"80 https", `invalid parameter "https"`},
		{"80 ssl=on", `invalid parameter "ssl=on"`},
		{"80 backlog", `invalid parameter "backlog"`},
		{"80 backlog=0", `invalid backlog "backlog=0"`},
		{"80 backlog=4294967296", `invalid backlog "backlog=4294967296"`},    // 0 in 32 bits
		{"80 fastopen=4294967295", `invalid fastopen "fastopen=4294967295"`}, // -1
		{"80 rcvbuf=4294967295", `invalid rcvbuf "rcvbuf=4294967295"`},
		{"80 fastopen=x", `invalid fastopen "fastopen=x"`},
		{"80 rcvbuf=1g", `invalid rcvbuf "rcvbuf=1g"`},
		{"80 ipv6only=yes", `invalid parameter "ipv6only=yes"`},
		{"80 ipv6only=ok", `invalid ipv6only flags "ok"`},
		{"80 so_keepalive=", `invalid so_keepalive value: ""`},
		{"80 so_keepalive=::", `invalid so_keepalive value: "::"`},
		{"80 so_keepalive=1 so_keepalive=0", `invalid so_keepalive value: "0"`},
		{"80 so_keepalive=4294967296", `invalid so_keepalive value: "4294967296"`},
		{"80 so_keepalive=4294967295", `invalid so_keepalive value: "4294967295"`},
		{"80 so_keepalive=0:0:0", `invalid so_keepalive value: "0:0:0"`},
		{"80 so_keepalive=1ms", `invalid so_keepalive value: "1ms"`},
		{"80 setfib=1", `invalid parameter "setfib=1"`},
		{"80 proxy_protocol quic ssl", `"listen" directive "ssl" parameter is incompatible with "quic"`},
	} {
		_, err := ParseListen(strings.Split(c[0], " ")...)
		assert.EqualError(t, err, c[1], c[0])
	}
	_, err := ParseListen("unix:/" + strings.Repeat("x", 107))
	assert.ErrorContains(t, err, "too long path in the unix domain socket in")
	_, err = ParseListen("unix:/" + strings.Repeat("x", 106))
	assert.NoError(t, err)
	_, err = ParseListen()
	assert.EqualError(t, err, `invalid number of arguments in "listen" directive`)
}
