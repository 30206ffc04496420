package acl

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trusted reads "127.0.0.1 unix:".
func trusted(t testing.TB, text string) *Table {
	t.Helper()
	var l List
	for _, argument := range strings.Fields(text) {
		r, err := ParseTrusted(argument)
		require.NoError(t, err)
		l = append(l, r)
	}
	return Compile(l)
}

// Each case is a fact of nginx 1.22.1 if it names no other version: the client
// of a request from a peer with these fields of X-Forwarded-For, "|" between
// them.
func TestRealIPFindsClientsAsNginx(t *testing.T) {
	const both = "10.0.0.0/8 2001:db8::/32"
	for _, c := range []struct {
		fact, trusted, fields, peer string
		recursive                   bool
		want                        string
		stop                        Stop
	}{
		{"a stranger is not believed", both, "192.0.2.1", "198.51.100.1", false, "198.51.100.1", StopUntrusted},
		{"a proxy is", both, "192.0.2.1", "10.0.0.1", false, "192.0.2.1", StopFirst},
		{"the last of several", both, "192.0.2.1, 192.0.2.2", "10.0.0.1", false, "192.0.2.2", StopFirst},
		{"even if it is a proxy", both, "192.0.2.1, 10.0.0.2", "10.0.0.1", false, "10.0.0.2", StopFirst},
		{"recursion passes proxies", both, "192.0.2.1, 10.0.0.2", "10.0.0.1", true, "192.0.2.1", StopEnd},
		{"and stops at a client", both, "192.0.2.66, 192.0.2.1, 10.0.0.2", "10.0.0.1", true, "192.0.2.1", StopUntrusted},
		{"who trusts all lets the client choose", "0.0.0.0/0", "10.6.6.6, 192.0.2.1", "10.0.0.1", true, "10.6.6.6", StopEnd},
		{"without a header it is the peer", both, "", "10.0.0.1", true, "10.0.0.1", StopNoHeader},
		{"without proxies too", "", "192.0.2.1", "10.0.0.1", true, "10.0.0.1", StopUntrusted},

		{"the last field", both, "192.0.2.1|192.0.2.2", "10.0.0.1", false, "192.0.2.2", StopFirst},
		{"recursion goes on to the field before", both, "192.0.2.1|10.0.0.3|10.0.0.2", "10.0.0.1", true, "192.0.2.1", StopEnd},
		{"but not past garbage", both, "192.0.2.1|x, 10.0.0.2", "10.0.0.1", true, "10.0.0.2", StopUnreadable},
		{"an empty field is garbage", both, "192.0.2.1| ", "10.0.0.1", true, "10.0.0.1", StopUnreadable},

		{"blanks alone separate", both, "192.0.2.1 192.0.2.2", "10.0.0.1", false, "192.0.2.2", StopFirst},
		{"a tab does not", both, "192.0.2.1,\t192.0.2.2", "10.0.0.1", false, "10.0.0.1", StopUnreadable},
		{"separators at the end are nothing", both, "192.0.2.1,, ,", "10.0.0.1", false, "192.0.2.1", StopFirst},
		{"one at the start is part of the entry", both, ",192.0.2.1", "10.0.0.1", false, "10.0.0.1", StopUnreadable},
		{"two there are not", both, ",,192.0.2.1", "10.0.0.1", false, "192.0.2.1", StopFirst},
		{"but an entry for recursion", both, ",,10.0.0.2", "10.0.0.1", true, "10.0.0.2", StopUnreadable},

		{"a port", both, "192.0.2.1:80", "10.0.0.1", false, "192.0.2.1:80", StopFirst},
		{"in decimal", both, "192.0.2.1:0080", "10.0.0.1", false, "192.0.2.1:80", StopFirst},
		{"not 0", both, "192.0.2.1:0", "10.0.0.1", false, "10.0.0.1", StopUnreadable},
		{"not 65536", both, "192.0.2.1:65536", "10.0.0.1", false, "10.0.0.1", StopUnreadable},
		{"an IPv6 address has none without brackets", both, "2001:db8::1:443", "10.0.0.1", false, "2001:db8::1:443", StopFirst},
		{"with them it has one", both, "[2001:db8::1]:443", "10.0.0.1", false, "[2001:db8::1]:443", StopFirst},
		{"so has an IPv4 address", both, "[192.0.2.1]:80", "10.0.0.1", false, "192.0.2.1:80", StopFirst},
		{"it must", both, "[2001:db8::1]", "10.0.0.1", false, "10.0.0.1", StopUnreadable},
		{"nginx's own reading of addresses", both, "010..2", "10.0.0.1", false, "10.0.0.1", StopUnreadable},
		{"with empty numbers", both, "192..2.010", "10.0.0.1", false, "192.0.2.10", StopFirst},
		{"255.255.255.255 is none", both, "255.255.255.255", "10.0.0.1", false, "10.0.0.1", StopUnreadable},

		{"a mapped proxy is an IPv4 proxy", both, "192.0.2.1", "::ffff:10.0.0.1", false, "192.0.2.1", StopFirst},
		{"always", "::ffff:10.0.0.0/104 ::/0", "192.0.2.1", "::ffff:10.0.0.1", false, "::ffff:10.0.0.1", StopUntrusted},
		{"a mapped client stays mapped", both, "::ffff:192.0.2.1", "10.0.0.1", false, "::ffff:192.0.2.1", StopFirst},
		{"a unix proxy", "unix:", "192.0.2.1", "unix:", false, "192.0.2.1", StopFirst},
		{"is not trusted by an address", "0.0.0.0/0 ::/0", "192.0.2.1", "unix:", false, "unix:", StopUntrusted},
	} {
		r := RealIP{Trusted: trusted(t, c.trusted), Header: "X-Forwarded-For", Recursive: c.recursive, Version: "1.22.1"}
		header := http.Header{}
		if c.fields != "" {
			header["X-Forwarded-For"] = strings.Split(c.fields, "|")
		}
		var peer netip.AddrPort
		if c.peer != "unix:" {
			peer = netip.AddrPortFrom(netip.MustParseAddr(c.peer), 0)
		}
		trace := r.Explain(peer, header, ProxyHeader{})
		got := AddrText(trace.Client.Addr())
		if trace.Client.Port() > 0 {
			got = trace.Client.String()
		}
		assert.Equal(t, c.want, got, "%s: %+v", c.fact, trace)
		assert.Equal(t, c.stop, trace.Stop, c.fact)
		found, replaced := r.Find(peer, header, ProxyHeader{})
		assert.Equal(t, trace.Client, found, c.fact)
		assert.Equal(t, trace.Replaced, replaced, c.fact)
	}
}

func TestBracketsWithoutPortDependOnTheVersion(t *testing.T) {
	peer := netip.MustParseAddrPort("10.0.0.1:1")
	header := http.Header{"X-Real-Ip": {"[2001:db8::7]"}}
	for version, want := range map[string]string{
		"": "2001:db8::7", "1.27.3": "2001:db8::7", "1.28.0": "2001:db8::7", "2.0": "2001:db8::7", "1.30": "2001:db8::7", "mainline": "2001:db8::7",
		"1.27.2": "10.0.0.1", "1.22.1-9+deb12u11": "10.0.0.1", "1.9.15": "10.0.0.1", "0.8.54": "10.0.0.1", "1.26.3": "10.0.0.1",
	} {
		client, _ := RealIP{Trusted: trusted(t, "10.0.0.1"), Version: version}.Find(peer, header, ProxyHeader{})
		assert.Equal(t, want, client.Addr().String(), version)
	}
}

func TestHeaderIsReadAsWritten(t *testing.T) {
	peer := netip.MustParseAddrPort("10.0.0.1:1")
	header := http.Header{
		"X-Forwarded-For": {"192.0.2.1", "192.0.2.2"}, "X-Real-Ip": {"192.0.2.3", "192.0.2.4"}, "Cf-Connecting-Ip": {"192.0.2.5, 192.0.2.6"},
	}
	for name, want := range map[string]string{
		"": "192.0.2.3", "X-Real-IP": "192.0.2.3", "x-real-ip": "192.0.2.3", "X-Forwarded-For": "192.0.2.2",
		"x-forwarded-for": "192.0.2.1", "CF-Connecting-IP": "192.0.2.6", "X-Forward-For": "10.0.0.1",
		"proxy_protocol": "192.0.2.9", "Proxy_Protocol": "10.0.0.1",
	} {
		client, _ := RealIP{Trusted: trusted(t, "10.0.0.1"), Header: name}.Find(peer, header,
			ProxyHeader{Version: 1, Source: netip.MustParseAddrPort("192.0.2.9:5"), SourceText: "192.0.2.9"})
		assert.Equal(t, want, client.Addr().String(), name)
	}
}

func TestTraceNamesEachWordTaken(t *testing.T) {
	r := RealIP{Trusted: trusted(t, "127.0.0.1 10.0.0.0/8"), Header: "X-Forwarded-For", Recursive: true}
	trace := r.Explain(netip.MustParseAddrPort("127.0.0.1:5"), http.Header{"X-Forwarded-For": {"192.0.2.66, 192.0.2.1", "10.0.0.9:80 , 10.0.0.1"}}, ProxyHeader{})
	addr := netip.MustParseAddr
	assert.Equal(t, Trace{
		Client: netip.AddrPortFrom(addr("192.0.2.1"), 0), Replaced: true, Stop: StopUntrusted,
		Hops: []Hop{
			{addr("127.0.0.1"), 0, "10.0.0.1", 1, 14, netip.AddrPortFrom(addr("10.0.0.1"), 0)},
			{addr("10.0.0.1"), 1, "10.0.0.9:80", 1, 0, netip.MustParseAddrPort("10.0.0.9:80")},
			{addr("10.0.0.9"), 1, "192.0.2.1", 0, 12, netip.AddrPortFrom(addr("192.0.2.1"), 0)},
		},
	}, trace)
	assert.Equal(t, `10.0.0.1 is trusted by rule 1 and names "10.0.0.9:80"`, trace.Hops[1].String())
	assert.Equal(t, `unix: is trusted by rule 2 and names "x", which is no address`, Hop{Rule: 2, Entry: "x"}.String())
}

func TestStopIsWritten(t *testing.T) {
	for s := StopUntrusted; s <= StopEnd; s++ {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back Stop
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, s, back)
	}
	_, err := Stop(9).MarshalText()
	assert.EqualError(t, err, "acl: no such reason: Stop(9)")
	assert.Error(t, new(Stop).UnmarshalText([]byte("x")))
}

// The time for a header, however it is made, grows with its length alone.
func TestLongHeadersAreRead(t *testing.T) {
	r := RealIP{Trusted: trusted(t, "0.0.0.0/0 ::/0"), Header: "X-Forwarded-For", Recursive: true}
	peer := netip.MustParseAddrPort("10.0.0.1:1")
	for _, part := range []string{",", " ", ":", ".", "[", "1.", "f:", "1.2.3.4,", "x", "x,", "::1 "} {
		header := http.Header{"X-Forwarded-For": {strings.Repeat(part, 1<<20/len(part))}}
		client, _ := r.Find(peer, header, ProxyHeader{})
		assert.True(t, client.IsValid(), "%q", part)
		assert.Zero(t, testing.AllocsPerRun(1, func() { r.Find(peer, header, ProxyHeader{}) }), "%q", part)
	}
}

func TestAddrTextIsRemoteAddr(t *testing.T) {
	for _, text := range []string{
		"unix:", "192.0.2.1", "2001:db8::1", "::", "::1", "::2", "::e3", "::0.0.18.52", "::0.0.1.0", "::1.2.3.4", "::ffff:192.0.2.1",
		"::ffff:0.0.0.0", "::255.255.255.255", "::1:0:0:0", "1::", "1:0:0:2::", "::1:2:0:0:0", "::fffe:102:304", "1:0:2:3:4:5:6:7",
	} {
		if text == "unix:" {
			assert.Equal(t, text, AddrText(netip.Addr{}))
		} else if text == "::0.0.1.0" {
			assert.Equal(t, text, AddrText(netip.MustParseAddr("::100")))
		} else {
			assert.Equal(t, text, AddrText(netip.MustParseAddr(text).WithZone("")), text)
		}
	}
	assert.Equal(t, "fe80::1", AddrText(netip.MustParseAddr("fe80::1%eth0")))
}

func TestProxyHeaderIsReadAsNginx(t *testing.T) {
	at := netip.MustParseAddrPort
	v2 := func(head, body string) string {
		return proxySignature + head + string([]byte{byte(len(body) >> 8), byte(len(body))}) + body
	}
	const inet = "\xc0\x00\x02\x07\x0a\x00\x00\x01\x04\xd2\x00\x50"
	for _, c := range []struct {
		fact, header string
		source       netip.AddrPort
		text, err    string
	}{
		{"IPv4", "PROXY TCP4 192.0.2.7 10.0.0.1 1234 80\r\n", at("192.0.2.7:1234"), "192.0.2.7", ""},
		{"IPv6", "PROXY TCP6 2001:DB8::7 ::1 1 80\r\n", at("[2001:db8::7]:1"), "2001:DB8::7", ""},
		{"the families are not compared", "PROXY TCP4 2001:db8::7 10.0.0.1 1 80\r\n", at("[2001:db8::7]:1"), "2001:db8::7", ""},
		{"nor need it be an address", "PROXY TCP4 a.b.c c 1 80\r\n", netip.AddrPortFrom(netip.Addr{}, 1), "a.b.c", ""},
		{"a port in it is not the port", "PROXY TCP4 192.0.2.7:99 10.0.0.1 5 80\r\n", at("192.0.2.7:5"), "192.0.2.7:99", ""},
		{"ports may be 0", "PROXY TCP4 192.0.2.7 10.0.0.1 0 0\r\n", at("192.0.2.7:0"), "192.0.2.7", ""},
		{"unknown tells nothing", "PROXY UNKNOWN of whom\r\n", netip.AddrPort{}, "", ""},
		{"other bytes are refused", "PROXY TCP4 host 10.0.0.1 1 80\r\n", netip.AddrPort{}, "", `broken header: "PROXY TCP4 host 10.0.0.1 1 80"`},
		{"so is another port", "PROXY TCP4 192.0.2.7 10.0.0.1 65536 80\r\n", netip.AddrPort{}, "", `broken header: "PROXY TCP4 192.0.2.7 10.0.0.1 65536 80"`},
		{"the line must end", "PROXY TCP4 192.0.2.7 10.0.0.1 1 80\r", netip.AddrPort{}, "", `broken header: "PROXY TCP4 192.0.2.7 10.0.0.1 1 80"`},
		{"also in version 1", "GET / HTTP/1.1\r\n", netip.AddrPort{}, "", `broken header: "GET / HTTP/1.1"`},

		{"version 2", v2("\x21\x11", inet), at("192.0.2.7:1234"), "192.0.2.7", ""},
		{"with more behind it", v2("\x21\x11", inet+"\x04\x00\x01x"), at("192.0.2.7:1234"), "192.0.2.7", ""},
		{"version 2, IPv6", v2("\x21\x21", strings.Repeat("\x00", 15)+"\x02"+strings.Repeat("\x00", 15)+"\x01\x04\xd2\x00\x50"), at("[::2]:1234"), "::2", ""},
		{"what nginx cannot read back", v2("\x21\x11", "\xff\xff\xff\xff\x0a\x00\x00\x01\x04\xd2\x00\x50"), netip.AddrPortFrom(netip.Addr{}, 1234), "255.255.255.255", ""},
		{"local tells nothing", v2("\x20\x11", inet), netip.AddrPort{}, "", ""},
		{"nor does a datagram", v2("\x21\x12", inet), netip.AddrPort{}, "", ""},
		{"nor a unix socket", v2("\x21\x31", strings.Repeat("x", 216)), netip.AddrPort{}, "", ""},
		{"version 3", v2("\x31\x11", inet), netip.AddrPort{}, "", "unknown PROXY protocol version: 3"},
		{"not all there", v2("\x21\x11", inet)[:27], netip.AddrPort{}, "", "header is too large"},
		{"too short for addresses", v2("\x21\x11", inet[:11]), netip.AddrPort{}, "", "broken header"},
	} {
		h, n, err := ParseProxyHeader([]byte(c.header), nil)
		if c.err != "" {
			assert.EqualError(t, err, c.err, c.fact)
			assert.Zero(t, h, c.fact)
			continue
		}
		require.NoError(t, err, c.fact)
		assert.Equal(t, len(c.header), n, c.fact)
		assert.Equal(t, c.source, h.Source, c.fact)
		assert.Equal(t, c.text, h.SourceText, c.fact)
		assert.Equal(t, c.text != "", h.Version > 0, c.fact)
	}
	_, _, err := ParseProxyHeader([]byte("GET / HTTP/1.1\r\nHost: a"), &ProxyHeaderOptions{Version: "1.22.1"})
	assert.EqualError(t, err, "broken header: \"GET / HTTP/1.1\r\nHost: a\"")
}
