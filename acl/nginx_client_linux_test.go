package acl

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// get asks for a path, with lines of a header as they are sent, and returns
// the answer without its body.
func (c *client) get(t *testing.T, path, header string) *http.Response {
	t.Helper()
	_, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, header)
	require.NoError(t, err)
	response, err := http.ReadResponse(c.in, nil)
	require.NoError(t, err, "%s %q", path, header)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	return response
}

// forwardedEntries are what stands in X-Forwarded-For, well formed and not.
var forwardedEntries = []string{
	"127.0.0.1", "127.0.0.9", "10.0.0.1", "192.0.2.7", "198.51.100.1:80", "192.0.2.7:0", "192.0.2.7:", "192.0.2.7:65535", "192.0.2.7:65536",
	"192.0.2.7:00080", "192.0.2.7:8a", "192.0.2.7:99999999999999999999", "255.255.255.255", "255.255.255.255:80", "1..2.3", "...", "010.0.0.1",
	"192.0.2", "192.0.2.7.1", "2001:db8::1", "2001:DB8::1", "[2001:db8::1]", "[2001:db8::1]:443", "[2001:db8::1]443", "[2001:db8::1", "2001:db8::1]:80",
	"2001:db8::1:443", "[192.0.2.7]:80", "[192.0.2.7]", "[]", "[]:80", "[", "]", "[:]:1", "::ffff:127.0.0.1", "::ffff:192.0.2.7", "::ffff:192.0.2.7:80", "[::ffff:10.0.0.1]:80",
	"::", "::1", "::2", "::e3", "::1234", "::0.0.18.1", "::1.2.3.4", "::1:0:0", "1::", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "fe80::1%eth0", "::ffff:ffff:ffff", "::255.255.255.255",
	"unix:", "unknown", "_x", `"192.0.2.7"`, "for=192.0.2.7", "192.0.2.7;10.0.0.1", "192.0.2.7\t", "\t192.0.2.7", "\x80\xff", "-", ":", "::ffff:0:0",
}

// forwardedField is a list of entries, some of them damaged.
func forwardedField(r *random) string {
	var b strings.Builder
	for range r.IntN(5) {
		if r.IntN(12) == 0 {
			b.WriteString(pick(r, ",", " ", ", ", ",,", "  "))
		}
		entry := pick(r, forwardedEntries...)
		if r.IntN(3) == 0 {
			entry = pick(r, "127.0.0.1", "127.0.0.5", "10.1.2.3", "::1")
		}
		if r.IntN(8) == 0 {
			at := r.IntN(len(entry) + 1)
			entry = entry[:at] + pick(r, ".", ":", "0", "[", "]", "\t", "f", "\x01", "\x7f", "1") + entry[at:]
		}
		b.WriteString(entry)
		b.WriteString(pick(r, ", ", ", ", ",", " ", " , ", ",,", ""))
	}
	return b.String()
}

func TestOracleNginxFindsClients(t *testing.T) {
	seed, cases := testenv.Size(t, 1500)
	r := newRand(seed)
	version := testenv.NginxVersion(t)
	var all []RealIP
	var server strings.Builder
	server.WriteString("add_header X-Addr $remote_addr always; add_header X-Port $remote_port always;\n")
	for _, trusted := range [][]string{
		{"127.0.0.0/8", "10.0.0.0/8", "::1"}, {"unix:", "127.0.0.1", "::ffff:10.0.0.0/104"}, {"0.0.0.0/0"}, {"0.0.0.0/0", "::/0", "unix:"}, {"192.0.2.0/24"}, {"127.0.0.0/8", "10.0.0.0/8", "192.0.2.0/24", "::/8", "unix:"},
	} {
		var l List
		var set string
		for _, argument := range trusted {
			rule, err := ParseTrusted(argument)
			require.NoError(t, err)
			l = append(l, rule)
			set += "set_real_ip_from " + argument + "; "
		}
		for _, header := range []string{"X-Forwarded-For", "X-Real-IP", "x-forwarded-for", "CF-Connecting-IP", ""} {
			for _, recursive := range []bool{false, true} {
				fmt.Fprintf(&server, "location = /%d { %s", len(all), set)
				if header != "" {
					fmt.Fprintf(&server, "real_ip_header %s; ", header)
				}
				if recursive {
					server.WriteString("real_ip_recursive on; ")
				}
				server.WriteString("empty_gif; }\n")
				all = append(all, RealIP{Compile(l), header, recursive, version})
			}
		}
	}
	n := startNginx(t, "", server.String())
	type way struct {
		d    door
		from netip.Addr
		peer netip.Addr
	}
	local := netip.MustParseAddr("127.0.0.1")
	ways := []way{{tcp4, local, local}, {tcp6, netip.Addr{}, netip.IPv6Loopback()}, {mapped, local, netip.AddrFrom16(local.As16())}, {unix, netip.Addr{}, netip.Addr{}}}
	clients := map[door]*client{}
	replaced := 0
	for range cases {
		w := pick(r, ways...)
		if n.doors[w.d] == nil {
			continue
		}
		if clients[w.d] == nil {
			clients[w.d] = n.enter(t, w.d, w.from)
		}
		i := r.IntN(len(all))
		header, lines := http.Header{}, ""
		for range pick(r, 0, 1, 1, 1, 2, 3) {
			name := pick(r, "X-Forwarded-For", "X-Forwarded-For", "X-Real-IP", "x-real-ip", "cf-connecting-ip")
			if own := all[i].Header; own != "" && r.IntN(3) > 0 {
				name = own
			}
			value := forwardedField(r)
			lines += name + ": " + value + "\r\n"
			header.Add(name, strings.Trim(value, " "))
		}
		response := clients[w.d].get(t, "/"+strconv.Itoa(i), lines)
		require.Equal(t, http.StatusOK, response.StatusCode, "%q", lines)
		trace := all[i].Explain(netip.AddrPortFrom(w.peer, 7), header, ProxyHeader{})
		require.Equal(t, response.Header.Get("X-Addr"), AddrText(trace.Client.Addr()), "%q %+v %+v", lines, all[i], trace)
		checkTrace(t, all[i], netip.AddrPortFrom(w.peer, 7), trace)
		if trace.Replaced {
			replaced++
			port := strings.TrimPrefix(strconv.Itoa(int(trace.Client.Port())), "0")
			require.Equal(t, response.Header.Get("X-Port"), port, "%q %+v", lines, trace)
		}
	}
	t.Logf("%d of %d clients are not the peer", replaced, cases)
}

func TestOracleNginxRefusesTrusted(t *testing.T) {
	for _, argument := range []string{"unix", "10.0.0.0/33", "all", "255.255.255.255/32", "nobody.invalid", ""} {
		_, err := ParseTrusted(argument)
		require.Equal(t, []string{"1 emerg: " + err.Error()}, check(t, `set_real_ip_from "`+argument+`";`), argument)
	}
	r, err := ParseTrusted("10.0.0.1/8")
	require.NoError(t, err)
	require.Equal(t, []string{"1 warn: " + r.Warning()}, check(t, "set_real_ip_from 10.0.0.1/8;"))
}

// proxyHeaders are headers of both versions, well formed and damaged.
func proxyHeaders(r *random) []byte {
	var b []byte
	if r.IntN(2) == 0 {
		addr := func() string {
			return pick(r, "192.0.2.7", "192.0.2.8", "10.0.0.1", "2001:db8::1", "2001:db8::2", "::1", "::ffff:192.0.2.7", "192.0.2.7:80", "255.255.255.255", "", "1", ":", "a.b", "...", "::1.2.3.4", "::ffff:ffff:ffff", "2001:DB8::F", "::ffff:255.255.255.255", "g::")
		}
		port := func() string {
			return pick(r, "1", "80", "81", "82", "4711", "0", "65535", "65536", "", "080", "x", "443", "443")
		}
		s := pick(r, "PROXY TCP4 ", "PROXY TCP6 ", "PROXY TCP4 ", "PROXY TCP6 ", "PROXY TCP4 ", "PROXY TCP6 ", "PROXY TCP5 ", "PROXY UDP4 ", "proxy TCP4 ", "PROXY UNKNOWN", "PROXY UNKNOWN ", "PROXY ") +
			addr() + " " + addr() + " " + port() + " " + port() + pick(r, "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", " \r\n", "\r\r\n")
		if r.IntN(6) == 0 {
			at := r.IntN(len(s) + 1)
			s = s[:at] + pick(r, " ", "", "x", "\x00", "9", "\t") + s[min(at+r.IntN(2), len(s)):]
		}
		b = []byte(s)
	} else {
		family := pick(r, byte(0x11), 0x11, 0x11, 0x21, 0x21, 0x21, 0x12, 0x00, 0x31, 0x22)
		var body []byte
		switch family >> 4 {
		case 1:
			body = append(body, pick(r, "\xc0\x00\x02\x07", "\xff\xff\xff\xff", "\x7f\x00\x00\x01")...)
			body = append(body, "\x0a\x00\x00\x01\x04\xd2\x00\x50"...)
		case 2:
			for _, a := range []string{pick(r, "2001:db8::7", "::ffff:192.0.2.7", "::ffff:255.255.255.255", "::255.255.255.255", "::1", "::2", "::1234", "::", "::1:0:0", "::ffff:ffff:ffff:0"), "::1"} {
				a := netip.MustParseAddr(a).As16()
				body = append(body, a[:]...)
			}
			body = append(body, "\x04\xd2\x00\x50"...)
		case 3:
			body = make([]byte, 216)
		}
		for range pick(r, 0, 0, 0, 1, 2) {
			body = append(body, "\x04\x00\x03abc"...)
		}
		if r.IntN(6) == 0 {
			body = body[:r.IntN(len(body)+1)]
		}
		b = append([]byte(proxySignature), pick(r, byte(0x21), 0x21, 0x21, 0x21, 0x21, 0x20, 0x31, 0x11, 0x22), family)
		b = binary.BigEndian.AppendUint16(b, uint16(pick(r, len(body), len(body), len(body), len(body), 4000)))
		b = append(b, body...)
		if r.IntN(12) == 0 {
			b[r.IntN(16)] ^= 1 << r.IntN(8)
		}
	}
	return b
}

func TestOracleNginxReadsProxyHeaders(t *testing.T) {
	seed, cases := testenv.Size(t, 400)
	r := newRand(seed)
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	defer log.Close()
	socket := filepath.Join(dir, "s")
	n := startNginx(t, fmt.Sprintf(`server {
listen unix:%s proxy_protocol; error_log %s error; lingering_close off; server_name b;
set_real_ip_from unix:; real_ip_header proxy_protocol;
add_header X-Addr $remote_addr; add_header X-Port $remote_port;
add_header X-From $proxy_protocol_addr; add_header X-From-Port $proxy_protocol_port;
add_header X-To $proxy_protocol_server_addr; add_header X-To-Port $proxy_protocol_server_port;
location / { empty_gif; } }`, socket, log.Name()), "location = / { empty_gif; }\n")
	// What nginx answers here it does once it listens everywhere.
	require.False(t, n.enter(t, tcp4, netip.MustParseAddr("127.0.0.1")).denied(t, "/", ""))

	o := &ProxyHeaderOptions{Version: testenv.NginxVersion(t)}
	var told, silent, refused int
	for range cases {
		header := proxyHeaders(r)
		b := append(header[:len(header):len(header)], "GET / HTTP/1.0\r\nHost: b\r\n\r\n"...)
		h, used, err := ParseProxyHeader(b, o)
		if err == nil && used != len(header) {
			continue // what is left is not the request
		}
		conn, dialed := net.Dial("unix", socket)
		require.NoError(t, dialed)
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Write(b) // nginx may hang up at once
		response, answered := http.ReadResponse(bufio.NewReader(conn), nil)
		conn.Close()
		said, ioErr := io.ReadAll(log)
		require.NoError(t, ioErr)
		if err != nil {
			require.Error(t, answered, "%q", b)
			switch message := err.Error(); {
			case message == "broken header": // of which nginx says nothing
				require.Empty(t, string(said))
			default:
				require.Contains(t, string(said), message, "%q", b)
			}
			refused++
			continue
		}
		require.NoError(t, answered, "%q: %s", b, said)
		require.Equal(t, http.StatusOK, response.StatusCode, "%q", b)
		rule, err := ParseTrusted("unix:")
		require.NoError(t, err)
		trace := RealIP{Trusted: Compile(List{rule}), Header: "proxy_protocol", Recursive: r.IntN(2) == 0}.Explain(netip.AddrPort{}, nil, h)
		checkTrace(t, RealIP{Trusted: Compile(List{rule})}, netip.AddrPort{}, trace)
		number := func(p netip.AddrPort) string {
			if h.Version == 0 {
				return ""
			}
			return strconv.Itoa(int(p.Port()))
		}
		get := response.Header.Get
		require.Equal(t, get("X-Addr"), AddrText(trace.Client.Addr()), "%q %+v", b, trace)
		require.Equal(t, get("X-Port"), strings.TrimPrefix(strconv.Itoa(int(trace.Client.Port())), "0"), "%q", b)
		require.Equal(t, get("X-From"), h.SourceText, "%q", b)
		require.Equal(t, get("X-To"), h.DestinationText, "%q", b)
		require.Equal(t, strings.TrimPrefix(get("X-From-Port"), "0"), strings.TrimPrefix(number(h.Source), "0"), "%q", b)
		require.Equal(t, strings.TrimPrefix(get("X-To-Port"), "0"), strings.TrimPrefix(number(h.Destination), "0"), "%q", b)
		if h.Version > 0 {
			told++
		} else {
			silent++
		}
	}
	t.Logf("%d headers tell a client, %d none, %d are refused", told, silent, refused)
}

// Every combination of what the three modules of the access phase may say.
func TestOracleNginxSatisfies(t *testing.T) {
	dir := t.TempDir()
	passwords := filepath.Join(dir, "passwords")
	require.NoError(t, os.WriteFile(passwords, []byte("user:{PLAIN}pass\n"), 0o644))
	for _, d := range []string{dir, filepath.Dir(dir)} {
		require.NoError(t, os.Chmod(d, 0o755)) // a worker of a root's nginx is another user
	}
	type question struct {
		satisfy     Satisfy
		outcomes    [3]Outcome
		credentials string
	}
	var questions []question
	var server strings.Builder
	for _, status := range []int{204, 401, 403, 404, 500} {
		fmt.Fprintf(&server, "location = /auth%d { return %d; }\n", status, status)
	}
	for _, satisfy := range []Satisfy{SatisfyAll, SatisfyAny} {
		for _, list := range []string{"", "allow 127.0.0.1;", "deny 127.0.0.1;"} {
			for basic, credentials := range map[Outcome]string{Declined: "", Granted: "dXNlcjpwYXNz", Unauthorized: "dXNlcjpiYWQ=", Forbidden: "dXNlcjpwYXNz"} {
				for _, asked := range []int{0, 204, 401, 403, 404, 500} {
					q := question{satisfy, [3]Outcome{rules(t, list).Decide(netip.MustParseAddr("127.0.0.1")).Outcome(), basic, Outcome(asked)}, credentials}
					switch asked {
					case 204:
						q.outcomes[2] = Granted
					case 404:
						q.outcomes[2] = 500
					}
					fmt.Fprintf(&server, "location = /%d { satisfy %s; %s", len(questions), satisfy, list)
					switch basic {
					case Forbidden: // as nginx says if it has no password file
						fmt.Fprintf(&server, "auth_basic x; auth_basic_user_file %s.absent; ", passwords)
					case Granted, Unauthorized:
						fmt.Fprintf(&server, "auth_basic x; auth_basic_user_file %s; ", passwords)
					}
					if asked > 0 {
						fmt.Fprintf(&server, "auth_request /auth%d; ", asked)
					}
					server.WriteString("empty_gif; }\n")
					questions = append(questions, q)
				}
			}
		}
	}
	n := startNginx(t, "", server.String())
	c := n.enter(t, tcp4, netip.MustParseAddr("127.0.0.1"))
	for i, q := range questions {
		header := ""
		if q.credentials != "" {
			header = "Authorization: Basic " + q.credentials + "\r\n"
		}
		if c == nil {
			c = n.enter(t, tcp4, netip.MustParseAddr("127.0.0.1"))
		}
		response := c.get(t, "/"+strconv.Itoa(i), header)
		access := q.satisfy.Decide(q.outcomes[:]...)
		assert.Equal(t, response.StatusCode, int(access.Outcome), "%+v %+v", q, access)
		if access.By >= 0 {
			assert.Equal(t, access.Outcome, q.outcomes[access.By], "%+v %+v", q, access)
		}
		if response.Close {
			c = nil
		}
	}
	t.Logf("%d answers", len(questions))
}

func TestOracleNginxReplacesOuterLists(t *testing.T) {
	levels := []List{rules(t, "deny 127.0.0.1;"), rules(t, "deny 2001:db8::/32;"), nil, rules(t, "allow 127.0.0.1; deny all;")}
	n := startNginx(t, levels[0].String(), fmt.Sprintf(`
location = /1 { empty_gif; }
location /2 { %s location = /2/ { empty_gif; } location /2/2 { empty_gif; location /2/2/2 { %s empty_gif; } } }
`, levels[1], levels[3]))
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		a := netip.MustParseAddr(from)
		c := n.enter(t, tcp4, a)
		for path, chain := range map[string][]List{"/1": levels[:1], "/2/": levels[:2], "/2/2": levels[:3], "/2/2/2": levels} {
			l, _ := Effective(chain...)
			assert.Equal(t, c.denied(t, path, ""), l.Decide(a).Action == Deny, "%s as %s", path, from)
		}
	}
}

func sortedSpan(r *random, a, b netip.Addr) string {
	if r.IntN(20) == 0 {
		return pick(r, "10.0.0.1", "10.0.0.0/8", "1-2", "::1-::2", "10.0.0.1-10.0.0.2-10.0.0.3", "-", "10.0.0.1-", "255.255.255.254-255.255.255.255")
	}
	if b.Less(a) && r.IntN(10) > 0 {
		a, b = b, a
	}
	return a.String() + "-" + b.String()
}

// geoBlock makes a block that nginx may refuse. In a block of networks most
// stand among the first levels of the tree, where delete has its own ways.
func geoBlock(r *random) (block [][]string) {
	v4 := func() netip.Addr { // few, so that entries meet
		return netip.AddrFrom4([4]byte{pick(r, byte(0), 4, 8, 10, 64, 128, 252, 255), pick(r, byte(0), 1, 255), pick(r, byte(0), 255), pick(r, byte(0), 1, 7, 254, 255)})
	}
	network := func() string {
		a := v4()
		if r.IntN(3) == 0 {
			a = netip.AddrFrom16([16]byte{pick(r, byte(0), 4, 0x20, 0xfc), pick(r, byte(0), 1, 0xd), pick(r, byte(0), 0xb8), 15: pick(r, byte(0), 1, 2)})
		}
		bits := pick(r, 1, 2, 3, 4, 5, 6, 6, 6, 7, 8, a.BitLen(), a.BitLen()-1, r.IntN(a.BitLen()+1))
		if r.IntN(8) > 0 {
			a = netip.PrefixFrom(a, bits).Masked().Addr()
		}
		if r.IntN(12) == 0 {
			return pick(r, "255.255.255.255", "255.255.255.255/32", "255.255.255.254/31", "10.0.0.0/33", "name", "1..2.3", "::ffff:10.0.0.0/104", "10.0.0.0-10.0.0.9")
		}
		return netip.PrefixFrom(a, bits).String()
	}
	span := func() string {
		a, b := v4().As4(), v4().As4()
		copy(b[:], a[:pick(r, 0, 1, 1, 2, 3)])
		if max(a[0], b[0])-min(a[0], b[0]) > 8 { // nginx warns of each /16
			b[0] = a[0]
		}
		return sortedSpan(r, netip.AddrFrom4(a), netip.AddrFrom4(b))
	}
	ranges := r.IntN(2) == 0
	if ranges {
		block = append(block, []string{"ranges"})
		network = span
	}
	var seen []string
	for range r.IntN(14) {
		text := network()
		if len(seen) > 0 && r.IntN(3) == 0 {
			text = pick(r, seen...)
		}
		seen = append(seen, text)
		switch r.IntN(20) {
		case 0:
			block = append(block, []string{"default", fmt.Sprint("d", r.IntN(3))})
		case 1, 2, 3, 4, 5:
			block = append(block, []string{"delete", text})
		case 6:
			if r.IntN(6) == 0 {
				block = append(block, pick(r, []string{"ranges"}, []string{"volatile"}, []string{text}, []string{text, "a", "b"}, []string{"proxy", "x"}, []string{"proxy", "10.0.0.1/8"}, []string{"proxy_recursive"}))
			}
		default:
			block = append(block, []string{text, fmt.Sprint("v", r.IntN(5))})
		}
	}
	return block
}

func TestOracleNginxReadsGeo(t *testing.T) {
	seed, cases := testenv.Size(t, 120)
	r := newRand(seed)
	var http, server bytes.Buffer
	version := testenv.NginxVersion(t)
	var geos []*Geo
	var blocks [][][]string
	var warnings []string
	refused, lines := 0, 0
	for range cases {
		block := geoBlock(r)
		b := GeoBuilder{Version: version}
		var text strings.Builder
		var warned []string
		var err error
		fmt.Fprintf(&text, "geo $arg_ip $g%d {\n", len(geos))
		for i, words := range block {
			fmt.Fprintf(&text, "%s;\n", strings.Join(words, " "))
			var said []string
			said, err = b.Add(words...)
			for _, w := range said {
				warned = append(warned, fmt.Sprintf("%d warn: %s", i+2, w))
			}
			if err != nil {
				warned = append(warned, fmt.Sprintf("%d emerg: %s", i+2, err))
				break
			}
		}
		text.WriteString("}\n")
		if err != nil {
			require.Equal(t, warned, check(t, text.String()), text.String())
			refused++
			continue
		}
		for _, w := range warned {
			number, rest, _ := strings.Cut(w, " ")
			at, _ := strconv.Atoi(number)
			warnings = append(warnings, fmt.Sprintf("%d %s", lines+at, rest))
		}
		lines += len(block) + 2
		http.WriteString(text.String())
		fmt.Fprintf(&server, "location = /%d { add_header X-G v$g%d; empty_gif; }\n", len(geos), len(geos))
		geos, blocks = append(geos, b.Build()), append(blocks, block)
	}
	require.Equal(t, warnings, check(t, http.String()))
	n := startNginx(t, http.String(), server.String())
	c := n.enter(t, tcp4, netip.Addr{})
	answers := 0
	for i, g := range geos {
		texts := []string{"", "x", "255.255.255.255", "255.255.255.254", "::", "::1", "::ffff:10.0.0.1", "ffff::1"}
		for _, words := range blocks[i] {
			for _, w := range words {
				for _, part := range strings.Split(w, "-") {
					p, _, ok := parsePrefix(part)
					if !ok {
						continue
					}
					for _, a := range []netip.Addr{p.Addr(), p.Addr().Prev(), last(p), last(p).Next()} {
						if a.IsValid() {
							texts = append(texts, AddrText(a))
						}
					}
				}
			}
		}
		for _, text := range texts {
			a, _ := ParseAddr(text)
			m := g.Lookup(a)
			got := c.get(t, fmt.Sprintf("/%d?ip=%s", i, text), "").Header.Get("X-G")
			require.Equal(t, got, "v"+m.Value, "%s, entry %d of %q", text, m.Entry, blocks[i])
			if m.Entry >= 0 {
				require.Equal(t, m.Value, blocks[i][m.Entry][1])
			}
			answers++
		}
	}
	t.Logf("%d blocks refused, %d warnings, %d answers of %d blocks", refused, len(warnings), answers, len(geos))
}
