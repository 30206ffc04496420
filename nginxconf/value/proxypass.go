package value

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// A ProxyPass is the argument of a proxy_pass directive.
type ProxyPass struct {
	// Variables tells that there are variables: nginx reads the argument anew
	// for each request, once they are replaced. All else is zero then.
	Variables bool

	Scheme string // "http" or "https"
	// Host is a name, the name of an upstream block or an address, as written;
	// an IPv6 address has its brackets. It is empty with Unix.
	Host string
	Addr netip.Addr // if Host is an address
	Port uint16     // that of the scheme if none is given
	// PortText is the port as written. It is empty if none is given: only then
	// can Host be the name of an upstream block.
	PortText string
	Unix     string // the path of a unix domain socket
	// URI is what follows the host. If it is empty, the backend gets the URI
	// of the request as the client sent it; else URI takes the place of that
	// part of the request's path that the location's name covers.
	URI string
}

// ParseProxyPass reads the argument of a proxy_pass directive. Errors are
// nginx's, such as
//
//	invalid URL prefix
//	no host in upstream ":8080"
//	invalid port in upstream "127.0.0.1:0"
func ParseProxyPass(s string) (ProxyPass, error) {
	if strings.IndexByte(s, '$') >= 0 {
		for _, err := range Parts(s) {
			if err != nil {
				return ProxyPass{}, err
			}
		}
		return ProxyPass{Variables: true}, nil
	}
	return ParseProxyURL(s)
}

// ParseProxyURL reads the argument of a proxy_pass directive in which
// variables have been replaced: a "$" is a character like others.
func ParseProxyURL(s string) (p ProxyPass, err error) {
	var rest string
	switch {
	case len(s) >= 7 && lower(s[:7]) == "http://":
		p.Scheme, rest, p.Port = "http", s[7:], 80
	case len(s) >= 8 && lower(s[:8]) == "https://":
		p.Scheme, rest, p.Port = "https", s[8:], 443
	default:
		return ProxyPass{}, errors.New("invalid URL prefix")
	}
	e, err := parseEndpoint(rest, false, p.Port)
	if err != nil {
		return ProxyPass{}, fmt.Errorf(`%w in upstream "%s"`, err, rest)
	}
	p.Host, p.Addr, p.Port, p.PortText, p.Unix, p.URI = e.host, e.addr, e.port, e.portText, e.unix, e.uri
	return p, nil
}

// HostHeader returns what $proxy_host is: the host, with its port if that is
// not the one of the scheme, or "localhost" for a unix domain socket.
func (p ProxyPass) HostHeader() string {
	switch {
	case p.Unix != "":
		return "localhost"
	case p.PortText == "" || p.Scheme == "http" && p.Port == 80 || p.Scheme == "https" && p.Port == 443:
		return p.Host
	}
	return p.Host + ":" + p.PortText
}

// Address returns what [net.Dial] takes to reach the backend, unless the host
// is the name of an upstream block.
func (p ProxyPass) Address() (network, address string) {
	if p.Unix != "" {
		return "unix", p.Unix
	}
	host := strings.Trim(p.Host, "[]")
	if p.Addr.IsValid() {
		host = p.Addr.String() // nginx takes some that net does not
	}
	return "tcp", net.JoinHostPort(host, strconv.Itoa(int(p.Port)))
}
