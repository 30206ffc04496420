package value

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// A Backend is where fastcgi_pass, scgi_pass, uwsgi_pass, grpc_pass,
// memcached_pass or tunnel_pass sends requests.
type Backend struct {
	// Scheme is the one that the address began with, in lower case and
	// without "://"; empty if there is none.
	Scheme string
	// Host is a name, the name of an upstream block or an address, as written;
	// an IPv6 address has its brackets. It is empty with Unix.
	Host string
	Addr netip.Addr // if Host is an address
	Port uint16     // 0 if none is given: only the name of an upstream block needs none
	// PortText is the port as written.
	PortText string
	Unix     string // the path of a unix domain socket
}

// ParseBackend reads the address of a backend that no URI may follow, and that
// one of the schemes ("grpc", "grpcs") may come before. There must be no
// variables in it: nginx reads those for each request, once they are replaced.
// Errors are nginx's (nginx 1.22: ngx_http_upstream_add), such as
//
//	invalid host in upstream "127.0.0.1:9000/x"
//	invalid port in upstream "127.0.0.1:0"
func ParseBackend(s string, schemes ...string) (Backend, error) {
	var b Backend
	for _, scheme := range schemes {
		if n := len(scheme); len(s) >= n+3 && s[n:n+3] == "://" && strings.EqualFold(s[:n], scheme) {
			b.Scheme, s = scheme, s[n+3:]
			break
		}
	}
	e, err := parseServer(s, 0)
	if err != nil {
		return Backend{}, fmt.Errorf(`%w in upstream "%s"`, err, s)
	}
	b.Host, b.Addr, b.Port, b.PortText, b.Unix = e.host, e.addr, e.port, e.portText, e.unix
	return b, nil
}

// Address returns what [net.Dial] takes to reach the backend, unless the host
// is the name of an upstream block.
func (b Backend) Address() (network, address string) {
	if b.Unix != "" {
		return "unix", b.Unix
	}
	host := strings.Trim(b.Host, "[]")
	if b.Addr.IsValid() {
		host = b.Addr.String() // nginx takes some that net does not
	}
	return "tcp", net.JoinHostPort(host, strconv.Itoa(int(b.Port)))
}

// ParseAddrPort reads the address that a connection is bound to, as proxy_bind
// has it (nginx 1.31: ngx_parse_addr_port): an IPv4 address, an IPv6 address with
// or without brackets, or either with a port, and then with brackets. Brackets
// without a port are read since nginx 1.27.3.
func ParseAddrPort(s string) (netip.AddrPort, bool) {
	if addr, ok := parseAddr(s); ok {
		return netip.AddrPortFrom(addr, 0), true
	}
	host, port := "", ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end == len(s)-1 {
			addr, ok := parseAddr(s[1:end])
			return netip.AddrPortFrom(addr, 0), ok
		}
		if end < 0 || s[end+1] != ':' {
			return netip.AddrPort{}, false
		}
		host, port = s[1:end], s[end+2:]
	} else {
		var ok bool
		if host, port, ok = strings.Cut(s, ":"); !ok {
			return netip.AddrPort{}, false
		}
	}
	n, ok := number(port)
	if !ok || n < 1 || n > 65535 {
		return netip.AddrPort{}, false
	}
	addr, ok := parseAddr(host)
	return netip.AddrPortFrom(addr, uint16(n)), ok
}

// parseAddr is ngx_parse_addr.
func parseAddr(s string) (netip.Addr, bool) {
	if addr, ok := parseIPv4(s); ok {
		return addr, true
	}
	return parseIPv6(s)
}
