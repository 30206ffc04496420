package acl

import (
	"net/netip"
	"strings"
)

// ParseAddr reads an IPv4 or IPv6 address as nginx reads one in a request: in
// X-Forwarded-For, and in the variable that a geo block names (nginx 1.22:
// ngx_parse_addr). It reports false for all else, which is not what package
// netip refuses: see [ParseRule]. There are no zones.
func ParseAddr(s string) (netip.Addr, bool) {
	a, ok := parseIPv4(s)
	if !ok {
		a, ok = parseIPv6(s)
	}
	return a, ok
}

// parseAddrPort reads an address that may have a port, as ngx_parse_addr_port
// does; the port is 0 if there is none. The whole text is tried as an address
// first, so "2001:db8::1:443" has no port. bare tells that brackets may stand
// without a port.
func parseAddrPort(s string, bare bool) (netip.AddrPort, bool) {
	if a, ok := ParseAddr(s); ok {
		return netip.AddrPortFrom(a, 0), true
	}
	var host, port string
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		switch {
		case end < 0:
			return netip.AddrPort{}, false
		case end == len(s)-1:
			a, ok := ParseAddr(s[1:end])
			if !ok || !bare {
				return netip.AddrPort{}, false
			}
			return netip.AddrPortFrom(a, 0), true
		case s[end+1] != ':':
			return netip.AddrPort{}, false
		}
		host, port = s[1:end], s[end+2:]
	} else {
		var found bool
		if host, port, found = strings.Cut(s, ":"); !found {
			return netip.AddrPort{}, false
		}
	}
	n, ok := parsePort(port)
	if !ok || n == 0 {
		return netip.AddrPort{}, false
	}
	a, ok := ParseAddr(host)
	if !ok {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a, n), true
}

// parsePort reads up to 65535 as ngx_atoi does. Unlike strconv it makes no
// error, which would be an allocation for every malformed header.
func parsePort(s string) (uint16, bool) {
	n := 0
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + int(c-'0'); n > 65535 {
			return 0, false
		}
	}
	return uint16(n), s != ""
}

// AddrText returns an address as nginx writes it into $remote_addr (nginx
// 1.22: ngx_sock_ntop). It is netip's text, but for IPv6 addresses whose first
// six words, or first seven, are zero: "::192.0.2.1". The zero Addr, a client
// on a unix socket, is "unix:". A zone is left out.
func AddrText(a netip.Addr) string {
	if !a.IsValid() {
		return "unix:"
	}
	a = a.WithZone("")
	if embedsIPv4(a) {
		b := a.As16()
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return a.String()
}

// embedsIPv4 tells the IPv6 addresses that nginx writes as "::a.b.c.d".
func embedsIPv4(a netip.Addr) bool {
	if !a.Is6() {
		return false
	}
	b := a.As16()
	if [12]byte(b[:12]) != [12]byte{} {
		return false
	}
	if b[12] == 0 && b[13] == 0 { // seven words are zero, or all
		return b[14] != 0 && b[15] != 1
	}
	return true
}

// rereadable reports whether nginx can read the address from the text it
// writes, where 255.255.255.255 is none.
func rereadable(a netip.Addr) bool {
	tail := a.Unmap()
	if embedsIPv4(a) {
		b := a.As16()
		tail = netip.AddrFrom4([4]byte(b[12:]))
	}
	return tail != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// atLeast compares a version of nginx, such as "1.22.1" or a distribution's
// "1.22.1-9+deb12u11". What is no version is the newest one.
func atLeast(version string, want ...int) bool {
	for _, w := range want {
		n, end := 0, 0
		for end < len(version) && '0' <= version[end] && version[end] <= '9' {
			n = min(n*10+int(version[end]-'0'), 1<<20)
			end++
		}
		if end == 0 || n != w {
			return end == 0 || n > w
		}
		version = strings.TrimPrefix(version[end:], ".")
	}
	return true
}
