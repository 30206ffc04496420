package value

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
)

// maxUnixPath is what the path of a unix domain socket may have on Linux.
const maxUnixPath = 107

// An endpoint is what ngx_parse_url makes of "host:port/uri" and its kin.
type endpoint struct {
	host     string     // as written, with brackets
	addr     netip.Addr // if host is an address
	port     uint16     // the default if there is none
	lastPort uint16     // of a range, else 0
	portText string     // as written, "" if there is none
	unix     string
	uri      string
}

// parseEndpoint reads s as the argument of listen, or, with uri, as what
// follows "http://".
func parseEndpoint(s string, listen bool, defaultPort uint16) (endpoint, error) {
	switch {
	case len(s) >= 5 && strings.EqualFold(s[:5], "unix:"):
		return parseUnix(s[5:], !listen)
	case s != "" && s[0] == '[':
		return parseInet6(s, listen, defaultPort)
	}
	return parseInet(s, listen, defaultPort)
}

func parseUnix(path string, uri bool) (e endpoint, err error) {
	if uri {
		path, e.uri, _ = strings.Cut(path, ":")
	}
	switch {
	case path == "":
		return e, errors.New("no path in the unix domain socket")
	case len(path) > maxUnixPath:
		return e, errors.New("too long path in the unix domain socket")
	}
	e.unix = path
	return e, nil
}

func parseInet(s string, listen bool, defaultPort uint16) (e endpoint, err error) {
	host := s
	if i := strings.IndexAny(s, "/?"); i >= 0 {
		if listen {
			return e, errors.New("invalid host")
		}
		host, e.uri = s[:i], s[i:]
	}
	host, port, hasPort := strings.Cut(host, ":")
	if hasPort {
		if err := e.setPort(port, listen); err != nil {
			return e, err
		}
	} else if listen {
		first, last, dash := strings.Cut(host, "-")
		_, lastOK := number(last)
		if _, ok := number(first); ok && (!dash || lastOK) {
			// A port alone. One out of range is not taken for a host.
			if err := e.setPort(host, true); err != nil {
				return e, err
			}
			e.host, e.addr = "*", netip.IPv4Unspecified()
			return e, nil
		}
	}
	if !hasPort {
		e.port = defaultPort
	}
	if host == "" {
		return e, errors.New("no host")
	}
	e.host = host
	if listen && host == "*" {
		e.addr = netip.IPv4Unspecified()
	} else {
		e.addr, _ = parseIPv4(host)
	}
	return e, nil
}

func parseInet6(s string, listen bool, defaultPort uint16) (e endpoint, err error) {
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return e, errors.New("invalid host")
	}
	host, rest := s[:end+1], s[end+1:]
	// No "?" here: nginx takes it for a part of the port.
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		if listen {
			return e, errors.New("invalid host")
		}
		rest, e.uri = rest[:i], rest[i:]
	}
	if rest != "" {
		if rest[0] != ':' {
			return e, errors.New("invalid host")
		}
		if err := e.setPort(rest[1:], listen); err != nil {
			return e, err
		}
	} else {
		e.port = defaultPort
	}
	if host == "[]" {
		return e, errors.New("no host")
	}
	e.host = host
	addr, ok := parseIPv6(host[1:end])
	if !ok {
		return e, errors.New("invalid IPv6 address")
	}
	e.addr = addr
	return e, nil
}

// setPort reads a port, or where a range may stand, "8080-8090".
func (e *endpoint) setPort(text string, mayRange bool) error {
	first := text
	if mayRange {
		var last string
		var dash bool
		if first, last, dash = strings.Cut(text, "-"); dash {
			n, ok := number(last)
			if !ok || n < 1 || n > 65535 {
				return errors.New("invalid port")
			}
			e.lastPort = uint16(n)
		}
	}
	n, ok := number(first)
	if !ok || n < 1 || n > 65535 {
		return errors.New("invalid port")
	}
	if e.lastPort != 0 && n > int64(e.lastPort) {
		return errors.New("invalid port range")
	}
	e.port, e.portText = uint16(n), text
	return nil
}

// parseIPv4 is ngx_inet_addr: four decimal numbers up to 255 with dots
// between them, each with leading zeros or missing altogether (then it is 0).
// 255.255.255.255 is its value for an error, so no address either.
func parseIPv4(s string) (addr netip.Addr, ok bool) {
	var a [4]byte
	n, octet := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' && n < 3:
			a[n] = byte(octet)
			octet = 0
			n++
		case '0' <= c && c <= '9':
			if octet = octet*10 + int(c-'0'); octet > 255 {
				return addr, false
			}
		default:
			return addr, false
		}
	}
	a[3] = byte(octet)
	if n != 3 || a == [4]byte{255, 255, 255, 255} {
		return addr, false
	}
	return netip.AddrFrom4(a), true
}

// parseIPv6 is ngx_inet6_addr. It takes one colon too many at the front, and
// no "::" for a single word at the end.
func parseIPv6(s string) (addr netip.Addr, ok bool) {
	if s == "" {
		return addr, false
	}
	s = strings.TrimPrefix(s, ":")
	var words []uint16
	zero := -1  // how many words stood before "::"
	digit := -1 // where the last word started, if a colon stood before it
	nibbles, word := 0, uint16(0)
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ':' && nibbles > 0:
			if len(words) == 7 {
				return addr, false
			}
			words = append(words, word)
			nibbles, word, digit = 0, 0, i+1
			continue
		case c == ':':
			if zero >= 0 {
				return addr, false
			}
			zero, digit = len(words), i+1
			continue
		case c == '.' && nibbles > 0:
			if len(words) > 6 || digit < 0 {
				return addr, false
			}
			v4, ok := parseIPv4(s[digit:])
			if !ok {
				return addr, false
			}
			b := v4.As4()
			words = append(words, binary.BigEndian.Uint16(b[:2]))
			word = binary.BigEndian.Uint16(b[2:])
			return joinIPv6(append(words, word), zero)
		}
		d := hexDigit(c)
		if nibbles++; nibbles > 4 || d < 0 {
			return addr, false
		}
		word = word<<4 | uint16(d)
	}
	if nibbles == 0 && zero < 0 {
		return addr, false
	}
	return joinIPv6(append(words, word), zero)
}

func joinIPv6(words []uint16, zero int) (addr netip.Addr, ok bool) {
	if (len(words) == 8) != (zero < 0) {
		return addr, false
	}
	var a [16]byte
	for i, w := range words {
		if zero >= 0 && i >= zero {
			i += 8 - len(words)
		}
		binary.BigEndian.PutUint16(a[2*i:], w)
	}
	return netip.AddrFrom16(a), true
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
