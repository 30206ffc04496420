package value

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Socket is what a server listens on, in canonical form: "80", "*:80" and
// "0.0.0.0:80" are one Socket, "[::]:80" is another. It is comparable. One of
// Addr, Host and Unix is set.
type Socket struct {
	Addr netip.Addr // 0.0.0.0 and :: stand for any address of their family
	Host string     // a name that nginx resolves when it reads the file
	Unix string     // the path of a unix domain socket
	Port uint16     // 1 to 65535, or 0 with Unix
}

// Wildcard tells whether the socket takes connections to any address.
func (s Socket) Wildcard() bool { return s.Addr.IsValid() && s.Addr.IsUnspecified() }

// AddrPort returns the address and port, or the zero AddrPort if the socket
// has no address.
func (s Socket) AddrPort() netip.AddrPort {
	if !s.Addr.IsValid() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(s.Addr, s.Port)
}

// String returns the socket as nginx names it in messages: "0.0.0.0:80",
// "[::]:80", "unix:/run/nginx.sock". A listen directive may say it this way,
// unless the host is called unix.
func (s Socket) String() string {
	switch {
	case s.Unix != "":
		return "unix:" + s.Unix
	case s.Addr.IsValid():
		return netip.AddrPortFrom(s.Addr, s.Port).String()
	}
	return s.Host + ":" + strconv.Itoa(int(s.Port))
}

// A Listen is the arguments of a listen directive of the http module.
type Listen struct {
	Socket          // the first one of a range of ports
	LastPort uint16 // the end of a range of ports ("8080-8090"), else Port

	DefaultServer bool // default_server, or default, its old name
	SSL           bool
	HTTP2         bool
	QUIC          bool // since nginx 1.25.0
	ProxyProtocol bool
	ReusePort     bool
	// IPv6Only is false only if ipv6only=off says so: an IPv6 wildcard then
	// takes IPv4 connections too, as ::ffff:a.b.c.d.
	IPv6Only bool
	// Options tells that a parameter sets an option of the socket, which only
	// one listen directive of the same socket may do: bind, setfib, fastopen,
	// backlog, rcvbuf, sndbuf, deferred, ipv6only, reuseport, so_keepalive.
	Options bool

	Parameters []string // all of them, as they stand
}

// Sockets ranges over the sockets: one, unless ports are given as a range.
func (l Listen) Sockets() iter.Seq[Socket] {
	return func(yield func(Socket) bool) {
		for p := int(l.Port); p <= int(l.LastPort); p++ {
			s := l.Socket
			s.Port = uint16(p)
			if !yield(s) {
				return
			}
		}
	}
}

// ParseListen reads the arguments of a listen directive. Errors are nginx's,
// such as
//
//	invalid port in "0" of the "listen" directive
//	invalid parameter "https"
func ParseListen(args ...string) (Listen, error) {
	l := Listen{IPv6Only: true}
	if len(args) == 0 {
		return Listen{}, errors.New(`invalid number of arguments in "listen" directive`)
	}
	e, err := parseEndpoint(args[0], true, 80)
	if err != nil {
		return Listen{}, fmt.Errorf(`%w in "%s" of the "listen" directive`, err, args[0])
	}
	l.Socket = Socket{Addr: e.addr, Unix: e.unix, Port: e.port}
	if !e.addr.IsValid() {
		l.Host = e.host
	}
	l.LastPort = max(e.port, e.lastPort)
	l.Parameters = slices.Clone(args[1:])
	var k Keepalive
	for _, p := range l.Parameters {
		if err := l.parameter(p, &k); err != nil {
			return Listen{}, err
		}
	}
	if l.QUIC {
		for _, name := range notWithQUIC {
			if slices.ContainsFunc(l.Parameters, func(p string) bool { return p == name || strings.HasPrefix(p, name+"=") }) {
				return Listen{}, fmt.Errorf(`"listen" directive "%s" parameter is incompatible with "quic"`, name)
			}
		}
	}
	return l, nil
}

// In the order in which nginx 1.31 looks for them.
var notWithQUIC = []string{"fastopen", "backlog", "deferred", "multipath", "ssl", "http2", "so_keepalive", "proxy_protocol"}

func (l *Listen) parameter(p string, k *Keepalive) error {
	switch p {
	case "default_server", "default":
		l.DefaultServer = true
		return nil
	case "ssl":
		l.SSL = true
		return nil
	case "http2":
		l.HTTP2 = true
		return nil
	case "quic":
		l.QUIC = true
		return nil
	case "proxy_protocol":
		l.ProxyProtocol = true
		return nil
	case "reuseport":
		l.ReusePort = true
		l.Options = true
		return nil
	case "bind", "deferred", "multipath":
		l.Options = true
		return nil
	}
	name, v, found := strings.Cut(p, "=")
	ok := found
	switch name {
	case "accept_filter": // of FreeBSD; elsewhere nginx complains, and goes on
		if found {
			return nil
		}
	case "fastopen", "backlog":
		n, err := Int(ParseNumber(v))
		ok = ok && err == nil && (name == "fastopen" || n != 0)
	case "rcvbuf", "sndbuf":
		_, err := Int(ParseSize(v))
		ok = ok && err == nil
	case "ipv6only":
		if !strings.HasPrefix(v, "o") {
			return fmt.Errorf(`invalid parameter "%s"`, p)
		}
		if v != "on" && v != "off" {
			return fmt.Errorf(`invalid ipv6only flags "%s"`, v)
		}
		l.IPv6Only = v == "on"
	case "so_keepalive":
		if found && !k.Set(v) {
			return fmt.Errorf(`invalid so_keepalive value: "%s"`, v)
		}
	default: // setfib, too: it is of FreeBSD
		return fmt.Errorf(`invalid parameter "%s"`, p)
	}
	if !found {
		return fmt.Errorf(`invalid parameter "%s"`, p)
	}
	if !ok {
		return fmt.Errorf(`invalid %s "%s"`, name, p)
	}
	l.Options = true
	return nil
}

// Keepalive is what the so_keepalive parameters of one listen directive say
// together: one that leaves out a part leaves that part as it was (nginx 1.22:
// ngx_http_core_listen). As there, numbers are of 32 bits.
type Keepalive struct {
	Idle, Interval int32 // seconds; 0: as the system has it
	Count          int32 // likewise
}

// Set reads the value of one more parameter: on, off, or up to three of
// "idle:interval:count". It reports whether nginx takes it.
func (k *Keepalive) Set(v string) bool {
	if s, _, _ := strings.Cut(v, "\x00"); s == "on" || s == "off" {
		return true
	}
	idle, rest, _ := strings.Cut(v, ":")
	interval, count, _ := strings.Cut(rest, ":")
	seconds := func(s string, old int32) (int32, error) {
		if s == "" {
			return old, nil
		}
		d, err := ParseSeconds(s)
		return Int(int64(d/time.Second), err)
	}
	var err error
	if k.Idle, err = seconds(idle, k.Idle); err != nil {
		return false
	}
	if k.Interval, err = seconds(interval, k.Interval); err != nil {
		return false
	}
	if count != "" {
		if k.Count, err = Int(ParseNumber(count)); err != nil {
			return false
		}
	}
	return *k != Keepalive{}
}
