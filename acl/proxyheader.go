package acl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
)

// A ProxyHeader is what a PROXY protocol header tells of a connection. The
// zero ProxyHeader tells nothing; so do "PROXY UNKNOWN" and the LOCAL command.
type ProxyHeader struct {
	Version int `json:"version"` // 1 or 2; 0: nothing is told
	// Source is the client and Destination what it connected to. The address
	// is the zero Addr if nginx cannot read the text of it; the port holds.
	Source      netip.AddrPort `json:"source"`
	Destination netip.AddrPort `json:"destination"`
	// SourceText and DestinationText are the addresses as nginx has them in
	// $proxy_protocol_addr and $proxy_protocol_server_addr: in version 1 as
	// they were sent, however malformed.
	SourceText      string `json:"source_text"`
	DestinationText string `json:"destination_text"`
}

// ProxyHeaderOptions say how to read a PROXY header. Nil is the zero value.
type ProxyHeaderOptions struct {
	// Version of nginx; "" is the newest. It has a bearing on error messages.
	Version string
}

const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// ParseProxyHeader reads the PROXY protocol header, version 1 or 2, at the
// start of b and returns what it tells and its length (nginx 1.22:
// ngx_proxy_protocol_read). nginx looks at what its first read gave, at most
// client_header_buffer_size bytes, and refuses a header that is not all there;
// so does ParseProxyHeader.
//
// The error is in nginx's words, which repeat the header. nginx says nothing
// where the addresses of a version 2 header are too short; the error is then
// "broken header".
func ParseProxyHeader(b []byte, o *ProxyHeaderOptions) (h ProxyHeader, n int, err error) {
	if len(b) >= 16 && string(b[:12]) == proxySignature {
		return parseProxyV2(b)
	}
	if h, n, ok := parseProxyV1(b); ok {
		return h, n, nil
	}
	shown := b
	if o == nil || atLeast(o.Version, 1, 23, 2) {
		if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
			shown = b[:i]
		}
	}
	return ProxyHeader{}, 0, refusal(`broken header: "` + string(shown[:min(len(shown), 1024)]) + `"`)
}

// parseProxyV1 takes the two families for the same: nginx does not compare
// what stands behind TCP4 or TCP6 with the addresses.
func parseProxyV1(b []byte) (h ProxyHeader, n int, ok bool) {
	rest, ok := bytes.CutPrefix(b, []byte("PROXY "))
	if !ok {
		return h, 0, false
	}
	if bytes.HasPrefix(rest, []byte("UNKNOWN")) {
		i := bytes.Index(rest, []byte("\r\n"))
		return h, len(b) - len(rest) + i + 2, i >= 0
	}
	if len(rest) < 5 || string(rest[:3]) != "TCP" || rest[3] != '4' && rest[3] != '6' || rest[4] != ' ' {
		return h, 0, false
	}
	rest = rest[5:]
	var ports [2]uint16
	if h.SourceText, rest, ok = cutProxyAddr(rest); !ok {
		return ProxyHeader{}, 0, false
	}
	if h.DestinationText, rest, ok = cutProxyAddr(rest); !ok {
		return ProxyHeader{}, 0, false
	}
	for i, end := range []byte(" \r") {
		at := bytes.IndexByte(rest, end)
		if at < 0 {
			return ProxyHeader{}, 0, false
		}
		if ports[i], ok = parsePort(string(rest[:at])); !ok {
			return ProxyHeader{}, 0, false
		}
		rest = rest[at+1:]
	}
	if len(rest) == 0 || rest[0] != '\n' {
		return ProxyHeader{}, 0, false
	}
	h.Version = 1
	source, _ := parseAddrPort(h.SourceText, true) // "1.2.3.4:5" is read; the port is then another
	destination, _ := parseAddrPort(h.DestinationText, true)
	h.Source = netip.AddrPortFrom(source.Addr(), ports[0])
	h.Destination = netip.AddrPortFrom(destination.Addr(), ports[1])
	return h, len(b) - len(rest) + 1, true
}

func cutProxyAddr(b []byte) (addr string, rest []byte, ok bool) {
	for i, c := range b {
		switch {
		case c == ' ':
			return string(b[:i]), b[i+1:], true
		case c == ':', c == '.', '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'f':
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

func parseProxyV2(b []byte) (h ProxyHeader, n int, err error) {
	version, command, family, transport := b[12]>>4, b[12]&0xf, b[13]>>4, b[13]&0xf
	if version != 2 {
		return h, 0, errors.New("unknown PROXY protocol version: " + strconv.Itoa(int(version)))
	}
	size := int(binary.BigEndian.Uint16(b[14:]))
	body := b[16:]
	if len(body) < size {
		return h, 0, errors.New("header is too large")
	}
	body = body[:size]
	if command != 1 || transport != 1 {
		return h, 16 + size, nil // only a proxied stream has a client
	}
	width := 0
	switch family {
	case 1:
		width = 4
	case 2:
		width = 16
	default:
		return h, 16 + size, nil
	}
	if size < 2*width+4 {
		return h, 0, errors.New("broken header")
	}
	end := func(addr, port []byte) (netip.AddrPort, string) {
		a, _ := netip.AddrFromSlice(addr)
		text := AddrText(a)
		if !rereadable(a) {
			a = netip.Addr{}
		}
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port)), text
	}
	h.Version = 2
	h.Source, h.SourceText = end(body[:width], body[2*width:])
	h.Destination, h.DestinationText = end(body[width:2*width], body[2*width+2:])
	return h, 16 + size, nil
}
